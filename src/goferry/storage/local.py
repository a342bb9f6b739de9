"""Module files in a folder of this machine, laid out exactly as their URLs.

Plain os calls: a small file is read in 8-12 µs inside the event loop, where any hop to a thread costs ten
times that. Writes go through writer.GroupWriter, because every one of them waits for the disk.

Beside the modules lies `.goferry/`: `format` (the version of this layout), `tmp/` (private files of live
processes), `locks/`, `quarantine/`, and what others keep there (`index.sqlite`, `pins.json`). Folders are
never removed, empty or not: a folder that cannot vanish under a writer needs to be made durable only once.
"""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple, ParamSpec, TypeVar

from goferry.errors import StorageError
from goferry.i18n import N_
from goferry.storage.base import Blob, Put
from goferry.storage.disk import MISSING, READ_FLAGS, Disk, storage_error
from goferry.storage.keys import OWN, REMOVALS, check_key, check_prefix, is_key, quarantine_key
from goferry.storage.locks import NamedLocks
from goferry.storage.tempfiles import TempFiles
from goferry.storage.writer import GroupWriter, Write, blob_at

FORMAT = 1

_MOST_REMOVALS = 64 * 1024
"""Bytes after which the file of removals starts again."""

"""Version of the layout. A store of a higher version is read, never written."""

LOOP_READ = 256 * 1024
"""Bytes that may be read inside the event loop (about 50 µs from the page cache); larger reads take a thread.
"""

LOOP_WRITE = 64 * 1024
"""Bytes that may be written inside the event loop, where nobody waits for the disk (about 50 µs)."""

UPLOAD_BUFFER = 512 * 1024
"""Bytes an upload holds back, so that a body costs one thread hop per half megabyte and a small one none."""

_WALK_BATCH = 500
_THREADS = 4

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Refusal(NamedTuple):
    """Why a store is read-only: a message key, its hint and their parts."""

    message: str
    hint: str
    parts: dict[str, object]

    def error(self) -> StorageError:
        return StorageError(self.message, hint=self.hint, **self.parts)


class LocalStore:
    """A folder. Opening makes it when it is missing, and never fails on one that can be read.

    `fsync=False` trades the promise that acknowledged writes survive a crash of the *machine* (of the process
    they do either way) for speed. `loop_reads=False` moves small reads off the event loop, for network file
    systems. `shared=False` says that other processes hardly use the store at the same time.
    """

    def __init__(
        self,
        root: Path,
        *,
        fsync: bool = True,
        loop_reads: bool = True,
        shared: bool = True,
        disk: Disk | None = None,
    ) -> None:
        self.root = Path(os.path.abspath(root))
        self.url = str(root)
        self._root = str(self.root)
        self._disk = disk or Disk()
        self._fsync = fsync
        self._loop_reads = loop_reads
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="goferry-store")
        self._temps = TempFiles(self._own("tmp"))
        self._refusal = self._open()
        self._locks = NamedLocks(None if self._refusal else self._own("locks"))
        publish_lock = self._own("locks", "publish")
        self._writer = GroupWriter(
            self._disk, self._root, self._temps, publish_lock, fsync=fsync, shared=shared
        )

    @property
    def writable(self) -> bool:
        """Whether writes are tried at all."""
        return self._refusal is None

    @property
    def read_only(self) -> str | None:
        """Why nothing can be written, or None."""
        return None if self._refusal is None else str(self._refusal.error())

    def _own(self, *names: str) -> str:
        return os.path.join(self._root, ".goferry", *names)

    # Opening

    def _open(self) -> _Refusal | None:
        """Makes the store ready to write, or says why it cannot be written."""
        try:
            found = self._format()
            if found is not None:
                return found
            for folder in (self._own("tmp"), self._own("locks"), self._own("quarantine")):
                os.makedirs(folder, exist_ok=True)
            if not os.access(self._root, os.W_OK):
                return self._unwritable(N_("the folder is read-only"))
            self._temps.collect()
            self._write_format()
        except OSError as error:
            if not os.path.isdir(self._root):
                raise storage_error(error, self._root, self._root) from error
            return self._unwritable(error.strerror or type(error).__name__)
        return None

    def _unwritable(self, why: str) -> _Refusal:
        hint = N_("Let the user that runs goferry write to {root}, or point --store at another folder")
        return _Refusal(
            N_("the store {root} cannot be written: {why}"), hint, {"root": self._root, "why": why}
        )

    def _format(self) -> _Refusal | None:
        """The version file judged: none (a new store, or a plain GOPROXY tree) and our own are fine."""
        try:
            with open(self._own("format"), encoding="ascii") as file:
                text = file.read(100).strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except UnicodeDecodeError:
            text = "?"
        if text.isdecimal() and int(text) <= FORMAT:
            return None
        message = N_(
            "the store {root} was written by a newer goferry (format {found}, this one knows {known})"
        )
        hint = N_("Update goferry, or point --store at another folder; reading goes on meanwhile")
        return _Refusal(message, hint, {"root": self._root, "found": text, "known": FORMAT})

    def _write_format(self) -> None:
        path = self._own("format")
        if os.path.exists(path):
            return
        temp = self._temps.name()
        fd = self._disk.create(temp)
        try:
            self._disk.write(fd, [f"{FORMAT}\n".encode()])
            self._disk.sync(fd)
        finally:
            self._disk.close(fd)
        self._disk.replace(temp, path)
        for folder in (self._own(), self._root, os.path.dirname(self._root)):
            self._disk.sync_folder(folder)

    # Reading

    def local_path(self, key: str) -> Path:
        """The file of a key; it may not exist."""
        return Path(self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}{os.sep}{check_key(key)}"

    async def stat(self, key: str) -> Blob | None:
        """What is known of an object; None when there is none. StorageError when the disk cannot say."""
        path = self._path(key)
        if self._loop_reads:
            return self._at_border(key, blob_at, path, key)
        return await self._in_thread(key, blob_at, path, key)

    async def read(self, key: str, start: int = 0, end: int | None = None) -> bytes | None:
        """The bytes [start, end) of an object (a missing end is its size); None when there is none."""
        path = self._path(key)
        if self._loop_reads:
            found = self._at_border(key, _read, path, start, end, LOOP_READ)
            if not isinstance(found, _TooLong):
                return found
        whole = await self._in_thread(key, _read, path, start, end, None)
        assert not isinstance(whole, _TooLong)
        return whole

    async def keys(self, prefix: str = "") -> AsyncIterator[Blob]:
        """All objects whose key starts with `prefix`, in order; `.goferry/` only when the prefix lies in it."""
        found = _walk(self._root, check_prefix(prefix))
        while batch := await self._in_thread(prefix, lambda: list(islice(found, _WALK_BATCH))):
            for blob in batch:
                yield blob

    # Writing

    async def put(self, key: str, data: bytes, *, replace: bool = False, durable: bool = True) -> Blob:
        """Keeps small bytes whole; on the disk when it returns, unless `durable` is false."""
        path = self._path(key)
        self._check_writable()
        return await self.publish(Write(key, path, replace, data=data, durable=durable))

    async def put_all(self, puts: Sequence[Put]) -> list[Blob]:
        """Keeps several; they share a group."""
        self._check_writable()
        writes = [
            Write(
                put.key, self._path(put.key), put.replace, data=put.data, durable=put.durable, lazy=put.lazy
            )
            for put in puts
        ]
        for write in writes:
            self._writer.submit(write)
        kept: list[Blob] = []
        errors: list[StorageError] = []
        for write in writes:
            try:
                kept.append(await write.result)
            except OSError as error:
                errors.append(storage_error(error, write.key, self._root))
        if errors:
            raise errors[0]
        return kept

    def hurry(self) -> None:
        """Objects that are kept lazily wait no longer."""
        self._writer.hurry()

    def _is_quick(self, write: Write) -> bool:
        """Whether a write may be done inside the event loop."""
        return (
            self._loop_reads
            and not write.durable
            and write.data is not None
            and len(write.data) <= LOOP_WRITE
        )

    async def publish(self, write: Write) -> Blob:
        """Hands a write to the group and names its fault. For this package."""
        try:
            if self._is_quick(write):
                return self._writer.write_now(write)
            return await self._writer.submit(write)
        except OSError as error:
            raise storage_error(error, write.key, self._root) from error

    async def touch(self, key: str) -> None:
        """Sets mtime to now."""
        path = self._path(key)
        self._check_writable()

        def touch() -> None:
            try:
                os.utime(path)
            except OSError as error:
                if error.errno not in MISSING:
                    raise

        self._at_border(key, touch)

    async def upload(self) -> "LocalUpload":
        """Room for bytes on their way in; nothing is made on disk before there is something to write."""
        self._check_writable()
        return LocalUpload(self)

    async def delete(self, key: str) -> bool:
        """Unlinks. Whoever reads the file at this moment reads it to its end."""
        path = self._path(key)
        self._check_writable()

        def delete() -> bool:
            try:
                self._disk.unlink(path)
            except OSError as error:
                if error.errno in MISSING or os.path.isdir(
                    path
                ):  # macOS and Windows: no permission for folders
                    return False
                raise
            self._note_removal()
            return True

        return await self._in_thread(key, delete)

    async def quarantine(self, key: str, reason: str) -> str | None:
        """Moves an object aside, in one step, with the reason in a JSON file beside it."""
        path = self._path(key)
        self._check_writable()
        if await self.stat(key) is None:
            return None
        return await self._in_thread(key, self.move_aside, path, key, reason)

    def move_aside(self, path: str, key: str, reason: str) -> str | None:
        """Blocking part of a quarantine: the reason first, so nothing ever lies there unexplained. For this package."""
        now = datetime.now(UTC)
        aside = quarantine_key(key, now)
        target = self._path(aside)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        note = {"key": key, "reason": reason, "time": now.isoformat(timespec="seconds")}
        fd = self._disk.create(target + ".json")
        try:
            self._disk.write(fd, [json.dumps(note, ensure_ascii=False, indent=2).encode() + b"\n"])
            self._disk.sync(fd)
        finally:
            self._disk.close(fd)
        try:
            self._disk.rename(path, target)
        except OSError as error:
            self._disk.unlink(target + ".json")
            if error.errno in MISSING:
                return None  # somebody else moved or deleted it first
            raise
        self._note_removal()
        self._disk.sync_folder(os.path.dirname(target))
        self._disk.sync_folder(os.path.dirname(path))
        return aside

    def _note_removal(self) -> None:
        """Tells all processes that remember files of this store to look again: REMOVALS grows by a byte."""
        path = self._path(REMOVALS)
        with suppress(OSError):  # then they find out when what they remember is too old
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                if os.fstat(fd).st_size >= _MOST_REMOVALS:
                    os.truncate(path, 0)
                os.write(fd, b".")
            finally:
                os.close(fd)

    def lock(self, name: str) -> "_Held":
        """Exclusive over processes; freed by the kernel when the holder dies."""
        return _Held(self, name)

    async def acquire(self, name: str) -> None:
        """Waits for its turn; StorageError when the lock cannot be made. For this module."""
        try:
            await self._locks.acquire(name)
        except OSError as error:
            raise storage_error(error, name, self._root) from error

    def release(self, name: str) -> None:
        """For this module."""
        self._locks.release(name)

    async def close(self) -> None:
        """Waits for writes under way, then removes this process's private files."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._writer.close()
        self._pool.shutdown()
        self._temps.close()
        self._locks.close()

    # The border: OSError in here, StorageError out there

    def _check_writable(self) -> None:
        if self._refusal is not None:
            raise self._refusal.error()

    def _at_border(self, key: str, act: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return act(*args, **kwargs)
        except OSError as error:
            raise storage_error(error, key, self._root) from error

    async def _in_thread(self, key: str, act: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return await asyncio.wrap_future(self._pool.submit(act, *args, **kwargs))
        except OSError as error:
            raise storage_error(error, key, self._root) from error


class _Held(AbstractAsyncContextManager[None]):
    """A lock as a context. There is one for each object that is fetched, and a generator would cost twice as much."""

    __slots__ = ("_name", "_store")

    def __init__(self, store: LocalStore, name: str) -> None:
        self._store = store
        self._name = name

    async def __aenter__(self) -> None:
        await self._store.acquire(self._name)

    async def __aexit__(self, *_raised: object) -> None:
        self._store.release(self._name)


class LocalUpload:
    """Bytes on their way into a LocalStore: held back while few, then in a private file on the same file system."""

    def __init__(self, store: LocalStore) -> None:
        self._store = store
        self._held: list[bytes] = []
        self._held_size = 0
        self._filed = 0
        self._fd: int | None = None
        self._temp: str | None = None
        self._flight: Future[None] | None = None
        self._open = True

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return self._filed + self._held_size

    @property
    def path(self) -> Path:
        """The private file, holding all that was written so far (what was held back is written now)."""
        self._check_open()
        self._store._at_border(self._name, self._file, self._take())
        assert self._temp is not None
        return Path(self._temp)

    async def write(self, chunk: bytes) -> None:
        """Adds to the end. StorageError when the disk does not take it; the upload is then good for abort only."""
        self._check_open()
        self._held.append(chunk)
        self._held_size += len(chunk)
        if self._held_size >= UPLOAD_BUFFER:
            await self._fly(self._file, self._take())

    async def truncate(self, size: int = 0) -> None:
        """Forgets what lies beyond `size`; ValueError when there is less than that."""
        self._check_open()
        if not 0 <= size <= self.size:
            raise ValueError(f"cannot truncate {self.size} bytes to {size}")
        rest = b"".join(self._held)[: max(0, size - self._filed)]
        self._held, self._held_size = [rest] if rest else [], len(rest)
        if size < self._filed:
            await self._fly(self._cut, size)

    async def commit(self, key: str, *, replace: bool = False, lazy: bool = False) -> Blob:
        """Makes it durable and visible; from the call on the upload is over, whatever happens to the caller."""
        path = self._store._path(key)
        self._check_open()
        if self._fd is None:
            self._open = False
            return await self._store.publish(
                Write(key, path, replace, data=b"".join(self._take()), lazy=lazy)
            )
        synced = self.size > UPLOAD_BUFFER
        if synced:  # in its own thread, so that small writes of others need not wait for a big body
            await self._fly(self._file_and_sync, self._take())
        else:
            self._store._at_border(key, self._file, self._take())
        self._open = False
        fd, temp, self._fd, self._temp = self._fd, self._temp, None, None
        return await self._store.publish(
            Write(key, path, replace, fd=fd, temp=temp, synced=synced, lazy=lazy)
        )

    async def quarantine(self, key: str, reason: str) -> str:
        """Keeps it for inspection, with the reason beside it; the upload is over."""
        self._store._path(key)
        self._check_open()
        await self._fly(self._file_and_sync, self._take())
        assert self._temp is not None
        temp = self._temp
        aside = await self._store._in_thread(key, self._store.move_aside, temp, key, reason)
        await self.abort()
        if aside is None:
            raise StorageError("the private file of {key} vanished before it was moved aside", key=key)
        return aside

    async def abort(self) -> None:
        """Drops it; safe at any time, also when a cancelled write is still in its thread."""
        self._open = False
        self._held, self._held_size = [], 0
        if self._flight is not None:
            self._flight.add_done_callback(lambda _: self._drop())
        else:
            self._drop()

    # Steps; they run in a thread or, when short, in the loop

    @property
    def _name(self) -> str:
        return OWN + "tmp/" + os.path.basename(self._temp or "new")

    def _check_open(self) -> None:
        if not self._open:
            raise ValueError("the upload is over: it was committed, quarantined or aborted")

    def _take(self) -> list[bytes]:
        chunks, self._held, self._held_size = self._held, [], 0
        self._filed += sum(map(len, chunks))
        return chunks

    def _file(self, chunks: list[bytes]) -> None:
        disk = self._store._disk
        if self._fd is None:
            self._temp = self._store._temps.name()
            self._fd = disk.create(self._temp)
        disk.write(self._fd, chunks)

    def _file_and_sync(self, chunks: list[bytes]) -> None:
        self._file(chunks)
        assert self._fd is not None
        if self._store._fsync:
            self._store._disk.sync(self._fd)

    def _cut(self, size: int) -> None:
        assert self._fd is not None
        self._store._disk.truncate(self._fd, size)
        self._filed = size

    async def _fly(self, step: Callable[_P, None], *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Runs a step in a thread, and remembers it: its file must not be closed under it."""
        self._flight = self._store._pool.submit(step, *args, **kwargs)
        try:
            await asyncio.wrap_future(self._flight)
        except OSError as error:
            raise storage_error(error, self._name, self._store._root) from error
        self._flight = None

    def _drop(self) -> None:
        fd, temp, self._fd, self._temp = self._fd, self._temp, None, None
        with suppress(OSError):
            if fd is not None:
                self._store._disk.close(fd)
        with suppress(OSError):
            if temp is not None:
                self._store._disk.unlink(temp)


class _TooLong:
    """The bytes asked for are too many to read inside the loop."""


def _read(path: str, start: int, end: int | None, limit: int | None) -> bytes | _TooLong | None:
    try:
        fd = os.open(path, READ_FLAGS)
    except OSError as error:
        if error.errno in MISSING:
            return None
        raise
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode):
            return None
        stop = found.st_size if end is None else min(end, found.st_size)
        length = max(0, stop - start)
        if limit is not None and length > limit:
            return _TooLong()
        if start:
            os.lseek(fd, start, os.SEEK_SET)
        return _read_exactly(fd, length)
    finally:
        os.close(fd)


def _read_exactly(fd: int, length: int) -> bytes:
    """One call nearly always; more for bodies above 2 GB, or where the kernel hands out less."""
    data = os.read(fd, length)
    if len(data) == length:
        return data
    parts = [data]
    missing = length - len(data)
    while missing and (data := os.read(fd, missing)):
        parts.append(data)
        missing -= len(data)
    return b"".join(parts)


def _walk(root: str, prefix: str) -> Iterator[Blob]:
    """Depth first in key order: a folder sorts as its name with the slash, as its keys do."""
    folder, _, start = prefix.rpartition("/")
    base = f"{folder}/" if folder else ""
    yield from _walk_folder(f"{root}/{base}", base, start, skip_own=not prefix)


def _walk_folder(path: str, base: str, start: str, *, skip_own: bool) -> Iterator[Blob]:
    try:
        with os.scandir(path) as entries:
            found = sorted(
                (
                    (entry.name + "/" * entry.is_dir(), entry)
                    for entry in entries
                    if entry.name.startswith(start)
                ),
                key=itemgetter(0),
            )
    except OSError as error:
        if error.errno in MISSING:
            return
        raise
    for name, entry in found:
        if name.endswith("/"):
            if not (skip_own and base + name == OWN):
                yield from _walk_folder(entry.path, base + name, "", skip_own=False)
        elif is_key(base + name) and (blob := blob_at(entry.path, base + name)) is not None:
            yield blob
