"""What happens to topics and streams on a cluster that is well: deleted, grown, shared, lying on two clusters."""

import unittest

from faults import FAILED, NOT_WHOLE, WHOLE, FaultTest, shared_cluster, start_cluster, long

TOPICS = "org.apache.kafka.tools.TopicCommand"


class Topics(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        self.proxy = self.kafka.proxies[0]
        super().setUp()

    def topic(self, kind):
        return f"{self.name_space}.{kind}"

    # ---- deleted

    def test_deleted_under_a_writer(self):
        """It says so and ends: what was there is gone by somebody's wish. The next split makes the topic anew."""
        source, framehash = self.looped(4)
        data = source.read_bytes()
        process = self.start_split("-", "cam")
        self.feed(process, data[: len(data) // 2])
        self.wait_for_segments(process, "cam", 10)
        epoch = self.segments("cam")[0]["epoch"]
        self.kafka.tool(TOPICS, "--delete", "--topic", self.topic("segments"))
        self.feed(process, data[len(data) // 2 :])
        _, err = self.finish(process, code=FAILED)
        lines = [line for line in err.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertIn(self.topic("segments"), lines[0])
        self.run_gopline("split", source, "--stream", "cam")
        newest = self.json_of("inspect", "cam", "--epoch", "latest")["segments"]
        self.assertEqual(len(newest), 40)
        self.assertGreater(newest[0]["epoch"], epoch, "a number is never used again")
        self.assert_comes_out_as("cam", framehash)

    def test_deleted_under_a_reader(self):
        source, _ = self.looped(10)
        self.run_gopline("split", source, "--stream", "cam")
        self.proxy.throttle(2_500_000)
        before = self.proxy.bytes_down
        out = self.folder / "out.mp4"
        process = self.start_gopline("aggregate", "cam", "--output", out, "--log", self.proxied())
        self.await_that(lambda: self.proxy.bytes_down > before + 4_000_000, process)
        self.kafka.tool(TOPICS, "--delete", "--topic", self.topic("segments"))
        self.proxy.clear()
        _, err = self.finish(process, code=FAILED)
        lines = [line for line in err.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertIn(self.topic("segments"), lines[0])
        self.assertFalse(out.exists(), "no half file is left")

    # ---- shared

    def test_two_writers_on_one_stream(self):
        source, framehash = self.looped(2)
        for stream in ("new", "again"):
            with self.subTest(stream):
                if stream == "again":
                    self.run_gopline("split", source, "--stream", stream)
                before = {s["epoch"] for s in self.segments(stream)} if stream == "again" else set()
                writers = [self.start_split(source, stream) for _ in range(2)]
                for writer in writers:
                    self.finish(writer)
                self.assert_whole(stream)
                segments = self.segments(stream)
                epochs = {s["epoch"] for s in segments} - before
                self.assertEqual(len(epochs), 2)
                self.assertEqual(len({(s["epoch"], s["segment"]) for s in segments}), len(segments))
                self.assertEqual(len(segments), 20 * (2 + len(before)))
                self.assertEqual(len({s["partition"] for s in segments}), 1)
                for epoch in epochs:
                    self.assert_comes_out_as(stream, framehash, "--epoch", str(epoch))

    def test_many_first_writers_at_once(self):
        """Eight of them also make the topics at the same moment."""
        writers = [self.start_split(self.clip("street_av1.mp4"), "cam", log=self.url()) for _ in range(8)]
        for writer in writers:
            self.finish(writer)
        segments = self.segments("cam")
        self.assertEqual(len({s["epoch"] for s in segments}), 8)
        self.assertEqual(len(segments), 32)
        self.assertEqual(len({s["partition"] for s in segments}), 1)
        self.assert_whole("cam")

    # ---- grown

    def test_partitions_added_between_two_splits(self):
        source, framehash = self.looped(2)
        streams = [f"cam-{i}" for i in range(6)]
        split = ["split", *[source] * 6, *[word for stream in streams for word in ("--stream", stream)]]
        self.run_gopline(*split, "--partitions", "2")
        homes = {stream: self.segments(stream)[0]["partition"] for stream in streams}
        for kind in ("segments", "index"):
            self.kafka.tool(TOPICS, "--alter", "--topic", self.topic(kind), "--partitions", 7)
        self.run_gopline(*split)
        for stream in streams:
            segments = self.assert_in_order_and_once(stream)
            self.assertEqual({s["partition"] for s in segments}, {homes[stream]}, stream)
            self.assert_whole(stream)
        self.assert_comes_out_as(streams[0], framehash)
        news = [f"new-{i}" for i in range(6)]
        self.run_gopline("split", *[self.clip("street_av1.mp4")] * 6, *[word for stream in news for word in ("--stream", stream)])
        self.assertTrue(any(self.segments(stream)[0]["partition"] > 1 for stream in news), "new streams use new partitions")

    # ---- on two clusters

    @long
    def test_the_index_on_another_cluster(self):
        source, framehash = self.looped(2)
        other = start_cluster("index")
        self.addCleanup(other.stop, patience=0)
        index = ("--index-log", self.url(other.bootstrap))
        out = self.folder / "out.mp4"
        self.run_gopline("split", source, "--stream", "cam", *index)
        self.assertTrue(self.json_of("verify", "cam", *index)["streams"][0]["whole"])
        self.assertEqual(len(self.json_of("inspect", "cam", *index)["segments"]), 20)
        self.run_gopline("aggregate", "cam", "--output", out, *index)
        self.assertTrue(self.framehash(out) == framehash)
        here, there = (self.topics_of(kafka) for kafka in (self.kafka, other))
        self.assertIn(self.topic("segments"), here)
        self.assertEqual(there & {self.topic(kind) for kind in ("segments", "index", "streams")}, {self.topic("index")})
        self.assertNotIn(self.topic("index"), here)

        # Dies in the middle: footage goes on, and waits with its index until the cluster is back.
        data = source.read_bytes()
        process = self.start_split("-", "cam", *index, log=self.url())
        self.feed(process, data[: len(data) // 2])
        self.await_that(lambda: len(self.json_of("inspect", "cam", *index)["segments"]) > 24, process)
        other.kill(0)
        self.feed(process, data[len(data) // 2 :])
        process.stdin.close()
        process.stdin = None
        other.start_broker(0)
        self.finish(process)
        report = self.json_of("verify", "cam", *index, code=(WHOLE, NOT_WHOLE))["streams"][0]
        self.assertTrue(report["whole"], report)
        self.assertEqual(report["counts"]["segments"], 40)

    def topics_of(self, kafka):
        return set(kafka.tool(TOPICS, "--list").split())


if __name__ == "__main__":
    unittest.main()
