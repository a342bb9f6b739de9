"""The list of mirrors and the database: what is written there and means something else, or nothing."""

import re
from collections.abc import Iterator
from typing import Final

from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.route.commands import set_go, unset_go
from goferry.doctor.route.records import Route, Trap
from goferry.findings import Text
from goferry.gomod import goproxy, gourl
from goferry.i18n import N_

_WORDS: Final = (goproxy.DIRECT, goproxy.OFF)
_WRITINGS: Final = (
    (
        "semicolon_in_list",
        re.compile(r";"),
        N_("a semicolon does not separate entries; it becomes part of one"),
    ),
    ("quotes_in_list", re.compile(r"[\"']"), N_("the quotes are part of the value")),
)


def written_otherwise(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GOPROXY: what is written in it and means something else."""
    if seen.value("GO111MODULE") == "off":
        text = Text(N_("in GOPATH mode GOPROXY is not used at all"))
        yield Trap("gopath_mode", "GO111MODULE", text, unset_go(seen, "GO111MODULE"))
        return
    value = seen.value("GOPROXY")
    words = [word.strip() for word in re.split(r"[,|]", value)]
    commands = set_go(seen, "GOPROXY", _mended(value))
    for code, pattern, key in _WRITINGS:
        if pattern.search(value):
            yield Trap(code, "GOPROXY", Text(key), commands)
    for word in words:
        if word not in _WORDS and word.lower() in _WORDS:
            text = Text(N_("{word} is not {right}: case counts"), word=word, right=word.lower())
            yield Trap("case_in_list", "GOPROXY", text, commands)
    yield from _unreached(words)
    yield from _refused_credentials(route)


def _mended(value: str) -> str:
    """The list as it was meant: commas for semicolons, no quotes, the words in lower case."""
    parts = re.split(r"([,|])", re.sub(r"[\"']", "", value).replace(";", ","))
    return "".join(part.lower() if part.strip().lower() in _WORDS else part for part in parts)


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


def shadowed(seen: SettingsSeen, _route: Route) -> Iterator[Trap]:
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


def toolchain_sums(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """GOSUMDB=off does not count for toolchains."""
    if route.sums.used and route.sums.name == "off":
        text = Text(N_("GOSUMDB=off makes toolchain downloads fail: they are always checked"))
        yield Trap("toolchain_needs_sumdb", "GOSUMDB", text, unset_go(seen, "GOSUMDB"))
