"""One audit of many projects: each looked at, judged, and put together."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from goferry.config import Settings
from goferry.deps.advisories import building, refresh
from goferry.deps.advisories.database import Database
from goferry.deps.advisories.exposure import Evidence, from_lines
from goferry.deps.audit.compose import Judged, Unreadable, compose
from goferry.deps.audit.ignoring import IgnoreFile
from goferry.deps.audit.inventory import Inventory
from goferry.deps.audit.judge import Rules, judge
from goferry.deps.audit.records import Audit
from goferry.deps.audit.run import Auditor, Wanted
from goferry.deps.audit.targets import Targets
from goferry.deps.base import Project
from goferry.deps.govulncheck import Checker
from goferry.errors import GoferryError, StorageError

if TYPE_CHECKING:
    from goferry.deps.forgelist import Asker
    from goferry.deps.supply import ProxySupply

Step = Callable[[str, int, int], None]
"""Told what is done (of which project), how much of it, of how much."""


@dataclass(frozen=True, slots=True)
class Whole:
    """The audit, and where it was asked for, what is built."""

    audit: Audit
    inventories: tuple[Inventory, ...] = ()


@dataclass(frozen=True, slots=True)
class Looking:
    """How projects are looked at, whichever they are."""

    database: Database
    wanted: Wanted = field(default_factory=Wanted)
    go: Callable[[Project], Iterable[Evidence]] = from_lines
    archived: frozenset[str] = frozenset()
    goroot: Path | None = None
    govulncheck: Checker | None = None
    ignore: tuple[IgnoreFile, ...] = ()
    """Ignore files beside those of the projects."""

    def auditor(self, supply: "ProxySupply", forges: "Asker | None" = None) -> Auditor:
        return Auditor(
            supply,
            self.database,
            self.wanted,
            self.go,
            self.archived,
            self.goroot,
            first_seen=supply.first_seen,
            govulncheck=self.govulncheck,
            forges=forges,
        )


def looking(settings: Settings, environ: Mapping[str, str]) -> Looking:
    """How they are looked at where nobody says more than the settings do."""
    rules = rules_of(settings)
    return Looking(
        refresh.at_hand(environ),
        Wanted(licences=bool(rules.allow or rules.deny)),
        building.gather(environ),
        goroot=building.go_tree(environ),
    )


def rules_of(settings: Settings) -> Rules:
    """What the settings say about age and licences."""
    return Rules(
        timedelta(seconds=settings.stale_after),
        _names(settings.allow_licences),
        _names(settings.deny_licences),
    )


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


async def audit(auditor: Auditor, targets: Targets, rules: Rules, step: Step | None = None) -> Whole:
    """Audits all of them. A project that cannot be looked at is in it as unproven; only StorageError ends it."""
    now = datetime.now(UTC).replace(microsecond=0)
    judged, unreadable, inventories = list[Judged](), list(targets.unreadable), list[Inventory]()
    for target in targets.projects:
        try:
            looked = await auditor.look(target, _named(target.name, step))
        except StorageError:
            raise
        except GoferryError as why:
            unreadable.append(Unreadable(target.name, target.root, target.owner, why))
            continue
        judged.append(Judged(looked.subject.project, judge(looked.subject, rules, now)))
        if looked.inventory is not None:
            inventories.append(looked.inventory)
    composed = compose(judged, unreadable, targets.ignore, auditor.database.about, now)
    return Whole(composed, tuple(inventories))


def _named(name: str, step: Step | None) -> Step | None:
    return None if step is None else lambda stage, done, total: step(f"{name}: {stage}", done, total)
