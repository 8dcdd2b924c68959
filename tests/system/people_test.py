"""gopline analyze --analyzer people: OpenCV's HOG on real footage of people who walk."""

import unittest

from analysis import AnalysisTest
from support import USAGE


class People(AnalysisTest):
    def found(self, options, group):
        report = self.analyze(f"people:{options}", "--group", group, "--frames", "5", "--no-thumbnails")
        return [e for e in self.events("street") if e["analyzer"]["configuration"] == report["analyzer"]["configuration"]]

    def test_people_are_seen_and_followed_without_a_model(self):
        self.split("street")
        events = self.found("smallest=0.14", "a")
        self.assertEqual({e["class"] for e in events}, {"person"})
        starts, ends = ([e for e in events if e["phase"] == phase] for phase in ("start", "end"))
        self.assertEqual(sorted(e["event"] for e in starts), sorted(e["event"] for e in ends))
        self.assertTrue(3 <= len(starts) <= 40, len(starts))
        for event in events:
            box = event["box"]
            self.assertTrue(0 <= box["x"] and box["x"] + box["width"] <= 1.0001 and 0 <= box["y"] and box["y"] + box["height"] <= 1.0001, box)
            self.assertGreater(box["height"], 0.13)
            self.assertGreaterEqual(event["score"], 0.7)
        self.assertGreater(max(e["details"]["seconds"] for e in ends), 3, "somebody is followed for a while")
        self.assertEqual(self.found("smallest=0.14", "b"), events, "another group finds the same")

    def test_who_is_smaller_or_larger_is_not_looked_for(self):
        self.split("street")
        self.assertTrue(all(e["box"]["height"] > 0.45 for e in self.found("smallest=0.5", "a")))
        heights = [e["box"]["height"] for e in self.found("smallest=0.14,largest=0.15,min_time=0s", "b")]
        self.assertTrue(heights and max(heights) < 0.16, heights)

    def test_zones_and_lines(self):
        self.split("street")
        events = self.found("smallest=0.14,zone=left@0:0;0.5:0;0.5:1;0:1,line=middle@0.5:1;0.5:0", "a")
        for event in events:
            if event["class"] == "person" and event["phase"] == "start":
                self.assertEqual(event["zone"], "left")
        self.assertGreater(len([e for e in events if e["class"] == "crossing"]), 0)

    def test_wrong_words(self):
        self.split("street")
        for words, said in (("people:smallest=0", "from 0.05 to 0.75"), ("people:smallest=0.5,largest=0.2", "less than smallest"), ("people:model=a.onnx", "model")):
            with self.subTest(words=words):
                self.assertIn(said, self.run_gopline("analyze", "--analyzer", words, code=USAGE).stderr)


if __name__ == "__main__":
    unittest.main()
