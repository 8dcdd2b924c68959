"""Clips and snapshots of `gopline serve`: what was asked for, to the picture, by what ffmpeg says of them."""

import hashlib
import json
import subprocess
import unittest

from serving import START, Server, ServeTest, tags


class Clips(ServeTest):
    def clip_of(self, server, stream, begin, end):
        response, body = server.ask(f"/streams/{stream}/clip.mp4?from={begin}&to={end}")
        self.assertEqual(response.status, 200, body[:300])
        self.assertIn("attachment", response.headers["Content-Disposition"])
        file = self.folder / "clip.mp4"
        file.write_bytes(body)
        return file

    def pictures_shown(self, path):
        """Hashes of the pictures that a player shows: those at or after zero."""
        out = self.folder / "shown.txt"
        self.ffmpeg("-copyts", "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framehash", out)
        rows = [[c.strip() for c in line.split(",")] for line in out.read_text().splitlines() if not line.startswith("#")]
        return [row[5] for row in rows if int(row[2]) >= 0]

    def test_a_clip_begins_with_the_picture_that_was_asked_for(self):
        self.split(self.clip("street.mp4"))
        server = Server(self)
        whole = self.pictures_shown(self.clip("street.mp4"))
        clip = self.clip_of(server, "street", "2026-11-22T18:00:05Z", "2026-11-22T18:00:09Z")
        shown = self.pictures_shown(clip)
        self.assertEqual(shown[:40], whole[50:90])
        self.assertLessEqual(len(shown), 43)  # and what is decoded for the last of them

    def test_a_clip_from_a_key_frame_hides_nothing(self):
        self.split(self.clip("street.mp4"))
        server = Server(self)
        clip = self.clip_of(server, "street", "2026-11-22T18:00:04Z", "2026-11-22T18:00:30Z")
        self.assertEqual(self.pictures_shown(clip), self.pictures_shown(self.clip("street.mp4"))[40:])

    def test_a_clip_over_an_outage_keeps_its_times(self):
        for second in ("00", "30"):
            self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "gate", "--start-time", f"2026-11-22T18:00:{second}Z")
        clip = self.clip_of(Server(self), "gate", "2026-11-22T18:00:00Z", "2026-11-22T18:01:00Z")
        done = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "csv=p=0", clip],
                              capture_output=True, text=True, check=True)
        times = [float(line.strip(",")) for line in done.stdout.split()]
        self.assertEqual(len(times), 160)
        self.assertAlmostEqual(times[80] - times[0], 30, delta=0.2)

    def test_a_clip_can_be_gone_on_with(self):
        """Who was cut off asks for the rest, and gets it only of the same file."""
        self.split(self.clip("street.mp4"))
        server = Server(self)
        target = "/streams/street/clip.mp4?from=2026-11-22T18:00:05Z&to=2026-11-22T18:00:15Z"
        response, whole = server.ask(target)
        tag = response.headers["ETag"]
        self.assertAlmostEqual(int(response.headers["Expected-Size"]) / len(whole), 1, delta=0.25)  # two segments of six in part
        self.assertEqual(server.ask(target)[1], whole)  # or a part of another could not follow
        for wanted, part in (("bytes=70000-", whole[70000:]), ("bytes=100-199", whole[100:200]), ("bytes=-50", whole[-50:])):
            response, body = Server(self).ask(target, headers={"Range": wanted, "If-Range": tag})
            self.assertEqual((response.status, body == part), (206, True), wanted)
            self.assertTrue(response.headers["Content-Range"].endswith(f"/{len(whole)}"))
            self.assertEqual(response.headers["Content-Length"], str(len(part)))
        self.assertEqual(server.ask(target, headers={"Range": "bytes=5-", "If-Range": '"other"'})[0].status, 200)
        self.assertEqual(server.ask(target, headers={"If-None-Match": tag})[0].status, 304)
        self.assertEqual(server.ask(target, headers={"Range": f"bytes={len(whole)}-"})[0].status, 416)
        self.assertEqual(server.ask(target)[0].headers["Content-Length"], str(len(whole)))  # it is known by now

    def test_what_a_clip_is_made_of(self):
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "gate", "--start-time", START)
        self.run_gopline("split", self.clip("street_av1.mp4"), "--stream", "gate", "--start-time", "2026-11-22T18:00:30Z")
        server = Server(self)
        interval = "from=2026-11-22T18:00:03Z&to=2026-11-22T18:00:33Z"
        clip = server.ask(f"/streams/gate/clip.mp4?{interval}")[1]
        facts = self.json(server, f"/streams/gate/clip.json?{interval}")
        self.assertEqual((facts["size"], facts["sha256"]), (len(clip), hashlib.sha256(clip).hexdigest()))
        self.assertEqual([epoch["clock"] for epoch in facts["epochs"]], ["given", "given"])
        kept = {(s["epoch"], s["segment"]): s["time"] for s in self.segments("gate")}
        for segment in facts["segments"]:
            self.assertTrue(segment["whole"])
            self.assertEqual(segment["time"][:19], kept[segment["epoch"], segment["segment"]][:19])
        self.assertEqual([segment["segment"] for segment in facts["segments"]], [1, 2, 3, 0, 1])
        whole = b"".join(server.ask(f"/streams/gate/{uri}")[1] for uri in ("init/" + self.init_of(server), "segments/0-1.m4s"))
        self.assertEqual(facts["segments"][0]["sha256"], hashlib.sha256(whole).hexdigest())

    def init_of(self, server):
        playlist = self.text(server, "/streams/gate/hls.m3u8")
        return tags(playlist, "EXT-X-MAP")[0].split("init/")[1].split('"')[0]

    def test_what_does_not_fit_one_file_says_where_it_changes(self):
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "gate", "--start-time", START)
        self.run_gopline("split", self.clip("cup.mp4"), "--stream", "gate", "--start-time", "2026-11-22T18:01:00Z")
        server = Server(self)
        target = "/streams/gate/clip.mp4?from=2026-11-22T18:00:00Z&to=2026-11-22T19:00:00Z"
        self.assertIn("2026-11-22T18:01:00", self.json(server, target, 415)["error"])
        self.assertIn("two times", self.json(server, "/streams/gate/clip.mp4?from=2026-11-22T18:00:00Z", 400)["error"])
        nothing = "/streams/gate/clip.mp4?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z"
        self.assertIn("no footage", self.json(server, nothing, 404)["error"])


class Snapshots(ServeTest):
    def greys(self, *arguments):
        """Pictures as grey values, 96 by 72, one after the other."""
        out = self.folder / "greys"
        self.ffmpeg(*arguments, "-map", "0:v", "-fps_mode", "passthrough", "-vf", "scale=96:72", "-pix_fmt", "gray", "-f", "rawvideo", out)
        raw = out.read_bytes()
        return [raw[at:at + 96 * 72] for at in range(0, len(raw), 96 * 72)]

    def test_it_is_the_picture_of_that_time(self):
        for clip in ("street.mp4", "street_hevc.mp4"):
            self.split(self.clip(clip), "--stream", clip)
            pictures = self.greys("-i", self.clip(clip))
            server = Server(self)
            # The last picture before an open GOP's key frame lies behind that in the stream.
            for second, number in (("05.25", 52), ("06.00", 60), ("07.99", 79)):
                response, jpeg = server.ask(f"/streams/{clip}/snapshot.jpg?at=2026-11-22T18:00:{second}Z")
                self.assertEqual((response.status, response.headers["Content-Type"]), (200, "image/jpeg"), jpeg[:300])
                self.assertTrue(response.headers["Capture-Time"].startswith(f"2026-11-22T18:00:{number / 10:04.1f}"), response.headers["Capture-Time"])
                file = self.folder / "snapshot.jpg"
                file.write_bytes(jpeg)
                shown, = self.greys("-i", file)
                unlike = [sum(abs(a - b) for a, b in zip(shown, picture)) for picture in pictures]
                self.assertEqual(unlike.index(min(unlike)), number)

    def test_small_ones_are_kept_by_who_asks(self):
        self.split(self.clip("street.mp4"))
        server = Server(self)
        response, small = server.ask("/streams/street/snapshot.jpg?width=160")
        self.assertLess(len(small), 20_000)
        response, _ = server.ask("/streams/street/snapshot.jpg?width=160", headers={"If-None-Match": response.headers["ETag"]})
        self.assertEqual(response.status, 304)

    def test_what_cannot_be_shown_says_so(self):
        self.split(self.clip("street.mp4"))
        server = Server(self)
        self.json(server, "/streams/street/snapshot.jpg?at=2026-11-22T17:00:00Z", 404)
        self.json(server, "/streams/street/snapshot.jpg?width=5", 400)
        self.json(server, "/streams/street/snapshot.jpg?at=noon", 400)


if __name__ == "__main__":
    unittest.main()
