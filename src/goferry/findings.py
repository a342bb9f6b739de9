"""What every feature finds and every renderer reads: frozen values with one JSON form.

A finding is data first. Its code, severity and parts are the same in every language; the sentence is an
English key with named parts, translated when it is shown. So a report that was saved as JSON can be shown
later, in another form and in another language.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from goferry.errors import GoferryError, InvalidInput
from goferry.i18n import _, in_english

SCHEMA: Final = "goferry.report/1"


class Severity(StrEnum):
    """How bad it is, worst first. `ok` is a finding too: it says what was looked at and is well."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    OK = "ok"

    @property
    def rank(self) -> int:
        """0 is the worst."""
        return list(Severity).index(self)


class Text:
    """A sentence for people: an English key with named parts, translated by `str()` when it is shown.

    A part may be a sentence itself: it is translated with the one that it stands in.
    """

    __slots__ = ("key", "parts")

    def __init__(self, key: str, /, **parts: "Part") -> None:
        self.key: Final = key
        self.parts: Final[Mapping[str, Part]] = parts

    def __str__(self) -> str:
        return _(self.key).format(**self.parts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and (self.key, self.parts) == (other.key, other.parts)

    def __hash__(self) -> int:
        return hash((self.key, *sorted(self.parts.items())))

    def __repr__(self) -> str:
        return f"Text({self.key!r}, **{dict(self.parts)!r})"

    @property
    def english(self) -> str:
        """The sentence in English, whatever language is spoken."""
        parts = {name: part.english if isinstance(part, Text) else part for name, part in self.parts.items()}
        return self.key.format(**parts)

    def to_json(self) -> dict[str, Any]:
        """`text` is the English sentence, for readers that do not fill in keys."""
        parts = {
            name: part.to_json() if isinstance(part, Text) else part for name, part in self.parts.items()
        }
        return {"key": self.key, "parts": parts, "text": self.english}

    @classmethod
    def of(cls, error: GoferryError) -> "Text":
        """An error's sentence; an error among its parts is a sentence within it."""
        return cls(error.message, **{name: _part(value) for name, value in error.parts.items()})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Text":
        parts = data["parts"].items()
        return cls(
            data["key"],
            **{name: cls.from_json(part) if isinstance(part, Mapping) else part for name, part in parts},
        )


def encode_text(value: object) -> Any:
    """msgspec's `enc_hook` for records that hold sentences."""
    if isinstance(value, Text):
        return value.to_json()
    raise NotImplementedError(type(value))


def decode_text(wanted: type, value: Any) -> Text:
    """Its `dec_hook`. ValueError when it is no sentence with all the parts that its key names."""
    if wanted is not Text:
        raise NotImplementedError(wanted)
    try:
        text = Text.from_json(value)
        text.to_json()  # every part that the key names is there
    except (KeyError, IndexError, AttributeError, TypeError) as error:
        raise ValueError(f"no sentence with its parts: {error!r}") from error
    return text


Part = str | int | float | Text


def _part(value: Any) -> Part:
    if isinstance(value, GoferryError):
        return Text.of(value)
    return value if isinstance(value, str | int | float | Text) else in_english(value)


@dataclass(frozen=True, slots=True)
class Location:
    """Where it is. `place` is a path, a storage key or a URL without secrets; `line` counts from 1."""

    place: str
    line: int | None = None

    def __str__(self) -> str:
        return self.place if self.line is None else f"{self.place}:{self.line}"

    def to_json(self) -> dict[str, Any]:
        return {"place": self.place, "line": self.line}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Location":
        return cls(data["place"], data["line"])


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do about it: a sentence, and the command that does it where there is one."""

    summary: Text
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"summary": self.summary.to_json(), "command": self.command}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Fix":
        return cls(Text.from_json(data["summary"]), data["command"])


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was seen. `code` is a stable word that names the rule."""

    code: str
    severity: Severity
    message: Text
    location: Location | None = None
    fix: Fix | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "severity": self.severity.value,
            "message": self.message.to_json(),
            "location": None if self.location is None else self.location.to_json(),
            "fix": None if self.fix is None else self.fix.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Finding":
        return cls(
            data["code"],
            Severity(data["severity"]),
            Text.from_json(data["message"]),
            None if data["location"] is None else Location.from_json(data["location"]),
            None if data["fix"] is None else Fix.from_json(data["fix"]),
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All findings of one run. `kind` names the feature (`cache verify`), `facts` are its figures."""

    kind: str
    title: Text
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, str | int | float] = field(default_factory=dict)

    @property
    def worst(self) -> Severity:
        """The worst severity among the findings; `ok` when there are none."""
        return min((finding.severity for finding in self.findings), key=lambda s: s.rank, default=Severity.OK)

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)

    def by_severity(self) -> Iterable[Finding]:
        """Worst first; in the given order within one severity."""
        return sorted(self.findings, key=lambda finding: finding.severity.rank)

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "title": self.title.to_json(),
            "worst": self.worst.value,
            "facts": dict(self.facts),
            "findings": [finding.to_json() for finding in self.findings],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Report":
        """The inverse of `to_json`. InvalidInput when it is no report, or one of another schema."""
        if data.get("schema") != SCHEMA:
            raise InvalidInput(
                "not a report of schema {wanted}: {found}", wanted=SCHEMA, found=data.get("schema")
            )
        try:
            return cls(
                data["kind"],
                Text.from_json(data["title"]),
                tuple(Finding.from_json(item) for item in data["findings"]),
                data["facts"],
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InvalidInput("broken report: {why}", why=repr(error)) from error
