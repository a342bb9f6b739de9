"""Saved evidence is read again as it was, and what is no evidence is named."""

import json

import pytest

from goferry.doctor import codec
from goferry.doctor.evidence import Evidence, Skipped
from goferry.errors import InvalidInput
from goferry.findings import Text

SEEN = Evidence(
    skipped=(
        Skipped("git", Text("there is no git on PATH")),
        Skipped(
            "go.mod", Text("{place}: {why}", place="go.mod:3", why=Text("no {what}", what="module line"))
        ),
    )
)


def test_sentences_come_back_with_their_parts() -> None:
    assert codec.from_bytes(codec.to_bytes(SEEN), place="x") == SEEN


def test_a_reason_of_an_earlier_file_is_kept_as_it_stands() -> None:
    data = json.loads(codec.to_bytes(SEEN))
    data["skipped"] = [{"what": "go", "why": "it says {nothing} to fill in"}]
    (skipped,) = codec.from_bytes(json.dumps(data).encode(), place="x").skipped
    assert str(skipped.why) == "it says {nothing} to fill in"


@pytest.mark.parametrize(
    "why",
    [
        pytest.param(7, id="a number"),
        pytest.param({"key": "x"}, id="no parts"),
        pytest.param({"key": "x", "parts": 3}, id="parts that are none"),
        pytest.param({"parts": {}}, id="no key"),
        pytest.param({"key": 3, "parts": {}}, id="a key that is no text"),
        pytest.param({"key": "{gone}", "parts": {}}, id="a part that is missing"),
        pytest.param({"key": "{", "parts": {}}, id="a key that cannot be filled"),
    ],
)
def test_a_broken_reason_is_named_with_its_place(why: object) -> None:
    data = json.loads(codec.to_bytes(SEEN))
    data["skipped"] = [{"what": "go", "why": why}]
    with pytest.raises(InvalidInput, match=r"^saved\.json is no saved evidence: .*skipped"):
        codec.from_bytes(json.dumps(data).encode(), place="saved.json")
