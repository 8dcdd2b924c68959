#!/usr/bin/env python3
"""ffprobe -show_packets as JSON in, one row per packet out: [stream, pts, dts, duration, flags, size, sha256, side data].

--payloads-for FILE: puts the sizes and digests of these packets into FILE's rows, stream by stream.
"""
import json
import sys


def row_of(packet):
    side = [s["side_data_type"] for s in packet.get("side_data_list", []) if s["side_data_type"] != "MPEGTS Stream ID"]
    return [packet["stream_index"], packet.get("pts"), packet.get("dts"), packet.get("duration", 0), packet["flags"],
            int(packet["size"]), packet["data_hash"].split(":")[1].lower(), side]


def write(rows, out):
    out.write("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")


rows = [row_of(p) for p in json.load(sys.stdin)["packets"]]
if len(sys.argv) == 3:
    with open(sys.argv[2], encoding="utf-8") as file:
        target = json.load(file)
    payloads = {}
    for row in rows:
        payloads.setdefault(row[0], []).append(row[5:7])
    for row in target:
        row[5:7] = payloads[row[0]].pop(0)
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        write(target, file)
else:
    write(rows, sys.stdout)
