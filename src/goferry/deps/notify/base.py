"""What the parts of `notify` hand to each other."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from email.message import EmailMessage
from functools import cached_property
from typing import Any, ClassVar, Final

from goferry.deps.audit.records import Audit, AuditFinding
from goferry.errors import UpstreamError


class NotifyError(UpstreamError):
    """A receiver did not take a notice; says which one, and in its own words why."""

    code: ClassVar[str] = "notify_failed"


# ---- what is configured ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One key of a kind of receiver. The value of `NAME` may also come from the variable that `NAME_env` names, or from
    the file that `NAME_file` names; a secret never stands in the file itself."""

    name: str
    type: type
    required: bool = False
    secret: bool = False
    default: Any = None
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value is to be looked up: `env` or `file`, and the name of the variable or file."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Receiver:
    """One `[[notify]]` table, checked. Holds no secrets."""

    name: str
    kind: str
    place: str
    """FILE:LINE of the table."""
    lang: str = ""
    severity: str = "info"
    """The least severity that is told."""
    owners: tuple[str, ...] = ()
    """Only what these owners look after; empty for everybody's."""
    kinds: tuple[str, ...] = ()
    """Only findings of these kinds; empty for all."""
    mentions: Mapping[str, str] = field(default_factory=dict)
    """Owner → how the receiver knows them."""
    link: str = ""
    """Where the whole report can be read."""
    options: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Where to look up what does not stand in the file, by the name of the field."""


@dataclass(frozen=True, slots=True)
class Target:
    """A receiver with its secrets, for as long as it is talked to."""

    receiver: Receiver
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    looked_up: Mapping[str, str] = field(default_factory=dict)
    """Options that come from a variable or a file too, and are no secrets."""

    def option(self, name: str) -> Any:
        """None if it is not configured."""
        return self.looked_up.get(name, self.receiver.options.get(name))

    def secret(self, name: str) -> str:
        """Empty if it is not configured."""
        return self.secrets.get(name, "")


# ---- what is told ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Notice:
    """What one receiver is to hear of one audit."""

    delivery: str
    """The same for the same audit and receiver: lets the other end recognise what it has heard already."""
    audit: Audit
    news: tuple[AuditFinding, ...]
    """Worst first."""
    standing: tuple[AuditFinding, ...]
    """All findings of the audit that this receiver cares for."""
    closed: tuple[str, ...] = ()
    """Keys that it was told of once and that are gone."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request of a dialogue."""

    step: str
    """Its name within the dialogue: an answered step is never sent again."""
    url: str
    body: Mapping[str, Any] | None = None
    method: str = "POST"
    headers: Mapping[str, str] = field(default_factory=dict)
    tells: bool = True
    """Once this is through, the receiver has heard the news."""
    gap: float = 0.0
    """Seconds to leave between the step before and this one."""
    example: Any = None
    """What a dry run takes for the answer."""
    seal: Callable[["Request", float], "Sealed"] | None = field(default=None, compare=False)
    """Makes what is really sent, with the time of sending; for receivers with signatures."""

    def sealed(self, now: float) -> "Sealed":
        """What is sent at this moment."""
        return Sealed(self.url, self.encoded(), self.headers) if self.seal is None else self.seal(self, now)

    def encoded(self) -> bytes:
        return b"" if self.body is None else encode(self.body)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A request as it goes out."""

    url: str
    body: bytes
    headers: Mapping[str, str]
    hidden: tuple[str, ...] = ()
    """Signatures: as good as a secret for a while."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail of a dialogue."""

    step: str
    message: EmailMessage
    host: str
    port: int
    security: str
    """`starttls`, `tls` or `none`."""
    user: str = ""
    password: str = field(default="", repr=False)
    tells: bool = True
    gap: float = 0.0
    example: Any = None


Dialogue = Generator[Request | Mail, Any, None]
"""Yields what is to be sent and is sent the parsed answers."""


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None if it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    def get(self, key: str) -> Any:
        """A field of a JSON object; None if there is no such thing."""
        return self.json.get(key) if isinstance(self.json, dict) else None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means: taken (no `why`), or not, and whether to try again."""

    why: str = ""
    again: bool = False
    wait: float | None = None
    """Seconds that the receiver asks to be left alone."""


TAKEN: Final = Verdict()


def by_code(code: object, text: object, again: Mapping[int, float | None]) -> Verdict:
    """Of a service that answers with status 200 and a code, where 0 or none is yes. `again` are the codes after which
    it is worth trying again, with the seconds that it asks to be left alone for."""
    if code in (0, None):
        return TAKEN
    why = f"{code} {text or ''}".strip()
    return Verdict(why, True, again[code]) if isinstance(code, int) and code in again else Verdict(why)


def signed(key: str, text: str) -> str:
    """HMAC-SHA256 in base64, as the robots of chat services are signed with."""
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


@dataclass(frozen=True, slots=True)
class Service:
    """One kind of receiver."""

    kind: str
    fields: tuple[Field, ...]
    talk: Callable[[Notice, Target], Dialogue]
    judge: Callable[[Answer], Verdict] = lambda _answer: TAKEN
    """Of an answer with a 2xx status, for services that say no with one."""
    limited: Callable[[Answer, float], Verdict | None] = lambda _answer, _now: None
    """Of any other answer: a limit that has its own form. The second argument is the time."""
    check: Callable[[Mapping[str, Any], Mapping[str, Source]], str] = lambda _options, _secrets: ""
    """Of options and secret sources: what is wrong with them together, a translatable key."""
    wants_closed: bool = False
    """Hears also of an audit that has no news, if something is gone."""
    wants_all: bool = False
    """Hears of every audit."""


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON as it is sent: compact UTF-8."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


ROBOT: Final = (Field("url", str, required=True, secret=True), Field("secret", str, secret=True))
"""What a robot is reached with: an address that says which one it is, and a secret where it wants signatures."""

JSON_HEADERS: Final[Mapping[str, str]] = {"Content-Type": "application/json; charset=utf-8"}
