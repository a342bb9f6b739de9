"""Answers that change: the list of versions, @latest, and what a branch or a tag means now."""

from collections.abc import Awaitable, Callable

from goferry.errors import GoferryError, NotFound, Refused
from goferry.gomod import module, pseudo, query
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.proxy import judge
from goferry.proxy.base import Answer, Outcome
from goferry.proxy.fresh import Entry, FreshCache
from goferry.proxy.negative import Gate
from goferry.storage.base import BlobStore
from goferry.upstream.base import Fetcher

_REVISIONS = ".goferry/revisions/"
"""Where answers about branches are kept: under a version's own key they would look as if they could not change."""

InfoOf = Callable[[Request], Awaitable[tuple[Answer, Outcome]]]
"""Answers the .info of an exact version."""


class Metadata:
    """Answers requests for things that change."""

    def __init__(
        self, store: BlobStore, chain: Fetcher, fresh: FreshCache, gate: Gate, *, info_of: InfoOf
    ) -> None:
        self._store = store
        self._chain = chain
        self._fresh = fresh
        self._gate = gate
        self._info_of = info_of

    async def answer(self, request: Request) -> tuple[Answer, Outcome]:
        """The answer, at once if one is known; refreshed behind it when it is old."""
        if answer := await self._unlisted(request):
            return answer, Outcome.STALE
        try:
            entry, outcome = await self._fresh.get(
                _key(request), lambda _: self._ask(request), wait=request.kind is Kind.INFO
            )
        except GoferryError:
            # A list can always be made of what the store holds; nothing else can.
            answer = await self.stored(request) if request.kind is Kind.LIST else None
            if answer is None:
                raise
            return answer, Outcome.STALE
        return _answer(request.key, entry, stale=outcome is Outcome.STALE), outcome

    def known(self, key: str) -> Answer | None:
        """The list or @latest of this key that is in memory, if it may be given; from any thread.

        Whoever gives one that is stale is to `refresh` it.
        """
        known = self._fresh.known(key)
        return None if known is None else _answer(key, known[0], stale=known[1] is Outcome.STALE)

    def refresh(self, key: str) -> None:
        """Ask anew for a list or @latest that was given although it is old."""
        request = parse_request(key)
        self._fresh.refresh_old(key, lambda _: self._ask(request))

    async def stored(self, request: Request) -> Answer | None:
        """The answer from the store alone, however old."""
        entry = await self._fresh.peek(_key(request))
        if request.kind is Kind.LIST:
            return await self._stored_list(request, entry)
        if request.kind is Kind.LATEST and entry is None:
            return await self._stored_latest(request)
        return None if entry is None else _answer(request.key, entry, stale=True)

    async def _unlisted(self, request: Request) -> Answer | None:
        """The list of the store's own versions, at once, for a module whose list the upstream refuses.

        Such modules are real (mirrors carry versions without a list), and they are asked for with every upgrade check.
        Where the store has no version either, what the upstream said last is said again, and it is asked anew behind:
        an upgrade check would wait for each of them otherwise. "Not found" is not said again when it is old, for
        whoever made the module or tagged it comes to see it.
        """
        refusal = self._gate.refusal(request) if request.kind is Kind.LIST else None
        if refusal is None or await self._fresh.peek(request.key):
            return None
        error, holds = refusal
        answer = await self._stored_list(request, None)
        if answer is None and not isinstance(error, Refused):
            return None
        if not holds:
            self._fresh.ahead(request.key, lambda _: self._ask(request))
        if answer is None:
            raise error.with_traceback(None)
        return answer

    async def _ask(self, request: Request) -> bytes:
        return await self._gate.ask(request, lambda: self._refreshed(request))

    async def _refreshed(self, request: Request) -> bytes:
        """What the upstream says now."""
        match request.kind:
            case Kind.LIST:
                fetched = await self._chain.list(request.path)
                listed = judge.check_list(fetched.body, request.path)
                return judge.merge_list(listed, await self._stored_versions(request.path))
            case Kind.LATEST:
                return await self._latest(request.path)
            case _:
                fetched = await self._chain.info(request.path, request.version)
                return judge.check_info(fetched.body, request.path).body

    async def _latest(self, path: str) -> bytes:
        """The upstream's own @latest; of the list where there is none, as `go` does (modfetch/proxy.go latest)."""
        try:
            fetched = await self._chain.latest(path)
        except NotFound as no_latest:
            listed, _ = await self.answer(_request(Kind.LIST, path))
            version = _latest_listed(listed.body or b"")
            if not version:
                raise no_latest from None
            info, _ = await self._info_of(_request(Kind.INFO, path, version))
            return info.body or b""
        return judge.check_info(fetched.body, path).body

    async def _stored_versions(self, path: str, suffixes: tuple[str, ...] = (".info", ".zip")) -> list[str]:
        """The versions (no pseudo-versions) that the store holds such a file of."""
        prefix = request_path(Kind.LIST, path).removesuffix("list")
        names = [blob.key.removeprefix(prefix) async for blob in self._store.keys(prefix)]
        found = {name.rpartition(".")[0] for name in names if name.endswith(suffixes)}
        versions = (module.unescape_version(name) for name in found)
        return [version for version in versions if not pseudo.is_pseudo_version(version)]

    async def _stored_list(self, request: Request, entry: Entry | None) -> Answer | None:
        versions = await self._stored_versions(request.path)
        if entry is None and not versions:
            return None
        body = judge.merge_list(entry.body if entry else b"", versions)
        return _answer(request.key, Entry(body, entry.confirmed if entry else 0.0), stale=True)

    async def _stored_latest(self, request: Request) -> Answer | None:
        version = query.latest_of(await self._stored_versions(request.path, (".info",)))
        blob = await self._store.read(request_path(Kind.INFO, request.path, version)) if version else None
        return None if blob is None else _answer(request.key, Entry(blob, 0.0), stale=True)


def _latest_listed(body: bytes) -> str:
    """The version that `go` would take of this list by itself: it prefers pseudo-versions, for it only asks when it
    has no use for the tagged ones."""
    return query.latest_in_list(body.decode()) or query.latest_of(judge.versions(body))


def _key(request: Request) -> str:
    return _REVISIONS + request.key if request.kind is Kind.INFO else request.key


def _request(kind: Kind, path: str, version: str = "") -> Request:
    return parse_request(request_path(kind, path, version))


def _answer(key: str, entry: Entry, *, stale: bool) -> Answer:
    return Answer(key, len(entry.body), entry.confirmed, immutable=False, body=entry.body, stale=stale)
