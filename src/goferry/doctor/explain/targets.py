"""Who was asked: the URL, host or address in a message, as tags that say what role it plays.

No list of names can be complete, so the shape decides first: a module proxy is asked for `/@v/`, a checksum database
for `/lookup/` and `/tile/`, an import host with `?go-get=1`. Names only add what a shape cannot tell.
"""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from goferry.doctor.addresses import Kind, kind_of

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_URL: Final = (
    r"(?:https?|git|ssh|file):/{1,2}(?:[^\s/@\"']{1,80}@)?[^\s\"'<>()\]`“”,;]+(?:;direct\S*|,direct\S*)?"
)
_ASKED: Final = re.compile(
    rf"(?:\b(?:Get|Head|Post|reading|read|fetch(?:ing)?|parse|parsing|access|repository|status|from|for|get|clone)\b)"
    rf":?[ (]+[\"'(“]?({_URL})",
    re.IGNORECASE,
)
_ANY_URL: Final = re.compile(_URL)
_HELP: Final = re.compile(
    r"golang\.org/(?:s|doc|issue|ref|help|faq)\b|go\.dev/(?:s|doc|ref|blog|issue)\b|/issues/|docs\."
)
_MODULE: Final = re.compile(
    r"(?:^|[\s(\"])([a-z0-9][a-zA-Z0-9.-]*\.[a-z]+/[^\s@:\"]+|[a-z0-9-]+(?:\.[a-z0-9-]+)+)@(\S+?):(?:\s|$)"
)
_IMPORT: Final = re.compile(
    r"unrecognized import path \"?([^\"\s:(]+)|^package ([\w.-]+\.[\w./-]+):|\bmodule ([\w-]+\.[\w.-]+/[^\s:@]+):",
    re.MULTILINE,
)
_HOST_ONLY: Final = re.compile(
    r"(?:Failed (?:to )?connect to|Could not resolve host(?:name)?:?|connect to host|lookup|unable to connect to"
    r"|resolve hostname|connection to|Connection to|Unable to look up|username for|Username for"
    r"|certificate is valid for [^\n]*, not) ['\"]?([\w.-]+)"
)
_HOST: Final = re.compile(r"^\w+:/{1,2}(?:[^/@]*@)?(\[[^]]*\]|[^/:?#]+)(?::(\d+))?(.*)$")


@dataclass(frozen=True, slots=True)
class Target:
    """url as it stands there, "" when only a host or a module is named; host in lower case, "" when unknown."""

    url: str = ""
    host: str = ""
    path: str = ""
    module: str = ""
    version: str = ""


def target_of(text: str) -> Target:
    """What the message was about: the URL that was asked for, else the host that was dialled, else the module."""
    module = _MODULE.search(text)
    path, version = (module[1], module[2]) if module else (_import_path(text), "")
    url = _url(text)
    if url and (m := _HOST.match(url)):
        return Target(url, m[1].lower(), m[3], path, version)
    host = _HOST_ONLY.search(text)
    return Target("", host[1].lower() if host else "", "", path, version)


def _url(text: str) -> str:
    for pattern in (_ASKED, _ANY_URL):
        for m in pattern.finditer(text):
            url = m[m.lastindex or 0]
            if not _HELP.search(url):
                return url.rstrip(".:")
    return ""


def _import_path(text: str) -> str:
    m = _IMPORT.search(text)
    return (m[1] or m[2] or m[3]) if m else ""


# --- roles ---------------------------------------------------------------------------------------------------------

_ROLES: Final = (
    (
        "sumdb via_proxy",
        re.compile(
            r"/sumdb/[^/@]+/?(?:$|lookup/|tile/|latest|supported)"
            r"|[^/:]/sum\.golang\.org/(?:lookup|tile|latest|supported)\b"
        ),
    ),
    (
        "sumdb",
        re.compile(
            r"^https?:/{1,2}(?:sum\.golang\.(?:org|google\.cn)|gosum\.io)\b|[^/]/(?:lookup/\S+@v|tile/8/)"
        ),
    ),
    ("proxy zip storage", re.compile(r"/@v/[^/]*\.zip\?|storage\.googleapis\.com/proxy-")),
    ("proxy zip", re.compile(r"/@v/[^/]*\.zip")),
    ("proxy", re.compile(r"/@v/|/@v$|/@latest")),
    ("import_host", re.compile(r"\?go-get=1")),
    ("code_host", re.compile(r"^https://api\.bitbucket\.org/")),
)
_SUMS: Final = re.compile(
    r"((?:sumdb|[^/:\s])/)?sum\.golang\.org/(?:lookup|tile|latest|supported)\b|\w/lookup/[\w.-]+\.\w+/\S+@v"
)
"""A question to the checksum database whose URL was shortened."""
_LOGGED: Final = re.compile(r"(?:\bGET| [1-5]\d\d) /[\w.-]+\.\w+/\S*/?@(?:v/|latest)")
"""A request in the log of a module proxy, which leaves out its own name."""
_TOOLCHAIN: Final = re.compile(r"golang\.org/toolchain(?:@|/@v)|download go1\.")
_GITTISH: Final = re.compile(
    r"\bgit (?:ls-remote|fetch|clone|init|remote|-c)|^\s*fatal: |^\s*remote: |ssh: connect|unable to access"
    r"|Cloning into|git@|Host key verification|could not read Username"
    r"|hg (?:clone|pull|identify)|svn ",
    re.MULTILINE,
)


def role_tags(text: str, target: Target) -> Iterator[str]:
    """`proxy`, `sumdb`, `import_host`, `code_host` …: whom this message is about; nothing when it cannot be told."""
    if _TOOLCHAIN.search(text):
        yield "toolchain"
    if "response from proxy" in text:
        yield "proxy"
    for tags, shape in _ROLES:
        if target.url and shape.search(target.url):
            yield from tags.split()
            return
    if target.url and is_mirror(target.host):
        yield "proxy"  # of a URL that was shortened, or of the mirror itself
        return
    if not target.url and _LOGGED.search(text):
        yield "proxy"
        return
    if not target.url and (m := _SUMS.search(text)):
        yield from ("sumdb", "via_proxy") if m[1] else ("sumdb",)
        return
    if _GITTISH.search(text):
        yield "code_host"
    elif target.url:
        yield "other_url"
    elif target.version:
        yield from (
            "proxy",
            "zip",
            "no_url",
        )  # without a URL it is the body that broke: Go prints the module alone


# --- hosts ---------------------------------------------------------------------------------------------------------

PUBLIC_MIRRORS: Final = (
    "goproxy.cn", "goproxy.io", "mirrors.aliyun.com", "mirrors.cloud.tencent.com", "mirrors.tencent.com",
    "repo.huaweicloud.com", "goproxy.baidu.com", "goproxy.bj.bcebos.com", "gocenter.io", "athens.azurefd.net",
    "proxy.golang.com.cn", "gonexus.dev", "goproxy.gt", "goproxy.dev", "gomirrors.org", "mirrors.volces.com",
)  # fmt: skip
PUBLIC_CODE: Final = (
    "github.com", "gitlab.com", "bitbucket.org", "gitee.com", "codeberg.org", "sr.ht", "gopkg.in", "launchpad.net",
    "gitea.com", "salsa.debian.org", "gitlab.freedesktop.org", "git.sr.ht", "gitlab.gnome.org",
)  # fmt: skip
_GOOGLE: Final = re.compile(
    r"(?:^|\.)(?:golang\.org|go\.dev|googlesource\.com|googleapis\.com|google\.com|google\.cn|google\.golang\.org|k8s\.io"
    r"|kubernetes\.io|gvisor\.dev|opencensus\.io|appspot\.com|googleusercontent\.com)$"
)
_INSIDE: Final = re.compile(
    r"\.(?:local|lan|corp|internal|intra|intranet|home|svc|cluster\.local|localdomain|private|test)$"
    r"|corp|intern|artifactory|jfrog|nexus|athens|company|enterprise"
    r"|(?:^|\.)(?:gitlab|git|gitea|gogs|ghe|stash|bitbucket|code)\."
    r"|^localhost$|^[\w-]+$",
    re.IGNORECASE,
)


_PARTICULAR: Final = (
    ("golang_site", ("golang.org", "google.golang.org", "cloud.google.com", "go.googlesource.com")),
    ("public_code", PUBLIC_CODE),
    ("closed_host", ("code.google.com",)),
    ("near_mirror", PUBLIC_MIRRORS),
    ("redirector", ("gopkg.in",)),  # it passes on what it asks GitHub for, pages and git's own words alike
)


def host_tags(host: str, role: str = "") -> Iterator[str]:
    """What the name alone says."""
    if not host:
        return
    if (address := _address(host)) is not None:
        yield "ip_host"
        if kind_of(str(address)).may_be_internal:
            yield "inside_host"
            if role == "proxy":
                yield "own_mirror"
    elif _GOOGLE.search(host):
        yield from ("google_host", "public_host")
    elif host in PUBLIC_MIRRORS or host.endswith(PUBLIC_MIRRORS) or host in PUBLIC_CODE:
        yield "public_host"
    elif _INSIDE.search(host):
        yield "inside_host"
    yield from (tag for tag, hosts in _PARTICULAR if host in hosts)
    if host.endswith(".githubusercontent.com"):
        yield from ("public_host", "raw_content")
    if role == "proxy" and _INSIDE.search(host) and host not in PUBLIC_MIRRORS:
        yield "own_mirror"


_NO_MIRROR: Final = frozenset(
    [
        "sum",
        "go",
        "www",
        "tour",
        "play",
        "blog",
        "pkg",
        "tip",
        "talks",
        "vuln",
        "google",
        "telemetry",
        "dl",
        "build",
        "perf",
    ]
)


def is_mirror(host: str) -> bool:
    """Whether a host is known to be a module proxy for everybody: by its name, or as one of golang.org's own hosts."""
    name, _, rest = host.partition(".")
    return host in PUBLIC_MIRRORS or (rest == "golang.org" and name not in _NO_MIRROR)


# --- addresses -----------------------------------------------------------------------------------------------------

# Whose addresses forged answers have carried in place of the true ones since about 2015, as measurement papers report:
# services that are blocked there themselves. Nobody who asks for Go modules should meet them.
_FORGED: Final = (
    "31.13.64.0/18", "69.171.224.0/19", "66.220.144.0/20", "157.240.0.0/16", "173.252.64.0/18", "69.63.176.0/20",
    "179.60.192.0/22", "185.60.216.0/22", "199.16.156.0/22", "199.59.148.0/22", "104.244.40.0/21",
    "108.160.160.0/20", "162.125.0.0/16", "67.228.0.0/16", "75.126.0.0/16", "174.36.0.0/15", "88.191.249.0/24",
    "202.160.128.0/22", "2a03:2880::/29",
)  # fmt: skip
_GOOGLE_NETS: Final = (
    "142.250.0.0/15", "172.217.0.0/16", "172.253.0.0/16", "216.58.192.0/19", "216.239.32.0/19", "74.125.0.0/16",
    "173.194.0.0/16", "64.233.160.0/19", "108.177.0.0/17", "209.85.128.0/17", "66.249.64.0/19", "72.14.192.0/18",
    "34.0.0.0/8", "35.184.0.0/13", "35.192.0.0/12", "35.208.0.0/12", "35.224.0.0/12", "192.178.0.0/15",
    "8.8.0.0/16", "199.36.152.0/21", "203.208.32.0/19", "120.253.0.0/16", "180.163.150.0/23", "220.181.174.0/24",
    "113.108.239.0/24", "114.250.0.0/16", "58.63.233.0/24", "2607:f8b0::/32", "2404:6800::/32", "2a00:1450::/32",
    "2800:3f0::/32", "2c0f:fb50::/32",
)  # fmt: skip

_GOOGLE_FRONTS: Final = (
    "142.250.0.0/15", "172.217.0.0/16", "172.253.0.0/16", "216.58.192.0/19", "216.239.32.0/19", "74.125.0.0/16",
    "173.194.0.0/16", "64.233.160.0/19", "108.177.0.0/17", "209.85.128.0/17", "192.178.0.0/15",
    "2607:f8b0::/32", "2404:6800::/32", "2a00:1450::/32",
)  # fmt: skip
"""Those of Google's networks in which its own services stand, and pages of others, but no machines of others."""

_KINDS: Final = {
    Kind.LOOPBACK: "to_loopback",
    Kind.UNSPECIFIED: "to_zero",
    Kind.BENCHMARK: "to_fake_ip",
    Kind.PRIVATE: "to_private",
    Kind.CGNAT: "to_private",
    Kind.LINK_LOCAL: "to_private",
    Kind.SINKHOLE: "to_forged",
    Kind.TEREDO: "to_forged",
    Kind.MULTICAST: "to_forged",
    Kind.RESERVED: "to_forged",
}


def address_tags(text: str, host: str) -> Iterator[str]:
    """What a dialled address says about the answer that led to it. `host` is the name that was looked up."""
    address = _address(text)
    if address is None:
        return
    yield "ipv4" if address.version == 4 or address.ipv4_mapped else "ipv6"
    if kind := _KINDS.get(kind_of(str(address))):
        yield kind
    elif _within(address, _FORGED):
        yield "to_forged"
    elif _within(address, _GOOGLE_FRONTS):
        yield "to_google"
    elif _GOOGLE.search(host) and not _within(address, _GOOGLE_NETS):
        yield "to_stranger"  # a Google name at an address that is not Google's


@cache
def _networks(texts: tuple[str, ...]) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


def _within(address: _Address, texts: tuple[str, ...]) -> bool:
    return any(address in network for network in _networks(texts))


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]").split("%")[0])
    except ValueError:
        return None
