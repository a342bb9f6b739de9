"""The path between the client and the rest of the world, packet by packet: a router in user space.

Two TUN devices, one in the client's network namespace and one where the sites are, are joined here. Each packet is
read, looked at, and passed on, dropped or answered as the rules of the scenario say. So faults that no server can act
out are real: a path that loses full-size packets, a middlebox that drops a large ClientHello or resets on a server
name, IPv6 that connects and then dies. A few routers that answer when a packet's time to live is over stand on the way.

Sources: RFC 791 and 8200 (headers), RFC 792 and 4443 (ICMP), RFC 9293 (reset), RFC 1071 (checksum).
"""

import asyncio
import ipaddress
import os
import struct
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from goferry.lab.scenario import Fate, PathRule

_TCP: Final = 6
_ICMP: Final = 1
_ICMP6: Final = 58
_FIN, _SYN, _RST, _ACK = 0x01, 0x02, 0x04, 0x10
_LARGEST: Final = 65536
_HANDSHAKE_RECORD: Final = 0x16
_CLIENT_HELLO: Final = 1

HOPS: Final = (
    ("192.168.77.1", "2606:2800:220:77::1"),
    ("10.77.0.1", "2606:2800:220:78::1"),
    ("93.184.215.1", "2606:2800:220:79::1"),
)
"""The routers on the way, nearest to the client first."""


@dataclass(frozen=True, slots=True)
class Packet:
    """An IP packet, taken apart as far as the rules need. Ports and flags are 0 for what is not TCP or UDP."""

    raw: bytes
    version: int
    protocol: int
    source: bytes
    target: bytes
    ttl: int
    at: int
    """Where the transport header starts."""

    @classmethod
    def parse(cls, raw: bytes) -> "Packet | None":
        """None for what is no IP packet."""
        version = raw[0] >> 4 if raw else 0
        if version == 4 and len(raw) >= 20:
            return cls(raw, 4, raw[9], raw[12:16], raw[16:20], raw[8], (raw[0] & 15) * 4)
        if version == 6 and len(raw) >= 40:
            return cls(raw, 6, raw[6], raw[8:24], raw[24:40], raw[7], 40)
        return None

    @property
    def ports(self) -> tuple[int, int]:
        if self.protocol not in (_TCP, 17) or len(self.raw) < self.at + 8:
            return 0, 0
        source, target = struct.unpack_from(">HH", self.raw, self.at)
        return source, target

    @property
    def payload(self) -> bytes:
        """What a TCP segment carries; empty for all else."""
        if self.protocol != _TCP or len(self.raw) < self.at + 20:
            return b""
        return self.raw[self.at + (self.raw[self.at + 12] >> 4) * 4 :]

    @property
    def flow(self) -> tuple[bytes, bytes, tuple[int, int]]:
        return self.source, self.target, self.ports

    def passed_on(self, hops: int) -> bytes:
        """The packet with a time to live that is so much less."""
        head = bytearray(self.raw)
        head[7 if self.version == 6 else 8] = self.ttl - hops
        if self.version == 4:
            head[10:12] = b"\0\0"
            head[10:12] = _checksum(bytes(head[: self.at]))
        return bytes(head)


class Wire:
    """The router. near and far: descriptors of the TUN devices on the client's side and on the sites'."""

    def __init__(self, near: int, far: int, rules: Sequence[PathRule] = (), *, latency: float = 0.0) -> None:
        self._near = near
        self._far = far
        self._rules = [_Compiled(rule) for rule in rules]
        self._latency = latency

    def __enter__(self) -> "Wire":
        loop = asyncio.get_running_loop()
        for descriptor in (self._near, self._far):
            os.set_blocking(descriptor, False)
        loop.add_reader(self._near, self._drain, self._near, self._from_client)
        loop.add_reader(self._far, self._drain, self._far, self._from_far)
        return self

    def __exit__(self, *_exc: object) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._near)
        loop.remove_reader(self._far)

    def _drain(self, descriptor: int, handle: Callable[[Packet], None]) -> None:
        for _ in range(64):  # then others have a turn
            try:
                raw = os.read(descriptor, _LARGEST)
            except OSError:
                return
            if (packet := Packet.parse(raw)) is not None:
                handle(packet)

    def _from_client(self, packet: Packet) -> None:
        if packet.ttl <= len(HOPS):
            self._send(self._near, _time_exceeded(packet, HOPS[packet.ttl - 1]))
        elif not self._stopped(packet, towards_client=False):
            self._send(self._far, packet.passed_on(len(HOPS)))

    def _from_far(self, packet: Packet) -> None:
        if packet.ttl > len(HOPS) and not self._stopped(packet, towards_client=True):
            self._send(self._near, packet.passed_on(len(HOPS)))

    def _stopped(self, packet: Packet, *, towards_client: bool) -> bool:
        rule = next(
            (rule for rule in self._rules if rule.strikes(packet, towards_client=towards_client)), None
        )
        if rule is None:
            return False
        back, on = (self._far, self._near) if towards_client else (self._near, self._far)
        if rule.fate is Fate.RESET and packet.protocol == _TCP:
            self._send(back, _reset_to_sender(packet))
            self._send(on, _reset_to_receiver(packet))
        elif rule.fate is Fate.PROHIBITED:
            self._send(back, _prohibited(packet))
        return True

    def _send(self, descriptor: int, raw: bytes) -> None:
        if self._latency:
            asyncio.get_running_loop().call_later(self._latency, _write, descriptor, raw)
        else:
            _write(descriptor, raw)


class _Compiled:
    """A rule made ready: networks parsed, texts as bytes, and the count of what was let pass."""

    def __init__(self, rule: PathRule) -> None:
        self.fate = rule.fate
        self._rule = rule
        self._networks = [ipaddress.ip_network(network) for network in rule.to]
        self._texts = [text.encode() for text in rule.holds]
        self._seen: Counter[object] = Counter()

    def strikes(self, packet: Packet, *, towards_client: bool) -> bool:
        if towards_client is not self._rule.towards_client or not self._holds_for(packet):
            return False
        self._seen[packet.flow] += 1
        return self._seen[packet.flow] > self._rule.skip

    def _holds_for(self, packet: Packet) -> bool:
        rule = self._rule
        far = packet.source if rule.towards_client else packet.target
        port = packet.ports[0 if rule.towards_client else 1]
        return (
            rule.version in (0, packet.version)
            and (not rule.ports or port in rule.ports)
            and len(packet.raw) > rule.larger_than
            and (not self._networks or any(ipaddress.ip_address(far) in net for net in self._networks))
            and (not rule.payload or bool(packet.payload))
            and (not rule.hello_larger_than or _hello_size(packet.payload) > rule.hello_larger_than)
            and (not self._texts or any(text in packet.payload for text in self._texts))
        )


def open_tun(name: str) -> int:
    """A TUN device in the network namespace of this thread; it lives as long as the descriptor. Raises OSError."""
    import fcntl

    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
    tun_set_iff, tun, no_packet_info = 0x400454CA, 0x0001, 0x1000
    fcntl.ioctl(descriptor, tun_set_iff, struct.pack("16sH22x", name.encode(), tun | no_packet_info))
    return descriptor


def _hello_size(payload: bytes) -> int:
    """Bytes of the record of a ClientHello that starts here; 0 for anything else."""
    if len(payload) < 6 or payload[0] != _HANDSHAKE_RECORD or payload[5] != _CLIENT_HELLO:
        return 0
    return 5 + int.from_bytes(payload[3:5], "big")


def _write(descriptor: int, raw: bytes) -> None:
    try:
        os.write(descriptor, raw)
    except OSError:
        # The device is down, its queue is full, or the world is being closed: a network loses packets.
        return


def _checksum(data: bytes) -> bytes:
    """RFC 1071, by the fact that a ones' complement sum is a remainder by 0xFFFF."""
    total = int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF
    return (0xFFFF - total).to_bytes(2, "big")


def _ip(version: int, protocol: int, source: bytes, target: bytes, body: bytes) -> bytes:
    if version == 6:
        return struct.pack(">IHBB", 6 << 28, len(body), protocol, 60) + source + target + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0, 60, protocol, 0) + source + target
    return head[:10] + _checksum(head) + head[12:] + body


def _pseudo(protocol: int, source: bytes, target: bytes, length: int) -> bytes:
    """The pseudo header of the transport checksums; the sum is the same for both versions' layouts."""
    return source + target + struct.pack(">IHH", length, 0, protocol)


def _tcp(
    packet: Packet, source: bytes, target: bytes, ports: tuple[int, int], numbers: tuple[int, int]
) -> bytes:
    flags = _RST | _ACK
    head = struct.pack(">HHIIBBHHH", *ports, *numbers, 5 << 4, flags, 0, 0, 0)
    total = _checksum(_pseudo(_TCP, source, target, len(head)) + head)
    return _ip(packet.version, _TCP, source, target, head[:16] + total + head[18:])


def _reset_to_sender(packet: Packet) -> bytes:
    sequence, acknowledged = struct.unpack_from(">II", packet.raw, packet.at + 4)
    flags = packet.raw[packet.at + 13]
    after = (sequence + len(packet.payload) + bool(flags & _SYN) + bool(flags & _FIN)) & 0xFFFFFFFF
    numbers = (acknowledged if flags & _ACK else 0, after)
    source_port, target_port = packet.ports
    return _tcp(packet, packet.target, packet.source, (target_port, source_port), numbers)


def _reset_to_receiver(packet: Packet) -> bytes:
    numbers = struct.unpack_from(">II", packet.raw, packet.at + 4)
    return _tcp(packet, packet.source, packet.target, packet.ports, (numbers[0], numbers[1]))


def _icmp(packet: Packet, router: bytes, four: tuple[int, int], six: tuple[int, int]) -> bytes:
    """A message about a packet, from a router to its sender, by type and code of each version."""
    kind, code = six if packet.version == 6 else four
    message = struct.pack(">BBHI", kind, code, 0, 0) + packet.raw[:512]
    if packet.version == 6:
        total = _checksum(_pseudo(_ICMP6, router, packet.source, len(message)) + message)
        return _ip(6, _ICMP6, router, packet.source, message[:2] + total + message[4:])
    return _ip(4, _ICMP, router, packet.source, message[:2] + _checksum(message) + message[4:])


def _router(packet: Packet, hop: tuple[str, str]) -> bytes:
    return ipaddress.ip_address(hop[0 if packet.version == 4 else 1]).packed


def _time_exceeded(packet: Packet, hop: tuple[str, str]) -> bytes:
    return _icmp(packet, _router(packet, hop), (11, 0), (3, 0))


def _prohibited(packet: Packet) -> bytes:
    return _icmp(packet, _router(packet, HOPS[1]), (3, 13), (1, 1))
