"""One entry of a vulnerability database: what is read, what is passed over, what is refused in one line."""

import json
from typing import Any

import pytest

from advisories import block, document, entry
from goferry.deps.advisories import osv
from goferry.deps.advisories.osv import Event, EventKind, InvalidAdvisory, Package, Range, Review


def with_event(**said: str) -> dict[str, Any]:
    return {**block("m"), "ranges": [{"type": "SEMVER", "events": [said]}]}


FULL = document(
    "GO-2026-0001",
    block(
        "example.org/m",
        "1.0.0 -1.2.3 1.3.0",
        imports=[{"path": "example.org/m/p", "symbols": ["F", "T.M"], "goos": ["linux"], "goarch": ["arm"]}],
        custom_ranges=[{"type": "ECOSYSTEM", "events": [{"introduced": "2024.1"}]}],
    ),
    {"package": {"name": "left-pad", "ecosystem": "npm"}, "versions": ["1"]},
    aliases=["CVE-2026-1", "CVE-2026-1", "GHSA-xxxx"],
    related=["GO-2020-0001"],
    summary="What",
    details="Much",
    references=[{"type": "FIX", "url": "https://example.org/fix"}],
    withdrawn="2026-01-02T00:00:00Z",
    published="2026-01-01T00:00:00Z",
    database_specific={"review_status": "UNREVIEWED", "url": "https://example.org/GO-2026-0001"},
    credits=[{"name": 5}],
    something_new={"a": [1]},
)


def test_an_entry_is_read_and_what_is_unknown_or_of_another_ecosystem_passed_over() -> None:
    found = osv.parse("x.json", json.dumps(FULL).encode())
    assert (found.id, found.aliases, found.related) == (
        "GO-2026-0001",
        ("CVE-2026-1", "GHSA-xxxx"),
        ("GO-2020-0001",),
    )
    assert (found.summary, found.details, found.references) == ("What", "Much", ("https://example.org/fix",))
    assert (found.review, found.url) == (Review.UNREVIEWED, "https://example.org/GO-2026-0001")
    assert (found.withdrawn, found.published) == ("2026-01-02T00:00:00Z", "2026-01-01T00:00:00Z")
    (only,) = found.affected
    assert only.module == "example.org/m"
    introduced, fixed = EventKind.INTRODUCED, EventKind.FIXED
    events = (Event(introduced, "1.0.0"), Event(fixed, "1.2.3"), Event(introduced, "1.3.0"))
    assert only.ranges == (Range("SEMVER", events),)
    assert only.packages == (Package("example.org/m/p", ("F", "T.M"), ("linux",), ("arm",)),)
    assert only.custom == (Range("ECOSYSTEM", (Event(EventKind.INTRODUCED, "2024.1"),)),)


def test_the_time_of_the_sources_is_no_time() -> None:
    assert entry("GO-1", block("example.org/m")).modified == ""


def test_a_compact_entry_says_the_same_and_is_compact_already() -> None:
    data = json.dumps(FULL, indent=2).encode()
    found, short = osv.compact("x.json", data)
    assert found == osv.parse("x.json", short) == osv.parse("x.json", data)
    assert osv.compact("x.json", short) == (found, short)
    assert b"\n" not in short
    assert b"something_new" not in short


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FULL),
        json.dumps(document("GHSA-1", block("m"), severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}])),
        json.dumps(document("GHSA-2", block("m", "0 =1.0.0 <2.0.0"), database_specific={"severity": "HIGH"})),
        json.dumps(document("GO-3", {**block("m", None), "versions": ["1.0.0"]})),
    ],
)
def test_an_encoded_entry_is_read_back_as_it_was(text: str) -> None:
    found = osv.parse("x.json", text.encode())
    assert osv.parse("y.json", osv.encode(found)) == found


def test_events_come_in_the_order_of_versions() -> None:
    (one,) = entry("GO-1", block("example.org/m", "1.19.0 -1.19.1 0 -1.18.6")).affected[0].ranges
    assert [event.version for event in one.events] == ["0", "1.18.6", "1.19.0", "1.19.1"]


def test_a_ghsa_export_has_a_severity_and_no_review() -> None:
    found = entry("GHSA-1", block("example.org/m"), database_specific={"severity": "HIGH"})
    assert (found.severity, found.review) == ("high", Review.UNKNOWN)
    vector = entry("GHSA-1", block("example.org/m"), severity=[{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N"}])
    assert vector.severity == "CVSS:3.1/AV:N"


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (b"", "x.json: not an OSV entry"),
        (b"[]", "x.json: not an OSV entry"),
        (b"\xff", "x.json: not an OSV entry"),
        (b"{", "x.json: not an OSV entry"),
        (b'{"id": 5}', "x.json: not an OSV entry.*id"),
        (b"{}", "x.json: not an OSV entry.*id"),
        (b'{"id": "../../etc/passwd"}', "x.json: '../../etc/passwd' is no id"),
        (b'{"id": ""}', "x.json: '' is no id"),
        (b"[" * 100_000, "x.json: not an OSV entry"),
        (json.dumps(document("GO-1", block(""))).encode(), "GO-1: an affected module without a name"),
        (json.dumps(document("GO-1", block("m", "one"))).encode(), "GO-1: m: 'one' is no semantic version"),
        (json.dumps(document("GO-1", block("m", "v1.0.0"))).encode(), "GO-1: m: 'v1.0.0' is no semantic version"),
        (
            json.dumps(document("GO-1", with_event())).encode(),
            "GO-1: m: an event says one of",
        ),
        (
            json.dumps(
                document("GO-1", with_event(introduced="0", fixed="1.0.0"))
            ).encode(),
            "GO-1: m: an event says one of",
        ),
    ],
)  # fmt: skip
def test_what_is_broken_is_refused_in_one_line(broken: bytes, words: str) -> None:
    with pytest.raises(InvalidAdvisory, match=words) as caught:
        osv.parse("x.json", broken)
    assert "\n" not in str(caught.value)
