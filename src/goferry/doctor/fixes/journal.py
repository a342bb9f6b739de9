"""What `--fix` has changed, kept so that it can be taken back: files with their bytes before and after.

It lies in the user's state folder and is for that user alone, for files of settings may hold passwords.
"""

import base64
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from goferry.doctor.base import World
from goferry.doctor.fixes.plan import FileEdit
from goferry.doctor.hostsedit import state_folder
from goferry.errors import ConfigError, Refused
from goferry.rewriting import write_private

SCHEMA: Final = "goferry.undo/1"

_MOST: Final = 20
"""Generations that are kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One `--fix`. moment: seconds since the epoch; plan: its key."""

    moment: float
    plan: str
    edits: tuple[FileEdit, ...]


def place(world: World) -> Path:
    """The journal's file."""
    return state_folder(world.environ, world.home, sys.platform).parent / "doctor" / "undo.json"


def read(world: World) -> tuple[Entry, ...]:
    """All generations, the last one last. Raises ConfigError for a file that is not ours any more."""
    path = place(world)
    try:
        data = json.loads(path.read_bytes())
        if data["schema"] != SCHEMA:
            raise ValueError(data["schema"])
        return tuple(_from_json(item) for item in data["entries"])
    except (FileNotFoundError, NotADirectoryError):
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError("cannot read {path}: {why}", path=str(path), why=str(error)) from error


def add(world: World, plan: str, edits: Sequence[FileEdit]) -> None:
    """One generation more. Raises Refused when it cannot be kept: then nothing may be changed."""
    _write(world, [*read(world), Entry(time.time(), plan, tuple(edits))][-_MOST:])


def drop_last(world: World) -> None:
    """Forgets the last generation."""
    _write(world, read(world)[:-1])


def _write(world: World, entries: Sequence[Entry]) -> None:
    path = place(world)
    data = {"schema": SCHEMA, "entries": [_to_json(entry) for entry in entries]}
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(path, json.dumps(data, indent=1).encode())
    except OSError as error:
        raise Refused(
            "what would undo it cannot be kept in {path}: {why}", path=str(path), why=error.strerror
        ) from error


def _to_json(entry: Entry) -> dict[str, Any]:
    return {
        "moment": entry.moment,
        "plan": entry.plan,
        "files": [
            {"path": edit.path, "before": _coded(edit.before), "after": _coded(edit.after)}
            for edit in entry.edits
        ],
    }


def _from_json(data: dict[str, Any]) -> Entry:
    edits = tuple(
        FileEdit(item["path"], _decoded(item["before"]), _decoded(item["after"])) for item in data["files"]
    )
    return Entry(float(data["moment"]), str(data["plan"]), edits)


def _coded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode("ascii")


def _decoded(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text, validate=True)
