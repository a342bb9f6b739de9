"""What people usually believe otherwise about a route, each with the commands that mend it.

A trap is said only when it concerns this module: a pattern that was meant for it, a rule that would rewrite its
repository, an entry for its host. The table at the end is the order in which they are told.
"""

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterator
from typing import Final

from goferry.doctor.addresses import kind_of
from goferry.doctor.evidence import GitSetting, SettingsSeen
from goferry.doctor.route import patterns
from goferry.doctor.route.commands import drop_instead_of, move_instead_of, set_go, unset_go
from goferry.doctor.route.records import Hop, Route, Trap
from goferry.doctor.route.way import SSH
from goferry.doctor.settings import names, proxies
from goferry.doctor.settings.credentials import parse_goauth
from goferry.doctor.settings.gitconfig import rewrite
from goferry.doctor.settings.repository import repository_of
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import goproxy, gourl
from goferry.i18n import N_


def find(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """All traps on this route."""
    for look in _LOOKS:
        yield from look(seen, route)


# ---- patterns ----------------------------------------------------------------------------------------------

_FAULT_TEXTS: Final = {
    "quotes_in_pattern": N_("quotes are part of the pattern {pattern}"),
    "blank_in_pattern": N_("blanks and semicolons are part of the pattern {pattern}; only commas separate"),
    "scheme_in_pattern": N_("{pattern} looks like a URL; a pattern has no scheme and never matches with one"),
    "user_in_pattern": N_("{pattern} looks like an address for git; a pattern is host/path"),
    "port_in_pattern": N_("{pattern} has a port; module paths have none"),
    "dots_in_pattern": N_("{pattern} ends as in package lists; a pattern covers everything below it anyway"),
    "git_suffix_in_pattern": N_("{pattern} ends in .git, and the module path does not"),
    "case_of_pattern": N_("{pattern} differs from {path} in case, which counts"),
    "star_without_parent": N_("{pattern} matches what is below the domain, not the domain itself"),
    "star_needs_element": N_("{pattern} matches what is below the path, not the path itself"),
}


def _patterns(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """Patterns that were meant for this module. An inherited value is mended where it stands."""
    done: set[tuple[str, str]] = set()
    for name in ("GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOINSECURE"):
        setting = seen.setting(name)
        if setting is None or setting.origin == "inherited":
            continue
        near = patterns.nearest(setting.value, route.module)
        if near is None:
            continue
        commands = set_go(seen, name, near.replaced_in(setting.value))
        for fault in near.faults:
            if (fault, near.pattern) not in done:
                done.add((fault, near.pattern))
                text = Text(_FAULT_TEXTS[fault], pattern=repr(near.pattern), path=route.module)
                yield Trap(fault, name, text, commands)


def _inheritance(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GONOPROXY or GONOSUMDB of its own: GOPRIVATE no longer counts for it."""
    rule = patterns.matching(seen.value("GOPRIVATE"), route.module)
    for name in ("GONOPROXY", "GONOSUMDB"):
        setting = seen.setting(name)
        if not rule or setting is None or setting.origin in ("inherited", "default"):
            continue
        # `none` is the known way to say that on purpose.
        if setting.value.strip() == "none" or patterns.matching(setting.value, route.module):
            continue
        text = Text(
            N_("{name} is set, so it is not {rule} of GOPRIVATE that counts; this module goes to {other}"),
            name=name,
            rule=rule,
            other="GOPROXY" if name == "GONOPROXY" else "GOSUMDB",
        )
        yield Trap("inheritance_replaced", name, text, unset_go(seen, name))


# ---- private names ---------------------------------------------------------------------------------------------

_PRIVATE_ENDINGS: Final = (
    "corp",
    "internal",
    "intern",
    "intra",
    "intranet",
    "lan",
    "local",
    "localdomain",
    "home",
    "private",
)


def _private_names(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """A name of the inside that would be told to a mirror or database of the outside."""
    why = _why_private(seen, route.module)
    if not why:
        return
    pattern = _pattern_for(route.module)
    value = ",".join(part for part in (seen.value("GOPRIVATE"), pattern) if part)
    commands = set_go(seen, "GOPRIVATE", value)
    public = next((hop for hop in route.hops if hop.kind == "mirror" and _is_public(seen, hop.host)), None)
    if public is not None:
        text = Text(
            N_("{path} looks private ({why}), and its name would be sent to {host}"),
            path=route.module,
            why=why,
            host=public.host,
        )
        yield Trap("private_name_to_mirror", "GOPRIVATE", text, commands)
    elif route.sums.used and route.sums.url and not _is_inside(route, seen):
        text = Text(
            N_("{path} looks private ({why}), and its name would be sent to the checksum database {name}"),
            path=route.module,
            why=why,
            name=route.sums.name,
        )
        yield Trap(
            "private_name_to_sumdb", "GONOSUMDB", text, set_go(seen, "GONOSUMDB", _joined(seen, pattern))
        )


def _joined(seen: SettingsSeen, pattern: str) -> str:
    return ",".join(part for part in (seen.value("GONOSUMDB"), pattern) if part and part != "none")


def _is_inside(route: Route, seen: SettingsSeen) -> bool:
    """Whether a mirror of the inside answers for the database."""
    hosts = [hop.host for hop in route.hops if hop.kind == "mirror"]
    return bool(hosts) and not _is_public(seen, hosts[0])


def _why_private(seen: SettingsSeen, path: str) -> str:
    """What speaks for it: the name, an address in the hosts file, credentials kept for just this place."""
    host = path.partition("/")[0]
    if host.rpartition(".")[2].lower() in _PRIVATE_ENDINGS:
        return host.rpartition(".")[2]
    for line in names.hosts_of(seen.hosts, host):
        if kind_of(line.address).may_be_internal:
            return f"{line.address} in the hosts file"
    if repository_of(path) is None:
        # A host that is not a well-known place for public code, and that somebody logs in to.
        entry = next((entry for entry in seen.netrc if entry.machine == host), None)
        return entry.place if entry is not None else _git_place(seen, f"https://{host}/")
    return _git_place(seen, f"https://{'/'.join(path.split('/')[:2])}/")


def _git_place(seen: SettingsSeen, prefix: str) -> str:
    """A rule of git for just this place (a host, or one owner at a public host)."""
    for setting in seen.git:
        section, _dot, rest = setting.key.partition(".")
        if section == "url" and setting.key.endswith(".insteadof"):
            about = setting.value
        elif section in ("credential", "http"):
            about = rest.rpartition(".")[0]
        else:
            continue
        if f"{about.rstrip('/')}/".startswith(prefix):
            return setting.place
    return ""


def _pattern_for(path: str) -> str:
    """The host, or the owner where the host is a public one."""
    elements = path.split("/")
    return "/".join(elements[:2]) if repository_of(path) is not None and len(elements) > 1 else elements[0]


def _is_public(seen: SettingsSeen, host: str) -> bool:
    """Whether a mirror is somebody else's, as far as its name and the hosts file tell."""
    try:
        return ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    ending = host.rpartition(".")[2].lower()
    inside = any(kind_of(line.address).may_be_internal for line in names.hosts_of(seen.hosts, host))
    return "." in host and ending not in _PRIVATE_ENDINGS and not inside


# ---- the list ----------------------------------------------------------------------------------------------

_HAS_SEMICOLON: Final = re.compile(r";")


def _list(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GOPROXY: what is written in it and means something else."""
    value = seen.value("GOPROXY")
    words = [word.strip() for word in re.split(r"[,|]", value)]
    if route.result == "vendor":
        return
    if seen.value("GO111MODULE") == "off":
        yield Trap(
            "gopath_mode",
            "GO111MODULE",
            Text(N_("in GOPATH mode GOPROXY is not used at all")),
            unset_go(seen, "GO111MODULE"),
        )
        return
    if _HAS_SEMICOLON.search(value):
        yield Trap(
            "semicolon_in_list",
            "GOPROXY",
            Text(N_("a semicolon does not separate entries; it becomes part of one")),
            set_go(seen, "GOPROXY", value.replace(";", ",")),
        )
    if re.search(r"[\"']", value):
        yield Trap(
            "quotes_in_list",
            "GOPROXY",
            Text(N_("the quotes are part of the value")),
            set_go(seen, "GOPROXY", re.sub(r"[\"']", "", value)),
        )
    for word in words:
        if word not in (goproxy.DIRECT, goproxy.OFF) and word.lower() in (goproxy.DIRECT, goproxy.OFF):
            text = Text(N_("{word} is not {right}: case counts"), word=word, right=word.lower())
            yield Trap(
                "case_in_list", "GOPROXY", text, set_go(seen, "GOPROXY", value.replace(word, word.lower()))
            )
    yield from _unreached(words)
    yield from _refused_credentials(route)


def _unreached(words: list[str]) -> Iterator[Trap]:
    """What follows `direct` or `off` is dropped without a word."""
    ends = [place for place, word in enumerate(words) if word in (goproxy.DIRECT, goproxy.OFF)]
    rest = [gourl.redact(word) for word in words[ends[0] + 1 :] if word] if ends else []
    if rest:
        text = Text(
            N_("{rest} is never asked: {word} ends the list"), rest=", ".join(rest), word=words[ends[0]]
        )
        yield Trap("entry_never_reached", "GOPROXY", text)


def _refused_credentials(route: Route) -> Iterator[Trap]:
    for hop in route.hops:
        if hop.kind == "mirror" and any(item.source == "url" and not item.used for item in hop.credentials):
            text = Text(N_("go refuses to send the credentials of {host} over plain http"), host=hop.host)
            yield Trap("credentials_over_http", "GOPROXY", text)


def _shadowed(seen: SettingsSeen, _route: Route) -> Iterator[Trap]:
    """`go env -w` said something else, and the environment wins."""
    for name in ("GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOVCS"):
        setting = seen.setting(name)
        if setting is None or setting.origin != "environment":
            continue
        lost = next((item for item in setting.shadowed if item.origin == "go env file"), None)
        if lost is not None and lost.value and lost.value != setting.value:
            text = Text(
                N_("{value} of `go env -w` has no effect: the environment has {name} too, and wins"),
                name=name,
                value=lost.value,
            )
            yield Trap("environment_wins", f"{name} ({lost.place})", text, (f"unset {name}",))


# ---- git -----------------------------------------------------------------------------------------------------


def _rewritings(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """What git makes of the repository's address, where that is known beforehand; else of the import host's."""
    url = _git_url(route)
    if not url:
        return
    found = rewrite(url, seen.git)
    if found.rule is None:
        yield from _misses(seen, url)
        yield from _conditional(seen, url)
    else:
        yield from _results(url, found.url, found.rule)


def _git_url(route: Route) -> str:
    """The address before git's rules; the origin must be on the route."""
    if not any(hop.kind in ("code", "import") for hop in route.hops):
        return ""
    repository = repository_of(route.module)
    if repository is not None:
        return repository.url if repository.vcs == "git" else ""
    return f"https://{route.module}"


def _results(before: str, after: str, rule: GitSetting) -> Iterator[Trap]:
    base = rule.key.removeprefix("url.").removesuffix(".insteadof")
    rest = before[len(rule.value) :]
    where = rule.place
    if not _is_complete(base, rest):
        good, prefix = _mended(base, rule.value)
        text = Text(
            N_("git would ask {after}: the rule glues {base} and {rest} together"),
            after=after,
            base=base,
            rest=rest,
        )
        yield Trap("insteadof_wrong_host", where, text, move_instead_of(rule, good, prefix))
    elif base.endswith(":") and rest.startswith("/"):
        text = Text(N_("git would ask {after}, which is an absolute path on the server"), after=after)
        yield Trap("insteadof_wrong_path", where, text, move_instead_of(rule, base, rule.value + "/"))
    elif after.startswith(("ssh://", "git+ssh://")) or "://" not in after:
        text = Text(
            N_("git turns https into ssh ({after}): port 22, a key, and no forward proxy"), after=after
        )
        yield Trap("insteadof_to_ssh", where, text, drop_instead_of(rule))
    elif after.startswith("git://"):
        text = Text(
            N_("git turns https into the git protocol ({after}): port 9418, and no encryption"), after=after
        )
        yield Trap("insteadof_to_git", where, text, drop_instead_of(rule))


def _is_complete(base: str, rest: str) -> bool:
    """Whether the host's name ends before the rest of the address begins."""
    if rest.startswith("/") or base.endswith(("/", ":")) or not rest:
        return True
    scheme, sign, tail = base.partition("://")
    authority = tail if sign else scheme.partition(":")[2]
    return "/" in authority if sign else bool(authority)


def _mended(base: str, prefix: str) -> tuple[str, str]:
    """The rule as it was meant: a slash behind a URL, a colon behind a host for ssh."""
    prefix = prefix if prefix.endswith("/") else prefix + "/"
    return (base + "/" if "://" in base else base + ":"), prefix


def _misses(seen: SettingsSeen, url: str) -> Iterator[Trap]:
    """Rules that differ from the address in case only."""
    for setting in seen.git:
        is_rule = setting.key.startswith("url.") and setting.key.endswith(".insteadof")
        if is_rule and setting.value and url.lower().startswith(setting.value.lower()):
            base = setting.key.removeprefix("url.").removesuffix(".insteadof")
            text = Text(
                N_("insteadOf {value} does not match {url}: case counts"), value=setting.value, url=url
            )
            yield Trap(
                "insteadof_case",
                setting.place,
                text,
                move_instead_of(setting, base, url[: len(setting.value)]),
            )


def _conditional(seen: SettingsSeen, url: str) -> Iterator[Trap]:
    """Rules below an includeIf, which do not hold where go runs git."""
    for item in seen.elsewhere:
        if item.origin.startswith("includeIf ") and url.startswith(item.value):
            key = item.name.removesuffix(".insteadof")
            text = Text(
                N_(
                    "the rule for {value} in {place} holds for {condition} only; go runs git in the module cache"
                ),
                value=item.value,
                place=item.place,
                condition=item.origin.removeprefix("includeIf "),
            )
            command = f"git config --global {shlex.quote(f'{key}.insteadOf')} {shlex.quote(item.value)}"
            yield Trap(
                "includeif_not_in_module_cache", item.place, text, () if "xxxxx" in key else (command,)
            )


def _netrc(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """Entries for a host that go itself asks, which go does not take."""
    asked = {hop.host for hop in route.hops if hop.stack == "go" and hop.scheme == "https"}
    for entry in seen.netrc:
        if entry.machine in asked and not entry.used_by_go:
            key = (
                N_("the entry for {host} in {place} has no password: go passes over it, git does not")
                if not entry.has_password
                else N_(
                    "the entry for {host} in {place} has no login, or stands behind default: go passes over it"
                )
            )
            yield Trap("netrc_incomplete", entry.place, Text(key, host=entry.machine, place=entry.place))


# ---- forward proxies ---------------------------------------------------------------------------------------


def _exceptions(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """NO_PROXY entries that miss, and variables that do not count."""
    environ = proxies.environment_of(seen)
    told: set[str] = set()
    for hop in route.hops:
        if hop.scheme not in ("http", "https") or hop.stack != "go" or hop.host in told:
            continue
        told.add(hop.host)
        decision = proxies.for_go(environ, hop.url)
        variable = "NO_PROXY" if environ.get("NO_PROXY") else "no_proxy"
        for near in decision.near:
            yield _near_trap(near, variable, decision.proxy, hop)


def _near_trap(near: str, variable: str, proxy: str, hop: Hop) -> Trap:
    if proxy:
        text = Text(N_("the entry {entry} does not match {host} for go"), entry=repr(near), host=hop.host)
        return Trap("no_proxy_entry_misses", variable, text, (f"export {variable}=${variable},{hop.host}",))
    text = Text(
        N_("go does not use {name} for {scheme} addresses such as {host}"),
        name=near,
        scheme=hop.scheme,
        host=hop.host,
    )
    return Trap("proxy_variable_ignored", near, text)


def _insecure(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GOINSECURE and -insecure promise more than they do."""
    if "-insecure" in seen.value("GOFLAGS").split():
        text = Text(N_("the flag -insecure does not exist any more; GOINSECURE stands in for it"))
        yield Trap("insecure_flag", "GOFLAGS", text, set_go(seen, "GOINSECURE", _pattern_for(route.module)))
    rule = patterns.matching(seen.value("GOINSECURE"), route.module)
    if rule and any(hop.kind == "mirror" for hop in route.hops[:1]):
        text = Text(
            N_("GOINSECURE counts for the origin alone: the mirror's certificate is checked all the same")
        )
        yield Trap("insecure_not_for_mirrors", "GOINSECURE", text)


def _ssh_and_proxy(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """A way to the code over ssh, on a machine whose ways out are forward proxies."""
    has_proxy = any(item.value and not item.name.upper().startswith("NO_") for item in seen.proxies)
    for hop in route.hops:
        if hop.scheme in SSH and has_proxy:
            text = Text(N_("ssh to {host} uses no forward proxy"), host=hop.host)
            yield Trap("ssh_without_proxy", hop.host, text)


def _bad_gosumdb(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GOSUMDB=off for a toolchain, and GOPROXY's credentials are nobody else's business."""
    if route.sums.used and route.sums.name == "off":
        text = Text(N_("GOSUMDB=off makes toolchain downloads fail: they are always checked"))
        yield Trap("toolchain_needs_sumdb", "GOSUMDB", text, unset_go(seen, "GOSUMDB"))


def _unusable_goauth(seen: SettingsSeen, _route: Route) -> Iterator[Trap]:
    try:
        parse_goauth(seen.value("GOAUTH") or "netrc")
    except InvalidInput as why:
        yield Trap(
            "goauth_invalid", "GOAUTH", Text(N_("go stops: {why}"), why=str(why)), unset_go(seen, "GOAUTH")
        )


_Look = Callable[[SettingsSeen, Route], Iterator[Trap]]
_LOOKS: Final[tuple[_Look, ...]] = (
    _list,
    _shadowed,
    _patterns,
    _inheritance,
    _private_names,
    _rewritings,
    _netrc,
    _exceptions,
    _ssh_and_proxy,
    _insecure,
    _bad_gosumdb,
    _unusable_goauth,
)
