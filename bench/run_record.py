#!/usr/bin/env python3
"""Measures gopline record on many streams at once: CPU of one recorder that follows them into files, against ffmpeg -f segment,
a process per stream, that records the same media. Prints a Markdown table.

    bench/run_record.py [--tmpfs FOLDER] [--disk FOLDER] [--streams 100] [--duration 60] [--runs 3] [--json FILE]

The streams are a clip of 2 Mbit/s in a loop, paced by one splitter that writes them into the embedded log on tmpfs; its CPU is
not counted. Files go to --disk. ffmpeg reads the same clip in a loop, paced (-re), and writes the same intervals: it has no log to
read and verifies nothing. A window begins when everybody writes. Held is a run only if the files grew by what was due.
"""
import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from run import GOPLINE, made
from run_live import await_that, cpu_of, end, make_clip, memory_of, quiet, size_of

CLIP_SECONDS = 30


def threads_of(process):
    return len(list(Path(f"/proc/{process.pid}/task").iterdir()))


def streams_in(log):
    done = subprocess.run([GOPLINE, "streams", "--log", log, "--json"], capture_output=True)
    return len(json.loads(done.stdout)["streams"]) if done.returncode == 0 else 0


def start_splitting(folder, clip, streams):
    config = folder / "cameras.yaml"
    entries = [f"  - {{source: {clip}, stream: s{i:03}, live: true, loop: true, rate: realtime}}\n" for i in range(streams)]
    config.write_text("cameras:\n" + "".join(entries))
    return quiet([GOPLINE, "split", "--config", config, "--log", folder / "log", "--partitions", "8", "--retention-bytes", str(256 << 20), "--quiet"])


def window(processes, out, seconds):
    """CPU as a share of a core, and bytes a second in files, in the window."""
    size, cpu, begin = size_of(out), sum(map(cpu_of, processes)), time.monotonic()
    time.sleep(seconds)
    cpu, elapsed, size = sum(map(cpu_of, processes)) - cpu, time.monotonic() - begin, size_of(out) - size
    return {"cores": cpu / elapsed, "mb_per_s": size / elapsed / 1e6, "memory_mb": sum(map(memory_of, processes)) / 1e6,
            "threads": sum(map(threads_of, processes))}


def record(arguments, folder, clip, container):
    """Ours: the log is fresh, so that the recorder is never behind."""
    out = made(folder / "files")
    splitting = start_splitting(folder, clip, arguments.streams)
    recording = None
    try:
        await_that(lambda: streams_in(folder / "log") == arguments.streams, [splitting], "all streams are split")
        recording = quiet([GOPLINE, "record", "--log", folder / "log", "--streams", "*", "--directory", out, "--format", container,
                           "--split-every", f"{arguments.split_every}s", "--quiet"])
        await_that(lambda: len(list(out.rglob("*.part"))) >= arguments.streams, [splitting, recording], "all streams are recorded")
        return window([recording], out, arguments.duration)
    finally:
        end([process for process in (recording, splitting) if process])


def record_by_ffmpeg(arguments, folder, clip):
    out = made(folder / "files")
    processes = [quiet(["ffmpeg", "-nostdin", "-v", "error", "-re", "-stream_loop", "-1", "-i", clip, "-c", "copy", "-f", "segment",
                        "-segment_time", str(arguments.split_every), "-segment_format", "mp4", out / f"s{i:03}_%05d.mp4"])
                 for i in range(arguments.streams)]
    try:
        await_that(lambda: len(list(out.iterdir())) >= arguments.streams, processes, "all streams are recorded")
        time.sleep(5)  # past what it reads at once
        return window(processes, out, arguments.duration)
    finally:
        end(processes)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"), help="(%(default)s) the clip is kept there")
    parser.add_argument("--disk", type=Path, help="where files go (the folder of --tmpfs)")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--duration", type=float, default=60, help="seconds of a window (%(default)s)")
    parser.add_argument("--split-every", type=int, default=20, help="seconds in a file (%(default)s): files end in every window")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    contestants = {
        "gopline record --format mp4, one process": lambda folder, clip: record(arguments, folder, clip, "mp4"),
        "gopline record --format mkv, one process": lambda folder, clip: record(arguments, folder, clip, "mkv"),
        "ffmpeg -c copy -f segment, a process per stream": lambda folder, clip: record_by_ffmpeg(arguments, folder, clip),
    }
    clip = make_clip(made(arguments.tmpfs) / "2m.mp4", 2, sound=True)
    due = arguments.streams * clip.stat().st_size / CLIP_SECONDS / 1e6
    runs = {name: [] for name in contestants}
    for i in range(arguments.runs):
        order = list(contestants)[i % 3:] + list(contestants)[:i % 3]
        for name in order:
            folder = Path(tempfile.mkdtemp(prefix="gopline-record-", dir=arguments.tmpfs))
            files = Path(tempfile.mkdtemp(prefix="gopline-record-", dir=made(arguments.disk))) if arguments.disk else None
            try:
                if files:
                    (folder / "files").symlink_to(files)
                runs[name].append(contestants[name](folder, clip))
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                if files:
                    shutil.rmtree(files, ignore_errors=True)
            print(f"bench: {name}: {runs[name][-1]}", file=sys.stderr, flush=True)
    print("| who | cores, least to most (target ≤ 0.5) | MB/s due, in files | memory (PSS) | threads |\n|---|---|---|---|---|")
    for name, results in runs.items():
        cores = sorted(r["cores"] for r in results)
        middle = lambda what: statistics.median(r[what] for r in results)
        print(f"| {name} | **{statistics.median(cores):.2f}** ({cores[0]:.2f} to {cores[-1]:.2f}) | {due:.1f}, {middle('mb_per_s'):.1f} | "
              f"{middle('memory_mb'):.0f} MB | {middle('threads'):.0f} |")
    if arguments.json:
        arguments.json.write_text(json.dumps({"streams": arguments.streams, "mb_per_s_due": due, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
