"""Which files a module graph needs: plain values in, plain values out, nothing fetched here.

The caller feeds go.mod files in until nothing is missing:

    graph = Graph(mains)
    while missing := graph.missing():
        for version in missing:
            graph.add(version, requirements_of(version))      # None when there is no such go.mod
    graph.build_list()

Two graphs are told apart. Go's own is pruned: below a module of go 1.17 or newer its requirements count, but theirs do
not, because such a go.mod names all that is needed to build it (https://go.dev/ref/mod#graph-pruning). It decides
which versions are built. The whole graph has every go.mod that can be reached; commands such as `go mod tidy` and
older go versions read on into it, so a warm store should have it too, but nothing is lost when a piece is missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from goferry.gomod import gover, semver
from goferry.gomod.module import Version
from goferry.gomod.module import sort as sort_versions

PRUNING: Final = "1.17"
"""The go line from which on a go.mod names everything that its packages need."""


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a go.mod file says for the graph. `go` is its go line, with the default for a missing one filled in."""

    go: str
    require: tuple[Version, ...]

    @property
    def pruned(self) -> bool:
        return gover.compare(self.go, PRUNING) >= 0


@dataclass(frozen=True, slots=True)
class Local:
    """A replacement that is a folder: nothing to fetch, but its go.mod counts."""

    folder: str


@dataclass(frozen=True, slots=True)
class Mains:
    """The main module, or the modules of a workspace, and the replace and exclude lines that hold for all of them."""

    requirements: tuple[Requirements, ...]
    paths: frozenset[str] = frozenset()
    replace: Mapping[Version, Version | Local] = field(default_factory=dict)
    """Keys with an empty version hold for every version of the path."""
    exclude: frozenset[Version] = frozenset()
    workspace: bool = False

    def source(self, version: Version) -> Version | Local:
        """Where a version really comes from: itself, another version, or a folder."""
        for key in (version, Version(version.path, "")):
            if key in self.replace:
                return self.replace[key]
        return version


class Graph:
    """A module graph that grows as go.mod files come in."""

    def __init__(self, mains: Mains) -> None:
        self._mains = mains
        self._known: dict[Version, Requirements | None] = {}

    def add(self, version: Version, requirements: Requirements | None) -> None:
        """The go.mod of a version, or None when it cannot be had."""
        self._known[version] = requirements

    def missing(self) -> list[Version]:
        """Versions in the whole graph whose go.mod has not been added yet."""
        return sort_versions(
            version
            for version in self._reach(self._mains.requirements, pruning=False)
            if version not in self._known
        )

    def needed(self) -> frozenset[Version]:
        """Versions whose go.mod the go command itself reads: those in its pruned graph, and those that it builds."""
        return frozenset(self._loaded()) | frozenset(self.build_list())

    def build_list(self) -> list[Version]:
        """The highest version of each module in the pruned graph, main modules apart: minimal version selection."""
        return sort_versions(
            Version(path, version) for path, version in self._highest(self._mains_now()).items()
        )

    def _loaded(self) -> set[Version]:
        """Versions whose requirements count in the pruned graph."""
        return {version for version, _pruned in self._walk(self._mains_now(), pruning=True)}

    def _mains_now(self) -> list[Requirements]:
        """The main modules, and in a workspace what acts as one.

        There the go.mod of one module does not know what another one needs. A dependency that the workspace raises
        above what a module asked for is read as if it were a main module itself (cmd/go readModGraph).
        """
        mains = list(self._mains.requirements)
        raised: set[Version] = set()
        while self._mains.workspace:
            highest = self._highest(mains)
            wanted = {Version(v.path, highest[v.path]) for main in mains for v in self._require(main)}
            named = {version for main in mains for version in self._require(main)}
            new = {version for version in wanted - named - raised if self._known.get(version)}
            if not new:
                break
            raised |= new
            mains += [found for version in sort_versions(new) if (found := self._known[version])]
        return mains

    def _highest(self, mains: Iterable[Requirements]) -> dict[str, str]:
        highest: dict[str, str] = {}
        for version in self._reach(mains, pruning=True):
            known = highest.get(version.path)
            highest[version.path] = version.version if known is None else semver.max(known, version.version)
        return highest

    def _reach(self, mains: Iterable[Requirements], *, pruning: bool) -> set[Version]:
        """Every version that is mentioned."""
        reached: set[Version] = set()
        for version, _below in self._walk(mains, pruning=pruning):
            reached.add(version)
            reached.update(self._require(self._known.get(version)))
        return reached

    def _walk(self, mains: Iterable[Requirements], *, pruning: bool) -> Iterator[tuple[Version, bool]]:
        """Versions whose go.mod is read, each once per way of reading: with what is below it pruned, or not."""
        queue = [(version, pruning and main.pruned) for main in mains for version in self._require(main)]
        seen = set(queue)
        while queue:
            version, pruned = queue.pop()
            yield version, pruned
            found = self._known.get(version)
            if found is None or (pruned and found.pruned):
                continue
            # Below an unpruned go.mod nothing is pruned any more: it does not name all that it needs.
            below = {(requirement, False) for requirement in self._require(found)} - seen
            seen |= below
            queue.extend(below)

    def _require(self, requirements: Requirements | None) -> Iterable[Version]:
        if requirements is None:
            return ()
        return [
            version
            for version in requirements.require
            if version not in self._mains.exclude and version.path not in self._mains.paths
        ]
