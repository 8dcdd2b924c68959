"""gopline annotate: what was found, drawn into a stream of its own that plays and exports like any other."""

import json
import signal
import subprocess
import unittest

from analysis import AnalysisTest
from support import FAILED, INTERRUPTED, USAGE, WHOLE


class Annotate(AnalysisTest):
    def command(self, *arguments):
        if arguments[0] in ("annotate", "aggregate"):
            arguments = (arguments[0], "--log", self.log, *arguments[1:])
        return super().command(*arguments)

    def moving_box(self, begin=5, end=9, length=16):
        """A grey wall; a white box crosses it from the left to the right."""
        path = self.folder / "wall.mp4"
        self.ffmpeg("-f", "lavfi", "-i", f"color=gray:s=320x240:r=10:d={length}", "-f", "lavfi", "-i", f"color=white:s=40x60:r=10:d={length}", "-filter_complex",
                    f"overlay=x='20+60*(t-{begin})':y=80:enable='between(t,{begin},{end})'", "-c:v", "libx264", "-g", "20", "-pix_fmt", "yuv420p", path)
        return path

    def annotate(self, *more):
        return json.loads(self.run_gopline("annotate", *more, "--json", code=WHOLE).stdout.splitlines()[-1])

    def coloured(self, path):
        """Times of the pictures that are not grey everywhere."""
        out = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-f", "rawvideo", "-pix_fmt", "yuv420p", "-fps_mode", "passthrough", "-"],
                             capture_output=True, check=True).stdout
        size, luma = 320 * 240 * 3 // 2, 320 * 240
        return [number / 10 for number in range(len(out) // size)
                if max(abs(value - 128) for value in out[number * size + luma:(number + 1) * size]) > 40]

    def test_what_was_found_is_drawn_where_it_was(self):
        self.split("wall", clip=self.moving_box())
        self.analyze("motion:min_time=0s,quiet=500ms,update=100ms")
        report = self.annotate("wall")
        self.assertEqual((report["target"], report["pictures"], report["epochs"], report["gaps"]), ("wall/annotated", 160, 1, 0))
        out = self.folder / "out.mp4"
        self.run_gopline("aggregate", "wall/annotated", "--output", out, "--quiet")
        marked = self.coloured(out)
        self.assertEqual(len(marked), report["pictures_marked"])
        self.assertAlmostEqual(marked[0], 5, delta=0.11)
        self.assertAlmostEqual(marked[-1], 9.6, delta=0.4)
        # The same pictures at the same times, to the millisecond.
        times = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", out],
                               capture_output=True, text=True, check=True).stdout.split()
        self.assertEqual([round(float(t.strip(",")), 3) for t in times], [n / 10 for n in range(160)])
        streams = json.loads(self.run_gopline("streams", "--log", self.log, "--json").stdout)["streams"]
        begins = {s["stream"]: s["first_time"] for s in streams}
        self.assertEqual(begins["wall"], begins["wall/annotated"])

    def test_only_some_of_it_as_something_else(self):
        self.split("wall", clip=self.moving_box())
        self.analyze("motion:min_time=0s,quiet=500ms,update=100ms")
        report = self.annotate("wall", "--as", "copy", "--class", "person", "--from", "2026-11-22T18:00:04Z", "--to", "2026-11-22T18:00:08Z")
        self.assertEqual((report["target"], report["events"], report["pictures_marked"]), ("copy", 0, 0))
        self.assertTrue(40 <= report["pictures"] <= 60, report)

    def test_each_epoch_is_one_and_nothing_is_drawn_over(self):
        clip = self.moving_box()
        self.split("wall", clip=clip)
        self.split("wall", clip=clip)
        self.assertEqual(self.annotate("wall", "--epoch", "all")["epochs"], 2)
        self.assertIn("cannot be drawn over", self.run_gopline("annotate", "wall", "--as", "wall", code=FAILED).stderr)

    def test_the_sound_goes_along_packet_for_packet(self):
        for name in ("street.mp4", "door_g711.mkv", "cup.mp4"):
            with self.subTest(clip=name):
                stream = name.split(".")[0]
                self.split(stream, clip=self.clip(name))
                report = self.annotate(stream)
                out = self.folder / f"{stream}.mkv"
                self.run_gopline("aggregate", f"{stream}/annotated", "--output", out, "--quiet")
                was, now = (self.sounds(self.clip(name)), self.sounds(out))
                self.assertEqual(len(now), report["sound_packets"])
                self.assertEqual([data for _, data in now], [data for _, data in was][-len(now):], "the same, but for what was before the first picture")
                self.assertLessEqual(len(was) - len(now), 3)
                was = was[-len(now):]
                self.assertLess(max(abs((a - was[0][0]) - (b - now[0][0])) for (a, _), (b, _) in zip(was, now)), 0.0015)
                # As far from the pictures as it was.
                self.assertAlmostEqual(was[0][0] - self.first_picture(self.clip(name)), now[0][0] - self.first_picture(out), delta=0.002)

    def first_picture(self, path):
        return min(time for time, _ in self.packets(path, "v"))

    def sounds(self, path):
        return self.packets(path, "a")

    def packets(self, path, streams):
        """Time and digest of each."""
        out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", streams, "-show_data_hash", "md5", "-show_entries", "packet=pts_time,data_hash",
                              "-of", "json", path], capture_output=True, text=True, check=True).stdout
        return [(float(p["pts_time"]), p["data_hash"]) for p in json.loads(out)["packets"]]

    def annotate_live(self, *options):
        """Camera, analyzer and annotator at once, of a box that is there from 3 s to 5 s."""
        clip = self.moving_box(3, 5, 9)
        self.split("wall", clip=clip)
        annotating = self.start_gopline("annotate", "wall", "--follow", *options, "--json")
        self.await_said(annotating, "annotating wall")
        looking = self.start_gopline("analyze", "--analyzer", "motion:min_time=0s,quiet=500ms,update=100ms", "--from", "latest")
        self.await_said(looking, "analyzing")
        self.run_gopline("split", clip, "--stream", "wall", "--rate", "realtime", "--segment-duration", "1s", "--quiet")
        self.await_that(lambda: self.segments_of("wall/annotated") >= 3, annotating)
        annotating.send_signal(signal.SIGINT)
        report = json.loads(annotating.stdout.read().splitlines()[-1])
        self.assertEqual(annotating.wait(), INTERRUPTED)
        looking.send_signal(signal.SIGINT)
        self.assertEqual(looking.wait(), INTERRUPTED)
        self.assertEqual((report["gaps"], report["epochs"]), (0, 1), report)
        return report

    def segments_of(self, stream):
        done = subprocess.run(self.command("inspect", stream, "--json"), capture_output=True)
        return len(json.loads(done.stdout)["segments"]) if done.returncode == WHOLE else 0

    def test_a_stream_is_drawn_while_it_is_made(self):
        """The box is where it was, though it was told of later."""
        report = self.annotate_live("--delay", "5s")
        self.assertEqual(report["events_late"], 0)
        out = self.folder / "out.mp4"
        self.run_gopline("aggregate", "wall/annotated", "--output", out, "--quiet")
        marked = self.coloured(out)
        self.assertEqual(len(marked), report["pictures_marked"])
        self.assertAlmostEqual(marked[0], 3, delta=0.11)
        self.assertAlmostEqual(marked[-1], 5.6, delta=0.4)

    def test_what_is_told_too_late_is_counted(self):
        self.assertGreater(self.annotate_live("--delay", "1ms")["events_late"], 0)

    def test_words_that_do_not_go_together(self):
        self.split("wall", clip=self.moving_box())
        for words in (("--follow", "--to", "2026-11-22T18:00:00Z"), ("--follow", "--epoch", "all"), ("--delay", "1s"), ("--until", "2026-11-22T18:00:00Z")):
            with self.subTest(words=words):
                self.assertIn(words[1] if words[0] == "--follow" else words[0], self.run_gopline("annotate", "wall", *words, code=USAGE).stderr)


if __name__ == "__main__":
    unittest.main()
