"""What a Go source file names, read without a compiler.

Only `name.Name` is taken: comments, strings and runes are cut out first, and no scope is known, so a name may mean
something else than the import of that name. That errs on the side of "is named".
"""

import re
from dataclasses import dataclass
from typing import Final

from goferry.gomod.gosource import IDENT, QUIET

_SPACES: Final = re.compile(r"\s+")
_SELECTOR: Final = re.compile(rf"(?:\b({IDENT}))? ?\. ?({IDENT})")
_NAME: Final = re.compile(IDENT)
_LINKNAME: Final = re.compile(rf"^//go:linkname[ \t]+\S+[ \t]+(\S+\.{IDENT})[ \t]*\r?$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Names:
    """What a file names."""

    selected: frozenset[tuple[str, str]]
    """`x.Y` as (x, Y); with an empty x where something else than a name stands before the dot."""
    alone: frozenset[str]
    """Every name, for dot imports; empty when not asked for."""
    linked: frozenset[str]
    """What //go:linkname reaches for: path.Name."""


def names(text: str, *, alone: bool = False) -> Names:
    """What the text of a file names. Nothing is ever refused: what does not scan is passed over."""
    # Of a string its mark stays, so that nothing before it meets what comes after it.
    code = _SPACES.sub(" ", QUIET.sub(r" \1\2\3", text))
    return Names(
        frozenset(_SELECTOR.findall(code)),
        frozenset(_NAME.findall(code)) if alone else frozenset(),
        frozenset(_LINKNAME.findall(text)) if "//go:linkname" in text else frozenset(),
    )
