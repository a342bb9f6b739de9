"""Names: our own servers with failover, fixed names, the cache, and one lookup for many askers."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from goferry.errors import ConfigError
from goferry.lab.dns import Behaviour, DnsServer
from goferry.net import Failure, NetError, State, Step, Trace
from goferry.net.failure import failed
from goferry.net.resolver import Answer, Names, SystemResolver, UdpResolver, host_overrides, name_server

V4, V6 = "192.0.2.7", "2001:db8::7"
NAME = "module.example"


@asynccontextmanager
async def udp(*servers: DnsServer, timeout: float = 2.0, tries: int = 1) -> AsyncIterator[UdpResolver]:  # noqa: ASYNC109  the setting under test
    resolver = UdpResolver([server.address for server in servers], timeout=timeout, tries=tries)
    try:
        yield resolver
    finally:
        await resolver.close()


@pytest.mark.parametrize(
    ("records", "want"),
    [([V4], (V4,)), ([V6], (V6,)), ([V4, V6], (V6, V4)), ([V4, "192.0.2.8"], (V4, "192.0.2.8"))],
)
async def test_both_families_are_asked(records: list[str], want: tuple[str, ...]) -> None:
    async with DnsServer({NAME: records}, ttl=17) as server, udp(server) as resolver:
        answer = await resolver.lookup(NAME)
    assert set(answer.addresses) == set(want)
    assert (answer.ttl, answer.source) == (17.0, server.address)
    assert {kind for _, kind in server.queries} == {"A", "AAAA"}


@pytest.mark.parametrize(
    "behaviour",
    [Behaviour.SILENCE, Behaviour.SERVFAIL, Behaviour.REFUSED, Behaviour.WRONG_ID, Behaviour.GARBAGE],
)
async def test_trouble_with_one_server_moves_on_to_the_next(behaviour: Behaviour) -> None:
    records = {NAME: [V4]}
    async with (
        DnsServer(records, behaviour) as bad,
        DnsServer(records) as good,
        udp(bad, good, timeout=0.1) as resolver,
    ):
        answer = await resolver.lookup(NAME)
    assert (answer.addresses, answer.source) == ((V4,), good.address)
    assert bad.queries


async def test_no_such_name_is_final() -> None:
    async with DnsServer({}) as first, DnsServer({NAME: [V4]}) as second, udp(first, second) as resolver:
        with pytest.raises(NetError) as caught:
            await resolver.lookup(NAME)
    assert caught.value.kind is Failure.DNS_NOT_FOUND
    assert second.queries == []


async def test_a_name_without_addresses_does_not_exist_for_us() -> None:
    async with DnsServer({NAME: []}) as server, udp(server) as resolver:
        with pytest.raises(NetError) as caught:
            await resolver.lookup(NAME)
    assert caught.value.kind is Failure.DNS_NOT_FOUND


async def test_each_server_is_tried_as_often_as_said() -> None:
    async with (
        DnsServer(behaviour=Behaviour.SILENCE) as server,
        udp(server, timeout=0.05, tries=2) as resolver,
    ):
        with pytest.raises(NetError) as caught:
            await resolver.lookup(NAME)
    assert caught.value.kind is Failure.DNS_TIMEOUT
    assert len(server.queries) == 4  # two families, two tries


async def test_the_system_resolver_knows_localhost() -> None:
    answer = await SystemResolver().lookup("localhost")
    assert set(answer.addresses) & {"127.0.0.1", "::1"}


async def test_the_system_resolver_names_its_failures() -> None:
    label = "a" * 64  # one letter too long: refused without asking anybody
    with pytest.raises(NetError) as caught:
        await SystemResolver().lookup(f"{label}.invalid")
    assert caught.value.kind is Failure.DNS_NOT_FOUND


class Scripted:
    """Answers with what is scripted, one per lookup, when it is let go."""

    def __init__(self, *script: Answer | NetError) -> None:
        self.script = list(script)
        self.asked: list[str] = []
        self.go = asyncio.Event()
        self.closed = False

    async def lookup(self, host: str) -> Answer:
        self.asked.append(host)
        await self.go.wait()
        outcome = self.script.pop(0)
        if isinstance(outcome, NetError):
            raise outcome
        return outcome

    async def close(self) -> None:
        self.closed = True


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(("ttl", "kept"), [(30.0, 30.0), (0.0, 1.0), (86400.0, 60.0)])
async def test_answers_are_kept_for_their_time_within_bounds(ttl: float, kept: float) -> None:
    clock = Clock()
    resolver = Scripted(*[Answer((V4,), ttl, "test")] * 3)
    resolver.go.set()
    names = Names(resolver, clock=clock)
    await names.addresses(NAME, Trace())
    clock.now = kept - 0.01
    await names.addresses(NAME, Trace())
    assert len(resolver.asked) == 1
    clock.now = kept
    assert await names.addresses(NAME.upper() + ".", Trace()) == (V4,)
    assert resolver.asked == [NAME, NAME]


async def test_a_failed_lookup_is_not_kept() -> None:
    resolver = Scripted(failed(Failure.DNS_TIMEOUT, host=NAME), Answer((V4,), 30, "test"))
    resolver.go.set()
    names = Names(resolver)
    trace = Trace()
    with pytest.raises(NetError):
        await names.addresses(NAME, trace)
    assert await names.addresses(NAME, trace) == (V4,)
    assert [event.state for event in trace.events] == [
        State.STARTED,
        State.FAILED,
        State.STARTED,
        State.COMPLETE,
    ]


async def test_many_askers_share_one_lookup_even_if_the_first_gives_up() -> None:
    resolver = Scripted(Answer((V4,), 30, "test"))
    names = Names(resolver)
    first, second = (asyncio.ensure_future(names.addresses(NAME, Trace())) for _ in range(2))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    first.cancel()
    resolver.go.set()
    assert await second == (V4,)
    assert resolver.asked == [NAME]
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_closing_ends_lookups_that_still_run() -> None:
    resolver = Scripted(Answer((V4,), 30, "test"))
    names = Names(resolver)
    asker = asyncio.ensure_future(names.addresses(NAME, Trace()))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await names.close()
    with pytest.raises(asyncio.CancelledError):
        await asker
    assert resolver.closed


async def test_fixed_names_and_addresses_ask_nobody() -> None:
    resolver = Scripted()
    names = Names(resolver, {"Module.Example.": [V4, V6]})
    trace = Trace()
    assert await names.addresses("module.EXAMPLE", trace) == (V4, V6)
    assert trace.events[-1].detail["source"] == "hosts"
    assert [await names.addresses(address, Trace()) for address in (V4, V6, "fe80::1%2")] == [
        (V4,),
        (V6,),
        ("fe80::1%2",),
    ]
    assert resolver.asked == []
    assert {event.step for event in trace.events} == {Step.RESOLVE}


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("192.0.2.1", "192.0.2.1:53"),
        (" 192.0.2.1:5353 ", "192.0.2.1:5353"),
        ("2001:db8::1", "[2001:db8::1]:53"),
        ("[2001:db8::1]", "[2001:db8::1]:53"),
        ("[2001:DB8::1]:5353", "[2001:db8::1]:5353"),
    ],
)
def test_name_servers_are_written_as_people_write_them(text: str, want: str) -> None:
    assert name_server(text) == want


@pytest.mark.parametrize(
    "text", ["", "dns.example", "192.0.2.1:0", "192.0.2.1:65536", "192.0.2.1:x", "[::1]:", "192.0.2.1:"]
)
def test_a_bad_name_server_is_said_by_name(text: str) -> None:
    with pytest.raises(ConfigError, match="invalid name server"):
        name_server(text)


def test_host_overrides_add_up() -> None:
    assert host_overrides(["A.example = 192.0.2.7", "a.example.=2001:db8::7"]) == {"a.example": (V4, V6)}


@pytest.mark.parametrize("entry", ["", "a.example", "a.example=", "=192.0.2.1", "a.example=b.example"])
def test_a_bad_override_is_said_by_name(entry: str) -> None:
    with pytest.raises(ConfigError, match="invalid host override"):
        host_overrides([entry])


def test_nothing_heavy_is_loaded_before_it_is_needed() -> None:
    """The command line must start fast, and a client without its own name servers must not need aiodns."""
    heavy = ("aiohttp", "aiodns", "cryptography")
    code = f"import sys, goferry.net, goferry.net.resolver; print([m for m in {heavy} if m in sys.modules])"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert run.stdout.strip() == "[]"
