#!/usr/bin/env python3
"""Times what an operator waits for at `gopline serve`: a clip, and the first picture after a seek. Prints Markdown tables.

    bench/run_playback.py [--tmpfs FOLDER] [--only export|seek] [--runs 7] [--seeks 100] [--hours 24] [--kafka] [--json FILE]

Export: the seconds until /streams/ID/clip.mp4?from=&to= is a file on tmpfs, by curl, against `ffmpeg -c copy` of the same interval
from the mp4 that was split, interleaved. A ratio above 1: ours is sooner.
Seek: from a random instant of a stream of a day to its first decoded picture, over one connection, as a player does it: playlist
from there on, header, segment, decoder. With --kafka also with the stream in a real broker. bench/README.md says the rest.
"""
import argparse
import http.client
import io
import json
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

from run import GOPLINE, ROOT, interval, made
from run_serve import start_ours

sys.path.insert(0, str(ROOT / "tools" / "kafka"))
PYTHON = ROOT / "build" / "deps" / "python" / "bin" / "python"  # has PyAV
START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def stamp(seconds):
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


def long_file(folder, rate, seconds):
    """H.264 at a constant rate, GOPs of 2 s: a minute of it, over and over."""
    file = folder / "long.mp4"
    minute = folder / "minute.mp4"
    size = "1280x720" if rate > 1_000_000 else "640x360"
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=s={size}:r=25,noise=alls=20:allf=t", "-t", "60", "-c:v", "libx264", "-preset",
                    "ultrafast", "-b:v", str(rate), "-maxrate", str(rate), "-bufsize", str(rate), "-g", "50", "-sc_threshold", "0", "-bf", "0", "-pix_fmt", "yuv420p", minute], check=True)
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-stream_loop", "-1", "-i", minute, "-t", str(seconds), "-c", "copy", file], check=True)
    minute.unlink()
    return file


def split(file, log):
    subprocess.run([GOPLINE, "split", file, "--stream", "cam", "--log", log, "--start-time", stamp(0), "--quiet"], check=True)


# ---- export

def timed(command):
    begin = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - begin


def measure_export(arguments, folder):
    file, log, out = long_file(folder, 8_000_000, 1500), folder / "log", folder / "out.mp4"
    split(file, log)
    server, rows = start_ours(log), []
    try:
        for seconds in (60, 1200):
            begin, ratios, mine, theirs = 120, [], [], []
            query = urlencode({"from": stamp(begin), "to": stamp(begin + seconds)})
            ours = ["curl", "-sf", "-o", out, f"http://127.0.0.1:{server.port}/streams/cam/clip.mp4?{query}"]
            ffmpeg = ["ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", str(begin), "-t", str(seconds), "-i", file, "-c", "copy", out]
            for i in range(arguments.runs + 1):  # the first is a warm-up
                took = {}
                for command in (ours, ffmpeg) if i % 2 else (ffmpeg, ours):
                    took[command[0]] = timed(command)
                    size = out.stat().st_size
                    if size < 0.8e6 * seconds:
                        sys.exit(f"bench: {command[0]} wrote {size} bytes only")
                if i > 0:
                    mine.append(took["curl"]), theirs.append(took["ffmpeg"])
                    ratios.append(took["ffmpeg"] / took["curl"])
                print(f"bench: export of {seconds} s: pair {i} of {arguments.runs}", file=sys.stderr)
            low, high = interval(ratios)
            rows.append({"measure": f"a clip of {seconds} s, {seconds} MB", "ratio": statistics.median(ratios), "low": low, "high": high, "runs": len(ratios),
                         "ours_s": statistics.median(mine), "peer_s": statistics.median(theirs)})
    finally:
        server.stop()
    lines = ["| export (ffmpeg's time / ours) | ratio, 95 % interval (target ≥ 1.0×) | ours, ffmpeg |", "|---|---|---|"]
    lines += [f"| {r['measure']} | **{r['ratio']:.2f}×** ({r['low']:.2f} to {r['high']:.2f}) | {1e3 * r['ours_s']:.0f}, {1e3 * r['peer_s']:.0f} ms |" for r in rows]
    return rows, "\n".join(lines)


# ---- seek

def get(connection, target):
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        sys.exit(f"bench: {target}: {response.status} {body[:200]!r}")
    return body


def first_picture(connection, at):
    import av

    playlist = get(connection, "/streams/cam/hls.m3u8?" + urlencode({"from": stamp(at), "to": stamp(at + 60)})).decode().splitlines()
    header = next(line.split('URI="')[1].split('"')[0] for line in playlist if line.startswith("#EXT-X-MAP"))
    segment = next(line for line in playlist if line and not line.startswith("#"))
    data = get(connection, f"/streams/cam/{header}") + get(connection, f"/streams/cam/{segment}")
    with av.open(io.BytesIO(data)) as container:
        return next(container.decode(video=0))


def seeks(port, hours, count):
    """In milliseconds, each of a random instant."""
    generator, took = random.Random(7), []
    connection = http.client.HTTPConnection("127.0.0.1", port)
    first_picture(connection, 0)  # the client's own libraries
    for _ in range(count):
        at = generator.uniform(0, hours * 3600 - 120)
        begin = time.monotonic()
        first_picture(connection, at)
        took.append(1e3 * (time.monotonic() - begin))
    return sorted(took)


def measure_seek(arguments, folder):
    from cluster import Cluster

    file, rows = long_file(folder, 500_000, arguments.hours * 3600), []

    def contest(name, log, target):
        split(file, log)
        server = start_ours(log)
        try:
            took = seeks(server.port, arguments.hours, arguments.seeks)
        finally:
            server.stop()
        rows.append({"log": name, "hours": arguments.hours, "seeks": len(took), "p50_ms": took[len(took) // 2], "p95_ms": took[int(len(took) * 0.95)],
                     "most_ms": took[-1], "target_ms": target})

    contest("embedded", folder / "log", 300)
    if arguments.kafka:
        shutil.rmtree(folder / "log")
        with Cluster(folder / "broker", heap="2g") as cluster:
            contest("Apache Kafka", f"kafka://{cluster.bootstrap}/seek", 500)
    lines = ["| log | p50 | p95 (target) | most |", "|---|---|---|---|"]
    lines += [f"| {r['log']} | {r['p50_ms']:.0f} ms | **{r['p95_ms']:.0f} ms** (≤ {r['target_ms']} ms) | {r['most_ms']:.0f} ms |" for r in rows]
    return rows, "\n".join(lines)


def main():
    if Path(sys.prefix).resolve() != PYTHON.parents[1].resolve():
        sys.exit(subprocess.run([PYTHON, *sys.argv], check=False).returncode)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--only", default="", choices=("", "export", "seek"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seeks", type=int, default=100)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--kafka", action="store_true")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    report, tables = {}, []
    for name, measure in (("export", measure_export), ("seek", measure_seek)):
        if arguments.only not in ("", name):
            continue
        folder = Path(tempfile.mkdtemp(prefix="gopline-playback-", dir=made(arguments.tmpfs)))
        try:
            report[name], table = measure(arguments, folder)
            tables.append(table)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print("\n\n".join(tables))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
