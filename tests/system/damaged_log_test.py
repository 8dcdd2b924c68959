"""A log in which something is wrong: each fault is found, named with its place, and harms nothing else."""

import json
import os
import sqlite3
import subprocess
import unittest

from support import APPEND_RECORD, FAILED, NOT_WHOLE, SystemTest, clean_environment


class DamagedLog(SystemTest):
    def setUp(self):
        super().setUp()
        self.run_gopline("split", self.clip("street.mp4"), self.clip("street_hevc.mp4"))

    # ---- ways to do damage

    def append(self, topic, partition, key, value, *headers):
        done = subprocess.run(
            [APPEND_RECORD, os.fspath(self.log), topic, str(partition), key, *headers], input=value, capture_output=True,
            env=clean_environment(),
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        return int(done.stdout)

    def partition(self, stream):
        return self.json_of("inspect", stream)["partition"]

    def catalogue(self, statement, *values):
        with sqlite3.connect(self.log / "catalogue.db") as database:
            rows = database.execute(statement, values).fetchall()
        database.close()
        return rows

    def place_of(self, stream, number):
        """File and position of a segment's value, and its offset."""
        offset = self.segments(stream)[number]["offsets"][0]
        ((name, position),) = self.catalogue(
            "SELECT file, position FROM record_list WHERE topic = 'gopline.segments' AND key = ? AND offset = ?", stream, offset
        )
        return self.log / "payload" / name, position, offset

    def remove_record(self, topic, stream, offset):
        self.catalogue(
            "DELETE FROM records WHERE CAST(key AS TEXT) = ? AND id & 0xffffffffff = ? AND id >> 40 IN "
            "(SELECT p.id FROM partitions p JOIN topics t ON t.id = p.topic WHERE t.name = ?)", stream, offset, topic
        )

    # ---- what must hold

    def assert_found(self, stream, *kinds):
        report = self.verify(stream, code=NOT_WHOLE)
        self.assertFalse(report["whole"])
        self.assertLessEqual(set(kinds), {p["kind"] for p in report["problems"]}, report["problems"])
        return report

    def assert_others_are_well(self, stream="street_hevc"):
        report = self.verify(stream)
        self.assertTrue(report["whole"], report)
        self.run_gopline("aggregate", stream, "--output", self.folder / "other.mp4")

    def aggregate_with_gaps(self, stream="street"):
        """Aggregates what is left; returns the gaps."""
        out = self.folder / "left.mp4"
        report = self.json_of("aggregate", stream, "--output", out, code=NOT_WHOLE)
        self.assertFalse(report["whole"])
        self.assertTrue(out.exists())
        source = self.packet_hashes(self.clip("street.mp4"))
        for track, hashes in self.packet_hashes(out).items():
            self.assertLess(len(hashes), len(source[track]))
            self.assertLessEqual(set(hashes), set(source[track]), "what is there is right")
        return report["gaps"]

    # ---- the faults

    def test_behind_a_lost_open_gop_no_broken_picture_is_shown(self):
        _, _, offset = self.place_of("street_hevc", 1)
        self.remove_record("gopline.segments", "street_hevc", offset)
        whole = self.frame_hashes(self.clip("street_hevc.mp4"))[0]
        shown = {}
        for container in ("fmp4", "mp4"):
            out = self.folder / f"{container}.mp4"
            report = self.json_of("aggregate", "street_hevc", "--output", out, "--format", container, code=NOT_WHOLE)
            self.assertGreater(report["leading_packets"], 0)
            shown[container] = self.frame_hashes(out)[0]
            self.assertEqual(len(shown[container]), report["packets"])
            self.assertEqual([h for h in shown[container] if h not in whole], [], container)
        self.assertEqual(shown["fmp4"], shown["mp4"])

    def test_a_changed_byte(self):
        path, position, offset = self.place_of("street", 4)
        data = bytearray(path.read_bytes())
        data[position + 5000] ^= 1
        path.write_bytes(data)
        report = self.assert_found("street", "corrupt")
        (problem,) = report["problems"]
        self.assertEqual((problem["kind"], problem["offset"], problem["segment"]), ("corrupt", offset, 4))
        (gap,) = self.aggregate_with_gaps()
        self.assertEqual((gap["cause"], gap["first_segment"], gap["segments"]), ("corrupt", 4, 1))
        self.assert_others_are_well()

    def test_gaps_are_listed_for_people(self):
        path, position, _ = self.place_of("street", 4)
        data = bytearray(path.read_bytes())
        data[position + 5000] ^= 1
        path.write_bytes(data)
        done = self.run_gopline("aggregate", "street", "--output", self.folder / "out.mp4", code=NOT_WHOLE)
        self.assertRegex(done.stderr, r"(?m)^corrupt +\d+ +4 ")
        done = self.run_gopline("verify", "street", code=NOT_WHOLE)
        self.assertIn("not whole", done.stdout)

    def test_a_shortened_payload_file(self):
        path, position, _ = self.place_of("street", 7)
        os.truncate(path, position + 100)
        self.assert_found("street", "corrupt")
        self.assertIn(7, [g["first_segment"] for g in self.aggregate_with_gaps()])

    def test_a_missing_payload_file(self):
        path, _, _ = self.place_of("street", 0)
        path.unlink()
        report = self.verify("street", code=NOT_WHOLE)
        self.assertEqual(report["counts"]["segments"], 0)
        done = self.run_gopline("aggregate", "street", "--output", self.folder / "out.mp4", code=(FAILED, NOT_WHOLE))
        self.assertTrue(done.stderr)

    def test_a_record_that_is_gone(self):
        offset = self.segments("street")[4]["offsets"][0]
        self.remove_record("gopline.segments", "street", offset)
        report = self.assert_found("street", "lost")
        self.assertTrue(any("segments 4 to 4" in p["message"] for p in report["problems"]), report["problems"])
        (gap,) = self.aggregate_with_gaps()
        self.assertEqual((gap["cause"], gap["first_segment"]), ("lost", 4))
        self.assert_others_are_well()

    def test_an_index_entry_that_is_gone(self):
        ((offset,),) = self.catalogue(
            "SELECT offset FROM record_list WHERE topic = 'gopline.index' AND key = 'street' ORDER BY offset LIMIT 1 OFFSET 3"
        )
        self.remove_record("gopline.index", "street", offset)
        self.assert_found("street", "index")
        self.run_gopline("aggregate", "street", "--output", self.folder / "out.mp4")

    def test_foreign_records_are_counted_and_passed_over(self):
        partition = self.partition("street")
        self.append("gopline.segments", partition, "street", b"\x00\xff not ours")
        self.append("gopline.segments", partition, "street", b"{}", "ce_specversion=1.0", "ce_type=com.example.thing", "ce_id=1")
        self.append("gopline.segments", partition, "somebody else", b"hello")
        self.append("gopline.index", partition, "street", b"{}", "ce_type=com.example.thing")
        report = self.verify("street")
        self.assertTrue(report["whole"], report)
        self.assertEqual(report["counts"]["foreign"], 3)
        document = self.json_of("aggregate", "street", "--output", self.folder / "out.mp4")
        self.assertEqual((document["whole"], document["foreign_records"]), (True, 2))
        self.assertEqual(len(self.segments("street")), 10)

    def test_a_record_that_only_claims_to_be_a_segment(self):
        partition = self.partition("street")
        offset = self.append("gopline.segments", partition, "street", b"junk", "ce_specversion=1.0", "ce_type=gopline.segment.v1")
        report = self.assert_found("street", "corrupt")
        self.assertEqual([p["offset"] for p in report["problems"]], [offset])
        self.assert_others_are_well()

    def test_a_record_of_a_newer_version_says_what_to_do(self):
        partition = self.partition("street")
        self.append("gopline.segments", partition, "street", b"?", "ce_specversion=1.0", "ce_type=gopline.segment.v2")
        report = self.verify("street", code=NOT_WHOLE)
        self.assertTrue(any("upgrade" in p["message"] or "newer" in p["message"] for p in report["problems"]), report["problems"])

    def test_rubbish_in_the_index(self):
        partition = self.partition("street")
        self.append("gopline.index", partition, "street", b"{", "ce_specversion=1.0", "ce_type=gopline.index.v1")
        self.assert_found("street", "index")
        self.assert_others_are_well()
        self.run_gopline("aggregate", "street", "--output", self.folder / "out.mp4")

    def test_rubbish_among_the_streams(self):
        self.append("gopline.streams", 0, "ghost", b"{", "ce_specversion=1.0", "ce_type=gopline.stream.v1")
        done = self.run_gopline("streams", "--json", code=NOT_WHOLE)
        self.assertEqual([s["stream"] for s in json.loads(done.stdout)["streams"]], ["street", "street_hevc"])
        self.assert_one_clear_message(done)

    def test_the_next_split_goes_on(self):
        """A damaged past must not stop the recording."""
        path, position, _ = self.place_of("street", 9)
        os.truncate(path, position)
        partition = self.partition("street")
        self.append("gopline.segments", partition, "street", b"junk", "ce_specversion=1.0", "ce_type=gopline.segment.v1")
        self.run_gopline("split", self.clip("street.mp4"))
        segments = self.segments("street")
        self.assertEqual([s["ordinal"] for s in segments], list(range(20)))
        self.run_gopline("aggregate", "street", "--output", self.folder / "newest.mp4")

    def test_a_catalogue_that_is_rubbish(self):
        for name in ("catalogue.db-wal", "catalogue.db-shm"):
            (self.log / name).unlink(missing_ok=True)
        (self.log / "catalogue.db").write_bytes(b"\xde\xad\xbe\xef" * 5000)
        for arguments in (["streams"], ["verify", "street"], ["split", self.clip("street.mp4")]):
            done = self.run_gopline(*arguments, code=FAILED)
            self.assert_one_clear_message(done, "catalogue")

    def test_the_catalogue_passes_its_own_check(self):
        self.assertEqual(self.catalogue("PRAGMA integrity_check"), [("ok",)])


if __name__ == "__main__":
    unittest.main()
