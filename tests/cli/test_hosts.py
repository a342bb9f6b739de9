"""`goferry hosts`: only proven addresses are written, only our own lines change, and one command takes it all back."""

import datetime
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from goferry.cli import hosts as command
from goferry.doctor import hostsedit, hostsfile
from goferry.lab.tls import Authority, Leaf
from terminal import Said, goferry
from tlsthread import background, tls_servers

NAME = "module.example.org"
GOOD, WRONG, CLOSED = "127.0.0.1", "127.0.0.2", "127.0.0.3"
OLD = b"127.0.0.1\tlocalhost\r\n# \xfcber\n10.0.0.5 gitlab.corp"
TODAY = datetime.date(2026, 11, 23)


class Bench:
    """A hosts file, a home for backups, servers whose authority is trusted, and the command."""

    def __init__(self, folder: Path, port: int, ca: Path) -> None:
        self.file = folder / "hosts"
        self.file.write_bytes(OLD)
        self.home = folder / "home"
        self._port = port
        self._environ = {
            "HOME": str(self.home),
            "SSL_CERT_FILE": str(ca),
            "SSL_CERT_DIR": str(folder / "none"),
        }

    def run(self, *arguments: str, **more: Any) -> Said:
        lang = arguments[-2:] if "--lang" in arguments else ()
        arguments = arguments[:-2] if lang else arguments
        return goferry(*lang, "hosts", *arguments, "--file", str(self.file), environ=self._environ, **more)

    def pin(self, *arguments: str, **more: Any) -> Said:
        return self.run("pin", NAME, "--port", str(self._port), *arguments, **more)

    def backups(self) -> list[Path]:
        return [path for path in self.home.rglob("*") if path.is_file()]


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    authority = Authority()
    ca = tmp_path_factory.mktemp("ca") / "ca.pem"
    ca.write_bytes(authority.pem)
    contexts = {
        GOOD: authority.server_context([NAME, "other.example.org"]),
        WRONG: authority.server_context([NAME], Leaf.WRONG_HOST),
    }
    with background(tls_servers(contexts)) as port:
        yield port, ca


@pytest.fixture
def bench(tmp_path: Path, servers: tuple[int, Path], monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(command, "_today", lambda: TODAY)
    return Bench(tmp_path, *servers)


# ---- pin ---------------------------------------------------------------------------------------------------


def test_only_addresses_whose_handshake_verified_are_written(bench: Bench) -> None:
    said = bench.pin("--address", WRONG, "--address", CLOSED, "--address", GOOD, "--json")
    assert said.code == 0, said.err
    assert said.json["pinned"] == [{"name": NAME, "addresses": [GOOD], "expires": "2026-11-30"}]
    assert {(each["address"], each["failure"]) for each in said.json["refused"]} == {
        (WRONG, "tls_wrong_host"),
        (CLOSED, "connect_refused"),
    }
    assert bench.file.read_bytes() == hostsfile.pin(OLD, NAME, [GOOD], datetime.date(2026, 11, 30))


def test_nothing_is_written_when_no_handshake_verified(bench: Bench) -> None:
    said = bench.pin("--address", WRONG)
    assert said.code == 1
    assert "its certificate is for another name" in said.out
    assert bench.file.read_bytes() == OLD
    assert not bench.backups()


def test_an_authority_that_is_not_trusted_proves_nothing(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(Authority("somebody else").pem)
    bench._environ["SSL_CERT_FILE"] = str(other)
    assert bench.pin("--address", GOOD).code == 1
    assert bench.file.read_bytes() == OLD


def test_a_dry_run_shows_the_diff_and_changes_nothing(bench: Bench) -> None:
    said = bench.pin("--address", GOOD, "--dry-run")
    assert said.code == 0
    assert f"+{GOOD}\t{NAME}\r\n" in said.out
    assert "would be pinned" in said.out
    assert "\\ No newline at end of file" in said.out
    assert bench.file.read_bytes() == OLD
    assert not bench.backups()


def test_days_set_the_last_day(bench: Bench) -> None:
    bench.pin("--address", GOOD, "--days", "30")
    assert b"expires 2026-12-23" in bench.file.read_bytes()


def test_the_output_says_how_to_go_back_and_that_a_pin_rots(bench: Bench) -> None:
    said = bench.pin("--address", GOOD)
    assert f"goferry hosts restore --file {bench.file}" in said.out
    assert "rots" in said.err


def test_a_line_of_the_users_own_for_the_same_name_is_told(bench: Bench) -> None:
    bench.file.write_bytes(b"192.0.2.66 " + NAME.encode() + b"\n")
    said = bench.pin("--address", GOOD, "--json")
    assert said.json["warnings"][0]["parts"]["address"] == "192.0.2.66"


@pytest.mark.parametrize("name", ["a_b.example", "192.0.2.1", "localhost", "a b", "*.example.org"])
def test_what_is_no_host_name_is_refused(bench: Bench, name: str) -> None:
    said = bench.run("pin", name, "--address", GOOD)
    assert said.code == 2
    assert bench.file.read_bytes() == OLD


def test_without_an_address_the_name_servers_are_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from goferry.doctor.dns import candidates

    async def found(_world: object, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return dict.fromkeys(names, (WRONG, GOOD))

    monkeypatch.setattr(candidates, "candidates", found)
    said = bench.pin("--json")
    assert said.json["pinned"][0]["addresses"] == [GOOD]


def test_an_edit_of_somebody_else_while_addresses_are_tried_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from goferry.doctor.dns import candidates

    async def edited(_world: object, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        bench.file.write_bytes(OLD + b"\r\n192.0.2.9 theirs\r\n")
        return dict.fromkeys(names, (GOOD,))

    monkeypatch.setattr(candidates, "candidates", edited)
    assert bench.pin().code == 0
    assert bench.file.read_bytes().startswith(OLD + b"\r\n192.0.2.9 theirs\r\n# goferry begin")
    bench.run("remove", "--all")
    assert bench.file.read_bytes() == OLD + b"\r\n192.0.2.9 theirs\r\n"


def test_pins_at_the_same_time_all_stay(bench: Bench) -> None:
    names = [f"n{number}.example.org" for number in range(6)]
    file = hostsedit.HostsFile(bench.file, bench.home / "backups")

    def pin(name: str) -> None:
        with file.locked():
            before = file.read()
            file.write(before, hostsfile.pin(before, name, [GOOD], TODAY), retry="")

    with ThreadPoolExecutor(len(names)) as pool:
        assert list(pool.map(pin, names)) == [None] * len(names)
    assert sorted(block.name for block in hostsfile.parse(bench.file.read_bytes()).blocks) == names
    assert not bench.backups(), "a lock is no litter"


def test_a_name_that_nobody_knows_is_said_to_be_unknown(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from goferry.doctor.dns import candidates

    async def nothing(_world: object, names: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
        return dict.fromkeys(names, ())

    monkeypatch.setattr(candidates, "candidates", nothing)
    said = bench.pin()
    assert said.code == 1
    assert "nobody who may be asked knows an address" in said.err


def test_json_is_the_same_in_every_language(bench: Bench) -> None:
    english, chinese = (bench.pin("--address", WRONG, "--json", "--lang", lang) for lang in ("en", "zh_CN"))
    assert english.out == chinese.out


# ---- list, remove, restore ---------------------------------------------------------------------------------


def test_list_shows_expired_and_broken_entries(bench: Bench) -> None:
    data = hostsfile.pin(OLD, "old.example", ["192.0.2.1"], TODAY - datetime.timedelta(1))
    data = hostsfile.pin(data, "new.example", ["192.0.2.2", "2001:db8::2"], TODAY)
    bench.file.write_bytes(data + b"# goferry begin broken.example expires 2026-01-01\n")
    said = bench.run("list", "--json")
    assert [(pin["name"], pin["expired"]) for pin in said.json["pins"]] == [
        ("old.example", True),
        ("new.example", False),
    ]
    assert [broken["line"] for broken in said.json["broken"]] == [11]
    people = bench.run("list")
    assert "expired on 2026-11-22" in people.out
    assert "192.0.2.2 2001:db8::2  until 2026-11-23" in people.out
    assert "not whole" in people.err


def test_remove_takes_out_what_is_named(bench: Bench) -> None:
    bench.pin("--address", GOOD)
    said = bench.run("remove", NAME.upper() + ".", "--json")
    assert (said.code, said.json["removed"]) == (0, [NAME])
    assert bench.file.read_bytes() == OLD
    assert not bench.backups(), "a backup that nobody needs any more is litter"


def test_remove_takes_out_what_has_expired(bench: Bench) -> None:
    fresh = hostsfile.pin(OLD, "new.example", ["192.0.2.2"], TODAY)
    bench.file.write_bytes(hostsfile.pin(fresh, "old.example", ["192.0.2.1"], TODAY - datetime.timedelta(1)))
    assert bench.run("remove", "--expired").code == 0
    assert bench.file.read_bytes() == fresh


def test_removing_what_is_not_pinned_is_told(bench: Bench) -> None:
    said = bench.run("remove", "unknown.example")
    assert said.code == 1
    assert "unknown.example is not pinned" in said.err
    assert bench.file.read_bytes() == OLD


def test_remove_wants_to_know_what(bench: Bench) -> None:
    assert bench.run("remove").code == 2


def test_restore_brings_the_old_bytes_back(bench: Bench) -> None:
    bench.pin("--address", GOOD)
    bench.run("pin", "other.example.org", "--port", str(bench._port), "--address", GOOD)
    said = bench.run("restore", "--json")
    assert (said.code, said.json["from_backup"]) == (0, True)
    assert bench.file.read_bytes() == OLD
    assert not bench.backups()


def test_restore_keeps_what_others_have_written_since(bench: Bench) -> None:
    bench.pin("--address", GOOD)
    bench.file.write_bytes(bench.file.read_bytes() + b"192.0.2.9 theirs\n")
    said = bench.run("restore")
    assert "changed by others" in said.err
    assert bench.file.read_bytes() == OLD + b"\n192.0.2.9 theirs\n" or (
        bench.file.read_bytes() == OLD + b"\r\n192.0.2.9 theirs\n"
    )
    assert bench.run("restore", "--force").code == 0
    assert bench.file.read_bytes() == OLD


def test_restore_without_a_backup_takes_the_blocks_out(bench: Bench) -> None:
    bench.file.write_bytes(hostsfile.pin(OLD, NAME, [GOOD], TODAY))
    assert bench.run("restore").code == 0
    assert bench.file.read_bytes() == OLD


def test_restore_of_an_untouched_file_says_so(bench: Bench) -> None:
    said = bench.run("restore")
    assert said.code == 1
    assert "nothing of goferry's" in said.err


# ---- trouble with the file ---------------------------------------------------------------------------------


def test_without_permission_there_is_one_line_with_the_command_to_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(hostsedit, "rewrite", denied)
    said = bench.pin("--address", GOOD)
    assert said.code == 1
    assert (
        f"sudo goferry hosts pin {NAME} --address {GOOD} --port {bench._port} --file {bench.file}" in said.err
    )
    assert len(said.err.strip().splitlines()) == 2, "one line that says what, one that says what to do"
    assert bench.file.read_bytes() == OLD
    assert not bench.backups()


def test_a_file_that_is_not_there_is_said_to_be_missing(bench: Bench) -> None:
    bench.file.unlink()
    assert bench.run("list").code == 2
    assert not bench.file.exists()


def test_a_file_in_utf_16_is_refused_before_anybody_is_asked(bench: Bench) -> None:
    bench.file.write_bytes("127.0.0.1 localhost\n".encode("utf-16"))
    said = bench.pin("--address", GOOD)
    assert said.code == 2
    assert "UTF-16" in said.err


def test_the_mode_of_the_file_stays(bench: Bench) -> None:
    bench.file.chmod(0o640)
    bench.pin("--address", GOOD)
    assert stat.S_IMODE(bench.file.stat().st_mode) == 0o640


def test_caches_are_emptied_only_when_asked(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from goferry.doctor import flush

    cache = flush.Cache("test", "any", "sh", (), (("sh", "-c", "exit $STATUS"),), needs_root=False)
    monkeypatch.setattr(flush, "caches", lambda *_args: (cache,))
    bench._environ["PATH"] = "/usr/bin:/bin"
    bench._environ["STATUS"] = "0"
    said = bench.pin("--address", GOOD)
    assert "then: sh -c" in said.out
    said = bench.run("remove", NAME, "--flush")
    assert "emptied: sh -c" in said.out
    bench._environ["STATUS"] = "3"
    said = bench.pin("--address", GOOD, "--flush")
    assert "failed: 3" in said.err
