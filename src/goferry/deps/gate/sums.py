"""Which lines of go.sum a project needs, and what is wrong with those that it has.

To know its build list go needs a hash of every go.mod in the module graph, selected or not. To build it needs a hash of
the zip of each module that provides a package, and of each that might have provided it, to be sure that none is there
twice. `go mod tidy` writes the same for the tests of dependencies, and for go 1.17 what Go 1.16 would have needed.
Everything else is surplus, which is no mistake. Rules: cmd/go internal/modload/init.go, keepSums; S1-S3, S9.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.deps.gate.packages import Loaded, Loading
from goferry.deps.trees import prefixes
from goferry.errors import InvalidInput
from goferry.gomod import gosum, gover, module
from goferry.gomod.gosum import Line, MalformedSum, go_mod_key
from goferry.gomod.modgraph import NONE, Local, Mains, ModuleGraph
from goferry.gomod.module import Version

PACKAGE_GO_MODS: Final = "1.21"
"""The go line from which on the go.mod of a module that provides a package is always needed."""

COMPATIBLE: Final = "1.17"
"""The go line for which tidy keeps what the Go before it needs, which did not prune graphs yet."""


@dataclass(frozen=True, slots=True)
class Needed:
    """Keys of go.sum lines (`go_mod_key` for a go.mod), each set within the next."""

    build: frozenset[Version]
    """To build the project and its tests."""
    tidy: frozenset[Version]
    """What `go mod tidy` writes."""


@dataclass(frozen=True, slots=True)
class SumFiles:
    """What the go.sum and go.work.sum files of a project say. Bad lines stand apart, so that the rest can be judged."""

    lines: tuple[Line, ...] = ()
    malformed: tuple[MalformedSum, ...] = ()
    read: tuple[str, ...] = ()
    """The files that are there."""


def read_sums(files: Iterable[tuple[str, Path]]) -> SumFiles:
    """Reads go.sum files, each with the name that is shown for it; one that is not there has no lines.

    InvalidInput for a file that cannot be read.
    """
    lines: list[Line] = []
    malformed: list[MalformedSum] = []
    read: list[str] = []
    for name, place in files:
        text = _text(name, place)
        if text is None:
            continue
        read.append(name)
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                lines += (Line(one.module, one.sum, number, name) for one in gosum.parse(line, name))
            except MalformedSum as error:
                malformed.append(
                    MalformedSum(error.message, **{**error.parts, "line": number})  # the number in the file
                )
    return SumFiles(tuple(lines), tuple(malformed), tuple(read))


def _text(name: str, place: Path) -> str | None:
    try:
        return place.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidInput("cannot read {file}: {why}", file=name, why=error.strerror) from error


def needed(mains: Mains, graph: ModuleGraph, loading: Loading, older: ModuleGraph | None = None) -> Needed:
    """What one main module needs. `older` is its graph without pruning, which only a go 1.17 module wants."""
    (main,) = mains.modules
    strict = gover.compare(main.requirements.go, PACKAGE_GO_MODS) >= 0
    in_all = [found for path, found in loading.found.items() if path in loading.all]
    graph_keys = set(_graph_keys(mains, graph))
    build = graph_keys | set(_package_keys(mains, graph, in_all, loading.roots, strict=strict))
    tidy = build | set(_package_keys(mains, graph, loading.found.values(), loading.roots, strict=strict))
    if older is not None:
        tidy |= set(_graph_keys(mains, older))
        tidy |= set(_package_keys(mains, older, loading.found.values(), None, strict=strict))
    return Needed(frozenset(build), frozenset(tidy))


def _graph_keys(mains: Mains, graph: ModuleGraph) -> Iterator[Version]:
    """The go.mod of each version whose requirements are in the graph."""
    for version in graph.required:
        if version.version and not gover.is_toolchain(version.path):
            yield from _key(mains, version, go_mod_key)


def _package_keys(
    mains: Mains,
    graph: ModuleGraph,
    packages: Iterable[Loaded],
    roots: Mapping[str, str] | None,
    *,
    strict: bool,
) -> Iterator[Version]:
    for package in packages:
        if package.standard or package.main:
            continue
        provider = package.module
        if provider and strict:
            yield from _key(mains, provider, go_mod_key)
        from_root = provider and roots is not None and roots.get(provider.path) == provider.version
        for prefix in prefixes(package.path):
            version = roots.get(prefix, NONE) if from_root and roots is not None else graph.selected(prefix)
            if version not in (NONE, "") and not gover.is_toolchain(prefix):
                yield from _key(mains, Version(prefix, version), _same)


def _same(version: Version) -> Version:
    return version


def _key(mains: Mains, version: Version, make: Callable[[Version], Version]) -> Iterator[Version]:
    """The key of what is really built; a folder has none."""
    source = mains.source(version)
    if not isinstance(source, Local):
        yield make(source)


def missing(have: SumFiles, wanted: Needed) -> tuple[list[Version], list[Version]]:
    """Keys without a hash: those that a build needs, then those that only tidy asks for. Both sorted."""
    known = gosum.Sums(have.lines)
    lacking = module.sort(known.missing(wanted.tidy))
    return [key for key in lacking if key in wanted.build], [
        key for key in lacking if key not in wanted.build
    ]


def surplus(have: SumFiles, wanted: Iterable[Needed]) -> list[Line]:
    """Lines that no main module needs, in their order."""
    keys = frozenset[Version]().union(*(one.tidy for one in wanted))
    return [line for line in have.lines if line.module not in keys]


def duplicates(have: SumFiles) -> list[tuple[Line, Line]]:
    """Lines that stand twice in one file, with the first of them; a workspace's files may well repeat each other."""
    first: dict[tuple[str, Version, str], Line] = {}
    found = []
    for line in have.lines:
        key = (line.file, line.module, line.sum)
        if key in first:
            found.append((first[key], line))
        first.setdefault(key, line)
    return found


def unknown(have: SumFiles) -> list[Line]:
    """Lines with hashes of kinds that no Go knows; they are kept, and prove nothing."""
    return [line for line in have.lines if not line.sum.startswith(gosum.KNOWN_HASH)]
