"""The same report for people and for programs."""

import json

import pytest

from goferry import i18n
from goferry.findings import Finding, Fix, Location, Report, Severity, Text
from goferry.report import json as report_json
from goferry.report import terminal

REPORT = Report(
    "cache verify",
    Text("not what was proven: {reason}", reason="title"),
    (
        Finding("looks-well", Severity.OK, Text("true or false")),
        Finding("store-damaged", Severity.ERROR, Text("not an h1 hash"), Location("m/@v/v1.0.0.zip"),
                Fix(Text("did you mean {near}?", near="gc"), "goferry cache gc")),
        Finding("odd", Severity.WARNING, Text("any text"), Location("go.mod", 3)),
    ),
    {"files": 2},
)  # fmt: skip

PLAIN = """\
not what was proven: title
✗ error m/@v/v1.0.0.zip: not an h1 hash [store-damaged]
    → did you mean gc?
      goferry cache gc
! warning go.mod:3: any text [odd]
✓ ok true or false [looks-well]
1 error, 1 warning, files 2
"""

CHINESE = """\
与已验证的内容不符：title
✗ 错误 m/@v/v1.0.0.zip: 不是 h1 哈希 [store-damaged]
    → 您是否想写 gc？
      goferry cache gc
! 警告 go.mod:3: 任意文字 [odd]
✓ 正常 true 或 false [looks-well]
1 个错误, 1 个警告, files 2
"""


@pytest.mark.parametrize(("language", "text"), [("en", PLAIN), ("zh_CN", CHINESE)])
def test_people_see_the_worst_first_in_their_language(language: str, text: str) -> None:
    i18n.activate(language)
    assert terminal.render(REPORT) == text


def test_colours_are_marks_only() -> None:
    coloured = terminal.render(REPORT, colour=True)
    assert "\x1b[31m✗ error\x1b[0m" in coloured
    import re

    assert re.sub(r"\x1b\[\d+m", "", coloured) == PLAIN


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_programs_see_the_same_bytes_in_every_language(language: str) -> None:
    i18n.activate(language)
    rendered = report_json.render(REPORT)
    assert Report.from_json(json.loads(rendered)) == REPORT
    i18n.activate("en")
    assert report_json.render(REPORT) == rendered
