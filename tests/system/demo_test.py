"""The demo: it must impress, clean up after itself, and notice when something is not as it should be."""

import os
import tempfile
import unittest

from support import FAILED, SystemTest


class Demo(SystemTest):
    def test_the_whole_tour(self):
        before = {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("gopline-demo-")}
        done = self.run_gopline("demo", "--media", self.clip(""), "--log", self.log)
        self.assertIn("came back exactly as they went in", done.stdout)
        self.assertNotIn("✗", done.stdout)
        for clip in ("street.mp4", "street_hevc.mp4", "street_av1.mp4", "cup.mp4", "bunny.mp4", "door_g711.mkv", "street.avi"):
            self.assertIn(clip, done.stdout)
        after = {name for name in os.listdir(tempfile.gettempdir()) if name.startswith("gopline-demo-")}
        self.assertEqual(after - before, set(), "the demo removes what it made")
        self.assertTrue(self.json_of("verify", "--all")["whole"], "--log is left there")

    def test_twice_into_one_log(self):
        for _ in range(2):
            self.run_gopline("demo", "--media", self.clip(""), "--log", self.log)

    def test_keep(self):
        self.run_gopline("demo", "--media", self.clip(""), "--log", self.log, "--keep", self.folder / "kept")
        self.assertTrue((self.folder / "kept" / "street.mp4").exists())

    def test_without_clips(self):
        done = self.run_gopline("demo", "--media", self.folder, code=FAILED)
        self.assert_one_clear_message(done, "--media")
        done = self.run_gopline("demo", "--media", self.folder / "nowhere", code=FAILED)
        self.assert_one_clear_message(done, "--media")


if __name__ == "__main__":
    unittest.main()
