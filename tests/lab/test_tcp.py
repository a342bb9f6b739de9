"""The lab's TCP peers, seen from a plain socket."""

import asyncio
import socket
import sys

import pytest

from goferry.lab.tcp import (
    CUT,
    HEALTHY,
    RESET,
    STALL,
    Fault,
    Listener,
    Peer,
    Relay,
    refused_port,
    silent_port,
)

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
BODY = bytes(range(256)) * 400


async def talk(peer: Peer, request: bytes = REQUEST) -> bytes:
    """All that the peer sends to one request, until it ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
    try:
        writer.write(request)
        return await reader.read(-1)
    finally:
        writer.close()


async def receive(peer: Peer, count: int) -> tuple[bytes, asyncio.StreamReader, asyncio.StreamWriter]:
    """So many bytes, with the connection still open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", peer.port)
    writer.write(REQUEST)
    return await reader.readexactly(count), reader, writer


@pytest.mark.parametrize("count", [1, 1000, len(BODY)])
async def test_a_cut_lets_exactly_so_many_bytes_pass(count: int) -> None:
    async with Listener(BODY, Fault(cut_after=count)) as listener:
        assert await talk(listener) == BODY[:count]


async def test_a_cut_counts_over_several_answers() -> None:
    async with Listener(b"12345", Fault(cut_after=12)) as listener:
        assert await talk(listener, REQUEST * 3) == b"123451234512"
    assert listener.requests == [REQUEST] * 3


@pytest.mark.parametrize("count", [0, 5])
async def test_a_reset_is_a_reset_and_no_end(count: int) -> None:
    async with Listener(BODY, Fault(reset_after=count)) as listener:
        _, reader, writer = await receive(listener, count)
        with pytest.raises(ConnectionResetError):
            await reader.read(1)
        writer.close()


@pytest.mark.parametrize("fault", [RESET, CUT])
async def test_without_an_answer_the_fault_strikes_before_any_request(fault: Fault) -> None:
    async with Listener(fault=fault) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        if fault is CUT:
            assert await reader.read() == b""
        else:
            with pytest.raises(ConnectionResetError):
                await reader.read()
        writer.close()
    assert listener.requests == []


async def test_a_stall_sends_its_bytes_and_then_nothing() -> None:
    async with Listener(BODY, Fault(stall_after=7)) as listener:
        start, reader, writer = await receive(listener, 7)
        assert start == BODY[:7]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.05)
        assert not reader.at_eof()
        writer.close()


async def test_a_throttled_answer_arrives_whole() -> None:
    async with Listener(BODY, Fault(rate=1e6, cut_after=len(BODY))) as listener:
        assert await talk(listener) == BODY


async def test_a_greeting_comes_before_any_request() -> None:
    async with Listener(greeting=b"SSH-2.0-lab\r\n") as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        assert await reader.readline() == b"SSH-2.0-lab\r\n"
        writer.close()


async def test_a_relay_carries_both_ways_and_spoils_only_the_way_back() -> None:
    async with Listener(BODY, Fault(cut_after=len(BODY))) as server:
        async with Relay(server.port) as relay:
            assert await talk(relay) == BODY
        async with Relay(server.port, Fault(cut_after=100, latency=0.01)) as relay:
            assert await talk(relay) == BODY[:100]
    assert server.requests == [REQUEST, REQUEST]


async def test_a_relay_to_nobody_just_closes() -> None:
    with refused_port() as port:
        async with Relay(port) as relay:
            assert await talk(relay) == b""


async def test_a_refused_port_refuses_and_stays_taken() -> None:
    with refused_port() as port, socket.socket() as sock:
        with pytest.raises(ConnectionRefusedError):
            sock.connect(("127.0.0.1", port))
        with socket.socket() as other, pytest.raises(OSError, match="in use"):
            other.bind(("127.0.0.1", port))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux drops connections to a full queue")
async def test_a_silent_port_neither_accepts_nor_refuses() -> None:
    async with silent_port() as port:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 0.1)


@pytest.mark.parametrize("fault", [HEALTHY, STALL])
async def test_leaving_ends_connections_that_are_still_open(fault: Fault) -> None:
    before = asyncio.all_tasks()
    async with Listener(BODY, fault) as listener:
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.port)
        writer.write(REQUEST)
        await listener.asked.wait()
    while await reader.read(1 << 16):
        pass
    writer.close()
    assert asyncio.all_tasks() == before
