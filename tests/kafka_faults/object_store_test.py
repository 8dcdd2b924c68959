"""Large payloads on Apache Kafka, with an object store that checks signatures: the cases of tests/system/payload_cases.py, and faults."""

import atexit
import json
import os
import signal
import sys
import unittest
import urllib.request
from pathlib import Path

from faults import FAILED, TESTS, FaultTest, long, scratch, shared_cluster

sys.path.insert(0, os.fspath(TESTS.parent / "tools" / "s3"))
from payload_cases import PayloadCases  # noqa: E402
from server import Server  # noqa: E402

BUCKET = "gopline"

_server = None


def s3_server():
    """One store for the whole run; whoever breaks it mends it."""
    global _server
    if _server is None:
        _server = Server(scratch() / "s3")
        atexit.register(lambda: _server.stop())
        _server.start()
        _server.make_bucket(BUCKET)
    if not _server.running():
        _server.start()
    _server.signal(signal.SIGCONT)
    return _server


class PayloadsOnKafkaAndS3(PayloadCases, FaultTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kafka = shared_cluster()

    def setUp(self):
        super().setUp()
        self.s3 = s3_server()
        told = self.s3.description()
        for name, value in (("AWS_ENDPOINT_URL_S3", told["endpoint"]), ("AWS_REGION", told["region"]),
                            ("AWS_ACCESS_KEY_ID", told["access_key_id"]), ("AWS_SECRET_ACCESS_KEY", told["secret_access_key"])):
            os.environ[name] = value
        self.blobs = f"s3://{BUCKET}/{self.name_space}"

    def blob_files(self):
        folder = Path(self.s3.data) / BUCKET / self.name_space
        return [f for f in folder.rglob("*") if f.is_file()]

    def stored_bytes(self):
        return self.topic_bytes(f"{self.name_space}.files.segments")

    # Of 2 GiB, through brokers and a store: minutes.
    test_memory_does_not_grow_with_the_file = long(PayloadCases.test_memory_does_not_grow_with_the_file)

    # ---- the store misbehaves

    def test_the_store_is_away_for_a_while(self):
        path = self.file_of(20_000_000)
        self.s3.kill()
        process = self.start_gopline("put", path, "--stream", "s", "--payload", "claim", "--piece-bytes", "1MB", "--blobs", self.blobs, "--json")
        self.await_that(self.has_stream, process)  # its epoch is open: the store is next
        self.s3.start()
        self.finish(process)
        self.assert_gets("s", path)

    def has_stream(self):
        done = self.run_gopline("streams", "--files", "--json", code=(0, FAILED))
        return done.returncode == 0 and json.loads(done.stdout)["streams"] != []

    def test_the_store_is_killed_in_mid_put_and_the_put_goes_on_later(self):
        path = self.file_of(60_000_000)
        process = self.start_gopline("put", path, "--stream", "s", "--payload", "claim", "--piece-bytes", "200KB", "--blobs", self.blobs)
        self.await_that(lambda: self.stored_bytes() > 10_000, process)  # references: a blob alone is nothing to go on from
        self.s3.kill()
        process.send_signal(signal.SIGKILL)  # both ends are gone
        process.communicate()
        self.s3.start()
        report = self.put(path, "s", "--payload", "claim", "--piece-bytes", "200KB")
        self.assertGreater(report["resumed_from"], 0)
        self.assertEqual(report["resumed_from"] + report["bytes"], path.stat().st_size)
        self.assert_gets("s", path)

    def test_wrong_keys_are_refused_at_once_and_never_shown(self):
        path = self.file_of(1000)
        os.environ["AWS_SECRET_ACCESS_KEY"] = "not-the-secret"
        done = self.run_gopline("put", path, "--stream", "s", "--payload", "claim", "--blobs", self.blobs, code=FAILED)
        self.assert_one_clear_message(done, "403", "secret key")
        self.assertNotIn("not-the-secret", done.stdout + done.stderr)

    def test_a_bucket_that_is_not_there(self):
        done = self.run_gopline("put", self.file_of(1000), "--stream", "s", "--payload", "claim", "--blobs", "s3://nowhere/x", code=FAILED)
        self.assert_one_clear_message(done, "nowhere")

    def test_anybody_may_fetch_by_a_presigned_url(self):
        self.put_claims()
        segments = self.json_of("inspect", "cam", "--urls", "10min")["segments"]
        first = segments[0]
        with urllib.request.urlopen(first["url"]) as answer:
            self.assertEqual(len(answer.read()), first["size"])
        init = urllib.request.Request(first["url"], headers={"Range": f"bytes=0-{first['parts'][0]['offset'] - 1}"})
        with urllib.request.urlopen(init) as answer:
            self.assertIn(b"moov", answer.read(), "a range is what a server of HLS asks for")

    # ---- the log compresses

    def test_text_is_compressed_and_media_are_not(self):
        text = self.folder / "rows.csv"
        text.write_text("".join(f"{i},door,{i * 7919 % 1000}\n" for i in range(300_000)))
        report = self.put(text, "rows", "--payload", "chunk")
        self.assertTrue(report["compression"]["compressed"], report["compression"])
        self.assert_gets("rows", text)
        noise = self.file_of(text.stat().st_size)
        self.assertFalse(self.put(noise, "noise", "--payload", "chunk")["compression"]["compressed"])
        self.assertFalse(self.put(text, "asked", "--compression", "none")["compression"]["compressed"])
        sizes = self.topic_bytes(f"{self.name_space}.files.segments")
        self.assertLess(sizes, 3 * text.stat().st_size - 0.5 * text.stat().st_size, "of three, one is compressed")

    def topic_bytes(self, topic):
        return sum(f.stat().st_size for f in self.kafka.folder.rglob(f"{topic}-*/*.log"))


del FaultTest, PayloadCases  # not tests of this module's own

if __name__ == "__main__":
    unittest.main()
