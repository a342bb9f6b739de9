"""A device on the path that looks into the first message of TLS, or drops packets that are too big for its line.

It stands as a relay before a real server, in user space: what a packet is, it learns from the segment size of the
connection (TCP_MAXSEG) and from the portions in which bytes arrive.
"""

import asyncio
import socket
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from goferry.lab.tcp import HEALTHY, LOOPBACK, Cut, Peer, Wire, both, pump, reset

_READ: Final = 64 * 1024
_HANDSHAKE: Final = 22
_SERVER_NAME: Final = 0


class Strike(StrEnum):
    """What happens to a connection that the device does not want."""

    RESET = "reset"
    CLOSE = "close"
    STALL = "stall"


@dataclass(frozen=True, slots=True)
class Filter:
    """What the device does not let through. Nothing by default.

    names: server names, each with its subdomains; largest_hello: bytes of a ClientHello however it is cut, for a
    device that cannot put two segments together; largest_packet: bytes of a packet in either direction, for a line
    with a smaller MTU than its ends believe; strike: what becomes of the connection. Big packets just vanish.
    """

    names: Collection[str] = ()
    largest_hello: int | None = None
    largest_packet: int | None = None
    strike: Strike = Strike.RESET

    def dislikes(self, hello: bytes) -> bool:
        """Whether this first message, a whole TLS record, is one that must not pass."""
        name = server_name(hello)
        is_filtered = any(name == entry or name.endswith(f".{entry}") for entry in self.names)
        return is_filtered or (self.largest_hello is not None and len(hello) > self.largest_hello)


class Middlebox(Peer):
    """The relay with this filter. `hellos` are the first messages that arrived, whole."""

    def __init__(
        self, port: int, unwanted: Filter, *, host: str = LOOPBACK, listen: tuple[str, int] = (LOOPBACK, 0)
    ) -> None:
        super().__init__(listen=listen)
        self._target = (host, port)
        self._unwanted = unwanted
        self.hellos: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = _Line(writer, self._unwanted.largest_packet)
        hello = await self._first_message(reader, line)
        self.hellos.append(hello)
        if self._unwanted.dislikes(hello):
            await _strike(writer, self._unwanted.strike)
        away_reader, away_writer = await asyncio.open_connection(*self._target)
        there = Wire(away_writer, HEALTHY)
        try:
            await there.send(hello)
            await both(pump(reader, there), line.carry_back(away_reader, writer))
        finally:
            away_writer.transport.abort()

    async def _first_message(self, reader: asyncio.StreamReader, line: "_Line") -> bytes:
        """All of the first TLS record; whatever came first when it is none."""
        seen = b""
        while len(seen) < 5 or (seen[0] == _HANDSHAKE and len(seen) < 5 + int.from_bytes(seen[3:5])):
            portion = await reader.read(_READ)
            if not portion:
                raise Cut
            await line.take(portion)
            seen += portion
        return seen


class _Line:
    """The wire to the client: packets over a size get lost on it, again and again, so the connection stalls."""

    def __init__(self, writer: asyncio.StreamWriter, largest: int | None) -> None:
        self._socket: socket.socket = writer.get_extra_info("socket")
        self._largest = largest

    async def take(self, portion: bytes) -> None:
        """Returns when these bytes fitted through."""
        if self._largest is None or min(len(portion), self._segment()) <= self._largest:
            return
        await asyncio.Event().wait()

    async def carry_back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while portion := await reader.read(_READ):
            await self.take(portion)
            writer.write(portion)
            await writer.drain()
        writer.close()

    def _segment(self) -> int:
        """The most bytes that go into one packet of this connection, which the client may have made smaller."""
        return self._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)


async def _strike(writer: asyncio.StreamWriter, strike: Strike) -> None:
    if strike is Strike.STALL:
        await asyncio.Event().wait()
    if strike is Strike.RESET:
        reset(writer)
    raise Cut


def server_name(hello: bytes) -> str:
    """The name that a ClientHello asks for, in lower case; "" when there is none or it cannot be read."""
    try:
        at = 5 + 4 + 2 + 32
        for width in (1, 2, 1):  # session, cipher suites, compression
            at += width + int.from_bytes(hello[at : at + width])
        at += 2
        while at < len(hello):
            kind, size = int.from_bytes(hello[at : at + 2]), int.from_bytes(hello[at + 2 : at + 4])
            if kind == _SERVER_NAME:
                return hello[at + 9 : at + 4 + size].decode("ascii").lower()
            at += 4 + size
    except UnicodeDecodeError:
        pass
    return ""
