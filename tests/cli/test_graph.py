"""The module graph: pruning, selection and what is missing, with the real go as judge."""

import json
import os
import random
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from goferry.cli.graph import Graph, Local, Mains, Requirements
from goferry.cli.graphfiles import Exact, find, local_requirements, read, requirements
from goferry.errors import InvalidInput
from goferry.gomod.module import Version
from sizes import size

World = Mapping[Version, Requirements]


def v(text: str) -> Version:
    path, _, version = text.partition("@")
    return Version(path, version)


def req(go: str, *names: str) -> Requirements:
    return Requirements(go, tuple(map(v, names)))


def grown(mains: Mains, world: World) -> tuple[Graph, list[Version]]:
    """The graph after everything was fed in, and the order in which it asked."""
    graph, asked = Graph(mains), []
    while missing := graph.missing():
        asked += missing
        for version in missing:
            graph.add(version, world.get(version))
    return graph, asked


WORLD = {
    v("a@v1.0.0"): req("1.21", "b@v1.1.0"),
    v("b@v1.0.0"): req("1.21"),
    v("b@v1.1.0"): req("1.21", "c@v1.2.0", "d@v1.0.0"),
    v("c@v1.0.0"): req("1.21"),
    v("c@v1.2.0"): req("1.21"),
    v("d@v1.0.0"): req("1.21"),
    v("old@v1.0.0"): req("1.16", "b@v1.1.0"),
}

# main module, build list, versions whose go.mod go reads
CASES = {
    "a pruned dependency's requirements count, but not theirs": (
        req("1.21", "a@v1.0.0", "c@v1.0.0"),
        "a@v1.0.0 b@v1.1.0 c@v1.0.0",
        "a@v1.0.0 b@v1.1.0 c@v1.0.0",
    ),
    "an old main module prunes nothing": (
        req("1.16", "a@v1.0.0", "c@v1.0.0"),
        "a@v1.0.0 b@v1.1.0 c@v1.2.0 d@v1.0.0",
        "a@v1.0.0 b@v1.1.0 c@v1.0.0 c@v1.2.0 d@v1.0.0",
    ),
    "nothing is pruned below an old dependency": (
        req("1.21", "old@v1.0.0"),
        "b@v1.1.0 c@v1.2.0 d@v1.0.0 old@v1.0.0",
        "b@v1.1.0 c@v1.2.0 d@v1.0.0 old@v1.0.0",
    ),
    "the highest version that anybody asks for is built": (
        req("1.21", "a@v1.0.0", "b@v1.0.0"),
        "a@v1.0.0 b@v1.1.0",
        "a@v1.0.0 b@v1.0.0 b@v1.1.0",
    ),
    "no requirements, nothing to build": (req("1.21"), "", ""),
}


@pytest.mark.parametrize(("main", "built", "needed"), CASES.values(), ids=CASES)
def test_pruning_decides_what_is_built_and_read(main: Requirements, built: str, needed: str) -> None:
    graph, _asked = grown(Mains((main,)), WORLD)
    assert list(map(str, graph.build_list())) == built.split()
    assert sorted(map(str, graph.needed())) == needed.split()


def test_the_whole_graph_is_asked_for_once_each() -> None:
    _graph, asked = grown(Mains((req("1.21", "a@v1.0.0"),)), WORLD)
    assert sorted(map(str, asked)) == ["a@v1.0.0", "b@v1.1.0", "c@v1.2.0", "d@v1.0.0"]


def test_what_cannot_be_had_is_not_asked_for_again() -> None:
    graph, asked = grown(Mains((req("1.21", "a@v1.0.0", "gone@v1.0.0"),)), WORLD)
    assert asked.count(v("gone@v1.0.0")) == 1
    assert v("gone@v1.0.0") in graph.needed()


def test_excluded_versions_and_main_modules_are_no_requirements() -> None:
    mains = Mains(
        (req("1.21", "a@v1.0.0", "c@v1.2.0"),), frozenset({"a"}), exclude=frozenset({v("c@v1.2.0")})
    )
    graph, asked = grown(mains, WORLD)
    assert (graph.build_list(), asked) == ([], [])


def test_replacements_hold_for_one_version_or_for_all() -> None:
    mains = Mains((), replace={v("a@v1.0.0"): v("x@v2.0.0"), v("b"): Local("/b")})
    assert [mains.source(v(name)) for name in ("a@v1.0.0", "a@v1.1.0", "b@v9.0.0")] == [
        v("x@v2.0.0"), v("a@v1.1.0"), Local("/b"),
    ]  # fmt: skip


# ---- files --------------------------------------------------------------------------------------------


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_go_mod_is_read_with_its_replacements_and_exclusions(tmp_path: Path) -> None:
    put(tmp_path, "go.mod", """module example.org/m
go 1.21
require (
	example.org/a v1.0.0
	example.org/b v1.0.0 // indirect
)
replace example.org/a => example.org/fork v1.1.0
replace example.org/b => ./b
exclude example.org/a v0.9.0
""")  # fmt: skip
    put(tmp_path, "b/go.mod", "module example.org/b\nrequire example.org/c v1.0.0\n")
    mains = read(tmp_path / "go.mod")
    assert isinstance(mains, Mains)
    assert mains.requirements == (req("1.21", "example.org/a@v1.0.0", "example.org/b@v1.0.0"),)
    assert mains.source(v("example.org/a@v1.0.0")) == v("example.org/fork@v1.1.0")
    local = mains.source(v("example.org/b@v1.0.0"))
    assert isinstance(local, Local)
    assert local_requirements(local) == req("1.16", "example.org/c@v1.0.0")
    assert local_requirements(Local(str(tmp_path / "none"))) is None
    assert mains.exclude == {v("example.org/a@v0.9.0")}


def test_a_folder_stands_for_its_workspace_or_module_here_or_above(tmp_path: Path) -> None:
    mod = put(tmp_path, "m/go.mod", "module example.org/m\n")
    (tmp_path / "m" / "deep").mkdir()
    assert find(tmp_path / "m" / "deep") == mod
    work = put(tmp_path, "go.work", "go 1.21\nuse ./m\n")
    assert find(tmp_path / "m" / "deep") == work
    mains = read(tmp_path)
    assert isinstance(mains, Mains)
    assert (mains.paths, mains.workspace) == ({"example.org/m"}, True)


def test_a_go_work_overrules_the_replacements_of_its_modules(tmp_path: Path) -> None:
    put(tmp_path, "m/go.mod", "module example.org/m\nreplace example.org/a => example.org/one v1.0.0\n")
    put(tmp_path, "go.work", "go 1.21\nuse ./m\nreplace example.org/a => example.org/two v1.0.0\n")
    mains = read(tmp_path / "go.work")
    assert isinstance(mains, Mains)
    assert mains.source(v("example.org/a@v1.5.0")) == v("example.org/two@v1.0.0")


def test_a_go_sum_names_exactly_its_lines(tmp_path: Path) -> None:
    file = put(
        tmp_path,
        "go.sum",
        "a.example.org v1.0.0 h1:x=\na.example.org v1.0.0/go.mod h1:y=\nb.example.org v1.0.0/go.mod h1:z=\n",
    )
    assert read(file) == Exact(
        (v("a.example.org@v1.0.0"),), (v("a.example.org@v1.0.0"), v("b.example.org@v1.0.0"))
    )


@pytest.mark.parametrize("name", ["main.go", "none/go.mod", "empty"])
def test_what_is_no_module_file_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    put(tmp_path, "main.go", "package main\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=name):
        read(tmp_path / name)


# ---- the real go --------------------------------------------------------------------------------------

GO_LINES = ["1.16", "1.17", "1.21"]


def random_world(seed: int) -> tuple[dict[Version, Requirements], Requirements]:
    """Small random universes: versions require only modules with a later letter, so there is always an end."""
    rng = random.Random(seed)
    paths = [f"example.org/{letter}" for letter in "abcdefgh"]
    versions = {path: [f"v1.{n}.0" for n in range(rng.randint(1, 3))] for path in paths}

    def some(later: list[str]) -> tuple[Version, ...]:
        chosen = [path for path in later if rng.random() < 0.4]
        return tuple(Version(path, rng.choice(versions[path])) for path in chosen)

    world = {
        Version(path, version): Requirements(rng.choice(GO_LINES), some(paths[place + 1 :]))
        for place, path in enumerate(paths)
        for version in versions[path]
    }
    return world, Requirements(rng.choice(GO_LINES), some(paths))


def go_mod(path: str, found: Requirements) -> str:
    lines = [f"module {path}", f"go {found.go}", *(f"require {r.path} {r.version}" for r in found.require)]
    return "\n".join(lines) + "\n"


@pytest.mark.go
@pytest.mark.parametrize("seed", range(size(8, 300)))
def test_the_build_list_is_the_one_that_the_real_go_computes(tmp_path: Path, seed: int) -> None:
    """Over random graphs with mixed go lines. go first makes go.mod consistent, as every committed one is."""
    world, main = random_world(seed)
    for version, found in world.items():
        folder = f"proxy/{version.path}/@v"
        put(tmp_path, f"{folder}/{version.version}.mod", go_mod(version.path, found))
        put(tmp_path, f"{folder}/{version.version}.info", json.dumps({"Version": version.version}))
    file = put(tmp_path, "main/go.mod", go_mod("example.org/main", main))
    listed = real_go_list(tmp_path)

    mains = read(file)
    assert isinstance(mains, Mains)
    parsed = {
        version: requirements("go.mod", go_mod(version.path, found).encode())
        for version, found in world.items()
    }
    graph, _asked = grown(mains, parsed)
    assert list(map(str, graph.build_list())) == listed


def real_go_list(folder: Path) -> list[str]:
    environ = {
        **os.environ, "HOME": str(folder), "GOMODCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod -modcacherw",
        "GOPROXY": f"file://{folder}/proxy", "GOSUMDB": "off", "GOTOOLCHAIN": "local", "GOWORK": "off",
    }  # fmt: skip
    command = ["go", "list", "-m", "-f", "{{if not .Main}}{{.Path}}@{{.Version}}{{end}}", "all"]
    done = subprocess.run(command, cwd=folder / "main", env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.split())
