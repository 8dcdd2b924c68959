#!/usr/bin/env python3
"""Measures gopline analyze in interleaved pairs: frames per CPU-second against ffmpeg and against a plain OpenCV loop on the same source, key frames
alone against all frames, two workers against one, what exactly once costs; with --kafka the whole way through a real broker against a JPEG a
frame. Prints a Markdown table.

    bench/run_analyze.py --source FILE [--tmpfs FOLDER] [--runs 7] [--only WORDS] [--kafka] [--json FILE]

The source is H.264 with a GOP of 2 s, as bench/make_source.sh makes it; a few minutes of it are enough. Source and log on tmpfs. Everything has one
thread: a worker of gopline, ffmpeg (-threads 1), OpenCV. A ratio is peer / ours, in CPU-seconds where nothing else is said: both see the same frames. The
interpreter of build/deps/bench-python (./dev bench makes it) runs OpenCV.
"""
import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import GOPLINE, ROOT, Run, interval, made, run

PYTHON = ROOT / "build/deps/bench-python/bin/python"
PEERS = ROOT / "bench/peers"
BUSY = "motion:min_time=0s,quiet=100ms,update=40ms,most=1s"  # an event with almost every picture


def together(commands):
    """Runs commands at once; CPU and memory are the sums."""
    begin = time.monotonic()
    processes = [subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands]
    cpu, memory = 0, 0
    for process in processes:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            sys.exit(f"bench: {' '.join(map(str, process.args))}: exit {process.returncode}")
        cpu, memory = cpu + usage.ru_utime + usage.ru_stime, memory + usage.ru_maxrss * 1024
    return Run(time.monotonic() - begin, cpu, memory)


class Logs:
    """A log of the source, once as one stream and once as two; each run has a group of its own."""

    def __init__(self, source, tmpfs):
        self.source, self.folder, self.groups = source, Path(tempfile.mkdtemp(prefix="gopline-analyze-", dir=made(tmpfs))), 0
        # Two streams whose names fall into two of the partitions.
        for name, streams in (("one", ["lobby"]), ("two", ["cam-0", "cam-4"])):
            for stream in streams:
                run([GOPLINE, "split", source, "--log", self.folder / name, "--stream", stream, "--partitions", "2", "--quiet"])

    def analyze(self, analyzer, *more, log="one", group=None):
        self.groups += 1
        return [GOPLINE, "analyze", "--log", self.folder / log, "--analyzer", analyzer, "--until-end", "--no-thumbnails", "--quiet", "--group",
                group or f"g{self.groups}", *more]

    def apart(self):
        """A new place for events, outside of the log that is read."""
        return Path(tempfile.mkdtemp(prefix="events-", dir=self.folder))


def workers(logs, count):
    """How many streams each worker takes is the group's: two streams in two partitions, or all for one."""
    group = f"pair-{logs.groups}"
    return together([logs.analyze("null", log="two", group=group) for _ in range(count)])


def contests(logs, source):
    """Name, least ratio, what is compared, ours, peer."""
    ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-threads", "1", "-i", source, "-map", "0:v:0", "-fps_mode", "passthrough", "-threads", "1", "-f", "null", "-"]
    loop = [PYTHON, PEERS / "motion_loop.py", source]
    yield "null, all frames / ffmpeg -threads 1 -f null", 0.95, "cpu", lambda: run(logs.analyze("null")), lambda: run(ffmpeg)
    yield "motion / VideoCapture + MOG2", 1.0, "cpu", lambda: run(logs.analyze("motion")), lambda: run(loop)
    yield "motion / VideoCapture + MOG2, grey, 320 wide as ours", None, "cpu", lambda: run(logs.analyze("motion")), lambda: run([*loop, "320"])
    yield ("key frames / all frames", 10, "cpu", lambda: run(logs.analyze("null", "--frames", "key")), lambda: run(logs.analyze("null")))
    nokey = [*ffmpeg[:4], "-skip_frame", "nokey", *ffmpeg[4:]]
    yield "key frames / ffmpeg -skip_frame nokey", None, "cpu", lambda: run(logs.analyze("null", "--frames", "key")), lambda: run(nokey)
    yield "two workers / one, time", 1.8, "wall", lambda: workers(logs, 2), lambda: workers(logs, 1)
    yield ("exactly once / events in another log, where it cannot be", 0.97, "cpu", lambda: run(logs.analyze(BUSY)),
           lambda: run(logs.analyze(BUSY, "--events-log", logs.apart())))


def kafka_contest(source, cluster):
    """From the file through the broker to what moves; CPU of the clients, not of the broker."""
    turn = [0]

    def ours():
        turn[0] += 1
        log = f"kafka://{cluster.bootstrap}/ours{turn[0]}"
        split = run([GOPLINE, "split", source, "--log", log, "--stream", "clip", "--quiet"])
        look = run([GOPLINE, "analyze", "--log", log, "--analyzer", "motion", "--until-end", "--no-thumbnails", "--quiet"])
        return Run(split.wall + look.wall, split.cpu + look.cpu, max(split.peak_rss, look.peak_rss))

    def peer():
        turn[0] += 1
        cluster.create_topic(f"jpegs{turn[0]}", 1)
        parts = [run([PYTHON, PEERS / "jpeg_pipeline.py", how, cluster.bootstrap, f"jpegs{turn[0]}", source]) for how in ("produce", "consume")]
        return Run(sum(p.wall for p in parts), sum(p.cpu for p in parts), max(p.peak_rss for p in parts))

    return "file, Kafka, motion / JPEG a frame, Kafka, MOG2", 5, "cpu", ours, peer


def measure(name, ours, peer, runs):
    ours(), peer()  # warm-up, not counted
    pairs = []
    for i in range(runs):
        first, second = (ours, peer) if i % 2 == 0 else (peer, ours)
        a, b = first(), second()
        pairs.append((a, b) if i % 2 == 0 else (b, a))
        print(f"bench: {name}: pair {i + 1} of {runs}", file=sys.stderr, flush=True)
    return pairs


def row(name, target, what, pairs, frames):
    ratios = [getattr(b, what) / getattr(a, what) for a, b in pairs]
    low, high = interval(ratios)
    rate = [frames / statistics.median(p[i].cpu for p in pairs) for i in (0, 1)]
    memory = max(a.peak_rss for a, _ in pairs) / 1e6
    return (f"| {name} | {f'≥ {target}×' if target else ''} | **{statistics.median(ratios):.2f}×** ({low:.2f} to {high:.2f}) | {rate[0]:.0f}, {rate[1]:.0f} | "
            f"{memory:.0f} MB |")


def frames_of(source):
    """How many pictures it has, and which part of the bytes key frames are."""
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=size,flags", "-of", "json", source],
                         capture_output=True, text=True, check=True).stdout
    packets = json.loads(out)["packets"]
    keys = [int(p["size"]) for p in packets if "K" in p["flags"]]
    return len(packets), len(keys), sum(keys) / sum(int(p["size"]) for p in packets)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, required=True)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", help="contests whose name has these words")
    parser.add_argument("--kafka", action="store_true", help="with a real broker")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    frames, keys, share = frames_of(arguments.source)
    # A key frame costs by its bytes: where they are most of a clip, to leave out the others gains little, here as with any decoder.
    print(f"{arguments.source.name}: {frames} pictures, {keys} key frames with {100 * share:.0f} % of the bytes" + ("; too many for `key frames / all frames`" if share > 0.2 else ""))
    logs = Logs(arguments.source, arguments.tmpfs)
    cluster = None
    rows, kept = [], {}
    try:
        todo = list(contests(logs, arguments.source))
        if arguments.kafka:
            sys.path.insert(0, str(ROOT / "tools" / "kafka"))
            from cluster import Cluster
            cluster = Cluster(logs.folder / "kafka", heap="1g").__enter__()
            todo.append(kafka_contest(arguments.source, cluster))
        for name, target, what, ours, peer in todo:
            if arguments.only and arguments.only not in name:
                continue
            pairs = measure(name, ours, peer, arguments.runs)
            rows.append(row(name, target, what, pairs, frames * (2 if name.startswith("two") else 1)))
            kept[name] = [[vars(a), vars(b)] for a, b in pairs]
    finally:
        if cluster:
            cluster.__exit__(None, None, None)
        shutil.rmtree(logs.folder, ignore_errors=True)
    print("| measure (ours / peer) | target | ratio, 95 % interval | frames per CPU-second ours, peer | peak RSS ours |\n|---|---|---|---|---|")
    print("\n".join(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps({"frames": frames, "key_frames": keys, "key_bytes_share": share, "runs": kept}, indent=1) + "\n")


if __name__ == "__main__":
    main()
