"""Connections and handshakes on broken paths: each break has its own record, and `go` says the same of it."""

import asyncio
import os
import shutil
import ssl
import subprocess
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import oracle
from doctor.certmaker import NOW
from doctor.probes.probeworld import PASSWORD, has_no_secret, world
from goferry.doctor import codec
from goferry.doctor.base import World
from goferry.doctor.evidence import DialSeen, Evidence, GitSetting, HandshakeSeen, Role, Target
from goferry.doctor.pki import Store
from goferry.doctor.probes import path
from goferry.doctor.probes.clienthello import Hello
from goferry.doctor.probes.path import DialJob, HandshakeJob, deepen, git_dials, probe_dials, probe_handshakes
from goferry.doctor.roots import read_host_stores, read_stores
from goferry.lab.forward import Conduct, ForwardProxy
from goferry.lab.middlebox import Filter, Middlebox, Strike
from goferry.lab.tcp import (
    CUT,
    HEALTHY,
    RESET,
    STALL,
    Fault,
    Listener,
    Peer,
    Relay,
    Wire,
    both,
    pump,
    refused_port,
    silent_port,
)
from goferry.lab.tls import Authority, Leaf, Manners, Refuser

NAME = "localhost"
HERE = "127.0.0.1"
SHORT: Mapping[str, float] = {"connect": 10.0, "handshake": 0.3, "first_byte": 0.5}
"""For looks of which none can succeed."""

MIXED: Mapping[str, float] = {"connect": 1.0, "handshake": 1.0, "first_byte": 1.0}
"""For some that stall beside some that must have the time to succeed, also on a busy machine."""

PATIENT: Mapping[str, float] = {"connect": 10.0, "handshake": 10.0, "first_byte": 10.0}

ROOT = Authority("Lab Root", organization="Lab Trust")
ISSUING = Authority("Lab Issuing", organization="Lab Trust", parent=ROOT)
FIREWALL = Authority("Example Firewall CA", organization="Example Corp")


def trusting(
    home: Path, root: Authority = ROOT, limits: Mapping[str, float] = PATIENT, **environ: str
) -> World:
    """A world in which `go` and git trust this authority alone."""
    file, folder = home / "roots.pem", home / "none"
    file.write_bytes(root.pem)
    folder.mkdir(exist_ok=True)
    return world(
        home, limits, SSL_CERT_FILE=str(file), SSL_CERT_DIR=str(folder), GIT_SSL_CAINFO=str(file), **environ
    )


def server(context: ssl.SSLContext) -> Listener:
    return Listener(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", tls=context)


def job(port: int, hello: str = Hello.GO, **more: Any) -> HandshakeJob:
    return HandshakeJob(NAME, HERE, port, more.pop("sni", NAME), hello, **more)


async def shake(where: World, port: int, hello: str = Hello.GO, **more: Any) -> HandshakeSeen:
    return (await probe_handshakes(where, [job(port, hello, **more)]))[0]


# ---- TCP ---------------------------------------------------------------------------------------------------


async def test_every_way_in_which_a_connection_fails_has_its_name(tmp_path: Path) -> None:
    with refused_port() as refused:
        async with Listener() as peer, silent_port() as silent:
            jobs = [
                DialJob(NAME, HERE, peer.port, "go"),
                DialJob(NAME, HERE, refused, "system"),
                DialJob(NAME, HERE, silent, "public"),
                DialJob(NAME, HERE, 70_000),
                DialJob(NAME, "no address", 443),
            ]
            found = await probe_dials(world(tmp_path, MIXED), jobs)
    assert [seen.failure for seen in found[:3]] == ["", "connect_refused", "connect_timeout"]
    assert [seen.source for seen in found[:3]] == ["go", "system", "public"]
    assert all(seen.failure for seen in found[3:])
    assert found[1].text == "Connection refused"


@pytest.mark.parametrize(
    ("number", "failure"),
    [(1, "not_permitted"), (13, "not_permitted"), (101, "network_unreachable"), (104, "connect_reset")],
)
async def test_what_the_kernel_refuses_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, failure: str
) -> None:
    async def refuse(*_args: object) -> None:
        raise OSError(number, "as the kernel says")

    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    (seen,) = await probe_dials(world(tmp_path), [DialJob(NAME, HERE, 443)])
    assert (seen.failure, seen.text) == (failure, os.strerror(number))


async def test_many_addresses_are_dialled_a_bounded_number_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_now = most = 0

    async def dial(_world: World, asked: DialJob) -> DialSeen:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0)
        open_now -= 1
        return DialSeen(asked.host, asked.address, asked.port, 0.0)

    monkeypatch.setattr(path, "_dial", dial)
    jobs = [DialJob(NAME, HERE, port) for port in range(1, 201)]
    found = await probe_dials(world(tmp_path), jobs)
    assert [seen.port for seen in found] == list(range(1, 201))
    assert most == path.AT_ONCE


def test_a_git_host_is_dialled_on_the_ports_of_all_its_protocols() -> None:
    jobs = git_dials("code.example", ["192.0.2.1", "2001:db8::1"])
    assert [(asked.address, asked.port) for asked in jobs] == [
        ("192.0.2.1", 22), ("192.0.2.1", 443), ("192.0.2.1", 9418),
        ("2001:db8::1", 22), ("2001:db8::1", 443), ("2001:db8::1", 9418),
    ]  # fmt: skip


# ---- TLS: servers with one thing wrong, and the real go ----------------------------------------------------


@dataclass(frozen=True)
class Case:
    """A server, what is seen of it, and words that `go` says of it (the world trusts ROOT)."""

    context: ssl.SSLContext
    failure: str = ""
    wrong: str = ""
    words: str = "404 Not Found"
    alert: int = -1
    trusted: bool = False


def case(
    authority: Authority = ROOT, leaf: Leaf = Leaf.GOOD, *, then: dict[str, Any], **manners: Any
) -> Case:
    return Case(authority.server_context([NAME], leaf, Manners(**manners)), **then)


def refusing(number: int, words: str, *, trusted: bool = False, **manners: Any) -> Case:
    then = {"failure": "alert", "alert": number, "words": f"remote error: tls: {words}", "trusted": trusted}
    return case(then=then, **manners)


TLS_1_2 = ssl.TLSVersion.TLSv1_2
UNKNOWN = "certificate signed by unknown authority"
CASES = {
    "good": case(then={"trusted": True}),
    "good, 1.2": case(newest=TLS_1_2, then={"trusted": True}),
    "through an intermediate": case(ISSUING, then={"trusted": True}),
    "expired": case(leaf=Leaf.EXPIRED, then={"wrong": "expired", "words": "certificate has expired"}),
    "not yet valid": case(leaf=Leaf.NOT_YET_VALID, then={"wrong": "not_yet_valid", "words": "is before"}),
    "wrong host": case(leaf=Leaf.WRONG_HOST, then={"wrong": "wrong_host", "words": f"not {NAME}"}),
    "incomplete": case(ISSUING, incomplete=True, then={"wrong": "incomplete", "words": UNKNOWN}),
    "inspected": case(FIREWALL, then={"wrong": "unknown_authority", "words": UNKNOWN}),
    "inspected, leaf alone": case(FIREWALL, incomplete=True, then={"wrong": "unknown_authority", "words": UNKNOWN}),
    "alert 40": refusing(40, "handshake failure", alert=40),
    "alert 70": refusing(70, "protocol version not supported", alert=70),
    "alert 112": refusing(112, "unrecognized name", alert=112),
    "wants a certificate": refusing(116, "certificate required", trusted=True, client_certificate=True),
    "wants a certificate, 1.2": refusing(40, "handshake failure", client_certificate=True, newest=TLS_1_2),
}  # fmt: skip


def said_by_go(where: World, port: int) -> str:
    """What `go` prints when it is sent to this port of localhost."""
    with tempfile.TemporaryDirectory() as home:
        env = oracle.go_env(
            **{key: value for key, value in where.environ.items() if key.startswith("SSL_")},
            GOPROXY=f"https://{NAME}:{port}", GONOSUMDB="*", GOMODCACHE=home, GOPATH=home,
        )  # fmt: skip
        argv = ["go", "list", "-m", "example.com/x@v1.0.0"]
        return subprocess.run(
            argv, env=env, cwd=home, capture_output=True, text=True, check=False, timeout=30
        ).stderr


@pytest.mark.go
@pytest.mark.parametrize("name", CASES)
async def test_a_server_is_judged_as_go_judges_it(tmp_path: Path, name: str) -> None:
    if oracle.go_command() is None:
        pytest.skip("needs the go command")
    expected, where = CASES[name], trusting(tmp_path)
    async with Refuser(expected.context) if expected.alert >= 0 else server(expected.context) as peer:
        seen = await shake(where, peer.port)
        said = await asyncio.to_thread(said_by_go, where, peer.port)
    assert (seen.failure, seen.wrong, seen.alert) == (expected.failure, expected.wrong, expected.alert)
    assert seen.trusted == (("go", "git") if expected.trusted else ())
    assert expected.words in said
    assert seen.wants_client_certificate is ("wants" in name)


async def test_a_chain_is_recorded_as_it_was_presented(tmp_path: Path) -> None:
    async with server(ISSUING.server_context([NAME, HERE])) as peer:
        seen = await shake(trusting(tmp_path), peer.port, Hello.PLAIN)
    leaf, issuing, root = seen.chain
    assert (leaf.names, leaf.issuer, leaf.is_ca) == ((NAME, HERE), issuing.subject, False)
    assert (issuing.is_ca, issuing.self_signed, root.self_signed) == (True, False, True)
    assert "Lab Trust" in root.subject
    assert leaf.not_before < leaf.not_after
    assert (seen.tried, seen.trusted) == (("go", "git", "public"), ("go", "git"))
    assert (seen.version, seen.alpn, seen.failure) == ("TLSv1.3", "http/1.1", "")
    assert len({certificate.sha256 for certificate in seen.chain}) == 3


async def test_the_maker_of_a_firewall_is_read_from_the_issuer(tmp_path: Path) -> None:
    product = Authority("Zscaler Intermediate Root CA (zscalertwo.net)", organization="Zscaler Inc.")
    async with server(product.server_context([NAME], manners=Manners(incomplete=True))) as peer:
        seen = await shake(trusting(tmp_path), peer.port)
    assert (seen.wrong, seen.chain[0].product) == ("unknown_authority", "Zscaler")


async def test_the_moment_of_judging_can_be_another(tmp_path: Path) -> None:
    async with server(ROOT.server_context([NAME])) as peer:
        (seen,) = await probe_handshakes(trusting(tmp_path), [job(peer.port)], at=NOW.timestamp() + 1e9)
    assert seen.wrong == "expired"


async def test_an_address_is_judged_by_the_addresses_of_the_certificate(tmp_path: Path) -> None:
    async with server(ROOT.server_context([HERE])) as peer:
        asked = HandshakeJob(HERE, HERE, peer.port, HERE)
        (seen,) = await probe_handshakes(trusting(tmp_path), [asked])
    assert (seen.wrong, seen.trusted) == ("", ("go", "git"))


# ---- TLS: paths that break ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "failure"),
    [
        (RESET, "reset"),
        (STALL, "stalled"),
        (CUT, "closed"),
        (Fault(reset_after=100), "reset"),
        (Fault(cut_after=100), "closed"),
    ],
)
@pytest.mark.parametrize("hello", [Hello.GO, Hello.SMALL, Hello.PLAIN])
async def test_what_ends_a_handshake_is_told_apart(
    tmp_path: Path, fault: Fault, failure: str, hello: Hello
) -> None:
    where = trusting(tmp_path, limits=SHORT if failure == "stalled" else PATIENT)
    async with server(ROOT.server_context([NAME])) as peer, Relay(peer.port, fault) as relay:
        seen = await shake(where, relay.port, hello)
    assert (seen.failure, seen.wrong, seen.chain) == (failure, "", ())
    assert seen.received == max(fault.reset_after or 0, fault.cut_after or 0)


@pytest.mark.parametrize("hello", [Hello.GO, Hello.PLAIN])
async def test_plain_http_in_place_of_tls_is_shown(tmp_path: Path, hello: Hello) -> None:
    async with Listener(greeting=b"HTTP/1.1 400 Bad Request\r\n\r\n") as peer:
        seen = await shake(trusting(tmp_path), peer.port, hello)
    assert (seen.failure, seen.first_bytes[:12]) == ("not_tls", "HTTP/1.1 400")


@pytest.mark.parametrize("hello", [Hello.GO, Hello.PLAIN])
async def test_broken_tls_is_garbage_or_a_failed_handshake(tmp_path: Path, hello: Hello) -> None:
    async with Listener(greeting=b"\x16\x03\x03\x00\x06\x02\x00\x00\x02\x03\x03") as peer:
        seen = await shake(trusting(tmp_path), peer.port, hello)
    assert seen.failure == "garbage"


async def test_a_host_that_cannot_be_reached_has_no_handshake(tmp_path: Path) -> None:
    with refused_port() as port:
        seen = await shake(trusting(tmp_path), port)
    assert (seen.failure, seen.received) == ("connect_refused", 0)


# ---- differentials -----------------------------------------------------------------------------------------

Found = dict[tuple[str, str, int], str]
"""Failures by hello, server name and packet size."""


@pytest.fixture
async def path_with() -> AsyncIterator[Any]:
    """Starts a good server behind a device with a filter; gives the port to ask."""
    async with AsyncExitStack() as stack:

        async def start(unwanted: Filter) -> int:
            peer = await stack.enter_async_context(server(ROOT.server_context([NAME])))
            return (await stack.enter_async_context(Middlebox(peer.port, unwanted))).port

        yield start


async def differ(where: World, port: int, **more: Any) -> Found:
    target = Target(NAME, port, "https", Role.GOPROXY)
    found = await deepen(where, target, HERE, **more)
    return {(seen.hello, seen.sni, seen.mss): seen.failure for seen in found}


async def test_on_a_sound_path_nothing_differs(tmp_path: Path, path_with: Any) -> None:
    found = await differ(trusting(tmp_path), await path_with(Filter()))
    assert {hello for hello, _, _ in found} == {Hello.SMALL, Hello.LARGE, Hello.PIECES}
    assert set(found.values()) == {""}
    assert {sni for _, sni, _ in found} == {NAME, "example.com", ""}
    assert {mss for _, _, mss in found} == {0, 600, 1200}


@pytest.mark.parametrize("strike", Strike)
async def test_a_filter_of_names_strikes_that_name_whatever_the_size(
    tmp_path: Path, path_with: Any, strike: Strike
) -> None:
    where = trusting(tmp_path, limits=MIXED if strike is Strike.STALL else PATIENT)
    found = await differ(where, await path_with(Filter(names=(NAME,), strike=strike)))
    expected = {"reset": "reset", "close": "closed", "stall": "stalled"}[strike]
    assert {failure for (_, sni, _), failure in found.items() if sni == NAME} == {expected}
    assert {failure for (_, sni, _), failure in found.items() if sni != NAME} == {""}


async def test_a_device_that_drops_the_large_message_drops_it_under_any_name(
    tmp_path: Path, path_with: Any
) -> None:
    found = await differ(
        trusting(tmp_path, limits=MIXED), await path_with(Filter(largest_hello=1400, strike=Strike.STALL))
    )
    large = {failure for (hello, _, _), failure in found.items() if hello in (Hello.LARGE, Hello.PIECES)}
    small = {failure for (hello, _, _), failure in found.items() if hello == Hello.SMALL}
    assert (large, small) == ({"stalled"}, {""})


async def test_a_line_with_a_small_mtu_passes_small_packets_alone(tmp_path: Path, path_with: Any) -> None:
    """The answer of the server is the larger than a packet; so what helps is that this side asks for smaller ones."""
    found = await differ(trusting(tmp_path, limits=MIXED), await path_with(Filter(largest_packet=1250)))
    assert {failure for (_, _, mss), failure in found.items() if mss} == {""}
    assert found[Hello.LARGE, NAME, 0] == "stalled"


async def test_an_old_go_is_measured_by_its_own_message(tmp_path: Path, path_with: Any) -> None:
    port = await path_with(Filter(largest_hello=1400, strike=Strike.RESET))
    for environ, version, failure in (
        ({}, "go1.27.3", "reset"), ({}, "", "reset"), ({}, "go1.23.9", ""), ({"GODEBUG": "tlsmlkem=0"}, "go1.27.3", "")
    ):  # fmt: skip
        where = trusting(tmp_path, **environ)
        (seen,) = await probe_handshakes(where, [job(port)], go_version=version)
        assert seen.failure == failure


async def test_other_addresses_are_asked_for_the_same_name(tmp_path: Path, path_with: Any) -> None:
    target = Target(NAME, await path_with(Filter()), "https", Role.GOPROXY)
    found = await deepen(trusting(tmp_path), target, HERE, others=("::1",))
    assert [(seen.sni, seen.hello) for seen in found if seen.address == "::1"] == [(NAME, Hello.LARGE)]


# ---- through a forward proxy -------------------------------------------------------------------------------


async def test_a_handshake_passes_through_a_proxy_and_tells_no_password(tmp_path: Path) -> None:
    async with (
        server(ROOT.server_context([NAME])) as peer,
        ForwardProxy(auth=("user", PASSWORD), routes={f"{NAME}:443": (HERE, peer.port)}) as proxy,
    ):
        via = f"http://user:{PASSWORD.replace('$', '%24')}@{HERE}:{proxy.port}"
        asked = [HandshakeJob(NAME, "", 443, NAME, hello, via=via) for hello in (Hello.GO, Hello.SMALL)]
        found = await probe_handshakes(trusting(tmp_path), asked)
    assert [seen.failure for seen in found] == ["", ""]
    assert found[0].trusted == ("go", "git")
    assert found[0].via == f"http://{HERE}:{proxy.port}"
    assert has_no_secret(found, "user:")


async def test_a_proxy_that_speaks_tls_itself_carries_tls_inside(tmp_path: Path) -> None:
    async with (
        server(ROOT.server_context([NAME])) as peer,
        ForwardProxy(routes={f"{NAME}:443": (HERE, peer.port)}, tls=ROOT.server_context([HERE])) as proxy,
    ):
        asked = HandshakeJob(NAME, "", 443, NAME, via=f"https://{HERE}:{proxy.port}")
        (seen,) = await probe_handshakes(trusting(tmp_path), [asked])
    assert (seen.failure, seen.trusted) == ("", ("go", "git"))


class Socks(Peer):
    """Leads every client of SOCKS 5 to one port, and answers with an address of this kind."""

    def __init__(self, port: int, bound: bytes) -> None:
        super().__init__()
        self._port = port
        self._bound = bound

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(3)
        writer.write(b"\x05\x00")
        await reader.readexactly(4 + 1 + len(NAME) + 2)
        away_reader, away_writer = await asyncio.open_connection(HERE, self._port)
        writer.write(b"\x05\x00\x00" + self._bound)
        try:
            await both(pump(reader, Wire(away_writer, HEALTHY)), pump(away_reader, Wire(writer, HEALTHY)))
        finally:
            away_writer.transport.abort()


@pytest.mark.parametrize(
    "bound",
    [b"\x01" + bytes(6), b"\x04" + bytes(18), b"\x03\x04here" + bytes(2)],
    ids=["IPv4", "IPv6", "name"],
)
async def test_a_handshake_passes_through_socks(tmp_path: Path, bound: bytes) -> None:
    async with server(ROOT.server_context([NAME])) as peer, Socks(peer.port, bound) as proxy:
        asked = HandshakeJob(NAME, "", 443, NAME, via=f"socks5://{HERE}:{proxy.port}")
        (seen,) = await probe_handshakes(trusting(tmp_path), [asked])
    assert (seen.failure, seen.trusted, seen.via) == ("", ("go", "git"), f"socks5://{HERE}:{proxy.port}")


async def test_what_a_proxy_refuses_is_named_as_its_doing(tmp_path: Path) -> None:
    strict = ForwardProxy(auth=("user", "secret"), deny=[f"{NAME}:443"])
    with refused_port() as port:
        async with strict as proxy, ForwardProxy(conduct=Conduct.SILENT) as mute:
            vias = {
                f"http://{HERE}:{port}": "proxy_unreachable",
                f"http://{HERE}:{proxy.port}": "proxy_auth_required",
                f"http://user:secret@{HERE}:{proxy.port}": "proxy_denied",
                f"http://{HERE}:{mute.port}": "proxy_timeout",
                "ftp://127.0.0.1:1": "proxy_unsupported",
            }
            asked = [HandshakeJob(NAME, "", 443, NAME, via=via) for via in vias]
            found = await probe_handshakes(trusting(tmp_path, limits=MIXED), asked)
    assert [seen.failure for seen in found] == list(vias.values())


async def test_records_can_be_saved(tmp_path: Path) -> None:
    async with server(ISSUING.server_context([NAME])) as peer:
        shakes = await probe_handshakes(trusting(tmp_path), [job(peer.port, hello) for hello in Hello])
        dials = await probe_dials(trusting(tmp_path), [DialJob(NAME, HERE, peer.port)])
    seen = Evidence(handshakes=shakes, dials=dials)
    assert codec.from_bytes(codec.to_bytes(seen), place="here") == seen


# ---- stores ------------------------------------------------------------------------------------------------


def test_each_client_has_the_store_that_its_settings_name(tmp_path: Path) -> None:
    where = trusting(tmp_path)
    file = tmp_path / "firewall.pem"
    file.write_bytes(FIREWALL.pem + ROOT.pem)
    environ = {key: value for key, value in where.environ.items() if key != "GIT_SSL_CAINFO"}
    plain = World(environ, tmp_path, tmp_path)
    setting = GitSetting("http.sslCAInfo", "~/firewall.pem", "global", "")
    assert len(read_stores(plain, [setting])["git"]) == 2
    assert len(read_stores(where, [setting])["git"]) == 1  # the variable wins
    assert len(read_stores(where)["go"]) == 1
    assert len(read_stores(where)["public"]) > 100


def test_a_git_that_verifies_nothing_has_no_store(tmp_path: Path) -> None:
    assert "git" not in read_stores(trusting(tmp_path, GIT_SSL_NO_VERIFY="1"))
    assert "git" not in read_stores(trusting(tmp_path), [GitSetting("http.sslverify", "false", "global", "")])


# GIT_SSL_CAINFO, http.sslCAInfo, http.<this host>.sslCAInfo, http.<another host>.sslCAInfo: the right CA or a wrong one
WHOSE_CA_COUNTS = [
    ("", "right", "", ""),
    ("", "wrong", "", ""),
    ("", "wrong", "right", ""),
    ("", "right", "wrong", ""),
    ("", "right", "", "wrong"),
    ("", "wrong", "", "right"),
    ("right", "", "wrong", ""),
    ("wrong", "right", "right", ""),
]


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
@pytest.mark.parametrize(("variable", "plain", "here", "elsewhere"), WHOSE_CA_COUNTS)
async def test_the_file_for_a_host_is_the_one_that_git_takes(
    variable: str, plain: str, here: str, elsewhere: str, tmp_path: Path
) -> None:
    """git itself is asked: it is well when it complains of anything but the certificate."""
    (tmp_path / "right").write_bytes(ROOT.pem)
    (tmp_path / "wrong").write_bytes(FIREWALL.pem)
    async with server(ROOT.server_context([NAME])) as peer:
        keys = {
            "http.sslcainfo": plain,
            f"http.https://{NAME}:{peer.port}/.sslcainfo": here,
            "http.https://elsewhere.example.org/.sslcainfo": elsewhere,
        }
        settings = [GitSetting(key, str(tmp_path / ca), "global", "") for key, ca in keys.items() if ca]
        environ = {"GIT_SSL_CAINFO": str(tmp_path / variable)} if variable else {}
        place = World({"HOME": str(tmp_path), **environ}, tmp_path, tmp_path)
        stores = read_host_stores(place, settings)
        (seen,) = await probe_handshakes(trusting(tmp_path), [job(peer.port)], stores=stores)
        said = await asyncio.to_thread(_git_said, place, settings, peer.port)
    assert ("git" in seen.trusted) is ("certificate" not in said), said


def _git_said(place: World, settings: list[GitSetting], port: int) -> str:
    options = [part for each in settings for part in ("-c", f"{each.key}={each.value}")]
    return subprocess.run(
        ["git", *options, "ls-remote", f"https://{NAME}:{port}/x"],
        env={
            **place.environ,
            "PATH": os.environ["PATH"],
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
        },
        capture_output=True,
        text=True,
        timeout=30,
    ).stderr


async def test_a_world_without_any_file_trusts_nobody(tmp_path: Path) -> None:
    nothing = world(
        tmp_path, PATIENT, SSL_CERT_FILE=str(tmp_path / "gone"), SSL_CERT_DIR=str(tmp_path / "gone")
    )
    stores = {**read_stores(nothing), "public": Store.of(())}
    assert len(stores["go"]) == 0
    async with server(ROOT.server_context([NAME])) as peer:
        (seen,) = await probe_handshakes(nothing, [job(peer.port)], stores=stores)
    assert (seen.wrong, seen.trusted) == ("unknown_authority", ())
