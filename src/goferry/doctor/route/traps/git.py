"""Rules of git for addresses: where they lead, where they do not hold, and what they cost."""

import shlex
from collections.abc import Iterator

from goferry.doctor.evidence import GitSetting, SettingsSeen
from goferry.doctor.route.commands import drop_instead_of, move_instead_of
from goferry.doctor.route.records import Route, Trap
from goferry.doctor.route.way import SSH
from goferry.doctor.settings.gitconfig import rewrite
from goferry.doctor.settings.repository import repository_of
from goferry.findings import Text
from goferry.i18n import N_


def rewritings(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
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


def ssh_without_proxy(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """A way to the code over ssh, on a machine whose ways out are forward proxies."""
    has_proxy = any(item.value and not item.name.upper().startswith("NO_") for item in seen.proxies)
    for hop in [hop for hop in route.hops if hop.kind == "code"][:1]:
        if hop.scheme in SSH and has_proxy:
            text = Text(N_("ssh to {host} uses no forward proxy"), host=hop.host)
            yield Trap("ssh_without_proxy", hop.host, text)
