"""A caching name server on loopback: asks all its servers at once, keeps what they say, and outlives their silence.

`goferry dns` starts one to measure what a local cache would be worth here. It follows RFC 1035 and RFC 2181 for times
to live, RFC 2308 for answers that deny, and RFC 8767 for old answers when nobody gives a new one.
"""

import asyncio
import random
import socket
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, Final, Self, cast

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.rcode
import dns.rdatatype

from goferry.doctor.dns.question import PAYLOAD, endpoint

MAX_TTL: Final = 24 * 3600
MAX_NEGATIVE_TTL: Final = 900
STALE_FOR: Final = 24 * 3600
STALE_TTL: Final = 30
"""Seconds that a client may keep an old answer for (RFC 8767, section 4)."""

PATIENCE: Final = 1.8
"""Seconds to wait for a fresh answer before an old one is given (RFC 8767, section 5)."""

ENTRIES: Final = 4096

_MIN_UDP: Final = 512
_GOOD: Final = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
_Key = tuple[str, int, int, bool]


@dataclass(frozen=True, slots=True)
class _Kept:
    """An answer with the moment that it came and the seconds that it is good for."""

    message: dns.message.Message
    at: float
    ttl: int

    def age(self, now: float) -> float:
        return now - self.at


class Stub:
    """The server. upstreams: name servers as `IP:PORT`; limit: seconds for one of them; patience: see PATIENCE.

        async with Stub(["192.0.2.53:53"]) as stub: ...stub.address...

    `hits`, `misses` and `stale` count the answers from the cache, from a server, and those that were too old.
    """

    def __init__(
        self,
        upstreams: Sequence[str],
        *,
        limit: float = 5.0,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._upstreams = tuple(upstreams)
        self._limit = limit
        self._patience = patience
        self._clock = clock
        self._cache: OrderedDict[_Key, _Kept] = OrderedDict()
        self._running: dict[_Key, asyncio.Task[dns.message.Message | None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._clients: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._open = AsyncExitStack()
        self._port = 0
        self.hits = 0
        self.misses = 0
        self.stale = 0

    @property
    def address(self) -> str:
        """`IP:PORT` of the server, on UDP and TCP."""
        return f"127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        udp, tcp = _sockets()
        self._port = udp.getsockname()[1]
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: _Port(self), sock=udp)
        self._open.callback(transport.close)
        server = await asyncio.start_server(self._serve, sock=tcp)
        self._open.callback(server.close)
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._open.aclose()
        pending = [*self._tasks, *self._running.values()]
        for task in pending:
            task.cancel()
        # A client's task ends by itself when its connection is gone; to cancel it would make asyncio complain.
        serving = list(self._clients)
        for writer in self._clients.values():
            writer.transport.abort()
        await asyncio.gather(*pending, *serving, return_exceptions=True)
        await asyncio.sleep(0)  # transports close their sockets in the next turn of the loop

    # ---- clients -------------------------------------------------------------------------------------------

    def received(self, data: bytes, sender: Any, transport: asyncio.DatagramTransport) -> None:
        """One datagram: answered when the answer is there."""

        async def reply() -> None:
            wire = await self._reply(data, over_udp=True)
            if wire is not None and not transport.is_closing():
                transport.sendto(wire, sender)

        self._start(reply())

    def _start(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._clients[task] = writer
        try:
            while True:
                (length,) = struct.unpack(">H", await reader.readexactly(2))
                wire = await self._reply(await reader.readexactly(length), over_udp=False)
                if wire is None:
                    break
                writer.write(struct.pack(">H", len(wire)) + wire)
                await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client has gone
        finally:
            writer.transport.abort()
            del self._clients[task]

    async def _reply(self, data: bytes, *, over_udp: bool) -> bytes | None:
        """The whole reply; None for what is no query, which gets none."""
        try:
            query = dns.message.from_wire(data)
        except (dns.exception.DNSException, ValueError, struct.error):
            return None
        if query.flags & dns.flags.QR:
            return None
        reply = dns.message.make_response(query, recursion_available=True)
        if query.opcode() != dns.opcode.QUERY or len(query.question) != 1:
            reply.set_rcode(dns.rcode.NOTIMP)
            return reply.to_wire()
        answer = await self._answer(query)
        if answer is None:
            reply.set_rcode(dns.rcode.SERVFAIL)
            return reply.to_wire()
        reply.set_rcode(answer.rcode())
        reply.answer, reply.authority = answer.answer, answer.authority
        return _fitting(reply, max(query.payload, _MIN_UDP) if over_udp else 65535)

    # ---- the cache -----------------------------------------------------------------------------------------

    async def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        wants_dnssec = bool(query.ednsflags & dns.flags.DO)
        key = (question.name.to_text().lower(), int(question.rdtype), int(question.rdclass), wants_dnssec)
        kept = self._cache.get(key)
        if kept is not None and kept.age(self._clock()) < kept.ttl:
            self._cache.move_to_end(key)
            self.hits += 1
            return _aged(kept.message, int(kept.age(self._clock())))
        task = self._running.get(key)
        if task is None:
            task = self._running[key] = asyncio.ensure_future(self._ask(key, question, wants_dnssec))
            task.add_done_callback(lambda _done: self._running.pop(key, None))
        return await self._fresh_or_stale(task, kept)

    async def _fresh_or_stale(
        self, task: "asyncio.Task[dns.message.Message | None]", kept: _Kept | None
    ) -> dns.message.Message | None:
        usable = kept if kept is not None and kept.age(self._clock()) < kept.ttl + STALE_FOR else None
        # The question goes on when we stop waiting: its answer serves the next client.
        await asyncio.wait([task], timeout=None if usable is None else self._patience)
        fresh = task.result() if task.done() and not task.cancelled() else None
        if fresh is not None:
            self.misses += 1
            return fresh
        if usable is None:
            return None
        self.stale += 1
        return _aged(usable.message, 0, most=STALE_TTL)

    async def _ask(self, key: _Key, question: Any, wants_dnssec: bool) -> dns.message.Message | None:
        """The first good answer of any server, kept; when there is none, the first other answer, not kept."""
        running = [asyncio.ensure_future(_exchange(server, question, wants_dnssec, self._limit))
                   for server in self._upstreams]  # fmt: skip
        bad: dns.message.Message | None = None
        try:
            for next_one in asyncio.as_completed(running):
                message = await next_one
                if message is not None and message.rcode() in _GOOD:
                    self._keep(key, message)
                    return message
                bad = bad or message
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        return None if bad is None or bad.rcode() == dns.rcode.SERVFAIL else bad

    def _keep(self, key: _Key, message: dns.message.Message) -> None:
        ttl = time_to_live(message)
        if ttl > 0:
            self._cache[key] = _Kept(message, self._clock(), ttl)
            self._cache.move_to_end(key)
        while len(self._cache) > ENTRIES:
            self._cache.popitem(last=False)


def time_to_live(message: dns.message.Message) -> int:
    """Seconds that an answer may be kept: its shortest record, or for a denial what the zone's SOA allows."""
    if message.answer:
        return min(min(found.ttl for found in message.answer), MAX_TTL)
    soa = next((found for found in message.authority if found.rdtype == dns.rdatatype.SOA), None)
    return 0 if soa is None else min(soa.ttl, soa[0].minimum, MAX_NEGATIVE_TTL)


def _aged(message: dns.message.Message, seconds: int, *, most: int = MAX_TTL) -> dns.message.Message:
    """A copy whose records live so much shorter."""
    copy = dns.message.Message()
    copy.flags = message.flags
    copy.set_rcode(message.rcode())
    for section, target in ((message.answer, copy.answer), (message.authority, copy.authority)):
        for found in section:
            younger: Any = found.copy()  # type: ignore[no-untyped-call]
            younger.ttl = max(min(found.ttl - seconds, most), 0)
            target.append(younger)
    return copy


def _fitting(reply: dns.message.Message, size: int) -> bytes:
    """The reply, cut to its head with the sign "ask by TCP" when it is too long."""
    wire = reply.to_wire(max_size=65535)
    if len(wire) <= size:
        return wire
    reply.answer, reply.authority = [], []
    reply.flags |= dns.flags.TC
    return reply.to_wire()


# ---- servers -----------------------------------------------------------------------------------------------


async def _exchange(
    server: str, question: Any, wants_dnssec: bool, limit: float
) -> dns.message.Message | None:
    """What one server says, by UDP and if that is cut by TCP; None when it says nothing usable in time."""
    query = dns.message.make_query(
        question.name,
        question.rdtype,
        question.rdclass,
        use_edns=0,
        payload=PAYLOAD,
        want_dnssec=wants_dnssec,
        id=random.SystemRandom().randrange(65536),
    )
    try:
        async with asyncio.timeout(limit):
            message = await _by_udp(server, query)
            return await _by_tcp(server, query) if message.flags & dns.flags.TC else message
    except (OSError, asyncio.IncompleteReadError, dns.exception.DNSException, ValueError):
        return None


async def _by_udp(server: str, query: dns.message.Message) -> dns.message.Message:
    family, address = endpoint(server)
    loop = asyncio.get_running_loop()
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(address)
        await loop.sock_sendall(sock, query.to_wire())
        while True:
            with suppress(dns.exception.DNSException, ValueError):
                message = dns.message.from_wire(await loop.sock_recv(sock, 65535))
                if query.is_response(message):
                    return message


async def _by_tcp(server: str, query: dns.message.Message) -> dns.message.Message:
    _family, address = endpoint(server)
    reader, writer = await asyncio.open_connection(address[0], address[1])
    try:
        wire = query.to_wire()
        writer.write(struct.pack(">H", len(wire)) + wire)
        (length,) = struct.unpack(">H", await reader.readexactly(2))
        message = dns.message.from_wire(await reader.readexactly(length))
    finally:
        writer.transport.abort()
    if not query.is_response(message):
        raise ValueError("the answer is to another question")
    return message


class _Port(asyncio.DatagramProtocol):
    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        assert self._transport is not None
        self._stub.received(data, addr, self._transport)


def _sockets() -> tuple[socket.socket, socket.socket]:
    """A UDP and a TCP socket on one port of loopback."""
    while True:
        tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        tcp.bind(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:  # somebody has this number for UDP already
            udp.close()
            tcp.close()
            continue
        udp.setblocking(False)
        tcp.setblocking(False)
        return udp, tcp
