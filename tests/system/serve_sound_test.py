"""Sound that browsers do not know, as `gopline serve` gives it to them: AAC, made once, without a hole."""

import json
import re
import subprocess
import unittest
import urllib.request

from serving import START, Server, ServeTest, tags, uris


def probe(path, *arguments):
    done = subprocess.run(["ffprobe", "-v", "error", "-of", "json", *arguments, path], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


class Sound(ServeTest):
    def setUp(self):
        super().setUp()
        self.run_gopline("split", self.clip("door_g711.mkv"), "--stream", "door", "--start-time", START)
        self.server = Server(self, "--metrics", "127.0.0.1:0")
        line = self.server.process.stderr.readline().decode()
        self.metrics = re.search(r"http://\S+", line)[0]

    def transcoded(self):
        with urllib.request.urlopen(self.metrics, timeout=60) as answer:
            text = answer.read().decode()
        return int(float(re.search(r'gopline_server_transcoding_seconds_count{media="sound"} (\S+)', text)[1]))

    def samples(self, path):
        """What a player hears, as numbers, 48 000 a second."""
        out = self.folder / "heard.f32"
        self.ffmpeg("-i", path, "-map", "0:a", "-ac", "1", "-ar", "48000", "-f", "f32le", out)
        return memoryview(out.read_bytes()).cast("f")

    def test_it_is_heard_and_the_pictures_are_untouched(self):
        url = self.server.url("/streams/door/hls.m3u8")
        streams = {stream["codec_type"]: stream for stream in probe(url, "-show_streams")["streams"]}
        self.assertEqual((streams["audio"]["codec_name"], streams["audio"]["sample_rate"]), ("aac", "48000"))
        self.assertEqual(streams["video"]["codec_name"], "h264")
        video = self.packet_hashes(url)[0]
        self.assertEqual(video, self.packet_hashes(self.clip("door_g711.mkv"))[0])

    def test_frames_follow_one_another_over_segments(self):
        packets = probe(self.server.url("/streams/door/hls.m3u8"), "-select_streams", "a", "-show_packets")["packets"]
        times = [round(float(packet["dts_time"]) * 48000) for packet in packets]
        self.assertGreater(len(times), 300)
        for earlier, later in zip(times, times[1:]):
            self.assertAlmostEqual(later - earlier, 1024, delta=1)

    def test_it_sounds_like_the_source(self):
        """At the joints too: the difference to what was recorded is nowhere larger than AAC's."""
        recorded, heard = self.samples(self.clip("door_g711.mkv")), self.samples(self.server.url("/streams/door/hls.m3u8"))
        self.assertGreater(len(heard), len(recorded) - 48000 // 5)  # what a next segment would have had
        begin, end, shift = 4096, min(len(recorded), len(heard)) - 4096, self.shift(recorded, heard)
        loudest = max(abs(value) for value in recorded[begin:end])
        self.assertGreater(loudest, 0.01)
        errors = [abs(recorded[i] - heard[i + shift]) for i in range(begin, end - abs(shift))]
        self.assertLess(sum(errors) / len(errors), 0.05 * loudest)
        joints = [round(float(length.split(",")[0]) * 48000) for length in tags(self.text(self.server, "/streams/door/hls.m3u8"), "EXTINF")]
        at = 0
        for length in joints[:-1]:
            at += length
            near = errors[at - begin - 9600:at - begin]  # a joint of sound lies some 85 ms before the pictures'
            self.assertLess(sum(near) / len(near), 0.1 * loudest)

    def shift(self, recorded, heard):
        """How much later it is heard, in samples, by the best fit: not more than rounding and the resampler's."""
        window = range(60_000, 90_000, 7)
        fits = {by: sum((recorded[i] - heard[i + by]) ** 2 for i in window) for by in range(-64, 65)}
        best = min(fits, key=fits.get)
        self.assertLessEqual(abs(best), 60)
        return best

    def test_two_viewers_cost_one_encoding(self):
        playlist = self.text(self.server, "/streams/door/hls.m3u8")
        first = [self.server.ask(f"/streams/door/{uri}")[1] for uri in uris(playlist)]
        self.assertEqual(self.transcoded(), len(first))
        self.assertEqual([self.server.ask(f"/streams/door/{uri}")[1] for uri in uris(playlist)], first)
        self.assertEqual(self.transcoded(), len(first))

    def test_nobody_pays_who_does_not_listen(self):
        self.run_gopline("split", self.clip("cup.mp4"), "--start-time", START)
        self.await_that(lambda: self.server.ask("/streams/cup/hls.m3u8")[0].status == 200)
        for uri in uris(self.text(self.server, "/streams/cup/hls.m3u8")):
            self.assertEqual(self.server.ask(f"/streams/cup/{uri}")[0].status, 200)
        self.text(self.server, "/streams/door/hls.m3u8")
        self.assertEqual(self.transcoded(), 0)

    def test_every_server_makes_the_same_in_any_order(self):
        names = uris(self.text(self.server, "/streams/door/hls.m3u8"))
        other = Server(self)
        backwards = {name: other.ask(f"/streams/door/{name}")[1] for name in reversed(names)}
        for name in names:
            self.assertEqual(self.server.ask(f"/streams/door/{name}")[1], backwards[name], name)

    def test_the_record_is_untouched_and_it_can_be_left_out(self):
        before = self.run_gopline("verify", "door").stdout
        for uri in uris(self.text(self.server, "/streams/door/hls.m3u8")):
            self.server.ask(f"/streams/door/{uri}")
        self.assertEqual(self.run_gopline("verify", "door").stdout, before)
        silent = Server(self, "--no-transcoding")
        self.assertEqual({stream["codec_type"] for stream in probe(silent.url("/streams/door/hls.m3u8"), "-show_streams")["streams"]}, {"video"})

    def test_sound_begins_anew_behind_an_outage(self):
        self.run_gopline("split", self.clip("door_g711.mkv"), "--stream", "door", "--start-time", "2026-11-22T18:01:00Z")
        playlist = self.text(self.server, "/streams/door/hls.m3u8?from=2026-11-22T18:00:00Z&to=2026-11-22T18:02:00Z")
        self.assertEqual(len(tags(playlist + "\n#EXT-X-DISCONTINUITY:", "EXT-X-DISCONTINUITY")), 1)
        for uri in uris(playlist):
            response, body = self.server.ask(f"/streams/door/{uri}")
            self.assertEqual((response.status, body.count(b"moof")), (200, 2), uri)

    def test_what_is_not_there_says_so(self):
        self.json(self.server, "/streams/door/segments/9-9-aac.m4s", 404)
        self.json(self.server, "/streams/door/init/0000-aac.mp4", 404)


class InParts(ServeTest):
    """A door station that writes its segments in parts."""

    def setUp(self):
        super().setUp()
        camera = self.start_gopline("split", self.clip("door_g711.mkv"), "--stream", "door", "--loop", "--rate", "realtime", "--latency", "low", "--quiet")
        self.wait_for_segments(camera, "door", 2)
        self.server = Server(self)

    def playlist(self):
        return self.text(self.server, "/streams/door/live.m3u8")

    def fetched(self, playlist, names):
        """What a player fetches, put into one file."""
        path = self.folder / "heard.mp4"
        names = [re.search('EXT-X-MAP:URI="([^"]+)"', playlist)[1], *names]
        path.write_bytes(b"".join(self.server.ask(f"/streams/door/{name}")[1] for name in names))
        return path

    def test_parts_have_sound_without_a_hole(self):
        playlist = self.playlist()
        parts = [uri for uri in re.findall(r'#EXT-X-PART:.*URI="([^"]+)"', playlist) if uri.startswith("parts/0-1-") or uri.startswith("parts/0-0-")]
        self.assertGreater(len(parts), 5)
        self.assertTrue(all(uri.endswith("-aac.m4s") for uri in [*parts, *uris(playlist)]), playlist)
        path = self.fetched(playlist, parts)
        packets = {kind: probe(path, "-select_streams", kind, "-show_packets")["packets"] for kind in "av"}
        times = [round(float(packet["dts_time"]) * 48000) for packet in packets["a"]]
        for earlier, later in zip(times, times[1:]):
            self.assertAlmostEqual(later - earlier, 1024, delta=1)
        heard, seen = (float(packets[kind][-1]["pts_time"]) for kind in "av")
        self.assertLess(abs(seen - heard), 0.25)  # the rest is the next part's
        out = self.folder / "heard.f32"
        decoded = subprocess.run(["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", path, "-map", "0:a", "-f", "f32le", out], capture_output=True, text=True)
        self.assertEqual((decoded.returncode, decoded.stderr), (0, ""))
        self.assertGreater(max(map(abs, memoryview(out.read_bytes()).cast("f"))), 0.01)

    def test_who_waits_for_a_part_gets_it_with_sound(self):
        playlist = self.playlist()
        hint = re.search(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', playlist)[1]
        self.assertTrue(hint.endswith("-aac.m4s"))
        response, part = self.server.ask(f"/streams/door/{hint}")
        if response.status == 404:  # the segment ended before it
            hint = re.search(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', self.playlist())[1]
            response, part = self.server.ask(f"/streams/door/{hint}")
        self.assertEqual(response.status, 200)
        self.assertEqual(part.count(b"moof"), 2)

    def test_a_whole_segment_is_the_same_wherever_it_comes_from(self):
        names = uris(self.playlist())[-2:]
        here = [self.server.ask(f"/streams/door/{name}")[1] for name in names]
        other = Server(self)  # which reads them out of the log
        self.assertEqual([other.ask(f"/streams/door/{name}")[1] for name in names], here)
        self.assertEqual([body.count(b"moof") > 2 for body in here], [True, True])


if __name__ == "__main__":
    unittest.main()
