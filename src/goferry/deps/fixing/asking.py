"""What a plan has to ask for: the go.mod of a version, and the versions of a module.

A plan is a generator: it yields what it needs to know next, and is sent nothing back; the answers are put into `Known`
by whoever drives it. So it never touches the network, and any caller, async or not, can use it.

    known = Known()
    steps = make_plan(..., known)
    for asks in steps: known.answer(ask, ...) for each of asks         # see run.drive
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from goferry.gomod.modgraph import Graph, Local, Mains, Requirements
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class AskMod:
    """What does the go.mod of this version, or of this folder, require?"""

    source: Version | Local


@dataclass(frozen=True, slots=True)
class AskVersions:
    """Which versions does this module have?"""

    path: str


@dataclass(frozen=True, slots=True)
class Listed:
    """The versions of a module, ascending."""

    released: tuple[str, ...] = ()
    """What may be proposed: released and not retracted. For a module without releases the commits that are known to be
    good."""
    commits: tuple[str, ...] = ()
    """Pseudo-versions that are known to be good though releases exist: what is not released yet."""


Ask: TypeAlias = AskMod | AskVersions
T = TypeVar("T")
Steps: TypeAlias = Generator[tuple[Ask, ...], None, T]


@dataclass(slots=True, eq=False)
class Known:
    """The answers so far. None stands for what could not be had."""

    mods: dict[Version | Local, Requirements | None] = field(default_factory=dict)
    lists: dict[str, Listed | None] = field(default_factory=dict)

    def has(self, ask: Ask) -> bool:
        return ask.source in self.mods if isinstance(ask, AskMod) else ask.path in self.lists

    def learn(self, asks: Iterable[Ask]) -> Steps[None]:
        """Asks for what is not known yet, all at once."""
        if wanted := tuple(dict.fromkeys(ask for ask in asks if not self.has(ask))):
            yield wanted

    def versions(self, path: str) -> tuple[str, ...]:
        """What may be proposed of a module that was asked about, ascending; none when it could not be had."""
        listed = self.lists[path]
        return listed.released if listed else ()

    def grow(self, starts: Sequence[Mains]) -> Steps[tuple[Graph, ...]]:
        """The whole graph below each of these; what they lack is asked for at once."""
        graphs = tuple(Graph(mains) for mains in starts)
        growing = list(zip(starts, graphs, strict=True))
        while growing:
            missing = [
                (mains, graph, {version: mains.source(version) for version in graph.missing()})
                for mains, graph in growing
            ]
            yield from self.learn(AskMod(source) for _, _, sources in missing for source in sources.values())
            for _, graph, sources in missing:
                for version, source in sources.items():
                    graph.add(version, self.mods[source])
            growing = [(mains, graph) for mains, graph, sources in missing if sources]
        return graphs
