"""What the camera sends when nothing is wrong with it, or when it was made that way. Skipped where it is not built."""

import os
import subprocess
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from camera import HERE, PROGRAM, Camera, CameraError, source
from rtsp_client import Report, Rtp, RtspClient, RtspError

MEDIA = HERE.parents[1] / "media"
GIVE_UP = 60
VIDEO_RATE = 90000
STREET, DOOR = MEDIA / "street.mp4", MEDIA / "door_g711.mkv"  # 10 pictures a second, both


def ffmpeg(*words):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *map(os.fspath, words)], check=True)


def make_clip(path, size, seconds, *words):
    """Of the door's footage, 10 pictures a second."""
    ffmpeg("-t", str(seconds), "-i", DOOR, "-vf", f"scale={size}", *words, path)
    return path


def ffprobe(url, transport="tcp", *words):
    """(codecs, what it complained of): its exit code says nothing about most failures."""
    done = subprocess.run(["ffprobe", "-v", "error", *(["-rtsp_transport", transport] if transport else []),
                           "-analyzeduration", "1000000", *words, "-show_entries", "stream=codec_name", "-of", "csv=p=0", url],
                          capture_output=True, text=True, timeout=GIVE_UP, stdin=subprocess.DEVNULL)
    return [line for line in done.stdout.splitlines() if line], done.stderr


def nal_types(packet):
    """Of the H.264 NAL units that begin in an RTP packet (RFC 6184 without aggregation)."""
    first = packet.payload[0] & 31
    if first == 28:
        return [packet.payload[1] & 31] if packet.payload[1] & 0x80 else []
    return [first]


def pictures(client, count):
    """The last packet of each of the next pictures."""
    found = (p for p in client.packets() if isinstance(p, Rtp) and p.track == client.tracks.index("video") and p.marker)
    return [next(found) for _ in range(count)]


def difference(later, earlier):
    """Of RTP timestamps, around 2^32."""
    return (later - earlier + 2**31) % 2**32 - 2**31


@unittest.skipUnless(PROGRAM.is_file(), f"the camera is not at {PROGRAM}: ./dev test builds it")
class CameraTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory(prefix="gopline-camera-")
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = Path(cls.temporary.name)

    def camera(self, streams, **more):
        camera = Camera(streams, **more)
        self.addCleanup(camera.__exit__)
        return camera.start()

    def watch(self, camera, stream, udp=False):
        client = RtspClient(camera.port, stream, udp)
        self.addCleanup(client.close)
        return client


class Media(CameraTest):
    def test_every_codec_arrives_over_both_transports(self):
        small = "160:120"
        mpeg4 = make_clip(self.folder / "mpeg4.mkv", small, 2, "-c:v", "mpeg4", "-c:a", "libopus", "-ar", "48000")
        mjpeg = make_clip(self.folder / "mjpeg.mkv", small, 2, "-c:v", "mjpeg", "-pix_fmt", "yuvj420p", "-c:a", "pcm_mulaw")
        streams = {"lobby": STREET, "hevc": MEDIA / "street_hevc.mp4", "door": DOOR, "old": mpeg4, "older": mjpeg}
        expected = {"lobby": {"h264", "aac"}, "hevc": {"hevc"}, "door": {"h264", "pcm_alaw"}, "old": {"mpeg4", "opus"},
                    "older": {"mjpeg", "pcm_mulaw"}}
        camera = self.camera(streams)
        asked = [(name, transport) for name in streams for transport in ("tcp", "udp")]
        with ThreadPoolExecutor(len(asked)) as at_once:
            seen = list(at_once.map(lambda one: ffprobe(camera.url(one[0]), one[1]), asked))
        for (name, transport), (codecs, complaints) in zip(asked, seen):
            self.assertEqual(set(codecs), expected[name], (name, transport, complaints))

    def test_the_packets_are_the_clips(self):
        camera = self.camera({"door": DOOR})
        out = self.folder / "out.mkv"
        ffmpeg("-rtsp_transport", "tcp", "-i", camera.url("door"), "-map", "v", "-c", "copy", "-frames:v", "15", out)
        hashes = []
        for path in (out, DOOR):
            text = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "v", "-frames:v", "15", "-fps_mode",
                                   "passthrough", "-f", "framehash", "-"], capture_output=True, text=True, check=True).stdout
            hashes.append([line.split(",")[5] for line in text.splitlines() if not line.startswith("#")])
        self.assertEqual(hashes[0], hashes[1])

    def test_it_loops_without_a_hole_in_its_times(self):
        clip = make_clip(self.folder / "second.mp4", "160:120", 1, "-c:v", "libx264", "-bf", "0", "-an")
        client = self.watch(self.camera({"lobby": clip}), "lobby")
        seen = pictures(client, 25)  # two turns and a half
        for earlier, later in zip(seen, seen[1:]):
            self.assertAlmostEqual(difference(later.timestamp, earlier.timestamp), VIDEO_RATE / 10, delta=2)
        self.assertGreater(seen[-1].arrived - seen[0].arrived, 2.2)  # in real time

    def test_b_frames_come_in_the_order_of_decoding(self):
        seen = pictures(self.watch(self.camera({"lobby": STREET}), "lobby"), 15)
        steps = [difference(b.timestamp, a.timestamp) for a, b in zip(seen, seen[1:])]
        self.assertTrue(any(step < 0 for step in steps), steps)

    def test_all_who_watch_what_runs_on_see_the_same(self):
        camera = self.camera({"lobby": source(STREET, start="now")})
        first, second = self.watch(camera, "lobby"), self.watch(camera, "lobby")
        ours = pictures(second, 1)[0]
        self.assertIn(ours.payload, [p.payload for p in pictures(first, 5)])

    def test_who_comes_sees_the_beginning(self):
        camera = self.camera({"lobby": STREET})
        first = self.watch(camera, "lobby")
        began = pictures(first, 5)[0]
        self.assertEqual(pictures(self.watch(camera, "lobby"), 1)[0].payload, began.payload)
        self.assertEqual(camera.status()["streams"]["lobby"]["sessions"], 2)


class Descriptions(CameraTest):
    def test_parameter_sets_can_be_left_out(self):
        camera = self.camera({"h264": DOOR, "bare": source(DOOR, sprop="off"),
                              "bare_hevc": source(MEDIA / "street_hevc.mp4", sprop="off")})
        self.assertIn("sprop-parameter-sets=", self.watch(camera, "h264").sdp)
        client = self.watch(camera, "bare")
        for sdp in (client.sdp, self.watch(camera, "bare_hevc").sdp):
            self.assertNotIn("sprop", sdp)
            self.assertIn("a=fmtp:96", sdp)
        seen = {kind for _ in range(30) for kind in nal_types(client.rtp(0))}
        self.assertLessEqual({7, 8, 5}, seen)  # SPS, PPS and the key frame

    def test_a_frame_rate_can_be_declared_that_is_not_true(self):
        client = self.watch(self.camera({"lobby": source(DOOR, fps=21, declare=25)}), "lobby")
        self.assertIn("a=framerate:25", client.sdp)
        seen = pictures(client, 22)
        self.assertAlmostEqual(difference(seen[-1].timestamp, seen[0].timestamp), VIDEO_RATE, delta=30)
        self.assertAlmostEqual(seen[-1].arrived - seen[0].arrived, 1, delta=0.5)

    def test_key_frames_can_be_rare(self):
        clip = make_clip(self.folder / "gop.mp4", "160:120", 2, "-c:v", "libx264", "-g", "5", "-bf", "0", "-an")
        client = self.watch(self.camera({"lobby": source(clip, gop=1.4)}), "lobby")
        keys = (p for p in client.packets() if isinstance(p, Rtp) and 5 in nal_types(p))
        first, second = next(keys), next(keys)
        self.assertAlmostEqual(difference(second.timestamp, first.timestamp), 1.5 * VIDEO_RATE, delta=10)

    def test_it_may_begin_with_what_was_before(self):
        client = self.watch(self.camera({"lobby": source(DOOR, burst=4)}), "lobby")
        seen = pictures(client, 40)
        self.assertLess(seen[-1].arrived - seen[0].arrived, 2)
        self.assertAlmostEqual(difference(seen[-1].timestamp, seen[0].timestamp), 3.9 * VIDEO_RATE, delta=40)

    def test_it_may_run_on_while_nobody_watches(self):
        camera = self.camera({"runs": source(DOOR, start="now"), "waits": DOOR})
        first = pictures(self.watch(camera, "waits"), 3)[0]
        self.assertNotEqual(pictures(self.watch(camera, "runs"), 1)[0].payload, first.payload)


class Clocks(CameraTest):
    def test_reports_say_when_pictures_were_taken(self):
        streams = {"right": source(DOOR, rtcp=0.3), "ahead": source(DOOR, rtcp=0.3, clock=7200)}
        camera = self.camera(streams)
        for name, offset in {"right": 0, "ahead": 7200}.items():
            client = self.watch(camera, name)
            report = client.report(0)
            self.assertAlmostEqual(report.wall - report.arrived, offset, delta=0.3)
            picture = pictures(client, 1)[0]
            taken = report.wall + difference(picture.timestamp, report.timestamp) / VIDEO_RATE
            self.assertAlmostEqual(taken, time.time() + offset, delta=0.5)
        camera.set_clock(-3600, "right")
        client = self.watch(camera, "right")
        late = next(r for r in client.packets() if isinstance(r, Report) and r.wall < r.arrived - 3000)
        self.assertAlmostEqual(late.wall - late.arrived, -3600, delta=0.3)

    def test_reports_can_be_off(self):
        client = self.watch(self.camera({"lobby": source(DOOR, rtcp="off")}), "lobby")
        until = time.monotonic() + 3
        reports = 0
        for packet in client.packets():
            reports += isinstance(packet, Report)
            if time.monotonic() > until:
                break
        self.assertEqual(reports, 0)

    def test_a_crystal_can_be_fast(self):
        client = self.watch(self.camera({"lobby": source(DOOR, rtcp=0.3, drift=100000)}), "lobby")  # a tenth
        first = client.report(0)
        last = next(r for r in client.packets() if isinstance(r, Report) and r.track == 0 and r.arrived - first.arrived > 1.5)
        passed = last.arrived - first.arrived
        self.assertAlmostEqual((last.wall - first.wall) / passed, 1.1, delta=0.03)
        self.assertAlmostEqual(difference(last.timestamp, first.timestamp) / VIDEO_RATE / passed, 1.1, delta=0.03)

    def test_timestamps_wrap_around(self):
        client = self.watch(self.camera({"lobby": source(DOOR, wrap=1)}), "lobby")
        seen = [p.timestamp for p in pictures(client, 15)]
        self.assertGreater(seen[0], 2**32 - 2 * VIDEO_RATE)
        self.assertLess(seen[-1], VIDEO_RATE)


class Access(CameraTest):
    def test_digest_and_basic(self):
        for basic in (False, True):
            camera = self.camera({"door": DOOR}, user="admin", password="right", basic=basic)
            with ThreadPoolExecutor() as at_once:
                urls = (camera.url("door"), camera.url("door", password="wrong"))
                right, wrong = at_once.map(ffprobe, urls)
            self.assertEqual(set(right[0]), {"h264", "pcm_alaw"}, right)
            self.assertEqual(wrong[0], [])
            self.assertIn("401 Unauthorized", wrong[1])
            with self.assertRaises(RtspError) as refused:
                RtspClient(camera.port, "door")
            self.assertEqual(refused.exception.status, 401)

    def test_the_password_changes(self):
        camera = self.camera({"door": DOOR}, user="admin", password="old")
        camera.change_password("new")
        with ThreadPoolExecutor() as at_once:
            old, new = at_once.map(ffprobe, (camera.url("door"), camera.url("door", password="new")))
        self.assertIn("401 Unauthorized", old[1])
        self.assertIn("h264", new[0])

    def test_tls(self):
        camera = self.camera({"door": DOOR}, user="admin", password="secret", tls=True)
        self.assertTrue(camera.url("door").startswith("rtsps://"))
        codecs, complaints = ffprobe(camera.url("door"), None, "-ca_file", os.fspath(camera.ca_file), "-tls_verify", "1")
        self.assertEqual(set(codecs), {"h264", "pcm_alaw"}, complaints)

    def test_a_transport_can_be_refused(self):
        camera = self.camera({"tcp": source(DOOR, transport="tcp"), "udp": source(DOOR, transport="udp")})
        for name in ("tcp", "udp"):
            self.assertEqual(self.watch(camera, name, udp=name == "udp").rtp(0).track, 0)
            with self.assertRaises(RtspError) as refused:
                RtspClient(camera.port, name, udp=name != "udp")
            self.assertEqual(refused.exception.status, 461)

    def test_mistakes_are_named(self):
        camera = self.camera({"door": DOOR})
        for command, words in [(("jump", "attic", {"seconds": 1}), "no stream attic"), (("sing", "door", {}), "sing"),
                               (("switch", "door", {"clip": "nowhere.mp4"}), "nowhere.mp4")]:
            with self.assertRaises(CameraError) as refused:
                camera.do(command[0], command[1], **command[2])
            self.assertIn(words, str(refused.exception))
        done = subprocess.run([PROGRAM, "--stream", "a=b,colour=red"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("colour", done.stderr)


if __name__ == "__main__":
    unittest.main()
