"""The caching name server: what it keeps and for how long, and whom it asks."""

import asyncio
from collections.abc import Callable, Sequence

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from goferry.doctor.dns import question
from goferry.doctor.dns.question import Reply, ask_tcp, ask_udp
from goferry.doctor.dns.stub import Stub, time_to_live
from scriptedns import Ask, NameServer, Script, says, table

NAME = "module.example.org."
HERE, SIX = "192.0.2.7", "2001:db8::7"
KNOWN = table({NAME: [HERE, SIX]}, ttl=60)
LIMIT = 5.0


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody injects replies here."""
    monkeypatch.setattr(question, "LISTEN", 0.0)
    monkeypatch.setattr(question, "LISTEN_SUSPICIOUS", 0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def code(rcode: str) -> Script:
    return lambda ask: [says(ask.query, rcode=rcode)]


def silence(_ask: Ask) -> Sequence[bytes]:
    return []


def denial(minimum: int) -> Script:
    def answer(ask: Ask) -> Sequence[bytes]:
        reply = dns.message.make_response(ask.query)
        reply.set_rcode(dns.rcode.NXDOMAIN)
        soa = f"ns.example. root.example. 1 3600 600 86400 {minimum}"
        reply.authority.append(dns.rrset.from_text("example.", 3600, "IN", "SOA", soa))
        return [reply.to_wire()]

    return answer


async def udp(stub: Stub, name: str = NAME, family: int = 4) -> Reply:
    return await ask_udp(stub.address, name, family, LIMIT)


async def test_a_second_question_is_answered_from_the_cache_with_what_is_left_of_its_time() -> None:
    clock = Clock()
    async with NameServer(KNOWN) as server, Stub([server.address], clock=clock) as stub:
        first = await udp(stub)
        clock.now += 50
        second = await udp(stub, "MODULE.Example.Org.")
    assert (first.addresses, first.ttl) == ((HERE,), 60)
    assert (second.addresses, second.ttl) == ((HERE,), 10)
    assert len(server.asked) == 1
    assert (stub.hits, stub.misses) == (1, 1)


async def test_an_answer_past_its_time_is_asked_for_anew() -> None:
    clock = Clock()
    async with NameServer(KNOWN) as server, Stub([server.address], clock=clock) as stub:
        await udp(stub)
        clock.now += 60
        assert (await udp(stub)).ttl == 60
    assert len(server.asked) == 2


async def test_the_families_are_kept_apart() -> None:
    async with NameServer(KNOWN) as server, Stub([server.address]) as stub:
        assert (await udp(stub, family=4)).addresses == (HERE,)
        assert (await udp(stub, family=6)).addresses == (SIX,)


async def test_a_denial_is_kept_as_long_as_its_zone_says() -> None:
    clock = Clock()
    async with NameServer(denial(30)) as server, Stub([server.address], clock=clock) as stub:
        for seconds in (0, 29, 31):
            clock.now = 1000.0 + seconds
            assert (await udp(stub)).rcode == "NXDOMAIN"
    assert len(server.asked) == 2


async def test_an_old_answer_is_better_than_none() -> None:
    clock = Clock()
    async with (
        NameServer(KNOWN) as server,
        Stub([server.address], clock=clock, patience=0.01, limit=0.05) as stub,
    ):
        await udp(stub)
        clock.now += 3600
        for trouble in (silence, code("SERVFAIL")):
            server.script = trouble
            reply = await udp(stub)
            assert (reply.addresses, reply.ttl) == ((HERE,), 30)
        assert stub.stale == 2
        clock.now += 2 * 24 * 3600
        server.script = code("SERVFAIL")
        assert (await udp(stub)).rcode == "SERVFAIL"


async def test_servers_are_raced_and_the_first_good_answer_wins() -> None:
    async with (
        NameServer(silence) as dead,
        NameServer(code("REFUSED")) as refuses,
        NameServer(KNOWN) as good,
        Stub([dead.address, refuses.address, good.address]) as stub,
    ):
        assert (await udp(stub)).addresses == (HERE,)
        assert dead.asked
        assert refuses.asked


@pytest.mark.parametrize(
    ("script", "rcode"),
    [(code("SERVFAIL"), "SERVFAIL"), (code("REFUSED"), "REFUSED"), (lambda _ask: [b"x" * 12], "SERVFAIL")],
)
async def test_trouble_of_every_server_is_passed_on_and_not_kept(script: Script, rcode: str) -> None:
    async with NameServer(script, tcp=False) as server, Stub([server.address], limit=0.05) as stub:
        assert (await udp(stub)).rcode == rcode
        server.script = KNOWN
        assert (await udp(stub)).addresses == (HERE,)


async def test_clients_who_ask_at_the_same_time_share_one_question() -> None:
    async with NameServer(KNOWN) as server, Stub([server.address]) as stub:
        replies = await asyncio.gather(*(udp(stub) for _ in range(8)))
    assert {reply.addresses for reply in replies} == {(HERE,)}
    assert len(server.asked) == 1


async def test_a_long_answer_comes_over_tcp() -> None:
    many = [f"192.0.2.{number}" for number in range(1, 201)]
    script: Script = lambda ask: [says(ask.query, *many, truncated=ask.transport == "udp")]  # noqa: E731
    async with NameServer(script) as server, Stub([server.address]) as stub:
        short = await udp(stub)
        long = await ask_tcp(stub.address, NAME, 4, LIMIT)
    assert (short.truncated, short.addresses) == (True, ())
    assert set(long.addresses) == set(many)


@pytest.mark.parametrize("data", [b"", b"x", b"\0" * 12, b"\xff" * 40])
async def test_what_is_no_query_gets_no_answer_and_does_no_harm(data: bytes) -> None:
    async with NameServer(KNOWN) as server, Stub([server.address]) as stub:
        loop = asyncio.get_running_loop()
        host, port = stub.address.split(":")
        transport, _ = await loop.create_datagram_endpoint(
            asyncio.DatagramProtocol, remote_addr=(host, int(port))
        )
        transport.sendto(data)
        assert (await udp(stub)).addresses == (HERE,)
        transport.close()


async def test_the_cache_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from goferry.doctor.dns import stub as module

    monkeypatch.setattr(module, "ENTRIES", 2)
    records = {f"{letter}.example.": [HERE] for letter in "abc"}
    async with NameServer(table(records)) as server, Stub([server.address]) as stub:
        for letter in "abca":
            await udp(stub, f"{letter}.example.")
    assert [name for _way, name, _family in server.asked] == [
        "a.example.",
        "b.example.",
        "c.example.",
        "a.example.",
    ]


def record(ttl: int) -> Callable[[dns.message.Message], None]:
    return lambda message: message.answer.append(dns.rrset.from_text(NAME, ttl, "IN", "A", HERE))


@pytest.mark.parametrize(
    ("records", "want"),
    [
        ([], 0),
        ([record(60)], 60),
        ([record(60), record(5)], 5),
        ([record(10**8)], 24 * 3600),
        ([record(0)], 0),
    ],
)
def test_the_shortest_record_decides(records: list[Callable[[dns.message.Message], None]], want: int) -> None:
    message = dns.message.Message()
    for add in records:
        add(message)
    assert time_to_live(message) == want
