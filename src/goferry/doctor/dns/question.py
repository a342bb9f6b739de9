"""One DNS question to one server, and everything that came back, also what a resolver would throw away.

A resolver wants an address; we want to know who answered. So a datagram socket here is not connected to the server
(replies from strangers are seen), listens on after the first reply (an injected one is followed by the real one),
and still notices an ICMP refusal, as a connected socket would.
"""

import asyncio
import base64
import ipaddress
import random
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype

from goferry.doctor.addresses import is_suspicious
from goferry.doctor.evidence import Raw
from goferry.net.base import HttpClient, Timeouts
from goferry.net.failure import Failure, NetError, classify
from goferry.net.resolver import name_server

PAYLOAD: Final = 1232
"""The size that Go announces for replies over UDP (dnsclient_unix.go)."""

LISTEN: Final = 0.3
LISTEN_SUSPICIOUS: Final = 1.0
"""How long we wait for a second reply, in seconds: injectors win by some tens of milliseconds, far servers by more."""

TYPES: Final = {4: dns.rdatatype.A, 6: dns.rdatatype.AAAA}

# Linux's names for "tell an unconnected socket of ICMP errors too"; the socket module has them from Python 3.14.
_IP_RECVERR, _IPV6_RECVERR = 11, 25

_FAILURES: Final = {
    "NXDOMAIN": Failure.DNS_NOT_FOUND,
    "SERVFAIL": Failure.DNS_SERVER_FAILURE,
    "REFUSED": Failure.DNS_REFUSED,
    "NOTIMP": Failure.DNS_REFUSED,
}


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. The fields that `NameSeen` has too mean the same.

    attempt: which of our datagrams was answered (the first may be lost); latency: seconds since that one was sent;
    truncated, lame: of the reply, where lame means no record, no authority, no recursion and no EDNS, which Go skips;
    ttl: seconds, the least of the records.
    """

    server: str
    transport: str
    family: int
    addresses: tuple[str, ...] = ()
    rcode: str = ""
    seconds: float = 0.0
    failure: str = ""
    text: str = ""
    others: tuple[str, ...] = ()
    stranger: str = ""
    attempt: int = 1
    latency: float = 0.0
    truncated: bool = False
    lame: bool = False
    ttl: int = 0

    @property
    def answered(self) -> bool:
        """Whether the server said anything at all that is an answer."""
        return bool(self.rcode)

    @property
    def data(self) -> frozenset[str]:
        """The addresses, or the code in place of them: what two replies are compared by."""
        return frozenset(self.addresses or (self.rcode,))


def failure_of(error: BaseException) -> str:
    """The name of a socket's failure; a sandbox's "not permitted" is kept apart from a missing route."""
    return Raw.NOT_PERMITTED if isinstance(error, PermissionError) else classify(error)


def endpoint(server: str) -> tuple[socket.AddressFamily, Any]:
    """Socket family and address of a server written as in `NameSeen`. Raises ConfigError."""
    host, _, port = name_server(server).rpartition(":")
    family, _type, _proto, _name, address = socket.getaddrinfo(
        host.strip("[]"), int(port), type=socket.SOCK_DGRAM, flags=socket.AI_NUMERICHOST
    )[0]
    return family, address


def query(name: str, family: int) -> dns.message.QueryMessage:
    """A question as Go asks it: recursion wanted, EDNS with its payload size, an id that nobody can guess.

    Raises dns.exception.DNSException for what is no name.
    """
    return dns.message.make_query(
        name, TYPES[family], use_edns=0, payload=PAYLOAD, id=random.SystemRandom().randrange(65536)
    )


def read(data: bytes, asked: dns.message.Message) -> Reply | None:
    """The reply in these bytes, without times and places; None when it is no reply to this question."""
    try:
        message = dns.message.from_wire(data, ignore_trailing=True)
        if not asked.is_response(message):
            return None
    except (dns.exception.DNSException, ValueError, struct.error):
        return None
    wanted = asked.question[0].rdtype
    sets = [found for found in message.answer if found.rdtype == wanted]
    rcode = dns.rcode.to_text(message.rcode())
    authoritative, recursive = message.flags & dns.flags.AA, message.flags & dns.flags.RA
    return Reply(
        server="",
        transport="",
        family=next(number for number, kind in TYPES.items() if kind == wanted),
        addresses=tuple(record.to_text() for found in sets for record in found),
        rcode=rcode,
        failure="" if rcode == "NOERROR" else _FAILURES.get(rcode, Failure.DNS_SERVER_FAILURE),
        truncated=bool(message.flags & dns.flags.TC),
        lame=not (rcode != "NOERROR" or message.answer or authoritative or recursive or message.opt),
        ttl=min((found.ttl for found in sets), default=0),
    )


# ---- UDP ---------------------------------------------------------------------------------------------------


class _Ear(asyncio.DatagramProtocol):
    """Everything that a socket hears, in order: datagrams with their senders, and errors."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[bytes, Any] | Exception] = asyncio.Queue()

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.put_nowait((data, addr))

    def error_received(self, exc: Exception) -> None:
        self.heard.put_nowait(exc)


async def ask_udp(
    server: str,
    name: str,
    family: int,
    limit: float,
    *,
    listen: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Reply:
    """Asks over UDP, once more after half of `limit` seconds of silence. Never raises for what the network does.

    listen: seconds to wait for a second reply; None: LISTEN, and longer when the first is suspicious.
    """
    nothing = Reply(server, "udp", family)
    try:
        socket_family, address = endpoint(server)
        questions = (query(name, family), query(name, family))
        sock = _listening_socket(socket_family)
    except dns.exception.DNSException as error:
        return replace(nothing, failure=Failure.DNS_NOT_FOUND, text=str(error))
    except OSError as error:
        return replace(nothing, failure=failure_of(error), text=str(error))
    transport, ear = await asyncio.get_running_loop().create_datagram_endpoint(_Ear, sock=sock)
    try:
        return await _Conversation(nothing, transport, ear, address, questions, clock).run(limit, listen)
    finally:
        transport.close()


def _listening_socket(family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.bind(("::" if family == socket.AF_INET6 else "0.0.0.0", 0))  # noqa: S104 - any way out, no service
        if sys.platform == "linux" and family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        elif sys.platform == "linux":
            sock.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
    except OSError:
        sock.close()
        raise
    return sock


class _Conversation:
    """One question over UDP: what was sent, what was heard so far, and what follows from it."""

    def __init__(
        self,
        nothing: Reply,
        transport: asyncio.DatagramTransport,
        ear: _Ear,
        address: Any,
        questions: tuple[dns.message.QueryMessage, ...],
        clock: Callable[[], float],
    ) -> None:
        self._reply = nothing
        self._transport = transport
        self._ear = ear
        self._address = address
        self._questions = questions
        self._clock = clock
        self._sent_at: list[float] = []
        self._first: Reply | None = None
        self._garbage = ""

    async def run(self, limit: float, listen: float | None) -> Reply:
        start = self._clock()
        end = start + limit
        again = start + limit / 2
        self._send()
        while True:
            may_repeat = self._first is None and len(self._sent_at) < len(self._questions)
            heard = await self._hear(again if may_repeat else end)
            if heard is None and may_repeat:
                self._send()
            elif heard is None:
                return self._result(self._clock() - start)
            elif isinstance(heard, Exception):
                if self._first is None:
                    return self._ended(failure_of(heard), str(heard), self._clock() - start)
            elif self._take(*heard):
                end = min(end, self._clock() + (self._listening() if listen is None else listen))

    async def _hear(self, until: float) -> tuple[bytes, Any] | Exception | None:
        """The next thing heard, or None when nothing comes until then."""
        try:
            return await asyncio.wait_for(self._ear.heard.get(), max(until - self._clock(), 0))
        except TimeoutError:
            return None

    def _listening(self) -> float:
        assert self._first is not None
        return LISTEN_SUSPICIOUS if any(map(is_suspicious, self._first.addresses)) else LISTEN

    def _send(self) -> None:
        question = self._questions[len(self._sent_at)]
        self._sent_at.append(self._clock())
        self._transport.sendto(question.to_wire(), self._address)

    def _take(self, data: bytes, sender: Any) -> bool:
        """Notes one datagram. True when it is the first answer of the server itself."""
        if _same_place(sender, self._address):
            reply, attempt = self._parsed(data)
            if reply is None:
                self._garbage = self._garbage or data[:32].hex()
            elif self._first is None:
                self._first = replace(
                    reply,
                    server=self._reply.server,
                    transport="udp",
                    seconds=self._clock() - self._sent_at[0],
                    latency=self._clock() - self._sent_at[attempt - 1],
                    attempt=attempt,
                    stranger=self._reply.stranger,
                )
                return True
            elif attempt == self._first.attempt and _contradicts(self._first, reply):
                self._first = replace(self._first, others=tuple(sorted(reply.data)))
        elif self._parsed(data)[0] is not None:
            self._note_stranger(str(sender[0]))
        return False

    def _note_stranger(self, address: str) -> None:
        self._reply = replace(self._reply, stranger=address)
        if self._first is not None:
            self._first = replace(self._first, stranger=address)

    def _parsed(self, data: bytes) -> tuple[Reply | None, int]:
        for attempt, question in enumerate(self._questions[: len(self._sent_at)], start=1):
            if (reply := read(data, question)) is not None:
                return reply, attempt
        return None, 0

    def _result(self, seconds: float) -> Reply:
        if self._first is not None:
            return self._first
        if self._garbage:
            return self._ended(Failure.DNS_BAD_ANSWER, self._garbage, seconds)
        return self._ended(Failure.DNS_TIMEOUT, "", seconds)

    def _ended(self, failure: str, text: str, seconds: float) -> Reply:
        return replace(self._reply, failure=failure, text=text, seconds=seconds, latency=seconds)


def _same_place(sender: Any, asked: Any) -> bool:
    """Whether a reply comes from where the question went. The kernel sends 0.0.0.0 and :: to this machine itself."""
    came, went = (ipaddress.ip_address(str(place[0]).partition("%")[0]) for place in (sender, asked))
    return bool(sender[1] == asked[1] and (came == went or (went.is_unspecified and came.is_loopback)))


def _contradicts(first: Reply, second: Reply) -> bool:
    """Whether a second reply to one question says something else; a cut one without records says nothing."""
    return first.data != second.data and not (second.truncated and not second.addresses)


# ---- TCP and HTTPS -----------------------------------------------------------------------------------------


async def ask_tcp(server: str, name: str, family: int, limit: float) -> Reply:
    """Asks over TCP. Never raises for what the network does."""
    asked = _Asked(Reply(server, "tcp", family))
    try:
        question = query(name, family)
        async with asyncio.timeout(limit):
            data = await _exchange_tcp(endpoint(server)[1], question.to_wire())
    except dns.exception.DNSException as error:
        return asked.failed(Failure.DNS_NOT_FOUND, str(error))
    except asyncio.IncompleteReadError:
        return asked.failed(Raw.CLOSED, "")
    except OSError as error:
        ours = isinstance(error, TimeoutError) and error.errno is None
        return asked.failed(Failure.DNS_TIMEOUT if ours else failure_of(error), str(error))
    return asked.answered(data, question)


async def _exchange_tcp(address: Any, wire: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(address[0], address[1])
    try:
        writer.write(struct.pack(">H", len(wire)) + wire)
        (length,) = struct.unpack(">H", await reader.readexactly(2))
        return await reader.readexactly(length)
    finally:
        writer.transport.abort()


async def ask_doh(client: HttpClient, url: str, name: str, family: int, limit: float) -> Reply:
    """Asks over HTTPS (RFC 8484, GET). Never raises for what the network does."""
    asked = _Asked(Reply(url, "https", family))
    try:
        question = query(name, family)
        question.id = 0  # as RFC 8484 wants it, so that caches on the way can help
        packed = base64.urlsafe_b64encode(question.to_wire()).rstrip(b"=").decode("ascii")
        async with client.get(
            f"{url}{'&' if '?' in url else '?'}dns={packed}",
            headers={"accept": "application/dns-message"},
            timeouts=Timeouts(limit, limit, limit, limit, limit, limit),
        ) as answer:
            status, data = answer.status, await answer.read(65536)
    except dns.exception.DNSException as error:
        return asked.failed(Failure.DNS_NOT_FOUND, str(error))
    except NetError as error:
        return asked.failed(error.kind, error.message.format(**error.parts))
    return (
        asked.answered(data, question)
        if status == 200
        else asked.failed(Failure.DNS_REFUSED, f"HTTP {status}")
    )


class _Asked:
    """A question that is on its way over a stream since now."""

    def __init__(self, nothing: Reply) -> None:
        self._nothing = nothing
        self._start = time.monotonic()

    def failed(self, failure: str, text: str) -> Reply:
        return self._timed(replace(self._nothing, failure=failure, text=text))

    def answered(self, data: bytes, question: dns.message.Message) -> Reply:
        reply = read(data, question)
        if reply is None:
            return self.failed(Failure.DNS_BAD_ANSWER, data[:32].hex())
        return self._timed(replace(reply, server=self._nothing.server, transport=self._nothing.transport))

    def _timed(self, reply: Reply) -> Reply:
        seconds = time.monotonic() - self._start
        return replace(reply, seconds=seconds, latency=seconds)
