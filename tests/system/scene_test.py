"""gopline analyze --analyzer scene: what may happen to a camera, made with ffmpeg at known times."""

import unittest

from analysis import AnalysisTest, seconds

ANALYZER = "scene:learn=2s,min_time=1s,quiet=1s,frozen_time=3s,memory=10s"
BEGIN, END = 6, 10
TROUBLES = {
    "black": f"drawbox=color=black:t=fill:enable='between(t,{BEGIN},{END})'",
    "covered": f"drawbox=color=0x503020:t=fill:enable='between(t,{BEGIN},{END})'",
    "defocused": f"gblur=sigma=6:enable='between(t,{BEGIN},{END})'",
}


class Scene(AnalysisTest):
    def camera(self, name, *filters):
        """Twenty seconds of a street, and what happens to it."""
        path = self.folder / f"{name}.mp4"
        self.ffmpeg("-i", self.clip("street.mp4"), "-an", "-filter_complex", ",".join(filters) or "null", "-c:v", "libx264", "-preset", "veryfast",
                    "-g", "20", "-pix_fmt", "yuv420p", path)
        self.split(name, clip=path)
        self.analyze(ANALYZER, "--streams", name)
        return [(e["class"], e["phase"], seconds(e["started"] if e["phase"] == "start" else e["time"])) for e in self.events(name)]

    def test_a_street_is_in_order(self):
        self.assertEqual(self.camera("street"), [])

    def test_what_covers_a_camera_and_blurs_it(self):
        for trouble, done in TROUBLES.items():
            with self.subTest(trouble=trouble):
                (start, end) = self.camera(trouble, done)
                self.assertEqual((start[:2], end[:2]), ((trouble, "start"), (trouble, "end")))
                self.assertAlmostEqual(start[2], BEGIN, delta=0.51)
                self.assertAlmostEqual(end[2], END + 1, delta=0.61)  # quiet

    def test_a_camera_that_is_turned_is_told_once(self):
        turned = self.camera("turned", f"split[a][b];[b]hflip,vflip[c];[a][c]overlay=enable='gte(t,{BEGIN})'")
        self.assertEqual([e[:2] for e in turned], [("moved", "start"), ("moved", "end")])
        self.assertAlmostEqual(turned[0][2], BEGIN, delta=0.51)
        self.assertLess(turned[1][2], 20, "what it sees now has become what it sees")

    def test_a_picture_that_stands_still(self):
        frozen = self.camera("frozen", f"select='not(between(t,{BEGIN},{END}))',fps=10")
        self.assertEqual([e[:2] for e in frozen], [("frozen", "start"), ("frozen", "end")])
        self.assertAlmostEqual(frozen[0][2], BEGIN, delta=0.61)


if __name__ == "__main__":
    unittest.main()
