"""Who brings a module in: the shortest chain of requirements from a main module to the version that is selected.

Such a chain is about modules. A package of the module need not be imported by anybody on the way.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Self, TypeAlias

from goferry.deps.base import BuildList
from goferry.gomod.modgraph import NONE, ModuleGraph
from goferry.gomod.module import Version

Step: TypeAlias = Callable[[Version, Version], bool]
"""Whether a chain may go from a version to one that it requires."""


def _any(_source: Version, _target: Version) -> bool:
    return True


class Chains:
    """The shortest chains of a graph. Of equally short ones it is the first in the order of `go mod graph`.

    Of several kinds of steps the first counts with which there is a chain at all.
    """

    def __init__(self, graph: ModuleGraph, steps: Sequence[Step] = (_any,)) -> None:
        self._graph = graph
        self._before = [_search(graph, step) for step in steps]

    @classmethod
    def of_built(cls, found: BuildList) -> Self:
        """Through what is really built, where that is possible.

        From go 1.17 on, a go.mod names everything that is built, so its `// indirect` lines say nothing about who
        brings a module in: they are followed only when nothing else leads there.
        """
        selected = {module.module for module in found.modules}
        indirect = {module.module for module in found.modules if module.indirect}
        mains = {module.module for module in found.modules if module.main}
        return cls(
            found.graph,
            (
                lambda source, target: target in selected and not (source in mains and target in indirect),
                lambda _source, target: target in selected,
                _any,
            ),
        )

    def to(self, path: str) -> tuple[Version, ...]:
        """From a main module, which has no version, to the selected version; empty for a module that is not in the
        graph. That of a main module is itself."""
        target = Version(path, self._graph.selected(path))
        if target.version != NONE:
            for before in self._before:
                if target in before:
                    return _back(target, before)
        return ()


def _search(graph: ModuleGraph, step: Step) -> Mapping[Version, Version | None]:
    """Breadth first: each version that can be reached, with the one that is before it on the way; None before the
    roots."""
    before: dict[Version, Version | None] = dict.fromkeys(graph.roots)
    queue = deque(before)
    while queue:
        version = queue.popleft()
        for requirement in graph.required.get(version, ()):
            if requirement not in before and step(version, requirement):
                before[requirement] = version
                queue.append(requirement)
    return before


def _back(target: Version, before: Mapping[Version, Version | None]) -> tuple[Version, ...]:
    chain, at = list[Version](), target
    while True:
        chain.append(at)
        source = before[at]
        if source is None:
            return tuple(reversed(chain))
        at = source
