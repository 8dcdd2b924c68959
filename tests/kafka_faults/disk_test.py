"""A broker whose disk is full: it goes away by Kafka's own design, and what it acknowledged is there when it is back."""

import subprocess
import unittest

from faults import FaultTest, reported, scratch, start_cluster

TOO_SMALL, LARGE_ENOUGH = "40m", "400m"


def small_disk():
    """A folder of a few megabytes, or a skipped test."""
    disk = scratch() / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={TOO_SMALL}", "tmpfs", disk], capture_output=True)
    if mount.returncode != 0:
        raise unittest.SkipTest("may not mount a small disk here")
    unittest.addModuleCleanup(subprocess.run, ["umount", "--lazy", disk], check=True)
    return disk


def setUpModule():
    FullDisk.disk = small_disk()
    FullDisk.kafka = start_cluster("full", data_dir={0: FullDisk.disk}, proxies=True)
    unittest.addModuleCleanup(FullDisk.kafka.stop, patience=0)


class FullDisk(FaultTest):
    disk = None

    def test_the_disk_of_the_broker_fills_up(self):
        source, framehash = self.looped(30)
        self.kafka.proxies[0].throttle(10_000_000)
        process = self.start_split(source, "cam")
        self.wait_for_segments(process, "cam", 10)
        seen = self.segments("cam")
        self.await_that(lambda: not self.kafka.running(0), process)
        subprocess.run(["mount", "-o", f"remount,size={LARGE_ENOUGH}", self.disk], check=True)
        self.kafka.start_broker(0)
        self.kafka.proxies[0].clear()
        out, _ = self.finish(process)
        self.assertEqual(reported(out)["segments"], 300)
        self.assertEqual(self.assert_in_order_and_once("cam")[: len(seen)], seen)
        self.assert_all_there("cam", framehash)


if __name__ == "__main__":
    unittest.main()
