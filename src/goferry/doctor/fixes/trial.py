"""From a plan to what can be run: files are read and rewritten in memory, and hidden passwords put back.

Plans are made from evidence, in which no secret is. What the user has set already may hold one, and a re-test without
it would prove nothing; so it is looked up here, right before it is used, and is never kept.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.fixes import rewrites
from goferry.doctor.fixes.plan import FileEdit, Plan
from goferry.doctor.fixes.rewrites import AddGit, DropGit, EditMod, Rewrite
from goferry.doctor.settings.gitconfig import parse_list, without_secrets
from goferry.doctor.settings.hiding import HIDDEN
from goferry.doctor.settings.reading import find_program
from goferry.errors import GoferryError, Unavailable
from goferry.gomod import goenv
from goferry.smallfiles import nearest

_PROGRAM_SECONDS: Final = 10.0
_HIDDEN_AT: Final = re.compile(re.escape(HIDDEN) + r"@([^/\s,|]+)")
_GIT_GLOBAL: Final = "GIT_CONFIG_GLOBAL"


@dataclass(frozen=True, slots=True)
class Trial:
    """What differs in a run: variables, files that variables point to, and files that are covered."""

    changed: Mapping[str, str | None] = field(default_factory=dict, repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    edits: tuple[FileEdit, ...] = field(default=(), repr=False)


def ready(world: World, plan: Plan) -> Plan:
    """The plan with the bytes of its files; without them if one of them cannot be rewritten."""
    if plan.edits or not plan.writes:
        return plan
    by_path: dict[str, list[Rewrite]] = {}
    for write in plan.writes:
        by_path.setdefault(_path_of(world, write), []).append(write)
    try:
        edits = [_edit(world, path, writes) for path, writes in by_path.items()]
    except (GoferryError, OSError, subprocess.SubprocessError):
        return plan
    return replace(plan, edits=tuple(edit for edit in edits if edit.before != edit.after))


def trial_of(world: World, plan: Plan) -> Trial | None:
    """What to run the plan with; None when that cannot be known or done here."""
    if not plan.can_be_tried:
        return None
    changed = {
        name: value if value is None else filled(world, name, value) for name, value in plan.changed.items()
    }
    if any(value is not None and _HIDDEN_AT.search(value) for value in changed.values()):
        return None
    complete = ready(world, plan)
    if plan.writes and not complete.edits:
        return None
    files, covered = dict(plan.files), []
    for edit in complete.edits:
        if edit.after is not None and _is_same(edit.path, user_git_file(world)):
            # git itself takes another file for its own, which needs no rights and works when there is none yet.
            files[_GIT_GLOBAL] = edit.after
        else:
            covered.append(edit)
    return Trial(changed, files, tuple(covered))


def _is_same(path: str, other: Path) -> bool:
    return os.path.realpath(path) == os.path.realpath(other)


# ---- files -------------------------------------------------------------------------------------------------


def _path_of(world: World, write: Rewrite) -> str:
    if write.place in (rewrites.GO_MOD, rewrites.GO_SUM):
        return str(_project(world) / write.place)
    known = {rewrites.HOSTS: world.places.hosts, rewrites.RESOLV_CONF: world.places.resolv_conf}
    if write.place in known:
        return str(known[write.place])
    named = write.path if isinstance(write, DropGit) else ""
    return str(world.cwd / named) if named else str(user_git_file(world))


def _edit(world: World, path: str, writes: Sequence[Rewrite]) -> FileEdit:
    before = Path(path).read_bytes() if Path(path).exists() else None
    after = before or b""
    for write in writes:
        if isinstance(write, (DropGit, AddGit)):
            after = _git_rewritten(world, after, write)
        elif isinstance(write, EditMod):
            after = _mod_rewritten(world, after, write)
        else:
            after = write.rewrite(after)  # type: ignore[attr-defined]
    return FileEdit(path, before, after)


def user_git_file(world: World) -> Path:
    """The file that `git config --global` writes."""
    if named := world.environ.get(_GIT_GLOBAL):
        return world.cwd / named
    home = Path(world.environ.get("HOME") or world.environ.get("USERPROFILE") or world.home)
    own = home / ".gitconfig"
    xdg = Path(world.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"
    return xdg if xdg.exists() and not own.exists() else own


def _git_rewritten(world: World, data: bytes, write: DropGit | AddGit) -> bytes:
    """What git itself makes of a copy of the file."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "config"
        copy.write_bytes(data)
        if isinstance(write, AddGit):
            for key, value in write.pairs:
                _git(world, folder, "--add", key, value)
        else:
            for key, value in _real_settings(world, folder, write):
                _git(world, folder, "--unset-all", key, f"^{_escaped(value)}$")
        return copy.read_bytes()


def _project(world: World) -> Path:
    """The folder of the project's go.mod. Raises Unavailable where there is none."""
    file = nearest(world.cwd, rewrites.GO_MOD)
    if file is None:
        raise Unavailable("there is no go.mod in {folder} or above it", folder=str(world.cwd))
    return file.parent


def _mod_rewritten(world: World, data: bytes, write: EditMod) -> bytes:
    """What go itself makes of a copy of go.mod, by another name, so that it does not obey it."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy.mod"
        copy.write_bytes(data)
        subprocess.run(
            [find_program(world, "go") or "go", "mod", "edit", *write.flags, str(copy)],
            env={**world.environ, "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""},
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PROGRAM_SECONDS,
            check=True,
        )
        return copy.read_bytes()


def _real_settings(world: World, folder: str, write: DropGit) -> Iterator[tuple[str, str]]:
    """Key and value as they stand in the file, secrets and all, for those that were kept without."""
    listed = _git(world, folder, "--list", "--show-origin", "--show-scope", "-z")
    real = parse_list(listed)
    for setting, shown in zip(real, without_secrets(real), strict=True):
        if (shown.key, shown.value) == (write.key, write.value):
            yield setting.key, setting.value


def _git(world: World, folder: str, *arguments: str) -> bytes:
    git = find_program(world, "git") or "git"
    command = [git, "config", "--file", str(Path(folder) / "config"), *arguments]
    return subprocess.run(
        command,
        env=dict(world.environ),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_PROGRAM_SECONDS,
        check=True,
    ).stdout


def _escaped(value: str) -> str:
    """The value as an extended regular expression of POSIX."""
    return re.sub(r"[][\\.*^$+?(){}|]", r"\\\g<0>", value)


# ---- hidden passwords --------------------------------------------------------------------------------------


def filled(world: World, name: str, value: str) -> str:
    """The value with the user and password that the same host has in the user's own settings.

    What is found nowhere stays hidden. Placeholders that a person has to fill in are no hidden values.
    """
    if HIDDEN not in value:
        return value
    texts = _texts(world, name)
    return _HIDDEN_AT.sub(lambda match: _user_at(texts, match) or match[0], value)


def _user_at(texts: Sequence[str], match: re.Match[str]) -> str | None:
    host = match[1]
    for text in texts:
        found = re.search(r"(?:^|//|[,|])([^/\s,|]+)@" + re.escape(host) + r"(?![\w.:-])", text)
        if found:
            return f"{found[1]}@{host}"
    return None


def _texts(world: World, name: str) -> list[str]:
    """Where the real value may stand: the variable itself, go's file, then other variables."""
    user = goenv.user_file(world.environ, sys.platform)
    in_file = ""
    if user:
        try:
            in_file = (world.cwd / user).read_text("utf-8", "surrogateescape")
        except OSError:
            in_file = ""
    of_proxies = [value for other, value in world.environ.items() if other.upper().endswith("PROXY")]
    return [world.environ.get(name, ""), in_file, *of_proxies]
