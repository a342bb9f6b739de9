"""Makes zips that no honest writer makes: every field of every record can be set, so a test can lie in one of them."""

import struct
import zlib
from dataclasses import dataclass, field


@dataclass
class Member:
    """One file. Fields left at None are what an honest writer would put there."""

    name: bytes
    data: bytes = b""
    method: int = 8
    flags: int = 0
    crc: int | None = None
    size: int | None = None
    packed: bytes | None = None
    packed_size: int | None = None
    extra: bytes = b""
    local_name: bytes | None = None
    local_mark: bytes = b"PK\x03\x04"
    offset: int | None = None
    descriptor: bytes | None = None

    def body(self) -> bytes:
        if self.packed is not None:
            return self.packed
        return deflated(self.data) if self.method == 8 else self.data

    def crc32(self) -> int:
        return zlib.crc32(self.data) if self.crc is None else self.crc


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


@dataclass
class Zip:
    """A zip of members. `count`, `size`, `start` are those of the end record."""

    members: list[Member] = field(default_factory=list)
    before: bytes = b""
    shift: int = 0
    comment: bytes = b""
    comment_size: int | None = None
    after: bytes = b""
    count: int | None = None
    size: int | None = None
    start: int | None = None
    disk: int = 0
    zip64: bool = False
    end64_at: int | None = None

    def build(self) -> bytes:
        out = bytearray(self.before)
        directory = bytearray()
        for m in self.members:
            at = len(out) - self.shift if m.offset is None else m.offset
            body = m.body()
            packed = len(body) if m.packed_size is None else m.packed_size
            size = len(m.data) if m.size is None else m.size
            local = m.name if m.local_name is None else m.local_name
            out += m.local_mark + struct.pack(
                "<5H3L2H", 20, m.flags, m.method, 0, 33, m.crc32(), 0, 0, len(local), 0
            )
            out += local + body + (m.descriptor or b"")
            directory += b"PK\x01\x02" + struct.pack(
                "<6H3L5H2L",
                *(20, 20, m.flags, m.method, 0, 33, m.crc32(), packed, size),
                *(len(m.name), len(m.extra), 0, 0, 0, 0, at),
            )
            directory += m.name + m.extra
        return bytes(out) + bytes(directory) + self._end(len(out) - self.shift, len(directory))

    def _end(self, at: int, length: int) -> bytes:
        count = len(self.members) if self.count is None else self.count
        size = length if self.size is None else self.size
        start = at if self.start is None else self.start
        out = b""
        if self.zip64:
            end64 = at + length if self.end64_at is None else self.end64_at
            out += b"PK\x06\x06" + struct.pack("<Q2H2L4Q", 44, 45, 45, 0, 0, count, count, size, start)
            out += b"PK\x06\x07" + struct.pack("<LQL", 0, end64, 1)
            count, size, start = 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF
        said = len(self.comment) if self.comment_size is None else self.comment_size
        out += b"PK\x05\x06" + struct.pack("<4H2LH", self.disk, self.disk, count, count, size, start, said)
        return out + self.comment + self.after
