"""Cameras by UDP through a network that loses, repeats and reorders; and pictures that are not sent in the order in which they are shown."""

import unittest

from cameras import LiveTest


class Network(LiveTest):
    def test_what_comes_out_of_order_comes_as_it_was(self):
        clip = self.clip("bunny.mp4")
        camera = self.camera({"a": clip})
        camera.lose("a", reorder=0.05)
        process = self.split(camera.url("a"), "--rtsp-transport", "udp")
        self.wait_for_segments(process, "a", 6)
        streams, _ = self.interrupt(process)
        sent = camera.status()["streams"]["a"]
        self.assertGreater(sent["reordered"], 0)
        self.assertEqual((streams[0]["lost_packets"], streams[0]["outages"]), (0, 0))
        self.assert_is_the_clip("a", clip)

    def test_what_comes_twice_ends_nothing(self):
        # libavformat takes a packet that repeats the one before for the next: such a picture is damaged, which docs/live.md says.
        camera = self.camera({"a": self.clip("bunny.mp4")})
        camera.lose("a", repeat=0.02)
        process = self.split(camera.url("a"), "--rtsp-transport", "udp")
        self.wait_for_segments(process, "a", 6)
        streams, _ = self.interrupt(process)
        self.assertGreater(camera.status()["streams"]["a"]["repeated"], 0)
        self.assertEqual((streams[0]["lost_packets"], streams[0]["outages"], streams[0]["epochs"]), (0, 0, 1))
        self.assertEqual(self.verify("a")["problems"], [])

    def test_what_is_lost_is_counted_and_the_rest_is_there(self):
        clip = self.clip("street.mp4")
        camera = self.camera({"a": clip})
        process = self.split(camera.url("a"), "--rtsp-transport", "udp")
        self.wait_for_segments(process, "a", 2)
        camera.lose("a", lose=0.02)
        self.wait_for_segments(process, "a", 10)
        camera.lose("a")
        self.wait_for_segments(process, "a", 14)
        streams, err = self.interrupt(process)
        self.assertGreater(streams[0]["lost_packets"], 0)
        self.assertIn("loses RTP packets", err)
        self.assertEqual((streams[0]["outages"], streams[0]["epochs"]), (0, 1), "a lossy network is no outage")
        self.assertEqual(self.verify("a")["problems"], [])

    def test_pictures_that_are_shown_in_another_order(self):
        clip = self.folder / "b_frames.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=8", "-c:v", "libx264", "-g", "25", "-bf", "3", clip)
        camera = self.camera({"a": clip})
        process = self.split(camera.url("a"))
        self.wait_for_segments(process, "a", 6)
        self.interrupt(process)
        self.assert_is_the_clip("a", clip)
        self.assertEqual(self.verify("a")["problems"], [])


if __name__ == "__main__":
    unittest.main()
