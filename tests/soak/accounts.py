"""Whether what the log says agrees with what was done to the cameras, with the metrics, and with itself. Pure."""

import statistics
from dataclasses import dataclass
from datetime import datetime

NOTICEABLE = 0.25  # seconds between two epochs from which on there is a gap
JUMP = 1.0  # ... within one
SLACK = 3.0  # seconds that a capture time may be from when the camera was told: a picture's way, and its estimate
AT_ONCE = 0.002  # what rounding leaves


def when(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


@dataclass
class Gap:
    epoch: int
    segment: int
    cause: str
    begins: float
    ends: float

    @staticmethod
    def of(json):
        return Gap(json["epoch"], json["segment"], json["cause"], when(json["from"]), when(json["to"]))

    def __str__(self):
        return f"gap {self.cause} of {self.ends - self.begins:.1f} s before segment {self.epoch}/{self.segment}"


@dataclass
class Segment:
    ordinal: int
    epoch: int
    number: int
    begins: float
    ends: float
    size: int
    offset: int
    gap: Gap
    clock: str = "ntp"

    @staticmethod
    def of(json):
        ticks, scale = json["duration"].split("/")
        begins = when(json["time"])
        return Segment(json["ordinal"], json["epoch"], json["segment"], begins, begins + int(ticks) / int(scale), json["size"],
                       json["offsets"][0], Gap.of(json["gap"]) if json["gap"] else None, json["clock"])


class Accounts:
    """One stream's. `problems` are what nobody can explain; `of_fault` counts (epochs, gaps, seconds) by what they came of."""

    def __init__(self, stream, segments, faults):
        self.stream, self.segments = stream, segments
        self.faults = [fault for fault in faults if stream in fault.streams]
        self.problems = []
        self.of_fault = {id(fault): [0, 0, 0.0] for fault in self.faults}

    def check(self):
        if not self.segments:
            self._wrong("nothing of it is in the log")
            return self
        if self.segments[0].ordinal != 0:
            self._wrong(f"its index begins with ordinal {self.segments[0].ordinal}: the log has kept too little to account for it")
        if self.segments[0].gap:
            self._wrong(f"{self.segments[0].gap}, with which it begins")
        for before, after in zip(self.segments, self.segments[1:]):
            if after.ordinal != before.ordinal + 1:
                self._wrong(f"ordinal {after.ordinal} follows {before.ordinal}")
            if after.epoch != before.epoch:
                self._check_outage(before, after)
            else:
                self._check_within(before, after)
        for fault in self.faults:
            self._check_fault(fault)
        return self

    @property
    def epochs(self):
        return len({segment.epoch for segment in self.segments})

    @property
    def gaps(self):
        return [segment.gap for segment in self.segments if segment.gap]

    # ---- inside

    def _wrong(self, what):
        self.problems.append(f"{self.stream}: {what}")

    def _explain(self, begins, ends, fits):
        """The fault in whose time something is, if there is one that fits; of two in a row, the one that began with it."""
        of_its_time = [fault for fault in self.faults
                       if fits(fault) and fault.covers(begins, SLACK, SLACK) and fault.covers(ends, SLACK, SLACK)]
        return min(of_its_time, key=lambda fault: abs(fault.began - begins), default=None)

    def _check_outage(self, before, after):
        fault = self._explain(before.ends, after.begins, lambda f: f.kind.interrupts)
        what = f"epoch {after.epoch}, {after.begins - before.ends:.1f} s after the one before"
        if fault is None:
            self._wrong(f"{what}: nothing was done to it then")
        else:
            self.of_fault[id(fault)][0] += 1
        hole = after.begins - before.ends
        if after.gap is None:
            if hole >= NOTICEABLE + AT_ONCE:
                self._wrong(f"{what}: no gap is stated")
            elif hole < -JUMP:
                self._wrong(f"{what}: it goes back")
            return
        self._count(fault, after.gap)
        if after.gap.cause != "source-outage":
            self._wrong(f"{after.gap}: expected a source-outage")
        if abs(after.gap.begins - before.ends) > AT_ONCE or abs(after.gap.ends - after.begins) > AT_ONCE:
            self._wrong(f"{after.gap}: it is not from where footage ends to where it begins")
        if fault is None:
            return
        if abs(after.gap.begins - fault.began) > SLACK:
            self._wrong(f"{after.gap}: it begins {after.gap.begins - fault.began:.1f} s after {fault.kind.name} did")
        if after.gap.ends < fault.healed - 1:
            self._wrong(f"{after.gap}: it ends {fault.healed - after.gap.ends:.1f} s before {fault.kind.name} did")

    def _check_within(self, before, after):
        hole = after.begins - before.ends
        if after.gap is None:
            if abs(hole) > JUMP + AT_ONCE:
                self._wrong(f"{hole:+.1f} s between segments {before.epoch}/{before.number} and {after.number}: no gap is stated")
            return
        gap = after.gap
        if gap.cause == "clock" and before.clock != after.clock:
            return  # the camera's first report corrects what arrival made believe: nothing was done to it, and nothing is missing
        fault = self._explain(gap.begins, gap.ends, lambda f: gap.cause in f.kind.gaps)
        if fault is None:
            self._wrong(f"{gap}: nothing that was done to it explains it")
        else:
            self._count(fault, gap)

    def _count(self, fault, gap):
        if fault is not None:
            self.of_fault[id(fault)][1] += 1
            self.of_fault[id(fault)][2] += gap.ends - gap.begins

    def _check_fault(self, fault):
        epochs, gaps, _ = self.of_fault[id(fault)]
        name = f"{fault.kind.name} from {datetime.fromtimestamp(fault.began):%H:%M:%S} for {fault.healed - fault.began:.1f} s"
        if fault.over is None:
            self._wrong(f"{name}: it never came back")
        elif fault.kind.interrupts and epochs != 1:
            self._wrong(f"{name}: {epochs} epochs came of it, not one")
        elif fault.kind.interrupts and gaps == 0 and fault.healed - fault.began > JUMP:
            self._wrong(f"{name}: no gap says so")


def check_metrics(stream, accounts, metrics, report):
    """`metrics`: the last ones, {(name, labels but the stream): value}; `report`: the stream's in split --json."""
    wrong = []

    def agree(what, ours, theirs, within=0.0):
        if abs(ours - theirs) > within:
            wrong.append(f"{stream}: {what}: the log has {ours:g}, told was {theirs:g}")

    def told(name, **labels):
        return metrics.get((name, tuple(sorted(labels.items()))), 0)

    agree("epochs, metrics", accounts.epochs, told("gopline_epochs_total"))
    agree("epochs, report", accounts.epochs, report["epochs"])
    agree("segments, report", len(accounts.segments), report["segments"])
    agree("bytes, report", sum(segment.size for segment in accounts.segments), report["bytes"])
    # The last look at the metrics was a moment before the end.
    late = report["segments"] - told("gopline_segments_total")
    if not 0 <= late <= 6:
        wrong.append(f"{stream}: the metrics had {late:g} segments less than the report")
    causes = {dict(labels)["cause"] for name, labels in metrics if name == "gopline_gaps_total"}
    for cause in causes | {gap.cause for gap in accounts.gaps}:
        gaps = [gap for gap in accounts.gaps if gap.cause == cause]
        agree(f"gaps of {cause}", len(gaps), told("gopline_gaps_total", cause=cause))
        agree(f"seconds of {cause}", sum(g.ends - g.begins for g in gaps), told("gopline_gap_seconds_total", cause=cause), 0.01 + AT_ONCE * len(gaps))
    reconnects = sum(value for (name, _), value in metrics.items() if name == "gopline_source_reconnects_total")
    agree("outages, reported and counted", report["outages"], reconnects)
    dropped = sum(value for (name, _), value in metrics.items() if name == "gopline_dropped_gops_total")
    if dropped or report["dropped_bytes"]:
        wrong.append(f"{stream}: {dropped:g} GOPs were dropped, {report['dropped_bytes']} bytes")
    return wrong


def check_verified(stream, accounts, report):
    """`report`: the stream's in verify --json."""
    wrong = [f"{stream}: verify: {problem['kind']}: {problem['message']}" for problem in report["problems"]]
    kept = [segment for segment in accounts.segments if segment.offset >= report["first_offset"]]
    if report["counts"]["segments"] != len(kept):
        wrong.append(f"{stream}: verify has read {report['counts']['segments']} segments, the index has {len(kept)} of what remains")
    stated = {(gap.epoch, gap.segment, gap.cause, gap.begins, gap.ends) for gap in map(Gap.of, report["gaps"])}
    known = {(s.gap.epoch, s.gap.segment, s.gap.cause, s.gap.begins, s.gap.ends) for s in kept if s.gap}
    first = {gap for gap in stated ^ known if kept and gap[:2] == (kept[0].epoch, kept[0].number)}  # its record may have expired
    for gap in sorted((stated ^ known) - first):
        wrong.append(f"{stream}: gap {gap[2]} before segment {gap[0]}/{gap[1]} is known to {'verify' if gap in stated else 'the index'} alone")
    return wrong


# ---- resources

@dataclass
class Trend:
    name: str
    first: float  # medians of the first and the last tenth after warm-up
    last: float
    most: float
    drift: float  # by the slope, over the whole time after warm-up
    bound: float
    judged: bool

    @property
    def holds(self):
        return not self.judged or self.drift <= self.bound


def slope(points):
    """Theil and Sen's: the median of the slopes between all pairs; a quarter of the points may be anything."""
    points = points[:: max(1, len(points) // 300)]
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for i, a in enumerate(points) for b in points[i + 1:] if b[0] > a[0]]
    return statistics.median(slopes) if slopes else 0.0


def trend(name, points, warm_up, share, more, judged):
    """Flat: what the slope adds up to over the time after warm-up is at most `share` of the median, and `more`."""
    points = [point for point in points if point[0] >= warm_up] or points[-1:]
    values = [value for _, value in points]
    tenth = max(1, len(values) // 10)
    drift = slope(points) * (points[-1][0] - points[0][0])
    return Trend(name, statistics.median(values[:tenth]), statistics.median(values[-tenth:]), max(values), drift,
                 share * statistics.median(values) + more, judged)
