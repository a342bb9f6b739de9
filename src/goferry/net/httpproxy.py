"""Which forward proxy a request takes, exactly as Go decides it.

People set HTTP_PROXY, HTTPS_PROXY and NO_PROXY for `go`; goferry stands in its place, so it must read them as `go` does
and not as curl or a Python library does. The rules are those of golang.org/x/net/http/httpproxy: upper case before
lower case, no ALL_PROXY, loopback never proxied, names never resolved, and a value that is no URL quietly means "none"
or, with `http://` put in front, a nonsense proxy. Even that nonsense is kept: its error is what the user has to see.
"""

import re
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import unquote_to_bytes

from goferry.errors import Refused

_DEFAULT_PORTS = {"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}


class ProxyReason(StrEnum):
    """Why a request goes where it goes. Stable names."""

    PROXY = "proxy"
    NOT_CONFIGURED = "not_configured"
    LOOPBACK = "loopback"
    NO_PROXY = "no_proxy"


@dataclass(frozen=True, slots=True)
class ProxyUrl:
    """A proxy as the variable named it. The port is "" when it was not given."""

    scheme: str
    host: str
    port: str = ""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def effective_port(self) -> str:
        """The port to dial, with the scheme's default; "" for a scheme without one."""
        return self.port or _DEFAULT_PORTS.get(self.scheme, "")

    def __str__(self) -> str:
        """The URL without credentials."""
        host = f"[{self.host}]" if ":" in self.host and ip_of(self.host) is not None else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port else "")


@dataclass(frozen=True, slots=True)
class ProxyChoice:
    """The decision for one URL: the proxy or None, why, and the entry of the variable that decided."""

    proxy: ProxyUrl | None
    reason: ProxyReason
    matched: str = ""

    @property
    def url(self) -> str | None:
        """The proxy's URL without credentials."""
        return None if self.proxy is None else str(self.proxy)


class ProxyConfig:
    """The proxy variables, parsed once. Nothing in them is ever an error, as in Go.

    cgi: REQUEST_METHOD is set, so HTTP_PROXY may come from a request header and is refused.
    """

    def __init__(self, http: str = "", https: str = "", no_proxy: str = "", *, cgi: bool = False) -> None:
        self.http = _parse_proxy(http)
        self.https = _parse_proxy(https)
        self._rules = _parse_no_proxy(no_proxy)
        self._cgi = cgi

    def __bool__(self) -> bool:
        """Whether any URL may go through a proxy."""
        return self.http is not None or self.https is not None

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "ProxyConfig":
        """From variables; upper case wins unless it is empty."""
        return cls(
            _either(env, "HTTP_PROXY"),
            _either(env, "HTTPS_PROXY"),
            _either(env, "NO_PROXY"),
            cgi=bool(env.get("REQUEST_METHOD")),
        )

    def proxy_for(self, url: str) -> ProxyChoice:
        """The decision for this absolute URL. Raises Refused for HTTP_PROXY in a CGI environment."""
        if not self:
            return ProxyChoice(None, ProxyReason.NOT_CONFIGURED)
        target = _Url.parse(url)
        if target is None:
            return ProxyChoice(None, ProxyReason.NOT_CONFIGURED)
        proxy = {"http": self.http, "https": self.https}.get(target.scheme)
        if proxy is None:
            return ProxyChoice(None, ProxyReason.NOT_CONFIGURED)
        if target.scheme == "http" and self._cgi:
            raise Refused("refusing to use HTTP_PROXY in a CGI environment")
        reason, matched = self._bypass(target)
        return ProxyChoice(proxy if reason is ProxyReason.PROXY else None, reason, matched)

    def _bypass(self, target: "_Url") -> tuple[ProxyReason, str]:
        host = _to_ascii(target.host)
        port = target.port or _DEFAULT_PORTS.get(target.scheme, "")
        if host == "localhost":
            return ProxyReason.LOOPBACK, ""
        address = ip_of(host)
        if address is not None and _is_loopback(address):
            return ProxyReason.LOOPBACK, ""
        asked = _Asked(host.strip().lower(), port, address)
        for entry, rule in self._rules:
            if rule(asked):
                return ProxyReason.NO_PROXY, entry
        return ProxyReason.PROXY, ""


def _either(env: Mapping[str, str], name: str) -> str:
    return env.get(name) or env.get(name.lower()) or ""


# --- NO_PROXY ---------------------------------------------------------------------------------------------------------

_Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class _Asked:
    host: str
    port: str
    address: _Address | None


_Rule = Callable[[_Asked], bool]


def _parse_no_proxy(text: str) -> Sequence[tuple[str, _Rule]]:
    """The entries with their rules; a lone `*` anywhere replaces all others."""
    entries = [entry for part in text.split(",") if (entry := part.strip().lower())]
    if "*" in entries:
        return [("*", lambda _asked: True)]
    return [(entry, rule) for entry in entries if (rule := _rule(entry)) is not None]


def _rule(entry: str) -> _Rule | None:
    network = _cidr(entry)
    if network is not None:
        return _network_rule(*network)
    split = split_host_port(entry)
    host, port = split if split is not None else (entry, "")
    if split is not None and host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    address = ip_of(host) if "%" not in host else None
    if address is not None:
        return _address_rule(address, port)
    return _name_rule(host, port) if host else None


def _network_rule(network: bytes, mask: bytes) -> _Rule:
    def match(asked: _Asked) -> bool:
        if asked.address is None:
            return False
        packed = _short(asked.address)
        return len(packed) == len(network) and _masked(packed, mask) == network

    return match


def _address_rule(address: _Address, port: str) -> _Rule:
    wanted = _short(address)

    def match(asked: _Asked) -> bool:
        return asked.address is not None and _short(asked.address) == wanted and port in ("", asked.port)

    return match


def _name_rule(host: str, port: str) -> _Rule:
    suffix = host[1:] if host.startswith("*.") else host
    also_itself = not suffix.startswith(".")
    suffix = _to_ascii(suffix if not also_itself else "." + suffix)

    def match(asked: _Asked) -> bool:
        if asked.address is not None:
            return False
        hit = asked.host.endswith(suffix) or (also_itself and asked.host == suffix[1:])
        return hit and port in ("", asked.port)

    return match


def _cidr(text: str) -> tuple[bytes, bytes] | None:
    """Network and mask as Go keeps them: a network of mapped IPv4 addresses is an IPv4 network."""
    host, slash, digits = text.partition("/")
    address = ip_of(host) if slash and "%" not in host else None
    if address is None or not (digits.isascii() and digits.isdigit()):
        return None
    width, bits = len(address.packed), int(digits)
    if bits > width * 8:
        return None
    mask = ((1 << width * 8) - (1 << (width * 8 - bits))).to_bytes(width, "big")
    # Masked before it is shortened: ::ffff:0:0/8 keeps no trace of being mapped.
    network = _masked(address.packed, mask)
    if width == 16 and network.startswith(_MAPPED):
        return network[12:], mask[12:]
    return network, mask


_MAPPED = b"\0" * 10 + b"\xff\xff"


def _short(address: _Address) -> bytes:
    packed = address.packed
    return packed[12:] if packed.startswith(_MAPPED) and len(packed) == 16 else packed


def _masked(address: bytes, mask: bytes) -> bytes:
    return bytes(octet & bits for octet, bits in zip(address, mask, strict=True))


def _is_loopback(address: _Address) -> bool:
    short = _short(address)
    return short[0] == 127 if len(short) == 4 else short == b"\0" * 15 + b"\1"


def ip_of(text: str) -> _Address | None:
    """The address, its zone dropped; None for a name."""
    bare, percent, zone = text.partition("%")
    if percent and (not zone or ":" not in bare):
        return None
    try:
        return ip_address(bare)
    except ValueError:
        return None


def split_host_port(text: str) -> tuple[str, str] | None:
    """Go's net.SplitHostPort: `host:port`, `[host]:port`; None where it reports an error.

    >>> split_host_port("a.example:80"), split_host_port("[::1]:80"), split_host_port("::1")
    (('a.example', '80'), ('::1', '80'), None)
    """
    colon = text.rfind(":")
    if colon < 0:
        return None
    if text.startswith("["):
        end = text.find("]")
        if end < 0 or end + 1 != colon:
            return None
        host, rest, tail = text[1:end], text[1:], text[end + 1 :]
    else:
        host, rest, tail = text[:colon], text, text
        if ":" in host:
            return None
    if "[" in rest or "]" in tail:
        return None
    return host, text[colon + 1 :]


def _to_ascii(host: str) -> str:
    """The name in punycode; unchanged if it is ASCII already or cannot be converted."""
    if host.isascii():
        return host
    # Loaded here: hardly anybody's proxy list holds other letters, and the tables are large.
    import idna

    dots = len(host) - len(host.lstrip("."))
    try:
        return host[:dots] + idna.encode(host[dots:], uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


# --- the part of Go's net/url that decides what a value means ---------------------------------------------------------


def _parse_proxy(value: str) -> ProxyUrl | None:
    """The proxy a value names: the value itself if it is a URL with scheme and host, else `http://` + the value."""
    if not value:
        return None
    url = _Url.parse(value)
    if url is None or not url.scheme or not url.netloc:
        url = _Url.parse("http://" + value) or url
    if url is None:
        return None
    return ProxyUrl(url.scheme, url.host, url.port, url.user, url.password)


_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_PORT = re.compile(r"(:[0-9]*)?")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ASCII_ESCAPE = re.compile(r"%(?!25)[0-7]")
_HOST = re.compile(r"""[A-Za-z0-9\-_.~!$&'()*+,;=:\[\]<>"%\x80-\U0010ffff]*""")
_USERINFO = re.compile(r"[A-Za-z0-9\-._:~!$&'()*+,;=%@]*")


@dataclass(frozen=True, slots=True)
class _Url:
    """Scheme and authority of a URL as net/url.Parse sees them; the rest only has to be well-formed."""

    scheme: str = ""
    netloc: str = ""
    user: str | None = None
    password: str | None = None

    @property
    def host(self) -> str:
        return self._split()[0]

    @property
    def port(self) -> str:
        return self._split()[1]

    def _split(self) -> tuple[str, str]:
        colon = self.netloc.rfind(":")
        host, port = self.netloc, ""
        if colon >= 0 and _PORT.fullmatch(self.netloc[colon:]):
            host, port = self.netloc[:colon], self.netloc[colon + 1 :]
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
        return host, port

    @classmethod
    def parse(cls, raw: str) -> "_Url | None":
        """None where net/url.Parse reports an error."""
        text, _, fragment = raw.partition("#")
        if _CONTROL.search(text) or _BAD_ESCAPE.search(fragment):
            return None
        scheme, rest = _split_scheme(text)
        if scheme is None:
            return None
        rest = rest.partition("?")[0]
        if not rest.startswith("/"):
            if scheme:
                return cls(scheme)
            if ":" in rest.partition("/")[0]:
                return None
        url: _Url | None = cls(scheme)
        if rest.startswith("//") and (scheme or not rest.startswith("///")):
            authority, slash, path = rest[2:].partition("/")
            url, rest = _authority(scheme, authority), slash + path
        return None if _BAD_ESCAPE.search(rest) else url


def _split_scheme(text: str) -> tuple[str | None, str]:
    """Scheme in lower case and the rest; None as scheme for `:rest`, which Go calls a missing scheme."""
    if text.startswith(":"):
        return None, text
    match = _SCHEME.match(text)
    return (match[1].lower(), text[match.end() :]) if match else ("", text)


def _authority(scheme: str, authority: str) -> _Url | None:
    userinfo, at, hostport = authority.rpartition("@")
    netloc = _host(scheme, hostport)
    if netloc is None or not _USERINFO.fullmatch(userinfo) or _BAD_ESCAPE.search(userinfo):
        return None
    if not at:
        return _Url(scheme, netloc)
    user, colon, password = userinfo.partition(":")
    return _Url(scheme, netloc, _unescape(user), _unescape(password) if colon else None)


def _host(scheme: str, text: str) -> str | None:
    """The host with its port, unescaped; None if Go refuses it."""
    bracket = text.rfind("[")
    if bracket > 0:
        return None
    if bracket == 0:
        return _bracketed(text)
    colon = text.find(":") if scheme in ("http", "https") else text.rfind(":")
    if colon >= 0 and not _PORT.fullmatch(text[colon:]):
        return None
    return _unescape_host(text)


def _bracketed(text: str) -> str | None:
    end = text.rfind("]")
    if end < 0 or not _PORT.fullmatch(text[end + 1 :]):
        return None
    address, zone_mark, zone = text[1:end].partition("%25")
    plain = _unescape_host(address)
    if plain is None or _BAD_ESCAPE.search(zone):
        return None
    inside = plain + ("%" + _unescape(zone) if zone_mark else "")
    found = ip_of(inside)
    return f"[{inside}]{text[end + 1 :]}" if isinstance(found, IPv6Address) else None


def _unescape_host(text: str) -> str | None:
    """In a host only bytes beyond ASCII may be escaped, and `%25`."""
    if _BAD_ESCAPE.search(text) or _ASCII_ESCAPE.search(text) or not _HOST.fullmatch(text):
        return None
    return _unescape(text)


def _unescape(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


def basic_credentials(user: str, password: str | None) -> str:
    """The value of an Authorization or Proxy-Authorization header."""
    joined = f"{user}:{password or ''}".encode("utf-8", "surrogateescape")
    return "Basic " + b64encode(joined).decode("ascii")
