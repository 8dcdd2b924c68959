#!/usr/bin/env python3
"""Times gopline's claim checks on a real Apache Kafka and a real S3 server against named peers; prints a Markdown table.

    bench/run_payloads.py --source FILE [--tmpfs FOLDER] [--runs 7] [--only NAME] [--json FILE]

Broker and store run on this machine with their data in FOLDER (a tmpfs, with room for three times the source). Every run of a
put begins with empty topics and an empty prefix. Before a contest is measured, what either side stored or fetched is compared
with the source, byte for byte. What is timed and how the table is made: bench/run.py. GOPLINE names another program to measure.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import run as bench
from run import ROOT, Contest, empty, made, measure, row, run

sys.path[:0] = [str(ROOT / "tools" / "kafka"), str(ROOT / "tools" / "s3")]
from cluster import Cluster  # noqa: E402
from server import Server  # noqa: E402

GOPLINE = Path(os.environ.get("GOPLINE") or bench.GOPLINE)
PROGRAMS = ROOT / "build" / "release" / "bench"
S3_PEER, KAFKA_PEER, FRESH_TOPICS = PROGRAMS / "s3_peer", PROGRAMS / "kafka_peer", PROGRAMS / "fresh_topics"
BAKDATA_JARS = ROOT / "build" / "deps" / "bakdata" / "lib"
BAKDATA = ROOT / "bench" / "peers" / "bakdata" / "LargeMessagePeer.java"
# Values of 8 MB would each be a "humongous" object of its own in the regions that the JVM chooses for this heap.
JAVA = ["java", "-Xmx1g", "-XX:+UseG1GC", "-XX:G1HeapRegionSize=32m", "-cp", f"{BAKDATA_JARS}/*", BAKDATA]
BUCKET, PIECE, RECORD = "gopline", 8_000_000, 300  # bytes; the last two as s3_peer.c has them


@dataclass
class PayloadContest(Contest):
    prove: Callable[[], None] = lambda: None  # once, before it is measured: that both sides do what they say


def require(is_so, what):
    if not is_so:
        sys.exit(f"bench: {what}")


def same(path, source):
    done = subprocess.run(["cmp", path, source], capture_output=True, text=True)
    require(done.returncode == 0, f"what came back is not the source: {done.stdout}{done.stderr}")


class Bench:
    def __init__(self, source, cluster, s3, folder):
        self.source, self.size, self.brokers, self.s3 = source, source.stat().st_size, cluster.bootstrap, s3
        self.out = folder / "out"
        self.java_said = folder / "java.json"

    # ---- what is run

    def stored(self, prefix):
        """The server keeps objects as plain files."""
        return self.s3.data / BUCKET / prefix

    def put(self, namespace):
        return [GOPLINE, "put", self.source, "--stream", "source", "--log", f"kafka://{self.brokers}/{namespace}",
                "--payload", "claim", "--piece-bytes", str(PIECE), "--blobs", f"s3://{BUCKET}/{namespace}", "--quiet"]

    def get(self, namespace):
        return [GOPLINE, "get", "source", "--log", f"kafka://{self.brokers}/{namespace}", "--blobs", f"s3://{BUCKET}/{namespace}",
                "--output", self.out / "ours", "--quiet"]

    def peer_put(self, prefix):
        return [S3_PEER, "put", self.brokers, f"{prefix}.references", self.source, f"{BUCKET}/{prefix}"]

    def peer_get(self, prefix):
        return [S3_PEER, "get", self.out / "peer", str(self.size), f"{BUCKET}/{prefix}"]

    def bakdata_put(self, prefix):
        return [*JAVA, "put", self.brokers, f"{prefix}.values", f"{prefix}.warm", self.source, str(PIECE), f"s3://{BUCKET}/{prefix}/"]

    def bakdata_get(self, prefix):
        return [*JAVA, "get", self.brokers, f"{prefix}.values", f"{prefix}.warm", self.out / "peer", str(self.size)]

    def run_java(self, command):
        """By its own clocks, which begin when it is warm; the memory is the whole process's."""
        done = run(["sh", "-c", f"exec \"$0\" \"$@\" > '{self.java_said}'", *command])
        told = json.loads(self.java_said.read_text())
        return bench.Run(told["wall_s"], told["cpu_s"], done.peak_rss)

    # ---- before and after

    def fresh(self, ours="ours", peer="peer"):
        """Nothing of a run before: topics, objects, and what was fetched."""
        topics = [f"{ours}.files.{name}" for name in ("segments", "index", "streams")]
        run([FRESH_TOPICS, self.brokers, *topics, *(f"{peer}.{name}" for name in ("references", "values", "warm"))])
        self.forget(ours, peer)

    def forget(self, *prefixes):
        for prefix in prefixes:
            shutil.rmtree(self.stored(prefix), ignore_errors=True)
            shutil.rmtree(self.s3.folder / "metadata" / BUCKET / prefix, ignore_errors=True)
        empty(self.out)

    def gets_back(self, ours, peer, run_peer=run):
        empty(self.out)
        run(self.get(ours))
        same(self.out / "ours", self.source)
        held = sum(path.stat().st_size for path in self.stored(ours).rglob("*") if path.is_file())
        require(held == self.size, f"the store has {held} bytes of ours")
        empty(self.out)
        run_peer(peer)
        same(self.out / "peer", self.source)

    def has_references(self, topic):
        """One record a piece."""
        done = subprocess.run([KAFKA_PEER, "consume", self.brokers, topic], capture_output=True, text=True, check=True)
        held = int(re.search(r"(\d+) bytes", done.stderr)[1])
        require(held == -(-self.size // PIECE) * RECORD, f"{topic} has {held} bytes of references")

    # ---- contests

    def contests(self):
        def prove_put():
            self.fresh()
            run(self.put("ours")), run(self.peer_put("peer"))
            self.gets_back("ours", self.peer_get("peer"))
            self.has_references("peer.references")

        def prove_get():
            self.fresh("read", "read-peer")
            run(self.put("read")), run(self.peer_put("read-peer"))
            self.gets_back("read", self.peer_get("read-peer"))

        def prove_bakdata_put():
            self.fresh()
            run(self.put("ours")), self.run_java(self.bakdata_put("peer"))
            self.gets_back("ours", self.bakdata_get("peer"), self.run_java)

        def prove_bakdata_get():
            self.fresh("read-too", "read-bakdata")
            run(self.put("read-too")), self.run_java(self.bakdata_put("read-bakdata"))
            self.gets_back("read-too", self.bakdata_get("read-bakdata"), self.run_java)

        def out():
            empty(self.out)

        bare = "bare concurrent libcurl"
        yield PayloadContest(f"put by claim check into local S3 / {bare} uploads + small produces", 0.9, self.put("ours"),
                             self.peer_put("peer"), self.fresh, prove=prove_put)
        self.forget("ours", "peer")
        yield PayloadContest(f"get by claim check from local S3 / {bare} ranged GETs", 0.9, self.get("read"), self.peer_get("read-peer"),
                             out, prove=prove_get)
        self.forget("read", "read-peer")
        # Ours with the start of its process and the opening of its connections, the peer without.
        serde = "bakdata's large-message serde, one thread of a warm JVM by its own clock"
        yield PayloadContest(f"put by claim check / {serde} (reported)", 0.0, self.put("ours"), self.bakdata_put("peer"), self.fresh,
                             run_peer=self.run_java, prove=prove_bakdata_put)
        self.forget("ours", "peer")
        yield PayloadContest(f"get by claim check / {serde} (reported)", 0.0, self.get("read-too"), self.bakdata_get("read-bakdata"), out,
                             run_peer=self.run_java, prove=prove_bakdata_get)


def markdown(rows):
    lines = ["| measure (ours / peer) | target | ratio, 95 % interval | MB/s ours, peer | CPU-s/GB ours, peer | peak RSS ours, peer |",
             "|---|---|---|---|---|---|"]
    for r in rows:
        target = f"≥ {r['target']}×" if r["target"] else "-"
        missed = " (missed)" if r["ratio"] < r["target"] else ""
        lines.append(f"| {r['measure']} | {target}{missed} | **{r['ratio']:.2f}×** ({r['low']:.2f} to {r['high']:.2f}) | "
                     f"{r['ours_mb_per_s']:.0f}, {r['peer_mb_per_s']:.0f} | {r['ours_cpu_s_per_gb']:.2f}, {r['peer_cpu_s_per_gb']:.2f} | "
                     f"{r['ours_peak_rss_mb']:.0f}, {r['peer_peak_rss_mb']:.0f} MB |")
    return "\n".join(lines)


def lead_to(s3):
    """The store, for all that is run from here."""
    told = s3.description()
    for name, value in (("AWS_ENDPOINT_URL_S3", "endpoint"), ("AWS_REGION", "region"), ("AWS_ACCESS_KEY_ID", "access_key_id"),
                        ("AWS_SECRET_ACCESS_KEY", "secret_access_key")):
        os.environ[name] = told[value]
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        os.environ.pop(name, None)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", default="", help="contests whose name contains this")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gopline-payloads-", dir=made(arguments.tmpfs)))
    gigabytes = arguments.source.stat().st_size / 1e9
    rows = []
    try:
        overrides = {"log.segment.delete.delay.ms": "0", "log.cleanup.policy": "delete"}
        with Cluster(folder / "broker", overrides=overrides, heap="2g") as cluster, Server(folder / "s3") as s3:
            s3.make_bucket(BUCKET)
            lead_to(s3)
            for contest in Bench(arguments.source, cluster, s3, folder).contests():
                if arguments.only in contest.name:
                    contest.prove()
                    measure(contest, arguments.runs)
                    rows.append(row(contest, gigabytes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(markdown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
