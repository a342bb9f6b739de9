"""Private lines of go.sum against a log of one's own: goferry's in this store, or another one over the network."""

import asyncio
import datetime
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from goferry.deps.advisories.database import shipped
from goferry.deps.gate.form import to_json
from goferry.deps.gate.rules import Class, Level, Policy, State, Verdict
from goferry.deps.gate.run import Options, Outcome, gate
from goferry.deps.supply import ProxySupply
from goferry.gomod.dirhash import hash_go_mod
from goferry.gomod.module import Version, match_prefix_patterns
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.memlog import Lie
from goferry.gomod.sumdb.note import open_note, parse_verifier
from goferry.proxy.ownlog import log_path
from goferry.storage.logfile import verifier_of
from modtree import module
from proxyworld import World, world, zip_hash
from terminal import goferry

LOG = "sums.example.org"
PRIVATE, PUBLIC = "corp.example/a", "example.org/b"
FILES = module(PRIVATE, "v1.0.0") | module(PUBLIC, "v1.0.0")
TODAY = datetime.date(2026, 11, 29)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text(
        f"module example.net/m\n\ngo 1.22\n\nrequire (\n\t{PRIVATE} v1.0.0\n\t{PUBLIC} v1.0.0\n)\n"
    )
    (folder / "m.go").write_text(f'package m\n\nimport (\n\t_ "{PRIVATE}"\n\t_ "{PUBLIC}"\n)\n')
    (folder / "go.sum").write_text(lines(FILES))
    return folder


def lines(files: dict[str, bytes]) -> str:
    return "".join(
        f"{path} v1.0.0 {zip_hash(files[f'{path}/@v/v1.0.0.zip'])}\n"
        f"{path} v1.0.0/go.mod {hash_go_mod(files[f'{path}/@v/v1.0.0.mod'])}\n"
        for path in (PRIVATE, PUBLIC)
    )


def own(root: Path, **changes: Any) -> Any:
    return world(root, FILES, **{"private": "corp.example", "own_log": LOG, **changes})


async def gated(proxy: Any, project: Path, log: str = LOG) -> Outcome:
    options = Options(
        Policy(Class.LIBRARY, {"toolchain": Level.OFF}),
        lambda path: match_prefix_patterns("corp.example", path),
        "sum.example.org",
        TODAY,
        shipped,
        own_log=log,
    )
    return await gate(project, ProxySupply(proxy), options)


def broken(outcome: Outcome) -> set[tuple[str, State, str, int | None, str]]:
    return {
        (one.problem.rule, one.problem.state, one.problem.file, one.problem.line, str(one.problem.module))
        for one in outcome.judged
        if one.problem.state is not State.NOTE
    }


def notes(outcome: Outcome) -> list[str]:
    return [str(one.problem.message) for one in outcome.judged if one.problem.state is State.NOTE]


NEW = "2 private lines were recorded in the own log only now; nothing older vouches for them"


async def test_private_lines_are_proven_by_the_own_log(tmp_path: Path, project: Path) -> None:
    async with own(tmp_path / "store") as made:
        first = await gated(made.proxy, project)
        assert (first.verdict, broken(first)) == (Verdict.PASSED, set())
        assert first.proven.equal == {"log": 2, "own": 2}
        assert notes(first) == [NEW]
        again = await gated(await made.another(offline=True, upstream="off"), project)
        assert (again.verdict, again.proven.equal, notes(again)) == (Verdict.PASSED, {"log": 2, "own": 2}, [])
        key = parse_verifier(verifier_of(log_path(made.proxy.store, LOG)))
        assert tlog.parse_tree(open_note(again.proven.own_head.encode(), [key]).text).size == 1


async def test_the_report_says_what_proved_each_private_line(tmp_path: Path, project: Path) -> None:
    async with own(tmp_path / "store") as made:
        found = to_json(await gated(made.proxy, project))["proven"]
        again = to_json(await gated(await made.another(), project))["proven"]
    row = {"path": PRIVATE, "version": "v1.0.0", "file": "go.sum", "by": "own"}
    assert found["private"] == [
        row | {"go_mod": False, "line": 1, "new": True},
        row | {"go_mod": True, "line": 2, "new": True},
    ]
    assert [one["new"] for one in again["private"]] == [False, False]
    assert found["own_log"]["name"] == LOG
    assert found["own_log"]["head"].startswith("go.sum database tree\n1\n")
    assert (found["database"], found["equal"]["own"]) == ("sum.example.org", 2)


async def test_without_a_log_it_is_as_before(tmp_path: Path, project: Path) -> None:
    async with own(tmp_path / "store", own_log="") as made:
        outcome = await gated(made.proxy, project, log="")
    assert "own" not in outcome.proven.equal
    assert to_json(outcome)["proven"]["own_log"] is None
    assert {one["by"] for one in to_json(outcome)["proven"]["private"]} <= {"store", "bytes"}


@pytest.mark.parametrize(("number", "kind"), [(1, "v1.0.0 h1:"), (2, "/go.mod h1:")])
async def test_a_line_that_differs_is_named(tmp_path: Path, project: Path, number: int, kind: str) -> None:
    text = (project / "go.sum").read_text()
    (project / "go.sum").write_text(text.replace(kind, f"{kind}AAAA", 1))
    async with own(tmp_path / "store") as made:
        outcome = await gated(made.proxy, project)
    assert outcome.verdict is Verdict.FAILED
    row = ("sum_mismatch", State.FAILED, "go.sum", number, f"{PRIVATE}@v1.0.0")
    assert row in broken(outcome)
    (said,) = [str(one.problem.message) for one in outcome.judged if one.problem.rule == "sum_mismatch"]
    assert f"but {LOG} has signed h1:" in said


async def test_a_moved_tag_does_not_pass_when_the_copy_is_gone(tmp_path: Path, project: Path) -> None:
    moved = FILES | module(PRIVATE, "v1.0.0", extra={"new.go": b"package a\n"})
    async with own(tmp_path / "store") as made:
        assert (await gated(made.proxy, project)).verdict is Verdict.PASSED
        await made.proxy.idle()  # what was fetched may still be on its way to the disk
        shutil.rmtree(tmp_path / "store" / "corp.example")
        made.tree.files.update(moved)
        (project / "go.sum").write_text(lines(moved))  # somebody was fooled into it
        outcome = await gated(await made.another(), project)
    assert outcome.verdict is Verdict.FAILED
    assert ("sum_mismatch", State.FAILED, "go.sum", 1, f"{PRIVATE}@v1.0.0") in broken(outcome)


async def test_a_log_that_was_rewritten_vouches_for_nothing(tmp_path: Path, project: Path) -> None:
    """Record and leaf hash fit each other and go.sum, but not the tree that was signed."""
    moved = FILES | module(PRIVATE, "v1.0.0", extra={"new.go": b"package a\n"})
    async with own(tmp_path / "store") as made:
        await made.proxy.prove_own(Version(PUBLIC, "v1.0.0"))
        assert (await gated(made.proxy, project)).verdict is Verdict.PASSED
        text = "".join(lines(moved).splitlines(keepends=True)[:2]).encode()
        with closing(sqlite3.connect(log_path(made.proxy.store, LOG))) as file:
            file.execute("UPDATE records SET text = ? WHERE id = 1", [text])
            file.execute("UPDATE hashes SET hash = ? WHERE id = 1", [tlog.record_hash(text)])
            file.commit()
        (project / "go.sum").write_text(lines(moved))
        outcome = await gated(await made.another(), project)
    assert outcome.verdict is Verdict.FAILED
    assert {row[0] for row in broken(outcome)} >= {"sum_unproven"}
    assert ("sum_unproven", State.FAILED, "go.sum", 1, f"{PRIVATE}@v1.0.0") in broken(outcome)


async def test_an_upstream_that_is_down_proves_nothing(tmp_path: Path, project: Path) -> None:
    async with own(tmp_path / "store", upstream="http://127.0.0.1:9", attempts=1) as made:
        outcome = await gated(made.proxy, project)
    assert outcome.verdict is Verdict.UNPROVEN
    assert State.FAILED not in {row[1] for row in broken(outcome)}


async def test_offline_what_was_never_seen_is_not_proven(tmp_path: Path, project: Path) -> None:
    async with own(tmp_path / "store", offline=True) as made:
        outcome = await gated(made.proxy, project)
    assert outcome.verdict is Verdict.UNPROVEN
    assert State.FAILED not in {row[1] for row in broken(outcome)}


# ---- another goferry's ---------------------------------------------------------------------------------------


async def remote(made: World, **changes: Any) -> Any:
    """The lab's database, which knows private modules, in the place of another goferry."""
    return await made.another(own_log=made.tree.log.verifier_key, sumdb="off", **changes)


async def test_a_log_over_the_network_proves_and_proves_again_offline(tmp_path: Path, project: Path) -> None:
    async with own(tmp_path / "store", own_log="", private="") as made:
        for offline in (False, True):
            proxy = await remote(made, offline=offline)
            options = Options(
                Policy(Class.LIBRARY, {"toolchain": Level.OFF}),
                lambda _: True,
                "",
                TODAY,
                shipped,
                own_log="sum.example.org",
            )
            outcome = await gate(project, ProxySupply(proxy), options)
            assert (outcome.verdict, outcome.proven.equal) == (Verdict.PASSED, {"own": 4})
            assert outcome.proven.own_head.startswith("go.sum database tree\n")
            assert notes(outcome) == []


@pytest.mark.parametrize("lie", [Lie.FORK, Lie.WRONG_RECORD, Lie.WRONG_KEY, Lie.FORGED_RECORD])
async def test_a_log_over_the_network_that_lies_does_not_pass(
    lie: Lie, tmp_path: Path, project: Path
) -> None:
    async with own(tmp_path / "store", own_log="", private="") as made:
        made.tree.log.find(Version(PUBLIC, "v1.0.0"))
        proxy = await remote(made)
        await proxy.prove_own(Version(PUBLIC, "v1.0.0"))
        made.tree.answers.lie = lie
        options = Options(
            Policy(Class.LIBRARY), lambda _: True, "", TODAY, shipped, own_log="sum.example.org"
        )
        outcome = await gate(project, ProxySupply(proxy), options)
    assert outcome.verdict is not Verdict.PASSED


# ---- the command ---------------------------------------------------------------------------------------------


def command(project: Path, store: Path, *words: str) -> Any:
    return goferry(
        "deps", "gate", "--store", str(store), "--offline", "--private", "corp.example,example.org",
        "--sumdb", "off", "--own-log", LOG, *words,
        cwd=project, environ={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    async def fill() -> None:
        async with own(tmp_path / "store", sumdb="off") as made:
            for path in (PRIVATE, PUBLIC):
                await made.proxy.prove_own(Version(path, "v1.0.0"))
                await made.get(f"{path}/@v/v1.0.0.info")
                await made.get(f"{path}/@v/list")

    asyncio.run(fill())
    return tmp_path / "store"


def test_the_command_passes_and_says_by_what(project: Path, filled: Path) -> None:
    said = command(project, filled)
    assert said.code == 0, said.out + said.err
    assert "lines 4, log 0, own 4, store 0" in said.out


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b"nonsense" * 1000),
        lambda path: path.unlink(),
    ],
)
def test_a_log_that_cannot_be_asked_is_not_a_pass(
    project: Path, filled: Path, damage: Callable[[Path], object]
) -> None:
    damage(filled / ".goferry" / "log" / LOG / "records.sqlite")
    said = command(project, filled)
    assert (said.code, said.out) == (3, "")
    assert "Traceback" not in said.err
    assert "records.sqlite" in said.err
