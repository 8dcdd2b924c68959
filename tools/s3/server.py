#!/usr/bin/env python3
"""A real S3 server on loopback (versitygw), for tests and developers: `with Server(folder) as s3: use(s3.description())`.

It checks signatures and the hashes of bodies as Amazon's does. Objects are plain files: BUCKET/KEY in the folder `data`.

As a command (`server.py run`) it does the same for programs in other languages: it says in one line of JSON where it
serves, then takes commands on standard input, one a line, and answers each with `ok`: `pause` and `resume` (SIGSTOP,
SIGCONT), `kill` (SIGKILL) and `start`. It ends at the end of its input, and versitygw with it, also if it is killed.
"""

import argparse
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, os.fspath(HERE.parent / "kafka"))
from jvm import die_with_parent, write_private  # noqa: E402
from ports import LOOPBACK, answers, free_ports, is_free  # noqa: E402

PROGRAM = Path(os.environ.get("GOPLINE_S3_SERVER") or HERE.parents[1] / "build" / "deps" / "versitygw" / "bin" / "versitygw")
READY_WITHIN = 60  # seconds; a guard against hanging for ever, never a time anybody waits for
STOPPED_WITHIN = 10
POLL = 0.02


class S3Error(Exception):
    """What went wrong, in words for the person who reads the terminal."""


class Server:
    """One versitygw over `folder`, with a key pair of its own that is kept there and found again.

    Start it from a thread that stays: the kernel ends it with the thread that started it.

    port   a free one is taken if there is none given
    tls    with a certificate of an authority of its own; `ca_file` names that
    """

    def __init__(self, folder, port=None, tls=False):
        self.folder = Path(folder).absolute()
        self.port = port or free_ports(1)[0]
        self.tls = tls
        self.process = None
        self.keys = {}

    @property
    def data(self):
        return self.folder / "data"

    @property
    def ca_file(self):
        return self.folder / "ca.pem" if self.tls else None

    @property
    def log(self):
        return self.folder / "versitygw.log"

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Returns when it serves. S3Error says what is wrong, with the end of its log."""
        if not PROGRAM.is_file():
            raise S3Error(f"versitygw is not at {PROGRAM}: run ./dev test (or ./dev s3 start), which builds it, or say in "
                          "GOPLINE_S3_SERVER where it is")
        self.data.mkdir(parents=True, exist_ok=True)
        self._find_or_make_keys()
        command = [os.fspath(PROGRAM), "--quiet", "--keep-alive", "--port", f"{LOOPBACK}:{self.port}", "--region", "us-east-1",
                   "--virtual-domain", "s3.localhost"]
        if self.tls:
            self._make_certificate()
            command += ["--cert", os.fspath(self.folder / "server.pem"), "--key", os.fspath(self.folder / "server.key")]
        command += ["posix", *self._metadata(), os.fspath(self.data)]
        if not is_free(self.port):
            raise S3Error(f"port {self.port} of {LOOPBACK} is taken by another program (`ss -ltnp` names it): end that, or "
                          f"take another port with --port {self.port + 10000}")
        secret = {"ROOT_ACCESS_KEY": self.keys["access_key_id"], "ROOT_SECRET_KEY": self.keys["secret_access_key"]}
        parent = os.getpid()
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                            env={**os.environ, **secret}, start_new_session=True,
                                            preexec_fn=lambda: die_with_parent(parent))
        self._await_ready()

    def stop(self):
        if self.process is None:
            return
        self.signal(signal.SIGCONT)
        self.process.terminate()
        try:
            self.process.wait(STOPPED_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process = None

    def signal(self, number):
        if self.running():
            self.process.send_signal(number)

    def running(self):
        return self.process is not None and self.process.poll() is None

    def make_bucket(self, name):
        (self.data / name).mkdir(exist_ok=True)

    def description(self):
        told = {"endpoint": f"{'https' if self.tls else 'http'}://{LOOPBACK}:{self.port}", "pid": self.process.pid,
                "port": self.port, "region": "us-east-1", "data": os.fspath(self.data), **self.keys}
        if self.tls:
            told["ca_file"] = os.fspath(self.ca_file)
        return told

    # ---- parts of start()

    def _find_or_make_keys(self):
        path = self.folder / "keys.json"
        if not path.exists():
            write_private(path, json.dumps({"access_key_id": "gopline-" + secrets.token_hex(4),
                                            "secret_access_key": secrets.token_urlsafe(30)}))
        self.keys = json.loads(path.read_text())

    def _metadata(self):
        """Beside the objects where the file system cannot keep what belongs to them with them."""
        try:
            os.setxattr(self.data, "user.gopline", b"")
            os.removexattr(self.data, "user.gopline")
            return []
        except OSError:
            sidecar = self.folder / "metadata"
            sidecar.mkdir(exist_ok=True)
            return ["--sidecar", os.fspath(sidecar)]

    def _make_certificate(self):
        if (self.folder / "server.pem").exists():
            return
        names = f"subjectAltName=IP:{LOOPBACK},DNS:localhost,DNS:s3.localhost,DNS:*.s3.localhost"
        curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
        self._openssl("req", "-x509", *curve, "-days", "3650", "-subj", "/CN=gopline test authority", "-keyout", "ca.key",
                      "-out", "ca.pem", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        self._openssl("req", *curve, "-subj", f"/CN={LOOPBACK}", "-keyout", "server.key", "-out", "server.csr")
        (self.folder / "server.ext").write_text(names + "\n")
        self._openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days",
                      "3650", "-extfile", "server.ext", "-out", "server.pem")

    def _openssl(self, *words):
        done = subprocess.run(["openssl", *words], cwd=self.folder, capture_output=True, text=True)
        if done.returncode != 0:
            raise S3Error(f"openssl {words[0]} failed: {done.stderr.strip()}")

    def _await_ready(self):
        until = time.monotonic() + READY_WITHIN
        while not answers(self.port):
            if self.process.poll() is not None:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-10:])
                raise S3Error(f"versitygw did not start; the end of {self.log}:\n{tail}")
            if time.monotonic() > until:
                raise S3Error(f"versitygw does not answer at port {self.port}")
            time.sleep(POLL)


# ---- the command

def run(arguments):
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(0))
    with tempfile.TemporaryDirectory(prefix="gopline-s3-") as folder:
        with Server(folder, tls=arguments.tls) as server:
            print(json.dumps(server.description()), flush=True)
            for line in sys.stdin:
                print(answer(server, line.strip()), flush=True)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            server.kill() if server.running() else None  # nobody looks at the data again


def answer(server, command):
    known = {"pause": lambda: server.signal(signal.SIGSTOP), "resume": lambda: server.signal(signal.SIGCONT),
             "kill": server.kill, "start": server.start}
    try:
        known[command]()
        return "ok"
    except (KeyError, S3Error, OSError, AttributeError) as error:
        return "error " + " | ".join(str(error).splitlines())


def main():
    parser = argparse.ArgumentParser(prog="server.py", description="An S3 server on loopback, for tests")
    command = parser.add_subparsers(required=True).add_parser("run", help="until standard input ends")
    command.add_argument("--tls", action="store_true")
    try:
        run(parser.parse_args())
        return 0
    except S3Error as error:
        print(f"server.py: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 0


if __name__ == "__main__":
    sys.exit(main())
