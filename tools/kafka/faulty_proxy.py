"""A TCP proxy on loopback that loses its way when a test tells it to."""

import asyncio
import contextlib
import random
import socket
import struct
import threading

from ports import LOOPBACK

CHUNK = 65536


class FaultyProxy:
    """`with FaultyProxy(("127.0.0.1", 9092)) as proxy:` forwards connections to proxy.port until it is given a fault.

    Faults hold for the connections there are and for new ones, together, until clear(). The methods may be called from any
    thread. Counters: `connections` accepted, `cuts` made, `bytes_up` to the target and `bytes_down` from it.
    """

    def __init__(self, target, port=0):
        self.target = target
        self.connections = self.cuts = self.bytes_up = self.bytes_down = 0
        self._cut = None  # (low, high, generator)
        self._delay = 0.0
        self._rate = 0.0
        self._open = None  # an asyncio.Event: nothing is stalled
        self._server = None
        self._pairs = set()  # tasks, one a connection
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="faulty proxy", daemon=True)
        self._socket_of(port).close()  # an error at once if it is taken

    @property
    def address(self):
        return f"{LOOPBACK}:{self.port}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def start(self):
        self._thread.start()
        self._call(self._begin())
        return self

    def stop(self):
        """Cuts what is connected. Harmless when it has stopped already."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            self._call(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    # ---- faults

    def cut_after(self, low, high, seed=0):
        """Each connection ends after low to high bytes, both directions counted together, in the middle of whatever was
        said: by chance with an orderly end or with a reset. Connections that exist count from now on."""
        self._cut = (low, high, random.Random(seed))
        self._call(self._new_budgets())

    def delay(self, seconds):
        """Every chunk (of up to 64 KiB) of either direction is held for so long."""
        self._delay = seconds

    def throttle(self, bytes_per_second):
        """The speed of each connection in each direction; 0 is without a limit."""
        self._rate = bytes_per_second

    def stall(self):
        """Connections are accepted and nothing is forwarded, until resume()."""
        self._call(self._set_stalled(True))

    def refuse(self):
        """Connections are cut and new ones refused, until resume()."""
        self._call(self._close())

    def resume(self):
        """Ends stall() and refuse(); other faults stay."""
        self._call(self._set_stalled(False))

    def cut_now(self):
        """Resets every connection there is; new ones are welcome."""
        self._call(self._end_pairs())

    def clear(self):
        """No more faults."""
        self._cut, self._delay, self._rate = None, 0.0, 0.0
        self._call(self._new_budgets())
        self.resume()

    # ---- inside: all below runs in the loop's thread

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)

    def _socket_of(self, port):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
        except OSError:
            listener.close()
            raise
        self.port = listener.getsockname()[1]
        return listener

    async def _begin(self):
        self._open = asyncio.Event()
        self._open.set()
        await self._listen()

    async def _listen(self):
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, sock=self._socket_of(self.port), backlog=128)

    async def _close(self):
        if self._server:
            self._server.close()
            self._server = None
        await self._end_pairs()

    async def _set_stalled(self, stalled):
        if stalled:
            self._open.clear()
        else:
            self._open.set()
        await self._listen()

    async def _end_pairs(self):
        pairs = list(self._pairs)
        for pair in pairs:
            pair.task.cancel()
        await asyncio.gather(*(pair.task for pair in pairs), return_exceptions=True)

    async def _new_budgets(self):
        for pair in self._pairs:
            pair.budget = self._budget()

    def _budget(self):
        if self._cut is None:
            return None
        low, high, generator = self._cut
        return generator.randint(low, high)

    async def _accept(self, reader, writer):
        self.connections += 1
        pair = _Pair(writer, self._budget())
        self._pairs.add(pair)
        try:
            await self._open.wait()
            upstream, pair.far = await asyncio.open_connection(*self.target)
            ways = [asyncio.ensure_future(self._forward(pair, reader, pair.far, "bytes_up")),
                    asyncio.ensure_future(self._forward(pair, upstream, writer, "bytes_down"))]
            try:
                await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for way in ways:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        except OSError:
            pair.reset = True  # the target refuses, so do we
        except asyncio.CancelledError:
            pair.reset = True
        finally:
            self._pairs.discard(pair)
            pair.end()

    async def _forward(self, pair, reader, writer, counter):
        """Returns when the connection shall end."""
        try:
            while chunk := await reader.read(self._chunk_size()):
                if self._delay:
                    await asyncio.sleep(self._delay)
                await self._open.wait()
                whole = pair.budget is None or pair.budget > len(chunk)
                if not whole:
                    chunk = chunk[:pair.budget]
                if pair.budget is not None:
                    pair.budget -= len(chunk)
                setattr(self, counter, getattr(self, counter) + len(chunk))  # before anybody can have received it
                writer.write(chunk)
                if not whole:
                    self.cuts += 1
                    pair.reset = bool(self._cut and self._cut[2].getrandbits(1))
                    return
                await writer.drain()
                if self._rate:
                    await asyncio.sleep(len(chunk) / self._rate)
        except OSError:
            pair.reset = True

    def _chunk_size(self):
        return min(CHUNK, max(1, int(self._rate / 20))) if self._rate else CHUNK


class _Pair:
    """A connection to us and ours to the target."""

    def __init__(self, near, budget):
        self.near, self.far, self.budget = near, None, budget
        self.reset = False
        self.task = asyncio.current_task()

    def end(self):
        for writer in (self.near, self.far):
            if writer is None:
                continue
            if self.reset:
                with contextlib.suppress(OSError):  # the other side was quicker, and it is closed
                    end = writer.get_extra_info("socket")
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()
            else:
                writer.close()
