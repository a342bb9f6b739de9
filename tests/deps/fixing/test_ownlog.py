"""New go.sum lines of private modules against a log of one's own: goferry's in the store, or one over the network."""

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import pytest

import proxyworld
from fixworlds import FixWorld, small_world, snapshot
from goferry import i18n
from goferry.deps.fixing.form import to_json
from goferry.deps.fixing.mending import Fix, mend
from goferry.deps.fixing.sums import OwnLog
from goferry.deps.fixing.writing import write
from goferry.deps.gate.proving import How
from goferry.deps.sources import load
from goferry.deps.supply import ProxySupply
from goferry.gomod import dirhash
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.memlog import Lie
from goferry.proxy.ownlog import log_path, record_text
from modtree import module_zip
from proxyworld import World
from terminal import goferry

pytestmark = pytest.mark.go

LOG = "sums.example.org"
X, Y = Version("example.org/x", "v1.1.0"), Version("example.org/y", "v1.0.0")
KEYS = sorted(f"{version}{suffix}" for version in (X, Y) for suffix in ("", "/go.mod"))
OTHER = module_zip(Y.path, Y.version, {"go.mod": b"module example.org/y\n", "p.go": b"package y\n"})
"""Not the zip of y that the world has."""


def served(world: FixWorld, **changes: Any) -> Any:
    """A proxy with an own log, for which every module of the world is private."""
    files = {name.removeprefix("/"): body for name, body in snapshot(world.proxy).items()}
    settings = {"private": "example.org", "own_log": LOG, "attempts": 1, **changes}
    return proxyworld.world(world.folder / "store", files, **settings)


async def mended(world: FixWorld, proxy: Any, log: str = LOG) -> Fix:
    supply = ProxySupply(proxy)
    return await mend(load(world.start), supply, world.affecting, own=OwnLog(log, supply.prove_own))


def keys(lines: Any) -> list[str]:
    return sorted(str(one.line.module) for one in lines)


async def test_the_own_log_proves_the_new_lines(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world) as made:
        first = await mended(world, made.proxy)
        again = await mended(world, await made.another(offline=True, upstream="off"))
    assert (first.problems, first.unsigned, keys(first.own), first.own_log) == ((), (), KEYS, LOG)
    assert ({one.is_new for one in first.own}, {one.is_new for one in again.own}) == ({True}, {False})
    assert (again.problems, again.unsigned, keys(again.own)) == ((), (), KEYS)
    write(again.changes)
    world.must("build", "-mod=readonly", "./...")


async def test_what_the_public_database_signs_is_not_asked_of_the_own_log(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world, private="") as made:
        fix = await mended(world, made.proxy)
    assert (fix.problems, fix.unsigned, fix.own) == ((), (), ())


async def test_bytes_that_the_own_log_contradicts_are_refused(tmp_path: Path) -> None:
    """The record is true to the log; the file in the store is another by now."""
    world = small_world(tmp_path)
    async with served(world) as made:
        await mended(world, made.proxy)
        (made.root / request_path(Kind.ZIP, Y.path, Y.version)).write_bytes(OTHER)
        fix = await mended(world, await made.another())
    assert [(one.about, one.why.code) for one in fix.problems] == [(str(Y), "verify_failed")]
    assert f"but {LOG} says" in str(fix.problems[0].why)
    assert str(Y) not in keys(fix.own) + keys(fix.unsigned)


async def test_a_moved_tag_is_refused_when_the_copy_is_gone(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world) as made:
        await mended(world, made.proxy)
        await made.proxy.idle()
        shutil.rmtree(made.root / "example.org")
        made.tree.files[request_path(Kind.ZIP, Y.path, Y.version)] = OTHER
        fix = await mended(world, await made.another())
    assert fix.problems != ()
    assert {one.why.code for one in fix.problems} == {"verify_failed"}


async def test_a_log_that_was_rewritten_vouches_for_nothing(tmp_path: Path) -> None:
    """Record and leaf hash fit each other and the bytes in the store, but not the tree that was signed."""
    world = small_world(tmp_path)
    async with served(world) as made:
        await made.proxy.prove_own(Y)
        await mended(world, made.proxy)
        zip_h1 = proxyworld.zip_hash(OTHER)
        mod_h1 = dirhash.hash_go_mod(made.tree.files[request_path(Kind.MOD, Y.path, Y.version)])
        text = record_text(Y, zip_h1, mod_h1)
        with closing(sqlite3.connect(log_path(made.proxy.store, LOG))) as file:
            file.execute("UPDATE records SET text = ? WHERE id = 0", [text])
            file.execute("UPDATE hashes SET hash = ? WHERE id = 0", [tlog.record_hash(text)])
            file.commit()
        (made.root / request_path(Kind.ZIP, Y.path, Y.version)).write_bytes(OTHER)
        fix = await mended(world, await made.another())
    assert (sorted(one.about for one in fix.problems), fix.own, fix.unsigned) == (KEYS, (), ())


# ---- another goferry's -----------------------------------------------------------------------------------------


async def remote(made: World, **changes: Any) -> Any:
    """The lab's database, which knows private modules, in the place of another goferry."""
    return await made.another(own_log=made.tree.log.verifier_key, sumdb="off", private="", **changes)


async def test_a_log_over_the_network_proves_and_proves_again_offline(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world, own_log="") as made:
        for offline in (False, True):
            fix = await mended(world, await remote(made, offline=offline), "sum.example.org")
            assert (fix.problems, fix.unsigned, keys(fix.own)) == ((), (), KEYS)
            assert {one.is_new for one in fix.own} == {False}


async def test_what_a_log_over_the_network_does_not_have_stays_unsigned(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world, own_log="") as made:
        del made.tree.truth[request_path(Kind.ZIP, Y.path, Y.version)]
        fix = await mended(world, await remote(made), "sum.example.org")
    assert (fix.problems, keys(fix.own)) == ((), [str(X), f"{X}/go.mod"])
    assert keys(fix.unsigned) == [str(Y), f"{Y}/go.mod"]
    assert {(one.how, str(one.why)) for one in fix.unsigned} == {
        (How.BYTES, f"{Y} is not in sum.example.org")
    }


async def test_a_log_over_the_network_that_cannot_be_asked_leaves_them_unsigned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = small_world(tmp_path)
    async with served(world, own_log="") as made:
        place = f"{made.tree.log.verifier_key} http://127.0.0.1:9/"
        proxy = await made.another(own_log=place, sumdb="off", private="")
        fix = await mended(world, proxy, "sum.example.org")
    assert (fix.problems, fix.own, keys(fix.unsigned)) == ((), (), KEYS)
    assert all(one.why is not None and "127.0.0.1:9" in str(one.why) for one in fix.unsigned)
    english = to_json(fix, None)
    monkeypatch.setattr(i18n, "_current", ContextVar("language", default="zh_CN"))
    assert str(fix.unsigned[0].why) != english["unsigned"][0]["why"]
    assert to_json(fix, None) == english


async def test_a_log_over_the_network_that_contradicts_is_refused(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world, own_log="") as made:
        made.tree.truth[request_path(Kind.ZIP, Y.path, Y.version)] = OTHER
        fix = await mended(world, await remote(made), "sum.example.org")
    assert [(one.about, one.why.code) for one in fix.problems] == [(str(Y), "verify_failed")]
    assert keys(fix.own) == [str(X), f"{X}/go.mod", f"{Y}/go.mod"]


@pytest.mark.parametrize("lie", [Lie.FORK, Lie.WRONG_RECORD, Lie.WRONG_KEY, Lie.FORGED_RECORD])
async def test_a_log_over_the_network_that_lies_is_refused(lie: Lie, tmp_path: Path) -> None:
    world = small_world(tmp_path)
    async with served(world, own_log="") as made:
        made.tree.log.find(X)
        proxy = await remote(made)
        await proxy.prove_own(X)
        made.tree.answers.lie = lie
        fix = await mended(world, proxy, "sum.example.org")
    assert fix.problems != ()
    assert str(Y) not in keys(fix.own) + keys(fix.unsigned)


# ---- the command -----------------------------------------------------------------------------------------------


def command(world: FixWorld, *words: str, log: str = LOG) -> Any:
    flaw = {
        "id": "GO-2026-0001", "modified": "2026-01-01T00:00:00Z",
        "affected": [{
            "package": {"name": X.path, "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.1.0"}]}],
        }],
    }  # fmt: skip
    db = world.folder / "db"
    db.mkdir(exist_ok=True)
    (db / "GO-2026-0001.json").write_text(json.dumps(flaw))
    return goferry(
        "deps", "fix", *words, "--db", str(db), "--goproxy", world.proxy.as_uri(), "--sumdb", "off",
        "--private", "example.org", "--store", str(world.folder / "store"), "--own-log", log, cwd=world.start,
    )  # fmt: skip


def test_the_command_says_what_has_signed_the_lines_and_the_gate_agrees(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = command(world)
    assert said.out.endswith(
        f"\n4 new lines of go.sum are of private modules: the own log {LOG} has signed them.\n"
        "4 of them were recorded only now; nothing older vouches for them.\n"
        "Nothing was written: --apply does.\n"
    )
    written = command(world, "--apply", "--json")
    assert (written.code, written.json["gate"]["verdict"], written.json["unsigned"]) == (0, "passed", [])
    assert written.json["own_log"]["name"] == LOG
    assert [one["new"] for one in written.json["own_log"]["lines"]] == [False] * 4
    assert {"path": Y.path, "version": "v1.0.0/go.mod", "new": False} in written.json["own_log"]["lines"]


def test_the_command_names_the_reason_and_the_gate_does_not_pass(tmp_path: Path) -> None:
    """A log whose key is known, and that nobody answers for."""
    world = small_world(tmp_path)
    log = f"{proxyworld.Tree({}).log.verifier_key} http://127.0.0.1:9/"
    words = ("--attempts", "1")
    said = command(world, *words, log=log)
    assert "4 new lines of go.sum are of private modules: no database has signed them.\n" in said.out
    assert "127.0.0.1:9" in said.out
    found = command(world, *words, "--apply", "--json", log=log)
    assert (found.code, found.json["gate"]["verdict"]) == (3, "unproven")
    assert {one["path"] for one in found.json["unsigned"]} == {X.path, Y.path}
    assert all("127.0.0.1:9" in one["why"] for one in found.json["unsigned"])


def test_the_command_writes_nothing_that_the_log_contradicts(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    command(world)
    before = snapshot(world.project)
    (world.folder / "store" / request_path(Kind.ZIP, Y.path, Y.version)).write_bytes(OTHER)
    said = command(world, "--apply")
    assert (said.code, snapshot(world.project)) == (3, before)
    assert f"but {LOG} says" in said.err


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"nonsense" * 1000), Path.unlink])
def test_a_damaged_log_is_exit_status_3(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    world = small_world(tmp_path)
    command(world)
    damage(world.folder / "store" / ".goferry" / "log" / LOG / "records.sqlite")
    said = command(world, "--apply")
    assert (said.code, said.out) == (3, "")
    assert "records.sqlite" in said.err
    assert "Traceback" not in said.err
