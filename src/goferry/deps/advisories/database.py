"""Many entries, found by the path of the module they are about.

A database is a table of rows, each the JSON of an entry, and an index from module path to rows. Rows become entries
when somebody asks for their module, so a start costs what the modules at hand cost.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from goferry.deps.advisories.osv import Entry


@dataclass(frozen=True, slots=True)
class About:
    """Which database it is."""

    source: str
    """Where it came from: a URL, a file, or what the shipped one was made from."""
    modified: str
    """When its newest entry changed, as it says itself: RFC 3339 in UTC; empty when it does not say."""
    entries: int


class Database:
    """Entries by module path. Withdrawn ones are only found by id."""

    about: About

    def entries(self, path: str) -> tuple[Entry, ...]:
        """What is known of a module, sorted by id; withdrawn entries left out."""
        raise NotImplementedError

    def get(self, id: str) -> Entry | None:
        """One entry, withdrawn or not."""
        raise NotImplementedError

    def names(self, id: str) -> tuple[str, ...]:
        """All names of one flaw, by the closure of aliases over the whole database, itself among them: GO first."""
        raise NotImplementedError

    def adding(self, more: Iterable[Entry]) -> "Database":
        """This one and other entries (GHSA exports, a team's own); of two with one id the added one counts."""
        raise NotImplementedError


def shipped() -> Database:
    """The one that goferry brings along."""
    raise NotImplementedError


def installed(folder: Path) -> Database:
    """The newest at hand: what `goferry deps db update` put into the folder, or the shipped one."""
    raise NotImplementedError


def load(place: Path) -> Database:
    """From a folder in the layout of the public database, a folder of OSV files, one OSV file, a vulndb.zip, or
    goferry's own form. InvalidAdvisory says what is wrong with it."""
    raise NotImplementedError
