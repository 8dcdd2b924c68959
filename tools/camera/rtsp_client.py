"""A small RTSP client that shows what a camera really sends: every RTP packet and every sender report, as they come."""

import re
import select
import socket
import struct
import time
from dataclasses import dataclass

GIVE_UP = 20  # seconds; a guard against hanging for ever, never a time anybody waits for
PATIENCE = 60  # seconds of packets among which there is not what was waited for
NTP_EPOCH = 2208988800  # 1970 in seconds of NTP


@dataclass
class Rtp:
    track: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    arrived: float  # time.monotonic()


@dataclass
class Report:  # RTCP SR
    track: int
    wall: float  # seconds since 1970, by the camera's clock
    timestamp: int
    arrived: float  # time.time()


class RtspError(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status


class RtspClient:
    """`with RtspClient(port, "lobby") as client: client.rtp(0)`: connected, every track set up, playing. No login, no TLS."""

    def __init__(self, port, stream, udp=False):
        self.url = f"rtsp://127.0.0.1:{port}/{stream}"
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=GIVE_UP)
        self.udp = udp
        self.sockets = {}  # of UDP: socket -> (track, is RTCP)
        self._unread, self._number, self._session = b"", 0, None
        self._waiting = []
        try:
            self.sdp = self._ask("DESCRIBE", self.url, Accept="application/sdp")[1]
            self.tracks = re.findall(r"^m=(\w+)", self.sdp, re.MULTILINE)
            for track, control in enumerate(re.findall(r"^m=.*?^a=control:(\S+)", self.sdp, re.MULTILINE | re.DOTALL)):
                self._set_up(track, control if "://" in control else f"{self.url}/{control}")
            told = self._ask("PLAY", self.url)[2]
            self.beginnings = [int(t) for t in re.findall(r"rtptime=(\d+)", told.get("rtp-info", ""))]  # per track
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        for each in (self.connection, *self.sockets):
            each.close()

    def packets(self):
        """What comes, one after the other, until the camera ends the connection.

        A camera sends for ever, and what is waited for may never be among it: after a minute, TimeoutError.
        """
        until = time.monotonic() + PATIENCE
        while True:
            if time.monotonic() > until:
                raise TimeoutError(f"nothing that was waited for in {PATIENCE} s of packets")
            if (packet := self._next(GIVE_UP)) is None:
                return
            yield packet

    def rtp(self, track):
        """The next RTP packet of the track."""
        return next(p for p in self.packets() if isinstance(p, Rtp) and p.track == track)

    def report(self, track):
        return next(p for p in self.packets() if isinstance(p, Report) and p.track == track)

    def until_silent(self, seconds):
        """What comes until nothing has come for so long (an absence has no other proof), or until the end."""
        seen = []
        try:
            while (packet := self._next(seconds)) is not None:
                seen.append(packet)
        except TimeoutError:
            pass
        return seen

    def ask(self, method):
        """A request in the middle of the session; the status of the answer."""
        return self._ask(method, self.url)[0]

    # ---- inside

    def _set_up(self, track, control):
        if self.udp:
            pair = _udp_pair()
            self.sockets.update({pair[0]: (track, False), pair[1]: (track, True)})
            transport = f"RTP/AVP;unicast;client_port={pair[0].getsockname()[1]}-{pair[1].getsockname()[1]}"
        else:
            transport = f"RTP/AVP/TCP;unicast;interleaved={2 * track}-{2 * track + 1}"
        self._ask("SETUP", control, Transport=transport)

    def _ask(self, method, url, **headers):
        self._number += 1
        headers["CSeq"] = self._number
        if self._session:
            headers["Session"] = self._session
        request = f"{method} {url} RTSP/1.0\r\n" + "".join(f"{n}: {v}\r\n" for n, v in headers.items()) + "\r\n"
        self.connection.sendall(request.encode())
        while self._unread[:1] in (b"", b"$"):
            if self._unread[:1] == b"$":
                self._waiting.append(self._interleaved())
            else:
                self._fill(1)
        while b"\r\n\r\n" not in self._unread:
            self._fill(len(self._unread) + 1)
        head, self._unread = self._unread.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        told = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        length = int(told.get("content-length", 0))
        self._fill(length)
        body, self._unread = self._unread[:length].decode(), self._unread[length:]
        status = int(lines[0].split()[1])
        if status != 200:
            raise RtspError(status, lines[0])
        self._session = told.get("session", self._session or "").split(";")[0] or None
        return status, body, told

    def _fill(self, count):
        while len(self._unread) < count:
            if not (read := self.connection.recv(65536)):
                raise ConnectionError("the camera ended the connection")
            self._unread += read

    def _next(self, seconds):
        """The next packet; None at the end of the connection."""
        until = time.monotonic() + seconds
        while True:
            if self._waiting:
                packet = self._waiting.pop(0)
            elif self.udp:
                packet = self._datagram(until)
            else:
                self.connection.settimeout(max(0.001, until - time.monotonic()))
                try:
                    packet = self._interleaved()
                except ConnectionError:
                    return None
                finally:
                    self.connection.settimeout(GIVE_UP)
            if packet:
                return packet

    def _interleaved(self):
        self._fill(4)
        channel, size = self._unread[1], int.from_bytes(self._unread[2:4], "big")
        self._fill(4 + size)
        data, self._unread = self._unread[4:4 + size], self._unread[4 + size:]
        return _parse(channel // 2, channel % 2 == 1, data)

    def _datagram(self, until):
        ready, _, _ = select.select(list(self.sockets), [], [], max(0, until - time.monotonic()))
        if not ready:
            raise TimeoutError("no packet came")
        return _parse(*self.sockets[ready[0]], ready[0].recv(65536))


def _parse(track, is_rtcp, data):
    """None for what is neither RTP nor a sender report."""
    if is_rtcp:
        if data[1] != 200:
            return None
        seconds, fraction, timestamp = struct.unpack(">III", data[8:20])
        return Report(track, seconds + fraction / 2**32 - NTP_EPOCH, timestamp, time.time())
    flags, marked, sequence, timestamp = struct.unpack(">BBHI", data[:8])
    return Rtp(track, sequence, timestamp, bool(marked & 0x80), data[12 + 4 * (flags & 15):], time.monotonic())


def _udp_pair():
    while True:
        first, second = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        first.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)  # what is lost, the camera shall have lost
        first.bind(("127.0.0.1", 0))
        port = first.getsockname()[1]
        try:
            if port % 2 == 0:
                second.bind(("127.0.0.1", port + 1))
                return first, second
        except OSError:
            pass
        first.close()
        second.close()
