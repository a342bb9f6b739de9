"""The upstream that most tests here share, and what go makes of it without goferry."""

from collections.abc import Iterator

import pytest

from e2e.ferry import Client, Lab, graph, upstream
from proxyworld import Tree


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
