"""Which versions an entry is about. The first table restates cases of golang.org/x/vuln internal/semver (facts)."""

import pytest

from advisories import block, entry
from goferry.deps.advisories.osv import Affected, Range
from goferry.deps.advisories.ranges import canonical, covers, go_semver, go_tag


def affected(ranges: str | None) -> Affected:
    return entry("GO-1", block("example.org/m", ranges)).affected[0]


@pytest.mark.parametrize(
    ("ranges", "version", "wanted"),
    [
        (None, "v0.0.0", True),
        ("", "v0.0.0", True),
        ("0", "v0.0.0", True),
        ("0 -2.0.0", "v1.0.0", True),
        ("0.0.1", "v1.0.0", True),
        ("1.0.0", "v1.0.0", True),
        ("1.0.0 -2.0.0", "v1.0.0", True),
        ("0.0.1 -2.0.0", "v1.0.0", True),
        ("1.0.0 -2.0.0", "v3.0.0", False),
        ("1.0.0 -2.0.0 3.0.0", "v3.0.0", True),
        ("0 -1.18.6 1.19.0 -1.19.1", "v1.18.6", False),
        ("0 1.19.0 -1.19.1", "v1.18.6", True),
        ("1.19.0 -1.19.1 0 -1.18.6", "v1.18.1", True),
        ("4.0.0", "v3.0.0", False),
        ("3.0.0", "v3.0.0", True),
        ("3.0.0", "go3.0.1", True),
    ],
)
def test_the_go_tools_judge_the_same(ranges: str | None, version: str, wanted: bool) -> None:
    path = "stdlib" if version.startswith("go") else "example.org/m"
    assert covers(affected(ranges), canonical(path, version)) is wanted


OTHER = Range("unspecified", ())


@pytest.mark.parametrize(("semantic", "wanted"), [(None, True), ("4.0.0", False), ("3.0.0", True)])
def test_ranges_of_other_types_count_only_when_there_are_no_semantic_ones(
    semantic: str | None, wanted: bool
) -> None:
    ranges = () if semantic is None else affected(semantic).ranges
    assert covers(Affected("example.org/m", (OTHER, *ranges)), "v3.0.0") is wanted


@pytest.mark.parametrize(
    ("ranges", "version", "wanted"),
    [
        # v0.0.0-2020… is below v0.0.0 and every tag, and above the beginning.
        ("0 -0.0.0-20200101000000-aaaaaaaaaaaa", "v0.0.0-20191231235959-bbbbbbbbbbbb", True),
        ("0 -0.0.0-20200101000000-aaaaaaaaaaaa", "v0.0.0-20200101000001-bbbbbbbbbbbb", False),
        ("0 -0.0.0-20200101000000-aaaaaaaaaaaa", "v0.1.0", False),
        ("0.0.0", "v0.0.0-20200101000000-aaaaaaaaaaaa", False),
        # A release candidate is below its release; `-0` lets all of them count.
        ("1.26.0-0 -1.26.3", "v1.26.0-rc.1", True),
        ("1.26.0 -1.26.3", "v1.26.0-rc.1", False),
        ("0 -1.27.0-rc.3", "v1.27.0-rc.2", True),
        ("0 -1.27.0-rc.3", "v1.27.0-rc.3", False),
        # Build metadata does not count.
        ("0 -2.0.0+incompatible", "v2.0.0", False),
        ("0 -2.0.0", "v2.0.0+incompatible", False),
        ("2.0.0+incompatible", "v2.0.0+incompatible", True),
        # OSV's other events.
        ("0 =1.5.0", "v1.5.0", True),
        ("0 =1.5.0", "v1.5.1", False),
        ("0 =1.5.0 1.7.0", "v1.7.0", True),
        ("0 <1.5.0", "v1.4.0", True),
        ("0 <1.5.0", "v1.5.0", False),
        ("0 <1.5.0 <*", "v1.5.0", True),
        # Several ranges: any of them.
        ("0 -1.0.0,2.0.0 -2.1.0", "v2.0.5", True),
        ("0 -1.0.0,2.0.0 -2.1.0", "v1.5.0", False),
    ],
)
def test_versions_at_the_edges(ranges: str, version: str, wanted: bool) -> None:
    assert covers(affected(ranges), version) is wanted


def test_versions_that_are_named_one_by_one_count_alone() -> None:
    named = Affected("example.org/m", versions=("1.2.3", "v1.3.0"))
    assert [covers(named, version) for version in ("v1.2.3", "v1.3.0", "v1.2.4")] == [True, True, False]


@pytest.mark.parametrize(
    ("tag", "version"),
    [
        ("go1", "v1.0.0"),
        ("go1.20", "v1.20.0"),
        ("go1.21.0", "v1.21.0"),
        ("go1.26.3", "v1.26.3"),
        ("go1.27rc3", "v1.27.0-rc.3"),
        ("go1.18beta1", "v1.18.0-beta.1"),
    ],
)
def test_a_tag_of_go_is_a_semantic_version_and_back(tag: str, version: str) -> None:
    assert go_semver(tag) == version
    assert go_tag(version) == tag


@pytest.mark.parametrize(
    ("path", "version", "wanted"),
    [
        ("stdlib", "go1.22.1-custom", "v1.22.1"),
        ("stdlib", "go1.22.1 X:aliastypeparams", "v1.22.1"),
        ("stdlib", "devel", ""),
        ("stdlib", "devel go1.27-abcdef", ""),
        ("stdlib", "1.22.1", "v1.22.1"),
        ("example.org/m", "go1.22", ""),
        ("example.org/m", "", ""),
        ("example.org/m", "(devel)", ""),
        ("example.org/m", "master", ""),
        ("example.org/m", "v1.2.3+incompatible", "v1.2.3+incompatible"),
    ],
)
def test_a_version_that_nobody_can_tell_is_none(path: str, version: str, wanted: str) -> None:
    assert canonical(path, version) == wanted
