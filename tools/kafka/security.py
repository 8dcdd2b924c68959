"""TLS, passwords and rights of a secure cluster. All of it is made by the cluster and good for nothing else."""

import json
import secrets
import subprocess

from jvm import KafkaError, write_private

USERS = ("admin", "gopline", "reader")
COMMON = "org.apache.kafka.common.security."
SCRAM = "SCRAM-SHA-512"


class Security:
    """Keeps certificates, passwords and property files in `folder`/security, and finds them there again."""

    def __init__(self, folder):
        self.folder = folder / "security"
        self.passwords = {}
        self.files = {}

    @property
    def java_admin_file(self):
        return self.folder / "admin-java.properties"

    def prepare(self):
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self._find_or_make_passwords()
        if not (self.folder / "server.pem").exists():
            self._make_certificates()
        self._write_client_files()

    # ---- brokers

    def settings(self, protocols):
        """Broker properties for these listeners."""
        lines = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "allow.everyone.if.no.acl.found": "false",
            "super.users": "User:admin",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": self.folder / "server.pem",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.folder / "ca.pem",
            "ssl.principal.mapping.rules": "RULE:^CN=([^,]+).*$/$1/,DEFAULT",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "sasl.mechanism.controller.protocol": "PLAIN",
            # The metadata of tiered storage is read and written by a client inside the broker.
            "rlmm.config.remote.log.metadata.common.client.sasl.mechanism": "PLAIN",
            "rlmm.config.remote.log.metadata.common.client.sasl.jaas.config": self._plain_login("admin"),
        }
        for name, protocol in protocols.items():
            prefix = f"listener.name.{name.lower()}."
            if protocol == "SASL_SSL":
                lines[prefix + "sasl.enabled.mechanisms"] = f"{SCRAM},PLAIN,OAUTHBEARER"
                lines[prefix + "scram-sha-512.sasl.jaas.config"] = f"{COMMON}scram.ScramLoginModule required;"
                lines[prefix + "plain.sasl.jaas.config"] = self._plain_users(USERS)
                # Tokens without a signature: whoever reaches the port may claim to be anybody. For tests on loopback.
                lines[prefix + "oauthbearer.sasl.jaas.config"] = (
                    f"{COMMON}oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";")
                lines[prefix + "oauthbearer.sasl.server.callback.handler.class"] = (
                    f"{COMMON}oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler")
            elif protocol == "SASL_PLAINTEXT":
                lines[prefix + "sasl.enabled.mechanisms"] = "PLAIN"
                lines[prefix + "plain.sasl.jaas.config"] = self._plain_users(["admin"], "admin")
            elif protocol == "SSL":
                lines[prefix + "ssl.client.auth"] = "required"
        return lines

    def format_arguments(self):
        """For StorageTool: SCRAM users are part of the cluster's metadata."""
        words = []
        for user, password in self.passwords.items():
            words += ["--add-scram", f"{SCRAM}=[name={user},password={password}]"]
        return words

    def grant_rights(self, cluster):
        """Once in a cluster's life: gopline may do everything, reader may read."""
        done = self.folder / "rights-granted"
        if done.exists():
            return
        everything = ["--topic", "*", "--group", "*"]
        calls = [
            cluster.begin_acl("add", "User:gopline", "--operation", "All", *everything, "--cluster", "--transactional-id", "*"),
            cluster.begin_acl("add", "User:reader", "--operation", "Read", "--operation", "Describe", *everything),
            cluster.begin_acl("add", "User:reader", "--operation", "DescribeConfigs", "--topic", "*"),
        ]
        for call in calls:
            cluster.finish_acl(call)
        done.touch()

    def _plain_login(self, user):
        return f'{COMMON}plain.PlainLoginModule required username="{user}" password="{self.passwords[user]}";'

    def _plain_users(self, users, own=None):
        known = " ".join(f'user_{user}="{self.passwords[user]}"' for user in users)
        login = f'username="{own}" password="{self.passwords[own]}" ' if own else ""
        return f"{COMMON}plain.PlainLoginModule required {login}{known};"

    # ---- secrets

    def _find_or_make_passwords(self):
        path = self.folder / "passwords.json"
        if not path.exists():
            write_private(path, json.dumps({user: secrets.token_urlsafe(18) for user in USERS}, indent=1) + "\n")
        self.passwords = json.loads(path.read_text())

    def _make_certificates(self):
        """Of an authority of our own: server.pem (key and certificate) for brokers; client.pem, client.key for `gopline`."""
        self._openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650",
                      "-subj", "/CN=gopline test authority", "-addext", "keyUsage=critical,keyCertSign")
        self._signed("server", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        self._signed("client", "/CN=gopline", "extendedKeyUsage=clientAuth\n")
        write_private(self.folder / "server.pem", (self.folder / "server.key").read_text() + (self.folder / "server.crt").read_text())
        (self.folder / "server.key").unlink()
        (self.folder / "server.crt").unlink()
        (self.folder / "client.crt").rename(self.folder / "client.pem")

    def _signed(self, name, subject, extensions):
        (self.folder / "extensions").write_text(extensions)
        self._openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", "request", "-subj", subject)
        self._openssl("x509", "-req", "-in", "request", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                      "-out", f"{name}.crt", "-days", "3650", "-extfile", "extensions")
        (self.folder / "extensions").unlink()
        (self.folder / "request").unlink()

    def _openssl(self, *arguments):
        try:
            done = subprocess.run(["openssl", *arguments], cwd=self.folder, capture_output=True, text=True, umask=0o077)
        except FileNotFoundError:
            raise KafkaError("openssl is not installed: run ./dev kafka start, which installs it") from None
        if done.returncode != 0:
            raise KafkaError(f"openssl {arguments[0]} failed:\n{done.stderr.strip()}")

    # ---- clients

    def _write_client_files(self):
        """Property files for librdkafka, and one for Kafka's own tools."""
        authority = {"ssl.ca.location": self.folder / "ca.pem"}

        def password_file(mechanism, user):
            return {"security.protocol": "sasl_ssl", "sasl.mechanism": mechanism, "sasl.username": user,
                    "sasl.password": self.passwords[user], **authority}

        files = {
            "client-scram": password_file(SCRAM, "gopline"),
            "client-plain": password_file("PLAIN", "gopline"),
            "reader-scram": password_file(SCRAM, "reader"),
            "reader-plain": password_file("PLAIN", "reader"),
            "admin": password_file(SCRAM, "admin"),
            "client-mtls": {"security.protocol": "ssl", "ssl.certificate.location": self.folder / "client.pem",
                            "ssl.key.location": self.folder / "client.key", **authority},
            "client-oauth": {"security.protocol": "sasl_ssl", "sasl.mechanism": "OAUTHBEARER",
                             "enable.sasl.oauthbearer.unsecure.jwt": "true", "sasl.oauthbearer.config": "principal=gopline",
                             **authority},
        }
        for name, lines in files.items():
            self.files[name] = self.folder / f"{name}.properties"
            self._write(self.files[name], lines)
        self._write(self.java_admin_file, {
            "security.protocol": "SASL_SSL", "sasl.mechanism": SCRAM, "ssl.truststore.type": "PEM",
            "ssl.truststore.location": self.folder / "ca.pem", "sasl.jaas.config":
            f'{COMMON}scram.ScramLoginModule required username="admin" password="{self.passwords["admin"]}";'})

    @staticmethod
    def _write(path, lines):
        write_private(path, "".join(f"{key}={value}\n" for key, value in lines.items()))
