"""Reads zip containers as Go's archive/zip does, bounded and fast, so that both see the same files and bytes.

A module zip is judged once, by us, and then opened by thousands of `go` commands. If our reader found another
directory in it than Go's does, everything proven here would be proven about the wrong files. So this reader follows
archive/zip (which end record counts, when zip64 counts, where data begins) and *refuses* what a second reader could
take in another way: bytes before the archive or behind it, a directory of another length than declared, a local
header with another name.

Sizes are honoured before anything is unpacked: a member never yields more than the directory declares for it.

Speed: members are small (10 KB is typical), so the cost per call decides. Neighbouring members are wrapped as one
multi-member gzip stream, which isal unpacks and CRC-checks in one go without the interpreter lock. Without isal every
member is unpacked alone by zlib.
"""

import contextlib
import hashlib
import io
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

from goferry.errors import VerifyError
from goferry.gomod.module import printable

igzip: Any = None
isal_zlib: Any = None
with contextlib.suppress(ImportError):  # no wheel for this machine: zlib does it alone
    from isal import igzip, isal_zlib

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
_BATCH = 1024 * 1024
_BATCHABLE = 512 * 1024
_WORTH_A_THREAD = 4 * 1024 * 1024
_LOCKED_STEP = 2047
_WORTH_UNLOCKING = 8 * 1024
_MOST_MAPPED = 8 * 1024 * 1024
_DONTNEED: int | None = getattr(mmap, "MADV_DONTNEED", None)

_crc32: Callable[[Any, int], int] = isal_zlib.crc32 if isal_zlib else zlib.crc32
_inflater: Callable[[int], Any] = isal_zlib.decompressobj if isal_zlib else zlib.decompressobj
_BROKEN: tuple[type[Exception], ...] = (OSError, EOFError, zlib.error)
if isal_zlib is not None:
    _BROKEN += (isal_zlib.error,)


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
        self._walk(entry, out.extend)
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

    def digests(self, *, threads: int | None = None) -> list[str]:
        """The lower-hex SHA-256 of every member's content, in the order of `entries`, each proven against its declared
        size and CRC. Raises ZipError for the first member (in directory order) that is not what the directory says.

        `threads` is how many may work at once; by default as many as there are cores to run on, two at most, and
        one for a small archive.
        """
        if threads is None:
            big = sum(entry.size for entry in self.entries) >= _WORTH_A_THREAD
            threads = min(2, usable_cores()) if big else 1
        return _Hashing(self).run(threads)

    def unmap_read(self) -> None:
        """Let go of the pages that were read: they count as this process's memory for as long as they are mapped,
        and the kernel has them anyway should one be wanted again."""
        if _DONTNEED is not None:
            self._map.madvise(_DONTNEED)

    def _walk(self, entry: Entry, sink: Callable[[memoryview], object]) -> None:
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
                crc = _crc32(piece, crc)
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


class _Hashing:
    """Hashes all members of one archive, batch by batch, by one or more threads."""

    def __init__(self, archive: Archive) -> None:
        self.archive = archive
        self.digests = [""] * len(archive.entries)
        self.failures: list[tuple[int, ZipError]] = []
        self._batches = _batches(archive.entries)
        self._taking = threading.Lock()
        self._unmapped = 0

    def run(self, threads: int) -> list[str]:
        helpers = [threading.Thread(target=self._work, daemon=True) for _ in range(threads - 1)]
        for helper in helpers:
            helper.start()
        self._work()
        for helper in helpers:
            helper.join()
        if self.failures:
            raise min(self.failures, key=lambda failure: failure[0])[1]
        return self.digests

    def _work(self) -> None:
        # Batches are taken in order, and a failure ends the taking: so everything before it was looked at, and
        # which member is named does not depend on the threads.
        while (span := self._take()) is not None:
            try:
                self.digests[span[0] : span[1]] = self._hash(*span)
            except ZipError as failure:
                self.failures.append((span[0], failure))

    def _take(self) -> tuple[int, int] | None:
        with self._taking:
            span = None if self.failures else next(self._batches, None)
            if span is not None:
                self._unmap_read(self.archive.entries[span[0]].offset)
            return span

    def _unmap_read(self, offset: int) -> None:
        if offset - self._unmapped >= _MOST_MAPPED:
            self.archive.unmap_read()
            self._unmapped = offset

    def _hash(self, first: int, end: int) -> list[str]:
        entries = self.archive.entries[first:end]
        if end - first > 1 and (digests := self._hash_together(entries)) is not None:
            return digests
        return [self._hash_alone(entry) for entry in entries]

    def _hash_alone(self, entry: Entry) -> str:
        digest = hashlib.sha256()
        self.archive._walk(entry, digest.update)
        return digest.hexdigest()

    def _hash_together(self, entries: Sequence[Entry]) -> list[str] | None:
        """None when a member is not what it should be; looking at each alone tells which and why."""
        packed = self.archive.packed
        members: list[bytes | memoryview] = []
        try:
            for entry in entries:
                members += (_GZIP_HEAD, packed(entry), _GZIP_TAIL(entry.crc, entry.size))
        except ZipError:
            return None
        frames = b"".join(members)
        if frames.count(_EMPTY_BEFORE_ANOTHER) != sum(not entry.size for entry in entries[:-1]):
            return None
        content = _gunzip(frames, sum(entry.size for entry in entries))
        if content is None:
            return None
        digests, start = [], 0
        for entry in entries:
            digests.append(_sha256(content, start, start + entry.size))
            start += entry.size
        return digests


# The borders between members must hold whatever their data says, or a batch would pass that `go` refuses.
# Data can't swallow a border: what it unpacks to would hold a head with a time nobody can foretell, so no CRC fits.
# Data can bring borders of its own, but every border of ours then still proves a whole size, so what stands between
# the others is empty: eight zeros of a tail before a head. An empty member of the zip looks the same, and is counted.
_GZIP_HEAD = b"\x1f\x8b\x08\0" + os.urandom(6)
_GZIP_TAIL = struct.Struct("<LL").pack
_EMPTY_BEFORE_ANOTHER = bytes(8) + b"\x1f\x8b"


def _gunzip(frames: bytes, size: int) -> memoryview | None:
    """The content of a multi-member gzip stream of exactly `size` bytes; None when it is anything else."""
    try:
        with igzip.IGzipFile(fileobj=io.BytesIO(frames)) as stream:
            content = stream.read(size + 1)
    except _BROKEN:
        return None
    return memoryview(content) if len(content) == size else None


def _sha256(content: memoryview, start: int, end: int) -> str:
    """Hashes small members in steps so short that hashlib keeps the interpreter lock (it lets go from 2048 bytes on).

    Two threads that let go of the lock every few microseconds spend their time handing it over; so it is free only
    while a whole batch is unpacked, or a member is hashed that takes longer than the handing over.
    """
    if end - start >= _WORTH_UNLOCKING:
        return hashlib.sha256(content[start:end]).hexdigest()
    digest = hashlib.sha256(content[start : min(start + _LOCKED_STEP, end)])
    for at in range(start + _LOCKED_STEP, end, _LOCKED_STEP):
        digest.update(content[at : min(at + _LOCKED_STEP, end)])
    return digest.hexdigest()


def _batches(entries: Sequence[Entry]) -> Iterator[tuple[int, int]]:
    """Spans [first, end) of members that are unpacked together; a big or stored member is a span of its own."""
    first, size = 0, 0
    for at, entry in enumerate(entries):
        if not _is_batchable(entry):
            if first < at:
                yield first, at
            yield at, at + 1
            first, size = at + 1, 0
            continue
        size += entry.size
        if size >= _BATCH:
            yield first, at + 1
            first, size = at + 1, 0
    if first < len(entries):
        yield first, len(entries)


def _is_batchable(entry: Entry) -> bool:
    return (
        igzip is not None
        and entry.method == DEFLATED
        and entry.size <= _BATCHABLE
        and entry.packed <= _BATCHABLE
        and not entry.is_dir
    )


def _slices(data: memoryview) -> Iterator[memoryview]:
    for at in range(0, len(data), _CHUNK):
        yield data[at : at + _CHUNK]


def _inflate(packed: memoryview, size: int) -> Iterator[memoryview]:
    """The content in pieces. Asks for one byte more than declared at the most, so a lie shows and costs nothing."""
    inflater = _inflater(-15)
    left = size + 1
    try:
        for data in _slices(packed):
            rest: bytes | memoryview = data
            while rest and left and not inflater.eof:
                piece = inflater.decompress(rest, min(left, _CHUNK))
                left -= len(piece)
                rest = inflater.unconsumed_tail
                yield memoryview(piece)
    except _BROKEN as why:
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
