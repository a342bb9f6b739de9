"""The files of a version: .info, .mod and .zip. They never change, so they are fetched once and served for ever."""

import asyncio
from collections.abc import Callable

from goferry.errors import GoferryError, NotFound, Unavailable
from goferry.gomod import pseudo
from goferry.gomod.goproxy import Kind, Request, request_path
from goferry.proxy import judge
from goferry.proxy.base import Answer, Observer, Outcome
from goferry.proxy.coalesce import Flights
from goferry.proxy.fresh import FreshCache
from goferry.proxy.keeper import Ahead, Keeper
from goferry.proxy.negative import Gate
from goferry.proxy.readahead import ReadAhead
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index

_IN_MEMORY = 64 << 10
"""Bytes up to which an answer is handed over as bytes; bigger ones are handed over as a file."""


class Files:
    """Answers exact requests.

    With `is_private`, which tells private module paths, it also fetches ahead what clients are about to ask for.
    """

    def __init__(
        self,
        store: BlobStore,
        keeper: Keeper,
        flights: Flights,
        gate: Gate,
        fresh: FreshCache,
        *,
        index: Index | None = None,
        is_private: Callable[[str], bool] | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._flights = flights
        self._gate = gate
        self._fresh = fresh
        self._index = index
        self._unasked: dict[str, asyncio.Event] = {}
        """By key, the files that are being fetched ahead: set when a client comes for one."""
        self._ahead = is_private and ReadAhead(
            self._guessed, flights, is_private=is_private, observer=observer
        )

    async def stored(self, request: Request) -> Answer | None:
        """The answer if it is in the store."""
        answer = await self._kept(request.key)
        if answer is not None:
            self.touch(request.key)
        return answer

    async def answer(self, request: Request) -> tuple[Answer, Outcome]:
        """The answer, fetched if need be."""
        if answer := await self.stored(request):
            return answer, Outcome.HIT
        if self._ahead is not None:
            self._ahead.asked(request)
        if request.kind is Kind.ZIP and (wanted := self._unasked.get(request.key)) is not None:
            wanted.set()
            self._store.hurry()
        answer, joined = await self._fetched(request)
        if self._ahead is not None:
            self._ahead.arrived(request, answer.body)
            if request.kind is Kind.INFO and await self._is_download(request):
                self._ahead.download(request.module)
        return answer, Outcome.COALESCED if joined else Outcome.MISS

    def touch(self, key: str) -> None:
        """Note that a client was served this file: for least-recently-used collection, and for what it asks next."""
        if self._index is not None:
            self._index.touch(key)
        if self._ahead is not None:
            self._ahead.served(key)

    async def _guessed(self, request: Request, proven: Callable[[], bool]) -> Answer | None:
        """The file that a client is expected to ask for; None when it was refused before."""
        if self._gate.was_refused(request):
            return None
        ahead = Ahead(proven, asyncio.Event())
        self._unasked[request.key] = ahead.wanted
        try:
            return await self._kept(request.key) or (await self._fetched(request, ahead))[0]
        finally:
            del self._unasked[request.key]

    async def _fetched(self, request: Request, ahead: Ahead | None = None) -> tuple[Answer, bool]:
        """The answer from the upstream, and whether somebody else was fetching it already."""
        kept, joined = await self._gate.ask(
            request,
            lambda: self._flights.run(
                request.key,
                lambda deliver: self._keeper.keep(request, deliver, ahead),
                worth_finishing=lambda: self._keeper.nearly_done(request.key),
            ),
        )
        self._welcome(request)
        return kept if isinstance(kept, Answer) else await self._read(request.key, kept), joined

    def _welcome(self, request: Request) -> None:
        """A file has arrived: the list learns of its version."""
        if request.kind is Kind.MOD or pseudo.is_pseudo_version(request.version):
            return
        new = [request.version]
        self._fresh.amend(request_path(Kind.LIST, request.path), lambda body: judge.merge_list(body, new))

    async def _is_download(self, request: Request) -> bool:
        """Whether the go.mod of this .info is here, so that a graph was loaded and the zip comes next.

        An .info without its .mod is somebody looking for upgrades; most of those zips would never be asked for.
        """
        mod = request_path(Kind.MOD, request.path, request.version)
        return mod in self._flights or await self._store.stat(mod) is not None

    async def _kept(self, key: str) -> Answer | None:
        blob = await self._store.stat(key)
        return None if blob is None else await self._read(key, blob)

    async def _read(self, key: str, blob: Blob) -> Answer:
        path = self._store.local_path(key)
        if path is not None and blob.size > _IN_MEMORY:
            return Answer(key, blob.size, blob.mtime, immutable=True, file=path)
        body = await self._store.read(key)
        if body is None:
            raise Unavailable("{key} was removed from the store a moment ago", key=key)
        return Answer(key, len(body), blob.mtime, immutable=True, body=body)


async def missing(store: BlobStore, request: Request, *, offline: bool) -> GoferryError:
    """The answer when nobody may be asked: a hole in a known module is an outage, an unknown module is a no.

    The difference matters to a client with `,direct` behind goferry: only the second lets it go there.
    """
    what = {"path": request.path, "version": request.version or request.kind}
    if not offline:
        return NotFound("{path}@{version} is not in the store", **what)
    prefix = request_path(Kind.LIST, request.path).removesuffix("list")
    async for _ in store.keys(prefix):
        return Unavailable(
            "offline: {path}@{version} is not in the store",
            hint="fetch it with `goferry warm` while there is a network",
            **what,
        )
    return NotFound("offline: nothing of {path} is in the store", **what)
