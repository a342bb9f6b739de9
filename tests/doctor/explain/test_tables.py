"""The tables of explain hold together: what a signature asks for can be there, and what it says can be explained."""

import re
import string

import pytest

from goferry.doctor.causes import BY_KEY
from goferry.doctor.explain import facts, surroundings, targets
from goferry.doctor.explain.advice import ADVICE, UNKNOWN, Advice
from goferry.doctor.explain.signatures import SIGNATURES, Signature
from goferry.doctor.verdict import Certainty

READ_FROM_WORDS = {tag for tag, *_ in (*facts.WORDS, *facts.PATTERNS)} | {"dial_timeout", "dial_refused"}
READ_FROM_PLACES = {tag for tag, *_ in surroundings.PLACES} | {
    "goproxy_shown", "goproxy_is_direct", "goproxy_elsewhere", "goproxy_semicolon",
    "comma_behind_it", "mirror_behind_it", "comma_list", "mirrors_by_comma",
}  # fmt: skip
READ_FROM_TARGETS = {
    "proxy", "zip", "storage", "no_url", "sumdb", "via_proxy", "import_host", "code_host", "other_url", "toolchain",
    "public_host", "inside_host", "google_host", "public_code", "own_mirror", "ip_host", "ipv4", "ipv6",
    "to_loopback", "to_zero", "to_private", "to_fake_ip", "to_forged", "to_stranger", "to_google", "raw_content",
    "redirector", "closed_host", "near_mirror",
}  # fmt: skip
READ_FROM_THE_MESSAGE = {
    "dialled",
    "dials_another",
    "odd_port",
    "times",
    "long_past",
    "release",
    "odd_pseudo",
    "old_pseudo",
    "git_suffix",
    "placeholder",
    "plain_http",
    "private_name",
    "said",
}
KNOWN = READ_FROM_WORDS | READ_FROM_PLACES | READ_FROM_TARGETS | READ_FROM_THE_MESSAGE


def _asked(signature: Signature) -> set[str]:
    return set().union(*signature.needs, signature.lacks)


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda s: s.cause)
def test_a_signature_asks_for_tags_that_something_reads_and_names_causes_that_exist(
    signature: Signature,
) -> None:
    plain = {re.sub(r"^(said|module)_", "", tag) for tag in _asked(signature)}
    said = {tag.removeprefix("said_") for tag in _asked(signature) if tag.startswith("said_")}
    assert plain <= KNOWN
    assert said <= READ_FROM_WORDS | {"public_host", "inside_host"}
    assert {signature.cause, *signature.others} <= set(BY_KEY)
    assert signature.cause not in signature.others
    assert signature.needs


def test_no_tag_is_read_for_nothing() -> None:
    asked = {re.sub(r"^(said|module)_", "", tag) for row in SIGNATURES for tag in _asked(row)}
    assert {tag for tag, *_ in (*facts.WORDS, *facts.PATTERNS, *surroundings.PLACES)} <= asked


def test_no_signature_stands_behind_one_that_always_fits_before_it() -> None:
    hidden = [
        (before.cause, row.cause)
        for position, row in enumerate(SIGNATURES)
        for before in SIGNATURES[:position]
        if before.lacks <= row.lacks and all(any(n <= need for n in row.needs) for need in before.needs)
    ]
    assert hidden == []


def test_every_cause_that_a_text_can_have_has_a_signature_that_is_more_than_possible() -> None:
    named = {row.cause for row in SIGNATURES if row.certainty is not Certainty.POSSIBLE}
    only_possible = {row.cause for row in SIGNATURES} - named
    assert only_possible == {
        "captive_portal", "mirror_lag_negative_cache", "mtu_blackhole", "tls_large_clienthello",
    } - named  # fmt: skip


def test_words_are_lower_case_as_they_are_looked_for_in_lower_case() -> None:
    assert [word for _tag, words in facts.WORDS for word in words if word != word.lower()] == []


@pytest.mark.parametrize("advice", [*ADVICE.values(), UNKNOWN], ids=[*ADVICE, "unknown"])
def test_advice_is_said_with_nothing_but_the_known_parts(advice: Advice) -> None:
    parts = {"host": "h", "path": "p", "module": "m", "prefix": "x"}
    texts = (advice.fix, advice.probe, advice.probe_command, *advice.commands, *advice.docker, *advice.ci)
    for text in texts:
        assert {name for _, name, _, _ in string.Formatter().parse(text) if name is not None} <= set(parts)
        assert text.format(**parts)


def test_every_cause_has_advice() -> None:
    assert set(ADVICE) == set(BY_KEY)


@pytest.mark.parametrize(
    ("url", "role"),
    [
        ("https://proxy.example.org/github.com/a/b/@v/v1.0.0.mod", "proxy"),
        ("https://proxy.example.org/github.com/a/b/@v/v1.0.0.zip", "proxy zip"),
        ("https:/proxy.example.org/@v/v1.0.0.zip", "proxy zip"),  # as Go 1.20 joined it
        ("http://127.0.0.1:3000/github.com/a/b/@latest", "proxy"),
        ("https://sum.golang.org/lookup/github.com/a/b@v1.0.0", "sumdb"),
        ("https://goproxy.io/sumdb/sum.golang.org/tile/8/0/x003/099", "sumdb via_proxy"),
        ("https://gosum.io/lookup/github.com/a/b@v1.0.0", "sumdb"),
        ("https://golang.org/x/net?go-get=1", "import_host"),
        ("https://api.example.com/v1/things", "other_url"),
    ],
)
def test_the_shape_of_a_url_tells_who_was_asked(url: str, role: str) -> None:
    target = targets.target_of(f'Get "{url}": EOF')
    assert target.url == url
    assert " ".join(targets.role_tags(f'Get "{url}": EOF', target)) == role


@pytest.mark.parametrize(
    ("address", "host", "tag"),
    [
        ("0.0.0.0", "goproxy.cn", "to_zero"),
        ("127.0.0.1", "goproxy.cn", "to_loopback"),
        ("198.18.0.9", "goproxy.cn", "to_fake_ip"),
        ("10.1.2.3", "goproxy.cn", "to_private"),
        ("31.13.94.10", "goproxy.cn", "to_forged"),
        ("8.7.198.45", "goproxy.cn", "to_forged"),
        ("203.0.112.9", "golang.org", "to_stranger"),
        ("172.217.160.81", "golang.org", "to_google"),
        ("[2404:6800:4012:4::2011]", "golang.org", "to_google"),
        ("120.232.28.1", "goproxy.cn", None),
    ],
)
def test_an_address_tells_whether_the_answer_can_be_right(address: str, host: str, tag: str | None) -> None:
    family = {"ipv4", "ipv6"}
    assert set(targets.address_tags(address, host)) - family == ({tag} if tag else set())
