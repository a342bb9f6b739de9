"""Patterns: those that miss this module, those that no longer count, and those that promise too much."""

import re
from collections.abc import Iterator
from typing import Final

from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.route import patterns
from goferry.doctor.route.commands import set_go, unset_go
from goferry.doctor.route.records import Route, Trap
from goferry.doctor.route.traps.private import pattern_for
from goferry.findings import Text
from goferry.i18n import N_

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


def near_patterns(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
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


def replaced_inheritance(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
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


def insecure(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GOINSECURE and -insecure promise more than they do."""
    if re.search(r"(?:^|\s)--?insecure(?:=|\s|$)", seen.value("GOFLAGS")):
        text = Text(N_("the flag -insecure does not exist any more; GOINSECURE stands in for it"))
        yield Trap("insecure_flag", "GOFLAGS", text, set_go(seen, "GOINSECURE", pattern_for(route.module)))
    rule = patterns.matching(seen.value("GOINSECURE"), route.module)
    if rule and any(hop.kind == "mirror" for hop in route.hops[:1]):
        text = Text(
            N_("GOINSECURE counts for the origin alone: the mirror's certificate is checked all the same")
        )
        yield Trap("insecure_not_for_mirrors", "GOINSECURE", text)
