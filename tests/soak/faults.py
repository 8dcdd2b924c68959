"""What is done to cameras, and what then may be missing."""

import random
from dataclasses import dataclass, field
from typing import Callable

SETTLED = 8  # seconds after which what was done and healed shows in the log: a segment, and the next


@dataclass(frozen=True)
class Mount:
    """One stream of one camera process."""
    name: str
    camera: int
    clip: str  # what is played, by its name among the clips
    udp: bool = False
    login: bool = False


@dataclass(frozen=True)
class Kind:
    """One way to misbehave. `begin` and `heal` take (camera, stream's name, clips); of a whole camera the name is None."""
    name: str
    what: str
    whole: bool  # of a camera and all its streams
    interrupts: bool  # the connection ends, so that an epoch does
    lasts: Callable[[float], tuple]  # by the program's patience: (least, most) seconds
    begin: Callable
    heal: Callable = lambda camera, stream, clips: None
    fits: Callable[[Mount], bool] = lambda mount: True
    gaps: frozenset = frozenset()  # causes of gaps that may come of it besides


@dataclass
class Fault:
    kind: Kind
    camera: int
    streams: list
    began: float  # time.time(), as all below
    until: float  # when it is to be healed
    healed: float = None
    over: float = None  # when all that it did is seen to be over
    epochs_before: dict = field(default_factory=dict)

    def covers(self, when, before=3.0, after=3.0):
        return self.began - before <= when <= (self.over or float("inf")) + after


OUTAGE = frozenset({"source-outage"})
CLOCK = frozenset({"clock", "source-outage"})  # capture times move, and where they move on nobody can tell it from a pause


def short(least, most):
    return lambda patience: (least, most)


def beyond(more):
    return lambda patience: (patience + 2, patience + more)


def change_password(camera, stream, clips):
    camera.change_password("another")
    camera.close()


def deny(camera, stream, clips):
    camera.deny(stream)
    camera.close(stream)


def restart(camera, stream, clips):
    camera.stop()
    camera.start()


KINDS = [
    Kind("hang", "sends nothing for longer than the timeout", False, True, beyond(8),
         lambda c, s, _: c.hang(s), lambda c, s, _: c.resume(s)),
    Kind("stall", "sends nothing for less than the timeout", False, False, lambda patience: (1.5, patience - 1.5),
         lambda c, s, _: c.hang(s), lambda c, s, _: c.resume(s), gaps=OUTAGE),
    Kind("freeze", "SIGSTOP for longer than the timeout", True, True, beyond(8),
         lambda c, s, _: c.pause(), lambda c, s, _: c.proceed()),
    Kind("nap", "SIGSTOP for less than the timeout; what it sends then is late", True, False, lambda patience: (1, patience - 2),
         lambda c, s, _: c.pause(), lambda c, s, _: c.proceed()),
    Kind("die", "SIGKILL; started again later", True, True, beyond(10), lambda c, s, _: c.kill(), lambda c, s, _: c.start()),
    Kind("restart", "ends, and is started at once", True, True, short(0, 0), restart),
    Kind("close", "closes the connection", False, True, short(0, 0), lambda c, s, _: c.close(s)),
    Kind("refuse", "nobody listens at its port", True, True, beyond(8), lambda c, s, _: c.refuse(), lambda c, s, _: c.listen()),
    Kind("deny", "closes, then answers DESCRIBE with 503", False, True, beyond(8), deny, lambda c, s, _: c.resume(s)),
    Kind("password", "closes, and has another password for a while", True, True, short(4, 12), change_password,
         lambda c, s, _: c.change_password(c.password), fits=lambda m: m.login),
    Kind("mute", "no sound", False, False, short(4, 12), lambda c, s, _: c.mute(s), lambda c, s, _: c.unmute(s),
         fits=lambda m: m.clip != "street_hevc"),
    Kind("late-sound", "sound comes 2 s late", False, False, short(6, 12), lambda c, s, _: c.delay_audio(2, s),
         lambda c, s, _: c.delay_audio(0, s), fits=lambda m: m.clip != "street_hevc"),
    Kind("resolution", "other parameter sets in mid-stream", False, False, short(6, 12),
         lambda c, s, clips: c.switch(clips["small"], s), lambda c, s, clips: c.switch(clips["street"], s),
         fits=lambda m: m.clip == "street"),
    Kind("loss", "RTP packets lost, repeated and reordered (UDP)", False, False, short(5, 10),
         lambda c, s, _: c.lose(s, lose=0.02, repeat=0.01, reorder=0.02), lambda c, s, _: c.lose(s), fits=lambda m: m.udp),
    Kind("wild", "one picture's timestamp is an hour off", False, False, short(0, 0), lambda c, s, _: c.wild(3600, s), gaps=CLOCK),
    Kind("jump", "all timestamps jump by 100 s", False, False, short(0, 0), lambda c, s, _: c.jump(100, s), gaps=CLOCK),
    Kind("clock", "its wall clock is 5 s ahead for a while", False, False, short(8, 15), lambda c, s, _: c.set_clock(5, s),
         lambda c, s, _: c.set_clock(0, s), gaps=CLOCK),
    Kind("no-reports", "no sender reports", False, False, short(8, 15), lambda c, s, _: c.send_reports(False, s),
         lambda c, s, _: c.send_reports(True, s)),
]


class Director:
    """Chooses what is done next, to whom: each kind as often as the others, at most one at a time to a stream."""

    def __init__(self, mounts, kinds, patience, seed):
        self.mounts, self.kinds, self.patience = mounts, kinds, patience
        self.random = random.Random(seed)
        self.deck = []
        self.active = []  # faults that are not over

    def next(self, now, most):
        """A fault to begin now that is healed within `most` seconds, or None where none fits."""
        if not self.deck:
            self.deck = list(self.kinds)
            self.random.shuffle(self.deck)
        for kind in list(self.deck):
            least, longest = kind.lasts(self.patience)
            targets = self.targets(kind)
            if least > most or not targets:
                continue
            self.deck.remove(kind)
            camera, streams = self.random.choice(targets)
            return Fault(kind, camera, streams, now, now + self.random.uniform(least, min(longest, most)))
        self.deck = []  # what does not fit now shall not keep the others waiting
        return None

    def targets(self, kind):
        busy = {stream for fault in self.active for stream in fault.streams}
        stopped = {fault.camera for fault in self.active if fault.kind.whole}
        free = [m for m in self.mounts if m.name not in busy and m.camera not in stopped and kind.fits(m)]
        if not kind.whole:
            return [(mount.camera, [mount.name]) for mount in free]
        cameras = {}
        for mount in self.mounts:
            cameras.setdefault(mount.camera, []).append(mount.name)
        names = {mount.name for mount in free}
        return [(camera, streams) for camera, streams in cameras.items() if names.issuperset(streams)]
