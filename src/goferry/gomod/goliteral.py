"""Go's string and character literals: how go.mod files quote a word, and how messages show one.

Bytes that were no UTF-8, surrogate escapes here, are spelled as bytes. The rules are those of Go's strconv.
"""

import re
from collections.abc import Iterator

from goferry.errors import InvalidInput
from goferry.gomod.patterns import lazily

_ESCAPES = {"\a": "a", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t", "\v": "v", "\\": "\\"}
_UNESCAPES = {letter: char for char, letter in _ESCAPES.items()}
_ESCAPE = lazily(
    r"\\(?:([abfnrtv\\\"])|([0-3][0-7]{2})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
_QUOTED_TEXT = lazily(
    r'"(?:[^"\\\n]|\\(?:[abfnrtv\\"]|[0-3][0-7]{2}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}))*"', re.ASCII
)


def quote(text: str) -> str:
    """The text as a Go string literal (strconv.Quote)."""
    return '"' + "".join('\\"' if char == '"' else _escaped(char) for char in text) + '"'


def quote_rune(char: str) -> str:
    """The character as a Go character literal (strconv.QuoteRune)."""
    return "'" + ("\\'" if char == "'" else _escaped(char)) + "'"


def _escaped(char: str) -> str:
    if char in _ESCAPES:
        return "\\" + _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x20 or code == 0x7F:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def unquote(literal: str) -> str:
    """The text of a Go string literal in double quotes (strconv.Unquote). Raises InvalidInput."""
    if not _QUOTED_TEXT.fullmatch(literal):
        raise InvalidInput("invalid syntax")
    raw = b"".join(_unescaped_parts(literal[1:-1]))
    return raw.decode("utf-8", "surrogateescape")


def _unescaped_parts(text: str) -> Iterator[bytes]:
    at = 0
    for match in _ESCAPE.finditer(text):
        yield text[at : match.start()].encode("utf-8", "surrogateescape")
        at = match.end()
        letter, octal, byte, *runes = match.groups()
        if letter:
            yield _UNESCAPES.get(letter, letter).encode()
        elif octal or byte:
            yield bytes([int(octal, 8) if octal else int(byte, 16)])
        else:
            yield _rune(int(runes[0] or runes[1], 16))
    yield text[at:].encode("utf-8", "surrogateescape")


def _rune(code: int) -> bytes:
    if code > 0x10FFFF or 0xD800 <= code < 0xE000:
        raise InvalidInput("invalid syntax")
    return chr(code).encode()
