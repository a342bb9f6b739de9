import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from doctor.probes.probeworld import world
from goferry.doctor.evidence import HostsLine, ResolvConf, SettingsSeen
from goferry.doctor.probes.reach import http_client, resolver_of
from goferry.lab.dns import Behaviour, DnsServer
from goferry.lab.tcp import Listener
from goferry.net import Failure, NetError
from goferry.net.resolver import SystemResolver

NAME = "mirror.corp.example"
RECORDS = {NAME: ["127.0.0.1"]}


@asynccontextmanager
async def asked(name: str, server: DnsServer, home: Path, **resolv: object) -> AsyncIterator[tuple[str, ...]]:
    """The addresses of a name by a server, with this resolv.conf."""
    async with server:
        conf = ResolvConf(exists=True, servers=(server.address,), **resolv)  # type: ignore[arg-type]
        resolver = resolver_of(world(home, {"resolve": 0.5}), conf)
        try:
            yield (await resolver.lookup(name)).addresses
        finally:
            await resolver.close()


SEARCHES = [
    (NAME, (), 1, [NAME]),
    ("mirror", ("corp.example.",), 1, [NAME]),
    ("mirror", ("other.example", "corp.example"), 1, ["mirror.other.example", NAME]),
    ("mirror.corp", ("example",), 5, [NAME]),
    ("mirror.corp", ("example",), 1, ["mirror.corp", NAME]),
]


@pytest.mark.parametrize(("name", "search", "ndots", "queries"), SEARCHES)
async def test_names_are_asked_for_as_the_search_list_says(
    name: str, search: tuple[str, ...], ndots: int, queries: list[str], tmp_path: Path
) -> None:
    server = DnsServer(RECORDS)
    async with asked(name, server, tmp_path, search=search, ndots=ndots) as addresses:
        assert addresses == ("127.0.0.1",)
    assert list(dict.fromkeys(query for query, _kind in server.queries)) == queries


TROUBLES = [
    (Behaviour.NXDOMAIN, Failure.DNS_NOT_FOUND),
    (Behaviour.SERVFAIL, Failure.DNS_SERVER_FAILURE),
    (Behaviour.SILENCE, Failure.DNS_TIMEOUT),
]


@pytest.mark.parametrize(("behaviour", "failure"), TROUBLES)
async def test_what_a_server_fails_with_is_what_comes_of_the_name(
    behaviour: Behaviour, failure: Failure, tmp_path: Path
) -> None:
    server = DnsServer(RECORDS, behaviour)
    with pytest.raises(NetError) as caught:
        async with asked("mirror.corp", server, tmp_path, search=("example",)):
            pass
    assert caught.value.kind is failure
    # Only "not found" goes on to the next full name.
    names = {query for query, _kind in server.queries}
    assert names == ({"mirror.corp", NAME} if behaviour is Behaviour.NXDOMAIN else {"mirror.corp"})


async def test_the_second_server_is_asked_when_the_first_is_dead(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as dead:
        dead.bind(("127.0.0.1", 0))
        async with DnsServer(RECORDS) as server:
            servers = (f"127.0.0.1:{dead.getsockname()[1]}", server.address)
            resolver = resolver_of(world(tmp_path, {"resolve": 0.3}), ResolvConf(True, servers))
            assert (await resolver.lookup(NAME)).addresses == ("127.0.0.1",)
            await resolver.close()


def test_without_a_server_that_can_be_asked_the_system_is(tmp_path: Path) -> None:
    here = world(tmp_path)
    assert isinstance(resolver_of(here, ResolvConf(exists=False)), SystemResolver)
    assert isinstance(resolver_of(here, ResolvConf(True, ("300.1.1.1:53", "x"))), SystemResolver)


async def test_the_hosts_file_comes_first_and_odd_lines_do_not_matter(tmp_path: Path) -> None:
    lines = (HostsLine("not-an-address", (NAME,), 1), HostsLine("127.0.0.1", (NAME, "other"), 2))
    seen = SettingsSeen(hosts=lines)
    async with (
        Listener(b"HTTP/1.1 204 No Content\r\n\r\n") as server,
        http_client(world(tmp_path), seen) as client,
        client.get(f"http://{NAME}:{server.port}/") as response,
    ):
        assert response.status == 204
