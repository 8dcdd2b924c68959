"""Cameras that behave: codecs, logins, transports, clocks; and one process for many of them."""

import re
import subprocess
import unittest

from cameras import LiveTest, seconds, source, when


MEDIA_SIGNING = "005bc93f-2d71-5e95-ada4-796f90877a6f"  # the UUID under which ONVIF Media Signing puts its SEI


def signed_units(path):
    """The NAL units of pictures and SEI, by ffmpeg."""
    command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:v:0", "-c", "copy", "-f", "h264", "-"]
    units = re.split(b"\0\0\0\1|\0\0\1", subprocess.run(command, capture_output=True, check=True).stdout)
    return [unit for unit in units if unit and unit[0] & 31 in (1, 5, 6)]


class Cameras(LiveTest):
    def test_many_in_one_process_come_as_they_are(self):
        clips = {"h264": "street.mp4", "hevc": "street_hevc.mp4", "g711": "door_g711.mkv", "bunny": "bunny.mp4"}
        camera = self.camera({name: self.clip(clip) for name, clip in clips.items()}, user="admin", password="s3cret")
        process = self.split(*[camera.url(name) for name in clips])
        for name in clips:
            self.wait_for_segments(process, name, 3)
        streams, err = self.interrupt(process)
        self.assertNotIn("s3cret", err)
        for stream in streams:
            self.assertEqual((stream["outcome"], stream["outages"], stream["epochs"]), ("stopped", 0, 1))
        for name, clip in clips.items():
            self.assert_is_the_clip(name, self.clip(clip))
            self.assertEqual(self.verify(name)["problems"], [])
        for path in self.log.rglob("*"):
            if path.is_file():
                self.assertNotIn(b"s3cret", path.read_bytes(), path)

    def test_a_login_from_a_file_or_the_environment(self):
        camera = self.camera({"a": self.clip("street.mp4"), "b": self.clip("street_hevc.mp4")}, user="admin", password="p@ss:w/rd", basic=True)
        login = self.folder / "login"
        login.write_text("admin:p@ss:w/rd\n")
        plain = f"rtsp://127.0.0.1:{camera.port}"
        process = self.split(f"{plain}/a", f"{plain}/b", "--credentials", login)
        self.wait_for_segments(process, "a", 2)
        self.wait_for_segments(process, "b", 2)
        self.interrupt(process)

    def test_udp(self):
        camera = self.camera({"a": self.clip("street.mp4")})
        process = self.split(camera.url("a"), "--rtsp-transport", "udp")
        self.wait_for_segments(process, "a", 3)
        self.interrupt(process)
        self.assert_is_the_clip("a", self.clip("street.mp4"))

    def test_udp_falls_back_to_tcp(self):
        camera = self.camera({"refused": source(self.clip("street.mp4"), transport="tcp")})
        process = self.split(camera.url("refused"), "--rtsp-transport", "udp")
        self.wait_for_segments(process, "refused", 2)
        _, err = self.interrupt(process)
        self.assertIn("TCP from now on", err)

    def test_rtsps(self):
        camera = self.camera({"a": self.clip("street.mp4")}, tls=True)
        process = self.split(camera.url("a"))
        self.wait_for_segments(process, "a", 2)
        self.interrupt(process)
        self.assert_is_the_clip("a", self.clip("street.mp4"))

    def test_parameter_sets_that_only_come_in_band(self):
        camera = self.camera({"a": source(self.clip("street.mp4"), sprop="off", start="now")})
        process = self.split(camera.url("a"))
        self.wait_for_segments(process, "a", 3)
        self.interrupt(process)
        self.assert_is_the_clip("a", self.clip("street.mp4"))

    def test_what_is_signed_nal_unit_by_nal_unit_stays_as_it_was(self):
        signed = self.folder / "signed.mp4"
        in_sei = f"h264_metadata=sei_user_data={MEDIA_SIGNING}+a-signature-of-the-pictures-before"
        self.ffmpeg("-i", self.clip("street.mp4"), "-t", "3", "-c", "copy", "-bsf:v", in_sei, signed)
        camera = self.camera({"a": source(signed)})
        process = self.split(camera.url("a"))
        self.wait_for_segments(process, "a", 2)
        self.interrupt(process)
        self.run_gopline("aggregate", "a", "--output", self.folder / "got.mkv")
        known, got = signed_units(signed), signed_units(self.folder / "got.mkv")
        self.assertIn(b"a-signature", b"".join(known))
        least = min(len(known), len(got))
        self.assertGreater(least, 15)
        self.assertEqual(got[:least], known[:least])

    def test_the_cameras_clock_counts_where_it_can_be_right(self):
        camera = self.camera({"right": source(self.clip("door_g711.mkv"), rtcp=0.5), "off": source(self.clip("door_g711.mkv"), rtcp=0.5, clock=7200),
                              "without": source(self.clip("door_g711.mkv"), rtcp="off")})
        process = self.split(*[camera.url(name) for name in ("right", "off", "without")])
        for name, clock in (("right", "ntp"), ("off", "arrival"), ("without", "arrival")):
            segments = self.wait_for(process, name, lambda s: len(s) >= 4 and s[-1]["clock"] == clock)
            for earlier, later in zip(segments[1:], segments[2:]):
                between = when(later["time"]) - when(earlier["time"])
                self.assertLess(abs(between - seconds(earlier)), 0.5, f"{name}: {earlier} {later}")
        _, err = self.interrupt(process)
        self.assertIn("off: the source's clock is off by 7", err)


if __name__ == "__main__":
    unittest.main()
