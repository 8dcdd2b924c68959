"""Several runs over one stream, several streams in one log, several processes at once."""

import subprocess
import unittest

from support import SystemTest, clean_environment


class Epochs(SystemTest):
    def test_a_second_split_is_the_next_epoch_and_the_next_ordinal(self):
        first = self.json_of("split", self.clip("street_av1.mp4"), "--stream", "cam")["streams"][0]
        second = self.json_of("split", self.clip("street.mp4"), "--stream", "cam")["streams"][0]
        self.assertGreater(second["epoch"], first["epoch"])
        self.assertEqual(first["first_ordinal"], 0)
        self.assertEqual(second["first_ordinal"], first["segments"])
        segments = self.segments("cam")
        self.assertEqual([s["ordinal"] for s in segments], list(range(14)))
        self.assertEqual([s["segment"] for s in segments], [*range(4), *range(10)])
        self.assertEqual([s["discontinuities"] for s in segments], [0] * 4 + [1] * 10)
        report = self.verify("cam")
        self.assertTrue(report["whole"], report)
        self.assertEqual(report["counts"]["epochs"], 2)
        self.assertEqual(self.json_of("streams")["streams"][0]["epochs"], 2)

    def test_inspect_chooses_an_epoch(self):
        for clip in ("street_av1.mp4", "street.mp4"):
            self.run_gopline("split", self.clip(clip), "--stream", "cam")
        count = lambda *more: len(self.json_of("inspect", "cam", *more)["segments"])
        self.assertEqual(count("--epoch", "latest"), 10)
        self.assertEqual(count("--epoch", "all"), 14)
        first = self.segments("cam")[0]["epoch"]
        self.assertEqual(count("--epoch", str(first)), 4)
        epochs = self.json_of("inspect", "cam", "--tracks")["epochs"]
        self.assertEqual([len(e["tracks"]) for e in epochs], [1, 2])
        self.assertEqual([e["ended"]["cause"] for e in epochs], ["end-of-input"] * 2)

    def test_inspect_by_time(self):
        self.run_gopline("split", self.clip("street.mp4"), "--start-time", "2026-11-22T18:30:00Z")
        chosen = self.json_of("inspect", "street", "--from", "2026-11-22T18:30:05Z", "--to", "2026-11-22T18:30:09Z")["segments"]
        self.assertEqual([s["segment"] for s in chosen], [2, 3, 4])

    def test_several_sources_at_once_in_one_process(self):
        streams = [f"cam-{i}" for i in range(8)]
        clips = [self.clip("street.mp4" if i % 2 else "street_hevc.mp4") for i in range(8)]
        self.run_gopline("split", *clips, *[a for s in streams for a in ("--stream", s)])
        report = self.json_of("verify", "--all")
        self.assertTrue(report["whole"], report)
        self.assertEqual([s["stream"] for s in report["streams"]], streams)

    def test_several_processes_at_once_into_one_log(self):
        splits = [
            subprocess.Popen(
                self.command("split", self.clip(clip), "--stream", f"{clip}-{i}"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                env=clean_environment(),
            )
            for i in range(3)
            for clip in ("street.mp4", "street_av1.mp4")
        ]
        for split in splits:
            out, err = split.communicate()
            self.assertEqual(split.returncode, 0, err.decode())
        report = self.json_of("verify", "--all")
        self.assertTrue(report["whole"], report)
        self.assertEqual(len(report["streams"]), 6)

    def test_two_processes_into_one_stream(self):
        """The later start owns the stream; what the earlier one still writes is history, and nothing is lost."""
        splits = [self.start_gopline("split", self.clip("street.mp4"), "--stream", "cam") for _ in range(2)]
        for split in splits:
            out, err = split.communicate()
            self.assertEqual(split.returncode, 0, err.decode())
        segments = self.segments("cam")
        self.assertEqual(len(segments), 20)
        self.assertEqual(len({s["epoch"] for s in segments}), 2)
        report = self.verify("cam")
        self.assertTrue(report["whole"], report)


if __name__ == "__main__":
    unittest.main()
