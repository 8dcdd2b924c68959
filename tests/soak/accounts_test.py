"""The accounts notice what they are there to notice: a checker that is content with everything would be none."""

import dataclasses
import unittest

from accounts import Accounts, Gap, Segment, check_metrics, check_verified, trend
from faults import KINDS, Director, Fault, Mount

BEGAN, LASTED = 1_000_010.0, 7.0


def kind(name):
    return next(each for each in KINDS if each.name == name)


def fault(name, began=BEGAN, lasted=LASTED):
    return Fault(kind(name), 0, ["gate"], began, began + lasted, healed=began + lasted, over=began + lasted + 4)


def footage():
    """Ten seconds, an outage of eight, and ten more."""
    segments = []
    for i in range(10):
        begins = 1_000_000.0 + 2 * i + (8 if i >= 5 else 0)
        gap = Gap(9, 0, "source-outage", 1_000_010.0, 1_000_018.0) if i == 5 else None
        segments.append(Segment(i, 9 if i >= 5 else 0, i % 5, begins, begins + 2, 1000, 10 + i, gap))
    return segments


def problems(segments, *faults):
    return "\n".join(Accounts("gate", segments, list(faults)).check().problems)


class Explanations(unittest.TestCase):
    def changed(self, i, **what):
        segments = footage()
        segments[i] = dataclasses.replace(segments[i], **what)
        return segments

    def gap(self, **what):
        return self.changed(5, gap=dataclasses.replace(footage()[5].gap, **what))

    def test_what_was_done_and_said_is_in_order(self):
        hang = fault("hang")
        accounts = Accounts("gate", footage(), [hang]).check()
        self.assertEqual(accounts.problems, [])
        self.assertEqual(accounts.of_fault[id(hang)], [1, 1, 8.0])

    def test_of_two_faults_in_a_row_each_has_its_own(self):
        before, hang = fault("password", began=BEGAN - 9, lasted=12), fault("hang")
        accounts = Accounts("gate", footage(), [before, hang]).check()
        self.assertEqual(accounts.of_fault[id(hang)], [1, 1, 8.0])
        self.assertEqual(accounts.of_fault[id(before)], [0, 0, 0.0])

    def test_an_epoch_that_nobody_caused(self):
        self.assertIn("nothing was done to it then", problems(footage()))
        self.assertIn("nothing was done to it then", problems(footage(), fault("mute")))
        self.assertIn("nothing was done to it then", problems(footage(), fault("hang", began=BEGAN + 60)))

    def test_a_fault_of_which_nothing_came(self):
        self.assertIn("0 epochs came of it", problems(footage()[:5], fault("hang")))
        self.assertIn("never came back", problems(footage()[:5], dataclasses.replace(fault("hang"), over=None)))

    def test_a_gap_that_is_not_there(self):
        self.assertIn("no gap is stated", problems(self.changed(5, gap=None), fault("hang")))
        self.assertIn("no gap says so", problems(self.changed(5, gap=None), fault("hang")))

    def test_a_gap_that_is_not_what_is_missing(self):
        self.assertIn("not from where footage ends", problems(self.gap(begins=1_000_009.0), fault("hang")))
        self.assertIn("not from where footage ends", problems(self.gap(ends=1_000_016.0), fault("hang")))
        self.assertIn("expected a source-outage", problems(self.gap(cause="lost"), fault("hang")))

    def test_footage_from_a_time_when_none_was_sent(self):
        self.assertIn("before hang did", problems(footage(), fault("hang", lasted=11)))

    def test_a_hole_that_nobody_states(self):
        self.assertIn("no gap is stated", problems(self.changed(3, begins=1_000_007.5, ends=1_000_008.0), fault("hang")))

    def test_a_gap_within_an_epoch_needs_a_fault_as_well(self):
        gap = Gap(0, 3, "clock", 1_000_006.0, 1_000_006.0)
        self.assertIn("nothing that was done to it explains it", problems(self.changed(3, gap=gap), fault("hang")))
        self.assertEqual(problems(self.changed(3, gap=gap), fault("hang"), fault("clock", began=1_000_005.0, lasted=1)), "")

    def test_another_clock_may_correct_the_time(self):
        gap = Gap(0, 3, "clock", 1_000_006.0, 1_000_006.0)
        self.assertEqual(problems(self.changed(3, gap=gap, clock="arrival"), fault("hang")), "")

    def test_segments_that_are_missing(self):
        segments = footage()
        del segments[2]
        self.assertIn("ordinal 3 follows 1", problems(segments, fault("hang")))
        self.assertIn("kept too little", problems(footage()[1:], fault("hang")))


class Agreement(unittest.TestCase):
    METRICS = {("gopline_epochs_total", ()): 2, ("gopline_segments_total", ()): 10, ("gopline_gaps_total", (("cause", "source-outage"),)): 1,
               ("gopline_gap_seconds_total", (("cause", "source-outage"),)): 8, ("gopline_source_reconnects_total", (("cause", "hung"),)): 1}
    REPORT = {"epochs": 2, "segments": 10, "bytes": 10_000, "outages": 1, "dropped_bytes": 0}
    VERIFIED = {"problems": [], "first_offset": 13, "counts": {"segments": 7},
                "gaps": [{"epoch": 9, "segment": 0, "cause": "source-outage", "from": "1970-01-12T13:46:50Z", "to": "1970-01-12T13:46:58Z"}]}

    def setUp(self):
        self.accounts = Accounts("gate", footage(), [fault("hang")]).check()

    def test_metrics_that_agree(self):
        self.assertEqual(check_metrics("gate", self.accounts, self.METRICS, self.REPORT), [])

    def test_every_number_counts(self):
        for key in self.METRICS:
            wrong = check_metrics("gate", self.accounts, {**self.METRICS, key: 20}, self.REPORT)
            self.assertEqual(len(wrong), 1, key)
        for key in self.REPORT:
            self.assertTrue(check_metrics("gate", self.accounts, self.METRICS, {**self.REPORT, key: 20}), key)
        dropped = {**self.METRICS, ("gopline_dropped_gops_total", (("cause", "over-bytes"),)): 1}
        self.assertTrue(check_metrics("gate", self.accounts, dropped, self.REPORT))

    def test_verify(self):
        self.assertEqual(check_verified("gate", self.accounts, self.VERIFIED), [])
        self.assertIn("known to the index alone", check_verified("gate", self.accounts, {**self.VERIFIED, "gaps": []})[0])
        self.assertIn("verify has read 7", check_verified("gate", self.accounts, {**self.VERIFIED, "first_offset": 12})[0])
        problem = {"kind": "corrupt", "message": "a hash"}
        self.assertIn("corrupt", check_verified("gate", self.accounts, {**self.VERIFIED, "problems": [problem]})[0])


class Resources(unittest.TestCase):
    def test_flat_is_told_from_growing_whatever_single_values_do(self):
        flat = [(t, 100 + (50 if t % 7 == 0 else t % 3)) for t in range(600)]
        self.assertTrue(trend("x", flat, 100, 0.05, 1, True).holds)
        leaks = [(t, value + t / 20) for t, value in flat]
        self.assertFalse(trend("x", leaks, 100, 0.05, 1, True).holds)
        self.assertTrue(trend("x", leaks, 100, 0.05, 1, False).holds)
        warming = [(t, min(t, 100)) for t in range(600)]
        self.assertTrue(trend("x", warming, 100, 0.05, 1, True).holds)


class Direction(unittest.TestCase):
    def test_nothing_is_done_twice_at_once(self):
        mounts = [Mount(f"cam{i}", i % 3, "street", udp=True, login=True) for i in range(9)]
        director = Director(mounts, KINDS, 5, 1)
        seen = set()
        for step in range(400):
            if found := director.next(1000 + step, 60):
                busy = {stream for other in director.active for stream in other.streams}
                self.assertFalse(busy & set(found.streams))
                self.assertNotIn(found.camera, {other.camera for other in director.active if other.kind.whole})
                director.active.append(found)
                seen.add(found.kind.name)
            director.active = director.active[-2:]
        self.assertEqual(seen, {each.name for each in KINDS})


if __name__ == "__main__":
    unittest.main()
