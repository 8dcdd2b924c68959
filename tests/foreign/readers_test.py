"""Programs that know nothing of gopline read what it wrote into a real Apache Kafka: the readers of examples/ as they are."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/kafka"))
import jvm
from cluster import Cluster

PROGRAM = os.environ.get("GOPLINE", str(ROOT / "build/gopline"))
MEDIA = Path(os.environ.get("GOPLINE_MEDIA", ROOT / "media"))
PYTHON = ROOT / "build/deps/python"
ISOPARSER = ROOT / "build/deps/isoparser"
LIMIT = 120  # seconds: a guard, nothing waits so long
START = datetime.fromisoformat("2026-11-22T18:00:00+00:00")

# Namespace: what follows it in the URL, options of split, {stream: clip}.
PLAIN, SMALL, SHORT = "plain", "small", "short"
SPLITS = {
    PLAIN: ("", [], {"street": "street.mp4", "hevc": "street_hevc.mp4", "av1": "street_av1.mp4", "cup": "cup.mp4",
                     "bunny": "bunny.mp4", "site 7/Tür": "door_g711.mkv", "avi": "street.avi"}),
    SMALL: ("?gopline.max.message.bytes=100000", [], {"street": "street.mp4", "hevc": "street_hevc.mp4", "bunny": "bunny.mp4"}),
    SHORT: ("", ["--max-segment-bytes", "60KiB"], {"street": "street.mp4"}),
}
STREAMS = [(namespace, stream, clip) for namespace, split in SPLITS.items() for stream, clip in split[2].items()]
SEGMENT = "gopline.segment.v1"
NUT_WARNING = b"Unsupported codec with id 0 for input stream 1\n"  # the data stream that says what NUT cannot


def run(*command, **more):
    """What a program printed; AssertionError with what it complained about if it failed."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GOPLINE")}
    done = subprocess.run([os.fspath(c) for c in command], capture_output=True, timeout=LIMIT, env=environment, **more)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout.decode()[-1000:]}\n{done.stderr.decode()[-3000:]}")
    return done.stdout


class Record:
    """One record as kcat prints it."""

    def __init__(self, partition, offset, key, headers, value):
        self.partition, self.offset, self.key, self.headers, self.value = int(partition), int(offset), key, headers, value

    def header(self, name):
        match = re.search(f"(?:^|,){name}=([^,]*)", self.headers)
        return match and match[1]


class ReadersTest(unittest.TestCase):
    done = {}  # what split said: {namespace: {stream: report}}

    @classmethod
    def setUpClass(cls):
        jvm.require_jars()
        for folder, wanted in ((PYTHON, "requirements.txt"), (ISOPARSER, "pom.xml")):
            complete, source = folder / "complete", Path(__file__).with_name(wanted)
            if not complete.is_file() or complete.read_bytes() != source.read_bytes():
                raise AssertionError(f"{folder} is not what tests/foreign/{wanted} asks for: run ./dev test, which makes it")
        for program in ("kcat", "ffmpeg", "ffprobe", "java"):
            if shutil.which(program) is None:
                raise AssertionError(f"{program} is not installed: run ./dev test, which installs it")
        cls.folder = Path(tempfile.mkdtemp(prefix="gopline-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.kafka = Cluster(cls.folder / "kafka")
        cls.addClassCleanup(cls.kafka.stop, patience=0)
        cls.kafka.start()
        for namespace, (query, options, streams) in SPLITS.items():
            names = [word for stream in streams for word in ("--stream", stream)]
            report = run(PROGRAM, "split", *(MEDIA / clip for clip in streams.values()), *names, *options, "--quiet", "--json",
                         "--start-time", "2026-11-22T18:00:00Z", "--log", cls.log(namespace) + query)
            cls.done[namespace] = {stream["stream"]: stream for stream in json.loads(report)["streams"]}

    @classmethod
    def log(cls, namespace):
        return f"kafka://{cls.kafka.bootstrap}/{namespace}"

    # ---- the readers

    def python(self, script, *arguments):
        return run(PYTHON / "bin/python", script, self.kafka.bootstrap, *arguments).decode().splitlines()

    def kcat_frames(self, *arguments):
        return run(ROOT / "examples/kcat_frames.sh", self.kafka.bootstrap, *arguments).decode()

    def kcat(self, topic):
        """All records of a topic, as kcat has them."""
        data = run("kcat", "-b", self.kafka.bootstrap, "-q", "-C", "-e", "-t", topic, "-o", "beginning",
                   "-f", "%p\t%o\t%S\t%k\t%h\n%s\n")
        records = []
        while data:
            line, _, data = data.partition(b"\n")
            partition, offset, size, key, headers = line.decode().split("\t")
            records.append(Record(partition, offset, key, headers, data[:int(size)]))
            data = data[int(size) + 1:]
        return records

    def segments(self, namespace):
        """(stream, headers of the last chunk, bytes) of every segment, its chunks joined."""
        chunks = {}
        for record in sorted(self.kcat(f"{namespace}.segments"), key=lambda r: (r.partition, r.offset)):
            if record.header("ce_type") == SEGMENT:
                so_far = chunks.setdefault((record.key, record.header("ce_segment")), [])
                self.assertEqual(int(record.header("ce_chunk")), len(so_far))
                so_far.append(record)
                if record.header("ce_lastchunk"):
                    yield record.key, record, b"".join(r.value for r in so_far)

    def gopline(self, command, namespace, *arguments):
        return json.loads(run(PROGRAM, command, *arguments, "--json", "--log", self.log(namespace)))

    # ---- the truth

    def source_frames(self, clip):
        """pts of every picture, and the time base, as ffprobe has them."""
        probed = json.loads(run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=pts:stream=time_base",
                                "-of", "json", MEDIA / clip))
        return [frame["pts"] for frame in probed["frames"]], Fraction(probed["streams"][0]["time_base"])

    def frame_hashes(self, text):
        return [line.split(",")[-1].strip() for line in text.splitlines() if not line.startswith("#")]

    def source_hashes(self, clip):
        return self.frame_hashes(run("ffmpeg", "-nostdin", "-v", "error", "-i", MEDIA / clip, "-map", "0:v", "-f", "framemd5", "-").decode())

    # ---- the tests

    def test_examples_are_short(self):
        examples = [path for path in (ROOT / "examples").iterdir() if path.suffix in (".sh", ".py", ".java")]
        self.assertEqual(len(examples), 7, "four readers of the log and three analyzers")
        for path in examples:
            self.assertLess(len(path.read_text().splitlines()), 40, path)

    def test_kcat_takes_the_newest_segment_and_ffmpeg_decodes_it(self):
        for namespace, stream, clip in STREAMS:
            if clip == "street.avi" or namespace == SHORT:
                continue  # their newest segments go on in the middle of a group of pictures
            with self.subTest(namespace=namespace, stream=stream):
                pictures = self.frame_hashes(self.kcat_frames(namespace, stream))
                self.assertTrue(pictures)
                self.assertEqual(pictures, self.source_hashes(clip)[-len(pictures):])

    def test_kcat_takes_records_by_offset_and_ffmpeg_makes_a_picture(self):
        first = [entry for entry in self.gopline("inspect", SMALL, "bunny")["segments"]][0]
        self.assertGreater(len(first["offsets"]), 5, "it was to be chunked")
        picture = self.folder / "picture.png"
        at = ["--at", first["partition"], ",".join(map(str, first["offsets"]))]
        self.kcat_frames(SMALL, "bunny", *map(str, at), "-frames:v", "1", picture)
        probed = run("ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", picture)
        self.assertEqual(probed.decode().strip(), "png,1280,720")
        self.assertEqual(self.frame_hashes(self.kcat_frames(SMALL, "bunny", *map(str, at))), self.source_hashes("bunny.mp4"))

    def test_pyav_gets_every_frame_with_one_decoder(self):
        for namespace, stream, clip in STREAMS:
            with self.subTest(namespace=namespace, stream=stream):
                rows = [line.split(maxsplit=2) for line in self.python(ROOT / "examples/read_frames.py", namespace, stream)]
                pts, time_base = self.source_frames(clip)
                self.assertEqual([int(number) for number, _, _ in rows], list(range(len(pts))))
                if clip != "street.avi":  # NUT has a time base of its own
                    self.assertEqual([int(row[1]) - int(rows[0][1]) for row in rows], [p - pts[0] for p in pts])
                for row, p in zip(rows, pts):
                    expected = START + timedelta(seconds=float((p - pts[0]) * time_base))
                    self.assertLessEqual(abs(datetime.fromisoformat(row[2]) - expected), timedelta(microseconds=2), row)

    def test_the_cloudevents_sdk_parses_every_record(self):
        for namespace in SPLITS:
            for topic in ("segments", "index", "streams"):
                with self.subTest(namespace=namespace, topic=topic):
                    lines = [line.split() for line in self.python(ROOT / "examples/read_headers.py", f"{namespace}.{topic}")]
                    records = self.kcat(f"{namespace}.{topic}")
                    self.assertEqual(sorted((int(l[0]), int(l[1]), *l[2:5]) for l in lines),
                                     sorted((r.partition, r.offset, *(r.header(f"ce_{n}") for n in ("type", "source", "id"))) for r in records))
                    self.assertEqual(len({(line[3], line[4]) for line in lines}), len(lines), "(source, id) repeats")

    def test_the_java_consumer_reads_and_its_partitioner_agrees(self):
        for namespace in (PLAIN, SMALL):
            with self.subTest(namespace=namespace):
                lines = run("java", "-Xmx256m", "-cp", f"{jvm.KAFKA}/lib/*", ROOT / "examples/SegmentReader.java",
                            self.kafka.bootstrap, namespace, cwd=self.folder).decode().splitlines()
                self.assertEqual(len(lines), len(self.kcat(f"{namespace}.segments")))
                self.assertEqual({line.split()[-1] for line in lines}, {"partitioner=agrees"})
                self.assertGreater(len({line.split()[0] for line in lines}), 1, "all in one partition prove nothing")
                size = sum(int(re.search(r"bytes=(\d+)", line)[1]) for line in lines if line.split()[2] == SEGMENT)
                self.assertEqual(size, sum(stream["bytes"] for stream in self.done[namespace].values()))

    def test_ffprobe_takes_every_segment_without_a_warning(self):
        for namespace, (_, _, streams) in SPLITS.items():
            packets = Counter()
            for number, (stream, last, data) in enumerate(self.segments(namespace)):
                with self.subTest(namespace=namespace, stream=stream, segment=last.header("ce_segment")):
                    self.assertEqual(len(data), int(last.header("ce_size")))
                    path = self.folder / f"segment-{number}"
                    path.write_bytes(data)
                    # The last stream of a NUT segment says what NUT cannot.
                    done = subprocess.run(["ffprobe", "-v", "warning", "-show_entries", "packet=codec_type", "-of", "csv=p=0", path],
                                          capture_output=True, timeout=LIMIT)
                    kinds = Counter(done.stdout.decode().split())
                    packets[stream] += kinds["video"] + kinds["audio"]
                    self.assertEqual(done.returncode, 0)
                    if last.header("ce_sap") != "0":  # a decoder that begins there misses the pictures before
                        allowed = NUT_WARNING if "content-type=video/x-nut" in last.headers else b""
                        self.assertEqual(done.stderr, allowed)
            for stream, clip in streams.items():
                probed = run("ffprobe", "-v", "error", "-show_entries", "packet=codec_type", "-of", "csv=p=0", MEDIA / clip)
                self.assertEqual(packets[stream], len(probed.decode().split()), (namespace, stream))

    def test_a_box_parser_takes_every_segment(self):
        for namespace in SPLITS:
            paths = []
            for number, (_, last, data) in enumerate(self.segments(namespace)):
                if "content-type=video/mp4" in last.headers:
                    paths.append(self.folder / f"boxes-{number}.mp4")
                    paths[-1].write_bytes(data)
            printed = run("java", "-Xmx256m", "-cp", f"{ISOPARSER}/lib/*", Path(__file__).with_name("BoxCheck.java"),
                          input="".join(f"{path}\n" for path in paths).encode()).decode().splitlines()
            self.assertEqual(len(printed), len(paths))
            for boxes in printed:
                self.assertRegex(boxes, r"^ftyp moov\(mvhd .*\)( moof\(mfhd traf\(tfhd tfdt trun\) uuid\) mdat)+$")

    def test_kcat_reads_the_newest_states(self):
        for namespace in SPLITS:
            newest = {record.key: json.loads(record.value) for record in self.kcat(f"{namespace}.streams")}
            self.assertEqual(set(newest), set(SPLITS[namespace][2]))
            for stream, state in newest.items():
                with self.subTest(namespace=namespace, stream=stream):
                    done = self.done[namespace][stream]
                    self.assertEqual(state["ended"], "end-of-input")
                    self.assertEqual([state[m] for m in ("epoch", "segments", "bytes", "ordinal")],
                                     [done["epoch"], done["segments"], done["bytes"], done["first_ordinal"] + done["segments"] - 1])

    def test_kcat_reads_the_compressed_index(self):
        for namespace in SPLITS:
            stored = {(r.partition, r.offset): r for r in self.kcat(f"{namespace}.segments")}
            entries = [json.loads(r.value) for r in self.kcat(f"{namespace}.index") if r.header("ce_type") == "gopline.index.v1"]
            for entry in entries:
                chunks = [stored[entry["partition"], offset] for offset in entry["offsets"]]
                self.assertEqual({(r.key, r.header("ce_segment")) for r in chunks}, {(entry["stream"], str(entry["segment"]))})
                self.assertEqual(sum(len(r.value) for r in chunks), entry["size"])
            self.assertEqual(Counter(entry["stream"] for entry in entries),
                             {stream: done["segments"] for stream, done in self.done[namespace].items()})
        for topic, codec in (("index", "zstd"), ("segments", "none")):
            log = next(path for path in self.kafka.brokers[0].data.glob(f"{PLAIN}.{topic}-*/*.log") if path.stat().st_size)
            printed = jvm.finish_tool(jvm.start_tool("org.apache.kafka.tools.DumpLogSegments", ["--files", str(log)]), "DumpLogSegments")
            self.assertEqual(set(re.findall(r"compresscodec: (\w+)", printed)), {codec}, topic)

    def test_a_consumer_group_goes_on_where_it_committed(self):
        everything = {(record.partition, record.offset) for record in self.kcat(f"{PLAIN}.segments")}
        read = []
        for count in (7, 20, len(everything) - 27):
            lines = self.python(Path(__file__).with_name("group_reader.py"), f"{PLAIN}.segments", "foreign", str(count))
            read += [tuple(map(int, line.split())) for line in lines]
        self.assertEqual(len(read), len(everything))
        self.assertEqual(set(read), everything)


if __name__ == "__main__":
    unittest.main()
