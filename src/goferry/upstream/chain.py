"""The GOPROXY list, walked in one place and as `go` walks it (cmd/go/internal/modfetch TryProxies).

The separator after an entry decides: `,` goes on after NotFound only, `|` after any error. When all have failed the
error shown is the most telling one: a failure before a plain "not found".
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from goferry.errors import GoferryError, NotFound
from goferry.gomod.module import Version
from goferry.upstream.base import Fetched, Fetcher, Sink, Source

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Link:
    """One entry: who is asked, and whether any error (not only NotFound) lets the walk go on behind it."""

    fetcher: Fetcher
    on_any_error: bool = False


class Chain:
    """A Fetcher made of entries in order."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.links = tuple(links)
        self.name = "".join(_text(link) for link in self.links).rstrip(",|")

    async def list(self, path: str) -> Fetched:
        return await self.walk(lambda fetcher: fetcher.list(path))

    async def latest(self, path: str) -> Fetched:
        return await self.walk(lambda fetcher: fetcher.latest(path))

    async def info(self, path: str, query: str) -> Fetched:
        return await self.walk(lambda fetcher: fetcher.info(path, query))

    async def mod(self, module: Version) -> Fetched:
        return await self.walk(lambda fetcher: fetcher.mod(module))

    async def zip(self, module: Version, sink: Sink) -> Source:
        async def ask(fetcher: Fetcher) -> Source:
            await sink.truncate(0)
            return await fetcher.zip(module, sink)

        return await self.walk(ask)

    async def sumdb(self, name: str, path: str) -> Fetched:
        return await self.walk(lambda fetcher: fetcher.sumdb(name, path))

    async def walk(self, ask: Callable[[Fetcher], Awaitable[T]]) -> T:
        """The first entry's answer that counts; raises the most telling error."""
        errors: list[GoferryError] = []
        for link in self.links:
            try:
                return await ask(link.fetcher)
            except GoferryError as error:
                errors.append(error)
                if not (link.on_any_error or isinstance(error, NotFound)):
                    break
        raise _most_telling(errors)


def _most_telling(errors: Sequence[GoferryError]) -> GoferryError:
    if not errors:
        return NotFound("the upstream list is empty")
    failures = [error for error in errors if not isinstance(error, NotFound)]
    return failures[-1] if failures else errors[0]


def _text(link: Link) -> str:
    return link.fetcher.name + ("|" if link.on_any_error else ",")
