"""Where on the way a connection ends: a TCP traceroute that any user may run, where the kernel tells.

Each step is a SYN to the real port with a small hop limit. Linux hands the ICMP answer of the router where it expired
to the socket that sent it (IP_RECVERR, see ip(7)), so no raw socket is needed. A few steps run at once; all of them
would be a burst of connections to a host that is near.

A device that lets connections through and strikes at the server's name is found with a ClientHello instead, which goes
so many hops on a connection that is there: the first hop at which the reset comes, or behind which no router answers
any more, is where it stands.
"""

import asyncio
import errno
import ipaddress
import socket
import struct
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import DialSeen, HandshakeSeen, HopSeen, Raw, Skipped
from goferry.doctor.probes.clienthello import NEUTRAL_NAME, client_hello
from goferry.doctor.probes.streams import Unreached, connect
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure, classify

CAN_TRACE: Final = sys.platform == "linux" and hasattr(socket, "MSG_ERRQUEUE")
MOST_HOPS: Final = 24

_MOST_WAYS: Final = 4
_AT_ONCE: Final = 8
_WAIT: Final = 2.0
"""Seconds for an answer; routers that answer at all do so within a round trip."""

_ANSWERED: Final = frozenset({0, errno.ECONNREFUSED, errno.ECONNRESET})
"""How a SYN ends that has arrived at the host itself."""


_MUTE: Final = (Raw.RESET, Raw.STALLED, Raw.CLOSED)
"""How a handshake ends when its first message comes to nothing."""

_Trace = Callable[[World, str, str, int], Awaitable[tuple[HopSeen, ...]]]


@dataclass(frozen=True, slots=True)
class _Family:
    """The numbers of one family on Linux, from linux/in.h and linux/in6.h; Python does not name them all."""

    family: int
    level: int
    hop_limit: int
    tell_errors: int
    sender: int
    """Where the router's address stands in the ancillary data, behind the error itself."""


_V4: Final = _Family(socket.AF_INET, 0, 2, 11, 20)  # SOL_IP, IP_TTL, IP_RECVERR
_V6: Final = _Family(socket.AF_INET6, 41, 16, 25, 24)  # SOL_IPV6, IPV6_UNICAST_HOPS, IPV6_RECVERR
_FROM_ICMP: Final = (2, 3)  # SO_EE_ORIGIN_ICMP, SO_EE_ORIGIN_ICMP6: not this machine's own opinion
_SENDER_SIZE: Final = {_V4: 4, _V6: 16}


def not_traced() -> Skipped | None:
    """Why no hops can be seen on this system; None where they can."""
    if CAN_TRACE:
        return None
    return Skipped("hops", Text(N_("only Linux tells an ordinary program which router dropped its packet")))


async def probe_ways(
    world: World, dials: Sequence[DialSeen], shakes: Sequence[HandshakeSeen]
) -> tuple[HopSeen, ...]:
    """The hops to those hosts of which other probes have seen that the way to them is broken.

    Where nothing connects, a SYN is traced; where a connection stands and Go's first message comes to nothing, that
    message. One address for each host, and a few hosts: more of them would tell the same.
    """
    reached = {(dial.host, dial.port) for dial in dials if not dial.failure}
    struck = [
        shake for shake in shakes if shake.failure in _MUTE and shake.address and shake.sni == shake.host
    ]
    silent = [
        dial
        for dial in dials
        if dial.failure == Failure.CONNECT_TIMEOUT and (dial.host, dial.port) not in reached
    ]
    ways: dict[tuple[str, int], tuple[_Trace, str]] = {}
    for shake in struck:
        ways.setdefault((shake.host, shake.port), (probe_strike, shake.address))
    for dial in silent:
        ways.setdefault((dial.host, dial.port), (probe_hops, dial.address))
    chosen = list(ways.items())[:_MOST_WAYS]
    traces = [trace(world, host, address, port) for (host, port), (trace, address) in chosen]
    return tuple(step for way in await asyncio.gather(*traces) for step in way)


async def probe_hops(world: World, host: str, address: str, port: int) -> tuple[HopSeen, ...]:
    """The steps up to the host or to the last that could be asked, nearest first; () where not_traced() says why.

    A step with address "" did not answer. The host itself, when it answered (also with a refusal), is the last; else
    it is a router that says there is no way on, or one silent step behind the last that answered.
    """
    if not CAN_TRACE:
        return ()
    wait = min(_WAIT, world.limits.connect)
    steps: list[HopSeen] = []
    while len(steps) < MOST_HOPS and not _ends_within(steps, address):
        hops = range(len(steps) + 1, len(steps) + 1 + _AT_ONCE)
        steps += await asyncio.gather(*(_step(host, address, port, ttl, wait) for ttl in hops))
    return tuple(steps[: _length(steps, address)])


async def probe_strike(world: World, host: str, address: str, port: int) -> tuple[HopSeen, ...]:
    """Where a device stands that strikes at this host's name: the hops of a SYN, then those of two ClientHellos.

    One asks for the host, the other for a name that nobody filters. Where the first is reset, or is heard of no more,
    while the second goes on, is the device. () where not_traced() says why.
    """
    steps = await probe_hops(world, host, address, port)
    hellos = [probe_hello_hops(world, host, address, port, sni, len(steps)) for sni in (host, NEUTRAL_NAME)]
    return (*steps, *(step for trace in await asyncio.gather(*hellos) for step in trace))


async def probe_hello_hops(
    world: World, host: str, address: str, port: int, sni: str, hops: int = MOST_HOPS
) -> tuple[HopSeen, ...]:
    """What becomes of a ClientHello for this server name within 1, 2, … `hops` hops, each on a connection of its own.

    The message is the small one, which is a single packet.
    """
    if not CAN_TRACE:
        return ()
    gate = asyncio.Semaphore(_AT_ONCE)
    ttls = range(1, min(hops, MOST_HOPS) + 1)
    return tuple(
        await asyncio.gather(*(_hello_step(world, gate, host, (address, port), sni, ttl) for ttl in ttls))
    )


def _ends_within(steps: Sequence[HopSeen], address: str) -> bool:
    """Whether more steps would show nothing new: the end is there, or a whole round was silent."""
    last = [step.address for step in steps[-_AT_ONCE:]]
    return bool(last) and (_end(steps, address) is not None or not any(last))


def _end(steps: Sequence[HopSeen], address: str) -> int | None:
    """How many steps there are when the host has answered, or a router that answers for all steps behind it."""
    for place, step in enumerate(steps):
        if step.address == address:
            return place + 1
        if step.address and place and steps[place - 1].address == step.address:
            return place
    return None


def _length(steps: Sequence[HopSeen], address: str) -> int:
    answered = [place + 1 for place, step in enumerate(steps) if step.address]
    return _end(steps, address) or max(answered, default=0) + 1


async def _step(host: str, address: str, port: int, ttl: int, wait: float) -> HopSeen:
    start = time.perf_counter()
    family = _V6 if ":" in address else _V4
    try:
        with socket.socket(family.family, socket.SOCK_STREAM) as sock:
            sock.setblocking(False)
            sock.setsockopt(family.level, family.hop_limit, ttl)
            sock.setsockopt(family.level, family.tell_errors, 1)
            found = await _answer(sock, family, (address, port), wait)
    except OSError:
        found = ""
    return HopSeen(host, port, ttl, found, time.perf_counter() - start, target=address)


async def _answer(sock: socket.socket, family: _Family, place: tuple[str, int], wait: float) -> str:
    """Who answered this SYN; "" for nobody."""
    number = sock.connect_ex(place)
    if number == errno.EINPROGRESS:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(wait):
                await _ready(loop.add_writer, loop.remove_writer, sock)
        except TimeoutError:
            return ""
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    router = _router(sock, family)
    return router or (place[0] if number in _ANSWERED else "")


async def _ready(add: Callable[..., None], remove: Callable[..., bool], sock: socket.socket) -> None:
    """Until the socket can be written or read, whichever is added; a failed one can be both."""
    done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    add(sock, _set, done)
    try:
        await done
    finally:
        remove(sock)


async def _hello_step(
    world: World, gate: asyncio.Semaphore, host: str, place: tuple[str, int], sni: str, ttl: int
) -> HopSeen:
    address, port = place
    family = _V6 if ":" in address else _V4
    found = failure = ""
    async with gate:
        start = time.perf_counter()
        try:
            with await connect(address, port, world.limits.connect) as sock:
                sock.setsockopt(family.level, family.tell_errors, 1)
                sock.setsockopt(family.level, family.hop_limit, ttl)
                sock.send(client_hello(sni, large=False))
                found = address if await _is_answered(sock) else ""
        except Unreached as error:
            failure = error.failure
        except OSError as error:
            failure = _REACTIONS.get(error.errno or 0, classify(error))
    return HopSeen(host, port, ttl, found, time.perf_counter() - start, "hello", sni, failure, address)


_REACTIONS: Final = {
    errno.ECONNRESET: Raw.RESET,
    # ICMP "time exceeded" on a connection that is there. Only for a SYN does the kernel keep the sender too.
    errno.EHOSTUNREACH: Raw.EXPIRED,
}


async def _is_answered(sock: socket.socket) -> bool:
    """Whether the host says something; raises OSError for what else is heard, False after silence."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_WAIT):
            while True:
                await _ready(loop.add_reader, loop.remove_reader, sock)
                with suppress(BlockingIOError):
                    return bool(sock.recv(1))
    except TimeoutError as error:
        if error.errno is not None:
            raise
        return False


def _set(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)


def _router(sock: socket.socket, family: _Family) -> str:
    """The sender of an ICMP error for this socket; "" when there was none."""
    try:
        _data, ancillary, _flags, _address = sock.recvmsg(64, 512, socket.MSG_ERRQUEUE)
    except OSError:
        return ""
    for level, kind, data in ancillary:
        if (level, kind) == (family.level, family.tell_errors):
            return _sender(data, family)
    return ""


def _sender(data: bytes, family: _Family) -> str:
    """From struct sock_extended_err and the socket address behind it (linux/errqueue.h)."""
    if len(data) < family.sender + _SENDER_SIZE[family]:
        return ""
    _number, origin = struct.unpack_from("=IB", data)
    if origin not in _FROM_ICMP:
        return ""
    raw = data[family.sender : family.sender + _SENDER_SIZE[family]]
    return str(ipaddress.ip_address(raw))
