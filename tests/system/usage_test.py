"""Command lines: help, versions, wrong flags, exit codes, --json."""

import os
import subprocess
import unittest

from support import FAILED, PROGRAM, USAGE, SystemTest, clean_environment

COMMANDS = ("split", "aggregate", "streams", "inspect", "verify", "demo", "advise")


class Usage(SystemTest):
    def plain(self, *arguments):
        return subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, cwd=self.folder, env=clean_environment())

    def test_help_names_every_command_and_the_exit_codes(self):
        done = self.plain("--help")
        self.assertEqual(done.returncode, 0)
        for word in (*COMMANDS, "bench", "Exit codes", "Examples"):
            self.assertIn(word, done.stdout)

    def test_every_command_has_help_with_examples(self):
        for command in COMMANDS:
            with self.subTest(command):
                done = self.plain(command, "--help")
                self.assertEqual(done.returncode, 0)
                self.assertIn("Examples:\n  gopline " + command, done.stdout)
                self.assertIn("Exit codes:", done.stdout)

    def test_version(self):
        self.assertRegex(self.plain("--version").stdout, r"^gopline \d+\.\d+\.\d+\n$")

    def test_wrong_command_lines_are_usage_errors(self):
        clip = os.fspath(self.clip("street.mp4"))
        for arguments in (
            [],
            ["splitt"],
            ["split"],
            ["split", "--frobnicate", clip],
            ["split", clip, "--segment-duration", "fast"],
            ["split", clip, "--segment-duration", "0s"],
            ["split", clip, "--max-segment-bytes", "-1"],
            ["split", clip, "--partitions", "0"],
            ["split", clip, "--partitions", "many"],
            ["split", clip, "--retention", "0s"],
            ["split", clip, "--retention", "long"],
            ["split", clip, "--retention-bytes", "0"],
            ["split", clip, "--rate", "warp"],
            ["split", clip, "--digest", "md5"],
            ["split", clip, "--start-time", "yesterday"],
            ["split", clip, "--stream", ""],
            ["split", clip, "--stream", "a\x1bb"],
            ["split", clip, clip],
            ["split", clip, "other.mp4", "--stream", "one"],
            ["split", clip, "--quiet", "--verbose"],
            ["aggregate", "lobby"],
            ["aggregate", "--output", "x.mp4"],
            ["aggregate", "lobby", "--output", "x.mp4", "--epoch", "first"],
            ["aggregate", "lobby", "--output", "x.mp4", "--from", "noon"],
            ["inspect"],
            ["inspect", "lobby", "--from", "noon"],
            ["verify"],
            ["verify", "lobby", "--all"],
            ["streams", "surplus"],
        ):
            with self.subTest(" ".join(arguments)):
                done = self.plain(*arguments)
                self.assertEqual(done.returncode, USAGE, done.stderr)
                self.assertTrue(done.stderr.startswith("gopline: "), done.stderr)
                self.assertIn("--help", done.stderr)
                self.assertEqual(done.stdout, "")
                self.assertEqual(os.listdir(self.folder), [], "nothing was done")

    def test_wrong_values_say_what_a_right_one_looks_like(self):
        self.assertIn("2s", self.plain("split", "x.mp4", "--segment-duration", "fast").stderr)
        self.assertIn("MiB", self.plain("split", "x.mp4", "--max-segment-bytes", "big").stderr)
        self.assertIn("2026-11-22T18:30:00Z", self.plain("split", "x.mp4", "--start-time", "noon").stderr)

    def test_topics_are_made_as_told_and_stay_so(self):
        clip = self.clip("street.mp4")
        self.run_gopline("split", clip, "--partitions", "1", "--retention", "30d", "--retention-bytes", "500KB")
        self.run_gopline("split", clip, "--partitions", "64", "--stream", "other")
        streams = self.json_of("streams")["streams"]
        self.assertEqual([s["partition"] for s in streams], [0, 0])
        for stream in ("street", "other"):
            self.assertGreater(self.verify(stream)["first_offset"], 0, "more than 500 KB were written")

    def test_footage_that_is_old_enough_goes(self):
        clip = self.clip("street.mp4")
        self.run_gopline("split", clip, "--retention", "1ms")
        self.run_gopline("split", clip, "--retention", "30d")
        self.assertGreater(self.verify("street")["first_offset"], 0)

    def test_two_sources_of_one_name_are_told_how_to_differ(self):
        done = self.plain("split", "a/cam.mp4", "b/cam.mp4")
        self.assertEqual(done.returncode, USAGE)
        for word in ("a/cam.mp4", "b/cam.mp4", "'cam'", "--stream"):
            self.assertIn(word, done.stderr)

    def test_a_log_that_is_not_there(self):
        for arguments in (["streams"], ["inspect", "lobby"], ["verify", "lobby"], ["aggregate", "lobby", "--output", "x.mp4"]):
            with self.subTest(arguments[0]):
                done = self.run_gopline(*arguments, code=FAILED)
                self.assert_one_clear_message(done, self.log, "--log")
                self.assertFalse(self.log.exists(), "reading must not make a log")

    def test_logs_that_are_none(self):
        (self.folder / "file").write_text("no log")
        (self.folder / "folder").mkdir()
        (self.folder / "folder" / "letter.txt").write_text("dear")
        for url, word in (
            (self.folder / "file", "file"),
            (self.folder / "folder", "folder"),
            ("kafka://127.0.0.1:1", "kafka"),  # where nobody listens
            ("", "--log"),
        ):
            with self.subTest(url):
                done = self.run_gopline("split", self.clip("street.mp4"), "--log", url, code=FAILED)
                self.assert_one_clear_message(done, word)
        self.assertEqual(os.listdir(self.folder / "folder"), ["letter.txt"])

    def test_the_null_log_cannot_be_read(self):
        done = self.run_gopline("streams", "--log", "null:", code=FAILED)
        self.assert_one_clear_message(done, "null:")

    def test_a_stream_that_is_not_there_is_told_with_those_that_are(self):
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "lobby")
        for arguments in (["inspect", "loby"], ["verify", "loby"], ["aggregate", "loby", "--output", "x.mp4"]):
            done = self.run_gopline(*arguments, code=FAILED)
            self.assert_one_clear_message(done, "loby", "lobby")

    def test_the_log_may_come_from_the_environment(self):
        environment = {**clean_environment(), "GOPLINE_LOG": os.fspath(self.folder / "elsewhere")}
        for arguments in (["split", os.fspath(self.clip("street_av1.mp4"))], ["streams"]):
            done = subprocess.run([PROGRAM, *arguments], capture_output=True, env=environment, cwd=self.folder)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"street_av1", done.stdout)
        self.assertTrue((self.folder / "elsewhere").is_dir())

    def test_the_default_log_is_in_the_working_folder(self):
        self.assertEqual(self.plain("split", os.fspath(self.clip("street_av1.mp4"))).returncode, 0)
        self.assertTrue((self.folder / "gopline-data").is_dir())

    def test_a_reader_of_the_output_may_go_away(self):
        self.run_gopline("split", self.clip("street_av1.mp4"))
        process = self.start_gopline("inspect", "street_av1")
        process.stdout.close()
        self.assertIn(process.wait(), (0, 1))
        self.assertNotIn(b"internal", process.stderr.read())
        process.stdout = None

    def test_full_standard_output_is_a_failure(self):
        self.run_gopline("split", self.clip("street_av1.mp4"))
        with open("/dev/full", "wb") as full:
            done = subprocess.run(self.command("streams"), stdout=full, stderr=subprocess.PIPE, env=clean_environment())
        self.assertEqual(done.returncode, FAILED)
        self.assertIn(b"standard output", done.stderr)


if __name__ == "__main__":
    unittest.main()
