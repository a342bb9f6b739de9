"""Go literals: what is quoted comes back, and what strconv would not read is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import InvalidInput
from goferry.gomod.goliteral import quote, quote_rune, unquote


@given(st.text())
def test_unquote_undoes_quote(text: str) -> None:
    assert unquote(quote(text)) == text


@pytest.mark.parametrize(
    ("char", "literal"),
    [("a", "'a'"), ("'", r"'\''"), ('"', "'\"'"), ("\\", r"'\\'"), ("\n", r"'\n'"), ("\x80", r"'\u0080'")],
)
def test_characters_are_shown_as_go_shows_them(char: str, literal: str) -> None:
    assert quote_rune(char) == literal


@pytest.mark.parametrize(
    "literal", ['"', '"a', 'a"', '"\\q"', '"\\\'"', '"\\x1"', '"\\ud800"', '"\\400"', '"a"b"']
)
def test_bad_literals_are_refused(literal: str) -> None:
    with pytest.raises(InvalidInput, match="invalid syntax"):
        unquote(literal)


@pytest.mark.parametrize(
    ("literal", "text"),
    [('""', ""), (r'"\a\b\f\n\r\t\v\\\""', '\a\b\f\n\r\t\v\\"'), (r'"\x41\101B\U0001F600"', "AAB😀")],
)
def test_unquote_knows_the_escapes_of_go(literal: str, text: str) -> None:
    assert unquote(literal) == text
