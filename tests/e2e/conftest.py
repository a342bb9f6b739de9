"""Every test here runs the real go command."""

import shutil
from collections.abc import Iterator

import pytest

from e2e.ferry import Client, Lab, graph, upstream
from proxyworld import Tree


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.go)
            item.add_marker(pytest.mark.skipif(shutil.which("go") is None, reason="needs go"))


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree(graph())


@pytest.fixture(scope="module")
def good(tree: Tree) -> Iterator[Lab]:
    """An upstream that has every module and the checksum database."""
    with upstream(tree) as lab:
        yield lab


@pytest.fixture(scope="module")
def wanted(tree: Tree, good: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The go.sum that go makes without goferry."""
    return Client(tmp_path_factory.mktemp("without") / "client", good.url, tree.log.verifier_key).download()
