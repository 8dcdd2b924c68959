"""Three brokers: the leader moves, one after the other dies, and nobody notices but the operator."""

import unittest

from faults import INTERRUPTED, IS_LONG, FaultTest, leader_of, reported, start_cluster, long
from support import looks

# (streams, times the clip of 20 s is repeated: more than enough, kills, further segments of 2 s of a stream before each kill)
ROUNDS = (20, 60, 10, 25) if IS_LONG else (6, 10, 3, 3)


def setUpModule():
    Replicas.kafka = start_cluster("three", brokers=3, proxies=True)


def tearDownModule():
    Replicas.kafka.stop(patience=0)


class Replicas(FaultTest):
    def setUp(self):
        for broker in range(3):  # whatever the test before has left
            if not self.kafka.running(broker):
                self.kafka.start_broker(broker)
            self.kafka.proxies[broker].clear()
        self.await_in_sync()
        super().setUp()

    def await_in_sync(self):
        """Until every broker has what the others have: before that, a second death stops writers, as it should."""
        for _ in looks():
            behind = self.kafka.tool("org.apache.kafka.tools.TopicCommand", "--describe", "--under-replicated-partitions")
            if not behind.strip():
                return

    def test_the_leader_dies_in_mid_write(self):
        source, framehash = self.looped(10)
        for proxy in self.kafka.proxies:
            proxy.throttle(2_000_000)
        process = self.start_split(source, "cam")
        self.wait_for_segments(process, "cam", 10)
        seen = self.segments("cam")
        leader = leader_of(self.kafka, f"{self.name_space}.segments", seen[0]["partition"])
        self.kafka.kill(leader)
        out, _ = self.finish(process)  # without it
        self.assertEqual(reported(out)["segments"], 100)
        self.assertNotEqual(leader_of(self.kafka, f"{self.name_space}.segments", seen[0]["partition"]), leader)
        self.assertEqual(self.assert_in_order_and_once("cam")[: len(seen)], seen)
        self.assert_all_there("cam", framehash)

    @long
    def test_the_leader_dies_in_mid_read(self):
        source, framehash = self.looped(10)
        self.run_gopline("split", source, "--stream", "cam")
        leader = leader_of(self.kafka, f"{self.name_space}.segments", self.segments("cam")[0]["partition"])
        for proxy in self.kafka.proxies:
            proxy.throttle(2_500_000)
        before = self.kafka.proxies[leader].bytes_down
        out = self.folder / "out.mp4"
        process = self.start_gopline("aggregate", "cam", "--output", out, "--log", self.proxied())
        self.await_that(lambda: self.kafka.proxies[leader].bytes_down > before + 4_000_000, process)
        self.kafka.kill(leader)
        self.finish(process)
        self.assertTrue(self.framehash(out) == framehash)

    @long
    def test_first_writers_soon_after_a_broker_came_back(self):
        """Each broker hears of new topics in its own time, and one that has just started is the last."""
        for i in range(6):
            if i % 3 == 0:
                self.kafka.kill(i % 2)
                self.kafka.start_broker(i % 2)
            with self.subTest(i):
                self.name_space = f"new-{i}"
                self.log = self.url()
                self.run_gopline("split", self.clip("street_av1.mp4"))

    @long
    def test_one_after_the_other_dies_under_many_streams(self):
        count, times, kills, step = ROUNDS
        source, _ = self.looped(times)
        streams = [f"cam-{i}" for i in range(count)]
        names = [word for stream in streams for word in ("--stream", stream)]
        process = self.start_gopline("split", *[source] * count, *names, "--rate", "realtime", "--json", "--log", self.url())
        self.wait_for_segments(process, streams[-1], 1)
        for kill in range(kills):
            seen = len(self.segments(streams[0]))
            self.wait_for_segments(process, streams[0], seen + step)
            self.kafka.kill(kill % 3)
            if kill % 3 == 0:
                self.wait_for_segments(process, streams[0], seen + step + 1)  # it goes on with two
            self.kafka.start_broker(kill % 3)
            self.await_in_sync()
        out, _ = self.interrupt(process)
        self.assertEqual(process.returncode, INTERRUPTED)
        remux = self.folder / "remux.mp4"
        self.ffmpeg("-i", source, "-map", "0", "-c", "copy", remux)
        before = self.packet_hashes(remux)
        for stream in streams:
            segments = self.assert_in_order_and_once(stream)
            self.assertEqual(reported(out, stream)["segments"], len(segments))
            self.assert_whole(stream)
            file = self.folder / f"{stream}.mp4"
            self.json_of("aggregate", stream, "--output", file)
            after = self.packet_hashes(file)
            self.assertGreater(len(after[0]), len(before[0]) * (len(segments) - 1) // (10 * times))
            for track, hashes in after.items():
                self.assertTrue(hashes == before[track][: len(hashes)], f"{stream} is not what was split")


if __name__ == "__main__":
    unittest.main()
