"""Moves or removes time stamps in an MPEG transport stream (ISO/IEC 13818-1)."""

PACKET = 188


def _stamp(data, at):
    return (data[at] >> 1 & 7) << 30 | data[at + 1] << 22 | data[at + 2] >> 1 << 15 | data[at + 3] << 7 | data[at + 4] >> 1


def _put_stamp(data, at, value):
    value &= (1 << 33) - 1
    data[at] = data[at] & 0xF0 | value >> 30 << 1 | 1
    data[at + 1] = value >> 22 & 0xFF
    data[at + 2] = value >> 15 << 1 & 0xFE | 1
    data[at + 3] = value >> 7 & 0xFF
    data[at + 4] = value << 1 & 0xFE | 1


def video_headers(data):
    """Where each video PES packet's header begins."""
    for begin in range(0, len(data) - PACKET + 1, PACKET):
        starts_unit = data[begin + 1] & 0x40
        adaptation = data[begin + 3] >> 4 & 3
        at = begin + 4 + (1 + data[begin + 4] if adaptation & 2 else 0)
        if starts_unit and adaptation & 1 and data[at : at + 3] == b"\0\0\1" and data[at + 3] & 0xF0 == 0xE0:
            yield at


def change_stamps(path, change):
    """Calls change(number, stamp) for each video picture's stamps and stores the answer; None removes both of them."""
    data = bytearray(path.read_bytes())
    count = 0
    for count, at in enumerate(video_headers(data), 1):
        flags = data[at + 7] >> 6
        for place in [at + 9] * bool(flags & 2) + [at + 14] * (flags == 3):
            new = change(count - 1, _stamp(data, place))
            if new is None:
                data[at + 7] &= 0x3F  # the stamps' bytes become stuffing
                data[at + 9 : at + 9 + 5 * (flags - 1)] = b"\xff" * (5 * (flags - 1))
                break
            _put_stamp(data, place, new)
    path.write_bytes(data)
    return count
