"""The vulnerability database as a plan asks it: what affects a version, and which commits are known to be good."""

from collections.abc import Iterable, Iterator

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.matching import Match, judge
from goferry.deps.advisories.osv import EventKind
from goferry.deps.advisories.ranges import written
from goferry.deps.base import Module
from goferry.errors import InvalidInput
from goferry.gomod.module import Version


class Flaws:
    """All flaws, or those with one of these names (ids or aliases). InvalidInput for a name that nothing has."""

    def __init__(self, database: Database, names: Iterable[str] = ()) -> None:
        self._database = database
        self._names = frozenset(names)
        self._found: dict[Version, tuple[Match, ...]] = {}
        known = {name for entry in database for name in (entry.id, *entry.aliases)} if self._names else set()
        for name in sorted(self._names - known):
            raise InvalidInput("the vulnerability database has no {id}", id=name)

    def __call__(self, version: Version) -> tuple[str, ...]:
        """The ids of what affects a version."""
        return tuple(match.entry.id for match in self.matches(version))

    def matches(self, version: Version) -> tuple[Match, ...]:
        if version not in self._found:
            found = judge(self._database, Module(version.path, version.version))
            self._found[version] = tuple(match for match in found if self._is_meant(match))
        return self._found[version]

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
