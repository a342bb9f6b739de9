"""What a project imports and names, compared with the real go; and what follows for a flaw."""

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

import oracle
from advisories import block, database, entry
from goferry.deps.advisories.matching import Match, judge, match
from goferry.deps.base import BuildList, Module
from goferry.deps.buildlist import build_list
from goferry.deps.source.constraints import Build
from goferry.deps.source.reading import read_usage
from goferry.deps.sources import load
from goferry.deps.usage import Level, Narrowed, Usage, narrow
from goferry.errors import NotFound, Unavailable
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Sums
from modtree import module as tree_of

LIB, DEEP, FAR = "example.org/lib", "example.org/deep", "example.org/far"


def files(text: str) -> dict[str, str]:
    """`-- name --` lines with the content of each file below."""
    parts = ("\n" + text.lstrip("\n")).split("\n-- ")[1:]
    return {name: body for name, _, body in (part.partition(" --\n") for part in parts)}


LIB_FILES = files("""
-- m.go --
package lib
import "example.org/deep/inner"
func F() { inner.Run() }
func G() {}
type T struct{}
func (T) M() {}
func (T) Own() {}
func own() { T{}.Own() }
func (T) String() string { return "" }
func New() *T { return nil }
-- weird/w.go --
// Package odd has another name than its folder.
package odd
import _ "net/http"
func H() {}
-- plain/p_windows.go --
package plain
import _ "example.org/far"
-- plain/p.go --
package plain
-- plain/p_test.go --
package plain
import _ "example.org/nowhere"
-- plain/gen.go --
//go:build ignore

package main
import _ "example.org/nowhere"
-- unused/u.go --
package unused
import _ "example.org/far"
""")
INNER = b"package inner\nfunc Run() { helper() }\nfunc helper() {}\n"
WORLD = {
    **tree_of(
        LIB,
        "v1.0.0",
        requires=[(DEEP, "v1.0.0"), (FAR, "v1.0.0")],
        extra={name: text.encode() for name, text in LIB_FILES.items()},
    ),
    **tree_of(DEEP, "v1.0.0", extra={"inner/i.go": INNER}),
    **tree_of(FAR, "v1.0.0"),
}
MAIN = files("""
-- go.mod --
module example.org/main

go 1.21

require example.org/lib v1.0.0

require (
	example.org/deep v1.0.0 // indirect
	example.org/far v1.0.0 // indirect
)
-- main.go --
package main
import (
	"example.org/lib"
	"example.org/main/sub"
)
func main() { lib.G(); sub.Do() }
-- sub/sub.go --
package sub
import (
	o "example.org/lib/weird"
	_ "example.org/lib/plain"
)
func Do() { o.H() }
-- sub/sub_test.go --
package sub
import _ "example.org/lib/unused"
-- testdata/t.go --
package t
import _ "example.org/lib/unused"
-- _hidden/t.go --
package t
import _ "example.org/lib/unused"
-- nested/go.mod --
module example.org/nested
-- nested/n.go --
package n
import _ "example.org/lib/unused"
""")


class TreeSupply:
    """Zips and go.mod files out of a tree of answers; what `without` names is out of reach."""

    def __init__(self, folder: Path, without: frozenset[str] = frozenset()) -> None:
        self._folder = folder
        self.without = without
        self.asked: list[str] = []

    async def mod(self, version: Version) -> bytes:
        return self._place(Kind.MOD, version).read_bytes()

    async def zip(self, version: Version) -> Path:
        self.asked.append(version.path)
        if version.path in self.without:
            raise Unavailable("offline")
        return self._place(Kind.ZIP, version)

    def _place(self, kind: Kind, version: Version) -> Path:
        place = self._folder / request_path(kind, version.path, version.version)
        if not place.exists():
            raise NotFound("{version}", version=version)
        return place

    async def info(self, version: Version) -> bytes:
        raise NotImplementedError

    async def versions(self, path: str) -> tuple[str, ...]:
        raise NotImplementedError

    async def latest(self, path: str) -> bytes:
        raise NotImplementedError

    async def prove(self, version: Version) -> Sums:
        raise NotImplementedError


class Lab:
    """A project and the modules that it needs, on disk."""

    def __init__(self, folder: Path, changed: dict[str, str] | None = None, without: str = "") -> None:
        self.project = folder / "project"
        for name, text in {**MAIN, **(changed or {})}.items():
            self._write(self.project / name, text.encode())
        self.proxy = folder / "proxy"
        for name, body in WORLD.items():
            self._write(self.proxy / name, body)
        self.supply = TreeSupply(self.proxy, frozenset(without.split()))

    @staticmethod
    def _write(place: Path, body: bytes) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(body)

    async def built(self) -> BuildList:
        return await build_list(load(self.project), self.supply)

    async def usage(self, *found: Match, build: Build | None = None, goroot: Path | None = None) -> Usage:
        return await read_usage(await self.built(), found, self.supply, build=build, goroot=goroot)

    async def narrowed(self, blocks: dict[str, Any], build: Build | None = None) -> Narrowed:
        (found,) = match(database(entry("GO-1", blocks)), (await self.built()).modules)
        return narrow(found, await self.usage(found, build=build))


def flaw(module: str, path: str, *symbols: str, **more: Any) -> dict[str, Any]:
    return block(module, "0", imports=[{"path": path, "symbols": list(symbols), **more}])


# ---- imports --------------------------------------------------------------------------------------------------


def listed_by_go(lab: "Lab", goos: str) -> dict[str, set[str]]:
    """Package → imports, as `go list -deps` has it."""
    environ = oracle.go_env(
        GOOS=goos,
        GOARCH="amd64",
        GOPROXY=f"file://{lab.proxy}",
        GOSUMDB="off",
        GOFLAGS="-mod=mod -modcacherw",
        GOMODCACHE=str(lab.proxy.parent / "cache"),
    )
    words = ["go", "list", "-deps", "-json=ImportPath,Imports", "./..."]
    done = subprocess.run(words, cwd=lab.project, env=environ, capture_output=True, text=True, check=True)
    texts = done.stdout.replace("}\n{", "}\0{").split("\0")
    return {one["ImportPath"]: set(one.get("Imports", ())) for one in map(json.loads, texts)}


@pytest.mark.go
@pytest.mark.parametrize("goos", ["linux", "windows"])
async def test_the_imports_are_those_of_go_list_deps(tmp_path: Path, goos: str) -> None:
    root = oracle.go_root()
    if root is None:
        pytest.skip("needs Go with the sources of its go command")
    lab = Lab(tmp_path)
    theirs = await asyncio.to_thread(listed_by_go, lab, goos)
    build = Build(goos, "amd64", cgo=False, release=26)
    usage = await lab.usage(build=build, goroot=root)
    ours = {path: set(imports) for path, imports in usage.imports.items()}
    assert {path for path in theirs if "." in path.split("/")[0]} == {
        p for p in ours if p.startswith("example.org")
    }
    assert set(theirs) - {"unsafe"} <= set(ours) | {"unsafe"}
    for path in theirs:
        if path.startswith("example.org"):
            assert ours[path] == theirs[path], path
    assert (FAR in ours) is (goos == "windows")
    assert not usage.unread


async def test_only_modules_with_imported_packages_are_fetched(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    await lab.usage(build=Build("linux", "amd64", cgo=False, release=26))
    assert sorted(lab.supply.asked) == [DEEP, LIB]


async def test_a_vendor_folder_is_what_is_built(tmp_path: Path) -> None:
    vendored = {
        "vendor/modules.txt": f"# {LIB} v1.0.0\n## explicit\n{LIB}\n",
        f"vendor/{LIB}/lib.go": "package lib\nfunc G() {}\n",
        "sub/sub.go": "package sub\nfunc Do() {}\n",
    }
    lab = Lab(tmp_path, vendored)
    usage = await lab.usage()
    assert usage.imports[LIB] == ()
    assert lab.supply.asked == []


async def test_a_folder_that_replaces_a_module_is_read_and_so_is_a_tool(tmp_path: Path) -> None:
    lab = Lab(
        tmp_path,
        {
            "go.mod": MAIN["go.mod"].replace("go 1.21", "go 1.24")
            + f"\nreplace {LIB} => ./local\n\ntool {FAR}\n",
            "local/go.mod": f"module {LIB}\n",
            "local/l.go": "package lib\nfunc G() {}\n",
            "sub/sub.go": "package sub\nfunc Do() {}\n",
        },
    )
    usage = await lab.usage()
    assert usage.imports[LIB] == ()
    assert FAR in usage.imports


# ---- flaws ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flawed", "level", "used", "symbols"),
    [
        (block(LIB, "0"), Level.MODULE, True, ()),
        (flaw(LIB, f"{LIB}/unused", "X"), Level.PACKAGE, False, ()),
        (flaw(LIB, LIB), Level.PACKAGE, True, ()),
        (flaw(LIB, LIB, "G"), Level.IDENTIFIER, True, (f"{LIB}.G",)),
        (flaw(LIB, LIB, "F", "G"), Level.IDENTIFIER, True, (f"{LIB}.G",)),
        (flaw(LIB, LIB, "F", "New"), Level.IDENTIFIER, False, ()),
        (flaw(LIB, LIB, "T.M"), Level.IDENTIFIER, False, ()),
        (flaw(LIB, LIB, "T.String"), Level.IDENTIFIER, True, (f"{LIB}.T.String",)),
        (flaw(LIB, LIB, "hidden"), Level.PACKAGE, True, ()),
        (flaw(LIB, f"{LIB}/weird", "H"), Level.IDENTIFIER, True, (f"{LIB}/weird.H",)),
        (flaw(DEEP, f"{DEEP}/inner", "Run"), Level.IDENTIFIER, True, (f"{DEEP}/inner.Run",)),
        (flaw(DEEP, f"{DEEP}/inner", "helper", "Other"), Level.IDENTIFIER, False, ()),
    ],
)
async def test_the_finest_level_that_entry_and_source_allow(
    tmp_path: Path, flawed: dict[str, Any], level: Level, used: bool, symbols: tuple[str, ...]
) -> None:
    found = await Lab(tmp_path).narrowed(flawed)
    assert (found.level, found.used, found.symbols) == (level, used, symbols)


async def test_several_flaws_of_one_package_are_told_apart(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    flaws = database(
        *(entry(f"GO-{n}", flaw(LIB, LIB, name)) for n, name in enumerate(("G", "F", "G", "New")))
    )
    matches = match(flaws, (await lab.built()).modules)
    usage = await lab.usage(*matches)
    assert [narrow(one, usage).used for one in matches] == [True, False, True, False]


async def test_what_only_the_flawed_package_itself_names_is_not_named(tmp_path: Path) -> None:
    lab = Lab(tmp_path)
    flaws = database(
        entry("GO-1", flaw(LIB, LIB, "T.Own")), entry("GO-2", flaw(DEEP, f"{DEEP}/inner", "Run"))
    )
    matches = match(flaws, (await lab.built()).modules)
    usage = await lab.usage(*matches)  # the second flaw has the first one's package read too
    found = {one.entry.id: narrow(one, usage) for one in matches}
    assert (found["GO-1"].level, found["GO-1"].used) == (Level.IDENTIFIER, False)
    assert found["GO-2"].used


async def test_the_chain_says_who_brings_it_in(tmp_path: Path) -> None:
    found = await Lab(tmp_path).narrowed(flaw(DEEP, f"{DEEP}/inner", "Run"))
    assert found.chain == ("example.org/main", LIB, f"{DEEP}/inner")


@pytest.mark.parametrize(
    "text",
    [
        'import . "example.org/lib"\nfunc g() { F() }\n',
        'import lib2 "example.org/lib"\nvar f = lib2.F\n',
        'import "example.org/lib"\ntype t struct{}\nfunc g() { lib . \n F() }\n',
        'import _ "unsafe"\n//go:linkname f example.org/lib.F\nfunc f()\nvar _ = lib.G\n',
    ],
)
async def test_every_way_to_name_an_identifier_counts(tmp_path: Path, text: str) -> None:
    lab = Lab(
        tmp_path, {"main.go": f'package main\nimport "example.org/lib"\n{text}func main() {{ lib.G() }}\n'}
    )
    assert (await lab.narrowed(flaw(LIB, LIB, "F"))).used


async def test_a_method_counts_in_every_package_that_comes_to_its_type(tmp_path: Path) -> None:
    changed = {
        "main.go": 'package main\nimport "example.org/main/sub"\nfunc main() { sub.Get().M() }\n',
        "sub/sub.go": 'package sub\nimport "example.org/lib"\nfunc Get() *lib.T { return lib.New() }\n',
    }
    assert (await Lab(tmp_path, changed).narrowed(flaw(LIB, LIB, "T.M"))).symbols == (f"{LIB}.T.M",)


async def test_source_that_cannot_be_had_counts_as_used(tmp_path: Path) -> None:
    """Nothing is said to be unused when a module is missing; what is seen in the rest still counts."""
    lab = Lab(tmp_path, without=f"{DEEP} {FAR}")
    unseen = await lab.narrowed(flaw(LIB, f"{LIB}/unused", "X"))
    assert (unseen.level, unseen.used) == (Level.MODULE, True)
    unnamed = await lab.narrowed(flaw(LIB, LIB, "F"))
    assert (unnamed.level, unnamed.used) == (Level.PACKAGE, True)
    named = await lab.narrowed(flaw(LIB, LIB, "G"))
    assert (named.level, named.used, named.symbols) == (Level.IDENTIFIER, True, (f"{LIB}.G",))


async def test_a_broken_file_counts_as_used(tmp_path: Path) -> None:
    found = await Lab(tmp_path, {"sub/bad.go": "pakcage sub\n"}).narrowed(flaw(LIB, f"{LIB}/unused", "X"))
    assert (found.level, found.used) == (Level.MODULE, True)


async def test_a_flaw_of_another_system_is_no_flaw_here(tmp_path: Path) -> None:
    lab, flawed = Lab(tmp_path), flaw(LIB, LIB, "G", goos=["windows"])
    assert not (await lab.narrowed(flawed, Build("linux", "amd64", cgo=False, release=26))).used
    assert (await lab.narrowed(flawed, Build("windows", "amd64", cgo=False, release=26))).used
    assert (await lab.narrowed(flawed)).used


def test_a_fork_is_imported_under_the_name_of_what_it_replaces() -> None:
    fork = Module(LIB, "v1.0.0", replace=Version("example.org/fork", "v1.1.0"))
    (found,) = match(database(entry("GO-1", flaw("example.org/fork", "example.org/fork/p", "F"))), [fork])
    usage = Usage(
        {"example.org/main": (f"{LIB}/p",), f"{LIB}/p": ()}, {"example.org/main": frozenset({f"{LIB}/p.F"})}
    )
    assert narrow(found, usage).symbols == (f"{LIB}/p.F",)


def test_the_standard_library_is_only_narrowed_when_it_was_read() -> None:
    flaws = database(entry("GO-1", flaw("stdlib", "net/http/internal", "F")))
    (found,) = judge(flaws, Module("stdlib", "go1.22.0"))
    direct = Usage({"example.org/main": ("net/http",)}, parents={"net/http": "example.org/main"})
    assert narrow(found, direct).level is Level.MODULE
    whole = Usage({"example.org/main": ("fmt",)}, parents={"fmt": "example.org/main"}, std_read=True)
    assert narrow(found, whole) == Narrowed(Level.PACKAGE, used=False)
