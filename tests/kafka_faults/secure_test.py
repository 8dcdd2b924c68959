"""Logins, certificates and rights: refused with one clear line, and no secret in anything that is printed."""

import json
import unittest

from faults import FAILED, FaultTest, reported, start_cluster

RIGHT = ("User:gopline", "--operation", "All", "--topic", "*")


def setUpModule():
    Secure.kafka = start_cluster("secure", secure=True, proxies=True)


def tearDownModule():
    Secure.kafka.stop(patience=0)


class Secure(FaultTest):
    def with_login(self, *arguments, file="client-scram", **more):
        return self.start_gopline(*arguments, "--kafka-config", self.kafka.files[file], **more)

    def json_of(self, *arguments, code=0):
        """With the right to read, whatever the test did to the writer's."""
        return super().json_of(*arguments, "--kafka-config", self.kafka.files["reader-scram"], code=code)

    def assert_one_line_without_secrets(self, process, *words, secrets=()):
        out, err = self.finish(process, code=FAILED)
        lines = [line for line in err.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(lines), 1, err)
        for word in words:
            self.assertIn(word.lower(), lines[0].lower())
        for secret in (*self.kafka.security.passwords.values(), *secrets):
            self.assertNotIn(secret, out + err)

    def edited(self, file, **changes):
        """A copy of a client's property file with other values."""
        lines = dict(line.split("=", 1) for line in self.kafka.files[file].read_text().splitlines())
        lines.update({name.replace("_", "."): str(value) for name, value in changes.items()})
        path = self.folder / "client.properties"
        path.write_text("".join(f"{name}={value}\n" for name, value in lines.items()))
        path.chmod(0o600)
        return path

    def test_every_login_works_and_says_nothing_secret(self):
        files = {"client-scram": self.kafka.bootstrap, "client-plain": self.kafka.bootstrap, "client-oauth": self.kafka.bootstrap,
                 "client-mtls": self.kafka.mtls_bootstrap}
        key = (self.kafka.folder / "security" / "client.key").read_text().splitlines()[1]
        for file, bootstrap in files.items():
            with self.subTest(file):
                process = self.with_login("split", self.clip("street_av1.mp4"), "--stream", file, "-v", "--log", self.url(bootstrap), file=file)
                out, err = self.finish(process)
                for secret in (*self.kafka.security.passwords.values(), key):
                    self.assertNotIn(secret, out + err)
                self.assert_whole(file)

    def test_wrong_logins(self):
        security = self.kafka.folder / "security"
        password = "not-the-Passw0rd"
        cases = {
            "scram": ({"sasl_password": password}, "client-scram", ("sasl",)),
            "plain": ({"sasl_password": password}, "client-plain", ("sasl",)),
            "wrong CA": ({"ssl_ca_location": security / "client.pem"}, "client-scram", ("ssl",)),
            "no such CA": ({"ssl_ca_location": "/nowhere/ca.pem"}, "client-scram", ("ssl.ca.location",)),
            "no TLS": ({"security_protocol": "sasl_plaintext"}, "client-plain", ()),
            "no certificate": ({"ssl_certificate_location": "", "ssl_key_location": ""}, "client-mtls", ()),
            "unknown property": ({"sasl_pasword": password}, "client-scram", ("sasl.pasword",)),
            "wrong mechanism": ({"sasl_mechanism": "GSSAPI-NOT"}, "client-scram", ("mechanism",)),
        }
        started = []
        for name, (changes, file, words) in cases.items():
            path = self.edited(file, **changes).rename(self.folder / f"{len(started)}.properties")
            at = self.kafka.mtls_bootstrap if file == "client-mtls" else self.kafka.bootstrap
            process = self.start_gopline("split", self.clip("street.mp4"), "--log", self.url(at), "--kafka-config", path, "-v")
            started.append((name, process, words))
        for name, process, words in started:
            with self.subTest(name):
                self.assert_one_line_without_secrets(process, *words, secrets=(password,))

    def test_secrets_of_the_url_and_of_the_environment(self):
        password = "not-the-Passw0rd"
        authority = self.kafka.folder / "security" / "ca.pem"
        url = self.url(security_protocol="sasl_ssl", sasl_mechanism="PLAIN", sasl_username="gopline", sasl_password=password,
                       ssl_ca_location=authority)
        process = self.start_gopline("split", self.clip("street.mp4"), "--log", url, "-v")
        self.assert_one_line_without_secrets(process, "sasl", secrets=(password,))
        process = self.start_gopline("split", self.clip("street.mp4"), "--log", url + "&no.such.property=1", "-v")
        self.assert_one_line_without_secrets(process, "no.such.property", "the URL", secrets=(password,))
        right = {"GOPLINE_KAFKA_SASL_PASSWORD": self.kafka.security.passwords["gopline"]}
        config = self.edited("client-plain")
        config.write_text("".join(line for line in config.read_text().splitlines(True) if "password" not in line))
        done = self.run_gopline("split", self.clip("street_av1.mp4"), "-v", "--json", "--kafka-config", config, environment=right)
        self.assertNotIn(right["GOPLINE_KAFKA_SASL_PASSWORD"], done.stdout + done.stderr)

    def test_a_reader_may_not_write_and_is_told_what_is_missing(self):
        process = self.with_login("split", self.clip("street.mp4"), file="reader-scram")
        self.assert_one_line_without_secrets(process, f"{self.name_space}.", "--create")
        self.finish(self.with_login("split", self.clip("street.mp4")))
        process = self.with_login("split", self.clip("street.mp4"), file="reader-scram")
        self.assert_one_line_without_secrets(process, self.name_space, "authoriz")
        self.assert_whole("street")

    def test_the_rights_of_the_manual_suffice(self):
        """docs/kafka.md has them in a table. Tokens of this cluster are unsigned, so anybody is whoever he says."""
        prefix = ("--topic", f"{self.name_space}.", "--resource-pattern-type", "prefixed")
        operations = {"writer": ("Read", "Write", "Describe", "DescribeConfigs", "Create"), "viewer": ("Read", "Describe", "DescribeConfigs")}
        for call in [self.kafka.begin_acl("add", f"User:{user}", *[word for name in names for word in ("--operation", name)], *prefix)
                     for user, names in operations.items()]:
            self.kafka.finish_acl(call)
        writer = self.edited("client-oauth", sasl_oauthbearer_config="principal=writer").rename(self.folder / "writer.properties")
        viewer = self.edited("client-oauth", sasl_oauthbearer_config="principal=viewer").rename(self.folder / "viewer.properties")
        self.run_gopline("split", self.clip("street.mp4"), "--kafka-config", writer)
        self.run_gopline("split", self.clip("street.mp4"), "--kafka-config", writer)
        for command in (("aggregate", "street", "--output", self.folder / "out.mp4"), ("verify", "--all"), ("inspect", "street"), ("streams",)):
            done = self.run_gopline(*command, "--kafka-config", viewer)
            self.assertNotIn("warning", done.stderr)

    def test_the_right_is_revoked_in_mid_write(self):
        source, framehash = self.looped(4)
        data = source.read_bytes()
        process = self.start_gopline("split", "-", "--stream", "cam", "--log", self.url(), "--json", "--kafka-config",
                                     self.kafka.files["client-scram"])
        self.feed(process, data[: len(data) // 2])
        self.await_that(lambda: self.count("cam") >= 10, process)
        seen = self.segments("cam")
        self.kafka.acl("remove", *RIGHT)
        self.addCleanup(self.kafka.acl, "add", *RIGHT)
        self.feed(process, data[len(data) // 2 :])
        out, err = self.finish(process, code=FAILED)
        lines = [line for line in err.splitlines() if line.startswith("gopline: ")]
        self.assertEqual(len(lines), 1, err)
        self.assertIn("authoriz", lines[0].lower())
        self.assert_acknowledged_kept("cam", seen)

        self.kafka.acl("add", *RIGHT)
        self.finish(self.with_login("split", source, "--stream", "cam"))
        report = self.assert_acknowledged_kept("cam", seen)
        self.assertGreaterEqual(report["counts"]["segments"], reported(out)["segments"] + 40)
        out = self.folder / "out.mp4"
        self.finish(self.with_login("aggregate", "cam", "--output", out, file="reader-scram"))
        self.assertTrue(self.framehash(out) == framehash)

    def count(self, stream):
        process = self.start_gopline("inspect", stream, "--json", "--kafka-config", self.kafka.files["reader-scram"])
        out, _ = process.communicate()
        return len(json.loads(out)["segments"]) if process.returncode == 0 else 0


if __name__ == "__main__":
    unittest.main()
