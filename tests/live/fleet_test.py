"""A fleet from a file: what changed is restarted and nothing else; metrics and health of it."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import unittest
import urllib.error
import urllib.request

from cameras import LiveTest
from support import looks


class Fleet(LiveTest):
    def write(self, text):
        """As an editor does: a new file in place of the old one."""
        new = self.folder / "new.yaml"
        new.write_text(text)
        new.replace(self.folder / "cameras.yaml")

    def cameras_file(self, *urls, more=""):
        self.write("defaults: {source_timeout: 5s, segment_duration: 500ms}\ncameras:\n" + "".join(f"  - source: {url}\n" for url in urls) + more)

    def await_said(self, *words):
        """Reads what the program says until a line has all the words; the line."""
        for line in self.process.stderr:
            if all(word in line.decode() for word in words):
                return line.decode()
        self.fail(f"never said: {words}")

    def test_only_what_changed_is_restarted(self):
        camera = self.camera({name: self.clip("street.mp4") for name in ("stays", "goes", "comes")})
        url = {name: camera.url(name) for name in ("stays", "goes", "comes")}
        self.cameras_file(url["stays"], url["goes"])
        self.process = self.start_gopline("split", "--config", "cameras.yaml", "--json", "--log-format", "json")
        self.wait_for_segments(self.process, "stays", 1)
        self.wait_for_segments(self.process, "goes", 1)
        self.cameras_file(url["stays"], url["comes"])
        said = json.loads(self.await_said("read again"))
        self.assertIn("started: comes; stopped: goes", said["message"])
        self.wait_for_segments(self.process, "comes", 1)
        self.cameras_file(url["stays"], url["comes"], more="    lop: true\n")
        self.assertIn("cameras.yaml:5: there is no 'lop'", self.await_said("goes on as it is"))
        self.cameras_file(url["stays"], url["comes"], more="    max_segment_time: 5s\n")
        self.assertIn("restarted: comes", self.await_said("read again"))
        self.wait_for_epoch(self.process, "comes", 1)
        self.process.send_signal(signal.SIGHUP)
        self.assertIn("nothing has changed", self.await_said("read again"))
        streams, _ = self.interrupt(self.process)
        outcomes = [(stream["stream"], stream["epochs"]) for stream in streams]
        self.assertEqual(outcomes, [("goes", 1), ("comes", 1), ("stays", 1), ("comes", 1)])

    def test_metrics_and_health(self):
        camera = self.camera({"good": self.clip("street.mp4"), "bad": self.clip("street_hevc.mp4")})
        self.cameras_file(camera.url("good"), camera.url("bad"))
        address = f"127.0.0.1:{free_port()}"
        self.process = self.start_gopline("split", "--config", "cameras.yaml", "--json", "--metrics", address)
        for name in ("good", "bad"):
            self.wait_for_segments(self.process, name, 2)
        metrics = self.get(address, "/metrics")
        self.assertIn('gopline_source_state{state="live",stream="good"} 1', metrics)
        self.assertIn('gopline_capture_to_acknowledged_seconds_count{stream="good"}', metrics)
        self.assertEqual(self.get(address, "/healthz"), "ok\n")
        promtool = os.environ.get("GOPLINE_PROMTOOL", "")
        if os.path.exists(promtool):
            subprocess.run([promtool, "check", "metrics"], input=metrics.encode(), check=True)
        camera.hang("bad")
        self.await_said("bad", "no packet within 5 s")
        with self.assertRaises(urllib.error.HTTPError) as unhealthy:
            for _ in looks():  # connecting to it again takes a moment, in which nothing is known to be wrong
                self.get(address, "/healthz")
        self.assertEqual(unhealthy.exception.code, 503)
        self.assertEqual(json.load(unhealthy.exception)["problems"][0]["subject"], "bad")
        self.assertIn('gopline_source_reconnects_total{cause="hung",stream="bad"} 1', self.get(address, "/metrics"))
        self.interrupt(self.process)

    def test_a_service_says_when_it_is_ready_and_that_it_lives(self):
        manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        manager.bind(os.fspath(self.folder / "notify"))
        manager.settimeout(60)
        camera = self.camera({"a": self.clip("street.mp4")})
        self.cameras_file(camera.url("a"))
        os.environ.update(NOTIFY_SOCKET=os.fspath(self.folder / "notify"), WATCHDOG_USEC="400000")
        self.addCleanup(os.environ.pop, "NOTIFY_SOCKET")
        self.addCleanup(os.environ.pop, "WATCHDOG_USEC")
        self.process = self.start_gopline("split", "--config", "cameras.yaml", "--json")
        said = []
        while said.count("WATCHDOG=1") < 3:
            said += manager.recv(4096).decode().splitlines()
        self.assertEqual(said[0], "READY=1")
        self.assertIn("STATUS=1 cameras", said)
        self.process.send_signal(signal.SIGHUP)
        while "RELOADING=1" not in said:
            said += manager.recv(4096).decode().splitlines()
        self.interrupt(self.process)
        manager.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                said += manager.recv(4096).decode().splitlines()
        self.assertEqual(said[-1], "STOPPING=1")

    def get(self, address, path):
        return urllib.request.urlopen(f"http://{address}{path}", timeout=30).read().decode()

    def test_a_wrong_file_is_told_line_by_line(self):
        self.write("cameras:\n  - source: rtsp://10.0.0.5/1\n    rtsp_transport: pigeon\n  - strem: x\n")
        for command in (("check-config", "cameras.yaml"), ("split", "--config", "cameras.yaml")):
            done = self.run_gopline(*command, code=1)
            self.assertIn("cameras.yaml:3: expected one of: tcp, udp", done.stderr)
            self.assertIn("cameras.yaml:4: this camera has no source", done.stderr)
        done = self.run_gopline("split", "--config", "cameras.yaml", "clip.mp4", code=2)
        self.assertIn("--config", done.stderr)
        self.assertIn("--config", self.run_gopline("split", code=2).stderr)


def free_port():
    from ports import free_ports
    return free_ports(1)[0]


if __name__ == "__main__":
    unittest.main()
