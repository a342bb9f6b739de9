"""An HTTP/2 server that accepts connections and fails every request on them (RFC 9113)."""

import asyncio
import ssl
import struct
from typing import Final

from goferry.lab.scenario import Http2Trouble
from goferry.lab.tcp import LOOPBACK, Relay

_PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_HEADERS, _RST_STREAM, _SETTINGS, _PING, _GOAWAY = 1, 3, 4, 6, 7
_ACK: Final = 1
_INTERNAL_ERROR: Final = 2


class Http2Front(Relay):
    """Fails those who choose h2 in the handshake, and relays everybody else to the plain server on `port`."""

    def __init__(
        self,
        port: int,
        trouble: Http2Trouble,
        *,
        tls: ssl.SSLContext,
        listen: tuple[str, int] = (LOOPBACK, 0),
    ) -> None:
        super().__init__(port, tls=tls, listen=listen)
        self._trouble = trouble

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        chosen = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        if chosen != "h2":
            await super().serve(reader, writer)
            return
        await reader.readexactly(len(_PREFACE))
        writer.write(_frame(_SETTINGS, 0, 0))
        while True:
            await self._one_frame(reader, writer)
            await writer.drain()

    async def _one_frame(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readexactly(9)
        length, kind, flags = int.from_bytes(head[:3], "big"), head[3], head[4]
        stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
        body = await reader.readexactly(length)
        if kind == _SETTINGS and not flags & _ACK:
            writer.write(_frame(_SETTINGS, _ACK, 0))
        elif kind == _PING and not flags & _ACK:
            writer.write(_frame(_PING, _ACK, 0, body))
        elif kind == _HEADERS and self._trouble is Http2Trouble.RESET_STREAM:
            writer.write(_frame(_RST_STREAM, 0, stream, struct.pack(">I", _INTERNAL_ERROR)))
        elif kind == _HEADERS:
            writer.write(_frame(_GOAWAY, 0, 0, struct.pack(">II", stream, _INTERNAL_ERROR)))
            writer.close()


def _frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return len(body).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + body
