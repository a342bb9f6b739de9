"""Minimal version selection gives the build lists that Go's own tests of it expect (internal/mvs)."""

import re
from collections.abc import Iterator

import pytest

import oracle
from goferry.gomod.modgraph import Graph, Main, Mains, Requirements
from goferry.gomod.module import Version

Case = tuple[str, dict[str, list[str]], str, list[str]]


def cases() -> Iterator[Case]:
    """Name, graph, target and build list; there are none where there is no Go tree."""
    root = oracle.go_root()
    file = root / "src/cmd/go/internal/mvs/mvs_test.go" if root else None
    if file is None or not file.is_file():
        return
    text = file.read_text().split("`")[1]
    for section in re.split(r"(?m)^name: ", text)[1:]:
        name, _, rest = section.partition("\n")
        lines = [line.split("#")[0].split(":") for line in rest.splitlines() if ":" in line.split("#")[0]]
        graph = {head: words.split() for head, words in lines if " " not in head}
        for head, words in lines:
            verb, _, target = head.partition(" ")
            if verb == "build":
                yield name, graph, target.strip(), words.split()


def module(name: str) -> Version:
    """B2.hidden is above B2, and a bare B is below B1."""
    number, _, hidden = name[1:].partition(".")
    return Version(f"example.org/{name[0]}", f"v0.{number or 0}.{1 if hidden else 0}")


def test_there_are_as_many_as_ever() -> None:
    if oracle.go_root() is None:
        pytest.skip("needs a Go tree with the tests of its go command")
    assert len(list(cases())) >= 37


@pytest.mark.parametrize(("name", "graph", "target", "wanted"), list(cases()))
def test_the_build_list_is_the_expected_one(
    name: str, graph: dict[str, list[str]], target: str, wanted: list[str]
) -> None:
    require = tuple(map(module, graph[target]))
    found = Graph(Mains((Main(module(target).path, Requirements("1.16", require)),)))
    known = {module(head): tuple(map(module, words)) for head, words in graph.items()}
    while missing := found.missing():
        for version in missing:
            below = known.get(version)
            found.add(version, None if below is None else Requirements("1.16", below))
    assert found.build_list() == [module(word) for word in wanted if word != target]
