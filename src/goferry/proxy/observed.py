"""A Fetcher that reports every question it asks: who was asked, for what, how it ended, how long it took."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from goferry.errors import GoferryError
from goferry.gomod.module import Version
from goferry.proxy.base import Observer
from goferry.upstream.base import Fetched, Fetcher, Sink, Source

T = TypeVar("T")


class Observed:
    """Wraps one entry of the upstream list."""

    def __init__(
        self, fetcher: Fetcher, observer: Observer, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = fetcher.name
        self._fetcher = fetcher
        self._observer = observer
        self._clock = clock

    async def list(self, path: str) -> Fetched:
        return await self._timed("list", self._fetcher.list(path))

    async def latest(self, path: str) -> Fetched:
        return await self._timed("latest", self._fetcher.latest(path))

    async def info(self, path: str, query: str) -> Fetched:
        return await self._timed("info", self._fetcher.info(path, query))

    async def mod(self, module: Version) -> Fetched:
        return await self._timed("mod", self._fetcher.mod(module))

    async def zip(self, module: Version, sink: Sink) -> Source:
        return await self._timed("zip", self._fetcher.zip(module, sink))

    async def sumdb(self, name: str, path: str) -> Fetched:
        return await self._timed("sumdb", self._fetcher.sumdb(name, path))

    async def _timed(self, kind: str, question: Awaitable[T]) -> T:
        began = self._clock()
        code = "cancelled"
        try:
            answer = await question
            code = "ok"
            return answer
        except GoferryError as error:
            code = error.code
            raise
        finally:
            self._observer.asked(self.name, kind, code, self._clock() - began)
