"""Reads zip containers as Go's archive/zip does, bounded and fast, so that both see the same files and bytes.

A module zip is judged once, by us, and then opened by thousands of `go` commands. If our reader found another
directory in it than Go's does, everything proven here would be proven about the wrong files. So this reader follows
archive/zip (which end record counts, when zip64 counts, where data begins) and *refuses* what a second reader could
take in another way: bytes before the archive or behind it, a directory of another length than declared, a local
header with another name.

Sizes are honoured before anything is unpacked: a member never yields more than the directory declares for it.

Speed: members are small (10 KB is typical), and the directory says how long each will be. So libdeflate unpacks one in
a single call, without the interpreter lock and with no state to set up for more input. Big ones, which need not be in
memory as a whole, go piece by piece through zlib, as all do without libdeflate (docs/adr/0023-inflate.md). How two
cores share a big archive, zipdigests.py says.
"""

import mmap
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import NamedTuple, Self

from goferry.errors import VerifyError
from goferry.gomod.module import printable

try:
    import deflate
except ImportError:  # no wheel for this machine: zlib does it alone
    deflate = None  # type: ignore[assignment]

STORED = 0
DEFLATED = 8

_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
# Of these two, only what is looked at: mark, flags, method, CRC, packed, size, lengths of name, extra and comment,
# offset; and mark, method, lengths of name and extra.
_HEADER = struct.Struct("<4s4x2H4x3L3H8xL")
_LOCAL = struct.Struct("<4s4xH16x2H")
_END_MARK, _LOCATOR_MARK, _END64_MARK = b"PK\x05\x06", b"PK\x06\x07", b"PK\x06\x06"
_HEADER_MARK, _LOCAL_MARK, _DESCRIPTOR_MARK = b"PK\x01\x02", b"PK\x03\x04", b"PK\x07\x08"
_END_SEARCH = 65 * 1024
_ZIP64_EXTRA = 1
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF

_ENCRYPTED, _DESCRIPTOR = 0x1, 0x8

_CHUNK = 256 * 1024
_WHOLE = 8 * 1024 * 1024
_MOST_MAPPED = 8 * 1024 * 1024
_DONTNEED: int | None = getattr(mmap, "MADV_DONTNEED", None)


class ZipError(VerifyError):
    """A zip that no module may have: broken, ambiguous, hostile, or over a limit."""

    code = "bad_zip"


class Entry(NamedTuple):
    """One record of the central directory. Sizes in bytes; `raw` is the name as stored, `name` its UTF-8 reading
    (undecodable bytes as surrogate escapes)."""

    name: str
    raw: bytes
    flags: int
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def is_dir(self) -> bool:
        """A name that ends in a slash: no content."""
        return self.name.endswith("/")


class Archive:
    """A zip file opened for reading; a context manager.

    `entries` is the central directory in its own order. Raises ZipError for a container that is broken or can be
    read in two ways, OSError when the file itself can't be read.
    """

    def __init__(self, path: str | os.PathLike[str], *, max_entries: int = 1_000_000) -> None:
        self.path = os.fspath(path)
        with open(path, "rb") as file:
            self.size = os.fstat(file.fileno()).st_size
            if self.size < _END.size:
                raise ZipError("not a zip file: {size} bytes are too few", size=self.size)
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._bytes = memoryview(self._map)
        try:
            self.entries: tuple[Entry, ...] = _read_directory(self._map, max_entries)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the file back. Safe to call twice."""
        self._bytes.release()
        try:
            self._map.close()
        except BufferError:
            # A traceback on its way up still holds a slice; the mapping goes with it.
            return

    def read(self, entry: Entry) -> bytes:
        """The content of one member, proven against its declared size and CRC. Raises ZipError."""
        out = bytearray()
        self.walk(entry, out.extend)
        return bytes(out)

    def beginning(self, entry: Entry, most: int) -> bytes:
        """So many bytes of one member, of which nothing is proven. Raises ZipError."""
        out = bytearray()
        try:
            for piece in self._pieces(entry):
                out += piece
                if len(out) >= most:
                    break
        except ZipError as why:
            raise _about(entry, why) from why
        return bytes(out[:most])

    def unmap_read(self) -> None:
        """Let go of the pages that were read: they count as this process's memory for as long as they are mapped,
        and the kernel has them anyway should one be wanted again."""
        if _DONTNEED is not None:
            self._map.madvise(_DONTNEED)

    def walk(self, entry: Entry, sink: Callable[[memoryview], object]) -> None:
        """Hands the content to `sink` in pieces, and raises unless all of it is as declared."""
        try:
            crc, size, kept = 0, 0, 0
            for piece in self._pieces(entry):
                size += len(piece)
                if size - kept >= _MOST_MAPPED:
                    self.unmap_read()
                    kept = size
                if size > entry.size:
                    raise ZipError("it unpacks to more than the {size} bytes declared", size=entry.size)
                crc = zlib.crc32(piece, crc)
                sink(piece)
            if size < entry.size:
                raise ZipError(
                    "it unpacks to {size} bytes instead of the {declared} declared",
                    size=size,
                    declared=entry.size,
                )
            if crc != entry.crc:
                raise ZipError("its CRC-32 differs from the declared one")
        except ZipError as why:
            raise _about(entry, why) from why

    def whole(self, entry: Entry) -> bytearray | None:
        """The content of a member, proven and unpacked by one call; None for one that is not made for that, or is not
        what it should be: looking at it piece by piece tells why.

        In one piece and with each name once, as half of what a small member costs is Python.
        """
        _, raw, flags, method, crc, packed, size, offset = entry
        # Of an empty one the call would say that it is empty, whatever is there.
        if deflate is None or method != DEFLATED or not 0 < size <= _WHOLE or flags & _ENCRYPTED:
            return None
        data = self._map
        try:
            mark, local_method, name_len, extra_len = _LOCAL.unpack_from(data, offset)
        except struct.error:
            return None
        name_at = offset + _LOCAL.size
        name_end = name_at + name_len
        start = name_end + extra_len
        end = start + packed
        if (
            mark != _LOCAL_MARK
            or local_method != method
            or data[name_at:name_end] != raw
            or raw.endswith(b"/")
            or end > self.size
        ):
            return None
        try:
            if flags & _DESCRIPTOR:
                self._check_descriptor(entry, end)
            content = deflate.deflate_decompress(self._bytes[start:end], size)
        except (ZipError, deflate.DeflateError):
            return None
        return content if len(content) == size and deflate.crc32(content) == crc else None

    def _pieces(self, entry: Entry) -> Iterator[memoryview]:
        packed = self.packed(entry)
        if entry.method == STORED:
            yield from _slices(packed)
        else:
            yield from _inflate(packed, entry.size)

    def packed(self, entry: Entry) -> memoryview:
        """The stored bytes of a member, found through its local header. Raises ZipError."""
        start = self._data_start(entry)
        if entry.is_dir:
            if entry.size:
                raise ZipError("a directory must not have content")
            return self._bytes[:0]
        if entry.method not in (STORED, DEFLATED):
            raise ZipError("unsupported compression method {method}", method=entry.method)
        if entry.flags & _ENCRYPTED:
            raise ZipError("encrypted members are not allowed")
        end = start + entry.packed
        if end > self.size:
            raise ZipError("its data ends behind the end of the file")
        if entry.flags & _DESCRIPTOR:
            self._check_descriptor(entry, end)
        return self._bytes[start:end]

    def _data_start(self, entry: Entry) -> int:
        if entry.offset + _LOCAL.size > self.size:
            raise ZipError("its local header lies behind the end of the file")
        mark, method, name_len, extra_len = _LOCAL.unpack_from(self._map, entry.offset)
        if mark != _LOCAL_MARK:
            raise ZipError("it has no local header where the directory says")
        name_at = entry.offset + _LOCAL.size
        if self._map[name_at : name_at + name_len] != entry.raw or method != entry.method:
            raise ZipError("its local header does not agree with the directory")
        return name_at + int(name_len) + int(extra_len)

    def _check_descriptor(self, entry: Entry, at: int) -> None:
        """The CRC behind the data, with or without a mark before it. The sizes there are 32 or 64 bits wide, nobody
        can tell, and the directory has them anyway."""
        found = self._map[at : at + 12]
        crc = found[4:8] if found.startswith(_DESCRIPTOR_MARK) else found[:4]
        if len(found) < 12 or int.from_bytes(crc, "little") != entry.crc:
            raise ZipError("its data descriptor does not agree with the directory")


def _slices(data: memoryview) -> Iterator[memoryview]:
    for at in range(0, len(data), _CHUNK):
        yield data[at : at + _CHUNK]


def _inflate(packed: memoryview, size: int) -> Iterator[memoryview]:
    """The content in pieces. Asks for one byte more than declared at the most, so a lie shows and costs nothing."""
    inflater = zlib.decompressobj(-15)
    left = size + 1
    try:
        for data in _slices(packed):
            rest: bytes | memoryview = data
            while rest and left and not inflater.eof:
                piece = inflater.decompress(rest, min(left, _CHUNK))
                left -= len(piece)
                rest = inflater.unconsumed_tail
                yield memoryview(piece)
    except zlib.error as why:
        raise ZipError("its compressed data is broken") from why
    while left and not inflater.eof:
        # Input is used up, output is not: what the inflater still holds back.
        piece = inflater.decompress(b"", min(left, _CHUNK))
        if not piece:
            raise ZipError("its compressed data ends early")
        left -= len(piece)
        yield memoryview(piece)


def _about(entry: Entry, why: ZipError) -> ZipError:
    return ZipError("{path}: {why}", path=printable(entry.name), why=why)


def usable_cores() -> int:
    """How many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Directory(NamedTuple):
    """Where the central directory is, and what it should be."""

    start: int
    end: int
    files: int
    zip64: bool


def _read_directory(data: mmap.mmap, max_entries: int) -> tuple[Entry, ...]:
    directory = _find_directory(data)
    at = directory.start
    entries: list[Entry] = []
    while at < directory.end:
        if len(entries) >= max_entries:
            raise ZipError("the zip has more than {limit} files", limit=max_entries)
        entry, at = _read_entry(data, at, directory.end)
        entries.append(entry)
    # The count of a plain end record has 16 bits; writers without zip64 let it wrap.
    found = len(entries) if directory.zip64 else len(entries) & _MAX16
    if found != directory.files:
        raise ZipError(
            "the directory has {found} files instead of the {declared} declared",
            found=len(entries),
            declared=directory.files,
        )
    return tuple(entries)


def _find_directory(data: mmap.mmap) -> _Directory:
    at = data.rfind(_END_MARK, max(0, len(data) - _END_SEARCH), len(data) - _END.size + len(_END_MARK))
    if at < 0:
        raise ZipError("not a zip file: no end record")
    _, disk, first_disk, here, count, size, start, comment = _END.unpack_from(data, at)
    if at + _END.size + comment != len(data):
        raise ZipError("the zip does not end where its end record says")
    zip64 = False
    if (count == _MAX16 or size in (_MAX16, _MAX32) or start == _MAX32) and (
        end64 := _find_end64(data, at)
    ) is not None:
        at, zip64 = end64, True
        _, _, _, _, disk, first_disk, here, count, size, start = _END64.unpack_from(data, at)
    if disk or first_disk or here != count:
        raise ZipError("the zip is spread over several disks")
    if start + size != at:
        raise ZipError("the directory is not where the end record says")
    return _Directory(start, at, count, zip64)


def _find_end64(data: mmap.mmap, end: int) -> int | None:
    """Where the zip64 end record is; None when there is no locator for one."""
    at = end - _END64_LOCATOR.size
    if at < 0:
        return None
    mark, disk, end64, disks = _END64_LOCATOR.unpack_from(data, at)
    if mark != _LOCATOR_MARK or disk != 0 or disks != 1:
        return None
    if end64 + _END64.size > at or data[end64 : end64 + 4] != _END64_MARK:
        raise ZipError("the zip64 end record is not where its locator says")
    return int(end64)


def _read_entry(data: mmap.mmap, at: int, limit: int) -> tuple[Entry, int]:
    if at + _HEADER.size > limit:
        raise ZipError("the directory is cut")
    mark, flags, method, crc, packed, size, name_len, extra_len, comment_len, offset = _HEADER.unpack_from(
        data, at
    )
    if mark != _HEADER_MARK:
        raise ZipError("the directory is broken")
    name_at = at + _HEADER.size
    extra_at = name_at + name_len
    end = extra_at + extra_len + comment_len
    if end > limit:
        raise ZipError("the directory is cut")
    raw = data[name_at:extra_at]
    if packed == _MAX32 or size == _MAX32 or offset == _MAX32:
        extra = data[extra_at : extra_at + extra_len]
        size, packed, offset = _zip64_values(extra, size, packed, offset)
    name = raw.decode("utf-8", "surrogateescape")
    return Entry(name, raw, flags, method, crc, packed, size, offset), end


def _zip64_values(extra: bytes, size: int, packed: int, offset: int) -> tuple[int, int, int]:
    """Values of 32 bits that are all ones stand for 64-bit ones in the zip64 extra field, in this order."""
    field = _extra_field(extra, _ZIP64_EXTRA)
    values = []
    for value in (size, packed, offset):
        if value == _MAX32:
            if len(field) < 8:
                raise ZipError("a zip64 field is cut or missing")
            value = int.from_bytes(field[:8], "little")
            field = field[8:]
        values.append(value)
    return values[0], values[1], values[2]


def _extra_field(extra: bytes, wanted: int) -> bytes:
    while len(extra) >= 4:
        tag, length = struct.unpack_from("<HH", extra)
        if len(extra) < 4 + length:
            break
        if tag == wanted:
            return extra[4 : 4 + length]
        extra = extra[4 + length :]
    return b""
