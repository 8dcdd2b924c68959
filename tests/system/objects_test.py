"""gopline analyze --analyzer objects: a small network on real footage of people who walk."""

import subprocess
import unittest
from pathlib import Path

from analysis import AnalysisTest
from support import USAGE

MODELS = Path(__file__).resolve().parents[2] / "media/models"
ANALYZER = f"objects:model={MODELS}/FastestDet.onnx,names={MODELS}/coco.names"


class Objects(AnalysisTest):
    def found(self, options, group):
        self.analyze(f"{ANALYZER},{options}", "--group", group, "--no-thumbnails")
        return self.events("street")

    def test_people_are_seen_and_followed(self):
        self.split("street")
        events = self.found("class=person,score=0.5", "a")
        self.assertEqual({e["class"] for e in events}, {"person"})
        starts = [e for e in events if e["phase"] == "start"]
        ends = [e for e in events if e["phase"] == "end"]
        self.assertEqual(sorted(e["event"] for e in starts), sorted(e["event"] for e in ends))
        self.assertTrue(3 <= len(starts) <= 40, len(starts))
        self.assertEqual(len({e["track"] for e in starts}), len(starts))
        for event in events:
            box = event["box"]
            self.assertTrue(0 <= box["x"] and box["x"] + box["width"] <= 1.0001 and 0 <= box["y"] and box["y"] + box["height"] <= 1.0001, box)
            self.assertGreaterEqual(event["score"], 0.5)
        longest = max(e["details"]["seconds"] for e in ends)
        self.assertGreater(longest, 3, "somebody is followed for a while")
        again = self.found("class=person,score=0.5", "b")
        self.assertEqual(again, events, "another group finds the same")

    def test_workers_that_take_over_in_the_middle_find_the_same(self):
        """With two seconds of warm-up in twenty of footage: who takes over has not seen what was before."""
        self.split("street")
        analyzer = f"{ANALYZER},class=person,most=2s,update=400ms"
        self.analyze(analyzer, "--group", "undisturbed", "--no-thumbnails")
        wanted = sorted(self.record_ids())
        self.assertGreater(len(wanted), 60)
        before = 0
        while len(self.record_ids()) < 2 * len(wanted):
            worker = self.start_gopline("analyze", "--analyzer", analyzer, "--group", "mortal", "--member", "only", "--no-thumbnails", "--quiet",
                                        stderr=subprocess.DEVNULL)
            # Each lives until it has told something new.
            self.await_that(lambda: len(self.record_ids()) > len(wanted) + before, worker)
            worker.kill()
            worker.wait()
            before = len(self.record_ids()) - len(wanted)
        self.assertEqual(sorted(self.record_ids()), sorted(2 * wanted), "each record once, as if nothing had been")

    def test_what_nobody_looks_for_is_not_told(self):
        self.split("street")
        self.assertEqual(self.found("class=giraffe", "a"), [])
        self.assertEqual(self.found("class=person@0.99", "b"), [])

    def test_zones_and_lines(self):
        self.split("street")
        events = self.found("class=person,zone=left@0:0;0.5:0;0.5:1;0:1,line=middle@0.5:1;0.5:0", "a")
        for event in events:
            if event["class"] == "person" and event["phase"] == "start":
                self.assertEqual(event["zone"], "left")
                self.assertLess(event["box"]["x"] + event["box"]["width"] / 2, 0.5)
        crossings = [e for e in events if e["class"] == "crossing" and e["phase"] == "start"]
        self.assertGreater(len(crossings), 0)
        for crossing in crossings:
            self.assertEqual((crossing["details"]["class"], crossing["details"]["line"]), ("person", "middle"))
            middle = crossing["box"]["x"] + crossing["box"]["width"] / 2
            self.assertEqual(crossing["details"]["direction"], "right" if middle > 0.5 else "left")

    def test_wrong_words(self):
        self.split("street")
        for words, said in (("objects", "model=FILE.onnx"), ("objects:model=/no/such.onnx", "cannot be read"),
                            (f"objects:model={MODELS}/coco.names", "is no network"), (f"{ANALYZER},size=100x0", "WIDTHxHEIGHT"),
                            (f"{ANALYZER},class=person@2", "from 0 to 1"), (f"{ANALYZER},line=gate@0:0", "two ends")):
            with self.subTest(words=words):
                self.assertIn(said, self.run_gopline("analyze", "--analyzer", words, code=USAGE).stderr)


if __name__ == "__main__":
    unittest.main()
