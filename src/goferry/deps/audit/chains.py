"""Who brings a module in: the shortest way from a main module, through what is really built."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from goferry.deps.base import BuildList
from goferry.gomod.module import Version


class Chains:
    """The ways of one build list.

    From go 1.17 on, a go.mod names everything that is built, so its `// indirect` lines say nothing about who brings a
    module in: they are followed last, when nothing else leads there.
    """

    def __init__(self, found: BuildList) -> None:
        self._required = found.graph.required
        selected = {module.module for module in found.modules}
        indirect = {module.module for module in found.modules if module.indirect}
        mains = [module.module for module in found.modules if module.main]
        ways = (
            lambda source, target: target in selected and not (source in mains and target in indirect),
            lambda _source, target: target in selected,
            lambda _source, _target: True,
        )
        self._came_from = [self._search(mains, allowed) for allowed in ways]

    def to(self, target: Version) -> tuple[Version, ...]:
        """From the main module to the target; empty when nothing requires it."""
        for came_from in self._came_from:
            if target in came_from:
                return tuple(reversed(list(_back(target, came_from))))
        return ()

    def _search(
        self, mains: Iterable[Version], allowed: Callable[[Version, Version], bool]
    ) -> Mapping[Version, Version | None]:
        """Breadth first: of each version that can be reached, the one before it."""
        came_from: dict[Version, Version | None] = dict.fromkeys(mains)
        queue = deque(came_from)
        while queue:
            version = queue.popleft()
            for requirement in self._required.get(version, ()):
                if requirement not in came_from and allowed(version, requirement):
                    came_from[requirement] = version
                    queue.append(requirement)
        return came_from


def _back(target: Version, came_from: Mapping[Version, Version | None]) -> Iterable[Version]:
    place: Version | None = target
    while place is not None:
        yield place
        place = came_from[place]
