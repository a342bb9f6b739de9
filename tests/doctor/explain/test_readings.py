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


def _cause(text: str) -> str:
    return explain([text.encode()]).verdict.cause


_DEFAULT = "https://mirror.golang.org/github.com/a/b/@v/v1.0.0.mod"
_CLONE = "go: github.com/a/b@v1.0.0: git ls-remote -q origin in /go/pkg/mod/cache/vcs/aa: exit status 128:"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        # what the server reports of its own way is not what happened here
        (
            "\tremote: cannot talk to GitHub: Get https://github.com/x: net/http: request canceled (Client.Timeout)\n"
            "\tfatal: unable to access 'https://gopkg.in/yaml.v3/': The requested URL returned error: 502",
            "vanity_host_down",
        ),
        (
            "\tfatal: unable to access 'https://github.com/a/b/': The requested URL returned error: 502",
            "transient_network",
        ),
        # a login that cannot see the repository, and nobody who asked without one
        (
            "\tremote: Repository not found.\n\tfatal: repository 'https://oauth2:xxx@github.com/a/b/' not found",
            "git_credentials_missing",
        ),
        (
            "\tremote: Repository not found.\n\tfatal: repository 'https://github.com/a/b/' not found",
            "repo_private_or_deleted_upstream",
        ),
    ],
)
def test_git_lines_that_look_alike_are_told_apart(lines: str, cause: str) -> None:
    assert _cause(f"{_CLONE}\n{lines}") == cause


@pytest.mark.parametrize(
    ("before", "after", "cause"),
    [
        ("", "$ go env GOPROXY\nhttps://goproxy.cn,direct", "goproxy_setting_not_effective"),
        ("", 'GOPROXY="https://goproxy.cn,direct"\nGOSUMDB="off"', "goproxy_setting_not_effective"),
        ("", "you could try export GOPROXY=https://goproxy.cn", "goproxy_host_blocked"),
        ("", f"$ go env GOPROXY\n{_DEFAULT.partition('/github')[0]},direct", "goproxy_host_blocked"),
        ("export GOPROXY=https://goproxy.cn;direct", "", "goproxy_value_malformed"),
    ],
)
def test_a_setting_that_was_printed_counts_wherever_it_stands(before: str, after: str, cause: str) -> None:
    error = f'go: github.com/a/b@v1.0.0: Get "{_DEFAULT}": dial tcp 172.217.27.145:443: i/o timeout'
    assert _cause(f"{before}\n{error}\n{after}\n") == cause


def test_a_semicolon_that_ends_a_command_is_no_fault_of_the_value() -> None:
    text = (
        "RUN export GOPROXY=https://goproxy.io/; go mod download\n"
        "verifying github.com/a/b@v1.0.0/go.mod: checksum mismatch\n\tdownloaded: h1:A=\n\tgo.sum:     h1:B="
    )
    assert _cause(text) == "checksum_mismatch_retagged"


def test_a_warning_of_gopath_mode_is_not_the_fault_of_something_else() -> None:
    warning = "go get: warning: modules disabled by GO111MODULE=auto in GOPATH/src;\n\tignoring go.mod;"
    clone = (
        "fatal: could not read Username for 'https://git.corp.example': terminal prompts disabled\n"
        "package git.corp.example/a/b: exit status 128"
    )
    assert _cause(f"{warning}\n{clone}") == "git_credentials_missing"
    assert _cause(warning) == "gopath_mode_ignores_goproxy"


TRACE = "# get https://goproxy.cn/github.com/a/@v/list: 404 Not Found (0.173s)\n"


def test_what_go_x_traces_of_questions_that_were_answered_is_no_error() -> None:
    assert (
        explain([("# go install -x github.com/a/b@latest\n" + TRACE * 3).encode()]).verdict.cause
        == "cannot_tell"
    )
    error = "go: github.com/a/b@latest: reading https://goproxy.cn/github.com/a/b/@v/list: 404 Not Found"
    verdict = explain([(TRACE + error).encode()]).verdict
    assert verdict.cause == "goproxy_lacks_module_no_direct"


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        # the setting as a page shows it, and the list taken for one address
        (
            'GOPROXY="[https://goproxy.cn,direct](https://goproxy.cn%2Cdirect/)"\n'
            'go: module a.example/b: Get "https://goproxy.cn/a.example/b/@v/list": dial tcp 203.0.113.9:443: '
            "i/o timeout",
            "goproxy_host_blocked",
        ),
        (
            'go: module a.example/b: Get "https://goproxy.cn;direct/a.example/b/@v/list": dial tcp: lookup '
            "goproxy.cn;direct: no such host",
            "goproxy_value_malformed",
        ),
        # a warning beside an error of the very mirror it speaks of, beside one of another, and alone
        (
            "warning: go env -w GOPROXY=... does not override conflicting OS environment variable\n"
            'go: a.example/b@v1.0.0: Get "https://goproxy.cn/a.example/b/@v/v1.0.0.mod": x509: certificate has expired '
            "or is not yet valid",
            "server_cert_expired",
        ),
        (
            "warning: go env -w GOPROXY=... does not override conflicting OS environment variable\n"
            'go: a.example/b@v1.0.0: Get "https://mirror.golang.org/a.example/b/@v/v1.0.0.mod": dial tcp '
            "142.250.204.49:443: i/o timeout",
            "goproxy_setting_not_effective",
        ),
        (
            "warning: go env -w GOPROXY=... does not override conflicting OS environment variable",
            "goproxy_setting_not_effective",
        ),
        # a name of everybody that leads home, and a server that stands there
        ("ssh: connect to host github.com port 22: Connection refused", "git_protocol_blocked"),
        (
            "debug1: Connecting to github.com [127.0.0.1] port 22.\n"
            "ssh: connect to host github.com port 22: Connection refused",
            "dns_hijacked",
        ),
        (
            "debug1: Connecting to git.example.com [127.0.0.1] port 22.\n"
            "ssh: connect to host git.example.com port 22: Connection refused",
            "git_protocol_blocked",
        ),
        # a clock that nobody has set, and one that is right
        (
            "fatal: unable to access 'https://github.com/a/b/': server certificate verification failed. CAfile: none\n"
            "$ date\nSat Jan  1 00:47:51 UTC 2000",
            "clock_skew",
        ),
        (
            "fatal: unable to access 'https://github.com/a/b/': server certificate verification failed. CAfile: none\n"
            "$ date\nSat Jan  2 10:47:51 UTC 2021",
            "ca_bundle_missing_or_stale",
        ),
        # what git could not fetch, and what curl could not
        (
            "fatal: unable to access 'https://github.com/a/b/': The requested URL returned error: 404",
            "repo_private_or_deleted_upstream",
        ),
        (
            "Cloning into 'a'...\nChecking connectivity... done.\ncurl: (22) The requested URL returned error: 404",
            "cannot_tell",
        ),
        # a GOROOT that was lost, and a package that is younger than Go
        ("go: a.example/b imports\n\tfmt: package fmt is not in std (/snap/x/src/fmt)", "cannot_tell"),
        (
            "go: a.example/b imports\n\tslices: package slices is not in std (/usr/lib/go/src/slices)",
            "toolchain_not_available",
        ),
        ('package a.example/b\n\timports bytes: unrecognized import path "bytes"', "cannot_tell"),
        ('package a.example/b\n\timports bites: unrecognized import path "bites"', "module_path_wrong"),
        # a vendor folder that is not whole, and a package that is not there
        ('types.go:9:2: cannot find package "." in:\n\t/src/a/vendor/b.example/c', "cannot_tell"),
        # a place that was closed, and one that is there
        (
            'package code.google.com/p/a: unrecognized import path "code.google.com/p/a"',
            "repo_private_or_deleted_upstream",
        ),
        # who says that it is his, and who does not
        (
            "it is our private repository\n"
            "go get: module github.com/a/b: git ls-remote -q origin in /go/pkg/mod/cache/vcs/1: "
            "exit status 128:\n\tfatal: could not read Username for 'https://github.com': terminal prompts disabled\n"
            "If this is a private repository, see the manual",
            "git_credentials_missing",
        ),
        (
            "go get: module github.com/a/b: git ls-remote -q origin in /go/pkg/mod/cache/vcs/1: "
            "exit status 128:\n\tfatal: could not read Username for 'https://github.com': terminal prompts disabled\n"
            "If this is a private repository, see the manual",
            "repo_private_or_deleted_upstream",
        ),
        # a checksum database whose URL was shortened
        (
            "verifying module: ... sumdb/sum.golang.org/lookup/code.corp.example/...: 404 Not Found\n"
            "server response: ... dial tcp: lookup code.corp.example on 8.8.8.8:53: no such host",
            "goprivate_not_set",
        ),
        # a page that did not answer now and then: one of Google's, and one of a single author
        (
            'sometimes: go: a.example/b@v1.0.0: unrecognized import path "go.opencensus.io/b": https fetch: Get '
            '"https://go.opencensus.io/b?go-get=1": read tcp 192.0.2.1:40300->216.239.32.21:443: read: connection reset'
            " by peer",
            "transient_network",
        ),
        (
            'sometimes: go: a.example/b@v1.0.0: unrecognized import path "a.example/b": https fetch: Get '
            '"https://a.example/b?go-get=1": dial tcp 203.0.113.4:443: i/o timeout',
            "vanity_host_down",
        ),
        # who wonders why nothing else was tried, and who does not
        (
            "GOPROXY=https://mirror.golang.org,direct\nwhy does it not fall back to direct?\n"
            'a.example/b@v1.0.0: Get "https://mirror.golang.org/a.example/b/@v/v1.0.0.info": dial tcp '
            "142.250.69.209:443: i/o timeout",
            "goproxy_comma_no_fallback",
        ),
        (
            "GOPROXY=https://mirror.golang.org,direct\n"
            'a.example/b@v1.0.0: Get "https://mirror.golang.org/a.example/b/@v/v1.0.0.info": dial tcp '
            "142.250.69.209:443: i/o timeout",
            "goproxy_host_blocked",
        ),
    ],
)
def test_neighbours_are_told_apart(text: str, cause: str) -> None:
    assert explain([text.encode()]).verdict.cause == cause
