"""What goes into goferry's own log, and what it refuses.

A module that no public database proves (a private one, or any where there is no database) is recorded when the store
has its zip and its go.mod. Any module is recorded when it is looked up: a public one with the sums that the public
database has proven, another one from its files, which are fetched if need be. From then on its bytes are what the log
says: others are refused and set aside, like those that contradict the public database, also when the store has lost
the first ones.

None of this is there in a proxy without the setting: see goferry.proxy.assemble.
"""

import asyncio
import logging
import re
from collections.abc import Coroutine
from typing import Any, Protocol, TypeVar

from goferry.errors import InvalidInput, NotFound, Refused, StorageError, Unavailable, VerifyError
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup
from goferry.gomod.sumdb.lookup import Sums
from goferry.i18n import _
from goferry.proxy.base import Answer, Outcome
from goferry.proxy.coalesce import Deliver
from goferry.proxy.files import Files
from goferry.proxy.keeper import Ahead, Keeper, Proofs
from goferry.proxy.ownlog import OwnLog
from goferry.proxy.sumdb import ChecksumDatabase, Databases
from goferry.proxy.verifier import Verify
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index
from goferry.upstream.base import Fetcher

A = TypeVar("A")

_H1 = re.compile(r"h1:[A-Za-z0-9+/]{43}=")
_logger = logging.getLogger(__name__)


class PublicProof(Protocol):
    """The sums that the public database has signed: Databases.prove."""

    async def __call__(self, module: Version, *, asking: bool) -> Sums: ...


class OwnSums(Protocol):
    """A log of one's own as `deps gate` needs it, whoever keeps it."""

    name: str

    async def prove(self, version: Version, *, asking: bool) -> Sums:
        """The proven sums of a module version; an error says why there are none."""

    def is_new(self, sums: Sums) -> bool:
        """Whether that was recorded only now, so that nothing older vouches for it."""

    async def signed_head(self) -> bytes:
        """The newest tree head that was proven."""


class RecordingKeeper(Keeper):
    """A keeper that records what no public database proves, and refuses what differs from a record."""

    def __init__(
        self,
        store: BlobStore,
        chain: Fetcher,
        proofs: Proofs | None,
        log: OwnLog,
        *,
        index: Index | None = None,
        max_zip: int,
        verify: Verify,
    ) -> None:
        super().__init__(store, chain, proofs, index=index, max_zip=max_zip, verify=verify)
        self._log = log
        self._kept = KeptSums(store)

    async def _with_sums(self, mod: Version, fetch: Coroutine[Any, Any, A]) -> tuple[A, Sums | None]:
        fetched, proven = await super()._with_sums(mod, fetch)
        return fetched, _agreed(await self._log.known(mod), proven)

    async def _keep_mod(self, request: Request, deliver: Deliver[Answer | Blob]) -> Blob:
        blob = await super()._keep_mod(request, deliver)
        await self._record(request)
        return blob

    async def _keep_zip(self, request: Request, ahead: Ahead | None) -> Blob:
        blob = await super()._keep_zip(request, ahead)
        await self._record(request)
        return blob

    async def _record(self, request: Request) -> None:
        version = request.module
        if self._proofs is not None and self._proofs.needed(version.path):
            return
        try:
            if known := await self._log.known(version):
                await self._kept.restore(version, known)
            elif found := await self._kept.both(version):
                await self._log.record(version, *found)
        except VerifyError as error:  # another process has recorded other bytes a moment ago
            for kind in (Kind.ZIP, Kind.MOD):
                await self._store.quarantine(request_path(kind, version.path, version.version), str(error))
            raise
        except StorageError as error:
            # The file is proven and kept. Its record is written when somebody looks it up, or that fails aloud.
            _logger.warning(_("{module} was not recorded: {why}").format(module=version, why=error))


def _agreed(known: Sums | None, proven: Sums | None) -> Sums | None:
    """What both say. Raises VerifyError when the public database and the own log contradict each other."""
    if known is None or proven is None:
        return known or proven
    if (known.zip, known.mod) != (proven.zip, proven.mod):
        raise VerifyError(
            "{module}: {database} says {proven}, but the log {name} has recorded {known}",
            hint="one of the two was deceived when it first saw this version; find out which before you use it",
            module=known.module,
            database=proven.database,
            proven=" ".join(proven.zip + proven.mod),
            name=known.database,
            known=" ".join(known.zip + known.mod),
        )
    return proven


class KeptSums:
    """The hashes that a store kept with the files of a version when it first fetched them."""

    def __init__(self, store: BlobStore) -> None:
        self._store = store

    async def both(self, version: Version) -> tuple[str, str] | None:
        """Of the zip and of the go.mod; None unless both files are there."""
        zip_h1 = await self._hash(version, Kind.ZIP, "ziphash")
        mod_h1 = await self._hash(version, Kind.MOD, "modhash")
        return (zip_h1, mod_h1) if zip_h1 and mod_h1 else None

    async def restore(self, version: Version, sums: Sums) -> None:
        """The hash beside a go.mod that is proven by the own log alone, as it has one when it is recorded."""
        key = request_path(Kind.MOD, version.path, version.version)
        if sums.mod and await self._store.stat(key) is not None:
            await self._store.put(_sidecar(version, "modhash"), sums.mod[0].encode(), durable=False)

    async def _hash(self, version: Version, kind: Kind, suffix: str) -> str:
        key = request_path(kind, version.path, version.version)
        if await self._store.stat(key) is None:
            return ""
        kept = (await self._store.read(_sidecar(version, suffix)) or b"").decode("ascii", "replace").strip()
        if _H1.fullmatch(kept):
            return kept
        if kind is Kind.MOD:
            body = await self._store.read(key)
            return "" if body is None else dirhash.hash_go_mod(body)
        place = self._store.local_path(key)
        return "" if place is None else await asyncio.to_thread(dirhash.hash_zip, place)


def _sidecar(version: Version, suffix: str) -> str:
    return request_path(Kind.MOD, version.path, version.version).removesuffix("mod") + suffix


class LoggedDatabases(Databases):
    """The public databases, and the own log: last in `names`, so it is never the one that downloads are proven by."""

    def __init__(self, public: Databases, own: "LocalLog | RemoteLog") -> None:
        self._public = public
        self._own = self.own = own
        self.names = (*public.names, own.name)

    async def answer(self, name: str, path: str, *, asking: bool) -> tuple[Answer, Outcome]:
        """`sumdb/NAME/PATH`; private modules are no secret to the own log."""
        if name != self._own.name:
            return await self._public.answer(name, path, asking=asking)
        if path == "supported":
            return Answer(f"sumdb/{name}/supported", 0, 0.0, immutable=False, body=b""), Outcome.HIT
        if path.startswith("lookup/"):
            check_lookup(path)
        return await self._own.answer(path, asking=asking)

    async def prove(self, module: Version, *, asking: bool) -> Sums:
        return await self._public.prove(module, asking=asking)


def check_lookup(path: str) -> Version:
    """The module version of a path. NotFound for what can be no record."""
    try:
        version = lookup.parse_lookup_path(path)
        parse_request(request_path(Kind.ZIP, version.path, version.version))
    except InvalidInput as error:
        raise NotFound("no record can be at {path}", path=path) from error
    return version


class LocalLog:
    """The log that this store keeps: who is asked for a module that it does not know, learns it first."""

    def __init__(
        self, log: OwnLog, store: BlobStore, files: Files, proofs: Proofs | None, prove: PublicProof
    ) -> None:
        self.name = log.name
        self._log = log
        self._store = store
        self._files = files
        self._proofs = proofs
        self._prove = prove
        self._kept = KeptSums(store)

    async def answer(self, path: str, *, asking: bool) -> tuple[Answer, Outcome]:
        outcome = Outcome.HIT
        if path.startswith("lookup/"):
            outcome = await self._learn(lookup.parse_lookup_path(path), asking=asking)
        return await self._log.answer(path), outcome

    async def prove(self, version: Version, *, asking: bool) -> Sums:
        await self._learn(version, asking=asking)
        return await self._log.prove(version)

    def is_new(self, sums: Sums) -> bool:
        return self._log.is_new(sums)

    async def signed_head(self) -> bytes:
        return (await self._log.head()).note

    async def _learn(self, version: Version, *, asking: bool) -> Outcome:
        """Record a version that is not in the log yet."""
        if await self._log.known(version) is not None:
            return Outcome.HIT
        if self._proofs is not None and self._proofs.needed(version.path):
            sums = await self._prove(version, asking=asking)
            zip_h1, mod_h1 = _only(version, sums.zip), _only(version, sums.mod)
        else:
            zip_h1, mod_h1 = await self._from_files(version, asking=asking)
        await self._log.record(version, zip_h1, mod_h1)
        return Outcome.MISS

    async def _from_files(self, version: Version, *, asking: bool) -> tuple[str, str]:
        for kind in (Kind.MOD, Kind.ZIP):
            await self._have(parse_request(request_path(kind, version.path, version.version)), asking=asking)
        found = await self._kept.both(version)
        if found is None:
            raise StorageError("{module} was removed from the store a moment ago", module=version)
        return found

    async def _have(self, request: Request, *, asking: bool) -> None:
        if await self._store.stat(request.key) is not None:
            return
        if not asking:
            raise Unavailable("{key} is not in the store, and nobody is asked for it now", key=request.key)
        await self._files.answer(request)
        async with self._store.lock(request.key):
            pass  # a small file is answered before it is kept; who keeps it holds the lock until then


def _only(version: Version, sums: tuple[str, ...]) -> str:
    known = [one for one in sums if _H1.fullmatch(one)]
    if len(known) != 1:
        raise Refused("the public record of {module} has not one sum of each file", module=version)
    return known[0]


class RemoteLog:
    """Somebody else's log, whose key is known: a checksum database that is also asked about private modules."""

    def __init__(self, database: ChecksumDatabase, store: BlobStore) -> None:
        self.name = database.name
        self._database = database
        self._store = store

    async def answer(self, path: str, *, asking: bool) -> tuple[Answer, Outcome]:
        return await self._database.answer(path, asking=asking)

    async def prove(self, version: Version, *, asking: bool) -> Sums:
        return await self._database.prove(version, asking=asking)

    def is_new(self, _sums: Sums) -> bool:
        """Nobody here knows."""
        return False

    async def signed_head(self) -> bytes:
        return await self._store.read(f".goferry/sumdb/{self.name}/latest") or b""


class Own:
    """What a proxy with a log of its own has in other places than one without: a keeper, and databases."""

    def __init__(
        self, store: BlobStore, *, local: OwnLog | None = None, remote: ChecksumDatabase | None = None
    ) -> None:
        self._store = store
        self._local = local
        self._remote = remote

    def keeper(
        self,
        store: BlobStore,
        chain: Fetcher,
        proofs: Proofs | None,
        *,
        index: Index | None = None,
        max_zip: int,
        verify: Verify,
    ) -> Keeper:
        """As Keeper is made. Only who keeps the log records in it."""
        if self._local is None:
            return Keeper(store, chain, proofs, index=index, max_zip=max_zip, verify=verify)
        return RecordingKeeper(store, chain, proofs, self._local, index=index, max_zip=max_zip, verify=verify)

    def beside(self, public: Databases, files: Files, proofs: Proofs | None) -> Databases:
        """The public databases, and this log."""
        if self._local is not None:
            return LoggedDatabases(public, LocalLog(self._local, self._store, files, proofs, public.prove))
        assert self._remote is not None
        return LoggedDatabases(public, RemoteLog(self._remote, self._store))
