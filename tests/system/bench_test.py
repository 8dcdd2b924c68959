"""`gopline bench segments` and `gopline advise`: what they print and write, and that nothing of them is left in the log."""

import csv
import json
import signal
import unittest
import xml.etree.ElementTree as xml

from support import INTERRUPTED, USAGE, SystemTest, default_signals

SVG = "{http://www.w3.org/2000/svg}svg"
SHORT = ("--duration", "30ms", "--latency-duration", "50ms", "--warm-up", "0s", "--repetitions", "2", "--max-bytes", "2MB", "--rate", "100")


class Bench(SystemTest):
    def bench(self, *arguments, code=0):
        return self.run_gopline("bench", "segments", "--log", self.log, *SHORT, *arguments, code=code)

    def assert_nothing_is_left(self):
        """Payloads of megabytes went through the log; what remains is the log's own book-keeping."""
        self.assertEqual(self.run_gopline("streams", "--json").stdout.count("stream-"), 0)
        names = [path for path in self.log.rglob("*") if "bench-" in path.name]
        self.assertEqual(names, [])
        size = sum(path.stat().st_size for path in self.log.rglob("*") if path.is_file())
        self.assertLess(size, 1_000_000)

    def test_results_in_every_form(self):
        blobs, out = self.folder / "blobs", self.folder / "out"
        done = self.bench("--sizes", "10KB,100KB", "--blobs", blobs, "--strategies", "inline,chunk@16KiB,claim,auto,raw",
                          "--source", self.clip("street_av1.mp4"), "--segment-duration", "1s", "--streams", "2", "--output", out)
        results = json.loads((out / "results.json").read_text())
        self.assertEqual(results["format"], "gopline.bench.segments.v1")
        self.assertTrue(results["complete"])
        self.assertEqual(results["environment"]["partitions"], 2)
        self.assertEqual(len(results["cases"]), 3 * 5)
        for case in results["cases"]:
            with self.subTest(case["strategy"], bytes=case["bytes"]):
                if case["strategy"] == "raw":
                    self.assertIn("not Kafka", case["absent"])
                    continue
                self.assertIsNone(case["absent"])
                self.assertEqual(len(case["repetitions"]), 2)
                for repetition in case["repetitions"]:
                    self.assertGreater(min(repetition[name] for name in ("write_mb_s", "read_mb_s", "through_mb_s")), 0)
                    self.assertGreater(repetition["payloads"], 0)
                self.assertGreater(case["latency"]["samples"], 0)
                self.assertGreater(case["latency"]["p50_ms"], 0)
                self.assertEqual(case["chosen"] != "", case["strategy"] == "auto")
        rows = list(csv.DictReader((out / "results.csv").read_text().splitlines()))
        self.assertEqual([row["strategy"] for row in rows], [case["strategy"] for case in results["cases"]])
        self.assert_is_a_report(out / "report.html", results, charts_at_least=12)
        self.assertIn("chunk@16KiB", done.stdout)
        self.assertIn("inline", done.stderr, "progress as it goes")
        self.assert_nothing_is_left()
        self.assertEqual([path for path in blobs.rglob("*") if path.is_file()], [])

    def assert_is_a_report(self, path, results, charts_at_least=6):
        text = path.read_text()
        page = xml.fromstring(text.split("\n", 1)[1])  # behind the DOCTYPE
        charts = list(page.iter(SVG))
        self.assertGreaterEqual(len(charts), charts_at_least)
        self.assertEqual(len({chart.get("id") for chart in charts}), len(charts))
        rows = [row for row in page.iter() if row.tag.endswith("}tr")]
        self.assertEqual(len(rows), 1 + len(results["cases"]))
        for word in ("<script", "src=", "url("):
            self.assertNotIn(word, text)

    def test_json_and_advice(self):
        done = self.bench("--sizes", "20KB,1MB", "--json", "--quiet")
        self.assertEqual(done.stderr, "")
        results = self.folder / "results.json"
        results.write_text(done.stdout)
        report = self.folder / "report.html"
        advice = json.loads(self.run_gopline("advise", results, "--streams", "50", "--bitrate", "8Mbit/s", "--json", "--report", report).stdout)
        subjects = [point["subject"] for point in advice["points"]]
        for subject in ("segment duration", "strategy", "partitions"):
            self.assertIn(subject, subjects)
        self.assertIn("max.message.bytes", advice["topic"])
        self.assert_is_a_report(report, json.loads(done.stdout))
        self.assertIn("--segment-duration", self.run_gopline("advise", results).stdout)

    def test_ctrl_c_keeps_what_was_measured_and_cleans_up(self):
        out = self.folder / "out"
        process = self.start_gopline(
            "bench", "segments", "--log", self.log, "--sizes", "100KB", "--repetitions", "1000", "--warm-up", "0s", "--duration", "50ms",
            "--latency-duration", "50ms", "--rate", "100", "--max-bytes", "2MB", "--output", out, preexec_fn=default_signals)
        while b"latency" not in (line := process.stderr.readline()) and b"median" not in line:
            self.assertNotEqual(line, b"", "it ended early")
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED)
        results = json.loads((out / "results.json").read_text())
        self.assertFalse(results["complete"])
        self.assertGreaterEqual(len(results["cases"][0]["repetitions"]), 1)
        self.assert_is_a_report(out / "report.html", results)
        self.assert_nothing_is_left()

    def test_help(self):
        text = self.run_gopline("bench", "segments", "--help").stdout
        for word in ("Examples:", "Exit codes:", "--sizes", "--blobs", "chunk@SIZE"):
            self.assertIn(word, text)

    def test_wrong_command_lines(self):
        for arguments in (["bench"], ["bench", "segments", "--sizes", "big"], ["bench", "segments", "--sizes", "4MB..1MB"],
                          ["bench", "segments", "--strategies", "inlin"], ["bench", "segments", "--streams", "0"],
                          ["bench", "segments", "--rate", "-1"], ["bench", "segments", "--source", "nowhere.mp4"],
                          ["advise"], ["advise", "x.json", "--bitrate", "fast"]):
            with self.subTest(" ".join(arguments)):
                done = self.run_gopline(*arguments, code=USAGE)
                self.assertIn("--help", done.stderr)

    def test_advice_on_what_are_no_results(self):
        (self.folder / "other.json").write_text('{"format": "another"}')
        (self.folder / "words.json").write_text("dear")
        for name in ("other.json", "words.json", "nowhere.json"):
            self.assert_one_clear_message(self.run_gopline("advise", name, code=1), name)


if __name__ == "__main__":
    unittest.main()
