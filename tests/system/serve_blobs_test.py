"""`gopline serve --redirect-blobs`: players fetch from the object store what lies there."""

import os
import re
import sys
import unittest
import urllib.parse
import urllib.request
from pathlib import Path

from serving import START, Server, ServeTest, tags, uris

sys.path.insert(0, os.fspath(Path(__file__).resolve().parents[2] / "tools" / "s3"))
from server import Server as S3Server  # noqa: E402


class Redirects(ServeTest):
    def setUp(self):
        super().setUp()
        self.s3 = S3Server(self.folder / "s3")
        self.s3.start()
        self.addCleanup(self.s3.stop)
        self.s3.make_bucket("archive")
        told = self.s3.description()
        self.config = self.folder / "s3.conf"
        self.config.write_text("".join(f"{name}={told[name]}\n" for name in ("endpoint", "region", "access_key_id", "secret_access_key")))
        self.secret = told["secret_access_key"]
        self.store = ("--blobs", "s3://archive/gopline", "--s3-config", self.config)
        self.split(self.clip("street.mp4"), "--payload", "claim", *self.store)

    def items(self, server, stream="street"):
        playlist = self.text(server, f"/streams/{stream}/hls.m3u8")
        return list(zip(uris(playlist), tags(playlist, "EXT-X-BYTERANGE")))

    def test_a_player_is_sent_to_the_store_for_the_bytes_of_a_segment(self):
        server, plain = Server(self, "--redirect-blobs", *self.store), Server(self, *self.store)
        items = self.items(server)
        self.assertEqual(len(items), 10)
        through = uris(self.text(plain, "/streams/street/hls.m3u8"))
        for (uri, span), whole in zip(items, through):
            size, _, at = span.partition("@")
            wanted = {"Range": f"bytes={at}-{int(at) + int(size) - 1}"}
            response, _ = server.ask(f"/streams/street/{uri}", headers=wanted)
            self.assertEqual((response.status, response.headers["Cache-Control"]), (307, "no-store"))
            location = response.headers["Location"]
            self.assertTrue(location.startswith(f"http://127.0.0.1:{self.s3.port}/archive/gopline/"), location)
            self.assertNotIn(self.secret, location)
            with urllib.request.urlopen(urllib.request.Request(location, headers=wanted), timeout=60) as answer:
                self.assertEqual((answer.status, answer.read()), (206, plain.ask(f"/streams/street/{whole}")[1]))
        seconds = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)["X-Amz-Expires"]
        self.assertEqual(seconds, ["300"])

    def test_ffmpeg_follows(self):
        server = Server(self, "--redirect-blobs", *self.store)
        self.assertEqual(self.packet_hashes(server.url("/streams/street/hls.m3u8")), self.packet_hashes(self.clip("street.mp4")))

    def test_the_page_may_fetch_from_the_store_and_from_nowhere_else(self):
        policy = Server(self, "--redirect-blobs", *self.store).ask("/")[0].headers["Content-Security-Policy"]
        self.assertTrue(policy.endswith(f"connect-src 'self' http://127.0.0.1:{self.s3.port}"), policy)

    def test_who_may_not_see_is_sent_nowhere(self):
        users = self.folder / "users.json"
        self.run_gopline("user", "set", "guard", "--users", users, "--role", "viewer", "--streams", "yard", "--password", input=b"correct horse\n")
        server = Server(self, "--redirect-blobs", "--users", users, *self.store)
        self.assertEqual(server.ask("/streams/street/stored/0-0.mp4")[0].status, 401)

    def test_what_is_not_to_be_had_so_comes_through_the_server(self):
        """In the log; in a folder; and sound that is transcoded."""
        self.run_gopline("split", self.clip("street_av1.mp4"), "--start-time", START)
        self.split(self.clip("door_g711.mkv"), "--payload", "claim", *self.store)
        folder = self.folder / "blobs"
        self.split(self.clip("bunny.mp4"), "--payload", "claim", "--blobs", folder)
        server = Server(self, "--redirect-blobs", *self.store)
        for stream in ("street_av1", "door_g711"):
            self.assertEqual(self.items(server, stream), [])
            for uri in uris(self.text(server, f"/streams/{stream}/hls.m3u8")):
                self.assertEqual(server.ask(f"/streams/{stream}/{uri}")[0].status, 200)
        local = Server(self, "--redirect-blobs", "--blobs", folder)
        (uri, span), = self.items(local, "bunny")
        size, _, at = span.partition("@")
        response, body = local.ask(f"/streams/bunny/{uri}", headers={"Range": f"bytes={at}-"})
        self.assertEqual((response.status, len(body)), (206, int(size)))
        self.assertTrue(re.search(rb"moof", body[:8]))

    def test_its_head_is_asked_of_the_server(self):
        server = Server(self, "--redirect-blobs", *self.store)
        response, _ = server.ask("/streams/street/stored/0-0.mp4", "HEAD")
        self.assertEqual((response.status, response.headers["Accept-Ranges"]), (200, "bytes"))


if __name__ == "__main__":
    unittest.main()
