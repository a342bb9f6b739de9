"""Help that is broken into lines by the columns which it takes on a terminal.

click counts characters. A Chinese character takes two columns, so lines of Chinese help would run twice over the edge;
and Chinese has no spaces to break at, but its own rule instead: between any two characters, never before a mark that
closes and never after one that opens.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

import click

from goferry.i18n import _

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
    for piece in re.findall(
        _PIECES, text.replace("\n", " ").strip(" ")
    ):  # compiled on first use: most runs show no help
        if piece.isspace():
            spaces = piece
        elif line and width(line + spaces + piece) > columns:
            yield line
            line, spaces = piece, ""
        else:
            line, spaces = line + spaces + piece, ""
    if line:
        yield line


class Formatter(click.HelpFormatter):
    """click's formatter with headings in the language in use, and with `wrap` in the two places that break prose."""

    def write_heading(self, heading: str) -> None:
        self.write(" " * self.current_indent + _("{heading}:").format(heading=heading) + "\n")

    def write_text(self, text: str) -> None:
        indent = " " * self.current_indent
        for line in wrap(text, max(self.width - self.current_indent, 11)):
            self.write(f"{indent}{line}\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Terms at the left, what is said of them at the right; a term that is too long has a line of its own."""
        rows = list(rows)
        column = min(max((width(term) for term, _text in rows), default=0), col_max) + col_spacing
        indent = " " * self.current_indent
        for term, text in rows:
            lines = list(wrap(text, max(self.width - column - 2, 10)))
            first = lines.pop(0) if lines and width(term) <= column - col_spacing else ""
            self.write(f"{indent}{pad(term, column)}{first}".rstrip() + "\n")
            for line in lines:
                self.write(f"{indent}{' ' * column}{line}\n")


class Context(click.Context):
    """A context whose help is laid out by `Formatter`."""

    formatter_class = Formatter
