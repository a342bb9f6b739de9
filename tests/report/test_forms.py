"""The same report in every form: what is in it must be in them, and nothing in it may break them."""

from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from goferry import i18n
from goferry.findings import Finding, Fix, Location, Report, Severity, Text
from goferry.report import FORMS, render, sarif
from sarifschema import uploadable, valid

NASTY = "a <b>&\"'\x07\x1b[31m 中文 ]]> \ufffe"

REPORT = Report(
    "doctor",
    Text("goferry doctor"),
    (
        Finding(
            "dns_hijacked",
            Severity.ERROR,
            Text("the answer is {answer}", answer=NASTY),
            Location("proxy.example.org:443"),
            Fix(Text("use another server"), "echo 'a' > b\nsecond"),
        ),
        Finding("replace-in-use", Severity.WARNING, Text("a replacement"), Location("go.mod", 7)),
        Finding("seen", Severity.OK, Text("fine")),
    ),
    {"seconds": 1.5},
)
EMPTY = Report("doctor", Text("goferry doctor"))


class Page(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("report", [REPORT, EMPTY])
def test_every_form_ends_in_one_newline(form: str, report: Report) -> None:
    assert render(form, report).endswith("\n")
    assert not render(form, report).endswith("\n\n")


def test_sarif_names_rules_levels_and_places() -> None:
    run = valid(render("sarif", REPORT))["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [
        "dns_hijacked",
        "replace-in-use",
        "seen",
    ]
    levels = [(result["ruleIndex"], result["level"], result["kind"]) for result in run["results"]]
    assert levels == [(0, "error", "fail"), (1, "warning", "fail"), (2, "none", "pass")]
    assert NASTY in run["results"][0]["message"]["text"]
    assert "second" in run["results"][0]["message"]["text"]
    assert run["results"][0]["locations"] == [
        {"logicalLocations": [{"fullyQualifiedName": "proxy.example.org:443"}]}
    ]
    physical = run["results"][1]["locations"][0]["physicalLocation"]
    assert (physical["artifactLocation"]["uri"], physical["region"]["startLine"]) == ("go.mod", 7)


def test_sarif_takes_a_file_without_a_line_and_any_name() -> None:
    found = Finding("x", Severity.ERROR, Text("x"), Location("a b/中#?.go"))
    (result,) = uploadable(sarif.render(Report("gate", Text("x"), (found,)), files=True))["runs"][0][
        "results"
    ]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20b/%E4%B8%AD%23%3F.go"


def test_junit_fails_a_case_for_each_error_and_passes_without_findings() -> None:
    suite = ET.fromstring(render("junit", REPORT))[0]
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    failures = suite.findall("testcase/failure")
    assert [failure.get("type") for failure in failures] == ["dns_hijacked"]
    assert "中文" in (failures[0].text or "")
    sound = ET.fromstring(render("junit", EMPTY))[0]
    assert (sound.get("tests"), sound.get("failures"), len(sound)) == ("1", "0", 1)


def test_a_page_escapes_what_comes_from_outside_and_loads_nothing() -> None:
    page = Page(render("html", REPORT))
    assert NASTY.replace("\x07", "\x07") in page.text
    assert not {"b", "script", "link", "img"} & set(page.tags)
    assert page.tags.count("article") == 3


def test_a_page_speaks_the_language_in_use() -> None:
    i18n.activate("zh_CN")
    try:
        assert '<html lang="zh-CN">' in render("html", EMPTY)
    finally:
        i18n.activate("en")
