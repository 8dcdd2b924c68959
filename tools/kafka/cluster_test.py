"""Holds the test cluster itself to its word, with kcat for the client. Needs what ./dev test installs and fetches."""

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import jvm
from cluster import Cluster
from jvm import KafkaError

LIMIT = "60"  # seconds: a guard, nothing waits so long


class ClusterTest(unittest.TestCase):
    options = {}

    @classmethod
    def setUpClass(cls):
        jvm.require_jars()  # an error with words, not a skip: these tests are to run
        if shutil.which("kcat") is None:
            raise KafkaError("kcat is not installed: run ./dev test, which installs it")
        cls.folder = Path(tempfile.mkdtemp(prefix="gopline-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.kafka = Cluster(cls.folder, **cls.options)
        cls.addClassCleanup(cls.kafka.stop, patience=0)
        cls.kafka.start()

    def kcat(self, bootstrap, *arguments, text=None, properties=None):
        """The finished process. librdkafka 2.0.2, which kcat is linked with, cannot do SCRAM with these brokers."""
        command = ["timeout", LIMIT, "kcat", "-b", bootstrap, "-X", "message.timeout.ms=3000"]
        command += [*(["-F", str(properties)] if properties else []), *arguments]
        return subprocess.run(command, input=text or "", capture_output=True, text=True)

    def write(self, bootstrap, topic, text, **more):
        return self.kcat(bootstrap, "-P", "-t", topic, text=text, **more)

    def read(self, bootstrap, topic, **more):
        return self.kcat(bootstrap, "-C", "-t", topic, "-o", "beginning", "-e", **more).stdout


class OneBroker(ClusterTest):
    options = {"proxies": True}

    def test_a_record_outlives_a_kill(self):
        kafka = self.kafka
        kafka.create_topic("kept")
        self.assertEqual(self.write(kafka.bootstrap, "kept", "hello").returncode, 0)
        kafka.kill(0)
        self.assertFalse(kafka.running(0))
        with self.assertRaisesRegex(KafkaError, "does not run"):
            kafka.kill(0)
        kafka.start_broker(0)
        self.assertEqual(self.read(kafka.bootstrap, "kept"), "hello\n")

    def test_a_paused_broker_keeps_its_connections_and_goes_on(self):
        kafka = self.kafka
        kafka.create_topic("paused")
        kafka.pause(0)
        self.assertNotEqual(self.write(kafka.bootstrap, "paused", "too late").returncode, 0)
        kafka.resume(0)
        self.assertEqual(self.write(kafka.bootstrap, "paused", "in time").returncode, 0)

    def test_clients_of_the_proxy_stay_with_it_and_meet_its_faults(self):
        kafka, proxy = self.kafka, self.kafka.proxies[0]
        kafka.create_topic("cut", max_message_bytes=2000000)
        record = "x" * 500000
        self.assertEqual(self.write(kafka.proxied_bootstrap, "cut", record).returncode, 0)
        self.assertGreater(proxy.bytes_up, len(record))

        proxy.cut_after(1000, 100000, seed=1)
        self.assertNotEqual(self.write(kafka.proxied_bootstrap, "cut", record).returncode, 0)
        self.assertGreater(proxy.cuts, 0)
        proxy.clear()
        self.assertEqual(self.read(kafka.proxied_bootstrap, "cut"), record + "\n")

    def test_a_broker_that_cannot_start_says_why(self):
        with tempfile.TemporaryDirectory(prefix="gopline-test-") as folder:
            with self.assertRaisesRegex(KafkaError, f"{self.kafka.brokers[0].ports['PLAINTEXT']} .*is taken"):
                Cluster(folder, ports=[self.kafka.brokers[0].ports["PLAINTEXT"]]).start()
            wrong = Cluster(folder, overrides={"num.io.threads": "none"})
            self.addCleanup(wrong.stop, patience=0)
            with self.assertRaisesRegex(KafkaError, "num.io.threads"):
                wrong.start()


# tests/kafka_faults/secure_test.py tries the same from a client; this looks at the tool itself.
@unittest.skipUnless(os.environ.get("GOPLINE_TEST_LONG") == "1", "long: ./dev test --all runs it")
class SecureBroker(ClusterTest):
    options = {"secure": True}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kafka.create_topic("safe")  # as admin, with SCRAM
        cls.plain = cls.kafka.files["client-plain"]

    def test_a_password_decides(self):
        wrong = self.folder / "wrong.properties"
        lines = self.plain.read_text().splitlines()
        wrong.write_text("".join(line + ("x" if line.startswith("sasl.password=") else "") + "\n" for line in lines))
        refused = self.write(self.kafka.bootstrap, "safe", "no", properties=wrong)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("Authentication failed", refused.stderr)
        self.assertEqual(self.write(self.kafka.bootstrap, "safe", "yes", properties=self.plain).returncode, 0)
        self.assertEqual(self.read(self.kafka.bootstrap, "safe", properties=self.plain), "yes\n")

    def test_a_certificate_will_do_and_so_will_a_token(self):
        for name, bootstrap in (("client-mtls", self.kafka.mtls_bootstrap), ("client-oauth", self.kafka.bootstrap)):
            listed = self.kcat(bootstrap, "-L", "-J", properties=self.kafka.files[name])
            self.assertIn("safe", [topic["topic"] for topic in json.loads(listed.stdout)["topics"]], name)

    def test_a_right_can_be_taken_away(self):
        reader = self.kafka.files["reader-plain"]
        self.assertIn("authorization failed", self.write(self.kafka.bootstrap, "safe", "no", properties=reader).stderr)
        right = ("User:reader", "--operation", "Write", "--topic", "safe")
        self.kafka.acl("add", *right)
        self.assertEqual(self.write(self.kafka.bootstrap, "safe", "yes", properties=reader).returncode, 0)
        self.kafka.acl("remove", *right)
        self.assertIn("authorization failed", self.write(self.kafka.bootstrap, "safe", "no", properties=reader).stderr)

    def test_secrets_are_nobody_elses(self):
        for path in (self.kafka.brokers[0].properties, *self.kafka.files.values(), self.kafka.security.java_admin_file):
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        command = Path(f"/proc/{self.kafka.pid(0)}/cmdline").read_bytes().decode()
        log = self.kafka.brokers[0].log.read_text()
        for password in self.kafka.security.passwords.values():
            self.assertNotIn(password, command + log)


class Command(unittest.TestCase):
    """cluster.py run, as a harness in another language uses it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gopline-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, **environment):
        command = [sys.executable, str(Path(__file__).with_name("cluster.py")), "run"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   env={**os.environ, "TMPDIR": self.folder, **environment})
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def ask(self, process, line):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        return process.stdout.readline().strip()

    def test_it_obeys_and_leaves_nothing_behind(self):
        process = self.start()
        broker = os.pidfd_open(json.loads(process.stdout.readline())["pids"][0])
        self.addCleanup(os.close, broker)
        self.assertEqual(self.ask(process, "create-topic t 2 retention.ms=100000"), "ok")
        self.assertEqual(self.ask(process, "set-topic-config t max.message.bytes=100000"), "ok")
        self.assertEqual(self.ask(process, "pause 0"), "ok")
        self.assertEqual(self.ask(process, "resume 0"), "ok")
        self.assertIn("error there is no broker 7", self.ask(process, "kill 7"))
        self.assertIn("error not understood", self.ask(process, "dance"))
        process.send_signal(signal.SIGKILL)  # even so the broker goes
        self.assertTrue(select.select([broker], [], [], int(LIMIT))[0])

    def test_missing_jars_are_told_with_what_to_do(self):
        process = self.start(GOPLINE_KAFKA=self.folder)
        self.assertEqual(process.wait(), 1)
        self.assertIn("./dev test", process.stderr.read())


if __name__ == "__main__":
    unittest.main()
