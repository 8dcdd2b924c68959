"""Live sources that are no RTSP cameras, sent by ffmpeg: MPEG-TS over UDP and SRT, RTMP, HLS."""

import functools
import http.server
import subprocess
import threading
import unittest

from cameras import NOT_WHOLE, WHOLE, LiveTest, seconds
from ports import free_ports

CLIP = "street.mp4"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Protocols(LiveTest):
    def send(self, *output):
        """Starts ffmpeg, which sends the clip in a loop and in real time until the test ends."""
        command = ["ffmpeg", "-v", "error", "-re", "-stream_loop", "-1", "-i", self.clip(CLIP), "-c", "copy", *output]
        sender = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(sender.wait)
        self.addCleanup(sender.kill)

    def serve(self, folder, port):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(QuietHandler, directory=folder))
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)

    def test_each_comes_as_it_is(self):
        udp, srt, rtmp, hls = free_ports(4)
        urls = {"udp": f"udp://127.0.0.1:{udp}", "srt": f"srt://127.0.0.1:{srt}", "rtmp": f"rtmp://127.0.0.1:{rtmp}/live/cam",
                "hls": f"http://127.0.0.1:{hls}/live.m3u8"}
        self.send("-f", "mpegts", f"{urls['udp']}?pkt_size=1316")
        self.send("-f", "mpegts", f"{urls['srt']}?mode=listener")
        self.send("-f", "flv", "-listen", "1", urls["rtmp"])
        self.send("-f", "hls", "-hls_time", "1", "-hls_flags", "delete_segments", self.folder / "live.m3u8")
        self.serve(self.folder, hls)
        streams = [word for name in urls for word in ("--stream", name)]
        process = self.split(*urls.values(), *streams, "--live")
        for name in urls:
            self.wait_for(process, name, lambda segments: sum(map(seconds, segments)) > 3)
        self.interrupt(process)
        for name in urls:
            with self.subTest(name):
                # HLS comes in bursts, by which arrival tells the time: on a busy machine there may be a gap of cause "clock".
                report = self.json_of("verify", name, code=(WHOLE, NOT_WHOLE) if name == "hls" else WHOLE)
                self.assertEqual(report["streams"][0]["problems"], [])
                self.assert_is_the_clip(name, self.clip(CLIP))


if __name__ == "__main__":
    unittest.main()
