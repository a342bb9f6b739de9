"""The way to one host: forward proxy, order of addresses, roots of trust, and where credentials would come from."""

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from goferry.doctor.evidence import CaFile, Context, GitSetting, Role, SettingsSeen
from goferry.doctor.route.records import Credential, Hop
from goferry.doctor.settings import names, proxies
from goferry.doctor.settings.credentials import AuthMethod, InvalidAuth, Method, parse_goauth
from goferry.doctor.settings.gitconfig import http_setting
from goferry.doctor.settings.roots import NOT_VERIFIED
from goferry.doctor.settings.targets import target_of
from goferry.net.httpproxy import ip_of

SSH: Final = frozenset({"ssh", "git+ssh"})


def complete(hop: Hop, seen: SettingsSeen, context: Context, *, has_user: bool = False) -> Hop:
    """The hop with everything that is known about its host. has_user: its URL as it was set had credentials."""
    target = target_of(hop.url, Role.CONTROL)
    if target is None:
        return hop
    found = replace(hop, url=target.url, host=target.host, port=target.port, scheme=target.scheme)
    found = _with_proxy(found, seen)
    if not found.forward_proxy:
        # Behind a forward proxy it is the proxy who looks the name up.
        found = _with_addresses(found, seen, context)
    verified = hop.verified and found.scheme == "https"
    roots = tuple(_roots(seen, found)) if verified else ()
    if NOT_VERIFIED in roots:
        verified, roots = False, ()
    given = (Credential("url", found.host, used=found.scheme == "https"),) if has_user else ()
    return replace(found, verified=verified, roots=roots, credentials=(*given, *_credentials(found, seen)))


def _with_proxy(hop: Hop, seen: SettingsSeen) -> Hop:
    if hop.scheme not in ("http", "https"):
        return hop
    environ = proxies.environment_of(seen)
    if hop.stack == "go":
        decision = proxies.for_go(environ, hop.url)
    else:
        decision = proxies.for_git(environ, seen.git, hop.url)
    return replace(hop, forward_proxy=decision.proxy, forward_rule=decision.rule)


_SYSTEM_RESOLVES: Final = ("darwin", "win32")
"""There also a go without cgo leaves names to the system, its hosts file among them (net/conf.go)."""


def _with_addresses(hop: Hop, seen: SettingsSeen, context: Context) -> Hop:
    literal = ip_of(hop.host)
    if literal is not None:
        return replace(hop, addresses=(hop.host,), families=(literal.version,))
    if context.system in _SYSTEM_RESOLVES:
        return replace(hop, sources=("system",), families=_families(context))
    sources = names.go_order(seen.nsswitch)
    lines = names.hosts_of(seen.hosts, hop.host)
    if lines and sources[0] == "files":
        # A hosts line answers for both families: nobody asks for the other one any more.
        addresses = tuple(line.address for line in lines)
        found = sorted({version for address in addresses if (version := _version(address))}, reverse=True)
        return replace(hop, sources=("files",), addresses=addresses, families=tuple(found))
    return replace(hop, sources=sources, families=_families(context))


def _version(address: str) -> int:
    found = ip_of(address)
    return 0 if found is None else found.version


_NATIVE: Final = ipaddress.IPv6Network("2000::/3")
_TUNNELLED: Final = (ipaddress.IPv6Network("2001::/32"), ipaddress.IPv6Network("2002::/16"))


def _families(context: Context) -> tuple[int, ...]:
    """IPv6 first where an interface has a native global address, then IPv4 after 300 ms; else the other way round.

    RFC 6724 as in net/addrselect.go: towards public hosts a private or tunnelled IPv6 address is worse than IPv4.
    """
    addresses = [
        address for interface in context.interfaces if interface.is_up for address in interface.addresses
    ]
    return (6, 4) if any(map(_is_native_six, addresses)) else (4, 6)


def _is_native_six(text: str) -> bool:
    try:
        address = ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return address in _NATIVE and not any(address in network for network in _TUNNELLED)


def _roots(seen: SettingsSeen, hop: Hop) -> Iterator[str]:
    """The files of this stack that count for this host; NOT_VERIFIED alone when none does."""
    files = [file for file in seen.roots if file.stack == hop.stack and _counts(file, hop.url)]
    if any(file.path == NOT_VERIFIED for file in files):
        yield NOT_VERIFIED
        return
    special = [file for file in files if file.origin.startswith("http.") and file.origin.count(".") > 1]
    yield from (file.path for file in special or files if file.exists)


def _counts(file: CaFile, url: str) -> bool:
    """git's settings for one URL (`http.<url>.sslCAInfo`) count for that alone."""
    if not file.origin.startswith("http."):
        return True
    name = file.origin.rpartition(".")[2]
    return http_setting([GitSetting(file.origin, file.path, "", "")], name, url) is not None


# ---- credentials -------------------------------------------------------------------------------------------


def _credentials(hop: Hop, seen: SettingsSeen) -> Iterator[Credential]:
    if hop.scheme in SSH:
        yield from _of_ssh(seen)
    elif hop.stack == "git" and hop.scheme in ("http", "https"):
        yield from _of_git(hop, seen)
    elif hop.scheme == "https":
        yield from _of_go(hop, seen)


def _of_go(hop: Hop, seen: SettingsSeen) -> Iterator[Credential]:
    """GOAUTH's methods in their order; they count for https alone, and the first that has something wins."""
    try:
        methods: Iterable[AuthMethod] = parse_goauth(seen.value("GOAUTH") or "netrc")
    except InvalidAuth:
        return
    for method in methods:
        if method.method is Method.NETRC:
            yield from _of_netrc(hop, seen, by_go=True)
        elif method.method is Method.GIT:
            yield Credential("goauth_git", method.detail, used=True)
        elif method.method is Method.COMMAND:
            yield Credential("goauth_command", method.detail, used=True)


def _of_netrc(hop: Hop, seen: SettingsSeen, *, by_go: bool) -> Iterator[Credential]:
    """Go looks for the host and path and then for ever shorter ones; curl for the host alone, or `default`."""
    wanted = list(_prefixes(hop)) if by_go else [hop.host, "default"]
    for machine in wanted:
        for entry in seen.netrc:
            if entry.machine == machine:
                yield Credential("netrc", entry.place, used=entry.used_by_go or not by_go)


def _prefixes(hop: Hop) -> Iterator[str]:
    text = hop.url.partition("://")[2].partition("?")[0].rstrip("/")
    while text:
        yield text
        text, slash, _last = text.rpartition("/")
        if not slash:
            return


def _of_git(hop: Hop, seen: SettingsSeen) -> Iterator[Credential]:
    header = http_setting(seen.git, "extraheader", hop.url)
    if header is not None:
        yield Credential("git_header", header.place, used=True)
    yield from _of_netrc(hop, seen, by_go=False)
    for setting in seen.git:
        section, _dot, rest = setting.key.partition(".")
        if section == "credential" and rest.endswith("helper") and setting.value:
            pattern = rest.removesuffix("helper").removesuffix(".")
            if not pattern or http_setting(
                [replace(setting, key=f"http.{pattern}.helper")], "helper", hop.url
            ):
                yield Credential("git_helper", setting.place, used=True)


def _of_ssh(seen: SettingsSeen) -> Iterator[Credential]:
    agent = next((item.value for item in seen.environ if item.name == "SSH_AUTH_SOCK" and item.value), "")
    yield Credential("ssh", agent or "~/.ssh", used=bool(seen.tools.get("ssh", "")))
