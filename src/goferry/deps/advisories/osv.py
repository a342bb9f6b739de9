"""One entry of a vulnerability database, read from OSV JSON.

What a program may meet and does not know, it passes over; what makes an entry unusable (no id, no module, events that
are none) is refused in one line that names the entry. Versions in events have no leading `v`; for the modules `stdlib`
and `toolchain` they are semantic versions as well: go1.27rc3 is 1.27.0-rc.3.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from goferry.errors import InvalidInput
from goferry.gomod import semver

ECOSYSTEM: Final = "Go"
STDLIB: Final = "stdlib"
TOOLCHAIN: Final = "toolchain"
"""The two modules of the database that are Go itself: what is built in, and the go command."""

SEMVER: Final = "SEMVER"
"""The type of range that counts. One without such ranges is about all versions, as for the Go tools."""


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

    @property
    def is_beginning(self) -> bool:
        return self.version == "0" and self.kind is EventKind.INTRODUCED


@dataclass(frozen=True, slots=True)
class Range:
    """Events of one kind of version: `SEMVER`, `ECOSYSTEM` (the project's own numbers) or `GIT`."""

    type: str
    events: tuple[Event, ...]
    """In the order of versions, the beginning first; of equal ones as the entry has them."""

    @property
    def is_everything(self) -> bool:
        """From the beginning, and never fixed."""
        return all(event.is_beginning for event in self.events)


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
        return not self.versions and all(one.is_everything for one in self.ranges if one.type == SEMVER)


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


def parse(name: str, data: bytes) -> Entry:
    """The entry of an OSV file. InvalidAdvisory names the file, or the entry, and what is wrong with it."""
    return _entry(_wire(name, data))


def compact(name: str, data: bytes) -> tuple[Entry, bytes]:
    """The entry, and its file on one line with nothing in it that `parse` passes over. InvalidAdvisory as there."""
    wire = _wire(name, data)
    return _entry(wire), _ENCODER.encode(wire)


def encode(entry: Entry) -> bytes:
    """The OSV file of an entry, as `parse` reads it."""
    is_vector = entry.severity.startswith("CVSS:")
    review = "" if entry.review is Review.UNKNOWN else entry.review.value
    return _ENCODER.encode(
        _Entry(
            entry.id,
            entry.modified,
            entry.published,
            entry.withdrawn or None,
            list(entry.aliases),
            list(entry.related),
            entry.summary,
            entry.details,
            severity=[_Severity("CVSS", entry.severity)] if is_vector else None,
            affected=[_written(block) for block in entry.affected],
            references=[_Reference(url) for url in entry.references],
            database_specific=_Database(entry.url, review, None if is_vector else entry.severity or None),
        )
    )


def _written(block: Affected) -> "_Affected":
    imports = [
        _Import(one.path, list(one.symbols), list(one.goos), list(one.goarch)) for one in block.packages
    ]
    return _Affected(
        _Package(block.module, ECOSYSTEM),
        _written_ranges(block.ranges),
        list(block.versions),
        _Ecosystem(imports or None, _written_ranges(block.custom) or None),
    )


def _written_ranges(ranges: Iterable[Range]) -> "list[_Range]":
    return [
        _Range(one.type, [_Event(**{event.kind.value: event.version}) for event in one.events])
        for one in ranges
    ]


# ---- the file as it is written --------------------------------------------------------------------------------


class _Wire(msgspec.Struct, omit_defaults=True, gc=False):
    """Base of the parts of a file: what is not named here is passed over."""


class _Event(_Wire):
    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None


class _Range(_Wire):
    type: str
    events: list[_Event] = []


class _Import(_Wire):
    path: str
    symbols: list[str] | None = None
    goos: list[str] | None = None
    goarch: list[str] | None = None


class _Ecosystem(_Wire):
    imports: list[_Import] | None = None
    custom_ranges: list[_Range] | None = None


class _Package(_Wire):
    name: str
    ecosystem: str


class _Affected(_Wire):
    package: _Package | None = None
    ranges: list[_Range] | None = None
    versions: list[str] | None = None
    ecosystem_specific: _Ecosystem | None = None


class _Severity(_Wire):
    type: str
    score: str


class _Reference(_Wire):
    url: str
    type: str = ""


class _Database(_Wire):
    url: str = ""
    review_status: str = ""
    severity: str | None = None


class _Entry(_Wire):
    id: str
    modified: str = ""
    published: str = ""
    withdrawn: str | None = None
    aliases: list[str] | None = None
    related: list[str] | None = None
    summary: str = ""
    details: str = ""
    severity: list[_Severity] | None = None
    affected: list[_Affected] | None = None
    references: list[_Reference] | None = None
    database_specific: _Database | None = None


_DECODER: Final = msgspec.json.Decoder(_Entry)
_ENCODER: Final = msgspec.json.Encoder()


def _wire(name: str, data: bytes) -> _Entry:
    try:
        wire = _DECODER.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidAdvisory("{name}: not an OSV entry: {why}", name=name, why=error) from error
    if not _ID.fullmatch(wire.id):
        raise InvalidAdvisory("{name}: {id!r} is no id of an entry", name=name, id=wire.id)
    return wire


# ---- the file as it is used -----------------------------------------------------------------------------------

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_NO_TIME: Final = "0001-01-01T00:00:00Z"
"""What the database's sources hold where the published database has a time."""
_REVIEWS: Final[Mapping[str, Review]] = {review.value: review for review in Review}


def _entry(wire: _Entry) -> Entry:
    blocks = (block for block in wire.affected or () if _is_go(block))
    own = wire.database_specific or _Database()
    return Entry(
        wire.id,
        tuple(_affected(wire.id, block) for block in blocks),
        summary=wire.summary,
        details=wire.details,
        aliases=_once(wire.aliases),
        related=_once(wire.related),
        references=tuple(reference.url for reference in wire.references or ()),
        review=_REVIEWS.get(own.review_status, Review.UNKNOWN),
        severity=_severity(wire, own),
        url=own.url,
        published=_time(wire.published),
        modified=_time(wire.modified),
        withdrawn=wire.withdrawn or "",
    )


def _is_go(block: _Affected) -> bool:
    return block.package is not None and block.package.ecosystem == ECOSYSTEM


def _affected(id: str, block: _Affected) -> Affected:
    assert block.package is not None
    name = block.package.name
    if not name:
        raise InvalidAdvisory("{id}: an affected module without a name", id=id)
    more = block.ecosystem_specific or _Ecosystem()
    return Affected(
        name,
        tuple(_range(id, name, one) for one in block.ranges or ()),
        tuple(_package(one) for one in more.imports or ()),
        tuple(_range(id, name, one) for one in more.custom_ranges or ()),
        tuple(block.versions or ()),
    )


def _package(one: _Import) -> Package:
    return Package(one.path, tuple(one.symbols or ()), tuple(one.goos or ()), tuple(one.goarch or ()))


def _range(id: str, module: str, one: _Range) -> Range:
    events = [_event(id, module, event) for event in one.events]
    if one.type == SEMVER:
        for event in events:
            if event.version != "*" and version_key(event.version) == _INVALID:
                raise InvalidAdvisory(
                    "{id}: {module}: {version!r} is no semantic version",
                    id=id,
                    module=module,
                    version=event.version,
                )
    if len(events) > 1:
        events.sort(key=_place)
    return Range(one.type, tuple(events))


@lru_cache(1 << 16)
def version_key(version: str) -> semver.Key:
    """What versions of entries (without `v`) are ordered by."""
    return semver.key(f"v{version}")


_INVALID: Final = semver.key("")


def _place(event: Event) -> tuple[bool, semver.Key]:
    return not event.is_beginning, version_key(event.version)


def _event(id: str, module: str, event: _Event) -> Event:
    said = [
        Event(kind, version)
        for kind, version in (
            (EventKind.INTRODUCED, event.introduced),
            (EventKind.FIXED, event.fixed),
            (EventKind.LAST_AFFECTED, event.last_affected),
            (EventKind.LIMIT, event.limit),
        )
        if version is not None
    ]
    if len(said) != 1 or not said[0].version:
        raise InvalidAdvisory(
            "{id}: {module}: an event says one of introduced, fixed, last_affected and limit",
            id=id,
            module=module,
        )
    return said[0]


def _severity(wire: _Entry, own: _Database) -> str:
    if own.severity:
        return own.severity.lower()
    return wire.severity[0].score if wire.severity else ""


def _time(text: str) -> str:
    return "" if text == _NO_TIME else text


def _once(names: Iterable[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names or ()))
