"""The module graph: what `go list -m all` and `go mod graph` say, from go.mod files that the caller feeds in.

    graph = Graph(mains)
    while missing := graph.missing():
        for version in missing:
            graph.add(version, requirements_of(mains.source(version)))     # None when there is no such go.mod
    graph.build_list()          # go list -m all
    graph.edges()               # go mod graph

Minimal version selection takes the highest version of each module that is mentioned anywhere in the graph. What is
mentioned depends on the go lines (https://go.dev/ref/mod#graph-pruning): from go 1.17 on, a go.mod names all that its
packages need, so below such a module its own requirements count, but theirs do not. Below an older one, everything
counts. The order of files in is the caller's; nothing is read or fetched here, so any caller, async or not, can use it.

Three things are easily missed:

- The go and toolchain lines are requirements too, of two virtual modules named `go` and `toolchain`. They are edges
  of the graph and can make a go.mod inconsistent, but are no part of a build list.
- An inconsistent go.mod, which names a lower version than its own requirements ask for, is not read as it is written.
  go first raises what it names, which may unprune more, and works with the result; see `_Load`.
- A dependency may require an older version of a main module. It is never built, but its requirements count.

The rules are those of cmd/go internal/modload/buildlist.go and internal/mvs.
"""

import enum
import functools
from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeAlias, TypeVar

from goferry.gomod import gover, semver
from goferry.gomod.module import Version

GO_PRUNING: Final = "1.17"
"""The go line from which on a go.mod names everything that its packages need."""

GO_STRICT: Final = "1.21"
"""The go line from which on it is a requirement: an older Go must not be used."""

NONE: Final = "none"
"""The version of a module that is not in the graph."""

T = TypeVar("T")

_LEAST: Final = semver.key(NONE)

Edge: TypeAlias = tuple[Version, Version]
"""A version, and one that its go.mod requires. Main modules have an empty version."""


class Requirements(NamedTuple):
    """What a go.mod file says for the graph. `go` is its go line; a missing one is gover.DEFAULT_GO_MOD_VERSION."""

    go: str
    require: tuple[Version, ...] = ()

    @property
    def pruned(self) -> bool:
        """Whether the file names everything that its packages need."""
        return _go_line(self.go)[0]


class Local(NamedTuple):
    """A replacement that is a folder: nothing to fetch, but its go.mod counts. However written, it is the same."""

    folder: str
    written: str = ""
    """As go prints it: as it stands in the go.mod or go.work, in a workspace from the folder of the go.work."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Local) and self.folder == other.folder

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.folder)


Replacements: TypeAlias = Mapping[Version, "Version | Local"]
"""replace lines; a key with an empty version holds for every version of its path."""


_NOTHING: Final[Replacements] = MappingProxyType({})


class Main(NamedTuple):
    """A main module: what the go.mod says that is the user's own."""

    path: str
    requirements: Requirements
    toolchain: str = ""
    """The toolchain line, empty without one."""
    direct: frozenset[Version] = frozenset()
    """What is required without `// indirect`."""
    replace: Replacements = _NOTHING
    exclude: frozenset[Version] = frozenset()


class Workspace(NamedTuple):
    """A go.work file. `go` is its go line; a missing one is gover.DEFAULT_GO_WORK_VERSION."""

    go: str
    toolchain: str = ""
    replace: Replacements = _NOTHING


class Mains(NamedTuple):
    """Where a graph starts: one main module, or any number of them in a workspace."""

    modules: tuple[Main, ...]
    """Exactly one when there is no workspace."""
    workspace: Workspace | None = None

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(main.path for main in self.modules)

    @property
    def exclude(self) -> frozenset[Version]:
        """Versions that no requirement brings in: each main module excludes for all of them."""
        return frozenset().union(*(main.exclude for main in self.modules))

    @property
    def replaced(self) -> frozenset[str]:
        """The paths that replace lines are about: every other version is its own source."""
        layers = [main.replace for main in self.modules]
        if self.workspace:
            layers.append(self.workspace.replace)
        return frozenset(old.path for layer in layers for old in layer)

    def source(self, version: Version) -> Version | Local:
        """Where a version really comes from: itself, another version, or a folder."""
        return self.replacement(version) or version

    def replacement(self, version: Version) -> Version | Local | None:
        """What a replace line puts in its place, which may be the very same version; None without one.

        go.work overrules the go.mod files, even with a line for all versions over one for this version. Among go.mod
        files the last one in the workspace counts; go refuses most of those that do not agree.
        """
        layers = [main.replace for main in reversed(self.modules)]
        if self.workspace:
            layers.insert(0, self.workspace.replace)
        for layer in filter(None, layers):
            for key in (version, Version(version.path, "")):
                if key in layer:
                    return layer[key]
        return None


class ModuleGraph(NamedTuple):
    """What was read: who requires whom, and which versions are selected."""

    roots: tuple[Version, ...]
    """The main modules; in a workspace also the versions of `go` and `toolchain` that go.work names."""
    required: Mapping[Version, tuple[Version, ...]]
    """What each version requires. Versions that are pruned out, or have no go.mod to be had, are not keys."""
    versions: Mapping[str, str]
    """The selected version of each path that is mentioned; that of a main module is empty."""

    def selected(self, path: str) -> str:
        """The selected version of a module, `none` when it is not in the graph."""
        return self.versions.get(path, NONE)

    def build_list(self) -> list[Version]:
        """`go list -m all` without the main modules: real modules only, sorted by path."""
        return mod_sort(self.built())

    def built(self) -> frozenset[Version]:
        """The same without an order."""
        return frozenset(
            Version(path, version)
            for path, version in self.versions.items()
            if version and not gover.is_toolchain(path)
        )

    def selection(self) -> list[Version]:
        """The same with the virtual modules `go` and `toolchain`."""
        return mod_sort(Version(path, version) for path, version in self.versions.items() if version)

    def edges(self) -> Iterator[Edge]:
        """The lines of `go mod graph`, in its order: breadth first from the main modules."""
        queue = deque(self.roots)
        seen = set(queue)
        while queue:
            version = queue.popleft()
            for requirement in self.required.get(version, ()):
                yield version, requirement
                if requirement not in seen and requirement.version != NONE:
                    seen.add(requirement)
                    queue.append(requirement)


class Files:
    """go.mod files that are known. Graphs of main modules that replace and exclude alike can share them."""

    def __init__(self, exclude: frozenset[Version] = frozenset()) -> None:
        self.ranks = _Ranks()
        self._exclude = exclude
        self._said: dict[Version, _Summary | None] = {}

    def __contains__(self, version: Version) -> bool:
        return version in self._said

    def add(self, version: Version, requirements: Requirements | None) -> None:
        """What a version requires; None when that cannot be had."""
        self._said[version] = None if requirements is None else self.summary(requirements)

    def summary(self, requirements: Requirements) -> "_Summary":
        """Without what the main modules exclude."""
        return _summary(requirements, self._exclude)

    def get(self, version: Version) -> "_Summary | None":
        """What a version requires, None when that cannot be had; UNKNOWN when nobody has said anything yet."""
        found = self._said.get(version, UNKNOWN)
        if found is UNKNOWN:
            if version.version == NONE:
                return None
            if gover.is_toolchain(version.path):
                found = self._said[version] = _virtual_summary(version)
        return found


class _Ranks(dict[str, Any]):
    """Of the versions of real modules the key that each is compared by with others of its path; None for what is never
    selected. Modules have the same versions again and again: there are fewer than modules."""

    def __missing__(self, text: str) -> Any:
        found = self[text] = _above(semver.key(text), _LEAST)
        return found


def _virtual_rank(path: str, text: str) -> Any:
    """The same for the virtual modules."""
    return _above(gover.mod_key(path, text), gover.mod_key(path, NONE))


def _above(key: Any, least: Any) -> Any:
    return key if key > least else None


class Graph:
    """A module graph that grows as go.mod files come in. `files` are those that are known at the start.

    Raises ValueError for several modules, or none, without a workspace.
    """

    def __init__(self, mains: Mains, files: Files | None = None) -> None:
        if mains.workspace is None and len(mains.modules) != 1:
            raise ValueError("a graph outside a workspace has exactly one main module")
        self._mains = mains
        self._files = Files(mains.exclude) if files is None else files
        self._load: _Load | None = None

    def add(self, version: Version, requirements: Requirements | None) -> None:
        """The go.mod of what `mains.source(version)` is, or None when it cannot be had: go itself would stop there,
        here the graph just ends."""
        if version in self._files:
            self._load = None  # what was read on the strength of the old one
        self._files.add(version, requirements)

    def missing(self, *, whole: bool = False) -> list[Version]:
        """Versions whose go.mod has to be added next, sorted; none when the graph is complete.

        With `whole` also those that go would prune: `go mod tidy` and older go commands read on into them.
        """
        wanted = self._reachable() if whole else self._loaded().missing
        return mod_sort(version for version in wanted if version not in self._files)

    def needed(self) -> frozenset[Version]:
        """Versions whose go.mod the go command itself reads: those in its pruned graph, and those that it builds."""
        return frozenset(self._loaded().read) | self.module_graph().built()

    def module_graph(self) -> ModuleGraph:
        """What can be said so far; go's own graph once nothing is missing."""
        return self._loaded().graph()

    def build_list(self) -> list[Version]:
        """`go list -m all` without the main modules, sorted by path."""
        return self.module_graph().build_list()

    def edges(self) -> list[Edge]:
        """The lines of `go mod graph`, in its order."""
        return list(self.module_graph().edges())

    def _loaded(self) -> "_Load":
        if self._load is None:
            self._load = _Load(self._mains, self._files)
        self._load.go_on()
        return self._load

    def _reachable(self) -> set[Version]:
        """Every real version that can be reached when nothing is pruned."""
        reached: set[Version] = set()
        queue = [r for main in self._mains.modules for r in self._files.summary(main.requirements).require]
        while queue:
            version = queue.pop()
            if version in reached or gover.is_toolchain(version.path):
                continue
            reached.add(version)
            if version in self._files and (summary := self._files.get(version)):
                queue += summary.require
        return reached


def mod_sort(versions: Iterable[Version]) -> list[Version]:
    """Sorted by path, then by version in the order of that module's versions."""
    found = sorted(versions)
    if any(one.path == next_one.path for one, next_one in pairwise(found)):
        found.sort(key=_sort_key)
    return found


def _sort_key(version: Version) -> tuple[str, Any, str]:
    return version.path, gover.mod_key(version.path, version.version), version.version


# ---- what one go.mod says -----------------------------------------------------------------------------


class _Summary:
    """What a version requires, the go line and the main modules' exclusions included."""

    def __init__(self, pruned: bool, require: tuple[Version, ...]) -> None:
        self.pruned = pruned
        self.require = require

    @functools.cached_property
    def named(self) -> frozenset[Version]:
        """The same for whoever needs it more than once: a set knows the hashes of what is in it."""
        return frozenset(self.require)


UNKNOWN: Final = _Summary(True, ())
"""That of a go.mod that was never added: to be told by identity."""


def _summary(requirements: Requirements, exclude: frozenset[Version]) -> _Summary:
    require = requirements.require
    if exclude:
        require = tuple(version for version in require if version not in exclude)
    pruned, strict = _go_line(requirements.go)
    return _Summary(pruned, require + strict)


@functools.lru_cache(maxsize=1 << 8)
def _go_line(go: str) -> tuple[bool, tuple[Version, ...]]:
    """Whether what is below is pruned, and what the line itself requires."""
    strict = gover.compare(go, GO_STRICT) >= 0
    return gover.compare(go, GO_PRUNING) >= 0, (Version("go", go),) if strict else ()


def _virtual_summary(version: Version) -> _Summary:
    """Go 1.21.3 requires the toolchain go1.21.3, so that the two are never apart."""
    strict = version.path == "go" and gover.compare(version.version, GO_STRICT) >= 0
    require = (Version("toolchain", f"go{version.version}"),) if strict else ()
    return _Summary(True, require)


def _roots(main: Main, exclude: frozenset[Version]) -> list[Version]:
    """What a single main module starts from. Here every go line is a requirement, even an old one."""
    named = [version for version in main.requirements.require if version not in exclude]
    return mod_sort([*named, *_go_and_toolchain(main.requirements.go, main.toolchain)])


def _go_and_toolchain(go: str, toolchain: str) -> list[Version]:
    return [Version("go", go), *([Version("toolchain", toolchain)] if toolchain else [])]


# ---- reading a graph ----------------------------------------------------------------------------------


class _Pruning(enum.IntEnum):
    """How a version is read, with what is below it."""

    PRUNED = 0
    """Its requirements count; theirs only if its go line is older than graph pruning."""
    UNPRUNED = 1
    """Everything below it counts."""
    WORKSPACE = 2
    """It is a main module of a workspace, or as good as one: each requirement counts as if it were a root."""


_Pause: TypeAlias = Generator[None, None, T]
"""Yields when it needs a go.mod that is not known yet, and goes on when it is."""


class _Reading:
    """Reads a graph once from its roots, and keeps what it sees."""

    def __init__(self, roots: Sequence[Version], mains: Mains, files: Files) -> None:
        self.roots = tuple(roots)
        self.required: dict[Version, tuple[Version, ...]] = {}
        self.missing: set[Version] = set()
        self._mains = {main.path: main for main in mains.modules}
        self._files = files
        self._seen: list[set[Version]] = [set() for _ in _Pruning]
        self._versions: dict[str, str] = {}
        self._highest: dict[str, Any] = {}
        self._mentioned: set[Version] = set()
        self._named: set[str] = set()
        self._select(roots)

    def start(self, version: Version, requirements: Sequence[Version]) -> None:
        """Adds the edges from a main module. Of versions that rank alike, the one that it names is selected."""
        self.required[version] = tuple(requirements)
        self._select(requirements)
        self._named.update(named.path for named in requirements)

    def read(self, versions: Iterable[Version], pruning: _Pruning) -> _Pause[None]:
        """Reads these go.mod files and those below them, each at most once per way of reading."""
        queue = list[tuple[Version, _Pruning]]()
        self._enqueue(frozenset(versions), pruning, queue)
        while queue:
            stopped = self._read_on(queue)
            self.missing = {version for version, _ in stopped}
            while stopped and not any(version in self._files for version in self.missing):
                yield
            queue = stopped

    def _read_on(self, queue: list[tuple[Version, _Pruning]]) -> list[tuple[Version, _Pruning]]:
        """Reads what is known; returns what is not."""
        stopped = list[tuple[Version, _Pruning]]()
        while queue:
            version, how = queue.pop()
            summary = self._files.get(version) if version.version else self._main(version.path)
            if summary is UNKNOWN:
                stopped.append((version, how))
                continue
            if summary is None:
                continue
            ways = _below(summary, how)
            if version not in self.required:
                self.required[version] = summary.require
                self._mentioned.update(summary.named if ways else summary.require)
            for below in ways:
                self._enqueue(summary.named, below, queue)
        return stopped

    def _enqueue(
        self, versions: frozenset[Version], how: _Pruning, queue: list[tuple[Version, _Pruning]]
    ) -> None:
        seen = self._seen[how]
        if fresh := versions - seen:
            seen |= fresh
            queue += [(version, how) for version in fresh]

    def _main(self, path: str) -> _Summary:
        return self._files.summary(self._mains[path].requirements)

    def versions(self) -> Mapping[str, str]:
        """The selected version of each path that is mentioned so far."""
        self._select(self._mentioned)
        self._mentioned = set()
        return self._versions

    def _select(self, mentioned: Iterable[Version]) -> None:
        ranks, highest, versions = self._files.ranks, self._highest, self._versions
        for version in mentioned:
            path, text = version
            rank = _virtual_rank(path, text) if gover.is_toolchain(path) else ranks[text]
            other = highest.get(path)
            if rank is not None and (other is None or other < rank):
                highest[path], versions[path] = rank, text
            elif other == rank and text < versions.get(path, "") and path not in self._named:
                versions[path] = text  # sets have no order, and the same files shall give the same answer
        for root in self.roots:
            if not root.version:
                versions[root.path] = ""  # a main module is above all of its versions

    def graph(self) -> ModuleGraph:
        """What was read so far: a copy, while there is more to read."""
        if self.missing:
            return ModuleGraph(self.roots, dict(self.required), dict(self.versions()))
        return ModuleGraph(self.roots, self.required, self.versions())

    def files(self) -> set[Version]:
        """Versions whose go.mod was read or looked for, main modules apart."""
        return {
            version
            for version in set[Version]().union(*self._seen)
            if version.version not in ("", NONE) and not gover.is_toolchain(version.path)
        }


def _below(summary: _Summary, how: _Pruning) -> tuple[_Pruning, ...]:
    """How the requirements of a version are read; empty when they are pruned out."""
    if how is _Pruning.PRUNED and summary.pruned:
        return ()
    if how is _Pruning.UNPRUNED or not summary.pruned:
        return (_Pruning.UNPRUNED,)
    return (_Pruning.PRUNED,)


class _Load:
    """Reads the graph as go does, and makes it consistent first.

    When a file is missing it waits: what comes next depends on what that file says, and nothing should be asked for
    that go does not read.
    """

    def __init__(self, mains: Mains, files: Files) -> None:
        self._mains = mains
        self._files = files
        self._read_before: set[Version] = set()
        self._reading = _Reading((), mains, files)
        self._steps = self._workspace(mains.workspace) if mains.workspace else self._module(mains.modules[0])

    def go_on(self) -> None:
        """As far as what is known leads."""
        next(self._steps, None)

    @property
    def missing(self) -> set[Version]:
        return self._reading.missing

    @property
    def read(self) -> set[Version]:
        """Versions whose go.mod was read or looked for, main modules apart."""
        return self._read_before | self._reading.files()

    def graph(self) -> ModuleGraph:
        return self._reading.graph()

    def _begin(self, roots: Sequence[Version]) -> _Reading:
        self._read_before |= self._reading.files()
        self._reading = _Reading(roots, self._mains, self._files)
        return self._reading

    def _module(self, main: Main) -> _Pause[None]:
        roots = _roots(main, self._mains.exclude)
        if main.requirements.pruned:
            yield from self._pruned(main, roots)
        else:
            yield from self._unpruned(main, roots)

    def _pruned(self, main: Main, roots: list[Version]) -> _Pause[None]:
        """Raises roots to what is selected until nothing is left to raise: a raised root brings its own requirements
        into the graph, which can raise others. Of two lines for one module only the higher one counts."""
        highest = {root.path: root for root in roots if root.path != main.path}  # roots are sorted
        roots = list(highest.values())
        while True:
            graph = yield from self._read(main, roots, _Pruning.PRUNED)
            raised = [Version(root.path, graph.selected(root.path)) for root in roots]
            if raised == roots:
                return
            roots = raised

    def _unpruned(self, main: Main, roots: list[Version]) -> _Pause[None]:
        """Here an inconsistent go.mod makes no difference for the build list, for everything is read anyhow. But the
        main module then requires other versions, which are edges of the graph."""
        graph = yield from self._read(main, roots, _Pruning.UNPRUNED)
        paths = [root.path for root in roots]
        redundant = len(set(paths)) < len(paths) or main.path in paths
        if redundant or _raised(graph, roots):
            yield from self._read(main, minimal_roots(main, graph, roots), _Pruning.UNPRUNED)

    def _read(self, main: Main, roots: Sequence[Version], pruning: _Pruning) -> _Pause[ModuleGraph]:
        start = Version(main.path, "")
        reading = self._begin([start])
        reading.start(start, roots)
        yield from reading.read(roots, pruning)
        return reading.graph()

    def _workspace(self, workspace: Workspace) -> _Pause[None]:
        """The go.mod of one main module does not know what another one needs. So where the workspace selects a higher
        version than a main module asks for, that version is read as if it were a main module, and so on below it."""
        mains = [Version(main.path, "") for main in self._mains.modules]
        reading = self._begin(mod_sort([*mains, *_go_and_toolchain(workspace.go, workspace.toolchain)]))
        seen: set[Version] = set()
        followed = {root.path for root in reading.roots}
        new = set(reading.roots)
        while new:
            yield from reading.read(new, _Pruning.WORKSPACE)
            seen |= new
            followed |= {version.path for version in new}
            new = _raised_below(reading.graph(), followed) - seen


def _raised(graph: ModuleGraph, versions: Iterable[Version]) -> set[Version]:
    """The selected versions of those modules that are not selected as they stand here."""
    return {
        Version(version.path, selected)
        for version in versions
        if (selected := graph.selected(version.path)) != version.version
    }


def _raised_below(graph: ModuleGraph, paths: Iterable[str]) -> set[Version]:
    """The selected versions of these modules, and of what they ask for in a lower version; main modules, whose
    version is empty, are read from the start."""
    modules = [Version(path, graph.selected(path)) for path in paths]
    return set(modules) | {
        version
        for module in modules
        for version in _raised(graph, graph.required.get(module, ()))
        if version.version
    }


def minimal_roots(main: Main, graph: ModuleGraph, roots: Iterable[Version]) -> list[Version]:
    """The shortest list of requirements with the same selection, as go writes it for a go line before 1.17.

    What go.mod names rightly stays, and so does what it names as direct; of the rest only what these do not bring in.
    """
    selection = graph.selection()
    right = [root.path for root in roots if graph.selected(root.path) == root.version]
    named = {"go"} | {version.path for version in main.direct - main.exclude}
    direct = [version.path for version in selection if version.path in named]
    minimal = [Version(path, graph.selected(path)) for path in dict.fromkeys(right + direct)]
    covered: set[Version] = set()
    for version in minimal:
        _cover(graph, version, covered)
    # Dependents come before what they depend on, so a version is added only when nothing else brings it in.
    for version in reversed(_postorder(graph, selection)):
        if graph.selected(version.path) == version.version and version not in covered:
            minimal.append(version)
            _cover(graph, version, covered)
    return mod_sort(minimal)


def _cover(graph: ModuleGraph, start: Version, covered: set[Version]) -> None:
    """Adds a version and all that it brings in."""
    stack = [start]
    while stack:
        version = stack.pop()
        if version not in covered:
            covered.add(version)
            stack += graph.required.get(version, ())


def _postorder(graph: ModuleGraph, starts: Iterable[Version]) -> list[Version]:
    """Every version below these, behind its requirements. A stack of its own: real graphs are deeper than Python's."""
    order: list[Version] = []
    entered: set[Version] = set()
    for start in starts:
        stack = [(start, iter((start,)))]
        while stack:
            version, below = stack[-1]
            following = next(below, None)
            if following is None:
                stack.pop()
                order += [version] if stack else []
            elif following not in entered:
                entered.add(following)
                stack.append((following, iter(graph.required.get(following, ()))))
    return order
