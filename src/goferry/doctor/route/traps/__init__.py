"""What people usually believe otherwise about a route, each with the commands that mend it.

A trap is said only when it concerns this module: a pattern that was meant for it, a rule that would rewrite its
repository, an entry for its host. The table is the order in which they are told.
"""

from collections.abc import Callable, Iterator
from typing import Final

from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.route.records import Route, Trap
from goferry.doctor.route.traps import forward, git, globs, login, mirrors, private

_LOOKS: Final[tuple[Callable[[SettingsSeen, Route], Iterator[Trap]], ...]] = (
    mirrors.written_otherwise,
    mirrors.shadowed,
    globs.near_patterns,
    globs.replaced_inheritance,
    private.private_names,
    git.rewritings,
    login.incomplete_entries,
    forward.exceptions,
    git.ssh_without_proxy,
    globs.insecure,
    mirrors.toolchain_sums,
    login.unusable_goauth,
)


def find(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """All traps on this route."""
    for look in _LOOKS:
        yield from look(seen, route)
