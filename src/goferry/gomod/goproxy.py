"""The two grammars of the module proxy protocol: the GOPROXY list, and the URLs below a proxy.

Both go both ways, and neither repairs anything: a URL that is not the one spelling of its module is no such
module, because answering it would keep one module under two names.

Where the rules come from: cmd/go internal/modfetch/proxy.go for the list and the URLs asked,
golang.org/x/mod/module for the escapes, the Go Modules Reference for the rest.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import quote

from goferry.errors import InvalidInput, NotFound, Refused
from goferry.gomod import gourl, module

redact = gourl.redact
"""A GOPROXY entry or a whole list for showing: user names, passwords and tokens are hidden."""

DIRECT = "direct"
OFF = "off"


class InvalidProxyList(InvalidInput):
    """A GOPROXY value that the go command refuses too."""

    code = "invalid_goproxy"


@dataclass(frozen=True, slots=True)
class Entry:
    """One way to get modules: a proxy's URL (with any credentials in it), or `direct`, or `off`.

    After its failure the walk goes on to the next entry if `falls_through_on_any` (written `|`), else only if
    the failure was 404 or 410 (written `,`).
    """

    url: str
    falls_through_on_any: bool = False

    @property
    def name(self) -> str:
        """What people may see of it."""
        return redact(self.url)

    @property
    def is_proxy(self) -> bool:
        """Whether it is a URL and not a word."""
        return self.url not in (DIRECT, OFF)


def parse_list(text: str) -> tuple[Entry, ...]:
    """The entries of a GOPROXY value, ending with the first `direct` or `off`: what follows them is never
    used.

    `https://` is put before an entry that has a dot, a colon or a slash but no scheme; single words are kept
    for the go command's own use. Raises InvalidProxyList as the go command would.
    """
    entries: list[Entry] = []
    for part in re.findall(r"[^,|]*[,|]?", text):
        word = part.rstrip(",|").strip()
        if not word:
            continue
        if word in (DIRECT, OFF):
            entries.append(Entry(word))
            break
        entries.append(Entry(_checked_url(word), falls_through_on_any=part.endswith("|")))
    if not entries:
        raise InvalidProxyList("GOPROXY list is not the empty string, but contains no entries")
    return tuple(entries)


def format_list(entries: Iterable[Entry]) -> str:
    """The GOPROXY value that parse_list reads back as these entries."""
    text = "".join(entry.url + ("|" if entry.falls_through_on_any else ",") for entry in entries)
    return text.removesuffix(",")


def _checked_url(word: str) -> str:
    url = word
    if re.search(r"[.:/]", word) and ":/" not in word and not word.startswith("/"):
        url = "https://" + word
    try:
        parsed = gourl.parse(url)
    except gourl.InvalidURL as why:
        raise InvalidProxyList("invalid proxy URL: {why}", why=why) from why
    if parsed.scheme == "file" and parsed != gourl.URL(scheme="file", path=parsed.path):
        raise InvalidProxyList("invalid file:// proxy URL with non-path elements: {url}", url=redact(url))
    if not parsed.scheme:
        raise InvalidProxyList("invalid proxy URL missing scheme: {url}", url=redact(url))
    if parsed.scheme not in ("http", "https", "file"):
        raise InvalidProxyList("invalid proxy URL scheme (must be https, http, file): {url}", url=redact(url))
    return url


def check_credentials(entry: Entry) -> None:
    """To be called before use: raise Refused if a user name or password would be sent in the clear."""
    if entry.is_proxy and (url := gourl.parse(entry.url)).scheme == "http" and url.user_info is not None:
        raise Refused("refusing to pass credentials to insecure URL: {url}", url=entry.name)


class Kind(StrEnum):
    """What can be asked of a module proxy."""

    LIST = "list"
    LATEST = "latest"
    INFO = "info"
    MOD = "mod"
    ZIP = "zip"


@dataclass(frozen=True, slots=True)
class Request:
    """One module request, understood.

    `path` and `version` are unescaped; the version is empty for LIST and LATEST, and for INFO it may be any
    revision (a branch, a tag, a hash). `key` is the escaped URL path, the one name under which the answer is
    kept. `exact` says that the version is canonical and fits the path, so that the answer can never change.
    """

    kind: Kind
    path: str
    version: str
    key: str
    exact: bool

    @property
    def module(self) -> module.Version:
        """The module version that is asked for."""
        return module.Version(self.path, self.version)


MAX_PATH = 2048
"""Characters in a URL path. The longest module paths in use have about 200."""

MAX_ELEMENT = 255
"""Characters between two slashes: what file systems take as one name."""

_SUFFIXES = {".info": Kind.INFO, ".mod": Kind.MOD, ".zip": Kind.ZIP}

_CLIENT_SIDE = frozenset({"latest", "upgrade", "patch"})
"""Queries that the go command answers itself from `list` and `@latest`; a proxy never sees them."""


@lru_cache(maxsize=4096)
def parse_request(path: str) -> Request:
    """What a URL path (decoded once, without leading slash) asks for.

    Raises NotFound for what is no module URL, for a spelling that is not the escape of a name (a capital
    letter, `!!`), and for a .mod or .zip of anything but a canonical version; InvalidInput for a malformed
    path or version.
    """
    _check_lengths(path)
    escaped, mark, rest = path.partition("/@")
    if not mark:
        raise NotFound('not a module proxy URL: "{path}"', path=module.printable(path))
    if not module.is_escaped(path):
        raise NotFound('"{path}" is not the escaped form of a module', path=module.printable(path))
    if rest in ("latest", "v/list"):
        kind = Kind.LATEST if rest == "latest" else Kind.LIST
        return Request(kind, module.unescape_path(escaped), "", path, exact=False)
    return _parse_versioned(path, escaped, rest)


def _parse_versioned(key: str, escaped_path: str, rest: str) -> Request:
    stem, dot, suffix = rest.rpartition(".")
    kind = _SUFFIXES.get(dot + suffix)
    if kind is None or not stem.startswith("v/"):
        raise NotFound('not a module proxy URL: "{path}"', path=module.printable(key))
    path = module.unescape_path(escaped_path)
    version = module.unescape_version(stem[2:])
    exact = module.is_canonical(path, version)
    if not exact and kind is not Kind.INFO:
        raise NotFound("{path}@{version}: not a canonical version of this module", path=path, version=version)
    if version in _CLIENT_SIDE:
        raise NotFound(
            "{path}@{version}: a query that only the go command answers", path=path, version=version
        )
    return Request(kind, path, version, key, exact)


def _check_lengths(path: str) -> None:
    if len(path) <= MAX_ELEMENT:
        return
    if len(path) > MAX_PATH or any(len(element) > MAX_ELEMENT for element in path.split("/")):
        raise InvalidInput(
            "URL path too long: at most {path} characters, {element} between slashes",
            path=MAX_PATH,
            element=MAX_ELEMENT,
        )


def request_path(kind: Kind, path: str, version: str = "") -> str:
    """The URL path (and storage key) of a request, escaped but not percent-encoded; the twin of
    parse_request.

    Raises InvalidPath or InvalidVersion; among them a branch with a slash, which no proxy can be asked for.
    """
    escaped = module.escape_path(path)
    if kind is Kind.LATEST:
        return f"{escaped}/@latest"
    if kind is Kind.LIST:
        return f"{escaped}/@v/list"
    return f"{escaped}/@v/{module.escape_version(version)}.{kind}"


_UNQUOTED = re.compile(r"[-\w./$&+:=@~]*", re.ASCII)


def url_path(key: str) -> str:
    """The key as the go command writes it in a URL: percent-encoded (`!` is `%21`), with its slashes."""
    return key if _UNQUOTED.fullmatch(key) else quote(key, safe="/$&+:=@~")


@dataclass(frozen=True, slots=True)
class SumDBRequest:
    """A request for a checksum database kept behind the proxy: the database's name, and the path below it."""

    name: str
    path: str

    @property
    def key(self) -> str:
        """The storage key."""
        return f"sumdb/{self.name}/{self.path}"


_ODD_ELEMENT = re.compile(r"(?:\A|/)(?:\.{1,2})?(?:/|\Z)|[\x00-\x20\x7f\\]")


def parse_sumdb_path(path: str, known: Iterable[str]) -> SumDBRequest:
    """Split `sumdb/NAME/REST` by the longest known name that fits: names may contain slashes.

    Raises NotFound for a database that is not known, InvalidInput for a path that is no path.
    """
    _check_lengths(path)
    if _ODD_ELEMENT.search(path):
        raise InvalidInput('malformed checksum database path "{path}"', path=module.printable(path))
    for name in sorted(known, key=len, reverse=True):
        if path.startswith(f"sumdb/{name}/"):
            return SumDBRequest(name, path.removeprefix(f"sumdb/{name}/"))
    raise NotFound('no checksum database is served at "{path}"', path=module.printable(path))


# How many elements a module path on a host has at least, and why no shorter one can be a module.
_LEAST_ELEMENTS = {
    # The go command's own table of code hosts (cmd/go internal/vcs) has host/user/repository for these three
    # and refuses anything shorter without asking.
    "github.com": 3,
    "bitbucket.org": 3,
    "git.openstack.org": 3,
    # The same table: hub.jazz.net/git/user/repository, git.apache.org/repository.git.
    "hub.jazz.net": 4,
    "git.apache.org": 2,
    # GitLab keeps every project in a namespace; a namespace alone has no repository.
    "gitlab.com": 3,
    # gopkg.in/name.vN or gopkg.in/user/name.vN; what lacks .vN is refused as a path already.
    "gopkg.in": 2,
    # Go's own host: golang.org/x/NAME, golang.org/toolchain, and nothing at the root.
    "golang.org": 2,
}


def never_a_module(path: str) -> bool:
    """Whether nothing can ever be a module at this (valid) path, so that nobody need be asked.

    The go command probes every leading part of an import path, so `github.com` and `github.com/user` are
    asked for all the time.
    """
    host, *rest = path.split("/")
    return path == "golang.org/x" or 1 + len(rest) < _LEAST_ELEMENTS.get(host, 0)
