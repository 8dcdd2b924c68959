"""The one broker dies, hangs, comes back: in the middle of writing and of reading, and while one wants to stop."""

import unittest

from faults import FaultTest, reported, shared_cluster, long

SLOW, SLOWER = 2_500_000, 1_000_000  # bytes a second: a clip of 18 MB is on its way for some seconds
TIMEOUT = {"socket_timeout_ms": 1000}


class BrokerDeath(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        self.proxy = self.kafka.proxies[0]
        super().setUp()

    def split_part(self, stream, **properties):
        """A split that has stored something, and has more to store than it can: (process, what is stored)."""
        source, _ = self.looped(10)
        self.proxy.throttle(SLOWER)
        process = self.start_split(source, stream, log=self.proxied(**properties))
        self.wait_for_segments(process, stream, 10)
        return process, self.segments(stream)

    def aggregate_part(self, stream, **properties):
        """An aggregate that has read some of it, and the source's framehash."""
        source, framehash = self.looped(10)
        self.run_gopline("split", source, "--stream", stream)
        self.proxy.throttle(SLOW)
        before = self.proxy.bytes_down
        out = self.folder / f"{stream}.mp4"
        process = self.start_gopline("aggregate", stream, "--output", out, "--log", self.proxied(**properties))
        self.await_that(lambda: self.proxy.bytes_down > before + 4_000_000, process)
        return process, framehash

    def test_killed_again_and_again_in_mid_write(self):
        source, framehash = self.looped(4)
        data = source.read_bytes()
        self.proxy.throttle(SLOWER)
        process = self.start_split("-", "cam")
        begin = 0
        for count, end in ((3, len(data) // 3), (16, len(data) * 2 // 3)):
            self.feed(process, data[begin:end])
            self.wait_for_segments(process, "cam", count)
            self.kafka.kill(0)  # with the rest of this part on its way
            self.kafka.start_broker(0)
            begin = end
        self.feed(process, data[begin:])
        out, _ = self.finish(process)
        self.assertEqual(reported(out)["segments"], 40)
        self.proxy.clear()
        self.assert_in_order_and_once("cam")
        self.assert_all_there("cam", framehash)

    def test_killed_in_mid_read(self):
        process, framehash = self.aggregate_part("cam")
        self.kafka.kill(0)
        self.kafka.start_broker(0)
        self.finish(process)
        self.assertTrue(self.framehash(self.folder / "cam.mp4") == framehash)

    def test_stop_while_dead_and_go_on_afterwards(self):
        reading, _ = self.aggregate_part("old")
        writing, seen = self.split_part("cam")
        self.kafka.kill(0)
        with self.subTest("split"):
            out, _ = self.interrupt(writing, "split, broker dead")
        with self.subTest("aggregate"):
            self.interrupt(reading, "aggregate, broker dead")
            self.assertFalse((self.folder / "old.mp4").exists(), "no half file is left")
        for command in (("split", self.clip("street.mp4")), ("streams",)):
            with self.subTest(command[0] + " that never reached it"):
                process = self.start_gopline(*command)
                self.await_line(process, "refused", "down")
                self.interrupt(process, command[0] + ", broker never there")

        self.kafka.start_broker(0)
        self.proxy.clear()
        report = self.assert_acknowledged_kept("cam", seen)
        self.assertGreaterEqual(report["counts"]["segments"], reported(out)["segments"])
        source, framehash = self.looped(2)
        self.run_gopline("split", source, "--stream", "cam")
        self.assert_acknowledged_kept("cam", seen)
        self.assert_comes_out_as("cam", framehash)

    @long
    def test_a_pause_longer_than_the_time_out(self):
        """SIGSTOP: connections stay, nothing answers. What was sent may have arrived, and is sent again."""
        _, framehash = self.looped(10)
        process, seen = self.split_part("cam", **TIMEOUT)
        self.kafka.pause(0)
        self.await_new_connection(process)
        self.proxy.clear()
        self.kafka.resume(0)
        self.finish(process)
        self.assertEqual(self.assert_in_order_and_once("cam")[: len(seen)], seen)
        self.assert_all_there("cam", framehash)

    @long
    def test_a_pause_in_mid_read(self):
        process, framehash = self.aggregate_part("cam", **TIMEOUT)
        self.kafka.pause(0)
        self.await_new_connection(process)
        self.proxy.clear()  # so slow a line would need a longer time-out
        self.kafka.resume(0)
        self.finish(process)
        self.assertTrue(self.framehash(self.folder / "cam.mp4") == framehash)

    @long
    def test_stop_while_paused(self):
        reading, _ = self.aggregate_part("old")
        writing, seen = self.split_part("cam")
        self.kafka.pause(0)
        out, _ = self.interrupt(writing, "split, broker paused")
        self.interrupt(reading, "aggregate, broker paused")
        self.kafka.resume(0)
        self.proxy.clear()
        self.assertFalse((self.folder / "old.mp4").exists(), "no half file is left")
        report = self.assert_acknowledged_kept("cam", seen)
        self.assertGreaterEqual(report["counts"]["segments"], reported(out)["segments"])


if __name__ == "__main__":
    unittest.main()
