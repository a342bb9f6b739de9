"""What a plan has to ask for: the go.mod of a version, and the versions of a module.

A plan is a generator: it yields what it needs to know next, and is sent nothing back; the answers are put into `Known`
by whoever drives it. It yields nothing at all where it has tried something, so that others have their turn. So it never
touches the network, and any caller, async or not, can use it.

    known = Known()
    steps = make_plan(..., known)
    for asks in steps: known.answer(ask, ...) for each of asks         # see run.drive
"""

from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from goferry.gomod.modgraph import Files, Graph, Local, Mains, Requirements
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
    _files: dict[object, Files] = field(default_factory=dict)
    """What was learnt, as graphs see it, by what main modules exclude and replace."""

    def has(self, ask: Ask) -> bool:
        return ask.source in self.mods if isinstance(ask, AskMod) else ask.path in self.lists

    def learn(self, asks: Iterable[Ask]) -> Steps[None]:
        """Asks for what is not known yet, all at once."""
        if wanted := tuple(dict.fromkeys(ask for ask in asks if not self.has(ask))):
            yield wanted

    def failed(self) -> frozenset[Version | Local]:
        """What could not be had, of all go.mod files that were asked for."""
        return frozenset(source for source, found in self.mods.items() if found is None)

    def versions(self, path: str) -> tuple[str, ...]:
        """What may be proposed of a module that was asked about, ascending; none when it could not be had."""
        listed = self.lists[path]
        return listed.released if listed else ()

    def grow(self, starts: Sequence[Mains]) -> Steps[tuple[Graph, ...]]:
        """The whole graph below each of these; what they lack is asked for at once."""
        files = [self.files(mains) for mains in starts]
        graphs = tuple(map(Graph, starts, files))
        growing = list(zip(starts, graphs, files, strict=True))
        while growing:
            lacking = [
                (mains, known, {version: mains.source(version) for version in missing})
                for mains, graph, known in growing
                if (missing := graph.missing())
            ]
            yield from self.learn(AskMod(source) for _, _, sources in lacking for source in sources.values())
            for _, known, sources in lacking:
                for version, source in sources.items():
                    if version not in known:
                        known.add(version, self.mods[source])
            growing = [one for one in growing if one[1].missing()]
        return graphs

    def files(self, mains: Mains) -> Files:
        """Those of all main modules that exclude and replace alike: each is taken into a graph once."""
        layers = [main.replace for main in mains.modules]
        if mains.workspace:
            layers.append(mains.workspace.replace)
        alike = mains.workspace is None, mains.exclude, *(frozenset(layer.items()) for layer in layers)
        return self._files.setdefault(alike, Files(mains.exclude))
