"""What `split` takes, names and counts."""

import os
import shutil
import subprocess
import unittest

from support import SystemTest, clean_environment


class Sources(SystemTest):
    def test_one_file_is_one_stream_with_its_name(self):
        self.run_gopline("split", self.clip("street.mp4"))
        (stream,) = self.json_of("streams")["streams"]
        self.assertEqual(stream["stream"], "street")
        self.assertEqual(stream["state"], "end-of-input")
        self.assertEqual(stream["epochs"], 1)
        self.assertEqual([t["codec"] for t in stream["tracks"]], ["h264", "aac"])
        self.assertAlmostEqual(stream["duration_seconds"], 20, delta=0.2)
        self.assertEqual(stream["gaps"], [])

    def test_every_sample_clip_is_whole(self):
        clips = sorted(p for p in self.clip("").iterdir() if p.suffix in (".mp4", ".mkv") or p.name == "street.avi")
        streams = [argument for p in clips for argument in ("--stream", p.name)]
        self.run_gopline("split", *clips, *streams)
        report = self.json_of("verify", "--all")
        self.assertTrue(report["whole"], report)
        self.assertEqual([s["stream"] for s in report["streams"]], sorted(p.name for p in clips))

    def test_segments_are_numbered_without_holes(self):
        self.run_gopline("split", self.clip("street.mp4"), "--segment-duration", "2s")
        segments = self.segments("street")
        self.assertEqual([s["segment"] for s in segments], list(range(10)))
        self.assertEqual([s["ordinal"] for s in segments], list(range(10)))
        self.assertEqual({s["sap"] for s in segments}, {1})
        times = [s["time"] for s in segments]
        self.assertEqual(times, sorted(times))

    def test_segment_duration_cuts_at_key_frames(self):
        self.run_gopline("split", self.clip("street.mp4"), "--segment-duration", "10s")
        self.assertEqual(len(self.segments("street")), 2)

    def test_a_byte_cap_makes_continuations(self):
        self.run_gopline("split", self.clip("bunny.mp4"), "--max-segment-bytes", "200KB")
        segments = self.segments("bunny")
        self.assertGreater(len(segments), 3)
        self.assertEqual(segments[0]["sap"], 1)
        self.assertIn(0, {s["sap"] for s in segments[1:]})
        self.assertTrue(self.verify("bunny")["whole"])

    def test_start_time_is_the_first_capture_time(self):
        self.run_gopline("split", self.clip("street.mp4"), "--start-time", "2026-11-22T18:30:00+01:00")
        first = self.segments("street")[0]
        self.assertEqual(first["time"], "2026-11-22T17:30:00.000000Z")
        self.assertEqual(first["clock"], "given")

    def test_digest_makes_a_chain_that_verify_counts(self):
        self.run_gopline("split", self.clip("street.mp4"), "--digest", "sha256")
        report = self.verify("street")
        self.assertTrue(report["whole"])
        self.assertEqual(report["counts"]["sha256"], report["counts"]["segments"])
        self.run_gopline("split", self.clip("street_av1.mp4"), "--digest", "none")
        self.assertEqual(self.verify("street_av1")["counts"]["sha256"], 0)

    def test_standard_input(self):
        clip = self.transport_stream()
        with open(clip, "rb") as source:
            self.run_gopline("split", "-", stdin=source)
        self.assertTrue(self.verify("stdin")["whole"])
        with subprocess.Popen(["cat", clip], stdout=subprocess.PIPE) as cat:
            self.run_gopline("split", "-", "--stream", "door 2", stdin=cat.stdout)
        self.assertTrue(self.verify("door 2")["whole"])

    def test_a_live_source_is_joined_between_key_frames(self):
        """What its pictures are is not known before the next one, which comes after libavformat has stopped to look."""
        clip = self.transport_stream()
        rows = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pos,flags", "-of", "csv=p=0", clip],
                              capture_output=True, text=True, check=True).stdout.split()
        after_a_key_frame = int(rows[2].split(",")[0])  # of GOPs of 2 s
        process = self.start_gopline("split", "-", "--live", "--stream", "joined", "--json")
        process.stdin.write(clip.read_bytes()[after_a_key_frame:])
        process.stdin.close()
        process.stdin = None
        _, said = process.communicate()
        self.assertEqual(process.returncode, 0, said)
        self.assertEqual([segment["sap"] for segment in self.segments("joined")], [0] + 9 * [1], "what cannot be decoded is kept")
        self.assertEqual([(t["codec"], t["width"]) for t in self.json_of("streams")["streams"][0]["tracks"] if t["type"] == "video"], [("h264", 768)])

    def test_paths_with_spaces_unicode_and_signs(self):
        names = ("Große Halle 大厅.mp4", " outer spaces .mp4", "100% sure?.mp4", "a:b.mp4", "quote'\".mp4", "-dash.mp4", "#1.mp4")
        expected = self.packet_hashes(self.clip("street_av1.mp4"))
        for name in names:
            with self.subTest(name):
                path = self.folder / name
                shutil.copy(self.clip("street_av1.mp4"), path)
                self.run_gopline("split", "--", name if name.startswith("-") else path)
                out = self.folder / "out.mp4"
                self.run_gopline("aggregate", "--output", out, "--", name.removesuffix(".mp4"))
                self.assertEqual(self.packet_hashes(out), expected)

    def test_any_utf8_stream_id(self):
        ids = ["site-7/door-2", "大厅/камера №1", "📷", "..", "/", "a b", "100%", "a%2Fb", "-x", "x" * 512, "'; drop table x; --"]
        sources = []
        for number in range(len(ids)):
            sources.append(self.folder / f"{number}.mp4")
            shutil.copy(self.clip("street_av1.mp4"), sources[-1])
        self.run_gopline("split", *sources, *[f"--stream={i}" for i in ids])
        listed = [s["stream"] for s in self.json_of("streams")["streams"]]
        self.assertEqual(sorted(listed), sorted(ids))
        for stream in ids:
            with self.subTest(stream):
                self.assertIn("whole", self.run_gopline("verify", "--", stream).stdout)
                out = self.folder / "out.mp4"
                self.run_gopline("aggregate", "--output", out, "--", stream)
                self.assertGreater(out.stat().st_size, 100_000)

    def test_progress_stays_off_standard_output(self):
        done = self.run_gopline("split", self.clip("street.mp4"))
        self.assertEqual(len(done.stdout.splitlines()), 2, "a heading and a row")
        self.assertNotIn("\x1b", done.stdout + done.stderr)
        done = self.run_gopline("split", self.clip("street.mp4"), "--quiet")
        self.assertEqual((done.stdout, done.stderr), ("", ""))

    def test_json_of_split(self):
        document = self.json_of("split", self.clip("street.mp4"), self.clip("street_av1.mp4"))
        self.assertEqual([s["stream"] for s in document["streams"]], ["street", "street_av1"])
        first = document["streams"][0]
        self.assertEqual((first["outcome"], first["error"], first["segments"]), ("done", None, 10))
        self.assertEqual(first["first_ordinal"], 0)

    def test_the_null_log_takes_everything(self):
        done = self.run_gopline("split", self.clip("street.mp4"), "--log", "null:")
        self.assertIn("done", done.stdout)
        self.assertFalse((self.folder / "gopline-data").exists())

    def test_a_terminal_gets_bars(self):
        import pty

        terminal, other_end = pty.openpty()
        done = subprocess.run(
            self.command("split", self.clip("street.mp4")), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=other_end,
            env={**clean_environment(), "TERM": "xterm"},
        )
        os.close(other_end)
        shown = b""
        try:
            while piece := os.read(terminal, 65536):
                shown += piece
        except OSError:
            pass
        os.close(terminal)
        self.assertEqual(done.returncode, 0)
        self.assertIn("━".encode(), shown)
        self.assertNotIn(b"\x1b", done.stdout)


if __name__ == "__main__":
    unittest.main()
