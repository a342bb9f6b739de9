"""Every rule of the gate by name, and which of them count for which class of repository.

A rule is `on` (what breaks it fails the gate), `warn` or `off`. What it is comes from the flags, else from the settings
file (`[gate.rules]`, then `[gate.class.NAME]`), else from the class's default here. Nothing that is found or could not
be proven is dropped in silence: with a rule on, what could not be proven keeps the gate from passing.

The file may also allow single cases of a policy rule, each with a reason and a last day; proofs allow none.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from goferry.errors import ConfigError, InvalidInput
from goferry.findings import Fix, Text
from goferry.gomod.module import Version, match_prefix_patterns
from goferry.i18n import N_


class Level(StrEnum):
    """What a broken rule means."""

    ON = "on"
    WARN = "warn"
    OFF = "off"


class Class(StrEnum):
    """What kind of repository it is: who builds with it decides what may be in it."""

    LIBRARY = "library"
    """Others build with it; what it replaces or pins is lost on them."""
    SERVICE = "service"
    """It is built and run as it is."""
    INTERNAL = "internal"
    """A tool of its own authors."""


class State(StrEnum):
    """How it stands with one thing that was looked at."""

    FAILED = "failed"
    UNPROVEN = "unproven"
    NOTE = "note"
    """Worth to know; breaks nothing."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `proof`: it is about bytes, and no case of it can be allowed."""

    name: str
    summary: str
    """A translatable key."""
    proof: bool = False
    library: Level = Level.ON
    service: Level = Level.ON
    internal: Level = Level.ON

    def default(self, of: Class) -> Level:
        return {Class.LIBRARY: self.library, Class.SERVICE: self.service, Class.INTERNAL: self.internal}[of]


_ON, _WARN, _OFF = Level.ON, Level.WARN, Level.OFF

RULES: Final = (
    Rule("sum_missing", N_("go.sum has every line that the build, its tests and tidy need."), proof=True),
    Rule("sum_malformed", N_("Every line of go.sum can be read, and no two contradict each other."), proof=True),
    Rule("sum_mismatch", N_("Every line is what the transparency log has signed."), proof=True),
    Rule("sum_unproven", N_("Every line has a record in the log, or in this store for a private module."), proof=True),
    Rule("vendor_manifest", N_("vendor/modules.txt agrees with go.mod and go.work."), proof=True),
    Rule("vendor_edited", N_("Every vendored file has the bytes of its module."), proof=True),
    Rule("vendor_extra", N_("There is no vendored file that its module lacks."), proof=True),
    Rule("vendor_missing", N_("No vendored file, and no package, is missing."), proof=True),
    Rule("vendor_unlisted", N_("There is no vendored package that modules.txt does not list."), proof=True),
    Rule("tidy", N_("go.mod requires exactly what is needed, at the versions that are selected.")),
    Rule("replace", N_("go.mod replaces nothing, or only what is allowed by name."), internal=_WARN),
    Rule("workspace", N_("It builds without its go.work."), internal=_WARN),
    Rule(
        "pseudo_version",
        N_("Every required version is a release tag, or allowed by name."),
        service=_WARN,
        internal=_OFF,
    ),
    Rule("retracted", N_("No version in use was retracted by its author."), internal=_WARN),
    Rule("deprecated", N_("No module in use is deprecated."), service=_WARN, internal=_WARN),
    Rule("recalled", N_("No version in use was recalled: by a malware advisory, or by your own list.")),
    Rule("toolchain", N_("The Go toolchain has no known flaw in the go command itself."), internal=_WARN),
    Rule("allowances", N_("What the settings file allows has not run out."), service=_WARN, internal=_WARN),
)  # fmt: skip

BY_NAME: Final[Mapping[str, Rule]] = {rule.name: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that was found or could not be proven."""

    rule: str
    message: Text
    state: State = State.FAILED
    module: Version | None = None
    file: str = ""
    """Slash-separated, seen from the folder that was gated."""
    line: int | None = None
    fix: Fix | None = None


@dataclass(frozen=True, slots=True)
class Allowance:
    """A case of a policy rule that somebody answers for until a day."""

    rule: str
    module: str
    """A pattern as in GOPRIVATE, or `path@version`."""
    reason: str
    until: datetime.date

    def covers(self, problem: Problem) -> bool:
        if problem.rule != self.rule or problem.module is None:
            return False
        path, at, version = self.module.partition("@")
        if at and version != problem.module.version:
            return False
        return path == problem.module.path or (not at and match_prefix_patterns(path, problem.module.path))


@dataclass(frozen=True, slots=True)
class Policy:
    """Which rules count here."""

    of: Class = Class.SERVICE
    levels: Mapping[str, Level] = field(default_factory=dict)
    """Of every rule."""
    allowances: tuple[Allowance, ...] = ()
    recalled: frozenset[Version] = frozenset()

    def level(self, rule: str) -> Level:
        return self.levels.get(rule) or BY_NAME[rule].default(self.of)


class Verdict(StrEnum):
    """What a gate comes to."""

    PASSED = "passed"
    FAILED = "failed"
    UNPROVEN = "unproven"

    @property
    def exit_code(self) -> int:
        return {Verdict.PASSED: 0, Verdict.FAILED: 1, Verdict.UNPROVEN: 3}[self]


@dataclass(frozen=True, slots=True)
class Judged:
    """A problem, and what it means here."""

    problem: Problem
    level: Level
    """OFF for what is only a note."""
    allowed: Allowance | None = None

    @property
    def fails(self) -> bool:
        return self.level is Level.ON and self.problem.state is State.FAILED

    @property
    def unproven(self) -> bool:
        return self.level is Level.ON and self.problem.state is State.UNPROVEN


def judge(problems: Iterable[Problem], policy: Policy, today: datetime.date) -> tuple[Judged, ...]:
    """What each problem means. Rules that are off say nothing; an allowance makes a failure a note."""
    used: set[Allowance] = set()
    judged = []
    for problem in problems:
        allowed = next((one for one in policy.allowances if one.covers(problem) and one.until >= today), None)
        used.update(one for one in policy.allowances if one.covers(problem))
        level = policy.level(problem.rule)
        if level is Level.OFF:
            continue
        quiet = allowed is not None or problem.state is State.NOTE
        judged.append(Judged(problem, Level.OFF if quiet else level, allowed))
    level = policy.level("allowances")
    if level is not Level.OFF:
        judged += [
            Judged(problem, Level.OFF if problem.state is State.NOTE else level)
            for problem in _stale(policy, used, today)
        ]
    return tuple(judged)


def _stale(policy: Policy, used: set[Allowance], today: datetime.date) -> Iterable[Problem]:
    for one in policy.allowances:
        parts = {"rule": one.rule, "module": one.module, "until": one.until.isoformat(), "reason": one.reason}
        if one.until < today:
            yield Problem(
                "allowances",
                Text(
                    N_("the allowance of {rule} for {module} ran out on {until}; its reason was: {reason}"),
                    **parts,
                ),
            )
        elif one not in used:
            yield Problem(
                "allowances",
                Text(N_("the allowance of {rule} for {module} is not needed (any more)"), **parts),
                State.NOTE,
            )


def verdict(judged: Iterable[Judged]) -> Verdict:
    """FAILED as soon as anything failed, else UNPROVEN as soon as anything could not be proven."""
    found = list(judged)
    if any(one.fails for one in found):
        return Verdict.FAILED
    return Verdict.UNPROVEN if any(one.unproven for one in found) else Verdict.PASSED


# ---- reading the policy --------------------------------------------------------------------------------


def policy(
    table: Mapping[str, Any], *, origin: str = "goferry.toml", of: str = "", rules: Iterable[str] = ()
) -> Policy:
    """From the `[gate]` table of a settings file and the flags `--class` and `--rule NAME=LEVEL`.

    Raises ConfigError for the file and InvalidInput for a flag, each with what is allowed.
    """
    known = {"class", "rules", "allow", "recalled", *Class}
    if unknown := sorted(set(table) - known):
        raise _bad(origin, unknown[0], ", ".join(sorted(known)))
    chosen = _class(of, table, origin)
    levels: dict[str, Level] = {}
    for name in (str(chosen), "rules"):
        for rule, level in _table(table, name, origin).items():
            levels[_rule(rule, f"{origin}: [gate.{name}]")] = _level(level, f"{origin}: {rule}")
    for text in rules:
        rule, _, level = text.partition("=")
        levels[_rule(rule.strip(), "--rule")] = _level(level.strip(), f"--rule {rule}")
    allowances = tuple(_allowance(one, origin) for one in table.get("allow", ()))
    recalled = frozenset(_version(str(text), origin) for text in table.get("recalled", ()))
    return Policy(chosen, levels, allowances, recalled)


def _class(flag: str, table: Mapping[str, Any], origin: str) -> Class:
    text = flag or str(table.get("class", Class.SERVICE))
    try:
        return Class(text)
    except ValueError as error:
        raise InvalidInput(
            "{origin}: there is no class of repositories {name!r}; allowed is {allowed}",
            origin="--class" if flag else origin,
            name=text,
            allowed=", ".join(Class),
        ) from error


def _table(table: Mapping[str, Any], name: str, origin: str) -> Mapping[str, Any]:
    found = table.get(name, {})
    if not isinstance(found, Mapping):
        raise _bad(origin, name, N_("a table of rules"))
    return found


def _rule(name: str, origin: str) -> str:
    if name not in BY_NAME:
        raise InvalidInput(
            "{origin}: there is no rule {name!r}; there are {allowed}",
            origin=origin,
            name=name,
            allowed=", ".join(BY_NAME),
        )
    return name


def _level(value: object, origin: str) -> Level:
    text = {True: "on", False: "off"}.get(value) if isinstance(value, bool) else str(value)
    try:
        return Level(str(text))
    except ValueError as error:
        raise InvalidInput(
            "{origin}: {name!r} is no level; allowed is {allowed}",
            origin=origin,
            name=value,
            allowed=", ".join(Level),
        ) from error


def _allowance(value: object, origin: str) -> Allowance:
    entry = value if isinstance(value, Mapping) else {}
    missing = [word for word in ("rule", "module", "reason", "until") if not entry.get(word)]
    if missing:
        raise ConfigError(
            "{origin}: an entry of [[gate.allow]] lacks {missing}: it needs rule, module, reason and until (a date)",
            origin=origin,
            missing=", ".join(missing),
        )
    rule = _rule(str(entry["rule"]), f"{origin}: [[gate.allow]]")
    if BY_NAME[rule].proof:
        raise ConfigError(
            "{origin}: [[gate.allow]]: {rule} is a proof, no case of which can be allowed",
            origin=origin,
            rule=rule,
        )
    until = entry["until"]
    if isinstance(until, datetime.datetime) or not isinstance(until, datetime.date):
        raise _bad(origin, f"until = {until!r}", N_("a date such as 2027-01-31, without quotes"))
    return Allowance(rule, str(entry["module"]), str(entry["reason"]), until)


def _version(text: str, origin: str) -> Version:
    path, at, version = text.partition("@")
    if not at:
        raise _bad(origin, text, N_("a module with its version, such as example.org/a@v1.2.3"))
    return Version(path, version)


def _bad(origin: str, name: str, allowed: str) -> ConfigError:
    return ConfigError(
        "{origin}: [gate] must not have {name}; allowed is {allowed}",
        origin=origin,
        name=name,
        allowed=allowed,
    )
