"""gopline record: streams into files, by kill -9 and by two recorders that share them, held to what ffmpeg says of the source."""

import json
import os
import random
import resource
import signal
import socket
import subprocess
import time
import unittest
import urllib.request
from collections import Counter

from support import FAILED, INTERRUPTED, USAGE, WHOLE, SystemTest, clean_environment


class Recording(SystemTest):
    def setUp(self):
        super().setUp()
        self.videos = self.folder / "videos"

    def command(self, *arguments):
        if arguments[0] == "record":
            arguments = ("record", "--log", self.log, *arguments[1:])
        return super().command(*arguments)

    def split(self, *streams, clip="street.mp4", start="2026-11-22T18:00:00Z", **more):
        for stream in streams:
            self.run_gopline("split", self.clip(clip), "--stream", stream, "--start-time", start, "--quiet", **more)

    def record(self, *more, streams="*", directory=None, code=WHOLE):
        out = self.run_gopline("record", "--streams", streams, "--directory", directory or self.videos, "--split-every", "6s",
                               "--until-end", "--json", *more, code=code)
        return json.loads(out.stdout.splitlines()[-1])

    def files(self, stream, directory=None):
        folder = (directory or self.videos) / stream
        return sorted(p for p in folder.glob("*") if p.suffix in (".mp4", ".mkv")) if folder.is_dir() else []

    def recorded(self, stream, *directories):
        """Per track, the packets' hashes of all finished files in the order of their names, as ffmpeg sees them. One of two recorders that died
        between giving a file its name and telling so has it in its folder; the other makes it again, by the same name."""
        tracks = {}
        for _, path in sorted({p.name: p for d in directories or (self.videos,) for p in self.files(stream, d)}.items()):
            for track, hashes in self.packet_hashes(path).items():
                tracks.setdefault(track, []).extend(hashes)
        return tracks

    def source(self, name="street.mp4"):
        return self.packet_hashes(self.clip(name))

    def assert_each_packet_once(self, stream, *directories, name="street.mp4"):
        """Whatever the order in which two recorders made the files."""
        found, wanted = self.recorded(stream, *directories), self.source(name)
        self.assertEqual({t: Counter(h) for t, h in found.items()}, {t: Counter(h) for t, h in wanted.items()}, stream)

    # ---- files

    def test_every_container_has_the_sources_packets_and_plays(self):
        clips = {"street": "street.mp4", "hevc": "street_hevc.mp4", "av1": "street_av1.mp4", "avi": "street.avi", "g711": "door_g711.mkv"}
        for stream, clip in clips.items():
            self.split(stream, clip=clip)
        for container in ("mp4", "mkv"):
            directory = self.folder / container
            self.record("--format", container, "--group", container, directory=directory)
            for stream, clip in clips.items():
                with self.subTest(container=container, clip=clip):
                    files = self.files(stream, directory)
                    self.assertGreaterEqual(len(files), 1 if clip.endswith(".avi") else 2)
                    suffix = ".mkv" if clip.endswith(".avi") else "." + container
                    self.assertEqual({p.suffix for p in files}, {suffix})
                    self.assertEqual(self.recorded(stream, directory), self.source(clip))
                    for path in files:
                        self.assertLess(self.start_time(path), 1)  # pictures are shown after they are decoded
                        if clip != "street_hevc.mp4":  # an open GOP's leading pictures need the file before
                            self.assertTrue(self.frame_hashes(path)[0])

    def start_time(self, path):
        out = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "format=start_time", "-of", "csv=p=0", path],
                             capture_output=True, text=True, check=True).stdout
        return float(out)

    def test_names_json_and_report(self):
        self.split("site-7/door")
        report = self.record()
        self.assertTrue(report["whole"])
        self.assertEqual([(s["stream"], s["files"], s["segments"]) for s in report["streams"]], [("site-7/door", 4, 10)])
        files = self.files("site-7%2Fdoor")
        self.assertEqual(files[1].name, "2026-11-22T18-00-06.000Z_0-3.mp4")
        beside = json.loads(files[1].with_suffix(".json").read_text())
        self.assertEqual((beside["stream"], beside["file"], beside["ended"]), ("site-7/door", files[1].name, "interval"))
        self.assertEqual((beside["first_segment"], beside["next_segment"], beside["gaps"]), (3, 6, []))
        self.assertEqual(beside["clock"], "given")
        self.assertEqual(beside["bytes"], files[1].stat().st_size)
        self.assertEqual(self.record()["streams"], [], "nothing is recorded twice")

    def test_epochs_have_files_of_their_own(self):
        self.split("door")
        self.split("door", clip="street_hevc.mp4", start="2026-11-22T18:01:00Z")
        whole = self.record()
        self.assertTrue(whole["whole"], "another epoch is no gap")
        self.assertEqual({p.name.split("_")[1].split("-")[0] for p in self.files("door")}, {"0", "12"})

    # ---- dying

    def start_recording(self, *more, directory=None, member=None, interval="2s"):
        return self.start_gopline("record", "--streams", "*", "--directory", directory or self.videos, "--split-every", interval,
                                  "--session-timeout", "1s", *(("--member", member) if member else ()), *more, stderr=subprocess.DEVNULL)

    def test_killed_at_random_moments_again_and_again(self):
        """While cameras are being split: each round kills the recorder somewhere else, and the last one goes on to the end."""
        streams = ["a", "b", "c"]
        chance = random.Random(int(os.environ.get("GOPLINE_TEST_SEED", "20261123")))
        splitting = [self.start_gopline("split", self.clip("door_g711.mkv"), "--stream", stream, "--rate", "realtime", "--segment-duration", "500ms",
                                        "--partitions", "2", stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for stream in streams]
        for stream in streams:
            self.wait_for_streams(stream)
        rounds = 0
        while any(process.poll() is None for process in splitting):
            process = self.start_recording(member="only")
            time.sleep(chance.uniform(0.05, 1.5))  # the moment is what the test is about
            process.kill()
            process.wait()
            rounds += 1
        self.assertGreater(rounds, 3)
        self.record("--member", "only")
        for stream in streams:
            self.assert_each_packet_once(stream, name="door_g711.mkv")
            for path in self.files(stream):
                self.assertTrue(path.with_suffix(".json").exists())
        self.assertEqual(list(self.videos.rglob("*.part")), [])

    def wait_for_streams(self, stream):
        self.await_that(lambda: any(s["stream"] == stream for s in self.known_streams()))

    def known_streams(self):
        done = subprocess.run(self.command("streams", "--json"), capture_output=True, env=clean_environment())
        return json.loads(done.stdout)["streams"] if done.returncode == WHOLE else []

    def test_stopping_finishes_what_is_open(self):
        self.split("door")
        process = self.start_recording()
        self.wait_for_files("door", 9)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), INTERRUPTED)
        self.record("--session-timeout", "1s")
        self.assertEqual(self.recorded("door"), self.source())

    def wait_for_files(self, stream, count, *directories):
        self.await_that(lambda: sum(len(self.files(stream, d)) for d in directories or (self.videos,)) >= count)

    # ---- sharing

    def test_recorders_share_streams_and_those_of_a_killed_one_move_over(self):
        streams = ["cam-0", "cam-2", "cam-4"]  # whose hashes are odd, odd, even
        places = [self.folder / "one", self.folder / "two"]
        for stream in streams:
            self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", stream, "--start-time", "2026-11-22T18:00:00Z", "--partitions", "2", "--quiet")
        recorders = [self.start_recording("--group", "g", directory=place, interval="2s") for place in places]
        # What is there is recorded by whoever gets it; then both are members.
        for stream in streams:
            self.wait_for_files(stream, 4, *places)
        second = [self.start_gopline("split", self.clip("street_av1.mp4"), "--stream", stream, "--start-time", "2026-11-22T19:00:00Z",
                                     "--rate", "realtime", "--segment-duration", "500ms", stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                  for stream in streams]
        # Both have finished something of it: the streams are shared.
        self.await_that(lambda: all(any(p.name.startswith("2026-11-22T19") for p in place.rglob("*.mp4")) for place in places))
        recorders[0].kill()
        recorders[0].wait()
        for process in second:
            self.assertEqual(process.wait(), WHOLE)
        recorders[1].send_signal(signal.SIGINT)
        recorders[1].wait()
        self.run_gopline("record", "--streams", "*", "--directory", places[1], "--split-every", "2s", "--group", "g", "--until-end",
                         "--session-timeout", "1s", "--quiet")
        source = self.source("street_av1.mp4")
        for stream in streams:
            found = self.recorded(stream, *places)
            self.assertEqual({t: Counter(h) for t, h in found.items()}, {t: Counter(h + h) for t, h in source.items()}, stream)

    # ---- what goes wrong

    def test_a_disk_that_is_full_is_said_and_survived(self):
        self.split("door")
        out = self.run_gopline("record", "--streams", "*", "--directory", self.videos, "--until-end", "--session-timeout", "1s", code=FAILED,
                               preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)))
        self.assertRegex(out.stderr, r"gopline: door: not recorded to its end: .*larger than this file system or limit")
        self.assertEqual(self.files("door"), [])
        self.record()
        self.assertEqual(self.recorded("door"), self.source())

    def test_retention_by_bytes_and_age_leaves_other_files_alone(self):
        self.split("door", "yard")
        self.videos.mkdir()
        (self.videos / "door").mkdir()
        mine = self.videos / "door" / "mine.mp4"
        mine.write_bytes(b"x" * 100)
        report = self.record("--keep-bytes", "1500KB")
        kept = sum(p.stat().st_size for p in self.videos.rglob("*") if p.is_file() and p != mine)
        self.assertLessEqual(kept, 1_500_000)
        self.assertGreater(report["removed_files"], 0)
        self.assertTrue(self.files("yard"))
        for path in self.videos.rglob("*.json"):
            os.utime(path, (0, 0))
        self.record("--keep-age", "1d")
        self.assertEqual([p for p in self.videos.rglob("*") if p.is_file()], [mine])

    def test_how_it_goes_is_seen(self):
        self.split("door")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        process = self.start_gopline("record", "--streams", "*", "--directory", self.videos, "--split-every", "6s", "--patience", "1s", "--json", "--metrics", address)
        self.await_that(lambda: len(self.files("door")) == 4, process)
        metrics = urllib.request.urlopen(f"http://{address}/metrics").read().decode()
        self.assertEqual(urllib.request.urlopen(f"http://{address}/healthz").read(), b"ok\n")
        process.send_signal(signal.SIGINT)
        report = json.loads(process.communicate()[0].splitlines()[-1])
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertEqual([(s["stream"], s["files"], s["segments"]) for s in report["streams"]], [("door", 4, 10)])
        self.assertIn('gopline_recorder_segments_total{stream="door"} 10\n', metrics)
        self.assertRegex(metrics, r'gopline_recorder_files_total\{stream="door"\} [34]\n')  # it is there before it is counted
        self.assertIn('gopline_recorder_gaps_total{cause="lost",stream="door"} 0\n', metrics)

    def test_wrong_command_lines(self):
        for options, words in (
            ([], "--streams"),
            (["--streams", "*"], "--directory"),
            (["--streams", "*", "--directory", "d", "--split-every", "10ms"], "--split-every"),
            (["--streams", "*", "--directory", "d", "--split-every", "often"], "--split-every"),
            (["--streams", "*", "--directory", "d", "--format", "avi"], "--format"),
            (["--streams", "*", "--directory", "d", "--from", "yesterday"], "--from"),
            (["--streams", "*", "--directory", "d", "--keep-bytes", "some"], "--keep-bytes"),
        ):
            with self.subTest(options):
                done = self.run_gopline("record", *options, code=USAGE)
                self.assertIn(words, done.stderr)
        done = self.run_gopline("record", "--streams", "*", "--directory", self.videos, code=FAILED)
        self.assert_one_clear_message(done, self.log)
        self.split("door")
        blocked = self.folder / "blocked"
        blocked.write_text("")
        done = self.run_gopline("record", "--streams", "*", "--directory", blocked, code=FAILED)
        self.assert_one_clear_message(done, blocked)


if __name__ == "__main__":
    unittest.main()
