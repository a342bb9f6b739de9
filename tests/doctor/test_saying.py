"""What went wrong is said in goferry's own words, in the language that is spoken when it is shown."""

import json

import pytest

from goferry import i18n
from goferry.doctor.evidence import Raw
from goferry.doctor.saying import PHRASES, TELLING, ended, failed, listed
from goferry.findings import Text
from goferry.net.failure import Failure

SYSTEM = "[Errno 111] Connect call failed ('127.0.0.1', 4711)"

# failure, text of the record, what people read
WORDS = [
    ("connect_refused", SYSTEM, "connection refused"),
    ("connect_refused", "", "connection refused"),
    ("dns_not_found", "(4, 'Domain name not found')", "no such name"),
    ("proxy_unreachable", f"connect_refused: {SYSTEM}", "the forward proxy cannot be reached (connection refused)"),
    ("proxy_unreachable", SYSTEM, "the forward proxy cannot be reached"),
    ("proxy_denied", "403 Blocked by policy", "the forward proxy refused the tunnel (403 Blocked by policy)"),
    ("alert", "handshake failure", "the server refused the handshake (handshake failure)"),
    ("a_new_code", "words of its own", "words of its own"),
    ("a_new_code", "", "a_new_code"),
    ("", "", ""),
]  # fmt: skip


@pytest.mark.parametrize(("failure", "text", "words"), WORDS)
def test_a_failure_is_said_in_our_words(failure: str, text: str, words: str) -> None:
    assert str(failed(failure, text)) == words


def test_every_failure_has_words_in_both_languages() -> None:
    assert {*Failure, *Raw} | TELLING <= set(PHRASES)
    english = [str(failed(code)) for code in PHRASES]
    i18n.activate("zh")
    assert [code for code, said in zip(PHRASES, english, strict=True) if str(failed(code)) == said] == []


def test_several_failures_are_named_once_each() -> None:
    said = listed(["connect_timeout", "connect_refused", "connect_refused"])
    assert str(said) == "connection refused, no connection in time"
    assert listed([]) == ""


def test_a_status_says_more_than_a_failure() -> None:
    assert ended(502, "", "") == "502"
    assert str(ended(0, "first_byte_timeout", SYSTEM)) == "no answer in time"


def test_a_sentence_within_a_sentence_is_kept_and_translated_with_it() -> None:
    said = Text("{url}: {said}", url="https://a.example.org", said=failed("connect_refused"))
    data = json.loads(json.dumps(said.to_json()))
    assert data["text"] == "https://a.example.org: connection refused"
    assert data["parts"]["said"]["key"] == "connection refused"
    assert Text.from_json(data) == said
    assert hash(Text.from_json(data)) == hash(said)
    i18n.activate("zh")
    assert "connection" not in str(Text.from_json(data))
    assert said.to_json() == data
