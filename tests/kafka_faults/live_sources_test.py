"""Cameras whose broker goes away for longer than memory lasts: what waits on disk is written when it is back."""

import sys
import time
import unittest

from faults import IS_LONG, TESTS, FaultTest, shared_cluster

sys.path.insert(0, str(TESTS.parent / "tools" / "camera"))
from camera import Camera  # noqa: E402

CAMERAS = 20
AWAY = 300 if IS_LONG else 0  # seconds, beyond which the spill must have filled anyway
HELD_IN_MEMORY = 300_000      # bytes of each stream: three seconds of it
ON_DISK = 1_000_000
MORE_MEMORY = 150 << 20       # what 20 streams may add while the broker is away


class LiveSources(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        super().setUp()

    def test_a_broker_that_is_away_loses_nothing_of_twenty_cameras(self):
        names = [f"cam-{number:02}" for number in range(CAMERAS)]
        camera = Camera({name: self.clip("street.mp4") for name in names})
        camera.start()
        self.addCleanup(camera.stop)
        spill = self.folder / "spill"
        said = self.enterContext((self.folder / "said").open("w"))  # a pipe that nobody reads would fill up
        process = self.start_gopline("split", *map(camera.url, names), "--json", "--segment-duration", "1s", "--spill", spill,
                                     "--max-waiting-bytes", str(HELD_IN_MEMORY), stderr=said)
        for name in names:
            self.wait_for_segments(process, name, 2)

        self.kafka.kill(0)
        memory, away = resident(process), time.monotonic()
        self.await_that(lambda: min(held(spill, name) for name in names) > ON_DISK, process)
        while time.monotonic() < away + AWAY:
            time.sleep(1)  # of the outage, which is what is tested
        self.assertLess(resident(process) - memory, MORE_MEMORY)
        self.kafka.start_broker(0)
        self.await_that(lambda: max(held(spill, name) for name in names) == 0, process)
        outage = time.monotonic() - away

        self.interrupt(process, f"{CAMERAS} cameras after {outage:.0f} s without a broker")
        for name in names:
            self.assert_whole(name)
            self.assert_in_order_and_once(name)
            segments = self.segments(name)
            self.assertEqual(len({s["epoch"] for s in segments}), 1)
            self.assertGreater(sum(map(seconds, segments)), outage, "the footage of the outage is there")


def held(spill, name):
    """Bytes of a stream on disk. Files leave while one looks."""
    return sum(map(size_of, (spill / f"stream-{name}").iterdir()))


def size_of(path):
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def resident(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS:"))


def seconds(segment):
    ticks, scale = segment["duration"].split("/")
    return int(ticks) / int(scale)


if __name__ == "__main__":
    unittest.main()
