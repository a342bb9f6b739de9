"""Executable files as far as their build info needs them: what is where in memory. ELF, Mach-O, PE.

Only headers are read, and the segment that is asked for, so a program of any size may be mapped and given here. The
build info starts with a mark at a multiple of 16 bytes, in a section of its own or near the start of the first data
that can be written. Since Go 1.18 its two texts follow; before, there were pointers to them. Rules: debug/buildinfo.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from goferry.errors import InvalidInput
from goferry.gomod.buildinfo import BuildInfo, parse_build_info

_MAGIC: Final = b"\xff Go buildinf:"
_ALIGN: Final = 16
_HEADER: Final = 32
_BIG_ENDIAN: Final = 1
_INLINE: Final = 2
_LONGEST_TEXT: Final = 16 << 20
_FRAME: Final = 16
"""The text of the modules stands between two marks of so many bytes."""

Buffer = Any
"""bytes, or an mmap of the file: what can be sliced and searched."""


class NotGoError(InvalidInput):
    """The file is no Go program, or none that says how it was built."""

    code = "not_go"


@dataclass(frozen=True, slots=True)
class Segment:
    """`size` bytes of the file, from `offset` on, are in memory at `address`."""

    address: int
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Image:
    """`start` and `length`: the memory in which the build info is looked for."""

    segments: tuple[Segment, ...]
    start: int
    length: int


def read_build_info(data: Buffer) -> BuildInfo:
    """The build info of a program. Raises NotGoError, and InvalidInput for text that is wrong."""
    try:
        go, text = _texts(data, _image(data))
    except (struct.error, IndexError, OverflowError, ValueError) as error:
        raise _not_go() from error
    if not go:
        raise _not_go()
    framed = len(text) >= 2 * _FRAME + 1 and text[-_FRAME - 1 : -_FRAME] == b"\n"
    modules = text[_FRAME:-_FRAME] if framed else b""
    return parse_build_info(modules.decode(errors="replace"), go.decode(errors="replace"))


def _not_go() -> NotGoError:
    return NotGoError("it is not a Go program, or does not say how it was built")


# ---- build info


def _texts(data: Buffer, image: Image) -> tuple[bytes, bytes]:
    """The version of Go, and the modules in their frame."""
    memory = _Memory(data, image)
    at = memory.find_magic()
    header = memory.read(at, _HEADER)
    if len(header) < _HEADER:
        raise _not_go()
    if header[15] & _INLINE:
        go, at = _inline(memory, at + _HEADER)
        return go, _inline(memory, at)[0]
    word = {4: "I", 8: "Q"}.get(header[14])
    if word is None:
        raise _not_go()
    pair = struct.Struct((">" if header[15] & _BIG_ENDIAN else "<") + 2 * word)
    go, modules = pair.unpack_from(header, 16)
    return memory.text(go, pair), memory.text(modules, pair)


def _inline(memory: "_Memory", at: int) -> tuple[bytes, int]:
    """A text with its length before it, and where it ends."""
    length = shift = 0
    for number, byte in enumerate(memory.read(at, 10), 1):
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            text = memory.read(at + number, min(length, _LONGEST_TEXT))
            if len(text) < length:
                raise _not_go()
            return text, at + number + length
    raise _not_go()


class _Memory:
    """A program as if it were loaded."""

    def __init__(self, data: Buffer, image: Image) -> None:
        self._data = data
        self._image = image

    def read(self, address: int, size: int) -> bytes:
        """Up to so many bytes: a segment may end before."""
        for segment in self._image.segments:
            if segment.address <= address < segment.address + segment.size:
                offset = segment.offset + address - segment.address
                return bytes(self._data[offset : min(offset + size, segment.offset + segment.size)])
        raise _not_go()

    def find_magic(self) -> int:
        start = -(-self._image.start // _ALIGN) * _ALIGN
        for segment in self._image.segments:
            if segment.address <= start < segment.address + segment.size:
                shift = segment.address - segment.offset
                end = min(segment.offset + segment.size, self._image.start + self._image.length - shift)
                found = self._data.find(_MAGIC, start - shift, end)
                while found >= 0 and (found + shift) % _ALIGN:
                    found = self._data.find(_MAGIC, found + 1, end)
                if found >= 0:
                    return int(found + shift)
        raise _not_go()

    def text(self, address: int, pair: struct.Struct) -> bytes:
        """A Go string: a pointer and a length."""
        place, length = pair.unpack(self.read(address, pair.size))
        found = self.read(place, min(length, _LONGEST_TEXT)) if length else b""
        return found if len(found) == length else b""


# ---- formats


def _image(data: Buffer) -> Image:
    head = bytes(data[:16])
    for magic, read in _FORMATS:
        if head.startswith(magic):
            return read(data)
    raise _not_go()


def _elf(data: Buffer) -> Image:
    order = {1: "<", 2: ">"}[data[5]] if data[5] in (1, 2) else ""
    if not order or data[4] not in (1, 2):
        raise _not_go()
    if data[4] == 2:
        programs, sections = struct.unpack_from(f"{order}QQ", data, 32)
        numbers = struct.unpack_from(f"{order}5H", data, 54)
        segment, section, fields = "IIQQQQQ", "IIQQQQ", (3, 2, 5, 6, 1)
    else:
        programs, sections = struct.unpack_from(f"{order}II", data, 28)
        numbers = struct.unpack_from(f"{order}5H", data, 42)
        segment, section, fields = "IIIIIII", "IIIIII", (2, 1, 4, 5, 6)
    program_size, program_count, section_size, section_count, names = numbers
    loaded = [
        struct.unpack_from(order + segment, data, programs + n * program_size) for n in range(program_count)
    ]
    named = [
        struct.unpack_from(order + section, data, sections + n * section_size) for n in range(section_count)
    ]
    address, offset, size, memory, flags = fields
    segments = tuple(Segment(one[address], one[offset], one[size]) for one in loaded)
    for one in named if names < len(named) else ():
        begin = named[names][4] + one[0]
        if bytes(data[begin : begin + 14]) == b".go.buildinfo\0":
            return Image(segments, one[3], one[5])
    for one in loaded:
        if one[0] == 1 and one[flags] & 3 == 2:  # PT_LOAD that can be written and not executed
            return Image(segments, one[address], one[memory])
    raise _not_go()


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a Mach-O file of 32 or 64 bits writes a segment, and the sections behind it."""

    command: int
    head: int
    segment: str
    section: str


_MACHO_32 = _Layout(0x01, 28, "16s4I4I", "16s16sII36x")
_MACHO_64 = _Layout(0x19, 32, "16s4Q4I", "16s16sQQ32x")


def _macho(data: Buffer, base: int = 0) -> Image:
    """`base`: where it begins in a file of several."""
    magic = bytes(data[base : base + 4])
    order = ">" if magic[0] == 0xFE else "<"
    layout = _MACHO_64 if 0xCF in magic else _MACHO_32
    segments: list[Segment] = []
    places: list[tuple[int, int]] = []
    at = base + layout.head
    for _ in range(struct.unpack_from(f"{order}I", data, base + 16)[0]):
        command, length = struct.unpack_from(f"{order}II", data, at)
        if command == layout.command:
            form = struct.Struct(order + layout.segment)
            name, address, memory, offset, size, most, now, count, _ = form.unpack_from(data, at + 8)
            if not name.startswith(b"__PAGEZERO"):
                segments.append(Segment(address, base + offset, size))
            if address and size and now == most == 3:
                places.append((address, memory))
            section = struct.Struct(order + layout.section)
            for number in range(count):
                own, _, start, extent = section.unpack_from(data, at + 8 + form.size + number * section.size)
                if own.startswith(b"__go_buildinfo\0"):
                    places.insert(0, (start, extent))
        at += length
    if not places:
        raise _not_go()
    return Image(tuple(segments), *places[0])


def _fat(data: Buffer) -> Image:
    """Several programs in one file: the first one says enough."""
    count, _, _, offset = struct.unpack_from(">IIII", data, 4)
    if not count:
        raise _not_go()
    return _macho(data, offset)


_PE_DATA: Final = 0x00000040 | 0x40000000 | 0x80000000
"""Initialised data that can be read and written, and nothing else but an alignment."""
_PE_ALIGNMENT: Final = 0x600000


def _pe(data: Buffer) -> Image:
    head = struct.unpack_from("<I", data, 0x3C)[0]
    if bytes(data[head : head + 4]) != b"PE\0\0":
        raise _not_go()
    count, size = struct.unpack_from("<H12xH", data, head + 6)
    optional = head + 24
    wide = struct.unpack_from("<H", data, optional)[0] == 0x20B
    base = struct.unpack_from("<Q" if wide else "<I", data, optional + (24 if wide else 28))[0]
    sections = [
        struct.unpack_from("<IIII12xI", data, optional + size + number * 40 + 8) for number in range(count)
    ]
    segments = tuple(Segment(base + address, offset, raw) for _, address, raw, offset, _ in sections)
    for memory, address, raw, _, flags in sections:
        if address and raw and flags & ~_PE_ALIGNMENT == _PE_DATA:
            return Image(segments, base + address, memory)
    raise _not_go()


_FORMATS: Final[tuple[tuple[bytes, Callable[[Buffer], Image]], ...]] = (
    (b"\x7fELF", _elf),
    (b"MZ", _pe),
    (b"\xfe\xed\xfa\xce", _macho),
    (b"\xfe\xed\xfa\xcf", _macho),
    (b"\xce\xfa\xed\xfe", _macho),
    (b"\xcf\xfa\xed\xfe", _macho),
    (b"\xca\xfe\xba\xbe", _fat),
)
