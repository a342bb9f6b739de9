"""The checksum databases behind the proxy: asked for proofs by goferry itself, and served on to clients.

goferry.gomod.sumdb.lookup judges and never fetches; here is its other half. What it has proven is kept in the store
under its URL path, so a later start, another worker and an offline server have it too. The newest proven tree head is
kept in `.goferry/sumdb/NAME/latest` and only ever moves forward.

All records are answered under one tree head, the newest that this store has proven. The database signs a new head
every few seconds; taking each one along with each record would fetch new right-edge tiles for every lookup, and would
leave an offline client with heads whose tiles nobody has. The head moves when a record lies beyond it, and when
`latest` is refreshed; each move is proven to continue the old one.

What an earlier process left in the store is a claim like any other: it is proven under that head when this process
reads it first, with the other stored tiles, and without the network. What can't be proven so is fetched anew; what it
was then refused for lies in quarantine.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from goferry.errors import (
    GoferryError,
    InvalidInput,
    NotFound,
    Refused,
    StorageError,
    Unavailable,
    UpstreamError,
    VerifyError,
)
from goferry.gomod.module import Version
from goferry.gomod.sumdb import lookup, tlog
from goferry.gomod.sumdb.lookup import Ask, Exchange, Fetch, ForkDetected, ReadHead, Sums, SwapHead
from goferry.gomod.sumdb.note import Verifier
from goferry.gomod.sumdb.tile import parse_tile_path
from goferry.proxy.base import Answer, Outcome
from goferry.proxy.coalesce import Deliver, Flights
from goferry.proxy.recent import Recent
from goferry.storage.base import BlobStore
from goferry.upstream.sumdb import SumdbSource

if TYPE_CHECKING:
    from goferry.proxy.recording import OwnSums

T = TypeVar("T")

_PROVEN_IN_MEMORY = 512
"""Proven tiles and records kept at hand (4 MiB of full tiles)."""

_SUMS_IN_MEMORY = 4096
"""Proven sums kept at hand: the go.mod and the zip of a version ask for the same ones."""

_DIGESTS_IN_MEMORY = 16_384
"""Digests of stored files that were proven here, so that they need not be proven twice (some 4 MiB)."""


@dataclass(frozen=True, slots=True)
class _Proven:
    """What a lookup ends in: the sums, the answer that says so, and whether the store had it."""

    sums: Sums
    body: bytes
    was_stored: bool


@dataclass(frozen=True, slots=True)
class _Trail:
    """Where the bytes of an exchange came from, by path: read from the store, refused after that, or looked for there
    in vain."""

    stored: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)


def _is_record(path: str) -> bool:
    return path.startswith("lookup/")


def _is_whole(path: str, body: bytes) -> bool:
    """Whether a file is as long as it must be.

    Records and tiles are kept without waiting for the disk: there are several for each module, and they are proven
    again when they are read. A crash of the machine may leave one short, which is nothing to look into: it is
    overwritten, where one of the right length and wrong bytes goes to quarantine.
    """
    if not path.startswith("tile/"):
        return body.endswith(b"\n") and b"\n\n" in body
    tile = parse_tile_path(path)
    return len(body) == tile.size if tile.level >= 0 else body.endswith(b"\n\n")


class ChecksumDatabase:
    """One database: proofs for goferry, files for clients. `fresh` is how many seconds `latest` may be old."""

    def __init__(
        self,
        verifier: Verifier,
        source: SumdbSource,
        store: BlobStore,
        flights: Flights,
        *,
        fresh: float = 60.0,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = verifier.name
        self._database = lookup.Database(verifier)
        self._source = source
        self._store = store
        self._flights = flights
        self._fresh = fresh
        self._clock = clock
        self._confirmed = 0.0
        self._sums = Recent[Version, Sums](_SUMS_IN_MEMORY)
        # By path. Clients ask for what was proven a moment ago before it is on the disk.
        self._recent = Recent[str, bytes](_PROVEN_IN_MEMORY)
        # By path, of the bytes as they are stored.
        self._digests = Recent[str, bytes](_DIGESTS_IN_MEMORY)

    async def prove(self, module: Version, *, asking: bool = True) -> Sums:
        """The proven sums of a module version. Raises a VerifyError, or why the database could not be asked.

        Without `asking` from what is stored alone; Unavailable when that is not enough.
        """
        if module in self._sums:
            return self._sums[module]
        proven, _ = await self._lookup(module, asking=asking)
        self._sums[module] = proven.sums
        return proven.sums

    async def answer(self, path: str, *, asking: bool) -> tuple[Answer, Outcome]:
        """The body at `path` below the database's root (`supported` is answered by Databases)."""
        if path == lookup.LATEST:
            return await self._latest(asking=asking)
        if path.startswith("lookup/"):
            return await self._record(lookup.parse_lookup_path(path), asking=asking)
        if path.startswith("tile/"):
            return await self._tile(path, asking=asking)
        raise NotFound("{name} has nothing at {path}", name=self.name, path=path)

    # ---- lookups ---------------------------------------------------------------------------------------------

    async def _lookup(self, module: Version, *, asking: bool = True) -> tuple[_Proven, bool]:
        path = lookup.lookup_path(module)
        key = self._key(path)

        async def work(deliver: Deliver[_Proven]) -> _Proven:
            async with self._store.lock(key):
                await self._load_head()
                exchange = self._database.lookup(module)
                trail = await self._drive(exchange, asking=asking)
                self._note(exchange)
                proven = _Proven(exchange.result(), exchange.proven[path], path in trail.stored)
                deliver(proven)
                await self._keep_all(exchange, trail)
                return proven

        return await self._flights.run(f"prove {key}", work)

    async def _record(self, module: Version, *, asking: bool) -> tuple[Answer, Outcome]:
        path = lookup.lookup_path(module)
        body, outcome = self._recent.get(path), Outcome.HIT
        if body is None and (path in self._digests or not asking):
            body = await self._known(path, asking=asking)
        if body is None:  # a lookup looks into the store too, and proves what it finds there
            proven, joined = await self._lookup(module)
            body = proven.body
            if not proven.was_stored:
                outcome = Outcome.COALESCED if joined else Outcome.MISS
        return await self._answer(path, await self._under_latest(body)), outcome

    async def _under_latest(self, body: bytes) -> bytes:
        """The record with the newest proven head in place of the one that it came with."""
        await self._load_head()
        head = self._database.latest
        if head.note and body.endswith(head.note):
            return body
        record, _ = tlog.parse_record(body)
        if record.id >= head.tree.size:
            return body
        return tlog.format_record(record) + head.note

    # ---- tree heads ------------------------------------------------------------------------------------------

    async def _latest(self, *, asking: bool) -> tuple[Answer, Outcome]:
        await self._load_head()
        is_old = self._clock() - self._confirmed > self._fresh
        if asking and is_old:
            name = f"latest {self.name}"
            if not self._database.latest.note:
                await self._flights.run(name, lambda _: self._refresh())
            else:
                self._flights.ahead(name, lambda _: self._refresh())
        if not self._database.latest.note:
            raise Unavailable("no tree head of {name} is in the store", name=self.name)
        outcome = Outcome.STALE if is_old else Outcome.HIT
        return await self._answer(lookup.LATEST, self._database.latest.note, immutable=False), outcome

    async def _refresh(self) -> None:
        # Noted first: a database that fails is not asked again with every request.
        self._confirmed = self._clock()
        fetched = await self._source.get(lookup.LATEST)
        exchange = self._database.merge(fetched.body)
        trail = await self._drive(exchange)
        self._note(exchange)
        await self._keep_all(exchange, trail)

    async def _load_head(self) -> None:
        if not self._database.is_loaded:
            self._database.start(await self._store.read(self._head_key) or b"")

    @property
    def _head_key(self) -> str:
        return f".goferry/sumdb/{self.name}/latest"

    # ---- tiles -----------------------------------------------------------------------------------------------

    async def _tile(self, path: str, *, asking: bool) -> tuple[Answer, Outcome]:
        parse_tile_path(path)
        body = await self._known(path, asking=asking)
        if body is not None:
            return await self._answer(path, body), Outcome.HIT
        fetched, joined = await self._flights.run(
            f"prove {self._key(path)}", lambda deliver: self._fetch_tile(path, deliver)
        )
        return await self._answer(path, fetched), Outcome.COALESCED if joined else Outcome.MISS

    async def _fetch_tile(self, path: str, deliver: Deliver[bytes]) -> bytes:
        body = (await self._source.get(path)).body
        await self._load_head()
        exchange = self._database.verify_response(path, body)
        trail = await self._drive(exchange)
        self._note(exchange)
        deliver(body)
        await self._keep_all(exchange, trail)
        return body

    # ---- what is at hand -------------------------------------------------------------------------------------

    async def _known(self, path: str, *, asking: bool) -> bytes | None:
        """The proven body, from memory or from the store; None when the database is to be asked for it.

        Raises Unavailable where nobody may be asked.
        """
        body = self._recent.get(path)
        if body is not None:
            return body
        body = await self._stored(path)
        if body is None:
            self._check_asking(path, asking=asking)
            return None
        if self._digests.get(path) == _digest(body):
            self._recent[path] = body
            return body
        return await self._proven_here(path, body, asking=asking)

    async def _proven_here(self, path: str, body: bytes, *, asking: bool) -> bytes | None:
        """A stored body that nobody proved in this process, once that is done; else as _known."""
        try:
            proven, _ = await self._flights.run(
                f"prove stored {self._key(path)}", lambda _: self._prove_stored(path, body)
            )
        except ForkDetected:
            raise
        except (VerifyError, UpstreamError) as error:
            if asking:
                return None
            raise Unavailable(
                "{key} is in the store, but it can't be proven there, and nobody is asked for it now: {why}",
                hint="with the network it is fetched anew; `goferry cache verify` shows what else is damaged",
                key=self._key(path),
                why=error,
            ) from error
        return proven

    async def _prove_stored(self, path: str, body: bytes) -> bytes:
        """Prove it with the stored head and the stored tiles alone. Raises VerifyError and Unavailable."""
        await self._load_head()
        # A record is answered under the newest head, so it is that answer which must be true.
        shown = await self._readable(body) if _is_record(path) else body
        exchange = self._database.verify_response(path, shown)
        await self._drive(exchange, asking=False)
        self._note(exchange)
        self._digests[path] = _digest(body)
        return shown

    async def _stored(self, path: str) -> bytes | None:
        """What the store holds, proven or not: a tile may be cut from the full one that has taken its place."""
        body = await self._whole(path)
        if body is None and path.startswith("tile/"):
            tile = parse_tile_path(path)
            if not tile.is_full and tile.level >= 0:
                full = self._recent.get(tile.full.path) or await self._whole(tile.full.path)
                body = full and full[: tile.size]
        return body

    async def _whole(self, path: str) -> bytes | None:
        body = await self._store.read(self._key(path))
        return body if body is not None and _is_whole(path, body) else None

    def _note(self, exchange: Exchange[Any]) -> None:
        """Have at hand what was proven, and know it again in the store."""
        self._recent.update(exchange.proven)
        self._digests.update((path, _digest(body)) for path, body in exchange.proven.items())

    # ---- the other half of an exchange -----------------------------------------------------------------------

    async def _drive(self, exchange: Exchange[Any], *, asking: bool = True) -> _Trail:
        """Bring the exchange to its end, with the store alone when nobody is to be asked."""
        trail = _Trail()
        while asks := exchange.need():
            if any(isinstance(ask, SwapHead) for ask in asks):
                # The tiles first: a stored head must never be one that the store can't prove anything under.
                await self._keep_all(exchange, trail)
            answers = await _together([self._found(ask, trail, asking=asking) for ask in asks])
            for ask, found in zip(asks, answers, strict=True):
                exchange.feed(ask, found)
        return trail

    async def _found(self, ask: Ask, trail: _Trail, *, asking: bool) -> bytes | bool | None:
        match ask:
            case Fetch():
                return await (self._fetch(ask, trail) if asking else self._find(ask, trail))
            case ReadHead():
                return await self._store.read(self._head_key) or b""
            case SwapHead(old, new):
                return await self._swap_head(old, new)

    async def _fetch(self, ask: Fetch, trail: _Trail) -> bytes | None:
        """From the store, unless that was refused; else from the database."""
        path = ask.path
        body = None if ask.fresh else await self._at_hand(path, trail)
        if body is None:
            if path in trail.stored:
                trail.stored.remove(path)
                trail.refused.add(path)
            try:
                body = (await self._source.get(path)).body
            except NotFound:
                return None
        if _is_record(path) and self._database.latest.note:
            body = await self._readable(body)
        return body

    async def _find(self, ask: Fetch, trail: _Trail) -> bytes | None:
        """From the store or not at all."""
        if ask.path == lookup.LATEST:
            # Another process may have moved the head since this one read it.
            return await self._store.read(self._head_key)
        if ask.fresh:
            raise VerifyError("the stored tiles contradict the tree head of {name}", name=self.name)
        body = await self._at_hand(ask.path, trail)
        if body is None:
            self._check_asking(ask.path, asking=False)
        return body

    async def _at_hand(self, path: str, trail: _Trail) -> bytes | None:
        body = self._recent.get(path) or await self._stored(path)
        (trail.missing if body is None else trail.stored).add(path)
        return body

    async def _readable(self, body: bytes) -> bytes:
        """The record under the newest head; what is no record at all is left to the judge."""
        try:
            return await self._under_latest(body)
        except GoferryError:
            return body

    async def _swap_head(self, old: bytes, new: bytes) -> bool:
        async with self._store.lock(self._head_key):
            if (await self._store.read(self._head_key) or b"") != old:
                return False
            await self._store.put(self._head_key, new, replace=True)
            return True

    async def _keep_all(self, exchange: Exchange[Any], trail: _Trail) -> None:
        """Keep what is proven and did not come from the store; tiles first, so that a kept record has its proof."""
        new = [path for path in exchange.proven if path not in trail.stored and path != lookup.LATEST]
        for paths in ([p for p in new if not _is_record(p)], [p for p in new if _is_record(p)]):
            await _together([self._keep(path, exchange.proven[path], trail) for path in paths])

    async def _keep(self, path: str, body: bytes, trail: _Trail) -> None:
        """Keep what is proven; a store that is full or read-only must not undo the proof."""
        key = self._key(path)
        try:
            if path not in trail.missing and await self._stands(path, body, trail):
                return
            await self._store.put(key, body, replace=True, durable=False)
        except StorageError:
            return

    async def _stands(self, path: str, body: bytes, trail: _Trail) -> bool:
        """Whether what is stored already says the same. Something else that is whole is put into quarantine."""
        key = self._key(path)
        stored = await self._store.read(key)
        if stored is None or not _is_whole(path, stored):
            return False
        if stored == body or (_is_record(path) and path not in trail.refused):
            return True  # the same record, maybe under another head
        await self._store.quarantine(key, str(self._refusal(path)))
        return False

    def _refusal(self, path: str) -> VerifyError:
        return VerifyError(
            "the stored {path} was not what {database} has signed", path=path, database=self.name
        )

    def _key(self, path: str) -> str:
        return f"sumdb/{self.name}/{path}"

    def _check_asking(self, path: str, *, asking: bool) -> None:
        if not asking:
            raise Unavailable(
                "{key} is not in the store, and nobody is asked for it now", key=self._key(path)
            )

    async def _answer(self, path: str, body: bytes, *, immutable: bool = True) -> Answer:
        return Answer(self._key(path), len(body), self._clock(), immutable=immutable, body=body)


async def _together(work: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """The results, in order. One alone, as there mostly is, needs no task of its own."""
    return [await work[0]] if len(work) == 1 else await asyncio.gather(*work)


def _digest(body: bytes) -> bytes:
    return sha256(body).digest()


class Databases:
    """All databases that are served, by name. The first one is the one that downloads are proven with."""

    own: "OwnSums | None" = None
    """The log of one's own beside them, where there is one (goferry.proxy.recording)."""

    def __init__(self, databases: Iterable[ChecksumDatabase], *, is_private: Callable[[str], bool]) -> None:
        self._databases = {database.name: database for database in databases}
        self._is_private = is_private
        self.names = tuple(self._databases)

    async def answer(self, name: str, path: str, *, asking: bool) -> tuple[Answer, Outcome]:
        """`sumdb/NAME/PATH`. Raises NotFound for an unknown database, Refused for a module that is private."""
        database = self._databases.get(name)
        if database is None:
            raise NotFound("the checksum database {name} is not served here", name=name)
        if path == "supported":
            return Answer(f"sumdb/{name}/supported", 0, 0.0, immutable=False, body=b""), Outcome.HIT
        if path.startswith("lookup/"):
            self._check_public(path)
        return await database.answer(path, asking=asking)

    async def prove(self, module: Version, *, asking: bool) -> Sums:
        """The sums that the first database has signed; Refused for a private module, and without a database."""
        self._check_module(module)
        database = next(iter(self._databases.values()), None)
        if database is None:
            raise Refused("no checksum database is set, so {module} cannot be proven", module=module)
        return await database.prove(module, asking=asking)

    def _check_public(self, path: str) -> None:
        try:
            module = lookup.parse_lookup_path(path)
        except InvalidInput as error:
            raise NotFound("no record can be at {path}", path=path) from error
        self._check_module(module)

    def _check_module(self, module: Version) -> None:
        """A private module's name must not leave the house in a question."""
        if self._is_private(module.path):
            raise Refused(
                "{module} is private here: the checksum database is not asked about it",
                hint="set GONOSUMDB or GOPRIVATE on the client as well; `goferry env` prints the lines",
                module=module,
            )
