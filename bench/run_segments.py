#!/usr/bin/env python3
"""Measures payload sizes and strategies on a real Apache Kafka with `gopline bench segments`, and publishes what came of it.

    bench/run_segments.py --source FILE [--tmpfs FOLDER] [--output FOLDER] [--docs] [-- OPTIONS OF gopline bench segments]
    bench/run_segments.py --publish FOLDER          results that are there already

The broker runs on this machine with its data in FOLDER (a tmpfs). Results, CSV and the HTML report go to --output. With --docs or
--publish the tables between the markers of docs/benchmarks.md and the plots in docs/benchmarks/ are made anew.
"""
import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOPLINE = ROOT / "build" / "release" / "cli" / "gopline"
PAGE = ROOT / "docs" / "benchmarks.md"
PLOTS = ROOT / "docs" / "benchmarks"
KINDS = {"sizes": "By size, random bytes", "video": "Video, by segment duration"}


def measure(arguments, output):
    sys.path.insert(0, str(ROOT / "tools" / "kafka"))
    from cluster import Cluster

    arguments.tmpfs.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="gopline-segments-", dir=arguments.tmpfs))
    try:
        overrides = {"log.segment.delete.delay.ms": "0", "log.cleanup.policy": "delete"}  # or a tmpfs would soon be full
        with Cluster(folder / "broker", overrides=overrides, heap="2g") as cluster:
            subprocess.run([GOPLINE, "bench", "segments", "--log", f"kafka://{cluster.bootstrap}", "--blobs", folder / "blobs",
                            "--source", arguments.source, "--output", output, *arguments.options], check=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def size(count):
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if count >= 0.9995 * scale:
            return f"{count / scale:.3g} {unit}"
    return f"{count} B"


def middle(case, name, digits=0):
    values = sorted(r[name] for r in case["repetitions"])
    median = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    text = f"{median:.{digits}f}" if digits or median >= 100 else f"{median:.3g}"
    if name.endswith("mb_s") and values[0] != values[-1]:
        text += f" ({values[0]:.0f} to {values[-1]:.0f})"
    return text


def milliseconds(value):
    return "-" if value is None else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def table(cases):
    lines = ["| payload | strategy | MB/s written | MB/s read | MB/s both at once | written/s | CPU-s/GB written, read | p50 ms | p99 ms | p99.9 ms | samples |",
             "|---|---|---|---|---|---|---|---|---|---|---|"]
    for case in cases:
        payload = size(case["bytes"])
        if case["duration_s"] is not None:
            payload = f"{case['duration_s']:g} s, {payload}"
        if case["absent"] or not case["repetitions"]:
            lines.append(f"| {payload} | {case['strategy']} | {case['absent'] or '-'} ||||||||||")
            continue
        latency = case["latency"] or dict.fromkeys(("p50_ms", "p99_ms", "p999_ms", "rate_per_s", "samples"), 0)
        lines.append(f"| {payload} | {case['strategy']} | {middle(case, 'write_mb_s')} | {middle(case, 'read_mb_s')} | {middle(case, 'through_mb_s')} | "
                     f"{middle(case, 'write_per_s')} | {middle(case, 'write_cpu_s_gb', 2)}, {middle(case, 'read_cpu_s_gb', 2)} | "
                     f"{milliseconds(latency['p50_ms'])} | {milliseconds(latency['p99_ms'])} | {milliseconds(latency['p999_ms'])} | "
                     f"{latency['samples']} at {latency['rate_per_s']:.3g}/s |")
    return "\n".join(lines)


def plots(html, prefix):
    """The report's own charts, each a file that stands alone."""
    images = []
    for drawing in re.findall(r"<svg .*?</svg>", html, re.DOTALL):
        name = re.search(r'id="([^"]*)"', drawing).group(1)
        if not name.startswith(prefix):
            continue
        PLOTS.mkdir(parents=True, exist_ok=True)
        (PLOTS / f"{name}.svg").write_text(drawing + "\n")
        title = re.search(r'aria-label="([^"]*)"', drawing).group(1)
        images.append(f"![{title}](benchmarks/{name}.svg)")
    return "\n".join(images)


def environment(results):
    e, s = results["environment"], results["settings"]
    return (f"{e['machine']}, {e['cores']} cores, {e['kernel']}; {e['brokers']} broker on the same machine, {e['partitions']} partition, records up to "
            f"{size(e['record_bytes'])}; gopline {e['gopline']}, librdkafka {e['librdkafka']}; {e['started'][:10]}. {s['repetitions']} repetitions of "
            f"{s['duration_s']:g} s, interleaved, after {s['warm_up_s']:g} s of warm-up; medians, and in brackets the least and the greatest. "
            f"[How it is measured](cli.md#measuring-your-own-cluster).")


def publish(folder):
    results, html = json.loads((folder / "results.json").read_text()), (folder / "report.html").read_text()
    parts = {"environment": environment(results)}
    for kind in KINDS:
        cases = [c for c in results["cases"] if (c["duration_s"] is not None) == (kind == "video")]
        if cases:
            parts[kind] = plots(html, "video-" if kind == "video" else "size-") + "\n\n" + table(cases)
    page = PAGE.read_text() if PAGE.exists() else "# Benchmarks\n"
    for name, text in parts.items():
        begin, end = f"<!-- {name}: made by bench/run_segments.py -->", f"<!-- {name}: end -->"
        if begin not in page:
            page += f"\n## {KINDS[name]}\n{begin}\n{end}\n" if name in KINDS else f"\n{begin}\n{end}\n"
        before, rest = page.split(begin, 1)
        page = f"{before}{begin}\n{text}\n{end}{rest.split(end, 1)[1]}"
    PAGE.write_text(page)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--source", type=Path, help="of video")
    parser.add_argument("--tmpfs", type=Path, default=Path("/dev/shm/gopline-bench"))
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "bench" / "segments")
    parser.add_argument("--docs", action="store_true", help="publish in docs/")
    parser.add_argument("--publish", type=Path, metavar="FOLDER", help="measure nothing: publish these results")
    parser.add_argument("options", nargs="*", help="of gopline bench segments, behind --")
    arguments = parser.parse_args()
    if arguments.publish:
        return publish(arguments.publish)
    if not arguments.source:
        parser.error("--source names a video")
    measure(arguments, arguments.output)
    if arguments.docs:
        publish(arguments.output)


if __name__ == "__main__":
    main()
