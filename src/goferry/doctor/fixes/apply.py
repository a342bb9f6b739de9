"""Carries a plan out: shows it as a diff, writes files, tells go, and takes all of it back.

A variable of the shell cannot be changed from here. Then nothing is pretended: the exact command is handed back.
"""

import difflib
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.fixes import files, journal
from goferry.doctor.fixes.kit import goes_to_go_file
from goferry.doctor.fixes.plan import FileEdit, Plan
from goferry.doctor.fixes.trial import filled, ready
from goferry.doctor.secrets import Secrets, user_infos
from goferry.doctor.settings.hiding import HIDDEN
from goferry.doctor.settings.reading import find_program
from goferry.errors import NotFound, Refused
from goferry.gomod import goenv
from goferry.i18n import _
from goferry.report import shells

_GO_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Applied:
    """What came of it. changed: whether anything was written; manual: commands that the user has to run."""

    changed: bool
    manual: tuple[str, ...] = ()


# ---- showing -----------------------------------------------------------------------------------------------


def diff(plan: Plan) -> str:
    """What would change: a unified diff of each file, and variables line by line. Secrets are left out.

    Files are shown for plans that are `ready`; otherwise what would be done to them is named.
    """
    lines = [_file_diff(edit) for edit in plan.edits]
    if not plan.edits:
        lines += [f"{write.place}: {write.said}\n" for write in plan.writes]
    for name, value in plan.changed.items():
        place = "go env" if goes_to_go_file(name) else _("environment")
        lines.append(f"{place}: {name}={value}\n" if value is not None else f"{place}: -{name}\n")
    return "".join(lines)


def _file_diff(edit: FileEdit) -> str:
    before, after = (_lines(data) for data in (edit.before, edit.after))
    text = "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
        for line in difflib.unified_diff(before, after, edit.path, edit.path)
    )
    return Secrets(user_infos(text)).clean(text)


def _lines(data: bytes | None) -> list[str]:
    return (data or b"").decode("utf-8", "backslashreplace").splitlines(keepends=True)


# ---- doing -------------------------------------------------------------------------------------------------


def apply(world: World, plan: Plan) -> Applied:
    """Does what can be done by writing. Either all of a plan's files are written or none.

    Raises ConfigError when a file has changed since it was read, and Refused when what undoes it cannot be kept.
    """
    plan = ready(world, plan)
    if plan.is_told_only or plan.by or (plan.writes and not plan.edits):
        return Applied(changed=False, manual=plan.commands)
    by_go = {name: value for name, value in plan.changed.items() if _is_for_go_file(world, name)}
    by_hand = {name: value for name, value in plan.changed.items() if name not in by_go}
    manual = tuple(shells.render(shells.detect(world.environ, sys.platform), by_hand)) if by_hand else ()
    values = {name: None if value is None else filled(world, name, value) for name, value in by_go.items()}
    if any(value is not None and HIDDEN in value for value in values.values()):
        return Applied(changed=False, manual=plan.commands)
    edits = [*plan.edits, *_go_edits(world, values)]
    if not edits:
        return Applied(changed=False, manual=manual or plan.commands)
    journal.add(world, plan.key, edits)
    refused = files.write_all(edits)
    if refused is not None:
        journal.drop_last(world)
        return Applied(changed=False, manual=plan.commands or (f"sudo goferry doctor --fix   # {refused}",))
    return Applied(changed=True, manual=manual)


def _is_for_go_file(world: World, name: str) -> bool:
    """Whether go's file decides about the variable in this world: the environment wins where it has one too."""
    return goes_to_go_file(name) and not world.environ.get(name) and _go_file(world) is not None


def _go_file(world: World) -> Path | None:
    user = goenv.user_file(world.environ, sys.platform)
    return None if user is None else world.cwd / user


def _go_edits(world: World, values: Mapping[str, str | None]) -> list[FileEdit]:
    """What `go env -w` and `go env -u` make of go's file: the command itself does it, on a copy.

    Raises Refused for a value that go does not take.
    """
    path = _go_file(world)
    if not values or path is None:
        return []
    before = path.read_bytes() if path.is_file() else None
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "env"
        if before is not None:
            copy.write_bytes(before)
        environ = {name: value for name, value in world.environ.items() if name not in values}
        environ |= {"GOENV": str(copy), "GOTOOLCHAIN": "local"}
        set_ones = [f"{name}={value}" for name, value in values.items() if value is not None]
        unset = [name for name, value in values.items() if value is None]
        if set_ones:
            _go_env(world, environ, "-w", *set_ones)
        if unset:
            _go_env(world, environ, "-u", *unset)
        after = copy.read_bytes() if copy.is_file() else None
    return [] if before == after else [FileEdit(str(path), before, after)]


def _go_env(world: World, environ: Mapping[str, str], *arguments: str) -> None:
    go = find_program(world, "go")
    if not go:
        raise Refused("there is no go command here to write its settings with")
    done = subprocess.run(
        [go, "env", *arguments],
        env=dict(environ),
        cwd=world.cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_GO_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        why = Secrets(user_infos(" ".join(arguments))).clean(done.stderr.decode("utf-8", "replace").strip())
        raise Refused("go does not take the setting: {why}", why=why)


# ---- taking back -------------------------------------------------------------------------------------------


def undo(world: World) -> tuple[str, ...]:
    """Takes the last `apply` back, all of its files or none; gives a line for each.

    Raises NotFound when there is nothing to take back, and Refused when a file was changed since (with what was
    changed) or may not be written. What was refused can be undone later.
    """
    entries = journal.read(world)
    if not entries:
        raise NotFound("there is nothing to take back")
    last = entries[-1]
    for edit in last.edits:
        now = files.read(edit.path)
        if now != edit.after:
            raise Refused(
                "{path} was changed since, so it is left as it is:\n{diff}",
                path=edit.path,
                diff=_file_diff(FileEdit(edit.path, edit.after, now)),
            )
    refused = files.write_all([FileEdit(edit.path, edit.after, edit.before) for edit in last.edits])
    if refused is not None:
        raise Refused(
            "{path} may not be written by this user",
            hint="sudo --preserve-env=HOME,XDG_STATE_HOME goferry doctor --undo",
            path=refused,
        )
    journal.drop_last(world)
    return tuple(_put_back(edit) for edit in last.edits)


def _put_back(edit: FileEdit) -> str:
    if edit.before is None:
        return _("{path}: removed, as it was not there before").format(path=edit.path)
    return _("{path}: put back as it was").format(path=edit.path)
