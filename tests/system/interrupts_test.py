"""Ctrl-C and SIGTERM: a clean end, everything acknowledged is there, the epoch says why it ended."""

import json
import os
import pty
import signal
import unittest

from support import INTERRUPTED, SystemTest, default_signals


class Interrupts(SystemTest):
    def stop(self, process, number, stream):
        process.send_signal(number)
        out, err = process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED, err.decode())
        (listed,) = self.json_of("streams")["streams"]
        self.assertEqual(listed["state"], "stopped")
        report = self.verify(stream)
        self.assertTrue(report["whole"], report)
        return out.decode(), err.decode(), report

    def test_a_loop_runs_until_it_is_stopped(self):
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number.name):
                self.log = self.folder / number.name
                process = self.start_gopline("split", self.clip("street_av1.mp4"), "--loop", preexec_fn=default_signals)
                self.wait_for_segments(process, "street_av1", 6)
                out, err, _ = self.stop(process, number, "street_av1")
                self.assertIn("stopped", out)
                self.assertIn("stopping", err)

    def test_a_realtime_source(self):
        process = self.start_gopline(
            "split", self.clip("street_av1.mp4"), "--loop", "--rate", "realtime", "--segment-duration", "100ms",
            "--max-segment-time", "200ms", preexec_fn=default_signals,
        )
        self.wait_for_segments(process, "street_av1", 2)
        self.stop(process, signal.SIGINT, "street_av1")

    def test_a_pipe_that_says_nothing_more(self):
        """The read in which the program waits must end, too; what came through the pipe is stored."""
        clip = self.transport_stream().read_bytes()
        process = self.start_gopline("split", "-", "--stream", "door", preexec_fn=default_signals)
        process.stdin.write(clip[: len(clip) // 2])
        process.stdin.flush()
        self.wait_for_segments(process, "door", 3)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertTrue(self.verify("door")["whole"])
        self.assertEqual(self.json_of("streams")["streams"][0]["state"], "stopped")

    def test_every_source_is_closed(self):
        process = self.start_gopline(
            "split", self.clip("street_av1.mp4"), self.clip("street_hevc.mp4"), "--loop", "--json", preexec_fn=default_signals
        )
        self.wait_for_segments(process, "street_av1", 4)
        self.wait_for_segments(process, "street_hevc", 4)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED, err)
        self.assertEqual([s["outcome"] for s in json.loads(out)["streams"]], ["stopped"] * 2)
        self.assertTrue(self.json_of("verify", "--all")["whole"])

    def test_ctrl_c_of_a_terminal(self):
        process_id, terminal = pty.fork()
        if process_id == 0:
            command = self.command("split", self.clip("street_av1.mp4"), "--loop")
            os.execvpe(command[0], command, {**os.environ, "TERM": "xterm"})
        self.addCleanup(os.close, terminal)
        shown, stopped = b"", False
        try:
            while piece := os.read(terminal, 65536):
                shown += piece
                if not stopped and "of footage".encode() in shown:
                    os.write(terminal, b"\x03")
                    stopped = True
        except OSError:
            pass  # the other end is closed
        _, status = os.waitpid(process_id, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), INTERRUPTED)
        self.assertTrue(self.verify("street_av1")["whole"])

    def test_ignored_signals_stay_ignored(self):
        """As under nohup, and in a shell's background jobs."""
        clip = self.transport_stream().read_bytes()
        process = self.start_gopline(
            "split", "-", "--stream", "door", preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)
        )
        process.stdin.write(clip[: len(clip) // 2])
        process.stdin.flush()
        self.wait_for_segments(process, "door", 3)
        process.send_signal(signal.SIGHUP)
        process.stdin.write(clip[len(clip) // 2 :])
        out, err = process.communicate()
        self.assertEqual(process.returncode, 0, err.decode())

    def test_aggregate_leaves_no_half_file(self):
        self.run_gopline("split", self.clip("street.mp4"))
        # A reader that takes nothing holds the program in the middle of its output.
        process = self.start_gopline("aggregate", "street", "--output", "-", preexec_fn=default_signals)
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertIn(process.returncode, (0, INTERRUPTED))


if __name__ == "__main__":
    unittest.main()
