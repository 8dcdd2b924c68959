"""gopline aggregate into the network, received by ffmpeg."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from receivers import PICTURES_ONLY, URLS, Receiver, free_port, pictures_of
from support import FAILED, INTERRUPTED, USAGE, WHOLE, SystemTest, hashes_in

IS_LONG = os.environ.get("GOPLINE_TEST_LONG") == "1"


class Datagrams:
    """A UDP socket that keeps what comes."""

    def __enter__(self):
        self.socket = socket.socket(type=socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.url = f"udp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.bytes = b""
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()
        return self

    def listen(self):
        while datagram := self.socket.recv(65536):
            self.bytes += datagram

    def all(self):
        """After the sender's end: an empty datagram of our own is the last."""
        with socket.socket(type=socket.SOCK_DGRAM) as own:
            own.sendto(b"", self.socket.getsockname())
        self.thread.join()
        return self.bytes

    def __exit__(self, *_):
        self.all()
        self.socket.close()


def discontinuities(stream):
    """The TS packets with discontinuity_indicator (ISO/IEC 13818-1, 2.4.3.5)."""
    packets = [stream[at:at + 188] for at in range(0, len(stream), 188)]
    return [packet for packet in packets if packet[3] & 0x20 and packet[4] > 0 and packet[5] & 0x80]


def dts_of_pictures(path):
    out = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=dts_time", "-of", "csv=p=0", path],
                         capture_output=True, text=True, check=True).stdout.split()
    return [float(line.strip(",")) for line in out if not line.startswith("N/A")]


class OutputTest(SystemTest):
    def short_clip(self, name="street.mp4", seconds=4):
        path = self.folder / f"short-{name}"
        self.ffmpeg("-t", str(seconds), "-i", self.clip(name), "-map", "0", "-c", "copy", path)
        return path

    def split(self, clip, stream, *options):
        self.run_gopline("split", clip, "--stream", stream, *options)

    def push(self, stream, url, *options, code=WHOLE):
        return json.loads(self.run_gopline("aggregate", stream, "--output", url, "--json", *options, code=code).stdout)


class Pushing(OutputTest):
    def assert_is_all(self, got, known):
        """But perhaps for the last picture, which ffmpeg's parser holds until the next one begins, or until a farewell that it hears."""
        self.assertEqual({track: packets[:len(known[track]) - 1] for track, packets in got.items()},
                         {track: packets[:-1] for track, packets in known.items()})

    def test_every_receiver_gets_every_packet(self):
        clip = self.short_clip()
        self.split(clip, "street")
        known = pictures_of(self, clip)
        receivers = [Receiver(self, kind) for kind in URLS]
        with Datagrams() as datagrams, ThreadPoolExecutor() as pool:
            reports = list(pool.map(lambda url: self.push("street", url), [receiver.url for receiver in receivers] + [datagrams.url]))
            stream = self.folder / "udp.ts"
            stream.write_bytes(datagrams.all())
        got = {receiver.kind: receiver.packets() for receiver in receivers} | {"udp": self.packets_in(stream)}
        for (kind, packets), report in zip(got.items(), reports):
            with self.subTest(kind):
                self.assert_is_all(packets, known)
                self.assertEqual(report["receiver"]["sent_packets"], sum(map(len, known.values())))
                self.assertEqual(report["receiver"]["dropped_packets"], 0)
                self.assertEqual(report["receiver"]["connections"], 1)
        for receiver in receivers:
            times = receiver.times(1)  # of pictures RTP says pts alone
            self.assertEqual(times, sorted(set(times)), receiver.kind)

    def packets_in(self, stream):
        """Of MPEG-TS, as a Receiver has them."""
        out = self.folder / "got.txt"
        self.ffmpeg("-i", stream, "-map", "0", "-c", "copy", "-bsf:v", PICTURES_ONLY, "-bsf:a", "aac_adtstoasc", "-f", "framehash", out)
        return hashes_in(out)

    def test_a_track_that_receivers_cannot_read_is_left_out_and_said(self):
        clip = self.short_clip("door_g711.mkv", 2)
        self.split(clip, "door")
        known = pictures_of(self, clip)
        receiver = Receiver(self, "srt")
        done = self.run_gopline("aggregate", "door", "--output", receiver.url)
        self.assertIn("no word for track 2 (pcm_alaw)", done.stderr)
        self.assert_is_all(receiver.packets(), {0: known[0]})
        receiver = Receiver(self, "rtsp")
        self.push("door", receiver.url)
        self.assert_is_all(receiver.packets(), known)

    def two_epochs(self, first, second):
        """Both pushed as one stream. (what came over UDP as a file, the report)"""
        self.split(first, second.stem)
        self.split(second, second.stem)
        path = self.folder / f"{second.stem}.ts"
        with Datagrams() as datagrams:
            report = self.push(second.stem, datagrams.url, "--epoch", "all")
            path.write_bytes(datagrams.all())
        self.assertEqual(len(report["epochs"]), 2)
        self.assertEqual(report["receiver"]["connections"], 1)
        return path

    def test_epochs_are_one_timeline_which_says_where_they_meet(self):
        clip = self.short_clip(seconds=2)
        path = self.two_epochs(clip, clip)
        self.assertEqual(self.packets_in(path), {track: packets * 2 for track, packets in pictures_of(self, clip).items()})
        self.assertEqual(len(discontinuities(path.read_bytes())), 1)
        times = dts_of_pictures(path)
        self.assertEqual(times, sorted(set(times)))

    def test_an_epoch_of_another_codec_follows_in_the_same_connection(self):
        clips = self.short_clip(seconds=2), self.short_clip("street_hevc.mp4", 2)
        path = self.two_epochs(*clips)
        self.assertTrue(discontinuities(path.read_bytes()))
        counts = [self.count_of_pictures(path, codec) for codec in ("h264", "hevc")]
        self.assertEqual(counts, [len(dts_of_pictures(clip)) for clip in clips])

    def count_of_pictures(self, path, codec):
        shown = json.loads(subprocess.run(["ffprobe", "-v", "error", "-scan_all_pmts", "1", "-count_packets", "-show_entries",
                                           "stream=codec_name,nb_read_packets", "-of", "json", path], capture_output=True, check=True).stdout)
        return sum(int(stream["nb_read_packets"]) for stream in shown["streams"] if stream["codec_name"] == codec)

    def test_pictures_without_a_word_are_an_error_before_anything_is_sent(self):
        self.split(self.short_clip("street_av1.mp4", 2), "av1")
        done = self.run_gopline("aggregate", "av1", "--output", f"udp://127.0.0.1:{free_port()}", code=FAILED)
        self.assert_one_clear_message(done, "av1", "mpegts")

    def test_without_following_a_receiver_that_is_not_there_is_an_error(self):
        self.split(self.short_clip(seconds=2), "street")
        url = f"rtmp://127.0.0.1:{free_port()}/live/very-secret"
        done = self.run_gopline("aggregate", "street", "--output", url, code=FAILED)
        self.assert_one_clear_message(done, "rtmp://127.0.0.1", "live/***")
        self.assertNotIn("very-secret", done.stderr)

    def test_what_is_wrong_with_a_url_is_said_before_anything_is_read(self):
        for url, words in (("udp://127.0.0.1", "udp://HOST:PORT"), ("srt://:9", "srt://HOST:PORT"), ("gopher://x/y", "there is no output"),
                           ("rtsp://host", "rtsp://HOST[:PORT]/NAME")):
            done = self.run_gopline("aggregate", "nothing", "--output", url, code=FAILED)
            self.assert_one_clear_message(done, words)
        self.split(self.short_clip(seconds=2), "street")
        done = self.run_gopline("aggregate", "street", "--follow", "--from", "0", "--output", f"udp://127.0.0.1:{free_port()}",
                                "--output-option", "colour=green", code=FAILED)
        self.assert_one_clear_message(done, "colour")
        for options in (["--output", "udp://127.0.0.1:5000", "--format", "mkv"], [], ["--output", "x.ts", "--serve", "rtsp://:0/x"]):
            self.run_gopline("aggregate", "street", *options, code=USAGE)
        self.run_gopline("aggregate", "street", "--output", "x.ts", "--output-option", "a=b", code=FAILED)


class Following(OutputTest):
    """A follower whose receiver dies and comes back; what is split is a file at its own pace."""

    def start(self, url, *options):
        self.split(self.short_clip(seconds=2), "street")
        process = self.start_gopline("aggregate", "street", "--follow", "--output", url, "--max-delay", "2s", "--json", *options)
        line = process.stderr.readline()
        while line and not line.startswith(b"following"):
            line = process.stderr.readline()
        self.splitting = self.start_gopline("split", self.clip("street.mp4"), "--stream", "street", "--rate", "realtime",
                                            "--segment-duration", "500ms")
        return process

    def interrupt(self, process):
        self.splitting.kill()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        self.assertEqual(process.returncode, INTERRUPTED, err.decode())
        return json.loads(out)["receiver"], err.decode()

    def assert_is_a_row_of_the_clip(self, got):
        known = pictures_of(self, self.clip("street.mp4"))
        self.assertIn(got[0][0], known[0])
        begin = known[0].index(got[0][0])
        self.assertEqual(got[0], known[0][begin:begin + len(got[0])])
        self.assertGreater(len(got[0]), 5)

    def test_a_receiver_that_is_killed_is_connected_to_again(self):
        for kind in ("srt", "rtmp") if IS_LONG else ("srt",):
            with self.subTest(kind):
                first = Receiver(self, kind)
                process = self.start(first.url)
                first.wait_for_packets(20)
                first.end()
                second = Receiver(self, kind, first.port)
                second.wait_for_packets(60)
                self.assertIsNone(process.poll())
                stats, said = self.interrupt(process)
                self.assertGreaterEqual(stats["connections"], 2)
                self.assertGreater(stats["dropped_packets"], 0)
                self.assertIn("what comes until then is dropped", said)
                self.assertIn("goes on;", said)
                self.assertNotIn("live/key", said)
                self.assert_is_a_row_of_the_clip(second.packets())

    def test_a_receiver_that_comes_later_is_waited_for(self):
        port = free_port()
        process = self.start(f"rtsp://127.0.0.1:{port}/live")
        said = b""
        while b"what comes until then is dropped" not in said:
            said = process.stderr.readline()
            self.assertTrue(said)
        receiver = Receiver(self, "rtsp", port)
        receiver.wait_for_packets(60)
        stats, _ = self.interrupt(process)
        self.assertEqual(stats["connections"], 1)
        self.assert_is_a_row_of_the_clip(receiver.packets())

    def test_a_stop_does_not_wait_for_a_receiver_that_says_nothing(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            process = self.start(f"rtmp://127.0.0.1:{silent.getsockname()[1]}/live/key")
            connection, _ = silent.accept()
            with connection:
                self.splitting.kill()
                process.send_signal(signal.SIGINT)
                _, said = process.communicate()
                self.assertEqual(process.returncode, INTERRUPTED)
                self.assertNotIn(b"takes nothing for", said)  # what it says when its patience is at an end

    def test_datagrams_hold_whole_ts_packets_and_leave_at_their_pace(self):
        with socket.socket(type=socket.SOCK_DGRAM) as listener:
            listener.bind(("127.0.0.1", 0))
            process = self.start(f"udp://127.0.0.1:{listener.getsockname()[1]}")
            sizes, arrivals = [], []
            while len(arrivals) < 2 or arrivals[-1] - arrivals[0] < 3:
                datagram = listener.recv(65536)
                sizes.append(len(datagram))
                arrivals.append(time.monotonic())
                self.assertEqual(datagram[::188], b"\x47" * (len(datagram) // 188))
            self.interrupt(process)
        self.assertEqual({size % 188 for size in sizes}, {0})
        self.assertLessEqual(max(sizes), 1316)
        # Lumps come every half a second, pictures every tenth: in how many tenths does something come?
        tenths = {int((arrival - arrivals[0]) * 10) for arrival in arrivals}
        self.assertGreater(len(tenths), 20)


if __name__ == "__main__":
    unittest.main()
