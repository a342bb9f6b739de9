"""The way out with small packets: what a program sends through it arrives, in segments of the wanted size."""

import asyncio
import socket
from pathlib import Path

import pytest

from doctor.probes.probeworld import world
from goferry.doctor.probes.segments import small_segments
from goferry.doctor.probes.streams import CAN_LIMIT_PACKETS
from goferry.lab.tcp import Peer

pytestmark = pytest.mark.skipif(not CAN_LIMIT_PACKETS, reason="this system cannot set the size of segments")


class Measuring(Peer):
    """Says the size of segments that its client offered."""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        size = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        writer.write(f"{size} ".encode() + await reader.readline())
        await writer.drain()


async def test_connections_are_made_in_small_segments_and_no_variable_leads_around(tmp_path: Path) -> None:
    async with Measuring() as peer, small_segments(world(tmp_path), 600) as variables:
        url = variables["HTTPS_PROXY"]
        assert url is not None
        assert variables["NO_PROXY"] is None
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"CONNECT 127.0.0.1:{peer.port} HTTP/1.1\r\n\r\nhello\n".encode())
        said = await reader.read()
        writer.close()
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    size, _, line = body.partition(b" ")
    assert line == b"hello\n"
    assert 500 < int(size) <= 600
