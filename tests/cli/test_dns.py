"""`goferry dns`: the whole command against name servers and TLS servers on loopback."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from goferry.cli import dns as command
from goferry.doctor.base import Limits, Places, World
from goferry.doctor.dns import question
from goferry.lab.tls import Authority, Leaf
from scriptedns import NameServer, table
from terminal import Said, goferry
from tlsthread import background, tls_servers

NAME, FULL = "module.example.org", "module.example.org."
RIGHT, WRONG = "127.0.0.1", "127.0.0.2"


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    authority = Authority()
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.write_bytes(authority.pem)
    contexts = {
        RIGHT: authority.server_context([NAME]),
        WRONG: authority.server_context([NAME], Leaf.WRONG_HOST),
    }
    with background(tls_servers(contexts)) as port:
        yield port, ca


class Bench:
    """Name servers for this machine and for the public, and the command among them."""

    def __init__(self, folder: Path, tls: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._port, self._ca = tls
        self._monkeypatch = monkeypatch
        monkeypatch.setattr(question, "LISTEN", 0.02)
        monkeypatch.setattr(question, "LISTEN_SUSPICIOUS", 0.02)

    def run(
        self, own: NameServer, *arguments: str, public: NameServer | None = None, hosts: str = ""
    ) -> Said:
        files = {"resolv_conf": "nameserver 127.0.0.1\n", "hosts": hosts, "nsswitch": "hosts: files dns\n"}
        for name, text in files.items():
            (self._folder / name).write_text(text)
        places = Places(**{name: self._folder / name for name in files})
        environ = {"SSL_CERT_FILE": str(self._ca), "SSL_CERT_DIR": str(self._folder / "none")}
        port = int(own.address.rpartition(":")[2])

        def world_of(_console: object, *, public_dns: bool = False) -> World:
            world = World(environ, self._folder, self._folder, places, public_dns=public_dns, dns_port=port)
            servers = (public.address,) if public else ()
            return replace(world, public_servers=servers, limits=Limits(resolve=0.3))

        self._monkeypatch.setattr(command, "world_of", world_of)
        return goferry("dns", NAME, "--port", str(self._port), "--rounds", "2", *arguments)


@pytest.fixture
def bench(tmp_path: Path, tls: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(tmp_path, tls, monkeypatch)


def keys(said: Said) -> tuple[int, str, str]:
    data: Any = said.json
    return said.code, data["names"][0]["finding"], data["advice"]["key"]


def test_a_right_answer_is_no_fault(bench: Bench) -> None:
    with background(NameServer(table({FULL: [RIGHT]}))) as own:
        said = bench.run(own, "--json")
    # 127.0.0.1 is an address of this machine alone, and TLS verified there all the same.
    assert keys(said) == (0, "internal", "nothing")
    assert [each["key"] for each in said.json["remedies"]] == ["current", "stub"]
    assert all(each["right"] and not each["failures"] for each in said.json["remedies"])


def test_a_lie_is_proven_with_a_second_opinion(bench: Bench) -> None:
    with (
        background(NameServer(table({FULL: [WRONG]}))) as own,
        background(NameServer(table({FULL: [RIGHT]}))) as public,
    ):
        said = bench.run(own, "--public-dns", "--json", public=public)
        assert keys(said) == (1, "wrong_address", "other_server")
        people = bench.run(own, "--public-dns", public=public)
    assert f"{WRONG}, which is answered here, is not the host's" in people.out
    assert "nameserver 127.0.0.1" in people.out
    assert "≠" in people.out


def test_public_servers_are_not_asked_without_consent(bench: Bench) -> None:
    with (
        background(NameServer(table({FULL: [WRONG]}))) as own,
        background(NameServer(table({FULL: [RIGHT]}))) as public,
    ):
        said = bench.run(own, "--json", public=public)
        assert public.asked == []
    assert said.json["names"][0]["finding"] == "bogon"
    assert said.json["advice"]["key"] == "ask_network"


def test_a_wrong_line_of_the_hosts_file_is_named(bench: Bench) -> None:
    with background(NameServer(table({FULL: [RIGHT]}))) as own:
        said = bench.run(own, "--json", hosts=f"# mine\n{WRONG} {NAME}\n")
    assert keys(said) == (1, "hosts_wrong", "hosts_file")
    assert "line 2" in said.json["names"][0]["sentence"]["text"]


def test_without_rounds_nothing_is_measured(bench: Bench) -> None:
    with background(NameServer(table({FULL: [RIGHT]}))) as own:
        said = bench.run(own, "--rounds", "0", "--json")
    assert said.json["remedies"] == []
    assert said.json["advice"] is None


def test_the_page_for_people_shows_everybody_who_was_asked(bench: Bench) -> None:
    with background(NameServer(table({FULL: [RIGHT]}))) as own:
        said = bench.run(own)
        assert f"{own.address} tcp A" in said.out
    assert "TLS verified" in said.out
    assert "local cache" in said.out
    assert "Advice: " in said.out


@pytest.mark.parametrize("name", ["a b", "192.0.2.1", "", "a..b"])
def test_what_is_no_name_is_refused(name: str) -> None:
    assert goferry("dns", name).code == 2
