"""Sentences that several forms say."""

import functools
import re
import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from goferry.deps.audit.records import Audit, AuditFinding, Fixed, FixState, Kind, Level
from goferry.deps.govulncheck import Seen
from goferry.findings import Severity
from goferry.gomod import gover
from goferry.gomod.module import Version
from goferry.i18n import N_, _, ngettext

TITLES: Final = {
    Kind.VULNERABILITY: N_("known vulnerability"),
    Kind.STDLIB: N_("standard library"),
    Kind.TOOLCHAIN: N_("go command"),
    Kind.STALE: N_("no release for long"),
    Kind.ARCHIVED: N_("archived"),
    Kind.RETRACTED: N_("retracted"),
    Kind.DEPRECATED: N_("deprecated"),
    Kind.PSEUDO_VERSION: N_("a commit"),
    Kind.NOT_A_RELEASE: N_("no release"),
    Kind.LICENCE: N_("licence"),
    Kind.REPLACED_BY_FORK: N_("replaced"),
    Kind.IGNORE_UNUSED: N_("unused ignore entry"),
    Kind.IGNORE_EXPIRED: N_("expired ignore entry"),
    Kind.UNPROVEN: N_("could not be looked at"),
}

SEVERITIES: Final = {
    Severity.ERROR: N_("error"),
    Severity.WARNING: N_("warning"),
    Severity.INFO: N_("note"),
    Severity.OK: N_("ok"),
}

_LEVELS: Final = {
    Level.MODULE: N_("module in the build list"),
    Level.PACKAGE: N_("package imported"),
    Level.IDENTIFIER: N_("identifier named"),
}
_NOT_USED: Final = {
    Level.MODULE: N_("module in the build list"),
    Level.PACKAGE: N_("package not imported"),
    Level.IDENTIFIER: N_("package imported, identifier not named"),
}

_FIXED: Final = {
    FixState.HERE: N_("fixed in {version}"),
    FixState.NEXT_MAJOR: N_("fixed in {path} {version} only"),
    FixState.UNRELEASED: N_("fixed in a commit only: {version}"),
    FixState.NOWHERE: N_("no fix is known"),
}


def title(kind: Kind) -> str:
    return _(TITLES[kind])


def name(finding: AuditFinding) -> str:
    """What it is called: the advisory or the licence, else its kind; an ignore entry is not what it is for."""
    if finding.kind is Kind.UNPROVEN:
        return unseen(finding) or title(finding.kind)
    by_kind = finding.id == finding.kind.value or finding.kind in (Kind.IGNORE_UNUSED, Kind.IGNORE_EXPIRED)
    return title(finding.kind) if by_kind else finding.id


def severity(found: Severity) -> str:
    return _(SEVERITIES[found])


def subject(finding: AuditFinding) -> str:
    """What it is about: the module and its version."""
    return f"{finding.module} {finding.version}".strip()


def fixed(found: Fixed | None) -> str:
    """Where it is mended; empty for what is no advisory."""
    if found is None:
        return ""
    return _(_FIXED[found.state]).format(version=found.version, path=found.path)


def looked(finding: AuditFinding) -> str:
    """How closely it was looked at an advisory, and what was seen; empty for the rest."""
    if finding.fixed is None:
        return ""
    used = finding.details.get("used")
    if used is False and not finding.details.get("imported"):
        return _(_NOT_USED[Level.PACKAGE])
    return _((_NOT_USED if used is False else _LEVELS)[finding.level])


def level(found: Level) -> str:
    """How closely a project was looked at."""
    return _(_REACHED[found])


_REACHED: Final = {
    Level.MODULE: N_("modules"),
    Level.PACKAGE: N_("imported packages"),
    Level.IDENTIFIER: N_("named identifiers"),
}


ARROW: Final = " → "


def chain(found: Iterable[Version]) -> str:
    """Who brings it in."""
    return ARROW.join(f"{step.path} {step.version}".strip() for step in found)


_FOLLOWED: Final = {
    Seen.CALLED: N_("govulncheck: called"),
    Seen.LINKED: N_("govulncheck: in the program"),
    Seen.IMPORTED: N_("govulncheck: no call found"),
    Seen.REQUIRED: N_("govulncheck: no import found"),
    Seen.NOTHING: N_("govulncheck: not named"),
    Seen.OTHER_GO: N_("govulncheck: ran with another Go"),
}


def calls(finding: AuditFinding) -> str:
    """The first chain of calls that govulncheck found, from the project to the flaw; empty without one."""
    said = finding.details.get("govulncheck") or {}
    return ARROW.join(next(iter(said.get("calls") or ()), ()))


def ways(finding: AuditFinding) -> tuple[str, ...]:
    """How the project comes to it: who brings the module in, and the calls."""
    found = (chain(finding.chain) if len(finding.chain) > 2 else "", calls(finding))
    return tuple(way for way in found if way)


def remarks(finding: AuditFinding) -> str:
    """What makes an advisory weigh less or more: the calls that govulncheck found, its review, its range, the other
    name."""
    details = finding.details
    followed = (details.get("govulncheck") or {}).get("seen")
    said = [
        _(_FOLLOWED[Seen(followed)]) if followed in set(Seen) else "",
        *(_(_REASONS[reason]) for reason in details.get("reasons", ()) if reason in _REASONS),
        _("unreviewed") if finding.review == "UNREVIEWED" else "",
        _("covers all versions") if details.get("all_versions") else "",
        _("likely fixed by the project's own numbers") if details.get("upstream") == "unaffected" else "",
        _("known for the module that is replaced") if details.get("named") == "original" else "",
        _("known for the module that replaces it") if details.get("named") == "replacement" else "",
        _("Go version is a lower bound") if details.get("certainty") == "at_least" else "",
    ]
    return ", ".join(word for word in said if word)


_REASONS: Final = {
    Kind.ARCHIVED.value: N_("archived"),
    Kind.DEPRECATED.value: N_("deprecated"),
    Kind.RETRACTED.value: N_("retracted"),
    Kind.REPLACED_BY_FORK.value: N_("replaced"),
    "advisory_without_fix": N_("advisory without a fix"),
}
"""Why a module without a release for long is likely a forsaken one. Other kinds have sentences as their reasons."""

_UNSEEN: Final = {
    "go_mod": N_("go.mod files"),
    "status": N_("newer versions, retractions, deprecations"),
    "zip": N_("zips"),
    "version": N_("a version"),
    "go_version": N_("the Go that builds"),
    "govulncheck": N_("calls"),
    "archived": N_("whether repositories are archived"),
}


def unseen(finding: AuditFinding) -> str:
    """What could not be looked at; empty for a whole project."""
    what = _(_UNSEEN[finding.id]) if finding.id in _UNSEEN else ""
    modules = len(finding.details.get("modules", ()))
    more = ngettext("{n} module", "{n} modules", modules).format(n=modules) if modules else ""
    return ", ".join(word for word in (what, more) if word)


def next_steps(audit: Audit, base: str = "") -> Iterator[str]:
    """What to type, or to do, about what can be mended now; the roots of projects are relative to `base`."""
    urgent = [one for one in audit.findings if one.severity is not Severity.INFO and one.fixed is not None]
    mendable = {
        one.project
        for one in urgent
        if one.kind is Kind.VULNERABILITY and one.location and one.fixed and one.fixed.state is FixState.HERE
    }
    roots = [Path(base, one.root).as_posix() for one in audit.projects if one.name in mendable]
    if roots:
        place = "" if roots[0] == "." else f" {shlex.quote(roots[0])}"
        more = _(" (and {n} more)").format(n=len(roots) - 1) if roots[1:] else ""
        yield _("next: {command}").format(command=f"goferry deps fix{place}") + more
    if version := _better_go(urgent):
        yield _("next: build with Go {version} or a newer one").format(version=version)


def _better_go(urgent: Iterable[AuditFinding]) -> str:
    """The lowest Go that is free of all that was found in Go itself; empty when there is nothing, or no such Go."""
    of_go = [one for one in urgent if one.kind in (Kind.STDLIB, Kind.TOOLCHAIN)]
    fixes = [one.fixed.version.removeprefix("go") for one in of_go if one.fixed and one.fixed.version]
    if not of_go or len(fixes) < len(of_go) or not all(map(gover.is_valid, fixes)):
        return ""
    return max(fixes, key=functools.cmp_to_key(gover.compare))


def headline(audit: Audit) -> str:
    """What was looked at, in one sentence."""
    projects = len(audit.projects)
    modules = sum(project.modules for project in audit.projects)
    return (
        ngettext("{n} project", "{n} projects", projects).format(n=projects)
        + ", "
        + ngettext("{n} module", "{n} modules", modules).format(n=modules)
    )


def counts(audit: Audit) -> str:
    """How many findings, in one sentence."""
    numbers = [audit.count(found) for found in (Severity.ERROR, Severity.WARNING, Severity.INFO)]
    said = [
        ngettext("{n} error", "{n} errors", numbers[0]).format(n=numbers[0]),
        ngettext("{n} warning", "{n} warnings", numbers[1]).format(n=numbers[1]),
        ngettext("{n} note", "{n} notes", numbers[2]).format(n=numbers[2]),
    ]
    if audit.ignored:
        n = len(audit.ignored)
        said.append(ngettext("{n} set aside", "{n} set aside", n).format(n=n))
    if audit.unproven:
        n = len(audit.unproven)
        said.append(
            ngettext("{n} thing could not be looked at", "{n} things could not be looked at", n).format(n=n)
        )
    return ", ".join(said)


def compared(audit: Audit) -> str:
    """What changed since the older audit; empty without one."""
    if audit.since is None:
        return ""
    return _("since {date}: {new} new, {same} as before, {gone} gone").format(
        date=audit.since.generated.date().isoformat(),
        new=audit.since.new,
        same=audit.since.same,
        gone=len(audit.since.gone),
    )


def database(audit: Audit) -> str:
    """Which advisories were used."""
    return _("{entries} advisories of {date} ({source})").format(
        entries=audit.database.entries,
        date=audit.database.modified[:10] or "?",
        source=re.sub(r"\b([0-9a-f]{12})[0-9a-f]{28}\b", r"\1", audit.database.source),
    )
