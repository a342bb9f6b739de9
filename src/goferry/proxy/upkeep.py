"""Looking after a store: what is in it, whether it is still what was proven, and what may go.

Two rules decide what collection (`gc`) may take:

- It takes whole versions, the least recently used first: `.info`, `.mod`, `.zip` and their hashes go together. Half
  a version would make `go` ask for the rest and wait for an upstream that may be away.
- It takes nothing else. Lists and `@latest` are small and answer when the upstream is down. What the checksum database
  said (`sumdb/`) is never collected: tiles serve many versions, the remembered head is what reveals a forked log, and
  a record proves the version again on the day it comes back. Pinned versions stay whatever their age.

What lies in quarantine was meant to be looked at: it goes after `QUARANTINE_AGE`, or a broken upstream could fill the
disk with what we refuse to serve.

Files are unlinked, never truncated: who is being served one reads it to its end.
"""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from goferry.errors import GoferryError, InvalidInput, NotFound, StorageError, VerifyError
from goferry.gomod import dirhash, goenv, module, modzip, semver
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup, tlog
from goferry.gomod.sumdb.note import UnverifiedNote, Verifier, parse_verifier
from goferry.proxy import judge, storedlog
from goferry.proxy.storedlog import StoredLog, Unproven
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index, Record

PINS = ".goferry/pins.json"
QUARANTINE_AGE = 30 * 86_400.0
"""Seconds."""

_QUARANTINE = ".goferry/quarantine/"
_SUMDB = "sumdb/"
_SIDECARS = {".ziphash": ".zip", ".modhash": ".mod"}
"""A hash beside a file, as Go's own cache keeps `.ziphash`; the file it speaks of."""

Progress = Callable[[int, int], None]
"""Told how many files, and how many bytes, were looked at so far."""


# What is there


@dataclass(frozen=True, slots=True)
class Usage:
    """Sizes of a store, in files and bytes. `files` and `size` count what can be served, without quarantine."""

    modules: int
    versions: int
    files: int
    size: int
    zips: int
    zip_size: int
    sumdb_files: int
    sumdb_size: int
    quarantined: int
    quarantine_size: int


@dataclass(frozen=True, slots=True)
class ModuleUse:
    """One module: its kept versions in order, and when any of them was last used (seconds since the epoch)."""

    path: str
    versions: tuple[str, ...]
    files: int
    size: int
    used: float


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """One version: its files, and the go.sum lines that a stored record of a checksum database holds for it."""

    path: str
    version: str
    files: tuple[Record, ...]
    size: int
    used: float
    pinned: bool
    sums: tuple[str, ...]


@dataclass(slots=True)
class _Unit:
    """The files of one version, gathered during a walk."""

    module: Version
    blobs: list[Blob] = field(default_factory=list)
    used: float = 0.0

    @property
    def size(self) -> int:
        return sum(blob.size for blob in self.blobs)


def version_of(key: str) -> Version | None:
    """The version whose file (or sidecar) a key names; None for lists, branch answers, `sumdb/` and all else."""
    request = _request(key)
    return request.module if request is not None and request.exact else None


def _request(key: str) -> Request | None:
    for sidecar, file in _SIDECARS.items():
        if key.endswith(sidecar):
            key = key.removesuffix(sidecar) + file
    try:
        return parse_request(key)
    except GoferryError:
        return None


async def _units(store: BlobStore, index: Index | None, prefix: str = "") -> dict[Version, _Unit]:
    """All versions below a prefix. The last use of a version is that of its last used file."""
    used = await _last_uses(index, prefix)
    units: dict[Version, _Unit] = {}
    async for blob in store.keys(prefix):
        if (version := version_of(blob.key)) is not None:
            unit = units.setdefault(version, _Unit(version))
            unit.blobs.append(blob)
            unit.used = max(unit.used, blob.mtime, used.get(blob.key, 0.0))
    return units


async def _last_uses(index: Index | None, prefix: str) -> dict[str, float]:
    if index is None:
        return {}
    return {record.key: record.used for record in await asyncio.to_thread(index.records, prefix)}


async def usage(store: BlobStore) -> Usage:
    """How much a store holds. StorageError when it cannot be read."""
    modules: set[str] = set()
    versions: set[Version] = set()
    files, zips, sumdb = _Tally(), _Tally(), _Tally()
    async for blob in store.keys(""):
        files.add(blob)
        if blob.key.startswith(_SUMDB):
            sumdb.add(blob)
        elif (request := _request(blob.key)) is not None:
            modules.add(request.path)
            if request.exact:
                versions.add(request.module)
            if blob.key.endswith(".zip"):
                zips.add(blob)
    aside = _Tally()
    async for blob in store.keys(_QUARANTINE):
        aside.add(blob)
    return Usage(
        modules=len(modules),
        versions=len(versions),
        files=files.count,
        size=files.size,
        zips=zips.count,
        zip_size=zips.size,
        sumdb_files=sumdb.count,
        sumdb_size=sumdb.size,
        quarantined=aside.count // 2,  # each with its reason beside it
        quarantine_size=aside.size,
    )


@dataclass(slots=True)
class _Tally:
    count: int = 0
    size: int = 0

    def add(self, blob: Blob) -> None:
        self.count += 1
        self.size += blob.size


async def list_modules(store: BlobStore, index: Index | None = None, patterns: str = "") -> list[ModuleUse]:
    """The modules of which a version is kept, in the order of their paths; only those that the
    comma-separated patterns match (as in GOPRIVATE), when there are any.
    """
    by_path: dict[str, list[_Unit]] = {}
    for unit in (await _units(store, index)).values():
        if not patterns or module.match_prefix_patterns(patterns, unit.module.path):
            by_path.setdefault(unit.module.path, []).append(unit)
    return [_module_use(path, units) for path, units in sorted(by_path.items())]


def _module_use(path: str, units: Sequence[_Unit]) -> ModuleUse:
    return ModuleUse(
        path,
        versions=tuple(semver.sort(unit.module.version for unit in units)),
        files=sum(len(unit.blobs) for unit in units),
        size=sum(unit.size for unit in units),
        used=max(unit.used for unit in units),
    )


async def info(store: BlobStore, index: Index | None, wanted: Version) -> VersionInfo:
    """All that is known of one version. InvalidInput for a malformed one, NotFound when nothing of it is kept."""
    unit = (await _units(store, index, _stem(wanted))).get(wanted)
    if unit is None:
        raise NotFound("{module} is not in the store", module=wanted)
    records = await asyncio.gather(*(_record(index, blob) for blob in unit.blobs))
    sums = [line for name in await _databases(store) for line in _lines(await _recorded(store, name, wanted))]
    return VersionInfo(
        wanted.path,
        wanted.version,
        files=tuple(records),
        size=unit.size,
        used=unit.used,
        pinned=_is_pinned(wanted, await pins(store)),
        sums=tuple(dict.fromkeys(sums)),
    )


async def _record(index: Index | None, blob: Blob) -> Record:
    known = await asyncio.to_thread(index.get, blob.key) if index is not None else None
    return known or Record(blob.key, blob.size, blob.mtime, blob.mtime)


def _stem(wanted: Version) -> str:
    """What the keys of a version start with, up to the dot before the kind of file."""
    module.check(wanted.path, wanted.version)
    return request_path(Kind.ZIP, wanted.path, wanted.version).removesuffix("zip")


# What the checksum database said


async def _databases(store: BlobStore) -> list[str]:
    """The names of the checksum databases of which records are kept."""
    names: dict[str, None] = {}
    async for blob in store.keys(_SUMDB):
        name, lookup, _module = blob.key.removeprefix(_SUMDB).partition("/lookup/")
        if lookup:
            names[name] = None
    return list(names)


async def _recorded(store: BlobStore, name: str, wanted: Version) -> lookup.Sums | None:
    """The sums in a stored lookup record, proven or not; None without one, or with a damaged one, which is
    reported by itself.
    """
    body = await store.read(f"{_SUMDB}{name}/{lookup.lookup_path(wanted)}")
    if body is None:
        return None
    try:
        record, _tree = tlog.parse_record(body)
        return lookup.sums_of(name, wanted, record)
    except VerifyError:
        return None


def _lines(sums: lookup.Sums | None) -> list[str]:
    """The record as go.sum has it."""
    return [] if sums is None else sums.record.text.decode().splitlines()


# Whether it is still what was proven


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


_PROVEN, _HASHED, _FORMAL, _UNPROVEN = "proven", "hashed", "formal", "unproven"


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
    tally = _Tally()
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
    for suffix, file in _SIDECARS.items():  # the hash of a file that is gone would judge the next one wrongly
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
        async for blob in self._store.keys(_SUMDB):
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
            if not blob.key.startswith(_SUMDB):
                yield blob

    async def check(self, blob: Blob) -> str:
        if blob.key.startswith(_SUMDB):
            return await self._check_sumdb(blob.key)
        if blob.key.endswith(tuple(_SIDECARS)):
            return _check_sidecar(await self._read(blob.key))
        request = _request(blob.key)
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
        kept = await self._store.read(request.key.removesuffix(_SIDECARS[sidecar]) + sidecar)
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
            key = f"{_SUMDB}{name}/{lookup.lookup_path(wanted)}"
            if key not in self._refuted and (sums := await _recorded(self._store, name, wanted)) is not None:
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


_H1 = re.compile(rb"h1:[A-Za-z0-9+/]{43}=\n?")
_SUMDB_KEY = re.compile(r"sumdb/(.+?)/((?:lookup|tile)/.+)")


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


# What may go


@dataclass(frozen=True, slots=True)
class Removed:
    """One version that went, or would go: why is `age`, `size` or `asked`. `used` is seconds since the epoch."""

    path: str
    version: str
    files: int
    size: int
    used: float
    why: str


@dataclass(frozen=True, slots=True)
class Collection:
    """What a collection took (with `dry_run`: would take). `kept_size` counts the files of versions only;
    `quarantine_removed` the refused files that had lain aside long enough, `quarantine_size` their bytes.
    """

    removed: tuple[Removed, ...]
    removed_size: int
    kept_versions: int
    kept_size: int
    pinned_versions: int
    quarantine_removed: int
    quarantine_size: int
    dry_run: bool


async def gc(
    store: BlobStore,
    index: Index | None = None,
    *,
    max_size: int | None = None,
    max_age: float | None = None,
    dry_run: bool = False,
    now: float | None = None,
) -> Collection:
    """Removes versions unused for `max_age` seconds, then the least recently used until the files of all
    versions take at most `max_size` bytes. None means no limit. Pinned versions count, and stay.
    """
    now = time.time() if now is None else now
    pinned = await pins(store)
    units = sorted((await _units(store, index)).values(), key=lambda unit: (unit.used, str(unit.module)))
    total = sum(unit.size for unit in units)
    loose = [unit for unit in units if not _is_pinned(unit.module, pinned)]
    removed: list[Removed] = []
    for unit in loose:
        why = _why_go(unit, total, now=now, max_size=max_size, max_age=max_age)
        if why is None:
            break  # the next one was used later, and the total stays
        if not dry_run:
            await _remove(store, index, unit)
        removed.append(_removed(unit, why))
        total -= unit.size
    aside = await _old_quarantine(store, now - QUARANTINE_AGE)
    if not dry_run:
        for blob in aside:
            await store.delete(blob.key)
    return Collection(
        tuple(removed),
        removed_size=sum(row.size for row in removed),
        kept_versions=len(units) - len(removed),
        kept_size=total,
        pinned_versions=len(units) - len(loose),
        quarantine_removed=len(aside) // 2,
        quarantine_size=sum(blob.size for blob in aside),
        dry_run=dry_run,
    )


async def _old_quarantine(store: BlobStore, before: float) -> list[Blob]:
    """Refused files and their notes; the note tells the time, because a moved file keeps its own."""
    blobs = {blob.key: blob async for blob in store.keys(_QUARANTINE)}
    notes = [key for key, blob in blobs.items() if key.endswith(".json") and blob.mtime < before]
    return [blobs[key] for note in notes for key in (note.removesuffix(".json"), note) if key in blobs]


def _why_go(
    unit: _Unit, total: int, *, now: float, max_size: int | None, max_age: float | None
) -> str | None:
    if max_age is not None and now - unit.used > max_age:
        return "age"
    if max_size is not None and total > max_size:
        return "size"
    return None


def _removed(unit: _Unit, why: str) -> Removed:
    return Removed(unit.module.path, unit.module.version, len(unit.blobs), unit.size, unit.used, why)


async def _remove(store: BlobStore, index: Index | None, unit: _Unit) -> None:
    keys = [blob.key for blob in unit.blobs]
    # The hashes go last: a file without its hash could no longer be scrubbed if we stopped half-way.
    for key in sorted(keys, key=lambda key: key.endswith(tuple(_SIDECARS))):
        await store.delete(key)
    if index is not None:
        index.forget(keys)


async def rm(store: BlobStore, index: Index | None, wanted: Version) -> tuple[Removed, ...]:
    """Removes one version, or, without a version, all of a module with its list and `@latest`. Pins do not
    protect from being asked for by name. NotFound when there is nothing of it.
    """
    if wanted.version:
        prefix = _stem(wanted)
    else:
        prefix = request_path(Kind.LIST, wanted.path).removesuffix("@v/list")
    units = await _units(store, index, prefix)
    chosen = [unit for unit in units.values() if wanted in (unit.module, Version(unit.module.path))]
    rest = [] if wanted.version else await _loose_files(store, wanted.path)
    if not chosen and not rest:
        raise NotFound("{module} is not in the store", module=wanted)
    for unit in chosen:
        await _remove(store, index, unit)
    for key in rest:
        await store.delete(key)
    ordered = sorted(chosen, key=lambda unit: semver.key(unit.module.version))
    return tuple(_removed(unit, "asked") for unit in ordered)


async def _loose_files(store: BlobStore, path: str) -> list[str]:
    """The files of a module that belong to no version: list, `@latest`, the .info of branches."""
    folder = request_path(Kind.LIST, path).removesuffix("@v/list")
    keys = [blob.key for name in ("@latest", "@v/") async for blob in store.keys(folder + name)]
    return [key for key in keys if version_of(key) is None]


# What must stay


async def pins(store: BlobStore) -> frozenset[Version]:
    """What is pinned: versions, and modules as a whole (with an empty version). StorageError for a damaged
    file, since collecting without knowing the pins would take what must stay.
    """
    data = await store.read(PINS)
    if data is None:
        return frozenset()
    try:
        return frozenset(_parse_pin(text) for text in json.loads(data)["pins"])
    except (ValueError, KeyError, TypeError, AttributeError, InvalidInput) as error:
        raise StorageError(
            "the list of pins {key} is damaged: {why}",
            hint="mend or remove {key} in the store; without it nothing is pinned",
            key=PINS,
            why=error,
        ) from error


async def pin(store: BlobStore, wanted: Iterable[Version]) -> frozenset[Version]:
    """Protects versions, or whole modules, from collection; returns all pins. What is not there yet can be pinned."""
    return await _change_pins(store, lambda have: have | set(wanted))


async def unpin(store: BlobStore, wanted: Iterable[Version]) -> frozenset[Version]:
    """Takes the protection away; returns the pins left. No error for what was not pinned."""
    return await _change_pins(store, lambda have: have - set(wanted))


async def _change_pins(
    store: BlobStore, change: Callable[[frozenset[Version]], frozenset[Version]]
) -> frozenset[Version]:
    async with store.lock(PINS):
        now = change(await pins(store))
        for wanted in now:
            _check_pin(wanted)
        body = json.dumps({"pins": [str(wanted) for wanted in module.sort(now)]}, indent=2) + "\n"
        await store.put(PINS, body.encode(), replace=True)
    return now


def _parse_pin(text: str) -> Version:
    path, _at, version = text.partition("@")
    return _check_pin(Version(path, version))


def _check_pin(wanted: Version) -> Version:
    if wanted.version:
        module.check(wanted.path, wanted.version)
    else:
        module.check_path(wanted.path)
    return wanted


def _is_pinned(version: Version, pinned: frozenset[Version]) -> bool:
    return version in pinned or Version(version.path) in pinned
