"""gopline record on Kafka: two recorders share streams, one is killed, and what both have finished is each packet once."""

import json
import signal
import subprocess
import unittest
from collections import Counter

from faults import INTERRUPTED, WHOLE, FaultTest, shared_cluster

STREAMS = ["cam-0", "cam-2", "cam-4"]  # whose hashes are odd, odd, even


class SharedRecording(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        super().setUp()
        self.places = [self.folder / "one", self.folder / "two"]

    def recorder(self, place, *more, interval="2s"):
        return self.start_gopline("record", "--log", self.log, "--streams", "*", "--directory", place, "--split-every", interval,
                                  "--session-timeout", "6s", *more, stderr=subprocess.DEVNULL)

    def splitting(self, start, *more):
        return [self.start_gopline("split", self.clip("street.mp4"), "--stream", stream, "--start-time", start, "--segment-duration", "500ms",
                                   "--partitions", "2", *more, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for stream in STREAMS]

    def files(self, place):
        return sorted(place.rglob("*.mp4"))

    def recorded(self):
        """How many files there are. One that died between giving a file its name and telling so has it in its folder; the other makes it
        again, by the same name."""
        return len({(path.parent.name, path.name) for place in self.places for path in self.files(place)})

    def test_streams_of_a_killed_recorder_move_to_the_other(self):
        for process in self.splitting("2026-11-22T18:00:00Z"):
            self.assertEqual(process.wait(), WHOLE)
        recorders = [self.recorder(place) for place in self.places]
        self.await_that(lambda: self.recorded() == 10 * len(STREAMS))
        live = self.splitting("2026-11-22T19:00:00Z", "--rate", "realtime")
        self.await_that(lambda: all(any(p.name.startswith("2026-11-22T19") for p in self.files(place)) for place in self.places))
        recorders[0].kill()
        recorders[0].wait()
        for process in live:
            self.assertEqual(process.wait(), WHOLE)
        # The survivor gets the rest by itself.
        self.await_that(lambda: self.recorded() == 20 * len(STREAMS), recorders[1])
        self.interrupt(recorders[1], "record")
        source = self.packet_hashes(self.clip("street.mp4"))
        for stream in STREAMS:
            names = [path.name for place in self.places for path in (place / stream).glob("*.mp4")]
            self.assertLessEqual(len(names) - len(set(names)), 1)
            found = {}
            for path in {path.name: path for place in self.places for path in (place / stream).glob("*.mp4")}.values():
                for track, hashes in self.packet_hashes(path).items():
                    found.setdefault(track, Counter()).update(hashes)
            self.assertEqual(found, {t: Counter(h + h) for t, h in source.items()}, stream)

    def test_stopping_finishes_what_is_open(self):
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "before", "--partitions", "2")  # makes the topics
        live = self.splitting("2026-11-22T18:00:00Z", "--rate", "realtime")
        process = self.recorder(self.places[0], interval="1h")
        self.await_that(lambda: len([path for path in self.places[0].glob("cam*/*.part") if path.stat().st_size > 100_000]) == len(STREAMS), process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), INTERRUPTED)
        files = list(self.places[0].glob("cam*/*.mp4"))
        self.assertEqual(len(files), len(STREAMS))
        for path in files:
            self.assertEqual(json.loads(path.with_suffix(".json").read_text())["ended"], "stopped")
        for process in live:
            self.assertEqual(process.wait(), WHOLE)
        self.run_gopline("record", "--log", self.log, "--streams", "*", "--directory", self.places[0], "--split-every", "1h", "--until-end", "--quiet")
        for stream in STREAMS:
            found = {}
            for path in sorted((self.places[0] / stream).glob("*.mp4")):
                for track, hashes in self.packet_hashes(path).items():
                    found.setdefault(track, []).extend(hashes)
            self.assertEqual(found, self.packet_hashes(self.clip("street.mp4")))

    def test_killed_again_and_again_while_the_broker_is_slow(self):
        source, _ = self.looped(4)
        self.run_gopline("split", source, "--stream", "cam", "--start-time", "2026-11-22T18:00:00Z")
        self.kafka.proxies[0].throttle(2_500_000)
        place = self.places[0]
        for count in (5, 15, 25):
            process = self.start_gopline("record", "--log", self.proxied(), "--streams", "*", "--directory", place, "--split-every", "2s",
                                         "--session-timeout", "6s", "--member", "only", stderr=subprocess.DEVNULL)
            self.await_that(lambda: len(self.files(place)) >= count, process)
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.kafka.proxies[0].clear()
        self.run_gopline("record", "--log", self.log, "--streams", "*", "--directory", place, "--split-every", "2s", "--until-end",
                         "--session-timeout", "6s", "--member", "only", "--quiet")
        found = {}
        for path in self.files(place):
            for track, hashes in self.packet_hashes(path).items():
                found.setdefault(track, []).extend(hashes)
        self.assertEqual(found, self.packet_hashes(self.remux(source)))

    def remux(self, source):
        whole = self.folder / "whole.mp4"
        self.ffmpeg("-i", source, "-map", "0", "-c", "copy", whole)
        return whole


if __name__ == "__main__":
    unittest.main()
