"""Pictures in files as streams: split, analyzed, followed, put back into files; and pictures that are sent to be looked at."""

import json
import os
import shutil
import signal
import struct
import subprocess
import unittest

from analysis import AnalysisTest
from support import FAILED, INTERRUPTED, MEDIA, NOT_WHOLE, USAGE, WHOLE, looks

OBJECTS = f"objects:model={MEDIA}/models/FastestDet.onnx,names={MEDIA}/models/coco.names,class=person"


def with_exif(jpeg, taken, orientation=1):
    """The JPEG with EXIF data: DateTimeOriginal and Orientation."""
    text = taken.encode() + b"\0"
    exif_directory = 8 + 2 + 2 * 12 + 4
    tiff = b"II*\0" + struct.pack("<I", 8)
    tiff += struct.pack("<HHHIHHHHIII", 2, 0x112, 3, 1, orientation, 0, 0x8769, 4, 1, exif_directory, 0)
    tiff += struct.pack("<HHHIII", 1, 0x9003, 2, len(text), exif_directory + 2 + 12 + 4, 0) + text
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


class ImagesTest(AnalysisTest):
    def setUp(self):
        super().setUp()
        self.pictures = self.folder / "pictures"
        self.pictures.mkdir()

    def make(self, pattern, count=5, size="320x240", rate=10, source=None):
        """Pictures of the test pattern, or of a clip."""
        inputs = ("-i", source) if source else ("-f", "lavfi", "-i", f"testsrc=s={size}:r={rate}")
        more = ("-q:v", "2") if pattern.endswith("jpg") else ()
        self.ffmpeg(*inputs, "-frames:v", str(count), *more, self.pictures / pattern)

    def names(self):
        return sorted(p.name for p in self.pictures.iterdir())

    def split_pictures(self, *arguments, source=None, code=WHOLE):
        report = self.json_of("split", source or self.pictures, "--stream", "line", *arguments, code=code)
        return report["streams"][0]

    def files_of(self, name, *arguments, code=WHOLE):
        out = self.folder / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        self.run_gopline("aggregate", "line", "--output", out / name, *arguments, code=code)
        return [p.read_bytes() for p in sorted(out.iterdir())]


class Streams(ImagesTest):
    def test_pictures_come_back_byte_for_byte(self):
        for ending in ("jpg", "png", "tif"):
            with self.subTest(ending=ending):
                shutil.rmtree(self.pictures)
                self.pictures.mkdir()
                self.make(f"%d.{ending}", 12)
                report = self.split_pictures()
                self.assertEqual((report["segments"], report["broken_pictures"]), (12, 0))
                wanted = [(self.pictures / f"{n}.{ending}").read_bytes() for n in range(1, 13)]
                self.assertEqual(self.files_of(f"%04d.{ending}"), wanted)
                self.assertTrue(self.verify("line")["whole"])
                self.assertEqual({s["sap"] for s in self.segments("line")}, {1})

    def test_sizes_may_differ_and_so_may_kinds(self):
        self.make("a%d.jpg", 3)
        self.make("b%d.jpg", 3, "160x120")
        self.make("c%d.png", 3, "64x48")
        report = self.split_pictures("--fps", "10", "--start-time", "2026-11-22T18:00:00Z")
        self.assertEqual(report["segments"], 9)
        (verified,) = self.json_of("verify", "line")["streams"]
        self.assertTrue(verified["whole"], verified)
        self.assertEqual(len(self.segments("line")), 9)
        epochs = [e["epoch"] for e in self.segments("line")]
        self.assertEqual([epochs.count(e) for e in sorted(set(epochs))], [3, 3, 3])
        for number, epoch in enumerate(sorted(set(epochs))):
            letter, ending = (("a", "jpg"), ("b", "jpg"), ("c", "png"))[number]
            self.assertEqual(self.files_of(f"%d.{ending}", "--epoch", str(epoch)), [(self.pictures / f"{letter}{n}.{ending}").read_bytes() for n in (1, 2, 3)])
        done = self.run_gopline("aggregate", "line", "--output", self.folder / "%d.jpg", code=FAILED)
        self.assert_one_clear_message(done, "PNG", ".png")
        analyzed = self.analyze("null")["streams"][0]
        self.assertEqual((analyzed["frames_analyzed"], analyzed["packets_undecodable"], analyzed["segments_lost"]), (9, 0, 0))

    def test_the_same_packets_come_out_as_any_container(self):
        self.make("%d.jpg", 8)
        self.split_pictures("--fps", "4")
        out = self.folder / "out.mkv"
        self.run_gopline("aggregate", "line", "--output", out)
        self.ffmpeg("-framerate", "4", "-i", self.pictures / "%d.jpg", "-c", "copy", self.folder / "wanted.mkv")
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(self.folder / "wanted.mkv"))
        times = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0", out], capture_output=True, text=True,
                               check=True).stdout.split()
        self.assertEqual([float(t.strip(",")) for t in times], [0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75])

    def test_order_is_natural_and_patterns_choose(self):
        self.make("%d.png", 11)
        self.assertEqual(self.split_pictures("--fps", "1")["segments"], 11)
        self.assertEqual(self.files_of("%02d.png"), [(self.pictures / f"{n}.png").read_bytes() for n in range(1, 12)])
        chosen = self.split_pictures("--fps", "1", source=self.pictures / "1*.png")
        self.assertEqual(chosen["segments"], 3)
        numbered = self.split_pictures("--fps", "1", source=self.pictures / "%02d.png")
        self.assertEqual(numbered["segments"], 2)
        one = self.split_pictures(source=self.pictures / "7.png")
        self.assertEqual(one["segments"], 1)
        names = [self.json_of("split", source)["streams"][0]["stream"] for source in (self.pictures, self.pictures / "%d.png", self.pictures / "7.png")]
        self.assertEqual(names, ["pictures", "pictures", "7"])

    def test_capture_times(self):
        self.make("%d.jpg", 3)
        for number, taken in ((1, "2026:11:22 18:00:00"), (2, "2026:11:22 18:00:00"), (3, "2026:11:22 19:30:00")):
            path = self.pictures / f"{number}.jpg"
            path.write_bytes(with_exif(path.read_bytes(), taken))
        self.split_pictures()
        self.assertEqual([s["time"] for s in self.segments("line")],
                         ["2026-11-22T18:00:00.000000Z", "2026-11-22T18:00:00.001000Z", "2026-11-22T19:30:00.000000Z"])
        self.assertEqual(self.segments("line")[0]["clock"], "file")
        self.assertTrue(self.verify("line")["whole"])
        self.split_pictures("--start-time", "2026-11-23T00:00:00Z", "--fps", "2")
        last = self.segments("line")[-3:]
        self.assertEqual([s["time"][11:23] for s in last], ["00:00:00.000", "00:00:00.500", "00:00:01.000"])
        # Without EXIF: when the file was written.
        plain = self.pictures / "4.png"
        self.ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x48", "-frames:v", "1", plain)
        os.utime(plain, (1_700_000_000, 1_700_000_000.25))
        self.split_pictures(source=plain)
        self.assertEqual(self.segments("line")[-1]["time"], "2023-11-14T22:13:20.250000Z")

    def test_a_broken_picture_stops_nobody(self):
        self.make("%d.jpg", 5)
        whole = (self.pictures / "3.jpg").read_bytes()
        (self.pictures / "3.jpg").write_bytes(whole[: len(whole) // 2])
        (self.pictures / "4.jpg").write_bytes(b"")
        done = self.run_gopline("split", self.pictures, "--stream", "line", "--fps", "1", "--start-time", "2026-11-22T18:00:00Z", code=NOT_WHOLE)
        self.assertIn("3.jpg", done.stderr)
        self.assertIn("cut short", done.stderr)
        self.assertIn("4.jpg", done.stderr)
        self.assertIn("2 files are no pictures, or broken", done.stdout)
        self.assertEqual(len(self.segments("line")), 3)
        (verified,) = self.json_of("verify", "line", code=NOT_WHOLE)["streams"]
        (gap,) = verified["gaps"]
        self.assertEqual((gap["cause"], gap["from"], gap["to"]), ("corrupt", "2026-11-22T18:00:02.000000Z", "2026-11-22T18:00:04.000000Z"))
        analyzed = self.analyze("null")["streams"][0]
        self.assertEqual((analyzed["frames_analyzed"], analyzed["gaps"]), (3, 1))

    def test_payloads_may_lie_elsewhere(self):
        self.make("%d.png", 3)
        self.split_pictures("--fps", "1", "--payload", "claim", "--blobs", self.folder / "blobs")
        self.assertEqual(self.files_of("%d.png"), [(self.pictures / f"{n}.png").read_bytes() for n in (1, 2, 3)])

    def test_a_folder_is_followed(self):
        self.make("%d.jpg", 6)
        later = self.folder / "later"
        later.mkdir()
        for number in (3, 4, 5, 6):
            os.rename(self.pictures / f"{number}.jpg", later / f"{number}.jpg")
        process = self.start_gopline("split", self.pictures, "--stream", "line", "--follow")
        self.wait_for_segments(process, "line", 2)
        os.rename(later / "3.jpg", self.pictures / "3.jpg")
        self.wait_for_segments(process, "line", 3)
        with open(self.pictures / "4.jpg", "wb") as slow:
            content = (later / "4.jpg").read_bytes()
            slow.write(content[:100])
            slow.flush()
            shutil.copy(later / "5.jpg", self.pictures / "5.jpg")
            self.wait_for_segments(process, "line", 4)
            slow.write(content[100:])
        self.wait_for_segments(process, "line", 5)
        (self.pictures / "0.jpg").write_bytes(b"no picture")
        shutil.copy(later / "6.jpg", self.pictures / "6.jpg")
        self.wait_for_segments(process, "line", 6)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertIn(b"0.jpg", process.stderr.read())
        (self.pictures / "0.jpg").unlink()
        wanted = [(later if n > 3 else self.pictures) / f"{n}.jpg" for n in (1, 2, 3, 5, 4, 6)]
        self.assertEqual(self.files_of("%d.jpg", "--epoch", "all", code=NOT_WHOLE), [p.read_bytes() for p in wanted])

    def test_new_ones_alone(self):
        self.make("%d.jpg", 2)
        process = self.start_gopline("split", self.pictures, "--stream", "line", "--follow", "--new-only")
        other = self.folder / "other.jpg"
        shutil.copy(self.pictures / "2.jpg", other)
        count = 0
        for _ in looks():
            if (self.log / "catalogue.db").exists() and self.has_stream("line"):
                break
            count += 1
            shutil.copy(other, self.pictures / f"new-{count}.jpg")  # until it looks
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertLessEqual(len(self.segments("line")), count, "what was there before is not")

    def has_stream(self, stream):
        done = subprocess.run(self.command("inspect", stream, "--json"), capture_output=True)
        return done.returncode == WHOLE and json.loads(done.stdout)["segments"] != []

    def test_analyzers_see_them_as_any_stream(self):
        clip = self.folder / "box.mp4"
        self.ffmpeg("-f", "lavfi", "-i", "color=gray:s=320x240:r=10:d=12", "-f", "lavfi", "-i", "color=white:s=40x60:r=10:d=12",
                    "-filter_complex", "overlay=x='20+60*(t-5)':y=80:enable='between(t,5,9)'", "-c:v", "libx264", clip)
        self.make("%04d.jpg", 120, source=clip)
        self.split_pictures("--fps", "10", "--start-time", "2026-11-22T18:00:00Z")
        report = self.analyze("motion:quiet=1s,min_time=200ms")
        self.assertEqual((report["streams"][0]["events"], report["streams"][0]["runs"]), (1, 1))
        start = self.events("line")[0]
        self.assertEqual((start["frame"], start["segment"]), (0, 52), "the third picture with the box")
        self.analyze("scene", "--group", "scene")
        counted = self.analyze("exec:format=jpeg,size=64x48,run=while read -r line; do "
                               "n=$(echo \"$line\" | sed 's/.*\"bytes\"://;s/}//'); head -c $n > /dev/null; echo '{\"events\":[{\"class\":\"seen\"}]}'; done",
                               "--frames", "1", "--no-thumbnails")
        self.assertEqual(counted["streams"][0]["events"], 12)

    def test_objects_in_pictures(self):
        self.make("%04d.jpg", 30, source=self.clip("street.mp4"))
        self.split_pictures("--fps", "10")
        self.analyze(OBJECTS)
        self.assertGreater(len([e for e in self.events("line") if e["class"] == "person" and e["phase"] == "start"]), 0)

    def test_wrong_words(self):
        self.make("%d.jpg", 1)
        for arguments, said in (((self.clip("street.mp4"), "--fps", "2"), "for pictures"), ((self.pictures, "--loop"), "for videos"),
                                ((self.pictures, "--fps", "0"), "so many a second"), ((self.pictures, "--new-only"), "--follow")):
            with self.subTest(said=said):
                self.assertIn(said, self.run_gopline("split", *arguments, code=USAGE).stderr)
        empty = self.folder / "empty"
        empty.mkdir()
        self.assert_one_clear_message(self.run_gopline("split", empty, code=FAILED), empty, "no pictures")
        self.assert_one_clear_message(self.run_gopline("split", self.folder / "away/%d.png", "--stream", "a", code=FAILED), "away")
        self.run_gopline("split", self.clip("street.mp4"))
        done = self.run_gopline("aggregate", "street", "--output", self.folder / "%d.jpg", code=FAILED)
        self.assert_one_clear_message(done, "h264", "ffmpeg")


class Requests(ImagesTest):
    def setUp(self):
        super().setUp()
        self.make("%d.jpg", 1, source=self.clip("street.mp4"))
        self.picture = self.pictures / "1.jpg"

    def command(self, *arguments):
        if arguments[0] == "ask":
            arguments = (arguments[0], "--log", self.log, *arguments[1:])
        return super().command(*arguments)

    def worker(self, analyzer, *more):
        process = self.start_gopline("analyze", "--analyzer", analyzer, "--requests", *more)
        self.await_said(process, "answering")
        return process

    def stop(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), INTERRUPTED)

    def ask(self, *arguments, code=WHOLE):
        return self.json_of("ask", *arguments, code=code)["answers"]

    def test_a_picture_comes_back_annotated(self):
        worker = self.worker(OBJECTS)
        (answer,) = self.ask(self.picture)
        self.assertGreater(len(answer["detections"]), 2)
        first = answer["detections"][0]
        self.assertEqual(first["class"], "person")
        self.assertTrue(0.5 < first["score"] <= 1 and 0 <= first["box"]["x"] < 1, first)
        self.assertEqual(answer["output"], str(self.pictures / "1.annotated.jpg"))
        self.ffmpeg("-i", self.pictures / "1.annotated.jpg", "-i", self.picture, "-lavfi", "psnr=stats_file=psnr.txt", "-f", "null", "-")
        psnr = float((self.folder / "psnr.txt").read_text().split("psnr_avg:")[1].split()[0])
        self.assertTrue(15 < psnr < 40, f"the same picture, with frames drawn into it: {psnr}")
        (words,) = self.ask(self.picture, "--no-picture")
        self.assertEqual(words["detections"], answer["detections"])
        self.assertIsNone(words["output"])
        self.stop(worker)

    def test_many_pictures_and_several_workers(self):
        workers = [self.worker("null") for _ in range(2)]
        others = self.folder / "others"
        others.mkdir()
        for number in range(20):
            shutil.copy(self.picture, others / f"{number}.jpg")
        (others / "20.jpg").write_bytes(b"hello")
        out = self.folder / "seen"
        out.mkdir()
        answers = self.ask(*sorted(others.iterdir()), "--output-dir", out, code=NOT_WHOLE)
        wrong = [a for a in answers if a["error"]]
        self.assertEqual([os.path.basename(a["file"]) for a in wrong], ["20.jpg"])
        self.assertIn("JPEG, PNG or TIFF", wrong[0]["error"])
        self.assertEqual(len(list(out.iterdir())), 20)
        for worker in workers:
            self.stop(worker)

    def test_workers_that_are_killed_answer_each_request_once(self):
        self.stop(self.worker("null", "--group", "g"))  # makes the topics
        asking = self.start_gopline("ask", *[self.picture] * 60, "--no-picture", "--json")
        answered = []
        while len(answered) < 60:
            worker = self.start_gopline("analyze", "--analyzer", "null", "--requests", "--group", "g", "--member", "only", "--session-timeout", "1s",
                                        stderr=subprocess.DEVNULL)
            before = len(answered)
            self.await_that(lambda: len(self.record_ids("gopline.replies")) > before, worker)
            worker.kill()
            worker.wait()
            answered = self.record_ids("gopline.replies")
        out, _ = asking.communicate()
        self.assertEqual(asking.returncode, WHOLE)
        self.assertEqual(len(json.loads(out)["answers"]), 60)
        self.assertEqual(len(answered), len(set(answered)), "each once")

    def test_nobody_answers(self):
        self.assert_one_clear_message(self.run_gopline("ask", self.picture, code=FAILED), "no log")
        self.run_gopline("split", self.picture)
        self.assert_one_clear_message(self.run_gopline("ask", self.picture, code=FAILED), "gopline.requests", "analyze --requests")
        self.stop(self.worker("null"))
        done = self.run_gopline("ask", self.picture, "--timeout", "200ms", code=FAILED)
        self.assert_one_clear_message(done, "1 of 1", "no answer")

    def test_answers_go_only_where_they_may(self):
        worker = self.start_gopline("analyze", "--analyzer", "null", "--requests", "--reply-topics", "elsewhere", "--json", stderr=subprocess.PIPE)
        said = self.await_said(worker, "answering")
        done = self.run_gopline("ask", self.picture, "--timeout", "1ms", code=FAILED)
        self.await_that(lambda: any("may not go to the topic 'gopline.replies'" in line for line in said), worker)
        self.stop(worker)
        self.assertEqual(json.loads(worker.stdout.read())["unanswerable"], 1)
        self.assertIn("no answer", done.stderr)

    def test_what_takes_more_than_one_picture_is_refused(self):
        done = self.run_gopline("analyze", "--analyzer", "motion", "--requests", code=FAILED)
        self.assert_one_clear_message(done, "motion", "single pictures")


class Thumbnails(ImagesTest):
    def test_a_large_one_lies_elsewhere_and_the_event_refers_to_it(self):
        self.make("%d.png", 3, "640x480")
        self.split_pictures("--fps", "1")
        program = ("exec:format=gray8,size=16x12,run=while read -r line; do head -c 192 > /dev/null; echo '{\"events\":[{\"class\":\"seen\"}]}'; done")
        blobs = self.folder / "blobs"
        for name, arguments, wanted in (("inline", (), "inline"), ("elsewhere", ("--blobs", blobs, "--thumbnail-inline", "1KB"), "elsewhere"),
                                        ("smaller", ("--thumbnail-inline", "4KB"), "smaller"), ("none", ("--thumbnail-inline", "100"), "left_out")):
            with self.subTest(name=name):
                log = self.folder / f"events-{name}"
                report = self.analyze(program, "--group", name, "--events-log", log, *arguments)["streams"][0]
                counts = {key: report[f"thumbnails_{key}"] for key in ("elsewhere", "smaller", "left_out")}
                self.assertEqual(counts, {key: 3 if key == wanted else 0 for key in counts})
                shown = [e["thumbnail"] for e in self.events("line", "--thumbnails", "--events-log", log) if e["phase"] == "start"]
                self.assertEqual(len(shown), 3)
                if wanted == "left_out":
                    self.assertEqual(shown, [None] * 3)
                elif wanted == "elsewhere":
                    for one in shown:
                        self.assertNotIn("base64", one)
                        path = one["dataref"].removeprefix("file://").replace("%25", "%")
                        with open(path, "rb") as file:
                            picture = file.read()
                        self.assertEqual((len(picture), picture[:2]), (one["size"], b"\xff\xd8"))
                    verified = self.json_of("blobs", "verify", "--log", self.log, "--events-log", log)
                    self.assertEqual((verified["whole"]["blobs"], verified["bad"]), (3, []))
                    kept = self.json_of("blobs", "gc", "--log", self.log, "--events-log", log, "--blobs", blobs, "--grace", "15min")
                    self.assertEqual(kept["orphans"]["blobs"], 0)
                else:
                    self.assertTrue(all("base64" in one for one in shown))


if __name__ == "__main__":
    unittest.main()
