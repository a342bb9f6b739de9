"""Scheduled audits with everything that they need: what a process of `goferry serve` or a cron job runs."""

import asyncio
import logging
import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from goferry.config import Settings, audit_history
from goferry.deps import history
from goferry.deps.audit.records import Audit
from goferry.deps.kept import Kept
from goferry.deps.repositories import Repository, read_repositories
from goferry.deps.schedule import Done, Schedule, Work
from goferry.errors import GoferryError, InvalidInput
from goferry.findings import Severity

if TYPE_CHECKING:
    from goferry.deps.audit.run import Target
    from goferry.deps.audit.targets import Targets
    from goferry.deps.audit.whole import Looking, Step
    from goferry.deps.notify.base import Receiver
    from goferry.deps.notify.send import Outcome

_log = logging.getLogger(__name__)


class Tally(Protocol):
    """Where it is counted what was done; goferry.server.job has the same."""

    def add(self, amount: float, family: str, *labels: str) -> None: ...

    def set(self, value: float, family: str, *labels: str) -> None: ...


async def audit_when_due(settings: Settings, config: Path | None, tally: Tally) -> None:
    """Waits until the repositories of the settings are due for an audit, makes it, keeps it, tells it: the chore of a
    server. Raises ConfigError and StorageError; whatever an audit itself fails of is kept and logged."""
    assert settings.audit_repos is not None
    place, environ = settings.audit_repos, os.environ
    with Kept(audit_history(settings, environ)) as kept:
        _show(kept, tally)
        done = await schedule(kept, place, settings, config, environ).next(asyncio.sleep)
        count(done, tally)
        log(done)


def schedule(
    kept: Kept,
    place: Path,
    settings: Settings,
    config: Path | None,
    environ: Mapping[str, str],
    *,
    telling: bool = True,
    seen: "Callable[[Outcome], None] | None" = None,
    look: "Callable[[], Looking] | None" = None,
    step: "Step | None" = None,
) -> Schedule:
    """The schedule of these repositories. `telling`: whether the receivers of the settings file hear of news; `seen`
    is called with what became of each, instead of a line in the log; `look` says for each audit how it is made."""
    place = place.absolute()

    async def make() -> Audit:
        if telling:
            read_receivers(config)  # a mistake in them shows before an audit was made for nothing
        how = None if look is None else look()
        return await audit_repositories(read_repositories(place), place, settings, environ, how, step)

    async def tell(audit: Audit) -> int:
        if not telling:
            return 0
        outcomes = await tell_receivers(audit, kept, settings, config, environ)
        for outcome in outcomes:
            (seen or log_outcome)(outcome)
        return sum(outcome.failure is not None for outcome in outcomes)

    work = Work(settings.audit_every, make, tell)
    return Schedule(kept, work, clock=time.time, jitter=random.random())  # noqa: S311 - spreads load, guards nothing


def read_receivers(config: Path | None) -> "tuple[Receiver, ...]":
    """The receivers of the settings file."""
    from goferry.deps.notify.run import chosen  # heavy: a process that waits has no use for it

    return chosen(config)


async def tell_receivers(
    audit: Audit, kept: Kept, settings: Settings, config: Path | None, environ: Mapping[str, str]
) -> "tuple[Outcome, ...]":
    """Tells all receivers of the settings file."""
    from goferry.deps.notify.run import tell

    receivers = read_receivers(config)
    if not receivers:
        return ()
    return await tell(audit, receivers, kept=kept, settings=settings, environ=environ)


async def audit_repositories(
    repositories: tuple[Repository, ...],
    place: Path,
    settings: Settings,
    environ: Mapping[str, str],
    how: "Looking | None" = None,
    step: "Step | None" = None,
) -> Audit:
    """One audit of all projects in all of these repositories. One that cannot be read is in it as unproven. `how` they
    are looked at: by default as the settings say."""
    from goferry.deps.audit import whole  # heavy, as above
    from goferry.deps.forgelist import open_asker
    from goferry.deps.supply import ProxySupply
    from goferry.proxy.assemble import open_proxy

    how = how or whole.looking(settings, environ)
    targets = gather(repositories, place)
    targets.ignore += how.ignore
    settings = replace(settings, read_ahead=False)  # whoever asks for a time here wants no zip next
    async with open_proxy(settings, environ=environ) as proxy, open_asker(settings, environ) as forges:
        auditor = how.auditor(ProxySupply(proxy), forges)
        return (await whole.audit(auditor, targets, whole.rules_of(settings), step)).audit


def gather(repositories: tuple[Repository, ...], place: Path) -> "Targets":
    """The projects of the repositories, each with the owner that the list names; and what cannot be read."""
    from goferry.deps import tree
    from goferry.deps.audit import targets
    from goferry.deps.audit.compose import Unreadable

    base = place if place.is_dir() else place.parent
    sound, unreadable = [], []
    for repository in repositories:
        if tree.below(repository.folder):
            sound.append(repository)
        else:
            why = InvalidInput("there is no go.mod or go.work in {folder}", folder=repository.folder)
            unreadable.append(
                Unreadable(repository.folder.name, str(repository.folder), repository.owner, why)
            )
    found = targets.gather([f"{repository.folder}/..." for repository in sound], base)
    owners = {repository.folder.resolve(): repository.owner for repository in sound if repository.owner}
    found.projects = [_owned(target, owners) for target in found.projects]
    found.unreadable += unreadable
    return found


def _owned(target: "Target", owners: Mapping[Path, str]) -> "Target":
    """The list's word counts before that of CODEOWNERS."""
    root = target.project.root.resolve()
    named = [owner for folder, owner in owners.items() if root.is_relative_to(folder)]
    return replace(target, owner=named[0]) if named else target


# ---- what is seen of it ----------------------------------------------------------------------------------------------


def _show(kept: Kept, tally: Tally) -> None:
    """The gauges as the last kept audit left them: a server that was started anew knows them too."""
    ended = kept.row("SELECT max(ended) FROM attempts WHERE failure IS NULL AND ended IS NOT NULL")
    if ended and ended[0] is not None:
        tally.set(ended[0], "goferry_audit_success_time_seconds")
        open_now = [span for span in history.spans(kept) if span.closed is None]
        for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO):
            found = sum(span.severity == severity.value for span in open_now)
            tally.set(found, "goferry_audit_findings", severity.value)


def count(done: Done, tally: Tally) -> None:
    """Counts an audit."""
    tally.add(1.0, "goferry_audits_total", "failed" if done.failure else "ok")
    tally.add(float(done.untold), "goferry_audit_notices_failed_total")


def log_outcome(outcome: "Outcome") -> None:
    """Says in the log who did not take a notice."""
    if outcome.failure is not None:
        _log.warning("%s", outcome.failure)


def log(done: Done) -> None:
    """Says in the log what became of an audit."""
    if done.audit is None:
        bug = not isinstance(done.failure, GoferryError)
        _log.error("the audit failed: %s", done.failure, exc_info=done.failure if bug else None)
        return
    found = done.audit
    _log.info(
        "audited %d projects in %.1f s: %d errors, %d warnings, %d could not be looked at",
        len(found.projects),
        done.seconds,
        found.count(Severity.ERROR),
        found.count(Severity.WARNING),
        len(found.unproven),
    )
