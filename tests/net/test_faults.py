"""Every name in the closed list of failures, produced by a real fault on a real socket."""

import asyncio
import pickle
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest

from goferry import i18n
from goferry.errors import UpstreamError, UpstreamTimeout
from goferry.lab.dns import Behaviour, DnsServer
from goferry.lab.forward import Conduct, ForwardProxy
from goferry.lab.tcp import CUT, RESET, STALL, Fault, Listener, refused_port, silent_port
from goferry.lab.tls import Authority, Leaf
from goferry.net import Failure, NetError, NetTimeout, State, Trace, classify
from goferry.net.failure import failed
from net.clients import client_for

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
HEAD = HELLO[: -len(b"hello")]
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nagain\r\n0\r\n\r\n"
UNFRAMED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello"
SECURE = "https://module.example"


def moved(location: str) -> bytes:
    return f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode()


@dataclass
class World:
    """Where a fault is set up: `enter` starts a peer until the end of the test."""

    stack: AsyncExitStack
    authority: Authority

    async def enter(self, peer: Any) -> Any:
        if hasattr(peer, "__aenter__"):
            return await self.stack.enter_async_context(peer)
        return self.stack.enter_context(peer)


# What to ask, and with which settings of the client; a call builds it in the world.
Asked = tuple[str, dict[str, Any]]
Fault_ = Callable[[World], Awaitable[Asked]]


def names(behaviour: Behaviour) -> Fault_:
    async def build(world: World) -> Asked:
        server = await world.enter(DnsServer({"module.example": ["127.0.0.1"]}, behaviour))
        options = {"nameservers": [server.address], "nameserver_timeout": 0.1, "nameserver_tries": 1}
        return "http://module.example/", options

    return build


def answers(data: bytes, fault: Fault = Fault(), **options: Any) -> Fault_:  # noqa: B008  frozen
    async def build(world: World) -> Asked:
        server = await world.enter(Listener(data, fault))
        return server.url + "/x", options

    return build


def secure(leaf: Leaf = Leaf.GOOD, *, known: bool = True, data: bytes = HELLO) -> Fault_:
    async def build(world: World) -> Asked:
        authority = world.authority if known else Authority("somebody else")
        server = await world.enter(Listener(data, tls=authority.server_context(["module.example"], leaf)))
        return f"{SECURE}:{server.port}/", {"hosts": ["module.example=127.0.0.1"]}

    return build


def through(scheme: str = "http", *, denied: bool = False, **proxy_options: Any) -> Fault_:
    async def build(world: World) -> Asked:
        deny = ["module.example:443"] if denied else []
        proxy = await world.enter(ForwardProxy(deny=deny, **proxy_options))
        return SECURE, {"environ": {"HTTPS_PROXY": f"{scheme}://127.0.0.1:{proxy.port}"}, "first_byte": 0.2}

    return build


async def refused(world: World) -> Asked:
    return f"http://127.0.0.1:{await world.enter(refused_port())}/", {}


async def silent(world: World) -> Asked:
    return f"http://127.0.0.1:{await world.enter(silent_port())}/", {"connect": 0.1}


async def unreachable(world: World) -> Asked:
    return "http://module.example/", {"hosts": ["module.example=224.0.0.1"]}  # no TCP to a multicast group


async def stalled_handshake(world: World) -> Asked:
    server = await world.enter(Listener(fault=STALL))
    return f"https://127.0.0.1:{server.port}/", {"tls": 0.1}


async def silent_as_a_whole(world: World) -> Asked:
    return f"http://127.0.0.1:{await world.enter(silent_port())}/", {"whole": 0.1}


async def stalled_handshake_as_a_whole(world: World) -> Asked:
    server = await world.enter(Listener(fault=STALL))
    return f"https://127.0.0.1:{server.port}/", {"whole": 0.1}


async def plain_behind_https(world: World) -> Asked:
    server = await world.enter(Listener(greeting=b"SSH-2.0-lab\r\n"))
    return f"https://127.0.0.1:{server.port}/", {}


async def refusing_proxy(world: World) -> Asked:
    return SECURE, {"environ": {"HTTPS_PROXY": f"127.0.0.1:{await world.enter(refused_port())}"}}


async def cut_off_proxy(world: World) -> Asked:
    gone = await world.enter(refused_port())
    return await through(routes={"module.example:443": ("127.0.0.1", gone)})(world)


async def circle(world: World) -> Asked:
    server = await world.enter(Listener(moved("/again")))
    return server.url, {}


async def password_in_clear(world: World) -> Asked:
    server = await world.enter(Listener(HELLO))
    return server.url.replace("//", "//user:secret@"), {}


FAULTS: dict[Failure, Fault_] = {
    Failure.DNS_NOT_FOUND: names(Behaviour.NXDOMAIN),
    Failure.DNS_TIMEOUT: names(Behaviour.SILENCE),
    Failure.DNS_REFUSED: names(Behaviour.REFUSED),
    Failure.DNS_SERVER_FAILURE: names(Behaviour.SERVFAIL),
    Failure.DNS_BAD_ANSWER: names(Behaviour.GARBAGE),
    Failure.CONNECT_REFUSED: refused,
    Failure.CONNECT_TIMEOUT: silent,
    Failure.CONNECT_RESET: answers(HELLO, RESET),
    Failure.NETWORK_UNREACHABLE: unreachable,
    Failure.TLS_TIMEOUT: stalled_handshake,
    Failure.TLS_UNKNOWN_AUTHORITY: secure(known=False),
    Failure.TLS_EXPIRED: secure(Leaf.EXPIRED),
    Failure.TLS_WRONG_HOST: secure(Leaf.WRONG_HOST),
    Failure.TLS_HANDSHAKE: plain_behind_https,
    Failure.PROXY_UNREACHABLE: refusing_proxy,
    Failure.PROXY_TIMEOUT: through(conduct=Conduct.SILENT),
    Failure.PROXY_AUTH_REQUIRED: through(auth=("user", "secret")),
    Failure.PROXY_DENIED: through(denied=True),
    Failure.PROXY_BAD_GATEWAY: cut_off_proxy,
    Failure.PROXY_BAD_ANSWER: through(conduct=Conduct.TALKS_NONSENSE),
    Failure.PROXY_UNSUPPORTED: through("socks5"),
    Failure.FIRST_BYTE_TIMEOUT: answers(HELLO, STALL, first_byte=0.1),
    Failure.NO_ANSWER: answers(HELLO, CUT),
    Failure.IDLE_TIMEOUT: answers(HELLO, Fault(stall_after=len(HELLO) - 2), idle=0.1),
    Failure.WHOLE_TIMEOUT: answers(HELLO, Fault(stall_after=len(HELLO) - 2), whole=0.1),
    Failure.BODY_TRUNCATED: answers(HELLO, Fault(cut_after=len(HELLO) - 2)),
    Failure.BODY_TOO_LARGE: answers(HELLO.replace(b"5", b"5000")),
    Failure.TOO_MANY_REDIRECTS: circle,
    Failure.INSECURE_REDIRECT: secure(data=moved("http://module.example/x")),
    Failure.BAD_REDIRECT: answers(moved("ftp://module.example/x")),
    Failure.INSECURE_CREDENTIALS: password_in_clear,
    Failure.HTTP_PROTOCOL: answers(b"220 mail.example.com ESMTP\r\n\r\n"),
}

# More ways to a name that has a row above.
FURTHER: list[tuple[Failure, Fault_]] = [
    (Failure.DNS_TIMEOUT, names(Behaviour.WRONG_ID)),
    (Failure.TLS_EXPIRED, secure(Leaf.NOT_YET_VALID)),
    (Failure.PROXY_BAD_ANSWER, through(conduct=Conduct.HANGS_UP)),
    (Failure.BODY_TRUNCATED, answers(HELLO, Fault(reset_after=len(HELLO) - 2))),
    (Failure.BODY_TRUNCATED, answers(CHUNKED, Fault(cut_after=len(CHUNKED) - 5))),
    (Failure.BODY_TRUNCATED, answers(CHUNKED, Fault(cut_after=len(CHUNKED) - 8))),
    (Failure.BODY_TRUNCATED, answers(UNFRAMED, Fault(reset_after=len(UNFRAMED) - 2))),
    (Failure.WHOLE_TIMEOUT, answers(HELLO, STALL, whole=0.1)),
    (Failure.WHOLE_TIMEOUT, answers(HEAD.replace(b"5", b"999") + b"x" * 999, Fault(rate=500), whole=0.3)),
    (Failure.WHOLE_TIMEOUT, silent_as_a_whole),
    (Failure.WHOLE_TIMEOUT, stalled_handshake_as_a_whole),
    (Failure.FIRST_BYTE_TIMEOUT, answers(HELLO, Fault(rate=50), first_byte=0.1)),
    (Failure.HTTP_PROTOCOL, answers(HELLO.replace(b"\r\n\r\n", b"\r\nContent-Encoding: gzip\r\n\r\n"))),
    (Failure.BAD_REDIRECT, answers(moved("http://bad host/"))),
    (Failure.BAD_REDIRECT, answers(moved("http://host:port/"))),
]


async def provoke(fault: Fault_, authority: Authority, trace: Trace) -> NetError:
    """The error that a whole small read meets in a world with this fault."""
    async with AsyncExitStack() as stack:
        url, options = await fault(World(stack, authority))
        client = client_for(authority, **options)
        stack.push_async_callback(client.close)
        with pytest.raises(NetError) as caught:
            async with client.get(url, trace=trace) as response:
                await response.read(1000)
    return caught.value


def loop_of(name: str) -> Callable[[], asyncio.AbstractEventLoop]:
    """The names must not depend on the loop, although each loop has its own exceptions for the same fault."""
    if name == "asyncio":
        return asyncio.new_event_loop
    factory: Callable[[], asyncio.AbstractEventLoop] = pytest.importorskip("uvloop").new_event_loop
    return factory


CASES = [*FAULTS.items(), *FURTHER]


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
@pytest.mark.parametrize(("kind", "fault"), CASES, ids=[f"{kind}-{at}" for at, (kind, _) in enumerate(CASES)])
def test_each_fault_gets_its_name(kind: Failure, fault: Fault_, loop: str, authority: Authority) -> None:
    if fault in (silent, silent_as_a_whole) and sys.platform != "linux":
        pytest.skip("only Linux drops connections to a full queue")
    trace = Trace()
    with asyncio.Runner(loop_factory=loop_of(loop)) as runner:
        error = runner.run(provoke(fault, authority, trace))
    assert (error.kind, classify(error)) == (kind, kind)
    assert isinstance(error, UpstreamTimeout) is kind.is_timeout
    assert error.status == (504 if kind.is_timeout else 502)
    assert "{" not in str(error)
    assert "secret" not in str(error) + error.url
    cause = error.__cause__
    whole_cuts_from_outside = [Failure.CANCELLED] if kind is Failure.WHOLE_TIMEOUT else []
    reason = [cause.kind] if isinstance(cause, NetError) else []
    assert trace.failures()[-1:] in ([], [kind], reason, whole_cuts_from_outside)


def test_no_name_is_without_a_fault() -> None:
    """CANCELLED and UNKNOWN have tests of their own below."""
    assert set(FAULTS) == set(Failure) - {Failure.CANCELLED, Failure.UNKNOWN}


async def test_a_cancelled_request_is_cancelled_and_not_an_error(make_client: Any) -> None:
    trace = Trace()
    async with Listener(HELLO, STALL) as server:
        client = make_client()

        async def ask() -> None:
            async with client.get(server.url, trace=trace):
                raise AssertionError("it never answers")

        task = asyncio.ensure_future(ask())
        await server.asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert trace.failures() == [Failure.CANCELLED]
    assert trace.events[-1].state is State.FAILED


def test_what_nobody_foresaw_is_unknown() -> None:
    class Strange(Exception):
        pass

    assert classify(Strange()) is Failure.UNKNOWN
    assert classify(OSError("odd")) is Failure.UNKNOWN


@pytest.mark.parametrize("kind", Failure)
def test_errors_survive_pickling_and_speak(kind: Failure) -> None:
    error = failed(kind, host="module.example", url="https://module.example/x", detail="what it said")
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.kind, copy.host, copy.url, str(copy)) == (
        type(error),
        kind,
        error.host,
        error.url,
        str(error),
    )
    assert isinstance(copy, NetTimeout if kind.is_timeout else UpstreamError)
    assert str(error).startswith("module.example: ")
    i18n.activate("zh_CN")
    assert str(error).startswith("module.example")
