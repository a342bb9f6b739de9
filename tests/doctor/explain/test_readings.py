"""What is read out of names and words: blacked-out names, build tools by their whole name, lines that were cut."""

import pytest

from goferry.doctor.explain.clean import paste_of
from goferry.doctor.explain.facts import fact_of
from goferry.doctor.explain.judge import explain
from goferry.doctor.explain.messages import messages_of
from goferry.doctor.explain.surroundings import surroundings_of


def _tags(text: str) -> frozenset[str]:
    paste = paste_of([text.encode()])
    return frozenset().union(*(fact_of(message).tags for message in messages_of(paste.lines)))


@pytest.mark.parametrize(
    ("module", "hidden"),
    [
        ("github.com/xxxx/lib", True),
        ("gitlab.mycompany.com/team/lib", True),
        ("github.com/acme/lib", True),
        ("github.com/someone/private-lib", True),
        ("github.com/maxxx/lib", False),
        ("github.com/privateer/lib", False),
        ("golang.org/x/net", False),
        ("github.com/organic/company2", False),
    ],
)
def test_a_name_that_was_blacked_out_is_a_private_one(module: str, hidden: bool) -> None:
    text = f"go: {module}@v1.0.0: reading https://goproxy.cn/{module}/@v/v1.0.0.mod: 404 Not Found"
    assert ("private_name" in _tags(text)) is hidden


@pytest.mark.parametrize(
    ("text", "tag", "there"),
    [
        ("sh: ebuild failed", "in_sandbox", True),
        ("please rebuild with kubebuilder and prebuild", "in_sandbox", False),
        ("prow job failed", "on_runner", True),
        ("open it in the browser", "on_runner", False),
        ("connected to the office over OpenVPN", "vpn", True),
        ("an insurgent clashes", "vpn", False),
        ("go: github.com/docker/distribution@v2.8.3: EOF", "in_container", False),
        ("docker build .", "in_container", True),
        ("go: github.com/Dreamacro/clash@v1.3.0: EOF", "vpn", False),
    ],
)
def test_a_build_tool_is_known_by_its_whole_name(text: str, tag: str, there: bool) -> None:
    assert (tag in surroundings_of(paste_of([text.encode()])).tags) is there


def test_lines_that_were_cut_are_joined_before_a_weak_guess_is_made() -> None:
    text = (
        "go: github.com/a/b\n@v1.0.0:\n"
        ' Get "https://goproxy.cn/github.com/a/b/\n@v/v1.0.0.mod"\n: dial tcp 203.0.113.9:443: i/o timeout'
    )
    assert explain([text.encode()]).verdict.cause == "goproxy_host_blocked"


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("package slices is not in GOROOT (/usr/lib/go-1.19/src/slices)", "std_too_new"),
        (
            'cannot load embed: malformed module path "embed": missing dot in first path element',
            "std_too_new",
        ),
        ('uring: malformed module path "uring": missing dot in first path element', "path_no_dot"),
        ('malformed module path "a b": invalid char', "path_malformed"),
        ("ssh: Could not resolve hostname github.com:team: Name or service not known", "hostname_with_path"),
        ("go: example.com/a@v1.0.0: unknown revision v1.0.0", "old_unknown"),
        ("read: socks5 handshake failed", "socks_fault"),
    ],
)
def test_words_that_look_alike_are_told_apart(text: str, tag: str) -> None:
    assert tag in _tags(text)
    assert len(_tags(text) & {"std_too_new", "path_malformed", "hostname_with_path", "old_unknown"}) <= 1
