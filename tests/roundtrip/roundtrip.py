"""roundtrip.py --program GOPLINE [GROUP...] [--case NAME] [--keep DIR]: runs cases of cases.py; exit code 1 when one differs."""
import argparse
import filecmp
import json
import shlex
import shutil
import sys
import tempfile
import time
from fractions import Fraction
from pathlib import Path

from cases import CASES
from compare import carried, first_difference, frame_lines, packet_lines, payload_lines, run, same_but_for_ticks

MEDIA = Path(__file__).resolve().parents[2] / "media"
SUBTITLES = "1\n00:00:00,500 --> 00:00:01,500\nA person at the door\n\n2\n00:00:02,100 --> 00:00:03,900\nGone\n"
TICK = Fraction(1, 500)  # fragments keep the source's clock, mp4 has its own: both may round to a millisecond


class Skip(Exception):
    """This machine's ffmpeg cannot make what the case needs."""


def make_source(case, folder):
    """The path of the case's source. `make` may have alternatives (` | `: the first that works) of steps (` ; `)."""
    if case.clip:
        return MEDIA / case.clip
    (folder / "subtitles.srt").write_text(SUBTITLES, encoding="utf-8")
    source = folder / f"source.{case.extension}"
    for alternative in case.make.split(" | "):
        steps = alternative.split(" ; ")
        if all(run_step(step, folder, source) for step in steps) and source.exists():
            return source
    raise Skip("this ffmpeg cannot make it")


def run_step(step, folder, source):
    arguments, _, target = step.partition(" -> ")
    words = [word.replace("SUBTITLES", str(folder / "subtitles.srt")).replace("CLIP:", f"{MEDIA}/") for word in shlex.split(arguments)]
    words = [str(folder / word) if word.startswith("FIRST.") else word for word in words]
    output = folder / target.strip() if target else source
    return run(["ffmpeg", "-v", "error", "-y", *words, str(output)]).returncode == 0


def remux(source, maps, target):
    """ffmpeg's own remux of the carried tracks; False when the container cannot hold them."""
    wanted = [word for index in maps for word in ("-map", f"0:{index}")]
    done = run(["ffmpeg", "-v", "error", "-y", "-i", str(source), *wanted, "-map_chapters", "-1", "-c", "copy", str(target)])
    return done.returncode == 0


class Runner:
    def __init__(self, program, folder):
        self.program, self.folder, self.log = program, folder, folder / "log"

    def gopline(self, *arguments):
        done = run([self.program, *arguments])
        if done.returncode != 0:
            raise AssertionError(f"gopline {' '.join(arguments)}: exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
        return done.stdout

    def run(self, case):
        """Lines of what differs."""
        source = make_source(case, self.folder)
        report = json.loads(self.gopline("split", str(source), "--log", str(self.log), "--stream", case.name, "--json", *case.split))
        skipped = {track["index"] for track in report["streams"][0]["skipped_tracks"]}
        maps = carried(str(source), skipped)
        differences, compared = [], 0
        for container in case.into:
            # Fragments pass through as they are; plain mp4 is what ffmpeg makes of the same packets.
            suffix = "mp4" if container == "fmp4" else container
            theirs, ours = self.folder / f"theirs.{container}.{suffix}", self.folder / f"ours.{container}.{suffix}"
            if not remux(source, maps, theirs):
                print(f"    {case.name} -> {container}: ffmpeg cannot either", flush=True)
                continue
            compared += 1
            try:
                self.gopline("aggregate", case.name, "--log", str(self.log), "--output", str(ours), "--format", container, "--quiet")
                difference = self.compare(container, str(ours), str(theirs), len(maps))
            except AssertionError as error:
                difference = str(error)
            if difference:
                differences.append(f"{case.name} -> {container}: {difference}")
        if not compared:
            raise Skip("ffmpeg remuxes it into none of the containers")
        return differences

    @staticmethod
    def compare(container, ours, theirs, count):
        if container == "fmp4":  # mp4 may have a time code track beside the carried ones, made of metadata
            return same_but_for_ticks(payload_lines(ours), payload_lines(theirs)[:count], TICK)
        if filecmp.cmp(ours, theirs, shallow=False):
            return None  # nothing that a reader of files could tell apart
        difference = first_difference(packet_lines(ours), packet_lines(theirs))
        if difference:
            return difference
        difference = first_difference(frame_lines(ours), frame_lines(theirs))
        return f"decoded, {difference}" if difference else None


def run_case(case, program, keep):
    folder = Path(tempfile.mkdtemp(prefix="gopline-roundtrip-"))
    began = time.monotonic()
    try:
        differences = Runner(program, folder).run(case)
        verdict = "differs" if differences else "identical"
    except Skip as reason:
        differences, verdict = [], f"skipped: {reason}"
    except AssertionError as error:
        differences, verdict = [f"{case.name}: {error}"], "failed"
    finally:
        if keep:
            shutil.copytree(folder, Path(keep) / case.name, dirs_exist_ok=True)
        shutil.rmtree(folder)
    print(f"{case.name:24} {verdict} ({time.monotonic() - began:.1f} s)", flush=True)
    for difference in differences:
        print(f"  {difference}", flush=True)
    return not differences


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", help="groups of cases.py; none: all")
    parser.add_argument("--program", required=True, help="the gopline program")
    parser.add_argument("--case", action="append", default=[], help="only the cases of this name")
    parser.add_argument("--keep", help="leave the cases' files in this folder")
    arguments = parser.parse_args()
    chosen = [case for case in CASES if (not arguments.groups or case.group in arguments.groups)
              and (not arguments.case or case.name in arguments.case)]
    if not chosen:
        parser.error("no such case; groups: " + " ".join(sorted({case.group for case in CASES})))
    results = [run_case(case, arguments.program, arguments.keep) for case in chosen]
    print(f"{sum(results)} of {len(results)} cases hold")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
