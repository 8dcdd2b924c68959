"""What a SIEM gets: every record of every analyzer is an OCSF Detection Finding without one error, by schemas that know nothing of us."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from analyzers_test import PROGRAM, PYTHON, ROOT, run

JUDGE = """
import json, sys
import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
judge = jsonschema.Draft202012Validator(OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.5.0")).get_class_schema("detection_finding"))
for line in sys.stdin:
    for error in judge.iter_errors(json.loads(line)):
        print(error.json_path, error.message)
"""


class Siem(unittest.TestCase):
    def judge(self, lines):
        return subprocess.run([os.fspath(PYTHON), "-c", JUDGE], input="\n".join(lines), capture_output=True, text=True, check=True).stdout

    def test_events_are_detection_findings(self):
        models = ROOT / "media/models"
        with tempfile.TemporaryDirectory(prefix="gopline-test-") as folder:
            log = Path(folder) / "log"
            run(PROGRAM, "split", ROOT / "media/street.mp4", "--log", log, "--stream", "site-7/lobby", "--start-time", "2026-11-22T18:00:00Z")
            sites = Path(folder) / "sites.csv"
            sites.write_text("stream,site,floor\nsite-7/lobby,Basel 7,2\n")
            for analyzer in ("motion:zone=door@0:0;1:0;1:1", "audio", f"objects:model={models}/FastestDet.onnx,names={models}/coco.names,dwell=2s"):
                run(PROGRAM, "analyze", "--log", log, "--until-end", "--analyzer", analyzer, "--enrich", sites)
            lines = run(PROGRAM, "events", "--log", log, "--ocsf").splitlines()
            stored = [json.loads(line) for line in run(PROGRAM, "events", "--log", log, "--json").splitlines()]
            elastic = [json.loads(line) for line in run(PROGRAM, "events", "--log", log, "--ecs").splitlines()]
        self.assertGreater(len(lines), 50)
        self.assertEqual(self.judge(lines), "")
        wrong = json.loads(lines[0])
        wrong["severity_id"] = "high"
        self.assertIn("severity_id", self.judge([json.dumps(wrong)]), "the judge sees faults")
        findings = [json.loads(line) for line in lines]
        self.assertEqual({f["finding_info"]["analytic"]["name"] for f in findings}, {"motion", "audio", "objects"})
        self.assertEqual([f["enrichments"][0]["data"] for f in findings], len(findings) * [{"site": "Basel 7", "floor": "2"}])
        self.assertEqual({json.dumps(e["labels"]) for e in elastic}, {'{"floor": "2", "site": "Basel 7"}'})
        self.assertEqual([f["activity_id"] for f in findings], [{"start": 1, "update": 2, "end": 3}[e["phase"]] for e in stored])
        self.assertEqual([(e["@timestamp"], e["gopline"]["frame"], e["event"]["action"]) for e in elastic], [(e["time"], e["frame"], e["class"]) for e in stored])


if __name__ == "__main__":
    unittest.main()
