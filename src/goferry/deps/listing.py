"""A build list as it is shown and remembered: rows that the text and the JSON are made of.

`at_hand` says what the store alone knows, without the network and all that belongs to it.
"""

import gc
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from goferry.deps.remembered import recall, remember
from goferry.places import StrPath

if TYPE_CHECKING:
    from goferry.deps.base import BuildList, Module
    from goferry.gomod.modgraph import Local
    from goferry.gomod.module import Version

QUESTION: Final = "list"

Shown = dict[str, Any]
"""`name` of the project, if it is one, and `modules`, a row each."""


def at_hand(store: StrPath, start: StrPath) -> Shown | None:
    """The list of a project of which the store has every go.mod; None for any other. Raises what loading it does."""
    known = recalled(store, start)
    if known is not None:
        return known
    from goferry.deps.reading import Reading
    from goferry.deps.sources import load
    from goferry.deps.stored import Stored

    since = time.time_ns()
    with uncollected():
        reading = Reading(load(start))
        reading.read_stored(Stored(store))
        if reading.missing() or reading.unread:
            return None
        return kept(store, start, reading.build_list(), since)


def recalled(store: StrPath, start: StrPath) -> Shown | None:
    """What was shown of a project, if its files are what they were."""
    known = recall(store, start, QUESTION)
    return known if isinstance(known, dict) else None


def kept(store: StrPath, start: StrPath, found: "BuildList", since: int) -> Shown:
    """What is shown of a build list. The store remembers it if it is whole, and its files are what they were at a time,
    in nanoseconds, before they were read."""
    shown = of_modules(found.modules) | {"name": found.project.name}
    if not found.unread:
        remember(store, start, QUESTION, found.project.files(), shown, since)
    return shown


def of_modules(modules: Iterable["Module"]) -> Shown:
    return {"modules": list(map(_row, modules))}


def as_text(shown: Shown) -> str:
    """As `go list -m all` prints it."""
    return "".join(f"{_line(row)}\n" for row in shown["modules"])


def as_json(shown: Shown) -> list[dict[str, Any]]:
    """Its modules in the stable form of docs/en/json.md."""
    return list(map(_to_json, shown["modules"]))


def as_json_text(shown: Shown) -> str:
    """As the command line prints it."""
    import json

    return json.dumps({"modules": as_json(shown)}, ensure_ascii=False, indent=2) + "\n"


def as_go_prints(module: "Module") -> str:
    """The line of one module."""
    return _line(_row(module))


def _row(module: "Module") -> list[Any]:
    new = None if module.replace is None else _new(module.replace)
    return [module.path, module.version, module.main, module.indirect, new]


def _new(replace: "Version | Local") -> list[str]:
    from goferry.gomod.modgraph import Local

    if isinstance(replace, Local):
        written = replace.written or replace.folder
        return [written, "", written]
    return [*replace, " ".join(replace)]


def _line(row: list[Any]) -> str:
    path, version, _, _, new = row
    line = f"{path} {version}" if version else path
    return f"{line} => {new[2]}" if new else line


def _to_json(row: list[Any]) -> dict[str, Any]:
    path, version, main, indirect, new = row
    replace = None if new is None else {"path": new[0], "version": new[1]}
    return {"path": path, "version": version, "main": main, "indirect": indirect, "replace": replace}


@contextmanager
def uncollected() -> Iterator[None]:
    """A list is made of many small things that all stay until the end: to search them for garbage again and again takes
    a tenth of the time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()
