"""A running `gopline serve`, and how tests ask it."""

import http.client
import json
import re
import signal
import ssl

from support import SystemTest

START = "2026-11-22T18:00:00Z"


class Server:
    """A running `gopline serve`, asked over connections of its own."""

    def __init__(self, test, *arguments, log=None, listen="127.0.0.1:0", trust=None, **more):
        """`trust`: a certificate, where the server speaks TLS. `more`: for Popen."""
        self.process = test.start_gopline("serve", "--log", log or test.log, "--listen", listen, *arguments, **more)
        line = self.process.stderr.readline().decode()
        found = re.search(rf"at {'https' if trust else 'http'}://[\d.]+:(\d+)", line)
        test.assertTrue(found, line)
        self.tls = ssl.create_default_context(cafile=trust) if trust else None
        self.port = int(found[1])

    def ask(self, target, method="GET", headers=None):
        connection = (http.client.HTTPSConnection("127.0.0.1", self.port, timeout=60, context=self.tls) if self.tls else
                      http.client.HTTPConnection("127.0.0.1", self.port, timeout=60))
        try:
            connection.request(method, target, headers=headers or {})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def url(self, target):
        return f"http://127.0.0.1:{self.port}{target}"

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.errors = self.process.communicate(timeout=60)[1].decode()
        return self.process.returncode

    def said(self):
        """On standard error, until stop()."""
        return self.errors


def tags(playlist, name):
    return [line.split(":", 1)[1] for line in playlist.splitlines() if line.startswith(f"#{name}:")]


def uris(playlist):
    return [line for line in playlist.splitlines() if line and not line.startswith("#")]


class ServeTest(SystemTest):
    def split(self, *arguments):
        self.run_gopline("split", *arguments, "--start-time", START)

    def text(self, server, target, status=200):
        response, body = server.ask(target)
        self.assertEqual(response.status, status, body[:500])
        return body.decode()

    def json(self, server, target, status=200):
        return json.loads(self.text(server, target, status))
