"""Cameras whose clocks and rates are not what they say: every segment is still when and as long as it was."""

import time
import unittest

from cameras import LiveTest, seconds, source, when

REORDERED = 0.5  # seconds: the time of a segment is that of its first picture, its duration that of decoding


class Clocks(LiveTest):
    def test_timestamps_that_wrap_rates_that_are_wrong_and_key_frames_that_hardly_come(self):
        street = self.clip("street.mp4")
        camera = self.camera({"wraps": source(street, wrap=3), "slow": source(street, fps=21, declare=25), "smart": source(street, gop=600),
                              "bursts": source(street, start="now", burst=3)})
        names = ("wraps", "slow", "smart")
        process = self.split(*map(camera.url, names), "--max-segment-time", "2s")
        for name in names:
            self.wait_for(process, name, lambda segments: sum(map(seconds, segments)) > 6)
        late = self.split(camera.url("bursts"))  # which has run for more than its burst by now
        self.wait_for_segments(late, "bursts", 1)
        arrived = time.time()
        self.wait_for_segments(late, "bursts", 3)
        self.interrupt(late)
        self.interrupt(process)

        for name in (*names, "bursts"):
            segments = self.segments(name)
            self.assertEqual(len({s["epoch"] for s in segments}), 1, name)
            self.assertEqual([s["gap"] for s in segments if s["gap"]], [], name)
            self.assert_as_long_as_it_took(name, segments)
        self.assert_is_the_clip("wraps", street)
        file = self.folder / "slow.mkv"
        self.run_gopline("aggregate", "slow", "--output", file)
        self.assertAlmostEqual(len(self.packet_hashes(file)[0]) / sum(map(seconds, self.segments("slow"))), 21, delta=1)
        smart = self.segments("smart")
        self.assertEqual({s["sap"] for s in smart[1:]}, {0}, "they go on within the group of pictures")
        self.assertLess(max(map(seconds, smart)), 2 + REORDERED)
        self.assertLess(when(self.segments("bursts")[0]["time"]), arrived - 1, "what a burst brings is older than its arrival")

    def assert_as_long_as_it_took(self, name, segments):
        first, last = segments[0], segments[-1]
        took = when(last["time"]) - when(first["time"])
        self.assertAlmostEqual(sum(map(seconds, segments[:-1])), took, delta=REORDERED, msg=name)


if __name__ == "__main__":
    unittest.main()
