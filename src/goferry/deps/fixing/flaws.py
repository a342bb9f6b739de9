"""The vulnerability database as a plan asks it: what affects a version, and which commits are known to be good."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.matching import Match, judge
from goferry.deps.advisories.osv import EventKind
from goferry.deps.advisories.ranges import written
from goferry.deps.audit.ignoring import Entry
from goferry.deps.audit.records import Kind
from goferry.deps.base import Module
from goferry.errors import InvalidInput
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class Aside:
    """A flaw that an ignore file sets aside: it is there, and no reason to raise anything."""

    id: str
    version: Version
    entry: Entry


class Flaws:
    """All flaws but those that people live with, or those with one of these names (ids or aliases): what is named is
    mended whatever an ignore file says. InvalidInput for a name that nothing has."""

    def __init__(
        self, database: Database, names: Iterable[str] = (), lived_with: Iterable[Entry] = ()
    ) -> None:
        self._database = database
        self._names = frozenset(names)
        self._lived_with = () if self._names else tuple(lived_with)
        self._found: dict[Version, tuple[Match, ...]] = {}
        known = {name for entry in database for name in (entry.id, *entry.aliases)} if self._names else set()
        for name in sorted(self._names - known):
            raise InvalidInput("the vulnerability database has no {id}", id=name)

    def __call__(self, version: Version) -> tuple[str, ...]:
        """The ids of what affects a version."""
        return tuple(match.entry.id for match in self.matches(version))

    def matches(self, version: Version) -> tuple[Match, ...]:
        if version not in self._found:
            found = self._judged(version)
            self._found[version] = tuple(match for match in found if self._entry(match) is None)
        return self._found[version]

    def aside(self, versions: Iterable[Version]) -> tuple[Aside, ...]:
        """What is set aside of these versions."""
        return tuple(
            Aside(match.entry.id, version, entry)
            for version in versions
            for match in self._judged(version)
            if (entry := self._entry(match)) is not None
        )

    def _judged(self, version: Version) -> Iterator[Match]:
        found = judge(self._database, Module(version.path, version.version))
        return (match for match in found if self._is_meant(match))

    def _entry(self, match: Match) -> Entry | None:
        names = (match.entry.id, Kind.VULNERABILITY.value, *match.aliases)
        return next((one for one in self._lived_with if one.names(names, match.module.path)), None)

    def good(self, path: str) -> Iterator[str]:
        """The versions of a module that entries call fixed, commits among them."""
        for entry in self._database.entries(path):
            for block in entry.of(path):
                for one in block.ranges:
                    for event in one.events:
                        if event.kind is EventKind.FIXED:
                            yield written(path, event.version)

    def _is_meant(self, match: Match) -> bool:
        names = {match.entry.id, *match.aliases, *(other.id for other in match.others)}
        return not self._names or bool(names & self._names)
