#!/usr/bin/env python3
"""Cameras on loopback with faults on demand, for tests: `with Camera({"lobby": clip}) as camera: use(camera.url("lobby"))`.

As a command it sends clips until it is interrupted: `camera.py street.mp4 door_g711.mkv`; ./dev camera calls this.
"""

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, os.fspath(HERE.parent / "kafka"))
from jvm import die_with_parent  # noqa: E402
from ports import LOOPBACK, free_ports, is_free  # noqa: E402

PROGRAM = Path(os.environ.get("GOPLINE_CAMERA") or
               HERE.parents[1] / "build" / "release" / "tools" / "camera" / "camera")
ANSWERS_WITHIN = 60  # seconds; a guard against hanging for ever, never a time anybody waits for
STOPPED_WITHIN = 10


class CameraError(Exception):
    """What went wrong, in words for the person who reads the terminal."""


def source(clip, **options):
    """A stream with options, as `camera --help` lists them: source("street.mp4", start="now", audio_late=3)."""
    words = [os.fspath(clip), *(f"{name.replace('_', '-')}={value}" for name, value in options.items())]
    return ",".join(words)


class Camera:
    """One process that is as many cameras as there are streams: {name: a clip's path, or what source() made}.

    Start it from a thread that stays: the kernel ends it with the thread that started it. It comes back at the same port
    after stop() or kill(), without the faults that it had. Not safe for several threads at once.

    user, password   who may watch; Digest, or with `basic` Basic
    tls              rtsps alone, with a certificate of its own that `ca_file` names
    """

    def __init__(self, streams, port=None, user=None, password=None, basic=False, tls=False):
        self.streams = dict(streams)
        self.port = port or free_ports(1)[0]
        self.user, self.password, self.basic, self.tls = user, password, basic, tls
        self.process = None
        self._folder = None
        self._unread = b""

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.stop()
        if self._folder:
            self._folder.cleanup()
            self._folder = None

    # ---- life

    def start(self):
        """Returns when it serves. CameraError says what is wrong."""
        if not PROGRAM.is_file():
            raise CameraError(f"the camera is not at {PROGRAM}: ./dev test builds it, or say in GOPLINE_CAMERA where it is")
        if not is_free(self.port):
            raise CameraError(f"port {self.port} of {LOOPBACK} is taken by another program (`ss -ltnp` names it): take "
                              "another")
        parent = os.getpid()
        self._unread = b""
        self.process = subprocess.Popen(self._command(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
                                        env=clean_environment(), start_new_session=True,
                                        preexec_fn=lambda: die_with_parent(parent))
        self._read_answer()
        return self

    def stop(self):
        """Harmless when it has stopped already."""
        if self.process is None:
            return
        self.proceed()
        self.process.stdin.close()  # the end of its input is the end of it
        try:
            self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._gone()

    def kill(self):
        """As when its plug is pulled, but that the kernel says good-bye: TCP connections end at once."""
        self.process.kill()
        self._gone()

    def pause(self):
        """It hangs altogether (SIGSTOP): connections stay, nothing is answered."""
        self.process.send_signal(signal.SIGSTOP)

    def proceed(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)

    def running(self):
        return self.process is not None and self.process.poll() is None

    # ---- where it is

    def url(self, stream, user=None, password=None):
        """With the user and password that it began with, or others."""
        user, password = user or self.user, password or self.password
        login = f"{user}:{password}@" if user else ""
        return f"{'rtsps' if self.tls else 'rtsp'}://{login}{LOOPBACK}:{self.port}/{stream}"

    @property
    def ca_file(self):
        return Path(self._folder.name) / "camera.pem" if self.tls else None

    # ---- faults; without a stream they are those of all

    def do(self, what, stream=None, **more):
        """Any command of the room's README.md, and its answer. CameraError if it is refused."""
        command = {"do": what, **({"stream": stream} if stream else {}), **more}
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        answer = self._read_answer()
        if not answer.get("ok"):
            raise CameraError(f"{what}: {answer.get('error')}")
        return answer

    def hang(self, stream=None):
        """RTSP is answered, but neither packets nor reports come, until resume()."""
        self.do("hang", stream)

    def resume(self, stream=None):
        """Ends hang() and deny()."""
        self.do("resume", stream)

    def close(self, stream=None):
        """Ends the connections of those who watch; new ones are welcome."""
        self.do("close", stream)

    def refuse(self):
        """Ends all connections, and nobody listens at the port, until listen()."""
        self.do("refuse")

    def listen(self):
        self.do("listen")

    def deny(self, stream=None):
        """DESCRIBE is answered with 503, until resume()."""
        self.do("deny", stream)

    def mute(self, stream=None):
        """No sound, until unmute()."""
        self.do("mute", stream)

    def unmute(self, stream=None):
        self.do("unmute", stream)

    def delay_audio(self, seconds, stream=None):
        """Sound is sent so much later than it should be, with its right timestamps."""
        self.do("delay", stream, seconds=seconds)

    def switch(self, clip, stream=None):
        """Another clip of the same codecs from now on, in the middle of the session."""
        self.do("switch", stream, clip=os.fspath(clip))

    def wild(self, seconds, stream=None):
        """The next picture's RTP timestamp is so far off."""
        self.do("wild", stream, seconds=seconds)

    def jump(self, seconds, stream=None):
        """All RTP timestamps from now on are so far off; sender reports say so."""
        self.do("jump", stream, seconds=seconds)

    def set_clock(self, seconds, stream=None):
        """The wall clock of sender reports is ahead so much; RTP timestamps go on."""
        self.do("clock", stream, seconds=seconds)

    def send_reports(self, on, stream=None):
        self.do("rtcp", stream, on=on)

    def lose(self, stream=None, lose=0, repeat=0, reorder=0, seed=1):
        """RTP packets, by chance; for sessions over UDP. New sessions begin the seed's row of chances anew."""
        self.do("loss", stream, lose=lose, repeat=repeat, reorder=reorder, seed=seed)

    def change_password(self, password):
        """For requests from now on; url() stays as it was."""
        self.do("password", password=password)

    def status(self):
        """{"connections": ..., "streams": {name: {"sessions", "sent", "lost", "repeated", "reordered", "reports"}}}"""
        return self.do("status")

    # ---- inside

    def _command(self):
        command = [os.fspath(PROGRAM), "--listen", f"{LOOPBACK}:{self.port}"]
        if self.user:
            command += ["--user", f"{self.user}:{self.password}", *(["--basic"] if self.basic else [])]
        if self.tls:
            self._make_certificate()
            command += ["--cert", os.fspath(self.ca_file), "--key", os.fspath(self.ca_file.with_suffix(".key"))]
        for name, clip in self.streams.items():
            command += ["--stream", f"{name}={os.fspath(clip)}"]
        return command

    def _make_certificate(self):
        if self._folder:
            return
        self._folder = tempfile.TemporaryDirectory(prefix="gopline-camera-")
        done = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-days", "3650", "-subj", f"/CN={LOOPBACK}", "-addext", f"subjectAltName=IP:{LOOPBACK}",
                               "-keyout", "camera.key", "-out", "camera.pem"],
                              cwd=self._folder.name, capture_output=True, text=True)
        if done.returncode != 0:
            raise CameraError(f"openssl failed: {done.stderr.strip()}")

    def _read_answer(self):
        until = time.monotonic() + ANSWERS_WITHIN
        while b"\n" not in self._unread:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0, until - time.monotonic()))
            if not ready:
                raise CameraError(f"the camera did not answer within {ANSWERS_WITHIN} s")
            if not (read := self.process.stdout.read(65536)):
                raise CameraError(f"the camera ended with status {self.process.wait()}; it said why above")
            self._unread += read
        line, self._unread = self._unread.split(b"\n", 1)
        return json.loads(line)

    def _gone(self):
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.process = None


def clean_environment():
    """Without what would make GStreamer talk, or find plug-ins elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("GST_", "GOPLINE", "G_MESSAGES"))}


# ---- the command

def main():
    parser = argparse.ArgumentParser(prog="./dev camera", description="clips as cameras on loopback, until Ctrl-C")
    parser.add_argument("clips", nargs="+", metavar="CLIP[,OPTION=VALUE...]", help=f"`{PROGRAM.name} --help` lists options")
    parser.add_argument("--port", type=int, default=8554, help="(8554)")
    parser.add_argument("--user", metavar="NAME:PASSWORD", help="who may watch, by Digest")
    arguments = parser.parse_args()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    user, _, password = (arguments.user or "").partition(":")
    streams = {Path(clip.split(",")[0]).stem: clip for clip in arguments.clips}
    try:
        with Camera(streams, port=arguments.port, user=user, password=password) as camera:
            for name in streams:
                print(camera.url(name))
            print(f"next, in another terminal: build/gopline split '{camera.url(next(iter(streams)))}'", flush=True)
            sys.exit(camera.process.wait())
    except CameraError as error:
        print(f"camera: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
