"""From what is known about one project to what is wrong with it: plain rules on frozen values.

Each rule takes the subject and yields findings; `RULES` is the list of them. How bad something is stands in one place
per rule. Two thoughts are behind all of it: what somebody can act on is worse than what nobody can, and what was not
looked at is never called well, so it is in `unproven`.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import Any, Final

from goferry.deps.advisories.exposure import Certainty, Exposure
from goferry.deps.advisories.matching import Fixed, FixState, Match, Named, Opinion, Unknown
from goferry.deps.advisories.osv import Review
from goferry.deps.audit.licences import NONE, UNKNOWN, Licence
from goferry.deps.audit.records import AuditedProject, AuditFinding, Kind, Level, key_of
from goferry.deps.base import BuildList, Module
from goferry.deps.chains import Chains
from goferry.deps.forges import Closed, State
from goferry.deps.govulncheck import Seen, Word
from goferry.deps.status import Status
from goferry.deps.usage import Narrowed
from goferry.errors import GoferryError
from goferry.findings import Location, Part, Severity, Text
from goferry.gomod import pseudo, semver
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version

DAYS_IN_MONTH: Final = 30.44


@dataclass(frozen=True, slots=True)
class Rules:
    """What people may set."""

    stale_after: timedelta = timedelta(days=365)
    allow: frozenset[str] = frozenset()
    """SPDX names of licences that are allowed; with any, all others are not."""
    deny: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Advised:
    """A match, and what source and upstream say about it."""

    match: Match
    narrowed: Narrowed | None = None
    """None when no source was read."""
    fixed: Fixed | None = None
    """Knowing what is released; None when that is not known."""
    word: Word | None = None
    """What the real govulncheck says of it; None when it was not asked."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that could not be looked at. `what` is a stable word."""

    what: str
    why: GoferryError | Text
    modules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Subject:
    """All that is known about one project."""

    project: AuditedProject
    build: BuildList
    advised: tuple[Advised, ...] = ()
    unknown: tuple[Unknown, ...] = ()
    exposure: Exposure | None = None
    go_narrowed: Mapping[str, Narrowed] = field(default_factory=dict)
    """What source says about entries of the standard library, by id."""
    go_words: Mapping[str, Word] = field(default_factory=dict)
    """What the real govulncheck says about them, by id."""
    statuses: Mapping[Version, Status] = field(default_factory=dict)
    first_seen: Mapping[Version, datetime] = field(default_factory=dict)
    """When the store got a version. It was published then or before."""
    closed: Mapping[str, Closed] = field(default_factory=dict)
    """By module path, repositories that are not open to changes."""
    licences: Mapping[Version, Licence] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    findings: tuple[AuditFinding, ...]
    unproven: tuple[AuditFinding, ...]


def judge(subject: Subject, rules: Rules, now: datetime) -> Verdict:
    """All findings of one project, not sorted, and what could not be looked at."""
    case = _Case(subject, rules, now)
    findings = tuple(finding for rule in RULES for finding in rule(case))
    return Verdict(findings, tuple(_unproven(case)))


class _Case:
    """A subject with what several rules need."""

    def __init__(self, subject: Subject, rules: Rules, now: datetime) -> None:
        self.subject = subject
        self.rules = rules
        self.now = now
        self._chains = Chains.of_built(subject.build)
        self._places = _places(subject)

    def about(
        self, module: Module, kind: Kind, severity: Severity, message: Text, ident: str = "", **more: Any
    ) -> AuditFinding:
        """A finding about a module of the build list."""
        chain = self._chains.to(module.path)
        through = (module.path, *(step.path for step in reversed(chain)))
        location = next((self._places[path] for path in through if path in self._places), None)
        return self._finding(
            module.module,
            kind,
            severity,
            message,
            ident or kind.value,
            chain=chain,
            location=location,
            **more,
        )

    def about_go(
        self, kind: Kind, severity: Severity, message: Text, ident: str, version: str, **more: Any
    ) -> AuditFinding:
        """A finding about Go itself."""
        return self._finding(Version(kind.value, version), kind, severity, message, ident, **more)

    def _finding(
        self, about: Version, kind: Kind, severity: Severity, message: Text, ident: str, **more: Any
    ) -> AuditFinding:
        project = self.subject.project
        return AuditFinding(
            key=key_of(project.name, kind, ident, about.path),
            kind=kind,
            id=ident,
            severity=severity,
            project=project.name,
            owner=project.owner,
            module=about.path,
            version=about.version,
            message=message,
            **more,
        )

    def status(self, module: Module) -> Status | None:
        """Of what is really built; None for a folder."""
        return self.subject.statuses.get(module.source) if module.source else None

    def statuses(self, module: Module) -> Iterator[Status]:
        """Of what is really built, then of what it replaces: go itself looks at the latter only."""
        for version in dict.fromkeys((module.source, module.module)):
            if version is not None and version in self.subject.statuses:
                yield self.subject.statuses[version]


def _places(subject: Subject) -> Mapping[str, Location]:
    """Where each module is required: by a path that is relative where the project's root is."""
    build = subject.build
    places: dict[str, Location] = {}
    for part in build.project.parts:
        folder = os.path.relpath(part.folder, build.project.root)
        file = PurePosixPath(subject.project.root, Path(folder).as_posix(), "go.mod")
        for line in part.file.require:
            places.setdefault(line.mod.path, Location(str(file), line.syntax.start.line))
    return places


# ---- advisories


def advisory_severity(advised: Advised) -> Severity:
    """How bad a match is."""
    return with_calls(_by_source(advised), advised.word)


def with_calls(severity: Severity, word: Word | None) -> Severity:
    """What govulncheck adds, where it followed calls: a chain of them is an error; where it found none, it is a warning
    at the most. No less: it looked at one system only, and at no call through reflection."""
    if word is None or not word.deep:
        return severity
    if word.seen is Seen.CALLED:
        return Severity.ERROR
    if word.seen in (Seen.IMPORTED, Seen.REQUIRED):
        return max(severity, Severity.WARNING, key=lambda one: one.rank)
    return severity


def _by_source(advised: Advised) -> Severity:
    """By what can be said about it without following calls."""
    match, narrowed = advised.match, advised.narrowed
    if narrowed is not None and not narrowed.used:
        return Severity.WARNING if narrowed.packages else Severity.INFO
    if match.opinion is Opinion.UNAFFECTED and match.all_versions:
        return Severity.INFO
    if match.named is Named.ORIGINAL:
        return Severity.WARNING
    if match.entry.review is not Review.REVIEWED and match.fixed.state is FixState.NOWHERE:
        return Severity.WARNING
    return Severity.ERROR


def _vulnerabilities(case: _Case) -> Iterator[AuditFinding]:
    seen: set[str] = set()
    for advised in case.subject.advised:
        match = advised.match
        finding = case.about(
            match.module,
            Kind.VULNERABILITY,
            advisory_severity(advised),
            _advisory_text(match),
            match.entry.id,
            aliases=match.aliases,
            fixed=advised.fixed or match.fixed,
            review=_review(match),
            level=advised.narrowed.level if advised.narrowed else Level.MODULE,
            details=_advisory_details(match, advised.narrowed, advised.word),
        )
        if finding.key not in seen:  # an original and its fork may share an entry: the first one says more
            seen.add(finding.key)
            yield finding


def _advisory_text(match: Match) -> Text:
    if match.entry.summary:
        return Text("{summary}", summary=match.entry.summary)
    return Text("{module} has the flaw {id}", module=match.path, id=match.entry.id)


def _review(match: Match) -> str:
    return "" if match.entry.review is Review.UNKNOWN else match.entry.review.value


def _advisory_details(match: Match, narrowed: Narrowed | None, word: Word | None) -> dict[str, Any]:
    details: dict[str, Any] = {
        "url": match.entry.url,
        "published": match.entry.published,
        "judged": {"path": match.path, "version": match.version},
        "named": match.named.value,
        "all_versions": match.all_versions,
        "upstream": match.opinion.value,
        "others": [other.id for other in match.others],
        "packages": [package.path for package in match.affected.packages],
        "used": None if narrowed is None else narrowed.used,
    }
    if narrowed is not None:
        details["imported"] = list(narrowed.packages)
        details["named_identifiers"] = list(narrowed.symbols)
        details["imported_by"] = list(narrowed.chain)
    if word is not None:
        details["govulncheck"] = {
            "seen": word.seen.value,
            "scanner": word.scanner,
            "go": word.go,
            "calls": [list(calls) for calls in word.calls],
        }
    return details


def _go_itself(case: _Case) -> Iterator[AuditFinding]:
    exposure = case.subject.exposure
    if exposure is None:
        return
    for match in exposure.stdlib:
        narrowed = case.subject.go_narrowed.get(match.entry.id)
        word = case.subject.go_words.get(match.entry.id)
        severity = _bounded(exposure, with_calls(_stdlib_severity(narrowed), word))
        yield _about_go(case, exposure, match, Kind.STDLIB, severity, narrowed, word)
    for match in exposure.toolchain:
        yield _about_go(case, exposure, match, Kind.TOOLCHAIN, _bounded(exposure, Severity.WARNING), None)


def _stdlib_severity(narrowed: Narrowed | None) -> Severity:
    if narrowed is not None and not narrowed.used:
        return Severity.WARNING if narrowed.packages else Severity.INFO
    return Severity.ERROR


def _bounded(exposure: Exposure, severity: Severity) -> Severity:
    """What only a lower bound has (`go 1.24`, an image 1.24) is a note: most likely something newer builds."""
    return Severity.INFO if exposure.go.certainty is Certainty.AT_LEAST else severity


def _about_go(
    case: _Case,
    exposure: Exposure,
    match: Match,
    kind: Kind,
    severity: Severity,
    narrowed: Narrowed | None,
    word: Word | None = None,
) -> AuditFinding:
    go = exposure.go
    decided = {"origin": go.decided.origin.value, "where": _below(case, go.decided.where)}
    return case.about_go(
        kind,
        severity,
        _advisory_text(match),
        match.entry.id,
        go.version,
        aliases=match.aliases,
        fixed=match.fixed,
        review=_review(match),
        level=narrowed.level if narrowed else Level.MODULE,
        details=_advisory_details(match, narrowed, word)
        | {"certainty": go.certainty.value, "decided": decided},
    )


def _below(case: _Case, where: str) -> str:
    """A file of the project by its place in it: where the project stands on this machine is nobody's business."""
    path, root = Path(where), case.subject.build.project.root
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else where


# ---- what its authors say


def _retracted(case: _Case) -> Iterator[AuditFinding]:
    for module in case.subject.build.dependencies():
        status = next((status for status in case.statuses(module) if status.retracted), None)
        if status is not None:
            used, why = status.version, status.retracted[0]
            yield case.about(
                module,
                Kind.RETRACTED,
                Severity.WARNING,
                Text("its authors withdrew {version}: {why}", version=used.version, why=why),
                details={
                    "path": used.path,
                    "version": used.version,
                    "reasons": list(status.retracted),
                    "latest": status.latest,
                },
            )


def _deprecated(case: _Case) -> Iterator[AuditFinding]:
    for module in case.subject.build.dependencies():
        status = next((status for status in case.statuses(module) if status.deprecated), None)
        if status is not None:
            yield case.about(
                module,
                Kind.DEPRECATED,
                _direct_first(module),
                Text("deprecated: {why}", why=_first_line(status.deprecated)),
                details={
                    "path": status.version.path,
                    "message": status.deprecated,
                    "latest": status.latest,
                },
            )


def _built(module: Module) -> str:
    return module.source.version if module.source else module.version


def _direct_first(module: Module) -> Severity:
    """What the project requires itself, it can change itself."""
    return Severity.INFO if module.indirect else Severity.WARNING


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0]


# ---- age


def _stale(case: _Case) -> Iterator[AuditFinding]:
    """No release for too long. Age alone is no reason to leave a finished tool, so it is a note; with another reason
    beside it, it is a warning."""
    for module in case.subject.build.dependencies():
        status = case.status(module)
        newest = _newest(status) if status else None
        if status is None or newest is None or case.now - newest <= case.rules.stale_after:
            continue
        reasons = list(_reasons(case, module, status))
        months = int((case.now - newest).days / DAYS_IN_MONTH)
        yield case.about(
            module,
            Kind.STALE,
            Severity.WARNING if reasons else Severity.INFO,
            Text("no release for {months} months: {latest} is of {date}", months=months,
                 latest=status.latest or _built(module), date=newest.date().isoformat()),
            details={
                "reasons": reasons,
                "months": months,
                "latest": status.latest,
                "committed": newest.isoformat(),
                "first_seen": _seen(case, status),
                "majors": [{"path": major.path, "latest": major.latest} for major in status.majors],
            },
        )  # fmt: skip


def _newest(status: Status) -> datetime | None:
    """The commit time of the latest release, or of the version in use where that is younger (a commit)."""
    times = [time for time in (status.latest_time, status.time) if time is not None]
    return max(times, default=None)


def _seen(case: _Case, status: Status) -> str | None:
    """A tag can be younger than its commit. It was there when the store got it."""
    latest = Version(status.version.path, status.latest)
    seen = case.subject.first_seen.get(latest) or case.subject.first_seen.get(status.version)
    return seen.astimezone(UTC).isoformat() if seen else None


def _reasons(case: _Case, module: Module, status: Status) -> Iterator[str]:
    """Why an old module is likely a forsaken one, besides its age."""
    closed = case.subject.closed.get(module.path)
    if closed is not None and closed.state is State.ARCHIVED:
        yield Kind.ARCHIVED.value
    if status.deprecated:
        yield Kind.DEPRECATED.value
    if status.retracted:
        yield Kind.RETRACTED.value
    if isinstance(module.replace, Version) and module.replace.path != module.path:
        yield Kind.REPLACED_BY_FORK.value
    if any(_is_open(advised, module) for advised in case.subject.advised):
        yield "advisory_without_fix"


def _is_open(advised: Advised, module: Module) -> bool:
    fixed = advised.fixed or advised.match.fixed
    return advised.match.module.path == module.path and fixed.state is not FixState.HERE


def _archived(case: _Case) -> Iterator[AuditFinding]:
    for module in case.subject.build.dependencies():
        closed = case.subject.closed.get(module.path)
        if closed is not None:
            gone = closed.state is State.GONE
            yield case.about(
                module,
                Kind.ARCHIVED,
                Severity.INFO if gone else _direct_first(module),
                Text("its repository is not there, or not for everybody")
                if gone
                else Text("its repository is closed to changes"),
                details={
                    "state": closed.state.value,
                    "repository": closed.repository,
                    "asked": closed.asked.isoformat() if closed.asked else None,
                },
            )


# ---- versions


def _no_releases(case: _Case) -> Iterator[AuditFinding]:
    for module in case.subject.build.dependencies():
        version = _built(module)
        if not version:
            continue
        if pseudo.is_pseudo_version(version):
            yield case.about(
                module,
                Kind.PSEUDO_VERSION,
                _direct_first(module),
                Text("{version} is a commit and not a release", version=version),
                details=_pseudo_details(version),
            )
        elif semver.prerelease(version):
            yield case.about(
                module,
                Kind.NOT_A_RELEASE,
                _direct_first(module),
                Text("{version} is a pre-release", version=version),
            )


def _pseudo_details(version: str) -> dict[str, Any]:
    return {
        "base": pseudo.pseudo_version_base(version),
        "revision": pseudo.pseudo_version_rev(version),
        "committed": pseudo.pseudo_version_time(version).isoformat(),
    }


def _replaced(case: _Case) -> Iterator[AuditFinding]:
    for module in case.subject.build.dependencies():
        target = module.replace
        if isinstance(target, Local):
            text = Text("the folder {folder} is built in its place", folder=target.folder)
            yield case.about(
                module, Kind.REPLACED_BY_FORK, Severity.INFO, text, details={"folder": target.folder}
            )
        elif target is not None and target.path != module.path:
            text = Text("{fork} is built in its place", fork=str(target))
            details = {"path": target.path, "version": target.version}
            yield case.about(module, Kind.REPLACED_BY_FORK, Severity.INFO, text, details=details)


# ---- licences


def _licences(case: _Case) -> Iterator[AuditFinding]:
    for module in case.subject.build.dependencies():
        licence = case.subject.licences.get(module.source or module.module)
        if licence is None:
            continue
        verdict = licence_verdict(licence, case.rules)
        if verdict is not None:
            severity, message = verdict
            yield case.about(
                module,
                Kind.LICENCE,
                severity,
                message,
                licence.expression,
                details={
                    "ids": list(licence.ids),
                    "files": list(licence.files),
                    "unclear": list(licence.unclear),
                },
            )


def licence_verdict(licence: Licence, rules: Rules) -> tuple[Severity, Text] | None:
    """What the lists say about a licence; None when it may be used."""
    denied = sorted(rules.deny.intersection(licence.ids))
    if denied:
        return Severity.ERROR, Text("its licence is not allowed: {licence}", licence=", ".join(denied))
    careful = Severity.WARNING if rules.allow or rules.deny else Severity.INFO
    if licence.expression == NONE:
        return careful, Text("it has no licence file")
    if licence.expression == UNKNOWN:
        return careful, Text("its licence could not be told: {files}", files=", ".join(licence.unclear))
    others = sorted(set(licence.ids) - rules.allow) if rules.allow else []
    if others:
        return Severity.ERROR, Text("its licence is not on the list: {licence}", licence=", ".join(others))
    return None


# ---- what could not be looked at


def _unproven(case: _Case) -> Iterator[AuditFinding]:
    subject = case.subject
    for problem in _problems(subject):
        why = problem.why if isinstance(problem.why, Text) else as_text(problem.why)
        yield unproven(subject.project, problem.what, why, problem.modules)


def _problems(subject: Subject) -> Iterator[Problem]:
    yield from subject.problems
    for what, failed in (
        ("go_mod", {str(version): error for version, error in subject.build.unread.items()}),
        ("status", {str(v): status.failed[0] for v, status in subject.statuses.items() if status.failed}),
    ):
        if failed:
            yield Problem(what, next(iter(failed.values())), tuple(sorted(failed)))
    for one in subject.unknown:
        ids = ", ".join(entry.id for entry in one.entries)
        why = Text(
            "{module} is of no known version, and there are advisories about it: {ids}",
            module=one.module.path,
            ids=ids,
        )
        yield Problem("version", why, (one.module.path,))


def as_text(error: GoferryError) -> Text:
    """An error's sentence, still in every language where that is possible: some errors make theirs by themselves."""
    said = _one_line(error)
    try:
        parts = {name: _part(value) for name, value in error.parts.items()}
        text = Text(error.message, **parts)
        if _one_line(text) != said:
            return Text("{why}", why=said)
        if error.hint_key is None:
            return text
        return Text("{why} ({hint})", why=text, hint=Text(error.hint_key, **parts))
    except (LookupError, ValueError, AttributeError):
        return Text("{why}", why=said)


def _part(value: object) -> Part:
    if isinstance(value, GoferryError):
        return as_text(value)
    return value if isinstance(value, int | float | Text) else _one_line(value)


def _one_line(value: object) -> str:
    return " ".join(str(value).split())


def unproven(project: AuditedProject, what: str, why: Text, modules: Iterable[str] = ()) -> AuditFinding:
    """That something could not be looked at."""
    named = tuple(modules)
    module = named[0].partition("@")[0] if len(named) == 1 else ""
    return AuditFinding(
        key=key_of(project.name, Kind.UNPROVEN, what, module),
        kind=Kind.UNPROVEN,
        id=what,
        severity=Severity.WARNING,
        project=project.name,
        owner=project.owner,
        module=module,
        version="",
        message=why,
        details={"modules": list(named)},
    )


RULES: Final[tuple[Callable[[_Case], Iterable[AuditFinding]], ...]] = (
    _vulnerabilities,
    _go_itself,
    _retracted,
    _deprecated,
    _stale,
    _archived,
    _no_releases,
    _replaced,
    _licences,
)
