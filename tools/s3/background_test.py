"""./dev s3: start, status, stop. Skipped where versitygw is not built."""

import json
import os
import signal
import stat
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from server import HERE, PROGRAM, answers, free_ports

GIVE_UP = 30


@unittest.skipUnless(PROGRAM.is_file(), f"versitygw is not at {PROGRAM}: ./dev test builds it")
class Background(unittest.TestCase):
    def setUp(self):
        self.temporary = tempfile.TemporaryDirectory(prefix="gopline-s3-")
        self.folder = Path(self.temporary.name) / "s3"
        self.port = free_ports(1)[0]

    def tearDown(self):
        self.command("stop")
        self.temporary.cleanup()

    def command(self, *words, code=0):
        done = subprocess.run([sys.executable, HERE / "background.py", *words, "--folder", self.folder],
                              capture_output=True, text=True)
        if code is not None and words[0] != "stop":
            self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def start(self):
        return json.loads(self.command("start", "--port", str(self.port), "--json"))

    def await_silence(self):
        until = time.monotonic() + GIVE_UP
        while answers(self.port):
            self.assertLess(time.monotonic(), until, "it still serves")
            time.sleep(0.02)

    def test_starts_once_and_says_what_comes_next(self):
        running = self.start()
        self.assertEqual(running["endpoint"], f"http://127.0.0.1:{self.port}")
        self.assertEqual(self.start()["pid"], running["pid"])
        words = self.command("status")
        self.assertIn(f"export AWS_ENDPOINT_URL_S3=http://127.0.0.1:{self.port}\n", words)
        self.assertIn(f"export AWS_SECRET_ACCESS_KEY={running['secret_access_key']}\n", words)
        self.assertIn("--blobs s3://gopline/demo", words)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(running["endpoint"] + "/gopline")
        self.assertEqual(refused.exception.code, 403)
        refused.exception.close()

    def test_keeps_its_data_and_keys_until_they_are_deleted(self):
        first = self.start()
        keys = self.folder / "keys.json"
        self.assertEqual(stat.S_IMODE(keys.stat().st_mode), 0o600)
        (self.folder / "data" / "gopline" / "object").write_text("x")
        self.assertIn("its data is kept", self.command("stop"))
        self.await_silence()
        self.assertIn("does not run", self.command("status", code=3))
        self.assertEqual(self.start()["secret_access_key"], first["secret_access_key"])
        self.assertTrue((self.folder / "data" / "gopline" / "object").exists())
        self.assertIn("its data is removed", self.command("stop", "--delete"))
        self.assertFalse(self.folder.exists())

    def test_a_taken_port_is_named(self):
        self.start()
        other = Path(self.temporary.name) / "other"
        done = subprocess.run([sys.executable, HERE / "background.py", "start", "--port", str(self.port), "--folder", other],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"port {self.port} of 127.0.0.1 is taken", done.stderr)

    def test_the_server_ends_with_its_supervisor(self):
        running = self.start()
        os.kill(running["supervisor"], signal.SIGKILL)
        self.await_silence()
        self.command("status", code=3)


if __name__ == "__main__":
    unittest.main()
