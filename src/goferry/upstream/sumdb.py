"""How a checksum database is reached: through the first upstream that mirrors it, else directly.

As cmd/go/internal/modfetch/sumdb.go does: each proxy of the list is asked `sumdb/NAME/supported`; 200 means this
proxy and no other, 404/410 the next one, anything else is fatal unless the entry is followed by `|`. A database with
its own URL is always asked there. What is fetched here is judged elsewhere (goferry.gomod.sumdb).
"""

import asyncio
from collections.abc import Awaitable, Callable

from goferry.errors import GoferryError, NotFound
from goferry.upstream.base import Fetched, Fetcher
from goferry.upstream.chain import Chain

Way = Callable[[str], Awaitable[Fetched]]
"""Fetches a path below the database's root, such as `latest` or `lookup/M@V`."""


class SumdbSource:
    """Fetches from one database. The way to it is found at the first request, and anew after a failure to decide."""

    def __init__(self, name: str, chain: Chain, *, direct: Way, direct_only: bool = False) -> None:
        self.name = name
        self._chain = chain
        self._direct = direct
        self._way: Way | None = direct if direct_only else None
        self._deciding = asyncio.Lock()

    async def get(self, path: str) -> Fetched:
        """The bytes of `path`; NotFound when the database (or its mirror) does not have it."""
        way = self._way or await self._decide()
        return await way(path)

    async def _decide(self) -> Way:
        async with self._deciding:
            if self._way is None:
                self._way = await self._find()
            return self._way

    async def _find(self) -> Way:
        for link in self._chain.links:
            if link.fetcher.name in ("direct", "off"):
                break
            try:
                await link.fetcher.sumdb(self.name, "supported")
            except NotFound:
                continue
            except GoferryError:
                if not link.on_any_error:
                    raise
                continue
            return _mirror(link.fetcher, self.name)
        return self._direct


def _mirror(fetcher: Fetcher, name: str) -> Way:
    async def ask(path: str) -> Fetched:
        return await fetcher.sumdb(name, path)

    return ask
