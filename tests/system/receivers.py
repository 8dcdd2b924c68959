"""Receivers in the network for tests: ffmpeg, and what it got; and when something listens."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[2] / "tools" / "kafka"))
from ports import free_ports  # noqa: E402
from support import hashes_in  # noqa: E402

# ffmpeg's words for each kind.
URLS = {
    "srt": ("srt://127.0.0.1:{port}", "srt://127.0.0.1:{port}?mode=listener", ()),
    "rtmp": ("rtmp://127.0.0.1:{port}/live/key", "rtmp://127.0.0.1:{port}/live/key", ("-listen", "1")),
    "rtsp": ("rtsp://127.0.0.1:{port}/live", "rtsp://127.0.0.1:{port}/live", ("-rtsp_flags", "listen")),
}
# Without parameter sets, delimiters and SEI, which containers put in as they like; and with one form of start codes.
PICTURES_ONLY = "h264_mp4toannexb,filter_units=remove_types=6-9"


def free_port():
    """Free for TCP and UDP."""
    while True:
        port, = free_ports(1)
        with socket.socket(type=socket.SOCK_DGRAM) as udp:
            try:
                udp.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


def is_bound(port, kind):
    """Whether a socket of this machine is bound there (udp), or listens there (tcp)."""
    for family in ("", "6"):
        with open(f"/proc/net/{kind}{family}", encoding="ascii") as table:
            for line in list(table)[1:]:
                columns = line.split()
                if int(columns[1].rsplit(":", 1)[1], 16) == port and (kind == "udp" or columns[3] == "0A"):
                    return True
    return False


class Receiver:
    """An ffmpeg that writes hashes of what it is sent to a file, until the sender says farewell."""

    def __init__(self, test, kind, port=None):
        self.test, self.kind, self.port = test, kind, port or free_port()
        send, receive, options = URLS[kind]
        self.url = send.format(port=self.port)
        self.file = test.folder / f"{kind}-{self.port}-{len(os.listdir(test.folder))}.txt"
        self.said = self.file.with_suffix(".said")
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            test.skipTest("needs ffmpeg")
        with open(self.said, "wb") as said:
            self.process = subprocess.Popen(
                [ffmpeg, "-nostdin", "-v", "error", "-y", *options, "-i", receive.format(port=self.port), "-map", "0", "-c", "copy", "-bsf:v",
                 PICTURES_ONLY, *(("-bsf:a", "aac_adtstoasc") if kind == "srt" else ()), "-f", "framehash", "-flush_packets", "1",
                 os.fspath(self.file)], stdin=subprocess.DEVNULL, stderr=said)
        test.addCleanup(self.end)
        test.await_that(lambda: is_bound(self.port, "udp" if kind == "srt" else "tcp"), self.process)

    def lines(self):
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [[column.strip() for column in line.split(",")] for line in lines if not line.startswith("#")]

    def packets(self):
        """After the sender's farewell: per track, the hashes of what came."""
        self.process.wait()
        return hashes_in(self.file)

    def times(self, track):
        """The dts of a track's packets, as they came."""
        return [int(line[1]) for line in self.lines() if line[0] == str(track)]

    def wait_for_packets(self, count):
        self.test.await_that(lambda: len(self.lines()) >= count, self.process)

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def pictures_of(test, clip):
    """What a receiver's packets() of the whole clip are."""
    out = test.folder / "known.txt"
    test.ffmpeg("-i", clip, "-map", "0", "-c", "copy", "-bsf:v", PICTURES_ONLY, "-f", "framehash", out)
    return hashes_in(out)
