"""What an upstream's answer must be to be kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import UpstreamError
from goferry.proxy import judge

PATH = "example.com/m"


@pytest.mark.parametrize(
    "body",
    [
        b'{"Version":"v1.0.0","Time":"2024-05-06T07:08:09Z"}',
        b'{"Version": "v1.0.0", "Time": "2024-05-06T07:08:09.123456789+02:00", "Origin": {"VCS": "git"}}',
        b'{"Version":"v1.0.0"}',
    ],
)
def test_an_info_of_the_asked_version_passes_unchanged(body: bytes) -> None:
    assert judge.check_info(body, PATH, exact="v1.0.0").body is body


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"<html>log in</html>", "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'{"Time":"2024-05-06T07:08:09Z"}', "no valid version"),
        (b'{"Version":7}', "no valid version"),
        (b'{"Version":"v1"}', "no valid version"),
        (b'{"Version":"v2.0.0"}', "no valid version"),
        (b'{"Version":"v1.0.1"}', "answered for version v1.0.1"),
        (b'{"Version":"v1.0.0","Time":"yesterday"}', "RFC 3339"),
        (b'{"Version":"v1.0.0","Time":7}', "RFC 3339"),
    ],
)
def test_any_other_info_is_the_upstreams_fault(body: bytes, why: str) -> None:
    with pytest.raises(UpstreamError, match=why):
        judge.check_info(body, PATH, exact="v1.0.0")


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b"", b""),
        (b"v1.1.0\nv1.0.0\n", b"v1.0.0\nv1.1.0\n"),
        (b"v1.0.0\r\nv1.0.0\n\n", b"v1.0.0\n"),
        (
            b"v1.0.0\nnonsense\nv2.0.0\nv1\nv1.0.0+meta\nv2.0.0+incompatible\n",
            b"v1.0.0\nv2.0.0+incompatible\n",
        ),
        (b"v1.10.0\nv1.9.0\nv1.10.0-rc.1\n", b"v1.9.0\nv1.10.0-rc.1\nv1.10.0\n"),
        # The optional time stays: `go` uses it when there are pseudo-versions only.
        (
            b"v0.0.0-20240506070809-abcdefabcdef 2024-05-06T07:08:09Z\n",
            b"v0.0.0-20240506070809-abcdefabcdef 2024-05-06T07:08:09Z\n",
        ),
    ],
)
def test_a_list_keeps_its_valid_versions_in_order(body: bytes, kept: bytes) -> None:
    assert judge.check_list(body, PATH) == kept


@pytest.mark.parametrize("body", [b"<!DOCTYPE html><html>", b"\xff\xfe"])
def test_a_list_that_is_a_page_or_no_text_is_refused(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        judge.check_list(body, PATH)


def test_merging_adds_what_the_store_holds_and_repeats_nothing() -> None:
    assert judge.merge_list(b"v1.0.0\nv1.2.0\n", ["v1.1.0", "v1.2.0"]) == b"v1.0.0\nv1.1.0\nv1.2.0\n"


@given(st.lists(st.from_regex(r"v[01]\.[0-9]{1,2}\.[0-9]{1,2}(-rc\.[0-9])?", fullmatch=True)))
def test_merging_twice_changes_nothing(versions: list[str]) -> None:
    once = judge.merge_list(b"", versions)
    assert judge.merge_list(once, versions) == once
    assert set(judge.versions(once)) == set(versions)


@pytest.mark.parametrize("body", [b"", b"<html>", b"not a go.mod"])
def test_what_has_no_module_line_is_no_go_mod(body: bytes) -> None:
    with pytest.raises(UpstreamError, match=r"not a go\.mod"):
        judge.check_go_mod(body, PATH, "v1.0.0")


def test_a_synthetic_go_mod_passes() -> None:
    assert judge.check_go_mod(b"module example.com/m\n", PATH, "v1.0.0")
