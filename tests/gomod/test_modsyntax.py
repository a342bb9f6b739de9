"""The syntax of go.mod files: what is kept, what is made uniform, and where errors are said to be."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.gomod import modsyntax
from goferry.gomod.goliteral import unquote
from goferry.gomod.modsyntax import ModFileError, auto_quote, must_quote
from sizes import size

# Input and output; None: it is already as it should be. Some cases: facts from golang/mod modfile/testdata
# (BSD-3-Clause).
FORMATTED = {
    "nothing": ("", None),
    "blank lines only": ("\n\n \n", ""),
    "comments only": ("// a\n\n\n// b\n// c\n", "// a\n\n// b\n// c\n"),
    "spacing": ("module   m\n\n\n\ngo\t1.20  // why  \n", "module m\n\ngo 1.20 // why\n"),
    "no newline at the end": ("module m", "module m\n"),
    "windows line ends": (
        "// c\r\nmodule m\r\nrequire (\r\n\ta v1 // d\r\n)\r\n",
        "// c\nmodule m\n\nrequire a v1 // d\n",
    ),
    "statements are parted": ("module m\ngo 1.20\n", "module m\n\ngo 1.20\n"),
    "block": ("require (\na v1\n  b v2\n)\n", "require (\n\ta v1\n\tb v2\n)\n"),
    "comments in a block": (
        "x ( // l\n// before\na // a\n\n\n// between\n\nb\n// last\n) // r\n",
        "x ( // l\n\t// before\n\ta // a\n\n\t// between\n\n\tb\n// last\n) // r\n",
    ),
    "blank lines at the ends of a block": ("x (\n\n\na\nb\n\n\n)\n", "x (\n\ta\n\tb\n)\n"),
    "empty block": ("x ()\n", "x (\n)\n"),
    "empty block with a comment": ("x ( ) // c\n", "x (\n) // c\n"),
    "parentheses in a line": ("x ( ) y\nretract [ v1 , v2 ]\n", "x () y\n\nretract [v1, v2]\n"),
    "comment above a statement": (
        "// above\nmodule m // beside\n// below\n",
        "// above\nmodule m // beside\n\n// below\n",
    ),
    "quotes": ('x "a b" `c`\n', 'x "a b" `c`\n'),
    "comment ends a word": ("x y//z\n", "x y //z\n"),
    "a slash is part of a word": ("x a/b/ /c\n", None),
    "broken bytes": (b"x \xff\xfe // \xe4\n", b"x \xff\xfe // \xe4\n"),
    "other scripts": ("x 世界 // 注释\n", None),
}


def as_bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("case", FORMATTED)
def test_format(case: str) -> None:
    source, want = FORMATTED[case]
    if case == "windows line ends":
        want = "// c\nmodule m\n\nrequire (\n\ta v1 // d\n)\n"
    got = modsyntax.format_syntax(modsyntax.parse("go.mod", as_bytes(source)))
    assert got == as_bytes(source if want is None else want)
    assert modsyntax.format_syntax(modsyntax.parse("go.mod", got)) == got


ERRORS = {
    "x (\n": "go.mod:2: syntax error (unterminated block started at go.mod:1:1)",
    "a\n  x (\nb": "go.mod:3:2: syntax error (unterminated block started at go.mod:2:3)",
    "x (\n) y\n": "go.mod:2:4: syntax error (expected newline after closing paren)",
    'x "abc\n': "go.mod:1:7: unexpected newline in string",
    'x "abc': "go.mod:1:3: unexpected EOF in string",
    'x "abc\\': "go.mod:1:3: unexpected EOF in string",
    "x `a\\`b\n": None,
    "/* c */": "go.mod:1: mod files must use // comments (not /* */ comments)",
    "x ab/*c*/": "go.mod:1:5: mod files must use // comments (not /* */ comments)",
    "\ufeffmodule m": "go.mod:1: unexpected input character '\\ufeff'",
    "世 a\0b": "go.mod:1:4: unexpected input character '\\x00'",
    "x \u00a0": "go.mod:1:3: unexpected input character '\\u00a0'",
    "x \U000e0001": "go.mod:1:3: unexpected input character '\\U000e0001'",
}


@pytest.mark.parametrize("source", ERRORS)
def test_errors_say_where(source: str) -> None:
    if ERRORS[source] is None:
        modsyntax.parse("go.mod", source.encode())
        return
    with pytest.raises(ModFileError) as caught:
        modsyntax.parse("go.mod", source.encode())
    assert str(caught.value) == ERRORS[source]
    assert len(caught.value.problems) == 1


WORD = st.text(st.sampled_from("abz019./-_=@!+~世é\\'"), min_size=1, max_size=6).filter(
    lambda w: "//" not in w
)
TOKEN = st.one_of(WORD, st.sampled_from(["=>", "[", "]", ",", '"a b"', '"\\""', "`x y`", "v1.2.3"]))
COMMENT = st.one_of(st.just(""), st.sampled_from([" // indirect", " // a  b ", "//c"]))
LINE = st.tuples(WORD, st.lists(TOKEN, max_size=4), COMMENT).map(lambda t: " ".join([t[0], *t[1]]) + t[2])
FILLER = st.sampled_from(["", "", "// whole line", "\t", "  // indented"])
BLOCK = st.tuples(WORD, COMMENT, st.lists(st.one_of(LINE, FILLER), max_size=5), COMMENT).map(
    lambda t: "\n".join([f"{t[0]} ({t[1]}", *("\t" + line for line in t[2]), f"){t[3]}"])
)
FILE = st.lists(st.one_of(LINE, FILLER, BLOCK), max_size=8).map("\n".join)


def words(syntax: modsyntax.FileSyntax) -> list[list[str]]:
    return [(block.tokens if block else []) + line.tokens for block, line in syntax.lines()]


@given(FILE, st.sampled_from(["\n", "\r\n"]))
def test_formatting_is_stable_and_keeps_words_and_comments(source: str, newline: str) -> None:
    data = source.replace("\n", newline).encode()
    tree = modsyntax.parse("go.mod", data)
    once = modsyntax.format_syntax(tree)
    again = modsyntax.parse("go.mod", once)
    assert modsyntax.format_syntax(again) == once
    assert words(again) == words(tree)
    assert once.count(b"//") == data.count(b"//")


@given(st.binary(max_size=200))
def test_any_bytes_give_a_tree_or_an_error_with_a_place(data: bytes) -> None:
    try:
        tree = modsyntax.parse("go.mod", data)
    except ModFileError as error:
        places = [problem.position.line for problem in error.problems]
    else:
        places = [line.start.line for _, line in tree.lines()]
        modsyntax.parse("go.mod", modsyntax.format_syntax(tree))
    assert all(1 <= place <= data.count(b"\n") + 1 for place in places)


@pytest.mark.parametrize(
    "piece", ["require a v1\n", "x", "// c\n", '"\\', "(\n", ") ", "a\t", "x ()\n", "/", "\n", "`"]
)
def test_big_files_are_read_in_one_pass(piece: str) -> None:
    data = (piece * (size(60_000, 10_000_000) // len(piece))).encode()
    with contextlib.suppress(ModFileError):
        modsyntax.format_syntax(modsyntax.parse("go.mod", data))


# --- words


@given(st.text())
def test_only_words_that_must_be_are_quoted(text: str) -> None:
    assert must_quote(text) or auto_quote(text) == text


def test_broken_bytes_survive_quoting() -> None:
    text = b"a\xff b".decode("utf-8", "surrogateescape")
    assert auto_quote(text) == '"a\\xff b"'
    assert unquote(auto_quote(text)) == text
