"""What the tests with cameras share."""

import json
import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [os.fspath(HERE.parent / "system"), os.fspath(HERE.parents[1] / "tools" / "camera")]
from camera import Camera, source  # noqa: E402, F401
from support import INTERRUPTED, NOT_WHOLE, WHOLE, SystemTest, looks  # noqa: E402

SHORT = ("--source-timeout", "5s", "--segment-duration", "500ms")


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def seconds(segment):
    ticks, scale = segment["duration"].split("/")
    return int(ticks) / int(scale)


class LiveTest(SystemTest):
    def camera(self, *streams, **options):
        """{name: clip or source()} as cameras that end with the test."""
        camera = Camera(*streams, **options)
        camera.start()
        self.addCleanup(camera.stop)
        return camera

    def split(self, *urls_and_options):
        """Starts `gopline split`; what it says goes to files, so that nothing waits for a reader."""
        process = self.start_gopline("split", *urls_and_options, *SHORT, "--json")
        return process

    def interrupt(self, process):
        """Ctrl-C. (the report, what it said on standard error)."""
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, INTERRUPTED, err.decode())
        return json.loads(out)["streams"], err.decode()

    def wait_for(self, process, stream, condition):
        """Until the stream's segments fulfil the condition; they are returned."""
        for _ in looks():
            self.wait_for_segments(process, stream, 1)
            segments = self.segments(stream)
            if condition(segments):
                return segments

    def wait_for_epoch(self, process, stream, number, segments=1):
        """Until the stream's epoch (0, 1, ...: in order) has so many segments."""
        def reached(all_segments):
            epochs = sorted({s["epoch"] for s in all_segments})
            return len(epochs) > number and sum(s["epoch"] == epochs[number] for s in all_segments) >= segments
        return self.wait_for(process, stream, reached)

    def assert_is_the_clip(self, stream, clip, track=0, least=10):
        """What the log has of the newest epoch is a row of the looped clip's packets, each as it was."""
        file = self.folder / "out.mkv"
        self.run_gopline("aggregate", stream, "--output", file, "--epoch", "latest", code=(WHOLE, NOT_WHOLE))
        got, known = self.pictures(file)[track], self.pictures(clip)[track]
        self.assertGreaterEqual(len(got), least)
        begins = [i for i, packet in enumerate(known) if packet == got[0]]
        loops = known * (2 + len(got) // len(known))
        alike = {i: next((n for n, packet in enumerate(got) if loops[i + n] != packet), len(got)) for i in begins}
        longest = max(alike.values(), default=0)
        self.assertEqual(longest, len(got), f"{stream}: packet {longest} of {len(got)} is not the next one of {clip}")

    def pictures(self, path):
        """Per track, the packets' hashes without parameter sets, delimiters and SEI, which cameras put in as they like."""
        codec = self.ffprobe(path)
        types = {"h264": "6-9", "hevc": "32-40"}.get(codec)
        plain = self.folder / "plain.mkv"
        self.ffmpeg("-i", path, "-map", "0", "-c", "copy", *(("-bsf:v", f"filter_units=remove_types={types}") if types else ()), plain)
        return self.packet_hashes(plain)

    def ffprobe(self, path):
        command = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0", os.fspath(path)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip().split()[0]
