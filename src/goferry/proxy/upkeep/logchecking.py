"""What goferry's own log holds, and whether it is still what was signed and what the store has. It takes no key."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from goferry.errors import GoferryError, InvalidInput, NotFound, VerifyError
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup, tlog
from goferry.gomod.sumdb.note import Verifier, open_note, parse_verifier
from goferry.gomod.sumdb.tlog import EMPTY_TREE, Record, Tree
from goferry.i18n import N_
from goferry.proxy.ownlog import FOLDER, RECORDS, head_key, log_path
from goferry.storage.base import BlobStore
from goferry.storage.logfile import LogDamaged, LogFile, rehash, verifier_of

_FOLDER = f"{FOLDER}/"
_FILE = f"/{RECORDS}"
_BATCH = 500

Progress = Callable[[int, int], None]
"""Told how many records were looked at so far, and how many there are."""


@dataclass(frozen=True, slots=True)
class Log:
    """A log as it is shown. `head` is the largest signed tree head, as its note; empty before the first one."""

    name: str
    key: str
    tree: Tree
    head: str


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a record: with itself, or with the files that the store has of its module version."""

    record: int
    module: str
    reason: str


@dataclass(frozen=True, slots=True)
class Check:
    """A whole look at a log. `files` were hashed and compared with their record."""

    records: int
    files: int
    faults: tuple[Fault, ...]


async def names(store: BlobStore) -> list[str]:
    """The logs that a store keeps."""
    return [
        blob.key.removeprefix(_FOLDER).removesuffix(_FILE)
        async for blob in store.keys(_FOLDER)
        if blob.key.endswith(_FILE)
    ]


async def only_name(store: BlobStore) -> str:
    """The one log of a store. NotFound when it has none, InvalidInput when it has several."""
    found = await names(store)
    if not found:
        raise NotFound(
            "there is no log in the store {store}",
            hint=N_("`goferry serve --own-log NAME` begins one"),
            store=store.url,
        )
    if len(found) > 1:
        raise InvalidInput("which log? Give --own-log, one of {names}", names=", ".join(found))
    return found[0]


def opened(store: BlobStore, name: str) -> LogFile:
    """The log of that name, to be read. NotFound when there is none."""
    path = log_path(store, name)
    if not path.exists():
        raise NotFound("there is no log {name} in the store {store}", name=name, store=store.url)
    # Read as anybody reads it, where that may be: what a killed process left is then put in order first.
    read_only = store.read_only is not None
    return LogFile(path, verifier_of(path, read_only=read_only), read_only=read_only)


async def look(store: BlobStore, name: str) -> Log:
    """The log as it is. Raises NotFound, and LogDamaged for one that is less than what was signed."""
    file = opened(store, name)
    try:
        key = file.verifier
        note = await store.read(head_key(name)) or b""
        signed = _tree_of(note, parse_verifier(key))
        await asyncio.to_thread(file.check_begins_with, signed)
        return Log(name, key, await asyncio.to_thread(file.tree), note.decode())
    finally:
        file.close()


def _tree_of(note: bytes, verifier: Verifier) -> Tree:
    if not note:
        return EMPTY_TREE
    try:
        return tlog.parse_tree(open_note(note, [verifier]).text)
    except VerifyError as error:
        raise LogDamaged(
            "the remembered head of the log {name} is not signed by its key: {why}",
            name=verifier.name,
            why=error,
        ) from error


async def verify(store: BlobStore, name: str, progress: Progress = lambda _done, _all: None) -> Check:
    """Hashes the whole log again, and every file of a recorded version that the store has."""
    file = opened(store, name)
    faults: list[Fault] = []
    files = 0
    try:
        size = await asyncio.to_thread(file.size)
        looks = _looks(file, size)
        while (row := await asyncio.to_thread(next, looks, None)) is not None:
            module, record, reason = row
            if reason:
                faults.append(Fault(record.id, module, reason))
            else:
                compared, wrong = await _compare(store, name, module, record)
                files += compared
                faults += [Fault(record.id, module, reason) for reason in wrong]
            progress(record.id + 1, size)
    finally:
        file.close()
    return Check(size, files, tuple(faults))


def _looks(file: LogFile, size: int) -> Iterator[tuple[str, Record, str]]:
    """Each record, and what is wrong with it; the first one that its hashes do not fit ends the walk, since all above
    it are wrong then."""
    at = 0
    for number, (module, record, made) in enumerate(rehash(_entries(file, size))):
        reason = ""
        try:
            if record.id != number:
                raise VerifyError("record {number} is missing", number=number)
            tlog.format_record(record)
            lookup.sums_of("", version_of(module), record)
            if file.hashes(range(at, at + len(made))) != made:
                raise VerifyError("its hashes are not those of its text, or of the records before it")
        except GoferryError as error:
            reason = str(error)
        at += len(made)
        yield module, record, reason
        if reason:
            return


def _entries(file: LogFile, size: int) -> Iterator[tuple[str, Record]]:
    for start in range(0, size, _BATCH):
        yield from file.records(start, min(start + _BATCH, size))


def version_of(module: str) -> Version:
    """The module version that a row of the log is about."""
    path, _at, version = module.rpartition("@")
    return Version(path, version)


async def _compare(store: BlobStore, name: str, module: str, record: Record) -> tuple[int, list[str]]:
    """How many files the store has of it, and what is wrong with them."""
    version = version_of(module)
    sums = lookup.sums_of(name, version, record)
    compared, wrong = 0, []
    for kind, check in ((Kind.ZIP, sums.check_zip), (Kind.MOD, sums.check_mod)):
        h1 = await _hash(store, request_path(kind, version.path, version.version), kind)
        if h1 is None:
            continue
        compared += 1
        try:
            check(h1)
        except VerifyError as error:
            wrong.append(str(error))
    return compared, wrong


async def _hash(store: BlobStore, key: str, kind: Kind) -> str | None:
    """What the bytes hash to; None without them. What can't be read as a zip has no hash."""
    if kind is Kind.MOD:
        body = await store.read(key)
        return None if body is None else dirhash.hash_go_mod(body)
    place = store.local_path(key)
    if place is None or await store.stat(key) is None:
        return None
    with suppress(FileNotFoundError):
        try:
            return await asyncio.to_thread(dirhash.hash_zip, place)
        except GoferryError:
            return "-"
    return None
