"""What the tests of faults share: brokers, clips with an equal to compare with, and waits that have an end."""

import atexit
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "system"), str(TESTS.parent / "tools" / "kafka")]

from cluster import Cluster  # noqa: E402
from support import INTERRUPTED, FAILED, NOT_WHOLE, PATIENCE, WHOLE, SystemTest, clean_environment  # noqa: E402,F401

IS_LONG = os.environ.get("GOPLINE_TEST_LONG") == "1"
# Takes so long that only ./dev test --all runs it.
long = unittest.skipUnless(IS_LONG, "long: ./dev test --all runs it")

_folder = None
_shared = None
_clips = {}


def scratch():
    """A folder for the whole run."""
    global _folder
    if _folder is None:
        _folder = Path(tempfile.mkdtemp(prefix="gopline-test-"))
        atexit.register(shutil.rmtree, _folder, ignore_errors=True)
    return _folder


def start_cluster(name, **options):
    """A cluster that ends with the run."""
    kafka = Cluster(scratch() / name, **options)
    atexit.register(kafka.stop, patience=0)
    kafka.start()
    return kafka


def shared_cluster():
    """One broker behind a proxy, for every module of this run; whoever breaks it mends it."""
    global _shared
    if _shared is None:
        _shared = start_cluster("one", proxies=True)
    if not _shared.running(0):
        _shared.start_broker(0)
    _shared.resume(0)
    _shared.proxies[0].clear()
    return _shared


class FaultTest(SystemTest):
    """`kafka` is the cluster; every test has a namespace of its own in it, and `log` goes past the proxy."""

    kafka = None

    def setUp(self):
        super().setUp()
        self.name_space = re.sub(r"\W+", "-", self._testMethodName.removeprefix("test_"))
        if self.kafka:
            self.log = self.url()

    def url(self, bootstrap=None, **properties):
        """Underscores of names stand for dots."""
        pairs = "&".join(f"{name.replace('_', '.')}={value}" for name, value in properties.items())
        return f"kafka://{bootstrap or self.kafka.bootstrap}/{self.name_space}" + (f"?{pairs}" if pairs else "")

    def proxied(self, **properties):
        return self.url(self.kafka.proxied_bootstrap, **properties)

    # ---- clips

    def looped(self, times, name="street.mp4"):
        """(the clip so many times as MPEG-TS, what ffmpeg says of each packet of its remux to MP4)."""
        if (name, times) not in _clips:
            source = scratch() / f"{Path(name).stem}-{times}.ts"
            self.ffmpeg("-stream_loop", str(times - 1), "-i", self.clip(name), "-map", "0", "-c", "copy", source)
            remux = scratch() / "remux.mp4"
            self.ffmpeg("-i", source, "-map", "0", "-c", "copy", remux)
            _clips[name, times] = source, self.framehash(remux)
        return _clips[name, times]

    def framehash(self, path):
        out = self.folder / "framehash.txt"
        self.ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "framehash", out)
        return out.read_text()

    # ---- processes

    def start_split(self, source, stream, *more, log=None, **popen):
        return self.start_gopline("split", source, "--stream", stream, "--log", log or self.proxied(), "--json", *more, **popen)

    def feed(self, process, data):
        """Writes to its standard input. Not for more than gopline reads ahead: a program that is held back does not read."""
        with contextlib.suppress(BrokenPipeError):
            process.stdin.write(data)
            process.stdin.flush()

    def finish(self, process, code=WHOLE):
        """Waits for its end. Returns its standard output and error as text."""
        try:
            out, err = process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            self.fail(f"has not ended within {PATIENCE} s: {process.args}\n--- stderr\n{err.decode()[-3000:]}")
        out, err = out.decode(errors="replace"), (err or b"").decode(errors="replace")
        codes = code if isinstance(code, tuple) else (code,)
        self.assertIn(process.returncode, codes, f"{process.args}\n--- stdout\n{out[-2000:]}\n--- stderr\n{err[-3000:]}")
        return out, err

    def interrupt(self, process, what=""):
        """Ctrl-C. Says how long stopping took: what is prompt is for people to judge."""
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        out, err = self.finish(process, code=(INTERRUPTED, FAILED))
        took = time.monotonic() - began
        print(f"\n    {what or self._testMethodName}: stopped in {took:.2f} s with {process.returncode}", file=sys.stderr, flush=True)
        if process.returncode == FAILED:
            self.assertIn("gopline: ", err)
        return out, err

    def await_new_connection(self, process):
        """Until the program has given up a connection through the proxy on which nothing came, and made another."""
        before = self.kafka.proxies[0].connections
        self.await_that(lambda: self.kafka.proxies[0].connections > before, process)

    def await_line(self, process, *words):
        """Reads its standard error until a line has one of the words; returns what it has read."""
        read = b""
        until = time.monotonic() + PATIENCE
        while not any(word.encode() in read for word in words):
            self.assertLess(time.monotonic(), until, read.decode(errors="replace"))
            more = os.read(process.stderr.fileno(), 65536)
            self.assertTrue(more, f"ended without a word of {words}: {read.decode(errors='replace')}")
            read += more
        return read.decode(errors="replace")

    # ---- what must hold

    def assert_whole(self, stream):
        report = self.verify(stream)
        self.assertTrue(report["whole"], report)
        self.assertEqual((report["gaps"], report["problems"]), ([], []))

    def assert_all_there(self, stream, framehash):
        """The stream is whole, and comes out as exactly what went in."""
        self.assert_whole(stream)
        self.assert_comes_out_as(stream, framehash)

    def assert_comes_out_as(self, stream, framehash, *more):
        out = self.folder / f"{stream}.mp4"
        report = self.json_of("aggregate", stream, "--output", out, *more)
        self.assertTrue(report["whole"], report)
        self.assertTrue(self.framehash(out) == framehash, f"{stream} is not what was split")

    def assert_in_order_and_once(self, stream):
        """Each segment has a number of its own, and ordinals go on without a hole. Returns the segments."""
        segments = self.segments(stream)
        numbers = [(s["epoch"], s["segment"]) for s in segments]
        self.assertEqual(len(set(numbers)), len(numbers))
        self.assertEqual([s["ordinal"] for s in segments], list(range(len(segments))))
        offsets = [offset for s in segments for offset in s["offsets"]]
        self.assertEqual(offsets, sorted(set(offsets)), "order broken, or a record twice")
        return segments

    def assert_acknowledged_kept(self, stream, seen):
        """What was seen is there as it was seen, and what is missing behind it is stated. Returns the report."""
        segments = {(s["epoch"], s["segment"]): s for s in self.segments(stream)}
        for segment in seen:
            self.assertEqual(segments.get((segment["epoch"], segment["segment"])), segment)
        report = self.verify(stream, code=(WHOLE, NOT_WHOLE))
        self.assertEqual(report["problems"], [], "no more than gaps that are stated")
        return report


def reported(out, stream=None):
    """What `split --json` says of a stream."""
    streams = json.loads(out)["streams"]
    return next(s for s in streams if stream in (None, s["stream"]))


def leader_of(kafka, topic, partition):
    """The broker that leads it, as the cluster says."""
    text = kafka.tool("org.apache.kafka.tools.TopicCommand", "--describe", "--topic", topic)
    return int(re.search(rf"Partition: {partition}\s+Leader: (\d+)", text)[1]) - 1


if __name__ == "__main__":
    unittest.main()
