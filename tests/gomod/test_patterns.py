"""A pattern that is compiled late finds what one that is compiled at once finds, and is wrong later."""

import re

import pytest

from goferry.gomod.patterns import lazily

TEXT = r"v(?P<major>[0-9]+)"


def test_it_does_what_the_pattern_does() -> None:
    late = lazily(TEXT)
    assert late.fullmatch("v2") is not None
    assert late.fullmatch("v2.0") is None
    found = late.match("v21.0")
    assert found is not None
    assert (found["major"], found.re) == ("21", re.compile(TEXT))
    assert late.sub("x", "v1 v2") == "x x"
    assert late.pattern == TEXT


def test_its_flags_count() -> None:
    assert lazily(TEXT, re.IGNORECASE).fullmatch("V2") is not None
    assert lazily(TEXT).fullmatch("V2") is None


def test_nothing_is_compiled_before_it_is_asked() -> None:
    late = lazily("(")
    for _ in range(2):
        with pytest.raises(re.error):
            late.fullmatch("")


def test_it_has_nothing_that_a_pattern_lacks() -> None:
    with pytest.raises(AttributeError):
        _ = lazily(TEXT).full_match  # type: ignore[attr-defined]
