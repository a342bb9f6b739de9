"""Dialling below HTTP: both families, and what is asked of a proxy."""

import asyncio
import socket
from typing import Any

import pytest

from goferry.lab.forward import ForwardProxy
from goferry.lab.tcp import Listener, refused_port
from goferry.lab.tls import Authority
from goferry.net import Failure, NetError, Step, Timeouts, Trace
from goferry.net.dial import Dialer, Endpoint
from goferry.net.httpproxy import ProxyUrl
from goferry.net.resolver import Names, SystemResolver

LIMITS = Timeouts(resolve=20, connect=20, tls=20, first_byte=20)


def dialer(authority: Authority, *addresses: str, delay: float = 0.25) -> Dialer:
    names = Names(SystemResolver(), {"module.example": addresses})
    return Dialer(names, authority.client_context, happy_eyeballs_delay=delay)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


async def test_a_dead_address_does_not_hide_a_living_one(authority: Authority) -> None:
    trace = Trace()
    async with Listener(b"x") as server:
        transport, _ = await dialer(authority, "224.0.0.1", "::ffff:0:1", "127.0.0.1").dial(
            asyncio.Protocol, Endpoint("module.example", server.port, False), LIMITS, trace
        )
        transport.close()
    assert trace.events[-1].detail["address"] == "127.0.0.1"


@pytest.mark.skipif(not has_ipv6(), reason="no IPv6 loopback")
async def test_a_second_family_is_tried_while_the_first_hangs(authority: Authority) -> None:
    """Nobody listens at ::1; the v4 address behind it answers."""
    trace = Trace()
    async with Listener(b"x") as server:
        transport, _ = await dialer(authority, "::1", "127.0.0.1").dial(
            asyncio.Protocol, Endpoint("module.example", server.port, False), LIMITS, trace
        )
        transport.close()
    connected = [event.detail for event in trace.events if event.step is Step.CONNECT][-1]
    assert connected["addresses"] == ("::1", "127.0.0.1")
    assert connected["address"] == "127.0.0.1"


async def test_when_addresses_fail_in_several_ways_the_most_telling_counts(authority: Authority) -> None:
    with refused_port() as port, pytest.raises(NetError) as caught:
        await dialer(authority, "224.0.0.1", "127.0.0.1", delay=0.01).dial(
            asyncio.Protocol, Endpoint("module.example", port, False), LIMITS, Trace()
        )
    assert caught.value.kind is Failure.CONNECT_REFUSED


@pytest.mark.parametrize(
    ("target", "want"),
    [
        (Endpoint("module.example", 443, True), "module.example:443"),
        (Endpoint("2001:db8::1", 8443, True), "[2001:db8::1]:8443"),
    ],
)
async def test_a_tunnel_is_asked_for_by_authority(authority: Authority, target: Endpoint, want: str) -> None:
    async with ForwardProxy(deny=[want]) as proxy:
        via = ProxyUrl("http", "127.0.0.1", str(proxy.port), "user", None)
        with pytest.raises(NetError) as caught:
            await dialer(authority).dial(asyncio.Protocol, target, LIMITS, Trace(), via)
    assert caught.value.kind is Failure.PROXY_DENIED
    assert caught.value.detail == "403 Forbidden"
    (request,) = proxy.requests
    assert (request.method, request.target, request.headers["host"]) == ("CONNECT", want, want)
    assert request.headers["proxy-authorization"] == "Basic dXNlcjo="


@pytest.mark.parametrize(
    ("via", "kind"),
    [
        (ProxyUrl("socks5", "127.0.0.1", "1080"), Failure.PROXY_UNSUPPORTED),
        (ProxyUrl("socks5h", "127.0.0.1", "1080"), Failure.PROXY_UNSUPPORTED),
        (ProxyUrl("foo", "127.0.0.1"), Failure.PROXY_UNSUPPORTED),
        (ProxyUrl("http", ""), Failure.PROXY_UNREACHABLE),
        (ProxyUrl("http", "127.0.0.1", "0"), Failure.PROXY_UNREACHABLE),
        (ProxyUrl("http", "127.0.0.1", "70000"), Failure.PROXY_UNREACHABLE),
    ],
)
async def test_a_proxy_that_cannot_be_is_refused_without_dialling(
    authority: Authority, via: ProxyUrl, kind: Any
) -> None:
    trace = Trace()
    with pytest.raises(NetError) as caught:
        await dialer(authority).dial(
            asyncio.Protocol, Endpoint("module.example", 443, True), LIMITS, trace, via
        )
    assert caught.value.kind is kind
    assert trace.events == []


async def test_a_proxy_that_cannot_be_reached_keeps_the_reason_as_cause(authority: Authority) -> None:
    target = Endpoint("module.example", 443, True)
    with refused_port() as port, pytest.raises(NetError) as caught:
        await dialer(authority).dial(
            asyncio.Protocol, target, LIMITS, Trace(), ProxyUrl("http", "127.0.0.1", str(port))
        )
    cause = caught.value.__cause__
    assert isinstance(cause, NetError)
    assert (caught.value.kind, cause.kind) == (Failure.PROXY_UNREACHABLE, Failure.CONNECT_REFUSED)
    assert caught.value.host == "module.example:443"
    assert cause.host == f"127.0.0.1:{port}"
