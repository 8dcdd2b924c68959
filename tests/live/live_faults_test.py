"""Cameras that misbehave: every outage is an epoch's end and a gap, and nobody else suffers."""

import unittest

from cameras import LiveTest, seconds, source, when


class Faults(LiveTest):
    def test_a_camera_that_hangs_dies_or_closes_comes_back_and_the_gap_is_said(self):
        camera = self.camera({"hangs": self.clip("street.mp4"), "closes": self.clip("street.mp4"), "stays": self.clip("street.mp4")})
        process = self.split(*[camera.url(name) for name in ("hangs", "closes", "stays")])
        for name in ("hangs", "closes", "stays"):
            self.wait_for_segments(process, name, 2)
        camera.hang("hangs")
        camera.close("closes")
        self.wait_for_epoch(process, "closes", 1)
        self.await_message(process, "hangs: ", "no packet within 5 s")
        camera.resume("hangs")
        for name in ("hangs", "closes"):
            self.assert_gap(self.wait_for_epoch(process, name, 1, 2), name)
        camera.kill()
        camera.start()
        for name in ("hangs", "closes", "stays"):
            self.wait_for_epoch(process, name, 2 if name != "stays" else 1, 2)
        streams, err = self.interrupt(process)
        by_name = {stream["stream"]: stream for stream in streams}
        self.assertEqual(by_name["stays"]["epochs"], 2)
        self.assertGreaterEqual(by_name["hangs"]["outages"], 2)
        for name in ("hangs", "closes", "stays"):
            report = self.verify(name, code=(0, 3))
            self.assertEqual(report["problems"], [], name)
            self.assertEqual({gap["cause"] for gap in report["gaps"]}, {"source-outage"}, name)
            self.assert_is_the_clip(name, self.clip("street.mp4"))

    def assert_gap(self, segments, name):
        """Before the second epoch, from where the first ended to where it begins."""
        first = segments[0]["epoch"]
        later = next(s for s in segments if s["epoch"] != first)
        before = [s for s in segments if s["epoch"] == first][-1]
        gap = later["gap"]
        if gap is None:  # it was back at once
            self.assertLess(abs(when(before["time"]) + seconds(before) - when(later["time"])), 0.3, name)
            return
        self.assertEqual(gap["cause"], "source-outage", name)
        self.assertEqual(gap["to"], later["time"])
        self.assertAlmostEqual(when(gap["from"]), when(before["time"]) + seconds(before), places=3)

    def await_message(self, process, *words):
        """Reads what the program says until a line has all the words."""
        for line in process.stderr:
            line = line.decode()
            if all(word in line for word in words):
                return
        self.fail(f"never said: {words}")

    def test_a_wrong_password_is_said_and_not_hammered(self):
        camera = self.camera({"a": self.clip("street.mp4"), "b": self.clip("street_hevc.mp4")}, user="admin", password="right")
        process = self.split(camera.url("a", password="wr0ng"), camera.url("b"), "--stream", "a", "--stream", "b")
        self.wait_for_segments(process, "b", 4)
        before = camera.status()
        self.wait_for_segments(process, "b", 8)
        self.assertEqual(camera.status()["connections"], before["connections"], "it hammers")
        streams, err = self.interrupt(process)
        self.assertIn("a: rtsp://***@127.0.0.1", err)
        self.assertIn("password is wrong", err)
        self.assertNotIn("wr0ng", err)
        self.assertEqual(streams[1]["outages"], 0)

    def test_sound_that_is_late_missing_or_stops_holds_no_picture_back(self):
        clip = self.clip("door_g711.mkv")
        camera = self.camera({"late": source(clip, audio_late=4), "delayed": source(clip, audio_delay=2), "stops": clip})
        process = self.split(*[camera.url(name) for name in ("late", "delayed", "stops")])
        self.wait_for_segments(process, "stops", 2)
        camera.mute("stops")
        for name in ("late", "delayed", "stops"):
            count = len(self.segments(name)) if name == "stops" else 0
            self.wait_for_segments(process, name, count + 4)
        self.interrupt(process)
        for name in ("late", "delayed", "stops"):
            self.assert_is_the_clip(name, clip)
            self.assertEqual(self.verify(name)["problems"], [])

    def test_parameters_that_change_in_mid_stream(self):
        other = self.folder / "other.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=6", "-c:v", "libx264", "-g", "25", "-bf", "0", other)
        first = self.folder / "first.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=6", "-c:v", "libx264", "-g", "25", "-bf", "0", first)
        camera = self.camera({"a": first})
        process = self.split(camera.url("a"))
        self.wait_for_segments(process, "a", 3)
        camera.switch(other, "a")
        segments = self.wait_for(process, "a", lambda s: s[-2]["discontinuities"] == 1)
        self.assertEqual(len({s["epoch"] for s in segments}), 1, "a change of parameters is no outage")
        self.interrupt(process)
        self.assertEqual(self.verify("a")["problems"], [])

    def test_wild_timestamps_and_jumps_lose_nothing(self):
        clip = self.clip("street.mp4")
        camera = self.camera({"wild": source(clip, rtcp="off"), "jumps": source(clip, rtcp="off"), "wraps": source(clip, wrap=3)})
        process = self.split(*[camera.url(name) for name in ("wild", "jumps", "wraps")])
        for name in ("wild", "jumps", "wraps"):
            self.wait_for_segments(process, name, 2)
        camera.wild(3600, "wild")
        camera.jump(-100, "jumps")
        for name in ("wild", "jumps", "wraps"):
            self.wait_for_segments(process, name, len(self.segments(name)) + 3)
        self.interrupt(process)
        for name in ("wild", "jumps", "wraps"):
            self.assert_is_the_clip(name, clip)
            segments = self.segments(name)
            self.assertEqual(len({s["epoch"] for s in segments}), 1, name)
            whole = when(segments[-1]["time"]) - when(segments[0]["time"])
            self.assertLess(whole, 120, f"{name}: a wild timestamp has moved the capture time")


if __name__ == "__main__":
    unittest.main()
