"""gopline aggregate A B ...: several streams in one picture, on one time axis. What is shown when is read from the pixels, by ffmpeg."""

import json
import signal
import sqlite3
import subprocess
import unittest

from several_support import SeveralStreams, at
from support import FAILED, INTERRUPTED, NOT_WHOLE, USAGE, WHOLE

LEFT, RIGHT = (32, 32), (96, 32)


class Mosaic(SeveralStreams):
    def test_every_tile_shows_the_frame_of_that_time(self):
        self.stream("a", 0.0)
        self.stream("b", 0.7)
        left, right = self.numbers(self.mosaic("a", "b"), LEFT, RIGHT)
        self.assertEqual(left, list(range(20)) + [None] * 7)
        self.assertEqual(right, [None] * 7 + list(range(20)))
        self.assertEqual([self.report["from"], self.report["to"]], ["2026-11-22T18:00:00.000000Z", "2026-11-22T18:00:02.700000Z"])
        a, b = self.report["streams"]
        self.assertEqual((a["frames"], a["shown"], a["passed_over"], a["late"]), (20, 20, 0, 0))
        self.assertAlmostEqual(a["seconds_without_signal"], 0.7)
        self.assertEqual((a["outages"], b["outages"], b["x"]), (1, 1, 64))
        self.assertTrue(self.report["whole"])

    def test_rates_sizes_codecs_and_pixel_formats_may_differ(self):
        self.stream("fast", rate=20, frames=38)
        self.stream("slow", rate=4, frames=8, size="48x64", codec=("libx265", "-x265-params", "lossless=1:log-level=error"))
        self.split("grey", self.make_clip("grey.mkv", rate=10, frames=20, size="96x32", codec=("ffv1",), more=("-pix_fmt", "yuv444p10le")))
        frames = self.mosaic("fast", "slow", "grey", size="128x128", options=("--fps", "10"))
        fast, slow, grey = self.numbers(frames, LEFT, RIGHT, (32, 96))
        self.assertEqual(fast, list(range(0, 38, 2)) + [None])
        # A frame of the slow one begins at 0, 0.25, 0.5 ... and counts as the nearest instant.
        self.assertEqual(slow, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7])
        self.assertEqual(grey, list(range(20)))
        self.assertEqual(self.report["streams"][0]["passed_over"], 19)
        first = frames[0]
        # Letterboxed: 48x64 fills the height, 96x32 the width of a tile of 64x64.
        self.assertEqual([self.number(first, 64 + x, 32) for x in (2, 32, 61)], [None, 0, None])
        self.assertEqual([self.number(first, 32, 64 + y) for y in (2, 32, 61)], [None, 0, None])
        self.assertEqual([self.number(first, x, 96) for x in (2, 61)], [0, 0])

    def test_turned_and_oblong_pixels_are_shown_upright(self):
        self.split("turned", self.turned(self.make_clip("plain.mp4", size="64x32", frames=5), "turned.mov"))
        self.split("oblong", self.make_clip("oblong.mp4", size="64x64", frames=5, more=("-vf", "setsar=1/2")))
        first = self.mosaic("turned", "oblong")[0]
        self.assertEqual([self.number(first, x, 32) for x in (2, 32, 61)], [None, 0, None])
        self.assertEqual([self.number(first, 32, y) for y in (2, 61)], [0, 0])
        self.assertEqual([self.number(first, 64 + x, 32) for x in (2, 32, 61)], [None, 0, None])

    def test_a_gap_and_an_epoch_of_another_size_are_no_signal_between(self):
        self.stream("a", 0.0, frames=10)
        self.split("a", self.make_clip("later.mp4", frames=10, size="32x64", key_every=3), 3.0)
        self.stream("b", 0.0, frames=38)
        left, right = self.numbers(self.mosaic("a", "b", options=("--epoch", "all")), LEFT, RIGHT)
        self.assertEqual(left, list(range(10)) + [None] * 20 + list(range(10)))
        self.assertEqual(right, list(range(38)) + [None] * 2)
        self.assertEqual(self.report["streams"][0]["outages"], 1)

    def test_what_is_lost_is_said_and_the_others_go_on(self):
        self.stream("a", 0.0)
        self.stream("b", 0.0)
        self.lose("a", 1)
        left, right = self.numbers(self.mosaic("a", "b", code=NOT_WHOLE), LEFT, RIGHT)
        self.assertEqual(left, [n if n < 5 or n >= 10 else None for n in range(20)])
        self.assertEqual(right, list(range(20)))
        a, b = self.report["streams"]
        self.assertEqual((a["gap_count"], a["gaps"][0]["cause"], b["gap_count"]), (1, "lost", 0))

    def test_a_stream_whose_pictures_are_rubbish_has_no_influence_on_the_others(self):
        self.ffmpeg("-i", self.make_clip("good.mp4", key_every=20), "-c", "copy", "-bsf:v", "noise=amount=40", self.folder / "rubbish.mp4")
        self.split("rubbish", self.folder / "rubbish.mp4")
        self.stream("b", 0.0)
        frames = self.mosaic("rubbish", "b", code=(WHOLE, NOT_WHOLE))
        self.assertEqual(self.numbers(frames[:20], RIGHT), [list(range(20))])
        self.assertGreater(self.report["streams"][0]["undecodable"], 0)
        self.assertFalse(self.report["whole"])

    def test_a_stream_without_footage_in_the_range_is_a_tile_without_a_signal(self):
        self.stream("a", 0.0)
        self.stream("early", -7200.0)
        left, right = self.numbers(self.mosaic("a", "early", code=NOT_WHOLE, options=("--from", at(0), "--to", at(60))), LEFT, RIGHT)
        self.assertEqual(left, list(range(20)))
        self.assertEqual(right, [None] * 20)
        self.assertIn("early", self.report["streams"][1]["error"])

    def test_epochs_that_overlap_are_counted(self):
        self.stream("a", 0.0)
        self.split("a", self.folder / "a.mp4", 1.5)
        (shown,) = self.numbers(self.mosaic("a", size="64x64", options=("--epoch", "all")), LEFT)
        self.assertEqual(shown, list(range(20)) + list(range(5, 20)))
        self.assertEqual(self.report["streams"][0]["backwards"], 5)

    def lose(self, stream, number):
        """Takes a segment's record out of the log."""
        (offset,) = self.segments(stream)[number]["offsets"]
        with sqlite3.connect(self.log / "catalogue.db") as database:
            database.execute(
                "DELETE FROM records WHERE CAST(key AS TEXT) = ? AND id & 0xffffffffff = ? AND id >> 40 IN "
                "(SELECT p.id FROM partitions p JOIN topics t ON t.id = p.topic WHERE t.name = 'gopline.segments')", (stream, offset)
            )
        database.close()

    def test_a_range_is_exact_and_the_same_frames_are_in_it(self):
        self.stream("a", 0.0)
        self.stream("b", 0.7)
        whole = self.numbers(self.mosaic("a", "b"), LEFT, RIGHT)
        part = self.numbers(self.mosaic("a", "b", options=("--from", at(0.4), "--to", at(1.2))), LEFT, RIGHT)
        self.assertEqual(part, [line[4:12] for line in whole])

    def test_the_same_records_make_the_same_file(self):
        self.stream("a", 0.0, sound=440)
        self.stream("b", 0.33, rate=7)
        for name in ("one.mp4", "two.mp4"):
            self.run_gopline("aggregate", "a", "b", "--output", self.folder / name, "--size", "256x128", "--sound", "a")
        self.assertEqual((self.folder / "one.mp4").read_bytes(), (self.folder / "two.mp4").read_bytes())

    def test_little_memory_is_enough(self):
        self.stream("a", 0.0, frames=38)
        self.stream("b", 2.0, frames=38)
        left, right = self.numbers(self.mosaic("a", "b", options=("--max-waiting-bytes", "1")), LEFT, RIGHT)
        self.assertEqual(left, list(range(38)) + [None] * 20)
        self.assertEqual(right, [None] * 20 + list(range(38)))

    def test_labels_are_written_over_the_tiles(self):
        self.stream("gate", 0.0, frames=5, size="320x180")
        self.stream("yard", 0.3, frames=5, size="320x180")
        self.run_gopline("aggregate", "gate", "yard", "--output", self.folder / "m.mkv", "--size", "640x180")
        first = self.read_frames(self.folder / "m.mkv", "640x180")[0]
        words = [sum(1 for row in first[165:180] for luma in row[x:x + 320] if luma > 150) for x in (0, 320)]
        self.assertGreater(words[0], 30, "the label of the one")
        self.assertGreater(words[1], 10, "and of the one that has no signal yet")
        middle = sum(1 for row in first[70:110] for luma in row[320:] if luma > 150)
        self.assertGreater(middle, 30, "which says so")

    def test_the_sound_of_one_stream_is_in_step_and_silent_in_gaps(self):
        self.stream("a", 0.0)
        self.stream("b", 0.5, sound=440)
        self.mosaic("a", "b", options=("--sound", "b"))
        raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", self.folder / "mosaic.mp4", "-map", "0:a", "-f", "s16le", "-ac", "1", "-ar",
                              "8000", "-"], capture_output=True, check=True).stdout
        samples = memoryview(raw).cast("h")
        loud = [max(abs(s) for s in samples[i:i + 80]) > 500 for i in range(0, len(samples) - 80, 80)]  # by 10 ms
        self.assertLess(abs(loud.index(True) - 50), 6)
        self.assertAlmostEqual(len(samples) / 8000, 2.5, delta=0.06)
        self.assertTrue(all(loud[60:220]))  # the clip's sound ends a little before its pictures

    def test_pipes_and_other_containers(self):
        self.stream("a", 0.0, frames=5)
        done = self.run_gopline("aggregate", "a", "a", "--output", "-", "--size", "128x64", "--no-labels")
        (self.folder / "pipe.mp4").write_bytes(done.stdout_bytes)
        for name in ("m.mkv", "m.ts"):
            self.run_gopline("aggregate", "a", "a", "--output", self.folder / name, "--size", "128x64", "--no-labels")
        for name in ("pipe.mp4", "m.mkv", "m.ts"):
            left, right = self.numbers(self.read_frames(self.folder / name, "128x64"), LEFT, RIGHT)
            self.assertEqual([left, right], [[0, 1, 2, 3, 4]] * 2, name)

    def test_what_cannot_be_is_said(self):
        self.stream("a", 0.0, frames=5)
        self.stream("old", -90000.0, frames=5)
        output = self.folder / "m.mp4"
        self.assert_one_clear_message(self.run_gopline("aggregate", "a", "nobody", "--output", output, code=FAILED), "nobody")
        self.assert_one_clear_message(self.run_gopline("aggregate", "a", "old", "--output", output, code=FAILED), "--from")
        for options in (["--layout", "1x1"], ["--size", "63x64"], ["--fps", "0"], ["--sound", "b"], ["--from", "5"], ["--epoch", "0"],
                        ["--layout", "2"], ["--join", "--size", "128x64"], ["--join", "--follow"]):
            self.run_gopline("aggregate", "a", "old", "--output", output, *options, code=USAGE)
        self.run_gopline("aggregate", "a", "--join", "--output", output, code=USAGE)
        self.run_gopline("aggregate", "a", "old", "--output", "udp://127.0.0.1:9", code=USAGE)
        self.assertFalse(output.exists())
        self.assertFalse((self.folder / "m.mp4.part").exists())

    def test_following_shows_what_is_made_and_who_goes_away(self):
        self.stream("a", 0.0, frames=5)
        self.stream("b", 0.0, frames=5)
        output = self.folder / "live.mp4"
        process = self.start_gopline("aggregate", "a", "b", "--follow", "--output", output, "--size", "128x64", "--no-labels", "--format", "fmp4",
                                     "--max-delay", "1s", "--json")
        self.await_said(process, "following")
        long, short = self.make_clip("long.mp4", frames=38), self.make_clip("short.mp4", frames=12)
        split = [self.start_gopline("split", clip, "--stream", name, "--start-time", at(60), "--segment-duration", "500ms", "--rate", "realtime")
                 for name, clip in (("a", long), ("b", short))]
        for one in split:
            one.communicate()
            self.assertEqual(one.returncode, WHOLE)
        part = self.folder / "live.mp4.part"
        self.await_that(lambda: len(self.frames_so_far(part)) >= 30, process)  # a fragment is complete when the next key frame comes
        process.send_signal(signal.SIGINT)
        report = json.loads(process.stdout.read())
        self.assertEqual(process.wait(), INTERRUPTED)
        left, right = self.numbers(self.read_frames(output, "128x64"), LEFT, RIGHT)
        shown = [n for n in left if n is not None]
        self.assertEqual(shown, list(range(38))[: len(shown)])
        self.assertGreaterEqual(len(shown), 30)
        # Of a stream that has fallen silent the last picture stays open: nobody has said that it is over.
        self.assertEqual([n for n in right if n is not None], list(range(11)))
        both = [(a, b) for a, b in zip(left, right) if b is not None]
        self.assertEqual([a for a, _ in both], [b for _, b in both], "in step")
        self.assertIsNone(right[-1])
        self.assertEqual((report["streams"][1]["shown"], report["streams"][1]["late"]), (11, 1))

    def frames_so_far(self, path):
        if not path.exists():
            return []
        done = subprocess.run(["ffprobe", "-v", "quiet", "-select_streams", "v", "-show_entries", "packet=pts", "-of", "csv=p=0", path],
                              capture_output=True, text=True)
        return done.stdout.split()


if __name__ == "__main__":
    unittest.main()
