"""Plans for forward proxies: leave them out, write them right, or tell those who run them.

A proxy variable cannot live in go's own file: go reads these from the environment alone.
"""

import re
from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import Proxying, Setting, TunnelSeen
from goferry.doctor.fixes.kit import Case, quoted
from goferry.doctor.fixes.mirrors import other_ways
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import DropGit
from goferry.doctor.noproxy import suggest
from goferry.doctor.urls import split_url
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure

_HOST_OF_CONTAINER: Final = {"podman": "host.containers.internal"}
_ANY_CONTAINER: Final = "host.docker.internal"


def proxy_variables(case: Case) -> list[Setting]:
    """The variables that name the proxy in question; all of them where the judgement names none."""
    all_of_them = [
        setting for setting in case.settings.proxies if setting.value and setting.name.upper() != "NO_PROXY"
    ]
    named = [
        setting
        for setting in all_of_them
        if _host_of(setting.value) == case.host or setting.name == case.judgement.where
    ]
    return named or all_of_them


def _host_of(value: str) -> str:
    return split_url(value if "://" in value else f"http://{value}").hostname or ""


def _git_proxies(case: Case) -> Iterator[DropGit]:
    """The same proxy in git's own configuration, where unsetting a variable does not reach it."""
    hosts = {_host_of(setting.value) for setting in proxy_variables(case)} | {case.host}
    for setting in case.settings.git:
        if (
            setting.key.startswith("http.")
            and setting.key.endswith(".proxy")
            and _host_of(setting.value) in hosts
        ):
            yield DropGit(setting.key, setting.value, setting.place)


def hosts_behind(case: Case) -> list[str]:
    """The hosts that go sends to a proxy."""
    return list(dict.fromkeys(way.host for way in case.settings.proxying if way.stack == "go" and way.proxy))


def _way_to(case: Case, host: str) -> Proxying | None:
    return next((way for way in case.settings.proxying if way.stack == "go" and way.host == host), None)


def is_reached_directly(case: Case, host: str) -> bool:
    """Whether a connection without any proxy came through."""
    return any(dial.host == host and not dial.failure and not dial.mss for dial in case.evidence.dials)


# ---- plans that several faults share -----------------------------------------------------------------------


def without_proxy(case: Case) -> Iterator[Plan]:
    """No forward proxy at all."""
    variables = {setting.name: None for setting in proxy_variables(case)}
    if variables:
        yield case.set(
            "unset_proxy",
            Text(N_("Go without the forward proxy: {names}"), names=" ".join(sorted(variables))),
            variables,
        )
    for drop in _git_proxies(case):
        yield case.write(
            "unset_git_proxy",
            Text(N_("Take the forward proxy out of git's configuration: {name}"), name=drop.key),
            drop,
            commands=(f"git config --global --unset {quoted(drop.key)}",),
        )


def around(case: Case, hosts: list[str]) -> Iterator[Plan]:
    """These hosts without the proxy, others through it as before."""
    value = suggest(case.settings, case.evidence.context, hosts)
    if hosts and value:
        yield case.set(
            "no_proxy",
            Text(N_("Leave the forward proxy out for {hosts} alone."), hosts=" ".join(hosts)),
            dict.fromkeys(no_proxy_names(case), value),
        )


def no_proxy_names(case: Case) -> list[str]:
    """The spellings that are set now. git reads the lower one first, go the upper one; so both where none is."""
    names = [setting.name for setting in case.settings.proxies if setting.name.upper() == "NO_PROXY"]
    return names if len(names) == 2 else ["NO_PROXY", "no_proxy"]


def _facts(case: Case) -> list[str]:
    return [
        _tunnel(tunnel) for tunnel in case.evidence.tunnels if tunnel.failure or tunnel.status not in (0, 200)
    ][:5]


def _tunnel(tunnel: TunnelSeen) -> str:
    said = tunnel.failure or f"{tunnel.status} {tunnel.reason}".strip()
    server = f" (Server: {tunnel.server})" if tunnel.server else ""
    return f"{tunnel.proxy} CONNECT {tunnel.target}: {said}{server}"


def _tell(case: Case, summary: str) -> Plan:
    return case.tell(Whose.NETWORK, "tell_proxy", Text(summary, where=case.judgement.where), *_facts(case))


# ---- one function per cause --------------------------------------------------------------------------------


def broken(case: Case) -> Iterator[Plan]:
    """Without it; or with another one that the user has set elsewhere. A value that go misreads is written anew."""
    yield from _rewritten(case)
    yield from without_proxy(case)
    broken_ones = {setting.value for setting in proxy_variables(case)}
    other = N_("Use the forward proxy that {place} names: {proxy}")
    yield from named_elsewhere(case, "other_proxy", other, broken_ones)
    yield from around(case, _reached(case))
    yield _tell(case, N_("Tell your network's people that the forward proxy {where} does not work."))


_QUOTES: Final = str.maketrans({**dict.fromkeys("\"'`“”‘’", None), "：": ":", "／": "/"})
_MEANT: Final = re.compile(
    r"(?:(?P<scheme>https?|socks5h?)(?::?/+|:))?(?P<rest>[^/@\s]+?(?::\d+)?)/*", re.IGNORECASE
)


def _rewritten(case: Case) -> Iterator[Plan]:
    """The variable as it was meant."""
    variables = [setting for setting in case.settings.proxies if setting.name == case.judgement.where]
    for setting in variables:
        plain = setting.value.translate(_QUOTES).strip()
        meant = _MEANT.fullmatch(plain)
        if meant is not None and "@" not in plain:
            value = f"{(meant['scheme'] or 'http').lower()}://{meant['rest']}"
            yield case.set(
                "repair_proxy",
                Text(N_("Write {name} as go reads it: {value}"), name=setting.name, value=value),
                {setting.name: value},
            )
        elif "@" in plain:
            yield case.set(
                "repair_proxy",
                Text(N_("Write / ? # \\ @ : and % in user and password as %2F %3F %23 %5C %40 %3A %25.")),
                {setting.name: f"http://USER:PASSWORD@{plain.rpartition('@')[2]}"},
                is_told_only=True,
            )


def named_elsewhere(
    case: Case, key: str, summary: str, avoid: Collection[str] = frozenset()
) -> Iterator[Plan]:
    """The first forward proxy that another context uses, if any. summary: an English key with {place} and {proxy}."""
    for setting in case.settings.elsewhere:
        if setting.name.upper() == "HTTPS_PROXY" and setting.value not in avoid:
            said = Text(summary, place=setting.place, proxy=setting.value)
            yield case.set(key, said, {setting.name: setting.value})
            return


def _reached(case: Case) -> list[str]:
    return [host for host in hosts_behind(case) if is_reached_directly(case, host)]


def denied(case: Case) -> Iterator[Plan]:
    """Policy: only those who made it can change it, unless the direct way is open."""
    targets = [tunnel.target for tunnel in case.evidence.tunnels if tunnel.status in (403, 405, 451)]
    hosts = [target.rpartition(":")[0].strip("[]") for target in targets] or [case.host]
    reached = [host for host in hosts if is_reached_directly(case, host)]
    yield from around(case, reached)
    yield case.tell(
        Whose.NETWORK,
        "tell_proxy",
        Text(
            N_("Ask your network's people to let these through the forward proxy: {hosts}"),
            hosts=" ".join(targets or hosts),
        ),
        *_facts(case),
    )
    yield from other_ways(case)


def loopback_in_container(case: Case) -> Iterator[Plan]:
    """The machine outside has another name in here."""
    container = case.evidence.context.container
    outside = _HOST_OF_CONTAINER.get(container, _ANY_CONTAINER)
    changed: dict[str, str | None] = {
        setting.name: _with_host(setting.value, outside) for setting in proxy_variables(case)
    }
    if changed:
        yield case.set(
            "host_proxy",
            Text(N_("Name the machine outside of the container: {host}"), host=outside),
            changed,
        )
    yield from without_proxy(case)
    gateway = "$(ip route | awk '/^default/ {print $3}')"
    port = (
        next(
            (split_url(setting.value).port for setting in proxy_variables(case) if "://" in setting.value),
            None,
        )
        or 3128
    )
    yield case.run(
        "gateway_proxy",
        Text(N_("Where that name is not known: start the container with it, or use the gateway's address.")),
        f'export HTTPS_PROXY="http://{gateway}:{port}" HTTP_PROXY="http://{gateway}:{port}"',
        docker=(f"docker run --add-host={_ANY_CONTAINER}:host-gateway …", "docker run --network=host …"),
        compose=("extra_hosts:", f'  - "{_ANY_CONTAINER}:host-gateway"'),
    )


def _with_host(value: str, host: str) -> str:
    """The proxy's URL with another host; scheme, user and port stay."""
    url = urlsplit(value if "://" in value else f"http://{value}")
    user, at, _rest = url.netloc.rpartition("@")
    port = f":{url.port}" if url.port else ""
    return f"{url.scheme}://{user}{at}{host}{port}"


def wrong_scheme(case: Case) -> Iterator[Plan]:
    """http:// for a proxy that speaks plain HTTP, https:// for one that speaks TLS: the scheme is the proxy's own."""
    speaks = next((tunnel.speaks for tunnel in case.evidence.tunnels if tunnel.speaks), "")
    changed: dict[str, str | None] = {}
    for setting in proxy_variables(case):
        scheme, sign, rest = setting.value.partition("://")
        right = speaks or ("http" if scheme == "https" else "https")
        if sign and scheme != right:
            changed[setting.name] = f"{right}://{rest}"
    if changed:
        shown = next(iter(changed.values()))
        yield case.set(
            "proxy_scheme",
            Text(N_("Write the scheme that the proxy itself speaks: {value}"), value=str(shown)),
            changed,
        )
    yield from without_proxy(case)


def auth_required(case: Case) -> Iterator[Plan]:
    """Credentials are the user's to fill in; schemes that go does not know need a helper between."""
    wants = [
        scheme.lower()
        for tunnel in case.evidence.tunnels
        if tunnel.status == 407 or tunnel.failure == Failure.PROXY_AUTH_REQUIRED
        for scheme in tunnel.wants
    ]
    placeholder = {setting.name: _with_user(setting.value) for setting in proxy_variables(case)}
    placeholder = placeholder or {"HTTPS_PROXY": f"http://USER:PASSWORD@{case.place or '<proxy>:<port>'}"}
    if not wants or not {"basic", "username/password"}.isdisjoint(wants):
        yield case.set(
            "proxy_credentials",
            Text(N_("Give the proxy's credentials in its URL; write @ : / in a password as %40 %3A %2F.")),
            placeholder,
            is_told_only=True,
        )
    else:
        yield case.run(
            "proxy_helper",
            Text(
                N_(
                    "go cannot answer {schemes}: run a helper that can, such as cntlm or px, and name it as the proxy."
                ),
                schemes=", ".join(dict.fromkeys(wants)),
            ),
            "export HTTPS_PROXY=http://127.0.0.1:3128 HTTP_PROXY=http://127.0.0.1:3128",
        )
    yield from around(case, _reached(case))
    yield _tell(case, N_("Or ask your network's people to let go through {where} without a login."))


def _with_user(value: str) -> str:
    url = urlsplit(value if "://" in value else f"http://{value}")
    return f"{url.scheme}://USER:PASSWORD@{url.netloc.rpartition('@')[2]}"


def overloaded(case: Case) -> Iterator[Plan]:
    """Around it where that is open; else later."""
    yield from around(case, _reached(case))
    if _reached(case):
        yield from without_proxy(case)
    yield case.again(Text(N_("Try again: an overloaded proxy recovers.")), "go mod download")
    yield _tell(case, N_("Tell your network's people that the forward proxy {where} is overloaded."))


def black_hole(case: Case) -> Iterator[Plan]:
    """NO_PROXY without the entry that keeps the host from the proxy."""
    way = _way_to(case, case.host)
    rule = way.rule if way is not None else ""
    setting = case.variable("NO_PROXY", "no_proxy")
    entries = [entry.strip() for entry in (setting.value if setting else "").split(",")]
    bad = rule if rule in entries else next((entry for entry in entries if _covers(entry, case.host)), "")
    kept = [entry for entry in entries if entry and entry != bad]
    if setting is not None and len(kept) < len([entry for entry in entries if entry]):
        value = ",".join(kept) or None
        yield case.set(
            "trim_no_proxy",
            Text(
                N_("Take {entry} out of NO_PROXY, so that {host} goes through the proxy."),
                entry=bad,
                host=case.host,
            ),
            dict.fromkeys(no_proxy_names(case) if value else _set_names(case), value),
        )
    yield case.set(
        "unset_no_proxy",
        Text(N_("Take NO_PROXY away altogether.")),
        dict.fromkeys(_set_names(case), None),
    )


def _set_names(case: Case) -> list[str]:
    return [setting.name for setting in case.settings.proxies if setting.name.upper() == "NO_PROXY"] or [
        "NO_PROXY"
    ]


def _covers(entry: str, host: str) -> bool:
    bare = entry.lstrip("*").lstrip(".").lower()
    return bool(entry) and (entry == "*" or host.lower() == bare or host.lower().endswith(f".{bare}"))


def missing(case: Case) -> Iterator[Plan]:
    """The internal host beside what is there."""
    yield from around(case, [case.host] if case.host else _reached(case))
