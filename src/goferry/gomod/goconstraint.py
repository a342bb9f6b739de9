"""Build constraints of Go files: where they stand, and what they say (`go help buildconstraint`).

A tag may be true, false, or neither: then it depends. What is neither false whatever such tags turn out to be is a file
that some build takes in. Rules: go/build/constraint, and parseFileHeader of cmd/go internal/imports.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from goferry.errors import InvalidInput

Truth: TypeAlias = bool | None
"""None: it depends."""

Tag: TypeAlias = Callable[[str], Truth]
"""Whether a tag is set."""

NO_EXPRESSION: Final = "!"
"""Stands for what can be no constraint: a //go:build line without words, or several of them."""

_GO_BUILD: Final = "//go:build"
_PLUS_BUILD: Final = re.compile(r"//\s*\+build(?:\s+(.*))?")
_WORD: Final = re.compile(r"\s*(?:(\(|\)|!|&&|\|\|)|([\w.]+))")
_TAG: Final = re.compile(r"[\w.]+")


class BadConstraint(InvalidInput):
    """A //go:build line that is no expression. The go command builds no such file."""

    code = "bad_constraint"


def written(text: str) -> tuple[str, tuple[str, ...]]:
    """The constraints above the first line of a file that is no comment: the expression of its //go:build line, "" when
    there is none; and the `// +build` lines that count, which stand above a blank line and above every other comment.
    """
    if "build" not in text:
        return "", ()
    found: list[str] = []
    plus: list[str] = []
    candidates: list[str] = []
    in_comment = ended = False
    for line in map(str.strip, text.split("\n")):
        if not line and not ended:
            plus += candidates
            candidates = []
            continue
        ended = ended or not line.startswith("//")
        if not in_comment and line.startswith(_GO_BUILD) and line[10:11] in ("", " ", "\t"):
            found.append(line[len(_GO_BUILD) :].strip() or NO_EXPRESSION)
        elif not ended and (match := _PLUS_BUILD.fullmatch(line)):
            candidates.append(match[1] or "")
        stopped, in_comment = _after_comments(line, in_comment=in_comment)
        if stopped:
            break
    return found[0] if len(found) == 1 else NO_EXPRESSION if found else "", tuple(plus)


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


def holds(go_build: str, plus_build: Iterable[str], tag: Tag) -> Truth:
    """Whether both forms let a file be built; the older one only counts without the other. What is no expression never
    holds."""
    if not go_build:
        return _all(_plus(line, tag) for line in plus_build)
    try:
        return evaluate(go_build, tag)
    except BadConstraint:
        return False


def evaluate(expression: str, tag: Tag) -> Truth:
    """A //go:build expression with three values. BadConstraint when it is none."""
    parser = _Parser(expression, tag)
    found = parser.either()
    if parser.word is not None:
        raise parser.bad()
    return found


class _Parser:
    """`||` binds loosest, then `&&`, then `!`, of which two in a row are none."""

    def __init__(self, text: str, tag: Tag) -> None:
        self._text = text
        self._tag = tag
        self._words = self._split(text)
        self.word: str | None = next(self._words, None)

    def _split(self, text: str) -> Iterator[str]:
        text = text.partition("//")[0].rstrip()
        at = 0
        while at < len(text):
            found = _WORD.match(text, at)
            if found is None:
                raise self.bad()
            yield found[1] or found[2]
            at = found.end()

    def bad(self) -> BadConstraint:
        return BadConstraint("{text}: no build constraint", text=self._text)

    def either(self) -> Truth:
        found = self._both()
        while self.word == "||":
            self._step()
            found = _either(found, self._both())
        return found

    def _both(self) -> Truth:
        found = self._one()
        while self.word == "&&":
            self._step()
            found = _both(found, self._one())
        return found

    def _one(self) -> Truth:
        word = self._step()
        if word == "!" and self.word != "!":
            return _not(self._one())
        if word == "(":
            found = self.either()
            if self._step() != ")":
                raise self.bad()
            return found
        if word is None or not _TAG.fullmatch(word):
            raise self.bad()
        return self._tag(word)

    def _step(self) -> str | None:
        word, self.word = self.word, next(self._words, None)
        return word


def _plus(line: str, tag: Tag) -> Truth:
    """The older form: words are alternatives, commas join, `!` negates."""
    found: Truth = False
    for option in line.split():
        found = _either(found, _all(_term(term, tag) for term in option.split(",")))
    return found


def _term(term: str, tag: Tag) -> Truth:
    """What can be no tag is never set."""
    if term.startswith("!!") or term == "!":
        return False
    name = term.removeprefix("!")
    value = tag(name) if _TAG.fullmatch(name) else False
    return value if term == name else _not(value)


def _all(every: Iterable[Truth]) -> Truth:
    found: Truth = True
    for one in every:
        found = _both(found, one)
    return found


def _not(one: Truth) -> Truth:
    return None if one is None else not one


def _both(one: Truth, other: Truth) -> Truth:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _either(one: Truth, other: Truth) -> Truth:
    return _not(_both(_not(one), _not(other)))
