"""gopline analyze and events: synthetic motion at known times, pictures held to what ffmpeg decodes, programs that misbehave, workers that die."""

import base64
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import unittest

from analysis import AnalysisTest, seconds
from support import INTERRUPTED, NOT_WHOLE, USAGE, WHOLE

# Each picture's hash, as ffmpeg computes it of the same bytes.
HASHES = """
import hashlib, json, sys
for line in iter(sys.stdin.buffer.readline, b""):
    head = json.loads(line)
    picture = sys.stdin.buffer.read(head["bytes"])
    digest = hashlib.md5(picture).hexdigest()
    print(json.dumps({"events": [{"class": "picture", "details": {"md5": digest}}]}), flush=True)
"""

# Does something wrong in the second segment of the stream "bad"; once, where there is a file to remember it in.
WRONG = """
import json, os, sys
how, memory = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
seen = 0
for line in iter(sys.stdin.buffer.readline, b""):
    head = json.loads(line)
    sys.stdin.buffer.read(head["bytes"])
    if head["stream"] == "bad" and head["segment"] == 1 and not (memory and os.path.exists(memory)):
        if memory: open(memory, "w").close()
        if how == "crash": os.kill(os.getpid(), 11)
        if how == "exit": print("no model file", file=sys.stderr); sys.exit(7)
        if how == "hang": import threading; threading.Event().wait()
        if how == "garbage": print("Traceback (most recent call last):", flush=True); continue
        if how == "flood":
            while True: print("x" * 100000, end="", flush=True)
        if how == "chatter": print("{}\\n{}", flush=True); continue
        if how == "grandchild": os.system("sleep 1000 & echo $! > child.pid"); sys.exit(1)
    print(json.dumps({"events": [{"class": "seen"}]}), flush=True)
"""


class Analysis(AnalysisTest):
    def program(self, text):
        path = self.folder / "program.py"
        path.write_text(text)
        return f"run={sys.executable} {path}"

    def moving_box(self, colour="white", seconds=16):
        """A grey wall; a box crosses it from the left to the right from 5 s to 9 s, and is gone."""
        path = self.folder / f"{colour}.mp4"
        box = "overlay=x='20+60*(t-5)':y=80:enable='between(t,5,9)'"
        self.ffmpeg("-f", "lavfi", "-i", f"color=gray:s=320x240:r=10:d={seconds}", "-f", "lavfi", "-i", f"color={colour}:s=40x60:r=10:d={seconds}",
                    "-filter_complex", box, "-c:v", "libx264", "-preset", "veryfast", "-g", "20", "-sc_threshold", "0", "-bf", "2", "-pix_fmt", "yuv420p", path)
        return path

    # ---- motion

    def test_motion_begins_and_ends_when_it_does_and_points_at_its_picture(self):
        clip = self.moving_box()
        self.split("wall", clip=clip)
        report = self.analyze("motion:quiet=1s,min_time=200ms,update=1s")
        self.assertTrue(report["whole"] and report["exactly_once"], report)
        (stream,) = report["streams"]
        self.assertEqual((stream["segments"], stream["frames_analyzed"], stream["events"], stream["runs"]), (8, 160, 1, 1))
        events = self.events("wall")
        self.assertEqual([e["phase"] for e in events], ["start"] + (len(events) - 2) * ["update"] + ["end"])
        self.assertIn(len(events), (5, 6))
        self.assertEqual({e["event"] for e in events}, {events[0]["event"]})
        start, end = events[0], events[-1]
        self.assertRegex(start["event"], r"^\d+-2-\d+-motion\.[0-9a-f]{8}-0$")
        self.assertAlmostEqual(seconds(start["started"]), 5.0, delta=0.11)
        self.assertAlmostEqual(seconds(start["time"]), 5.2, delta=0.11)
        self.assertAlmostEqual(seconds(end["time"]), 10.1, delta=0.31)
        self.assertTrue(0 < start["box"]["x"] < 0.2 and 0.3 < start["box"]["y"] < 0.4, start["box"])
        # Epoch, segment and frame lead to the picture: pts says which one ffprobe has there.
        pts = self.packet_times(clip)
        for event in events:
            self.assertEqual(ticks(event["pts"]), pts[20 * event["segment"] + event["frame"]], event)
        # A picture that anybody can open.
        (shown,) = [e["thumbnail"] for e in self.events("wall", "--thumbnails") if e["thumbnail"]]
        self.assertEqual(self.probe_picture(base64.b64decode(shown["base64"])), "mjpeg,320,240")

    def packet_times(self, path):
        out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", path],
                             capture_output=True, text=True, check=True).stdout
        return [round(float(line.strip(",")), 6) for line in out.split()]

    def probe_picture(self, picture):
        path = self.folder / "thumbnail.jpg"
        path.write_bytes(picture)
        return subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "csv=p=0", path],
                              capture_output=True, text=True, check=True).stdout.strip()

    def test_zones(self):
        self.split("wall", clip=self.moving_box())
        left, right, top = "left@0:0;0.4:0;0.4:1;0:1", "right@0.6:0;1:0;1:1;0.6:1", "top@0:0;1:0;1:0.2;0:0.2"
        self.analyze(f"motion:quiet=500ms,min_time=200ms,zone={left},zone={right},zone={top}")
        starts = {e["zone"]: seconds(e["started"]) for e in self.events() if e["phase"] == "start"}
        self.assertEqual(set(starts), {"left", "right"})
        self.assertAlmostEqual(starts["left"], 5.0, delta=0.11)
        self.assertAlmostEqual(starts["right"], 7.2, delta=0.31)  # the box's right side is at 60 + 60 (t - 5) of 320

    def test_a_still_picture_has_no_motion_and_sensitivity_matters(self):
        still = self.folder / "still.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "testsrc=s=320x240:r=10:d=8", "-vf", "select=eq(n\\,0),loop=80:1:0,noise=alls=4:allf=t", "-t", "8",
                    "-c:v", "libx264", "-g", "20", "-pix_fmt", "yuv420p", still)
        self.split("still", clip=still)
        self.assertEqual(self.analyze("motion")["streams"][0]["events"], 0)
        self.split("pale", clip=self.moving_box("0x8a8a8a"))
        dull, sharp = (self.analyze(f"motion:sensitivity={s}", "--streams", "pale")["streams"][0]["events"] for s in (0, 1))
        self.assertEqual((dull, sharp), (0, 1))

    # ---- the same again, whoever dies

    def test_another_group_finds_exactly_the_same(self):
        self.split("street")
        self.analyze("motion", "--group", "a")
        first = self.events()
        self.assertGreater(len(first), 2)
        self.analyze("motion", "--group", "b")
        again = sorted(self.record_ids())
        self.assertEqual(again, sorted(2 * [("street", f"{e['event']}-{e['number']}") for e in first]))
        self.assertEqual(self.events(), first, "who reads takes each id once")
        self.assertEqual(self.analyze("motion", "--group", "b")["streams"], [], "nothing is left to do")

    def test_events_may_lie_in_another_log(self):
        self.split("street")
        self.analyze("motion", "--group", "here")
        here = self.events()
        report = self.analyze("motion", "--group", "there", "--events-log", self.folder / "apart")
        self.assertFalse(report["exactly_once"])
        self.assertEqual(self.events("--events-log", self.folder / "apart"), here)
        self.assertEqual(len(self.record_ids()), len(here), "and not here again")

    def test_workers_killed_at_random_moments_find_each_event_once(self):
        streams = ["a", "b", "c", "d"]
        self.split(*streams)
        analyzer = "motion:update=300ms,most=2s,size=160x0"
        self.analyze(analyzer, "--group", "undisturbed")
        wanted = sorted(self.record_ids())
        self.assertGreater(len(wanted), 40)
        chance = random.Random(int(os.environ.get("GOPLINE_TEST_SEED", "20261123")))
        kills = 200 if os.environ.get("GOPLINE_TEST_LONG") else 20
        workers = []
        for number in range(kills):
            workers.append(self.start_gopline("analyze", "--analyzer", analyzer, "--group", "mortal", "--member", str(number % 2),
                                              "--session-timeout", "1s", "--quiet", stderr=subprocess.DEVNULL))
            time.sleep(chance.uniform(0.02, 0.5))  # the moment is what the test is about
            if len(workers) == 2:
                victim = workers.pop(chance.randrange(2))
                victim.kill()
                victim.wait()
        for worker in workers:
            worker.kill()
            worker.wait()
        self.wait_until_analyzed(analyzer, "mortal", wanted)
        self.assertEqual(sorted(self.record_ids()), sorted(2 * wanted), "each record once, as if nothing had been")

    def test_motion_found_by_who_takes_over_in_the_middle_is_nearly_the_same(self):
        """With eight seconds of warm-up in twenty of footage: what the background had learnt before is missing."""
        self.split("street")
        analyzer = "motion:memory=1s,learn=500ms,most=2s,update=300ms,size=160x0"
        self.analyze(analyzer, "--group", "undisturbed", "--no-thumbnails")
        wanted = self.record_ids()
        self.assertGreater(len(wanted), 30)
        while (before := len(self.record_ids())) < 1.7 * len(wanted):
            worker = self.start_gopline("analyze", "--analyzer", analyzer, "--group", "mortal", "--member", "only", "--no-thumbnails", "--quiet",
                                        stderr=subprocess.DEVNULL)
            self.await_that(lambda: len(self.record_ids()) > before, worker)  # each lives until it has told something new
            worker.kill()
            worker.wait()
        self.analyze(analyzer, "--group", "mortal", "--member", "only", "--no-thumbnails")
        found = self.record_ids()[len(wanted):]
        self.assertEqual(len(found), len(set(found)), "each record once")
        self.assertLessEqual(len(set(found) ^ set(wanted)), 0.05 * len(wanted))

    def wait_until_analyzed(self, analyzer, group, wanted):
        """Runs workers to the end until the ones that died have lost what was theirs."""
        while len(self.record_ids()) < 2 * len(wanted):
            self.analyze(analyzer, "--group", group, "--member", "0", "--session-timeout", "1s")

    def test_a_worker_that_is_killed_is_replaced_by_another(self):
        self.split("a", "b", "c")
        slow = self.program("import json, sys, time\nfor line in iter(sys.stdin.buffer.readline, b''):\n"
                            "    sys.stdin.buffer.read(json.loads(line)['bytes'])\n    time.sleep(0.02)\n"
                            "    print('{\"events\": [{\"class\": \"seen\"}]}', flush=True)\n")
        arguments = ("analyze", "--analyzer", "exec:format=gray8,size=16x12," + slow, "--frames", "2", "--group", "g", "--session-timeout", "1s")
        first = self.start_gopline(*arguments, stderr=subprocess.DEVNULL)
        self.wait_for_records(5)
        first.kill()
        second = self.start_gopline(*arguments, stderr=subprocess.DEVNULL)
        self.wait_for_records(3 * 40 * 2)
        second.send_signal(signal.SIGTERM)
        self.assertEqual(second.wait(), INTERRUPTED)
        ids = self.record_ids()
        self.assertEqual(len(ids), len(set(ids)))

    def wait_for_records(self, count):
        self.await_that(lambda: (self.log / "catalogue.db").exists() and len(self.record_ids()) >= count)

    # ---- pictures

    def test_pictures_are_those_that_ffmpeg_decodes(self):
        for name, pixels in (("street.mp4", "yuv420p"), ("street_hevc.mp4", "yuv420p"), ("street_av1.mp4", "yuv420p"), ("street.avi", "yuv420p"),
                             ("cup.mp4", "yuv420p"), ("door_g711.mkv", "yuv420p")):
            with self.subTest(clip=name):
                stream = name.replace(".", "_")
                self.split(stream, clip=self.clip(name))
                report = self.analyze(f"exec:format={pixels}," + self.program(HASHES), "--streams", stream, "--no-thumbnails")
                found = [e["details"]["md5"] for e in self.events(stream) if e["phase"] == "start"]
                self.assertEqual(found, self.picture_hashes(self.clip(name)))
                self.assertEqual((report["streams"][0]["runs"], report["streams"][0]["packets_undecodable"]), (1, 0))

    def picture_hashes(self, path, *more):
        out = self.folder / "pictures.txt"
        self.ffmpeg("-i", path, "-map", "0:v:0", *more, "-fps_mode", "passthrough", "-f", "framehash", "-hash", "md5", out)
        return [line.split(",")[5].strip() for line in out.read_text().splitlines() if not line.startswith("#")]

    def test_only_what_is_asked_for_is_decoded(self):
        self.split("street")
        keys = self.analyze("null", "--frames", "key", "--group", "k")["streams"][0]
        self.assertEqual((keys["frames_decoded"], keys["frames_analyzed"]), (10, 10))
        two = self.analyze("null", "--frames", "2", "--group", "t")["streams"][0]
        self.assertEqual(two["frames_analyzed"], 40)
        self.assertLess(two["frames_decoded"], 200)
        every = self.analyze("null", "--frames", "all", "--group", "e")["streams"][0]
        self.assertEqual((every["frames_decoded"], every["frames_analyzed"]), (200, 200))
        self.analyze("exec:format=yuv420p," + self.program(HASHES), "--frames", "key", "--no-thumbnails")
        self.assertEqual([e["details"]["md5"] for e in self.events("street") if e["phase"] == "start"],
                         self.picture_hashes(self.clip("street.mp4"), "-vf", "select=eq(pict_type\\,I)"))

    # ---- programs

    def misbehave(self, how, *memory):
        timeout = "timeout=1s," if how in ("hang", "grandchild") else ""
        run = self.program(WRONG) + " " + " ".join([how, *map(str, memory)])
        code = WHOLE if memory else NOT_WHOLE
        report = self.analyze(f"exec:format=gray8,size=32x24,{timeout}{run}", "--group", how, "--frames", "1", "--no-thumbnails", code=code)
        return {s["stream"]: s for s in report["streams"]}

    def test_what_a_program_may_do_wrong(self):
        self.split("good", "bad")
        for how in ("crash", "exit", "hang", "garbage", "flood", "chatter", "grandchild"):
            with self.subTest(how=how):
                streams = self.misbehave(how)
                self.assertEqual((streams["good"]["events"], streams["good"]["segments_dead"]), (20, 0))
                # One segment is given up; the stream goes on behind it.
                self.assertEqual((streams["bad"]["events"], streams["bad"]["segments_dead"], streams["bad"]["attempts_repeated"]), (18, 1, 2))
        self.assertEqual(len(self.record_ids("gopline.dead")), 7)
        child = int((self.folder / "child.pid").read_text())
        self.assertFalse(self.runs(child), "what a program has started goes with it")

    def runs(self, process):
        try:
            with open(f"/proc/{process}/stat") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_pictures_that_nobody_can_decode_are_counted_and_stop_nothing(self):
        """Two seconds of the source are rubbish, and were when they were stored: their hashes are right."""
        clip = self.folder / "poisoned.mp4"
        shutil.copy(self.clip("street.mp4"), clip)
        out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pos,size", "-of", "csv=p=0", clip],
                             capture_output=True, text=True, check=True).stdout
        places = [tuple(map(int, reversed(line.strip(",").split(",")))) for line in out.split()]
        with open(clip, "r+b") as file:
            for position, size in places[60:80]:  # the fourth of ten groups of pictures
                file.seek(position)
                file.write(b"\xff" * size)
        self.split("poisoned", clip=clip)
        self.split("good")
        report = {s["stream"]: s for s in self.analyze("null", code=NOT_WHOLE)["streams"]}
        self.assertEqual((report["good"]["frames_analyzed"], report["good"]["packets_undecodable"]), (200, 0))
        self.assertEqual((report["poisoned"]["frames_analyzed"], report["poisoned"]["packets_undecodable"]), (180, 20))

    def test_a_program_that_fails_once_costs_nothing(self):
        self.split("bad")
        streams = self.misbehave("crash", self.folder / "remembered")
        self.assertEqual((streams["bad"]["events"], streams["bad"]["segments_dead"], streams["bad"]["attempts_repeated"]), (20, 0, 1))
        ids = self.record_ids()
        self.assertEqual(len(ids), len(set(ids)))

    def test_a_program_that_is_not_there(self):
        self.split("a")
        done = self.run_gopline("analyze", "--analyzer", "exec:run=/no/such/program", "--until-end", code=NOT_WHOLE)
        self.assertIn("ended with code 127", done.stderr)

    # ---- what is missing

    def test_a_gap_ends_what_is_open_and_begins_anew(self):
        clip = self.moving_box()
        self.split("wall", clip=clip)
        self.split("wall", clip=clip)  # another epoch
        report = self.analyze("motion:quiet=1s,min_time=200ms,update=0s")
        self.assertEqual(report["streams"][0]["runs"], 2)
        starts = [e for e in self.events() if e["phase"] == "start"]
        self.assertEqual(len({e["epoch"] for e in starts}), 2)
        self.assertEqual([e["phase"] for e in self.events()], ["start", "end"] * 2)

    # ---- live

    def test_events_are_followed_as_they_are_found(self):
        clip = self.moving_box()
        self.split("wall", clip=clip)
        following = self.start_gopline("events", "--follow", "--json", "--from", "2026-11-22T00:00:00Z", stderr=subprocess.DEVNULL)
        worker = self.start_gopline("analyze", "--analyzer", "motion", stderr=subprocess.DEVNULL)
        first = json.loads(following.stdout.readline())
        self.assertEqual((first["stream"], first["phase"], first["class"]), ("wall", "start", "motion"))
        for process in (worker, following):
            process.send_signal(signal.SIGINT)
            self.assertEqual(process.wait(), INTERRUPTED)

    # ---- words

    def test_wrong_words(self):
        self.split("a")
        for words, said in (("emotion", "there are motion, people, objects, scene, audio, exec, null"), ("motion:sensitivity=2", "from 0 to 1"), ("motion:zone=door", "NAME@x:y"),
                            ("motion:zone=door@0:0;1:1", "three corners"), ("motion:size", "key=value"), ("exec", "run=COMMAND"),
                            ("motion:sensitive=1", "no option 'sensitive'")):
            with self.subTest(words=words):
                done = self.run_gopline("analyze", "--analyzer", words, code=USAGE)
                self.assertIn(said, done.stderr)
        self.assertIn("all, key", self.run_gopline("analyze", "--analyzer", "null", "--frames", "-1", code=USAGE).stderr)


def ticks(text):
    value, timescale = map(int, text.split("/"))
    return round(value / timescale, 6)


if __name__ == "__main__":
    unittest.main()
