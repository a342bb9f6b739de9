"""GOFLAGS: words, quotes, and what stops every go command; the real go has the last word."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from goferry.gomod import goflags
from goferry.gomod.goflags import InvalidFlags
from oracle import go_command

FLAGS: list[tuple[str, tuple[str, ...]]] = [
    ("", ()),
    ("  ", ()),
    ("-v", ("-v",)),
    (" -v\t--mod=mod ", ("-v", "--mod=mod")),
    ("'-ldflags=-s -w' -v", ("-ldflags=-s -w", "-v")),
    ('"-tags=a b"', ("-tags=a b",)),
    ("-tags='a", ("-tags='a",)),
    ('-ldflags="-s -w"', ('-ldflags="-s', '-w"')),
]
BROKEN: list[tuple[str, str]] = [
    ("-mod mod", 'non-flag "mod"'),
    ("v", 'non-flag "v"'),
    ("-", 'non-flag "-"'),
    ("--", 'non-flag "--"'),
    ("---v", 'non-flag "---v"'),
    ("-=x", 'non-flag "-=x"'),
    ('"-v', 'unterminated " string'),
    ("-v '-x", "unterminated ' string"),
    ('""', 'non-flag ""'),
]


@pytest.mark.parametrize(("text", "want"), FLAGS)
def test_words_are_split_and_quotes_hold_whole_words(text: str, want: tuple[str, ...]) -> None:
    assert goflags.parse(text) == want


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_a_broken_value_is_refused(text: str, why: str) -> None:
    with pytest.raises(InvalidFlags) as caught:
        goflags.parse(text)
    assert str(caught.value) == f"parsing $GOFLAGS: {why}"


@pytest.mark.go
@pytest.mark.parametrize("text", [text for text, _why in BROKEN] + [text for text, _want in FLAGS])
def test_go_stops_at_the_same_values_with_the_same_words(text: str, tmp_path: Path) -> None:
    assert go_command() is not None
    environ = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "GOFLAGS": text, "GOTOOLCHAIN": "local"}
    run = subprocess.run(["go", "version"], env=environ, cwd=tmp_path, capture_output=True, text=True)
    said = re.findall(r"non-flag .*|unterminated .*", run.stderr)
    assert said == [why for broken, why in BROKEN if broken == text]


@pytest.mark.parametrize(
    ("text", "want"),
    [("-mod=mod -mod=vendor", "vendor"), ("--mod=mod", "mod"), ("-v", ""), ("-mod", ""), ("-modcacherw", "")],
)
def test_the_last_flag_of_a_name_counts(text: str, want: str) -> None:
    assert goflags.value(goflags.parse(text), "mod") == want
