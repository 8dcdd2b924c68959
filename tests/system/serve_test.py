"""`gopline serve` as players and a browser's page use it. What plays, ffmpeg plays; what it gets is what was recorded."""

import json
import re
import socket
import unittest
import urllib.parse
import urllib.request

from serving import START, Server, ServeTest, tags, uris
from support import FAILED, INTERRUPTED


class Playing(ServeTest):
    def test_a_whole_stream_plays_as_it_was(self):
        """ffmpeg gets through HLS, packet by packet, what a file of the stream has."""
        for clip in ("street.mp4", "street_hevc.mp4", "street_av1.mp4", "cup.mp4", "bunny.mp4"):
            self.split(self.clip(clip))
        server = Server(self)
        for clip in ("street", "street_hevc", "street_av1", "cup", "bunny"):
            with self.subTest(clip=clip):
                played = self.packet_hashes(server.url(f"/streams/{clip}/hls.m3u8"))
                self.assertEqual(played, self.packet_hashes(self.clip(f"{clip}.mp4")))

    def test_tracks_that_no_browser_takes_are_left_out(self):
        self.split(self.clip("door_g711.mkv"))
        server = Server(self, "--no-transcoding")
        played = self.packet_hashes(server.url("/streams/door_g711/hls.m3u8"))
        self.assertEqual(list(played), [0])
        file = self.folder / "door.mp4"
        self.ffmpeg("-i", self.clip("door_g711.mkv"), "-map", "0:v", "-c", "copy", file)
        self.assertEqual(played[0], self.packet_hashes(file)[0])

    def test_what_fits_no_mp4_says_so(self):
        self.split(self.clip("street.avi"))
        server = Server(self, "--no-transcoding")
        self.assertFalse(self.json(server, "/api/streams")["streams"][0]["playable"])
        self.assertIn("no browser plays", self.json(server, "/streams/street/hls.m3u8", 415)["error"])

    def test_health(self):
        self.split(self.clip("street.mp4"))
        health = self.json(Server(self), "/api/health")
        self.assertEqual(health["log"], {"state": "read", "since": None, "behind": 0, "problem": None})
        self.assertTrue(health["program"].startswith("gopline "))

    def test_an_interval(self):
        self.split(self.clip("street.mp4"))
        server = Server(self)
        playlist = self.text(server, "/streams/street/hls.m3u8?from=2026-11-22T18:00:05Z&to=2026-11-22T18:00:09Z")
        self.assertEqual(uris(playlist), [f"segments/0-{i}.m4s" for i in (2, 3, 4)])
        self.assertEqual(tags(playlist, "EXT-X-PROGRAM-DATE-TIME"), ["2026-11-22T18:00:04.000000Z"])
        self.assertTrue(playlist.endswith("#EXT-X-ENDLIST\n"))
        whole = self.packet_hashes(self.clip("street.mp4"))[0]
        played = self.packet_hashes(server.url("/streams/street/hls.m3u8?from=2026-11-22T18:00:05Z&to=2026-11-22T18:00:09Z"))[0]
        at = whole.index(played[0])
        self.assertEqual(played, whole[at:at + len(played)])
        self.assertEqual(len(played), 60)  # three segments of 2 s at 10 frames

    def test_across_epochs_and_a_new_init(self):
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "gate", "--start-time", START)
        self.run_gopline("split", self.clip("cup.mp4"), "--stream", "gate", "--start-time", "2026-11-22T19:00:00Z")
        server = Server(self)
        playlist = self.text(server, "/streams/gate/hls.m3u8")
        self.assertEqual(playlist.count("#EXT-X-DISCONTINUITY\n"), 1)
        self.assertEqual(len(set(tags(playlist, "EXT-X-MAP"))), 2)
        self.assertEqual([t[:19] for t in tags(playlist, "EXT-X-PROGRAM-DATE-TIME")], ["2026-11-22T18:00:00", "2026-11-22T19:00:00"])
        timeline = self.json(server, "/api/streams/gate/timeline")
        self.assertEqual(len(timeline["ranges"]), 2)
        self.assertEqual([gap["cause"] for gap in timeline["gaps"]], ["epoch"])

    def test_another_server_says_the_same(self):
        """Ordinals come from the records: a viewer's next request may go anywhere."""
        self.split(self.clip("street.mp4"))
        one, other = Server(self), Server(self)
        for target in ("/streams/street/live.m3u8", "/streams/street/hls.m3u8"):
            playlist = self.text(one, target)
            self.assertEqual(self.text(other, target), playlist)
        init = tags(playlist, "EXT-X-MAP")[0].split('"')[1]
        third = Server(self)  # has not made any playlist
        for uri in (init, uris(playlist)[0]):
            self.assertEqual(third.ask(f"/streams/street/{uri}")[1], one.ask(f"/streams/street/{uri}")[1])

    def test_ids_with_slashes_and_spaces(self):
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "site 7/Tür 2", "--start-time", START)
        server = Server(self)
        name = urllib.parse.quote("site 7/Tür 2", safe="")
        self.assertEqual(self.packet_hashes(server.url(f"/streams/{name}/hls.m3u8")), self.packet_hashes(self.clip("street_av1.mp4")))

    def test_segments_cached_and_in_ranges(self):
        self.split(self.clip("street.mp4"))
        server = Server(self)
        target = "/streams/street/segments/0-1.m4s"
        response, whole = server.ask(target)
        self.assertIn("immutable", response.headers["Cache-Control"])
        tag = response.headers["ETag"]
        response, part = server.ask(target, headers={"Range": "bytes=10-19", "If-Range": tag})
        self.assertEqual((response.status, part), (206, whole[10:20]))
        self.assertEqual(server.ask(target, headers={"If-None-Match": tag})[0].status, 304)
        self.assertEqual(server.ask(target, "HEAD")[0].headers["Content-Length"], str(len(whole)))


class Following(ServeTest):
    def test_a_live_playlist_grows_and_events_tell(self):
        """A file split at its own pace is a live source to whoever watches."""
        server = Server(self, log=self.make_log())
        events = socket.create_connection(("127.0.0.1", server.port), timeout=60)
        events.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"text/event-stream", events.recv(4096))
        self.start_gopline("split", self.clip("street.mp4"), "--stream", "gate", "--rate", "realtime", "--log", self.log)
        told = b""
        while b'"gate"' not in told:
            told += events.recv(4096)
        events.close()
        seen = []

        def has_grown():
            response, body = server.ask("/streams/gate/live.m3u8")
            if response.status == 200 and body not in seen:
                seen.append(body)
            return len(seen) == 3

        self.await_that(has_grown, server.process)
        playlists = [body.decode() for body in seen]
        for before, after in zip(playlists, playlists[1:]):
            self.assertNotIn("ENDLIST", before)
            self.assertEqual(self.numbered(after).items() & self.numbered(before).items(),
                             {(n, u) for n, u in self.numbered(before).items() if n in self.numbered(after)})
            self.assertGreater(max(self.numbered(after)), max(self.numbered(before)))
        states = {stream["id"]: stream["state"] for stream in self.json(server, "/api/streams")["streams"]}
        self.assertEqual(states, {"gate": "live", "street_av1": "ended"})

    def make_log(self):
        self.split(self.clip("street_av1.mp4"))
        return self.log

    @staticmethod
    def numbered(playlist):
        first = int(tags(playlist, "EXT-X-MEDIA-SEQUENCE")[0])
        return dict(enumerate(uris(playlist), first))


class LowLatency(ServeTest):
    """A camera that writes its segments in parts."""

    def setUp(self):
        super().setUp()
        camera = self.start_gopline("split", self.clip("street.mp4"), "--stream", "gate", "--loop", "--rate", "realtime", "--latency", "low", "--quiet")
        self.wait_for_segments(camera, "gate", 2)
        self.server = Server(self)

    def playlist(self, query="", server=None):
        response, body = (server or self.server).ask(f"/streams/gate/live.m3u8{query}")
        self.assertEqual(response.status, 200, body[:300])
        return body.decode()

    @staticmethod
    def parts(playlist):
        return re.findall(r'#EXT-X-PART:.*URI="([^"]+)"', playlist)

    @staticmethod
    def hint(playlist):
        return re.search(r'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="([^"]+)"', playlist)[1]

    def test_who_asks_for_the_next_part_gets_it_when_it_is_there(self):
        playlist = self.playlist()
        hint = self.hint(playlist)
        self.assertNotIn(hint, self.parts(playlist))
        response, part = self.server.ask(f"/streams/gate/{hint}")
        if response.status == 404:  # the segment ended before it
            hint = self.hint(self.playlist())
            response, part = self.server.ask(f"/streams/gate/{hint}")
        self.assertEqual(response.status, 200)
        self.assertIn(b"moof", part[:16])

    def test_who_asks_from_a_part_on_is_answered_when_it_is_there(self):
        playlist = self.playlist()
        for _ in range(12):  # more than a segment
            part = self.parts(playlist)[-1]
            segment, number = (int(n) for n in re.search(r"-(\d+)-(\d+)\.m4s", part).groups())
            is_open = f"segments/0-{segment}.m4s" not in playlist
            wanted = (segment, number + 1) if is_open else (segment + 1, 0)
            playlist = self.playlist(f"?_HLS_msn={wanted[0]}&_HLS_part={wanted[1]}")
            newest = tuple(int(n) for n in re.search(r"-(\d+)-(\d+)\.m4s", self.parts(playlist)[-1]).groups())
            self.assertTrue(newest >= wanted or f"segments/0-{wanted[0]}.m4s" in playlist, (newest, wanted))

    def test_parts_are_the_segment(self):
        playlist = self.playlist()
        segment = uris(playlist)[-1].split("/")[1].removesuffix(".m4s")
        parts = [part for part in self.parts(playlist) if f"/{segment}-" in part]
        self.assertGreater(len(parts), 3)
        whole = b"".join(self.server.ask(f"/streams/gate/{part}")[1] for part in parts)
        self.assertEqual(self.server.ask(f"/streams/gate/segments/{segment}.m4s")[1], whole)
        other = Server(self)  # which reads it out of the log
        self.assertEqual(other.ask(f"/streams/gate/segments/{segment}.m4s")[1], whole)
        self.assertIn(parts[0], self.playlist(server=other))

    def test_what_will_not_come_is_not_waited_for(self):
        self.playlist()
        for part in ("0-0-99", "0-999-0", "7-0-0", "x"):
            self.assertEqual(self.server.ask(f"/streams/gate/parts/{part}.m4s")[0].status, 404, part)

    def test_it_ends_while_somebody_waits(self):
        waiting = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        self.addCleanup(waiting.close)
        waiting.sendall(b"GET /streams/gate/live.m3u8?_HLS_msn=999999 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.playlist()
        self.assertEqual(self.server.stop(), INTERRUPTED)
        self.assertEqual(waiting.recv(10), b"")


class Asking(ServeTest):
    def setUp(self):
        super().setUp()
        self.split(self.clip("street_av1.mp4"))
        self.server = Server(self)

    def test_the_page_is_there_and_lets_nothing_else_in(self):
        response, body = self.server.ask("/")
        self.assertEqual(response.status, 200)
        for target in re.findall(r'(?:src|href)="([a-z./]+)"', body.decode()):
            self.assertEqual(self.server.ask("/" + target)[0].status, 200, target)
        policy = response.headers["Content-Security-Policy"]
        self.assertIn("default-src 'none'", policy)
        self.assertNotIn("unsafe", policy)
        self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
        self.assertNotRegex(body.decode(), r"style=|<script>|onclick=")

    def test_the_api_is_as_it_is_described(self):
        described = self.json(self.server, "/api/openapi.json")
        stream = self.json(self.server, "/api/streams")["streams"][0]
        self.assertEqual(sorted(stream), sorted(described["components"]["schemas"]["Stream"]["required"]))
        self.assertEqual((stream["id"], stream["state"], stream["ended"]), ("street_av1", "ended", "end-of-input"))
        timeline = self.json(self.server, "/api/streams/street_av1/timeline")
        self.assertEqual(timeline["ranges"], [{"from": "2026-11-22T18:00:00.000000Z", "to": "2026-11-22T18:00:08.000000Z", "segments": 4}])

    def test_what_analyzers_found_is_told(self):
        self.run_gopline("analyze", "--log", self.log, "--analyzer", "motion", "--streams", "street_av1", "--until-end", "--quiet")
        records = [json.loads(line) for line in self.run_gopline("events", "--log", self.log, "street_av1", "--json").stdout.splitlines()]
        self.assertTrue(records, "something moves in it")
        found = {}
        def is_all_known():
            found.update(self.json(self.server, "/api/streams/street_av1/events"))
            return found["complete"] and len(found["events"]) == len({r["event"] for r in records})
        self.await_that(is_all_known)
        for event in found["events"]:
            own = [r for r in records if r["event"] == event["id"]]
            self.assertEqual((event["class"], event["analyzer"]), ("motion", "motion"))
            self.assertEqual([b["time"] for b in event["boxes"]], [r["time"] for r in own if r.get("box")])
            self.assertEqual(event["to"], own[-1]["time"])
        first = found["events"][0]
        before = self.json(self.server, f"/api/streams/street_av1/events?to={first['from']}")
        self.assertEqual(before["events"], [])

    def test_nothing_climbs_out(self):
        for target in ("/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/streams/..%2f..%2fetc/hls.m3u8", "/streams/street_av1/segments/..%2f0-0.m4s",
                       "/vendor/../app.js", "/streams/%00/hls.m3u8", "//etc/passwd"):
            self.assertIn(self.server.ask(target)[0].status, (400, 404), target)

    def test_what_is_not_there_or_not_meant_says_so(self):
        for target, status, word in (
            ("/nothing", 404, "openapi"), ("/streams/none/hls.m3u8", 404, "no such stream"),
            ("/streams/street_av1/segments/0-99.m4s", 404, "0-99"), ("/streams/street_av1/init/0.mp4", 404, "init"),
            ("/streams/street_av1/hls.m3u8?from=yesterday", 400, "2026-11-22T18:30:00Z"),
            ("/streams/street_av1/hls.m3u8?from=", 400, "2026-11-22T18:30:00Z"),
            ("/streams/street_av1/hls.m3u8?from=2026-11-22T19:00:00Z&to=2026-11-22T18:00:00Z", 404, "before"),
            ("/streams/street_av1/hls.m3u8?from=2030-01-01T00:00:00Z", 404, "nothing was recorded"),
            ("/api/streams/street_av1/timeline?resolution=fine", 400, "duration"), ("/%zz", 400, "escape"),
        ):
            self.assertIn(word, self.json(self.server, target, status)["error"], target)
        self.assertEqual(self.server.ask("/api/streams", "DELETE")[0].status, 405)

    def test_another_name_of_this_machine_is_refused(self):
        """A page elsewhere that has its name point here (DNS rebinding) sends its own name."""
        self.assertEqual(self.server.ask("/api/streams", headers={"Host": "evil.example"})[0].status, 403)
        for host in ("localhost", f"127.0.0.1:{self.server.port}", "[::1]:80"):
            self.assertEqual(self.server.ask("/api/streams", headers={"Host": host})[0].status, 200, host)

    def test_it_ends_when_it_is_asked_to_whoever_is_connected(self):
        watching = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        watching.sendall(b"GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        self.assertIn(b"200 OK", watching.recv(4096))
        self.assertEqual(self.server.stop(), INTERRUPTED)
        while watching.recv(4096):
            continue
        watching.close()


class Starting(ServeTest):
    def test_off_localhost_it_wants_to_be_told(self):
        self.split(self.clip("street_av1.mp4"))
        for address in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0"):
            done = self.run_gopline("serve", "--log", self.log, "--listen", address, code=FAILED)
            self.assert_one_clear_message(done, address, "--insecure")

    def test_a_log_that_is_not_there(self):
        self.assert_one_clear_message(self.run_gopline("serve", "--log", self.folder / "none", code=FAILED), "no log")

    def test_metrics_have_an_address_of_their_own(self):
        self.split(self.clip("street_av1.mp4"))
        server = Server(self, "--metrics", "127.0.0.1:0")
        address = re.search(r"metrics at (\S+)", server.process.stderr.readline().decode())[1]
        self.text(server, "/streams/street_av1/hls.m3u8")
        self.text(server, "/streams/none/hls.m3u8", 404)
        with urllib.request.urlopen(address, timeout=60) as response:
            counted = response.read().decode()
        self.assertIn('gopline_server_answers_total{kind="playlist",status="2xx"} 1\n', counted)
        self.assertIn('gopline_server_answers_total{kind="playlist",status="4xx"} 1\n', counted)
        self.assertEqual(server.ask("/metrics")[0].status, 404)

    def test_an_address_in_use(self):
        self.split(self.clip("street_av1.mp4"))
        server = Server(self)
        done = self.run_gopline("serve", "--log", self.log, "--listen", f"127.0.0.1:{server.port}", code=FAILED)
        self.assert_one_clear_message(done, str(server.port), "another program")


if __name__ == "__main__":
    unittest.main()
