"""Go's own version order, the virtual modules `go` and `toolchain`, and toolchains as modules."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.gomod import gover
from oracle import Oracle
from sizes import size

# Vectors: facts from cmd/go internal/gover gover_test.go (BSD-3-Clause).
COMPARE = [
    ("", "", 0),
    ("x", "x", 0),
    ("", "x", 0),
    ("1", "1.1", -1),
    ("1.5", "1.6", -1),
    ("1.5", "1.10", -1),
    ("1.6", "1.6.1", -1),
    ("1.19", "1.19.0", 0),
    ("1.19rc1", "1.19", -1),
    ("1.20", "1.20.0", 0),
    ("1.20rc1", "1.20", -1),
    ("1.21", "1.21.0", -1),
    ("1.21", "1.21rc1", -1),
    ("1.21rc1", "1.21.0", -1),
    ("1.6", "1.19", -1),
    ("1.19", "1.19.1", -1),
    ("1.19rc1", "1.19.1", -1),
    ("1.19rc1", "1.19rc2", -1),
    ("1.19.0", "1.19.1", -1),
    ("1.19alpha3", "1.19beta2", -1),
    ("1.19beta2", "1.19rc1", -1),
    ("1.1", "1.99999999999999998", -1),
    ("1.99999999999999998", "1.99999999999999999", -1),
]
LANG = [("1.2rc3", "1.2"), ("1.2.3", "1.2"), ("1.2", "1.2"), ("1", "1"), ("1.999testmod", "1.999"), ("x", "")]
IS_LANG = [
    *[(v, False) for v in ("1.2rc3", "1.2.3", "1.999testmod", "1.20", "1.19", "1.3", "1.2", "1", "")],
    *[(v, True) for v in ("1.22", "1.21")],
]
PREV = [
    ("", ""),
    ("0", "0"),
    ("1.3rc4", "1.2"),
    ("1.3.5", "1.2"),
    ("1.3", "1.2"),
    ("1", "1"),
    ("1.99999999999999999", "1.99999999999999998"),
    ("1.40000000000000000", "1.39999999999999999"),
]
VALID = ["1.2rc3", "1.2.3", "1.999testmod", "1.22", "1.21.0", "1.21rc2", "1.21", "1.20.0", "1.20", "1.3", "1"]
INVALID = ["", "x", "1.600+auto", "go1.21", "v1.21", "1.021", "1.21.0rc1", "1.", "1.21RC1", "1.21\n"]

# Vectors: facts from cmd/go internal/gover mod_test.go and toolchain_test.go (BSD-3-Clause).
MOD_COMPARE = [
    ("go", "1.2", "1.3", -1),
    ("go", "v1.2", "v1.3", 0),
    ("go", "1.2", "1.2", 0),
    ("toolchain", "go1.2", "go1.3", -1),
    ("toolchain", "go1.2", "go1.2", 0),
    ("toolchain", "1.2", "1.3", -1),
    ("toolchain", "v1.2", "v1.3", 0),
    ("rsc.io/quote", "v1.2", "v1.3", -1),
    ("rsc.io/quote", "1.2", "1.3", 0),
]
FROM_TOOLCHAIN = [
    ("go1.2.3", "1.2.3"),
    ("1.2.3", ""),
    ("go1.2.3+bigcorp", ""),
    ("go1.2.3-bigcorp", "1.2.3"),
    ("go1.2.3-bigcorp more text", "1.2.3"),
    ("gccgo-go1.23rc4", ""),
    ("gccgo-go1.23rc4-bigdwarf", ""),
    ("go1.2.3-a/b", ""),
]


@pytest.mark.parametrize(("v", "w", "want"), COMPARE)
def test_order(v: str, w: str, want: int) -> None:
    assert gover.compare(v, w) == want
    assert gover.compare(w, v) == -want


@pytest.mark.parametrize(("v", "want"), LANG)
def test_language_version(v: str, want: str) -> None:
    assert gover.lang(v) == want


@pytest.mark.parametrize(("v", "want"), IS_LANG)
def test_the_two_part_form_names_a_language_from_1_21_on(v: str, want: bool) -> None:
    assert gover.is_lang(v) is want


@pytest.mark.parametrize(("v", "want"), PREV)
def test_previous_language_version(v: str, want: str) -> None:
    assert gover.prev(v) == want


def test_validity() -> None:
    assert [v for v in VALID if not gover.is_valid(v)] == []
    assert [v for v in INVALID if gover.is_valid(v)] == []


def test_max_keeps_the_first_of_equals() -> None:
    assert gover.max("1.20", "1.20.0") == "1.20"
    assert gover.max("1.21", "1.21.0") == "1.21.0"


@pytest.mark.parametrize(("path", "v", "w", "want"), MOD_COMPARE)
def test_order_depends_on_the_module(path: str, v: str, w: str, want: int) -> None:
    assert gover.mod_compare(path, v, w) == want


@pytest.mark.parametrize(("name", "want"), FROM_TOOLCHAIN)
def test_version_in_a_toolchain_name(name: str, want: str) -> None:
    assert gover.from_toolchain(name) == want


def test_only_two_names_are_virtual() -> None:
    virtual = [p for p in ("go", "toolchain", "anything", "golang.org/toolchain") if gover.is_toolchain(p)]
    assert virtual == ["go", "toolchain"]


def test_a_toolchain_is_a_module_version_both_ways() -> None:
    toolchain = gover.Toolchain("1.21.0", "linux", "amd64")
    assert toolchain.module_version == "v0.0.1-go1.21.0.linux-amd64"
    assert gover.parse_toolchain_version(toolchain.module_version) == toolchain
    assert gover.parse_toolchain_version("v0.0.1-go1.21rc2.windows-arm64") == gover.Toolchain(
        "1.21rc2", "windows", "arm64"
    )


@pytest.mark.parametrize(
    "version", ["v0.0.1", "v0.0.1-go1.21.0", "v0.0.2-go1.21.0.linux-amd64", "v0.0.1-gox.linux-amd64", ""]
)
def test_what_is_no_toolchain_version(version: str) -> None:
    assert gover.parse_toolchain_version(version) is None


_numbers = st.sampled_from(["0", "1", "2", "19", "20", "21", "22", "01", "99999999999999999999", "100"])
versions = st.builds(
    "{}{}{}".format,
    st.lists(_numbers, min_size=1, max_size=4).map(".".join),
    st.sampled_from(["", "", "rc", "beta", "alpha", "x", "-custom", "RC"]),
    st.sampled_from(["", "", "1", "2", "01"]),
) | st.text("0129.rcgo-", max_size=8)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_go_versions_are_read_as_go_reads_them(oracle: Oracle, data: st.DataObject) -> None:
    batch = data.draw(st.lists(versions, min_size=size(20, 50), max_size=100))
    ours = {
        "gover.IsValid": gover.is_valid,
        "gover.IsLang": gover.is_lang,
        "gover.Lang": gover.lang,
        "gover.Prev": gover.prev,
        "gover.IsPrerelease": gover.is_prerelease,
    }
    calls = [(name, v) for name in ours for v in batch]
    for (name, v), answer in zip(calls, oracle.ask_each(calls), strict=True):
        assert ours[name](v) == answer.value, (name, v)
    named = [(f"go{v}",) for v in batch]
    for (name,), answer in zip(named, oracle.ask_all("gover.FromToolchain", named), strict=True):
        assert gover.from_toolchain(name) == answer.value, name


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_versions_of_any_module_are_judged_as_in_go(oracle: Oracle, data: st.DataObject) -> None:
    text = versions | versions.map("go{}".format) | versions.map("v{}".format)
    paths = st.sampled_from(["go", "toolchain", "x.y/z"])
    batch = data.draw(st.lists(st.tuples(paths, text, text), min_size=size(20, 50), max_size=100))
    for (path, v, w), answer in zip(batch, oracle.ask_all("gover.ModCompare", batch), strict=True):
        assert gover.mod_compare(path, v, w) == answer.value, (path, v, w)
    single = [(path, v) for path, v, _ in batch]
    valid = oracle.ask_all("gover.ModIsValid", single)
    assert [gover.mod_is_valid(*call) for call in single] == [answer.value for answer in valid]
    ours = {
        "gover.ModIsPrefix": gover.mod_is_prefix,
        "gover.ModIsPrerelease": gover.mod_is_prerelease,
        "gover.ModMajorMinor": gover.mod_major_minor,
    }
    calls = [(name, *call) for name in ours for call in single if gover.mod_is_valid(*call)]
    for (name, path, v), answer in zip(calls, oracle.ask_each(calls), strict=True):
        assert ours[name](path, v) == answer.value, (name, path, v)
