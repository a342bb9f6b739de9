"""Remedies: measured against servers of our own, and advised from measurements."""

import json
import math
from collections.abc import Sequence

import pytest

from goferry.doctor.dns.compare import Compared, Finding
from goferry.doctor.dns.measure import Measured, Remedy, measure, mute_servers
from goferry.doctor.dns.remedies import Advice, advise, cache_commands, server_commands
from goferry.doctor.dns.stub import Stub
from goferry.doctor.evidence import NameSeen, ResolvConf
from goferry.doctor.verdict import Certainty
from goferry.findings import Text
from scriptedns import Ask, NameServer, table

NAME, FULL = "module.example.org", "module.example.org."
HERE, THERE, SIX = "192.0.2.7", "192.0.2.8", "2001:db8::7"
CURRENT, PUBLIC, STUB = (Remedy("current", ("192.0.2.53:53",)), Remedy("public", ("192.0.2.54:53",)),
                         Remedy("stub", ("127.0.0.1:1",)))  # fmt: skip
RESOLV = ResolvConf(True)


def silence(_ask: Ask) -> Sequence[bytes]:
    return []


# ---- measuring ---------------------------------------------------------------------------------------------


async def measured(
    *servers: str, right: Sequence[str] = (), rounds: int = 3, limit: float = 10.0
) -> Measured:
    """limit: how long a server is waited for; short only where it is a silent one, for a busy machine answers late."""
    (found,) = await measure(
        [Remedy("current", servers)], [NAME], RESOLV, {NAME: frozenset(right)}, rounds=rounds, limit=limit
    )
    return found


async def test_every_round_asks_once() -> None:
    async with NameServer(table({FULL: [HERE]})) as server:
        found = await measured(server.address, right=[HERE])
    assert (found.lookups, found.failures, found.denied, found.right) == (3, 0, 0, True)
    assert len(found.waits) == 3
    assert len(server.asked) == 6, "both families"


async def test_a_wrong_address_is_noticed_where_the_right_one_is_known() -> None:
    async with NameServer(table({FULL: [THERE]})) as server:
        assert (await measured(server.address, right=[HERE])).right is False
        assert (await measured(server.address)).right is None


async def test_a_dead_server_is_a_failure_every_time_and_is_waited_for_once() -> None:
    async with NameServer(silence) as server:
        found = await measured(server.address, limit=0.1)
    assert (found.lookups, found.failures, found.waits) == (3, 3, ())
    assert math.isnan(found.quantile(0.95))
    assert found.to_json()["p95"] is None
    assert len(server.asked) == 4, "two families, each asked twice"


async def test_a_dead_first_server_costs_its_limit_in_every_lookup() -> None:
    async with NameServer(silence) as dead, NameServer(table({FULL: [HERE]})) as good:
        found = await measured(dead.address, good.address, limit=1.0)
    assert found.failures == 0
    assert found.quantile(0.5) >= RESOLV.timeout


async def test_a_server_that_is_known_to_be_dead_is_not_waited_for_at_all() -> None:
    seen = [
        NameSeen(NAME, "server", "192.0.2.53:53", "udp", family, failure="dns_timeout", seconds=5.0)
        for family in (4, 6)
    ]
    seen += [NameSeen(NAME, "server", "192.0.2.54:53", "udp", 4, rcode="NXDOMAIN")]
    mute = mute_servers(seen)
    assert set(mute) == {"192.0.2.53:53"}
    async with NameServer(table({FULL: [HERE]})) as good:
        remedy = Remedy("current", ("192.0.2.53:53", good.address))
        (found,) = await measure([remedy], [NAME], RESOLV, {}, rounds=1, limit=3600, mute=mute)
    assert found.quantile(0.5) >= RESOLV.timeout


async def test_a_denial_is_an_answer() -> None:
    async with NameServer(table({})) as server:
        found = await measured(server.address)
    assert (found.failures, found.denied, len(found.waits)) == (0, 3, 3)


async def test_a_local_cache_is_measured_like_any_server() -> None:
    async with NameServer(table({FULL: [HERE, SIX]}, ttl=60)) as server, Stub([server.address]) as stub:
        found = await measured(stub.address, right=[HERE])
    assert found.right is True
    assert (stub.misses, stub.hits) == (2, 4)


@pytest.mark.parametrize(
    ("waits", "share", "want"),
    [([1.0], 0.5, 1.0), ([1, 2, 3, 4], 0.5, 2), ([1, 2, 3, 4], 0.95, 4), (list(range(1, 101)), 0.95, 95)],
)
def test_quantiles_are_nearest_rank(waits: list[float], share: float, want: float) -> None:
    assert Measured(CURRENT, len(waits), tuple(waits)).quantile(share) == want


# ---- advice ------------------------------------------------------------------------------------------------


def of(remedy: Remedy, wait: float, *, right: bool | None = True, failures: int = 0) -> Measured:
    return Measured(remedy, 5, (wait,) * (5 - failures), failures, 0, right)


def name(finding: Finding, right: Sequence[str] = (HERE,)) -> Compared:
    from goferry.doctor.addresses import Kind
    from goferry.doctor.dns.compare import AddressSeen

    addresses = tuple(AddressSeen(each, Kind.GLOBAL, ("public",), True) for each in right)
    return Compared(NAME, finding, Certainty.CERTAIN, Text("x"), (), addresses)


SOUND, WRONG, DENIED = name(Finding.SOUND), name(Finding.WRONG_ADDRESS), name(Finding.DENIED)

ADVICE = [
    ("fast and right", SOUND, [of(CURRENT, 0.01), of(PUBLIC, 0.005), of(STUB, 0.0001)], Advice.NOTHING),
    ("fast, cache no gain", SOUND, [of(CURRENT, 0.09), of(STUB, 0.0001)], Advice.NOTHING),
    ("slow, cache helps", SOUND, [of(CURRENT, 0.2), of(STUB, 0.001)], Advice.CACHE),
    ("slow, cache as slow", SOUND, [of(CURRENT, 0.2), of(STUB, 0.19)], Advice.NOTHING),
    ("slow, cache fails", SOUND, [of(CURRENT, 0.2), of(STUB, 0.001, failures=1)], Advice.NOTHING),
    ("dead first server", SOUND, [of(CURRENT, 5.0), of(PUBLIC, 0.02), of(STUB, 0.001)], Advice.OTHER_SERVER),
    ("failing now and then", SOUND, [of(CURRENT, 0.01, failures=2), of(PUBLIC, 0.02)], Advice.OTHER_SERVER),
    ("lies, public is right", WRONG, [of(CURRENT, 0.01, right=False), of(PUBLIC, 0.02)], Advice.OTHER_SERVER),
    ("lies, public lies", WRONG, [of(CURRENT, 0.01, right=False), of(PUBLIC, 0.02, right=False)], Advice.PIN),
    ("lies, public unproven", WRONG, [of(CURRENT, 0.01), of(PUBLIC, 0.02, right=None)], Advice.PIN),
    ("denied, nobody else asked", name(Finding.DENIED, ()), [of(CURRENT, 0.01, right=None)], Advice.ASK_NETWORK),
    ("denied, public knows", DENIED, [of(CURRENT, 0.01, right=False), of(PUBLIC, 0.02)], Advice.OTHER_SERVER),
    ("quick, unproven", name(Finding.UNPROVEN, ()), [of(CURRENT, 0.01, right=None)], Advice.SECOND_OPINION),
    ("quick, not the name", name(Finding.NOT_THE_NAME, ()), [of(CURRENT, 0.01, right=None)], Advice.NOTHING),
    ("no server at all", name(Finding.NO_ANSWER, ()), [], Advice.ASK_NETWORK),
    ("hosts file", name(Finding.HOSTS_WRONG), [of(CURRENT, 0.01)], Advice.HOSTS_FILE),
]  # fmt: skip


@pytest.mark.parametrize(("case", "compared", "results", "want"), ADVICE, ids=[case[0] for case in ADVICE])
def test_the_advice_for_measurements(
    case: str, compared: Compared, results: list[Measured], want: Advice
) -> None:
    advised = advise([compared], results)
    assert advised.key is want
    assert "{" not in str(advised.sentence)
    assert bool(advised.commands) is (
        want in (Advice.OTHER_SERVER, Advice.CACHE, Advice.PIN, Advice.HOSTS_FILE)
    )


def test_a_pin_takes_the_address_of_the_family_that_more_machines_reach() -> None:
    both = name(Finding.WRONG_ADDRESS, ["2001:db8::7", "8.8.4.4"])
    assert advise([both], []).commands["hosts"] == (f"goferry hosts pin {NAME} --address 8.8.4.4",)


def test_the_fastest_of_the_right_servers_is_advised() -> None:
    other = Remedy("public", ("192.0.2.99:53",))
    advised = advise([WRONG], [of(CURRENT, 0.01, right=False), of(PUBLIC, 0.05), of(other, 0.02)])
    assert "192.0.2.99:53" in str(advised.sentence)
    assert "nameserver 192.0.2.99" in advised.commands["resolv_conf"][0]


def test_every_kind_of_machine_is_told_the_plain_addresses() -> None:
    commands = server_commands(["8.8.8.8:53", "[2001:4860:4860::8888]:53"])
    assert set(commands) == {"resolv_conf", "systemd_resolved", "network_manager", "docker", "kubernetes"}
    assert json.loads(commands["docker"][1]) == {"dns": ["8.8.8.8", "2001:4860:4860::8888"]}
    assert "  - 2001:4860:4860::8888" in commands["kubernetes"]
    assert "--server=8.8.8.8" in cache_commands(["8.8.8.8:53"])["dnsmasq"][0]
