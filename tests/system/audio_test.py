"""gopline analyze --analyzer audio: what is heard, made with ffmpeg at known times, and held to ffmpeg's own meter."""

import json
import re
import subprocess
import unittest

from analysis import AnalysisTest, seconds

# A hum at -40 dB; nothing from 6 s to 10 s; a bang at 14 s, too loud for what carries it.
SOUND = "aevalsrc='if(between(t,6,10),0,if(between(t,14,15),1.5*(random(0)*2-1),0.01*sin(2*PI*440*t)))':s=48000:d=20"


class Audio(AnalysisTest):
    def room(self, container="mp4", codec="aac"):
        path = self.folder / f"room.{container}"
        self.ffmpeg("-f", "lavfi", "-i", "color=gray:s=160x120:r=10:d=20", "-f", "lavfi", "-i", SOUND, "-c:v", "libx264", "-g", "20", "-pix_fmt",
                    "yuv420p", "-c:a", codec, "-ac", "1", "-shortest", path)
        return path

    def heard(self, clip, options="min_time=1s,quiet=500ms"):
        self.split("room", clip=clip)
        report = self.analyze(f"audio:{options}")
        self.assertTrue(report["whole"], report)
        return self.events("room")

    def test_silence_clipping_and_sudden_noise_at_their_times(self):
        for container, codec in (("mp4", "aac"), ("mkv", "pcm_alaw")):
            with self.subTest(codec=codec):
                self.log = self.folder / codec
                events = self.heard(self.room(container, codec))
                of = {name: [e for e in events if e["class"] == name] for name in ("silence", "clipping", "noise")}
                for name, (begins, ends) in {"silence": (6.4, 10.6), "noise": (14.1, 15.9)}.items():
                    self.assertEqual([e["phase"] for e in of[name]], ["start", "end"], name)
                    self.assertAlmostEqual(seconds(of[name][0]["started"]), begins, delta=0.35)
                    self.assertAlmostEqual(seconds(of[name][1]["time"]), ends, delta=0.5)
                self.assertEqual([e["phase"] for e in of["clipping"]], ["start", "end"])
                self.assertAlmostEqual(seconds(of["clipping"][0]["time"]), 14, delta=0.15)

    def test_loudness_is_what_ffmpeg_says(self):
        clip = self.clip("street.mp4")
        pieces = [e for e in self.heard(clip) if e["class"] == "loudness" and e["phase"] == "start"]
        self.assertEqual([round(seconds(e["started"])) for e in pieces], [0, 10])
        for number, piece in enumerate(pieces):
            out = subprocess.run(["ffmpeg", "-nostdin", "-hide_banner", "-i", clip, "-af", f"atrim={10 * number}:{10 * number + 10},ebur128", "-f", "null", "-"],
                                 capture_output=True, text=True, check=True).stderr
            integrated = float(re.findall(r"I:\s+(-?[\d.]+) LUFS", out)[-1])
            self.assertAlmostEqual(piece["details"]["integrated_lufs"], integrated, delta=0.3)

    def test_a_tone_is_where_it_is(self):
        first = [e for e in self.heard(self.room()) if e["class"] == "loudness"][0]
        self.assertAlmostEqual(first["details"]["centroid_hz"], 440, delta=30)

    def test_another_group_hears_the_same(self):
        self.split("room", clip=self.room())
        self.analyze("audio", "--group", "a")
        first = json.dumps(self.events())
        self.analyze("audio", "--group", "b")
        self.assertEqual(json.dumps(self.events()), first)

    def test_a_stream_without_sound(self):
        clip = self.folder / "mute.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=4", "-c:v", "libx264", "-pix_fmt", "yuv420p", clip)
        self.assertEqual(self.heard(clip), [])


if __name__ == "__main__":
    unittest.main()
