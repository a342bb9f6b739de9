"""A plan to mend one fault: what to type in this context, what would be written, what go would see then.

A plan does nothing by itself, and it is made from evidence alone. So it says how a file is to be rewritten (`writes`)
without knowing what the file holds; `trial.ready` reads the file and fills in `edits`. The re-test runs go with all of
it in a throw-away module cache; `--fix` shows the diff, writes, and keeps what is needed to undo it (apply.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from goferry.doctor.fixes.rewrites import Rewrite
from goferry.doctor.secrets import Secrets
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
    `powershell`, `message` for what to tell somebody else); changed: NAME → value, or None to remove it, in the
    environment of the re-test; writes: how `--fix` rewrites files, edits: the same with their bytes; files: NAME →
    content of a throw-away file that NAME points to in the re-test, and nowhere else; by: who has to act when it is
    not the user ("" for the user); is_told_only: it needs what is not known here (a password, a host that nobody may be
    asked for), so it is printed and neither tried nor done; is_repeat: nothing is changed, the command is run again;
    segment: bytes of a TCP segment to which the re-test holds its connections, as smaller packets would.
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
    writes: tuple[Rewrite, ...] = ()
    files: Mapping[str, bytes] = field(default_factory=dict)
    is_told_only: bool = False
    is_repeat: bool = False
    segment: int = 0

    @property
    def can_be_tried(self) -> bool:
        """Whether a run of go in another environment shows if it helps."""
        changes = self.changed or self.writes or self.edits or self.files or self.segment
        return not self.is_told_only and (bool(changes) or self.is_repeat)


def changes_of(plan: Plan) -> tuple[str, ...]:
    """How a run with this plan names what was changed (`RunSeen.changed`): NAME=VALUE without secrets, by name.

    Files count under `hosts`, `resolv.conf`, `go.mod`, `go.sum` and `GIT_CONFIG_GLOBAL`, and the size of segments under
    `segment`. It is the same for live and for replayed plans.
    """
    variables = [f"{name}={'' if value is None else value}" for name, value in plan.changed.items()]
    files = [f"{name}=(a file made for it)" for name in plan.files]
    writes = [f"{write.place}={write.said}" for write in plan.writes]
    sizes = [f"segment={plan.segment}"] if plan.segment else []
    return tuple(map(_SECRETS.clean, sorted([*variables, *files, *writes, *sizes])))


_SECRETS: Final = Secrets()


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
            "by": self.plan.by,
            "retested": self.retested,
        }
