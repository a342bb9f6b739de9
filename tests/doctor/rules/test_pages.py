"""Every rule has its page in both languages, and the index leads to it."""

import re
from pathlib import Path

import pytest

from goferry.doctor.rules import RULES
from goferry.doctor.rules.base import Rule

DOCS = Path(__file__).resolve().parents[3] / "docs"
SECTIONS = {
    "en": ("Symptom", "Proof", "Fix", "Look-alikes"),
    "zh": ("症状", "证据", "处理", "易混情况"),
}
EACH_PAGE = [(language, rule) for language in SECTIONS for rule in RULES]


def page_of(language: str, rule: Rule) -> str:
    return (DOCS / language / "rules" / f"{rule.code}.md").read_text("utf-8")


@pytest.mark.parametrize(("language", "rule"), EACH_PAGE, ids=lambda value: getattr(value, "code", value))
def test_a_page_shows_symptom_proof_fix_and_look_alikes(language: str, rule: Rule) -> None:
    sections = re.split(r"(?m)^## ", page_of(language, rule))
    assert tuple(section.partition("\n")[0] for section in sections[1:]) == SECTIONS[language]
    assert all(section.partition("\n")[2].strip() for section in sections)
    assert "```text\n" in sections[1]
    assert "```sh\n" in sections[3]
    assert "\n- " in sections[4]


@pytest.mark.parametrize(("language", "rule"), EACH_PAGE, ids=lambda value: getattr(value, "code", value))
def test_a_page_names_the_causes_of_its_rule(language: str, rule: Rule) -> None:
    if rule.code != "R00":  # it passes on what explain knows
        assert set(re.findall(r"`([a-z0-9_]+)`", page_of(language, rule).split("\n")[2])) == set(rule.causes)


def test_the_english_page_is_headed_by_the_title_of_the_rule() -> None:
    assert {rule.code: page_of("en", rule).split("\n")[0] for rule in RULES} == {
        rule.code: f"# {rule.code} {rule.title}" for rule in RULES
    }


@pytest.mark.parametrize("language", SECTIONS)
def test_the_chinese_pages_are_chinese_and_look_alikes_agree(language: str) -> None:
    for rule in RULES:
        text = page_of(language, rule)
        assert bool(re.search(r"[\u4e00-\u9fff]", text)) == (language == "zh"), rule.code
        assert re.findall(r"R\d\d\.md", text) == re.findall(r"R\d\d\.md", page_of("en", rule))


@pytest.mark.parametrize("language", SECTIONS)
def test_the_index_lists_the_rules_in_the_order_of_judging(language: str) -> None:
    index = (DOCS / language / "doctor.md").read_text("utf-8")
    assert re.findall(r"\]\(rules/(R\d\d)\.md\)", index) == [rule.code for rule in RULES]


def test_no_page_is_left_of_a_rule_that_is_gone() -> None:
    codes = {rule.code for rule in RULES}
    for language in SECTIONS:
        assert {page.stem for page in (DOCS / language / "rules").glob("*.md")} == codes
