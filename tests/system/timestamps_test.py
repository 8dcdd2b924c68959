"""Missing, equal, backward and jumping timestamps, and packets without bytes: everything is kept and comes back."""

import shutil
import unittest

import mp4_surgery
import ts_surgery
from support import SystemTest


class Timestamps(SystemTest):
    def comes_back(self, source, container):
        """Splits, verifies, aggregates; the payloads must equal those of ffmpeg's own remux of the source."""
        self.run_gopline("split", source)
        report = self.verify(source.stem)
        self.assertTrue(report["whole"], report)
        out, remux = self.folder / f"out.{container}", self.folder / f"remux.{container}"
        self.run_gopline("aggregate", source.stem, "--output", out)
        self.ffmpeg("-i", source, "-map", "0", "-c", "copy", remux)
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(remux))
        return report

    def test_raw_video_has_none(self):
        path = self.folder / "raw.h264"
        self.ffmpeg("-i", self.clip("street.mp4"), "-map", "0:v", "-c", "copy", "-bsf:v", "h264_mp4toannexb", path)
        self.run_gopline("split", path)
        report = self.verify("raw")
        self.assertTrue(report["whole"], report)
        self.assertEqual(report["counts"]["packets"], 200)

    def test_some_pictures_without(self):
        path = self.transport_stream()
        pictures = ts_surgery.change_stamps(path, lambda number, stamp: None if number % 5 == 3 else stamp)
        self.assertGreater(pictures, 100)
        self.run_gopline("split", path)
        report = self.verify("street")
        self.assertTrue(report["whole"], report)
        self.assertGreaterEqual(report["counts"]["packets"], 200)

    def test_equal(self):
        path = self.transport_stream()
        stamps = {}

        def repeat(number, stamp):
            stamps[number] = stamp
            return stamp - 9000 if number % 20 == 11 else stamp  # 10 frames a second: one frame back

        ts_surgery.change_stamps(path, repeat)
        self.run_gopline("split", path)
        self.assertTrue(self.verify("street")["whole"])

    def test_a_little_backward(self):
        path = self.transport_stream()
        ts_surgery.change_stamps(path, lambda number, stamp: stamp - 40_000 if number % 50 == 31 else stamp)
        self.run_gopline("split", path)
        report = self.verify("street")
        self.assertTrue(report["whole"], report)

    def test_far_backward_and_forward_is_a_discontinuity(self):
        path = self.transport_stream()
        twice = self.folder / "twice.ts"
        twice.write_bytes(path.read_bytes() * 2)
        self.run_gopline("split", twice)
        report = self.verify("twice")
        self.assertTrue(report["whole"], report)
        numbers = [s["discontinuities"] for s in self.segments("twice")]
        self.assertEqual(numbers[0], 0)
        self.assertGreaterEqual(numbers[-1], 1)
        self.assertEqual(numbers, sorted(numbers))

    def test_the_clock_of_mpeg_wraps(self):
        path = self.transport_stream()
        ts_surgery.change_stamps(path, lambda number, stamp: stamp + (1 << 33) - 10 * 90_000)
        self.run_gopline("split", path)
        report = self.verify("street")
        self.assertTrue(report["whole"], report)

    def test_packets_without_bytes(self):
        path = self.folder / "hollow.mp4"
        shutil.copy(self.clip("street.mp4"), path)
        self.assertGreater(mp4_surgery.empty_samples(path, track=0), 0)
        self.run_gopline("split", path)
        report = self.verify("hollow")
        self.assertTrue(report["whole"], report)
        out = self.folder / "out.mp4"
        self.run_gopline("aggregate", "hollow", "--output", out)
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(path))

    def test_durations_of_zero_and_without_measure(self):
        for number, duration in enumerate((0, 1, 0x7FFFFFFF)):
            with self.subTest(duration):
                path = self.folder / f"odd{number}.mp4"
                shutil.copy(self.clip("street_av1.mp4"), path)
                mp4_surgery.set_first_durations(path, 0, duration)
                self.run_gopline("split", path)
                report = self.verify(f"odd{number}")
                self.assertTrue(report["whole"], report)
                expected = sum(map(len, self.packet_hashes(path).values()))
                self.assertEqual(report["counts"]["packets"], expected)


if __name__ == "__main__":
    unittest.main()
