"""The faults that FaultyProxy makes, seen from both its ends."""

import select
import socket
import threading
import time
import unittest

from faulty_proxy import FaultyProxy
from ports import LOOPBACK


class Proxy(unittest.TestCase):
    def setUp(self):
        self.echo = socket.create_server((LOOPBACK, 0))
        threading.Thread(target=self.serve, daemon=True).start()
        self.proxy = FaultyProxy(self.echo.getsockname()).start()
        self.addCleanup(self.echo.close)
        self.addCleanup(self.proxy.stop)

    def serve(self):
        while True:
            try:
                connection, _ = self.echo.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(connection,), daemon=True).start()

    @staticmethod
    def answer(connection):
        with connection:
            try:
                while chunk := connection.recv(65536):
                    connection.sendall(chunk)
            except OSError:
                pass

    def connect(self):
        connection = socket.create_connection((LOOPBACK, self.proxy.port), timeout=30)
        self.addCleanup(connection.close)
        return connection

    def exchange(self, connection, data):
        """What came back until the end, or until all did."""
        back = b""
        try:
            connection.sendall(data)
            while len(back) < len(data) and (chunk := connection.recv(65536)):
                back += chunk
        except ConnectionError:
            pass
        return back

    def test_it_forwards(self):
        data = bytes(range(256)) * 4000
        connection = self.connect()
        received = []
        reader = threading.Thread(target=lambda: received.append(self.receive(connection, len(data))))
        reader.start()
        connection.sendall(data)
        reader.join()
        self.assertEqual(received[0], data)
        self.assertEqual((self.proxy.connections, self.proxy.bytes_up, self.proxy.bytes_down), (1, len(data), len(data)))

    @staticmethod
    def receive(connection, size):
        back = b""
        while len(back) < size and (chunk := connection.recv(65536)):
            back += chunk
        return back

    def test_it_cuts_in_the_middle(self):
        self.proxy.cut_after(10, 1500, seed=7)
        for _ in range(20):
            self.assertLess(len(self.exchange(self.connect(), b"x" * 1000)), 1000)
        self.assertGreater(self.proxy.cuts, 10)
        self.proxy.clear()
        self.assertEqual(self.exchange(self.connect(), b"whole"), b"whole")

    def test_it_cuts_connections_that_there_are(self):
        connection = self.connect()
        self.assertEqual(self.exchange(connection, b"x"), b"x")
        self.proxy.cut_now()
        self.assertEqual(self.exchange(connection, b"x"), b"")

    def test_it_stalls_and_goes_on(self):
        self.proxy.stall()
        connection = self.connect()
        connection.sendall(b"late")
        self.assertEqual(select.select([connection], [], [], 0.1)[0], [])  # nothing comes: there is nothing to wait for
        self.proxy.resume()
        self.assertEqual(self.receive(connection, 4), b"late")

    def test_it_refuses_and_takes_up_again_at_the_same_port(self):
        connection = self.connect()
        self.assertEqual(self.exchange(connection, b"x"), b"x")
        self.proxy.refuse()
        self.assertEqual(self.exchange(connection, b"x"), b"")
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.proxy.resume()
        self.assertEqual(self.exchange(self.connect(), b"x"), b"x")

    def test_it_is_slow(self):
        self.proxy.throttle(100000)
        began = time.monotonic()
        self.assertEqual(len(self.exchange(self.connect(), b"x" * 20000)), 20000)
        self.assertGreater(time.monotonic() - began, 0.15)
        self.proxy.clear()
        self.proxy.delay(0.1)
        began = time.monotonic()
        self.exchange(self.connect(), b"x")
        self.assertGreater(time.monotonic() - began, 0.19)  # there and back

    def test_a_target_that_is_not_there_resets(self):
        self.echo.close()
        dead = socket.create_server((LOOPBACK, 0))
        address = dead.getsockname()
        dead.close()
        with FaultyProxy(address) as proxy:
            try:
                with socket.create_connection((LOOPBACK, proxy.port), timeout=30) as connection:
                    self.assertEqual(self.exchange(connection, b"x"), b"")
            except ConnectionResetError:
                pass  # so soon that the connection was never seen


if __name__ == "__main__":
    unittest.main()
