"""What the system tests share: they drive the program as a user does, in a folder of their own that is removed afterwards."""

import ctypes
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

PROGRAM = os.environ.get("GOPLINE", "gopline")
APPEND_RECORD = os.environ.get("GOPLINE_APPEND_RECORD", "")
MEDIA = Path(os.environ.get("GOPLINE_MEDIA", Path(__file__).resolve().parents[2] / "media"))

PATIENCE = 120  # seconds: a guard against hanging for ever, never a time anybody waits for
WHOLE, FAILED, USAGE, NOT_WHOLE, INTERRUPTED = 0, 1, 2, 3, 130


def looks():
    """The turns of a loop that looks whether it has come to something. Many a look is a run of the program, so between two of them
    it rests three times as long as one takes: the machine is there for what is tested."""
    while True:
        began = time.monotonic()
        yield
        time.sleep(min(1, max(0.01, 3 * (time.monotonic() - began))))


class SystemTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="gopline-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = self.folder / "log"

    # ---- running the program

    def command(self, *arguments):
        """The command line, with --log where the command takes one and the test did not say otherwise."""
        arguments = [os.fspath(a) for a in arguments]
        if arguments and arguments[0] in ("split", "aggregate", "put", "get", "streams", "inspect", "verify", "demo"):
            if "--log" not in arguments:
                arguments[1:1] = ["--log", os.fspath(self.log)]
        return [PROGRAM, *arguments]

    def run_gopline(self, *arguments, code=WHOLE, environment=None, **more):
        """Runs to the end, checks the exit code, returns the finished process with text output."""
        done = subprocess.run(
            self.command(*arguments),
            stdin=more.pop("stdin", subprocess.DEVNULL) if "input" not in more else None,
            capture_output=True,
            env={**clean_environment(), **(environment or {})},
            cwd=self.folder,
            **more,
        )
        done.stdout_bytes = done.stdout
        done.stdout, done.stderr = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        codes = code if isinstance(code, tuple) else (code,)
        self.assertIn(
            done.returncode, codes, f"{' '.join(map(str, done.args))}\n--- stdout\n{done.stdout[-3000:]}\n--- stderr\n{done.stderr[-3000:]}"
        )
        return done

    def start_gopline(self, *arguments, **more):
        """Starts the program and leaves it running; it is ended with the test."""
        process = subprocess.Popen(
            self.command(*arguments),
            stdin=more.pop("stdin", subprocess.PIPE),
            stdout=subprocess.PIPE,
            stderr=more.pop("stderr", subprocess.PIPE),
            env=clean_environment(),
            cwd=self.folder,
            **more,
        )
        self.addCleanup(end, process)
        return process

    def json_of(self, *arguments, code=WHOLE):
        return json.loads(self.run_gopline(*arguments, "--json", code=code).stdout)

    def segments(self, stream):
        return self.json_of("inspect", stream)["segments"]

    def verify(self, stream, code=WHOLE):
        """The report on one stream."""
        return self.json_of("verify", stream, code=code)["streams"][0]

    def await_that(self, condition, process=None):
        """Looks again and again. `process`: must not end meanwhile."""
        until = time.monotonic() + PATIENCE
        for _ in looks():
            if condition():
                return
            if process is not None:
                self.assertIsNone(process.poll(), "the program ended early")
            self.assertLess(time.monotonic(), until, "it has not come to that")

    def await_said(self, process, beginning):
        """Until a line of its standard error begins so. Its lines, to which what it says later is added: somebody has to read it."""
        said, ready = [], threading.Event()

        def listen():
            for line in process.stderr:
                said.append(line.decode())
                if said[-1].startswith(beginning):
                    ready.set()
            ready.set()

        listener = threading.Thread(target=listen)
        listener.start()
        self.addCleanup(listener.join)
        ready.wait()
        self.assertTrue(any(line.startswith(beginning) for line in said), said)
        return said

    def wait_for_segments(self, process, stream, count):
        """Returns when the stream has so many segments."""
        for _ in looks():
            if process.poll() is not None:
                self.fail(f"the program ended early, with {process.returncode}:\n{process.stderr.read().decode(errors='replace')[-3000:]}")
            done = subprocess.run(self.command("inspect", stream, "--json"), capture_output=True, env=clean_environment())
            if done.returncode == WHOLE and len(json.loads(done.stdout)["segments"]) >= count:
                return

    # ---- what messages must say

    def assert_one_clear_message(self, done, *words):
        """One line that begins with the program's name and has all these words in it, and nothing that looks like a crash."""
        lines = [line for line in done.stderr.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        for word in words:
            self.assertIn(os.fspath(word), lines[0])
        for bad in ("Sanitizer", "terminate called", "internal error", "Assertion"):
            self.assertNotIn(bad, done.stderr)

    # ---- clips

    def clip(self, name):
        return MEDIA / name

    def ffmpeg(self, *arguments):
        ffmpeg = shutil.which("ffmpeg")
        if ffmpeg is None:
            self.skipTest("needs ffmpeg")
        subprocess.run(
            [ffmpeg, "-nostdin", "-v", "fatal", "-y", *map(os.fspath, arguments)], check=True, cwd=self.folder,
            stdin=subprocess.DEVNULL,
        )

    def transport_stream(self, name="street.mp4"):
        """The clip as MPEG-TS: a format that can be cut anywhere and read from a pipe."""
        path = self.folder / (Path(name).stem + ".ts")
        self.ffmpeg("-i", self.clip(name), "-map", "0", "-c", "copy", path)
        return path

    def packet_hashes(self, path):
        """Per track, the packets' hashes as ffmpeg sees them."""
        out = self.folder / "hashes.txt"
        self.ffmpeg("-i", path, "-map", "0", "-c", "copy", "-f", "framehash", out)
        return hashes_in(out)

    def frame_hashes(self, path):
        """Per track, the hashes of decoded pictures and sound."""
        out = self.folder / "hashes.txt"
        self.ffmpeg("-i", path, "-map", "0", "-fps_mode", "passthrough", "-f", "framehash", out)
        return hashes_in(out)


def hashes_in(path):
    tracks = {}
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            columns = [column.strip() for column in line.split(",")]
            tracks.setdefault(int(columns[0]), []).append(columns[5])  # side data may follow
    return tracks


def clean_environment():
    return {name: value for name, value in os.environ.items() if not name.startswith("GOPLINE")}


def end(process):
    if process.poll() is None:
        process.kill()
    process.communicate()


def without_root_powers():
    """For preexec_fn: root, too, is refused what a file's mode refuses."""
    if os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP


def default_signals():
    """For preexec_fn: signals as a terminal's shell gives them."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
