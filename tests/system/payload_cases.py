"""What must hold of large payloads, whatever the log and the store: a test class names both and gets these cases."""

import os
import random
import signal
import subprocess
import time
from pathlib import Path

from support import FAILED, NOT_WHOLE, USAGE, WHOLE

STRATEGIES = ("inline", "chunk", "claim", "auto")
IS_LONG = os.environ.get("GOPLINE_TEST_LONG") == "1"
MOST_RSS = 300 << 20
DAYS = 24 * 3600


class PayloadCases:
    """Mixed into a SystemTest that has `log` and `blobs` (URLs), `blob_files()`, the store's objects as files, and
    `stored_bytes()`, what the log's files hold."""

    blobs = None
    piece = ("--piece-bytes", "1MB")

    def file_of(self, size, name="file.bin", seed=1):
        """Noise, a block of 64 MiB at a time, each told apart by its number."""
        path = self.folder / name
        block = random.Random(seed).randbytes(min(size, 64 << 20))
        with open(path, "wb") as out:
            number = 0
            while out.tell() < size:
                part = bytearray(block[: size - out.tell()])
                part[:8] = number.to_bytes(8, "big")[: len(part)]
                out.write(part)
                number += 1
        return path

    def put(self, path, stream, *more, code=WHOLE):
        return self.json_of("put", path, "--stream", stream, "--blobs", self.blobs, *more, code=code)

    def get(self, stream, *more, code=WHOLE):
        out = self.folder / "got"
        out.unlink(missing_ok=True)
        done = self.run_gopline("get", stream, "--output", out, "--json", *more, code=code)
        self.assertEqual(out.exists(), done.returncode == WHOLE, "nothing half is left")
        return out, done

    def assert_gets(self, stream, path, *more):
        out, _ = self.get(stream, *more)
        with open(out, "rb") as a, open(path, "rb") as b:
            while True:
                x, y = a.read(1 << 20), b.read(1 << 20)
                self.assertTrue(x == y, f"{stream} differs before byte {a.tell()}")
                if not x:
                    break

    def rss_of(self, *arguments):
        """Runs it, and returns the most memory that it had at a time, in bytes."""
        process = self.start_gopline(*arguments, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.assertEqual(process.returncode, WHOLE, process.stderr.read().decode())
        return usage.ru_maxrss << 10

    # ---- there and back

    def test_every_strategy_gives_the_file_back(self):
        path = self.file_of(9_999_999)
        for strategy in STRATEGIES:
            with self.subTest(strategy):
                report = self.put(path, f"site/{strategy}", "--payload", strategy, *self.piece, "--chunk-bytes", "300KB")
                self.assertEqual(report["bytes"], path.stat().st_size)
                if strategy != "auto":
                    self.assertEqual([p["strategy"] for p in report["payloads"]], [strategy])
                self.assert_gets(f"site/{strategy}", path)
                verified = self.json_of("verify", f"site/{strategy}", "--files")["streams"][0]
                self.assertTrue(verified["whole"], verified)

    def test_auto_goes_by_size_and_says_why(self):
        sizes = ("--inline-bytes", "10KB", "--chunk-bytes", "10KB", "--claim-bytes", "100KB")
        for size, strategy, word in ((10_000, "inline", "fit"), (10_001, "chunk", "hold up"), (100_000, "claim", "store")):
            path = self.file_of(size, f"{size}.bin")
            (payload,) = self.put(path, "auto", *sizes)["payloads"]
            self.assertEqual(payload["strategy"], strategy)
            self.assertIn(word, payload["reason"])
            self.assert_gets("auto", path)
        shown = self.run_gopline("put", path, "--stream", "again", "--blobs", self.blobs, *sizes, "--explain").stdout
        self.assertIn("claim", shown)
        self.assertIn("Compressed: no", shown)

    def test_small_and_empty_files(self):
        for size in (0, 1):
            path = self.file_of(size, f"{size}.bin")
            for strategy in STRATEGIES:
                self.put(path, f"small/{strategy}", "--payload", strategy)
                self.assert_gets(f"small/{strategy}", path)

    def test_strategies_change_in_mid_stream(self):
        clip = self.clip("street.mp4")
        for strategy in ("inline", "claim", "chunk"):
            self.run_gopline("split", clip, "--stream", "cam", "--payload", strategy, "--chunk-bytes", "20KB", "--blobs", self.blobs)
        segments = self.segments("cam")
        self.assertEqual([bool(s["dataref"]) for s in segments], [False] * 10 + [True] * 10 + [False] * 10)
        self.assertTrue(all(len(s["offsets"]) > 1 for s in segments[20:]))
        self.assertTrue(all(s["parts"] for s in segments))
        self.run_gopline("aggregate", "cam", "--epoch", "all", "--output", self.folder / "all.mp4")
        once, all_three = self.packet_hashes(clip), self.packet_hashes(self.folder / "all.mp4")
        self.assertEqual({track: hashes * 3 for track, hashes in once.items()}, all_three)
        self.assertTrue(self.verify("cam")["whole"])

    # ---- a writer that dies

    def test_a_put_that_was_killed_goes_on_without_repeating(self):
        path = self.file_of(60_000_000)
        small = ("--piece-bytes", "200KB", "--payload", "chunk", "--chunk-bytes", "4KB")
        for _ in range(2):
            process = self.start_gopline("put", path, "--stream", "big", "--blobs", self.blobs, *small)
            self.wait_for_bytes(process, 4_000_000)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        out, done = self.get("big", code=FAILED)
        self.assert_one_clear_message(done, "big", "put")
        report = self.put(path, "big", *small)
        self.assertGreater(report["resumed_from"], 0)
        self.assertEqual(report["resumed_from"] + report["bytes"], path.stat().st_size)
        self.assert_gets("big", path)
        self.assertEqual(self.put(path, "big", *small)["already_whole"], True)
        path.touch()
        self.assertEqual(self.put(path, "big", *small)["resumed_from"], 0, "another file of that name")

    def wait_for_bytes(self, process, count):
        """Until the log has taken so many more. Looks at its files: asking the program would take longer than a put."""
        enough = self.stored_bytes() + count
        until = time.monotonic() + 120
        while self.stored_bytes() < enough:
            self.assertIsNone(process.poll(), "the program ended early")
            self.assertLess(time.monotonic(), until)

    def test_a_file_that_changes_is_not_put_as_whole(self):
        path = self.file_of(60_000_000)
        process = self.start_gopline("put", path, "--stream", "s", "--piece-bytes", "200KB", "--payload", "chunk", "--chunk-bytes", "4KB")
        self.wait_for_bytes(process, 1_000_000)
        os.truncate(path, 30_000_000)
        _, err = process.communicate()
        self.assertEqual(process.returncode, FAILED)
        self.assertRegex(err.decode(), "gopline: .*file.bin.* (shorter|changed)")
        self.get("s", code=FAILED)

    # ---- the life of blobs

    def put_claims(self):
        path = self.file_of(3_000_000)
        self.put(path, "kept", "--payload", "claim", *self.piece)
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "cam", "--payload", "claim", "--blobs", self.blobs)
        return path

    def test_missing_and_altered_payloads_are_named(self):
        self.put_claims()
        missing, altered = sorted(f for f in self.blob_files() if "gopline.files" not in os.fspath(f) and "cam" in os.fspath(f))[:2]
        missing.unlink()
        with open(altered, "r+b") as blob:
            blob.seek(1000)
            blob.write(b"not what it was")
        (first,) = [f for f in self.blob_files() if "kept" in os.fspath(f)][:1]
        first.unlink()
        done = self.run_gopline("aggregate", "cam", "--output", self.folder / "out.mp4", code=NOT_WHOLE)
        for blob in (missing, altered):
            self.assertIn(blob.name, done.stderr)
        report = self.verify("cam", code=NOT_WHOLE)
        self.assertEqual(sorted(p["kind"] for p in report["problems"]), ["corrupt", "missing-blob"])
        bad = self.json_of("blobs", "verify", "--log", self.log, code=NOT_WHOLE)["bad"]
        self.assertEqual(sorted((b["kind"], b["uri"].rsplit("/", 1)[1]) for b in bad),
                         sorted([("missing", missing.name), ("altered", altered.name), ("missing", first.name)]))
        _, done = self.get("kept", code=NOT_WHOLE)
        self.assertIn(first.name, done.stderr)

    def test_what_nobody_refers_to_is_collected_and_nothing_else(self):
        path = self.put_claims()
        mine = set(self.blob_files())
        orphan, young = (f.with_name(c * 64) for f, c in zip(sorted(mine), "ab"))
        for copy in (orphan, young):
            copy.write_bytes(b"left by a writer that died")
            self.describe_object(copy)
        for blob in [*mine, orphan]:
            os.utime(blob, (time.time() - 3 * DAYS,) * 2)
        gc = ("blobs", "gc", "--log", self.log, "--blobs", self.blobs)
        self.run_gopline(*gc, "--grace", "1min", code=USAGE)
        report = self.json_of(*gc)
        self.assertEqual((report["orphans"]["blobs"], report["removed"]["blobs"], report["young"]["blobs"]), (1, 0, 1))
        self.assertEqual(report["keys"][0].rsplit("/", 1)[1], orphan.name)
        self.assertTrue(orphan.exists())
        report = self.json_of(*gc, "--delete")
        self.assertEqual(report["removed"]["blobs"], 1)
        self.assertEqual(set(self.blob_files()), mine | {young})
        self.assert_gets("kept", path)
        # A put that finds its content there makes it young again, so no collector takes it before its record comes.
        self.put(path, "again", "--payload", "claim", *self.piece)
        listed = self.json_of("blobs", "list", "--blobs", self.blobs)["streams"]
        self.assertEqual({s["stream"] for s in listed}, {"kept", "again", "cam"})

    def describe_object(self, path):
        """A store that keeps something beside a file adds it here."""

    # ---- memory

    def test_memory_does_not_grow_with_the_file(self):
        path = self.file_of((2 << 30) if IS_LONG else (400 << 20))
        for strategy in ("inline", "chunk", "claim"):
            with self.subTest(strategy):
                put = self.rss_of("put", path, "--stream", strategy, "--blobs", self.blobs, "--payload", strategy, "--quiet")
                out = self.folder / "got"
                get = self.rss_of("get", strategy, "--output", out, "--quiet")
                self.assertLess(put, MOST_RSS)
                self.assertLess(get, MOST_RSS)
                self.assertTrue(same_content(out, path), strategy)
                out.unlink()

    # ---- what cannot be

    def test_what_cannot_be_is_said(self):
        path = self.file_of(10)
        done = self.run_gopline("put", path, "--stream", "s", "--payload", "claim", code=USAGE)
        self.assertIn("--blobs", done.stderr)
        self.run_gopline("put", path, "--stream", "s", "--payload", "sideways", code=USAGE)
        done = self.run_gopline("put", self.folder / "nowhere", "--stream", "s", code=FAILED)
        self.assert_one_clear_message(done, "nowhere")
        done = self.run_gopline("put", self.folder, "--stream", "s", code=FAILED)
        self.assert_one_clear_message(done, "not a regular file")
        self.put(path, "there")
        done = self.run_gopline("get", "not-there", "--output", self.folder / "x", code=FAILED)
        self.assert_one_clear_message(done, "not-there", "there")


def same_content(a, b):
    if Path(a).stat().st_size != Path(b).stat().st_size:
        return False
    with open(a, "rb") as x, open(b, "rb") as y:
        while True:
            left, right = x.read(1 << 20), y.read(1 << 20)
            if left != right:
                return False
            if not left:
                return True
