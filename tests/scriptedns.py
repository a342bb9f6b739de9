"""A name server that says exactly what a test tells it to say, over UDP and TCP on one loopback port.

async with NameServer(lambda ask: [says(ask.query, "192.0.2.7")]) as server: ...
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset


@dataclass(frozen=True)
class Ask:
    """One question. number: how many came before it, of this name and type over this transport."""

    query: dns.message.Message
    transport: str
    number: int

    @property
    def name(self) -> str:
        return self.query.question[0].name.to_text().lower()

    @property
    def family(self) -> int:
        return {dns.rdatatype.A: 4, dns.rdatatype.AAAA: 6}[self.query.question[0].rdtype]


Script = Callable[[Ask], Sequence[bytes]]


def says(
    query: dns.message.Message,
    *addresses: str,
    rcode: str = "NOERROR",
    ttl: int = 60,
    truncated: bool = False,
    lame: bool = False,
) -> bytes:
    """The reply with those of the addresses that have the family asked for."""
    reply = dns.message.make_response(query, recursion_available=not lame)
    reply.set_rcode(dns.rcode.from_text(rcode))
    question = query.question[0]
    fitting = [each for each in addresses if (":" in each) == (question.rdtype == dns.rdatatype.AAAA)]
    if lame:
        reply.use_edns(False)
    if truncated:
        reply.flags |= dns.flags.TC
    elif fitting:
        reply.answer.append(dns.rrset.from_text_list(question.name, ttl, "IN", question.rdtype, fitting))
    return reply.to_wire(max_size=65535)


def table(records: dict[str, Sequence[str]], *, ttl: int = 60) -> Script:
    """Answers from a table of names with their final dot; what is not there does not exist."""

    def answer(ask: Ask) -> Sequence[bytes]:
        found = records.get(ask.name)
        return [says(ask.query, rcode="NXDOMAIN") if found is None else says(ask.query, *found, ttl=ttl)]

    return answer


class NameServer:
    """Runs a script. `asked` holds (transport, name, family) of each question; `stranger`: replies come from elsewhere.

    host and port: where to listen; port 0 finds one that is free for both transports.
    """

    def __init__(
        self, script: Script, *, host: str = "127.0.0.1", port: int = 0, tcp: bool = True, stranger: str = ""
    ) -> None:
        self.script = script
        self.asked: list[tuple[str, str, int]] = []
        self._place = (host, port)
        self._with_tcp = tcp
        self._stranger = stranger
        self._writers: set[asyncio.StreamWriter] = set()
        self._open = contextlib.AsyncExitStack()

    @property
    def address(self) -> str:
        return f"{self._place[0]}:{self._place[1]}"

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        host, _ = self._place
        udp, tcp = _sockets(*self._place)
        self._place = (host, udp.getsockname()[1])
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Port(self), sock=udp)
        self._open.callback(self._transport.close)
        if self._stranger:
            self._other, _ = await loop.create_datagram_endpoint(
                asyncio.DatagramProtocol, local_addr=(self._stranger, 0)
            )
            self._open.callback(self._other.close)
        if self._with_tcp:
            server = await asyncio.start_server(self._serve, sock=tcp)
            self._open.callback(server.close)
        else:
            tcp.close()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self._open.aclose()
        for writer in self._writers:
            writer.transport.abort()
        await asyncio.sleep(0)
        await asyncio.sleep(
            0
        )  # sockets are closed in the next turn of the loop, and a fixed port must be free then

    def replies(self, data: bytes, transport: str) -> Sequence[bytes]:
        query = dns.message.from_wire(data)
        ask = Ask(query, transport, 0)
        key = (transport, ask.name, ask.family)
        self.asked.append(key)
        return self.script(Ask(query, transport, self.asked.count(key) - 1))

    def received(self, data: bytes, sender: Any) -> None:
        way = self._other if self._stranger else self._transport
        for reply in self.replies(data, "udp"):
            way.sendto(reply, sender)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                (length,) = struct.unpack(">H", await reader.readexactly(2))
                for reply in self.replies(await reader.readexactly(length), "tcp"):
                    writer.write(struct.pack(">H", len(reply)) + reply)
        writer.transport.abort()


class _Port(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.received(data, addr)


def _sockets(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    """Two sockets on one port number."""
    for _try in range(50):
        tcp, udp = socket.socket(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((host, port))
            udp.bind((host, tcp.getsockname()[1]))
        except OSError:
            tcp.close()
            udp.close()
            continue
        udp.setblocking(False)
        return udp, tcp
    raise AssertionError("no port is free for both UDP and TCP")
