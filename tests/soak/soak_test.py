"""A minute of soaking, by five cameras. Half an hour of fifty is `./dev soak`."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent


@unittest.skipUnless(os.environ.get("GOPLINE_TEST_LONG") == "1", "long: ./dev test --all runs it")
class Soak(unittest.TestCase):
    def test_a_minute(self):
        with tempfile.TemporaryDirectory(prefix="gopline-test-") as folder:
            result = Path(folder) / "result.json"
            done = subprocess.run([sys.executable, HERE / "soak.py", "--minutes", "1", "--cameras", "5", "--folder", folder, "--json", result],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            told = json.loads(result.read_text())
            self.assertTrue(told["holds"])
            self.assertGreater(told["gaps"], 0)
            self.assertLess(told["kept_segments"], told["segments"], "retention had nothing to do")


if __name__ == "__main__":
    unittest.main()
