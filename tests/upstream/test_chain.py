"""The GOPROXY list is walked as `go` walks it."""

import pytest

from goferry.errors import GoferryError, NotFound, Refused, UpstreamError, UpstreamTimeout
from goferry.gomod.module import Version
from goferry.upstream import direct
from goferry.upstream.base import Fetched, Sink, Source
from goferry.upstream.chain import Chain, Link


class Scripted:
    """A fetcher that answers everything with the same body or error."""

    def __init__(self, name: str, answer: bytes | GoferryError) -> None:
        self.name = name
        self.answer = answer
        self.asked = 0

    async def _reply(self) -> Fetched:
        self.asked += 1
        if isinstance(self.answer, GoferryError):
            raise self.answer
        return Fetched(self.answer, Source(self.name, self.name))

    async def list(self, path: str) -> Fetched:
        return await self._reply()

    async def latest(self, path: str) -> Fetched:
        return await self._reply()

    async def info(self, path: str, query: str) -> Fetched:
        return await self._reply()

    async def mod(self, module: Version) -> Fetched:
        return await self._reply()

    async def sumdb(self, name: str, path: str) -> Fetched:
        return await self._reply()

    async def zip(self, module: Version, sink: Sink) -> Source:
        await sink.write(b"half a body")
        reply = await self._reply()
        await sink.truncate()
        await sink.write(reply.body)
        return reply.source


class Bytes:
    """A sink in memory."""

    def __init__(self) -> None:
        self.body = b""

    @property
    def size(self) -> int:
        return len(self.body)

    def expect(self, size: int | None) -> None: ...

    async def write(self, chunk: bytes) -> None:
        self.body += chunk

    async def truncate(self, size: int = 0) -> None:
        self.body = self.body[:size]


NOT_FOUND = NotFound("no such module")
REFUSED = Refused("not for you")
BROKEN = UpstreamError("bad gateway")
SLOW = UpstreamTimeout("too slow")
GOOD = b"v1.0.0\n"

# (entries as (answer, separator behind it), what comes out). The rows are those of cmd/go's mod_proxy_list script.
WALKS = [
    ([(GOOD, ",")], GOOD),
    ([(NOT_FOUND, ","), (NOT_FOUND, ","), (GOOD, ",")], GOOD),
    ([(REFUSED, ","), (GOOD, ",")], REFUSED),
    ([(BROKEN, ","), (GOOD, ",")], BROKEN),
    ([(REFUSED, "|"), (SLOW, "|"), (GOOD, ",")], GOOD),
    ([(BROKEN, "|"), (GOOD, ",")], GOOD),
    ([(NOT_FOUND, ","), (NOT_FOUND, ",")], NOT_FOUND),
    # An outage is never reported as "not found", whichever came last.
    ([(BROKEN, "|"), (NOT_FOUND, ",")], BROKEN),
    ([(NOT_FOUND, ","), (REFUSED, ","), (GOOD, ",")], REFUSED),
]


@pytest.mark.parametrize(("entries", "expected"), WALKS)
async def test_separator_decides_who_is_asked_next(
    entries: list[tuple[bytes | GoferryError, str]], expected: bytes | GoferryError
) -> None:
    chain = Chain([Link(Scripted(str(n), answer), sep == "|") for n, (answer, sep) in enumerate(entries)])
    if isinstance(expected, GoferryError):
        with pytest.raises(type(expected), match=str(expected)):
            await chain.list("example.com/m")
    else:
        assert (await chain.list("example.com/m")).body == expected


async def test_a_body_half_written_by_one_entry_is_gone_before_the_next_is_asked() -> None:
    sink = Bytes()
    chain = Chain([Link(Scripted("a", BROKEN), True), Link(Scripted("b", b"whole"))])
    source = await chain.zip(Version("example.com/m", "v1.0.0"), sink)
    assert (sink.body, source.name) == (b"whole", "b")


async def test_direct_says_that_it_is_not_built_in_and_lets_the_client_go_on() -> None:
    chain = Chain([Link(direct.direct())])
    with pytest.raises(NotFound, match="not built into goferry yet"):
        await chain.info("example.com/m", "v1.0.0")


async def test_not_found_at_a_proxy_is_told_before_the_missing_direct() -> None:
    chain = Chain([Link(Scripted("a", NOT_FOUND)), Link(direct.direct())])
    with pytest.raises(NotFound, match="no such module"):
        await chain.mod(Version("example.com/m", "v1.0.0"))


async def test_off_refuses_whatever_comes_that_far() -> None:
    chain = Chain([Link(Scripted("a", NOT_FOUND)), Link(direct.off())])
    with pytest.raises(Refused, match="disabled by `off`"):
        await chain.list("example.com/m")
