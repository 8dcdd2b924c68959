"""What tests of analyzers share."""

import json
import sqlite3

from support import WHOLE, SystemTest


class AnalysisTest(SystemTest):
    def command(self, *arguments):
        if arguments[0] in ("analyze", "events"):
            arguments = (arguments[0], "--log", self.log, *arguments[1:])
        return super().command(*arguments)

    def split(self, *streams, clip=None, **more):
        for stream in streams:
            self.run_gopline("split", clip or self.clip("street.mp4"), "--stream", stream, "--start-time", "2026-11-22T18:00:00Z", "--quiet",
                             "--partitions", "4", **more)

    def analyze(self, analyzer, *more, code=WHOLE):
        out = self.run_gopline("analyze", "--analyzer", analyzer, "--until-end", "--json", *more, code=code)
        return json.loads(out.stdout.splitlines()[-1])

    def events(self, *more):
        return [json.loads(line) for line in self.run_gopline("events", "--json", *more).stdout.splitlines()]

    def record_ids(self, topic="gopline.events"):
        """(key, ce_id) of every record of a topic, as they lie in the log, by SQLite alone."""
        catalogue = sqlite3.connect(self.log / "catalogue.db")
        rows = catalogue.execute("SELECT r.key, r.headers FROM records r JOIN partitions p ON p.id = r.id >> 40 JOIN topics t ON t.id = p.topic "
                                 "WHERE t.name = ? ORDER BY r.id", (topic,)).fetchall()
        catalogue.close()
        return [(key.decode(), headers_of(headers)["ce_id"]) for key, headers in rows]


def headers_of(stored):
    """Pairs of name and value, each behind its length in four bytes."""
    words, at = [], 0
    while at < len(stored):
        size = int.from_bytes(stored[at : at + 4], "big")
        words.append(stored[at + 4 : at + 4 + size].decode())
        at += 4 + size
    return dict(zip(words[::2], words[1::2]))


def seconds(text):
    """Since 18:00:00Z."""
    hours, minutes, rest = text.rstrip("Z").split("T")[1].split(":")
    return (int(hours) - 18) * 3600 + int(minutes) * 60 + float(rest)
