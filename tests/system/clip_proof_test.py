"""`gopline verify --clip`: a clip that was saved is as the log has it, or which second of it is not."""

import hashlib
import json
import struct
import unittest

from mp4_surgery import boxes
from serving import Server, ServeTest
from support import FAILED, NOT_WHOLE, USAGE, WHOLE

INTERVAL = "from=2026-11-22T18:00:05Z&to=2026-11-22T18:00:09Z"


class ClipProof(ServeTest):
    def save(self, stream="street", interval=INTERVAL):
        """A clip and what it is made of, side by side, as a browser saves them."""
        server = Server(self)
        clip = self.folder / "saved.mp4"
        for file in (clip, clip.with_suffix(".json")):
            response, body = server.ask(f"/streams/{stream}/clip{file.suffix}?{interval}")
            self.assertEqual(response.status, 200, body[:300])
            file.write_bytes(body)
        server.stop()
        return clip

    def prove(self, clip, code=WHOLE, *arguments):
        return self.json_of("verify", "--clip", clip, *arguments, code=code)

    def payload(self, data, number):
        """Where the bytes of the so-many-th mdat lie."""
        found = [(begin, end) for path, begin, end in boxes(data) if path == (b"mdat",)]
        return found[number]

    def test_a_clip_that_nobody_touched_is_proved(self):
        self.split(self.clip("street.mp4"), "--digest", "sha256")
        clip = self.save()
        report = self.prove(clip)
        self.assertEqual((report["as_recorded"], report["same_bytes"], report["problems"]), (True, True, []))
        self.assertEqual((report["stream"], report["clocks"], report["segments"], report["chained"]), ("street", ["given"], 3, 3))
        self.assertGreater(report["samples"], 100)
        self.assertIn("as recorded, byte for byte", self.run_gopline("verify", "--clip", clip).stdout)

    def test_facts_may_lie_elsewhere(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        facts = self.folder / "other.json"
        clip.with_suffix(".json").rename(facts)
        done = self.run_gopline("verify", "--clip", clip, code=FAILED)
        self.assert_one_clear_message(done, "saved.json", "--facts")
        self.prove(clip, WHOLE, "--facts", facts)

    def test_a_gap_is_part_of_what_is_proved(self):
        for second in ("00", "30"):
            self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "gate", "--start-time", f"2026-11-22T18:00:{second}Z")
        clip = self.save("gate", "from=2026-11-22T18:00:03Z&to=2026-11-22T18:00:33Z")
        self.prove(clip)
        data = bytearray(clip.read_bytes())
        begin, end = self.payload(data, -1)
        data[end - 20] ^= 1  # behind the outage
        clip.write_bytes(data)
        report = self.prove(clip, NOT_WHOLE)
        altered = [problem for problem in report["problems"] if problem["kind"] == "altered"]
        self.assertTrue(altered[0]["from"].startswith("2026-11-22T18:00:3"), altered)

    def test_an_altered_byte_is_told_by_its_second(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        data = bytearray(clip.read_bytes())
        begin, end = self.payload(data, 1)  # of the second segment, which begins at 06
        data[begin + 1000] ^= 1
        clip.write_bytes(data)
        report = self.prove(clip, NOT_WHOLE)
        self.assertFalse(report["as_recorded"])
        fact, altered = report["problems"]
        self.assertEqual((fact["kind"], altered["kind"]), ("fact", "altered"))
        self.assertTrue(altered["from"].startswith("2026-11-22T18:00:06"), altered)
        self.assertIn("1 pictures", altered["message"])
        said = self.run_gopline("verify", "--clip", clip, code=NOT_WHOLE).stdout
        self.assertIn("2026-11-22 18:00:06", said)
        self.assertIn("not as recorded: 2 problems", said)

    def test_who_alters_the_digest_as_well_is_found_out(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        data = bytearray(clip.read_bytes())
        begin, _ = self.payload(data, 0)
        data[begin + 500] ^= 0x10
        clip.write_bytes(data)
        self.alter(clip, lambda facts: facts.update(sha256=hashlib.sha256(data).hexdigest()))
        self.assertEqual([problem["kind"] for problem in self.prove(clip, NOT_WHOLE)["problems"]], ["altered"])

    def test_pictures_that_were_cut_out_are_missed(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        data = clip.read_bytes()
        tops = [(path, begin, end) for path, begin, end in boxes(data) if len(path) == 1]
        moofs = [number for number, top in enumerate(tops) if top[0] == (b"moof",)]
        cut = tops[moofs[1]][1] - 8, tops[moofs[2]][1] - 8
        clip.write_bytes(data[:cut[0]] + data[cut[1]:])
        kinds = {problem["kind"] for problem in self.prove(clip, NOT_WHOLE)["problems"]}
        self.assertIn("missing", kinds)

    def test_times_that_were_moved_are_told(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        data = bytearray(clip.read_bytes())
        moof = [begin for path, begin, _ in boxes(data) if path == (b"moof",)][1]
        at = data.index(b"tfdt", moof) + 8
        (time,) = struct.unpack_from(">Q", data, at)
        struct.pack_into(">Q", data, at, time + 5)
        clip.write_bytes(data)
        self.assertIn("missing", {problem["kind"] for problem in self.prove(clip, NOT_WHOLE)["problems"]})

    def test_a_file_that_was_cut_short_says_from_when_on(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        data = clip.read_bytes()
        clip.write_bytes(data[:len(data) // 2])
        report = self.prove(clip, NOT_WHOLE)
        missing = [problem for problem in report["problems"] if problem["kind"] == "missing"]
        self.assertTrue(missing and missing[0]["to"].startswith("2026-11-22T18:00:0"), report)

    def alter(self, clip, change):
        path = clip.with_suffix(".json")
        facts = json.loads(path.read_text())
        change(facts)
        path.write_text(json.dumps(facts))

    def test_an_altered_fact_is_named(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        original = clip.with_suffix(".json").read_bytes()
        changes = {
            "segments[1].time": lambda facts: facts["segments"][1].update(time="2026-11-22T17:00:06.000000Z"),
            "segments[0].clock": lambda facts: facts["segments"][0].update(clock="ntp"),
            "segments[2].sha256": lambda facts: facts["segments"][2].update(sha256="0" * 64),
            "epochs[0].writer": lambda facts: facts["epochs"][0].update(writer="somebody"),
            "segments[2]": lambda facts: facts["segments"].pop(),
            "gaps[0]": lambda facts: facts["gaps"].append({"cause": "lost"}),
            "segments[1].remark": lambda facts: facts["segments"][1].update(remark="approved"),
        }
        for name, change in changes.items():
            clip.with_suffix(".json").write_bytes(original)
            self.alter(clip, change)
            problem, = self.prove(clip, NOT_WHOLE)["problems"]
            self.assertEqual(problem["kind"], "fact")
            self.assertTrue(problem["message"].startswith(name + " is "), (name, problem))

    def test_a_clip_of_another_stream_is_not_proved_by_these_facts(self):
        self.split(self.clip("street.mp4"))
        self.split(self.clip("cup.mp4"))
        clip = self.save()
        facts = clip.with_suffix(".json").read_bytes()
        clip = self.save("cup", "from=2026-11-22T18:00:01Z&to=2026-11-22T18:00:05Z")
        clip.with_suffix(".json").write_bytes(facts)
        kinds = {problem["kind"] for problem in self.prove(clip, NOT_WHOLE)["problems"]}
        self.assertTrue({"fact", "track", "missing"} <= kinds, kinds)

    def test_what_the_log_does_not_have_cannot_be_proved(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        self.alter(clip, lambda facts: facts.update(stream="yard"))
        self.assert_one_clear_message(self.run_gopline("verify", "--clip", clip, code=FAILED), "saved.mp4", "yard")
        self.alter(clip, lambda facts: facts.pop("gaps"))
        self.assert_one_clear_message(self.run_gopline("verify", "--clip", clip, code=FAILED), "saved.json", "clip.json")
        self.run_gopline("verify", "street", "--clip", clip, code=USAGE)

    def test_it_goes_on_being_proved_when_more_is_recorded(self):
        self.split(self.clip("street.mp4"))
        clip = self.save()
        self.run_gopline("split", self.clip("street.mp4"), "--start-time", "2026-11-22T19:00:00Z")
        self.prove(clip)


if __name__ == "__main__":
    unittest.main()
