"""What a notice says, in the language in use and in nobody's markup yet."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from goferry.deps.audit.records import AuditFinding, FixState, Kind, rank
from goferry.deps.notify.base import Notice
from goferry.findings import Severity
from goferry.i18n import N_, _, ngettext

T = TypeVar("T")

WORDS: Final = {
    Severity.ERROR: N_("error"),
    Severity.WARNING: N_("warning"),
    Severity.INFO: N_("note"),
    Severity.OK: N_("ok"),
}
_ADVISORIES: Final = frozenset({Kind.VULNERABILITY, Kind.STDLIB, Kind.TOOLCHAIN})
_FIXES: Final[Mapping[FixState, str]] = {
    FixState.HERE: N_("fixed in {version}"),
    FixState.NEXT_MAJOR: N_("fixed only in {path} {version}"),
    FixState.UNRELEASED: N_("fixed only in a commit that no release holds yet"),
    FixState.NOWHERE: N_("no fix is known"),
}
_ADVISORY_ID: Final = re.compile(r"[A-Za-z0-9-]+")
_LONGEST: Final = 400
"""Characters of one finding's sentence; advisories can be essays."""


@dataclass(frozen=True, slots=True)
class Item:
    """One finding, ready to be read."""

    severity: Severity
    word: str
    title: str
    url: str
    text: str
    where: str
    fix: str
    chain: str


@dataclass(frozen=True, slots=True)
class Group:
    """What one owner has to look at."""

    owner: str
    """As the audit names them; empty when nobody is known."""
    heading: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Telling:
    """A whole notice. The groups stand by their worst finding, and so do the findings within each."""

    headline: str
    facts: tuple[str, ...]
    groups: tuple[Group, ...]
    worst: Severity
    link: str = ""
    left_out: int = 0
    """How many findings are not in `groups` because there was no room."""

    @property
    def count(self) -> int:
        return sum(len(group.items) for group in self.groups)

    @property
    def link_text(self) -> str:
        """What the link to the whole report is called."""
        return _("the whole report")

    @property
    def more(self) -> str:
        """What is said of those that were left out; empty when there are none."""
        return and_more(self.left_out)

    def first(self, count: int) -> "Telling":
        """With the first findings only. Owners stay named as long as one of theirs is there."""
        groups, room = [], count
        for group in self.groups:
            if room <= 0:
                break
            groups.append(replace(group, items=group.items[:room]))
            room -= len(group.items)
        return replace(
            self, groups=tuple(groups), left_out=self.left_out + self.count - min(count, self.count)
        )


def and_more(count: int) -> str:
    """How many are not shown; empty for none."""
    if not count:
        return ""
    return ngettext("and {n} more", "and {n} more", count).format(n=count)


def tell(notice: Notice, link: str = "") -> Telling:
    """The news of a notice."""
    findings = notice.news
    return Telling(
        headline(notice),
        tuple(facts(notice)),
        tuple(groups_of(findings)),
        min((finding.severity for finding in findings), key=lambda s: s.rank, default=Severity.OK),
        link,
    )


def headline(notice: Notice) -> str:
    """How many findings are new, in how many projects."""
    count = len(notice.news)
    projects = len({finding.project for finding in notice.news})
    if not count:
        return _("goferry: nothing new in the dependencies")
    return ngettext(
        "goferry: {n} new finding in the dependencies of {projects}",
        "goferry: {n} new findings in the dependencies of {projects}",
        count,
    ).format(n=count, projects=ngettext("{n} project", "{n} projects", projects).format(n=projects))


def facts(notice: Notice) -> Iterator[str]:
    """Beside the news: what is open, what is gone, what could not be looked at."""
    counts = [
        f"{_(WORDS[severity])} {count}"
        for severity in (Severity.ERROR, Severity.WARNING, Severity.INFO)
        if (count := sum(finding.severity is severity for finding in notice.news))
    ]
    if counts:
        yield _("new: {counts}").format(counts=", ".join(counts))
    yield _("open: {n}").format(n=len(notice.standing))
    if notice.closed:
        yield _("gone: {n}").format(n=len(notice.closed))
    if notice.audit.unproven:
        yield _("could not be looked at: {n}").format(n=len(notice.audit.unproven))
    yield _("projects: {n}").format(n=len(notice.audit.projects))
    yield _("as of {time}").format(time=notice.audit.generated.strftime("%Y-%m-%d %H:%M UTC"))


def groups_of(findings: tuple[AuditFinding, ...]) -> Iterator[Group]:
    """By owner; the owner with the worst finding first, what nobody owns last."""
    by_owner: dict[str, list[AuditFinding]] = {}
    for finding in sorted(findings, key=rank):
        by_owner.setdefault(finding.owner, []).append(finding)
    for owner in sorted(by_owner, key=lambda name: (not name, rank(by_owner[name][0]), name)):
        yield Group(owner, owner or _("nobody's"), tuple(map(item, by_owner[owner])))


def item(finding: AuditFinding) -> Item:
    """One finding."""
    names = ", ".join(finding.aliases[:2])
    title = f"{finding.id} ({names})" if names else finding.id
    return Item(
        severity=finding.severity,
        word=_(WORDS[finding.severity]),
        title=title,
        url=_url(finding),
        text=shortened(str(finding.message).removeprefix(f"{finding.id}: "), _LONGEST),
        where=_("{module} in {project}").format(
            module=f"{finding.module} {finding.version}".strip(), project=finding.project
        ),
        fix=_fix(finding),
        chain=" → ".join(step.path for step in finding.chain),
    )


def _url(finding: AuditFinding) -> str:
    if finding.kind not in _ADVISORIES or not _ADVISORY_ID.fullmatch(finding.id):
        return ""
    return f"https://osv.dev/vulnerability/{finding.id}"


def _fix(finding: AuditFinding) -> str:
    if finding.fixed is None:
        return ""
    return _(_FIXES[finding.fixed.state]).format(version=finding.fixed.version, path=finding.fixed.path)


def shortened(text: str, most: int) -> str:
    """One line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1] + "…"


def fitting(told: Telling, form: Callable[[Telling], T], fits: Callable[[T], bool]) -> T:
    """A notice in a receiver's form, with as many findings as fit."""
    return form(told.first(largest(told.count, lambda count: fits(form(told.first(count))))))


def largest(count: int, fits: Callable[[int], bool]) -> int:
    """The largest number up to `count` that fits, where every smaller one does too; 0 when none does.

    >>> largest(100, lambda n: n * n <= 50)
    7
    """
    if fits(count):
        return count
    low, high = 0, count
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
