#!/usr/bin/env python3
"""Times gopline against named peers, as whole processes in interleaved pairs, and prints a Markdown table.

    bench/run.py --source FILE --disk FOLDER [--tmpfs FOLDER] [--runs 7] [--only NAME] [--json FILE]

Each pair runs ours, then the peer, then the peer first in the next pair, and so on: a machine that drifts slows both. The
ratio is peer time / our time (above 1: we are faster), its median with a 95 % bootstrap confidence interval. CPU is what the
operating system charged the processes (user + system), per GB of source.
"""
import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

ROOT = Path(__file__).resolve().parent.parent
GOPLINE = ROOT / "build" / "gopline"
READ_FRAMES = ROOT / "build" / "release" / "bench" / "read_frames"


@dataclass
class Run:
    wall: float
    cpu: float
    peak_rss: int  # bytes, of the largest process


@dataclass
class Contest:
    name: str
    target: float  # least ratio
    ours: list
    peer: list
    prepare: Callable[[], None] = lambda: None  # before every run of either, untimed
    run_peer: Callable[[list], Run] = None  # instead of run(), for a peer that measures itself
    ours_runs: list = field(default_factory=list)
    peer_runs: list = field(default_factory=list)


def run(command):
    """Runs a command (or several, joined by a shell) and returns what the operating system measured."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"bench: {' '.join(map(str, command))}: exit {process.returncode}\n{errors.decode(errors='replace')[-2000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def shell(line):
    return ["sh", "-c", line]


def empty(*folders):
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    os.sync()


def made(folder):
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def warm(folder):
    """Brings a folder's files into the page cache, from which the machine may have dropped them: cat's bytes are on tmpfs."""
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 22):
                    pass


def interval(ratios, rounds=5000):
    """95 % bootstrap confidence interval of the median."""
    generator = random.Random(1)
    medians = sorted(statistics.median(generator.choices(ratios, k=len(ratios))) for _ in range(rounds))
    return medians[int(rounds * 0.025)], medians[int(rounds * 0.975)]


def contests(source, disk, tmpfs):
    """What is measured against what. The log of the reading contests is written once, beforehand."""
    log, scratch, out = disk / "log", disk / "scratch", tmpfs / "out"
    fmp4 = tmpfs / "passed.mp4"

    def written_log():
        if not log.exists():
            run([GOPLINE, "split", source, "--log", log, "--stream", "source", "--quiet"])
            run([GOPLINE, "aggregate", "source", "--log", log, "--output", fmp4, "--format", "fmp4", "--quiet"])
        empty(out)
        warm(log)

    def fresh():
        empty(scratch, out)

    def split(log_url):
        return [GOPLINE, "split", source, "--log", log_url, "--stream", "source", "--quiet"]

    def aggregate(format_name):
        return [GOPLINE, "aggregate", "source", "--log", log, "--output", out / "ours.mp4", "--format", format_name, "--quiet"]

    def segment(format_name):
        return ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "segment", "-segment_time", "2",
                "-segment_format", format_name, out / f"%05d.{format_name}"]

    yield Contest("split --log null: / av_read_frame loop", 0.8, split("null:"), [READ_FRAMES, source])
    yield Contest("split --log null: / ffmpeg -f segment mp4", 3.0, split("null:"), segment("mp4"), fresh)
    yield Contest("split --log null: / ffmpeg -f segment ts", 3.0, split("null:"), segment("ts"), fresh)
    yield Contest("split --log DIR / cp + fsync, same disk", 0.9, split(scratch / "log"),
                  shell(f"cp '{source}' '{scratch}/copy' && sync '{scratch}/copy'"), fresh)
    yield Contest("aggregate to fragmented MP4 / cat of the same bytes", 0.7, aggregate("fmp4"),
                  shell(f"cat '{fmp4}' > '{out}/peer.mp4'"), written_log)
    yield Contest("aggregate to mp4 / ffmpeg -c copy of the source", 1.0, aggregate("mp4"),
                  ["ffmpeg", "-v", "error", "-i", source, "-c", "copy", out / "peer.mp4"], written_log)


def measure(contest, runs):
    runs_of = {"ours": run, "peer": contest.run_peer or run}
    for which in ("ours", "peer"):  # warm-up, not counted
        contest.prepare()
        runs_of[which](getattr(contest, which))
    for i in range(runs):
        for which in ("ours", "peer") if i % 2 == 0 else ("peer", "ours"):
            contest.prepare()
            getattr(contest, which + "_runs").append(runs_of[which](getattr(contest, which)))
        print(f"bench: {contest.name}: pair {i + 1} of {runs}", file=sys.stderr)


def row(contest, gigabytes):
    ratios = [peer.wall / ours.wall for ours, peer in zip(contest.ours_runs, contest.peer_runs)]
    low, high = interval(ratios)
    middle = lambda runs, what: statistics.median(getattr(r, what) for r in runs)
    return {
        "measure": contest.name,
        "target": contest.target,
        "ratio": statistics.median(ratios),
        "low": low,
        "high": high,
        "ours_mb_per_s": gigabytes * 1000 / middle(contest.ours_runs, "wall"),
        "peer_mb_per_s": gigabytes * 1000 / middle(contest.peer_runs, "wall"),
        "ours_cpu_s_per_gb": middle(contest.ours_runs, "cpu") / gigabytes,
        "peer_cpu_s_per_gb": middle(contest.peer_runs, "cpu") / gigabytes,
        "ours_peak_rss_mb": max(r.peak_rss for r in contest.ours_runs) / 1e6,
        "peer_peak_rss_mb": max(r.peak_rss for r in contest.peer_runs) / 1e6,
        "runs": len(ratios),
    }


def table(rows):
    lines = ["| measure (ours / peer) | target | ratio, 95 % interval | MB/s ours, peer | CPU-s/GB ours, peer | peak RSS ours |",
             "|---|---|---|---|---|---|"]
    for r in rows:
        met = "" if r["ratio"] >= r["target"] else " (missed)"
        lines.append(f"| {r['measure']} | ≥ {r['target']}×{met} | **{r['ratio']:.2f}×** ({r['low']:.2f} to {r['high']:.2f}) | "
                     f"{r['ours_mb_per_s']:.0f}, {r['peer_mb_per_s']:.0f} | {r['ours_cpu_s_per_gb']:.2f}, "
                     f"{r['peer_cpu_s_per_gb']:.2f} | {r['ours_peak_rss_mb']:.0f} MB |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--disk", required=True, type=Path, help="a folder on the disk that logs are to be measured on")
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", default="", help="contests whose name contains this")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    gigabytes = arguments.source.stat().st_size / 1e9
    # In folders of its own: what else is in the named ones is somebody's.
    disk, tmpfs = (Path(tempfile.mkdtemp(prefix="gopline-bench-", dir=made(folder))) for folder in (arguments.disk, arguments.tmpfs))
    rows = []
    try:
        for contest in contests(arguments.source, disk, tmpfs):
            if arguments.only in contest.name:
                measure(contest, arguments.runs)
                rows.append(row(contest, gigabytes))
    finally:
        shutil.rmtree(disk, ignore_errors=True)
        shutil.rmtree(tmpfs, ignore_errors=True)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps({"source_bytes": arguments.source.stat().st_size, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main()
