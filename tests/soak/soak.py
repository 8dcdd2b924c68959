#!/usr/bin/env python3
"""Runs gopline on a fleet of cameras that misbehave all the time, and accounts for every gap that the log then has.

    ./dev soak [--minutes 30] [--cameras 50] [--log URL] [--json FILE]

Every few seconds something is done to a camera (faults.py). Meanwhile the program's memory, threads and descriptors are
looked at, and at the end what is in the log is compared with what was done (accounts.py), with the metrics, and by
`gopline verify`. The exit code is 0 only when all of it holds.
"""
import argparse
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from datetime import datetime
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [os.fspath(HERE.parents[1] / "tools" / "camera"), os.fspath(HERE.parents[1] / "tools" / "kafka")]
from accounts import Accounts, Segment, check_metrics, check_verified, trend  # noqa: E402
from camera import Camera, CameraError, source  # noqa: E402
from faults import KINDS, SETTLED, Director, Mount  # noqa: E402
from jvm import die_with_parent  # noqa: E402
from ports import LOOPBACK, free_ports  # noqa: E402

GOPLINE = os.environ.get("GOPLINE") or os.fspath(ROOT / "build" / "gopline")
MEDIA = Path(os.environ.get("GOPLINE_MEDIA") or ROOT / "media")
CLIPS = {"street": ("street.mp4", 92e3), "door": ("door_g711.mkv", 76e3), "street_hevc": ("street_hevc.mp4", 64e3), "cup": ("cup.mp4", 195e3)}  # bytes/s
PATIENCE = 5  # --source-timeout
PARTITIONS = 8
COMES_BACK_WITHIN = 150  # seconds; a wrong login is tried again after 30 to 60
JUDGED_FROM = 5 * 60  # seconds of a run from which on memory can be called flat
SERIES = re.compile(r"^(gopline_\w+)\{([^}]*)\} (\S+)", re.MULTILINE)
WANTED = ("gopline_source_state", "gopline_source_reconnects_total", "gopline_epochs_total", "gopline_segments_total", "gopline_gaps_total",
          "gopline_gap_seconds_total", "gopline_dropped_gops_total", "gopline_source_corrupt_packets_total")


class SoakError(Exception):
    """The run itself could not be made."""


class Fleet:
    """The cameras, what is played by them, and the file that tells gopline of them."""

    def __init__(self, count, folder):
        processes = max(3, min(10, count // 5))
        clips = list(CLIPS)
        self.mounts = [Mount(f"cam{i:03}", i % processes, clips[(i // processes + i) % len(clips)], udp=i % 5 == 4, login=i % processes % 3 == 2)
                       for i in range(count)]
        self.clips = {name: MEDIA / file for name, (file, _) in CLIPS.items()}
        self.clips["small"] = folder / "small.mp4"
        done = subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", self.clips["street"], "-vf", "scale=384:288", "-c:v", "libx264", "-g", "20",
                               "-c:a", "copy", self.clips["small"]], capture_output=True, text=True)
        if done.returncode != 0:
            raise SoakError(f"ffmpeg: {done.stderr}")
        self.cameras = [self._camera(number) for number in range(processes)]
        self.bytes_per_second = sum(CLIPS[mount.clip][1] for mount in self.mounts)
        for camera in {mount.camera for mount in self.mounts if mount.login}:
            (folder / f"{camera}.login").write_text(self._login(camera) + "\n")
        self.config = folder / "cameras.yaml"
        self.config.write_text(f"defaults: {{source_timeout: {PATIENCE}s}}\ncameras:\n" + "".join(map(self._entry, self.mounts)))

    def start(self):
        for camera in self.cameras:
            camera.start()

    def stop(self):
        for camera in self.cameras:
            camera.__exit__()

    def _login(self, number):
        return f"admin:s3cret-{number}"

    def _camera(self, number):
        mine = [mount for mount in self.mounts if mount.camera == number]
        user, password = self._login(number).split(":") if mine[0].login else (None, None)
        return Camera({mount.name: source(self.clips[mount.clip], rtcp=2) for mount in mine}, user=user, password=password)

    def _entry(self, mount):
        text = f"  - source: rtsp://{LOOPBACK}:{self.cameras[mount.camera].port}/{mount.name}\n"
        if mount.udp:
            text += "    rtsp_transport: udp\n"
        if mount.login:
            text += f"    credentials: {mount.camera}.login\n"
        return text


class Program:
    """gopline split --config, with what it says in a file and its metrics at hand."""

    def __init__(self, config, log, retention, folder):
        self.address = f"{LOOPBACK}:{free_ports(1)[0]}"
        self.said = open(folder / "gopline.log", "wb")
        self.result = folder / "result.json"
        command = [GOPLINE, "split", "--config", os.fspath(config), "--log", log, "--partitions", str(PARTITIONS), "--retention-bytes", str(retention),
                   "--metrics", self.address, "--log-format", "json", "--json"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GOPLINE")}
        parent = os.getpid()
        with open(self.result, "wb") as result:  # a session of its own: Ctrl-C is for us
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=result, stderr=subprocess.PIPE, env=environment,
                                            start_new_session=True, preexec_fn=lambda: die_with_parent(parent))
        os.set_blocking(self.process.stderr.fileno(), False)

    def listen(self, until):
        """Writes down what it says until then. SoakError when it has ended."""
        while (left := until - time.monotonic()) > 0:
            if not select.select([self.process.stderr], [], [], left)[0]:
                return
            said = self.process.stderr.read(1 << 20)
            if said == b"":
                raise SoakError(f"gopline ended by itself, with {self.process.wait()}; what it said is in {self.said.name}")
            self.said.write(said or b"")

    def metrics(self):
        """{stream: {(name, labels besides): value}}, or {} while it is not listening yet."""
        try:
            text = urllib.request.urlopen(f"http://{self.address}/metrics", timeout=30).read().decode()
        except OSError:
            return {}
        found = {}
        for name, labels, value in SERIES.findall(text):
            if name in WANTED:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', labels))
                found.setdefault(labels.pop("stream"), {})[name, tuple(sorted(labels.items()))] = float(value)
        return found

    def resources(self):
        """(resident bytes, threads, descriptors, CPU seconds), from /proc."""
        folder = Path(f"/proc/{self.process.pid}")
        status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines())
        times = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        cpu = (int(times[11]) + int(times[12])) / os.sysconf("SC_CLK_TCK")
        return int(status["VmRSS"].split()[0]) * 1024, int(status["Threads"]), len(os.listdir(folder / "fd")), cpu

    def interrupt(self):
        """Ends it; the report, as JSON. By SIGTERM: who starts the soak in the background gives its children a SIGINT that is ignored."""
        self.process.send_signal(signal.SIGTERM)
        _, rest = self.process.communicate(timeout=120)
        self.said.write(rest)
        if self.process.returncode != 130:
            raise SoakError(f"gopline ended with {self.process.returncode}, not 130; what it said is in {self.said.name}")
        return {stream["stream"]: stream for stream in json.loads(self.result.read_text())["streams"]}

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()
        self.said.close()


def value(metrics, stream, name, **labels):
    return metrics.get(stream, {}).get((name, tuple(sorted(labels.items()))), 0)


def is_live(metrics, stream):
    return value(metrics, stream, "gopline_source_state", state="live") == 1 and value(metrics, stream, "gopline_segments_total") > 0


class Soak:
    def __init__(self, fleet, program, arguments):
        self.fleet, self.program, self.arguments = fleet, program, arguments
        self.director = Director(fleet.mounts, KINDS, PATIENCE, arguments.seed)
        self.streams = [mount.name for mount in fleet.mounts]
        self.faults, self.samples = [], []
        self.began = None
        self.known = {}  # the newest metrics
        self.is_interrupted = False
        self.all_live = []  # resources while all cameras were live, before the first fault and after the last

    def run(self):
        self._turn_until(lambda: all(is_live(self.known, stream) for stream in self.streams), "the cameras were not all live")
        self._quiet()
        self.began = time.monotonic()
        ends = self.began + self.arguments.minutes * 60
        next_fault, next_note = self.began, self.began + 60
        while (now := time.monotonic()) < ends and not self.is_interrupted:
            if now >= next_fault:
                next_fault = now + self.arguments.every
                if fault := self.director.next(time.time(), ends - now):
                    self._begin(fault)
            if now >= next_note:
                next_note += 60
                rss, threads, descriptors, _ = self.program.resources()
                print(f"soak: {(now - self.began) / 60:.0f} min: {len(self.faults)} faults, {rss / 1e6:.0f} MB, {threads} threads, "
                      f"{descriptors} descriptors", file=sys.stderr)
            self._turn()
        for fault in self.director.active:
            fault.until = min(fault.until, time.time())
        self._turn_until(lambda: not self.director.active, "not all cameras came back", fatal=False)
        self._turn_until(lambda: all(is_live(self.known, stream) for stream in self.streams), "the cameras were not all live again", fatal=False)
        self._quiet()
        self.seconds = time.monotonic() - self.began
        self.known = self.program.metrics()
        return self.program.interrupt()

    def interrupt(self):
        self.is_interrupted = True

    # ---- inside

    def _turn(self):
        """Half a second of listening, a look at everything, and whatever is due."""
        self.program.listen(time.monotonic() + 0.5)
        now = time.time()
        for fault in self.director.active:
            if fault.healed is None and now >= fault.until:
                fault.kind.heal(self.fleet.cameras[fault.camera], *self._of(fault))
                fault.healed = time.time()
        if len(self.samples) == 0 or time.monotonic() - self.samples[-1][0] >= 2:
            self.samples.append((time.monotonic(), *self.program.resources()))
            self.known = self.program.metrics() or self.known
            self._look_what_is_over()

    def _turn_until(self, condition, otherwise, fatal=True):
        until = time.monotonic() + COMES_BACK_WITHIN
        while not condition():
            if time.monotonic() > until:
                if fatal:
                    raise SoakError(f"{otherwise} within {COMES_BACK_WITHIN} s; what gopline said is in {self.program.said.name}")
                return
            self._turn()

    def _quiet(self):
        """A few looks at the resources with nothing going on."""
        seen = []
        while len(seen) < 5:
            self._turn()
            seen.append(self.program.resources()[:3])
        self.all_live.append([sorted(column)[len(seen) // 2] for column in zip(*seen)])

    def _of(self, fault):
        return (None if fault.kind.whole else fault.streams[0]), self.fleet.clips

    def _begin(self, fault):
        fault.epochs_before = {stream: value(self.known, stream, "gopline_epochs_total") for stream in fault.streams}
        fault.began = time.time()
        length = fault.until - fault.began
        fault.kind.begin(self.fleet.cameras[fault.camera], *self._of(fault))
        fault.until = time.time() + length
        if length <= 0:
            fault.healed = time.time()
        self.faults.append(fault)
        self.director.active.append(fault)

    def _look_what_is_over(self):
        for fault in self.director.active:
            if fault.healed is None:
                continue
            back = all(value(self.known, stream, "gopline_epochs_total") > before for stream, before in fault.epochs_before.items())
            if time.time() >= fault.healed + SETTLED and (back or not fault.kind.interrupts):
                fault.over = time.time()
        self.director.active = [fault for fault in self.director.active if fault.over is None]


def gopline_json(*arguments, codes=(0,)):
    done = subprocess.run([GOPLINE, *arguments, "--json"], capture_output=True, text=True)
    if done.returncode not in codes:
        raise SoakError(f"gopline {' '.join(arguments)}: exit {done.returncode}: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout)


def judge(soak, report, log):
    """{check: problems} and what came of every fault."""
    verified = {stream["stream"]: stream for stream in gopline_json("verify", "--all", "--log", log, codes=(0, 3))["streams"]}
    checks = {"every epoch and every gap has its fault, and every fault its gap": [], "the metrics and the report agree with the log": [],
              "verify finds what remains whole, with the same gaps": []}
    explained, metrics, whole = checks.values()
    of_fault, gaps, kept = {}, 0, 0
    for stream in soak.streams:
        segments = [Segment.of(each) for each in gopline_json("inspect", stream, "--log", log)["segments"]]
        accounts = Accounts(stream, segments, soak.faults).check()
        explained += accounts.problems
        metrics += check_metrics(stream, accounts, soak.known.get(stream, {}), report[stream])
        whole += check_verified(stream, accounts, verified[stream])
        gaps += len(accounts.gaps)
        kept += verified[stream]["counts"]["segments"]
        for key, counts in accounts.of_fault.items():
            of_fault[key] = [a + b for a, b in zip(of_fault.get(key, [0, 0, 0.0]), counts)]
    return checks, of_fault, {"segments": sum(s["segments"] for s in report.values()), "bytes": sum(s["bytes"] for s in report.values()),
                              "kept_segments": kept, "epochs": sum(s["epochs"] for s in report.values()), "gaps": gaps,
                              "corrupt_packets": sum(s["corrupt_packets"] for s in report.values())}


def trends(soak):
    warm_up = soak.began + min(300, soak.seconds / 3)
    judged = soak.seconds >= JUDGED_FROM
    columns = (("memory, MB", 1, 1e6, 0.05, 4), ("threads", 2, 1, 0.03, 4), ("descriptors", 3, 1, 0.03, 4))
    return [trend(name, [(sample[0], sample[column] / unit) for sample in soak.samples], warm_up, share, more, judged)
            for name, column, unit, share, more in columns]


def table(rows, header):
    rows = [header, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    return "\n".join("  ".join(cell.ljust(width) if i == 0 or i == len(row) - 1 else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
                     for row in rows)


def result_of(soak, report, log):
    checks, of_fault, totals = judge(soak, report, log)
    kinds = []
    for kind in KINDS:
        mine = [fault for fault in soak.faults if fault.kind is kind]
        sums = [sum(of_fault.get(id(fault), [0, 0, 0])[i] for fault in mine) for i in range(3)]
        kinds.append({"fault": kind.name, "what": kind.what, "times": len(mine), "streams": sum(len(fault.streams) for fault in mine),
                      "epochs": sums[0], "gaps": sums[1], "gap_seconds": round(sums[2], 3)})
    flat = trends(soak)
    cpu = (soak.samples[-1][4] - soak.samples[0][4]) / (soak.samples[-1][0] - soak.samples[0][0])
    # Exact where slopes cannot be: with every camera live there are as many threads as there were in the beginning.
    before, after = soak.all_live
    quiet = [f"{name}: {a} with all cameras live before the first fault, {b} after the last" for name, a, b in zip(("threads", "descriptors"), before[1:], after[1:])
             if abs(a - b) > 2]
    checks["memory, threads and descriptors are flat"] = [f"{t.name}: it grew by {t.drift:.1f} in the run, more than {t.bound:.1f}" for t in flat if not t.holds] + quiet
    return {"seconds": round(soak.seconds), "cameras": len(soak.streams), "seed": soak.arguments.seed, "cpu_cores": round(cpu, 3), **totals,
            "faults": kinds, "resources": [vars(t) for t in flat], "all_live": {"before": before, "after": after},
            "checks": {name: problems for name, problems in checks.items()}, "holds": not any(checks.values())}


def show(result):
    print(table([(k["fault"], k["times"], k["streams"], k["epochs"], k["gaps"], f"{k['gap_seconds']:.1f}", k["what"]) for k in result["faults"]],
                ("FAULT", "TIMES", "STREAMS", "EPOCHS", "GAPS", "GAP SECONDS", "WHAT")))
    print(f"\n{result['cameras']} cameras for {result['seconds'] / 60:.1f} min: {result['segments']} segments, {result['bytes'] / 1e6:.0f} MB, "
          f"{result['epochs']} epochs, {result['gaps']} gaps, {result['kept_segments']} segments kept by retention, {result['cpu_cores']:.2f} cores\n")
    print(table([(t["name"], f"{t['first']:.1f}", f"{t['last']:.1f}", f"{t['most']:.1f}", f"{t['drift']:+.1f}", f"{t['bound']:.1f}",
                  "too short a run to judge" if not t["judged"] else "flat" if t["drift"] <= t["bound"] else "grows") for t in result["resources"]],
                ("RESOURCE", "FIRST", "LAST", "MOST", "GROWN BY", "AT MOST", "RESULT")))
    print()
    for name, problems in result["checks"].items():
        print(f"{'✓' if not problems else '✗'} {name}")
        for problem in problems[:40]:
            print(f"    {problem}")
        if len(problems) > 40:
            print(f"    and {len(problems) - 40} more")


def retention_of(fleet, minutes):
    """Of each partition: a fifth of what is to come, but never so little that entries of the index expire, which the accounts are read from."""
    whole = fleet.bytes_per_second * minutes * 60 / PARTITIONS
    index = len(fleet.mounts) / PARTITIONS * minutes * 30 * 3000 * 2
    return int(max(min(whole / 5, 32e6), index, 1e6))


def main():
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="how long something is done to them (%(default)s)")
    parser.add_argument("--cameras", type=int, default=50, help="at least 3 (%(default)s)")
    parser.add_argument("--every", type=float, default=3, help="seconds from one fault to the next (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the faults (%(default)s)")
    parser.add_argument("--log", help="that does not exist yet; else a folder that is removed again")
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "soak", help="for the work (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the result, with every sample")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="soak-", dir=arguments.folder))
    log = arguments.log or os.fspath(folder / "log")
    program, holds = None, False
    try:
        fleet = Fleet(max(3, arguments.cameras), folder)
        try:
            fleet.start()
            program = Program(fleet.config, log, retention_of(fleet, arguments.minutes), folder)
            soak = Soak(fleet, program, arguments)
            signal.signal(signal.SIGINT, lambda *_: soak.interrupt())
            report = soak.run()
        finally:
            if program:
                program.end()
            fleet.stop()
        result = result_of(soak, report, log)
        show(result)
        holds = result["holds"]
        if arguments.json:
            result["samples"] = [[round(sample[0] - soak.began, 1), *sample[1:]] for sample in soak.samples]
            result["done"] = [{"fault": f.kind.name, "streams": f.streams, "began": datetime.fromtimestamp(f.began).isoformat(), "healed_after": f.healed - f.began,
                               "over_after": f.over and f.over - f.began} for f in soak.faults]
            arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    except (SoakError, CameraError, subprocess.TimeoutExpired) as error:
        print(f"soak: {error}", file=sys.stderr)
    if holds:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"soak: all that there is of it is left in {folder}", file=sys.stderr)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
