"""What the module proxy answers: complete, verified bytes and how long they may be trusted."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Answer:
    """One complete answer. Exactly one of `body` and `file` is set; `size` is bytes, `mtime` seconds since the epoch."""

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
