"""Makes mp4 files wrong in one exact way, by ISO/IEC 14496-12's boxes."""

import struct

CONTAINERS = {b"moov", b"trak", b"mdia", b"minf", b"stbl"}


def boxes(data, begin=0, end=None, path=()):
    """(path, payload begin, box end) of every box, depth first."""
    end = len(data) if end is None else end
    while begin + 8 <= end:
        size, name = struct.unpack_from(">I4s", data, begin)
        header = 8
        if size == 1:
            size, header = struct.unpack_from(">Q", data, begin + 8)[0], 16
        if size == 0:
            size = end - begin
        yield (*path, name), begin + header, begin + size
        if name in CONTAINERS:
            yield from boxes(data, begin + header, begin + size, (*path, name))
        begin += size


class Track:
    """The sample tables of one track."""

    def __init__(self, data, number):
        tables, tracks = {}, -1
        for path, begin, end in boxes(data):
            if path[-1] == b"trak":
                tracks += 1
            if tracks == number and path[:2] == (b"moov", b"trak"):
                tables[path[-1]] = begin
        at = tables[b"stsz"]
        fixed, count = struct.unpack_from(">II", data, at + 4)
        self.sizes_at = at + 12
        self.sizes = [fixed] * count if fixed else list(struct.unpack_from(f">{count}I", data, at + 12))
        self.stts_at = tables[b"stts"]
        wide = b"co64" in tables
        at = tables[b"co64" if wide else b"stco"]
        (chunks,) = struct.unpack_from(">I", data, at + 4)
        chunk_offsets = struct.unpack_from(f">{chunks}{'Q' if wide else 'I'}", data, at + 8)
        self.offsets, self.last_of_chunk = [], []
        for offset, samples in zip(chunk_offsets, self._samples_per_chunk(data, tables[b"stsc"], chunks)):
            for i in range(samples):
                self.offsets.append(offset)
                offset += self.sizes[len(self.offsets) - 1]
            self.last_of_chunk.append(len(self.offsets) - 1)

    @staticmethod
    def _samples_per_chunk(data, at, chunks):
        (entries,) = struct.unpack_from(">I", data, at + 4)
        runs = [struct.unpack_from(">III", data, at + 8 + 12 * i) for i in range(entries)]
        for i, (first, samples, _) in enumerate(runs):
            last = runs[i + 1][0] if i + 1 < len(runs) else chunks + 1
            yield from [samples] * (last - first)


def damage_samples(path, track, every, at=20):
    """Inverts 8 bytes of every so-many-th sample, `at` bytes into it."""
    data = bytearray(path.read_bytes())
    table = Track(data, track)
    for number in range(every - 1, len(table.sizes), every):
        begin = table.offsets[number] + at
        for i in range(begin, min(begin + 8, table.offsets[number] + table.sizes[number])):
            data[i] ^= 0xFF
    path.write_bytes(data)


def empty_samples(path, track, wanted=3):
    """Gives some samples in the middle the size 0. Returns how many."""
    data = bytearray(path.read_bytes())
    table = Track(data, track)
    # The last sample of a chunk: those behind it keep their places.
    candidates = table.last_of_chunk[len(table.last_of_chunk) // 4 :: max(1, len(table.last_of_chunk) // (2 * wanted))]
    for number in candidates[:wanted]:
        struct.pack_into(">I", data, table.sizes_at + 4 * number, 0)
    path.write_bytes(data)
    return len(candidates[:wanted])


def set_first_durations(path, track, duration):
    """Gives the first run of equal sample durations another one."""
    data = bytearray(path.read_bytes())
    table = Track(data, track)
    struct.pack_into(">I", data, table.stts_at + 12, duration)
    path.write_bytes(data)
