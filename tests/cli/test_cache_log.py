"""`goferry cache log`: the own log at a terminal, and whether it is well."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.note import open_note, parse_verifier
from modtree import module
from proxyworld import world
from terminal import Said, goferry

LOG = "sums.example.org"
FILES = module("corp.example/a", "v1.0.0", "v1.1.0") | module("corp.example/b", "v1.0.0")
VERSIONS = [
    Version("corp.example/a", "v1.0.0"),
    Version("corp.example/a", "v1.1.0"),
    Version("corp.example/b", "v1.0.0"),
]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store whose log has three records."""

    async def fill() -> None:
        async with world(tmp_path, FILES, sumdb="off", own_log=LOG) as made:
            for version in VERSIONS:
                await made.proxy.prove_own(version)

    asyncio.run(fill())
    return tmp_path


def cache_log(store: Path, *words: str) -> Said:
    return goferry("cache", "log", *words, environ={"GOFERRY_STORE": str(store)})


def change(store: Path, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(store / ".goferry" / "log" / LOG / "records.sqlite")) as file:
        file.execute(statement, values)
        file.commit()


def test_it_shows_what_clients_need(store: Path) -> None:
    said = cache_log(store)
    assert said.code == 0
    lines = dict(line.split(": ", 1) for line in said.out.splitlines())
    assert lines["log"] == LOG
    assert lines["records"] == "3"
    assert parse_verifier(lines["for clients"].removeprefix("GOSUMDB=")).name == LOG


def test_env_prints_it_for_clients(store: Path) -> None:
    words = ("env", "--json", "--profile", "ci", "--private", "corp.example", "--url", "http://g:8080")
    without = goferry(*words, "--store", str(store)).json
    assert (without["GONOSUMDB"], without["GOSUMDB"]) == ("corp.example", "sum.golang.org")
    said = goferry(*words, "--store", str(store), "--own-log", LOG)
    key = cache_log(store, "--json").json["key"]
    assert said.json == without | {"GONOSUMDB": "none", "GOSUMDB": key}
    elsewhere = goferry(*words, "--own-log", f"{key} https://goferry.example/sumdb/{LOG}")
    assert elsewhere.json == said.json
    none = goferry(*words, "--store", str(store), "--own-log", "other.example.org")
    assert none.code == 1
    assert "there is no log other.example.org" in none.err


def test_it_speaks_json(store: Path) -> None:
    found = cache_log(store, "--own-log", LOG, "--json").json
    assert set(found) == {"name", "key", "size", "hash", "head"}
    note = open_note(found["head"].encode(), [parse_verifier(found["key"])])
    assert tlog.parse_tree(note.text) == tlog.Tree(found["size"], tlog.parse_hash(found["hash"]))


def test_the_private_key_is_not_needed_and_not_shown(store: Path) -> None:
    key = store / ".goferry" / "log" / LOG / "key"
    secret = key.read_text().strip()
    key.unlink()
    for words in ((), ("--json",), ("--verify",)):
        said = cache_log(store, *words)
        assert said.code == 0
        assert secret[-20:] not in said.out + said.err


def test_verify_compares_the_log_with_the_store(store: Path) -> None:
    found = cache_log(store, "--verify", "--json")
    assert (found.code, found.json["check"]) == (0, {"records": 3, "files": 6, "faults": []})
    assert "3 records hashed, 6 files" in cache_log(store, "--verify").out


def test_verify_names_a_file_that_differs(store: Path) -> None:
    (store / "corp.example/b/@v/v1.0.0.mod").write_text("module corp.example/b\n")
    (store / "corp.example/a/@v/v1.1.0.zip").write_bytes(b"no zip")
    found = cache_log(store, "--verify", "--json")
    assert found.code == 1
    faults = {(fault["module"], fault["record"]) for fault in found.json["check"]["faults"]}
    assert faults == {("corp.example/a@v1.1.0", 1), ("corp.example/b@v1.0.0", 2)}


@pytest.mark.parametrize(
    ("statement", "record"),
    [
        ("UPDATE hashes SET hash = zeroblob(32) WHERE id = 1", 1),
        ("UPDATE records SET text = CAST(replace(text, 'h1:', 'h1:A') AS BLOB) WHERE id = 2", 2),
        ("UPDATE records SET text = x'ff0a' WHERE id = 0", 0),
        ("DELETE FROM records WHERE id = 1", 2),
        ("DELETE FROM hashes WHERE id = 1", 1),
    ],
)
def test_verify_names_a_record_that_was_changed(store: Path, statement: str, record: int) -> None:
    change(store, statement)
    found = cache_log(store, "--verify", "--json")
    assert found.code == 1
    assert [fault["record"] for fault in found.json["check"]["faults"]] == [record]


def test_a_log_that_is_less_than_was_signed(store: Path) -> None:
    change(store, "DELETE FROM records WHERE id = 2")
    change(store, "DELETE FROM hashes WHERE id = 3")
    said = cache_log(store)
    assert said.code == 1
    assert "has 2 records, and had 3 before" in said.err


def test_a_damaged_log_is_one_clear_line(store: Path) -> None:
    (store / ".goferry" / "log" / LOG / "records.sqlite").write_bytes(b"nonsense" * 1000)
    said = cache_log(store)
    assert said.code == 1
    assert "is damaged" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--own-log", "other.example.org"), "there is no log other.example.org"),
        (("--own-log", "two words"), "own_log"),
        (
            ("--own-log", "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"),
            "is kept elsewhere",
        ),
    ],
)
def test_a_log_that_is_not_here(store: Path, words: tuple[str, ...], message: str) -> None:
    said = cache_log(store, *words)
    assert said.code in (1, 2)
    assert message in said.err
    assert not (store / ".goferry" / "log" / "other.example.org").exists()


def test_a_store_without_a_log(tmp_path: Path) -> None:
    said = cache_log(tmp_path)
    assert said.code == 1
    assert "there is no log in the store" in said.err
    assert not (tmp_path / ".goferry" / "log").exists()


def test_of_several_logs_one_must_be_named(store: Path) -> None:
    async def another() -> None:
        async with world(store, FILES, sumdb="off", own_log="more.example.org"):
            pass

    asyncio.run(another())
    assert "which log?" in cache_log(store).err
    assert json.loads(cache_log(store, "--own-log", "more.example.org", "--json").out)["size"] == 0
