"""gopline aggregate --serve: pulled by ffmpeg and by gopline itself."""

import os
import re
import shutil
import signal
import subprocess
import unittest

from cameras import when
from receivers import PICTURES_ONLY, pictures_of
from rtsp_client import Report, Rtp, RtspClient
from support import FAILED, INTERRUPTED, NOT_WHOLE, WHOLE, SystemTest, end, hashes_in

CAPTURE_TOLERANCE_S = 0.002  # RTP's clock has ticks of 11 us, and sender reports are made of the clock twice


def is_idr_slice(payload):
    """Whether an RTP payload begins one (RFC 6184, section 5): alone, or as the first fragment."""
    idr, fragment = 5, 28
    kind = payload[0] & 0x1F
    return kind == idr or (kind == fragment and payload[1] & 0x1F == idr and payload[1] & 0x80 != 0)


class Serving(SystemTest):
    def serve(self, *options):
        """A looped clip as a camera's stream `street`, served while it is split. (the process, the URL)"""
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "street", "--segment-duration", "1s")
        process = self.start_gopline("aggregate", "street", "--follow", "--serve", "rtsp://127.0.0.1:0", "--max-delay", "2s", *options)
        url = re.search(r"serving street at (rtsp://\S+)", self.line_of(process, b"serving")).group(1)
        self.line_of(process, b"following")
        self.start_gopline("split", self.clip("street.mp4"), "--stream", "street", "--live", "--rate", "realtime", "--latency", "low")
        return process, url

    def line_of(self, process, begin):
        line = process.stderr.readline()
        while not line.startswith(begin):
            self.assertTrue(line, "it ended")
            line = process.stderr.readline()
        return line.decode()

    def pull(self, url, name, *options, seconds=4):
        """An ffmpeg that pulls so much and writes its hashes to a file."""
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            self.skipTest("needs ffmpeg")
        process = subprocess.Popen([ffmpeg, "-nostdin", "-v", "error", "-y", *options, "-i", url, "-map", "0", "-c", "copy", "-bsf:v", PICTURES_ONLY,
                                    "-t", str(seconds), "-f", "framehash", "-flush_packets", "1", os.fspath(self.folder / name)], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(end, process)
        return process

    def wait_until_there(self, url, process):
        """Until a client would be served."""
        self.await_that(lambda: not self.refusal(url), process)

    def refusal(self, url):
        return subprocess.run(["ffprobe", "-v", "error", "-rtsp_transport", "tcp", url], stdin=subprocess.DEVNULL, capture_output=True).stderr

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED, err.decode())
        return err.decode()

    def assert_is_a_row_of_the_clip(self, got, least=15):
        known = pictures_of(self, self.clip("street.mp4"))
        for track, packets in got.items():
            self.assertGreater(len(packets), least)
            begin = known[track].index(packets[0])
            self.assertEqual(packets, (known[track] * 3)[begin:begin + len(packets)])  # it is played in a loop

    def test_any_number_of_clients_over_tcp_and_udp(self):
        process, url = self.serve()
        self.wait_until_there(url, process)
        clients = {f"{transport}{i}.txt": self.pull(url, f"{transport}{i}.txt", "-rtsp_transport", transport) for transport in ("tcp", "udp") for i in (1, 2)}
        killed = self.pull(url, "killed.txt", "-rtsp_transport", "tcp", seconds=60)
        stopped = self.pull(url, "stopped.txt", "-rtsp_transport", "tcp", seconds=60)
        self.await_that(lambda: (self.folder / "killed.txt").exists() and (self.folder / "stopped.txt").exists(), process)
        stopped.send_signal(signal.SIGSTOP)
        killed.kill()
        for name, client in clients.items():
            with self.subTest(name):
                self.assertEqual(client.wait(), 0)
                got = hashes_in(self.folder / name)
                self.assertEqual(set(got), {0, 1}, "pictures and sound")
                self.assert_is_a_row_of_the_clip(got)
        self.interrupt(process)

    def test_sender_reports_say_when_a_picture_was_taken(self):
        process, url = self.serve()
        self.wait_until_there(url, process)
        picture, report = None, None
        with RtspClient(int(re.search(r":(\d+)/", url).group(1)), "street") as client:
            for packet in client.packets():
                if isinstance(packet, Report) and packet.track == 0 and picture is not None:
                    report = packet
                    break
                if isinstance(packet, Rtp) and packet.track == 0 and is_idr_slice(packet.payload):
                    picture = packet.timestamp  # the last before the report: a later one may be of a clock set right meanwhile
        at = report.wall - ((report.timestamp - picture + 2**31) % 2**32 - 2**31) / 90_000
        times = lambda: [when(segment["time"]) for segment in self.segments("street")]
        # A segment is served part by part, and is listed when it is whole.
        self.await_that(lambda: max(times()) > at - CAPTURE_TOLERANCE_S)
        self.interrupt(process)
        self.assertLess(min(abs(at - time) for time in times()), CAPTURE_TOLERANCE_S, (at, times()))

    def test_what_is_served_can_be_split_again(self):
        process, url = self.serve()
        self.wait_until_there(url, process)
        splitting = self.start_gopline("split", url, "--stream", "again")
        self.wait_for_segments(splitting, "again", 2)
        splitting.send_signal(signal.SIGINT)
        splitting.communicate()
        self.interrupt(process)
        self.run_gopline("aggregate", "again", "--output", self.folder / "again.mkv", code=(WHOLE, NOT_WHOLE))  # where reports begin, the clock is said to jump
        self.assert_is_a_row_of_the_clip(pictures_of(self, self.folder / "again.mkv"))

    def test_a_login_is_asked_for(self):
        login = self.folder / "login"
        login.write_text("guard:hush-hush\n")
        process, url = self.serve("--credentials", login)
        with_login = url.replace("rtsp://", "rtsp://guard:hush-hush@")
        self.wait_until_there(with_login, process)
        for wrong in (url, url.replace("rtsp://", "rtsp://guard:wrong@")):
            self.assertIn(b"401 Unauthorized", self.refusal(wrong))
        self.assertIn(b"404 Not Found", self.refusal(with_login.replace("/street", "/other")))
        self.assertNotIn("hush", self.interrupt(process))

    def test_what_is_wrong_is_said(self):
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "street")
        process = self.start_gopline("aggregate", "street", "--follow", "--serve", "rtsp://127.0.0.1:0/x")
        port = re.search(r":(\d+)/x", self.line_of(process, b"serving")).group(1)
        for url, words in ((f"rtsp://127.0.0.1:{port}/x", "cannot listen"), ("rtsp://127.0.0.1/x", "has no port"), ("http://127.0.0.1:1/x", "rtsp://HOST:PORT/NAME"),
                           ("rtsp://guard:hush-hush@127.0.0.1:0/x", "--credentials")):
            done = self.run_gopline("aggregate", "street", "--follow", "--serve", url, code=FAILED)
            self.assert_one_clear_message(done, words)
            self.assertNotIn("hush", done.stderr)
        self.interrupt(process)


if __name__ == "__main__":
    unittest.main()
