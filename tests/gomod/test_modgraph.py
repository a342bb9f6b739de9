"""The module graph: pruning, selection, consistency and what is missing, with the real go as judge."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from goferry.gomod.modgraph import Edge, Graph, Local, Main, Mains, Replacements, Requirements, Workspace
from goferry.gomod.module import Version
from modworlds import World, random_world
from sizes import size


def v(text: str) -> Version:
    path, _, version = text.partition("@")
    return Version(path, version)


def req(go: str, *names: str) -> Requirements:
    return Requirements(go, tuple(map(v, names)))


def main(go: str, *names: str, path: str = "m", replace: Replacements | None = None) -> Main:
    return Main(path, req(go, *names), replace=replace or {})


def text(edge: Edge) -> str:
    """An edge as `go mod graph` prints it."""
    return " ".join(f"{end.path}@{end.version}" if end.version else end.path for end in edge)


def grown(
    mains: Mains, world: Mapping[Version, Requirements], *, whole: bool = False
) -> tuple[Graph, list[str]]:
    """The graph after everything was fed in, and the order in which it asked."""
    graph = Graph(mains)
    asked: list[str] = []
    while missing := graph.missing(whole=whole):
        asked += map(str, missing)
        for version in missing:
            graph.add(version, world.get(version))
    return graph, asked


WORLD = {
    v("a@v1.0.0"): req("1.20", "b@v1.1.0"),
    v("b@v1.0.0"): req("1.20"),
    v("b@v1.1.0"): req("1.20", "c@v1.2.0", "d@v1.0.0"),
    v("c@v1.0.0"): req("1.20"),
    v("c@v1.2.0"): req("1.20"),
    v("d@v1.0.0"): req("1.20"),
    v("new@v1.0.0"): req("1.21"),
    v("old@v1.0.0"): req("1.16", "b@v1.1.0"),
    v("back@v1.0.0"): req("1.20", "m@v0.9.0"),
    v("m@v0.9.0"): req("1.16", "c@v1.2.0"),
}

# main module, build list, versions whose go.mod go reads
CASES = {
    "a pruned dependency's requirements count, but not theirs": (
        main("1.20", "a@v1.0.0", "c@v1.0.0"),
        "a@v1.0.0 b@v1.1.0 c@v1.0.0",
        "a@v1.0.0 b@v1.1.0 c@v1.0.0",
    ),
    "an old main module prunes nothing": (
        main("1.16", "a@v1.0.0", "c@v1.0.0"),
        "a@v1.0.0 b@v1.1.0 c@v1.2.0 d@v1.0.0",
        "a@v1.0.0 b@v1.1.0 c@v1.0.0 c@v1.2.0 d@v1.0.0",
    ),
    "nothing is pruned below an old dependency": (
        main("1.20", "old@v1.0.0"),
        "b@v1.1.0 c@v1.2.0 d@v1.0.0 old@v1.0.0",
        "b@v1.1.0 c@v1.2.0 d@v1.0.0 old@v1.0.0",
    ),
    "a root that is raised brings its requirements with it": (
        main("1.20", "a@v1.0.0", "b@v1.0.0", "c@v1.0.0"),
        "a@v1.0.0 b@v1.1.0 c@v1.2.0 d@v1.0.0",
        "a@v1.0.0 b@v1.0.0 b@v1.1.0 c@v1.0.0 c@v1.2.0 d@v1.0.0",
    ),
    "of two lines for one module only the higher one counts": (
        main("1.20", "c@v1.2.0", "c@v1.0.0"),
        "c@v1.2.0",
        "c@v1.2.0",
    ),
    "an older version of the main module is not built, but its requirements count where nothing is pruned": (
        main("1.16", "back@v1.0.0"),
        "back@v1.0.0 c@v1.2.0",
        "back@v1.0.0 c@v1.2.0 m@v0.9.0",
    ),
    "no requirements, nothing to build": (main("1.20"), "", ""),
}


@pytest.mark.parametrize(("start", "built", "needed"), CASES.values(), ids=CASES)
def test_pruning_decides_what_is_built_and_read(start: Main, built: str, needed: str) -> None:
    graph, _asked = grown(Mains((start,)), WORLD)
    assert list(map(str, graph.build_list())) == built.split()
    assert sorted(map(str, graph.needed())) == needed.split()


# main module, the lines of go mod graph
EDGES = {
    "the go line is a requirement of the main module, however old": (main("1.16"), ["m go@1.16"]),
    "from 1.21 on it is one of every module, and implies a toolchain": (
        main("1.21", "new@v1.0.0", "a@v1.0.0"),
        [
            "m a@v1.0.0", "m go@1.21", "m new@v1.0.0", "a@v1.0.0 b@v1.1.0", "go@1.21 toolchain@go1.21",
            "new@v1.0.0 go@1.21",
        ],
    ),
    "a toolchain line is one of the main module only": (
        Main("m", req("1.20"), toolchain="go1.22.0"), ["m go@1.20", "m toolchain@go1.22.0"],
    ),
    "a dependency raises the go line": (
        main("1.20", "new@v1.0.0"),
        ["m go@1.21", "m new@v1.0.0", "go@1.21 toolchain@go1.21", "new@v1.0.0 go@1.21"],
    ),
    "a line that is excluded is no reason to name a module": (
        Main("m", req("1.16", "a@v1.0.0", "b@v1.0.0", "c@v1.0.0"), direct=frozenset({v("b@v1.0.0"), v("c@v1.0.0")}),
             exclude=frozenset({v("b@v1.0.0")})),
        [
            "m a@v1.0.0", "m c@v1.2.0", "m go@1.16", "a@v1.0.0 b@v1.1.0", "b@v1.1.0 c@v1.2.0", "b@v1.1.0 d@v1.0.0",
        ],
    ),
    "an old go.mod that named too little names the least that is right": (
        main("1.16", "a@v1.0.0", "b@v1.0.0"),
        ["m a@v1.0.0", "m go@1.16", "a@v1.0.0 b@v1.1.0", "b@v1.1.0 c@v1.2.0", "b@v1.1.0 d@v1.0.0"],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("start", "edges"), EDGES.values(), ids=EDGES)
def test_edges_are_what_go_mod_graph_prints(start: Main, edges: list[str]) -> None:
    graph, _asked = grown(Mains((start,)), WORLD)
    assert list(map(text, graph.edges())) == edges


def test_go_and_toolchain_are_selected_but_no_part_of_a_build_list() -> None:
    graph, _asked = grown(Mains((main("1.20", "new@v1.0.0"),)), WORLD)
    found = graph.module_graph()
    assert (found.selected("go"), found.selected("toolchain"), found.selected("m")) == ("1.21", "go1.21", "")
    assert found.selected("elsewhere") == "none"
    assert found.build_list() == [v("new@v1.0.0")]


def test_a_workspace_reads_below_what_it_raises_as_if_it_were_a_main_module() -> None:
    """main n1 asks for b v1.0.0 and n2 for v1.1.0 over a; what v1.1.0 requires counts, though n1 never said so."""
    modules = (main("1.20", "b@v1.0.0", path="n1"), main("1.20", "a@v1.0.0", path="n2"))
    graph, _asked = grown(Mains(modules, Workspace("1.20")), WORLD)
    assert list(map(str, graph.build_list())) == ["a@v1.0.0", "b@v1.1.0", "c@v1.2.0", "d@v1.0.0"]
    assert list(map(text, graph.edges()))[:2] == ["n1 b@v1.0.0", "n2 a@v1.0.0"]


def test_only_what_go_reads_is_asked_for_unless_the_whole_graph_is_wanted() -> None:
    mains = Mains((main("1.20", "a@v1.0.0"),))
    assert grown(mains, WORLD)[1] == ["a@v1.0.0"]
    assert grown(mains, WORLD, whole=True)[1] == ["a@v1.0.0", "b@v1.1.0", "c@v1.2.0", "d@v1.0.0"]


@pytest.mark.parametrize("whole", [False, True])
def test_what_cannot_be_had_is_not_asked_for_again(whole: bool) -> None:
    graph, asked = grown(Mains((main("1.20", "a@v1.0.0", "gone@v1.0.0"),)), WORLD, whole=whole)
    assert asked.count("gone@v1.0.0") == 1
    assert v("gone@v1.0.0") in graph.needed()
    assert v("gone@v1.0.0") in graph.build_list()


def test_an_excluded_version_is_required_by_nobody() -> None:
    start = Main("m", req("1.16", "a@v1.0.0", "c@v1.2.0"), exclude=frozenset({v("c@v1.2.0"), v("b@v1.1.0")}))
    graph, asked = grown(Mains((start,)), WORLD, whole=True)
    assert (graph.build_list(), asked) == ([v("a@v1.0.0")], ["a@v1.0.0"])


def test_a_very_deep_graph_is_read_without_a_deep_stack() -> None:
    graph = Graph(Mains((main("1.16", "a@v1.4999.0", "a@v1.0.0"),)))
    for n in range(5000):
        graph.add(v(f"a@v1.{n}.0"), req("1.16", *([f"a@v1.{n - 1}.0"] if n else [])))
    assert (graph.missing(), graph.build_list()) == ([], [v("a@v1.4999.0")])
    assert len(graph.edges()) == 5001  # from m to a and go, and 4,999 steps down


REPLACED = {
    "a version": ({v("a@v1.0.0"): v("x@v2.0.0")}, {}, v("x@v2.0.0")),
    "all versions": ({v("a"): Local("/a")}, {}, Local("/a")),
    "one version before all versions": (
        {v("a"): Local("/a"), v("a@v1.0.0"): v("x@v2.0.0")},
        {},
        v("x@v2.0.0"),
    ),
    "another version": ({v("a@v1.1.0"): v("x@v2.0.0")}, {}, v("a@v1.0.0")),
    "go.work before go.mod": ({v("a"): Local("/a")}, {v("a"): Local("/w")}, Local("/w")),
    "all versions in go.work before one in go.mod": (
        {v("a@v1.0.0"): Local("/a")},
        {v("a"): Local("/w")},
        Local("/w"),
    ),
}


@pytest.mark.parametrize(("in_mod", "in_work", "source"), REPLACED.values(), ids=REPLACED)
def test_replacements_hold_for_one_version_or_for_all(
    in_mod: Replacements, in_work: Replacements, source: Version | Local
) -> None:
    mains = Mains((main("1.20", replace=in_mod),), Workspace("1.20", replace=in_work))
    assert mains.source(v("a@v1.0.0")) == source


@pytest.mark.parametrize("modules", [(), (main("1.20"), main("1.20", path="n"))])
def test_only_a_workspace_has_any_number_of_main_modules(modules: tuple[Main, ...]) -> None:
    with pytest.raises(ValueError, match="exactly one main module"):
        Graph(Mains(modules))
    assert Mains(modules, Workspace("1.20")).paths == {module.path for module in modules}


# ---- the real go --------------------------------------------------------------------------------------


@pytest.mark.go
@pytest.mark.parametrize("seed", range(size(12, 300)))
def test_build_list_and_edges_are_those_of_the_real_go(tmp_path: Path, seed: int) -> None:
    """Over random graphs with mixed go lines, replacements, exclusions and workspaces, mostly inconsistent ones."""
    world = random_world(seed, tmp_path)
    world.write()
    graph = world.grown()
    assert list(map(text, graph.edges())) == world.go_mod_graph()
    assert list(map(str, graph.build_list())) == world.go_list()


@pytest.mark.go
def test_a_missing_go_line_is_the_default_one_for_the_real_go_too(tmp_path: Path) -> None:
    world = World(tmp_path, Mains((main("1.16", "example.org/a@v1.0.0", path="example.org/m"),)), {
        v("example.org/a@v1.0.0"): req("1.21", "example.org/b@v1.0.0"), v("example.org/b@v1.0.0"): req("1.16"),
    }, {})  # fmt: skip
    world.write()
    file = world.folder / "m0/go.mod"
    file.write_text(file.read_text().replace("go 1.16\n", ""))
    assert list(map(text, world.grown().edges())) == world.go_mod_graph()


def test_random_worlds_have_every_kind_of_start(tmp_path: Path) -> None:
    """What is compared with the real go is no empty comparison."""
    worlds = [random_world(seed, tmp_path) for seed in range(12)]
    mains = [main for world in worlds for main in world.mains.modules]
    assert {world.mains.workspace is None for world in worlds} == {True, False}
    assert {main.requirements.pruned for main in mains} == {True, False}
    assert any(main.replace for main in mains)
    assert any(main.exclude for main in mains)
    assert any(world.grown().build_list() for world in worlds)
