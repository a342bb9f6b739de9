"""What `explain` answers: the verdict with its evidence and advice, as JSON and as a report for people.

Everything that was quoted from the paste passes through `secrets` on its way out: pastes are shared.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from goferry.doctor.causes import BY_KEY, CANNOT_TELL
from goferry.doctor.explain.advice import ADVICE, UNKNOWN, Advice
from goferry.doctor.explain.judge import Explanation, Match
from goferry.doctor.secrets import HIDDEN, Secrets
from goferry.doctor.verdict import Verdict
from goferry.findings import Text

MOST_EVIDENCE: Final = 5
_LONGEST: Final = 400
_CLEAN: Final = Secrets()
_NAMED: Final = re.compile(
    r"((?i:passw(?:or)?d|passphrase|token|secret|api_?key|access_?key)\w*[\"']?\s*[=:]\s*"
    r"|\b[A-Z0-9_]*(?:TOKEN|PASSW(?:OR)?D|SECRET|_KEY|_PAT)\b[= ]+|\blogin\s+\S+\s+password\s+)[\"']?[^\s\"']+"
)
# What a narrow terminal leaves of a login when it cuts a URL: its first half at the end of a line, or its second at the
# start of the next one.
_CUT: Final = re.compile(
    r"(?<=://)[^/\s@:'\"]+:(?!\d{1,5}$)[^/\s@'\"]*$|^[^\s/@'\"<>:]{5,}(?<!\bgit)@(?=(?!v\d)[\w-]+\.[\w.-]+[/:])"
    r"|\b(?:gh[pousr]_|github_pat_|glpat-)[\w-]+$"
)
_HOST: Final = re.compile(r"^[a-z0-9.-]+$|^\[[0-9a-f:.]+\]$")
_PATH: Final = re.compile(r"^[A-Za-z0-9._~/!+-]+$")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A line of the paste, without secrets, that speaks for the verdict."""

    line: int
    text: str
    cause: str


@dataclass(frozen=True, slots=True)
class Fix:
    """What mends it: one sentence, and commands by context (`shell`, `docker`, `ci`)."""

    summary: Text
    commands: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Answer:
    """An explanation, ready to be shown. host and module: what the paste was about, "" when it does not say."""

    verdict: Verdict
    evidence: tuple[Evidence, ...]
    fix: Fix
    probe: Text
    probe_command: str
    host: str
    module: str

    @property
    def whose(self) -> str | None:
        """At whose side the fault lies; None when it cannot be told."""
        cause = BY_KEY.get(self.verdict.cause)
        return None if cause is None else cause.whose.value

    def to_json(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict.to_json(),
            "whose": self.whose,
            "where": self.host or None,
            "module": self.module or None,
            "evidence": [{"line": e.line, "text": e.text, "cause": e.cause} for e in self.evidence],
            "fixes": [
                {
                    "summary": self.fix.summary.to_json(),
                    "commands": list(self.fix.commands.get("shell", ())),
                    "contexts": {name: list(lines) for name, lines in self.fix.commands.items()},
                    "retested": False,
                }
            ],
            "probe": {"summary": self.probe.to_json(), "command": self.probe_command},
        }


def answer_of(explanation: Explanation) -> Answer:
    """Chooses what is shown of an explanation, with all secrets taken out."""
    verdict = explanation.verdict
    advice = UNKNOWN if verdict.cause == CANNOT_TELL else ADVICE[verdict.cause]
    names = _names(explanation.matches)
    return Answer(
        verdict,
        tuple(_evidence(explanation.matches)),
        Fix(_text(advice.fix, names), _commands(advice, names)),
        _text(advice.probe, names),
        advice.probe_command.format(**names),
        names["host"] if names["host"] != "HOST" else "",
        names["module"] if names["module"] != "MODULE@VERSION" else "",
    )


def _text(key: str, names: Mapping[str, str]) -> Text:
    return Text(key, **{name: value for name, value in names.items() if f"{{{name}}}" in key})


def _names(matches: tuple[Match, ...]) -> dict[str, str]:
    target = matches[0].fact.target if matches else None
    host = target.host if target else ""
    path = target.module if target else ""
    version = target.version.removesuffix("/go.mod") if target else ""
    host = host if _HOST.match(host) else "HOST"
    path = path if _PATH.match(path) else ""
    module = f"{path}@{version}" if path and _PATH.match(version) else path
    return {
        "host": host,
        "path": path or "MODULE",
        "module": module or "MODULE@VERSION",
        "prefix": "/".join(path.split("/")[:2]) if path else "HOST/OWNER",
    }


def _commands(advice: Advice, names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    by_context = {"shell": advice.commands, "docker": advice.docker, "ci": advice.ci}
    return {
        context: tuple(command.format(**names) for command in commands)
        for context, commands in by_context.items()
        if commands
    }


def _evidence(matches: tuple[Match, ...]) -> Iterator[Evidence]:
    """The lines of the messages that fit, those of the verdict first."""
    shown: set[str] = set()
    for match in matches:
        for line in _telling(match):
            text = without_secrets(line.shown.strip())[:_LONGEST]
            if text not in shown and len(shown) < MOST_EVIDENCE:
                shown.add(text)
                yield Evidence(line.number, text, match.signature.cause)


def without_secrets(text: str) -> str:
    """A line of a paste without what must not be shown again: in URLs, headers, assignments, netrc lines."""
    return _NAMED.sub(rf"\1{HIDDEN}", _CUT.sub(_cut_login, _CLEAN.clean(text)))


def _cut_login(match: re.Match[str]) -> str:
    return HIDDEN + "@" * match[0].endswith("@")


def _telling(match: Match) -> list[Any]:
    """The first line of a message and the last two: where it begins, and what went wrong in the end."""
    lines = match.fact.message.lines
    return list(lines) if len(lines) <= 3 else [lines[0], *lines[-2:]]
