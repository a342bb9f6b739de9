"""Lines as the program wrote them: without line numbers and indentation of the whole, and joined where they were cut.

A terminal breaks a line at its edge, in the middle of a word, and a copy takes the break along; a mail program or an
issue form breaks it at a blank. Either leaves traces: cut lines are as wide as the terminal, and behind a filled one
the next word had no room. Nothing is joined to what begins as a line of go or git does.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from goferry.doctor.explain.clean import Line, without_prefixes
from goferry.doctor.explain.languages import in_english
from goferry.doctor.explain.messages import begins, speaks

MOST: Final = 1000
"""Lines of a paste that was copied by hand; a longer one is a file that nothing has cut."""
_TERMINALS: Final = frozenset({72, 76, 78, 79, 80, 100, 119, 120, 132, 160})
_NARROWEST: Final = 40
_FILLED: Final = range(50, 101)
"""Widths to which mails and texts are filled."""
_NUMBER: Final = re.compile(r"\s*(\d{1,6})(?::[ \t]?|\s?[|│]\s?|\t| {2})")


def tidy(lines: Sequence[Line]) -> tuple[Line, ...]:
    """The lines of a paste, whole again and in English. What is too long for a paste by hand was cut by nobody."""
    if 0 < len(lines) <= MOST:
        lines = _joined(_without_indent(_without_numbers(lines)))
    return _completed(tuple(map(_translated, lines)))


# How the lines of go, git and curl end: enough of one, where a paste was cut off, stands for the whole of it.
_ENDINGS: Final = (
    "i/o timeout", "connection refused", "connection reset by peer", "connection timed out", "operation timed out",
    "no such host", "server misbehaving", "network is unreachable", "no route to host", "tls handshake timeout",
    "certificate signed by unknown authority", "context deadline exceeded", "unexpected eof", "404 not found",
    "403 forbidden", "410 gone", "429 too many requests", "500 internal server error", "502 bad gateway",
    "503 service unavailable", "504 gateway timeout", "terminal prompts disabled", "no space left on device",
    "permission denied", "checksum mismatch", "unknown revision", "forcibly closed by the remote host",
    "actively refused it", "could not read from remote repository", "proxy authentication required",
    "first record does not look like a tls handshake", "toolchain not available", "stream error",
)  # fmt: skip
_LEAST: Final = 5
"""Letters of an ending that tell it from other words; two of them at least are of its second word."""


def _completed(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    if not lines or not 0 < len(lines) <= MOST:
        return lines
    last = lines[-1]
    low = last.text.rstrip(".… ").lower()
    for length in range(min(len(low), 60), _LEAST - 1, -1):
        whole = {ending for ending in _ENDINGS if ending.startswith(low[-length:]) and " " in low[-length:-2]}
        if whole and not low[-length - 1 : -length].isalnum():
            rest = whole.pop()[length:] if len(whole) == 1 else ""
            return (
                (*lines[:-1], replace(last, text=last.text.rstrip(".… ") + rest, said=last.shown))
                if rest
                else lines
            )
    return lines


def _translated(line: Line) -> Line:
    english = in_english(line.text)
    return line if english == line.text else replace(line, text=english, said=line.text)


def _without_numbers(lines: Sequence[Line]) -> Sequence[Line]:
    """Numbers in front count the lines: they rise by one."""
    found = [_NUMBER.match(line.text) for line in lines]
    numbers = [int(m[1]) for m in found if m]
    rising = sum(after == before + 1 for before, after in pairwise(numbers))
    if len(numbers) < max(2, 0.8 * len(lines)) or rising < 0.8 * (len(numbers) - 1):
        return lines
    marks: set[str] = set()
    texts = [line.text[m.end() :] if m else line.text for line, m in zip(lines, found, strict=True)]
    bare = [without_prefixes(text, marks) for text in texts]
    return [replace(line, text=text) for line, text in zip(lines, bare, strict=True) if text.strip()]


def _without_indent(lines: Sequence[Line]) -> Sequence[Line]:
    margin = min((line.text[: len(line.text) - len(line.text.lstrip())] for line in lines), key=len)
    if not margin or any(not line.text.startswith(margin) for line in lines):
        return lines
    return [replace(line, text=line.text[len(margin) :]) for line in lines]


def _joined(lines: Sequence[Line]) -> list[Line]:
    edge, fill = _edge(lines), _fill(lines)
    whole: list[Line] = []
    last = Line(0, "")
    for line in lines:
        glue = _glue(last, line, edge, fill) if whole and _tells(in_english(whole[-1].text)) else None
        if glue is None:
            whole.append(line)
        else:
            whole[-1] = replace(whole[-1], text=whole[-1].text + glue + line.text.lstrip("\t"))
        last = line
    return whole


def _glue(before: Line, line: Line, edge: int, fill: int) -> str | None:
    """What stood between two lines that were one; None when they were two."""
    text = line.text
    if begins(in_english(text)) or not text.strip():
        return None
    if edge and before.width in (edge, edge - 1) and not text.startswith(("  ", "\t")):
        return "" if before.width == edge else " "
    if fill and text[0] not in " \t" and before.width + 1 + len(text.split(maxsplit=1)[0]) > fill:
        return " "
    return None


def _edge(lines: Sequence[Line]) -> int:
    """The width at which a terminal cut the lines; 0 when none did."""
    widest = max(line.width for line in lines)
    cut = sum(line.width == widest for line in lines)
    return widest if widest >= _NARROWEST and (cut >= 2 or widest in _TERMINALS) else 0


def _fill(lines: Sequence[Line]) -> int:
    """The width to which lines were filled at blanks; 0 when one with blanks is wider than any mail."""
    widest = max((line.width for line in lines if " " in line.text.strip()), default=0)
    return widest if widest in _FILLED else 0


def _tells(text: str) -> bool:
    return speaks(text) or "://" in text or "@v" in text
