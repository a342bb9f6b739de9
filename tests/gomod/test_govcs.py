"""GOVCS: which programs may be started for which repositories."""

import pytest

from goferry.gomod import govcs
from goferry.gomod.govcs import InvalidGOVCS

PRIVATE = "git.corp.example/secret"
PUBLIC = "golang.org/x/text"

# Vectors: facts from cmd/go internal/vcs/vcs_test.go (BSD-3-Clause); the table is without the built-in rules.
# (GOVCS, repository, private, program, allowed)
TABLE = [
    ("private:all", "is-public.example/foo", False, "zzz", False),
    ("private:all", "is-private.example/foo", True, "zzz", True),
    ("public:all", "is-public.example/foo", False, "zzz", True),
    ("public:all", "is-private.example/foo", True, "zzz", False),
    ("public:all,private:none", "is-public.example/foo", False, "zzz", True),
    ("public:all,private:none", "is-private.example/foo", True, "zzz", False),
    ("*:all", "is-public.example/foo", False, "zzz", True),
    ("golang.org:git", PUBLIC, False, "zzz", False),
    ("golang.org:git", PUBLIC, False, "git", True),
    ("golang.org:zzz", PUBLIC, False, "zzz", True),
    ("golang.org:zzz", PUBLIC, False, "git", False),
    ("golang.org:zzz|git", PUBLIC, False, "git", True),
    ("golang.org:git|hg", PUBLIC, False, "hg", True),
    ("golang.org: zzz | git", PUBLIC, False, "zzz", True),
    ("other.xyz/p:none,golang.org/x:git", PUBLIC, False, "git", True),
    ("other.xyz/p:none,golang.org/x:git", "golang.org/y/text", False, "git", False),
    ("golang.org:none", PUBLIC, False, "git", False),
]


@pytest.mark.parametrize(("text", "root", "private", "vcs", "want"), TABLE)
def test_the_first_rule_that_matches_decides(
    text: str, root: str, private: bool, vcs: str, want: bool
) -> None:
    assert govcs.allows(govcs.parse(text), root, vcs, private=private) is want


@pytest.mark.parametrize(
    ("text", "root", "private", "vcs", "want"),
    [
        ("", PUBLIC, False, "git", True),
        ("", PUBLIC, False, "hg", True),
        ("", PUBLIC, False, "svn", False),
        ("", PRIVATE, True, "svn", True),
        ("golang.org/y:none", PUBLIC, False, "git", True),
        ("public:off", PUBLIC, False, "git", False),
    ],
)
def test_the_built_in_rules_follow(text: str, root: str, private: bool, vcs: str, want: bool) -> None:
    assert govcs.allows((*govcs.parse(text), *govcs.DEFAULT), root, vcs, private=private) is want


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (",", "empty entry in GOVCS"),
        (",x", "empty entry in GOVCS"),
        ("x,", "missing colon"),
        ("x", 'malformed entry in GOVCS (missing colon): "x"'),
        ("x:", 'empty VCS list in GOVCS: "x:"'),
        ("x:|", 'empty VCS name in GOVCS: "x:|"'),
        ("x:y|", 'empty VCS name in GOVCS: "x:y|"'),
        ("x:|y", 'empty VCS name in GOVCS: "x:|y"'),
        ("x:y,", "empty entry in GOVCS"),
        (":y", 'empty pattern in GOVCS: ":y"'),
        ("./x:y", 'relative pattern not allowed in GOVCS: "./x"'),
        ("x:y,x:z", 'unreachable pattern in GOVCS: "x:z" after "x:y"'),
    ],
)
def test_a_malformed_value_is_refused_as_go_refuses_it(text: str, why: str) -> None:
    with pytest.raises(InvalidGOVCS) as caught:
        govcs.parse(text)
    assert why in str(caught.value)
