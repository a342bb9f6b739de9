"""Every rule of the judge, by tables: what is found, how bad it is, and what could not be looked at."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from advisories import block, database, entry
from goferry.deps.advisories import exposure
from goferry.deps.advisories.exposure import Evidence, Origin, deciding
from goferry.deps.advisories.matching import Fixed, FixState, Match, Named, match, unknown
from goferry.deps.audit.judge import (
    Advised,
    Problem,
    Rules,
    Subject,
    advisory_severity,
    judge,
    licence_verdict,
)
from goferry.deps.audit.licences import Licence
from goferry.deps.audit.records import AuditedProject, AuditFinding, Kind, Level
from goferry.deps.base import BuildList, Module, Part, Project
from goferry.deps.chains import Chains
from goferry.deps.forges import Closed
from goferry.deps.sources import main_of
from goferry.deps.status import NextMajor, Status
from goferry.deps.usage import Narrowed
from goferry.errors import Unavailable
from goferry.findings import Location, Severity, Text
from goferry.gomod import modfile
from goferry.gomod.modgraph import Local, Mains, ModuleGraph
from goferry.gomod.module import Version

NOW = datetime(2026, 11, 29, tzinfo=UTC)
APP = "example.com/app"

GO_MOD = b"""module example.com/app

go 1.24

require (
\texample.com/direct v1.0.0
\texample.com/indirect v1.0.0 // indirect
)
"""

DIRECT = Module("example.com/direct", "v1.0.0")
INDIRECT = Module("example.com/indirect", "v1.0.0", indirect=True)


def build(*modules: Module, edges: dict[str, tuple[str, ...]] | None = None, unread: Any = None) -> BuildList:
    """A build list of example.com/app; `edges` by path, at the versions of the list."""
    file = modfile.parse("go.mod", GO_MOD)
    part = Part("/w/app", file.module.path if file.module else "", lambda: file)
    project = Project("/w/app/go.mod", Mains((main_of(part),)), (part,))
    found = {module.path: module.module for module in modules} | {APP: Version(APP)}
    named = edges or {APP: (DIRECT.path, INDIRECT.path), DIRECT.path: (INDIRECT.path,)}
    required = {
        found[path]: tuple(found[target] for target in targets if target in found)
        for path, targets in named.items()
        if path in found
    }
    graph = ModuleGraph((Version(APP),), required, {v.path: v.version for v in found.values()})
    return BuildList(project, (Module(APP, "", main=True), *modules), graph, unread or {})


def subject(*modules: Module, **more: Any) -> Subject:
    listed = build(*modules, unread=more.pop("unread", None))
    return Subject(AuditedProject(APP, "services/app", "@team", len(modules), Level.MODULE), listed, **more)


def judged(found: Subject, rules: Rules = Rules()) -> list[AuditFinding]:  # noqa: B008 - frozen
    return list(judge(found, rules, NOW).findings)


def only(found: list[AuditFinding], kind: Kind) -> AuditFinding:
    (one,) = [finding for finding in found if finding.kind is kind]
    return one


# ---- advisories

ADVISORY = entry(
    "GO-2024-0001",
    block("example.com/direct", "0 -1.2.0", imports=[{"path": "example.com/direct/p", "symbols": ["F"]}]),
    summary="It breaks",
    aliases=["CVE-2024-1"],
    database_specific={"review_status": "REVIEWED", "url": "https://example.com/1"},
)


def advised(**changed: Any) -> Advised:
    """The one match of ADVISORY with DIRECT; a changed field of the match, or `narrowed`."""
    (found,) = match(database(ADVISORY), [DIRECT])
    narrowed = changed.pop("narrowed", None)
    return Advised(replace(found, **changed), narrowed)


def unreviewed(found: Match) -> Match:
    return replace(found, entry=entry("GO-2024-0002", block("example.com/direct"),
                                      database_specific={"review_status": "UNREVIEWED"}))  # fmt: skip


def narrowed(level: Level, *, used: bool, packages: tuple[str, ...] = ()) -> Narrowed:
    return Narrowed(level, used, packages)


NOWHERE = Fixed(FixState.NOWHERE)
P = ("example.com/direct/p",)

SEVERITIES: dict[str, tuple[Callable[[], Advised], Severity]] = {
    "reviewed, source not read": (advised, Severity.ERROR),
    "reviewed, no fix": (lambda: advised(fixed=NOWHERE), Severity.ERROR),
    "unreviewed, fix here": (
        lambda: Advised(replace(unreviewed(advised().match), fixed=advised().match.fixed)),
        Severity.ERROR,
    ),
    "unreviewed, no fix": (
        lambda: Advised(replace(unreviewed(advised().match), fixed=NOWHERE)),
        Severity.WARNING,
    ),
    "package not imported": (
        lambda: advised(narrowed=narrowed(Level.PACKAGE, used=False)),
        Severity.INFO,
    ),
    "imported, identifier not named": (
        lambda: advised(narrowed=narrowed(Level.IDENTIFIER, used=False, packages=P)),
        Severity.WARNING,
    ),
    "imported": (
        lambda: advised(narrowed=narrowed(Level.PACKAGE, used=True, packages=P)),
        Severity.ERROR,
    ),
    "identifier named": (
        lambda: advised(narrowed=narrowed(Level.IDENTIFIER, used=True, packages=P)),
        Severity.ERROR,
    ),
    "of the module that a fork replaces": (lambda: advised(named=Named.ORIGINAL), Severity.WARNING),
}


@pytest.mark.parametrize("case", SEVERITIES.values(), ids=list(SEVERITIES))
def test_how_bad_an_advisory_is(case: tuple[Callable[[], Advised], Severity]) -> None:
    make, expected = case
    assert advisory_severity(make()) is expected


def test_all_versions_with_a_fix_by_the_projects_own_numbers_is_a_note() -> None:
    flaw = entry(
        "GO-2024-0009",
        block(
            "example.com/direct",
            "0",
            custom_ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.9.0"}]}],
        ),
    )
    (found,) = match(database(flaw), [DIRECT])
    assert advisory_severity(Advised(found)) is Severity.INFO


def test_an_advisory_says_where_it_is_who_brings_it_in_and_what_mends_it() -> None:
    found = only(judged(subject(DIRECT, INDIRECT, advised=(advised(),))), Kind.VULNERABILITY)
    assert found.key == "example.com/app|vulnerability|GO-2024-0001|example.com/direct"
    assert (found.module, found.version, str(found.message)) == ("example.com/direct", "v1.0.0", "It breaks")
    assert found.chain == (Version(APP), DIRECT.module)
    assert found.location == Location("services/app/go.mod", 6)
    assert found.fixed == Fixed(FixState.HERE, "v1.2.0", "example.com/direct")
    assert (found.aliases, found.review, found.level) == (("CVE-2024-1",), "REVIEWED", Level.MODULE)
    assert found.owner == "@team"
    assert found.details["packages"] == ["example.com/direct/p"]
    assert found.details["used"] is None


def test_what_is_released_counts_more_than_what_the_advisory_names() -> None:
    one = replace(advised(), fixed=Fixed(FixState.HERE, "v1.2.5", "example.com/direct"))
    found = only(judged(subject(DIRECT, advised=(one,))), Kind.VULNERABILITY)
    assert found.fixed == one.fixed


def test_a_fork_is_looked_up_by_both_names_and_says_by_which() -> None:
    fork = Module("example.com/direct", "v1.0.0", replace=Version("example.com/fork", "v1.0.1"))
    own = entry("GO-2024-0003", block("example.com/fork", "0 -2.0.0"))
    found = match(database(ADVISORY, own), [fork])
    findings = judged(subject(fork, advised=tuple(map(Advised, found))))
    flaws = {f.id: f.details["named"] for f in findings if f.kind is Kind.VULNERABILITY}
    assert flaws == {"GO-2024-0001": "original", "GO-2024-0003": "replacement"}


def test_an_advisory_about_a_folder_is_not_proven() -> None:
    local = Module("example.com/direct", "v1.0.0", replace=Local("../direct"))
    verdict = judge(subject(local, unknown=unknown(database(ADVISORY), [local])), Rules(), NOW)
    (blind,) = verdict.unproven
    assert (blind.id, blind.module) == ("version", "example.com/direct")
    assert "GO-2024-0001" in str(blind.message)


# ---- Go itself

GO_FLAWS = database(
    entry("GO-2025-1000", block("stdlib", "0 -1.24.5", imports=[{"path": "net/http"}]), summary="server"),
    entry("GO-2025-1001", block("toolchain", "0 -1.24.5"), summary="builder"),
)


def exposed(*evidence: Evidence) -> exposure.Exposure:
    go = deciding(evidence)
    assert go is not None
    return exposure.exposure(GO_FLAWS, go)


EXACT = Evidence(Origin.COMMAND, "1.24.1", "go")
LINE = Evidence(Origin.GO_LINE, "1.24.1", "/w/app/go.mod")

GO_CASES = {
    "the go command": (EXACT, None, Severity.ERROR),
    "a lower bound": (LINE, None, Severity.INFO),
    "not imported": (EXACT, narrowed(Level.PACKAGE, used=False), Severity.INFO),
    "imported": (EXACT, narrowed(Level.PACKAGE, used=True, packages=("net/http",)), Severity.ERROR),
}


@pytest.mark.parametrize(("evidence", "source", "expected"), GO_CASES.values(), ids=list(GO_CASES))
def test_how_bad_a_flaw_of_the_standard_library_is(
    evidence: Evidence, source: Narrowed | None, expected: Severity
) -> None:
    sources = {} if source is None else {"GO-2025-1000": source}
    findings = judged(subject(exposure=exposed(evidence), go_narrowed=sources))
    flaw = only(findings, Kind.STDLIB)
    assert (flaw.severity, flaw.module, flaw.version) == (expected, "stdlib", "1.24.1")
    assert flaw.fixed is not None
    assert flaw.fixed.version == "go1.24.5"
    where = evidence.where.removeprefix("/w/app/")
    assert flaw.details["decided"] == {"origin": evidence.origin.value, "where": where}


@pytest.mark.parametrize(("evidence", "expected"), [(EXACT, Severity.WARNING), (LINE, Severity.INFO)])
def test_a_flaw_of_the_go_command_concerns_who_builds(evidence: Evidence, expected: Severity) -> None:
    flaw = only(judged(subject(exposure=exposed(evidence))), Kind.TOOLCHAIN)
    assert (flaw.severity, flaw.module, flaw.id) == (expected, "toolchain", "GO-2025-1001")


# ---- what its authors say


def status(module: Module = DIRECT, **fields: Any) -> dict[Version, Status]:
    source = module.source or module.module
    return {source: Status(source, **fields)}


def test_a_retracted_version_is_a_warning_with_the_reason() -> None:
    known = status(retracted=("it deletes files", "really"), latest="v1.1.0")
    found = only(judged(subject(DIRECT, statuses=known)), Kind.RETRACTED)
    assert (found.severity, str(found.message)) == (
        Severity.WARNING,
        "its authors withdrew v1.0.0: it deletes files",
    )
    assert found.details["reasons"] == ["it deletes files", "really"]


def test_the_version_that_is_replaced_is_looked_at_as_go_does() -> None:
    other = Module("example.com/direct", "v1.0.0", replace=Version("example.com/direct", "v1.0.1"))
    known = {DIRECT.module: Status(DIRECT.module, retracted=("bad",))}
    found = only(judged(subject(other, statuses=known)), Kind.RETRACTED)
    assert found.details["version"] == "v1.0.0"


@pytest.mark.parametrize(("module", "expected"), [(DIRECT, Severity.WARNING), (INDIRECT, Severity.INFO)])
def test_a_deprecated_module_is_a_warning_where_the_project_requires_it_itself(
    module: Module, expected: Severity
) -> None:
    known = status(module, deprecated="use example.com/other\nreally")
    found = only(judged(subject(module, statuses=known)), Kind.DEPRECATED)
    assert (found.severity, str(found.message)) == (expected, "deprecated: use example.com/other")


# ---- age


def years_ago(years: float) -> datetime:
    return NOW - timedelta(days=365.25 * years)


OPEN = Advised(replace(advised().match, fixed=NOWHERE))

STALE: dict[str, tuple[dict[str, Any], dict[str, Any], tuple[Severity, list[str]] | None]] = {
    "young": ({"latest_time": years_ago(0.9)}, {}, None),
    "old": ({"latest_time": years_ago(2)}, {}, (Severity.INFO, [])),
    "an old release, a young commit in use": (
        {"latest_time": years_ago(3), "time": years_ago(0.1)},
        {},
        None,
    ),
    "an old version in use, a young release": (
        {"latest_time": years_ago(0.1), "time": years_ago(5)},
        {},
        None,
    ),
    "no time known": ({}, {}, None),
    "old and deprecated": (
        {"latest_time": years_ago(2), "deprecated": "use x"},
        {},
        (Severity.WARNING, ["deprecated"]),
    ),
    "old and retracted": (
        {"latest_time": years_ago(2), "retracted": ("bad",)},
        {},
        (Severity.WARNING, ["retracted"]),
    ),
    "old and archived": (
        {"latest_time": years_ago(2)},
        {"closed": {DIRECT.path: Closed()}},
        (Severity.WARNING, ["archived"]),
    ),
    "old, with a flaw nobody mends": (
        {"latest_time": years_ago(2)},
        {"advised": (OPEN,)},
        (Severity.WARNING, ["advisory_without_fix"]),
    ),
    "old, with a flaw that is mended": (
        {"latest_time": years_ago(2)},
        {"advised": (advised(),)},
        (Severity.INFO, []),
    ),
}


@pytest.mark.parametrize(("fields", "more", "expected"), STALE.values(), ids=list(STALE))
def test_an_old_module_is_a_note_and_with_another_reason_a_warning(
    fields: dict[str, Any], more: dict[str, Any], expected: tuple[Severity, list[str]] | None
) -> None:
    found = judged(subject(DIRECT, statuses=status(latest="v1.0.0", **fields), **more))
    stale = [(one.severity, one.details["reasons"]) for one in found if one.kind is Kind.STALE]
    assert stale == ([] if expected is None else [expected])


def test_an_old_module_that_is_replaced_by_a_fork() -> None:
    fork = Module("example.com/direct", "v1.0.0", replace=Version("example.com/fork", "v1.0.0"))
    known = status(fork, latest_time=years_ago(2))
    found = only(judged(subject(fork, statuses=known)), Kind.STALE)
    assert found.details["reasons"] == ["replaced_by_fork"]


def test_age_has_its_figures_and_says_when_the_store_saw_the_release() -> None:
    latest = Version(DIRECT.path, "v1.1.0")
    known = status(
        latest="v1.1.0",
        latest_time=datetime(2024, 5, 29, tzinfo=UTC),
        majors=(NextMajor("example.com/direct/v2", "v2.1.0"),),
    )
    seen = {latest: datetime(2025, 1, 2, tzinfo=UTC)}
    found = only(judged(subject(DIRECT, statuses=known, first_seen=seen)), Kind.STALE)
    assert str(found.message) == "no release for 30 months: v1.1.0 is of 2024-05-29"
    assert found.details == {
        "reasons": [],
        "months": 30,
        "latest": "v1.1.0",
        "committed": "2024-05-29T00:00:00+00:00",
        "first_seen": "2025-01-02T00:00:00+00:00",
        "majors": [{"path": "example.com/direct/v2", "latest": "v2.1.0"}],
    }


def test_how_long_is_too_long_can_be_set() -> None:
    known = status(latest="v1.0.0", latest_time=years_ago(2))
    assert judged(subject(DIRECT, statuses=known), Rules(timedelta(days=3 * 366))) == []


def test_an_archived_module_is_found_without_any_status() -> None:
    found = only(judged(subject(DIRECT, closed={DIRECT.path: Closed()})), Kind.ARCHIVED)
    assert found.severity is Severity.WARNING


# ---- versions

VERSIONS = {
    "v1.2.3": None,
    "v2.0.0+incompatible": None,
    "v1.2.3-rc.1": Kind.NOT_A_RELEASE,
    "v0.0.0-20200102030405-abcdefabcdef": Kind.PSEUDO_VERSION,
    "v1.2.4-0.20200102030405-abcdefabcdef": Kind.PSEUDO_VERSION,
    "v2.0.1-0.20200102030405-abcdefabcdef+incompatible": Kind.PSEUDO_VERSION,
    "v1.2.3-20200102030405": Kind.NOT_A_RELEASE,
}


@pytest.mark.parametrize(("version", "expected"), VERSIONS.items())
def test_commits_and_pre_releases_are_told_from_releases(version: str, expected: Kind | None) -> None:
    for module, severity in ((DIRECT, Severity.WARNING), (INDIRECT, Severity.INFO)):
        found = judged(subject(module._replace(version=version)))
        assert [(one.kind, one.severity) for one in found] == ([(expected, severity)] if expected else [])


def test_a_commit_has_its_time_and_base() -> None:
    found = only(
        judged(subject(DIRECT._replace(version="v1.2.4-0.20200102030405-abcdefabcdef"))), Kind.PSEUDO_VERSION
    )
    assert found.details == {
        "base": "v1.2.3",
        "revision": "abcdefabcdef",
        "committed": "2020-01-02T03:04:05+00:00",
    }


REPLACED = {
    "a fork": (Version("example.com/fork", "v1.0.0"), {"path": "example.com/fork", "version": "v1.0.0"}),
    "a folder": (Local("../x"), {"folder": "../x"}),
}


@pytest.mark.parametrize(("target", "details"), REPLACED.values(), ids=list(REPLACED))
def test_what_is_built_in_its_place_is_a_note(target: Version | Local, details: dict[str, str]) -> None:
    found = only(judged(subject(DIRECT._replace(replace=target))), Kind.REPLACED_BY_FORK)
    assert (found.severity, found.details) == (Severity.INFO, details)


def test_another_version_of_itself_is_no_fork() -> None:
    assert judged(subject(DIRECT._replace(replace=Version(DIRECT.path, "v1.0.1")))) == []


# ---- licences

MIT, GPL = Licence(("MIT",), ("LICENSE",)), Licence(("GPL-3.0",), ("COPYING",))
BOTH = Licence(("Apache-2.0", "MIT"), ("LICENSE",))
UNCLEAR, NONE = Licence((), ("LICENSE",), ("LICENSE",)), Licence((), ())
ALLOW, DENY = Rules(allow=frozenset({"MIT"})), Rules(deny=frozenset({"GPL-3.0"}))

LICENCES = [
    (MIT, Rules(), None),
    (GPL, Rules(), None),
    (UNCLEAR, Rules(), Severity.INFO),
    (NONE, Rules(), Severity.INFO),
    (MIT, ALLOW, None),
    (GPL, ALLOW, Severity.ERROR),
    (BOTH, ALLOW, Severity.ERROR),
    (UNCLEAR, ALLOW, Severity.WARNING),
    (NONE, DENY, Severity.WARNING),
    (GPL, DENY, Severity.ERROR),
    (MIT, DENY, None),
    (replace(GPL, unclear=("NOTES",)), DENY, Severity.ERROR),
]


@pytest.mark.parametrize(("licence", "rules", "expected"), LICENCES)
def test_licences_are_judged_by_the_lists(licence: Licence, rules: Rules, expected: Severity | None) -> None:
    verdict = licence_verdict(licence, rules)
    assert (verdict[0] if verdict else None) is expected


def test_a_licence_finding_is_named_by_the_licence() -> None:
    found = only(judged(subject(DIRECT, licences={DIRECT.module: GPL}), DENY), Kind.LICENCE)
    assert (found.id, str(found.message)) == ("GPL-3.0", "its licence is not allowed: GPL-3.0")


# ---- what could not be looked at


def test_what_could_not_be_had_is_said_once_for_all_modules_of_a_kind() -> None:
    why = Unavailable("there is no network")
    known = {v: Status(v, failed=(why,)) for v in (DIRECT.module, INDIRECT.module)}
    unread = {Version("example.com/x", "v1.0.0"): why}
    verdict = judge(
        subject(
            DIRECT,
            INDIRECT,
            unread=unread,
            statuses=known,
            problems=(Problem("go_version", Text("nothing says which Go builds it")),),
        ),
        Rules(),
        NOW,
    )
    assert [(one.id, one.details["modules"]) for one in verdict.unproven] == [
        ("go_version", []),
        ("go_mod", ["example.com/x@v1.0.0"]),
        ("status", ["example.com/direct@v1.0.0", "example.com/indirect@v1.0.0"]),
    ]
    assert all(one.kind is Kind.UNPROVEN for one in verdict.unproven)
    assert "there is no network" in str(verdict.unproven[1].message)


def test_nothing_is_found_where_nothing_is_wrong() -> None:
    known = status(latest="v1.0.0", latest_time=years_ago(0.1))
    verdict = judge(subject(DIRECT, statuses=known, licences={DIRECT.module: MIT}), Rules(), NOW)
    assert verdict.findings == verdict.unproven == ()


# ---- who brings it in

A, B, C = (Module(f"example.com/{name}", "v1.0.0", indirect=name != "a") for name in "abc")

CHAINS = {
    "through who needs it, not through an indirect line": (
        {APP: (A.path, B.path, C.path), A.path: (B.path,), B.path: (C.path,)},
        [APP, A.path, B.path, C.path],
    ),
    "the shortest": (
        {APP: (A.path, B.path, C.path), A.path: (B.path, C.path), B.path: (C.path,)},
        [APP, A.path, C.path],
    ),
    "through an indirect line when nothing else leads there": ({APP: (A.path, C.path)}, [APP, C.path]),
    "nothing requires it": ({APP: (A.path,)}, []),
}


@pytest.mark.parametrize(("edges", "expected"), CHAINS.values(), ids=list(CHAINS))
def test_who_brings_a_module_in(edges: dict[str, tuple[str, ...]], expected: list[str]) -> None:
    chain = Chains.of_built(build(A, B, C, edges=edges)).to(C.path)
    assert [step.path for step in chain] == expected
