"""Which hosts this environment needs for what was asked: those are looked at, and no others."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from goferry.doctor.evidence import Role, SettingsSeen, Subject, Target
from goferry.doctor.settings import proxies
from goferry.doctor.settings.gitconfig import rewrite
from goferry.doctor.settings.repository import repository_of
from goferry.doctor.settings.subject import host_of
from goferry.errors import InvalidInput
from goferry.gomod import goenv, goproxy, gourl, module
from goferry.net.httpproxy import split_host_port

PORTS: Final = {"http": 80, "https": 443, "ssh": 22, "git+ssh": 22, "git": 9418}
_MOST_HOSTS: Final = 8
"""Hosts of direct modules that are looked at when nothing was asked for: a large go.mod names hundreds."""

_SCP: Final = re.compile(r"(?:(?P<user>[^@/:]+)@)?(?P<host>[^/:]+):(?!//)(?P<path>.*)")


def plan_targets(seen: SettingsSeen, subject: Subject) -> tuple[Target, ...]:
    """The hosts in the order in which go would come to them, each host, port and role once.

    A URL or host that was asked for stands alone (with its role, if the environment needs it anyway). Forward
    proxies that any of them goes through come last.
    """
    found = list(_asked_host(seen, subject) if subject.host or subject.url else _needed(seen, subject))
    return _unique([*found, *forward_proxies(seen, found)])


def _unique(targets: Iterable[Target]) -> tuple[Target, ...]:
    found: dict[tuple[str, int, Role], Target] = {}
    for target in targets:
        found.setdefault((target.host, target.port, target.role), target)
    return tuple(found.values())


def _asked_host(seen: SettingsSeen, subject: Subject) -> Iterator[Target]:
    url = subject.url or f"https://{subject.host}/"
    asked = target_of(url, Role.IMPORT_HOST)
    if asked is None:
        return
    known = [
        target
        for target in _needed(seen, Subject())
        if (target.host, target.port, target.scheme) == (asked.host, asked.port, asked.scheme)
    ]
    yield known[0] if known else asked


def _needed(seen: SettingsSeen, subject: Subject) -> Iterator[Target]:
    paths = (subject.module,) if subject.module else tuple(item.partition("@")[0] for item in seen.requires)
    is_gopath_mode = seen.value("GO111MODULE") == "off"
    if not is_gopath_mode and _asks_proxies(seen, subject):
        yield from proxy_targets(seen)
        yield from _sumdb_targets(seen, subject)
    direct = [path for path in paths if is_gopath_mode or goes_direct(seen, path)]
    hosts: set[str] = set()
    for path in direct:
        targets = list(direct_targets(seen, path))
        if subject.module or (len(hosts | {target.host for target in targets}) <= _MOST_HOSTS):
            hosts |= {target.host for target in targets}
            yield from targets


def _asks_proxies(seen: SettingsSeen, subject: Subject) -> bool:
    """Not for one private module whose sums nobody checks: then no mirror takes part."""
    return not (subject.module and is_private(seen, subject.module) and not uses_sumdb(seen, subject.module))


def is_private(seen: SettingsSeen, path: str) -> bool:
    """Whether no mirror may be asked for this module."""
    return module.match_prefix_patterns(seen.value("GONOPROXY"), path)


def uses_sumdb(seen: SettingsSeen, path: str) -> bool:
    """Whether its sums are checked with the database."""
    return goenv.use_sumdb(
        path,
        gosumdb=seen.value("GOSUMDB"),
        gonosumdb=seen.value("GONOSUMDB"),
        goproxy=seen.value("GOPROXY"),
    )


def goes_direct(seen: SettingsSeen, path: str) -> bool:
    """Whether its origin may be asked: always for a private one, else when the list ends with `direct`."""
    return is_private(seen, path) or any(entry.url == goproxy.DIRECT for _place, entry in entries(seen))


def entries(seen: SettingsSeen) -> tuple[tuple[int, goproxy.Entry], ...]:
    """The GOPROXY list with places; what go would refuse is left out, so that the rest can be looked at."""
    text = seen.value("GOPROXY")
    try:
        return tuple(enumerate(goproxy.parse_list(text)))
    except InvalidInput:
        return tuple(_usable(text))


def _usable(text: str) -> Iterator[tuple[int, goproxy.Entry]]:
    place = -1
    for part in re.findall(r"[^,|]*[,|]?", text):
        if not part.rstrip(",|").strip():
            continue
        place += 1
        try:
            entry = goproxy.parse_list(part)[0]
        except InvalidInput:
            continue
        yield place, entry
        if not entry.is_proxy:
            return


def proxy_targets(seen: SettingsSeen) -> Iterator[Target]:
    """The mirrors of the list; file trees and the words need no network."""
    for place, entry in entries(seen):
        if entry.is_proxy and (target := target_of(entry.url, Role.GOPROXY, place)) is not None:
            yield target


def _sumdb_targets(seen: SettingsSeen, subject: Subject) -> Iterator[Target]:
    """The database's own host: asked when no mirror stands in for it, or when GOSUMDB names a URL."""
    if subject.module and not uses_sumdb(seen, subject.module):
        return
    try:
        database = goenv.parse_sumdb(seen.value("GOSUMDB"))
    except InvalidInput:
        return
    target = None if database is None else target_of(database.base_url, Role.SUMDB)
    if target is not None:
        yield target


def direct_targets(seen: SettingsSeen, path: str) -> Iterator[Target]:
    """The import host, and the code host where it is known without asking; git's own rewriting is applied."""
    repository = repository_of(path)
    if repository is None:
        found = target_of(f"https://{path}?go-get=1", Role.IMPORT_HOST)
    else:
        url = repository.url
        found = target_of(rewrite(url, seen.git).url if repository.vcs == "git" else url, Role.CODE_HOST)
    if found is not None:
        yield found


def forward_proxies(seen: SettingsSeen, targets: Iterable[Target]) -> Iterator[Target]:
    """The proxies between us and these targets."""
    for decision in proxies.decide(seen, targets):
        target = target_of(decision.proxy, Role.FORWARD_PROXY) if decision.proxy else None
        if target is not None:
            yield target


_PROXY_PORTS: Final = {"socks5": 1080, "socks5h": 1080, "socks4": 1080, "socks4a": 1080, "socks": 1080}


def target_of(url: str, role: Role, entry: int = -1) -> Target | None:
    """The host that a URL leads to, without its user name; None for files and for what is no URL.

    git's short form `user@host:path` means ssh.
    """
    if "://" not in url:
        scp = _SCP.fullmatch(url)
        return None if scp is None else Target(scp["host"], PORTS["ssh"], "ssh", role, url, entry)
    try:
        parsed = gourl.parse(url)
    except gourl.InvalidURL:
        return None
    split = split_host_port(parsed.host)
    port = split[1] if split is not None else ""
    default = {**PORTS, **_PROXY_PORTS}.get(parsed.scheme)
    host = host_of(parsed.host)
    if not host or (default is None and not port):
        return None
    shown = url.replace(f"{parsed.user_info}@", "", 1) if parsed.user_info is not None else url
    return Target(host, int(port) if port else default or 0, parsed.scheme, role, shown, entry)
