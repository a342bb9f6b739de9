"""Who brings a module in: the shortest chain of requirements from a main module to the version that is selected.

Such a chain is about modules. A package of the module need not be imported by anybody on the way.
"""

from collections.abc import Mapping

from goferry.gomod.modgraph import NONE, ModuleGraph
from goferry.gomod.module import Version


class Chains:
    """The shortest chains of a graph. Of equally short ones it is the first in the order of `go mod graph`."""

    def __init__(self, graph: ModuleGraph) -> None:
        self._graph = graph
        self._before = _predecessors(graph)

    def to(self, path: str) -> tuple[Version, ...]:
        """From a main module, which has no version, to the selected version; empty for a module that is not in the
        graph. That of a main module is itself."""
        selected = self._graph.selected(path)
        at: Version | None = Version(path, selected)
        if selected == NONE or at not in self._before:
            return ()
        chain = []
        while at is not None:
            chain.append(at)
            at = self._before[at]
        return tuple(reversed(chain))


def _predecessors(graph: ModuleGraph) -> Mapping[Version, Version | None]:
    """Each version that can be reached, with the one that is before it on the way; None before the roots."""
    before: dict[Version, Version | None] = dict.fromkeys(graph.roots)
    for version, requirement in graph.edges():
        before.setdefault(requirement, version)
    return before
