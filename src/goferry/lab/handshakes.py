"""A TLS server that says why it refuses a handshake.

asyncio's servers drop a connection whose handshake fails before the alert has left (asyncio/sslproto.py aborts the
transport), so a client sees an end without a reason. Real servers send the alert; so this one carries the bytes itself.
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import TypeVar

from goferry.lab.tcp import LOOPBACK, Cut, Peer

_READ = 64 * 1024
T = TypeVar("T")


class Refuser(Peer):
    """Makes the handshake with this context, sends the alert if there is one, and answers requests after a good one.

    answer: the bytes for every request head; `refused` counts the handshakes that failed.
    """

    def __init__(
        self, context: ssl.SSLContext, answer: bytes = b"", *, listen: tuple[str, int] = (LOOPBACK, 0)
    ) -> None:
        super().__init__(listen=listen)
        self._context = context
        self._answer = answer
        self.refused = 0

    @property
    def url(self) -> str:
        """Its root as a URL, by IP address."""
        return super().url.replace("http:", "https:", 1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = _Session(self._context, reader, writer)
        try:
            await session.run(session.tls.do_handshake)
        except ssl.SSLError:
            self.refused += 1
            return
        seen = b""
        while True:
            seen += await session.run(lambda: session.tls.read(_READ))
            while b"\r\n\r\n" in seen:
                seen = seen.partition(b"\r\n\r\n")[2]
                await session.run(lambda: session.tls.write(self._answer))


class _Session:
    """TLS over a plain stream. Whatever it wants to say is sent, also when it fails."""

    def __init__(
        self, context: ssl.SSLContext, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._reader, self._writer = reader, writer
        self.tls = context.wrap_bio(self._in, self._out, server_side=True)

    async def run(self, act: Callable[[], T]) -> T:
        """Does it, reading as long as it wants more. Raises Cut when the client is gone."""
        while True:
            try:
                return act()
            except ssl.SSLWantReadError:
                pass
            finally:
                self._writer.write(self._out.read())
            await self._writer.drain()
            data = await self._reader.read(_READ)
            if not data:
                raise Cut
            self._in.write(data)
