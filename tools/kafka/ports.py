"""Free TCP ports on loopback."""

import random
import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as a broker sets it: TIME_WAIT is no obstacle
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port):
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


def free_ports(count):
    """So many different ports that nobody listens on.

    They lie below the range that outgoing connections take theirs from: while a broker is down, a client's own retry could
    otherwise be given the broker's port, connect to itself and keep the broker from coming back.
    """
    outgoing = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    low, high = (10000, outgoing) if outgoing > 12000 else (61000, 65536)
    found = []
    while len(found) < count:
        port = random.randrange(low, high)
        if port not in found and is_free(port):
            found.append(port)
    return found
