"""`goferry deps fix`: what people read, what programs read, what is written, and the exit status."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

import oracle
from fixworlds import FixWorld, small_world, snapshot
from goferry.deps.advisories import refresh
from goferry.deps.advisories.base import About
from goferry.deps.advisories.database import FILE
from goferry.deps.advisories.packed import pack
from goferry.deps.fixing.form import SCHEMA
from goferry.deps.fixing.vendoring import put_in_place
from goferry.errors import StorageError
from terminal import Said, goferry

pytestmark = pytest.mark.go

FLAW = {
    "id": "GO-2026-0001",
    "modified": "2026-01-01T00:00:00Z",
    "aliases": ["CVE-2026-1"],
    "summary": "x trusts everybody",
    "affected": [
        {
            "package": {"name": "example.org/x", "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.1.0"}]}],
        }
    ],
}
HOPELESS = FLAW | {
    "id": "GO-2026-0002",
    "aliases": [],
    "affected": [
        {
            "package": {"name": "example.org/y", "ecosystem": "Go"},
            "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}],
        }
    ],
}


def fix(
    world: FixWorld,
    *words: str,
    flaws: tuple[dict[str, object], ...] = (FLAW,),
    environ: Mapping[str, str] | None = None,
) -> Said:
    db = world.folder / "db"
    db.mkdir(exist_ok=True)
    for flaw in flaws:
        (db / f"{flaw['id']}.json").write_text(json.dumps(flaw))
    return goferry(
        "deps", "fix", *words, "--db", str(db), "--goproxy", world.proxy.as_uri(), "--sumdb", "off",
        "--private", "example.org", "--store", str(world.folder / "store"), cwd=world.start,
        environ=environ,
    )  # fmt: skip


PLAN = """\
example.net/m: 1 module is affected, 1 requirement to raise

raise example.org/x  v1.0.0 → v1.1.0  (direct)
  free of GO-2026-0001

--- a/go.mod
+++ b/go.mod
@@ -4,4 +4,6 @@
 go 1.20
\x20
 // why example.org/x
-require example.org/x v1.0.0
+require example.org/x v1.1.0
+
+require example.org/y v1.0.0 // indirect
"""


def test_the_plan_says_what_and_why_and_shows_the_diff_and_writes_nothing(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    before = snapshot(world.project)
    said = fix(world)
    assert said.out.startswith(PLAN)
    assert said.out.endswith(
        "\n4 new lines of go.sum are of private modules: no database has signed them.\n"
        "Nothing was written: --apply does.\n"
    )
    assert (said.code, snapshot(world.project)) == (1, before)


def test_without_db_the_newest_database_on_the_machine_counts(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    home = {"XDG_DATA_HOME": str(tmp_path / "data")}
    seen = "2999-01-01T00:00:00Z"
    place = refresh.folder(home)
    place.mkdir(parents=True)
    (place / FILE).write_bytes(pack(About("newer", seen, 0, seen=seen), [("x", json.dumps(FLAW).encode())]))
    said = goferry(
        "deps", "fix", "--goproxy", world.proxy.as_uri(), "--sumdb", "off", "--private", "example.org",
        "--store", str(world.folder / "store"), environ=home, cwd=world.start,
    )  # fmt: skip
    assert said.out.startswith(PLAN)


def test_apply_writes_and_there_is_nothing_left_to_do(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = fix(world, "--apply")
    assert (said.code, said.out.splitlines()[-2:]) == (
        0,
        ["2 files written.", "All 4 lines of go.sum are proven."],
    )
    world.must("build", "-mod=readonly", "./...")
    assert world.must("mod", "tidy", "-diff") == ""
    again = fix(world, "--apply")
    assert (again.code, again.out) == (0, "example.net/m: nothing is affected\n")


@pytest.mark.parametrize("command", ["list", "graph", "fix"])
def test_what_could_not_be_had_is_named_once(command: str, tmp_path: Path) -> None:
    world = small_world(tmp_path)
    words = ("--goproxy", "off", "--sumdb", "off", "--store", str(tmp_path / "empty"))
    said = goferry("deps", command, *words, cwd=world.start)
    assert (said.code, said.err.count("example.org/x@v1.0.0")) == (3, 1)
    assert "nothing is affected" not in said.out


def test_programs_read_the_same(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = fix(world, "--json").json
    assert (said["schema"], said["applied"], said["proven"], said["smallest"]) == (SCHEMA, False, True, True)
    assert said["raises"] == [
        {
            "path": "example.org/x", "before": "v1.0.0", "after": "v1.1.0", "direct": True,
            "frees": ["example.org/x"],
        }
    ]  # fmt: skip
    assert [Path(file["file"]).name for file in said["files"]] == ["go.mod", "go.sum"]


def test_a_go_sum_that_was_false_before_is_found_by_the_gate_afterwards(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    file = world.start / "go.sum"
    file.write_text(file.read_text() + f"example.org/z v1.0.0 h1:{'A' * 43}=\n")
    said = fix(world, "--apply", "--json")
    assert (said.code, said.json["applied"], said.json["gate"]["verdict"]) == (1, True, "failed")
    assert "example.org/z" in said.json["gate"]["problems"][0]


def test_what_stays_says_why_and_is_no_success(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    said = fix(world, "--apply", flaws=(FLAW, HOPELESS))
    assert said.code == 1
    assert (
        "stays example.org/x  v1.0.0: GO-2026-0001\n  every good version, v1.1.0 first, brings another flaw"
        in said.out
    )


@pytest.mark.parametrize("name", ["GO-2026-0001", "CVE-2026-1"])
def test_one_vulnerability_can_be_named(name: str, tmp_path: Path) -> None:
    world = small_world(tmp_path)
    assert "raise example.org/x" in fix(world, name, flaws=(FLAW, HOPELESS)).out


def test_a_vulnerability_that_nobody_knows_is_a_mistake(tmp_path: Path) -> None:
    said = fix(small_world(tmp_path), "GO-1999-1")
    assert (said.code, said.err) == (2, "goferry: the vulnerability database has no GO-1999-1\n")


def test_a_folder_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    said = fix(small_world(tmp_path), "./nowhere")
    assert (said.code, said.err) == (2, "goferry: there is no ./nowhere\n")


def test_what_cannot_be_had_is_not_proven_and_not_written(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    before = snapshot(world.project)
    for file in world.proxy.rglob("*y/@v/v1.0.0.zip"):
        file.unlink()
    said = fix(world, "--apply")
    assert (said.code, snapshot(world.project)) == (3, before)
    assert "example.org/y@v1.0.0" in said.err
    assert said.out.endswith("Not everything could be proven; nothing was written.\n")


def test_a_module_graph_with_a_hole_is_not_called_free_of_flaws(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    for file in world.proxy.rglob("*x/@v/v1.0.0.mod"):
        file.unlink()
    said = fix(world, flaws=(HOPELESS,))
    assert (said.code, "example.org/x@v1.0.0" in said.err) == (3, True)


# ---- what people live with ------------------------------------------------------------------------------------


def ignore(world: FixWorld, *lines: str, name: str = "goferry-ignore.toml") -> None:
    (world.start / name).write_text("\n".join(["[[ignore]]", 'reason = "not reached"', *lines]) + "\n")


@pytest.mark.parametrize("name", ["GO-2026-0001", "CVE-2026-1", "vulnerability"])
def test_what_is_set_aside_raises_nothing_and_is_said(name: str, tmp_path: Path) -> None:
    world = small_world(tmp_path)
    ignore(world, f'id = "{name}"', 'module = "example.org/x"', "expires = 2099-01-31")
    said = fix(world)
    assert (said.code, said.out) == (
        0,
        "example.net/m: nothing is affected\n\nset aside example.org/x  v1.0.0: GO-2026-0001\n"
        "  not reached (until 2099-01-31)\n",
    )
    form = fix(world, "--json").json
    assert form["raises"] == []
    assert form["ignored"] == [
        {"path": "example.org/x", "version": "v1.0.0", "id": "GO-2026-0001", "reason": "not reached", "owner": "",
         "expires": "2099-01-31"}
    ]  # fmt: skip


@pytest.mark.parametrize(
    "lines",
    [
        ('id = "GO-2026-0001"', "expires = 2020-01-31"),
        ('id = "GO-2026-0001"', 'module = "example.org/y"'),
        ('id = "GO-2026-0002"',),
    ],
)
def test_an_entry_that_is_over_or_for_something_else_changes_nothing(
    lines: tuple[str, ...], tmp_path: Path
) -> None:
    world = small_world(tmp_path)
    ignore(world, *lines)
    assert fix(world).out.startswith(PLAN)


def test_a_vulnerability_that_is_named_is_mended_whatever_is_set_aside(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    ignore(world, 'id = "GO-2026-0001"')
    assert fix(world, "CVE-2026-1").out.startswith(PLAN)


def test_an_ignore_file_can_be_named(tmp_path: Path) -> None:
    world = small_world(tmp_path)
    ignore(world, 'id = "GO-2026-0001"', name="other.toml")
    assert "set aside example.org/x" in fix(world, "--ignore", "other.toml").out
    said = fix(world, "--ignore", "nowhere.toml")
    assert (said.code, said.err.splitlines()[0]) == (2, "goferry: there is no ignore file nowhere.toml")


# ---- vendor ---------------------------------------------------------------------------------------------------


def vendored_world(folder: Path) -> FixWorld:
    world = small_world(folder)
    world.must("mod", "vendor")
    assert (world.start / "vendor/example.org/x/p.go").is_file()
    return world


def path_of_go() -> dict[str, str]:
    go = oracle.go_command()
    assert go is not None
    cache = subprocess.run([go, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    return {"PATH": str(Path(go).parent), "GOCACHE": cache}


def test_a_vendor_folder_is_made_anew_and_proven(tmp_path: Path) -> None:
    world = vendored_world(tmp_path)
    assert "--apply makes it anew" in fix(world).out
    said = fix(world, "--apply", environ=path_of_go())
    assert said.code == 0, said.out + said.err
    assert "vendor was made anew by `go mod vendor`." in said.out
    assert said.out.endswith("Every vendored file is what its module has.\n")
    assert (world.start / "vendor/example.org/y/p.go").is_file()
    world.must("build", "-mod=vendor", "./...")
    assert not list(world.start.glob(".goferry*"))


def test_without_go_the_command_is_named_and_the_gate_fails(tmp_path: Path) -> None:
    world = vendored_world(tmp_path)
    before = snapshot(world.start / "vendor")
    said = fix(world, "--apply", environ={"PATH": str(tmp_path)})
    assert said.code == 1
    assert "run `go mod vendor`: there is no go command on PATH" in said.out
    assert "vendor/modules.txt" in said.out
    assert snapshot(world.start / "vendor") == before
    again = vendored_world(tmp_path / "again")
    form = fix(again, "--apply", "--json", environ={"PATH": str(tmp_path)}).json
    assert form["vendoring"] == {
        "made": False,
        "command": "go mod vendor",
        "why": "there is no go command on PATH",
    }
    assert form["gate"]["verdict"] == "failed"


def test_a_go_that_fails_leaves_the_old_folder(tmp_path: Path) -> None:
    world = vendored_world(tmp_path)
    before = snapshot(world.start / "vendor")
    program = tmp_path / "bin/go"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho no room >&2\nexit 1\n")
    program.chmod(0o755)
    said = fix(world, "--apply", environ={"PATH": str(program.parent)})
    assert (said.code, "no room" in said.out) == (1, True)
    assert snapshot(world.start / "vendor") == before
    assert not list(world.start.glob(".goferry*"))


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path: Path) -> None:
    vendor = tmp_path / "vendor"
    vendor.mkdir()
    (vendor / "modules.txt").write_text("old")
    with pytest.raises(StorageError, match=r"cannot write .*vendor"):
        put_in_place(tmp_path / "nowhere", vendor)
    assert (vendor / "modules.txt").read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["vendor"]
