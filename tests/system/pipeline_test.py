"""gopline analyze --pipeline and --enrich: a cheap analyzer decides what a dear one sees, branches are joined, tables say what is where."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from analysis import AnalysisTest, seconds
from support import FAILED, INTERRUPTED, USAGE, WHOLE

MODELS = Path(__file__).resolve().parents[2] / "media/models"
OBJECTS = f"model: {MODELS}/FastestDet.onnx, names: {MODELS}/coco.names, class: person, min_time: 0s, update: 200ms"
HOLD = 0.5

# Something at every picture; how long it takes is its argument.
SEEN = """
import json, sys, time
for line in iter(sys.stdin.buffer.readline, b""):
    sys.stdin.buffer.read(json.loads(line)["bytes"])
    time.sleep(float(sys.argv[1]))
    print('{"events": [{"class": "seen"}]}', flush=True)
"""


class Pipeline(AnalysisTest):
    def pipeline(self, text, name="pipeline.yaml"):
        path = self.folder / name
        path.write_text(text)
        return path

    def run_pipeline(self, path, *more, code=WHOLE):
        out = self.run_gopline("analyze", "--pipeline", path, "--until-end", "--json", *more, code=code)
        return json.loads(out.stdout.splitlines()[-1])

    def stages(self, report, stream=0):
        return {s["stage"]: s for s in report["streams"][stream]["stages"]}

    def seen(self, delay=0):
        program = self.folder / "seen.py"
        program.write_text(SEEN)
        return f"{sys.executable} {program} {delay}"

    def street_between_stills(self):
        """Nothing moves for 6 s, the street for 8 s, and nothing again for 8 s."""
        path = self.folder / "stills.mp4"
        self.ffmpeg("-t", "8", "-i", self.clip("street.mp4"), "-an", "-vf", "tpad=start_mode=clone:start_duration=6:stop_mode=clone:stop_duration=8",
                    "-c:v", "libx264", "-preset", "veryfast", "-g", "20", "-sc_threshold", "0", "-pix_fmt", "yuv420p", path)
        return path

    # ---- who sees what

    def test_objects_are_looked_for_where_something_moves_and_found_as_always(self):
        self.split("street", clip=self.street_between_stills())
        alone = self.analyze("objects:" + OBJECTS.replace(": ", "=").replace(", ", ","), "--group", "alone", "--no-thumbnails")
        everywhere = self.events("--analyzer", "objects")
        path = self.pipeline(f"""
stages:
  - analyzer: motion
    options: {{min_time: 0s, quiet: 500ms, memory: 1s, size: 160x0}}
  - analyzer: objects
    name: people
    after: motion
    when: {{class: motion, score: 0.001}}
    for: {HOLD}s
    options: {{{OBJECTS}}}
""")
        report = self.run_pipeline(path, "--no-thumbnails")
        stages = self.stages(report)
        self.assertEqual(stages["motion"]["frames_shown"], 220)
        every = alone["streams"][0]["frames_analyzed"]
        self.assertEqual(every, 110)
        people = stages["people"]
        self.assertEqual(people["frames_shown"] + people["frames_passed_over"], every)
        self.assertTrue(35 <= people["frames_shown"] <= 80, people)
        motion = self.events("--analyzer", "motion")
        starts, ends = ([seconds(e["time"]) for e in motion if e["phase"] == phase] for phase in ("start", "end"))
        self.assertEqual(len(starts), len(ends))
        self.assertGreater(min(starts), 5.9)

        def is_shown(event):
            # The last picture at which something moved is the one before the event's end.
            return any(start <= seconds(event["time"]) < end - 0.1 + HOLD for start, end in zip(starts, ends))

        def sightings(events):
            return sorted((e["pts"], json.dumps(e["box"]), e["score"], e["class"]) for e in events if e["phase"] != "end")

        shown = sightings(e for e in everywhere if is_shown(e))
        self.assertGreater(len(shown), 50)
        self.assertLess(len(shown), len(sightings(everywhere)), "people stand in the stills too")
        self.assertEqual(sightings(self.events("--analyzer", "people")), shown)
        found = self.events("--analyzer", "people")
        self.assertEqual({e["event"] for e in found if e["phase"] == "start"}, {e["event"] for e in found if e["phase"] == "end"})
        (configuration,) = {e["analyzer"]["configuration"] for e in found + motion}
        self.assertEqual(configuration, report["analyzer"]["configuration"])

    def test_what_only_decides_tells_nothing_and_another_group_finds_the_same(self):
        self.split("street")
        path = self.pipeline(f"""
stages:
  - {{analyzer: motion, events: false, options: {{size: 160x0}}}}
  - {{analyzer: exec, name: seen, after: motion, frames: 2, options: {{format: gray8, size: 16x12, run: "{self.seen()}"}}}}
""")
        self.run_pipeline(path, "--group", "a", "--no-thumbnails")
        first = self.record_ids()
        self.assertEqual({e["analyzer"]["name"] for e in self.events()}, {"seen"})
        self.run_pipeline(path, "--group", "b", "--no-thumbnails")
        self.assertEqual(sorted(self.record_ids()), sorted(2 * first))

    def test_workers_killed_at_random_moments_find_each_event_once(self):
        streams = ["a", "b", "c", "d"]
        self.split(*streams)
        path = self.pipeline(f"""
stages:
  - {{analyzer: exec, name: first, frames: 4, options: {{format: gray8, size: 16x12, run: "{self.seen()}"}}}}
  - {{analyzer: exec, name: second, after: first, for: 0s, frames: 2, options: {{format: gray8, size: 16x12, run: "{self.seen()}"}}}}
  - {{analyzer: exec, name: third, frames: 2, options: {{format: gray8, size: 16x12, run: "{self.seen()}"}}}}
""")
        self.run_pipeline(path, "--group", "undisturbed", "--no-thumbnails")
        wanted = sorted(self.record_ids())
        self.assertEqual(len(wanted), 4 * 2 * (80 + 40 + 40))
        chance = random.Random(int(os.environ.get("GOPLINE_TEST_SEED", "20261123")))
        for number in range(60 if os.environ.get("GOPLINE_TEST_LONG") else 8):
            worker = self.start_gopline("analyze", "--pipeline", path, "--group", "mortal", "--member", "only", "--no-thumbnails", "--quiet",
                                        stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.05, 0.8))  # the moment is what the test is about
            worker.kill()
            worker.wait()
        self.run_pipeline(path, "--group", "mortal", "--member", "only", "--no-thumbnails")
        self.assertEqual(sorted(self.record_ids()), sorted(2 * wanted), "each record once, as if nothing had been")

    # ---- joining

    def test_who_is_late_is_named_by_the_events_of_the_picture(self):
        self.split("street")
        path = self.pipeline(f"""
stages:
  - {{analyzer: motion, options: {{size: 160x0, update: 100ms}}}}
  - {{analyzer: exec, name: slow, frames: 1, options: {{format: gray8, size: 16x12, run: "{self.seen(0.3)}"}}}}
join: {{timeout: 100ms}}
""")
        worker = self.start_gopline("analyze", "--pipeline", path, "--group", "live", "--json", "--no-thumbnails", stderr=subprocess.PIPE)
        self.await_that(lambda: any("incomplete" in e for e in self.events()), worker)
        for event in self.events():
            self.assertIn(event.get("incomplete"), (None, ["slow"]))
        worker.send_signal(signal.SIGTERM)
        out, said = worker.communicate()
        self.assertEqual(worker.returncode, INTERRUPTED)
        self.assertIn(b"slow did not answer in time", said)
        self.assertGreater(self.stages(json.loads(out.splitlines()[-1]))["slow"]["frames_missed"], 0)
        report = self.run_pipeline(path, "--group", "later")
        counts = self.stages(report)["slow"]
        self.assertEqual((counts["frames_shown"], counts["frames_missed"]), (20, 0), "what is there already is waited for")

    # ---- enrichment

    def append(self, topic, key, value):
        subprocess.run([os.environ["GOPLINE_APPEND_RECORD"], self.log, topic, "0", key], input=value, text=True, check=True, stdout=subprocess.DEVNULL)

    def test_tables_say_what_is_where(self):
        self.split("gate", "yard")
        (self.folder / "sites.csv").write_text("stream,site,floor\ngate,Basel 7,2\n")
        (self.folder / "zones.yaml").write_text("gate|left: {name: the left half}\n")
        self.append("gopline.assets", "gate", '{"asset": "old"}')
        self.append("gopline.assets", "gate", '{"asset": "CAM-0114", "labels": ["outdoor"]}')
        zones = "['left@0:0;0.5:0;0.5:1;0:1']"
        path = self.pipeline(f"""
stages: [{{analyzer: motion, options: {{size: 160x0, zone: {zones}}}}}]
enrich:
  - file: sites.csv
  - {{file: zones.yaml, by: stream|zone, name: zones}}
""")
        out = self.run_gopline("analyze", "--pipeline", path, "--until-end", "--json", "--enrich", "topic:gopline.assets")
        report = json.loads(out.stdout.splitlines()[-1])
        gate, yard = self.events("gate"), self.events("yard")
        self.assertGreater(len(gate), 1)
        self.assertGreater(len(yard), 1)
        for event in gate:
            sites, zone, asset = event["enrichments"]
            self.assertEqual((sites["table"], sites["by"], sites["key"], sites["data"]), ("sites", "stream", "gate", {"site": "Basel 7", "floor": "2"}))
            self.assertRegex(sites["version"], "^[0-9a-f]{16}$")
            self.assertEqual((zone["table"], zone["by"], zone["key"], zone["data"]), ("zones", "stream|zone", "gate|left", {"name": "the left half"}))
            self.assertEqual((asset["table"], asset["version"]), ("gopline.assets", "0-1"))
            self.assertEqual(asset["data"], {"asset": "CAM-0114", "labels": ["outdoor"]})
        self.assertTrue(all("enrichments" not in e for e in yard), "an unknown stream's events go on without")
        counts = {t["table"]: (t["joined"], t["unknown"]) for t in report["enrichment"]}
        self.assertEqual(counts, {name: (len(gate), len(yard)) for name in ("sites", "zones", "gopline.assets")})
        self.assertEqual(out.stderr.count("knows no stream 'yard'"), 2, "once for each table")
        shown = self.run_gopline("events", "gate").stdout.splitlines()
        self.assertTrue(all("asset=CAM-0114" in line and "site=Basel 7" in line for line in shown), shown)
        finding = json.loads(self.run_gopline("events", "gate", "--ocsf").stdout.splitlines()[0])
        self.assertEqual([e["provider"] for e in finding["enrichments"]], ["sites", "zones", "gopline.assets"])
        elastic = json.loads(self.run_gopline("events", "gate", "--ecs").stdout.splitlines()[0])
        self.assertEqual(elastic["labels"], {"site": "Basel 7", "floor": "2", "name": "the left half", "asset": "CAM-0114", "labels": '["outdoor"]'})

    def test_a_table_is_read_again_when_it_changes(self):
        self.split("gate")
        table = self.folder / "sites.json"
        table.write_text('{"gate": {"site": "Basel"}}')
        worker = self.start_gopline("analyze", "--analyzer", "exec:format=gray8,size=16x12,run=" + self.seen(), "--frames", "1", "--enrich", table, "--quiet",
                                    stderr=subprocess.DEVNULL)
        self.await_that(lambda: self.sites() == {"Basel"}, worker)
        (self.folder / "new.json").write_text('{"gate": {"site": "Geneva"}}')
        os.replace(self.folder / "new.json", table)
        while "Geneva" not in self.sites():
            self.assertIsNone(worker.poll())
            self.split("gate")
        worker.send_signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), INTERRUPTED)
        self.assertEqual(self.sites(), {"Basel", "Geneva"})

    def sites(self):
        return {e["enrichments"][0]["data"]["site"] for e in self.events()}

    # ---- words

    def test_wrong_words(self):
        self.split("a")
        broken = self.pipeline("stages:\n  - analyzer: motion\n    options: {sensitivity: 7}\n  - {analyzer: objects}\n", "broken.yaml")
        good = self.pipeline("stages: [{analyzer: motion}, {analyzer: scene, after: motion}]\n")
        mixed = self.pipeline("stages: [{analyzer: motion}, {analyzer: audio}]\n", "mixed.yaml")
        for words, said in (
            (("--pipeline", broken), "broken.yaml:3: motion: sensitivity: '7'"),
            (("--pipeline", broken), "broken.yaml:4: objects: model"),
            (("--pipeline", mixed), "motion looks at pictures and audio at sound"),
            (("--pipeline", "/no/such.yaml"), "/no/such.yaml"),
            ((), "--analyzer NAME or --pipeline FILE"),
            (("--analyzer", "motion", "--pipeline", good), "--analyzer NAME or --pipeline FILE"),
            (("--pipeline", good, "--frames", "key"), "each stage has `frames:`"),
            (("--analyzer", "motion", "--enrich", "colour=x.csv"), "'colour'"),
        ):
            with self.subTest(words=words):
                self.assertIn(said, self.run_gopline("analyze", *words, code=USAGE).stderr)
        self.assertNotEqual(subprocess.run(self.command("analyze", "--analyzer", "motion", "--until-end", "--enrich", "topic:none"), capture_output=True).returncode, WHOLE)
        checked = json.loads(self.run_gopline("check-config", good, "--json").stdout)
        self.assertEqual([(s["stage"], s["after"]) for s in checked["stages"]], [("motion", None), ("scene", "motion")])
        said = self.run_gopline("check-config", broken, code=FAILED).stderr.splitlines()
        self.assertEqual([line.split(": ")[1].rsplit(":", 1)[1] for line in said], ["3", "4"], "a line for each fault")


if __name__ == "__main__":
    unittest.main()
