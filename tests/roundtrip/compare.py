"""What "identical" means (docs/record-format.md, section 3), with ffprobe and ffmpeg as witnesses."""
import functools
import hashlib
import json
import subprocess
from fractions import Fraction

NAL_CODECS = {"h264": "h264", "hevc": "hevc"}


def run(arguments, **options):
    return subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, check=False, **options)


def probe(path, *arguments):
    """ffprobe's JSON."""
    done = run(["ffprobe", "-v", "error", "-of", "json", *arguments, path])
    if done.returncode != 0:
        raise AssertionError(f"ffprobe cannot read {path}: {done.stderr.decode(errors='replace').strip()}")
    return json.loads(done.stdout)


@functools.lru_cache(maxsize=4)
def look_at(path):
    """Streams and packets of a file, which must not change any more."""
    return probe(path, "-show_streams", "-show_packets", "-show_data_hash", "MD5")


def streams_of(path):
    return look_at(path)["streams"]


def carried(path, skipped):
    """Indices of the streams that gopline carries: all but those it says it skipped."""
    return [stream["index"] for stream in streams_of(path) if stream["index"] not in skipped]


def nal_units(path, index, codec):
    """The track's NAL units, without start codes and the zero bytes that belong to them."""
    done = run(["ffmpeg", "-v", "error", "-i", path, "-map", f"0:{index}", "-c", "copy", "-f", NAL_CODECS[codec], "-"])
    return [unit.rstrip(b"\0") for unit in done.stdout.split(b"\0\0\1")]


def digest_of_units(units):
    return hashlib.sha256(b"".join(len(u).to_bytes(4, "big") + u for u in units)).hexdigest()


TRACK_KEYS = ("codec_name", "codec_tag_string", "time_base", "width", "height", "pix_fmt", "sample_aspect_ratio", "color_range",
              "color_space", "color_transfer", "color_primaries", "has_b_frames", "sample_rate", "channels", "channel_layout",
              "r_frame_rate", "avg_frame_rate", "start_pts", "extradata_size", "initial_padding", "disposition")


def describe_track(stream, exact_bytes):
    """A line of what a container says of a track."""
    said = {key: stream[key] for key in TRACK_KEYS if key in stream}
    said["disposition"] = [name for name, on in stream.get("disposition", {}).items() if on]
    if not exact_bytes:
        said.pop("extradata_size", None)  # its start codes may be longer
    said["side_data"] = [data for data in stream.get("side_data_list", []) if data.get("side_data_type") != "CPB properties"]
    tags = stream.get("tags", {})
    said["tags"] = {key: tags[key] for key in ("language", "title", "handler_name") if key in tags}
    return json.dumps(said, sort_keys=True)


def packet_lines(path, byte_exact=True):
    """Every track's packets as lines: times, duration, flags, side data, and bytes (NAL units where start codes may differ)."""
    tracks = []
    for stream in streams_of(path):
        start_codes = stream.get("codec_name", "none") in NAL_CODECS and stream.get("is_avc") != "true"
        exact_bytes = byte_exact and not (start_codes and path.endswith((".ts", ".nut", ".h264")))
        lines = [describe_track(stream, exact_bytes)]
        for packet in look_at(path)["packets"]:
            if packet["stream_index"] != stream["index"]:
                continue
            words = [f"{key} {packet.get(key, 'none')}" for key in ("pts", "dts", "duration", "flags")]
            if exact_bytes:
                words.append(f"{packet['size']} bytes {packet['data_hash']}")
            for data in packet.get("side_data_list", []):
                if data.get("side_data_type") != "MPEGTS Stream ID":
                    words.append(json.dumps(data, sort_keys=True))
            lines.append(", ".join(words))
        if not exact_bytes:
            lines.append(f"NAL units {digest_of_units(nal_units(path, stream['index'], stream['codec_name']))}")
        tracks.append(lines)
    return tracks


def frame_lines(path):
    """What decoding gives, per audio and video track: times and hashes."""
    indices = [stream["index"] for stream in streams_of(path) if stream["codec_type"] in ("video", "audio")]
    maps = [word for index in indices for word in ("-map", f"0:{index}")]
    done = run(["ffmpeg", "-v", "error", "-i", path, *maps, "-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", "-"])
    tracks = [[] for _ in indices]
    for line in done.stdout.decode().splitlines():
        if not line.startswith("#"):
            tracks[int(line.split(",")[0])].append(line)
    return tracks


def first_difference(ours, theirs):
    """None, or the first line that differs, in words."""
    if len(ours) != len(theirs):
        return f"{len(ours)} tracks instead of {len(theirs)}"
    for track, (mine, other) in enumerate(zip(ours, theirs)):
        for number in range(max(len(mine), len(other))):
            one = mine[number] if number < len(mine) else "(nothing)"
            two = other[number] if number < len(other) else "(nothing)"
            if one != two:
                return f"track {track}, line {number} of {len(other)}\n  ours:   {one}\n  ffmpeg: {two}"
    return None


def payload_lines(path):
    """Per track: bytes of each packet, whether it is a key, and its times in seconds after the track's first."""
    tracks = []
    for stream in streams_of(path):
        mine = [packet for packet in look_at(path)["packets"] if packet["stream_index"] == stream["index"]]
        base = Fraction(stream["time_base"])
        first = next((packet["dts"] for packet in mine if "dts" in packet), 0)
        tracks.append([(packet["data_hash"], packet["flags"][0], (packet.get("dts", first) - first) * base,
                        (packet.get("pts", first) - first) * base) for packet in mine])
    return tracks


def same_but_for_ticks(ours, theirs, tick):
    """None, or how fragments that were passed through differ from ffmpeg's mp4: in ticks of another clock."""
    if len(ours) != len(theirs):
        return f"{len(ours)} tracks instead of {len(theirs)}"
    for track, (mine, other) in enumerate(zip(ours, theirs)):
        if len(mine) != len(other):
            return f"track {track}: {len(mine)} packets instead of {len(other)}"
        for number, (one, two) in enumerate(zip(mine, other)):
            far = max(abs(one[2] - two[2]), abs(one[3] - two[3]))
            if one[:2] != two[:2] or far > tick:
                return f"track {track}, packet {number}\n  ours:   {show(one)}\n  ffmpeg: {show(two)}"
    return None


def show(packet):
    return f"{packet[0]} {packet[1]} dts {float(packet[2]):.6f} pts {float(packet[3]):.6f}"
