"""A plan to mend one fault: what to type in this context, what would be written, what go would see then.

A plan does nothing by itself. The re-test runs go with `changed` in its environment and a throw-away module cache;
`--fix` shows the diff of `edits`, writes them, and keeps what is needed to undo it (apply.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from goferry.findings import Text


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file as it was seen and as it would be; None: it does not exist."""

    path: str
    before: bytes | None
    after: bytes | None


@dataclass(frozen=True, slots=True)
class Plan:
    """One way to mend one cause.

    key: a stable word (`set_goproxy`); commands: for the shell or file where the fault was made, ready to paste;
    contexts: the same for other places, by name (`dockerfile`, `compose`, `github`, `gitlab`, `systemd`, `sudo`,
    `powershell`); changed: NAME → value, or None to remove it, in the environment of the re-test; edits: files that
    `--fix` writes; by: who has to act when it is not the user ("" for the user).
    """

    key: str
    cause: str
    summary: Text
    commands: tuple[str, ...] = ()
    contexts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changed: Mapping[str, str | None] = field(default_factory=dict)
    edits: tuple[FileEdit, ...] = ()
    undo: tuple[str, ...] = ()
    by: str = ""

    @property
    def can_be_tried(self) -> bool:
        """Whether a run of go with another environment shows if it helps."""
        return bool(self.changed)


def changes_of(plan: Plan) -> tuple[str, ...]:
    """How a run with this plan names what was changed (`RunSeen.changed`)."""
    return tuple(f"{name}={'' if value is None else value}" for name, value in sorted(plan.changed.items()))


@dataclass(frozen=True, slots=True)
class Tried:
    """A plan after its re-test. retested: go was run with it and succeeded; seconds: how long that took."""

    plan: Plan
    retested: bool = False
    seconds: float = 0.0
    output: str = ""
    """The end of go's output when the re-test failed."""

    def to_json(self) -> dict[str, Any]:
        return {
            "key": self.plan.key,
            "summary": self.plan.summary.to_json(),
            "commands": list(self.plan.commands),
            "contexts": {name: list(lines) for name, lines in self.plan.contexts.items()},
            "retested": self.retested,
        }
