"""kill -9 in the middle of a split: what was acknowledged is there, the log repairs itself, the next run goes on."""

import signal
import unittest

from support import SystemTest


class Crashes(SystemTest):
    def test_killed_in_the_middle(self):
        clip = self.transport_stream().read_bytes()
        for part in (3, 6, 8):
            with self.subTest(part):
                self.log = self.folder / f"log{part}"
                process = self.start_gopline("split", "-", "--stream", "door")
                process.stdin.write(clip[: len(clip) * part // 10])
                process.stdin.flush()
                self.wait_for_segments(process, "door", part // 2)
                acknowledged = self.segments("door")
                process.kill()
                process.wait()
                report = self.verify("door")
                self.assertTrue(report["whole"], report)
                self.assertTrue(any("died" in note for note in report["notes"]), report["notes"])
                self.assertEqual(self.segments("door")[: len(acknowledged)], acknowledged)

    def test_the_next_run_goes_on_where_the_dead_one_stopped(self):
        clip = self.transport_stream().read_bytes()
        process = self.start_gopline("split", "-", "--stream", "door")
        process.stdin.write(clip[: len(clip) // 2])
        process.stdin.flush()
        self.wait_for_segments(process, "door", 3)
        process.kill()
        process.wait()
        before = len(self.segments("door"))
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "door")
        segments = self.segments("door")
        self.assertEqual([s["ordinal"] for s in segments], list(range(len(segments))))
        self.assertEqual(len({s["epoch"] for s in segments}), 2)
        self.assertGreaterEqual(len(segments), before + 4)
        report = self.verify("door")
        self.assertTrue(report["whole"], report)

    def test_killed_again_and_again(self):
        """Every round kills a writer at another place; nothing that one round saw is missing in the next."""
        seen = {}
        for round_number in range(6):
            process = self.start_gopline("split", self.clip("street_av1.mp4"), "--loop", "--stream", "cam")
            self.wait_for_segments(process, "cam", len(seen) + 3 + round_number)
            process.send_signal(signal.SIGKILL)
            process.wait()
            segments = {(s["epoch"], s["segment"]): s for s in self.segments("cam")}
            for key, segment in seen.items():
                self.assertEqual(segments[key], segment)
            seen = segments
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "cam")
        report = self.verify("cam")
        self.assertTrue(report["whole"], report)
        segments = self.segments("cam")
        self.assertEqual([s["ordinal"] for s in segments], list(range(len(segments))))
        self.run_gopline("aggregate", "cam", "--epoch", "all", "--output", self.folder / "all.mp4")


if __name__ == "__main__":
    unittest.main()
