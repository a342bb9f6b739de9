"""Whether what a store keeps is still what was proven; what is not goes to quarantine."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from goferry.errors import GoferryError, InvalidInput, StorageError, VerifyError
from goferry.gomod import dirhash, goenv, modzip
from goferry.gomod.goproxy import Kind, Request
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup
from goferry.gomod.sumdb.note import UnverifiedNote, Verifier, parse_verifier
from goferry.proxy import judge, storedlog
from goferry.proxy.storedlog import StoredLog, Unproven
from goferry.proxy.upkeep.records import recorded
from goferry.proxy.upkeep.units import SIDECARS, SUMDB, Tally, request_of
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index

Progress = Callable[[int, int], None]
"""Told how many files, and how many bytes, were looked at so far."""

_PROVEN, _HASHED, _FORMAL, _UNPROVEN = "proven", "hashed", "formal", "unproven"
_H1 = re.compile(rb"h1:[A-Za-z0-9+/]{43}=\n?")
_SUMDB_KEY = re.compile(r"sumdb/(.+?)/((?:lookup|tile)/.+)")


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that is not what it must be. `quarantined` is where it lies now; empty when it was left in place."""

    key: str
    reason: str
    quarantined: str


@dataclass(frozen=True, slots=True)
class Scrub:
    """The result of a whole look at a store. `proven` files are what a checksum database has signed, `hashed` ones
    have the hash kept beside them (or in a record that can't be proven), `formal` ones could be checked for their form
    only. `unproven` counts those of the formal ones that a checksum database sent, where its key, its tree head or a
    tile is missing.
    """

    files: int
    size: int
    proven: int
    hashed: int
    formal: int
    damaged: tuple[Damage, ...]
    unproven: int = 0

    @property
    def clean(self) -> bool:
        """Whether nothing was wrong."""
        return not self.damaged


def verifiers(sumdb: str) -> dict[str, Verifier]:
    """The keys by database name that a setting of GOSUMDB values, with commas between them, gives, and those that
    everybody knows. InvalidInput for a malformed one.
    """
    given = (goenv.parse_sumdb(text.strip()) for text in sumdb.split(",") if text.strip())
    keys = [*goenv.KNOWN_KEYS.values(), *(spec.key for spec in given if spec is not None)]
    return {verifier.name: verifier for verifier in map(parse_verifier, keys)}


async def verify(
    store: BlobStore,
    index: Index | None = None,
    *,
    keys: Mapping[str, Verifier] | None = None,
    progress: Progress | None = None,
    quarantine: bool = True,
) -> Scrub:
    """Reads every file and compares it with what is proven of it; what differs is moved to quarantine with
    the reason (unless `quarantine` is off, or the store is read-only). `keys` are those of the checksum databases, by
    name. Raises StorageError when the store cannot be read.
    """
    scrubber = _Scrubber(store, keys or {})
    tally = Tally()
    counts = dict.fromkeys((_PROVEN, _HASHED, _FORMAL, _UNPROVEN), 0)
    damaged: list[Damage] = []

    async def set_aside(key: str, error: GoferryError) -> None:
        move = quarantine and not isinstance(error, StorageError)  # unreadable: there is nothing to move
        damaged.append(await _set_aside(store, index, key, str(error), move=move))

    for key, error in await scrubber.open():
        await set_aside(key, error)
    async for blob in scrubber.files():
        try:
            counts[await scrubber.check(blob)] += 1
        except _Gone:
            continue
        except GoferryError as error:
            await set_aside(blob.key, error)
        tally.add(blob)
        if progress is not None:
            progress(tally.count, tally.size)
    counts[_FORMAL] += counts[_UNPROVEN]
    return Scrub(tally.count, tally.size, **counts, damaged=tuple(damaged))


async def _set_aside(store: BlobStore, index: Index | None, key: str, reason: str, *, move: bool) -> Damage:
    if not move or store.read_only is not None:
        return Damage(key, reason, "")
    aside = await store.quarantine(key, reason)
    for suffix, file in SIDECARS.items():  # the hash of a file that is gone would judge the next one wrongly
        if key.endswith(file):
            await store.delete(key.removesuffix(file) + suffix)
    if index is not None:
        index.forget([key])
    return Damage(key, reason, aside or "")


class _Gone(Exception):
    """The file was deleted between the walk and the look."""


class _Scrubber:
    """Checks one file by its kind: returns by what it was checked, raises a GoferryError with what is wrong.

    What the checksum databases sent comes first, since it judges the rest.
    """

    def __init__(self, store: BlobStore, keys: Mapping[str, Verifier]) -> None:
        self._store = store
        self._keys = keys
        self._sumdb: list[tuple[str, str, Blob]] = []
        self._logs: dict[str, StoredLog | None] = {}
        # Keys of records. One that comes in while we look is in neither, and counts as unproven.
        self._proven: set[str] = set()
        self._refuted: set[str] = set()

    async def open(self) -> list[tuple[str, GoferryError]]:
        """Find the files of the databases, and take up their tree heads; returns what is wrong with those."""
        async for blob in self._store.keys(SUMDB):
            name, path = _sumdb_path(blob.key)
            self._sumdb.append((name, path, blob))
        self._sumdb.sort(key=lambda row: (row[0], storedlog.rank(row[1])))
        wrong = []
        for name in dict.fromkeys(name for name, _path, _blob in self._sumdb if name):
            try:
                self._logs[name] = await self._open_log(name)
            except GoferryError as error:
                self._logs[name] = None
                wrong.append((storedlog.head_key(name), error))
        return wrong

    async def _open_log(self, name: str) -> StoredLog | None:
        if name not in self._keys:
            return None
        log = StoredLog(self._store, self._keys[name])
        try:
            await log.open()
        except UnverifiedNote:
            # Another key may have been set by mistake. The head guards against forks: it is not set aside for that.
            return None
        return log

    async def files(self) -> AsyncIterator[Blob]:
        """All files, in the order in which they must be checked."""
        for _name, _path, blob in self._sumdb:
            yield blob
        async for blob in self._store.keys(""):
            if not blob.key.startswith(SUMDB):
                yield blob

    async def check(self, blob: Blob) -> str:
        if blob.key.startswith(SUMDB):
            return await self._check_sumdb(blob.key)
        if blob.key.endswith(tuple(SIDECARS)):
            return _check_sidecar(await self._read(blob.key))
        request = request_of(blob.key)
        if request is None:
            return _FORMAL  # a file that somebody else put there: never served, so none of our business
        match request.kind:
            case Kind.ZIP:
                return await self._check_zip(request)
            case Kind.MOD:
                return await self._check_mod(request)
            case Kind.LIST:
                judge.check_list(await self._read(blob.key), request.path)
            case _:
                exact = request.version if request.exact else ""
                judge.check_info(await self._read(blob.key), request.path, exact=exact)
        return _FORMAL

    async def _read(self, key: str) -> bytes:
        data = await self._store.read(key)
        if data is None:
            raise _Gone
        return data

    async def _check_zip(self, request: Request) -> str:
        async with _as_file(self._store, request.key) as path:
            try:
                report = await asyncio.to_thread(modzip.verify_zip, request.module, path)
            except FileNotFoundError as error:
                raise _Gone from error
            except OSError as error:
                raise StorageError("cannot read {key}: {why}", key=request.key, why=error) from error
        return await self._compare(request, report.h1, ".ziphash", go_mod=False)

    async def _check_mod(self, request: Request) -> str:
        data = await self._read(request.key)
        by = await self._compare(request, dirhash.hash_go_mod(data), ".modhash", go_mod=True)
        if by is _FORMAL:
            judge.check_go_mod(data, request.path, request.version)
        return by

    async def _compare(self, request: Request, h1: str, sidecar: str, *, go_mod: bool) -> str:
        """A proven record decides; else the hash that was kept with the file; else a record that can't be proven,
        which is worth as much as such a hash.
        """
        wanted = request.module
        sums, is_proven = await self._sums(wanted)
        check = None if sums is None else sums.check_mod if go_mod else sums.check_zip
        if check is not None and is_proven:
            check(h1)
            return _PROVEN
        kept = await self._store.read(request.key.removesuffix(SIDECARS[sidecar]) + sidecar)
        if kept is not None and _H1.fullmatch(kept):  # a damaged hash says nothing, and is reported by itself
            if kept.decode().strip() != h1:
                raise VerifyError(
                    "{module}: the file does not have the hash it was stored with", module=wanted
                )
            return _HASHED
        if check is None:
            return _FORMAL
        check(h1)
        return _HASHED

    async def _sums(self, wanted: Version) -> tuple[lookup.Sums | None, bool]:
        """The sums in a stored record, and whether it is proven; the proven one if there are several."""
        unproven = None
        for name in self._logs:
            key = f"{SUMDB}{name}/{lookup.lookup_path(wanted)}"
            if key not in self._refuted and (sums := await recorded(self._store, name, wanted)) is not None:
                if key in self._proven:
                    return sums, True
                unproven = unproven or sums
        return unproven, False

    async def _check_sumdb(self, key: str) -> str:
        name, path = _sumdb_path(key)
        if not name:
            return _FORMAL  # somebody else's
        body = await self._read(key)
        log = self._logs[name]
        try:
            if log is None:
                storedlog.check_form(path, body)
                return _UNPROVEN
            await log.check(path, body)
        except (Unproven, InvalidInput):
            return _UNPROVEN
        except VerifyError:
            self._refuted.add(key)
            raise
        if path.startswith("lookup/"):
            self._proven.add(key)
        return _PROVEN


def _check_sidecar(data: bytes) -> str:
    if not _H1.fullmatch(data):
        raise VerifyError("not an h1 hash")
    return _FORMAL


def _sumdb_path(key: str) -> tuple[str, str]:
    """The name of the database, which may hold slashes, and the path below its root; empty for other files."""
    match = _SUMDB_KEY.fullmatch(key)
    return (match[1], match[2]) if match else ("", "")


@asynccontextmanager
async def _as_file(store: BlobStore, key: str) -> AsyncIterator[Path]:
    """The object as a local file: its own, or a private copy when the store has none."""
    path = store.local_path(key)
    if path is not None:
        yield path
        return
    data = await store.read(key)
    if data is None:
        raise _Gone
    upload = await store.upload()
    try:
        await upload.write(data)
        yield upload.path
    finally:
        await upload.abort()
