"""What the rest of a paste tells about the place: container, sandbox, CI, versions, settings shown or made.

The same line means one thing in a shell and another one inside `docker build`; only the lines around it tell. These
tags hold for every message of the paste.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from goferry.doctor.explain.clean import Line, Paste
from goferry.doctor.explain.targets import Target, is_mirror


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


# tag, texts of which one must be there (in lower case), and a pattern where a plain text is not enough
PLACES: Final[tuple[tuple[str, tuple[str, ...], str], ...]] = (
    (
        "in_container",
        (
            "docker", "podman", "buildkit", "kaniko", "containerd", "kubernetes", "kubectl", "buildah",
            "minikube", "devcontainer", "[builder ", "dockerfile", "from golang", "--> ", "/bin/sh -c",
            "kind-control-plane",
        ),
        "",
    ),
    ("in_container", ("172.1", "10.88."), r"(?:read|dial|write) (?:udp|tcp) (?:172\.1[78]\.|10\.88\.)"),
    (
        "in_container",
        ("step ", "run go"),
        r"^step \d+(?:/\d+)? ?:|\brun (?:set -\w+; ?)?(?:go|make|apk|apt-get)\b",
    ),
    ("in_container", ("@",), r"root@[0-9a-f]{12}[:\s]"),
    ("in_container", ("/go/bin", "/go/pkg/mod", "/go/src/"), r"(?<![\w.~/-])/go/(?:bin|pkg/mod|src)\b"),
    (
        "in_sandbox",
        (
            "/nix/store", "nix log", "nix build", "buildgomodule", "go-modules.drv", "vendorhash",
            "nix-build", "nixpkgs",
        ),
        "",
    ),
    ("in_sandbox", (">>> emerging", "network-sandbox", "portage"), ""),
    ("in_sandbox", ("build", "koji", "copr"), r"\b(?:ebuild|sbuild|abuild|pbuilder|koji|copr)\b"),
    (
        "in_sandbox",
        ("bazel", "linux-sandbox", "darwin-sandbox"),
        r"linux-sandbox|darwin-sandbox|sandboxfs|block-network",
    ),
    (
        "in_sandbox",
        (
            "flatpak-builder", "flathub", "snapcraft", "launchpad", "dh_auto_build", "dpkg-buildpackage",
            "rpmbuild", "/builddir/", "obs-build",
            "guix build", "gnu/store", "bwrap", "firejail", "yocto", "bitbake", "do_compile", "oe_runmake",
            "buildroot", "--network none", "--network=none", "network_mode: none", "offline build",
            "poudriere", "/wrkdirs/",
            "mock -r", "openembedded", "seatbelt", "no network access", "sandboxed", "build sandbox", "in the sandbox",
        ),
        "",
    ),
    (
        "on_runner",
        (
            "/home/runner", "hostedtoolcache", "##[error]", "runner/work", "github actions",
            "actions/setup-go", "travis", "circleci", "d:\\a\\", "vsts/work", "cloud build",
            "dev.azure.com", "--- fail: test",
        ),
        "",
    ),
    ("on_runner", ("prow",), r"\bprow\b"),
    (
        "in_china",
        (
            "goproxy.cn", "goproxy.io", "aliyun", "huaweicloud", "tencent", "gitee.com", "114.114.114.114",
            "223.5.5.5",
        ),
        "",
    ),
    # Chinese characters stand in Japanese texts too, but never without kana; those of Taiwan are others.
    ("in_china", (), r"\A(?![\s\S]*[\u3041-\u30fe連錯誤無網檔資設請為這個對應])[\s\S]*[\u4e00-\u9fff]{2}"),
    ("on_alpine", ("alpine", "scratch", "distroless", "busybox", "openwrt"), ""),
    (
        "has_ca_package",
        ("update-ca-certificates", "apk add", "ca-certificates"),
        r"(?:apk add|apt-get install|yum install)[^\n]*ca-certificates",
    ),
    (
        "go_new",
        ("go1.2", "go 1.2", "go-1.2", "golang:1.2", "golang 1.2", "go version (1.2"),
        r"\bgo(?:lang)?[ :-]?(?:version \()?1\.(?:2[4-9]|[3-9]\d)\b",
    ),
    (
        "vpn",
        ("vpn", "clash", "v2ray", "shadowsocks", "surge", "wireguard", "proxifier", "fake-ip", "tun mode"),
        r"\b(?:\w*vpn|clash|v2ray\w*|shadowsocks|surge|wireguard|proxifier|fake-ip|tun mode)\b",
    ),
    (
        "proxy_variable",
        ("_proxy=", "https_proxy", "http_proxy", "http.proxy", "all_proxy"),
        r"https?_proxy\b['\"]?\s*[:=]?\s*['\"]?\w|http\.(?:https?://\S*)?proxy[ =]\S",
    ),
    ("curl_proxy", ("curl ",), r"\bcurl\b[^\n]* (?:-x|--proxy)[ =](?:https?|socks5h?)://"),
    # Who speaks of it has looked at it.
    ("mtu_word", ("mtu",), r"\bmtu\b"),
    ("proxy_variable_https", ("https_proxy",), r"https?_proxy['\"]?\s*[:= ]\s*['\"]?https://"),
    ("modules_off", ("go111module",), r"go111module[ =:\"']+off"),
    ("modules_off", ("warning: modules disabled",), ""),
    ("hosts_file", ("/etc/hosts", "drivers\\etc\\hosts"), ""),
    (
        "inspected",
        (
            "tls interception", "tls inspection", "ssl interception", "ssl inspection", "corporate proxy",
            "company proxy", "deep packet",
        ),
        "",
    ),
    ("insteadof_set", ("insteadof",), ""),
    (
        "private_set",
        ("goprivate", "gonoproxy", "gonosumdb"),
        r"(?:goprivate|gonoproxy|gonosumdb)['\"]?[ =:]+['\"]?[\w*]",
    ),
    (
        "flaky",
        (
            "flaky", "intermittent", "sporadic", "sometimes", "randomly", "retry", "retried", "rerun",
            "re-run", "second attempt", "finally succeed", "couple times", "couple of times", "next attempt",
            "next run", "went away", "magically", "ran it again", "running it again", "works again",
            "works now", "occasionally", "try again later", "偶尔", "重试", "有时",
        ),
        "",
    ),
    ("fallback_word", ("fallback", "fall back", "falling back", "falls back", "fall through", "falls through"), ""),
    ("not_overridden", ("does not override conflicting os environment",), r"goproxy=\S* does not override"),
    # where a clock begins that nobody has set
    (
        "clock_reset",
        ("1970", "1980", "2000"),
        r"\b(?:1970|1980|2000)-01-0[1-3][ T]\d|\bjan +[1-3] \d\d:\d\d(?::\d\d)?(?: [a-z]+)? (?:1970|1980|2000)\b",
    ),
    # said by who asks, not by go, which says "if this is a private repository" to everybody
    (
        "private_word",
        (" private ",),
        (
            r"(?<!this is )(?<!is this )\b(?:a|our|my|own|from|company) private "
            r"(?:\w+ )?(?:repo|module|package|dependenc|git)"
        ),
    ),
    # Bots that raise versions run where their owner's own modules are asked for, without his login.
    ("private_word", ("/renovate/", "/renovate-cache/"), ""),
    # What a go.mod of no bytes, and a zip without files, add up to: the cache was not written to its end.
    (
        "empty_file",
        (
            "downloaded: h1:g7mayyxgms0lvkhyy2heolqcfb0dlqftmlwggykrydy=",
            "downloaded: h1:47deqpj8hbsa+/timw+5jceuqerkm5nmpjwzg3hsufu=",
        ),
        "",
    ),
    # A file fetched from elsewhere: an archive, a release, a script that installs.
    (
        "fetches",
        ("https://", ".tar.", ".tgz", ".zip", "download"),
        (
            r"https://[a-z][\w.-]*\.[a-z]{2,}/\S*(?:\.(?:tar|tgz|zip|sh|gz|deb|xz)\b|releases/|/dl/|download|/raw/)"
            r"|\bdownload(?:ing)?\b"
        ),
    ),
    # What is missing afterwards could not be fetched.
    ("code_unreached", ("unable to access '",), r"unable to access '[^'\n]+': (?!the requested url returned)"),
    ("repo_not_found", ("remote: repository not found",), ""),
    ("asked_in_public", ("exit status ",), r"^(?:\S+ )?package [\w.-]+/\S+: exit status \d+"),
    ("unknown_elsewhere", ("unknown revision", "couldn't find remote ref"), ""),
    ("small_hello_helps", ("tlsmlkem=0", "tlskyber=0"), ""),
    ("goproxy_word", ("goproxy",), r"goproxy(?!\s*=)"),
    (
        "mirror_log",
        (
            "gomods/athens", "operation=download.", "goproxy_1",
            "go-get-proxy", "athens_", "http-path=/", "goproxy: lookup", "goproxy: unknown revision",
        ),
        "",
    ),
    ("mirror_log", ("athens",), r"(?<![\w/-])(?<!lookup )athens-proxy(?![\w.]*[/:]\w)|(?<!/)/athens"),
    (
        "ssh_clone",
        (
            "git clone git@", "git clone ssh://", "clone of 'git@", "git submodule", "submodule path",
            "git push", "git pull",
        ),
        "",
    ),
    ("ssh_clone", ("git@", "ssh://"), r"(?:remote add \S+|\.url|remote-url=?) (?:ssh://|[\w.-]+@)"),
    ("tries_ipv6", ("trying ", "ipv6: "), r"trying \[?[0-9a-f]{2,4}:[0-9a-f:]+|ipv6: [0-9a-f]{3,4}:"),
    (
        "go_command",
        (
            "go: ", "go get", "go mod", "go build", "go install", "go test", "go list", "go run", "go vet",
            "/@v/", "go.mod", "go env", "/cache/vcs/", "\\cache\\vcs\\",
        ),
        "",
    ),
)  # fmt: skip

_SETTING: Final = (
    r"\"?\bGOPROXY\b['\"]?[ \t]*[=: ][ \t]*"
    r"[\"'“\[]?(?P<value>(?:off|direct|https?://|file://|[\w-]+\.)[^\s\"'”<>\])]*)"
)


_PRINTED: Final = re.compile(r"^\s*(?:set )?GOPROXY=[\"']?\S")
_ASKED_FOR: Final = re.compile(r"\bgo env(?: -\w+)* GOPROXY\s*$")
_VALUE: Final = re.compile(r"\s*(?:off|direct|https?://\S+)\s*$")
_SEMICOLON: Final = re.compile(r";\s*(?:direct|off|https?://)|，")
"""Between entries; at the end of a value it ends a command of the shell."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A value of GOPROXY that the paste shows: set there, or printed as the one in force."""

    line: int
    value: str
    printed: bool = False

    @property
    def is_default(self) -> bool:
        """Whether it is what go has by itself: nobody chose it, and nobody wonders where it went."""
        first = self.entries[0].partition("://")[2].strip("/") if self.entries else ""
        return self.entries[1:] == ("direct",) and first.endswith(".golang.org") and is_mirror(first)

    @property
    def entries(self) -> tuple[str, ...]:
        return tuple(part for part in re.split(r"[,|]", self.value) if part)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything that holds for the whole paste."""

    tags: frozenset[str]
    settings: tuple[Setting, ...]

    def tags_for(self, first_line: int, target: Target) -> Iterator[str]:
        """What the value of GOPROXY in force at a line says about a message there."""
        chosen = [setting for setting in self.settings if not setting.is_default]
        before = [setting for setting in chosen if setting.line <= first_line]
        shown = (before or chosen)[-1:]
        for setting in shown:
            yield from _about(setting, target.host)
        if not shown and self.settings:
            yield from _list_of(self.settings[-1])
        known = before or any(setting.printed for setting in chosen)
        if known and target.host and not any(target.host in s.value for s in self.settings):
            yield "goproxy_elsewhere"


def _about(setting: Setting, host: str) -> Iterator[str]:
    entries = setting.entries
    yield "goproxy_shown"
    if entries == ("off",):
        yield "goproxy_is_off"
    if entries[:1] == ("direct",):
        yield "goproxy_is_direct"
    mirrors = [entry for entry in entries if entry not in ("direct", "off")]
    if host and len(entries) > 1 and mirrors and host in entries[0] and f"{mirrors[0]}," in setting.value:
        yield "comma_behind_it"
        if len(mirrors) > 1:
            yield "mirror_behind_it"
    yield from _list_of(setting)
    if _SEMICOLON.search(setting.value):
        yield "goproxy_semicolon"


def _list_of(setting: Setting) -> Iterator[str]:
    """What holds of a list whoever chose it."""
    mirrors = [entry for entry in setting.entries if entry not in ("direct", "off")]
    if mirrors and f"{mirrors[0]}," in setting.value:
        yield "comma_list"
        if len(mirrors) > 1:
            yield "mirrors_by_comma"


def surroundings_of(paste: Paste) -> Surroundings:
    """Looks over all lines once."""
    text = "\n".join([line.text for line in paste.lines] + [line.said for line in paste.lines if line.said])
    nameless = _NAMES.sub(" ", text)
    views = {False: (text, text.lower()), True: (nameless, nameless.lower())}
    tags = frozenset(
        tag for tag, words, pattern in PLACES if _stands(views[tag in _NOT_IN_NAMES], words, pattern)
    )
    return Surroundings(tags | paste.marks, tuple(_settings(paste.lines)))


_NAMES: Final = re.compile(r"\b(?:[\w-]+\.)+(?:com|org|io|in|net|dev)/[\w./!+-]+")
_NOT_IN_NAMES: Final = frozenset({"in_container", "in_sandbox", "on_alpine", "vpn", "flaky"})
"""What modules are named after too: to need `docker` is not to be in it, and `retry-go` is no second attempt."""


def _stands(view: tuple[str, str], words: tuple[str, ...], pattern: str) -> bool:
    text, low = view
    return (not words or any(word in low for word in words)) and (
        not pattern or _compiled(pattern).search(text) is not None
    )


def _settings(lines: Sequence[Line]) -> Iterator[Setting]:
    asked = False
    for line in lines:
        if asked and _VALUE.match(line.text):
            yield Setting(line.number, line.text.strip(), printed=True)
        asked = bool(_ASKED_FOR.search(line.text))
        if "goproxy" in line.text.lower():
            for m in re.finditer(_SETTING, line.text, re.IGNORECASE):
                if "://" in line.text[: m.start()] and "@v" in line.text:
                    continue
                yield Setting(line.number, m["value"], bool(_PRINTED.match(line.text)))
