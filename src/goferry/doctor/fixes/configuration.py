"""Plans for faults of Go's own settings."""

import re
from collections.abc import Iterator
from typing import Final

from goferry.doctor.evidence import Setting
from goferry.doctor.fixes import goproxylist as lists
from goferry.doctor.fixes.kit import Case, minor, with_patterns
from goferry.doctor.fixes.plan import Plan
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.i18n import N_
from goferry.report import shells

_MODULES_BY_DEFAULT: Final = 16
"""Go 1.N from which on every command is in module mode unless told otherwise."""

_SHARED_HOSTS: Final = frozenset({"github.com", "gitlab.com", "bitbucket.org", "gitee.com", "codeberg.org"})
"""Hosts where everybody has modules: of these only the owner's are private."""


def gopath_mode(case: Case) -> Iterator[Plan]:
    """GO111MODULE decides; an old go needs it to be `on` outside of a module."""
    if case.is_in_environment("GO111MODULE") and minor(case) >= _MODULES_BY_DEFAULT:
        yield case.set(
            "unset_go111module",
            Text(N_("Take GO111MODULE away, so that go works with modules.")),
            {"GO111MODULE": None},
        )
    yield case.set(
        "set_go111module", Text(N_("Switch modules on, so that go asks GOPROXY.")), {"GO111MODULE": "on"}
    )


def off(case: Case) -> Iterator[Plan]:
    """The value that go would have without the one that says off."""
    default = lists.default_of(case.settings)
    setting = case.settings.setting("GOPROXY")
    others = [line for line in setting.shadowed if line.value != goproxy.OFF] if setting else []
    if setting is not None and setting.origin == "environment" and others:
        yield case.set(
            "unset_goproxy",
            Text(
                N_("Take GOPROXY out of the environment; go's own settings then count: {value}."),
                value=others[0].value,
            ),
            {"GOPROXY": None},
        )
    yield set_goproxy(case, default, N_("Let go fetch modules again, with its default list."))
    yield set_goproxy(case, goproxy.DIRECT, N_("Fetch from the origin itself."), key="go_direct")


def set_goproxy(
    case: Case, value: str, summary: str, *, key: str = "set_goproxy", is_told_only: bool = False
) -> Plan:
    """GOPROXY with this value. summary: an English key without parts."""
    return case.set(key, Text(summary), {"GOPROXY": value}, is_told_only=is_told_only)


def malformed(case: Case) -> Iterator[Plan]:
    """The text as it was meant, else without it."""
    for word in lists.words(case.settings.value("GOPROXY")):
        head, sign, host = word.partition("://")[2].partition("/")[0].rpartition("@")
        if sign and head and word.startswith("http://"):
            yield case.set(
                "goproxy_over_tls",
                Text(
                    N_("Write https:// for {host}, if it speaks TLS; a login goes no other way."), host=host
                ),
                {"GOPROXY": f"https://USER:PASSWORD@{host}"},
                is_told_only=True,
            )
    repaired = lists.repaired(case.settings.value("GOPROXY"))
    if repaired is not None:
        yield case.set(
            "repair_goproxy",
            Text(N_("Write GOPROXY as go reads it: {value}"), value=repaired),
            {"GOPROXY": repaired},
        )
    default = lists.default_of(case.settings)
    if default != repaired:
        yield set_goproxy(
            case, default, N_("Go back to the list that go has by default."), key="default_goproxy"
        )
    if goproxy.DIRECT not in (default, repaired):
        yield set_goproxy(case, goproxy.DIRECT, N_("Fetch from the origin itself."), key="go_direct")


_DISALLOWED: Final = re.compile(r"GOVCS disallows using (\w+) for \w+ (\S+);")
_DEFAULT_RULES: Final = "private:all,public:git|hg"


def refused(case: Case) -> Iterator[Plan]:
    """Without the value that go cannot work with; a program that GOVCS forbids, allowed for this one module."""
    name = case.judgement.where
    forbidden = _DISALLOWED.search(case.output)
    if name == "GOVCS" and forbidden is not None:
        rule = f"{forbidden[2]}:{forbidden[1]}"
        yield case.set(
            "allow_vcs",
            Text(N_("Let go use {program} for this module alone: {rule}"), program=forbidden[1], rule=rule),
            {"GOVCS": f"{rule},{_DEFAULT_RULES}"},
        )
    if re.fullmatch(r"GO[A-Z0-9]+", name) and (name != "GOVCS" or case.variable(name) is not None):
        yield case.set(
            "unset_setting",
            Text(N_("Take {name} away; go then does as it does by default."), name=name),
            {name: None},
        )
    yield case.run("see_settings", Text(N_("See which settings of go are not its own.")), "go env -changed")


def not_effective(case: Case) -> Iterator[Plan]:
    """What stands elsewhere, brought to the place that this process reads."""
    named = case.judgement.where.partition("=")[0].strip()
    found: dict[str, Setting] = {}
    for setting in case.settings.elsewhere:
        now = case.variable(setting.name)
        if now is None or now.value != setting.value:
            found.setdefault(setting.name, setting)
    for name in sorted(found, key=lambda name: (name != named, name != "GOPROXY", name)):
        setting = found[name]
        yield from _brought_here(case, setting)
    yield from _file_beaten_by_environment(case)


def _brought_here(case: Case, setting: Setting) -> Iterator[Plan]:
    """sudo makes an environment of its own, so its own form comes first there."""
    changed = {setting.name: setting.value}
    yield case.set(
        f"bring_{setting.name.lower()}",
        Text(
            N_("Set {name} where this process reads it: {place} is not read here."),
            name=setting.name,
            place=setting.place,
        ),
        changed,
        more=tuple(shells.render("sudo", changed)[:1]) if setting.origin == "sudo" else (),
    )


def _file_beaten_by_environment(case: Case) -> Iterator[Plan]:
    """`go env -w` was used, and the environment has another value that wins."""
    setting = case.settings.setting("GOPROXY")
    if setting is None or setting.origin != "environment":
        return
    in_file = next((line for line in setting.shadowed if line.origin == "go env file"), None)
    if in_file is not None:
        yield case.set(
            "unset_goproxy",
            Text(
                N_("Take GOPROXY out of the environment, which wins over what `go env -w` wrote: {value}."),
                value=in_file.value,
            ),
            {"GOPROXY": None},
        )


# ---- private modules ---------------------------------------------------------------------------------------


def private_pattern(path: str) -> str:
    """The pattern that covers a private module and its neighbours, and nothing of strangers.

    >>> private_pattern("git.example.org/team/lib"), private_pattern("github.com/acme/secret/v2")
    ('git.example.org', 'github.com/acme/*')
    """
    host, _slash, rest = path.partition("/")
    if host in _SHARED_HOSTS and rest:
        return f"{host}/{rest.partition('/')[0]}/*"
    return host


def private(case: Case) -> Iterator[Plan]:
    """GOPRIVATE, and the variables that do not take their value from it."""
    path = case.module or _path_in(case.judgement.where)
    if not path:
        yield case.run(
            "set_goprivate",
            Text(N_("Name your private modules in GOPRIVATE.")),
            "go env -w 'GOPRIVATE=<host>/*'",
        )
        return
    patterns = dict.fromkeys([private_pattern(path), path])
    for place, pattern in enumerate(patterns):
        yield case.set(
            "set_goprivate" if place == 0 else "set_goprivate_one",
            Text(
                N_("Tell go that {pattern} is private: fetched from its origin, and not looked up anywhere."),
                pattern=pattern,
            ),
            private_variables(case, pattern),
        )


def private_variables(case: Case, pattern: str) -> dict[str, str | None]:
    """GOPRIVATE with the pattern; and those of its heirs that have a value of their own."""
    changed: dict[str, str | None] = {"GOPRIVATE": with_patterns(case.settings.value("GOPRIVATE"), pattern)}
    for name in ("GONOPROXY", "GONOSUMDB"):
        setting = case.settings.setting(name)
        if setting is not None and setting.value and setting.origin not in ("inherited", "default"):
            changed[name] = with_patterns(setting.value, pattern)
    return changed


def _path_in(text: str) -> str:
    """A module path in words of a judgement; "" for none."""
    found = re.search(r"\b[a-z0-9-]+(?:\.[a-z0-9-]+)+(?:/[\w.~-]+)+", text)
    return found[0] if found else ""


# ---- the list ----------------------------------------------------------------------------------------------


def comma(case: Case) -> Iterator[Plan]:
    """Bars in place of commas; and the list without what fails, for a dead entry costs time at every request."""
    text = case.settings.value("GOPROXY")
    others = lists.other_entries(case.evidence, [case.place])
    without = lists.made([*others, goproxy.DIRECT], lists.PIPE)
    with_bars = case.set(
        "pipe_goproxy",
        Text(
            N_("Put a bar after each entry: after any failure go then asks the next one: {value}"),
            value=lists.with_pipes(text),
        ),
        {"GOPROXY": lists.with_pipes(text)},
    )
    left_out = case.set(
        "drop_entry",
        Text(N_("Leave the entry that fails out of the list: {value}"), value=without),
        {"GOPROXY": without},
    )
    yield from (left_out, with_bars) if _is_slow(case) else (with_bars, left_out)


def _is_slow(case: Case) -> bool:
    """Whether the failing entry lets everybody wait instead of answering."""
    entries = lists.words(case.settings.value("GOPROXY"))
    others = lists.other_entries(case.evidence, [case.place])
    places = [place for place, word in enumerate(entries) if word not in others]
    answers = [answer for answer in case.evidence.answers if answer.entry in places]
    return bool(answers) and not any(answer.status for answer in answers)


def no_direct(case: Case) -> Iterator[Plan]:
    """The origin as the last entry; or, for a private module, no mirror at all."""
    value = lists.with_direct(case.settings.value("GOPROXY"))
    yield case.set(
        "append_direct",
        Text(N_("Let go ask the origin for what no mirror has: {value}"), value=value),
        {"GOPROXY": value},
    )
    if case.module:
        pattern = private_pattern(case.module)
        yield case.set(
            "set_goprivate",
            Text(N_("If it is a private module, say so: {pattern}"), pattern=pattern),
            private_variables(case, pattern),
        )
