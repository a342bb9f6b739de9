import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, has_no_secret, world
from goferry.doctor.base import World
from goferry.doctor.evidence import GitSetting, Raw, Role, SettingsSeen, Target, TunnelSeen
from goferry.doctor.probes.forward import probe_tunnels
from goferry.doctor.settings.proxies import read_proxies
from goferry.lab.forward import Conduct, ForwardProxy
from goferry.lab.tcp import STALL, Listener, Peer, refused_port
from goferry.lab.tls import Authority, Leaf
from goferry.net import Failure

MIRROR = Target("proxy.example.org", 443, "https", Role.GOPROXY)
SUMDB = Target("sum.example.org", 443, "https", Role.SUMDB)
CODE = Target("git.example.org", 443, "https", Role.CODE_HOST)
PLAIN = Target("plain.example.org", 80, "http", Role.GOPROXY)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@asynccontextmanager
async def origin() -> AsyncIterator[dict[str, tuple[str, int]]]:
    """Where the made-up hosts really are: one loopback server."""
    async with Listener(b"HTTP/1.1 200 OK\r\nServer: origin\r\nContent-Length: 2\r\n\r\nok") as server:
        place = ("127.0.0.1", server.port)
        yield {
            "proxy.example.org:443": place,
            "sum.example.org:443": place,
            "plain.example.org:80": place,
            "git.example.org:443": place,
        }


IMPATIENT = {"first_byte": 0.5}
NO_TLS = {"handshake": 0.5}
"""For servers that do not notice that they are spoken to in TLS."""


async def probe(
    home: Path, *targets: Target, limits: Mapping[str, float] | None = None, **environ: str
) -> tuple[TunnelSeen, ...]:
    here = world(home, limits, **environ)
    return await probe_tunnels(here, settings_of(here), targets)


def settings_of(here: World, git: tuple[GitSetting, ...] = ()) -> SettingsSeen:
    return SettingsSeen(proxies=read_proxies(here.environ), git=git)


def one(seen: tuple[TunnelSeen, ...]) -> TunnelSeen:
    (tunnel,) = seen
    return tunnel


async def test_a_good_proxy_opens_a_tunnel_to_each_target_that_is_sent_through_it(tmp_path: Path) -> None:
    async with origin() as routes, ForwardProxy(routes=routes) as proxy:
        seen = await probe(tmp_path, MIRROR, SUMDB, HTTPS_PROXY=proxy.url)
    assert [(each.target, each.step, each.status, each.failure) for each in seen] == [
        ("proxy.example.org:443", "connect", 200, ""),
        ("sum.example.org:443", "connect", 200, ""),
    ]
    assert {each.proxy for each in seen} == {proxy.url}


async def test_without_a_proxy_nobody_is_asked(tmp_path: Path) -> None:
    assert await probe(tmp_path, MIRROR) == ()
    assert await probe(tmp_path, MIRROR, HTTP_PROXY="http://127.0.0.1:1") == ()


async def test_a_plain_target_is_asked_of_the_proxy_itself(tmp_path: Path) -> None:
    async with origin() as routes, ForwardProxy(routes=routes) as proxy:
        tunnel = one(await probe(tmp_path, PLAIN, HTTP_PROXY=proxy.url))
    assert (tunnel.step, tunnel.status, tunnel.server, tunnel.body) == ("request", 200, "origin", "ok")
    assert proxy.requests[0].target == "http://plain.example.org:80/"


async def test_a_host_that_no_proxy_keeps_away_is_tried_through_the_proxy_too(tmp_path: Path) -> None:
    async with origin() as routes, ForwardProxy(routes=routes) as proxy:
        seen = await probe(tmp_path, MIRROR, SUMDB, HTTPS_PROXY=proxy.url, NO_PROXY="proxy.example.org")
        alone = await probe(tmp_path, MIRROR, HTTPS_PROXY=proxy.url, NO_PROXY="proxy.example.org")
    assert {each.target for each in seen} == {"proxy.example.org:443", "sum.example.org:443"}
    assert one(alone).status == 200


async def test_loopback_is_never_sent_through_a_proxy(tmp_path: Path) -> None:
    async with ForwardProxy() as proxy:
        local = Target("127.0.0.1", 443, "https", Role.GOPROXY)
        assert await probe(tmp_path, local, HTTPS_PROXY=proxy.url, NO_PROXY="example.org") == ()


REFUSALS = [
    ({"conduct": Conduct.REFUSES, "refusal": "503 Service Unavailable"}, 503, Failure.PROXY_BAD_GATEWAY),
    ({"conduct": Conduct.REFUSES, "refusal": "403 Forbidden"}, 403, Failure.PROXY_DENIED),
    ({"deny": ["proxy.example.org:443"]}, 403, Failure.PROXY_DENIED),
    ({"auth": ("me", "x")}, 407, Failure.PROXY_AUTH_REQUIRED),
    ({"routes": {"proxy.example.org:443": ("127.0.0.1", 1)}}, 502, Failure.PROXY_BAD_GATEWAY),
    ({"conduct": Conduct.HANGS_UP}, 0, Raw.CLOSED),
    ({"conduct": Conduct.TALKS_NONSENSE}, 0, Raw.GARBAGE),
]


@pytest.mark.parametrize(("conduct", "status", "failure"), REFUSALS)
async def test_each_way_to_fail_has_its_own_record(
    conduct: dict[str, object], status: int, failure: str, tmp_path: Path
) -> None:
    async with ForwardProxy(**conduct) as proxy:  # type: ignore[arg-type]
        tunnel = one(await probe(tmp_path, MIRROR, limits=NO_TLS, HTTPS_PROXY=proxy.url))
    assert (tunnel.step, tunnel.status, tunnel.failure, tunnel.speaks) == ("connect", status, failure, "")


async def test_who_refused_and_why_is_kept(tmp_path: Path) -> None:
    page = b"<html>Category: file sharing. Policy 7.</html>"
    head = b"HTTP/1.1 403 Blocked by policy\r\nServer: Example Gateway\r\nVia: 1.1 gw7\r\nContent-Length: %d\r\n\r\n"
    async with Listener(head % len(page) + page) as proxy:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=proxy.url))
    assert (tunnel.reason, tunnel.server) == ("Blocked by policy", "Example Gateway, 1.1 gw7")
    assert tunnel.body == page.decode()


async def test_the_schemes_that_the_proxy_wants_are_named(tmp_path: Path) -> None:
    challenge = (
        b"Proxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM\r\nProxy-Authenticate: Basic realm=x\r\n"
    )
    async with Listener(b"HTTP/1.1 407 Sign in\r\n" + challenge + b"Content-Length: 0\r\n\r\n") as proxy:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=proxy.url))
    assert tunnel.wants == ("Negotiate", "NTLM", "Basic")


async def test_a_proxy_that_is_not_there_ends_at_the_dial(tmp_path: Path) -> None:
    with refused_port() as port:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=f"http://127.0.0.1:{port}"))
    assert (tunnel.step, tunnel.failure) == ("dial", Failure.CONNECT_REFUSED)


ODD = [
    ("foo://127.0.0.1:1", Failure.PROXY_UNSUPPORTED),
    ("http://:3128", Failure.PROXY_UNREACHABLE),
    ("http://no-such-host.invalid:3128", Failure.DNS_NOT_FOUND),
]


@pytest.mark.parametrize(("url", "failure"), ODD)
async def test_a_value_that_names_no_proxy_is_a_record_too(url: str, failure: str, tmp_path: Path) -> None:
    tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=url))
    assert (tunnel.step, tunnel.failure) == ("dial", failure)


# ---- what the proxy speaks ---------------------------------------------------------------------------------


async def test_a_proxy_with_tls_is_believed_when_its_certificate_is_good(
    tmp_path: Path, authority: Authority
) -> None:
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    async with origin() as routes, ForwardProxy(routes=routes, tls=authority.server_context()) as proxy:
        tunnel = one(
            await probe(tmp_path, MIRROR, HTTPS_PROXY=proxy.url, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        )
    assert (tunnel.step, tunnel.status, tunnel.speaks) == ("connect", 200, "")


async def test_a_bad_certificate_of_a_proxy_is_not_taken_for_plain_speech(
    tmp_path: Path, authority: Authority
) -> None:
    async with ForwardProxy(tls=authority.server_context(leaf=Leaf.EXPIRED)) as proxy:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=proxy.url))
    assert (tunnel.step, tunnel.speaks) == ("tls", "")
    assert tunnel.failure in (Failure.TLS_EXPIRED, Failure.TLS_UNKNOWN_AUTHORITY)


async def test_a_plain_proxy_behind_an_https_url_is_found_out(tmp_path: Path) -> None:
    async with origin() as routes, ForwardProxy(routes=routes) as proxy:
        url = proxy.url.replace("http:", "https:")
        tunnel = one(await probe(tmp_path, MIRROR, limits=NO_TLS, HTTPS_PROXY=url))
    assert (tunnel.proxy, tunnel.step, tunnel.speaks) == (url, "tls", "http")


async def test_a_tls_proxy_behind_an_http_url_is_found_out(tmp_path: Path, authority: Authority) -> None:
    async with origin() as routes, ForwardProxy(routes=routes, tls=authority.server_context()) as proxy:
        url = proxy.url.replace("https:", "http:")
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=url))
    assert (tunnel.step, tunnel.status, tunnel.speaks) == ("connect", 0, "https")


async def test_a_tls_server_that_answers_plain_requests_with_400_is_found_out_too(
    tmp_path: Path, authority: Authority
) -> None:
    async with Both(authority.server_context()) as proxy:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=f"http://127.0.0.1:{proxy.port}"))
    assert (tunnel.status, tunnel.speaks) == (400, "https")


class Both(Peer):
    """Speaks TLS, and tells those who do not that they should."""

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__()
        self._context = context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        bad = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
        first = await reader.readexactly(1)
        if first != b"\x16":
            writer.write(bad)
            await writer.drain()
            return
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = self._context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(first)
        while True:
            try:
                if tls.read().startswith(b"CONNECT"):
                    tls.write(b"HTTP/1.1 200 OK\r\n\r\n")
                    writer.write(outgoing.read())
            except ssl.SSLWantReadError:
                writer.write(outgoing.read())
                data = await reader.read(65536)
                if not data:
                    return
                incoming.write(data)


# ---- SOCKS -------------------------------------------------------------------------------------------------


class Socks(Peer):
    """Replies with these bytes, one after each message of the client."""

    def __init__(self, *replies: bytes) -> None:
        super().__init__()
        self._replies = replies
        self.heard: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for reply in self._replies:
            self.heard.append(await reader.read(1024))
            writer.write(reply)
            await writer.drain()


GRANTED = b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"

SOCKS = [
    ((b"\x05\x00", GRANTED), "", ()),
    ((b"\x05\x00", b"\x05\x02" + GRANTED[2:]), Failure.PROXY_DENIED, ()),
    ((b"\x05\x00", b"\x05\x05" + GRANTED[2:]), Failure.PROXY_BAD_GATEWAY, ()),
    ((b"\x05\xff",), Failure.PROXY_AUTH_REQUIRED, ("username/password",)),
    ((b"HTTP/1.1 400 Bad Request\r\n\r\n",), Failure.PROXY_BAD_ANSWER, ()),
    ((b"",), Raw.CLOSED, ()),
]


@pytest.mark.parametrize(("replies", "failure", "wants"), SOCKS)
async def test_a_socks_proxy_is_asked_as_go_asks_it(
    replies: tuple[bytes, ...], failure: str, wants: tuple[str, ...], tmp_path: Path
) -> None:
    async with Socks(*replies) as proxy:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=f"socks5://127.0.0.1:{proxy.port}"))
    assert (tunnel.step, tunnel.failure, tunnel.wants) == ("connect", failure, wants)
    assert proxy.heard[0] == b"\x05\x01\x00"


async def test_a_socks_proxy_gets_the_password_when_it_asks_for_it(tmp_path: Path) -> None:
    async with Socks(b"\x05\x02", b"\x01\x00", GRANTED) as proxy:
        url = f"socks5://me:{PASSWORD}@127.0.0.1:{proxy.port}"
        seen = await probe(tmp_path, MIRROR, HTTPS_PROXY=url)
    assert one(seen).failure == ""
    assert proxy.heard[1] == b"\x01\x02me" + bytes([len(PASSWORD)]) + PASSWORD.encode()
    assert proxy.heard[2] == b"\x05\x01\x00\x03\x11proxy.example.org\x01\xbb"
    assert has_no_secret(seen)


async def test_a_socks_proxy_that_is_asked_for_http_is_known_by_its_answer(tmp_path: Path) -> None:
    async with Socks(b"\x05\xff") as proxy:
        spoken_to = [f"{scheme}://127.0.0.1:{proxy.port}" for scheme in ("http", "socks")]
        tunnels = [one(await probe(tmp_path, MIRROR, HTTPS_PROXY=url)) for url in spoken_to]
    assert [tunnel.speaks for tunnel in tunnels] == ["socks5", "socks5"]


# ---- credentials -------------------------------------------------------------------------------------------


async def test_credentials_are_sent_as_go_sends_them_and_never_kept(tmp_path: Path) -> None:
    auth = ("me", PASSWORD)
    async with origin() as routes, ForwardProxy(routes=routes, auth=auth) as proxy:
        url = f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}"
        seen = await probe(tmp_path, MIRROR, PLAIN, HTTPS_PROXY=url, HTTP_PROXY=url)
    assert [(each.status, each.with_credentials) for each in seen] == [(200, True), (200, True)]
    assert has_no_secret(seen)


async def test_a_proxy_that_only_git_has_is_asked_with_gits_credentials(tmp_path: Path) -> None:
    async with origin() as routes, ForwardProxy(routes=routes, auth=("me", PASSWORD)) as proxy:
        (tmp_path / ".gitconfig").write_text(
            f"[http]\n\tproxy = http://me:{PASSWORD}@127.0.0.1:{proxy.port}\n"
        )
        here = world(tmp_path)
        git = (GitSetting("http.proxy", f"http://xxxxx@127.0.0.1:{proxy.port}", "global", ".gitconfig"),)
        seen = await probe_tunnels(here, settings_of(here, git), (MIRROR, CODE))
    assert (one(seen).target, one(seen).status) == ("git.example.org:443", 200)
    assert one(seen).with_credentials
    assert has_no_secret(seen)


async def test_a_page_that_stalls_does_not_hold_up_the_refusal(tmp_path: Path) -> None:
    async with Listener(b"HTTP/1.1 403 No\r\nContent-Length: 99\r\n\r\nhalf") as proxy:
        tunnel = one(await probe(tmp_path, MIRROR, HTTPS_PROXY=proxy.url))
    assert (tunnel.status, tunnel.body) == (403, "half")


async def test_all_tunnels_end_within_their_share_of_the_time(tmp_path: Path) -> None:
    async with ForwardProxy(conduct=Conduct.SILENT) as proxy:
        here = world(tmp_path, {"look": 1.0, "first_byte": 60.0}, HTTPS_PROXY=proxy.url)
        seen = await probe_tunnels(here, settings_of(here), (MIRROR, SUMDB))
    assert {(each.step, each.failure) for each in seen} == {("connect", Failure.WHOLE_TIMEOUT)}


async def test_a_proxy_that_takes_connections_and_stays_silent_ends_at_the_limit(tmp_path: Path) -> None:
    async with Listener(fault=STALL) as mute, ForwardProxy(conduct=Conduct.SILENT) as deaf:
        for proxy in (mute, deaf):
            tunnel = one(await probe(tmp_path, MIRROR, limits=IMPATIENT, HTTPS_PROXY=proxy.url))
            assert (tunnel.step, tunnel.failure) == ("connect", Failure.PROXY_TIMEOUT)
