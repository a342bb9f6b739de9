"""The device on the path strikes what it is told to and nothing else."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from goferry.lab.middlebox import Filter, Middlebox, Strike, server_name
from goferry.lab.tcp import Listener
from goferry.lab.tls import Authority

NAME = "module.example"
AUTHORITY = Authority()
ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


async def ask(port: int, name: str = NAME) -> bytes:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=AUTHORITY.client_context(), server_hostname=name
    )
    try:
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        return await reader.readuntil(b"\r\n\r\n")
    finally:
        writer.transport.abort()


@pytest.mark.parametrize(
    ("unwanted", "passing", "stopped"),
    [
        pytest.param(Filter(), ["a.example", NAME], [], id="none"),
        pytest.param(Filter(names=(NAME,)), ["a.example"], [NAME], id="a name"),
        pytest.param(Filter(names=("example",), strike=Strike.CLOSE), [], ["a.example", NAME], id="a domain"),
        pytest.param(Filter(largest_hello=100), [], [NAME], id="a size"),
        pytest.param(Filter(largest_hello=2000), [NAME], [], id="a size that nothing reaches"),
    ],
)
async def test_a_device_lets_through_what_it_has_nothing_against(
    unwanted: Filter, passing: list[str], stopped: list[str]
) -> None:
    async with AsyncExitStack() as stack:
        context = AUTHORITY.server_context([NAME, "a.example"])
        peer = await stack.enter_async_context(Listener(ANSWER, tls=context))
        device = await stack.enter_async_context(Middlebox(peer.port, unwanted))
        for name in passing:
            assert await ask(device.port, name) == ANSWER
        for name in stopped:
            with pytest.raises(OSError):
                await ask(device.port, name)
    assert [server_name(hello) for hello in device.hellos] == passing + stopped
    assert peer.connections == len(passing)


@pytest.mark.parametrize("data", [b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x01\x01", bytes(200)])
def test_what_is_no_client_hello_names_nobody(data: bytes) -> None:
    assert server_name(data) == ""
