"""A network that cuts, delays, stalls: what is stored and what is read is the same as without."""

import unittest

from faults import IS_LONG, FAILED, FaultTest, shared_cluster, long


class Network(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        self.proxy = self.kafka.proxies[0]
        super().setUp()

    def test_connections_cut_at_random_bytes_while_writing(self):
        source, framehash = self.looped(4)
        base = self.name_space
        for seed in (1, 2, 3) if IS_LONG else (1,):
            with self.subTest(seed):
                self.name_space = f"{base}-{seed}"
                self.log = self.url()
                cuts = self.proxy.cuts
                self.proxy.cut_after(1_000, 2_000_000, seed)  # a segment has 200 000
                self.finish(self.start_split(source, "cam"))
                self.assertGreater(self.proxy.cuts, cuts + 2)
                self.proxy.clear()
                self.assert_in_order_and_once("cam")
                self.assert_all_there("cam", framehash)

    def test_connections_cut_at_random_bytes_while_reading(self):
        source, framehash = self.looped(4)
        self.run_gopline("split", source, "--stream", "cam")
        for seed in (3, 4, 5) if IS_LONG else (3,):
            with self.subTest(seed):
                cuts = self.proxy.cuts
                self.proxy.cut_after(1_000, 6_000_000, seed)
                out = self.folder / f"{seed}.mp4"
                process = self.start_gopline("aggregate", "cam", "--output", out, "--log", self.proxied())
                self.finish(process)
                self.assertGreater(self.proxy.cuts, cuts)
                self.proxy.clear()
                self.assertTrue(self.framehash(out) == framehash)

    @long
    def test_a_slow_broker(self):
        source, framehash = self.looped(2)
        self.proxy.delay(0.02)
        self.finish(self.start_split(source, "cam"))
        out = self.folder / "out.mp4"
        self.finish(self.start_gopline("aggregate", "cam", "--output", out, "--log", self.proxied()))
        self.proxy.clear()
        self.assertTrue(self.framehash(out) == framehash)
        self.assert_all_there("cam", framehash)

    @long
    def test_a_narrow_line_holds_the_source_back(self):
        """More than fits into the queues: memory is bounded, so the source waits, and loses nothing."""
        source, framehash = self.looped(10)
        self.proxy.throttle(4_000_000)
        process = self.start_split(source, "cam")
        self.finish(process)
        self.proxy.clear()
        self.assert_in_order_and_once("cam")
        self.assert_all_there("cam", framehash)

    @long
    def test_a_stalled_network(self):
        """Nothing is forwarded for longer than a request may take."""
        source, framehash = self.looped(4)
        data = source.read_bytes()
        process = self.start_split("-", "cam", log=self.proxied(socket_timeout_ms=1000))
        self.feed(process, data[: len(data) // 2])
        self.wait_for_segments(process, "cam", 10)
        self.proxy.stall()
        self.feed(process, data[len(data) // 2 :])
        self.await_new_connection(process)
        self.proxy.resume()
        self.finish(process)
        self.assert_in_order_and_once("cam")
        self.assert_all_there("cam", framehash)

    @long
    def test_stop_while_stalled(self):
        source, _ = self.looped(4)
        self.proxy.throttle(1_000_000)
        process = self.start_split(source, "cam")
        self.wait_for_segments(process, "cam", 3)
        seen = self.segments("cam")
        self.proxy.stall()
        self.interrupt(process)
        self.proxy.clear()
        self.assert_acknowledged_kept("cam", seen)

    @long
    def test_addresses_where_nobody_or_somebody_else_listens(self):
        import socket

        with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections and says nothing
            nobody = socket.create_server(("127.0.0.1", 0))
            closed = nobody.getsockname()[1]
            nobody.close()
            wrong = [f"127.0.0.1:{port}" for port in (closed, deaf.getsockname()[1])]
            processes = [self.start_gopline("split", self.clip("street.mp4"), "--log", self.url(at), "-v") for at in wrong]
            processes.append(self.start_gopline("streams", "--log", self.url("no-such-host.invalid:9092")))
            for process, address in zip(processes, [*wrong, "no-such-host.invalid:9092"]):
                _, err = self.finish(process, code=FAILED)
                lines = [line for line in err.splitlines() if line.startswith("gopline: ")]
                self.assertEqual(len(lines), 1, err)
                self.assertIn(address, lines[0])


if __name__ == "__main__":
    unittest.main()
