"""TCP peers that misbehave on purpose: refuse, stall, cut, reset, throttle, and a relay that does so to a real server.

All are async context managers that leave nothing behind. They listen on a free loopback port, or where they are told.
"""

import asyncio
import contextlib
import os
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Coroutine, Iterator
from dataclasses import dataclass
from typing import Self

LOOPBACK = "127.0.0.1"

_READ = 64 * 1024
_LINGER = "hh" if os.name == "nt" else "ii"  # struct linger: on, seconds
_MAX_HEAD = 64 * 1024


class Cut(Exception):
    """The wire has carried all it may, as the fault asked; the connection is over."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with the bytes towards the client. Nothing by default.

    stall_after, cut_after, reset_after: bytes that still pass; then silence, an orderly close, or a reset.
    rate: bytes per second; latency: seconds that each piece is late, in both directions of a relay.
    """

    stall_after: int | None = None
    cut_after: int | None = None
    reset_after: int | None = None
    rate: float | None = None
    latency: float = 0.0


HEALTHY = Fault()
STALL = Fault(stall_after=0)
RESET = Fault(reset_after=0)
CUT = Fault(cut_after=0)


class Peer:
    """A server on a loopback port; subclasses say in `serve` what happens on a connection.

    tls: the context for a server that speaks TLS; listen: address and port, 0 for a free one. `connections` counts how
    often it was reached.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None, listen: tuple[str, int] = (LOOPBACK, 0)) -> None:
        self._tls = tls
        self._listen = listen
        self.socket: socket.socket | None = None
        """A bound socket to listen on instead, as one that belongs to another network namespace."""
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.port = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """Its root as a URL, by IP address."""
        return f"{'https' if self._tls else 'http'}://{self._listen[0]}:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its first byte to its end."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        host, port = (None, None) if self.socket else self._listen
        self._server = await asyncio.start_server(
            self._accept, host, port, sock=self.socket, ssl=self._tls, limit=_MAX_HEAD
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_exc: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await self.serve(reader, writer)
        except (OSError, Cut, EOFError, asyncio.CancelledError, asyncio.LimitOverrunError):
            # The other side left, the fault ended the connection, or the lab is being closed.
            pass
        finally:
            self._tasks.discard(task)
            writer.close()


class Wire:
    """The way to the client, with a fault in it."""

    def __init__(self, writer: asyncio.StreamWriter, fault: Fault) -> None:
        self._writer = writer
        self._fault = fault
        self._sent = 0

    async def send(self, data: bytes) -> None:
        """Sends what may pass. Raises Cut when the fault has ended the connection; never returns after a stall."""
        ends = [
            (after, end)
            for after, end in (
                (self._fault.stall_after, self._stall),
                (self._fault.cut_after, self._cut),
                (self._fault.reset_after, self._reset),
            )
            if after is not None and self._sent + len(data) >= after
        ]
        if not ends:
            await self._write(data)
            return
        after, end = min(ends, key=lambda pair: pair[0])
        await self._write(data[: after - self._sent])
        await end()

    async def _write(self, data: bytes) -> None:
        piece = len(data) or 1
        if self._fault.rate is not None:
            piece = max(
                1, int(self._fault.rate / 50)
            )  # fifty pieces a second look like a slow line, not like bursts
        for start in range(0, len(data), piece):
            part = data[start : start + piece]
            self._writer.write(part)
            await self._writer.drain()
            self._sent += len(part)
            if self._fault.rate is not None:
                await asyncio.sleep(len(part) / self._fault.rate)

    def finish(self) -> None:
        """Passes on the end of the source: a FIN, or for TLS, which has no half-open state, a close."""
        if self._writer.can_write_eof():
            self._writer.write_eof()
        else:
            self._writer.close()

    async def _stall(self) -> None:
        await asyncio.Event().wait()

    async def _cut(self) -> None:
        self._writer.close()
        raise Cut

    async def _reset(self) -> None:
        reset(self._writer)
        raise Cut


def reset(writer: asyncio.StreamWriter) -> None:
    """Drops the connection with a RST instead of a FIN."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack(_LINGER, 1, 0))
    writer.transport.abort()


class Listener(Peer):
    """Answers each request head with the same bytes, through a fault. `asked` is set once there was a request.

    greeting: bytes sent at once, before any request. With neither greeting nor answer, a fault of 0 bytes strikes as
    soon as a connection is there.
    """

    def __init__(
        self,
        answer: bytes = b"",
        fault: Fault = HEALTHY,
        *,
        greeting: bytes = b"",
        tls: ssl.SSLContext | None = None,
        listen: tuple[str, int] = (LOOPBACK, 0),
    ) -> None:
        super().__init__(tls=tls, listen=listen)
        self._answer = answer
        self._fault = fault
        self._greeting = greeting
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        wire = Wire(writer, self._fault)
        if self._greeting or not self._answer:
            await wire.send(self._greeting)
        while True:
            self.requests.append(await reader.readuntil(b"\r\n\r\n"))
            self.asked.set()
            await wire.send(self._answer)


class Relay(Peer):
    """Stands between a client and a real server, and spoils the way to the client.

    With `tls` it ends the client's TLS and speaks plainly to the server.
    """

    def __init__(
        self,
        port: int,
        fault: Fault = HEALTHY,
        *,
        host: str = LOOPBACK,
        tls: ssl.SSLContext | None = None,
        listen: tuple[str, int] = (LOOPBACK, 0),
    ) -> None:
        super().__init__(tls=tls, listen=listen)
        self._target = (host, port)
        self.fault = fault

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        away_reader, away_writer = await asyncio.open_connection(*self._target)
        there = Wire(away_writer, HEALTHY)
        back = Wire(writer, self.fault)
        latency = self.fault.latency
        try:
            await both(pump(reader, there, latency), pump(away_reader, back, latency))
        finally:
            away_writer.transport.abort()


async def both(*directions: Coroutine[None, None, None]) -> None:
    """Runs the two directions of a connection; an error in one ends the other."""
    tasks = [asyncio.ensure_future(direction) for direction in directions]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def pump(reader: asyncio.StreamReader, wire: Wire, latency: float = 0.0) -> None:
    """Carries bytes until the end of the source, each piece `latency` seconds late, and then passes on the end."""
    loop = asyncio.get_running_loop()
    on_the_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, data = await on_the_way.get()
            if latency:
                await asyncio.sleep(due - loop.time())
            if not data:
                return
            await wire.send(data)

    async def depart() -> None:
        data = b"more"
        while data:
            data = await reader.read(_READ)
            on_the_way.put_nowait((loop.time() + latency, data))

    await both(depart(), arrive())
    wire.finish()


@contextlib.contextmanager
def refused_port() -> Iterator[int]:
    """A loopback port that refuses connections, and that nobody else can take meanwhile."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.bind((LOOPBACK, 0))
        yield sock.getsockname()[1]


@contextlib.asynccontextmanager
async def silent_port() -> AsyncIterator[int]:
    """A loopback port where connections are neither accepted nor refused, as behind a firewall that drops.

    Linux drops a SYN for a listener whose queue is full, so the queue is filled and never emptied. Systems that refuse
    instead cannot stage this without a packet filter.
    """
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
        server.bind((LOOPBACK, 0))
        server.listen(0)
        for _filler in range(4):  # a queue of "0" takes one or two; what is too many just waits
            sock = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        yield server.getsockname()[1]
