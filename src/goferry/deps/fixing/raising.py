"""What becomes of a build list when requirements are raised.

`Raises` maps module paths to versions. A main module gets the line when its own build list has that module in a lower
version; a module that no main module has gets into the first one. Then everything is looked at in every view: the
workspace as a whole, and each main module by itself, as GOWORK=off builds it.

Nothing that is built may get lower. From go 1.17 on that is what a go.mod names, and what it names cannot get lower.
Before, it may be anything in the build list: what a raise would lower or make vanish is held where it was by a
requirement of its own, as `go get` does. The rest of a build list is not built; it comes and goes with the
requirements of others, and a line for it would be one that `go mod tidy` takes out. `unbuilt` says for each main module
what is known to be of that rest: it gets no line there, neither raised nor held. What another main module of a
workspace builds is not counted in the view of the one that does not.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from goferry.deps.fixing.asking import AskMod, Known, Steps
from goferry.gomod import gover
from goferry.gomod.modgraph import GO_STRICT, NONE, Graph, Local, Main, Mains, ModuleGraph, Requirements
from goferry.gomod.module import Version

Raises: TypeAlias = frozenset[Version]
"""At most one version of each path."""

Affecting: TypeAlias = Callable[[Version], tuple[str, ...]]
"""The ids of what affects a version; empty when nothing does."""

Unbuilt: TypeAlias = Sequence[frozenset[str]]
"""For each main module the paths of which nothing is built in it, so that a line for one would not be tidy."""

_GO: Final = "go"


class Bar(StrEnum):
    """Why raises cannot be made."""

    GO = "needs_newer_go"
    UNREAD = "unread"
    """A go.mod that they need could not be had."""
    LOWERS = "lowers"
    """Something in the workspace would get lower, and no single go.mod can hold it."""


@dataclass(frozen=True, slots=True)
class View:
    """One way in which the main modules are built."""

    mains: Mains
    selected: Mapping[str, str]
    """By path, main modules and virtual modules apart."""
    go: str
    graph: ModuleGraph
    unread: frozenset[Version]

    def version(self, path: str) -> str:
        return self.selected.get(path, NONE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What raises lead to."""

    mains: Mains
    """With the raises and with what holds others where they were."""
    views: tuple[View, ...]
    affected: Mapping[str, tuple[str, ...]]
    """The ids by path, over all views."""
    holds: frozenset[Version]
    bar: Bar | None = None
    go: str = ""
    """The go version that would be needed, for Bar.GO."""

    def selected(self, path: str) -> str:
        """The lowest version over all views that have the module; `none` without one."""
        found = [view.version(path) for view in self.views if view.version(path) != NONE]
        return min(found, key=lambda version: gover.mod_key(path, version), default=NONE)


class Raiser:
    """Evaluates raises, each set of them once."""

    def __init__(
        self,
        mains: Mains,
        affecting: Affecting,
        known: Known,
        *,
        allow_go: bool = False,
        refused: Mapping[Version, str] | None = None,
        unbuilt: Unbuilt = (),
    ) -> None:
        self.known = known
        self._refused = refused or {}
        self._unbuilt = unbuilt or tuple(frozenset[str]() for _ in mains.modules)
        self.built_nowhere = frozenset[str]().union(*self._unbuilt).intersection(*self._unbuilt)
        """Paths that no main module may name."""
        self._mains = mains
        self._affecting = affecting
        self._allow_go = allow_go
        self._seen: dict[Raises, Outcome] = {}
        self._base: Outcome | None = None
        self._judged: tuple[dict[tuple[str, str], tuple[str, ...]], ...] = tuple({} for _ in views_of(mains))
        """What affects a path in a version, by view: raises change nothing about what is replaced in one."""

    @property
    def evaluated(self) -> int:
        """How many sets were."""
        return len(self._seen)

    def outcome(self, raises: Raises = frozenset()) -> Steps[Outcome]:
        yield from self.prepare([raises])
        return self._seen[raises]

    def prepare(self, wanted: Iterable[Raises]) -> Steps[None]:
        """Evaluates many sets, with what all of them need asked for at once."""
        if self._base is None:
            graphs = yield from self.known.grow(views_of(self._mains))
            self._base = yield from self._evaluate(self._mains, graphs, None)
            self._seen[frozenset()] = self._base
        base = self._base
        new = [raises for raises in dict.fromkeys(wanted) if raises not in self._seen]
        yield from self.known.learn(
            AskMod(self._mains.source(version)) for raises in new for version in raises
        )
        todo: list[tuple[Raises, Mains]] = []
        for raises in new:
            if go := self._newer_go(raises, base):
                self._seen[raises] = replace(base, bar=Bar.GO, go=go)
            else:
                todo.append((raises, _raised(self._mains, base, raises, self._unbuilt)))
        views = [view for _, mains in todo for view in views_of(mains)]
        grown = yield from self.known.grow(views)
        width = len(base.views)
        for at, (raises, mains) in enumerate(todo):
            graphs = grown[at * width : (at + 1) * width]
            self._seen[raises] = yield from self._evaluate(mains, graphs, base)
            yield ()

    def _newer_go(self, raises: Raises, base: Outcome) -> str:
        """The Go that a raise needs by its own go line, or is known to need; empty when that is none newer."""
        if self._allow_go:
            return ""
        needed = [self._refused[version] for version in raises if version in self._refused]
        for version in raises:
            found = self.known.mods[self._mains.source(version)]
            if found is not None and gover.compare(found.go, GO_STRICT) >= 0:
                needed += [found.go for view in base.views if gover.compare(found.go, view.go) > 0]
        return max(needed, key=gover.key, default="")

    def _evaluate(self, mains: Mains, graphs: Sequence[Graph], base: Outcome | None) -> Steps[Outcome]:
        held: frozenset[Version] = frozenset()
        while True:
            views = tuple(
                _view(seen, graph, self.known) for seen, graph in zip(views_of(mains), graphs, strict=True)
            )
            if base is None:
                return self._outcome(mains, views, held, None)
            if any(view.unread - old.unread for view, old in zip(views, base.views, strict=True)):
                return self._outcome(mains, views, held, Bar.UNREAD)
            holding, holds = _holding(mains, views, base, self._unbuilt)
            if not holds:
                break
            mains, held = holding, held | holds
            graphs = yield from self.known.grow(views_of(mains))
        return self._outcome(mains, views, held, *self._barred(views, base))

    def _barred(self, views: tuple[View, ...], base: Outcome) -> tuple[Bar | None, str]:
        for view, old, unbuilt in zip(views, base.views, self._unbuilt_by_view(), strict=True):
            if not self._allow_go and gover.compare(view.go, old.go) > 0:
                return Bar.GO, view.go
            if any(_lower(path, view.version(path), old.version(path)) for path in floor(old) - unbuilt):
                return Bar.LOWERS, ""
        return None, ""

    def _outcome(
        self, mains: Mains, views: tuple[View, ...], held: frozenset[Version], bar: Bar | None, go: str = ""
    ) -> Outcome:
        affected: dict[str, tuple[str, ...]] = {}
        for judged, view, unbuilt in zip(self._judged, views, self._unbuilt_by_view(), strict=True):
            elsewhere = unbuilt - self.built_nowhere
            for path, version in view.selected.items():
                if path in elsewhere:
                    continue
                ids = judged.get((path, version))
                if ids is None:
                    ids = judged[path, version] = self.ids(view.mains, Version(path, version))
                if ids:
                    affected[path] = tuple(dict.fromkeys((*affected.get(path, ()), *ids)))
        return Outcome(mains, views, dict(sorted(affected.items())), held, bar, go)

    def _unbuilt_by_view(self) -> tuple[frozenset[str], ...]:
        return tuple(self._unbuilt) if self._mains.workspace is None else (self.built_nowhere, *self._unbuilt)

    def ids(self, mains: Mains, version: Version) -> tuple[str, ...]:
        """What affects a version of the build list: by its own name, and by that of what replaces it."""
        source = mains.source(version)
        found = self._affecting(version)
        if isinstance(source, Version) and source != version:
            found += self._affecting(source)
        return tuple(dict.fromkeys(found))


def views_of(mains: Mains) -> tuple[Mains, ...]:
    """The workspace first, then each main module by itself; without a workspace the one main module."""
    if mains.workspace is None:
        return (mains,)
    return (mains, *(Mains((main,)) for main in mains.modules))


def _view(mains: Mains, graph: Graph, known: Known) -> View:
    found = graph.module_graph()
    selected = {
        path: version for path, version in found.versions.items() if version and not gover.is_toolchain(path)
    }
    return View(mains, selected, found.selected(_GO), found, _unread(mains, graph, known.failed()))


def _unread(mains: Mains, graph: Graph, failed: frozenset[Version | Local]) -> frozenset[Version]:
    """What the go command would read, and could not be had."""
    if not failed:
        return frozenset()
    needed = graph.needed()
    if not any(main.replace for main in mains.modules) and not (mains.workspace and mains.workspace.replace):
        return needed & failed
    return frozenset(version for version in needed if mains.source(version) in failed)


def _raised(mains: Mains, base: Outcome, raises: Raises, unbuilt: Unbuilt) -> Mains:
    lines: list[dict[str, str]] = [{} for _ in mains.modules]
    alone = base.views[-len(mains.modules) :] if mains.modules else ()
    for wanted in sorted(raises, key=str):
        having = [n for n, view in enumerate(alone) if view.version(wanted.path) != NONE]
        for n in having or [0]:
            named = wanted.path not in unbuilt[n]
            if named and gover.mod_compare(wanted.path, alone[n].version(wanted.path), wanted.version) < 0:
                lines[n][wanted.path] = wanted.version
    return with_lines(mains, lines)


def with_lines(mains: Mains, lines: Iterable[Mapping[str, str]]) -> Mains:
    """The main modules with these requirements, in place of those of the same paths or behind all others."""
    return mains._replace(
        modules=tuple(_with(main, more) for main, more in zip(mains.modules, lines, strict=True))
    )


def _with(main: Main, lines: Mapping[str, str]) -> Main:
    if not lines:
        return main
    named = main.requirements.require
    require = [Version(r.path, lines.get(r.path, r.version)) for r in named]
    require += [Version(path, v) for path, v in lines.items() if all(r.path != path for r in named)]
    direct = frozenset(Version(r.path, lines.get(r.path, r.version)) for r in main.direct)
    return main._replace(
        requirements=Requirements(main.requirements.go, tuple(dict.fromkeys(require))), direct=direct
    )


def _holding(
    mains: Mains, views: tuple[View, ...], base: Outcome, unbuilt: Unbuilt
) -> tuple[Mains, frozenset[Version]]:
    """The main modules with requirements of what would get lower in one of them alone, and these."""
    count = len(mains.modules)
    lines = [
        _held(main, view, old, not_here)
        for main, view, old, not_here in zip(
            mains.modules, views[-count:], base.views[-count:], unbuilt, strict=True
        )
    ]
    holds = frozenset(Version(path, version) for held in lines for path, version in held.items())
    return with_lines(mains, lines), holds


def _held(main: Main, view: View, old: View, unbuilt: frozenset[str]) -> dict[str, str]:
    if main.requirements.pruned:
        return {}
    return {
        path: version
        for path, version in old.selected.items()
        if path not in unbuilt and (_lower(path, view.version(path), version) or view.version(path) == NONE)
    }


def floor(view: View) -> frozenset[str]:
    """The paths of what may be built, and must not get lower."""
    paths: set[str] = set()
    for main in view.mains.modules:
        if not main.requirements.pruned:
            return frozenset(view.selected)
        paths |= {version.path for version in main.requirements.require}
    return frozenset(paths & view.selected.keys())


def _lower(path: str, now: str, before: str) -> bool:
    """Whether a module that is still there has got lower."""
    return now != NONE and gover.mod_compare(path, now, before) < 0
