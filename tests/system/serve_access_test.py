"""Who may watch: `gopline user` and `gopline serve --users`, as people, players and programs meet them."""

import base64
import json
import socket
import stat
import unittest
import urllib.parse

from serving import START, Server, ServeTest, uris
from support import FAILED

PASSWORD = "correct horse battery"
INTERVAL = "from=2026-11-22T18:00:00Z&to=2026-11-22T18:00:04Z"


def basic(name, password):
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


class AccessTest(ServeTest):
    def setUp(self):
        super().setUp()
        for stream in ("lobby", "yard"):
            self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", stream, "--start-time", START)
        self.users = self.folder / "users.json"
        self.audit = self.folder / "audit.log"
        self.set_user("guard", "viewer", "lobby")
        self.set_user("clerk", "exporter", "*")
        self.server = Server(self, "--users", self.users, "--audit", self.audit)

    def set_user(self, name, role, *streams):
        self.run_gopline("user", "set", name, "--users", self.users, "--role", role, "--streams", *streams, "--password",
                         input=f"{PASSWORD}\n".encode())

    def log_in(self, name, password=PASSWORD, headers=None):
        return self.server.ask("/api/login", "POST", {**basic(name, password), **(headers or {})})

    def session(self, name):
        """Headers of somebody who has logged in."""
        response, body = self.log_in(name)
        self.assertEqual(response.status, 200, body)
        return {"Cookie": response.headers["Set-Cookie"].split(";")[0]}

    def status(self, target, headers=None, method="GET"):
        return self.server.ask(target, method, headers)[0].status

    def audited(self):
        return [json.loads(line) for line in self.audit.read_text().splitlines()]


class People(AccessTest):
    def test_nobody_is_let_in_unasked(self):
        for target in ("/api/streams", "/api/events", "/api/me", "/api/streams/lobby/timeline", "/streams/lobby/hls.m3u8", "/streams/lobby/live.m3u8",
                       "/streams/lobby/segments/0-0.m4s", "/streams/lobby/init/0.mp4", f"/streams/lobby/clip.mp4?{INTERVAL}", "/nothing"):
            response, body = self.server.ask(target)
            self.assertEqual(response.status, 401, target)
            self.assertIn("Bearer", response.headers["WWW-Authenticate"])
            self.assertNotIn(b"lobby", body)
        for target in ("/", "/app.js", "/healthz"):
            self.assertEqual(self.status(target), 200)

    def test_who_logs_in_sees_what_is_theirs(self):
        response, body = self.log_in("guard")
        self.assertEqual((response.status, json.loads(body)), (200, {"name": "guard"}))
        for flag in ("HttpOnly", "SameSite=Strict", "Secure", "Path=/", "Max-Age="):
            self.assertIn(flag, response.headers["Set-Cookie"])
        guard = self.session("guard")
        streams = json.loads(self.server.ask("/api/streams", headers=guard)[1])["streams"]
        self.assertEqual([stream["id"] for stream in streams], ["lobby"])
        self.assertEqual(self.status("/streams/lobby/hls.m3u8", guard), 200)
        for target in ("/streams/yard/hls.m3u8", "/streams/none/hls.m3u8", "/streams/yard/segments/0-0.m4s", "/api/streams/yard/timeline"):
            self.assertEqual(self.status(target, guard), 403, target)

    def test_events_are_of_what_is_theirs(self):
        cookie = self.session("guard")["Cookie"]
        events = socket.create_connection(("127.0.0.1", self.server.port), timeout=60)
        self.addCleanup(events.close)
        events.sendall(f"GET /api/events HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
        for stream in ("yard", "lobby"):  # one after the other: what comes of the second comes behind the first
            self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", stream, "--start-time", "2026-11-22T19:00:00Z")
        told = b""
        while b'"lobby"' not in told:
            told += events.recv(4096)
        self.assertNotIn(b"yard", told)

    def test_clips_are_for_exporters(self):
        self.assertEqual(self.status(f"/streams/lobby/clip.mp4?{INTERVAL}", self.session("guard")), 403)
        self.assertEqual(self.status(f"/streams/lobby/clip.mp4?{INTERVAL}", self.session("clerk")), 200)

    def test_a_page_of_another_site_can_do_nothing(self):
        for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}):
            self.assertEqual(self.log_in("guard", headers=headers)[0].status, 403, headers)
        self.assertEqual(self.log_in("guard", headers={"Origin": f"http://127.0.0.1:{self.server.port}"})[0].status, 200)
        self.assertEqual(self.status("/api/login", basic("guard", PASSWORD)), 405)
        self.assertEqual(self.status("/api/links", self.session("clerk")), 405)

    def test_guessing_becomes_slow(self):
        for _ in range(10):
            self.assertEqual(self.log_in("guard", "wrong")[0].status, 401)
        response, _ = self.log_in("guard")
        self.assertEqual(response.status, 429)
        self.assertIn("Retry-After", response.headers)

    def test_who_is_taken_off_is_out(self):
        guard = self.session("guard")
        self.run_gopline("user", "remove", "guard", "--users", self.users)
        self.await_that(lambda: self.status("/api/streams", guard) == 401)
        self.assertEqual(self.log_in("guard")[0].status, 401)

    def test_another_server_takes_the_same_cookie(self):
        guard = self.session("guard")
        other = Server(self, "--users", self.users)
        self.assertEqual(other.ask("/api/streams", headers=guard)[0].status, 200)

    def test_logging_out_takes_the_cookie(self):
        response, _ = self.server.ask("/api/logout", "POST")
        self.assertIn("gopline=; Path=/; Max-Age=0;", response.headers["Set-Cookie"])


class PlayersAndPrograms(AccessTest):
    def make_link(self, **parameters):
        query = urllib.parse.urlencode({"stream": "lobby", "until": "2099-01-01T00:00:00Z", **parameters})
        return self.server.ask(f"/api/links?{query}", "POST", self.session("clerk"))

    def soon(self):
        now = self.server.ask("/api/streams", headers=self.session("clerk"))[1]
        return json.loads(now)["now"][:11] + "23:59:59.999Z"

    def test_a_link_plays_in_what_cannot_log_in(self):
        response, body = self.make_link(until=self.soon())
        self.assertEqual(response.status, 200, body)
        link = json.loads(body)
        self.assertEqual(self.packet_hashes(self.server.url(link["recorded"])), self.packet_hashes(self.clip("street_av1.mp4")))
        self.assertEqual(self.status(link["live"]), 200)
        query = f"?link={link['link']}"
        for target in ("/streams/yard/hls.m3u8", "/api/streams/yard/timeline", "/streams/lobby/clip.mp4"):
            self.assertEqual(self.status(target + query), 403, target)
        self.assertEqual(self.status("/streams/lobby/hls.m3u8" + query[:-2]), 401)
        self.assertEqual(self.server.ask(f"/api/links{query}&stream=lobby&until={self.soon()}", "POST")[0].status, 403)

    def test_a_link_of_a_viewer_or_for_ever_is_not_made(self):
        self.assertEqual(self.make_link()[0].status, 400)
        query = urllib.parse.urlencode({"stream": "lobby", "until": self.soon()})
        self.assertEqual(self.status(f"/api/links?{query}", self.session("guard"), "POST"), 403)

    def test_a_token_is_said_once(self):
        token = self.run_gopline("user", "token", "guard", "--name", "wall", "--users", self.users).stdout.strip()
        self.assertNotIn(token, self.users.read_text())
        self.await_that(lambda: self.status("/api/streams", {"Authorization": f"Bearer {token}"}) == 200)
        self.assertEqual(self.status("/streams/yard/hls.m3u8", {"Authorization": f"Bearer {token}"}), 403)
        self.assertEqual(self.status("/api/streams", {"Authorization": f"Bearer {token}x"}), 401)
        self.assertIn("token wall", self.run_gopline("user", "list", "--users", self.users).stdout)


class Auditing(AccessTest):
    def test_who_viewed_and_exported_what(self):
        self.log_in("guard", "wrong")
        guard, clerk = self.session("guard"), self.session("clerk")
        playlist = self.server.ask("/streams/lobby/hls.m3u8", headers=guard)[1].decode()
        for uri in uris(playlist):
            self.assertEqual(self.status(f"/streams/lobby/{uri}", guard), 200)
        self.assertEqual(self.status(f"/streams/yard/clip.mp4?{INTERVAL}", clerk), 200)
        lines = self.audited()
        self.assertEqual([(line["what"], line["who"]) for line in lines],
                         [("login-failed", "guard"), ("login", "guard"), ("login", "clerk"), ("view", "guard"), ("export", "clerk")])
        self.assertEqual(lines[3]["from"], "2026-11-22T18:00:00.000000Z")
        self.assertEqual((lines[4]["stream"], lines[4]["to"]), ("yard", "2026-11-22T18:00:04.000000Z"))
        self.assertEqual({line["peer"] for line in lines}, {"127.0.0.1"})

    def test_a_clip_that_cannot_be_written_down_is_not_given(self):
        clerk = self.session("clerk")
        self.audit.unlink()
        self.audit.mkdir()
        self.assertEqual(self.status(f"/streams/yard/clip.mp4?{INTERVAL}", clerk), 500)

    def test_no_secret_is_written_anywhere(self):
        self.log_in("guard", "wrong but mine")
        cookie = self.session("guard")["Cookie"].split("=")[1]
        self.server.ask(f"/streams/lobby/live.m3u8?link={cookie}")
        self.server.stop()
        written = self.audit.read_text() + self.users.read_text() + self.server.said()
        for secret in (PASSWORD, "wrong but mine", cookie):
            self.assertNotIn(secret, written)
        self.assertEqual(stat.S_IMODE(self.users.stat().st_mode), 0o600)


class Starting(AccessTest):
    def test_off_localhost_with_users(self):
        server = Server(self, "--users", self.users, listen="0.0.0.0:0")
        self.assertEqual(server.ask("/api/streams")[0].status, 401)
        self.assertEqual(server.ask("/", headers={"Host": "cameras.example"})[0].status, 200)

    def test_a_file_of_users_that_is_wrong_or_open_to_others(self):
        self.users.chmod(0o644)
        done = self.run_gopline("serve", "--log", self.log, "--users", self.users, code=FAILED)
        self.assert_one_clear_message(done, self.users, "chmod 600")
        self.users.write_text('{"key": "x"}')
        self.users.chmod(0o600)
        self.assert_one_clear_message(self.run_gopline("serve", "--log", self.log, "--users", self.users, code=FAILED), self.users, "key")

    def test_users_that_make_no_sense_are_not_made(self):
        new = self.folder / "new.json"
        for arguments in (("set", "a", "--role", "viewer"), ("set", "a:b", "--role", "viewer", "--streams", "*"), ("token", "a", "--name", "b")):
            self.run_gopline("user", *arguments, "--users", new, code=FAILED)
            self.assertFalse(new.exists())
        done = self.run_gopline("user", "set", "guard", "--users", self.users, "--password", code=FAILED, input=b"short\n")
        self.assert_one_clear_message(done, "8 characters")
        self.assertEqual(self.log_in("guard")[0].status, 200)


if __name__ == "__main__":
    unittest.main()
