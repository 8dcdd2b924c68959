#!/usr/bin/env python3
"""Times gopline on a real Apache Kafka against librdkafka alone, as whole processes in interleaved pairs; prints a Markdown table.

    bench/run_kafka.py --source FILE [--tmpfs FOLDER] [--runs 7] [--only NAME] [--json FILE]

The broker runs on this machine with its data in FOLDER (a tmpfs), is warmed up first, and takes every run into a topic of its
own that is deleted afterwards. What is timed and how the table is made: bench/run.py.
"""
import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from run import GOPLINE, ROOT, Contest, empty, made, measure, row, run

sys.path.insert(0, str(ROOT / "tools" / "kafka"))
from cluster import Cluster  # noqa: E402

PEER = ROOT / "build" / "release" / "bench" / "kafka_peer"
PRODUCE_PEER = ROOT / "build" / "release" / "bench" / "kafka_produce_peer"
READ_LOG = ROOT / "build" / "release" / "bench" / "read_log"
FRESH_TOPICS = ROOT / "build" / "release" / "bench" / "fresh_topics"
WORK_US_PER_MB, BOUND_KBYTES = 4000, 16384  # a worker of 250 MB/s at most, and 16 MiB of memory


class Bench:
    def __init__(self, arguments, cluster, folder):
        self.source, self.cluster, self.folder = arguments.source, cluster, folder
        self.brokers = cluster.bootstrap
        self.segments = folder / "segments"

    def url(self, namespace):
        return f"kafka://{self.brokers}/{namespace}"

    def split(self, namespace):
        return [GOPLINE, "split", self.source, "--log", self.url(namespace), "--stream", "source", "--partitions", "1", "--quiet"]

    def fill(self):
        """The topics that every reader reads, and the segments that the peer produces."""
        run(self.split("read"))
        run([READ_LOG, self.url(""), "read.segments", "32768", "0", self.segments])

    def fresh(self):
        """The topics of one run: both write into the same ones, made beforehand."""
        run([FRESH_TOPICS, self.brokers, "ours.segments", "ours.index", "ours.streams", "peer.segments"])

    def contests(self):
        out = self.folder / "out"
        produce = [PRODUCE_PEER, self.brokers, "peer.segments", self.source, self.segments, f"{self.segments}.index"]
        consume = [PEER, "consume", self.brokers, "read.segments"]
        yield Contest("split into Kafka / av_read_frame + produce of the segments already cut", 0.95, self.split("ours"), produce, self.fresh)
        yield Contest("split into Kafka / ffmpeg -f segment mp4 to tmpfs (reported)", 0.0, self.split("ours"),
                      ["ffmpeg", "-v", "error", "-i", self.source, "-c", "copy", "-f", "segment", "-segment_time", "2",
                       "-segment_format", "mp4", out / "%05d.mp4"], lambda: (self.fresh(), empty(out)))
        yield Contest("aggregate from Kafka as fragmented MP4 / bare consumer that drops the bytes", 0.9,
                      [GOPLINE, "aggregate", "source", "--log", self.url("read"), "--output", "/dev/null", "--format", "fmp4", "--quiet"],
                      consume)
        work = [self.brokers, "read.segments", str(BOUND_KBYTES), str(WORK_US_PER_MB)]
        yield Contest("reader with a slow worker / the same loop on librdkafka's own settings", 3.0,
                      [READ_LOG, self.url(""), *work[1:]], [PEER, "work", *work])


def markdown(rows):
    lines = ["| measure (ours / peer) | target | ratio, 95 % interval | MB/s ours, peer | CPU-s/GB ours, peer | CPU ratio | peak RSS ours |",
             "|---|---|---|---|---|---|---|"]
    for r in rows:
        target = f"≥ {r['target']}×" if r["target"] else "-"
        missed = " (missed)" if r["ratio"] < r["target"] else ""
        lines.append(f"| {r['measure']} | {target}{missed} | **{r['ratio']:.2f}×** ({r['low']:.2f} to {r['high']:.2f}) | "
                     f"{r['ours_mb_per_s']:.0f}, {r['peer_mb_per_s']:.0f} | {r['ours_cpu_s_per_gb']:.2f}, {r['peer_cpu_s_per_gb']:.2f} | "
                     f"{r['ours_cpu_s_per_gb'] / r['peer_cpu_s_per_gb']:.2f}× | {r['ours_peak_rss_mb']:.0f} MB |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", required=True, type=Path)
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--only", default="", help="contests whose name contains this")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="gopline-kafka-", dir=made(arguments.tmpfs)))
    rows = []
    try:
        overrides = {"log.segment.delete.delay.ms": "0", "log.cleanup.policy": "delete"}
        with Cluster(folder / "broker", overrides=overrides, heap="2g") as cluster:
            bench = Bench(arguments, cluster, folder)
            bench.fresh()
            run(bench.split("ours"))  # a cold JVM is three times slower
            bench.fill()
            gigabytes = arguments.source.stat().st_size / 1e9
            for contest in bench.contests():
                if arguments.only in contest.name:
                    measure(contest, arguments.runs)
                    rows.append(row(contest, gigabytes))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(markdown(rows))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
