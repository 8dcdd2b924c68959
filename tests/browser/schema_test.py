"""schemathesis asks `gopline serve` everything that web/api/openapi.json allows, and much that it does not."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM, MEDIA, SCHEMATHESIS = os.environ["GOPLINE"], Path(os.environ["GOPLINE_MEDIA"]), os.environ["GOPLINE_SCHEMATHESIS"]


class Schema(unittest.TestCase):
    def test_the_api_is_as_it_is_described(self):
        folder = Path(tempfile.mkdtemp(prefix="gopline-schema-"))
        self.addCleanup(shutil.rmtree, folder)
        split = [PROGRAM, "split", MEDIA / "street.mp4", "--stream", "0", "--start-time", "2000-01-01T00:00:00Z", "--log", folder / "log", "--quiet"]
        subprocess.run(split, check=True)
        server = subprocess.Popen([PROGRAM, "serve", "--log", folder / "log", "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True)
        self.addCleanup(server.stderr.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.kill)
        url = re.search(r"at (http://\S+)", server.stderr.readline())[1]
        # Of /api/events nobody sees the end.
        done = subprocess.run([SCHEMATHESIS, "run", f"{url}/api/openapi.json", "--exclude-path", "/api/events", "--max-examples", "30", "--seed", "1"],
                              cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])


if __name__ == "__main__":
    unittest.main()
