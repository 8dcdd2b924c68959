"""gopline analyze on Kafka: workers killed at random moments and a broker that restarts, and each event is there once for who reads what is
committed, as kcat sees it."""

import json
import os
import random
import shutil
import subprocess
import time
import unittest

from faults import IS_LONG, FaultTest, shared_cluster

STREAMS = ["cam-0", "cam-2", "cam-4"]  # whose hashes are odd, odd, even
ANALYZER = "motion:update=300ms,most=2s,size=160x0"


class ExactlyOnce(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        super().setUp()
        for stream in STREAMS:
            self.run_gopline("split", self.clip("street.mp4"), "--stream", stream, "--start-time", "2026-11-22T18:00:00Z", "--quiet",
                             "--segment-duration", "500ms", "--partitions", "2")

    def arguments(self, group, *more):
        return ("analyze", "--log", self.log, "--analyzer", ANALYZER, "--no-thumbnails", "--group", group, "--session-timeout", "6s", *more)

    def analyze(self, group, *more):
        return json.loads(self.run_gopline(*self.arguments(group, "--until-end", "--json", *more)).stdout.splitlines()[-1])

    def ids(self):
        """Stream and ce_id of every committed record of NS.events."""
        out = subprocess.run([shutil.which("kcat"), "-b", self.kafka.bootstrap, "-C", "-t", f"{self.name_space}.events", "-o", "beginning", "-e", "-q",
                              "-X", "isolation.level=read_committed", "-f", "%k %h\\n"], capture_output=True, text=True, check=True).stdout
        found = []
        for line in out.splitlines():
            stream, headers = line.split(" ", 1)
            found.append((stream, dict(pair.split("=", 1) for pair in headers.split(",") if "=" in pair)["ce_id"]))
        return found

    def test_workers_that_die_and_a_broker_that_restarts(self):
        self.assertTrue(self.analyze("undisturbed")["exactly_once"])
        wanted = sorted(self.ids())
        self.assertGreater(len(wanted), 60)
        self.assertEqual(len(set(wanted)), len(wanted))
        chance = random.Random(int(os.environ.get("GOPLINE_TEST_SEED", "20261123")))
        kills = 200 if IS_LONG else 20
        for number in range(kills):
            worker = self.start_gopline(*self.arguments("mortal", "--quiet", "--member", "only"), stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.2, 1.2))  # the moment is what the test is about
            if number == kills // 2:
                self.kafka.kill(0)
                self.kafka.start_broker(0)
            worker.kill()
            worker.wait()
        self.analyze("mortal", "--member", "only")
        self.assertEqual(sorted(self.ids()), sorted(2 * wanted), "each record once, as if nothing had been")

    def test_streams_of_a_killed_worker_move_to_the_other(self):
        self.analyze("undisturbed")
        wanted = sorted(self.ids())
        workers = [self.start_gopline(*self.arguments("pair", "--quiet", "--lag", "block"), stderr=subprocess.DEVNULL) for _ in range(2)]
        self.await_that(lambda: len(self.ids()) > len(wanted), workers[1])
        workers[0].kill()
        workers[0].wait()
        self.await_that(lambda: len(self.ids()) == 2 * len(wanted), workers[1])
        self.interrupt(workers[1], "analyze")
        self.assertEqual(sorted(self.ids()), sorted(2 * wanted))


if __name__ == "__main__":
    unittest.main()
