"""Module paths, versions, escapes and GOPRIVATE globs: tables by example, then random ones against Go."""

import string
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from goferry.errors import GoferryError
from goferry.gomod import module
from goferry.gomod.module import InvalidPath, InvalidVersion, Version
from oracle import Answer, Oracle
from sizes import size

# Vectors: facts from golang/mod module_test.go (BSD-3-Clause): path, version, valid together.
CHECK: list[tuple[str, str, bool]] = [
    ("rsc.io/quote", "0.1.0", False),
    ("rsc io/quote", "v1.0.0", False),
    ("github.com/go-yaml/yaml", "v0.8.0", True),
    ("github.com/go-yaml/yaml", "v1.0.0", True),
    ("github.com/go-yaml/yaml", "v2.0.0", False),
    ("github.com/go-yaml/yaml", "v2.1.5", False),
    ("github.com/go-yaml/yaml", "v3.0.0", False),
    ("github.com/go-yaml/yaml/v2", "v1.0.0", False),
    ("github.com/go-yaml/yaml/v2", "v2.0.0", True),
    ("github.com/go-yaml/yaml/v2", "v2.1.5", True),
    ("github.com/go-yaml/yaml/v2", "v3.0.0", False),
    ("gopkg.in/yaml.v0", "v0.8.0", True),
    ("gopkg.in/yaml.v0", "v1.0.0", False),
    ("gopkg.in/yaml.v0", "v2.0.0", False),
    ("gopkg.in/yaml.v0", "v2.1.5", False),
    ("gopkg.in/yaml.v0", "v3.0.0", False),
    ("gopkg.in/yaml.v1", "v0.8.0", False),
    ("gopkg.in/yaml.v1", "v1.0.0", True),
    ("gopkg.in/yaml.v1", "v2.0.0", False),
    ("gopkg.in/yaml.v1", "v2.1.5", False),
    ("gopkg.in/yaml.v1", "v3.0.0", False),
    ("gopkg.in/check.v1", "v0.0.0", False),
    ("gopkg.in/check.v1", "v0.0.0-20160102150405-abcdef123456", True),
    ("gopkg.in/yaml.v2", "v1.0.0", False),
    ("gopkg.in/yaml.v2", "v2.0.0", True),
    ("gopkg.in/yaml.v2", "v2.1.5", True),
    ("gopkg.in/yaml.v2", "v3.0.0", False),
    ("rsc.io/quote", "v17.0.0", False),
    ("rsc.io/quote", "v17.0.0+incompatible", True),
]

# Vectors: facts from golang/mod module_test.go (BSD-3-Clause): path, valid as module, as import, as file
# path. Bytes that are no UTF-8 are surrogate escapes here, as Python hands them over.
CHECK_PATH: list[tuple[str, bool, bool, bool]] = [
    ("x.y/z", True, True, True),
    ("x.y", True, True, True),
    ("", False, False, False),
    ("x.y/\udcffz", False, False, False),
    ("/x.y/z", False, False, False),
    ("x./z", False, False, False),
    (".x/z", False, True, True),
    ("-x/z", False, False, True),
    ("x..y/z", True, True, True),
    ("x.y/z/../../w", False, False, False),
    ("x.y//z", False, False, False),
    ("x.y/z//w", False, False, False),
    ("x.y/z/", False, False, False),
    ("x.y/z/v0", False, True, True),
    ("x.y/z/v1", False, True, True),
    ("x.y/z/v2", True, True, True),
    ("x.y/z/v2.0", False, True, True),
    ("X.y/z", False, True, True),
    ("!x.y/z", False, False, True),
    ("_x.y/z", False, True, True),
    ("x.y!/z", False, False, True),
    ('x.y"/z', False, False, False),
    ("x.y#/z", False, False, True),
    ("x.y$/z", False, False, True),
    ("x.y%/z", False, False, True),
    ("x.y&/z", False, False, True),
    ("x.y'/z", False, False, False),
    ("x.y(/z", False, False, True),
    ("x.y)/z", False, False, True),
    ("x.y*/z", False, False, False),
    ("x.y+/z", False, True, True),
    ("x.y,/z", False, False, True),
    ("x.y-/z", True, True, True),
    ("x.y./zt", False, False, False),
    ("x.y:/z", False, False, False),
    ("x.y;/z", False, False, False),
    ("x.y</z", False, False, False),
    ("x.y=/z", False, False, True),
    ("x.y>/z", False, False, False),
    ("x.y?/z", False, False, False),
    ("x.y@/z", False, False, True),
    ("x.y[/z", False, False, True),
    ("x.y\\/z", False, False, False),
    ("x.y]/z", False, False, True),
    ("x.y^/z", False, False, True),
    ("x.y_/z", False, True, True),
    ("x.y`/z", False, False, False),
    ("x.y{/z", False, False, True),
    ("x.y}/z", False, False, True),
    ("x.y~/z", False, True, True),
    ("x.y/z!", False, False, True),
    ('x.y/z"', False, False, False),
    ("x.y/z#", False, False, True),
    ("x.y/z$", False, False, True),
    ("x.y/z%", False, False, True),
    ("x.y/z&", False, False, True),
    ("x.y/z'", False, False, False),
    ("x.y/z(", False, False, True),
    ("x.y/z)", False, False, True),
    ("x.y/z*", False, False, False),
    ("x.y/z++", False, True, True),
    ("x.y/z,", False, False, True),
    ("x.y/z-", True, True, True),
    ("x.y/z.t", True, True, True),
    ("x.y/z/t", True, True, True),
    ("x.y/z:", False, False, False),
    ("x.y/z;", False, False, False),
    ("x.y/z<", False, False, False),
    ("x.y/z=", False, False, True),
    ("x.y/z>", False, False, False),
    ("x.y/z?", False, False, False),
    ("x.y/z@", False, False, True),
    ("x.y/z[", False, False, True),
    ("x.y/z\\", False, False, False),
    ("x.y/z]", False, False, True),
    ("x.y/z^", False, False, True),
    ("x.y/z_", True, True, True),
    ("x.y/z`", False, False, False),
    ("x.y/z{", False, False, True),
    ("x.y/z}", False, False, True),
    ("x.y/z~", True, True, True),
    ("x.y/x.foo", True, True, True),
    ("x.y/aux.foo", False, False, False),
    ("x.y/prn", False, False, False),
    ("x.y/prn2", True, True, True),
    ("x.y/com", True, True, True),
    ("x.y/com1", False, False, False),
    ("x.y/com1.txt", False, False, False),
    ("x.y/calm1", True, True, True),
    ("x.y/z~", True, True, True),
    ("x.y/z~0", False, False, True),
    ("x.y/z~09", False, False, True),
    ("x.y/z09", True, True, True),
    ("x.y/z09~", True, True, True),
    ("x.y/z09~09z", True, True, True),
    ("x.y/z09~09z~09", False, False, True),
    ("github.com/!123/logrus", False, False, True),
    ("github.com/user/unicode/испытание", False, False, True),
    ("../x", False, False, False),
    ("./y", False, False, False),
    ("x:y", False, False, False),
    ("\\temp\\foo", False, False, False),
    (".gitignore", False, True, True),
    (".github/ISSUE_TEMPLATE", False, True, True),
    ("x☺y", False, False, False),
]

# Vectors: facts from golang/mod module_test.go (BSD-3-Clause): version, major suffix, whether they fit.
MATCH_PATH_MAJOR: list[tuple[str, str, bool]] = [
    ("v0.0.0", "", True),
    ("v0.0.0", "/v2", False),
    ("v0.0.0", ".v0", True),
    ("v0.0.0-20190510104115-cbcb75029529", ".v1", True),
    ("v1.0.0", "/v2", False),
    ("v1.0.0", ".v1", True),
    ("v1.0.0", ".v1-unstable", True),
    ("v2.0.0+incompatible", "", True),
    ("v2.0.0", "", False),
    ("v2.0.0", "/v2", True),
    ("v2.0.0", ".v2", True),
]

# Vectors: facts from golang/mod module_test.go (BSD-3-Clause): globs, path, whether one matches.
MATCH_PREFIX: list[tuple[str, str, bool]] = [
    ("", "rsc.io/quote", False),
    ("/", "rsc.io/quote", False),
    ("*/quote", "rsc.io/quote", True),
    ("*/quo", "rsc.io/quote", False),
    ("*/quo??", "rsc.io/quote", True),
    ("*/quo*", "rsc.io/quote", True),
    ("*quo*", "rsc.io/quote", False),
    ("rsc.io", "rsc.io/quote", True),
    ("*.io", "rsc.io/quote", True),
    ("rsc.io/", "rsc.io/quote", True),
    ("rsc", "rsc.io/quote", False),
    ("rsc*", "rsc.io/quote", True),
    ("rsc.io", "rsc.io/quote/v3", True),
    ("*/quote", "rsc.io/quote/v3", True),
    ("*/quote/", "rsc.io/quote/v3", True),
    ("*/quote/*", "rsc.io/quote/v3", True),
    ("*/quote/*/", "rsc.io/quote/v3", True),
    ("*/v3", "rsc.io/quote/v3", False),
    ("*/*/v3", "rsc.io/quote/v3", True),
    ("*/*/*", "rsc.io/quote/v3", True),
    ("*/*/*/", "rsc.io/quote/v3", True),
    ("*/*/*", "rsc.io/quote", False),
    ("*/*/*/", "rsc.io/quote", False),
    ("*/*/*,,", "rsc.io/quote", False),
    ("*/*/*,,*/quote", "rsc.io/quote", True),
    (",,*/quote", "rsc.io/quote", True),
]

SPLIT = [
    ("x.y/z", ""),
    ("x.y/z", "/v2"),
    ("x.y/z", "/v3"),
    ("x.y/v", ""),
    ("gopkg.in/yaml", ".v0"),
    ("gopkg.in/yaml", ".v1"),
    ("gopkg.in/yaml", ".v2"),
    ("gopkg.in/yaml", ".v3"),
    ("gopkg.in/yaml", ".v3-unstable"),
]

ESCAPED = [
    ("ascii.com/abcdefghijklmnopqrstuvwxyz.-/~_0123456789",) * 2,
    ("github.com/GoogleCloudPlatform/omega", "github.com/!google!cloud!platform/omega"),
]

BAD_ESCAPES = [
    "github.com/GoogleCloudPlatform/omega",
    "github.com/!google!cloud!platform!/omega",
    "github.com/!0google!cloud!platform/omega",
    "github.com/!_google!cloud!platform/omega",
    "github.com/!!google!cloud!platform/omega",
    "github.com/!Google/omega",
    "github.com/google/omega!",
    "github.com/ünicode",
    "",
]


def accepts(check: Callable[..., object], *args: str) -> bool:
    try:
        check(*args)
    except (InvalidPath, InvalidVersion):
        return False
    return True


@pytest.mark.parametrize(("path", "version", "ok"), CHECK)
def test_a_version_must_fit_its_path(path: str, version: str, ok: bool) -> None:
    assert accepts(module.check, path, version) is ok


@pytest.mark.parametrize(("path", "as_module", "as_import", "as_file"), CHECK_PATH)
def test_what_a_path_may_hold(path: str, as_module: bool, as_import: bool, as_file: bool) -> None:
    assert accepts(module.check_path, path) is as_module
    assert accepts(module.check_import_path, path) is as_import
    assert accepts(module.check_file_path, path) is as_file


@pytest.mark.parametrize(("prefix", "major"), SPLIT)
def test_a_path_is_split_before_its_major_version(prefix: str, major: str) -> None:
    assert module.split_path_version(prefix + major) == (prefix, major, True)


@pytest.mark.parametrize(
    "path", ["x.y/v1", "x.y/v0", "x.y/v02", "x.y/v1.2", "gopkg.in/yaml", "gopkg.in/yaml.v02"]
)
def test_a_wrong_major_suffix_is_told(path: str) -> None:
    assert module.split_path_version(path) == (path, "", False)


@pytest.mark.parametrize(("version", "major", "ok"), MATCH_PATH_MAJOR)
def test_a_version_must_fit_the_major_suffix(version: str, major: str, ok: bool) -> None:
    assert module.match_path_major(version, major) is ok
    assert accepts(module.check_path_major, version, major) is ok


@pytest.mark.parametrize(("path", "escaped"), ESCAPED)
def test_capitals_are_escaped_and_back(path: str, escaped: str) -> None:
    assert module.escape_path(path) == escaped
    assert module.unescape_path(escaped) == path


@pytest.mark.parametrize("path", [row[0] for row in CHECK_PATH if not row[1]])
def test_an_invalid_path_has_no_escaped_form(path: str) -> None:
    assert not accepts(module.escape_path, path)
    assert not accepts(module.unescape_path, path)


@pytest.mark.parametrize("escaped", BAD_ESCAPES)
def test_what_no_path_escapes_to_is_refused(escaped: str) -> None:
    assert not accepts(module.unescape_path, escaped)


def test_a_version_is_escaped_like_a_path_and_may_be_a_branch() -> None:
    assert module.escape_version("v1.0.0-RC1+incompatible") == "v1.0.0-!r!c1+incompatible"
    assert module.unescape_version("v1.0.0-!r!c1+incompatible") == "v1.0.0-RC1+incompatible"
    assert module.escape_version("release-branch.go1.21") == "release-branch.go1.21"


@pytest.mark.parametrize("version", ["feature/x", "", ".", "..", "a!b", "con", "v1.", "v1:2", "v1\0", "наш"])
def test_a_revision_that_is_no_file_name_cannot_be_asked_for(version: str) -> None:
    assert not accepts(module.escape_version, version)


@pytest.mark.parametrize(("globs", "target", "want"), MATCH_PREFIX)
def test_globs_match_leading_elements(globs: str, target: str, want: bool) -> None:
    assert module.match_prefix_patterns(globs, target) is want


@pytest.mark.parametrize(
    ("globs", "target", "want"),
    [
        ("*.corp.com", "corp.com/x", False),
        ("*.corp.com", "git.corp.com/x", True),
        ("https://corp.com/*", "corp.com/x", False),
        ("github.com/Org", "github.com/org/x", False),
        (" github.com", "github.com/x", False),
        ("[a-", "a", False),
        ("[a-,corp.com", "corp.com", True),
        (r"corp\.com", "corp.com/x", True),
        ("corp.com/[^a-c]*", "corp.com/dog", True),
        ("corp.com/[^a-c]*", "corp.com/cat", False),
    ],
)
def test_traps_of_globs(globs: str, target: str, want: bool) -> None:
    assert module.match_prefix_patterns(globs, target) is want


def test_a_star_does_not_give_back_what_it_took() -> None:
    # With backtracking the class could take the slash, and the last star the rest.
    assert module.path_match("*[^a]*", "b/c") is False
    assert module.path_match("b[^a]*", "b/c") is True


def test_a_version_reads_as_path_at_version() -> None:
    assert str(Version("x.y/z", "v1.0.0")) == "x.y/z@v1.0.0"
    assert str(Version("x.y/z")) == "x.y/z"


def test_sorting_puts_the_go_mod_line_after_its_version() -> None:
    a, b, c = Version("x.y/z", "v1.2.0"), Version("x.y/z", "v1.2.0/go.mod"), Version("x.y/z", "v1.10.0")
    first = Version("x.y/a", "v9.0.0")
    assert module.sort([c, b, a, first]) == [first, a, b, c]


def test_incompatible_is_kept_by_the_canonical_form() -> None:
    assert module.canonical_version("v2.0.0+incompatible") == "v2.0.0+incompatible"
    assert module.canonical_version("v2.0.0+meta") == "v2.0.0"
    assert module.canonical_version("x") == ""


def test_canonical_means_one_spelling_that_fits_the_path() -> None:
    assert module.is_canonical("x.y/z", "v1.0.0")
    assert module.is_canonical("x.y/z", "v2.0.0+incompatible")
    assert not module.is_canonical("x.y/z", "v2.0.0")
    assert not module.is_canonical("x.y/z", "v1.0")
    assert not module.is_canonical("x.y/z", "v1.0.0+meta")
    assert not module.is_canonical("x.y/z", "")


def test_an_error_says_what_is_wrong_and_shows_no_control_characters() -> None:
    with pytest.raises(InvalidPath) as raised:
        module.check_path("x.y/a\nb")
    assert str(raised.value) == r"""malformed module path "x.y/a\nb": invalid char '\n'"""
    assert raised.value.status == 400


def test_a_refused_character_is_shown_as_go_shows_it() -> None:
    with pytest.raises(InvalidPath) as raised:
        module.check_path("x.y/a'b")
    assert str(raised.value) == r"""malformed module path "x.y/a'b": invalid char '\''"""


_path_chars = st.sampled_from(string.ascii_letters + string.digits + '-._~+!@ $é世ß^\n"ⅷ/')
_elements = st.sampled_from(
    [
        *("a", "B", "x.y", "v1", "v2", "v10", "v02", "v2.0", "com1", "CON.txt", "nul", "a~1", "a~x1"),
        *("..", ".", "a..b", ".a", "a.", "", "!a", "!A", "!!a"),
    ]
) | st.text(_path_chars, max_size=5)
_hosts = st.sampled_from(["x.y", "gopkg.in", "github.com", "X.y", "x", "-x.y", ".x"]) | _elements
paths = st.builds(
    "{}/{}{}".format,
    _hosts,
    st.lists(_elements, max_size=3).map("/".join),
    st.sampled_from(["", "", "/v2", ".v2", ".v1-unstable", ".v0", "/"]),
)
versions = st.sampled_from(
    [
        *("v0.0.0", "v1.0.0", "v1.2", "v2.0.0", "v2.0.0+incompatible", "v1.0.0+meta", "V1", "x", ""),
        *("v0.0.0-20160102150405-abcdef123456", "v1.0.0-!r!c1"),
    ]
) | st.text(_path_chars, max_size=8)
globs = st.text(st.sampled_from("abAB/.*?[]^-\\,"), max_size=10)
targets = st.text(st.sampled_from("abAB/.-"), max_size=8)


def _agrees(answer: Answer, ours: Callable[..., object], args: tuple[str, ...]) -> bool:
    """The same value, or both refuse."""
    try:
        value = ours(*args)
    except GoferryError:
        return not answer.ok
    return answer.ok and answer.value == (list(value) if isinstance(value, tuple) else value)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_paths_are_judged_as_go_judges_them(oracle: Oracle, data: st.DataObject) -> None:
    ours: dict[str, Callable[..., object]] = {
        "module.CheckPath": module.check_path,
        "module.CheckImportPath": module.check_import_path,
        "module.CheckFilePath": module.check_file_path,
        "module.SplitPathVersion": module.split_path_version,
        "module.EscapePath": module.escape_path,
        "module.UnescapePath": module.unescape_path,
    }
    batch = data.draw(st.lists(paths, min_size=size(20, 50), max_size=100))
    calls = [(name, path) for name in ours for path in batch]
    for (name, path), answer in zip(calls, oracle.ask_each(calls), strict=True):
        assert _agrees(answer, ours[name], (path,)), (name, path, answer)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_versions_are_judged_as_go_judges_them(oracle: Oracle, data: st.DataObject) -> None:
    ours: dict[str, Callable[..., object]] = {
        "module.CanonicalVersion": module.canonical_version,
        "module.EscapeVersion": module.escape_version,
        "module.UnescapeVersion": module.unescape_version,
    }
    batch = data.draw(st.lists(st.tuples(paths, versions), min_size=size(20, 50), max_size=100))
    calls = [(name, version) for name in ours for _, version in batch]
    for (name, version), answer in zip(calls, oracle.ask_each(calls), strict=True):
        assert _agrees(answer, ours[name], (version,)), (name, version, answer)
    for (path, version), answer in zip(batch, oracle.ask_all("module.Check", batch), strict=True):
        assert _agrees(answer, module.check, (path, version)), (path, version, answer)
    majors = [(version, module.split_path_version(path)[1]) for path, version in batch]
    for args, answer in zip(majors, oracle.ask_all("module.MatchPathMajor", majors), strict=True):
        assert _agrees(answer, module.match_path_major, args), (args, answer)


@pytest.mark.go
@settings(max_examples=size(30, 300))
@given(st.data())
def test_random_globs_match_as_go_matches_them(oracle: Oracle, data: st.DataObject) -> None:
    batch = data.draw(st.lists(st.tuples(globs, targets), min_size=size(50, 200), max_size=400))
    for args, answer in zip(batch, oracle.ask_all("module.MatchPrefixPatterns", batch), strict=True):
        assert module.match_prefix_patterns(*args) is answer.value, args
    for args, answer in zip(batch, oracle.ask_all("path.Match", batch), strict=True):
        assert module.path_match(*args) is answer.value, (args, answer)


@pytest.mark.go
def test_every_letter_of_go_is_a_letter(oracle: Oracle) -> None:
    # Python may know newer letters than the `go` at hand, so the other direction need not hold.
    for low, high in oracle.ask("unicode.Letters").value:
        assert all(module.is_letter(chr(point)) for point in range(low, high + 1)), (low, high)


@pytest.mark.go
def test_refusals_say_what_go_says(oracle: Oracle) -> None:
    # Quotes and backslashes are left out: Go doubles and escapes them, people are better served by the text
    # itself.
    bad = [row[0] for row in CHECK_PATH if not row[1] and row[0].isascii() and not set(row[0]) & set("\\\"'")]
    for path, answer in zip(bad, oracle.ask_all("module.CheckPath", [(p,) for p in bad]), strict=True):
        with pytest.raises(InvalidPath) as raised:
            module.check_path(path)
        assert str(raised.value) == answer.error


@given(paths)
def test_escape_and_unescape_are_twins(path: str) -> None:
    if accepts(module.escape_path, path):
        escaped = module.escape_path(path)
        assert module.is_escaped(escaped)
        assert module.unescape_path(escaped) == path
    if accepts(module.unescape_path, path):
        assert module.escape_path(module.unescape_path(path)) == path


@given(versions)
def test_version_escapes_are_twins(version: str) -> None:
    if accepts(module.escape_version, version):
        assert module.unescape_version(module.escape_version(version)) == version


_plain_elements = st.sampled_from(
    [
        "con",
        "CON.x",
        "aux.go",
        "com1",
        "com10",
        "lpt9.y",
        "nul",
        "v1",
        "v2",
        "v0",
        "v1.2",
        "v02",
        "a.v2",
        "gopkg.in",
        "a",
        "a.b",
        "a..b",
        "a.",
        ".a",
        "-a",
        "a-b",
        "a_b",
        "a~1",
        "a~b",
        "A",
        "Ab.C",
        "9",
        "é",
        "a\tb",
        "a!b",
        "",
    ]
)


@settings(max_examples=size(2000, 50_000))
@given(st.lists(_plain_elements, min_size=1, max_size=4).map("/".join))
def test_what_is_plain_is_valid(path: str) -> None:
    # The short way may only say yes where the long one does.
    if module.is_plain_path(path):
        module.check_path_closely(path)


def test_most_paths_are_plain() -> None:
    for path in ("golang.org/x/text", "github.com/BurntSushi/toml", "k8s.io/api", "example.com/a_b/c-d.e"):
        assert module.is_plain_path(path)
