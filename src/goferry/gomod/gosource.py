"""The head of a Go source file: its package, its imports, its build constraints, and what it embeds.

    //go:build linux               which builds take it in
    package p                      its package
    import x "embed"               what it imports, and how it calls it
    //go:embed data/*.json         patterns of files that it embeds (only where "embed" is imported)

Nothing behind the imports is read but the embed lines, so this is quick and no parser of Go. Every expression here
takes time that grows with the size of a file and no faster. Rules: cmd/go internal/imports and go/build, read.go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod import goconstraint
from goferry.gomod.goconstraint import Truth
from goferry.gomod.goliteral import unquote

C: Final = "C"
"""The import that stands for cgo and is no package."""

IDENT: Final = r"[^\W\d]\w*+"

QUIET: Final = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|(`)[^`]*+`?|(")(?:[^"\\\n]|\\.)*+(?:["\n]|\Z)|(')(?:[^'\\\n]|\\[^\n]){1,10}'""",
    re.DOTALL,
)
"""Comments, strings and runes, with the mark that the latter begin with. In `'"'` and `"'"` the first mark decides,
hence one expression for all. It ends everywhere: no file takes longer than its size."""

_BLANK: Final = r"(?:[ \t\r\n\f;]++|//[^\n]*+|/\*(?>.*?\*/))*+"
_STRING: Final = r"(\"(?:[^\"\\\n]|\\[^\n])*+\"|`[^`]*+`)"
_SPACE: Final = re.compile(_BLANK, re.DOTALL)
_PACKAGE: Final = re.compile(rf"{_BLANK}package\b{_BLANK}({IDENT})", re.DOTALL)
_IMPORT: Final = re.compile(rf"{_BLANK}import\b{_BLANK}", re.DOTALL)
_SPEC: Final = re.compile(rf"{_BLANK}(?:(\.|{IDENT}){_BLANK})?{_STRING}", re.DOTALL)
_CLOSE: Final = re.compile(rf"{_BLANK}\)", re.DOTALL)
_EMBED: Final = "//go:embed"
_PATTERN: Final = re.compile(rf"\s*+(?:{_STRING}|([^\s\"`]\S*+))")
_BOM: Final = "\ufeff"


class BrokenSource(InvalidInput):
    """A file whose head is no Go."""

    code = "broken_source"


@dataclass(frozen=True, slots=True)
class Import:
    """One import; `name` is empty, `.`, `_` or a name of the file's own."""

    path: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says before its declarations."""

    package: str = ""
    """Empty when the file has no package clause, which makes it no Go file."""
    imports: tuple[Import, ...] = ()
    go_build: str = ""
    """The expression of //go:build; empty without one."""
    plus_build: tuple[str, ...] = ()
    """The lines of the older form; they count only without the other."""
    embeds: tuple[str, ...] = ()
    """Patterns of embedded files."""

    @property
    def paths(self) -> tuple[str, ...]:
        """The packages that it imports, each once; `C` is none."""
        return tuple(dict.fromkeys(one.path for one in self.imports if one.path != C))

    @property
    def cgo(self) -> bool:
        return any(one.path == C for one in self.imports)

    @property
    def excluded(self) -> bool:
        """No choice of tags builds it. That is how go judges when it wants to know everything a module may ever need:
        `ignore` is false, all else depends."""
        return goconstraint.holds(self.go_build, self.plus_build, _unless_ignore) is False


def _unless_ignore(tag: str) -> Truth:
    return False if tag == "ignore" else None


def head(data: bytes) -> Head:
    """Reads a file. What is broken in it ends the reading; go itself will say what and where."""
    return _read(decoded(data))[0]


def sound_head(file: str, data: bytes) -> Head:
    """Reads a file that is called so. BrokenSource when its head is no Go."""
    text = decoded(data)
    found, broken = _read(text)
    if broken is None:
        return found
    line = text.count("\n", 0, broken) + 1
    raise BrokenSource("{file}:{line}: this is no Go source", file=file, line=line)


def decoded(data: bytes) -> str:
    """The text of a file, with surrogate escapes where it is no UTF-8."""
    return data.decode("utf-8", "surrogateescape").removeprefix(_BOM)


def _read(text: str) -> tuple[Head, int | None]:
    """The head, and where it breaks off; None for a sound one."""
    start = _PACKAGE.match(text)
    if start is None:
        space = _SPACE.match(text)
        return Head("", (), *goconstraint.written(text)), space.end() if space else 0
    imports, end, sound = _imports(text, start.end())
    embeds = tuple(_embeds(text, end)) if any(one.path == "embed" for one in imports) else ()
    constraints = goconstraint.written(text[: start.end()])
    return Head(start[1], tuple(imports), *constraints, embeds), None if sound else end


def _imports(text: str, at: int) -> tuple[list[Import], int, bool]:
    """All imports, where they end, and whether they are sound up to there."""
    found: list[Import] = []
    while word := _IMPORT.match(text, at):
        at = word.end()
        grouped = text.startswith("(", at)
        at += grouped
        while spec := _SPEC.match(text, at):
            path = _unquoted(spec[2])
            if path is None:
                return found, at, False
            found.append(Import(path, spec[1] or ""))
            at = spec.end()
            if not grouped:
                break
        else:
            close = _CLOSE.match(text, at) if grouped else None
            if close is None:
                return found, at, False
            at = close.end()
    return found, at, True


def _unquoted(literal: str) -> str | None:
    if literal[0] == "`":
        return literal[1:-1].replace("\r", "")
    try:
        return unquote(literal)
    except InvalidInput:
        return None


def _embeds(text: str, at: int) -> Iterator[str]:
    if _EMBED not in text:
        return
    for piece in QUIET.finditer(text, at):
        line = piece[0]
        if line.startswith(_EMBED) and line[len(_EMBED) : len(_EMBED) + 1] in (" ", "\t"):
            yield from _patterns(line, len(_EMBED))


def _patterns(line: str, at: int) -> Iterator[str]:
    while word := _PATTERN.match(line, at):
        named = word[2] or _unquoted(word[1])
        if named is None:
            return
        yield named
        at = word.end()
