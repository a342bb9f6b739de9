"""The head of a Go file and what the rest names, read as text."""

import pytest

from goferry.deps.source.scanner import names
from goferry.gomod.gosource import BrokenSource, Head, Import, sound_head
from goferry.gomod.gosource import head as any_head


def head(file: str, text: str) -> Head:
    return sound_head(file, text.encode())


SEVERAL = """package a
import (
\t. "b"; _ "c"
\tx "d" // e
\t/* f */ `g`
)
"""


@pytest.mark.parametrize(
    ("text", "package", "imports"),
    [
        ("package a", "a", []),
        ("package a\n", "a", []),
        ("package a;import \"b\"\n", "a", ["b"]),
        ("\ufeffpackage a\nimport `b`\n", "a", ["b"]),
        ("// c\n/* package x\n import \"no\" */ package /* y */ a // z\n\nimport \"b\"\n", "a", ["b"]),
        ("package a\r\n\r\nimport (\r\n\t\"b\"\r\n)\r\n", "a", ["b"]),
        (SEVERAL, "a", [". b", "_ c", "x d", "g"]),
        ("package a\nimport ()\nimport \"b\"\nimport (\"c\";)\n", "a", ["b", "c"]),
        ("package a\nimport \"b\"\nvar x = \"import\"\nimport \"no\"\n", "a", ["b"]),
        ("package a\nimport \"C\"\nimport \"b\"\n", "a", ["C", "b"]),
        ("package ä\nimport ö \"\\x62\"\n", "ä", ["ö b"]),
        ("package a\nfunc f() { import := 1 }\n", "a", []),
    ],
)  # fmt: skip
def test_package_and_imports(text: str, package: str, imports: list[str]) -> None:
    found = head("x.go", text)
    assert found.package == package
    assert [f"{one.name} {one.path}".strip() for one in found.imports] == imports


@pytest.mark.parametrize(
    "text", ["", "pack", "package", "package 5", "package a\nimport b\n", "package a\nimport (\n\"b\"", "\x00"]
)  # fmt: skip
def test_what_is_no_go_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BrokenSource, match=r"^dir/x\.go:\d+: this is no Go source$"):
        head("dir/x.go", text)


@pytest.mark.parametrize(
    ("text", "go_build", "plus_build"),
    [
        ("//go:build a && b\n\npackage p\n", "a && b", ()),
        ("// words\n\n//go:build a\npackage p\n", "a", ()),
        ("//go:build a\n// +build a\n\npackage p\n", "a", ("a",)),
        ("// +build a b\n// +build c\n\npackage p\n", "", ("a b", "c")),
        ("// +build a\npackage p\n", "", ()),  # no blank line: a comment of the package
        ("/* c */\n//go:build a\n\npackage p\n", "a", ()),
        ("package p\n\n//go:build a\n", "", ()),
        ("/*\n//go:build a\n*/\n\npackage p\n", "", ()),
        ("//go:buildx a\n\n// go:build a\n\npackage p\n", "", ()),
        ("//go:build a\r\n\r\npackage p\r\n", "a", ()),
    ],
)
def test_build_constraints_stand_above_the_package_clause(
    text: str, go_build: str, plus_build: tuple[str, ...]
) -> None:
    found = head("x.go", text)
    assert (found.go_build, found.plus_build) == (go_build, plus_build)


CODE = r"""
package p
import . "dot"
//go:linkname mine example.org/far.hidden
func f() {
	a.B(); c . D
	"no.No"; `raw.No
	raw2.No`; '.'; '"'; x.Y; "\"q.No"
	// line.No
	/* block.No */ e.F[int](g().H.I)
	'\''; j.K; '\\'; l.M; "\\"; n.O
	1.5.String(); v := T{}.U
	return s
		.
		W
}
"""


def test_selectors_are_names_after_dots_outside_of_comments_strings_and_runes() -> None:
    said = names(CODE, alone=True)
    wanted = {"a.B", "c.D", "x.Y", "e.F", ".H", "H.I", ".I", "j.K", "l.M", "n.O", "s.W", ".U", ".String"}
    selected = {f"{x}.{y}" for x, y in said.selected}
    assert {one.rpartition(".")[2] for one in selected} == {one.rpartition(".")[2] for one in wanted}
    assert {one for one in wanted if not one.startswith((".", "H"))} <= selected
    assert said.linked == {"example.org/far.hidden"}
    assert {"f", "T", "mine"} - said.alone == {"mine"}


def test_names_of_a_text_that_never_ends_are_still_found() -> None:
    assert ("a", "B") in names("a.B /* open\n c.D").selected
    assert ("c", "D") not in names("a.B `open\n c.D").selected
    assert names("").selected == frozenset()


def test_a_line_with_an_open_string_does_not_swallow_the_next_one() -> None:
    assert ("a", "B") in names('x := "open\n a.B').selected


def test_an_import_has_a_name_of_its_own_or_none() -> None:
    assert head("x.go", 'package p\nimport y "z"\n').imports == (Import("z", "y"),)


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        " ",
        "\n",
        ".",
        "a.",
        "a .",
        "'",
        '"',
        "`",
        "\\",
        '\\"',
        "/*",
        "/**/",
        "//",
        "//\n",
        "'\\''",
        "package ",
        "(",
        "import ",
    ],
)
def test_hostile_text_takes_no_longer_than_its_size(piece: str) -> None:
    """A regular expression that tries again at every place would not come back from this."""
    text = piece * (200_000 // len(piece))
    names(text, alone=True)
    names(text + "a.B")
    for start in ("", "package p\n", "package p\nimport (", 'package p\nimport "embed"\n//go:embed '):
        any_head((start + text).encode())
        try:
            head("x.go", start + text)
        except BrokenSource:
            continue
