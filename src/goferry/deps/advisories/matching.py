"""Which entries concern the modules of a build list: plain functions on frozen values."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.osv import SEMVER, Affected, Entry, EventKind, Range, Review
from goferry.deps.advisories.ranges import canonical, contains, covered, written
from goferry.deps.base import Module
from goferry.gomod import gover, pseudo, semver
from goferry.gomod.module import Version, split_path_version


class FixState(StrEnum):
    """Where the flaw is mended."""

    HERE = "here"
    """In a later version of the same module."""
    NEXT_MAJOR = "next_major"
    """Only under the path of a higher major version."""
    UNRELEASED = "unreleased"
    """In a commit: the database names a pseudo-version only."""
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Fixed:
    """The nearest way out."""

    state: FixState
    version: str = ""
    """The lowest version, with its `v`, that the entry no longer covers; for Go itself the release (go1.26.3)."""
    path: str = ""
    """The module that has it."""


class Opinion(StrEnum):
    """What the project's own release numbers say, where the entry has them."""

    NONE = "none"
    AFFECTED = "affected"
    UNAFFECTED = "unaffected"
    """Likely fixed upstream. A hint: it never hides a match."""


class Named(StrEnum):
    """Under which name of a replaced module the entry was found."""

    MODULE = "module"
    """Not replaced, or replaced by another version of itself."""
    REPLACEMENT = "replacement"
    """The module that is built instead has this entry of its own."""
    ORIGINAL = "original"
    """The replaced module has it; a fork with the same history may have inherited the flaw."""


@dataclass(frozen=True, slots=True)
class Match:
    """One flaw that one module of the build list has."""

    entry: Entry
    """The record that counts: the Go database's own, if it has one."""
    affected: Affected
    """The block of it that hit."""
    module: Module
    path: str
    """The path it was looked up by: the module's, or its replacement's."""
    version: str
    """The version that was judged."""
    named: Named
    aliases: tuple[str, ...]
    """All other names of the flaw."""
    others: tuple[Entry, ...]
    """The other records of the same flaw that hit too."""
    all_versions: bool
    """From the beginning and without a fix: often a record that nobody could narrow."""
    fixed: Fixed
    opinion: Opinion


@dataclass(frozen=True, slots=True)
class Unknown:
    """A module that the database knows, of which nobody can say which version it is (a folder, a development build)."""

    module: Module
    path: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class _Name:
    """A path and version to look up, and what they are to the module."""

    named: Named
    path: str
    version: str
    compared: str
    """The version made canonical; empty when nobody can tell which it is."""


@dataclass(frozen=True, slots=True)
class _Hit:
    name: _Name
    entry: Entry
    block: Affected


def match(database: Database, modules: Iterable[Module]) -> tuple[Match, ...]:
    """In the order of the modules, then by id. Main modules and the virtual `go` and `toolchain` are passed over;
    for Go itself ask `exposure`."""
    return tuple(
        found for module in modules if _counts(database, module) for found in judge(database, module)
    )


def unknown(database: Database, modules: Iterable[Module]) -> tuple[Unknown, ...]:
    """The modules that cannot be judged though there are entries about them."""
    return tuple(
        Unknown(module, name.path, entries)
        for module in modules
        if _counts(database, module)
        for name in _names(module)
        if not name.compared and (entries := database.entries(name.path))
    )


def judge(database: Database, module: Module) -> tuple[Match, ...]:
    """The flaws of one module, whatever it is; `stdlib` and `toolchain` are those of Go itself, go1.26.3 a version."""
    flaws: dict[tuple[str, ...], list[_Hit]] = {}
    for hit in _hits(database, module):
        flaws.setdefault(database.names(hit.entry.id), []).append(hit)
    found = [_merged(module, names, hits) for names, hits in flaws.items()]
    return tuple(sorted(found, key=lambda one: one.entry.id))


def released(found: Match, versions: Iterable[str]) -> Fixed:
    """The way out, knowing what is released: the lowest of `versions` above the match's that the entry does not cover;
    what the database alone says when there is none. A release counts before a pre-release, and a version without
    `+incompatible` before one with it, unless it is in use already."""
    compared = canonical(found.path, found.version)
    blocks = found.entry.of(found.path)
    above = [
        version
        for version in versions
        if semver.compare(version, compared) > 0 and covered(blocks, canonical(found.path, version)) is None
    ]
    incompatible = semver.build(compared)

    def rank(version: str) -> tuple[bool, bool, semver.Key]:
        other_kind = semver.build(version) not in ("", incompatible)
        return other_kind, semver.prerelease(version) != "", semver.key(version)

    return Fixed(FixState.HERE, min(above, key=rank), found.path) if above else found.fixed


# ---- looking up -----------------------------------------------------------------------------------------------


def _counts(database: Database, module: Module) -> bool:
    """Whether there is anything to say; asked first, because most modules have no entries at all."""
    known = database.knows(module.path) or (
        isinstance(module.replace, Version) and database.knows(module.replace.path)
    )
    return known and not module.main and not gover.is_toolchain(module.path)


def _names(module: Module) -> tuple[_Name, ...]:
    """Where to look: a module that is replaced by another one is tried as that, and as what it was before."""
    source = module.source
    if source is None:
        return (_Name(Named.MODULE, module.path, "", ""),)
    if source.path == module.path:
        return (_name(Named.MODULE, source.path, source.version),)
    return (
        _name(Named.REPLACEMENT, source.path, source.version),
        _name(Named.ORIGINAL, module.path, source.version),
    )


def _name(named: Named, path: str, version: str) -> _Name:
    return _Name(named, path, version, canonical(path, version))


def _hits(database: Database, module: Module) -> Iterator[_Hit]:
    for name in _names(module):
        for entry, block in database.covering(name.path, name.compared) if name.compared else ():
            yield _Hit(name, entry, block)


def _merged(module: Module, names: tuple[str, ...], hits: list[_Hit]) -> Match:
    first = min(hits, key=_preference)
    others = {hit.entry.id: hit.entry for hit in hits if hit.entry.id != first.entry.id}
    return Match(
        first.entry,
        first.block,
        module,
        first.name.path,
        first.name.version,
        first.name.named,
        aliases=tuple(name for name in names if name != first.entry.id),
        others=tuple(others[id] for id in sorted(others)),
        all_versions=first.block.is_everything,
        fixed=_way_out(first.entry, first.name),
        opinion=_opinion(first.block, first.name.compared),
    )


def _preference(hit: _Hit) -> tuple[int, bool, bool, str]:
    """The Go database's record first (curated ranges, symbols), a reviewed one before others, the built name first."""
    named = (Named.MODULE, Named.REPLACEMENT, Named.ORIGINAL).index(hit.name.named)
    entry = hit.entry
    return named, not entry.id.startswith("GO-"), entry.review is not Review.REVIEWED, entry.id


# ---- the way out ----------------------------------------------------------------------------------------------


def _way_out(entry: Entry, name: _Name) -> Fixed:
    """Released here, released under a higher major version, in a commit only, or nowhere."""
    here = _fixes(entry, name.path, above=name.compared)
    majors = [fix for path in _higher_majors(entry, name.path) for fix in _fixes(entry, path)]
    for state, fixes in ((FixState.HERE, here), (FixState.NEXT_MAJOR, majors)):
        for fix in fixes:
            if not pseudo.is_pseudo_version(f"v{fix.version}"):
                return _fixed(state, fix)
    return _fixed(FixState.UNRELEASED, (here or majors)[0]) if here or majors else Fixed(FixState.NOWHERE)


@dataclass(frozen=True, slots=True)
class _Fix:
    path: str
    version: str
    """As the entry writes it."""


def _fixed(state: FixState, fix: _Fix) -> Fixed:
    return Fixed(state, written(fix.path, fix.version), fix.path)


def _fixes(entry: Entry, path: str, above: str = "") -> list[_Fix]:
    """The versions of a module that are named as fixed and that no block of the entry covers, lowest first."""
    blocks = entry.of(path)
    versions = {
        event.version
        for block in blocks
        for one in block.ranges
        for event in one.events
        if one.type == SEMVER and event.kind is EventKind.FIXED
    }
    able = (version for version in versions if covered(blocks, f"v{version}") is None)
    return [
        _Fix(path, version)
        for version in sorted(able, key=lambda version: (semver.key(f"v{version}"), version))
        if semver.compare(f"v{version}", above) > 0
    ]


def _higher_majors(entry: Entry, path: str) -> list[str]:
    """The other modules of the entry that are later major versions of this one, the nearest first."""
    stem, major = _split(path)
    paths = {block.module: _split(block.module) for block in entry.affected}
    later = [other for other, (prefix, number) in paths.items() if prefix == stem and number > major]
    return sorted(later, key=lambda other: paths[other][1])


def _split(path: str) -> tuple[str, int]:
    stem, major, ok = split_path_version(path)
    digits = major.lstrip("/.v").removesuffix("-unstable")
    return (stem, int(digits) if digits else 1) if ok else (path, 0)


# ---- the second opinion ---------------------------------------------------------------------------------------


def _opinion(block: Affected, compared: str) -> Opinion:
    """By the project's own release numbers; none when they are not written so that they can be compared."""
    if not block.custom or not all(_comparable(one) for one in block.custom):
        return Opinion.NONE
    key = semver.key(compared)
    return Opinion.AFFECTED if any(contains(one, key) for one in block.custom) else Opinion.UNAFFECTED


def _comparable(one: Range) -> bool:
    return all(event.version in ("0", "*") or semver.is_valid(f"v{event.version}") for event in one.events)
