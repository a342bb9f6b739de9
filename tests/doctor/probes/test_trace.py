"""Hops are seen without root, up to the host or to where answers end; a filter is found at the hop where it stands."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from doctor.probes.probeworld import world
from goferry.doctor.base import World
from goferry.doctor.evidence import DialSeen, HandshakeSeen, HopSeen
from goferry.doctor.probes import trace
from goferry.doctor.probes.trace import not_traced, probe_hello_hops, probe_hops, probe_ways
from goferry.lab import cases, namespace
from goferry.lab import world as lab
from goferry.lab.internet import PROXY
from goferry.lab.tcp import RESET, Listener, refused_port
from sizes import FULL

HERE = "127.0.0.1"

linux = pytest.mark.skipif(not trace.CAN_TRACE, reason="only Linux tells who dropped a packet")


@linux
async def test_a_host_that_is_near_is_one_hop_away_whether_it_takes_or_refuses(tmp_path: Path) -> None:
    with refused_port() as refused:
        async with Listener() as peer:
            for port in (peer.port, refused):
                (step,) = await probe_hops(world(tmp_path), "near", HERE, port)
                assert (step.host, step.port, step.ttl, step.address, step.sent) == (
                    "near",
                    port,
                    1,
                    HERE,
                    "syn",
                )


@linux
async def test_what_a_host_says_to_a_first_message_is_seen(tmp_path: Path) -> None:
    async with Listener(greeting=b"\x15\x03\x03\x00\x02\x02\x28") as peer, Listener(fault=RESET) as cruel:
        (answered,) = await probe_hello_hops(world(tmp_path), "near", HERE, peer.port, "a.example", 1)
        (reset,) = await probe_hello_hops(world(tmp_path), "near", HERE, cruel.port, "a.example", 1)
    with refused_port() as port:
        (refused,) = await probe_hello_hops(world(tmp_path), "near", HERE, port, "a.example", 1)
    assert (answered.address, answered.failure, answered.sent, answered.sni) == (
        HERE,
        "",
        "hello",
        "a.example",
    )
    assert (reset.address, reset.failure) == ("", "reset")
    assert refused.failure == "connect_refused"


async def test_a_system_that_cannot_show_hops_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "CAN_TRACE", False)
    assert await probe_hops(world(tmp_path), "far", HERE, 1) == ()
    assert await probe_hello_hops(world(tmp_path), "far", HERE, 1, "", 3) == ()
    skipped = not_traced()
    assert skipped is not None
    assert skipped.what == "hops"


FAR = "192.0.2.99"


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        pytest.param(["r1", "r2", FAR, FAR, FAR], 3, id="the host answers"),
        pytest.param(["r1", "", "r3", FAR, FAR], 4, id="a silent router between"),
        pytest.param(["r1", "r2", "r2", "r2"], 2, id="a router that says there is no way on"),
        pytest.param(["r1", "r2", "", "", ""], 3, id="answers end"),
        pytest.param([""] * 8, 1, id="nobody answers"),
        pytest.param([FAR, FAR], 1, id="the first is the host"),
    ],
)
async def test_steps_end_where_there_is_nothing_more_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: Sequence[str], expected: int
) -> None:
    async def step(host: str, _address: str, port: int, ttl: int, _wait: float) -> HopSeen:
        return HopSeen(host, port, ttl, answers[min(ttl, len(answers)) - 1], 0.0)

    monkeypatch.setattr(trace, "CAN_TRACE", True)
    monkeypatch.setattr(trace, "_step", step)
    steps = await probe_hops(world(tmp_path), "far", FAR, 443)
    assert [each.ttl for each in steps] == list(range(1, expected + 1))


async def test_broken_ways_are_traced_and_sound_ones_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hops(_world: World, host: str, address: str, port: int) -> tuple[HopSeen, ...]:
        return (HopSeen(host, port, 1, address, 0.0),)

    async def strike(_world: World, host: str, address: str, port: int) -> tuple[HopSeen, ...]:
        return (HopSeen(host, port, 1, address, 0.0, "hello"),)

    monkeypatch.setattr(trace, "probe_hops", hops)
    monkeypatch.setattr(trace, "probe_strike", strike)
    dials = [
        DialSeen("silent", "192.0.2.1", 443, 5.0, "connect_timeout"),
        DialSeen("silent", "192.0.2.2", 443, 5.0, "connect_timeout"),
        DialSeen("refusing", "192.0.2.3", 443, 0.1, "connect_refused"),
        DialSeen("half", "192.0.2.4", 443, 5.0, "connect_timeout"),
        DialSeen("half", "192.0.2.5", 443, 0.1),
        *(DialSeen(f"more{number}", "192.0.2.6", 443, 5.0, "connect_timeout") for number in range(9)),
    ]
    shakes = [
        HandshakeSeen("sound", "192.0.2.7", 443, "sound", "go", 0.1),
        HandshakeSeen("struck", "192.0.2.8", 443, "struck", "go", 0.1, "reset"),
        HandshakeSeen("struck", "192.0.2.9", 443, "struck", "go", 0.1, "reset"),
        HandshakeSeen("refused", "192.0.2.10", 443, "refused", "go", 0.1, "alert"),
        HandshakeSeen("proxied", "", 443, "proxied", "go", 0.1, "reset", via="http://proxy.example"),
    ]
    found = await probe_ways(world(tmp_path), dials, shakes)
    assert [(step.host, step.address, step.sent) for step in found] == [
        ("struck", "192.0.2.8", "hello"),
        ("silent", "192.0.2.1", "syn"),
        ("more0", "192.0.2.6", "syn"),
        ("more1", "192.0.2.6", "syn"),
    ]


# ---- in a private network ----------------------------------------------------------------------------------

PROGRAM = """
import asyncio, dataclasses, json, pathlib, socket, sys
from goferry.doctor.base import World
from goferry.doctor.probes.trace import probe_strike
here = pathlib.Path(".")
for address in dict.fromkeys(info[4][0] for info in socket.getaddrinfo(sys.argv[1], 443, proto=6)):
    steps = asyncio.run(probe_strike(World({}, here, here), sys.argv[1], address, 443))
    print(json.dumps([dataclasses.asdict(step) for step in steps]))
"""


async def struck(scenario: str) -> list[list[HopSeen]]:
    """What is seen of the module proxy's addresses in this scenario of the lab."""
    if why := namespace.why_not():
        pytest.skip(f"private network namespaces: {why}")
    async with lab.open(cases.find(scenario)) as opened:
        done = await opened.run([sys.executable, "-c", PROGRAM, PROXY])
    assert done.exit == 0, done.output
    return [[HopSeen(**step) for step in json.loads(line)] for line in done.output.splitlines()]


_FILTERS = {"sni-reset": "reset"} | ({"sni-stall": ""} if FULL else {})


@linux
@pytest.mark.parametrize("scenario", _FILTERS)
async def test_a_filter_is_found_at_the_hop_where_it_stands(scenario: str) -> None:
    traces = await struck(scenario)
    assert {":" in steps[0].address for steps in traces} == {True, False}
    for steps in traces:
        syn = [step.address for step in steps if step.sent == "syn"]
        assert len(syn) == len(set(syn)) >= 3
        assert "" not in syn
        to_host, neutral = (reactions(steps, sni) for sni in (PROXY, "example.com"))
        assert neutral == [("expired", "")] * (len(syn) - 1) + [("", syn[-1])]
        place = next(at for at, (one, other) in enumerate(zip(to_host, neutral, strict=True)) if one != other)
        assert to_host == neutral[:place] + [(_FILTERS[scenario], "")] * (len(syn) - place)


def reactions(steps: Sequence[HopSeen], sni: str) -> list[tuple[str, str]]:
    return [(step.failure, step.address) for step in steps if step.sni == sni]
