"""Sources that are missing, empty, cut off, damaged or no video at all: one clear message, and what was good is kept."""

import os
import shutil
import subprocess
import unittest

import mp4_surgery
from support import FAILED, SystemTest, clean_environment, without_root_powers


class BrokenSources(SystemTest):
    def fails(self, source, *words, **more):
        """The split fails with one message that names the source and says these words, and makes no stream."""
        done = self.run_gopline("split", source, code=FAILED, **more)
        self.assert_one_clear_message(done, source, *words)
        self.assertEqual(self.json_of("streams")["streams"], [])

    def test_missing(self):
        self.fails(self.folder / "nowhere.mp4", "o such file")

    def test_empty(self):
        (self.folder / "empty.mp4").touch()
        self.fails(self.folder / "empty.mp4", "empty")

    def test_garbage(self):
        path = self.folder / "garbage.mp4"
        path.write_bytes(bytes((i * 7919 >> 3) & 0xFF for i in range(300_000)))
        self.fails(path)

    def test_text_with_a_video_name(self):
        path = self.folder / "letter.mp4"
        path.write_text("Dear camera,\n" * 1000)
        self.fails(path)

    def test_a_folder(self):
        (self.folder / "folder.mp4").mkdir()
        self.fails(self.folder / "folder.mp4", "folder")

    def test_no_permission(self):
        path = self.folder / "secret.mp4"
        shutil.copy(self.clip("street_av1.mp4"), path)
        path.chmod(0)
        self.fails(path, "ermission", preexec_fn=without_root_powers)

    def test_a_picture_without_sound_or_motion_is_still_media(self):
        self.ffmpeg("-i", self.clip("street_av1.mp4"), "-frames:v", "1", "-c:v", "mjpeg", self.folder / "one.mkv")
        self.run_gopline("split", self.folder / "one.mkv")
        self.assertTrue(self.verify("one")["whole"])

    def test_a_file_without_any_track_of_ours(self):
        path = self.folder / "captions.srt"
        path.write_text("1\n00:00:01,000 --> 00:00:02,000\nHello\n")
        done = subprocess.run(self.command("split", path), capture_output=True, env=clean_environment(), text=True)
        if done.returncode == 0:  # a subtitle track may be carried
            self.assertTrue(self.verify("captions")["whole"])
        else:
            self.assertEqual(done.returncode, FAILED)
            self.assert_one_clear_message(done, path)

    def test_wrong_extension_is_no_matter(self):
        path = self.folder / "clip.txt"
        shutil.copy(self.clip("street_av1.mp4"), path)
        self.run_gopline("split", path)
        self.assertTrue(self.verify("clip")["whole"])

    def test_mp4_cut_before_its_index(self):
        """An mp4 whose moov lies at the end, and is missing, cannot be read at all."""
        whole = self.folder / "late.mp4"
        self.ffmpeg("-i", self.clip("street_av1.mp4"), "-c", "copy", "-movflags", "-faststart", whole)
        path = self.folder / "cut.mp4"
        path.write_bytes(whole.read_bytes()[:200_000])
        self.fails(path)

    def test_mp4_cut_in_the_middle_keeps_what_came_before(self):
        whole = self.folder / "early.mp4"
        self.ffmpeg("-i", self.clip("street.mp4"), "-c", "copy", "-movflags", "+faststart", whole)
        path = self.folder / "cut.mp4"
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
        done = self.run_gopline("split", path, code=FAILED)
        self.assert_one_clear_message(done, path, "'cut'")
        report = self.verify("cut")
        self.assertTrue(report["whole"], report)
        self.assertIn(report["counts"]["segments"], range(4, 9))
        self.assertEqual(self.json_of("streams")["streams"][0]["state"], "source-lost")
        out = self.folder / "out.mp4"
        self.run_gopline("aggregate", "cut", "--output", out)
        for track, hashes in self.packet_hashes(out).items():
            # The packet at the cut is stored as far as it goes.
            self.assertEqual(hashes[:-1], self.packet_hashes(whole)[track][: len(hashes) - 1])

    def test_mkv_and_avi_cut_in_the_middle_keep_what_came_before(self):
        for container in ("mkv", "avi"):
            with self.subTest(container):
                whole = self.folder / f"whole.{container}"
                self.ffmpeg("-i", self.clip("street.mp4"), "-c", "copy", whole)
                path = self.folder / f"cut-{container}.{container}"
                path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
                done = self.run_gopline("split", path, code=FAILED)
                self.assert_one_clear_message(done, path, "cut off", f"'cut-{container}'")
                self.assertTrue(self.verify(f"cut-{container}")["whole"])

    def test_fragmented_mp4_cut_in_the_middle_keeps_what_came_before(self):
        whole = self.folder / "whole.mp4"
        self.ffmpeg("-i", self.clip("street.mp4"), "-c", "copy", "-movflags", "frag_keyframe+empty_moov", whole)
        path = self.folder / "cut.mp4"
        path.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])
        done = self.run_gopline("split", path, code=FAILED)
        self.assert_one_clear_message(done, path, "'cut'")
        self.assertTrue(self.verify("cut")["whole"])

    def test_transport_stream_cut_anywhere_is_a_shorter_one(self):
        whole = self.transport_stream()
        path = self.folder / "cut.ts"
        path.write_bytes(whole.read_bytes()[:700_001])
        subprocess.run(self.command("split", path), capture_output=True, env=clean_environment())
        report = self.verify("cut")
        self.assertTrue(report["whole"], report)
        self.assertGreaterEqual(report["counts"]["segments"], 3)

    def test_a_hole_in_a_transport_stream(self):
        whole = self.transport_stream().read_bytes()
        path = self.folder / "hole.ts"
        path.write_bytes(whole[: 188 * 2000] + os.urandom(188 * 300) + whole[188 * 2300 :])
        self.run_gopline("split", path)
        report = self.verify("hole")
        self.assertTrue(report["whole"], report)
        self.run_gopline("aggregate", "hole", "--output", self.folder / "out.ts")

    def test_damaged_pictures_are_carried_as_they_are(self):
        """Bits that only a decoder would trip over are the source's own: stored and given back, byte for byte."""
        path = self.folder / "damaged.mp4"
        shutil.copy(self.clip("street.mp4"), path)
        mp4_surgery.damage_samples(path, track=0, every=7)
        self.run_gopline("split", path)
        self.assertTrue(self.verify("damaged")["whole"])
        out = self.folder / "out.mp4"
        self.run_gopline("aggregate", "damaged", "--output", out)
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(path))

    def test_broken_length_prefixes_are_carried_as_they_are(self):
        path = self.folder / "prefix.mp4"
        shutil.copy(self.clip("street.mp4"), path)
        mp4_surgery.damage_samples(path, track=0, every=9, at=0)
        self.run_gopline("split", path)
        self.assertTrue(self.verify("prefix")["whole"])
        out = self.folder / "out.mp4"
        self.run_gopline("aggregate", "prefix", "--output", out)
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(path))

    def test_one_bad_source_leaves_the_others_alone(self):
        (self.folder / "empty.mp4").touch()
        done = self.run_gopline(
            "split", self.clip("street.mp4"), self.folder / "empty.mp4", self.folder / "nowhere.mkv",
            self.clip("street_av1.mp4"), code=FAILED,
        )
        messages = [line for line in done.stderr.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(messages), 2, done.stderr)
        for name in ("empty.mp4", "nowhere.mkv"):
            self.assertEqual(sum(name in line for line in messages), 1)
        report = self.json_of("verify", "--all")
        self.assertTrue(report["whole"])
        self.assertEqual([s["stream"] for s in report["streams"]], ["street", "street_av1"])

    def test_failures_stand_in_the_json(self):
        document = self.json_of("split", self.folder / "nowhere.mp4", self.clip("street_av1.mp4"), code=FAILED)
        outcomes = {s["stream"]: s["outcome"] for s in document["streams"]}
        self.assertEqual(outcomes, {"nowhere": "failed", "street_av1": "done"})
        self.assertIn("nowhere.mp4", document["streams"][0]["error"])

    def test_standard_input_that_is_no_video(self):
        done = self.run_gopline("split", "-", input=b"not a video at all\n" * 100, code=FAILED)
        self.assert_one_clear_message(done)
        done = self.run_gopline("split", "-", input=b"", code=FAILED)
        self.assert_one_clear_message(done)


if __name__ == "__main__":
    unittest.main()
