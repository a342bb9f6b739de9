"""Findings and reports: one JSON form, both ways, and sentences in any language."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry import i18n
from goferry.errors import InvalidInput, NotFound
from goferry.findings import SCHEMA, Finding, Fix, Location, Report, Severity, Text

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
texts = st.builds(lambda value: Text("not what was proven: {reason}", reason=value), words)
fixes = st.builds(Fix, texts, words)
locations = st.builds(Location, words, st.none() | st.integers(1, 10**6))
findings = st.builds(
    Finding, words, st.sampled_from(Severity), texts, st.none() | locations, st.none() | fixes
)
reports = st.builds(
    Report,
    words,
    texts,
    st.lists(findings, max_size=4).map(tuple),
    st.dictionaries(words, words | st.integers(-(2**53), 2**53)),
)


@given(reports)
def test_a_report_survives_its_way_through_json(report: Report) -> None:
    assert Report.from_json(json.loads(json.dumps(report.to_json()))) == report


@given(reports)
def test_the_worst_comes_first_and_the_order_is_kept_within_a_severity(report: Report) -> None:
    ordered = list(report.by_severity())
    assert [f.severity.rank for f in ordered] == sorted(f.severity.rank for f in report.findings)
    for severity in Severity:
        assert [f for f in ordered if f.severity is severity] == [
            f for f in report.findings if f.severity is severity
        ]
    assert report.worst is (ordered[0].severity if ordered else Severity.OK)


def test_a_text_is_translated_when_shown_and_english_in_json() -> None:
    text = Text("did you mean {near}?", near="x")
    i18n.activate("zh_CN")
    assert str(text) == "您是否想写 x？"
    assert text.to_json() == {
        "key": "did you mean {near}?",
        "parts": {"near": "x"},
        "text": "did you mean x?",
    }


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"schema": "goferry.report/0"},
        {"schema": SCHEMA},
        {"schema": SCHEMA, "kind": "k", "title": {"key": "t", "parts": {}}, "findings": [{}], "facts": {}},
        {"schema": SCHEMA, "kind": "k", "title": "t", "findings": [], "facts": {}},
        {
            "schema": SCHEMA,
            "kind": "k",
            "title": {"key": "t", "parts": {}},
            "findings": [{"severity": "bad"}],
        },
    ],
)
def test_what_is_no_report_is_refused(data: dict) -> None:
    with pytest.raises(InvalidInput):
        Report.from_json(data)


def test_equal_texts_are_one_in_a_set() -> None:
    assert len({Text("a {x}", x=1), Text("a {x}", x=1), Text("a {x}", x=2)}) == 2


def test_an_error_becomes_a_sentence_with_its_cause_in_any_language() -> None:
    why = InvalidInput(
        "syntax error (unterminated block started at {file}:{line}:{column})", file="m", line=3, column=1
    )
    text = Text.of(NotFound("cannot read {file}: {why}", file=[1], why=why))
    i18n.activate("zh_CN")
    try:
        assert text.english == "cannot read [1]: syntax error (unterminated block started at m:3:1)"
        assert str(text) == f"无法读取 [1]：{why}"
        assert text.to_json()["parts"]["why"]["parts"] == {"file": "m", "line": 3, "column": 1}
        assert i18n.in_english(why) == "syntax error (unterminated block started at m:3:1)"
        assert i18n.current() == "zh_CN"
    finally:
        i18n.activate("en")
