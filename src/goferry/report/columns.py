"""Text that is broken into lines by the columns which it takes on a terminal.

A Chinese character takes two columns, and Chinese has no spaces to break at, but its own rule instead: between any two
characters, never before a mark that closes and never after one that opens.
"""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_WIDE: Final = "\u2e80-\u2fdf\u3040-\u9fff\uac00-\ud7af\uf900-\ufaff"
_OPENING: Final = "\u300a\u300c\u300e\u3010\u3014\uff08\u201c\u2018"
_CLOSING: Final = (
    "\u3001\u3002\u300b\u300d\u300f\u3011\u3015\uff01\uff09\uff0c\uff1a\uff1b\uff1f\u201d\u2019\u2026"
)
_PIECES: Final = (
    rf" +|[{_OPENING}]*(?:[{_WIDE}]|[^ {_WIDE}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*|[{_OPENING}{_CLOSING}]+"
)
"""Spaces, or what must stay on one line: a wide character or a word, with the marks that cling to it."""


def width(text: str) -> int:
    """Columns of a terminal that the text takes."""
    return len(text) + sum(unicodedata.east_asian_width(char) in "WF" for char in text)


def pad(text: str, columns: int) -> str:
    """The text with spaces behind it up to `columns`."""
    return text + " " * (columns - width(text))


def wrap(text: str, columns: int) -> Iterator[str]:
    """The text in lines of at most `columns`; only a single word that is wider makes a wider line.

    >>> list(wrap("只取一次，逐字节验证", 10))
    ['只取一次，', '逐字节验证']
    """
    line, spaces = "", ""
    # Compiled on first use: most runs show no help.
    for piece in re.findall(_PIECES, text.replace("\n", " ").strip(" ")):
        if piece.isspace():
            spaces = piece
        elif line and width(line + spaces + piece) > columns:
            yield line
            line, spaces = piece, ""
        else:
            line, spaces = line + spaces + piece, ""
    if line:
        yield line
