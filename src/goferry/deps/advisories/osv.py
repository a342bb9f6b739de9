"""One entry of a vulnerability database, read from OSV JSON.

What a program may meet and does not know, it passes over; what makes an entry unusable (no id, no module, events that
are none) is refused in one line that names the entry. Versions in events have no leading `v`; for the modules `stdlib`
and `toolchain` they are semantic versions as well: go1.27rc3 is 1.27.0-rc.3.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeAlias

from goferry.errors import InvalidInput

ECOSYSTEM: Final = "Go"
STDLIB: Final = "stdlib"
TOOLCHAIN: Final = "toolchain"
"""The two modules of the database that are Go itself: what is built in, and the go command."""

Json: TypeAlias = Mapping[str, Any]


class InvalidAdvisory(InvalidInput):
    """An entry, or a database, that no rule can read."""

    code = "invalid_advisory"


class Review(StrEnum):
    """Whether the database's own people looked at the entry."""

    REVIEWED = "REVIEWED"
    UNREVIEWED = "UNREVIEWED"
    UNKNOWN = "UNKNOWN"
    """The database does not say (GHSA and others)."""


class EventKind(StrEnum):
    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Event:
    """A point on the line of versions."""

    kind: EventKind
    version: str
    """As the entry writes it; `0` is the beginning."""


@dataclass(frozen=True, slots=True)
class Range:
    """Events of one kind of version: `SEMVER`, `ECOSYSTEM` (the project's own numbers) or `GIT`."""

    type: str
    events: tuple[Event, ...]

    @property
    def is_everything(self) -> bool:
        """From the beginning, and never fixed."""
        return all(event == _BEGINNING for event in self.events)


_BEGINNING: Final = Event(EventKind.INTRODUCED, "0")


@dataclass(frozen=True, slots=True)
class Package:
    """A package with the flaw. Without symbols all of it; without goos or goarch on every system."""

    path: str
    symbols: tuple[str, ...] = ()
    """Functions, and methods as `Type.Method`."""
    goos: tuple[str, ...] = ()
    goarch: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Affected:
    """What an entry says of one module."""

    module: str
    ranges: tuple[Range, ...] = ()
    packages: tuple[Package, ...] = ()
    """Without any, the whole module."""
    custom: tuple[Range, ...] = ()
    """The project's own release numbers where Go versions do not apply: a second opinion."""
    versions: tuple[str, ...] = ()
    """Versions that are named one by one (GHSA); the Go database has none."""

    @property
    def is_everything(self) -> bool:
        """All versions, and no fix."""
        return not self.versions and all(one.is_everything for one in self.ranges)


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a flaw."""

    id: str
    affected: tuple[Affected, ...]
    """Go modules only."""
    summary: str = ""
    details: str = ""
    aliases: tuple[str, ...] = ()
    """Other names of the same flaw (CVE, GHSA)."""
    related: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    """URLs."""
    review: Review = Review.UNKNOWN
    severity: str = ""
    """A word such as `high`, or a CVSS vector; the Go database has neither."""
    url: str = ""
    published: str = ""
    """RFC 3339; empty when unknown."""
    modified: str = ""
    withdrawn: str = ""
    """When it was taken back; empty for an entry that stands."""

    def of(self, module: str) -> tuple[Affected, ...]:
        """What it says of one module; a few entries have several blocks for one."""
        return tuple(block for block in self.affected if block.module == module)
