"""The faults that the camera makes on demand, seen from the other end. Skipped where it is not built."""

import time
import unittest
from itertools import islice

from camera import source
from camera_test import DOOR, MEDIA, STREET, VIDEO_RATE, CameraTest, difference, make_clip, nal_types, pictures
from rtsp_client import Report, Rtp, RtspClient, RtspError

SILENCE = 0.5  # seconds without a packet where there are ten pictures a second


class Connections(CameraTest):
    def test_it_hangs_and_goes_on(self):
        camera = self.camera({"lobby": source(DOOR, rtcp=0.3), "other": DOOR})
        client, other = self.watch(camera, "lobby"), self.watch(camera, "other")
        client.rtp(0)
        camera.hang("lobby")
        client.until_silent(SILENCE)
        self.assertEqual(client.ask("OPTIONS"), 200)
        self.assertEqual(client.until_silent(SILENCE), [])
        self.assertEqual(len(pictures(other, 5)), 5)
        self.assertEqual(self.watch(camera, "lobby").until_silent(SILENCE), [])  # who comes now is let in as well
        camera.resume("lobby")
        client.rtp(0)

    def test_a_hang_leaves_no_hole_in_the_numbers_but_one_in_the_times(self):
        camera = self.camera({"lobby": DOOR})
        client = self.watch(camera, "lobby")
        client.rtp(0)
        camera.hang()
        last = [p for p in client.until_silent(SILENCE) if isinstance(p, Rtp) and p.track == 0][-1]
        camera.resume()
        after = client.rtp(0)
        self.assertEqual(after.sequence, (last.sequence + 1) % 65536)
        self.assertGreater(difference(after.timestamp, last.timestamp), SILENCE * VIDEO_RATE)

    def test_it_is_paused_as_a_whole(self):
        camera = self.camera({"lobby": DOOR})
        client = self.watch(camera, "lobby")
        client.rtp(0)
        camera.pause()
        client.until_silent(SILENCE)
        camera.proceed()
        client.rtp(0)

    def test_it_closes_connections(self):
        camera = self.camera({"lobby": DOOR, "other": DOOR})
        for udp in (False, True):
            client, other = self.watch(camera, "lobby", udp), self.watch(camera, "other")
            client.rtp(0)
            camera.close("lobby")
            if udp:
                client.until_silent(SILENCE)
                self.assertEqual(client.connection.recv(1), b"")
            else:
                list(client.packets())  # to the end
            self.watch(camera, "lobby").rtp(0)
            other.rtp(0)

    def test_who_comes_back_at_once_is_welcome(self):
        camera = self.camera({"lobby": DOOR})
        for i in range(20):
            with RtspClient(camera.port, "lobby", udp=i % 2 == 1) as client:
                client.rtp(0)
                if i % 3 == 0:
                    camera.close("lobby")

    def test_it_refuses(self):
        camera = self.camera({"lobby": DOOR})
        client = self.watch(camera, "lobby")
        camera.refuse()
        list(client.packets())
        with self.assertRaises(ConnectionRefusedError):
            RtspClient(camera.port, "lobby")
        camera.listen()
        self.watch(camera, "lobby").rtp(0)
        camera.deny("lobby")
        with self.assertRaises(RtspError) as denied:
            RtspClient(camera.port, "lobby")
        self.assertEqual(denied.exception.status, 503)
        camera.resume()
        self.watch(camera, "lobby").rtp(0)

    def test_it_dies_and_comes_back_at_the_same_place(self):
        camera = self.camera({"lobby": DOOR})
        client = self.watch(camera, "lobby")
        client.rtp(0)
        camera.kill()
        try:
            list(client.packets())  # to the end
        except ConnectionError:
            pass
        self.assertFalse(camera.running())
        camera.start()
        self.watch(camera, "lobby").rtp(0)


class Sound(CameraTest):
    def test_it_stops_while_pictures_go_on(self):
        camera = self.camera({"door": DOOR})
        client = self.watch(camera, "door")
        video, audio = client.tracks.index("video"), client.tracks.index("audio")
        before = client.rtp(audio)
        camera.mute("door")
        pictures(client, 2)
        last = camera.status()
        seen = [p for p in islice(client.packets(), 40) if isinstance(p, Rtp)]
        self.assertEqual({p.track for p in seen[-20:]}, {video}, last)
        numbers = [before.sequence, *(p.sequence for p in seen if p.track == audio)]
        camera.unmute("door")
        after = client.rtp(audio)
        self.assertLess((after.sequence - numbers[-1]) % 65536, 20)  # only what was under way
        self.assertGreater(difference(after.timestamp, before.timestamp), 8000 * 0.3)

    def test_it_begins_late(self):
        client = self.watch(self.camera({"door": source(DOOR, audio_late=1)}), "door")
        first = next(p for p in client.packets() if isinstance(p, Rtp))
        sound = client.rtp(client.tracks.index("audio"))
        self.assertEqual(client.tracks[first.track], "video")
        self.assertGreater(sound.arrived - first.arrived, 0.7)

    def test_it_is_sent_late_with_its_right_times(self):
        client = self.watch(self.camera({"door": source(DOOR, audio_delay=1.5, rtcp=0.3)}), "door")
        audio = client.tracks.index("audio")
        first = client.rtp(audio)
        report = client.report(audio)
        sound = client.rtp(audio)
        taken = report.wall + difference(sound.timestamp, report.timestamp) / 8000
        self.assertAlmostEqual(time.time() - taken, 1.5, delta=0.3)
        self.assertGreater(difference(sound.timestamp, first.timestamp), 0)


class Pictures(CameraTest):
    def test_another_resolution_in_the_middle(self):
        small = make_clip(self.folder / "small.mkv", "160:120", 2, "-c:v", "libx264", "-bf", "0", "-c:a", "copy")
        camera = self.camera({"lobby": DOOR})
        client = self.watch(camera, "lobby")
        before = next(p for p in client.packets() if isinstance(p, Rtp) and nal_types(p) == [7])
        camera.switch(small, "lobby")
        after = next(p for p in client.packets()
                     if isinstance(p, Rtp) and p.track == 0 and nal_types(p) == [7] and p.payload != before.payload)
        following = [nal_types(client.rtp(0)) for _ in range(4)]
        self.assertIn([8], following)
        self.assertIn([5], following)
        step = difference(after.timestamp, before.timestamp)
        self.assertTrue(0 < step < 10 * VIDEO_RATE, step)
        with self.assertRaisesRegex(Exception, "codecs"):
            camera.switch(MEDIA / "street_hevc.mp4", "lobby")

    def test_one_wild_timestamp(self):
        camera = self.camera({"lobby": DOOR})
        client = self.watch(camera, "lobby")
        camera.wild(3600, "lobby")
        seen = [p.timestamp for p in pictures(client, 12)]
        wild = [i for i in range(1, 11) if abs(difference(seen[i], seen[i - 1]) - VIDEO_RATE / 10) > 1000
                and abs(difference(seen[i + 1], seen[i - 1]) - VIDEO_RATE / 5) < 1000]
        self.assertEqual(len(wild), 1, seen)
        self.assertAlmostEqual(difference(seen[wild[0]], seen[wild[0] - 1]), 3600.1 * VIDEO_RATE, delta=20)

    def test_the_clock_jumps_and_reports_follow(self):
        camera = self.camera({"lobby": source(DOOR, rtcp=0.3)})
        client = self.watch(camera, "lobby")
        before = client.report(0)
        camera.jump(-100, "lobby")
        after = next(r for r in client.packets()
                     if isinstance(r, Report) and r.track == 0 and difference(r.timestamp, before.timestamp) < 0)
        moved = difference(after.timestamp, before.timestamp) / VIDEO_RATE - (after.wall - before.wall)
        self.assertAlmostEqual(moved, -100, delta=0.1)
        picture = pictures(client, 1)[0]
        self.assertLess(abs(difference(picture.timestamp, after.timestamp)), 2 * VIDEO_RATE)

    def test_a_jump_is_of_the_sessions_that_see_it(self):
        camera = self.camera({"lobby": DOOR})
        camera.jump(-100, "lobby")
        client = self.watch(camera, "lobby")
        self.assertLess(abs(difference(client.rtp(0).timestamp, client.beginnings[0])), VIDEO_RATE)


class LossyNetwork(CameraTest):
    def receive(self, seed, count=600):
        """Sequence numbers of the pictures' packets, in the order that they came, and what the camera counted."""
        camera = self.camera({"lobby": source(STREET, burst=19, lose=0.05, repeat=0.05, reorder=0.05, seed=seed)})
        client = self.watch(camera, "lobby", udp=True)
        numbers = [client.rtp(0).sequence for _ in range(count)]
        told = camera.status()["streams"]["lobby"]
        camera.stop()
        return [difference(n << 16, numbers[0] << 16) >> 16 for n in numbers], told

    def test_packets_are_lost_repeated_and_reordered_as_the_seed_says(self):
        first, told = self.receive(1)
        again, _ = self.receive(1)
        other, _ = self.receive(2)
        self.assertEqual(first, again)
        self.assertNotEqual(first, other)
        for counter in ("lost", "repeated", "reordered"):
            self.assertGreater(told[counter], 5, told)
        self.assertGreater(len(first) - len(set(first)), 5)
        self.assertGreater(sum(later < earlier for earlier, later in zip(first, first[1:])), 5)
        self.assertGreater(max(first) + 1 - len(set(first)), 5)


if __name__ == "__main__":
    unittest.main()
