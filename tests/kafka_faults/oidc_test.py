"""Logins by OIDC: a broker that checks tokens of an identity provider, which is also asked for the next one in time."""

import os
import subprocess
import unittest

from faults import FAILED, FaultTest, scratch, start_cluster
from identity_provider import IdentityProvider

SECRET = "s3cret-of-the-splitter"
# Seconds of a token. librdkafka asks for the next one when four fifths are over, and a broker takes no login of a connection
# within a second of the one before: a connection that begins with an old token needs more than that.
LIFETIME = 10
OAUTH = "org.apache.kafka.common.security.oauthbearer."


def setUpModule():
    Oidc.provider = IdentityProvider(scratch(), {"gopline": SECRET}, "kafka", LIFETIME)
    try:
        # Only addresses that are named to its Java are asked.
        os.environ["JAVA_TOOL_OPTIONS"] = f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={Oidc.provider.keys_url}"
        login = "listener.name.client.oauthbearer.sasl."
        Oidc.kafka = start_cluster("oidc", secure=True, overrides={
            f"{login}jaas.config": f"{OAUTH}OAuthBearerLoginModule required;",
            f"{login}server.callback.handler.class": f"{OAUTH}OAuthBearerValidatorCallbackHandler",
            f"{login}oauthbearer.jwks.endpoint.url": Oidc.provider.keys_url,
            f"{login}oauthbearer.expected.audience": "kafka",
            "connections.max.reauth.ms": "3600000",  # a connection whose token is over is cut, unless it brings the next one
        })
    except BaseException:
        Oidc.provider.stop()
        raise


def tearDownModule():
    os.environ.pop("JAVA_TOOL_OPTIONS", None)
    Oidc.kafka.stop(patience=0)
    Oidc.provider.stop()


class Oidc(FaultTest):
    provider = None

    def login(self, secret=SECRET):
        path = self.folder / "client.properties"
        path.write_text("\n".join((
            "security.protocol=sasl_ssl", f"ssl.ca.location={self.kafka.folder / 'security' / 'ca.pem'}", "sasl.mechanism=OAUTHBEARER",
            "sasl.oauthbearer.method=oidc", "sasl.oauthbearer.client.id=gopline", f"sasl.oauthbearer.client.secret={secret}",
            f"sasl.oauthbearer.token.endpoint.url={self.provider.token_url}", "")))
        path.chmod(0o600)
        return ("--kafka-config", path)

    def test_a_stream_outlives_its_token(self):
        self.provider.issued_at.clear()
        process = self.start_gopline("split", self.clip("street.mp4"), "--stream", "cam", "--rate", "realtime", "-v", *self.login(), stdin=subprocess.DEVNULL)
        out, err = self.finish(process)
        self.assertNotIn(SECRET, out + err)
        first, last = self.provider.issued_at[0], self.provider.issued_at[-1]
        self.assertGreater(last - first, LIFETIME / 2, "20 s are two lifetimes")
        report = self.json_of("verify", "cam", *self.login())["streams"][0]
        self.assertTrue(report["whole"], report)
        self.assertEqual(len(self.json_of("inspect", "cam", *self.login())["segments"]), 10)

    def test_a_wrong_secret_is_one_clear_line(self):
        process = self.start_gopline("split", self.clip("street.mp4"), "-v", *self.login("not-the-secret"), stdin=subprocess.DEVNULL)
        out, err = self.finish(process, code=FAILED)
        lines = [line for line in err.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertIn("token", lines[0].lower())
        for secret in ("not-the-secret", SECRET):
            self.assertNotIn(secret, out + err)


if __name__ == "__main__":
    unittest.main()
