"""Precision and recall of analyzers on real footage, against labels made by hand (tests/labels)."""

import json
import unittest
from pathlib import Path

from analysis import AnalysisTest, seconds

ROOT = Path(__file__).resolve().parents[2]
MODELS = ROOT / "media/models"
LABELS = json.loads((ROOT / "tests/labels/street.json").read_text())
WIDTH, HEIGHT, RATE, LAST = 768, 576, 10, 100
COLUMNS, ROWS = 8, 6


def label_at(track, frame):
    """A person's box in a picture; None: not in view."""
    keys = sorted(map(int, track))
    for before, after in zip(keys, keys[1:]):
        if before <= frame <= after:
            share = (frame - before) / (after - before)
            return [a + (b - a) * share for a, b in zip(track[str(before)], track[str(after)])]
    return None


def labels_at(frame):
    return {name: box for name, track in LABELS.items() if (box := label_at(track, frame))}


def shared(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return max(width, 0) * max(height, 0)


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def overlap(a, b):
    both = shared(a, b)
    return both / (area(a) + area(b) - both)


def zone_box(column, row):
    return [column * WIDTH / COLUMNS, row * HEIGHT / ROWS, (column + 1) * WIDTH / COLUMNS, (row + 1) * HEIGHT / ROWS]


class Accuracy(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.split("street", clip=self.clip("street.avi"))

    def frame_of(self, event, when="time"):
        return round(seconds(event[when]) * RATE)

    def count(self, sightings, least_overlap):
        """How many boxes are somebody, how many are told, how many there are: each person is found by one box at most."""
        right = told = there = 0
        for frame in range(LAST + 1):
            boxes, people = sightings.get(frame, []), dict(labels_at(frame))
            told, there = told + len(boxes), there + len(people)
            pairs = sorted(((overlap(box, person), i, name) for i, box in enumerate(boxes) for name, person in people.items()), reverse=True)
            used = set()
            for value, i, name in pairs:
                if value >= least_overlap and i not in used and name in people:
                    used.add(i)
                    del people[name]
                    right += 1
        return right, told, there

    def hold(self, what, right_told, told, right_there, there, precision, recall):
        found = right_told / max(told, 1), right_there / max(there, 1)
        print(f"\n    {what}: precision {found[0]:.3f}, recall {found[1]:.3f} ({told} told, {there} there)")
        self.assertGreaterEqual(found[0], precision)
        self.assertGreaterEqual(found[1], recall)

    def hold_people(self, what, analyzer, precision, recall, stream="street"):
        """Boxes that overlap a label by 0.4."""
        self.analyze(f"{analyzer},min_time=0s,update=1ms", "--frames", "all", "--no-thumbnails", "--streams", stream)
        sightings = {}
        for event in self.events(stream):
            box = event["box"]
            if event["phase"] == "end" or self.frame_of(event) > LAST:
                continue
            sightings.setdefault(self.frame_of(event), []).append(
                [box["x"] * WIDTH, box["y"] * HEIGHT, (box["x"] + box["width"]) * WIDTH, (box["y"] + box["height"]) * HEIGHT])
        right, told, there = self.count(sightings, 0.4)
        self.hold(f"{what}, overlap 0.4", right, told, right, there, precision, recall)

    def test_people_by_the_small_network(self):
        self.hold_people("objects, FastestDet", f"objects:model={MODELS}/FastestDet.onnx,names={MODELS}/coco.names,class=person,score=0.65,overlap=0.3", 0.9, 0.7)

    def test_people_without_a_model(self):
        # No more than is labelled: a picture takes a while.
        self.ffmpeg("-i", self.clip("street.avi"), "-frames:v", str(LAST + 1), "-c", "copy", self.folder / "labelled.avi")
        self.split("labelled", clip=self.folder / "labelled.avi")
        self.hold_people("people", "people:smallest=0.125", 0.87, 0.72, "labelled")

    def test_motion_is_where_people_move(self):
        zones = [(column, row) for column in range(COLUMNS) for row in range(ROWS)]
        words = ",".join(f"zone={c}-{r}@" + ";".join(f"{x / WIDTH}:{y / HEIGHT}" for x, y in ((b[0], b[1]), (b[2], b[1]), (b[2], b[3]), (b[0], b[3])))
                         for c, r in zones for b in [zone_box(c, r)])
        self.analyze(f"motion:min_time=0s,quiet=200ms,update=0s,min_area=0.0003,{words}", "--no-thumbnails")
        told, begun = {}, {}
        for event in self.events("street"):
            if event["phase"] == "start":
                begun[event["event"]] = self.frame_of(event)
            else:
                told.setdefault(event["zone"], []).append((begun[event["event"]], self.frame_of(event)))
        right_told = all_told = right_there = all_there = 0
        for frame in range(RATE, LAST + 1):  # behind what it learns first
            people = labels_at(frame)
            before = labels_at(max(frame - 5, 0))
            for column, row in zones:
                zone = zone_box(column, row)
                is_told = any(a <= frame < b for a, b in told.get(f"{column}-{row}", []))
                # Somebody is there, or was a moment ago; somebody walks there, and not just along its edge.
                is_near = any(shared(zone, box) > 0 for box in [*people.values(), *before.values()])
                walks = any(shared(zone, box) >= 0.25 * area(box) and name in before and abs(box[0] - before[name][0]) >= 8 for name, box in people.items())
                all_told, right_told = all_told + is_told, right_told + (is_told and is_near)
                all_there, right_there = all_there + walks, right_there + (is_told and walks)
        self.hold("motion, zones of 96x96", right_told, all_told, right_there, all_there, 0.95, 0.97)


if __name__ == "__main__":
    unittest.main()
