"""An upstream proxy over real sockets: what is retried, what is resumed, what each status means."""

from collections.abc import AsyncIterator

import pytest

from goferry import i18n
from goferry.errors import (
    GoferryError,
    LoopDetected,
    NotFound,
    Refused,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
)
from goferry.gomod.module import Version
from goferry.lab import goproxy as lab
from goferry.lab.goproxy import Fault, Trouble
from goferry.net.base import Timeouts
from goferry.net.breaker import BreakerRules
from goferry.net.client import Client, ClientOptions
from goferry.net.failure import Failure, NetError
from goferry.upstream.goproxy import ProxyFetcher, Retries
from goferry.upstream.hosts import HostGates
from goferry.upstream.loop import VIA

MOD = Version("example.com/m", "v1.0.0")
ZIP = "example.com/m/@v/v1.0.0.zip"
LIST = "example.com/m/@v/list"
BODY = bytes(range(256)) * 1000
TREE = {LIST: b"v1.0.0\n", ZIP: BODY, "example.com/m/@v/v1.0.0.mod": b"module example.com/m\n"}


class Bytes:
    """A sink in memory that remembers what was announced."""

    def __init__(self) -> None:
        self.body = bytearray()
        self.announced: list[int | None] = []

    @property
    def size(self) -> int:
        return len(self.body)

    def expect(self, size: int | None) -> None:
        self.announced.append(size)

    async def write(self, chunk: bytes) -> None:
        self.body += chunk

    async def truncate(self, size: int = 0) -> None:
        del self.body[size:]


class World:
    """A client whose waits are recorded instead of waited."""

    def __init__(self, client: Client, gates: HostGates) -> None:
        self.client = client
        self.gates = gates
        self.waits: list[float] = []

    def fetcher(self, url: str, **options: object) -> ProxyFetcher:
        async def sleep(seconds: float) -> None:
            self.waits.append(seconds)

        return ProxyFetcher(url, self.client, gates=self.gates, sleep=sleep, **options)  # type: ignore[arg-type]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    client = Client(ClientOptions(environ={}, timeouts=Timeouts(first_byte=0.3, idle=0.3)))
    yield World(client, HostGates())
    await client.close()


def first(fault: Fault, times: int = 1, only: str = "") -> lab.Faults:
    """The fault for the first so many requests of a path."""
    return lambda path, count: fault if count < times and path in (only or path) else None


async def test_small_answers_come_whole_with_their_source(world: World) -> None:
    async with lab.running(TREE) as proxy:
        fetched = await world.fetcher(proxy.url).list("example.com/m")
        assert fetched.body == b"v1.0.0\n"
        assert fetched.source.url == f"{proxy.url}/{LIST}"


async def test_capitals_are_escaped_on_the_wire(world: World) -> None:
    async with lab.running({"github.com/!burnt!sushi/toml/@v/v1.0.0.mod": b"module x\n"}) as proxy:
        fetched = await world.fetcher(proxy.url).mod(Version("github.com/BurntSushi/toml", "v1.0.0"))
        assert fetched.body == b"module x\n"


# (fault, family, whether it is asked again)
STATUSES = [
    (Fault(Trouble.STATUS, 404, "gone fishing"), NotFound, False),
    (Fault(Trouble.STATUS, 410, "gone"), NotFound, False),
    (Fault(Trouble.STATUS, 403, "licence forbids"), Refused, False),
    (Fault(Trouble.STATUS, 401, "who are you"), Refused, False),
    (Fault(Trouble.STATUS, 400, "what?"), UpstreamError, False),
    (Fault(Trouble.STATUS, 500, "oops"), UpstreamError, True),
    (Fault(Trouble.STATUS, 503, "later"), Unavailable, True),
    (Fault(Trouble.STATUS, 504, "too slow"), UpstreamTimeout, True),
    (Fault(Trouble.STATUS, 508, "round and round"), LoopDetected, False),
    (Fault(Trouble.HTML), UpstreamError, False),
]


@pytest.mark.parametrize(("fault", "family", "again"), STATUSES)
async def test_each_status_is_one_family_with_the_upstreams_words(
    world: World, fault: Fault, family: type[GoferryError], again: bool
) -> None:
    async with lab.running(TREE, lambda path, count: fault) as proxy:
        with pytest.raises(family) as caught:
            await world.fetcher(proxy.url, retries=Retries(attempts=3)).list("example.com/m")
        assert type(caught.value) is family
        if fault.trouble is Trouble.STATUS:
            assert fault.text in str(caught.value)
        assert proxy.asked[LIST] == (3 if again else 1)


async def test_a_502_and_a_cut_list_are_mended_by_asking_again(world: World) -> None:
    faults = [Fault(Trouble.STATUS, 502), Fault(Trouble.CUT), None]
    async with lab.running(TREE, lambda path, count: faults[count]) as proxy:
        assert (await world.fetcher(proxy.url).list("example.com/m")).body == b"v1.0.0\n"


async def test_waits_grow_and_retry_after_is_honoured(world: World) -> None:
    busy = Fault(Trouble.STATUS, 429, "slow down", headers={"Retry-After": "7"})
    async with lab.running(TREE, first(busy)) as proxy:
        await world.fetcher(proxy.url).list("example.com/m")
    assert world.waits == [7.0]


async def test_a_zip_goes_on_where_it_broke_off(world: World) -> None:
    sink = Bytes()
    async with lab.running(TREE, first(Fault(Trouble.CUT), times=6)) as proxy:
        source = await world.fetcher(proxy.url).zip(MOD, sink)
        assert bytes(sink.body) == BODY
        assert proxy.asked[ZIP] == 7
        assert "Range" in proxy.headers_seen[ZIP]
        assert "If-Range" in proxy.headers_seen[ZIP]
        assert source.url == f"{proxy.url}/{ZIP}"
    assert sink.announced[0] == len(BODY)


async def test_without_ranges_a_cut_zip_starts_anew(world: World) -> None:
    sink = Bytes()
    async with lab.running(TREE, first(Fault(Trouble.RESTART), times=2)) as proxy:
        await world.fetcher(proxy.url).zip(MOD, sink)
        assert bytes(sink.body) == BODY
        assert "Range" not in proxy.headers_seen[ZIP]


async def test_a_zip_that_changed_in_between_is_never_glued_together(world: World) -> None:
    tree, sink = dict(TREE), Bytes()

    def cut_then_change(path: str, count: int) -> Fault | None:
        if count == 0:
            return Fault(Trouble.CUT)
        tree[ZIP] = b"another body altogether"
        return None

    async with lab.running(tree, cut_then_change) as proxy:
        await world.fetcher(proxy.url).zip(MOD, sink)
    assert bytes(sink.body) == b"another body altogether"


async def test_a_zip_that_is_always_cut_at_once_ends_after_the_attempts(world: World) -> None:
    async with lab.running(TREE, lambda path, count: Fault(Trouble.CUT, share=0.0)) as proxy:
        with pytest.raises(NetError) as caught:
            await world.fetcher(proxy.url, retries=Retries(attempts=4)).zip(MOD, Bytes())
        assert caught.value.kind is Failure.BODY_TRUNCATED
        assert proxy.asked[ZIP] == 4


async def test_a_silent_upstream_costs_one_time_limit_and_is_then_not_asked(world: World) -> None:
    async with lab.running(TREE, lambda path, count: Fault(Trouble.STALL)) as proxy:
        fetcher = world.fetcher(proxy.url)
        with pytest.raises(UpstreamTimeout):
            await fetcher.list("example.com/m")
        for _ in range(5):
            with pytest.raises(Unavailable, match="not asked again for a moment"):
                await fetcher.list("example.com/m")
        assert sum(proxy.asked.values()) == 1


async def test_who_is_turned_away_reads_why_in_the_own_language() -> None:
    gate = HostGates(rules=BreakerRules(failures=1)).of("a.example.org")
    async with gate.visit() as visit:
        visit.failed(NetError(Failure.CONNECT_REFUSED, host="a.example.org"))
    with pytest.raises(Unavailable) as caught:
        async with gate.visit():
            pass
    english = "a.example.org: connection refused; a.example.org is not asked again for a moment"
    assert str(caught.value) == english
    i18n.activate("zh_CN")
    try:
        assert str(caught.value) == "a.example.org：连接被拒绝；暂时不再询问 a.example.org"
        assert i18n.in_english(caught.value) == english
    finally:
        i18n.activate("en")


async def test_a_slow_answer_of_a_host_that_speaks_does_not_open_its_breaker(world: World) -> None:
    async with lab.running(TREE, lambda path, count: Fault(Trouble.STALL) if path == ZIP else None) as proxy:
        import asyncio

        fetcher = world.fetcher(proxy.url)
        slow = asyncio.create_task(fetcher.zip(MOD, Bytes()))
        await proxy.wait_for(ZIP)
        await fetcher.list("example.com/m")
        with pytest.raises(UpstreamTimeout):
            await slow
        assert (await fetcher.list("example.com/m")).body == b"v1.0.0\n"


async def test_via_names_this_proxy_and_all_before_it(world: World) -> None:
    token = VIA.set(("first",))
    try:
        async with lab.running(TREE) as proxy:
            await world.fetcher(proxy.url, identity="second").list("example.com/m")
            assert proxy.headers_seen[LIST]["Via"] == "1.1 goferry-first, 1.1 goferry-second"
    finally:
        VIA.reset(token)


async def test_credentials_stay_out_of_names_and_errors(world: World) -> None:
    async with lab.running({}) as proxy:
        url = proxy.url.replace("http://", "http://user:hunter2@")
        fetcher = world.fetcher(url)
        with pytest.raises(GoferryError) as caught:
            await fetcher.list("example.com/m")
    assert "hunter2" not in f"{fetcher.name} {caught.value} {caught.value.parts}"
