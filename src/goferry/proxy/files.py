"""The files of a version: .info, .mod and .zip. They never change, so they are fetched once and served for ever."""

from goferry.errors import GoferryError, NotFound, Unavailable
from goferry.gomod import pseudo
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.proxy import judge
from goferry.proxy.base import Answer, Outcome
from goferry.proxy.coalesce import Flights
from goferry.proxy.fresh import FreshCache
from goferry.proxy.keeper import Keeper
from goferry.proxy.negative import Gate
from goferry.storage.base import Blob, BlobStore
from goferry.storage.index_sqlite import Index

_IN_MEMORY = 64 << 10
"""Bytes up to which an answer is handed over as bytes; bigger ones are handed over as a file."""


class Files:
    """Answers exact requests."""

    def __init__(
        self,
        store: BlobStore,
        keeper: Keeper,
        flights: Flights,
        gate: Gate,
        fresh: FreshCache,
        *,
        index: Index | None = None,
        early_zip: bool = True,
    ) -> None:
        self._store = store
        self._keeper = keeper
        self._flights = flights
        self._gate = gate
        self._fresh = fresh
        self._index = index
        self._early_zip = early_zip

    async def stored(self, request: Request) -> Answer | None:
        """The answer if it is in the store."""
        blob = await self._store.stat(request.key)
        return None if blob is None else await self._served(request.key, blob)

    async def answer(self, request: Request) -> tuple[Answer, Outcome]:
        """The answer, fetched if need be."""
        if answer := await self.stored(request):
            return answer, Outcome.HIT
        kept, joined = await self._gate.ask(request, lambda: self._fetch(request))
        await self._welcome(request)
        answer = kept if isinstance(kept, Answer) else await self._served(request.key, kept)
        return answer, Outcome.COALESCED if joined else Outcome.MISS

    async def _fetch(self, request: Request) -> tuple[Answer | Blob, bool]:
        return await self._flights.run(
            request.key,
            lambda deliver: self._keeper.keep(request, deliver),
            worth_finishing=lambda: self._keeper.nearly_done(request.key),
        )

    async def _welcome(self, request: Request) -> None:
        """A file has arrived: the list learns of its version, and the zip that comes next is started."""
        if request.kind is Kind.MOD:
            return
        if not pseudo.is_pseudo_version(request.version):
            new = [request.version]
            self._fresh.amend(request_path(Kind.LIST, request.path), lambda body: judge.merge_list(body, new))
        if request.kind is Kind.INFO and self._early_zip:
            await self._start_zip(request)

    async def _start_zip(self, request: Request) -> None:
        """Fetch the zip ahead when a download is under way: its go.mod is here, so the graph is loaded already.

        An .info without its .mod is somebody looking for upgrades; most of those zips would never be asked for.
        """
        mod = request_path(Kind.MOD, request.path, request.version)
        zip_request = parse_request(request_path(Kind.ZIP, request.path, request.version))
        if (mod in self._flights or await self._store.stat(mod)) and not await self._store.stat(
            zip_request.key
        ):
            self._flights.ahead(zip_request.key, lambda deliver: self._keeper.keep(zip_request, deliver))

    async def _served(self, key: str, blob: Blob) -> Answer:
        if self._index is not None:
            self._index.touch(key)
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
