"""URLs as Go's net/url reads them, as far as settings hold URLs (GOPROXY entries, GOSUMDB, proxy variables).

Python's parsers repair what Go refuses and refuse what Go takes; whether a setting works is Go's call.
"""

import ipaddress
import re
from dataclasses import dataclass

from goferry.errors import InvalidInput


class InvalidURL(InvalidInput):
    """Text that Go's url.Parse refuses."""

    code = "invalid_url"


@dataclass(frozen=True, slots=True)
class URL:
    """The parts, percent-encoded as they were written. `user_info` is None when there is no `@`."""

    scheme: str = ""
    opaque: str = ""
    user_info: str | None = None
    host: str = ""
    path: str = ""
    query: str | None = None
    fragment: str = ""
    omit_host: bool = False


_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)?:")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)
_USER_INFO = re.compile(r"[A-Za-z0-9._:~!$&'()*+,;=%@-]*")
_PORT = re.compile(r"(?::[0-9]*)?")
_HOST_REFUSED = re.compile(r"[^A-Za-z0-9._~!$&'()*+,;=:\[\]<>\"%\x80-\U0010ffff-]")
_HOST_ESCAPE = re.compile(r"%([0-7][0-9A-Fa-f])")
_ZONE_SPECIAL = " " + "\"!$&'()*+,;=:[]<>-._~"


def parse(text: str) -> URL:
    """The parts of a URL or relative reference. Raises InvalidURL with Go's reason."""
    try:
        url = _parse(text)
        _check_escapes(url.fragment)
    except InvalidURL as why:
        # Whatever precedes an @ may be a secret that was not escaped as it should be.
        shown = "xxxxx@" + text.rpartition("@")[2] if "@" in text else text
        raise InvalidURL('parse "{url}": {why}', url=shown, why=why) from why
    return url


def _parse(text: str) -> URL:
    text, _, fragment = text.partition("#")
    if _CONTROL.search(text):
        raise InvalidURL("net/url: invalid control character in URL")
    if text == "*":
        return URL(path="*", fragment=fragment)
    scheme, rest = _split_scheme(text)
    rest, mark, query = rest.partition("?")
    user_info: str | None = None
    host = ""
    omit_host = False
    if not rest.startswith("/"):
        if scheme:
            return URL(scheme, opaque=rest, query=query if mark else None, fragment=fragment)
        if ":" in rest.partition("/")[0]:
            raise InvalidURL("first path segment in URL cannot contain colon")
    elif rest.startswith("//") and (scheme or not rest.startswith("///")):
        authority, slash, rest = rest[2:].partition("/")
        rest = slash + rest
        user_info, host = _split_authority(scheme, authority)
    else:
        omit_host = bool(scheme)
    _check_escapes(rest)
    return URL(
        scheme,
        user_info=user_info,
        host=host,
        path=rest,
        query=query if mark else None,
        fragment=fragment,
        omit_host=omit_host,
    )


def _split_scheme(text: str) -> tuple[str, str]:
    m = _SCHEME.match(text)
    if m is None:
        return "", text
    if not m[1]:
        raise InvalidURL("missing protocol scheme")
    return m[1].lower(), text[m.end() :]


def _split_authority(scheme: str, authority: str) -> tuple[str | None, str]:
    user_info, at, host = authority.rpartition("@")
    _check_host(scheme, host)
    if not at:
        return None, host
    if not _USER_INFO.fullmatch(user_info):
        raise InvalidURL("net/url: invalid userinfo")
    _check_escapes(user_info)
    return user_info, host


def _check_host(scheme: str, host: str) -> None:
    if "[" in host:
        _check_ip_literal(host)
        return
    # Several colons were once taken by all schemes, and still are by those of databases.
    first, last = host.find(":"), host.rfind(":")
    colon = first if scheme in ("http", "https") else last
    _check_port(host[colon:] if colon >= 0 else "")
    _check_host_chars(host)


def _check_ip_literal(host: str) -> None:
    inner, bracket, port = host[1:].rpartition("]")
    if host.rfind("[") > 0:
        raise InvalidURL("invalid IP-literal")
    if not bracket:
        raise InvalidURL("missing ']' in host")
    _check_port(port)
    address, _, zone = inner.partition("%25")
    _check_host_chars(address)
    _check_zone(zone)
    try:
        ipaddress.IPv6Address(address)
    except ValueError as error:
        raise InvalidURL("invalid host: {address}", address=address) from error


def _check_port(port: str) -> None:
    if not _PORT.fullmatch(port):
        raise InvalidURL('invalid port "{port}" after host', port=port)


def _check_host_chars(host: str) -> None:
    _check_escapes(host)
    for escape in _HOST_ESCAPE.finditer(host):
        if escape[1] != "25":  # an escaped ASCII character could smuggle a separator in
            raise InvalidURL('invalid URL escape "{escape}"', escape=escape[0])
    if refused := _HOST_REFUSED.search(host):
        raise InvalidURL('invalid character "{char}" in host name', char=refused[0])


def _check_zone(zone: str) -> None:
    _check_escapes(zone)
    for escape in re.finditer(r"%([0-9A-Fa-f]{2})", zone):
        char = chr(int(escape[1], 16))
        if char != "%" and not (char.isascii() and char.isalnum()) and char not in _ZONE_SPECIAL:
            raise InvalidURL('invalid URL escape "{escape}"', escape=escape[0])
    if refused := _HOST_REFUSED.search(zone):
        raise InvalidURL('invalid character "{char}" in host name', char=refused[0])


def _check_escapes(text: str) -> None:
    if m := _BAD_ESCAPE.search(text):
        raise InvalidURL('invalid URL escape "{escape}"', escape=m[0])


_USER = re.compile(r"(?P<before>//|^|(?<=[,|\s]))[^/,|\s]+@")


def redact(text: str) -> str:
    """A URL, or a list of URLs, with all that stands between `//` and `@` hidden: a user name alone may be a token.

    >>> redact("https://user:secret@proxy.example.org/go")
    'https://xxxxx@proxy.example.org/go'
    """
    return _USER.sub(r"\g<before>xxxxx@", text)
