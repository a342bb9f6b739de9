"""Which forward proxy each of the two network stacks takes for a host: go, and the git that go starts.

They read the same variables differently, so "the mirror works and direct does not" is a normal outcome of one wrong
variable. Go's rules are in net/httpproxy.py. git's are here, from git's http.c and libcurl's noproxy.c: lower case
beats upper case, http_proxy exists in lower case only, ALL_PROXY counts, git's own http.proxy beats them all, and the
list of exceptions knows neither ports nor `*.`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Final

from goferry.doctor.evidence import GitSetting, Proxying, Role, Setting, SettingsSeen, Target
from goferry.doctor.settings.gitconfig import http_setting
from goferry.doctor.settings.hiding import hide, hide_url
from goferry.errors import Refused
from goferry.net.httpproxy import ProxyConfig, ProxyReason, ip_of, split_host_port

VARIABLES: Final = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
LOOPBACK: Final = "loopback"
"""The rule of Proxying when the host is this machine itself."""


def read_proxies(environ: Mapping[str, str]) -> tuple[Setting, ...]:
    """The variables in both cases as they are set, without secrets; a variable that is set to nothing is kept."""
    names = [name for upper in VARIABLES for name in (upper, upper.lower())]
    return tuple(
        Setting(name, environ[name] if name.upper() == "NO_PROXY" else hide_url(environ[name]), "environment")
        for name in names
        if name in environ
    )


def environment_of(seen: SettingsSeen) -> dict[str, str]:
    """The variables that decide, as they were kept; hiding secrets changes no decision (hiding.py)."""
    other = {setting.name: setting.value for setting in seen.environ if setting.name == "REQUEST_METHOD"}
    return {**other, **{setting.name: setting.value for setting in seen.proxies}}


_STACKS: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.CODE_HOST: ("git",),
    Role.IMPORT_HOST: ("go", "git"),
    Role.FORWARD_PROXY: (),
}
"""Who talks to a host, where that is not go alone. The code often lies at the import host itself."""


def decide(seen: SettingsSeen, targets: Iterable[Target]) -> tuple[Proxying, ...]:
    """The decision for every http(s) target, once per host and port, of the stacks that talk to it."""
    environ = environment_of(seen)
    found: dict[tuple[str, str, int], Proxying] = {}
    for target in targets:
        if target.scheme not in ("http", "https"):
            continue
        url = target.url or f"{target.scheme}://{_authority(target)}/"
        for stack in _STACKS.get(target.role, ("go",)):
            decision = for_go(environ, url) if stack == "go" else for_git(environ, seen.git, url)
            found.setdefault((stack, target.host, target.port), decision)
    return tuple(found.values())


def _authority(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return f"{host}:{target.port}"


# ---- go ----------------------------------------------------------------------------------------------------


def for_go(environ: Mapping[str, str], url: str) -> Proxying:
    """Go's decision for one URL.

    near: NO_PROXY entries that were meant for this host and do not match it, and variables that are set and do not
    count for this URL.
    """
    scheme, host = _parts(url)
    config = ProxyConfig.from_env(environ)
    try:
        choice = config.proxy_for(url)
    except Refused:
        return Proxying("go", hide(url), host, "", "REQUEST_METHOD", ("HTTP_PROXY",))
    variable = _used(environ, f"{scheme.upper()}_PROXY")
    if choice.reason is ProxyReason.NOT_CONFIGURED:
        return Proxying("go", hide(url), host, "", "", _idle(environ))
    if choice.reason is ProxyReason.LOOPBACK:
        return Proxying("go", hide(url), host, "", LOOPBACK)
    if choice.reason is ProxyReason.NO_PROXY:
        return Proxying("go", hide(url), host, "", choice.matched)
    return Proxying("go", hide(url), host, choice.url or "", variable, tuple(_near_for_go(environ, host)))


def _near_for_go(environ: Mapping[str, str], host: str) -> Iterator[str]:
    yield from near_entries(environ.get("NO_PROXY") or environ.get("no_proxy") or "", host)
    if environ.get("NO_PROXY"):
        # The lower-case list is not read at all then.
        for entry in near_entries(environ.get("no_proxy", ""), host):
            yield f"no_proxy={entry}"


def _used(environ: Mapping[str, str], upper: str) -> str:
    return upper if environ.get(upper) else upper.lower()


def _idle(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Variables that somebody set and that go does not use for this URL: another scheme's, or no URL."""
    names = [name for upper in VARIABLES if upper != "NO_PROXY" for name in (upper, upper.lower())]
    return tuple(name for name in names if environ.get(name))


def near_entries(no_proxy: str, host: str) -> Iterator[str]:
    """Entries that would match the host if they were written as the program reads them.

    What people write: a URL, a final slash or dot, brackets, blanks or semicolons between entries, another port,
    `*` or digits left out inside, the first label alone.
    """
    for entry in (part.strip() for part in no_proxy.split(",")):
        if entry and any(_means(word, host.lower()) for word in entry.replace(";", " ").split()):
            yield entry


def _means(word: str, host: str) -> bool:
    """Whether a person who writes this word means this host."""
    bare = word.lower().partition("://")[2] or word.lower()
    bare = bare.partition("/")[0] if not _is_network(bare) else bare
    split = split_host_port(bare)
    bare = (split[0] if split else bare).strip("[]").rstrip(".")
    if not bare:
        return False
    address = ip_of(host)
    if address is not None:
        return _address_meant(bare, host)
    suffix = bare.removeprefix("*").lstrip(".")
    return bool(suffix) and (
        _glob(bare, host) or f".{host}".endswith(f".{suffix}") or host.startswith(f"{bare}.")
    )


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" in text


def _address_meant(bare: str, host: str) -> bool:
    if _is_network(bare):
        return ip_address(host) in ip_network(bare, strict=False)
    return host == bare or host.startswith(bare.rstrip("*").rstrip(".") + ".")


def _glob(pattern: str, host: str) -> bool:
    want, have = pattern.split("."), host.split(".")
    return len(want) == len(have) and all(
        label in ("*", other) for label, other in zip(want, have, strict=True)
    )


# ---- git ---------------------------------------------------------------------------------------------------


def for_git(environ: Mapping[str, str], git: Iterable[GitSetting], url: str) -> Proxying:
    """git's decision for one http(s) URL. rule: the variable, or git's key, or the no_proxy entry."""
    scheme, host = _parts(url)
    rule, value = _git_proxy(environ, tuple(git), scheme, url)
    if not value:
        return Proxying("git", hide(url), host, "", rule, _idle_for_git(environ, scheme) if not rule else ())
    no_proxy = environ.get("no_proxy", environ.get("NO_PROXY", ""))
    entry = curl_exception(no_proxy, host)
    if entry:
        return Proxying("git", hide(url), host, "", entry)
    return Proxying("git", hide(url), host, _shown(value), rule, tuple(near_entries(no_proxy, host)))


def _shown(value: str) -> str:
    """A proxy without user and password; a value without scheme is an http proxy."""
    bare = value if "://" in value else f"http://{value}"
    scheme, _sign, rest = bare.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}".rstrip("/")


def _git_proxy(
    environ: Mapping[str, str], git: tuple[GitSetting, ...], scheme: str, url: str
) -> tuple[str, str]:
    """What names the proxy, and its value; an empty value that somebody set switches proxies off."""
    setting = http_setting(git, "proxy", url)
    if setting is not None:
        return setting.key, setting.value
    names = ("https_proxy", "HTTPS_PROXY") if scheme == "https" else ("http_proxy",)
    for name in (*names, "all_proxy", "ALL_PROXY"):
        if name in environ:
            return name, environ[name]
    return "", ""


def _idle_for_git(environ: Mapping[str, str], scheme: str) -> tuple[str, ...]:
    names = ("HTTP_PROXY",) if scheme == "http" else ("HTTP_PROXY", "http_proxy")
    return tuple(name for name in names if environ.get(name))


def curl_exception(no_proxy: str, host: str) -> str:
    """The entry of no_proxy that matches, as libcurl reads the list since 7.86; "" for none.

    A lone `*` matches everything; commas and blanks separate entries (from 8.9 on a blank ends the list); a leading
    dot changes nothing; networks match IP addresses. There are no ports and no wildcards.
    """
    if no_proxy == "*":
        return "*"
    for entry in re.split(r"[,\s]+", no_proxy):
        if _curl_match(entry, host):
            return entry
    return ""


def _curl_match(entry: str, host: str) -> bool:
    address = ip_of(host)
    if address is not None:
        try:
            return address in ip_network(entry, strict=False)
        except ValueError:
            return False
    name = host.lower().removesuffix(".")
    suffix = entry.lower().removesuffix(".").removeprefix(".")
    return bool(suffix) and (name == suffix or name.endswith("." + suffix))


def _parts(url: str) -> tuple[str, str]:
    """Scheme, and host without brackets, of an http(s) URL that was made here or parsed before."""
    scheme, _sign, rest = url.partition("://")
    authority = rest.partition("/")[0].rpartition("@")[2]
    split = split_host_port(authority)
    return scheme, split[0] if split is not None else authority.strip("[]")
