"""Each form shows what was found, what was set aside and what could not be looked at, in any language, safely."""

import json
from datetime import date
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from auditfindings import APP, audit, finding, stale
from goferry import i18n
from goferry.deps.audit.forms import FORMS, Page, render
from goferry.deps.audit.forms.cyclonedx import purl
from goferry.deps.audit.inventory import Component, FileHash, Inventory
from goferry.deps.audit.licences import Licence
from goferry.deps.audit.records import (
    Audit,
    AuditedProject,
    Compared,
    Fixed,
    FixState,
    Ignored,
    Kind,
    Level,
    from_json,
    rank,
)
from goferry.deps.base import Module
from goferry.findings import Severity, Text
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version
from goferry.report.columns import width
from sarifschema import uploadable

FLAWED, MIDDLE = Version("example.com/flawed", "v1.0.0"), Version("example.com/middle", "v1.2.3")
NOTE = stale(severity=Severity.INFO, module="example.com/finished")
NOWHERE = finding(
    id="GO-2025-0002", fixed=Fixed(FixState.NOWHERE), severity=Severity.WARNING, review="UNREVIEWED"
)
BLIND = finding(
    kind=Kind.UNPROVEN,
    id="go_mod",
    severity=Severity.WARNING,
    module="",
    version="",
    message=Text("{why}", why="there is no network"),
    chain=(),
    fixed=None,
    details={"modules": ["example.com/a@v1.0.0", "example.com/b@v1.0.0"]},
)
IGNORED = Ignored(
    finding(id="GO-2023-0003", aliases=()),
    "we never call Parse",
    "@platform",
    date(2027, 1, 31),
    "not_affected",
    "code_not_reachable",
)
FULL = audit(
    finding(),
    NOWHERE,
    stale(),
    NOTE,
    unproven=(BLIND,),
    ignored=(IGNORED,),
    since=Compared(audit().generated, 2, 3, (stale(),)),
)
INVENTORY = Inventory(
    FULL.projects[0],
    (Module(APP, "", main=True),),
    (
        Component(
            Module("example.com/flawed", "v1.0.0", indirect=True),
            "ab" * 32,
            licence=Licence(("MIT",), ("LICENSE",)),
        ),
        Component(
            Module("example.com/middle", "v1.2.3"),
            files=(FileHash("example.com/middle/m.go", "cd" * 32),),
            licence=Licence((), ("COPYING",), ("COPYING",)),
        ),
        Component(
            Module("example.com/Fork", "v1.0.0", replace=Version("example.com/Own", "v1.1.0+incompatible"))
        ),
        Component(Module("example.com/local", "v1.0.0", replace=Local("../local"))),
    ),
    {Version(APP): (MIDDLE,), MIDDLE: (FLAWED,), FLAWED: ()},
)


def page(found: Audit = FULL, **changed: Any) -> Page:
    return Page(found, (INVENTORY,), **changed)


@pytest.fixture(params=["en", "zh_CN"])
def language(request: pytest.FixtureRequest) -> str:
    i18n.activate(request.param)
    return str(request.param)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_what_was_found_and_what_was_not_looked_at(form: str, language: str) -> None:
    text = render(form, page())
    assert text.endswith("\n")
    for needed in (
        "GO-2024-0001",
        "example.com/flawed",
        "v1.0.1",
        "会坏",
        "GO-2025-0002",
        "there is no network",
    ):
        assert needed in text.replace("\\", "")


@pytest.mark.parametrize("form", FORMS)
def test_every_form_shows_an_audit_without_anything(form: str) -> None:
    assert render(form, Page(audit()))


@pytest.mark.parametrize("form", FORMS)
def test_every_form_shows_an_audit_that_was_saved(form: str) -> None:
    saved = from_json(render("json", page()), place="saved")
    assert render(form, page(saved)) == render(form, page())


# ---- terminal


def test_the_terminal_shows_one_row_and_who_brings_it_in() -> None:
    lines = render("terminal", page()).splitlines()
    assert lines[0] == "example.com/app  12 modules, looked at: named identifiers"
    assert lines[1] == "✗ error    GO-2024-0001         example.com/flawed v1.0.0  fixed in v1.0.1"
    assert lines[2:4] == [
        "    It breaks, 会坏 [identifier named]".replace("It breaks", "GO-2024-0001: It breaks"),
        "    example.com/app → example.com/middle v1.2.3 → example.com/flawed v1.0.0",
    ]
    assert lines[-2:] == [
        "1 error, 2 warnings, 1 note, 1 set aside, 1 thing could not be looked at",
        "next: goferry deps fix",
    ]


def test_the_terminal_counts_notes_and_shows_them_when_asked() -> None:
    assert "example.com/finished" not in render("terminal", page())
    assert "notes: no release for long 1 (--notes shows them)" in render("terminal", page())
    assert "example.com/finished" in render("terminal", page(notes=True))


def test_columns_stand_under_each_other_with_wide_characters() -> None:
    i18n.activate("zh_CN")
    rows = [line for line in render("terminal", page(notes=True)).splitlines() if "example.com/" in line]
    rows = [row for row in rows if row[0] in "✗!·"]
    assert len(rows) == 4
    assert len({width(row[: row.index("example.com/")]) for row in rows}) == 1


def test_no_line_is_wider_than_the_terminal(language: str) -> None:
    long = finding(message=Text("{id} {text}", id="x", text="words and 文字，" * 60))
    text = render("terminal", page(audit(long), columns=80))
    below = [line for line in text.splitlines() if line.startswith("    ")]
    assert len(below) > 5
    assert max(width(line) for line in below) <= 80


def test_a_row_that_is_too_wide_has_its_fix_below_and_a_chain_breaks_between_its_steps(language: str) -> None:
    path = "example.com/a-module-with-a-long-name/more"
    deep = tuple(Version(f"{path}/{n}", "v1.2.3") for n in range(4))
    text = render("terminal", page(audit(finding(module=path, version="v1.0.0", chain=deep)), columns=80))
    lines = text.splitlines()
    assert max(width(line) for line in lines[1:-3]) <= 80
    assert "v1.0.1" in lines[2]
    steps = [line.split(" → ")[-1] for line in lines if line.endswith("v1.2.3")]
    assert [step.strip() for step in steps] == [str(step).replace("@", " ") for step in deep]


def test_who_brings_in_a_module_is_said_once_for_all_its_flaws_in_a_row() -> None:
    text = render("terminal", Page(audit(finding(), finding(id="GO-2024-0002"), finding(chain=()))))
    assert text.count("example.com/app → example.com/middle v1.2.3") == 1


def test_flaws_come_before_all_else_that_is_as_bad() -> None:
    commit = finding(kind=Kind.PSEUDO_VERSION, id="pseudo_version", fixed=None, module="example.com/a")
    found = sorted((commit, finding(module="example.com/z")), key=rank)
    assert [one.module for one in found] == ["example.com/z", "example.com/a"]


def test_what_to_do_next_is_said() -> None:
    go = [
        finding(kind=kind, id=f"GO-2026-{n}", module=kind.value, severity=severity,
                fixed=Fixed(FixState.HERE, version, kind.value))
        for n, (kind, severity, version) in enumerate((
            (Kind.STDLIB, Severity.ERROR, "go1.25.9"),
            (Kind.TOOLCHAIN, Severity.WARNING, "go1.25.10"),
            (Kind.STDLIB, Severity.INFO, "go1.26.1"),
        ))
    ]  # fmt: skip
    projects = tuple(
        AuditedProject(name, root, "", 1, Level.MODULE) for name, root in (("a", "services/a b"), ("b", "b"))
    )
    found = audit(*go, finding(project="a"), finding(project="b"), projects=projects)
    assert render("terminal", Page(found)).splitlines()[-2:] == [
        "next: goferry deps fix 'services/a b' (and 1 more)",
        "next: build with Go 1.25.10 or a newer one",
    ]
    nothing = audit(finding(fixed=Fixed(FixState.NOWHERE)), finding(severity=Severity.INFO))
    assert "next:" not in render("terminal", Page(nothing))


def test_what_could_not_be_looked_at_is_said_in_words_with_the_first_names() -> None:
    names = [f"example.com/{n}@v1.0.0" for n in range(5)]
    blind = finding(kind=Kind.UNPROVEN, id="status", fixed=None, details={"modules": names})
    text = render("terminal", Page(audit(unproven=(blind,))))
    assert "example.com/app: newer versions, retractions, deprecations, 5 modules" in text
    assert "    example.com/0@v1.0.0, example.com/1@v1.0.0, example.com/2@v1.0.0, 2 more" in text


def test_text_from_outside_does_not_steer_the_terminal() -> None:
    evil = finding(message=Text("{why}", why="\x1b[2J\x07gone"), module="example.com/\x1bx")
    text = render("terminal", Page(audit(evil)))
    assert "\x1b" not in text
    assert "\x07" not in text


def test_projects_stand_under_their_owners_and_those_of_nobody_last() -> None:
    projects = tuple(
        AuditedProject(name, name, owner, 1, Level.MODULE)
        for name, owner in (("b", ""), ("a", "@x"), ("c", "@a"))
    )
    lines = render("terminal", Page(audit(projects=projects))).splitlines()
    heads = [line for line in lines if line.startswith(("@", "("))]
    assert heads == ["@a", "@x", "(no owner)"]


# ---- SARIF


def test_sarif_finds_a_result_again_by_its_key_and_points_at_the_go_mod() -> None:
    run = uploadable(render("sarif", page()))["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    result = run["results"][0]
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == "GO-2024-0001"
    assert rules[0]["helpUri"] == "https://example.com/GO-2024-0001"
    assert result["partialFingerprints"] == {"goferryKey/v1": finding().key}
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("go.mod", {"startLine": 7})
    assert [result["level"] for result in run["results"]] == ["error", "warning", "warning", "note", "error"]


def test_sarif_puts_what_no_line_brings_in_where_the_project_begins() -> None:
    """Go itself, and what is required by others only: a result of no file makes code hosts refuse all of them."""
    text = render("sarif", Page(audit(finding(location=None, module="stdlib"))))
    (result,) = uploadable(text)["runs"][0]["results"]
    place = result["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "go.mod"
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "stdlib"


def test_sarif_holds_what_is_set_aside_and_says_what_was_not_looked_at() -> None:
    run = json.loads(render("sarif", page()))["runs"][0]
    suppressed = [result for result in run["results"] if "suppressions" in result]
    assert [result["ruleId"] for result in suppressed] == ["GO-2023-0003"]
    assert suppressed[0]["suppressions"][0]["justification"] == "we never call Parse"
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert "there is no network" in invocation["toolExecutionNotifications"][0]["message"]["text"]


# ---- CycloneDX


def bom(found: Page | None = None) -> dict[str, Any]:
    text = render("cyclonedx", found or page())
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, str(problem)
    data: dict[str, Any] = json.loads(text)
    return data


def test_the_bom_is_what_the_published_schema_allows() -> None:
    assert bom()["specVersion"] == "1.6"
    assert bom(Page(audit()))["components"] == []


def test_the_bom_has_the_hashes_of_zips_and_of_vendored_files() -> None:
    components = {component["name"]: component for component in bom()["components"]}
    assert components["example.com/flawed"]["hashes"] == [{"alg": "SHA-256", "content": "ab" * 32}]
    assert components["example.com/flawed"]["licenses"] == [{"license": {"id": "MIT"}}]
    (file,) = components["example.com/middle"]["components"]
    assert (file["type"], file["name"], file["hashes"]) == (
        "file",
        "example.com/middle/m.go",
        [{"alg": "SHA-256", "content": "cd" * 32}],
    )
    assert components["example.com/middle"]["licenses"] == [{"license": {"name": "unknown: COPYING"}}]


def test_the_bom_names_what_is_built_and_what_it_replaces() -> None:
    components = {component["name"]: component for component in bom()["components"]}
    fork = components["example.com/Own"]
    assert (fork["version"], fork["purl"]) == (
        "v1.1.0+incompatible",
        "pkg:golang/example.com/own@v1.1.0%2Bincompatible",
    )
    assert {"name": "goferry:replaces", "value": "example.com/Fork@v1.0.0"} in fork["properties"]
    assert "purl" not in components["example.com/local"]


def test_every_reference_of_the_bom_is_defined_once() -> None:
    data = bom()
    defined = [data["metadata"]["component"]["bom-ref"]] + [one["bom-ref"] for one in data["components"]]
    assert len(defined) == len(set(defined))
    used = [entry["ref"] for entry in data["dependencies"]]
    used += [target for entry in data["dependencies"] for target in entry["dependsOn"]]
    used += [one["ref"] for entry in data["vulnerabilities"] for one in entry["affects"]]
    assert set(used) <= set(defined)


def test_the_vex_says_why_something_is_set_aside() -> None:
    entries = {entry["id"]: entry for entry in bom()["vulnerabilities"]}
    assert set(entries) == {"GO-2024-0001", "GO-2025-0002", "GO-2023-0003"}
    assert entries["GO-2023-0003"]["analysis"] == {
        "state": "not_affected",
        "justification": "code_not_reachable",
        "detail": "we never call Parse (until 2027-01-31)",
    }
    assert "analysis" not in entries["GO-2024-0001"]
    assert [one["id"] for one in entries["GO-2024-0001"]["references"]] == [
        "CVE-2024-1",
        "GHSA-aaaa-bbbb-cccc",
    ]


def test_one_bom_holds_several_projects() -> None:
    other = AuditedProject("example.com/other", "other", "", 1, Level.MODULE)
    second = Inventory(other, (Module("example.com/other", "", main=True),), INVENTORY.components, {})
    both = audit(finding(), finding(project="example.com/other"), projects=(FULL.projects[0], other))
    data = bom(Page(both, (INVENTORY, second)))
    assert "component" not in data["metadata"]
    (entry,) = data["vulnerabilities"]
    assert [one["ref"] for one in entry["affects"]] == [f"{APP}|{FLAWED}", "project|example.com/other"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (Version("github.com/BurntSushi/toml", "v1.2.0"), "pkg:golang/github.com/burntsushi/toml@v1.2.0"),
        (Version("example.com/a/v2", "v2.0.0+x"), "pkg:golang/example.com/a/v2@v2.0.0%2Bx"),
        (Version("example.com/~u"), "pkg:golang/example.com/~u"),
    ],
)
def test_package_urls(version: Version, expected: str) -> None:
    assert purl(version) == expected


# ---- pages


class Tags(HTMLParser):
    """What a page is made of."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def tags(text: str) -> Tags:
    found = Tags()
    found.feed(text)
    return found


def test_the_html_page_has_no_scripts_and_loads_nothing(language: str) -> None:
    found = tags(render("html", page()))
    assert not {"script", "link", "img", "iframe", "form"} & set(found.seen)
    assert set(found.links) == {"https://example.com/GO-2024-0001"}


EVIL = "<script>alert(1)</script>|`x`](javascript:y)"


def test_what_comes_from_outside_is_text_in_html_and_markdown() -> None:
    bad = finding(
        message=Text("{why}", why=EVIL),
        module=f"example.com/{EVIL}",
        owner=EVIL,
        details={"url": "javascript:alert(1)"},
    )
    found = tags(render("html", Page(audit(bad))))
    assert "script" not in found.seen
    assert found.links == []
    markdown = render("markdown", Page(audit(bad)))
    assert "<script" not in markdown.replace("\\<", "")
    assert "](javascript" not in markdown.replace("\\]", "")
    row = next(line for line in markdown.splitlines() if "alert" in line)
    assert row.replace("\\|", "").count("|") == 6


def test_markdown_links_an_advisory_and_counts_notes() -> None:
    text = render("markdown", page())
    assert "[GO-2024-0001](https://example.com/GO-2024-0001)" in text
    assert "Notes: no release for long 1." in text


def test_junit_fails_what_is_an_error_and_what_was_not_looked_at() -> None:
    root = ET.fromstring(render("junit", page()))
    failed = [case.get("name", "") for case in root.iter("testcase") if case.find("failure") is not None]
    assert [name.split()[0] for name in failed] == ["GO-2024-0001", "go_mod"]
