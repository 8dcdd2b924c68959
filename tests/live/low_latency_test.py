"""Parts of a segment that is still open: there before it ends, and playable when it never does."""

import json
import re
import unittest

from cameras import NOT_WHOLE, WHOLE, LiveTest, when
from support import FAILED, looks

LOW = ("--latency", "low")


class LowLatency(LiveTest):
    def open_segment(self, stream):
        """(epoch, segment, chunks) of the segment that is not whole yet, or None."""
        looked = self.run_gopline("verify", stream, "--json", code=(WHOLE, FAILED, NOT_WHOLE))
        if looked.returncode == FAILED:  # there is nothing of it yet
            return None
        for note in json.loads(looked.stdout)["streams"][0]["notes"]:
            found = re.search(r"epoch (\d+): segment (\d+) is not whole yet: (\d+) chunks", note)
            if found:
                return tuple(int(number) for number in found.groups())
        return None

    def wait_for_chunks(self, process, stream, least):
        """Until so many chunks of a segment can be read that has not ended."""
        for _ in looks():
            self.assertIsNone(process.poll())
            found = self.open_segment(stream)
            if found and found[2] >= least:
                return found

    def packets_of(self, stream, epoch="latest"):
        file = self.folder / f"{stream}.mkv"
        self.run_gopline("aggregate", stream, "--output", file, "--epoch", epoch, code=(WHOLE, NOT_WHOLE))
        return self.pictures(file)

    def test_parts_are_there_while_the_gop_is_open_and_stay_when_the_splitter_dies(self):
        clip = self.clip("bunny.mp4")  # one GOP of five seconds
        camera = self.camera({"gate": clip})
        process = self.split(camera.url("gate"), *LOW)
        self.wait_for_chunks(process, "gate", 5)
        before = self.packets_of("gate")[0]
        self.assertGreaterEqual(len(before), 5 * 5)
        epoch, segment, _ = self.wait_for_chunks(process, "gate", 2)  # that one may have ended meanwhile
        process.kill()
        process.wait()
        self.assertEqual(self.verify("gate")["problems"], [], "nobody has said yet that nothing more comes")

        process = self.split(camera.url("gate"), *LOW)
        second = self.wait_for(process, "gate", lambda all_segments: any(s["epoch"] > epoch for s in all_segments))
        self.interrupt(process)
        report = self.verify("gate", code=NOT_WHOLE)
        unfinished = [p for p in report["problems"] if p["epoch"] == epoch and p["segment"] >= segment]
        self.assertEqual([p["kind"] for p in report["problems"]], ["lost"], report)
        self.assertIn("can be played", unfinished[0]["message"])
        stayed = self.packets_of("gate", str(epoch))
        self.assertEqual(stayed[0][: len(before)], before)
        known = self.pictures(clip)
        for track, packets in stayed.items():
            loops = known[track] * 3
            self.assertEqual(packets, loops[: len(packets)], f"track {track}")
        self.assert_is_the_clip("gate", clip)
        gap = next(s for s in second if s["epoch"] > epoch)["gap"]
        if gap is not None:  # it was not back at once
            self.assertEqual(gap["cause"], "source-outage")
            self.assertLess(when(gap["from"]), when(gap["to"]))

    def test_a_file_in_parts_is_the_file(self):
        for clip in ("street.mp4", "street_hevc.mp4", "door_g711.mkv", "street.avi"):
            stream = clip.partition(".")[0] if clip != "street.avi" else "avi"
            self.run_gopline("split", self.clip(clip), "--stream", stream, *LOW, "--part-duration", "200ms")
            counts = self.verify(stream)["counts"]
            if clip != "street.avi":  # NUT segments leave whole
                self.assertGreater(counts["chunks"], 4 * counts["segments"], clip)
            out = self.folder / f"out-{clip}"
            self.run_gopline("aggregate", stream, "--output", out)
            self.assertEqual(self.packet_hashes(out), self.packet_hashes(self.clip(clip)), clip)

    def test_a_paced_file_is_a_camera(self):
        process = self.split(self.clip("bunny.mp4"), "--stream", "file", "--live", "--loop", "--rate", "realtime", *LOW)
        self.wait_for_chunks(process, "file", 5)
        self.wait_for_segments(process, "file", 1)
        self.interrupt(process)
        self.assertEqual(self.verify("file")["problems"], [])
        self.assert_is_the_clip("file", self.clip("bunny.mp4"))


if __name__ == "__main__":
    unittest.main()
