"""What the kinds of database (goferry's own file, the public layout, loose files) have in common."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from goferry.deps.advisories.osv import Entry


@dataclass(frozen=True, slots=True)
class About:
    """Which database it is."""

    source: str
    """Where it came from: a URL, a file, or what the shipped one was made from."""
    modified: str
    """When its newest entry changed, as it says itself: RFC 3339 in UTC; empty when it does not say."""
    entries: int
    seen: str = ""
    """The newest `modified` that was known when it was taken: later than its own only after `--force`."""


@dataclass(frozen=True, slots=True)
class Index:
    """Where to look: rows are numbers that only the layer itself understands."""

    modules: Mapping[str, tuple[int, ...]]
    """Module path → rows of the entries about it."""
    names: tuple[tuple[str, ...], ...]
    """Of each row the id of its entry, then the aliases."""


class Layer(Protocol):
    """Entries by row."""

    about: About
    index: Index

    def entry(self, row: int) -> Entry:
        """One entry. InvalidAdvisory when it cannot be read."""

    def text(self, row: int) -> bytes:
        """The same as an OSV file."""

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """All entries as OSV files: a name for messages, and the bytes."""


def is_older(one: str, other: str) -> bool:
    """Whether a time (RFC 3339) is before another; no time is before none."""
    first, second = time_of(one), time_of(other)
    return first is not None and second is not None and first < second


def time_of(text: str) -> datetime | None:
    """The moment that RFC 3339 text means; None for anything else."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found.replace(tzinfo=found.tzinfo or UTC)
