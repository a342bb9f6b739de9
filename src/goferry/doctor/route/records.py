"""What a route consists of: decisions, then the hosts in the order in which they would be tried, then the traps.

All words in these records are stable and never translated; only a Text is. Their JSON is `goferry.route/1`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from goferry.doctor.evidence import Setting, SettingsSeen
from goferry.findings import Text

SCHEMA: Final = "goferry.route/1"


@dataclass(frozen=True, slots=True)
class Step:
    """One decision.

    key: which (`mode`, `private`, `mirrors`, `repository`, `govcs`, `insecure`, `rewrite`, `sumdb`); variable, value,
    origin and place: what it was read from (as in Setting); rule: the pattern or entry that fired, "" for none;
    result: a word for what follows from it.
    """

    key: str
    variable: str
    value: str
    origin: str
    place: str
    rule: str
    result: str
    text: Text

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "variable": self.variable,
            "value": self.value,
            "origin": self.origin,
            "place": self.place,
            "rule": self.rule,
            "result": self.result,
            "text": self.text.to_json(),
        }


def step(seen: SettingsSeen, key: str, variable: str, rule: str, result: str, text: Text) -> Step:
    """A decision that was read from a Go variable."""
    setting = seen.setting(variable) or Setting(variable, "", "default")
    return Step(key, variable, setting.value, setting.origin, setting.place, rule, result, text)


@dataclass(frozen=True, slots=True)
class Credential:
    """A place that credentials for a host would come from; never what they are.

    source: `url`, `netrc`, `goauth_git`, `goauth_command`, `git_helper`, `git_header`, `ssh`; used: whether it counts,
    as far as that can be known without asking it.
    """

    source: str
    place: str
    used: bool

    def to_json(self) -> dict[str, Any]:
        return {"source": self.source, "place": self.place, "used": self.used}


@dataclass(frozen=True, slots=True)
class Hop:
    """A host that would be asked, or a word of the list.

    kind: `mirror`, `file`, `import`, `code`, `off`, `sumdb`; stack: who asks, `go` or `git`; entry: its place in
    GOPROXY from 0, -1 for others; moves_on: what leads to the next hop, `not_found`, `any_error`, `done` (it named the
    next one) or "" for the last. forward_proxy: "" for a direct connection, and forward_rule what decided. sources: in
    which order names are looked up; addresses: what the hosts file says; families: those that are tried, in order.
    """

    kind: str
    url: str
    host: str = ""
    port: int = 0
    scheme: str = ""
    stack: str = "go"
    entry: int = -1
    moves_on: str = ""
    forward_proxy: str = ""
    forward_rule: str = ""
    sources: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    families: tuple[int, ...] = ()
    roots: tuple[str, ...] = ()
    verified: bool = True
    """False: the certificate is not checked, or there is none."""
    credentials: tuple[Credential, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "url": self.url,
            "host": self.host,
            "port": self.port,
            "scheme": self.scheme,
            "stack": self.stack,
            "entry": self.entry,
            "moves_on": self.moves_on,
            "forward_proxy": self.forward_proxy,
            "forward_rule": self.forward_rule,
            "sources": list(self.sources),
            "addresses": list(self.addresses),
            "families": list(self.families),
            "roots": list(self.roots),
            "verified": self.verified,
            "credentials": [credential.to_json() for credential in self.credentials],
        }


@dataclass(frozen=True, slots=True)
class SumCheck:
    """Whether go.sum entries are checked with the database. mirrors: who is asked to stand in for it, in order."""

    used: bool
    name: str = ""
    url: str = ""
    mirrors: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {"used": self.used, "name": self.name, "url": self.url, "mirrors": list(self.mirrors)}


@dataclass(frozen=True, slots=True)
class Trap:
    """Something that people usually believe otherwise.

    code: a stable word; where: the variable, key or file; commands: what mends it, in the syntax of a POSIX shell.
    """

    code: str
    where: str
    text: Text
    commands: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "where": self.where,
            "text": self.text.to_json(),
            "commands": list(self.commands),
        }


@dataclass(frozen=True, slots=True)
class Route:
    """The whole answer. result: `mirror`, `direct`, `off` or `error` (go would stop at once)."""

    module: str
    version: str
    result: str
    steps: tuple[Step, ...]
    hops: tuple[Hop, ...]
    sums: SumCheck
    traps: tuple[Trap, ...]

    def to_json(self) -> Mapping[str, Any]:
        return {
            "schema": SCHEMA,
            "module": self.module,
            "version": self.version,
            "result": self.result,
            "steps": [item.to_json() for item in self.steps],
            "hops": [hop.to_json() for hop in self.hops],
            "sumdb": self.sums.to_json(),
            "traps": [trap.to_json() for trap in self.traps],
        }
