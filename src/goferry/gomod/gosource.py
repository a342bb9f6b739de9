"""The head of a Go source file: its package, its imports, its build constraint, and what it embeds.

    //go:build ignore              the file is part of no build
    package p                      its package
    import "embed"                 what it imports
    //go:embed data/*.json         patterns of files that it embeds (only where "embed" is imported)

Nothing behind the imports is read but the embed lines, so this is quick and no parser of Go. Constraints are judged as
go does when it wants to know everything a module may ever need: each tag is both true and false, `ignore` alone is
false. Rules: cmd/go internal/imports, go/build read.go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod.goliteral import unquote


@dataclass(frozen=True, slots=True)
class Head:
    """What a file says before its declarations."""

    package: str = ""
    """Empty when the file has no package clause, which makes it no Go file."""
    imports: tuple[str, ...] = ()
    """In their order, each once; without `C`, which is no package."""
    excluded: bool = False
    """Its build constraint keeps it out of every build."""
    embeds: tuple[str, ...] = ()
    """Patterns of embedded files."""


_BLANK: Final = r"(?:[ \t\r\n;]|//[^\n]*(?:\n|\Z)|/\*.*?\*/)*"
_PACKAGE: Final = re.compile(rf"\ufeff?{_BLANK}package\b{_BLANK}(\w+)", re.DOTALL)
_IMPORT: Final = re.compile(rf"{_BLANK}import(?![\w]){_BLANK}", re.DOTALL)
_SPEC: Final = re.compile(rf"{_BLANK}(?:[\w.]+{_BLANK})?(\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`)", re.DOTALL)
_CLOSE: Final = re.compile(rf"{_BLANK}\)", re.DOTALL)

_PIECES: Final = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|`[^`]*`|'(?:[^'\\\n]|\\.)*'", re.DOTALL
)
_EMBED: Final = "//go:embed"
_PATTERN: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|`[^`]*`|[^\s\"`]+")


def head(data: bytes) -> Head:
    """Reads a file. What is broken in it ends the reading; go itself will say what and where."""
    text = data.decode("utf-8", "replace")
    start = _PACKAGE.match(text)
    if start is None:
        return Head(excluded=_is_excluded(text))
    imports, end = _imports(text, start.end())
    embeds = tuple(_embeds(text, end)) if "embed" in imports else ()
    return Head(
        start[1], tuple(dict.fromkeys(path for path in imports if path != "C")), _is_excluded(text), embeds
    )


def _imports(text: str, at: int) -> tuple[list[str], int]:
    """All imports, and where they end."""
    found: list[str] = []
    while word := _IMPORT.match(text, at):
        at = word.end()
        if not text.startswith("(", at):
            spec = _SPEC.match(text, at)
            if spec is None:
                break
            found.append(_unquoted(spec[1]))
            at = spec.end()
            continue
        at += 1
        while spec := _SPEC.match(text, at):
            found.append(_unquoted(spec[1]))
            at = spec.end()
        close = _CLOSE.match(text, at)
        if close is None:
            break
        at = close.end()
    return found, at


def _unquoted(literal: str) -> str:
    try:
        return unquote(literal)
    except InvalidInput:
        return literal[1:-1]


def _embeds(text: str, at: int) -> Iterator[str]:
    if _EMBED not in text:
        return
    for piece in _PIECES.finditer(text, at):
        line = piece[0]
        if line.startswith(_EMBED) and line[len(_EMBED) : len(_EMBED) + 1] in (" ", "\t"):
            for word in _PATTERN.findall(line[len(_EMBED) :]):
                yield _unquoted(word) if word[0] in '"`' else word


# ---- build constraints --------------------------------------------------------------------------------


def _is_excluded(text: str) -> bool:
    """Whether no choice of tags builds the file (imports.ShouldBuild with every tag)."""
    if "build" not in text[: text.find("package") if "package" in text else None]:
        return False
    plus, go_build = _header(text)
    if go_build is not None:
        return not _holds(go_build)
    return not all(_plus_holds(line) for line in plus)


def _header(text: str) -> tuple[list[str], str | None]:
    """The `// +build` lines that count, and the expression of the `//go:build` line; "" for several of those."""
    candidates: list[str] = []
    plus: list[str] = []
    go_build: str | None = None
    in_comment = ended = False
    for raw in text.removeprefix("\ufeff").split("\n"):
        line = raw.strip()
        if not line and not ended:
            plus += candidates
            candidates = []
            continue
        if not line.startswith("//"):
            ended = True
        if not in_comment and line.startswith("//go:build") and line[10:11] in ("", " ", "\t"):
            if go_build is not None:
                return [], ""
            go_build = line[10:].strip()
        elif not ended and line.startswith("//") and line[2:].strip().startswith("+build"):
            candidates.append(line[2:].strip()[len("+build") :])
        stopped, in_comment = _after_comments(line, in_comment=in_comment)
        if stopped:
            break
    return plus, go_build


def _after_comments(line: str, *, in_comment: bool) -> tuple[bool, bool]:
    """Whether a line has text that is no comment, and whether it ends inside a comment."""
    while line:
        if in_comment:
            _, mark, line = line.partition("*/")
            if not mark:
                return False, True
            in_comment, line = False, line.strip()
        elif line.startswith("//"):
            return False, False
        elif line.startswith("/*"):
            in_comment, line = True, line[2:]
        else:
            return True, False
    return False, in_comment


def _plus_holds(options: str) -> bool:
    """Words with blanks between them are alternatives, with commas all of them count."""
    return any(
        all(_tag_holds(tag.removeprefix("!"), wanted=not tag.startswith("!")) for tag in option.split(","))
        for option in options.split()
    )


def _tag_holds(tag: str, *, wanted: bool) -> bool:
    """Every tag may be true and may be false; `ignore`, and what can be no tag, is never true."""
    if tag == "ignore" or not tag or not all(char.isalnum() or char in "_." for char in tag):
        return not wanted
    return True


_TOKENS: Final = re.compile(r"\s*(&&|\|\||[!()]|[^\s!()&|]+)")


def _holds(expression: str) -> bool:
    try:
        tokens = _tokens(expression)
        value = _either(tokens, wanted=True)
    except (IndexError, ValueError):
        return False
    return value and not tokens


def _tokens(expression: str) -> list[str]:
    expression = expression.partition("//")[0].rstrip()
    found, at = [], 0
    while at < len(expression):
        word = _TOKENS.match(expression, at)
        if word is None:
            raise ValueError
        found.append(word[1])
        at = word.end()
    return found[::-1]


def _either(tokens: list[str], *, wanted: bool) -> bool:
    """As go evaluates it: `wanted` turns at each `!`, and every tag is what is wanted."""
    value = _both(tokens, wanted=wanted)
    while tokens and tokens[-1] == "||":
        tokens.pop()
        value = _both(tokens, wanted=wanted) or value
    return value


def _both(tokens: list[str], *, wanted: bool) -> bool:
    value = _one(tokens, wanted=wanted)
    while tokens and tokens[-1] == "&&":
        tokens.pop()
        value = _one(tokens, wanted=wanted) and value
    return value


def _one(tokens: list[str], *, wanted: bool) -> bool:
    word = tokens.pop()
    if word == "!":
        return not _one(tokens, wanted=not wanted)
    if word == "(":
        value = _either(tokens, wanted=wanted)
        if tokens.pop() != ")":
            raise ValueError
        return value
    if word in ("&&", "||", ")"):
        raise ValueError
    if word == "ignore" or not all(char.isalnum() or char in "_." for char in word):
        return False
    return wanted
