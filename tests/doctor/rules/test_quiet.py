# ruff: noqa: E501  # a table row with a message of go in it is longer than a line
"""What is no fault stays unsaid, and evidence of any shape is judged without an accident."""

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.doctor.causes import BY_KEY
from goferry.doctor.evidence import (
    DateSeen,
    Evidence,
    FolderSeen,
    Raw,
    Role,
    Setting,
)
from goferry.doctor.judge import judge, verdict_of
from goferry.doctor.rules import RULES
from goferry.doctor.rules.proofs import fits
from goferry.doctor.verdict import Certainty
from goferry.findings import Text
from goferry.net.failure import Failure
from ruleworlds import (
    ADDRESSES,
    CODE,
    INFO,
    MIRROR,
    MODULE,
    NOW,
    PROXY,
    SUMDB,
    VERSION,
    answer,
    cert,
    dead,
    failing,
    git,
    name,
    named,
    retest,
    run,
    shake,
    shaken,
    target,
    through,
    tunnel,
    well,
    with_settings,
)
from ruleworlds import settings as go_settings
from sizes import size

TIMEOUT = f'go: {MODULE}@{VERSION}: Get "{INFO}": dial tcp 93.184.216.10:443: i/o timeout'
RESET = (
    f'go: {MODULE}@{VERSION}: Get "{INFO}": '
    "read tcp 10.0.0.2:40000->93.184.216.10:443: read: connection reset by peer"
)
COMPANY = (cert((PROXY,), issuer="CN=Example Firewall CA", product="Fortinet FortiGate"),)

# ---- healthy worlds ----------------------------------------------------------------------------------------

HEALTHY = {
    "nothing at all": Evidence(),
    "everything well": well(),
    "slow and well": replace(well(), runs=(run(seconds=40.0),)),
    "no IPv6": dead(well(), PROXY, "network_unreachable", family=6),
    "a dead second entry": dead(well(GOPROXY=f"https://{PROXY}|https://{MIRROR}"), MIRROR, "connect_timeout"),
    "a dead origin that is not asked": replace(
        dead(well(), "example.com", "connect_timeout"), targets=(target(PROXY), target("example.com", Role.IMPORT_HOST))
    ),
    "a company's authority that go knows": shaken(well(), PROXY, chain=COMPANY, trusted=("go",)),
    "an address that others do not name": named(
        well(), PROXY, name(PROXY, "go", addresses=("93.184.216.31",)), name(PROXY, "public")
    ),
    "a private address that verifies": named(well(), PROXY, name(PROXY, "go", addresses=("10.20.0.44",))),
    "a hosts line that is right": named(well(), PROXY, name(PROXY, "go", line=3), name(PROXY, "hosts", line=3)),
    "a forward proxy with a login": through(well(), tunnel(with_credentials=True)),
    "a clock that nobody minds": replace(well(), dates=(DateSeen(PROXY, 90_000), DateSeen(SUMDB, 90_000))),
    "404, then direct": replace(well(GOPROXY=f"https://{PROXY},direct"), answers=(answer("info", 404),)),
    "another GOPROXY in a start file": with_settings(
        well(), elsewhere=(Setting("GOPROXY", f"https://{MIRROR}", "shell", ".zshrc:2"),)
    ),
    "a build cache that is full": with_settings(
        well(),
        folders=(
            FolderSeen("GOMODCACHE", "/x/mod", True, True, free_bytes=1 << 30, free_inodes=1000),
            FolderSeen("GOCACHE", "/x/build", True, False, failure="no_space"),
        ),
    ),
    "no go, and the mirror gives everything": replace(well(), runs=()),
    "no go, and the mirror gives everything compressed": replace(
        well(),
        runs=(),
        answers=tuple(
            replace(each, headers={"content-encoding": "gzip"}, size=40, body="\x1f\x8b") for each in well().answers
        ),
    ),
    "a second name server that is dead": named(
        well(), PROXY, name(PROXY), name(PROXY, "server"), name(PROXY, "server", server="93.184.216.54:53", failure="dns_timeout")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HEALTHY)
def test_a_healthy_world_has_no_fault(case: str) -> None:
    found = judge(HEALTHY[case])
    assert found == ()
    assert verdict_of(found, failed=False) is None


# ---- look-alikes: what a rule must not say ----------------------------------------------------------------

LOOK_ALIKES = {
    "different answers, and TLS verifies at the local one": (
        named(failing(TIMEOUT), PROXY, name(PROXY, "go"), name(PROXY, "public", addresses=("93.184.216.31",))),
        "dns_hijacked",
    ),
    "nobody knows the name": (
        named(failing(f'go: Get "{INFO}": dial tcp: lookup {PROXY}: no such host'), PROXY,
              name(PROXY, "go", failure="dns_not_found", rcode="NXDOMAIN"),
              name(PROXY, "public", addresses=(), rcode="NXDOMAIN")),
        "dns_negative_filter",
    ),
    "a host that is dead both ways is no black hole of NO_PROXY": (
        dead(failing(TIMEOUT), PROXY, "connect_timeout"), "no_proxy_black_hole",
    ),
    "the whole network is away": (
        dead(dead(dead(failing(TIMEOUT), PROXY, "connect_timeout"), SUMDB, "connect_timeout"), MIRROR, "connect_timeout"),
        "sandbox_no_network",
    ),
    "a small hello that fails as well": (
        shaken(failing(RESET), PROXY, shake(PROXY, hello="small", failure="reset"), failure="reset"), "tls_large_clienthello",
    ),
    "small packets that stall as well": (
        shaken(failing(RESET), PROXY, shake(PROXY, hello="large", mss=1200, failure="stalled"), failure="stalled"), "mtu_blackhole",
    ),
    "another name that is cut as well": (
        shaken(failing(RESET), PROXY, shake(PROXY, sni="example.com", failure="reset"), failure="reset"), "sni_filtered",
    ),
    "both families die": (
        shaken(failing(RESET), PROXY, failure="stalled"), "ipv6_path_broken",
    ),
    "an expired certificate, and a clock that is right": (
        replace(shaken(failing(RESET), PROXY, wrong="expired"), dates=(DateSeen(PROXY, 2), DateSeen(SUMDB, 1))), "clock_skew",
    ),
    "an expired certificate, and a clock that is wrong": (
        replace(shaken(failing(RESET), PROXY, wrong="expired"), taken=NOW, dates=(DateSeen(PROXY, 9e6), DateSeen(SUMDB, 9e6))),
        "server_cert_expired",
    ),
    "a public authority that is missing here is no inspection": (
        shaken(failing(RESET), PROXY, wrong="unknown_authority", trusted=("public",)), "tls_mitm_corporate_ca",
    ),
    "a bundle that is there, and a product that signs": (
        shaken(failing(RESET), PROXY, wrong="unknown_authority", chain=COMPANY), "ca_bundle_missing_or_stale",
    ),
    "404 leads over a comma": (
        failing(f"go: {MODULE}@{VERSION}: reading {INFO}: 404 Not Found", GOPROXY=f"https://{PROXY},direct"), "goproxy_comma_no_fallback",
    ),
    "a bar is no comma": (
        failing(f"go: {MODULE}@{VERSION}: reading {INFO}: 502 Bad Gateway", GOPROXY=f"https://{PROXY}|direct"), "goproxy_comma_no_fallback",
    ),
    "a loopback proxy outside of containers": (
        through(failing(f'go: Get "{INFO}": proxyconnect tcp: dial tcp 127.0.0.1:3128: connect: connection refused'),
                tunnel(0, step="dial", failure="proxy_unreachable")),
        "forward_proxy_loopback_in_container",
    ),
    "another GOPROXY elsewhere, and a mirror that answers": (
        with_settings(failing(f"go: {MODULE}@{VERSION}: reading {INFO}: 502 Bad Gateway"),
                      elsewhere=(Setting("GOPROXY", f"https://{MIRROR}", "shell", ".zshrc:2"),)),
        "goproxy_setting_not_effective",
    ),
    "the origin has no such version either": (
        replace(failing(f"go: {MODULE}@{VERSION}: reading {INFO}: 404 Not Found"),
                runs=(run(1, f"go: {MODULE}@{VERSION}: reading {INFO}: 404 Not Found"), git(output=f"{'a' * 40}\trefs/tags/v1.0.0\n"))),
        "goproxy_lacks_module_no_direct",
    ),
    "a database that is away beside mirrors that stand in": (
        dead(replace(failing(TIMEOUT), answers=(answer("supported", 200),)), SUMDB, "connect_timeout"), "sumdb_unreachable",
    ),
    "a host's own way to https is no sign-in page": (
        replace(failing(TIMEOUT), answers=(answer("portal", 301, -1, url=f"http://{PROXY}/generate_204", redirect=f"https://www.{PROXY}/"),)),
        "captive_portal",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", LOOK_ALIKES)
def test_a_look_alike_is_not_called_so(case: str) -> None:
    evidence, cause = LOOK_ALIKES[case]
    by_evidence = [judgement for judgement in judge(evidence) if judgement.rule != "R00"]
    assert cause not in {judgement.cause for judgement in by_evidence}


# ---- re-tests ----------------------------------------------------------------------------------------------

SHADOWED = replace(
    go_settings(GOPROXY=f"https://{PROXY},direct"),
    elsewhere=(Setting("GOPROXY", "https://goproxy.cn", "shell", ".zshrc:2"),),
)
CHANGES: tuple[tuple[str, dict[str, str], bool], ...] = (
    ("goproxy_off", {"GOPROXY": f"https://{MIRROR}"}, True),
    ("goproxy_off", {"GODEBUG": "tlsmlkem=0"}, False),
    ("goproxy_comma_no_fallback", {"GOPROXY": f"https://{PROXY}|direct"}, True),
    ("goproxy_comma_no_fallback", {"GOPROXY": f"https://{MIRROR}"}, False),
    ("goproxy_setting_not_effective", {"GOPROXY": "https://goproxy.cn"}, True),
    ("goproxy_setting_not_effective", {"GOPROXY": f"https://{MIRROR}"}, False),
    ("forward_proxy_broken", {"HTTPS_PROXY": "", "https_proxy": ""}, True),
    ("forward_proxy_broken", {"HTTPS_PROXY": "", "GOPROXY": "direct"}, False),
    ("no_proxy_missing", {"NO_PROXY": ".corp.example.com"}, True),
    ("no_proxy_missing", {"HTTPS_PROXY": ""}, False),
    ("tls_large_clienthello", {"GODEBUG": "tlsmlkem=0"}, True),
    ("tls_large_clienthello", {"GODEBUG": "http2client=0"}, False),
    ("tls_mitm_corporate_ca", {"SSL_CERT_FILE": "/x.pem"}, True),
    ("tls_mitm_corporate_ca", {"GOPROXY": "direct"}, False),
    ("transient_network", {}, True),
    ("transient_network", {"GOPROXY": "direct"}, False),
    ("clock_skew", {"GOPROXY": "direct"}, False),
    ("dns_hijacked", {"GOPROXY": f"https://{MIRROR}"}, False),
)  # fmt: skip


@pytest.mark.parametrize(("cause", "change", "proves"), CHANGES)
def test_a_success_proves_only_what_was_changed_for_it(
    cause: str, change: Mapping[str, str], proves: bool
) -> None:
    assert fits(Evidence(settings=SHADOWED), cause, change) is proves


def test_a_retest_that_failed_proves_nothing() -> None:
    text = "go: module lookup disabled by GOPROXY=off"
    evidence = failing(text, GOPROXY="off")
    tried = replace(evidence, runs=(*evidence.runs, retest(f"GOPROXY=https://{MIRROR}", exit=1)))
    assert [judgement.proven for judgement in judge(tried)] == [False]


# ---- evidence of any shape ---------------------------------------------------------------------------------

WORDS = st.sampled_from((
    "", "go", "server", "public", "hosts", "retest", "git ls-remote", "small", "large", "info", "zip", "list", "supported",
    "lookup", "portal", "go_get", "connect", "dial", "NXDOMAIN", "wrong_host", "expired", "unknown_authority", "incomplete",
    PROXY, SUMDB, MIRROR, CODE, "example.com", "git.corp.example.com", "::1", "127.0.0.1", "0.0.0.0", "not an address",
    *ADDRESSES[PROXY], f"{PROXY}:443", f"https://{PROXY}", INFO, f"https://{PROXY},direct", "direct", "off", "https://[",
    "GOPROXY", "GOSUMDB", "GO111MODULE", "GOPRIVATE", "GOPROXY=direct", "HTTPS_PROXY=", f"{MODULE}@{VERSION}", TIMEOUT, RESET,
    "url.ssh://git@git.example.org/.insteadof", "go1.26.1", "1.99", "go: module lookup disabled by GOPROXY=off", "<html>",
    *(failure.value for failure in Failure), *(failure.value for failure in Raw),
))  # fmt: skip


def any_of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type, with words that mean something in their place and in others."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if dataclasses.is_dataclass(kind):
        return any_record(typing.cast(Any, kind))
    if origin is tuple:
        return st.lists(any_of(inner[0]), max_size=4).map(tuple)
    if origin is not None and issubclass(origin if isinstance(origin, type) else Mapping, Mapping):
        return st.dictionaries(WORDS, WORDS, max_size=3)
    if inner:
        return st.one_of(*(any_of(each) for each in inner))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return SIMPLE[kind]


SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: WORDS,
    bool: st.booleans(),
    int: st.sampled_from((-1, 0, 1, 4, 6, 22, 200, 302, 403, 404, 407, 429, 443, 502, 504)),
    float: st.sampled_from((0.0, 0.01, 6.0, 30.0, NOW, -1e9)),
    type(None): st.none(),
    Text: WORDS.map(lambda words: Text("{words}", words=words)),
}


def _later(kind: Any) -> st.SearchStrategy[Any]:
    return st.deferred(lambda: any_of(kind))


def any_record(cls: type[Any]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(cls)
    fields = {field.name: _later(hints[field.name]) for field in dataclasses.fields(cls)}
    if cls is Setting:
        fields["shadowed"] = st.just(())
    return st.builds(cls, **fields)


@given(any_record(Evidence))
@settings(max_examples=size(40, 5000), deadline=None)
def test_any_evidence_is_judged(evidence: Evidence) -> None:
    for judgement in judge(evidence):
        assert judgement.cause in BY_KEY
        assert str(judgement.detail)
        assert judgement.proof is None or judgement.certainty is Certainty.CERTAIN
        assert judgement.cause in {
            cause for rule in RULES if rule.code == judgement.rule for cause in rule.causes
        }


@given(any_record(Evidence))
@settings(max_examples=size(20, 2000), deadline=None)
def test_a_command_that_worked_at_once_has_no_fault_but_the_disk(evidence: Evidence) -> None:
    fine = replace(evidence, subject=type(evidence.subject)(), runs=(run(),))
    assert {judgement.rule for judgement in judge(fine)} <= {"R44"}
