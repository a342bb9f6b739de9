"""go.work files: what they say and what edits leave behind."""

import random

import pytest

from goferry.gomod import workfile
from goferry.gomod.modfile import ModFileError
from goferry.gomod.module import Version
from goferry.gomod.workfile import Use
from oracle import Oracle
from sizes import size

WHOLE = b"""\
// a workspace

go 1.21

toolchain go1.21.3

godebug a=b

use (
	./cmd // the program
	./lib
)

replace golang.org/x/net => ../net
"""


def test_every_statement_is_understood() -> None:
    file = workfile.parse_work("go.work", WHOLE)
    assert file.go
    assert file.toolchain
    assert (file.go.version, file.toolchain.name) == ("1.21", "go1.21.3")
    assert file.use == [Use("./cmd"), Use("./lib")]
    assert [(str(r.old), str(r.new)) for r in file.replace] == [("golang.org/x/net", "../net")]
    assert file.format() == WHOLE


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("use", "go.work:1: usage: use local/dir"),
        ("use a b", "go.work:1: usage: use local/dir"),
        ("require a.b/c v1.0.0", "go.work:1: unknown directive: require"),
        ("require (\n)", "go.work:1: unknown block type: require"),
        ("go 1.99.x", "go.work:1: invalid go version '1.99.x': must match format 1.23.0"),
    ],
)
def test_problems_say_where_and_why(text: str, want: str) -> None:
    with pytest.raises(ModFileError) as caught:
        workfile.parse_work("go.work", text.encode())
    assert str(caught.value) == want


def test_folders_are_set_as_a_whole() -> None:
    file = workfile.parse_work("go.work", WHOLE)
    file.set_use([Use("./new", "example.com/new"), Use("./cmd", "example.com/cmd")])
    file.cleanup()
    assert b"use (\n\t./cmd // the program\n\t./new\n)\n" in file.format()
    assert [(u.path, u.module_path) for u in file.use] == [
        ("./cmd", "example.com/cmd"),
        ("./new", "example.com/new"),
    ]


def test_a_new_go_line_goes_below_the_head_comment() -> None:
    file = workfile.parse_work("go.work", b"// head\n\nuse ./a\n")
    file.add_toolchain("go1.21.3")
    file.add_go("1.21")
    assert file.format() == b"// head\n\ngo 1.21\n\ntoolchain go1.21.3\n\nuse ./a\n"


def random_edit(rng: random.Random) -> tuple[list[object], object]:
    folder, path = (
        rng.choice(["./cmd", "./lib", "../x y", "./new"]),
        rng.choice(["golang.org/x/net", "a.b/c"]),
    )
    edits: list[tuple[list[object], object]] = [
        (["AddUse", folder, ""], lambda f: f.add_use(folder)),
        (["AddNewUse", folder, ""], lambda f: f.add_new_use(folder)),
        (["DropUse", folder], lambda f: f.drop_use(folder)),
        (["AddGoStmt", "1.22"], lambda f: f.add_go("1.22")),
        (["DropGoStmt"], lambda f: f.drop_go()),
        (["AddToolchainStmt", "go1.22.0"], lambda f: f.add_toolchain("go1.22.0")),
        (["DropToolchainStmt"], lambda f: f.drop_toolchain()),
        (["AddGodebug", "a", "c"], lambda f: f.add_godebug("a", "c")),
        (["DropGodebug", "a"], lambda f: f.drop_godebug("a")),
        (["AddReplace", path, "", "../y", ""], lambda f: f.add_replace(Version(path), Version("../y"))),
        (["DropReplace", path, ""], lambda f: f.drop_replace(Version(path))),
        (["SortBlocks"], lambda f: f.sort_blocks()),
    ]
    return rng.choice(edits)


@pytest.mark.go
def test_go_edits_workspaces_as_we_do(oracle: Oracle) -> None:
    rng = random.Random(6)
    sources = [WHOLE, b"", b"go 1.20\n", b"// c\n\nuse ./cmd\nuse ./lib\nuse ./cmd\n", b"use ()\n"]
    calls, mine = [], []
    for _ in range(size(500, 10000)):
        data, edits = rng.choice(sources), [random_edit(rng) for _ in range(rng.randint(1, 4))]
        file = workfile.parse_work("go.work", data)
        for _, edit in edits:
            edit(file)
        file.cleanup()
        mine.append(file.format().decode())
        calls.append(("modfile.EditWork", data, [words for words, _ in edits]))
    for got, call, go in zip(mine, calls, oracle.ask_each(calls), strict=True):
        assert go.ok, (go.error, call)
        assert got == go.value["Formatted"], call
