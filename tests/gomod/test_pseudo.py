"""Pseudo-versions: what they are made of and what they tell."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.gomod import pseudo, semver
from goferry.gomod.module import InvalidVersion
from oracle import Oracle
from sizes import size

# Vectors: facts from golang/mod pseudo_test.go (BSD-3-Clause): major, earlier tag, pseudo-version.
PSEUDO = [
    ("", "", "v0.0.0-20060102150405-hash"),
    ("v0", "", "v0.0.0-20060102150405-hash"),
    ("v1", "", "v1.0.0-20060102150405-hash"),
    ("v2", "", "v2.0.0-20060102150405-hash"),
    ("unused", "v0.0.0", "v0.0.1-0.20060102150405-hash"),
    ("unused", "v1.2.3", "v1.2.4-0.20060102150405-hash"),
    ("unused", "v1.2.99999999999999999", "v1.2.100000000000000000-0.20060102150405-hash"),
    ("unused", "v1.2.3-pre", "v1.2.3-pre.0.20060102150405-hash"),
    ("unused", "v1.3.0-pre", "v1.3.0-pre.0.20060102150405-hash"),
    ("unused", "v0.0.0--", "v0.0.0--.0.20060102150405-hash"),
    ("unused", "v1.0.0+metadata", "v1.0.1-0.20060102150405-hash+metadata"),
    ("unused", "v2.0.0+incompatible", "v2.0.1-0.20060102150405-hash+incompatible"),
    ("unused", "v2.3.0-pre+incompatible", "v2.3.0-pre.0.20060102150405-hash+incompatible"),
]
TIME = datetime(2006, 1, 2, 15, 4, 5, tzinfo=UTC)

# Vectors: facts from golang/mod pseudo_test.go (BSD-3-Clause).
BASELESS = [
    "v0.0.0",
    "v0.0.0-",
    "v0.0.0-0.20060102150405-hash",
    "v0.1.0-0.20060102150405-hash",
    "v1.0.0-0.20060102150405-hash",
    "v0.0.0-20060102150405-hash+incompatible",
    "v0.0.0-20060102150405-hash+metadata",
]


@pytest.mark.parametrize(("major", "older", "version"), PSEUDO)
def test_a_pseudo_version_is_made_from_its_parts_and_gives_them_back(
    major: str, older: str, version: str
) -> None:
    assert pseudo.pseudo_version(major, older, TIME, "hash") == version
    assert pseudo.is_pseudo_version(version)
    assert pseudo.pseudo_version_time(version) == TIME
    assert pseudo.pseudo_version_rev(version) == "hash"
    assert pseudo.pseudo_version_base(version) == older


@pytest.mark.parametrize("version", [row[1] for row in PSEUDO] + ["---", "v1.0.0-20060102150405"])
def test_a_tagged_version_is_no_pseudo_version(version: str) -> None:
    assert not pseudo.is_pseudo_version(version)
    for ask in (pseudo.pseudo_version_time, pseudo.pseudo_version_rev, pseudo.pseudo_version_base):
        with pytest.raises(InvalidVersion, match="syntax error"):
            ask(version)


@pytest.mark.parametrize("version", BASELESS)
def test_forms_without_a_possible_base_are_refused(version: str) -> None:
    with pytest.raises(InvalidVersion):
        pseudo.pseudo_version_base(version)


def test_the_time_is_written_in_utc() -> None:
    shanghai = TIME.astimezone(timezone(timedelta(hours=8)))
    assert pseudo.pseudo_version("v1", "", shanghai, "abcdef123456") == "v1.0.0-20060102150405-abcdef123456"


def test_an_impossible_time_is_told() -> None:
    with pytest.raises(InvalidVersion, match='malformed time "20061302150405"'):
        pseudo.pseudo_version_time("v0.0.0-20061302150405-abcdef123456")


def test_the_placeholder_is_known_again() -> None:
    assert pseudo.zero_pseudo_version("v2") == "v2.0.0-00010101000000-000000000000"
    assert pseudo.is_zero_pseudo_version("v2.0.0-00010101000000-000000000000")
    assert not pseudo.is_zero_pseudo_version("v2.0.0-20060102150405-000000000000")


numbers = st.sampled_from(["0", "1", "9", "10", "99", "100", "1999"])
older = st.just("") | st.builds(
    "v{}.{}.{}{}{}".format,
    numbers,
    numbers,
    numbers,
    st.sampled_from(["", "-pre", "-0", "-rc.1", "--"]),
    st.sampled_from(["", "+incompatible", "+meta"]),
)
times = st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31), timezones=st.just(UTC)).map(
    lambda t: t.replace(microsecond=0)
)
revs = st.sampled_from(["abcdef123456", "000000000000", "hash", "a"])
majors = st.sampled_from(["", "v0", "v1", "v2"])
near_misses = st.text("v0123.-+", max_size=6).map("v0.0.0-{}20060102150405-abcdef123456".format)


@given(majors, older, times, revs)
def test_a_pseudo_version_sorts_after_its_base(major: str, older: str, time: datetime, rev: str) -> None:
    version = pseudo.pseudo_version(major, older, time, rev)
    assert pseudo.pseudo_version_base(version) == older
    assert pseudo.pseudo_version_time(version) == time
    assert not older or semver.compare(older, version) < 0


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_pseudo_versions_are_made_and_read_as_in_go(oracle: Oracle, data: st.DataObject) -> None:
    batch = data.draw(st.lists(st.tuples(majors, older, times, revs), min_size=10, max_size=size(30, 100)))
    ours = [pseudo.pseudo_version(*parts) for parts in batch]
    made = oracle.ask_all("module.PseudoVersion", [(m, o, int(t.timestamp()), r) for m, o, t, r in batch])
    assert ours == [answer.value for answer in made]
    odd = data.draw(st.lists(near_misses, min_size=10, max_size=50))
    calls = [(v,) for v in ours + odd]
    for (v,), answer in zip(calls, oracle.ask_all("module.IsPseudoVersion", calls), strict=True):
        assert pseudo.is_pseudo_version(v) is answer.value, v
    for (v,), answer in zip(calls, oracle.ask_all("module.PseudoVersionBase", calls), strict=True):
        assert _base_or_refusal(v) == (answer.value or "", answer.error), v


def _base_or_refusal(v: str) -> tuple[str, str]:
    try:
        return pseudo.pseudo_version_base(v), ""
    except InvalidVersion as error:
        return "", str(error)
