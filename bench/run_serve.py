#!/usr/bin/env python3
"""Times `gopline serve` against nginx with the same segments as files, in interleaved pairs, and prints a Markdown table.

    bench/run_serve.py --source FILE [--tmpfs FOLDER] [--runs 7] [--duration 10] [--only NAME] [--nginx PROGRAM] [--json FILE]

Viewers ask for segment after segment over connections of their own, as fast as they get them. What is compared is bytes that
arrived per second of processor time that the operating system charged the server (user + system, all of its processes): the
viewers share the machine, so wall-clock time would measure them. Ratio above 1: ours sends more for the same processor time.
"""
import argparse
import asyncio
import getpass
import json
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from run import GOPLINE, interval

SEGMENTS = 10  # of 2 s, of each stream
START = "2026-01-01T00:00:00Z"
NGINX = """
daemon off;
user {user};
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; }}
}}
"""


class Server:
    """A server, and what it has cost."""

    def __init__(self, process, port):
        self.process, self.port = process, port

    def pids(self):
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def cpu(self):
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def start_ours(log):
    process = subprocess.Popen([GOPLINE, "serve", "--log", log, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
    said = process.stderr.readline()
    found = re.search(r":(\d+)$", said.strip())
    if not found:
        sys.exit(f"bench: gopline serve: {said}")
    return Server(process, int(found[1]))


def start_nginx(program, folder, port):
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, user=getpass.getuser()))
    server = Server(subprocess.Popen([program, "-p", folder, "-c", folder / "nginx.conf"], stderr=subprocess.DEVNULL), port)
    until = time.monotonic() + 10
    while True:  # until it listens
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
        except urllib.error.HTTPError:
            return server  # it answers, that there is no page
        except OSError:
            if server.process.poll() is not None or time.monotonic() > until:
                sys.exit("bench: nginx does not start")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def segments_of(port, stream):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/streams/{stream}/hls.m3u8") as response:
        lines = response.read().decode().splitlines()
    return [f"/streams/{stream}/{line}" for line in lines if line and not line.startswith("#")][:SEGMENTS]


def copy_files(port, targets, folder):
    for target in targets:
        file = folder / "files" / target[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}") as response:
            file.write_bytes(response.read())


async def watch(port, targets, until, counted):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    while time.monotonic() < until:
        for target in targets:
            writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            header = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in header[:16]:
                sys.exit(f"bench: {target}: {header[:60]!r}")
            left = int(re.search(rb"\r\n[Cc]ontent-[Ll]ength: (\d+)", header)[1])
            while left > 0:
                left -= len(piece := await reader.read(min(left, 1 << 20)))
                counted[0] += len(piece)
                if not piece:
                    sys.exit(f"bench: {target}: the connection was closed")
            if time.monotonic() >= until:
                break
    writer.close()


def measure(server, viewers, duration):
    """Bytes per processor-second of the server, and bytes per second."""
    async def all_of_them():
        until = time.monotonic() + duration
        await asyncio.gather(*(watch(server.port, targets, until, counted) for targets in viewers))

    counted, cpu, begin = [0], server.cpu(), time.monotonic()
    asyncio.run(all_of_them())
    return counted[0] / max(server.cpu() - cpu, 0.01), counted[0] / (time.monotonic() - begin)


def contest(name, streams, viewers, arguments, folder):
    log = folder / "log"
    names = [f"s{i}" for i in range(streams)]
    clip = folder / "clip.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", arguments.source, "-t", str(SEGMENTS * 2 + 2), "-c", "copy", clip], check=True)
    for stream in names:
        subprocess.run([GOPLINE, "split", clip, "--stream", stream, "--log", log, "--start-time", START, "--quiet"], check=True)
    ours = start_ours(log)
    try:
        targets = {stream: segments_of(ours.port, stream) for stream in names}
        for wanted in targets.values():
            copy_files(ours.port, wanted, folder)
        nginx = start_nginx(arguments.nginx, folder, free_port())
        try:
            asked = [targets[names[i % streams]] for i in range(viewers)]
            pairs = []
            for i in range(arguments.runs + 1):  # the first is a warm-up
                order = (ours, nginx) if i % 2 == 0 else (nginx, ours)
                results = {id(server): measure(server, asked, arguments.duration) for server in order}
                if i > 0:
                    pairs.append((results[id(ours)], results[id(nginx)]))
                    print(f"bench: {name}: pair {i} of {arguments.runs}", file=sys.stderr)
        finally:
            nginx.stop()
    finally:
        ours.stop()
    ratios = [mine[0] / theirs[0] for mine, theirs in pairs]
    low, high = interval(ratios)
    median = lambda which, what: statistics.median(pair[which][what] for pair in pairs)
    return {"measure": name, "target": 0.7, "ratio": statistics.median(ratios), "low": low, "high": high, "runs": len(pairs),
            "ours_mb_per_cpu_s": median(0, 0) / 1e6, "peer_mb_per_cpu_s": median(1, 0) / 1e6,
            "ours_mb_per_s": median(0, 1) / 1e6, "peer_mb_per_s": median(1, 1) / 1e6}


def table(rows):
    lines = ["| measure (ours / nginx) | target | ratio, 95 % interval | MB per CPU-second ours, nginx | MB/s ours, nginx |", "|---|---|---|---|---|"]
    for r in rows:
        met = "" if r["ratio"] >= r["target"] else " (missed)"
        lines.append(f"| {r['measure']} | ≥ {r['target']}×{met} | **{r['ratio']:.2f}×** ({r['low']:.2f} to {r['high']:.2f}) | "
                     f"{r['ours_mb_per_cpu_s']:.0f}, {r['peer_mb_per_cpu_s']:.0f} | {r['ours_mb_per_s']:.0f}, {r['peer_mb_per_s']:.0f} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, type=Path, help="8 Mbit/s, of which the first 22 s are served")
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--duration", type=float, default=10)
    parser.add_argument("--only", default="", help="contests whose name contains this")
    parser.add_argument("--nginx", default=shutil.which("nginx") or "/usr/sbin/nginx")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rows = []
    for name, streams, viewers in (("300 viewers of one stream", 1, 300), ("50 viewers of 50 streams", 50, 50)):
        if arguments.only not in name:
            continue
        arguments.tmpfs.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="gopline-serve-", dir=arguments.tmpfs))
        try:
            rows.append(contest(name, streams, viewers, arguments, folder))
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    print(table(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
