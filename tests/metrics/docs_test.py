"""docs/metrics.md and docs/alerts.yml say what the code does, and Prometheus' own tool takes both."""
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

ROOT = Path(os.environ["GOPLINE_ROOT"])
ALERTS = ROOT / "docs/alerts.yml"
CASES = Path(__file__).with_name("alerts_test.yml")
PROMTOOL = shutil.which("promtool", path=f"{os.environ['PATH']}:{ROOT}/build/deps/promtool")
needs_promtool = unittest.skipUnless(PROMTOOL, "promtool is not here: ./dev test gets it")


def exposition():
    return subprocess.run([os.environ["GOPLINE_PRINT_METRICS"]], check=True, capture_output=True, text=True).stdout


def promtool(*arguments, **options):
    done = subprocess.run([PROMTOOL, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    return done.returncode, done.stdout


def metrics_of_code(text):
    """{name: (type, labels)} of a text in Prometheus' format."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    labels = {name: set() for name in types}
    for series, names in re.findall(r"^(\w+)\{(.*)\} ", text, re.MULTILINE):
        name = series if series in types else re.sub("_(bucket|sum|count)$", "", series)
        labels[name] |= set(re.findall(r'(\w+)="', names)) - {"le"}
    return {name: (types[name], labels[name]) for name in types}


def metrics_of_docs():
    rows = re.findall(r"^\| `(gopline_\w+)` \| (\w+) \| (?:([\w, ]+) )?\| (.+) \|$", (ROOT / "docs/metrics.md").read_text(), re.MULTILINE)
    names = [name for name, *_ in rows]
    assert len(names) == len(set(names)), "a metric has two rows"
    return {name: (kind, set(filter(None, labels.split(", ")))) for name, kind, labels, _ in rows}


class Docs(unittest.TestCase):
    maxDiff = None

    def test_table_has_every_metric_with_its_type_and_labels(self):
        self.assertEqual(metrics_of_docs(), metrics_of_code(exposition()))

    def test_table_has_every_value_of_the_labels(self):
        table = (ROOT / "docs/metrics.md").read_text()
        for value in set(re.findall(r'(?:cause|state)="([^"]+)"', exposition())):
            self.assertIn(f"`{value}`", table)

    def test_alerts_ask_for_metrics_and_values_that_there_are(self):
        text, known = ALERTS.read_text(), metrics_of_code(exposition())
        for series in set(re.findall(r"\bgopline_\w+", text)):
            name = series if series in known else re.sub("_(bucket|sum|count)$", "", series)
            self.assertIn(name, known)
        for label, value in re.findall(r'(cause|state)="([^"]+)"', text):
            self.assertIn(f'{label}="{value}"', exposition())

    def test_each_alert_has_a_case_that_raises_it(self):
        alerts = re.findall(r"- alert: (\w+)", ALERTS.read_text())
        self.assertEqual(set(alerts), set(re.findall(r"alertname: (\w+)\n +exp_alerts: \[\{", CASES.read_text())))

    @needs_promtool
    def test_promtool_has_nothing_to_say_of_the_metrics(self):
        self.assertEqual(promtool("check", "metrics", input=exposition()), (0, ""))

    @needs_promtool
    def test_promtool_takes_the_alerts(self):
        code, said = promtool("check", "rules", str(ALERTS))
        self.assertEqual(code, 0, said)
        self.assertIn("SUCCESS", said)

    @needs_promtool
    def test_alerts_are_raised_when_they_should_be(self):
        code, said = promtool("test", "rules", str(CASES))
        self.assertEqual(code, 0, said)


if __name__ == "__main__":
    unittest.main()
