"""gopline annotate: what was found, drawn into a stream of its own that plays and exports like any other."""

import json
import subprocess
import unittest

from analysis import AnalysisTest
from support import FAILED, WHOLE


class Annotate(AnalysisTest):
    def command(self, *arguments):
        if arguments[0] in ("annotate", "aggregate"):
            arguments = (arguments[0], "--log", self.log, *arguments[1:])
        return super().command(*arguments)

    def moving_box(self):
        """A grey wall; a white box crosses it from the left to the right from 5 s to 9 s."""
        path = self.folder / "wall.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "color=gray:s=320x240:r=10:d=16", "-f", "lavfi", "-i", "color=white:s=40x60:r=10:d=16", "-filter_complex",
                    "overlay=x='20+60*(t-5)':y=80:enable='between(t,5,9)'", "-c:v", "libx264", "-g", "20", "-pix_fmt", "yuv420p", path)
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


if __name__ == "__main__":
    unittest.main()
