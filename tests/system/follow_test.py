"""gopline aggregate --follow: a stream put together while it is being split, by the programs that users run."""

import json
import signal
import socket
import subprocess
import time
import unittest
import urllib.request
from datetime import datetime, timedelta, timezone

from support import INTERRUPTED, USAGE, WHOLE, SystemTest


class Following(SystemTest):
    def follow(self, *options):
        """Starts following the stream `street`, which is there; what is split after the call is seen."""
        process = self.start_gopline("aggregate", "street", "--follow", *options)
        self.said = self.await_said(process, "following street\n")
        return process

    def split_an_epoch(self, *options):
        self.run_gopline("split", self.clip("street.mp4"), "--stream", "street", *options)

    def start_splitting(self, *options):
        return self.start_gopline("split", self.clip("street.mp4"), "--stream", "street", "--rate", "realtime", *options)

    def stored(self, path, *options):
        """The newest epoch as `aggregate` makes it of the whole."""
        self.run_gopline("aggregate", "street", "--output", path, *options)
        return path

    def wait_for_size(self, path, size, process):
        while not path.exists() or path.stat().st_size < size:
            self.assertIsNone(process.poll(), self.said)
            time.sleep(0.05)

    def test_an_epoch_comes_out_byte_for_byte_while_it_is_made(self):
        self.split_an_epoch()
        out = self.folder / "out.mp4"
        process = self.follow("--output", out, "--format", "fmp4", "--max-delay", "3s")
        splitting = self.start_splitting("--segment-duration", "1s")
        part = self.folder / "out.mp4.part"
        self.wait_for_size(part, 1, process)
        self.assertIsNone(splitting.poll(), "something came out before the source was at its end")
        self.assertEqual(splitting.wait(), WHOLE)
        whole = self.stored(self.folder / "whole.mp4", "--format", "fmp4")
        self.wait_for_size(part, whole.stat().st_size, process)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertEqual(out.read_bytes(), whole.read_bytes())
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(self.clip("street.mp4")))
        self.assertFalse([line for line in self.said if line.startswith("gap")])

    def test_until_ends_it_and_the_packets_are_the_clips(self):
        self.split_an_epoch()
        out = self.folder / "out.ts"
        until = (datetime.now(timezone.utc) + timedelta(seconds=8)).isoformat()
        process = self.follow("--output", out, "--until", until, "--max-delay", "2s")
        self.start_splitting("--segment-duration", "1s")
        self.assertEqual(process.wait(), WHOLE)
        got, known = self.packet_hashes(out), self.packet_hashes(self.transport_stream())
        for track, packets in got.items():
            self.assertGreater(len(packets), 20)
            self.assertLess(len(packets), len(known[track]))
            self.assertEqual(packets, known[track][: len(packets)])

    def test_a_pipe_gets_what_there_is_when_it_is_there(self):
        self.split_an_epoch()
        for container in ("fmp4", "ts"):
            process = self.follow("--output", "-", "--format", container, "--max-delay", "2s")
            splitting = self.start_splitting("--segment-duration", "500ms")
            for _ in range(3):
                self.assertTrue(process.stdout.read1(1 << 20))
            self.assertIsNone(splitting.poll(), "long before the source was at its end")
            splitting.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            self.assertEqual(process.wait(), INTERRUPTED)
            splitting.wait()

    def test_a_writer_that_is_killed_is_followed_by_the_next(self):
        self.split_an_epoch()
        out = self.folder / "out.mp4"
        process = self.follow("--output", out, "--format", "fmp4")
        part = self.folder / "out.mp4.part"
        first = self.start_splitting("--segment-duration", "500ms")
        self.wait_for_size(part, 100_000, process)
        first.kill()
        first.wait()
        size = part.stat().st_size
        second = self.start_splitting("--segment-duration", "500ms")
        self.wait_for_size(part, size + 200_000, process)
        second.send_signal(signal.SIGINT)
        second.wait()
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(), INTERRUPTED)
        times = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "packet=dts_time", "-of", "csv=p=0", out],
                               capture_output=True, text=True, check=True).stdout.split()
        times = [float(line.strip(",")) for line in times]
        self.assertEqual(times, sorted(times))

    def test_catching_up_from_a_time_that_is_past(self):
        self.split_an_epoch("--segment-duration", "1s")
        segments = self.segments("street")
        end = self.folder / "end.mp4"
        process = self.start_gopline("aggregate", "street", "--follow", "--from", segments[2]["time"], "--output", end, "--format", "fmp4",
                                     "--until", "2200-01-01T00:00:00Z")
        whole = self.stored(self.folder / "whole.mp4", "--format", "fmp4", "--from", segments[2]["time"])
        self.said = []
        self.wait_for_size(self.folder / "end.mp4.part", whole.stat().st_size, process)
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED)
        self.assertEqual(end.read_bytes(), whole.read_bytes())

    def start_splitting_in_parts(self, *options):
        """One GOP of five seconds."""
        return self.start_gopline("split", self.clip("bunny.mp4"), "--stream", "street", "--rate", "realtime", "--latency", "low", *options)

    def test_parts_come_out_while_their_gop_is_open(self):
        self.split_an_epoch()
        out = self.folder / "out.mp4"
        process = self.follow("--output", out, "--format", "fmp4", "--json")
        splitting = self.start_splitting_in_parts()
        part = self.folder / "out.mp4.part"
        self.wait_for_size(part, 100_000, process)
        self.assertIsNone(splitting.poll(), "the GOP ends with its source")
        self.assertEqual(splitting.wait(), WHOLE)
        whole = self.stored(self.folder / "whole.mp4", "--format", "fmp4")
        self.wait_for_size(part, whole.stat().st_size, process)
        process.send_signal(signal.SIGINT)
        report = json.loads(process.stdout.read())
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertEqual(out.read_bytes(), whole.read_bytes())
        self.assertEqual(self.packet_hashes(out), self.packet_hashes(self.clip("bunny.mp4")))
        self.assertTrue(report["whole"])
        self.assertGreater(report["follow"]["pieces"], 10 * report["segments"])

    def test_a_writer_that_is_killed_in_a_gop_leaves_its_parts_in_the_output(self):
        self.split_an_epoch()
        out = self.folder / "out.mp4"
        process = self.follow("--output", out, "--format", "fmp4", "--json")
        part = self.folder / "out.mp4.part"
        first = self.start_splitting_in_parts()
        self.wait_for_size(part, 100_000, process)
        first.kill()
        first.wait()
        size = part.stat().st_size
        second = self.start_splitting_in_parts()
        self.wait_for_size(part, size + 100_000, process)
        second.send_signal(signal.SIGINT)
        second.wait()
        process.send_signal(signal.SIGINT)
        report = json.loads(process.stdout.read())
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertEqual([gap["cause"] for gap in report["gaps"] if gap["first_segment"] is not None], ["lost"])
        self.assertIn("what came whole before that is there", report["gaps"][0]["reason"])
        known = self.frame_hashes(self.clip("bunny.mp4"))[0]
        seen = self.frame_hashes(out)[0]
        self.assertEqual([picture for picture in seen if picture not in known], [], "all are the clip's")
        self.assertIn(known[0], seen[1:], "the second writer began anew")

    def test_how_it_goes_is_seen(self):
        self.split_an_epoch()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        out = self.folder / "out.mp4"
        process = self.follow("--output", out, "--format", "fmp4", "--json", "--stats", "--metrics", address)
        self.split_an_epoch("--segment-duration", "1s")
        whole = self.stored(self.folder / "whole.mp4", "--format", "fmp4")
        self.wait_for_size(self.folder / "out.mp4.part", whole.stat().st_size, process)
        listed = self.segments("street")
        segments = sum(segment["epoch"] == listed[-1]["epoch"] for segment in listed)
        metrics = urllib.request.urlopen(f"http://{address}/metrics").read().decode()
        self.assertEqual(urllib.request.urlopen(f"http://{address}/healthz").read(), b"ok\n")
        process.send_signal(signal.SIGINT)
        report = json.loads(process.stdout.read())["follow"]
        self.assertEqual(process.wait(), INTERRUPTED)
        self.assertIn(f'gopline_reader_segments_total{{stream="street"}} {segments}\n', metrics)
        self.assertIn(f'gopline_reader_capture_to_output_seconds_count{{stream="street"}} {segments}\n', metrics)
        self.assertIn('gopline_reader_gaps_total{cause="lost",stream="street"} 0\n', metrics)
        self.assertEqual(report["pieces"], segments)
        self.assertEqual((report["gaps"], report["late"], report["duplicates"], report["buffer_pieces"]), (0, 0, 0, 0))
        self.assertLess(report["read_to_output_seconds"]["p50"], report["capture_to_output_seconds"]["p50"])

    def test_options_that_do_not_go_together(self):
        for options in (["--until", "2026-11-22T18:30:00Z"], ["--stats"], ["--pace", "arrival"], ["--metrics", "127.0.0.1:0"], ["--min-delay", "1s"], ["--follow", "--epoch", "all"],
                        ["--follow", "--min-delay", "5s", "--max-delay", "1s"]):
            self.run_gopline("aggregate", "street", "--output", "out.mp4", *options, code=USAGE)


if __name__ == "__main__":
    unittest.main()
