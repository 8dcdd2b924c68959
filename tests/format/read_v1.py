"""A reader of stored records, written from docs/record-format.md alone. Needs python3-xxhash, and ffmpeg for NUT segments.

read_case(folder) gives the packets of a folder as tests/golden/v1 has them, and asserts every hash and number on the way.
"""
import hashlib
import json
import struct
import subprocess
import tempfile
from urllib.parse import unquote

import xxhash

EXACT_BOX = bytes.fromhex("5d6a2f0e8c1b4f7a9b43676f706c696e")
KEY, DISCARD, DISPOSABLE = 1, 4, 16


def load(topic):
    """Records in offset order: ({header: value}, value bytes)."""
    for path in sorted(topic.glob("*.headers")):
        lines = path.read_text(encoding="utf-8").splitlines()
        yield dict(line.split(": ", 1) for line in lines), path.with_suffix(".value").read_bytes()


def boxes(data, at, end):
    """(type, start of content, end) of the boxes in a row (ISO/IEC 14496-12, 4.2)."""
    while at < end:
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind, at + 8, at + size
        at += size


def exact_entries(data, at, end):
    """The exact box: origin and (kind, sample, bytes)."""
    version, origin, count = struct.unpack_from(">BqH", data, at + 16)
    assert version == 1, "the exact box is of a newer version: upgrade"
    at += 16 + 11
    entries = []
    for _ in range(count):
        kind, sample, length = struct.unpack_from(">BII", data, at)
        entries.append((kind, sample, data[at + 9:at + 9 + length]))
        at += 9 + length
    assert at == end
    return origin, entries


def fragment(data, moof, end, tracks):
    """Packets of one fragment: dicts as packets.json has them."""
    inside = {kind: (a, b) for kind, a, b in boxes(data, moof + 8, end)}
    traf = {kind: (a, b) for kind, a, b in boxes(data, *inside[b"traf"])}
    at = traf[b"tfhd"][0]
    flags, track_id = struct.unpack_from(">II", data, at)
    at, defaults = at + 8, {}
    for bit in (0x8, 0x20):
        if flags & bit:
            defaults[bit] = struct.unpack_from(">I", data, at)[0]
            at += 4
    time = struct.unpack_from(">Q", data, traf[b"tfdt"][0] + 4)[0]
    assert data[inside[b"uuid"][0]:][:16] == EXACT_BOX
    origin, entries = exact_entries(data, *inside[b"uuid"])
    at = traf[b"trun"][0]
    flags, count, sample_at = struct.unpack_from(">III", data, at)
    at, sample_at, first_flags = at + 12, moof + sample_at, None
    if flags & 0x4:
        first_flags, at = struct.unpack_from(">I", data, at)[0], at + 4
    num = int(tracks[track_id]["time_base"].split("/")[0])
    packets = []
    for index in range(count):
        duration, size, sample_flags, offset = defaults.get(0x8), 0, defaults.get(0x20), 0
        for bit in (0x100, 0x200, 0x400, 0x800):
            if not flags & bit:
                continue
            value = struct.unpack_from(">i" if bit == 0x800 else ">I", data, at)[0]
            at += 4
            if bit == 0x100: duration = value
            elif bit == 0x200: size = value
            elif bit == 0x400: sample_flags = value
            else: offset = value
        if index == 0 and first_flags is not None:
            sample_flags = first_flags
        bits = (0 if sample_flags >> 16 & 1 else KEY) | (DISPOSABLE if sample_flags >> 22 & 3 == 2 else 0)
        packets.append(dict(stream=tracks[track_id]["source_index"], pts=(time + offset) // num + origin,
                            dts=time // num + origin, duration=duration // num, flags=bits, side=[],
                            data=data[sample_at:sample_at + size]))
        time, sample_at = time + duration, sample_at + size
    for kind, sample, value in sorted(entries, key=lambda e: e[0] in (2, 3)):
        packet = packets[sample]
        if kind == 1: packet["duration"] = struct.unpack(">q", value)[0]
        elif kind == 2: packet["pts"] = None
        elif kind == 3: packet["dts"] = None
        elif kind == 4: packet["side"].append(value[0])
        elif kind == 5: packet["flags"] = struct.unpack(">I", value)[0]
        elif kind == 6: packet["dts"] = struct.unpack(">q", value)[0]
        elif kind == 7: packet["pts"] = struct.unpack(">q", value)[0]
    return packets


def nut_segment(data, tracks):
    """Packets of a NUT segment: payload digests by ffprobe, everything else from the gpXB stream."""
    with tempfile.NamedTemporaryFile(suffix=".nut") as file:
        file.write(data)
        file.flush()
        run = lambda *words: subprocess.run([*words], check=True, capture_output=True).stdout
        probe = json.loads(run("ffprobe", "-v", "error", "-fflags", "+nofillin+noparse", "-show_packets", "-show_streams",
                               "-show_data_hash", "sha256", "-of", "json", file.name))
        last = len(probe["streams"]) - 1
        exact = run("ffmpeg", "-nostdin", "-v", "error", "-i", file.name, "-map", f"0:{last}", "-c", "copy", "-copy_unknown",
                    "-f", "data", "-")
    payloads = [p for p in probe["packets"] if p["stream_index"] != last]
    version, count = struct.unpack_from(">BI", exact)
    assert version == 1 and count == len(payloads) and probe["streams"][last]["codec_tag_string"] == "gpXB"
    packets, at = [], 5
    for payload in payloads:
        track, bits, pts, dts, duration, flags, sides = struct.unpack_from(">BBqqqIH", exact, at)
        at, side = at + 32, []
        for _ in range(sides):
            kind, length = struct.unpack_from(">BI", exact, at)
            side.append(kind)
            at += 5 + length
        packets.append(dict(stream=tracks[track + 1]["source_index"], pts=None if bits & 1 else pts,
                            dts=None if bits & 2 else dts, duration=duration, flags=flags, side=side,
                            size=int(payload["size"]), sha256=payload["data_hash"].split(":")[1].lower()))
    return packets


def unpack(data, content_type, tracks, parts):
    if content_type.startswith("video/x-nut"):
        return nut_segment(data, tracks)
    packets, found = [], []
    moof = None
    for kind, start, end in boxes(data, 0, len(data)):
        if kind == b"moof":
            moof = start - 8
            packets += fragment(data, moof, end, tracks)
        elif kind == b"mdat":
            found.append([moof, end - moof])
    assert parts is None or found == [part[1:3] for part in parts], "the index's parts are not where it says"
    return packets


def playable(data):
    """Of a segment whose end is not there: its init and the fragments that are whole."""
    end = at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        at += size
        if kind == b"mdat" and at <= len(data):
            end = at
    return data[:end]


def redeem(case, headers):
    """The payload of a claim check: a blob's key is the end of its URI's path."""
    path = unquote(headers["ce_dataref"])
    (blob,) = [value for found, value in load(case / "blobs") if path.endswith("/" + found["@key"])]
    key = path.split("/")[-4:]
    assert key[1] == headers["ce_source"].removeprefix("/gopline/") and key[2] == headers["ce_time"][:13]
    assert key[3] == hashlib.sha256(blob).hexdigest()
    assert len(blob) == int(headers["ce_datasize"]) and headers["ce_dataxxh3"] == xxhash.xxh3_64_hexdigest(blob)
    return blob


def read_case(case):
    """{epoch: {stream: packets}} and what else was found. Asserts every hash and number on the way."""
    index = {}
    for headers, value in load(case / "index"):
        assert headers["ce_xxh3"] == xxhash.xxh3_64_hexdigest(value)
        if headers["ce_type"] == "gopline.index.v1":
            entry = json.loads(value)
            index[entry["epoch"], entry["segment"]] = entry
    epochs, tracks, open_chunks, chain, counts = {}, {}, {}, {}, dict(segments=0, gaps=0, unfinished=0, ended=0)

    def take(epoch, data, content_type, parts):
        for packet in unpack(data, content_type, tracks[epoch], parts):
            epochs.setdefault(epoch, {}).setdefault(packet["stream"], []).append(packet)

    def give_up():
        counts["unfinished"] += len(open_chunks)
        for (epoch, _), chunks in open_chunks.items():
            if not content_types[epoch].startswith("video/x-nut"):
                take(epoch, playable(b"".join(c[0] for c in chunks)), content_types[epoch], None)
        open_chunks.clear()

    content_types = {}
    for headers, value in load(case / "segments"):
        kind = headers["ce_type"]
        assert headers["ce_specversion"] == "1.0" and headers["ce_xxh3"] == xxhash.xxh3_64_hexdigest(value)
        if kind == "gopline.epoch.started.v1":
            give_up()
            started = json.loads(value)
            epoch = started["epoch_base"] + int(headers["@offset"])
            tracks[epoch] = {track["track_id"]: track for track in started["tracks"]}
        elif kind == "gopline.gap.v1":
            give_up()
            counts["gaps"] += 1
        elif kind == "gopline.epoch.ended.v1":
            give_up()
            counts["ended"] += 1
        elif kind == "gopline.segment.v1":
            key = int(headers["ce_epoch"]), int(headers["ce_segment"])
            assert headers["ce_id"] == f"{key[0]}-{key[1]}-{headers['ce_chunk']}"
            chunks = open_chunks.setdefault(key, [])
            content_types[key[0]] = headers["content-type"]
            assert int(headers["ce_chunk"]) == len(chunks)
            if "ce_dataref" in headers:
                assert value == b""
                value = redeem(case, headers)
            chunks.append((value, int(headers["@offset"])))
            if headers.get("ce_lastchunk") != "true":
                continue
            data, offsets = b"".join(c[0] for c in open_chunks.pop(key)), [c[1] for c in chunks]
            entry = index[key]
            assert len(data) == int(headers["ce_size"]) == entry["size"] and offsets == entry["offsets"]
            if "ce_sha256" in headers:
                assert headers["ce_sha256"] == hashlib.sha256(data).hexdigest()
                assert headers.get("ce_prevsha256") == chain.get(key[0])
                chain[key[0]] = headers["ce_sha256"]
            counts["segments"] += 1
            take(key[0], data, headers["content-type"], entry["parts"] or None)
    return epochs, counts
