"""`gopline serve` from a real broker: two servers say the same, viewers outlive a broker that dies, and what is live comes."""

import json
import unittest

from faults import FaultTest, shared_cluster
from serving import START, Server, tags, uris

WINDOW = "from=2026-11-22T18:00:00Z&to=2026-11-22T18:01:00Z"


class Serve(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        super().setUp()
        self.run_gopline("split", self.clip("street.mp4"), self.clip("door_g711.mkv"), "--start-time", START, "--quiet")

    def ask(self, server, target, status=200):
        response, body = server.ask(target)
        self.assertEqual(response.status, status, body[:300])
        return body

    def test_any_server_gives_the_same_and_all_of_it(self):
        one, other = Server(self), Server(self)
        self.assertEqual({s["id"] for s in json.loads(self.ask(one, "/api/streams"))["streams"]}, {"street", "door_g711"})
        for stream in ("street", "door_g711"):
            target = f"/streams/{stream}/hls.m3u8?{WINDOW}"
            playlist = self.ask(one, target)
            self.assertEqual(self.ask(other, target), playlist)
            segment = f"/streams/{stream}/{uris(playlist.decode())[-1]}"
            self.assertEqual(self.ask(one, segment), self.ask(other, segment))
        whole = self.framehash(self.clip("street.mp4")).splitlines()
        served = self.framehash(one.url(f"/streams/street/hls.m3u8?{WINDOW}")).splitlines()
        payloads = [[line.split(",")[5].strip() for line in lines if line.startswith("0,")] for lines in (whole, served)]
        self.assertEqual(payloads[1], payloads[0], "every picture's bytes")
        clip = self.folder / "clip.mp4"
        clip.write_bytes(self.ask(one, f"/streams/street/clip.mp4?{WINDOW}"))
        self.assertEqual([line.split(",")[5].strip() for line in self.framehash(clip).splitlines() if line.startswith("0,")], payloads[0])
        self.assertEqual(self.ask(one, "/streams/street/snapshot.jpg?at=2026-11-22T18:00:07Z")[:3], b"\xff\xd8\xff")

    def test_it_outlives_its_broker_and_goes_on_with_what_is_new(self):
        server = Server(self)
        target = f"/streams/street/hls.m3u8?{WINDOW}"
        before = self.ask(server, target)
        self.kafka.kill(0)
        self.kafka.start_broker(0)
        self.await_that(lambda: server.ask(target)[1] == before, server.process)
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "street", "--start-time", "2026-11-22T18:00:40Z", "--quiet")
        self.await_that(lambda: b"EXT-X-DISCONTINUITY" in server.ask(target)[1], server.process)
        self.assertEqual(tags(server.ask(target)[1].decode(), "EXT-X-MEDIA-SEQUENCE"), ["0"])


if __name__ == "__main__":
    unittest.main()
