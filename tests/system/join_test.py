"""gopline aggregate A B --join: several streams as tracks of one file, in step by capture time, by ffprobe's judgement."""

import unittest

from several_support import SeveralStreams, at
from support import FAILED, NOT_WHOLE


class Join(SeveralStreams):
    def join(self, *streams, output="joined.mkv", options=(), code=0):
        path = self.folder / output
        self.report = self.json_of("aggregate", *streams, "--join", "--output", path, *options, code=code)
        return path

    def times(self, path, track):
        """When each packet of a track is shown, in seconds."""
        return sorted(float(row[0]) for row in self.probe(path, "packet=pts_time", "-select_streams", str(track)))

    def assert_times(self, got, expected):
        self.assertEqual(len(got), len(expected))
        for one, other in zip(got, expected):
            self.assertAlmostEqual(one, other, delta=0.0011)

    def test_tracks_begin_as_far_apart_as_they_were_taken(self):
        self.stream("gate", 0.0)
        self.stream("yard", 1.2345, rate=25, frames=30, more=("-bf", "2"))
        for name in ("joined.mkv", "joined.mp4", "joined.nut"):
            path = self.join("gate", "yard", output=name)
            gate, yard = self.times(path, 0), self.times(path, 1)
            zero = gate[0]
            self.assert_times([t - zero for t in gate], [n / 10 for n in range(20)])
            self.assert_times([t - zero for t in yard], [1.2345 + n / 25 for n in range(30)])
            starts = [float(row[0]) for row in self.probe(path, "stream=start_time")]
            self.assertAlmostEqual(starts[1] - starts[0], 1.2345, delta=0.0011, msg=name)
        self.assertEqual([one["start_seconds"] for one in self.report["streams"]], [0.0, 1.2345])
        self.assertEqual(self.report["origin"], "2026-11-22T18:00:00.000000Z")

    def test_packets_are_the_clips_and_tracks_have_the_streams_names(self):
        self.stream("gate", 0.0, sound=440)
        self.stream("yard", 0.5)
        path = self.join("gate", "yard")
        got = self.packet_hashes(path)
        gate, yard = self.packet_hashes(self.folder / "gate.mp4"), self.packet_hashes(self.folder / "yard.mp4")
        self.assertEqual([got[0], got[1], got[2]], [gate[0], gate[1], yard[0]])
        self.assertEqual([row[0] for row in self.probe(path, "stream_tags=title")], ["gate", "gate", "yard"])
        self.assertEqual([(one["first_track"], one["tracks"]) for one in self.report["streams"]], [(1, 2), (3, 1)])
        # Sound stays in step with its own pictures.
        apart = self.times(path, 1)[0] - self.times(path, 0)[0]
        known = self.times(self.folder / "gate.mp4", 1)[0] - self.times(self.folder / "gate.mp4", 0)[0]
        self.assertAlmostEqual(apart, known, delta=0.0011)

    def test_a_gap_stays_a_gap(self):
        self.stream("gate", 0.0, frames=10)
        self.split("gate", self.folder / "gate.mp4", 5.0)
        self.stream("yard", 0.0, frames=38)
        path = self.join("gate", "yard", options=("--epoch", "all"))
        self.assert_times(self.times(path, 0), [n / 10 for n in range(10)] + [5 + n / 10 for n in range(10)])
        self.assert_times(self.times(path, 1), [n / 10 for n in range(38)])

    def test_a_range_begins_at_key_frames_and_stays_in_step(self):
        self.stream("gate", 0.0)
        self.stream("yard", 0.3, key_every=10)
        path = self.join("gate", "yard", options=("--from", at(0.9), "--to", at(1.4)))
        zero = min(self.times(path, 0) + self.times(path, 1))
        taken = [self.times(path, track)[0] - zero for track in (0, 1)]
        from_yard, from_gate = self.report["streams"][1]["start_seconds"], self.report["streams"][0]["start_seconds"]
        self.assertAlmostEqual(taken[1] - taken[0], from_yard - from_gate, delta=0.0011)

    def test_what_does_not_fit_is_said_and_no_file_is_left(self):
        self.stream("gate", 0.0)
        self.split("gate", self.make_clip("other.mp4", size="32x32"), 5.0)
        self.stream("yard", 0.0)
        output = self.folder / "joined.mp4"
        done = self.run_gopline("aggregate", "gate", "yard", "--join", "--output", output, "--epoch", "all", code=FAILED)
        self.assert_one_clear_message(done, "gate", "32x32")
        self.assertFalse(output.exists())
        self.assertFalse((self.folder / "joined.mp4.part").exists())
        self.run_gopline("aggregate", "gate", "yard", "--join", "--output", output)  # the newest epochs do


if __name__ == "__main__":
    unittest.main()
