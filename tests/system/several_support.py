"""Clips whose pictures say which frame they are, and mosaics read back by ffmpeg, pixel by pixel."""

import subprocess
from datetime import datetime, timedelta, timezone

from support import SystemTest

BLACK, FIRST_GREY, STEP, MOST_FRAMES = 16, 40, 5, 38
START = datetime(2026, 11, 22, 18, 0, 0, tzinfo=timezone.utc)


def at(seconds):
    """A capture time, so many seconds after the start."""
    return (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")


class SeveralStreams(SystemTest):
    def make_clip(self, name, frames=20, rate=10, size="64x48", key_every=5, codec=("libx264", "-qp", "0"), more=(), sound=None):
        """Frame N is grey, FIRST_GREY + STEP * N, all over."""
        self.assertLessEqual(frames, MOST_FRAMES)
        path = self.folder / name
        picture = f"color=black:size={size}:rate={rate},format=yuv420p,geq=lum={FIRST_GREY}+{STEP}*N:cb=128:cr=128"
        inputs = ["-f", "lavfi", "-i", picture]
        if sound:
            inputs += ["-f", "lavfi", "-i", f"sine=frequency={sound}:sample_rate=44100", "-c:a", "aac", "-t", str(frames / rate)]
        self.ffmpeg(*inputs, "-frames:v", str(frames), "-c:v", *codec, "-g", str(key_every), *more, path)
        return path

    def turned(self, clip, name):
        """The clip with a quarter turn in its display matrix."""
        version = subprocess.run(["ffmpeg", "-version"], capture_output=True, text=True, check=True).stdout.split()[2]
        path = self.folder / name
        if int(version.split(".")[0]) >= 6:
            self.ffmpeg("-display_rotation", "90", "-i", clip, "-c", "copy", path)
        else:
            self.ffmpeg("-i", clip, "-c", "copy", "-metadata:s:v", "rotate=90", path)
        return path

    def split(self, stream, clip, start=0.0, *options):
        self.run_gopline("split", clip, "--stream", stream, "--start-time", at(start), "--segment-duration", "500ms", *options)

    def stream(self, name, start=0.0, **more):
        self.split(name, self.make_clip(f"{name}.mp4", **more), start)

    def mosaic(self, *streams, size="128x64", code=0, options=(), output="mosaic.mp4"):
        report = self.json_of("aggregate", *streams, "--output", self.folder / output, "--size", size, "--no-labels", *options, code=code)
        self.report = report
        return self.read_frames(self.folder / output, size)

    def read_frames(self, path, size):
        """Each frame of the file as its rows of luma."""
        width, height = map(int, size.split("x"))
        raw = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "rawvideo",
                              "-pix_fmt", "yuv420p", "-"], capture_output=True, check=True).stdout
        whole = width * height * 3 // 2
        self.assertEqual(len(raw) % whole, 0)
        return [[raw[i + y * width:i + (y + 1) * width] for y in range(height)] for i in range(0, len(raw), whole)]

    def number(self, frame, x, y):
        """Which frame of its clip is shown at a pixel; None: black."""
        luma = frame[y][x]
        if luma < BLACK + 8:
            return None
        number = round((luma - FIRST_GREY) / STEP)
        self.assertLess(abs(luma - FIRST_GREY - STEP * number), STEP / 2, luma)
        return number

    def numbers(self, frames, *points):
        """For each point, the numbers shown there, frame by frame."""
        return [[self.number(frame, x, y) for frame in frames] for x, y in points]

    def probe(self, path, entries, *more):
        done = subprocess.run(["ffprobe", "-v", "error", *more, "-show_entries", entries, "-of", "csv=p=0", path], capture_output=True,
                              text=True, check=True)
        return [line.strip(",").split(",") for line in done.stdout.split()]
