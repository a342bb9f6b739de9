"""The router in user space, fed with packets made by hand: what passes, what is dropped, and what is answered."""

import asyncio
import ipaddress
import os
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from goferry.lab.scenario import Fate, PathRule
from goferry.lab.wire import Packet, Wire

CLIENT, SITE = "192.168.77.2", "93.184.216.10"
CLIENT6, SITE6 = "2606:2800:220:77::2", "2606:2800:220:1::10"
HELLO = bytes([0x16, 3, 1]) + struct.pack(">H", 1525) + b"\1" + b"proxy.example.org" + b"." * 500


def packed(address: str) -> bytes:
    return ipaddress.ip_address(address).packed


def ones_sum(data: bytes) -> int:
    """RFC 1071, word by word: 0xFFFF for data with a right checksum in it."""
    words = struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2))
    total = sum(words)
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def segment(
    payload: bytes = b"", *, back: bool = False, six: bool = False, ttl: int = 64, flags: int = 0x18
) -> bytes:
    """A TCP segment from the client to port 443 of the site, or the other way."""
    near, far = (CLIENT6, SITE6) if six else (CLIENT, SITE)
    source, target = (far, near) if back else (near, far)
    ports = (443, 40000) if back else (40000, 443)
    tcp = struct.pack(">HHIIBBHHH", *ports, 1000, 2000, 5 << 4, flags, 512, 0, 0) + payload
    if six:
        return struct.pack(">IHBB", 6 << 28, len(tcp), 6, ttl) + packed(source) + packed(target) + tcp
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 7, 0, ttl, 6, 0) + packed(source) + packed(target)
    return head + tcp


class Ends:
    """What comes out of the wire on both sides."""

    def __init__(self, near: socket.socket, far: socket.socket) -> None:
        self.near, self.far = near, far

    async def after(self, *packets: bytes, back: bool = False) -> tuple[list[bytes], list[bytes]]:
        """All that arrives at the client and at the site after these were sent."""
        for packet in packets:
            (self.far if back else self.near).send(packet)
        marker = segment(b"marker", back=back)
        (self.far if back else self.near).send(marker)
        other = self.near if back else self.far
        loop = asyncio.get_running_loop()
        arrived: list[bytes] = []
        while b"marker" not in (packet := await asyncio.wait_for(loop.sock_recv(other, 65536), 10)):
            arrived.append(packet)
        same = self.far if back else self.near
        returned = []
        try:
            while True:
                returned.append(same.recv(65536))
        except BlockingIOError:
            pass
        return (arrived, returned) if back else (returned, arrived)


@asynccontextmanager
async def wire(*rules: PathRule) -> AsyncIterator[Ends]:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    try:
        for ours, _theirs in pairs:
            ours.setblocking(False)
        with Wire(pairs[0][1].fileno(), pairs[1][1].fileno(), rules):
            yield Ends(pairs[0][0], pairs[1][0])
    finally:
        for pair in pairs:
            for one in pair:
                one.close()


@pytest.mark.skipif(os.name == "nt", reason="needs datagram socket pairs")
@pytest.mark.parametrize("six", [False, True], ids=["v4", "v6"])
async def test_what_no_rule_meets_passes_with_less_time_to_live(six: bool) -> None:
    async with wire() as ends:
        returned, arrived = await ends.after(segment(b"data", six=six))
    (raw,) = arrived
    packet = Packet.parse(raw)
    assert packet is not None
    assert (packet.ttl, packet.payload, packet.ports, returned) == (61, b"data", (40000, 443), [])
    if not six:
        assert ones_sum(raw[:20]) == 0xFFFF


@pytest.mark.parametrize(
    ("rule", "stopped", "passed"),
    [
        (PathRule(Fate.DROP, to=(SITE,)), segment(b"x"), segment(b"x", six=True)),
        (PathRule(Fate.DROP, to=("93.184.216.0/24",)), segment(b"x"), segment(b"x", six=True)),
        (PathRule(Fate.DROP, version=6), segment(b"x", six=True), segment(b"x")),
        (PathRule(Fate.DROP, version=6, payload=True), segment(b"x", six=True), segment(six=True)),
        (PathRule(Fate.DROP, larger_than=1280), segment(b"x" * 1300), segment(b"x" * 1200)),
        (
            PathRule(Fate.DROP, hello_larger_than=600),
            segment(HELLO),
            segment(HELLO[:3] + b"\1\0" + HELLO[5:]),
        ),
        (PathRule(Fate.DROP, holds=("proxy.example.org",)), segment(HELLO), segment(b"mirror.example.net")),
        (PathRule(Fate.DROP, ports=(443,)), segment(), segment(back=False)[:22] + b"\0\x50" + segment()[24:]),
    ],
    ids=["address", "network", "version", "payload", "size", "hello", "name", "port"],
)
async def test_a_rule_stops_what_it_is_about_and_nothing_else(
    rule: PathRule, stopped: bytes, passed: bytes
) -> None:
    router = Wire(0, 0, [rule])
    for raw, expected in ((stopped, True), (passed, False)):
        packet = Packet.parse(raw)
        assert packet is not None
        assert any(found.strikes(packet, towards_client=False) for found in router._rules) is expected


async def test_rules_look_one_way_only() -> None:
    async with wire(PathRule(Fate.DROP, larger_than=1280, towards_client=True)) as ends:
        _, arrived = await ends.after(segment(b"x" * 1300))
        returned, _ = await ends.after(segment(b"x" * 1300, back=True), back=True)
    assert len(arrived) == 1
    assert returned == []


@pytest.mark.parametrize("six", [False, True], ids=["v4", "v6"])
async def test_a_reset_comes_to_both_ends_with_numbers_that_fit(six: bool) -> None:
    async with wire(PathRule(Fate.RESET, holds=("bad",))) as ends:
        ((to_client,), (to_site,)) = await ends.after(segment(b"bad", six=six))
    at = 40 if six else 20
    source, target, sequence, acknowledged = struct.unpack_from(">HHII", to_client, at)
    assert (source, target, sequence, acknowledged) == (443, 40000, 2000, 1003)
    assert to_client[at + 13] & 0x04
    assert struct.unpack_from(">HHI", to_site, at) == (40000, 443, 1000)
    for raw in (to_client, to_site):
        addresses = raw[8:40] if six else raw[12:20]
        assert ones_sum(addresses + struct.pack(">IHH", 20, 0, 6) + raw[at:]) == 0xFFFF


@pytest.mark.parametrize(("six", "kind", "code"), [(False, 3, 13), (True, 1, 1)], ids=["v4", "v6"])
async def test_a_prohibition_names_what_it_is_about(six: bool, kind: int, code: int) -> None:
    sent = segment(b"x", six=six)
    async with wire(PathRule(Fate.PROHIBITED, payload=True, holds=("x",))) as ends:
        ((told,), arrived) = await ends.after(sent)
    at = 40 if six else 20
    assert (told[at], told[at + 1]) == (kind, code)
    assert told[at + 8 :] == sent
    assert arrived == []


async def test_packets_may_pass_before_a_rule_strikes() -> None:
    async with wire(PathRule(Fate.DROP, holds=("part",), skip=2)) as ends:
        _, arrived = await ends.after(*(segment(f"part {number}".encode()) for number in range(4)))
    assert [raw[-1:] for raw in arrived] == [b"0", b"1"]


def test_noise_is_no_packet() -> None:
    assert Packet.parse(b"") is None
    assert Packet.parse(b"\x45" * 10) is None
    assert Packet.parse(b"\x95" * 60) is None
