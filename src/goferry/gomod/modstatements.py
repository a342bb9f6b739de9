"""The statements that go.mod and go.work files share, and the edits of them.

An edit changes a value and its line together, so that comments and order survive. The base of modfile.File and
workfile.WorkFile, with the small moves both make of their own statements.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from goferry.gomod.moddirectives import Go, Godebug, Replace, Toolchain
from goferry.gomod.modsyntax import FileSyntax, Line, LineBlock, auto_quote, format_syntax
from goferry.gomod.module import Version


class HasLine(Protocol):
    """A value and its line in the tree."""

    @property
    def syntax(self) -> Line:
        """The line that says it."""


_S = TypeVar("_S", bound=HasLine)


def drop(items: list[_S], unwanted: Callable[[_S], bool]) -> None:
    """Remove values from a list and their lines from the tree (until cleanup, the lines are only marked)."""
    for item in items:
        if unwanted(item):
            item.syntax.remove()
    items[:] = [item for item in items if item.syntax.tokens]


def without(items: list[_S], unwanted: list[_S]) -> list[_S]:
    """The values without some of them, told apart by their lines: equal values may stand on two."""
    lines = {id(item.syntax) for item in unwanted}
    return [item for item in items if id(item.syntax) not in lines]


def add_beside(syntax: FileSyntax, near: list[Line], words: list[str]) -> Line:
    """A new line behind the last of its kin. Without any it stands alone at the end of the file, not in the last block
    of its verb: so does `go mod edit`."""
    return syntax.add_line(*words, hint=near[-1]) if near else syntax.append_line(*words)


def later_ones(items: Iterable[_S], key: Callable[[_S], object]) -> list[_S]:
    """The values that come after another one with the same key."""
    seen, later = set(), []
    for item in items:
        if key(item) in seen:
            later.append(item)
        seen.add(key(item))
    return later


@dataclass(slots=True, eq=False)
class Statements:
    """What go.mod and go.work files have in common, and its edits.

    Edits leave empty places in the tree; call `cleanup` when all are made, before `format`.
    """

    syntax: FileSyntax = field(default_factory=FileSyntax)
    go: Go | None = None
    toolchain: Toolchain | None = None
    godebug: list[Godebug] = field(default_factory=list)
    replace: list[Replace] = field(default_factory=list)

    def format(self) -> bytes:
        """The file as `go mod edit -fmt` writes it."""
        return format_syntax(self.syntax)

    def cleanup(self) -> None:
        """Take removed lines and empty blocks out of the tree."""
        self.syntax.cleanup()

    def drop_go(self) -> None:
        """Remove the go line."""
        if self.go is not None:
            self.go.syntax.remove()
            self.go = None

    def drop_toolchain(self) -> None:
        """Remove the toolchain line."""
        if self.toolchain is not None:
            self.toolchain.syntax.remove()
            self.toolchain = None

    def add_godebug(self, key: str, value: str) -> None:
        """Set the first godebug line of a key, removing others; add one without any."""
        words = ("godebug", f"{key}={value}")
        first = next((i for i, g in enumerate(self.godebug) if g.key == key), None)
        if first is None:
            self.godebug.append(Godebug(key, value, self.syntax.add_line(*words)))
            return
        line = self.godebug[first].syntax
        line.update(*words)
        self.godebug[first] = Godebug(key, value, line)
        drop(self.godebug, lambda g: g.key == key and g.syntax is not line)

    def drop_godebug(self, key: str) -> None:
        """Remove all godebug lines of a key."""
        drop(self.godebug, lambda g: g.key == key)

    def add_replace(self, old: Version, new: Version) -> None:
        """Set the replacement of `old`, removing others of it; an `old` without a version takes those of every version
        with it. A new line goes beside the others of the same path."""
        words = ["replace", auto_quote(old.path), old.version, "=>", auto_quote(new.path), new.version]
        words = [word for word in words if word]
        hits = [r for r in self.replace if r.old.path == old.path and old.version in ("", r.old.version)]
        if not hits:
            line = add_beside(self.syntax, [r.syntax for r in self.replace if r.old.path == old.path], words)
            self.replace.append(Replace(old, new, line))
            return
        line = hits[0].syntax
        line.update(*words)
        at = self.replace.index(hits[0])
        self.replace[at] = Replace(hits[0].old, new, line)
        lines = {id(hit.syntax) for hit in hits[1:]}
        drop(self.replace, lambda r: id(r.syntax) in lines)

    def drop_replace(self, old: Version) -> None:
        """Remove the replacements of exactly this path and version."""
        drop(self.replace, lambda r: r.old == old)

    def sort_blocks(self) -> None:
        """Remove duplicates and sort the lines of every block."""
        self.syntax.take_out({id(extra.syntax) for extra in self._remove_duplicates()})
        for statement in self.syntax.statements:
            if isinstance(statement, LineBlock):
                statement.lines.sort(key=self._sort_key(statement.tokens[0]))

    def _remove_duplicates(self) -> list[HasLine]:
        """Drop values said twice, and return what was dropped. The last replacement counts."""
        extra = later_ones(reversed(self.replace), lambda r: r.old)
        self.replace = without(self.replace, extra)
        return list(extra)

    def _sort_key(self, verb: str) -> Callable[[Line], Any]:  # noqa: ARG002 - go.mod files have several orders
        return by_words


def by_words(line: Line) -> list[str]:
    """The order of lines in most blocks."""
    return line.tokens
