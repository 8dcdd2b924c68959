"""An identity provider as OIDC knows it, of two addresses: tokens for those who know their secret, and the key they are checked with."""

import base64
import json
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY_ID = "of-this-run"


class IdentityProvider:
    """Serves until stop(). `clients`: their secrets. `lifetime` of a token in seconds; `issued_at`: when, by time.monotonic()."""

    def __init__(self, folder, clients, audience, lifetime):
        self.clients, self.audience, self.lifetime, self.issued_at = clients, audience, lifetime, []
        self.key = folder / "provider.key"
        subprocess.run(["openssl", "genrsa", "-out", self.key, "2048"], check=True, capture_output=True)
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(200, provider.keys())

            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                client = provider.client_of(self.headers.get("Authorization", ""))
                if client is None:
                    self.answer(401, {"error": "invalid_client"})
                else:
                    self.answer(200, {"access_token": provider.token(client), "token_type": "Bearer", "expires_in": provider.lifetime})

            def answer(self, status, content):
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def token_url(self):
        return f"http://127.0.0.1:{self.server.server_port}/token"

    @property
    def keys_url(self):
        return f"http://127.0.0.1:{self.server.server_port}/keys"

    def stop(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    def client_of(self, authorization):
        scheme, _, encoded = authorization.partition(" ")
        client, _, secret = base64.b64decode(encoded).decode().partition(":") if scheme == "Basic" else ("", "", "")
        return client if secret and self.clients.get(client) == secret else None

    def token(self, client):
        """RFC 7519, signed with RS256."""
        self.issued_at.append(time.monotonic())
        now = int(time.time())
        claims = {"sub": client, "aud": self.audience, "iat": now, "exp": now + self.lifetime, "jti": str(len(self.issued_at))}
        signed = b".".join(_base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT", "kid": KEY_ID}, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.key], input=signed, check=True, capture_output=True).stdout
        return (signed + b"." + _base64url(signature)).decode()

    def keys(self):
        """RFC 7517."""
        told = subprocess.run(["openssl", "rsa", "-in", self.key, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        modulus = bytes.fromhex(told.strip().partition("=")[2])
        return {"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": _base64url(modulus).decode(), "e": "AQAB"}]}


def _base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")
