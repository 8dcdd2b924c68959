#!/usr/bin/env python3
"""Measures gopline on live sources: CPU per RTSP stream against ffmpeg and GStreamer, 500 streams at once, and how many of
8 Mbit/s fit into Apache Kafka. Prints Markdown tables.

    bench/run_live.py [--tmpfs FOLDER] [--only cpu|fleet|ceiling] [--runs 5] [--json FILE]

The cameras are those of tools/camera, on the same machine: what they take is not counted, but takes its share of the cores.
CPU is what the operating system charges the processes (user + system, all threads, to the nanosecond) in a window that
begins when all streams play; connecting and starting are not in it. bench/README.md says the rest.
"""
import argparse
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import types
import urllib.request
from pathlib import Path

from run import GOPLINE, ROOT, made, run
from run_kafka import PRODUCE_PEER, Bench

sys.path[:0] = [str(ROOT / "tools" / "kafka"), str(ROOT / "tools" / "camera")]
from camera import Camera, source  # noqa: E402
from cluster import Cluster  # noqa: E402
from ports import LOOPBACK, free_ports  # noqa: E402

SEGMENT = 2  # seconds, of everybody's
LATE = 5.0  # seconds from capture to acknowledgement; a segment's own length is in it
READY_WITHIN = 180
BROKER = {"log.segment.delete.delay.ms": "0", "log.cleanup.policy": "delete", "log.segment.bytes": str(64 << 20),
          "log.retention.check.interval.ms": "2000", "log.initial.task.delay.ms": "1000"}


def make_clip(path, mbit, sound):
    """30 s of H.264 (GOP 2 s) at a constant rate, from a clip of 720p; noise makes it need that rate."""
    if path.exists():
        return path
    video = ["-vf", f"noise=alls={8 if mbit < 4 else 24}:allf=t", "-r", "25", "-c:v", "libx264", "-preset", "veryfast", "-b:v", f"{mbit}M", "-maxrate",
             f"{mbit}M", "-bufsize", f"{mbit}M", "-g", "50", "-sc_threshold", "0", "-bf", "0"]
    audio = ["-c:a", "aac", "-ac", "1", "-b:a", "64k"] if sound else ["-an"]
    part = path.with_suffix(".part.mp4")
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "-1", "-i", ROOT / "media" / "bunny.mp4", "-t", "30", *video, *audio, part], check=True)
    return part.rename(path)


def cpu_of(process):
    """Seconds of CPU of a process and all its threads, also of those that have ended: its clock, as clock_getcpuclockid(3) gives it."""
    return time.clock_gettime((~process.pid << 3) | 2)


def memory_of(process):
    """Bytes; what processes share counts once among them (PSS)."""
    return next(int(line.split()[1]) * 1024 for line in Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))


def size_of(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def await_that(condition, processes, what):
    until = time.monotonic() + READY_WITHIN
    while not condition():
        for process in processes:
            if process.poll() is not None:
                sys.exit(f"bench: {process.args[0]} ended with {process.returncode} while it was waited for: {what}")
        if time.monotonic() > until:
            sys.exit(f"bench: not within {READY_WITHIN} s: {what}")
        time.sleep(0.2)


def end(processes):
    for process in processes:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Cameras:
    """So many streams of one clip, by a few processes."""

    def __init__(self, clip, count, processes):
        names = [f"cam{i:03}" for i in range(count)]
        self.cameras = [Camera({name: source(clip) for name in names[i::processes]}) for i in range(min(processes, count))]

    def __enter__(self):
        for camera in self.cameras:
            camera.start()
        return self

    def __exit__(self, *_):
        for camera in self.cameras:
            camera.__exit__()

    def urls(self):
        return {name: camera.url(name) for camera in self.cameras for name in camera.streams}

    def sent(self):
        """RTP packets, by stream."""
        return {name: told["sent"] for camera in self.cameras for name, told in camera.status()["streams"].items()}


# ---- CPU per RTSP stream

def quiet(command):
    # Whoever has a terminal reads keys from it.
    return subprocess.Popen([os.fspath(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def gst_branch(name, url, out):
    return ["rtspsrc", f"location={url}", "protocols=tcp", "!", "rtph264depay", "!", "h264parse", "!", "splitmuxsink",
            f"max-size-time={SEGMENT * 10**9}", f"location={out / (name + '_%05d.mp4')}"]


CONTESTANTS = {
    "gopline, one process": lambda urls, out: [quiet([GOPLINE, "split", *urls.values(), "--log", out / "log", "--quiet"])],
    "ffmpeg -c copy -f segment, a process per stream": lambda urls, out: [
        quiet(["ffmpeg", "-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-f", "segment", "-segment_time", str(SEGMENT),
               "-segment_format", "mp4", out / f"{name}_%05d.mp4"]) for name, url in urls.items()],
    "GStreamer splitmuxsink, a process per stream": lambda urls, out: [
        quiet(["gst-launch-1.0", "-q", "-e", *gst_branch(name, url, out)]) for name, url in urls.items()],
    "GStreamer splitmuxsink, one process": lambda urls, out: [
        quiet(["gst-launch-1.0", "-q", "-e", *[word for name, url in urls.items() for word in gst_branch(name, url, out)]])],
}


def play(contestant, cameras, folder, seconds, packets):
    """One run: CPU seconds per stream and second, packets that the cameras sent and bytes that lie in files, both in the window."""
    out = made(folder / "out")
    urls, before = cameras.urls(), cameras.sent()
    processes = CONTESTANTS[contestant](urls, out)
    try:
        await_that(lambda: all(sent - before[name] >= packets for name, sent in cameras.sent().items()), processes, f"{contestant}: all streams play")
        sent, size, begin = cameras.sent(), size_of(out), time.monotonic()
        cpu = [cpu_of(process) for process in processes]
        time.sleep(seconds)
        cpu = sum(cpu_of(process) - earlier for process, earlier in zip(processes, cpu))
        elapsed = time.monotonic() - begin
        sent = sum(cameras.sent().values()) - sum(sent.values())
        memory = sum(map(memory_of, processes))
        return {"cpu": cpu / elapsed / len(urls), "packets_per_s": sent / elapsed, "bytes_per_s": (size_of(out) - size) / elapsed, "memory": memory}
    finally:
        end(processes)
        shutil.rmtree(out)


def measure_cpu(arguments, folder):
    clip = make_clip(folder / "2m-video.mp4", 2, sound=False)
    runs = {name: [] for name in CONTESTANTS}
    with Cameras(clip, arguments.streams, 4) as cameras:
        packets_per_s = clip.stat().st_size / 30 / 1400
        for i in range(arguments.runs):
            names = list(CONTESTANTS)
            for name in names[i % len(names):] + names[:i % len(names)]:
                runs[name].append(play(name, cameras, folder, arguments.duration, 4 * packets_per_s))
                print(f"bench: cpu {i + 1} of {arguments.runs}: {name}: {runs[name][-1]}", file=sys.stderr)
    ours = [one["cpu"] for one in runs["gopline, one process"]]
    rows = []
    for name, all_runs in runs.items():
        ratios = [mine / one["cpu"] for mine, one in zip(ours, all_runs)]
        middle = lambda what: statistics.median(one[what] for one in all_runs)
        rows.append({"contestant": name, "cpu_percent_per_stream": 100 * middle("cpu"),
                     "least": 100 * min(one["cpu"] for one in all_runs), "most": 100 * max(one["cpu"] for one in all_runs),
                     "ratio": statistics.median(ratios), "ratio_least": min(ratios), "ratio_most": max(ratios),
                     "packets_per_s": middle("packets_per_s"), "mb_per_s": middle("bytes_per_s") / 1e6, "memory_mb": middle("memory") / 1e6, "runs": len(all_runs)})
    received = [row["packets_per_s"] for row in rows]
    rate = clip.stat().st_size * 8 / 30e6
    lines = [f"{arguments.streams} cameras of {rate:.2f} Mbit/s by RTSP over TCP, {arguments.duration:g} s each, {arguments.runs} runs, interleaved", "", "| who | CPU of a core per stream (least to most) | gopline's as a share of it (target ≤ 0.8×) | RTP packets/s sent | MB/s in files | memory (PSS) |",
             "|---|---|---|---|---|---|"]
    for row in rows:
        share = "-" if row["contestant"].startswith("gopline") else f"**{row['ratio']:.2f}×** ({row['ratio_least']:.2f} to {row['ratio_most']:.2f})"
        lines.append(f"| {row['contestant']} | {row['cpu_percent_per_stream']:.3f} % ({row['least']:.3f} to {row['most']:.3f}) | {share} | "
                     f"{row['packets_per_s']:.0f} | {row['mb_per_s']:.2f} | {row['memory_mb']:.0f} MB |")
    if max(received) > 1.02 * min(received):
        lines.append("\nNot the same was received by all: the rows cannot be compared.")
    return {"cpu": rows}, "\n".join(lines)


# ---- many streams in one process

class Metrics:
    """Sums over all streams of what /metrics says."""

    def __init__(self, address):
        text = urllib.request.urlopen(f"http://{address}/metrics", timeout=60).read().decode()
        self.at = time.monotonic()
        self.sums, self.buckets, self.live, self.least_segments = {}, {}, 0, None
        for name, labels, value in re.findall(r"^(gopline_\w+)\{([^}]*)\} (\S+)$", text, re.MULTILINE):
            value = float(value)
            self.sums[name] = self.sums.get(name, 0) + value
            if name == "gopline_capture_to_acknowledged_seconds_bucket":
                bound = float(re.search(r'le="([^"]+)"', labels)[1].replace("+Inf", "inf"))
                self.buckets[bound] = self.buckets.get(bound, 0) + value
            elif name == "gopline_source_state" and 'state="live"' in labels:
                self.live += value
            elif name == "gopline_segments_total":
                self.least_segments = value if self.least_segments is None else min(self.least_segments, value)


def metrics_or_none(address):
    try:
        return Metrics(address)
    except OSError:
        return None


def run_fleet(log, clip, streams, cameras, folder, seconds, more=()):
    """So many streams of the clip in one splitter, some by RTSP, the rest looped and paced within it."""
    address = f"{LOOPBACK}:{free_ports(1)[0]}"
    entries = [f"  - {{source: '{url}', stream: {name}}}\n" for name, url in (cameras.urls() if cameras else {}).items()]
    entries += [f"  - {{source: {clip}, stream: loop{i:03}, live: true, loop: true, rate: realtime}}\n" for i in range(streams - len(entries))]
    config = folder / "cameras.yaml"
    config.write_text("cameras:\n" + "".join(entries))
    process = quiet([GOPLINE, "split", "--config", config, "--log", log, "--metrics", address, "--quiet", *more])
    try:
        now = None

        def are_all_live():
            nonlocal now
            now = metrics_or_none(address)
            return now is not None and now.live == streams and now.least_segments >= 3
        await_that(are_all_live, [process], f"{streams} streams are live")
        before, cpu, begin = Metrics(address), cpu_of(process), time.monotonic()
        time.sleep(seconds)
        cpu, elapsed = cpu_of(process) - cpu, time.monotonic() - begin
        after = Metrics(address)
        memory = memory_of(process)
    finally:
        end([process])
    delta = lambda name: after.sums.get(name, 0) - before.sums.get(name, 0)
    between = after.at - before.at
    counts = {bound: after.buckets[bound] - before.buckets[bound] for bound in sorted(after.buckets)}
    whole = counts[float("inf")]
    within = lambda share: next((bound for bound, count in counts.items() if count >= share * whole), float("inf"))
    expected = streams * clip.stat().st_size / 30
    result = {"streams": streams, "rtsp": sum(len(camera.streams) for camera in cameras.cameras) if cameras else 0, "cores": cpu / elapsed,
              "mb_per_s_read": delta("gopline_source_bytes_total") / between / 1e6, "mb_per_s_acknowledged": delta("gopline_segment_bytes_total") / between / 1e6,
              "mb_per_s_due": expected / 1e6, "segments": whole, "p50_within_s": within(0.5), "p99_within_s": within(0.99), "late": whole - counts[LATE],
              "mean_s": delta("gopline_capture_to_acknowledged_seconds_sum") / max(1, whole),
              # Since the beginning, not of the window alone.
              "dropped_gops": after.sums.get("gopline_dropped_gops_total", 0), "gaps": after.sums.get("gopline_gaps_total", 0),
              "reconnects": after.sums.get("gopline_source_reconnects_total", 0), "memory_mb": memory / 1e6}
    # A segment that is acknowledged a moment after the window's end is not missing: half a segment's share.
    kept_up = result["mb_per_s_acknowledged"] >= result["mb_per_s_due"] * (1 - 0.5 * SEGMENT / seconds) * 0.98
    result["holds"] = bool(kept_up and result["late"] == 0 and not result["dropped_gops"] and not result["gaps"] and not result["reconnects"])
    return result


FLEET_HEAD = ("| streams, log | cores (target ≤ 1) | MB/s due, read, acknowledged | capture → acknowledged: mean, 50 %, 99 % within | "
              f"later than {LATE:g} s | dropped, gaps, reconnects | memory | holds |\n|---|---|---|---|---|---|---|---|")


def fleet_row(name, r):
    return (f"| {name} | **{r['cores']:.2f}** | {r['mb_per_s_due']:.1f}, {r['mb_per_s_read']:.1f}, {r['mb_per_s_acknowledged']:.1f} | "
            f"{r['mean_s']:.2f} s, {r['p50_within_s']:g} s, {r['p99_within_s']:g} s | {r['late']:.0f} of {r['segments']:.0f} | "
            f"{r['dropped_gops']:.0f}, {r['gaps']:.0f}, {r['reconnects']:.0f} | {r['memory_mb']:.0f} MB | {'yes' if r['holds'] else 'no'} |")


def retained(megabytes):
    return ["--partitions", "8", "--retention-bytes", str(megabytes << 20)]


def measure_fleet(arguments, folder):
    clip = make_clip(folder / "2m.mp4", 2, sound=True)
    rows = []
    with Cameras(clip, arguments.rtsp, 5) as cameras:
        rows.append((f"{arguments.fleet} of {clip.stat().st_size * 8 / 30e6:.2f} Mbit/s, {arguments.rtsp} by RTSP; embedded log on tmpfs",
                     run_fleet(folder / "log", clip, arguments.fleet, cameras, folder, arguments.fleet_duration, retained(128))))
        shutil.rmtree(folder / "log")
        print(f"bench: fleet: {rows[-1]}", file=sys.stderr)
        with Cluster(folder / "broker", overrides=BROKER, heap="2g") as cluster:
            warm_up(cluster, clip)
            rows.append(("the same; Apache Kafka on the same machine, data on tmpfs",
                         run_fleet(f"kafka://{cluster.bootstrap}/fleet", clip, arguments.fleet, cameras, folder, arguments.fleet_duration, retained(128))))
            print(f"bench: fleet: {rows[-1]}", file=sys.stderr)
    return {"fleet": [{"name": name, **row} for name, row in rows]}, "\n".join([FLEET_HEAD, *(fleet_row(*row) for row in rows)])


def warm_up(cluster, clip):
    """A cold JVM is three times slower."""
    for i in range(20):
        run([GOPLINE, "split", clip, "--log", f"kafka://{cluster.bootstrap}/warm", "--stream", f"w{i}", "--quiet", *retained(16)])


def measure_ceiling(arguments, folder):
    """How many paced streams of 8 Mbit/s Kafka takes from one splitter, against what librdkafka alone gets into it as fast as it can."""
    clip = make_clip(folder / "8m.mp4", 8, sound=True)
    long = folder / "8m-long.mp4"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "19", "-i", clip, "-c", "copy", long], check=True)
    rate = clip.stat().st_size / 30
    steps = []
    with Cluster(folder / "broker", overrides=BROKER, heap="2g") as cluster:
        bench = Bench(types.SimpleNamespace(source=long), cluster, folder)
        bench.fresh()
        run(bench.split("ours"))
        bench.fill()
        produce = [PRODUCE_PEER, cluster.bootstrap, "peer.segments", long, bench.segments, f"{bench.segments}.index"]
        walls = []
        for _ in range(1 + arguments.runs):
            bench.fresh()
            walls.append(run(produce).wall)
        ceiling = long.stat().st_size / statistics.median(walls[1:])
        print(f"bench: librdkafka alone: {ceiling / 1e6:.0f} MB/s", file=sys.stderr)
        bench.fresh()
        for share in arguments.shares:
            streams = max(1, round(share * ceiling / rate))
            namespace = f"step{len(steps)}"
            step = run_fleet(bench.url(namespace), clip, streams, None, folder, arguments.duration, retained(256))
            step["share"] = streams * rate / ceiling
            steps.append(step)
            print(f"bench: ceiling: {step}", file=sys.stderr)
            cluster.tool("org.apache.kafka.tools.TopicCommand", "--delete", "--topic", rf"{namespace}\..*")
            if not step["holds"]:
                break
    held = [step for step in steps if step["holds"]]
    best = max((step["share"] for step in held), default=0)
    lines = [f"librdkafka alone: {ceiling / 1e6:.0f} MB/s (median of {arguments.runs}); gopline held **{100 * best:.0f} %** of it (target ≥ 60 %)", "", FLEET_HEAD,
             *(fleet_row(f"{step['streams']} of {rate * 8e-6:.2f} Mbit/s: {100 * step['share']:.0f} % of the ceiling", step) for step in steps)]
    return {"ceiling_mb_per_s": ceiling / 1e6, "held_share": best, "steps": steps}, "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"), help="(%(default)s) clips are kept there")
    parser.add_argument("--only", choices=["cpu", "fleet", "ceiling"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--streams", type=int, default=20, help="RTSP streams of the CPU contest (%(default)s)")
    parser.add_argument("--duration", type=float, default=20, help="seconds of a window (%(default)s)")
    parser.add_argument("--fleet", type=int, default=500, help="streams of the fleet (%(default)s)")
    parser.add_argument("--rtsp", type=int, default=50, help="of these by RTSP (%(default)s)")
    parser.add_argument("--fleet-duration", type=float, default=60, help="seconds of the fleet's window (%(default)s)")
    parser.add_argument("--shares", type=lambda text: [float(word) for word in text.split(",")], default=[0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0],
                        help="of librdkafka's ceiling, tried until one does not hold (0.4,0.5,…,1)")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    measures = {"cpu": measure_cpu, "fleet": measure_fleet, "ceiling": measure_ceiling}
    results, clips = {}, made(arguments.tmpfs)
    for name, measure in measures.items():
        if arguments.only not in (None, name):
            continue
        folder = Path(tempfile.mkdtemp(prefix="gopline-live-", dir=clips))
        try:
            for clip in clips.glob("[28]m*.mp4"):
                (folder / clip.name).hardlink_to(clip)
            result, table = measure(arguments, folder)
            for clip in folder.glob("[28]m*.mp4"):
                if not clip.name.endswith("-long.mp4") and not (clips / clip.name).exists():
                    clip.rename(clips / clip.name)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        results.update(result)
        print(f"\n{table}\n", flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
