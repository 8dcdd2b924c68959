"""No space left: one clear message, what was acknowledged stays, and with space the log goes on."""

import resource
import subprocess
import unittest

from support import FAILED, NOT_WHOLE, WHOLE, SystemTest


class FullDisk(SystemTest):
    def small_disk(self, size):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", disk], capture_output=True)
        if mount.returncode != 0:
            self.skipTest("may not mount a small disk here")
        self.addCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
        return disk

    def test_the_disk_fills_up(self):
        disk = self.small_disk("6m")
        self.log = disk / "log"
        done = self.run_gopline("split", self.clip("street.mp4"), "--loop", code=FAILED)
        self.assert_one_clear_message(done, "street", "space")
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        report = self.verify("street", code=(WHOLE, NOT_WHOLE))
        self.assertGreater(report["counts"]["segments"], 5)
        stored = self.segments("street")
        self.run_gopline("split", self.clip("street.mp4"))
        segments = self.segments("street")
        # All that was there, and what was stored without an entry, which the second run has added.
        for segment in stored:
            self.assertIn(segment, segments)
        ordinals = [s["ordinal"] for s in segments]
        self.assertEqual(ordinals, sorted(set(ordinals)))
        # Of what was under way when the disk was full, a small segment may have found room behind a large one that did
        # not: the hole is stated. Nothing else is amiss.
        report = self.verify("street", code=(WHOLE, NOT_WHOLE))
        self.assertEqual([p for p in report["problems"] if p["kind"] != "lost"], [])

    def test_a_full_disk_can_still_be_read(self):
        disk = self.small_disk("6m")
        self.log = disk / "log"
        self.run_gopline("split", self.clip("street.mp4"), "--loop", code=FAILED)
        self.assertEqual(len(self.json_of("streams")["streams"]), 1)
        self.run_gopline("aggregate", "street", "--output", self.folder / "out.mp4", code=(WHOLE, NOT_WHOLE))
        packets = self.packet_hashes(self.folder / "out.mp4").values()
        self.assertGreater(sum(len(track) for track in packets), 1000)

    def test_media_that_nothing_can_be_written_to(self):
        disk = self.small_disk("64m")
        self.log = disk / "log"
        process = self.start_gopline("split", self.clip("street.mp4"), "--loop", "--rate", "realtime", "--stream", "street")
        self.wait_for_segments(process, "street", 1)
        process.kill()
        process.wait()
        (self.log / "catalogue.db-shm").unlink()
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = self.run_gopline("streams", code=FAILED)
        self.assert_one_clear_message(done, "catalogue.db-wal", "copy the folder")
        subprocess.run(["cp", "-r", self.log, self.folder / "copy"], check=True)
        self.log = self.folder / "copy"
        self.assertTrue(self.verify("street")["whole"])

    def test_closed_log_on_media_that_nothing_can_be_written_to(self):
        disk = self.small_disk("16m")
        self.log = disk / "log"
        self.run_gopline("split", self.clip("street.mp4"))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        self.assertTrue(self.verify("street")["whole"])

    def test_several_streams_on_a_full_disk_all_say_so(self):
        disk = self.small_disk("6m")
        self.log = disk / "log"
        done = self.run_gopline("split", self.clip("street.mp4"), self.clip("street_hevc.mp4"), "--loop", code=FAILED)
        messages = [line for line in done.stderr.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(messages), 2, done.stderr)

    def test_no_room_for_a_log_at_all(self):
        disk = self.small_disk("16k")
        self.log = disk / "log"
        done = self.run_gopline("split", self.clip("street.mp4"), code=FAILED)
        self.assert_one_clear_message(done, "log")

    def test_the_output_does_not_fit(self):
        self.run_gopline("split", self.clip("street.mp4"))
        disk = self.small_disk("500k")
        done = self.run_gopline("aggregate", "street", "--output", disk / "out.mp4", code=FAILED)
        self.assert_one_clear_message(done, "out.mp4", "space")
        self.assertFalse((disk / "out.mp4").exists())

    def test_a_limited_file_size(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
        done = self.run_gopline("split", self.clip("street.mp4"), code=FAILED, preexec_fn=limit)
        self.assert_one_clear_message(done, "street", "5 segments")
        report = self.verify("street", code=NOT_WHOLE)
        self.assertEqual(report["problems"], [])
        lost = [(g["segment"], g["cause"]) for g in report["gaps"]]
        self.assertEqual(lost, [(5, "lost")], "what was refused is stated, and nothing else is amiss")


if __name__ == "__main__":
    unittest.main()
