"""What go.mod should require, by meaning: what `go mod tidy` would write, apart from order, blocks and comments.

With graph pruning (go 1.17 and later) that is every module that provides a package of `all`, and others only where a
test of a dependency would else be built with a lower version than it is now. Before, it is what the main module imports
directly, and of the rest what that does not bring in. Rules: cmd/go internal/modload/buildlist.go, tidyRoots.

    steps = wanted(project, loading)
    roots = next(steps)
    while True: roots = steps.send(graph_of(roots))     # until StopIteration, whose value is what is wanted
"""

from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from goferry.deps.base import Project
from goferry.deps.gate.packages import Loaded, Loading
from goferry.gomod import gover
from goferry.gomod.modgraph import Main, ModuleGraph, minimal_roots, mod_sort
from goferry.gomod.module import Version

Steps = Generator[tuple[Version, ...], ModuleGraph, Mapping[str, str]]
"""Yields requirements whose graph it wants; ends in the version that each required path should have."""


class Untidy(StrEnum):
    """What is wrong with a requirement."""

    MISSING = "missing"
    """It is needed and not there."""
    UNUSED = "unused"
    """It is there and not needed."""
    INCONSISTENT = "inconsistent"
    """It names a lower version than its own requirements select (G4): go will want to rewrite go.mod."""
    NOT_INDIRECT = "not_indirect"
    """It says `// indirect`, and the main module imports it."""
    INDIRECT = "indirect"
    """It lacks `// indirect`, and nothing of the main module imports it."""
    ABSENT = "absent"
    """A package is imported, maybe by the test of a dependency, that no selected module has."""
    AMBIGUOUS = "ambiguous"
    """A package is in several modules."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that tidy would change, or stumble over."""

    kind: Untidy
    module: Version
    """The module; for ABSENT and AMBIGUOUS empty."""
    wanted: str = ""
    """The version that it should have."""
    package: str = ""
    """The package that it is about."""
    importer: str = ""
    line: int = 0
    """Where in go.mod."""


def wanted(project: Project, loading: Loading) -> Steps:
    """What should be required."""
    (main,) = project.mains.modules
    return _pruned(main, loading) if main.requirements.pruned else _unpruned(main, loading)


def _pruned(main: Main, loading: Loading) -> Steps:
    level = [loading.found[path] for path in sorted(loading.all) if path in loading.found]
    roots = {found.module.path: found.module.version for found in level if found.module}
    graph = yield _versions(roots)
    queued = set(loading.all)
    tests: set[str] = set()
    while level:
        grown = False
        following: list[Loaded] = []
        for found in level:
            for path in _imports(found, loading, tests):
                if path not in queued and path in loading.found:
                    queued.add(path)
                    following.append(loading.found[path])
            module = found.module
            if module and module.path not in roots and _lower(graph, module):
                roots[module.path] = module.version
                grown = True
        if grown:
            graph = yield _versions(roots)
        level = following
    _disambiguate(main, loading, roots)
    return roots


def _imports(found: Loaded, loading: Loading, tests: set[str]) -> tuple[str, ...]:
    """What a package imports, and for one in `all` its tests."""
    if found.path in loading.all and found.path not in tests:
        tests.add(found.path)
        return (*found.package.imports, *found.package.test_imports)
    return found.package.imports


def _lower(graph: ModuleGraph, module: Version) -> bool:
    selected = graph.selected(module.path)
    return gover.mod_compare(module.path, selected, module.version) < 0


def _disambiguate(main: Main, loading: Loading, roots: dict[str, str]) -> None:
    """A requirement stays when without it a package would be in two modules at once: go looks first among those that
    are required (golang/go#60313)."""
    named = {version.path for version in main.requirements.require}
    for found in loading.found.values():
        module = found.module
        if module is None or module.path in roots or module.path not in named:
            continue
        others = [other for other in loading.candidates(found.path) if other.path != module.path]
        if any(loading.provides(other, found.path) for other in others):
            roots[module.path] = module.version


def _unpruned(main: Main, loading: Loading) -> Steps:
    keep = {found.module.path: found.module.version for found in loading.found.values() if found.module}
    direct = direct_modules(loading)
    graph = yield _versions(keep)
    tidied = Main(
        main.path,
        main.requirements,
        direct=frozenset(Version(path, keep[path]) for path in direct if path in keep),
    )
    return {root.path: root.version for root in minimal_roots(tidied, graph, ()) if root.path in keep}


def _versions(roots: Mapping[str, str]) -> tuple[Version, ...]:
    return tuple(mod_sort(Version(path, version) for path, version in roots.items()))


def direct_modules(loading: Loading) -> dict[str, str]:
    """Modules that the main module imports from, each with a package that it imports."""
    found: dict[str, str] = {}
    for path in loading.imported_by_main():
        loaded = loading.found.get(path)
        if loaded is not None and loaded.module:
            found.setdefault(loaded.module.path, path)
    return found


def faults(project: Project, loading: Loading, requirements: Mapping[str, str]) -> list[Fault]:
    """What tidy would change. `requirements` is what `wanted` came to."""
    return [
        *_package_faults(loading),
        *_line_faults(project, loading, requirements),
        *_missing_faults(project, loading, requirements),
    ]


def _package_faults(loading: Loading) -> Iterable[Fault]:
    for path, found in sorted(loading.found.items()):
        kind = Untidy.AMBIGUOUS if found.ambiguous else Untidy.ABSENT
        if found.ambiguous or found.absent:
            yield Fault(kind, Version(""), package=path, importer=loading.importers.get(path, "go.mod"))


def _line_faults(project: Project, loading: Loading, requirements: Mapping[str, str]) -> Iterable[Fault]:
    direct = direct_modules(loading)
    for line in project.parts[0].file.require:
        path, number = line.mod.path, line.syntax.start.line
        should = requirements.get(path)
        if should is None:
            yield Fault(Untidy.UNUSED, line.mod, line=number)
        elif line.mod.version != should:
            yield Fault(Untidy.INCONSISTENT, line.mod, wanted=should, line=number)
        elif line.indirect and path in direct:
            yield Fault(Untidy.NOT_INDIRECT, line.mod, package=direct[path], line=number)
        elif not line.indirect and path not in direct:
            yield Fault(Untidy.INDIRECT, line.mod, line=number)


def _missing_faults(project: Project, loading: Loading, requirements: Mapping[str, str]) -> Iterable[Fault]:
    named = {line.mod.path for line in project.parts[0].file.require}
    provided = {
        found.module.path: path for path, found in sorted(loading.found.items(), reverse=True) if found.module
    }
    for path, version in sorted(requirements.items()):
        if path not in named:
            package = provided.get(path, "")
            yield Fault(
                Untidy.MISSING,
                Version(path, version),
                package=package,
                importer=loading.importers.get(package, ""),
            )
