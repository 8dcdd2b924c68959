"""Pictures that browsers do not know, as `gopline serve` gives them: H.264, made when somebody asks, picture by picture what was recorded."""

import datetime
import json
import re
import socket
import subprocess
import threading
import unittest
import urllib.request

from serving import START, Server, ServeTest, tags, uris


class VideoTest(ServeTest):
    def serve(self, *arguments):
        server = Server(self, "--metrics", "127.0.0.1:0", *arguments)
        server.metrics = re.search(r"http://\S+", server.process.stderr.readline().decode())[0]
        return server

    def counted(self, server, series):
        with urllib.request.urlopen(server.metrics, timeout=60) as answer:
            return int(float(re.search("^" + re.escape(series) + r" (\S+)$", answer.read().decode(), re.MULTILINE)[1]))

    def transcoded(self, server):
        return self.counted(server, 'gopline_server_transcoding_seconds_count{media="video"}')

    def make(self, name, *arguments, source="street.mp4"):
        """A clip made of another."""
        path = self.folder / name
        self.ffmpeg("-i", self.clip(source), *arguments, path)
        return path

    def fetched(self, server, stream, query=""):
        """All that a player fetches, put into one file."""
        playlist = self.text(server, f"/streams/{stream}/hls.m3u8{query}")
        names = [re.search('URI="([^"]+)"', tags(playlist, "EXT-X-MAP")[0])[1], *uris(playlist)]
        path = self.folder / f"{stream}-fetched.mp4"
        with path.open("wb") as out:
            for name in names:
                response, body = server.ask(f"/streams/{stream}/{name}")
                self.assertEqual(response.status, 200, body[:300])
                out.write(body)
        return path

    def packets(self, path, kind="v"):
        command = ["ffprobe", "-v", "error", "-of", "json", "-select_streams", f"{kind}:0", "-show_packets", "-show_streams", path]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def assert_same_pictures(self, source, played, least=30):
        """As many, each at its time to the tick, each looking like it did, and decoded without a word."""
        own, made = self.packets(source), self.packets(played)
        stream = made["streams"][0]
        self.assertEqual((stream["codec_name"], stream["has_b_frames"]), ("h264", 0))
        base = [eval(one["streams"][0]["time_base"].replace("/", "/1.0/")) for one in (own, made)]
        times = [sorted(int(p.get("pts", p.get("dts"))) for p in one["packets"]) for one in (own, made)]
        seconds = [[(t - column[0]) * unit for t in column] for column, unit in zip(times, base)]
        self.assertEqual(len(seconds[0]), len(seconds[1]))
        for expected, got in zip(*seconds):
            self.assertAlmostEqual(expected, got, delta=1e-9)
        decoded = subprocess.run(["ffmpeg", "-nostdin", "-v", "warning", "-xerror", "-i", played, "-f", "null", "-"], capture_output=True, text=True)
        self.assertEqual((decoded.returncode, decoded.stderr), (0, ""))
        stats = self.folder / "psnr.txt"
        self.ffmpeg("-i", played, "-i", source, "-lavfi", f"[0:v]setpts=N/TB[a];[1:v]setpts=N/TB,format=yuv420p[b];[a][b]psnr=stats_file={stats}", "-fps_mode", "passthrough",
                    "-f", "null", "-")
        likeness = [float(value) for value in re.findall(r"psnr_avg:([\d.inf]+)", stats.read_text())]
        self.assertEqual(len(likeness), len(seconds[0]))
        self.assertGreater(min(likeness), least)


class Pictures(VideoTest):
    def test_hevc_with_open_gops(self):
        self.split(self.clip("street_hevc.mp4"), "--stream", "yard")
        server = self.serve()
        self.assert_same_pictures(self.clip("street_hevc.mp4"), self.fetched(server, "yard", "?video=h264"))

    def test_mpeg4_with_b_frames_and_sound(self):
        clip = self.make("asp.mp4", "-c:v", "mpeg4", "-bf", "2", "-g", "20", "-q:v", "3", "-c:a", "copy")
        self.split(clip)
        played = self.fetched(self.serve(), "asp")
        self.assert_same_pictures(clip, played)
        self.assertEqual(self.packet_hashes(played)[0], self.packet_hashes(clip)[1], "sound is what it was")

    def test_mpeg4_of_an_avi_which_has_no_presentation_times(self):
        for frames in ("0", "2"):
            with self.subTest(b_frames=frames):
                clip = self.make(f"dvr{frames}.avi", "-an", "-c:v", "mpeg4", "-bf", frames, "-g", "20", "-q:v", "3", "-t", "6")
                self.split(clip)
                self.assert_same_pictures(clip, self.fetched(self.serve(), f"dvr{frames}"))

    def test_a_long_gop_that_fits_no_mp4(self):
        self.split(self.clip("street.avi"))
        self.assertGreater(len(self.segments("street")), 1)
        server = self.serve()
        self.assertTrue(self.json(server, "/api/streams")["streams"][0]["playable"])
        self.assert_same_pictures(self.clip("street.avi"), self.fetched(server, "street"))
        playlist = self.text(server, "/streams/street/hls.m3u8")
        self.assertIn("#EXT-X-INDEPENDENT-SEGMENTS", playlist)
        self.assertEqual(server.ask("/streams/street/snapshot.jpg")[0].status, 200)

    def test_motion_jpeg_with_raw_sound(self):
        clip = self.make("old.mkv", "-c:v", "mjpeg", "-q:v", "3", "-g", "20", "-c:a", "pcm_s16le", "-ar", "16000", "-t", "6")
        self.split(clip)
        played = self.fetched(self.serve(), "old")
        self.assert_same_pictures(clip, played)
        sound = self.packets(played, "a")
        self.assertEqual(sound["streams"][0]["codec_name"], "aac")
        pictures = self.packets(played)
        self.assertAlmostEqual(float(sound["packets"][0]["pts_time"]), float(pictures["packets"][0]["pts_time"]), delta=0.1)
        self.assertGreater(float(sound["packets"][-1]["pts_time"]), 5.7)

    def test_sound_alone_that_fits_no_mp4(self):
        clip = self.make("bell.wav", "-vn", "-t", "6")
        self.split(clip)
        server = self.serve()
        sound = self.packets(self.fetched(server, "bell"), "a")
        self.assertEqual(sound["streams"][0]["codec_name"], "aac")
        self.assertGreater(float(sound["packets"][-1]["pts_time"]), 5.7)
        self.assertIn('CODECS="mp4a.40.2"', self.text(server, "/streams/bell/watch.m3u8"))

    def test_ten_bits_and_odd_sizes(self):
        clip = self.make("odd.mkv", "-an", "-t", "4", "-vf", "scale=333:251,setsar=4/3", "-c:v", "libx265", "-pix_fmt", "yuv444p10le", "-x265-params",
                         "keyint=20:log-level=error:pools=none")
        self.split(clip)
        played = self.fetched(self.serve(), "odd", "?video=h264")
        stream = self.packets(played)["streams"][0]
        self.assertEqual((stream["width"], stream["height"], stream["pix_fmt"], stream["sample_aspect_ratio"]), (332, 250, "yuv420p", "4:3"))
        self.assertEqual(len(self.packets(played)["packets"]), len(self.packets(clip)["packets"]))


class Choosing(VideoTest):
    def setUp(self):
        super().setUp()
        self.split(self.clip("street_hevc.mp4"), "--stream", "yard")
        self.server = self.serve()

    def variants(self, target, server=None):
        lines = self.text(server or self.server, f"/streams/{target}").splitlines()
        return [(line, lines[i + 1]) for i, line in enumerate(lines) if line.startswith("#EXT-X-STREAM-INF:")]

    def test_both_are_offered_and_are_the_same_stretch(self):
        (stored, first), (made, second) = self.variants("yard/watch.m3u8?from=2026-11-22T18:00:04Z")
        self.assertRegex(stored, r'CODECS="hvc1\.1\.[^"]+".*RESOLUTION=768x576')
        self.assertRegex(made, r'CODECS="avc1\.64[0-9a-f]{4}"')
        playlists = [self.text(self.server, f"/streams/yard/{uri}") for uri in (first, second)]
        names = [uris(playlist) for playlist in playlists]
        self.assertEqual([name.replace(".m4s", "-h264.m4s") for name in names[0]], names[1])
        rest = [[line for line in playlist.splitlines() if "URI=" not in line and line.startswith("#")] for playlist in playlists]
        self.assertEqual(*rest)
        self.assertIn("#EXT-X-PROGRAM-DATE-TIME:2026-11-22T18:00:04.000000Z", playlists[0])

    def test_what_a_variant_promises_is_true(self):
        made, address = self.variants("yard/watch.m3u8?from=2026-11-22T18:00:00Z")[1]
        most = int(re.search(r"BANDWIDTH=(\d+)", made)[1])
        playlist = self.text(self.server, f"/streams/yard/{address}")
        for length, name in zip(tags(playlist, "EXTINF"), uris(playlist)):
            self.assertLessEqual(len(self.server.ask(f"/streams/yard/{name}")[1]) * 8, most * float(length.split(",")[0]))

    def test_live_and_where_there_is_nothing_to_choose(self):
        live = self.variants("yard/watch.m3u8")
        self.assertEqual([uri for _, uri in live], ["live.m3u8", "live.m3u8?video=h264"])
        self.assertIn("-h264.m4s", self.text(self.server, f"/streams/yard/{live[1][1]}"))
        self.split(self.clip("street.mp4"), "--stream", "lobby")
        self.await_that(lambda: self.server.ask("/streams/lobby/live.m3u8")[0].status == 200)
        ((lobby, uri),) = self.variants("lobby/watch.m3u8")
        self.assertEqual(uri, "live.m3u8")
        self.assertRegex(lobby, r'CODECS="avc[13]\.64[0-9a-f]{4},mp4a\.40\.2"')
        ((_, uri),) = self.variants("yard/watch.m3u8", Server(self, "--no-transcoding"))
        self.assertEqual(uri, "live.m3u8")

    def test_links_go_on(self):
        self.run_gopline("user", "set", "clerk", "--role", "exporter", "--streams", "*", "--password", input=b"correct horse battery\n")
        token = self.run_gopline("user", "token", "clerk", "--name", "test", "--for", "1d").stdout.strip().split()[-1]
        server = Server(self, "--users", self.folder / "users.json")
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        response, body = server.ask(f"/api/links?stream=yard&until={until}", "POST", {"Authorization": f"Bearer {token}"})
        self.assertEqual(response.status, 200, body)
        for _, uri in self.variants(json.loads(body)["watch"].removeprefix("/streams/"), server):
            playlist = self.text(server, f"/streams/yard/{uri}")
            for name in [re.search('URI="([^"]+)"', playlist)[1], uris(playlist)[0]]:
                self.assertEqual(server.ask(f"/streams/yard/{name}")[0].status, 200, name)

    def test_what_is_not_there_says_so(self):
        for target, status in (("hls.m3u8?video=vp8", 400), ("segments/9-9-h264.m4s", 404), ("segments/x-h264.m4s", 404), ("init/0000-h264.mp4", 404)):
            self.json(self.server, f"/streams/yard/{target}", status)
        silent = Server(self, "--no-transcoding")
        self.json(silent, "/streams/yard/hls.m3u8?video=h264", 415)
        self.json(silent, "/streams/yard/segments/0-0-h264.m4s", 404)


class Sharing(VideoTest):
    def setUp(self):
        super().setUp()
        self.split(self.clip("street_hevc.mp4"), "--stream", "yard")
        self.server = self.serve()
        self.names = uris(self.text(self.server, "/streams/yard/hls.m3u8?video=h264"))

    def test_many_who_watch_cost_one_transcoding(self):
        target, answers = f"/streams/yard/{self.names[1]}", []
        threads = [threading.Thread(target=lambda: answers.append(self.server.ask(target)[1])) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(answers), 20)
        self.assertEqual(len(set(answers)), 1)
        self.assertEqual(self.transcoded(self.server), 1)
        self.assertEqual(self.server.ask(target)[1], answers[0])
        self.assertEqual(self.transcoded(self.server), 1)

    def test_nobody_pays_who_watches_the_original(self):
        for uri in uris(self.text(self.server, "/streams/yard/hls.m3u8")):
            self.assertEqual(self.server.ask(f"/streams/yard/{uri}")[0].status, 200)
        self.text(self.server, "/streams/yard/watch.m3u8")
        self.assertEqual(self.transcoded(self.server), 0)

    def test_every_server_makes_the_same_in_any_order(self):
        other = Server(self)
        backwards = {name: other.ask(f"/streams/yard/{name}")[1] for name in reversed(self.names)}
        for name in self.names:
            self.assertEqual(self.server.ask(f"/streams/yard/{name}")[1], backwards[name], name)

    def test_it_is_cut_off_when_nobody_waits(self):
        clip = self.make("large.mp4", "-an", "-vf", "scale=1920:1080", "-c:v", "mpeg4", "-q:v", "6", "-g", "20")
        self.split(clip)
        self.await_that(lambda: self.server.ask("/streams/large/hls.m3u8")[0].status == 200)
        names = uris(self.text(self.server, "/streams/large/hls.m3u8"))
        asking = []
        for name in names:
            connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
            connection.sendall(f"GET /streams/large/{name} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            asking.append(connection)
        for connection in asking:
            connection.close()
        abandoned = "gopline_server_abandoned_transcodings_total"
        self.await_that(lambda: self.counted(self.server, abandoned) + self.transcoded(self.server) == len(names))
        self.assertGreater(self.counted(self.server, abandoned), 0)
        for state in ("waiting", "running"):
            self.await_that(lambda: self.counted(self.server, f'gopline_server_transcodings{{state="{state}"}}') == 0)
        self.assertEqual(self.server.ask(f"/streams/large/{names[-1]}")[0].status, 200)

    def test_it_ends_in_the_middle_of_it(self):
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        self.addCleanup(connection.close)
        connection.sendall(f"GET /streams/yard/{self.names[0]} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        self.assertEqual(self.server.stop(), 130)

    def test_the_record_is_untouched(self):
        before = self.run_gopline("verify", "yard").stdout
        for name in self.names:
            self.server.ask(f"/streams/yard/{name}")
        self.assertEqual(self.run_gopline("verify", "yard").stdout, before)

    def test_across_epochs_of_other_codecs(self):
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "yard", "--start-time", "2026-11-22T18:01:00Z")
        target = "/streams/yard/hls.m3u8?video=h264&from=2026-11-22T18:00:00Z&to=2026-11-22T18:02:00Z"
        self.await_that(lambda: len(set(tags(self.text(self.server, target), "EXT-X-MAP"))) == 2)
        playlist = self.text(self.server, target)
        self.assertEqual(playlist.count("#EXT-X-DISCONTINUITY\n"), 1)
        self.assertEqual([name.endswith("-h264.m4s") for name in uris(playlist)], [True] * len(self.names) + [False] * 10)


class InParts(VideoTest):
    def test_low_latency_comes_by_the_segment(self):
        """A part would have to wait for its segment: so there are none, and players see it as ordinary HLS."""
        clip = self.make("asp.mp4", "-an", "-c:v", "mpeg4", "-g", "10", "-q:v", "5")
        camera = self.start_gopline("split", clip, "--stream", "gate", "--loop", "--rate", "realtime", "--latency", "low", "--quiet")
        self.wait_for_segments(camera, "gate", 2)
        server = self.serve()
        playlist = self.text(server, "/streams/gate/live.m3u8")
        self.assertNotIn("EXT-X-PART", playlist)
        self.assertNotIn("CAN-BLOCK-RELOAD", playlist)
        for name in uris(playlist):
            self.assertTrue(name.endswith("-h264.m4s"), name)
            self.assertEqual(server.ask(f"/streams/gate/{name}")[0].status, 200)


if __name__ == "__main__":
    unittest.main()
