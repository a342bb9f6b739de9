"""What each asker says about a name, against name servers that say what the test wants."""

import asyncio
import json
import socket
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from goferry.doctor.base import Limits, Places, World
from goferry.doctor.dns import question
from goferry.doctor.evidence import HostsLine, NameSeen, ResolvConf, SettingsSeen
from goferry.doctor.probes.names import probe_names
from scriptedns import Ask, NameServer, Script, says, table

NAME = "module.example.org"
FULL = f"{NAME}."
HERE, THERE, SIX = "192.0.2.7", "192.0.2.8", "2001:db8::7"
KNOWN = table({FULL: [HERE, SIX]})


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Second replies of these servers come at once."""
    monkeypatch.setattr(question, "LISTEN", 0.05)
    monkeypatch.setattr(question, "LISTEN_SUSPICIOUS", 0.05)


def world(**changes: Any) -> World:
    """A world that is not this machine's, so that the system's own resolver is left alone."""
    plain = World({}, Path("/"), Path("/"), places=Places(resolv_conf=Path("/nowhere")))
    return replace(plain, limits=Limits(resolve=0.2), **changes)


def settings(*servers: str, **changes: Any) -> SettingsSeen:
    resolv = {key: changes.pop(key) for key in ("search", "ndots", "timeout", "attempts") if key in changes}
    return SettingsSeen(resolv=ResolvConf(True, servers, **resolv), **changes)


async def seen(
    name: str, given: SettingsSeen, where: World | None = None, asker: str = ""
) -> tuple[NameSeen, ...]:
    found = await probe_names(where or world(), given, [name])
    return tuple(each for each in found if asker in ("", each.asker))


async def go(name: str, given: SettingsSeen) -> NameSeen:
    (one,) = await seen(name, given, asker="go")
    return one


def closed_port() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{sock.getsockname()[1]}"


def silence(_ask: Ask) -> Sequence[bytes]:
    return []


def garbage(ask: Ask) -> Sequence[bytes]:
    return [ask.query.to_wire()[:2] + b"\x81\x80\x00\x01\x00\x09\x00\x00\x00\x00" + b"\xff" * 20]


def code(rcode: str) -> Script:
    return lambda ask: [says(ask.query, rcode=rcode)]


# ---- one server --------------------------------------------------------------------------------------------


async def test_a_server_is_asked_for_both_families_and_over_tcp() -> None:
    async with NameServer(KNOWN) as server:
        found = await seen(NAME, settings(server.address), asker="server")
    assert [(each.transport, each.family, each.addresses, each.rcode, each.failure) for each in found] == [
        ("udp", 4, (HERE,), "NOERROR", ""),
        ("udp", 6, (SIX,), "NOERROR", ""),
        ("tcp", 4, (HERE,), "NOERROR", ""),
    ]
    assert {each.server for each in found} == {server.address}


FAULTS = [
    # script, failure of the server's records, go's failure, go's text, seconds that go waits at least
    (code("NXDOMAIN"), "dns_not_found", "dns_not_found", "no such host", 0),
    (code("SERVFAIL"), "dns_server_failure", "dns_server_failure", "server misbehaving", 0),
    (code("REFUSED"), "dns_refused", "dns_refused", "server misbehaving", 0),
    (lambda ask: [says(ask.query)], "", "dns_not_found", "no such host", 0),
    (lambda ask: [says(ask.query, lame=True)], "", "dns_server_failure", "lame referral", 0),
    (silence, "dns_timeout", "dns_timeout", "read udp: i/o timeout", 10),
    (garbage, "dns_bad_answer", "dns_timeout", "read udp: i/o timeout", 10),
]


@pytest.mark.parametrize(("script", "failure", "go_failure", "go_text", "waits"), FAULTS)
async def test_a_fault_of_a_server_is_named_and_go_fails_as_it_would(
    script: Script, failure: str, go_failure: str, go_text: str, waits: float
) -> None:
    async with NameServer(script, tcp=False) as server:
        found = await seen(NAME, settings(server.address))
    by_udp = [each for each in found if (each.asker, each.transport) == ("server", "udp")]
    assert [each.failure for each in by_udp] == [failure, failure]
    (by_go,) = (each for each in found if each.asker == "go")
    assert by_go.failure == go_failure
    assert by_go.text == f"lookup {NAME} on {server.address}: {go_text}"
    assert waits <= by_go.seconds < waits + 5


async def test_a_closed_port_is_a_refusal_at_once_and_no_silence() -> None:
    found = await seen(NAME, settings(closed_port()))
    assert {each.failure for each in found} == {"connect_refused"}
    (by_go,) = (each for each in found if each.asker == "go")
    assert by_go.seconds < 5
    assert by_go.text.endswith("read udp: read: connection refused")


async def test_a_sandbox_that_permits_no_socket_is_told_from_a_dead_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def denied(*_args: object, **_more: object) -> socket.socket:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(question.socket, "socket", denied)
    monkeypatch.setattr(asyncio, "open_connection", denied)
    found = await seen(NAME, settings("127.0.0.1:53"))
    assert {each.failure for each in found} == {"not_permitted"}


async def test_without_a_server_go_asks_this_machine() -> None:
    port = int(closed_port().rpartition(":")[2])
    found = await seen(NAME, SettingsSeen(), world(dns_port=port), "server")
    assert {each.server for each in found} == {f"127.0.0.1:{port}", f"[::1]:{port}"}
    (by_go,) = await seen(NAME, SettingsSeen(), world(dns_port=port), "go")
    assert by_go.text.startswith(f"lookup {NAME} on [::1]:{port}: read udp:")


# ---- signs of an injected answer ---------------------------------------------------------------------------


async def test_a_second_different_reply_is_kept() -> None:
    async with NameServer(lambda ask: [says(ask.query, THERE), says(ask.query, HERE)]) as server:
        found = await seen(NAME, settings(server.address), asker="server")
    four = found[0]
    assert (four.addresses, four.others) == ((THERE,), (HERE,))


async def test_the_same_reply_twice_is_no_sign_of_anything() -> None:
    async with NameServer(lambda ask: [says(ask.query, HERE, THERE), says(ask.query, THERE, HERE)]) as server:
        found = await seen(NAME, settings(server.address), asker="server")
    assert [each.others for each in found] == [(), (), ()]


async def test_a_denial_after_an_address_is_a_different_reply() -> None:
    script: Script = lambda ask: [says(ask.query, HERE), says(ask.query, rcode="NXDOMAIN")]  # noqa: E731
    async with NameServer(script) as server:
        found = await seen(NAME, settings(server.address), asker="server")
    assert found[0].others == ("NXDOMAIN",)


async def test_a_reply_from_an_address_that_was_not_asked_is_noted_and_not_believed() -> None:
    async with NameServer(KNOWN, stranger="127.0.0.9", tcp=False) as server:
        found = await seen(NAME, settings(server.address))
    by_udp = [each for each in found if (each.asker, each.transport) == ("server", "udp")]
    assert {(each.stranger, each.addresses, each.failure) for each in by_udp} == {
        ("127.0.0.9", (), "dns_timeout")
    }


# ---- transports and repeats --------------------------------------------------------------------------------


async def test_a_cut_reply_is_asked_for_again_over_tcp() -> None:
    def script(ask: Ask) -> Sequence[bytes]:
        return [says(ask.query, HERE, SIX, truncated=ask.transport == "udp")]

    async with NameServer(script) as server:
        found = await seen(NAME, settings(server.address))
    (by_go,) = (each for each in found if each.asker == "go")
    assert (by_go.addresses, by_go.transport) == ((HERE, SIX), "tcp")
    assert ("tcp", 6) in {(each.transport, each.family) for each in found if each.asker == "server"}


async def test_a_lost_datagram_costs_go_one_timeout_and_no_answer() -> None:
    async with NameServer(lambda ask: KNOWN(ask) if ask.number else []) as server:
        by_go = await go(NAME, settings(server.address, attempts=2))
        server.asked.clear()
        impatient = await go(NAME, settings(server.address, attempts=1))
    assert (by_go.addresses, by_go.failure) == ((HERE, SIX), "")
    assert 5 <= by_go.seconds < 10
    assert impatient.failure == "dns_timeout"


async def test_a_dead_first_server_costs_go_its_timeout_although_the_second_answers() -> None:
    async with NameServer(silence) as dead, NameServer(KNOWN) as good:
        by_go = await go(NAME, settings(dead.address, good.address))
    assert by_go.addresses == (HERE, SIX)
    assert by_go.server == good.address
    assert 5 <= by_go.seconds < 10


async def test_an_answer_that_is_slower_than_gos_limit_counts_as_silence_for_go() -> None:
    async with NameServer(KNOWN) as server:
        found = await seen(NAME, settings(server.address, timeout=0.0))
    (by_go,) = (each for each in found if each.asker == "go")
    assert by_go.failure == "dns_timeout"
    assert {each.failure for each in found if each.asker == "server"} == {""}


# ---- search list and hosts file ----------------------------------------------------------------------------


async def test_the_search_list_is_walked_until_a_name_has_an_address() -> None:
    records = table({"git.two.example.": [HERE]})
    async with NameServer(records) as server:
        given = settings(server.address, search=("one.example.", "two.example.", "three.example."))
        by_go = await go("git", given)
    assert by_go.addresses == (HERE,)
    assert {name for _way, name, _family in server.asked} == {"git.", "git.one.example.", "git.two.example."}


async def test_a_server_that_was_silent_once_is_not_waited_for_with_every_name_of_the_search_list() -> None:
    async with NameServer(silence) as server:
        given = settings(server.address, search=("one.example.", "two.example."), ndots=5)
        by_go = await go(NAME, given)
    assert {name for _way, name, _family in server.asked} == {FULL, f"{NAME}.one.example."}
    assert by_go.seconds == pytest.approx(3 * 2 * 5.0)


async def test_a_server_that_cannot_be_reached_is_not_tried_with_every_name_of_the_search_list(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    async def unreachable(server: str, name: str, family: int, _limit: float) -> question.Reply:
        asked.append(name)
        text = "[Errno 113] No route to host"
        return question.Reply(
            server, "udp", family, failure="network_unreachable", text=text, seconds=3.0, latency=3.0
        )

    monkeypatch.setattr(question, "ask_udp", unreachable)
    monkeypatch.setattr(question, "ask_tcp", unreachable)
    by_go = await go(NAME, settings("192.0.2.1:53", search=("one.example.", "two.example.")))
    assert set(asked) == {FULL}
    assert by_go.text == f"lookup {NAME} on 192.0.2.1:53: read udp: read: no route to host"
    assert by_go.seconds == pytest.approx(3 * 2 * 3.0)


async def test_lines_of_the_hosts_file_add_up_and_keep_go_from_asking() -> None:
    lines = (HostsLine(THERE, ("Module.Example.ORG", "other"), 3), HostsLine("::5", (NAME,), 9))
    async with NameServer(KNOWN) as server:
        found = await seen(NAME.upper(), settings(server.address, hosts=lines))
    by_hosts, by_go, *by_server = found
    assert (by_hosts.asker, by_hosts.addresses, by_hosts.line) == ("hosts", (THERE, "::5"), 3)
    assert (by_go.asker, by_go.addresses, by_go.server) == ("go", (THERE, "::5"), "")
    assert by_server[0].addresses == (HERE,)


@pytest.mark.parametrize(
    ("sources", "addresses"),
    [
        (("files", "dns"), (THERE,)),
        (("dns", "files"), (HERE, SIX)),
        (("dns",), (HERE, SIX)),
        (("files",), (THERE,)),
        ((), (THERE,)),
    ],
)
async def test_nsswitch_says_who_is_asked_first(sources: tuple[str, ...], addresses: tuple[str, ...]) -> None:
    async with NameServer(KNOWN) as server:
        given = settings(server.address, hosts=(HostsLine(THERE, (NAME,), 1),), nsswitch=sources)
        assert (await go(NAME, given)).addresses == addresses


@pytest.mark.parametrize(
    ("sources", "addresses", "failure"),
    [(("dns", "files"), (THERE,), ""), (("dns",), (), "dns_not_found"), (("files",), (THERE,), "")],
)
async def test_files_after_dns_are_the_last_resort(
    sources: tuple[str, ...], addresses: tuple[str, ...], failure: str
) -> None:
    async with NameServer(code("NXDOMAIN")) as server:
        given = settings(server.address, hosts=(HostsLine(THERE, (NAME,), 1),), nsswitch=sources)
        by_go = await go(NAME, given)
    assert (by_go.addresses, by_go.failure) == (addresses, failure)


# ---- second opinions ---------------------------------------------------------------------------------------


async def test_public_servers_are_asked_with_consent_only() -> None:
    async with NameServer(KNOWN) as own, NameServer(table({FULL: [THERE]})) as public:
        without = world(public_servers=(public.address,))
        assert not await seen(NAME, settings(own.address), without, "public")
        assert public.asked == []
        found = await seen(NAME, settings(own.address), replace(without, public_dns=True), "public")
    assert found[0].addresses == (THERE,)
    assert found[0].server == public.address


@pytest.mark.parametrize("name", ["gitlab", "gitlab.corp", "nas.LOCAL.", "db.internal"])
async def test_names_of_one_house_are_not_told_to_strangers(name: str) -> None:
    async with NameServer(KNOWN) as own, NameServer(KNOWN) as public:
        await seen(name, settings(own.address), world(public_servers=(public.address,), public_dns=True))
    assert own.asked
    assert public.asked == []


async def test_dns_over_https_is_asked_as_rfc_8484_wants_it() -> None:
    async def answer(request: web.Request) -> web.Response:
        import base64

        assert request.headers["accept"] == "application/dns-message"
        packed = request.query["dns"]
        query = question.dns.message.from_wire(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4)))
        assert query.id == 0
        return web.Response(body=says(query, HERE, SIX), content_type="application/dns-message")

    async def refusal(_request: web.Request) -> web.Response:
        return web.Response(status=403)

    app = web.Application()
    app.router.add_get("/dns-query", answer)
    app.router.add_get("/no", refusal)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    place = f"127.0.0.1:{runner.addresses[0][1]}"
    base = f"http://{place}"
    try:
        async with NameServer(KNOWN) as own:
            where = replace(
                world(doh_urls=(f"{base}/dns-query", f"{base}/no", f"http://me:planted@{place}/x")),
                limits=Limits(resolve=5),
            )
            found = await seen(NAME, settings(own.address), where, "doh")
    finally:
        await runner.cleanup()
    assert "planted" not in repr(found)
    assert [(each.server, each.family, each.addresses, each.failure) for each in found[:4]] == [
        (f"{base}/dns-query", 4, (HERE,), ""),
        (f"{base}/dns-query", 6, (SIX,), ""),
        (f"{base}/no", 4, (), "dns_refused"),
        (f"{base}/no", 6, (), "dns_refused"),
    ]


# ---- the system's resolver ---------------------------------------------------------------------------------


async def test_the_system_is_asked_on_its_own_machine_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def found(name: str, *_args: object, **_more: object) -> list[Any]:
        return [(None, None, None, "", (THERE, 0))] if name == NAME else real(name, *_args, **_more)

    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", found)
    async with NameServer(KNOWN) as server:
        assert not await seen(NAME, settings(server.address), asker="system")
        (by_system,) = await seen(NAME, settings(server.address), replace(world(), places=Places()), "system")
    assert by_system.addresses == (THERE,)


async def test_a_system_resolver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    real, stop = socket.getaddrinfo, threading.Event()

    def hangs(name: str, *args: Any, **more: Any) -> Any:
        if name == NAME:
            stop.wait()
            raise socket.gaierror(socket.EAI_NONAME, "nobody listens any more")
        return real(name, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        async with NameServer(KNOWN) as server:
            (by_system,) = await seen(
                NAME, settings(server.address), replace(world(), places=Places()), "system"
            )
    finally:
        stop.set()
    assert by_system.failure == "dns_timeout"


# ---- the whole ---------------------------------------------------------------------------------------------


async def test_addresses_and_repeated_names_are_left_out() -> None:
    async with NameServer(KNOWN) as server:
        found = await probe_names(
            world(), settings(server.address), [NAME, "192.0.2.1", "2001:db8::1", "", NAME]
        )
    assert {each.name for each in found} == {NAME}
    assert len([each for each in found if each.asker == "go"]) == 1


@pytest.mark.parametrize("name", ["a..b", "-x.example", "x" * 64 + ".example", "exa mple", "\udc80", "1.2.3"])
async def test_what_is_no_name_is_not_found_and_breaks_nothing(name: str) -> None:
    async with NameServer(KNOWN) as server:
        by_go = await go(name, settings(server.address))
    assert (by_go.failure, by_go.addresses) == ("dns_not_found", ())


async def test_records_can_be_saved() -> None:
    import msgspec

    async with NameServer(KNOWN) as server:
        found = await seen(NAME, settings(server.address))
    assert json.loads(msgspec.json.encode(found))[0]["asker"] == "go"
