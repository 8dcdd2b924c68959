"""The analyzers of examples/, as they are, on clips that show when they have to say what."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("GOPLINE", str(ROOT / "build/gopline"))
PYTHON = ROOT / "build/deps/python/bin/python"


def run(*command):
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GOPLINE")}
    done = subprocess.run([os.fspath(c) for c in command], capture_output=True, env=environment)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))}\n{done.stdout.decode()[-1000:]}\n{done.stderr.decode()[-3000:]}")
    return done.stdout.decode()


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="gopline-test-")
        self.addCleanup(folder.cleanup)
        self.folder, self.log = Path(folder.name), Path(folder.name) / "log"

    def analyze(self, clip, analyzer, *more):
        """All events that an example tells of a clip."""
        run(PROGRAM, "split", clip, "--log", self.log, "--stream", "room", "--start-time", "2026-11-22T18:00:00Z")
        run(PROGRAM, "analyze", "--log", self.log, "--until-end", "--analyzer", analyzer, *more)
        return [json.loads(line) for line in run(PROGRAM, "events", "--log", self.log, "--json").splitlines()]

    def make(self, *arguments):
        clip = self.folder / "room.mp4"
        run("ffmpeg", "-nostdin", "-v", "fatal", *arguments, "-c:v", "libx264", "-g", "20", "-pix_fmt", "yuv420p", clip)
        return clip

    def test_brightness_tells_when_the_light_goes_out(self):
        clip = self.make("-f", "lavfi", "-i", "testsrc2=s=320x240:r=10:d=8", "-vf", "drawbox=color=black:t=fill:enable='between(t,3,5.95)'")
        events = self.analyze(clip, f"exec:format=gray8,size=160x0,run={PYTHON} {ROOT}/examples/brightness.py")
        self.assertEqual([(e["phase"], e["class"], e["time"][:21]) for e in events],
                         [("start", "dark", "2026-11-22T18:00:03.0"), ("end", "dark", "2026-11-22T18:00:06.0")])

    def test_detect_sees_people(self):
        models = ROOT / "media/models"
        events = self.analyze(ROOT / "media/street.mp4",
                              f"exec:format=bgr24,size=352x352,run={PYTHON} {ROOT}/examples/detect.py {models}/FastestDet.onnx {models}/coco.names",
                              "--frames", "1")
        people = [e for e in events if e["phase"] == "start" and e["class"] == "person"]
        self.assertGreater(len(people), 20)
        self.assertGreater(len(people), 0.6 * len([e for e in events if e["phase"] == "start"]), "most of what is in that street")

    def test_spectrum_tells_when_the_tone_changes(self):
        clip = self.make("-f", "lavfi", "-i", "color=gray:s=160x120:r=10:d=8", "-f", "lavfi", "-i",
                         "aevalsrc='0.1*sin(2*PI*if(lt(t,4),200,250)*t)':s=8000:d=8", "-c:a", "aac")
        starts = [e for e in self.analyze(clip, f"exec:format=f32,run={PYTHON} {ROOT}/examples/spectrum.py") if e["phase"] == "start"]
        self.assertEqual(len(starts), 1, starts)
        self.assertEqual((starts[0]["class"], round(starts[0]["details"]["before_hz"], -1), round(starts[0]["details"]["hz"], -1)), ("tone", 200, 250))
        self.assertIn(starts[0]["time"][:19], ("2026-11-22T18:00:04", "2026-11-22T18:00:05"))


if __name__ == "__main__":
    unittest.main()
