"""How `gopline serve` is reached: over TLS, and by pages of other sites."""

import json
import os
import signal
import socket
import ssl
import subprocess
import unittest

from serving import Server, ServeTest
from support import FAILED, USAGE, default_signals

WALL = "https://wall.example.org"


class CrossOrigins(ServeTest):
    def setUp(self):
        super().setUp()
        self.split(self.clip("street_av1.mp4"))

    def headers(self, server, target, method="GET", **headers):
        response, _ = server.ask(target, method, {name.replace("_", "-"): value for name, value in headers.items()})
        return response.status, response.headers

    def test_nobody_is_let_in_unless_named(self):
        server = Server(self)
        status, headers = self.headers(server, "/api/streams", Origin=WALL)
        self.assertEqual((status, headers["Access-Control-Allow-Origin"], headers["Cross-Origin-Resource-Policy"]), (200, None, "same-origin"))
        self.assertEqual(self.headers(server, "/api/streams", "OPTIONS", Origin=WALL, Access_Control_Request_Method="GET")[0], 405)

    def test_pages_of_named_origins_read_everything_that_a_player_needs(self):
        server = Server(self, "--cors-origin", WALL, "--cors-origin", "http://localhost:3000")
        for target in ("/api/streams", "/streams/street_av1/hls.m3u8", "/streams/street_av1/snapshot.jpg", "/streams/none/hls.m3u8"):
            _, headers = self.headers(server, target, Origin=WALL)
            self.assertEqual((headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Credentials"]), (WALL, "true"), target)
            self.assertEqual((headers["Vary"], headers["Cross-Origin-Resource-Policy"]), ("Origin", "cross-origin"))
        uri = next(line for line in self.text(server, "/streams/street_av1/hls.m3u8").splitlines() if line.startswith("segments/"))
        status, headers = self.headers(server, f"/streams/street_av1/{uri}", Origin="http://localhost:3000", Range="bytes=0-9")
        self.assertEqual((status, headers["Access-Control-Allow-Origin"]), (206, "http://localhost:3000"))
        for name in ("Content-Range", "Content-Length", "ETag", "Accept-Ranges"):
            self.assertIn(name, headers["Access-Control-Expose-Headers"])
        _, headers = self.headers(server, "/api/streams", Origin="https://evil.example")
        self.assertEqual((headers["Access-Control-Allow-Origin"], headers["Vary"]), (None, "Origin"))

    def test_a_browser_that_asks_first(self):
        """Byte for byte, as a browser does before a request with Authorization."""
        server = Server(self, "--cors-origin", WALL)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(f"OPTIONS /api/streams HTTP/1.1\r\nHost: localhost\r\nOrigin: {WALL}\r\nAccess-Control-Request-Method: GET\r\n"
                               "Access-Control-Request-Headers: authorization,range\r\n\r\nGET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
            told = b""
            while part := connection.recv(4096):
                told += part
        preflight, _, rest = told.partition(b"\r\n\r\n")
        lines = preflight.decode().split("\r\n")
        self.assertEqual(lines[0], "HTTP/1.1 204 No Content")
        names = {line.split(":")[0] for line in lines[1:]}
        self.assertFalse({"Content-Length", "Content-Type"} & names)  # RFC 9110, 8.6
        allowed = next(line for line in lines if line.startswith("Access-Control-Allow-Headers"))
        self.assertTrue("Authorization" in allowed and "Range" in allowed)
        self.assertTrue(rest.startswith(b"HTTP/1.1 200 OK"), rest)

    def test_any_page_and_no_credentials(self):
        server = Server(self, "--cors-origin", "*")
        _, headers = self.headers(server, "/api/streams", Origin="https://any.example")
        self.assertEqual((headers["Access-Control-Allow-Origin"], headers["Access-Control-Allow-Credentials"]), ("*", None))
        self.assertEqual(self.headers(server, "/api/logout", "POST", Origin="https://any.example")[0], 403)

    def test_another_name_for_this_machine_stays_refused(self):
        server = Server(self, "--cors-origin", WALL)
        self.assertEqual(self.headers(server, "/api/streams", "OPTIONS", Origin=WALL, Host="cameras.example",
                                      Access_Control_Request_Method="GET")[0], 403)

    def test_what_is_no_origin_is_refused_at_the_start(self):
        done = self.run_gopline("serve", "--log", self.log, "--cors-origin", "wall.example.org/", code=FAILED)
        self.assert_one_clear_message(done, "wall.example.org/", "https://")


class Tls(ServeTest):
    def setUp(self):
        super().setUp()
        self.split(self.clip("street_av1.mp4"))
        self.certificate, self.key = self.make_certificate("first")

    def make_certificate(self, name):
        certificate, key = self.folder / f"{name}.pem", self.folder / f"{name}.key"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out", certificate,
                        "-days", "2", "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
        return certificate, key

    def start(self, *arguments):
        return Server(self, "--tls-cert", self.certificate, "--tls-key", self.key, *arguments, trust=self.certificate, preexec_fn=default_signals)

    def shown(self, port):
        """The certificate that a new connection is given."""
        return ssl.get_server_certificate(("127.0.0.1", port))

    def test_everything_is_served_over_it(self):
        server = self.start()
        response, body = server.ask("/api/streams")
        self.assertEqual([stream["id"] for stream in json.loads(body)["streams"]], ["street_av1"])
        self.assertIn("max-age=", response.headers["Strict-Transport-Security"])
        self.assertEqual(self.text(server, "/healthz"), "ok\n")
        clip = server.ask("/streams/street_av1/clip.mp4?from=2026-11-22T18:00:00Z&to=2026-11-22T18:00:04Z")[1]
        self.assertEqual(clip[4:8], b"ftyp")
        segments = [line for line in self.text(server, "/streams/street_av1/hls.m3u8").splitlines() if line.startswith("segments/")]
        self.assertGreater(len(server.ask(f"/streams/street_av1/{segments[0]}")[1]), 1000)

    def test_ffmpeg_plays_it(self):
        server = self.start()
        self.assertEqual(self.packet_hashes(f"https://127.0.0.1:{server.port}/streams/street_av1/hls.m3u8"), self.packet_hashes(self.clip("street_av1.mp4")))

    def test_a_connection_is_used_again_and_closed_in_order(self):
        server = self.start()
        context = ssl.create_default_context(cafile=self.certificate)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.suppress_ragged_eofs = False  # an end without a farewell is an error
            for more in ("keep-alive", "close"):
                tls.sendall(f"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: {more}\r\n\r\n".encode())
            told = b""
            while part := tls.recv(4096):
                told += part
        self.assertEqual(told.count(b"\r\n\r\nok\n"), 2)

    def test_cookies_are_for_tls_even_with_insecure(self):
        users = self.folder / "users.json"
        self.run_gopline("user", "set", "guard", "--users", users, "--role", "viewer", "--streams", "*", "--password", input=b"correct horse\n")
        server = self.start("--users", users, "--insecure")
        response, _ = server.ask("/api/login", "POST", {"Authorization": "Basic Z3VhcmQ6Y29ycmVjdCBob3JzZQ=="})
        self.assertEqual(response.status, 200)
        self.assertIn("; Secure", response.headers["Set-Cookie"])

    def handshake(self, server, *options):
        return subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-brief", *options], input=b"", capture_output=True, timeout=60)

    def test_old_versions_and_plain_http_are_not_answered(self):
        server = self.start()
        self.assertIn(b"TLSv1.2", self.handshake(server, "-tls1_2").stderr)
        self.assertIn(b"TLSv1.3", self.handshake(server, "-tls1_3").stderr)
        self.assertNotEqual(self.handshake(server, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0").returncode, 0)
        self.assertNotEqual(self.handshake(server, "-tls1_2", "-cipher", "AES128-SHA").returncode, 0)
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain:
            plain.sendall(b"GET /api/streams HTTP/1.1\r\nHost: localhost\r\n\r\n")
            told = b""
            try:
                while part := plain.recv(4096):
                    told += part
            except ConnectionResetError:
                pass
        self.assertNotIn(b"HTTP/", told)
        self.text(server, "/healthz")

    def test_who_never_finishes_a_handshake_is_cut(self):
        """In five seconds, and takes no place from others meanwhile."""
        server = self.start("--connections", "2")
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as slow:
            slow.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
            self.assertEqual(self.text(server, "/healthz"), "ok\n")
            try:
                self.assertEqual(slow.recv(1), b"")
            except ConnectionResetError:
                pass

    def test_a_renewed_certificate_is_taken_up_at_once(self):
        server = self.start()
        self.assertEqual(self.shown(server.port), self.certificate.read_text())
        other, key = self.make_certificate("second")
        expected = other.read_text()
        os.replace(key, self.key)
        os.replace(other, self.certificate)
        self.await_that(lambda: self.shown(server.port) == expected, server.process)

    def test_a_signal_has_it_read_again_and_a_wrong_one_changes_nothing(self):
        real, key = self.make_certificate("real")
        self.certificate = self.folder / "elsewhere" / "link.pem"
        self.certificate.parent.mkdir()
        self.certificate.symlink_to(real)
        self.key = key
        server = self.start()
        expected = self.make_certificate("next")
        real.write_text(expected[0].read_text())  # behind the link: nobody sees it
        os.replace(expected[1], key)
        server.process.send_signal(signal.SIGHUP)
        self.await_that(lambda: self.shown(server.port) == real.read_text(), server.process)
        known = real.read_text()
        real.write_text("nonsense")
        server.process.send_signal(signal.SIGHUP)
        self.await_said(server.process, "gopline: ")
        self.assertEqual(self.shown(server.port), known)
        server.process.terminate()  # before what listens to it is waited for

    def test_what_does_not_belong_together_is_refused(self):
        _, key = self.make_certificate("other")
        done = self.run_gopline("serve", "--log", self.log, "--tls-cert", self.certificate, "--tls-key", key, code=FAILED)
        self.assert_one_clear_message(done, key)
        done = self.run_gopline("serve", "--log", self.log, "--tls-cert", self.folder / "none.pem", "--tls-key", key, code=FAILED)
        self.assert_one_clear_message(done, "none.pem")
        self.run_gopline("serve", "--log", self.log, "--tls-cert", self.certificate, code=USAGE)


if __name__ == "__main__":
    unittest.main()
