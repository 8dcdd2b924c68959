"""Parts of a segment that is still open, through a real broker: the cases of tests/live/low_latency_test.py."""

import os
import sys
import unittest

from faults import TESTS, FaultTest, long, shared_cluster

sys.path.insert(0, os.fspath(TESTS / "live"))
import low_latency_test as embedded  # noqa: E402


class LowLatencyOnKafka(FaultTest, embedded.LowLatency):
    interrupt = embedded.LowLatency.interrupt
    test_a_paced_file_is_a_camera = long(embedded.LowLatency.test_a_paced_file_is_a_camera)

    def setUp(self):
        self.kafka = shared_cluster()
        super().setUp()


del FaultTest  # no test of this module's own

if __name__ == "__main__":
    unittest.main()
