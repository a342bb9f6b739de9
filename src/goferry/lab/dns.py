"""A DNS server over UDP and TCP that answers from a table, or answers badly, or not at all."""

import asyncio
import errno
import ipaddress
import struct
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final, Self

from goferry.lab.tcp import LOOPBACK, Peer

_A, _AAAA = 1, 28
_TYPE_OF = {4: _A, 6: _AAAA}
_RESPONSE = 0x8180  # an answer, with recursion asked for and available
_TRUNCATED = 0x0200


_TRIES: Final = 10


class Behaviour(StrEnum):
    """How the server treats a question."""

    ANSWER = "answer"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENCE = "silence"
    WRONG_ID = "wrong_id"
    GARBAGE = "garbage"
    TRUNCATED = "truncated"
    """Over UDP an empty answer that says "ask by TCP"; the whole one over TCP."""


_CODES = {Behaviour.SERVFAIL: 2, Behaviour.NXDOMAIN: 3, Behaviour.REFUSED: 5}


class DnsServer:
    """A name server on a loopback port, or on `listen`.

    records: name to addresses of both families; a name that is not there does not exist. ttl: seconds, in each record;
    delay: seconds before each answer. `queries` holds the names asked for, with their types, in order.
    by_name: another behaviour for some names; injected: names for which a false answer is sent before the true one, as
    somebody on the way does it; tcp: whether questions over TCP are taken too.
    """

    def __init__(
        self,
        records: Mapping[str, Sequence[str]] | None = None,
        behaviour: Behaviour = Behaviour.ANSWER,
        *,
        delay: float = 0.0,
        ttl: int = 60,
        by_name: Mapping[str, Behaviour] | None = None,
        injected: Mapping[str, Sequence[str]] | None = None,
        tcp: bool = False,
        listen: tuple[str, int] = (LOOPBACK, 0),
    ) -> None:
        self.records = _lowered(records or {})
        self.behaviour = behaviour
        self.delay = delay
        self.ttl = ttl
        self.by_name = {name.lower(): behaviour for name, behaviour in (by_name or {}).items()}
        self.injected = _lowered(injected or {})
        self.queries: list[tuple[str, str]] = []
        self.host, self.port = listen
        self._tcp = tcp
        self._stream: _Stream | None = None
        self._transport: asyncio.DatagramTransport | None = None
        self._late: set[asyncio.TimerHandle] = set()

    @property
    def address(self) -> str:
        """`IP:PORT`, as a list of name servers takes it."""
        return f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        wanted = self.port
        for tries_left in reversed(range(1 if wanted else _TRIES)):
            try:
                await self._listen()
                break
            except OSError as error:
                # The port that is free for datagrams may be taken for streams: another one, if any will do.
                if error.errno != errno.EADDRINUSE or not tries_left:
                    raise
                self.port = wanted
        return self

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(
            lambda: _Port(self), local_addr=(self.host, self.port)
        )
        self.port = transport.get_extra_info("sockname")[1]
        try:
            if self._tcp:
                self._stream = await _Stream(self).__aenter__()
        except BaseException:
            transport.close()
            raise
        self._transport = transport

    async def __aexit__(self, *_exc: object) -> None:
        assert self._transport is not None
        for handle in self._late:
            handle.cancel()
        self._transport.close()
        if self._stream is not None:
            await self._stream.__aexit__()

    def received(self, query: bytes, sender: tuple[str, int]) -> None:
        """One datagram: noted, and answered as the behaviour says."""
        question = _Question.parse(query)
        if question is None:
            return
        if question.name in self.injected:
            self._send(question.reply(0, self.injected[question.name], self.ttl), sender, delay=0.0)
        answer = self.answer(question)
        if answer is not None:
            self._send(answer, sender, delay=self.delay)

    def answer(self, question: "_Question", *, stream: bool = False) -> bytes | None:
        """What is sent back over UDP, or over a stream; None for silence."""
        self.queries.append((question.name, question.type_name))
        behaviour = self.by_name.get(question.name, self.behaviour)
        if behaviour is Behaviour.SILENCE:
            return None
        if behaviour is Behaviour.GARBAGE:
            # The right id, so that it is taken for the answer, and then nothing that parses.
            return struct.pack(">HHHHHH", question.id, _RESPONSE, 1, 9, 0, 0) + b"\xff" * 20
        if behaviour is Behaviour.TRUNCATED and not stream:
            return question.reply(0, flags=_TRUNCATED)
        if behaviour in _CODES:
            return question.reply(_CODES[behaviour])
        if question.name not in self.records:
            return question.reply(_CODES[Behaviour.NXDOMAIN])
        id_shift = 1 if behaviour is Behaviour.WRONG_ID else 0
        return question.reply(0, self.records[question.name], self.ttl, id_shift=id_shift)

    def _send(self, answer: bytes, receiver: tuple[str, int], *, delay: float) -> None:
        assert self._transport is not None
        if not delay:
            self._transport.sendto(answer, receiver)
            return
        handle = asyncio.get_running_loop().call_later(delay, self._transport.sendto, answer, receiver)
        self._late.add(handle)


def _lowered(records: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    return {name.lower(): tuple(addresses) for name, addresses in records.items()}


class _Port(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self._server.received(data, addr)


class _Stream(Peer):
    """The same server over TCP: each message behind its length."""

    def __init__(self, server: DnsServer) -> None:
        super().__init__(listen=(server.host, server.port))
        self._dns = server

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            (length,) = struct.unpack(">H", await reader.readexactly(2))
            question = _Question.parse(await reader.readexactly(length))
            answer = None if question is None else self._dns.answer(question, stream=True)
            if answer is None:
                return
            await asyncio.sleep(self._dns.delay)
            writer.write(struct.pack(">H", len(answer)) + answer)
            await writer.drain()


class _Question:
    """The question of a query: enough of RFC 1035 for one question without compression."""

    def __init__(self, query_id: int, name: str, qtype: int, raw: bytes) -> None:
        self.id = query_id
        self.name = name
        self.qtype = qtype
        self._raw = raw

    @property
    def type_name(self) -> str:
        return {_A: "A", _AAAA: "AAAA"}.get(self.qtype, str(self.qtype))

    @classmethod
    def parse(cls, query: bytes) -> "_Question | None":
        """None for a datagram that is no query."""
        if len(query) < 17:
            return None
        (query_id,) = struct.unpack_from(">H", query)
        labels, at = [], 12
        while at < len(query) and query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]])
            at += 1 + query[at]
        if at + 5 > len(query):
            return None
        (qtype,) = struct.unpack_from(">H", query, at + 1)
        name = b".".join(labels).decode("ascii", "replace").lower()
        return cls(query_id, name, qtype, query[12 : at + 5])

    def reply(
        self, code: int, addresses: Sequence[str] = (), ttl: int = 0, *, id_shift: int = 0, flags: int = 0
    ) -> bytes:
        """The answer with those of the addresses that have the type asked for."""
        found = [
            address
            for address in map(ipaddress.ip_address, addresses)
            if _TYPE_OF[address.version] == self.qtype
        ]
        number = (self.id + id_shift) & 0xFFFF
        head = struct.pack(">HHHHHH", number, _RESPONSE | code | flags, 1, len(found), 0, 0)
        # 0xC00C points back at the name in the question.
        records = [
            struct.pack(">HHHIH", 0xC00C, self.qtype, 1, ttl, len(ip.packed)) + ip.packed for ip in found
        ]
        return head + self._raw + b"".join(records)
