"""Texts that look alike and have different causes: each pair differs in the one thing that decides."""

import pytest

from goferry.doctor.explain.judge import explain

MIRROR = "https://goproxy.cn/a.b/c/@v/v1.0.0"
OWN = "https://goproxy.corp/a.b/c/@v/v1.0.0"
OTHER = "https://mods.example.net/a.b/c/@v/v1.0.0"
PROMPT = "fatal: could not read Username for 'https://github.com': terminal prompts disabled"


def cause(text: str) -> str:
    return explain([text.encode()]).verdict.cause


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # a mirror for everybody that lost the zip, and a version that no mirror has
        (f"go: a.b/c@v1.0.0: reading {MIRROR}.zip: 404 Not Found", "goproxy_server_5xx"),
        (f"go: a.b/c@v1.0.0: reading {MIRROR}.mod: 404 Not Found", "goproxy_lacks_module_no_direct"),
        (f"go: a.b/c@v1.0.0: reading {OWN}.zip: 404 Not Found", "goproxy_lacks_module_no_direct"),
        # both ways say that the version is not there
        (
            f"go: a.b/c@v1.0.0: reading {MIRROR}.mod: 410 Gone\n$ GOPROXY=direct go mod download\n"
            "go: a.b/c@v1.0.0: unknown revision v1.0.0",
            "unknown_revision",
        ),
        # go waits with a limit of its own for the answer to CONNECT alone; other programs have limits too
        (f'go: a.b/c@v1.0.0: Get "{MIRROR}.mod": context deadline exceeded', "forward_proxy_overloaded"),
        (
            f'Get "{MIRROR}.mod": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
            "goproxy_host_blocked",
        ),
        # nowhere, and somewhere else
        (f'Get "{MIRROR}.mod": dial tcp 0.0.0.0:443: connect: connection refused', "dns_negative_filter"),
        (f'Get "{MIRROR}.mod": dial tcp 8.7.198.45:443: connect: connection refused', "dns_hijacked"),
        (f'Get "{MIRROR}.mod": dial tcp 1.2.3.4:443: connect: connection refused', "goproxy_host_blocked"),
        # a name that somebody could filter, and one that nobody knows
        (f'go: a.b/c@v1.0.0: Get "{MIRROR}.mod": net/http: TLS handshake timeout', "goproxy_host_blocked"),
        (f'go: a.b/c@v1.0.0: Get "{OTHER}.mod": net/http: TLS handshake timeout', "mtu_blackhole"),
        # code from before there were modules is nobody's own
        (
            f"go: github.com/a/b@v0.0.0-20151018003038-5e2d6d41470f: invalid version: git ls-remote -q origin in /v: "
            f"exit status 128:\n\t{PROMPT}",
            "repo_private_or_deleted_upstream",
        ),
        (
            f"go: github.com/a/b@v0.0.0-20231018003038-5e2d6d41470f: invalid version: git ls-remote -q origin in /v: "
            f"exit status 128:\n\t{PROMPT}",
            "git_credentials_missing",
        ),
        (
            "git config --global url.https://oauth2@github.com/.insteadOf https://github.com/\n"
            f"go: github.com/a/b@v0.0.0-20151018003038-5e2d6d41470f: invalid version: git ls-remote -q origin in /v: "
            f"exit status 128:\n\t{PROMPT}",
            "git_credentials_missing",
        ),
        # the comma forbids the second mirror; `direct` is no mirror
        (
            f'export GOPROXY=https://mods.example.net,https://goproxy.cn,direct\nGet "{OTHER}.mod": '
            "dial tcp 10.1.2.3:443: i/o timeout",
            "goproxy_comma_no_fallback",
        ),
        (
            f'export GOPROXY=https://mods.example.net,direct\nGet "{OTHER}.mod": dial tcp 203.0.113.9:443: i/o timeout',
            "goproxy_host_blocked",
        ),
        # what Google keeps for everybody is not gone
        (
            "# cd .; git clone https://go.googlesource.com/crypto /src/x\nCloning into '/src/x'...\n"
            "fatal: remote error: Git repository not found",
            "transient_network",
        ),
        (
            "# cd .; git clone https://github.com/a/crypto /src/x\nCloning into '/src/x'...\n"
            "fatal: repository 'https://github.com/a/crypto/' not found",
            "repo_private_or_deleted_upstream",
        ),
        # whose host it is
        (
            "GOPRIVATE=code.example.com\ngo: code.example.net/a: reading https://code.example.net/a?go-get=1: "
            "401 Unauthorized",
            "git_credentials_missing",
        ),
        (
            "go: rsc.example.net/a: reading https://rsc.example.net/a?go-get=1: 404 Not Found",
            "vanity_host_down",
        ),
        # a package that is missing, and a reason why it could not be looked for
        ("cannot find module providing package a.b/c", "module_path_wrong"),
        (
            'cannot find module providing package go.example.net/c: unrecognized import path "go.example.net/c": '
            'https fetch: Get "https://go.example.net/c?go-get=1": EOF',
            "vanity_host_down",
        ),
        # a module about proxies, and a proxy
        (
            'go: github.com/armon/go-socks5@v0.1.0: Get "https://goproxy.cn/github.com/armon/go-socks5/@v/v0.1.0.mod": '
            "dial tcp 1.2.3.4:443: i/o timeout",
            "goproxy_host_blocked",
        ),
        (f'Get "{MIRROR}.mod": socks5: connect: general failure', "forward_proxy_broken"),
        (
            f'go: github.com/docker/cli@v1.0.0: Get "{MIRROR}.mod": proxyconnect tcp: dial tcp 127.0.0.1:7890: '
            "connect: connection refused",
            "forward_proxy_broken",
        ),
        # a mirror that is named without a path, and a host that is none
        ("fetching https://goproxy.cn/...: dial tcp 1.2.3.4:443: i/o timeout", "goproxy_host_blocked"),
        ("fetching https://github.com/...: dial tcp 1.2.3.4:443: i/o timeout", "direct_host_blocked"),
    ],
)
def test_one_thing_decides(text: str, expected: str) -> None:
    assert cause(text) == expected


ERRORS = (
    'Get "https://goproxy.cn/MODULE/@v/v1.0.0.mod": dial tcp 1.2.3.4:443: i/o timeout',
    'Get "https://goproxy.cn/MODULE/@v/v1.0.0.mod": x509: certificate signed by unknown authority',
    'Get "https://goproxy.cn/MODULE/@v/v1.0.0.mod": EOF',
    'Get "https://goproxy.cn/MODULE/@v/v1.0.0.mod": proxyconnect tcp: dial tcp 127.0.0.1:7890: connection refused',
    "reading https://goproxy.cn/MODULE/@v/v1.0.0.mod: 404 Not Found",
    "reading https://goproxy.cn/MODULE/@v/v1.0.0.mod: 502 Bad Gateway",
    'verifying module: MODULE@v1.0.0: Get "https://sum.golang.org/lookup/MODULE@v1.0.0": dial tcp 1.2.3.4:443: EOF',
    f"invalid version: git ls-remote -q origin in /v: exit status 128:\n\t{PROMPT}",
    "invalid version: unknown revision v1.0.0",
    "verifying module: checksum mismatch",
)
NAMES = (
    "go-socks5", "x509", "docker", "not-found", "unauthorized", "access-denied", "connection-reset", "zscaler",
    "mitmproxy", "read-only", "eof", "misbehaving", "proxyconnect", "toolchain", "dmca", "certificate",
    "goaway", "stream-error", "expired", "sumdb", "429", "forbidden-403", "vpn", "clash", "nix", "kubernetes",
    "flatpak", "insteadof", "goproxy", "goprivate", "retry-go", "flaky", "html", "publickey", "dns-lookup",
    "no-such-host", "portal", "rate-limit-exceeded", "proxy-authentication", "checkpoint", "dubious", "hg",
    "svn", "malformed", "embed", "slices",
)  # fmt: skip


@pytest.mark.parametrize("error", ERRORS)
def test_what_a_module_is_called_says_nothing(error: str) -> None:
    text = f"go: MODULE@v1.0.0: {error}"
    expected = cause(text.replace("MODULE", "github.com/aaa/bbb"))
    seen = {name: cause(text.replace("MODULE", f"github.com/{name}/{name}")) for name in NAMES}
    assert {name: told for name, told in seen.items() if told != expected} == {}


ENVIRONMENT = """go version go1.21.5 linux/amd64
GO111MODULE=""
GOMODCACHE="/home/dev/go/pkg/mod"
GONOPROXY=""
GOPRIVATE=""
GOPROXY="https://mirror.golang.org,direct"
GOSUMDB="sum.golang.org"
CC="gcc"
"""
"""As issue forms ask for: the default list of proxies is nobody's choice."""


@pytest.mark.parametrize(
    "text",
    [
        f'Get "{MIRROR}.mod": dial tcp 1.2.3.4:443: i/o timeout',
        "package golang.org/x/net: unrecognized import path (https fetch: Get https://golang.org/x/net?go-get=1: "
        "dial tcp 216.239.37.1:443: i/o timeout)",
        'package go.example.net/c: unrecognized import path "go.example.net/c": reading '
        "https://go.example.net/c?go-get=1: 502 Bad Gateway",
        f"go: github.com/a/b@v1.0.0: git ls-remote -q origin in /v: exit status 128:\n\t{PROMPT}",
    ],
)
def test_what_go_env_prints_of_its_defaults_says_nothing(text: str) -> None:
    assert cause(ENVIRONMENT + text) == cause(text)
