"""Pictures that are sent through Kafka, by kcat and by gopline ask, to workers that die at random moments: each is answered once."""

import os
import random
import shutil
import subprocess
import time
import unittest

from faults import IS_LONG, FaultTest, shared_cluster


class Requests(FaultTest):
    def setUp(self):
        self.kafka = shared_cluster()
        super().setUp()
        self.picture = self.folder / "photo.jpg"
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-i", self.clip("street.mp4"), "-frames:v", "1", self.picture], check=True)

    def worker(self, *more):
        process = self.start_gopline("analyze", "--log", self.log, "--analyzer", "null", "--requests", "--group", self.name_space, "--member", "only", "--session-timeout", "6s",
                                     *more, stderr=subprocess.PIPE)
        self.await_said(process, "answering")
        return process

    def kcat(self, *arguments):
        return subprocess.run([shutil.which("kcat"), "-b", self.kafka.bootstrap, *map(str, arguments)], capture_output=True, check=True).stdout

    def send(self, correlation, file=None, reply_to=None):
        self.kcat("-P", "-t", f"{self.name_space}.requests", "-k", "kcat", "-H", f"reply-to={reply_to or self.name_space + '.replies'}",
                  "-H", f"correlation-id={correlation}", file or self.picture)

    def answers(self):
        """The headers of every committed answer."""
        out = self.kcat("-C", "-t", f"{self.name_space}.replies", "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed", "-f", "%h\\n")
        return [dict(pair.split("=", 1) for pair in line.split(",") if "=" in pair) for line in out.decode(errors="replace").splitlines()]

    def test_a_foreign_client_is_answered(self):
        worker = self.worker()
        self.send("1")
        (self.folder / "words.txt").write_text("hello")
        self.send("2", self.folder / "words.txt")
        self.send("3", reply_to=f"{self.name_space}.segments")
        self.send("4")
        self.await_that(lambda: len(self.answers()) == 3, worker)
        self.assertEqual({a["correlation-id"]: a["status"] for a in self.answers()}, {"1": "done", "2": "failed", "4": "done"})
        answer = self.folder / "answer.jpg"
        values = self.kcat("-C", "-t", f"{self.name_space}.replies", "-o", "beginning", "-e", "-q", "-f", "%S %s", "-D", "").split(b"\xff\xd8\xff", 1)
        answer.write_bytes(b"\xff\xd8\xff" + values[1])
        probed = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width", "-of", "csv=p=0", answer], capture_output=True, text=True)
        self.assertEqual(probed.stdout.strip(), "mjpeg,768")
        out = self.run_gopline("ask", "--log", self.log, self.picture, "--json")
        self.assertIn('"error": null', out.stdout)
        self.interrupt(worker, "analyze")

    def test_workers_that_die_answer_each_request_once(self):
        self.interrupt(self.worker(), "analyze")  # makes the topics
        chance = random.Random(int(os.environ.get("GOPLINE_TEST_SEED", "20261123")))
        kills = 100 if IS_LONG else 10
        for number in range(4 * kills):
            self.send(number)
        for _ in range(kills):
            worker = self.start_gopline("analyze", "--log", self.log, "--analyzer", "null", "--requests", "--group", self.name_space, "--member", "only",
                                        "--session-timeout", "6s", stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0.1, 0.8))  # the moment is what the test is about
            worker.kill()
            worker.wait()
        worker = self.worker()
        self.await_that(lambda: len(self.answers()) >= 4 * kills, worker)
        self.interrupt(worker, "analyze")
        self.assertEqual(sorted(int(a["correlation-id"]) for a in self.answers()), list(range(4 * kills)), "each once")


if __name__ == "__main__":
    unittest.main()
