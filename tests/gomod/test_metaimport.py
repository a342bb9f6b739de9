from dataclasses import replace

import pytest

from goferry.gomod.metaimport import (
    MalformedPage,
    MetaImport,
    NoImport,
    match_import,
    parse_meta_imports,
)

FOO = '<meta name="go-import" content="foo/bar git https://github.com/rsc/foo/bar">'
FOO_TAG = MetaImport("foo/bar", "git", "https://github.com/rsc/foo/bar")
FOO_MOD = '<meta name="go-import" content="foo/bar mod http://github.com/rsc/baz/quux">'
MYITCV = (
    '<meta name="go-import" content="myitcv.io git https://github.com/myitcv/x">\n'
    '<meta name="go-import" content="myitcv.io/blah2 mod https://raw.example.org/myitcv/pubx/master">'
)
MYITCV_TAGS = (
    MetaImport("myitcv.io/blah2", "mod", "https://raw.example.org/myitcv/pubx/master"),
    MetaImport("myitcv.io", "git", "https://github.com/myitcv/x"),
)

# Vectors: facts from golang/go cmd/go internal/vcs/discovery_test.go (BSD-3-Clause).
GO_VECTORS = [
    (FOO, False, (FOO_TAG,)),
    (
        FOO + '\n<meta name="go-import" content="baz/quux git http://github.com/rsc/baz/quux">',
        False,
        (FOO_TAG, MetaImport("baz/quux", "git", "http://github.com/rsc/baz/quux")),
    ),
    (FOO + FOO_MOD, False, (FOO_TAG,)),
    (FOO_MOD + FOO, False, (FOO_TAG,)),
    (FOO_MOD + FOO, True, (MetaImport("foo/bar", "mod", "http://github.com/rsc/baz/quux"),)),
    (f"<head>{FOO}</head>", False, (FOO_TAG,)),
    (f"{FOO}<body>", False, (FOO_TAG,)),
    (f"<!doctype html>{FOO}", False, (FOO_TAG,)),
    (
        "<!doctype html><title>Page Not Found</title><meta name=go-import "
        'content="chitin.io/chitin git https://github.com/chitin-io/chitin">'
        "<div style=position:relative>DRAFT</div>",
        False,
        (MetaImport("chitin.io/chitin", "git", "https://github.com/chitin-io/chitin"),),
    ),
    (MYITCV, False, MYITCV_TAGS[1:]),
    (MYITCV, True, MYITCV_TAGS),
    (FOO.replace('bar">', 'bar sub/dir">'), False, (replace(FOO_TAG, subdir="sub/dir"),)),
]  # fmt: skip

# What encoding/xml makes of pages that browsers show without a word.
ODD_PAGES = [
    ("nothing here", ()),
    ("", ()),
    (f"</head>{FOO}", ()),
    (f"<BODY>{FOO}", ()),
    (f"<!-- {FOO} -->", ()),
    (f"<![CDATA[ {FOO} ]]>", ()),
    (f'<!DOCTYPE html [<!ENTITY x "<y>">]>{FOO}', (FOO_TAG,)),
    ('<?xml version="1.0" encoding="UTF-8"?>' + FOO, (FOO_TAG,)),
    (f"<script async>{FOO}", (FOO_TAG,)),
    ("<META NAME='go-import' CONTENT='a git https://b'/>", (MetaImport("a", "git", "https://b"),)),
    ('<meta name="go-import" content="a git https://b?x=1&amp;y=2&#33;">', (MetaImport("a", "git", "https://b?x=1&y=2!"),)),
    ('<meta name="go-import" content="a git">', ()),
    ('<meta name="Go-Import" content="a git https://b">', ()),
    ('<meta name="go-source" content="a b c d">', ()),
    (f"{FOO}<script>if (a < b) {{}}</script>{FOO}", (FOO_TAG,)),
    (f"{FOO}\xff\x00", (FOO_TAG,)),
]  # fmt: skip

BROKEN_PAGES = [
    f"<script>if (a < b) {{}}</script>{FOO}",
    f"<a href=/x>{FOO}",
    f"<!-- {FOO}",
    f'<?xml version="1.0" encoding="gb2312"?>{FOO}',
    f"</>{FOO}",
    f'<a title="x>{FOO.replace(chr(34), "")}',
    f"\x01{FOO}",
]


@pytest.mark.parametrize(("page", "prefer_mod", "expected"), GO_VECTORS)
def test_tags_are_read_as_go_reads_them(
    page: str, prefer_mod: bool, expected: tuple[MetaImport, ...]
) -> None:
    assert parse_meta_imports(page.encode(), prefer_mod=prefer_mod) == expected


@pytest.mark.parametrize(("page", "expected"), ODD_PAGES)
def test_odd_pages_give_what_go_finds_in_them(page: str, expected: tuple[MetaImport, ...]) -> None:
    assert parse_meta_imports(page.encode("latin-1")) == expected


@pytest.mark.parametrize("page", BROKEN_PAGES)
def test_a_page_that_breaks_the_parser_before_the_tag_is_malformed(page: str) -> None:
    with pytest.raises(MalformedPage):
        parse_meta_imports(page.encode())


def test_bytes_that_are_no_text_are_malformed() -> None:
    with pytest.raises(MalformedPage):
        parse_meta_imports(b"\xff\xfe<\0m\0e\0t\0a")


TAGS = [
    MetaImport("example.com/a", "git", "one"),
    MetaImport("example.com/b", "git", "two"),
    MetaImport("example.com/b", "hg", "three"),
]


def test_the_tag_for_the_path_or_for_its_leading_elements_is_taken() -> None:
    assert match_import(TAGS, "example.com/a").root == "one"
    assert match_import(TAGS, "example.com/a/x/v2").root == "one"


def test_a_tag_for_a_proxy_needs_no_other() -> None:
    both = (MetaImport("example.com", "mod", "proxy"), MetaImport("example.com/a", "git", "one"))
    assert match_import(both, "example.com/a").root == "proxy"


@pytest.mark.parametrize("path", ["example.com", "example.com/ab", "example.org/a", "example.com/b"])
def test_no_tag_and_two_tags_for_a_path_are_refused(path: str) -> None:
    with pytest.raises(NoImport):
        match_import(TAGS, path)
