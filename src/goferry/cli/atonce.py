"""What a process says at once, before the command line library is loaded.

`goferry deps list` is asked again and again, by tools too, and a third of its time went into that library. So its
plainest forms are answered here, when all goes well and the store has what is needed. Whatever else there is, and
whatever is wrong, is left to the command line proper, which begins anew and says it.

What is loaded for that does without pathlib, which brings modules along for URLs and addresses.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn, TextIO

from goferry.places import StrPath

EXIT_BROKEN_PIPE = 1
EXIT_INTERRUPTED = 130


def main() -> NoReturn:
    """The `goferry` command."""
    try:
        text = at_once(sys.argv[1:], os.environ, os.getcwd())
    except KeyboardInterrupt:
        sys.exit(EXIT_INTERRUPTED)
    except Exception:  # noqa: BLE001
        text = None  # the command line proper will find the same, and has the words for it
    if text is None:
        gc.enable()
        from goferry.cli.main import main as proper  # slow to import

        proper()
    os._exit(
        _write(text)
    )  # all is written; what is left goes with the process, and need not be taken apart first


def at_once(arguments: Sequence[str], environ: Mapping[str, str], cwd: StrPath) -> str | None:
    """What `goferry deps list [--json] [DIR]` prints; None for any other command, and for whatever needs more than the
    store, or more to be said."""
    if list(arguments[:2]) != ["deps", "list"]:
        return None
    json = "--json" in arguments
    named = [word for word in arguments[2:] if word != "--json"]
    if len(named) > 1 or any(word.startswith("-") for word in named):
        return None
    return _listed(named[0] if named else ".", environ, cwd, json=json)


def _listed(folder: str, environ: Mapping[str, str], cwd: StrPath, *, json: bool) -> str | None:
    from goferry import places
    from goferry.deps import listing
    from goferry.deps.finding import is_pattern, is_project, start_of

    named = os.path.join(cwd, folder)
    store = places.store_alone(environ, cwd) or _store_of(environ, cwd)
    if store is None or is_pattern(folder) or not is_project(named):
        return None
    start = start_of(named, environ.get("GOWORK", ""))
    shown = listing.at_hand(_folder_of(store), start)
    if shown is None:
        return None
    return listing.as_json_text(shown) if json else listing.as_text(shown)


def _store_of(environ: Mapping[str, str], cwd: StrPath) -> str | None:
    """From all settings; None where there is something to be said about them."""
    from pathlib import Path

    from goferry import config  # takes a tenth of the whole time

    loaded = config.load(environ=environ, cwd=Path(cwd))
    return None if loaded.warnings else loaded.settings.store


def _folder_of(store: str) -> StrPath:
    if "://" not in store:
        return store
    from goferry.storage.folders import folder_of

    return folder_of(store)


def _write(text: str) -> int:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        silence(sys.stdout)
        return EXIT_BROKEN_PIPE
    return 0


def silence(stdout: TextIO) -> None:
    """The reader of a pipe has gone: give the interpreter somewhere to flush to at exit."""
    try:
        descriptor = stdout.fileno()
    except (OSError, ValueError):
        return
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), descriptor)
