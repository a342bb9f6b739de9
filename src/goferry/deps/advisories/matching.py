"""Which entries concern the modules of a build list: plain functions on frozen values."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.osv import Affected, Entry
from goferry.deps.base import Module


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


def match(database: Database, modules: Iterable[Module]) -> tuple[Match, ...]:
    """In the order of the modules, then by id. Main modules and the virtual `go` and `toolchain` are passed over;
    for Go itself ask `exposure`."""
    raise NotImplementedError


def unknown(database: Database, modules: Iterable[Module]) -> tuple[Unknown, ...]:
    """The modules that cannot be judged though there are entries about them."""
    raise NotImplementedError


def released(found: Match, versions: Iterable[str]) -> Fixed:
    """The way out, knowing what is released: the lowest of `versions` above the match's that the entry does not cover;
    what the database alone says when there is none."""
    raise NotImplementedError
