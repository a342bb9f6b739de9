"""The lab's forward proxy, spoken to byte by byte."""

import asyncio
from typing import Any

import pytest

from goferry.lab.forward import Conduct, ForwardProxy
from goferry.lab.tcp import Fault, Listener, Peer, refused_port
from goferry.lab.tls import Authority

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
# base64 of user:secret
CREDENTIALS = b"Proxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"


async def talk(peer: Peer, *said: bytes, tls: Any = None) -> bytes:
    """All that comes back, until the proxy ends it."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", peer.port, ssl=tls, server_hostname="localhost" if tls else None
    )
    try:
        for data in said:
            writer.write(data)
        return await reader.read(-1)
    finally:
        writer.close()


def connect(target: str, *fields: bytes) -> bytes:
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n".encode() + b"".join(fields) + b"\r\n"


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "tls"])
async def test_a_tunnel_carries_bytes_both_ways(secure: bool) -> None:
    authority = Authority()
    context = authority.server_context() if secure else None
    async with (
        Listener(HELLO, Fault(cut_after=len(HELLO))) as server,
        ForwardProxy(routes={"module.example:443": ("127.0.0.1", server.port)}, tls=context) as proxy,
    ):
        told = await talk(
            proxy,
            connect("module.example:443"),
            b"GET / HTTP/1.1\r\n\r\n",
            tls=authority.client_context() if secure else None,
        )
    assert told == b"HTTP/1.1 200 Connection established\r\n\r\n" + HELLO
    assert [(r.method, r.target) for r in proxy.requests] == [("CONNECT", "module.example:443")]


async def test_a_plain_request_reaches_the_server_in_its_own_form() -> None:
    async with Listener(HELLO, Fault(cut_after=len(HELLO))) as server, ForwardProxy() as proxy:
        url = f"http://127.0.0.1:{server.port}/a/b?c=d"
        said = f"GET {url} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: */*\r\n".encode() + CREDENTIALS + b"\r\n"
        assert await talk(proxy, said) == HELLO
    assert server.requests == [
        b"GET /a/b?c=d HTTP/1.1\r\nhost: 127.0.0.1\r\naccept: */*\r\nconnection: close\r\n\r\n"
    ]
    assert proxy.requests[0].target == url


@pytest.mark.parametrize(
    ("options", "said", "status"),
    [
        ({"auth": ("user", "secret")}, connect("a.example:443"), b"407 Proxy Authentication Required"),
        (
            {"auth": ("user", "other")},
            connect("a.example:443", CREDENTIALS),
            b"407 Proxy Authentication Required",
        ),
        ({"deny": ["a.example:443"]}, connect("a.example:443"), b"403 Forbidden"),
        ({"deny": ["a.example:80"]}, b"GET http://a.example/ HTTP/1.1\r\n\r\n", b"403 Forbidden"),
    ],
)
async def test_who_may_not_pass_is_told_so(options: dict[str, Any], said: bytes, status: bytes) -> None:
    async with ForwardProxy(**options) as proxy:
        told = await talk(proxy, said)
    assert told.startswith(b"HTTP/1.1 " + status + b"\r\n")
    assert (b"Proxy-Authenticate: Basic" in told) is (b"407" in status)


@pytest.mark.parametrize(
    "said", [b"hello\r\n\r\n", connect("a.example"), connect("a.example:x"), b"GET /x HTTP/1.1\r\n\r\n"]
)
async def test_what_names_no_target_is_a_bad_request(said: bytes) -> None:
    async with ForwardProxy() as proxy:
        assert (await talk(proxy, said)).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert proxy.requests == []


async def test_an_unreachable_target_is_a_bad_gateway() -> None:
    with refused_port() as port:
        async with ForwardProxy(auth=("user", "secret")) as proxy:
            told = await talk(proxy, connect(f"127.0.0.1:{port}", CREDENTIALS))
    assert told.startswith(b"HTTP/1.1 502 ")


@pytest.mark.parametrize(
    ("conduct", "want"),
    [(Conduct.HANGS_UP, b""), (Conduct.TALKS_NONSENSE, b"220 mail.example.com ESMTP\r\n\r\n")],
)
async def test_a_broken_proxy_breaks_in_its_way(conduct: Conduct, want: bytes) -> None:
    async with ForwardProxy(conduct=conduct) as proxy:
        assert await talk(proxy, connect("a.example:443")) == want


async def test_a_silent_proxy_takes_the_request_and_says_nothing() -> None:
    async with ForwardProxy(conduct=Conduct.SILENT) as proxy:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(talk(proxy, connect("a.example:443")), 0.05)
    assert len(proxy.requests) == 1


async def test_one_refusal_for_all_is_what_it_is_told_to_be() -> None:
    async with ForwardProxy(conduct=Conduct.REFUSES, refusal="504 Gateway Timeout") as proxy:
        assert (await talk(proxy, connect("module.example:443"))).startswith(
            b"HTTP/1.1 504 Gateway Timeout\r\n"
        )


async def test_the_login_that_is_wanted_is_named() -> None:
    async with ForwardProxy(auth=("user", "secret"), challenge="NTLM") as proxy:
        assert b"\r\nProxy-Authenticate: NTLM\r\n" in await talk(proxy, connect("module.example:443"))


async def test_a_host_that_it_does_not_know_is_a_bad_gateway() -> None:
    async with ForwardProxy(find=lambda host, port: None) as proxy:
        assert (await talk(proxy, connect("module.example:443"))).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")


async def test_a_client_hello_is_no_request() -> None:
    async with ForwardProxy() as proxy:
        assert (await talk(proxy, b"\x16\x03\x01\x02\x00\x01")).startswith(b"HTTP/1.1 400 Bad Request\r\n")
