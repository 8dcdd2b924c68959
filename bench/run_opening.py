#!/usr/bin/env python3
"""Times how `gopline serve` opens a long history: 7 days of 50 cameras. Prints a Markdown table.

    bench/run_opening.py [--folder FOLDER] [--cameras 50] [--days 7] [--seconds 10] [--runs 5] [--all] [--json FILE]

The log is made of index entries alone (`fill_index`, of the target bench_peers; 3 million of them take minutes and 4 GB), as long as
segments are said to be; it is kept in FOLDER and used again. Measured with a server that has just been started, each time: until it
says that it serves; until /api/streams has all cameras; then the timeline of all the days of one camera; and
its own memory (RssAnon) at each point. The machine's page cache is warm. With --all the timelines of every camera follow, one by one.
"""
import argparse
import json
import re
import statistics
import subprocess
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from pathlib import Path

from run import GOPLINE, ROOT

FILL = ROOT / "build" / "release" / "bench" / "fill_index"
STEPS = ("until it serves", "until all cameras are listed", "timeline of one camera", "timelines of every camera")


def get(url):
    with urllib.request.urlopen(url) as answer:
        return json.load(answer)


def own_mb(process):
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", status)[1]) / 1000


def open_once(log, cameras, days, all_of_them):
    """[(seconds, MB)] of each step."""
    done, begin = [], time.monotonic()
    process = subprocess.Popen([GOPLINE, "serve", "--log", log, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    try:
        url = re.search(r"at (http://\S+)", process.stderr.readline())[1]

        def note(since):
            done.append((time.monotonic() - since, own_mb(process)))

        note(begin)
        streams = get(f"{url}/api/streams")["streams"]
        assert len(streams) == cameras, len(streams)
        note(begin)
        span = f"from={(datetime.now(timezone.utc) - timedelta(days=days)).isoformat()[:19]}Z&resolution=10m"
        for some in (streams[:1], streams) if all_of_them else (streams[:1],):
            begin = time.monotonic()
            for stream in some:
                ranges = get(f"{url}/api/streams/{stream['id']}/timeline?{span}")["ranges"]
                assert sum(one["segments"] for one in ranges) > 0
            note(begin)
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()
    return done


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/gopline-opening"))
    parser.add_argument("--cameras", type=int, default=50)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    log = arguments.folder / f"{arguments.cameras}x{arguments.days}d-{arguments.seconds}s"
    if not (log / "filled").exists():
        subprocess.run([FILL, log, str(arguments.cameras), str(arguments.days), str(arguments.seconds)], check=True)
        (log / "filled").touch()
    runs = [open_once(log, arguments.cameras, arguments.days, arguments.all) for _ in range(arguments.runs)]
    print("| step | seconds, median (least to most) | memory |\n|---|---|---|")
    for step, measured in zip(STEPS, zip(*runs)):
        seconds, memory = zip(*measured)
        print(f"| {step} | {statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f}) | {statistics.median(memory):.0f} MB |")
    if arguments.json:
        arguments.json.write_text(json.dumps({"steps": STEPS, "runs": runs}, indent=1) + "\n")


if __name__ == "__main__":
    main()
