"""Semantic versions: a table by example, then thousands of random ones against Go."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.gomod import semver
from oracle import Oracle
from sizes import size

# Vectors: facts from golang/mod semver_test.go (BSD-3-Clause). In ascending order; empty means invalid.
CANONICAL = [
    ("bad", ""),
    ("v1-alpha.beta.gamma", ""),
    ("v1-pre", ""),
    ("v1+meta", ""),
    ("v1-pre+meta", ""),
    ("v1.2-pre", ""),
    ("v1.2+meta", ""),
    ("v1.2-pre+meta", ""),
    ("v1.0.0-alpha", "v1.0.0-alpha"),
    ("v1.0.0-alpha.1", "v1.0.0-alpha.1"),
    ("v1.0.0-alpha.beta", "v1.0.0-alpha.beta"),
    ("v1.0.0-beta", "v1.0.0-beta"),
    ("v1.0.0-beta.2", "v1.0.0-beta.2"),
    ("v1.0.0-beta.11", "v1.0.0-beta.11"),
    ("v1.0.0-rc.1", "v1.0.0-rc.1"),
    ("v1", "v1.0.0"),
    ("v1.0", "v1.0.0"),
    ("v1.0.0", "v1.0.0"),
    ("v1.2", "v1.2.0"),
    ("v1.2.0", "v1.2.0"),
    ("v1.2.3-456", "v1.2.3-456"),
    ("v1.2.3-456.789", "v1.2.3-456.789"),
    ("v1.2.3-456-789", "v1.2.3-456-789"),
    ("v1.2.3-456a", "v1.2.3-456a"),
    ("v1.2.3-pre", "v1.2.3-pre"),
    ("v1.2.3-pre+meta", "v1.2.3-pre"),
    ("v1.2.3-pre.1", "v1.2.3-pre.1"),
    ("v1.2.3-zzz", "v1.2.3-zzz"),
    ("v1.2.3", "v1.2.3"),
    ("v1.2.3+meta", "v1.2.3"),
    ("v1.2.3+meta-pre", "v1.2.3"),
    ("v1.2.3+meta-pre.sha.256a", "v1.2.3"),
]


@pytest.mark.parametrize(("v", "want"), CANONICAL)
def test_canonical_form_has_three_numbers_and_no_build(v: str, want: str) -> None:
    assert semver.canonical(v) == want
    assert semver.is_valid(v) == (want != "")


@pytest.mark.parametrize(
    "v", ["", "1.0.0", "v", "v01", "v1.", "v1.2.3-", "v1.2.3+", "v1.2.3-01", "v1.2.3-a..b", "v1.2.3\n"]
)
def test_what_is_no_version(v: str) -> None:
    assert not semver.is_valid(v)


def test_order_is_that_of_the_table_and_ignores_build() -> None:
    for i, (v, cv) in enumerate(CANONICAL):
        for j, (w, cw) in enumerate(CANONICAL):
            want = 0 if cv == cw else (i > j) - (i < j)
            assert semver.compare(v, w) == want, (v, w)


def test_parts_of_a_version() -> None:
    v = "v2.1.0-pre.1+meta"
    assert semver.major(v) == "v2"
    assert semver.major_minor(v) == "v2.1"
    assert semver.major_minor("v2") == "v2.0"
    assert semver.prerelease(v) == "-pre.1"
    assert semver.build(v) == "+meta"
    assert (semver.major("x"), semver.major_minor("x"), semver.prerelease("x"), semver.build("x")) == (
        "",
    ) * 4


def test_max_is_canonical() -> None:
    assert semver.max("v1.2", "v1.2.3+meta") == "v1.2.3"
    assert semver.max("v1.2", "bad") == "v1.2.0"


def test_numbers_may_be_longer_than_any_integer() -> None:
    huge = "9" * 6000
    assert semver.compare(f"v1.0.{huge}", f"v1.0.1{huge}") == -1
    assert semver.compare(f"v1.0.0-{huge}", f"v1.0.0-1{huge}") == -1


def test_a_hostile_version_is_judged_without_delay() -> None:
    # Would need years if the grammar were matched with nested backtracking.
    assert not semver.is_valid("v1.0.0-" + "1a." * 20_000 + "!")


_number = st.sampled_from(["0", "1", "2", "10", "01", "99999999999999999999"])
_identifier = st.sampled_from(["0", "1", "11", "01", "a", "a1", "1a", "-", "rc", "RC", "alpha", ""])
_identifiers = st.lists(_identifier, min_size=1, max_size=3).map(".".join)
_numbers = st.lists(_number, min_size=1, max_size=4).map(".".join)
_optional = st.just("")
versions = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["v", "v", "v", "v", "", "V"]),
    _numbers,
    _optional | _identifiers.map("-{}".format),
    _optional | _identifiers.map("+{}".format),
) | st.text("v0123456789.-+aZ", max_size=12)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_versions_are_read_as_go_reads_them(oracle: Oracle, data: st.DataObject) -> None:
    batch = data.draw(st.lists(versions, min_size=size(20, 50), max_size=100))
    ours = {
        "semver.IsValid": semver.is_valid,
        "semver.Canonical": semver.canonical,
        "semver.Major": semver.major,
        "semver.MajorMinor": semver.major_minor,
        "semver.Prerelease": semver.prerelease,
        "semver.Build": semver.build,
    }
    calls = [(name, v) for name in ours for v in batch]
    for (name, v), answer in zip(calls, oracle.ask_each(calls), strict=True):
        assert ours[name](v) == answer.value, (name, v)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_versions_are_ordered_as_go_orders_them(oracle: Oracle, data: st.DataObject) -> None:
    batch = data.draw(st.lists(versions, min_size=size(20, 50), max_size=100))
    pairs = list(pairwise(batch))
    *answers, in_order = oracle.ask_each(
        [("semver.Compare", v, w) for v, w in pairs] + [("semver.Sort", batch)]
    )
    assert [semver.compare(v, w) for v, w in pairs] == [a.value for a in answers]
    assert semver.sort(batch) == in_order.value


@given(versions, versions)
def test_key_agrees_with_compare(v: str, w: str) -> None:
    assert (semver.key(v) < semver.key(w)) == (semver.compare(v, w) < 0)
    assert (semver.key(v) == semver.key(w)) == (semver.compare(v, w) == 0)
