"""The head of Go files is read as the go command reads it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from goferry.gomod.gosource import Head, head
from oracle import Oracle, go_root
from sizes import FULL

ODD = [
    b"package p",
    b"\xef\xbb\xbfpackage p\nimport `a`\n",
    b"/* a */ package /* b */ p; import \"a\"; import (x \"b\"; . \"c\"\n_ \"d\"); var x = `import \"no\"`\n",
    b"// +build ignore\n\npackage p\n",
    b"// +build ignore\npackage p\n",
    b"// +build !ignore\n\npackage p\n",
    b"// +build a,ignore b\n\npackage p\n",
    b"// +build a\n// +build ignore\n\npackage p\n",
    b"//go:build ignore\n\npackage p\n",
    b"//go:build ignore\npackage p\n",
    b"//go:build !ignore\npackage p\n",
    b"//go:build linux && !linux\npackage p\n",
    b"//go:build !(a || !ignore)\npackage p\n",
    b"//go:build !(ignore && a) && (b || ignore)\npackage p\n",
    b"//go:build ignore || (a && !go1.99)\npackage p\n",
    b"//go:build (a\npackage p\n",
    b"//go:build a b\npackage p\n",
    b"//go:build a\n//go:build b\npackage p\n",
    b"//go:buildx ignore\npackage p\n",
    b"/*\n//go:build ignore\n*/\npackage p\n",
    b"/* x */ //go:build ignore\npackage p\n",
    b"// text\n\n/*\nmore\n*/\n\n// +build ignore\n\npackage p\n",
    b"//go:build linux\n// +build ignore\n\npackage p\n",
    b"//go:build !!ignore\npackage p\n",
    b"//go:build a-b || c\npackage p\n",
    b"//go:build\npackage p\n",
    b"//go:build ignore\n//go:build !ignore\npackage p\n",
    b"// +buildx ignore\n\npackage p\n",
    b"// +build !!a\n\npackage p\n",
    b"// +build !\n\npackage p\n",
    b"// +build a-b\n\npackage p\n",
    b"// +build !a-b\n\npackage p\n",
    b"// +build\n\npackage p\n",
    b"/* x */\n\n// +build ignore\n\npackage p\n",
    b"package p;import\f\"a\";;import(\"b\" \"c\")\n",
    b"package p\n\n//go:build ignore\n",
    b"// no part of the package\n\n// +build ignore\n\npackage main\n",
    b"package p\nimport \"C\"\nimport (\n\t\"a\" // why\n\t/* x */ y \"b\"\n)\nfunc f() {}\n",
    b"package p\nimport \"\\x61b\"\nimport ()\nimport \"z\"\n",
]  # fmt: skip


def _files() -> Iterator[Path]:
    root = go_root()
    if root is not None:
        places = ("src/cmd/go", "src/crypto", "src/cmd/compile/internal", "src/embed", "src/os")
        folders = [root / "src"] if FULL else [root / place for place in places]
        for folder in folders:
            yield from (file for file in sorted(folder.rglob("*.go")) if file.is_file())


@pytest.mark.go
def test_files_are_read_as_go_reads_them(oracle: Oracle) -> None:
    bodies = [*ODD, *(file.read_bytes() for file in _files())]
    told = oracle.ask_all("imports.Head", [(body,) for body in bodies])
    compared = 0
    for body, answer in zip(bodies, told, strict=True):
        if not answer.ok:
            continue  # what go cannot read it refuses to build
        found = head(body)
        assert [_as_json_has_it(path) for path in found.paths] == list(
            dict.fromkeys(answer.value["Imports"])
        ), body[:300]
        assert (not found.excluded) == answer.value["Builds"], body[:300]
        compared += 1
    assert compared > len(ODD)


def _as_json_has_it(path: str) -> str:
    """Go's JSON has no bytes that are no text; one file of Go's own tests imports a path with such a byte."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def test_patterns_of_embedded_files_are_read_where_embed_is_imported() -> None:
    text = b"""package p

import _ "embed"

//go:embed a.txt dir/*.json
//go:embed "with space.txt" `raw name`
var a string

// text //go:embed no
var s = "//go:embed no"
var r = `
//go:embed no
`

	//go:embed	all:deep
var b string
//go:embedded no
"""
    assert head(text).embeds == ("a.txt", "dir/*.json", "with space.txt", "raw name", "all:deep")
    assert head(text.replace(b'"embed"', b'"other"')).embeds == ()


@pytest.mark.parametrize(
    "text", [b"", b"hello", b"//go:build ignore\n", b"\xff\xfe\x00", b"package", b"package p\nimport"]
)
def test_what_is_no_go_is_nothing(text: bytes) -> None:
    assert head(text).imports == ()
    assert head(text).package in ("", "p")


def test_a_file_without_a_package_is_none() -> None:
    assert head(b'import "a"\n') == Head()
