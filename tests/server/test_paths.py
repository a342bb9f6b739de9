"""Paths as they come over the wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import InvalidInput
from goferry.server.paths import PathTooLong, decode_path


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b"/example.org/m/@v/list", "example.org/m/@v/list"),
        (b"/github.com/%21burnt%21sushi/toml/@v/v1.0.0.mod", "github.com/!burnt!sushi/toml/@v/v1.0.0.mod"),
        (b"/github.com/!burnt!sushi/toml/@v/v1.0.0.mod", "github.com/!burnt!sushi/toml/@v/v1.0.0.mod"),
        # A plus is a plus, and decoding happens once.
        (b"/m/@v/v2.0.0+incompatible.info", "m/@v/v2.0.0+incompatible.info"),
        (b"/m/@v/v2.0.0%2Bincompatible.info", "m/@v/v2.0.0+incompatible.info"),
        (b"/a%2521b", "a%21b"),
        (b"/%E4%B8%AD", "中"),
        (b"/", ""),
        (b"//x", "/x"),
        (b"*", "*"),
    ],
)
def test_decoded_once(raw: bytes, path: str) -> None:
    assert decode_path(raw) == path


@pytest.mark.parametrize(
    "raw",
    [
        b"/a%2Fb",
        b"/a%2fb",
        b"/a%5Cb",
        b"/a%00b",
        b"/a%0ab",
        b"/a%7fb",
        b"/a%",
        b"/a%2",
        b"/a%zz",
        b"/a%ff",
        b"/\xff",
    ],
)
def test_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInput):
        decode_path(raw)


def test_too_long() -> None:
    with pytest.raises(PathTooLong):
        decode_path(b"/" + b"a" * 8192)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_path_or_an_input_error(raw: bytes) -> None:
    try:
        path = decode_path(raw)
    except InvalidInput:
        return
    assert "\0" not in path
    assert path.count("/") <= raw.count(b"/")
