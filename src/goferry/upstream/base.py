"""Where modules come from: one seam, several kinds (a proxy, a file tree, later git).

A Fetcher answers in the closed families of goferry.errors: NotFound (404/410: the list may go on), Refused (403 with
its text), UpstreamError/UpstreamTimeout/Unavailable. It never returns half a body: a Fetched is complete by length.
"""

from dataclasses import dataclass
from typing import Protocol

from goferry.gomod.module import Version

MAX_METADATA = 64 << 20
"""Bytes of a list, .info or sumdb answer that are read at the most; the longest real list is below 1 MiB."""

MAX_GO_MOD = 16 << 20
"""Bytes of a go.mod file (golang.org/x/mod/zip MaxGoMod)."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who answered: `name` is the entry of the GOPROXY list without secrets; `url` the last URL after redirects."""

    name: str
    url: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A small answer, whole."""

    body: bytes
    source: Source


class Sink(Protocol):
    """Where a big body goes."""

    @property
    def size(self) -> int:
        """Bytes held so far."""

    def expect(self, size: int | None) -> None:
        """The whole length, as soon as the upstream names it; raises when it is over the limit."""

    async def write(self, chunk: bytes) -> None: ...

    async def truncate(self, size: int = 0) -> None:
        """Forget what was written beyond `size`."""


class Fetcher(Protocol):
    """Answers module requests from one place. Paths and versions are unescaped; `query` may be a branch or a hash."""

    name: str

    async def list(self, path: str) -> Fetched:
        """The body of `@v/list`."""

    async def latest(self, path: str) -> Fetched:
        """The body of `@latest`."""

    async def info(self, path: str, query: str) -> Fetched:
        """The body of `@v/QUERY.info`."""

    async def mod(self, module: Version) -> Fetched:
        """The body of `@v/VERSION.mod`."""

    async def zip(self, module: Version, sink: Sink) -> Source:
        """Writes `@v/VERSION.zip` into the sink, complete; resumes and retries inside."""

    async def sumdb(self, name: str, path: str) -> Fetched:
        """`sumdb/NAME/PATH` (path like `latest`, `lookup/M@V`, `tile/8/0/001`, `supported`)."""
