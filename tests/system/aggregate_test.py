"""Out of the log again: formats, ranges, epochs, pipes, gaps, outputs that cannot be written."""

import json
import os
import subprocess
import unittest

from support import FAILED, NOT_WHOLE, SystemTest, clean_environment


class Aggregate(SystemTest):
    def remux(self, clip, container):
        path = self.folder / f"remux.{container}"
        self.ffmpeg("-i", self.clip(clip), "-map", "0", "-c", "copy", path)
        return path

    def framehash(self, path):
        """All that ffmpeg says of each packet: track, times, duration, size, hash."""
        out = self.folder / "framehash.txt"
        self.ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "framehash", out)
        return out.read_text()

    def test_every_container_equals_ffmpegs_own_remux(self):
        self.run_gopline("split", self.clip("street.mp4"))
        for container in ("mp4", "mkv", "ts", "nut", "mov"):
            with self.subTest(container):
                out = self.folder / f"out.{container}"
                self.run_gopline("aggregate", "street", "--output", out)
                self.assertEqual(self.framehash(out), self.framehash(self.remux("street.mp4", container)))

    def test_pictures_and_sound_decode_to_the_same(self):
        for clip in ("street.mp4", "street_hevc.mp4", "street_av1.mp4", "cup.mp4", "door_g711.mkv", "street.avi"):
            with self.subTest(clip):
                name, extension = clip.split(".")
                self.run_gopline("split", self.clip(clip))
                out = self.folder / f"out.{extension}"
                self.run_gopline("aggregate", name, "--output", out)
                self.assertEqual(self.frame_hashes(out), self.frame_hashes(self.remux(clip, extension)))

    def test_fragmented_mp4_is_passed_through(self):
        self.run_gopline("split", self.clip("street.mp4"))
        out = self.folder / "out.mp4"
        report = self.json_of("aggregate", "street", "--output", out, "--format", "fmp4")
        self.assertTrue(report["passed_through"])
        self.assertTrue(report["whole"])
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(self.clip("street.mp4")))

    def test_standard_output(self):
        self.run_gopline("split", self.clip("street.mp4"))
        piped = self.folder / "piped.mp4"
        piped.write_bytes(self.run_gopline("aggregate", "street", "--output", "-").stdout_bytes)
        self.run_gopline("aggregate", "street", "--output", self.folder / "file.mp4", "--format", "fmp4")
        self.assertEqual(piped.read_bytes(), (self.folder / "file.mp4").read_bytes())
        piped = self.folder / "piped.ts"
        piped.write_bytes(self.run_gopline("aggregate", "street", "--output", "-", "--format", "ts").stdout_bytes)
        self.assertEqual(self.framehash(piped), self.framehash(self.remux("street.mp4", "ts")))

    def test_a_range_of_time(self):
        self.run_gopline("split", self.clip("street.mp4"), "--start-time", "2026-11-22T18:30:00Z")
        report = self.json_of(
            "aggregate", "street", "--output", self.folder / "out.mp4", "--from", "2026-11-22T18:30:05Z", "--to", "2026-11-22T18:30:09Z"
        )
        self.assertEqual(report["segments"], 3)
        stored = {s["segment"]: s["size"] for s in self.segments("street")}
        self.assertLessEqual(report["payload_bytes_read"], sum(stored[n] for n in (2, 3, 4)), "no more than needed is read")

    def test_a_range_of_offsets(self):
        self.run_gopline("split", self.clip("street.mp4"))
        segments = self.segments("street")
        first, last = segments[3]["offsets"][0], segments[6]["offsets"][0]
        report = self.json_of("aggregate", "street", "--output", self.folder / "out.mp4", "--from", str(first), "--to", str(last))
        self.assertEqual(report["segments"], 3)

    def test_epochs(self):
        for _ in range(2):
            self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "cam")
        first = self.segments("cam")[0]["epoch"]
        out = self.folder / "out.mp4"
        counts = {}
        for epoch in ("latest", str(first), "all"):
            counts[epoch] = self.json_of("aggregate", "cam", "--output", out, "--epoch", epoch)["packets"]
        self.assertEqual(counts, {"latest": 80, str(first): 80, "all": 160})
        self.assertEqual(self.json_of("aggregate", "cam", "--output", out)["packets"], 80)
        done = self.run_gopline("aggregate", "cam", "--output", out, "--epoch", "999", code=FAILED)
        self.assert_one_clear_message(done, "999")

    def test_nothing_in_the_range(self):
        self.run_gopline("split", self.clip("street.mp4"), "--start-time", "2026-11-22T18:30:00Z")
        out = self.folder / "out.mp4"
        done = self.run_gopline("aggregate", "street", "--output", out, "--from", "2027-01-01T00:00:00Z", code=FAILED)
        self.assert_one_clear_message(done, "street")
        self.assertFalse(out.exists())

    def test_outputs_that_cannot_be_written(self):
        self.run_gopline("split", self.clip("door_g711.mkv"))
        for output, more in (
            (self.folder / "nowhere" / "out.mkv", ()),
            (self.folder, ()),
            (self.folder / "out.unknown", ()),
            (self.folder / "out", ()),
            (self.folder / "out.mkv", ("--format", "nonsense")),
            (self.folder / "out.mp4", ()),  # the mp4 muxer takes no G.711
        ):
            with self.subTest(str(output)):
                done = self.run_gopline("aggregate", "door_g711", "--output", output, *more, code=FAILED)
                self.assert_one_clear_message(done)
                self.assertFalse(output.is_file(), "no half file is left")

    def test_video_does_not_go_to_a_terminal(self):
        import pty

        self.run_gopline("split", self.clip("street_av1.mp4"))
        terminal, other_end = pty.openpty()
        done = subprocess.run(
            self.command("aggregate", "street_av1", "--output", "-"), stdout=other_end, stderr=subprocess.PIPE,
            env=clean_environment(),
        )
        os.close(other_end)
        os.close(terminal)
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"terminal", done.stderr)

    def test_a_pipe_that_closes_early_is_a_failure(self):
        self.run_gopline("split", self.clip("street.mp4"))
        process = self.start_gopline("aggregate", "street", "--output", "-")
        process.stdout.read(10)
        process.stdout.close()
        self.assertEqual(process.wait(), FAILED)
        self.assertIn(b"gopline: ", process.stderr.read())
        process.stdout = None

    def test_a_bounded_file_size(self):
        import resource

        self.run_gopline("split", self.clip("street.mp4"))
        out = self.folder / "out.mp4"
        done = self.run_gopline(
            "aggregate", "street", "--output", out, code=FAILED,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
        )
        self.assert_one_clear_message(done, "out.mp4")
        self.assertFalse(out.exists())


if __name__ == "__main__":
    unittest.main()
