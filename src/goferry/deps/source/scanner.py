"""One Go source file, read without a compiler: its package, its imports, its build constraints, and what it names.

The head of a file (comments, the package clause, imports) is read token by token, as the go command itself does. From
the rest only `name.Name` is taken: comments, strings and runes are cut out first, and no scope is known, so a name may
mean something else than the import of that name. That errs on the side of "is named".
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod.goliteral import unquote

_IDENT: Final = r"[^\W\d]\w*+"
_TOKEN: Final = re.compile(
    rf"""(?P<space>[ \t\r]+)
    |(?P<newline>\n)
    |(?P<line>//[^\n]*)
    |(?P<block>/\*.*?\*/)
    |(?P<string>"(?:[^"\\\n]|\\.)*")
    |(?P<raw>`[^`]*`)
    |(?P<name>{_IDENT})
    |(?P<mark>[.();])""",
    re.VERBOSE | re.DOTALL,
)
_QUIET: Final = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|(`)[^`]*+`?|(")(?:[^"\\\n]|\\.)*+(?:["\n]|\Z)|(')(?:[^'\\\n]|\\[^\n]){1,10}'""",
    re.DOTALL,
)
"""What holds no names. In `'"'` and `"'"` the first mark decides, hence one expression for all. Of a string its mark
stays, so that nothing before it meets what comes after it. It ends everywhere: no file takes longer than its size."""
_SPACES: Final = re.compile(r"\s+")
_SELECTOR: Final = re.compile(rf"(?:\b({_IDENT}))? ?\. ?({_IDENT})")
_NAME: Final = re.compile(_IDENT)
_LINKNAME: Final = re.compile(rf"^//go:linkname[ \t]+\S+[ \t]+(\S+\.{_IDENT})[ \t]*\r?$", re.MULTILINE)
_GO_BUILD: Final = re.compile(r"//go:build\s+(.+)")
_PLUS_BUILD: Final = re.compile(r"//\s*\+build\s+(.+)")
_BOM: Final = "\ufeff"

C: Final = "C"
"""The import that stands for cgo and is no package."""


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
    """The beginning of a file."""

    package: str
    imports: tuple[Import, ...]
    go_build: str = ""
    """The expression of //go:build; empty without one."""
    plus_build: tuple[str, ...] = ()
    """The lines of the older form; they count only without the other."""
    end: int = 0
    """Where the declarations begin, in characters."""

    @property
    def cgo(self) -> bool:
        return any(one.path == C for one in self.imports)


@dataclass(frozen=True, slots=True)
class Names:
    """What a file names."""

    selected: frozenset[tuple[str, str]]
    """`x.Y` as (x, Y); with an empty x where something else than a name stands before the dot."""
    alone: frozenset[str]
    """Every name, for dot imports; empty when not asked for."""
    linked: frozenset[str]
    """What //go:linkname reaches for: path.Name."""


def head(file: str, text: str) -> Head:
    """The head of a file. BrokenSource when it is no Go."""
    return _Reader(file, text.removeprefix(_BOM)).head()


def names(text: str, *, alone: bool = False) -> Names:
    """What the text of a file names. Nothing is ever refused: what does not scan is passed over."""
    code = _SPACES.sub(" ", _QUIET.sub(r" \1\2\3", text))
    return Names(
        frozenset(_SELECTOR.findall(code)),
        frozenset(_NAME.findall(code)) if alone else frozenset(),
        frozenset(_LINKNAME.findall(text)) if "//go:linkname" in text else frozenset(),
    )


class _Reader:
    """Walks along the tokens of a head."""

    def __init__(self, file: str, text: str) -> None:
        self._file = file
        self._text = text
        self._at = 0
        self._comments: list[tuple[int, str]] = []

    def head(self) -> Head:
        go_build, plus_build = self._constraints()
        if self._next() != ("name", "package"):
            raise self._broken()
        kind, package = self._next()
        if kind != "name":
            raise self._broken()
        self._end_of_statement()
        return Head(package, tuple(self._imports()), go_build, plus_build, self._at)

    def _imports(self) -> Iterator[Import]:
        while True:
            before = self._at
            kind, word = self._next()
            if (kind, word) == ("mark", ";"):
                continue
            if (kind, word) != ("name", "import"):
                self._at = before
                return
            yield from self._import_declaration()
            self._end_of_statement()

    def _import_declaration(self) -> Iterator[Import]:
        kind, word = self._next()
        if (kind, word) != ("mark", "("):
            yield self._spec(kind, word)
            return
        while (token := self._next()) != ("mark", ")"):
            if token != ("mark", ";"):
                yield self._spec(*token)

    def _spec(self, kind: str, word: str) -> Import:
        name = ""
        if kind == "name" or (kind, word) == ("mark", "."):
            name = word
            kind, word = self._next()
        if kind == "raw":
            return Import(word[1:-1].replace("\r", ""), name)
        if kind != "string":
            raise self._broken()
        try:
            return Import(unquote(word), name)
        except InvalidInput as error:
            raise self._broken() from error

    def _end_of_statement(self) -> None:
        """A semicolon, a line's end, or (in one line with a closing brace or at the end of the file) nothing."""
        while (found := _TOKEN.match(self._text, self._at)) and found.lastgroup in ("space", "block", "line"):
            self._at = found.end()
            if found.lastgroup == "block" and "\n" in found[0]:
                return

    def _next(self) -> tuple[str, str]:
        """The next token that counts, as its kind and text; ("", "") where no such token can stand."""
        while found := _TOKEN.match(self._text, self._at):
            self._at = found.end()
            assert found.lastgroup is not None
            if found.lastgroup not in ("space", "newline", "line", "block"):
                return found.lastgroup, found[0]
        return "", ""

    def _constraints(self) -> tuple[str, tuple[str, ...]]:
        """Build constraints stand before the package clause, among line comments and blank lines. The older form only
        counts when a blank line follows it."""
        go_build, plus_build, pending = "", [], []
        while found := _TOKEN.match(self._text, self._at):
            if found.lastgroup not in ("space", "newline", "line", "block"):
                break
            self._at = found.end()
            if found.lastgroup == "line":
                if match := _GO_BUILD.fullmatch(found[0].rstrip()):
                    go_build = go_build or match[1]
                elif match := _PLUS_BUILD.fullmatch(found[0].rstrip()):
                    pending.append(match[1])
            elif found.lastgroup == "newline" and _BLANK_LINE.match(self._text, self._at):
                plus_build += pending
                pending = []
        return go_build, tuple(plus_build)

    def _broken(self) -> BrokenSource:
        line = self._text.count("\n", 0, self._at) + 1
        return BrokenSource("{file}:{line}: this is no Go source", file=self._file, line=line)


_BLANK_LINE: Final = re.compile(r"[ \t\r]*\n")
