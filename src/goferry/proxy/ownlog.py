"""A log of one's own: it signs tree heads, answers as a checksum database does, and proves what it holds.

Everything lies in `.goferry/log/NAME/`: `records.sqlite`, the records and the hashes over them (storage/logfile.py);
`key`, the key pair, unless it is given from elsewhere; `head`, the largest tree head that was ever signed here. The
head is written before anything is answered under it, so a log that was lost, or put back from an older copy, is
noticed before a client could see the fork.

What belongs into the log, and what is refused because of it, is decided in goferry.proxy.recording.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from goferry.errors import ConfigError, InvalidInput, NotFound, StorageError, VerifyError
from goferry.gomod import goenv, module
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup, note, tlog
from goferry.gomod.sumdb.lookup import Ask, Fetch, Head, ReadHead, Sums
from goferry.gomod.sumdb.note import Note, Signer, Verifier, format_verifier, sign_note
from goferry.gomod.sumdb.tile import DATA_LEVEL, HEIGHT, Tile, parse_tile_path, tile_indexes, widest_tile
from goferry.gomod.sumdb.tlog import Record
from goferry.i18n import N_
from goferry.proxy.base import Answer
from goferry.storage.base import BlobStore
from goferry.storage.logfile import LogDamaged, LogFile, create
from goferry.storage.logkey import make_key, read_key

FOLDER: Final = ".goferry/log"
RECORDS: Final = "records.sqlite"
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Place:
    """What the setting `own_log` means: a log that goferry keeps itself, or somebody else's with a key."""

    name: str
    remote: goenv.SumDB | None = None


def parse_place(text: str) -> Place | None:
    """`NAME`, `NAME+KEY` or `NAME+KEY URL`; None for nothing or `off`. Raises ConfigError."""
    if text in ("", "off"):
        return None
    if "PRIVATE+KEY+" in text:
        raise ConfigError(
            "setting {name} holds a private key",
            hint=N_(
                "give the name alone, and the key in a file by own_log_key; make a new key, this one was shown"
            ),
            name="own_log",
        )
    try:
        if "+" in text:
            spec = goenv.parse_sumdb(text)
            return None if spec is None else Place(spec.name, spec)
        return Place(_checked_name(text))
    except InvalidInput as error:
        raise ConfigError(
            "setting {name}: {value!r}: {why}", name="own_log", value=text, why=error
        ) from error


def _checked_name(name: str) -> str:
    """A name that a GOSUMDB value may have, which only one with a key can be asked about."""
    verifier = note.new_signer(name, bytes(32)).verifier
    spec = goenv.parse_sumdb(format_verifier(verifier))
    if spec is None or name in goenv.KNOWN_KEYS:
        raise InvalidInput("this is the name of a public checksum database")
    return name


def records_key(name: str) -> str:
    """Where the records of a log lie in a store."""
    return f"{FOLDER}/{name}/{RECORDS}"


def log_path(store: BlobStore, name: str) -> Path:
    """The file of a log. ConfigError for a store that is no folder."""
    path = store.local_path(records_key(name))
    if path is None:
        raise ConfigError(
            "a log of one's own needs a store in a folder, and {store} is none", store=store.url
        )
    return path


def head_key(name: str) -> str:
    """Where the largest tree head that was signed is remembered."""
    return f"{FOLDER}/{name}/head"


async def open_log(store: BlobStore, name: str, key_file: Path | None = None) -> "OwnLog":
    """The log of that name in a store, begun if need be. To be closed.

    Raises ConfigError for a key that can't be used, StorageError when there is no log and none can be begun, LogDamaged
    when there was one.
    """
    path = log_path(store, name)
    async with store.lock(f"{FOLDER}/{name}"):
        signed = await store.read(head_key(name))
        signer = await asyncio.to_thread(_begin, store, path, name, key_file, signed=bool(signed))
    file = LogFile(path, format_verifier(signer.verifier), read_only=store.read_only is not None)
    log = OwnLog(file, signer, store)
    try:
        await log.check_head()
    except BaseException:
        await log.close()
        raise
    return log


def _begin(store: BlobStore, path: Path, name: str, key_file: Path | None, *, signed: bool) -> Signer:
    """The key, with a log beside it. What was signed before must be there; what was not may be made."""
    own_key = path.with_name("key")
    is_new = not path.exists()
    if is_new and signed:
        raise LogDamaged(
            "the log {name} was signed here before, and {path} is gone",
            hint=N_("put it back from a backup; a new log under the same key would be a fork to clients"),
            name=name,
            path=path,
        )
    if is_new and store.read_only is not None:
        raise StorageError("the log {name} cannot be begun: {why}", name=name, why=store.read_only)
    if key_file is not None or own_key.exists() or not is_new:
        signer = read_key(key_file or own_key, name)
    else:
        signer = make_key(own_key, name)
    if is_new:
        create(path, format_verifier(signer.verifier))
    return signer


class OwnLog:
    """One log. Made by `open_log`."""

    def __init__(self, file: LogFile, signer: Signer, store: BlobStore) -> None:
        self.name = signer.name
        self.verifier: Verifier = signer.verifier
        self.file = file
        self._signer = signer
        self._store = store
        self._head = Head(tlog.EMPTY_TREE, b"")
        self._database = lookup.Database(signer.verifier)
        self._before = 0
        self._waiting: list[tuple[str, bytes, asyncio.Future[Record]]] = []
        self._writer: asyncio.Task[None] | None = None
        self._heading = asyncio.Lock()

    @property
    def verifier_key(self) -> str:
        """The public key, as GOSUMDB wants it."""
        return format_verifier(self.verifier)

    async def close(self) -> None:
        """Lets what is being written be written."""
        if self._writer is not None:
            await self._writer
        await asyncio.to_thread(self.file.close)

    # ---- records ---------------------------------------------------------------------------------------------

    async def known(self, version: Version) -> Sums | None:
        """What the log says of a module version; None when it has no record."""
        record = await self._in_file(lambda file: file.find(str(version)))
        return None if record is None else lookup.sums_of(self.name, version, record)

    async def record(self, version: Version, zip_h1: str, mod_h1: str) -> Sums:
        """The record of a module version, written if there is none. VerifyError when it says something else."""
        text = record_text(version, zip_h1, mod_h1)
        before = await self.known(version)
        if before is None:
            record = await self._append(str(version), text)
        else:
            record = before.record
        sums = lookup.sums_of(self.name, version, record)
        sums.check_zip(zip_h1)
        sums.check_mod(mod_h1)
        return sums

    async def _append(self, name: str, text: bytes) -> Record:
        written: asyncio.Future[Record] = asyncio.get_running_loop().create_future()
        self._waiting.append((name, text, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return await written

    async def _write(self) -> None:
        """One transaction for all that wait: each waits for the disk, whatever it holds."""
        while self._waiting:
            batch, self._waiting = self._waiting, []
            entries = [(name, text) for name, text, _ in batch]
            append = partial(LogFile.append_all, entries=entries, after=self._head.tree)
            try:
                records = await self._in_file(append)
            except Exception as error:  # noqa: BLE001  whatever it is belongs to those who wait
                for _, _, written in batch:
                    if not written.done():  # who asked may have gone away
                        written.set_exception(error)
                continue
            for (_, _, written), record in zip(batch, records, strict=True):
                if not written.done():
                    written.set_result(record)

    def is_new(self, sums: Sums) -> bool:
        """Whether that was recorded since this process began: then nothing older vouches for it."""
        return sums.record.id >= self._before

    # ---- tree heads ------------------------------------------------------------------------------------------

    async def head(self) -> Head:
        """The signed head of the whole log. It is remembered before anybody sees it."""
        known = self._head
        if known.note and await self._in_file(LogFile.size) == known.tree.size:
            return known
        async with self._heading:  # those who wait find the head of whoever went before them
            tree = await self._in_file(LogFile.tree)
            if not self._head.note or tree != self._head.tree:
                await self._remember(Head(tree, sign_note(Note(tlog.format_tree(tree)), [self._signer])))
            return self._head

    async def check_head(self) -> None:
        """Raise LogDamaged unless the log goes on from the head that was remembered."""
        self._before = await self._in_file(LogFile.size)  # a file under another key says so first
        self._head = await self._remembered()
        await self._in_file(lambda file: file.check_begins_with(self._head.tree))

    async def _remembered(self) -> Head:
        stored = await self._store.read(head_key(self.name)) or b""
        try:
            return self._database.open(stored) if stored else Head(tlog.EMPTY_TREE, b"")
        except VerifyError as error:
            raise LogDamaged(
                "the remembered head of the log {name} is not signed by its key: {why}",
                name=self.name,
                why=error,
            ) from error

    async def _remember(self, head: Head) -> None:
        async with self._store.lock(head_key(self.name)):
            stored = await self._remembered()
            # Another process may have got further, or it may be another history: then nothing is signed.
            larger, smaller = (head, stored) if head.tree.size >= stored.tree.size else (stored, head)
            await self._in_file(lambda file: file.check_begins_with(smaller.tree))
            if larger is head and head.tree != stored.tree and self._store.read_only is None:
                await self._store.put(head_key(self.name), head.note, replace=True)
        self._head = head

    # ---- answers ---------------------------------------------------------------------------------------------

    async def answer(self, path: str) -> Answer:
        """The body at `path` below the database's root. NotFound for what is not in the log (yet)."""
        body = await self.body(path)
        is_final = path != lookup.LATEST
        return Answer(f"sumdb/{self.name}/{path}", len(body), time.time(), immutable=is_final, body=body)

    async def body(self, path: str) -> bytes:
        """The same without what HTTP wants to know."""
        if path == lookup.LATEST:
            return (await self.head()).note
        if path.startswith("lookup/"):
            return await self._lookup(lookup.parse_lookup_path(path))
        if path.startswith("tile/"):
            return await self._tile(parse_tile_path(path))
        raise NotFound("{name} has nothing at {path}", name=self.name, path=path)

    async def _lookup(self, version: Version) -> bytes:
        sums = await self.known(version)
        if sums is None:
            raise NotFound("{module} is not in the log {name}", module=version, name=self.name)
        return tlog.format_record(sums.record) + (await self.head()).note

    async def _tile(self, tile: Tile) -> bytes:
        # The head first: a tile shows no hash that no remembered head has.
        tree = (await self.head()).tree
        leaves = replace(tile, level=max(tile.level, 0))
        wide = widest_tile(leaves, tree.size)
        if tile.height != HEIGHT or wide is None or wide.width < tile.width:
            raise NotFound("{path} is beyond the end of the log {name}", path=tile.path, name=self.name)
        if tile.level == DATA_LEVEL:
            texts = await self._in_file(lambda file: file.records(tile.start, tile.start + tile.width))
            return b"".join(record.text + b"\n" for _module, record in texts)
        return b"".join(await self._in_file(lambda file: file.hashes(tile_indexes(tile))))

    # ---- proofs ----------------------------------------------------------------------------------------------

    async def prove(self, version: Version) -> Sums:
        """What the log says of a module version, proven as any client proves it, under the remembered head.

        Raises NotInDatabase for what was not recorded, another VerifyError for a log that contradicts itself.
        """
        exchange = self._database.lookup(version)
        while asks := exchange.need():
            for ask in asks:
                exchange.feed(ask, await self._found(ask))
        return exchange.result()

    async def _found(self, ask: Ask) -> bytes | bool | None:
        match ask:
            case Fetch(path):
                try:
                    return await self.body(path)
                except NotFound:
                    return None
            case ReadHead():
                return await self._store.read(head_key(self.name)) or b""
            case _:  # every head that is shown was remembered before
                return True

    async def _in_file(self, act: Callable[[LogFile], _T]) -> _T:
        return await asyncio.to_thread(act, self.file)


def record_text(version: Version, zip_h1: str, mod_h1: str) -> bytes:
    """The text of a record: the two lines that go.sum has for a module version."""
    module.check(version.path, version.version)
    return f"{version.path} {version.version} {zip_h1}\n{version.path} {version.version}/go.mod {mod_h1}\n".encode()
