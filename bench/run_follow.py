#!/usr/bin/env python3
"""Measures what following costs in time: from a packet that is handed to the splitter to the bytes that the aggregator puts out,
with a real Apache Kafka between them, against librdkafka alone. Prints Markdown tables.

    bench/run_follow.py [--tmpfs FOLDER] [--only low|ordinary] [--runs 5] [--seconds 30] [--mbit 2] [--json FILE]

A feeder writes an FLV into the splitter's standard input, a picture at a time as its timestamps say, and notes when; a reader notes
when the fragments of the follower's pipe are there. With --latency low, what is added is from the picture that ends a part (the
first of the next) to that part's last byte; the peer (bench/peers/pair_peer.c) gets chunks of the same sizes across at the same
times, from such a pipe into such a pipe. Without it, capture is when a segment's first picture was handed over. bench/README.md says the rest.
"""
import argparse
import fcntl
import json
import multiprocessing
import os
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from run import GOPLINE, ROOT, made, run
from run_live import make_clip

sys.path.insert(0, str(ROOT / "tools" / "kafka"))
from cluster import Cluster  # noqa: E402

PEER = ROOT / "build" / "release" / "bench" / "pair_peer"
FRESH_TOPICS = ROOT / "build" / "release" / "bench" / "fresh_topics"
GOP = 2.0  # seconds, of make_clip()
WARM = 2  # GOPs at the beginning that do not count: the splitter looks at its input
LAST_PICTURE = 8_000  # bytes of a chunk that are handed over last, about a picture of 2 Mbit/s
PEER_WARM = 10  # chunks of the peer's that do not count either
BROKER = {"log.segment.delete.delay.ms": "0", "log.cleanup.policy": "delete"}


# ---- what goes in

def flv_of(clip, folder):
    """The header, and (seconds, is a picture, bytes) of every tag."""
    path = folder / "clip.flv"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", clip, "-an", "-c", "copy", "-f", "flv", path], check=True)
    data = path.read_bytes()
    at, tags = 13, []
    while at + 11 <= len(data):
        kind, size = data[at], int.from_bytes(data[at + 1:at + 4], "big")
        milliseconds = int.from_bytes(data[at + 4:at + 7], "big") | data[at + 7] << 24
        whole = data[at:at + 11 + size + 4]
        is_picture = kind == 9 and whole[12] == 1  # AVCPacketType 1: NAL units
        tags.append((milliseconds / 1000, is_picture, whole))
        at += len(whole)
    return data[:13], tags


def feed(pipe, header, tags, begun):
    """Writes the tags at their times; sends when each picture was handed over."""
    os.write(pipe, header)
    begin, times = time.monotonic(), []
    for seconds, is_picture, data in tags:
        time.sleep(max(0, begin + seconds - time.monotonic()))
        if is_picture:
            times.append(time.monotonic())
        view = memoryview(data)
        while view:
            view = view[os.write(pipe, view):]
    os.close(pipe)
    begun.send(times)


# ---- what comes out

class Parts(threading.Thread):
    """(when its last byte came, pictures, bytes) of each fragment of a pipe; there is one track."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.found = pipe, []

    def run(self):
        data, pictures, size = b"", 0, 0
        while True:
            got = os.read(self.pipe.fileno(), 1 << 20)
            now = time.monotonic()
            if not got:
                return
            data += got
            while len(data) >= 8 and len(data) >= int.from_bytes(data[:4], "big"):
                box, kind = data[:int.from_bytes(data[:4], "big")], data[4:8]
                data = data[len(box):]
                if kind == b"moof":
                    trun = box.index(b"trun")
                    pictures, size = struct.unpack(">I", box[trun + 8:trun + 12])[0], len(box)
                elif kind == b"mdat":
                    self.found.append((now, pictures, size + len(box)))


def split_and_follow(url, flv, seconds, split_options, follow_options, folder):
    """One run: when each picture went in, and the parts that came out."""
    header, tags = flv
    tags = [tag for tag in tags if tag[0] < seconds]
    follower = subprocess.Popen([GOPLINE, "aggregate", "cam", "--log", url, "--follow", "--output", "-", *follow_options], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for line in follower.stderr:
        if line.startswith(b"following"):
            break
    said = threading.Thread(target=follower.stderr.read, daemon=True)
    said.start()
    parts = Parts(follower.stdout)
    parts.start()
    into, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
    splitter = subprocess.Popen([GOPLINE, "split", "-", "--stream", "cam", "--live", "--log", url, "--partitions", "1", "--quiet", *split_options],
                                stdin=into, stdout=subprocess.DEVNULL, stderr=(folder / "split.err").open("wb"))
    os.close(into)
    receive, send = multiprocessing.Pipe(duplex=False)
    feeder = multiprocessing.get_context("fork").Process(target=feed, args=(pipe, header, tags, send))
    feeder.start()
    os.close(pipe)
    times = receive.recv()
    feeder.join()
    time.sleep(1)  # what is on its way
    for process in (splitter, follower):
        process.terminate()
    follower.wait()
    splitter.wait()
    parts.join(10)
    return times, parts.found


def quantile(delays, share):
    ordered = sorted(delays)
    return ordered[min(len(ordered) - 1, max(0, -(-len(ordered) * share // 100) - 1))]


# ---- low latency, against a bare pair

def ours_low(bench, pace):
    times, parts = split_and_follow(bench.url, bench.flv, bench.seconds, ["--latency", "low"], ["--pace", pace], bench.folder)
    delays, plan, first = [], [], 0
    skipped = int(WARM * GOP * 25)
    for came, pictures, size in parts:
        first += pictures  # the picture that ended the part
        if skipped < first < len(times):
            delays.append(came - times[first])
            plan.append((times[first] - times[skipped], size))
    if len(delays) < bench.seconds:
        sys.exit(f"bench: only {len(delays)} parts came out; the splitter said: {(bench.folder / 'split.err').read_text()[-2000:]}")
    return delays, plan


class Chunks(threading.Thread):
    """When the last byte of each of the peer's chunks came."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self.pipe, self.times = pipe, []

    def run(self):
        data = b""
        while got := os.read(self.pipe.fileno(), 1 << 20):
            now = time.monotonic()
            data += got
            while len(data) >= 4 and len(data) >= (size := 4 + int.from_bytes(data[:4], "big")):
                data = data[size:]
                self.times.append(now)


def feed_chunks(pipe, plan, begun):
    """Writes chunks (seconds, bytes): the pictures before the last one as soon as there is room, the last one at its time."""
    begin, times = time.monotonic() + 1, []
    for seconds, size in plan:
        chunk = (size - 4).to_bytes(4, "big") + os.urandom(size - 4)
        picture = min(size, LAST_PICTURE)
        os.write(pipe, chunk[:size - picture])
        time.sleep(max(0, begin + seconds - time.monotonic()))
        times.append(time.monotonic())
        os.write(pipe, chunk[size - picture:])
    os.close(pipe)
    begun.send(times)


def peer_low(bench, plan):
    # As ours: a client connects with its first chunks, and they do not count. And it is handed what it moves by the same pipes.
    warm = [(0.3 * i, 10_000) for i in range(PEER_WARM)]
    chunks = warm + [(at + 0.3 * PEER_WARM, size) for at, size in plan]
    run([FRESH_TOPICS, bench.brokers, "pair.segments"])
    into, pipe = os.pipe()
    fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, 1 << 20)
    peer = subprocess.Popen([PEER, bench.brokers, "pair.segments", str(len(chunks))], stdin=into, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fcntl.fcntl(peer.stdout, fcntl.F_SETPIPE_SZ, 1 << 20)
    os.close(into)
    if peer.stderr.readline() != b"ready\n":
        sys.exit(f"bench: pair_peer: {peer.stderr.read().decode()}")
    said = threading.Thread(target=peer.stderr.read, daemon=True)
    said.start()
    came = Chunks(peer.stdout)
    came.start()
    receive, send = multiprocessing.Pipe(duplex=False)
    feeder = multiprocessing.get_context("fork").Process(target=feed_chunks, args=(pipe, chunks, send))
    feeder.start()
    os.close(pipe)
    times = receive.recv()
    feeder.join()
    if peer.wait():
        sys.exit("bench: pair_peer failed")
    came.join(10)
    return [after - before for before, after in zip(times, came.times, strict=True)][PEER_WARM:]


def measure_low(bench, runs):
    rows = []
    for pace in ("arrival", "timeline"):
        ours, peers = [], []
        _, plan = ours_low(bench, pace)  # a warm-up, and the plan of the first peer
        peer_low(bench, plan)
        for i in range(runs):
            if i % 2:
                peers.append(peer_low(bench, plan))
            delays, plan = ours_low(bench, pace)
            ours.append(delays)
            if not i % 2:
                peers.append(peer_low(bench, plan))
            print(f"bench: low, --pace {pace}: pair {i + 1} of {runs}", file=sys.stderr)
        for share in (50, 99):
            mine, theirs = [quantile(d, share) for d in ours], [quantile(d, share) for d in peers]
            ratios = [a / b for a, b in zip(mine, theirs)]
            rows.append({"measure": f"--pace {pace}, p{share}", "ours_ms": 1e3 * statistics.median(mine), "peer_ms": 1e3 * statistics.median(theirs),
                         "ratio": statistics.median(ratios), "least": min(ratios), "most": max(ratios), "runs": runs,
                         "parts": sum(map(len, ours)), "bytes_per_part": statistics.mean(size for _, size in plan)})
    lines = ["| added by splitter, Kafka and follower | ours, bare pair | ratio, least to most (target ≤ 1.3×) |", "|---|---|---|"]
    lines += [f"| {r['measure']} | {r['ours_ms']:.2f}, {r['peer_ms']:.2f} ms | **{r['ratio']:.2f}×** ({r['least']:.2f} to {r['most']:.2f}) |" for r in rows]
    return rows, "\n".join(lines)


# ---- ordinary mode

def measure_ordinary(bench, runs):
    rows = []
    for pace in ("timeline", "arrival"):
        middle, worst, count = [], [], 0
        for i in range(runs):
            times, parts = split_and_follow(bench.url, bench.flv, bench.seconds, [], ["--pace", pace], bench.folder)
            delays, first = [], 0
            for came, pictures, _ in parts:
                if WARM * GOP * 25 <= first < len(times):
                    delays.append(came - times[first])
                first += pictures
            if not delays:
                sys.exit(f"bench: nothing came out; the splitter said: {(bench.folder / 'split.err').read_text()[-2000:]}")
            count += len(delays)
            middle.append(quantile(delays, 50))
            worst.append(quantile(delays, 99))
            print(f"bench: ordinary, --pace {pace}: run {i + 1} of {runs}", file=sys.stderr)
        rows.append({"measure": f"--pace {pace}", "p50_s": statistics.median(middle), "p99_s": statistics.median(worst), "least_p99_s": min(worst),
                     "most_p99_s": max(worst), "runs": runs, "segments": count})
    lines = [f"| capture to output, GOP of {GOP:g} s | p50 | p99, least to most (target ≤ {GOP + 0.05:g} s) |", "|---|---|---|"]
    lines += [f"| {r['measure']} | {r['p50_s']:.3f} s | **{r['p99_s']:.3f} s** ({r['least_p99_s']:.3f} to {r['most_p99_s']:.3f}) |" for r in rows]
    return rows, "\n".join(lines)


class Bench:
    def __init__(self, arguments, brokers, clip, folder):
        self.brokers, self.folder, self.seconds = brokers, folder, arguments.seconds
        self.url = f"kafka://{brokers}/follow"
        self.flv = flv_of(clip, folder)
        for _ in range(10):  # a cold JVM is three times slower; and the stream is there to be followed
            run([GOPLINE, "split", clip, "--log", self.url, "--stream", "cam", "--partitions", "1", "--quiet"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=30)
    parser.add_argument("--mbit", type=int, default=2)
    parser.add_argument("--only", default="", choices=("", "low", "ordinary"))
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gopline-follow-", dir=made(arguments.tmpfs)))
    report, tables = {}, []
    try:
        clip = make_clip(arguments.tmpfs / f"{arguments.mbit}m-video.mp4", arguments.mbit, sound=False)
        with Cluster(folder / "broker", overrides=BROKER, heap="2g") as cluster:
            bench = Bench(arguments, cluster.bootstrap, clip, folder)
            for name, measure in (("low", measure_low), ("ordinary", measure_ordinary)):
                if arguments.only in ("", name):
                    report[name], table = measure(bench, arguments.runs)
                    tables.append(table)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print("\n\n".join(tables))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
