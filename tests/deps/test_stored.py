"""What a store remembers of its go.mod files: never more than they say."""

import os
import shutil
import sqlite3
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from goferry.deps import stored
from goferry.deps.stored import PLACE, Stored
from goferry.gomod.modfile import ModFileError
from goferry.gomod.modsummary import Summary, summarize
from goferry.gomod.module import Version

A = Version("example.org/A", "v1.0.0")
B = Version("example.org/b/v2", "v2.0.0")
MOD = b"module example.org/A\n\ngo 1.21\n\nrequire (\n\texample.org/b/v2 v2.0.0\n\texample.org/c v1.0.0\n)\n"
OTHER = MOD.replace(b"c v1.0.0", b"c v1.9.0")


def publish(store: Path, version: Version, data: bytes) -> Path:
    path = version.path.replace("A", "!a")
    file = store / path / "@v" / f"{version.version}.mod"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
    return file


@pytest.fixture
def store(tmp_path: Path) -> Path:
    publish(tmp_path, A, MOD)
    publish(tmp_path, B, b"module example.org/b/v2\n")
    return tmp_path


def ask(store: Path, *versions: Version) -> list[Summary | None]:
    """As a command does."""
    reader = Stored(store)
    reader.prepare(versions)
    found = [reader.get(version) for version in versions]
    reader.keep()
    return found


def lines(store: Path) -> list[str]:
    with closing(sqlite3.connect(store / PLACE)) as file:
        return [row[0] for row in file.execute("SELECT version FROM said ORDER BY id")]


def change(store: Path, statement: str) -> None:
    with closing(sqlite3.connect(store / PLACE)) as file, file:
        file.execute(statement)


def unreadable(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on no go.mod can be understood: what is known must come from what is written down."""

    def fail(name: str, _data: bytes) -> Summary:
        raise AssertionError(f"{name} is read")

    monkeypatch.setattr(stored, "summarize", fail)


def test_a_file_is_understood_once(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask(store, A, B)
    assert first == [summarize("", MOD), summarize("", b"module example.org/b/v2\n")]
    unreadable(monkeypatch)
    assert ask(store, A, B) == first


def test_without_being_prepared_each_is_read(store: Path) -> None:
    ask(store, A)
    assert Stored(store).get(A) == summarize("", MOD)


def test_what_is_not_in_the_store_is_not_known(store: Path) -> None:
    assert ask(store, Version("example.org/none", "v1.0.0"), Version("example.org/b", "a branch/x")) == [
        None,
        None,
    ]
    assert not (store / PLACE).exists()


def test_a_file_that_went_is_not_known_any_more(store: Path) -> None:
    ask(store, A)
    (store / "example.org/!a/@v/v1.0.0.mod").unlink()
    assert ask(store, A) == [None]


def test_a_file_that_was_replaced_is_read_again(store: Path) -> None:
    ask(store, A)
    file = store / "example.org/!a/@v/v1.0.0.mod"
    before = file.stat()
    new = file.with_suffix(".new")
    new.write_bytes(OTHER)
    os.utime(new, ns=(before.st_atime_ns, before.st_mtime_ns))
    new.replace(file)  # of the same size and time
    assert ask(store, A) == [summarize("", OTHER)]
    assert ask(store, A) == [summarize("", OTHER)]


@pytest.mark.skipif(sys.platform == "win32", reason="a file has no time there that it cannot be given")
def test_a_file_that_was_written_over_is_read_again(store: Path) -> None:
    ask(store, A)
    file = store / "example.org/!a/@v/v1.0.0.mod"
    before = file.stat()
    file.write_bytes(OTHER)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (file.stat().st_ino, file.stat().st_size) == (before.st_ino, before.st_size)
    assert ask(store, A) == [summarize("", OTHER)]


@pytest.mark.parametrize("odd", ["a b", "a\\nb", "\\u00e9", "a\\nb v1.0.0\\nc"])
def test_an_odd_path_is_read_each_time_and_never_taken_for_others(store: Path, odd: str) -> None:
    data = f'module "{odd}"\n\nrequire "{odd}" v1.0.0\n\nrequire example.org/c v1.0.0\n'.encode()
    publish(store, A, data)
    for _ in range(2):
        assert ask(store, A) == [summarize("", data)]


def test_what_cannot_be_understood_is_said_each_time(store: Path) -> None:
    publish(store, A, b"module\n")
    for _ in range(2):
        with pytest.raises(ModFileError):
            ask(store, A)


@pytest.mark.parametrize(
    "broken",
    [
        "UPDATE said SET said = replace(said, 'c v1.0.0', 'c v1.9.0')",
        "UPDATE said SET file = file || '0'",
        "UPDATE said SET sum = 0",
        "UPDATE said SET version = 'example.org/A@v1.0.1', key = 'example.org/!a/@v/v1.0.0.mod'",
        "PRAGMA user_version = 999",
        "PRAGMA application_id = 1",
        "DROP TABLE said",
    ],
)
def test_a_line_that_is_not_what_was_written_does_not_count(store: Path, broken: str) -> None:
    other = Version(A.path, "v1.0.1")
    publish(store, other, OTHER)
    ask(store, A)
    change(store, broken)
    for _ in range(2):
        assert ask(store, A, other) == [summarize("", MOD), summarize("", OTHER)]
    assert set(lines(store)) == {str(A), str(other)}


@pytest.mark.parametrize("size", [0, 10, 100, 5000])
def test_a_damaged_file_is_made_anew(store: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    ask(store, A, B)
    whole = (store / PLACE).read_bytes()
    (store / PLACE).write_bytes(whole[:size])
    assert ask(store, A) == [summarize("", MOD)]
    (store / PLACE).write_bytes(b"\xff" * len(whole))
    assert ask(store, A) == [summarize("", MOD)]
    unreadable(monkeypatch)
    assert ask(store, A) == [summarize("", MOD)]


def test_a_store_that_cannot_be_written_to_remembers_nothing(store: Path) -> None:
    (store / ".goferry").mkdir()
    (store / PLACE).mkdir()
    for _ in range(2):
        assert ask(store, A) == [summarize("", MOD)]


def test_who_has_to_wait_does_without(store: Path) -> None:
    ask(store, B)
    with closing(sqlite3.connect(store / PLACE, isolation_level=None)) as file:
        file.execute("BEGIN EXCLUSIVE")
        assert ask(store, A, B) == [summarize("", MOD), summarize("", b"module example.org/b/v2\n")]
        file.execute("ROLLBACK")
    assert lines(store) == [str(B)]


def test_many_at_once_agree(store: Path) -> None:
    versions = [Version(f"example.org/m{number}", "v1.0.0") for number in range(1200)]
    for version in versions:
        publish(store, version, b"module %s\n" % version.path.encode())
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: ask(store, *versions), range(4)):
            assert [summary and summary.module for summary in found] == [version.path for version in versions]
    assert set(lines(store)) == set(map(str, versions))


def test_the_oldest_lines_go(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_LINES", 4)
    versions = [Version(f"example.org/m{number}", "v1.0.0") for number in range(6)]
    for version in versions:
        publish(store, version, b"module %s\n" % version.path.encode())
        ask(store, version)
        assert len(lines(store)) <= 4
    assert lines(store) == [str(version) for version in versions[2:]]


def test_a_large_file_gets_smaller(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_BYTES", 200_000)
    for number in range(40):
        require = "".join(f"\texample.org/x{other} v1.0.{number}\n" for other in range(400))
        publish(
            store, Version(A.path, f"v1.0.{number}"), f"module {A.path}\nrequire (\n{require})\n".encode()
        )
        ask(store, Version(A.path, f"v1.0.{number}"))
    assert (store / PLACE).stat().st_size < 400_000
    assert 5 < len(lines(store)) < 40


def test_a_huge_go_mod_is_not_written_down(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST_TEXT", 10)
    assert ask(store, A) == [summarize("", MOD)]
    assert not (store / PLACE).exists()


def test_a_copy_of_a_store_finds_out_for_itself(store: Path, tmp_path: Path) -> None:
    ask(store, A)
    copy = tmp_path / "copy"
    shutil.copytree(store, copy, ignore=shutil.ignore_patterns("copy"))
    publish(copy, A, OTHER)
    assert ask(copy, A) == [summarize("", OTHER)]
    assert ask(store, A) == [summarize("", MOD)]
