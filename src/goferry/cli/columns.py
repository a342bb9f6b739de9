"""Help that is broken into lines by the columns which it takes on a terminal.

click counts characters. A Chinese character takes two columns, so lines of Chinese help would run twice over the edge.
"""

from collections.abc import Iterable

import click

from goferry.i18n import _
from goferry.report.columns import pad as pad
from goferry.report.columns import width as width
from goferry.report.columns import wrap as wrap


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
