#!/usr/bin/env python3
"""check_golden.py [--packets] CASE...: holds the packets that read_v1.py reads from golden records to those of the source.

CASE is a folder of tests/golden/v1. Prints a line per case (--packets: every packet too). Exit code 1 when anything is wrong.
"""
import hashlib
import json
import sys
from pathlib import Path

from read_v1 import DISCARD, KEY, read_case


def row(packet):
    """As packets.json has it."""
    if "data" in packet:
        packet["size"], packet["sha256"] = len(packet["data"]), hashlib.sha256(packet["data"]).hexdigest()
    flags = ("K" if packet["flags"] & KEY else "_") + ("D" if packet["flags"] & DISCARD else "_")
    return [packet["stream"], packet["pts"], packet["dts"], packet["duration"], flags, packet["size"], packet["sha256"],
            len(packet["side"])]


def main(arguments):
    show, failed = "--packets" in arguments, False
    for case in (Path(a) for a in arguments if not a.startswith("--")):
        truth = {}
        for expected in json.loads((case / "packets.json").read_text()):
            truth.setdefault(expected[0], []).append(expected[:7] + [len(expected[7])])
        epochs, counts = read_case(case)
        for epoch, streams in epochs.items():
            for stream, packets in streams.items():
                rows = [row(packet) for packet in packets]
                cut_short = counts["unfinished"] and len(rows) < len(truth[stream])  # an epoch whose writer died
                wrong = [i for i, r in enumerate(rows) if r != truth[stream][i]]
                if wrong or (len(rows) != len(truth[stream]) and not cut_short):
                    failed = True
                    print(f"{case.name}: epoch {epoch} stream {stream}: {len(rows)} of {len(truth[stream])} packets",
                          *(f"\n  {i}: {rows[i]}\n  not {truth[stream][i]}" for i in wrong[:3]))
                if show:
                    print(*(f"{case.name} {epoch} {r}" for r in rows), sep="\n")
        total = sum(len(p) for s in epochs.values() for p in s.values())
        print(f"{case.name}: {len(epochs)} epochs, {total} packets", *(f"{n} {k}" for k, n in counts.items()), sep=", ")
    return 1 if failed or len(arguments) < 1 else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
