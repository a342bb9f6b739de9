"""What the module proxy answers: complete, verified bytes and how long they may be trusted."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer. Exactly one of `body` and `file` is set; `size` is bytes, `mtime` seconds since 1970."""

    key: str
    """The storage key (the escaped URL path), also for answers that are not stored under it."""
    size: int
    mtime: float
    immutable: bool
    """True for .mod, .zip and the .info of a canonical version; false for lists, @latest and branch queries."""
    body: bytes | None = None
    file: Path | None = None
    stale: bool = False
    """True when the upstream could not confirm it (served because old beats failing)."""


class Outcome(StrEnum):
    """How a request was answered; a label in metrics."""

    HIT = "hit"
    MISS = "miss"
    COALESCED = "coalesced"
    STALE = "stale"
    NEGATIVE = "negative"
    ERROR = "error"


class Guess(StrEnum):
    """What becomes of a file that is fetched before anybody asks for it; a label in metrics."""

    MADE = "made"
    TRUE = "true"


class Observer(Protocol):
    """What metrics want to know. Methods are cheap and never raise."""

    def answered(self, kind: str, outcome: Outcome) -> None:
        """One module request of this kind (list, latest, info, mod, zip, sumdb) was answered by the service."""

    def guessed(self, kind: str, outcome: Guess) -> None:
        """A file was fetched ahead (made), or one of those was asked for by a client (true)."""

    def asked(self, entry: str, kind: str, code: str, seconds: float) -> None:
        """One upstream entry was asked; `code` is `ok` or the error code, `seconds` until the whole body was here."""


class Silent:
    """The observer for those who do not look."""

    def guessed(self, kind: str, outcome: Guess) -> None: ...

    def answered(self, kind: str, outcome: Outcome) -> None: ...

    def asked(self, entry: str, kind: str, code: str, seconds: float) -> None: ...
