"""Shows a program other files than the system has: a mount namespace of its own, in which copies lie over them.

Nothing outside of that program sees them, and they are gone when it ends. Linux only, and only where the kernel lets
this user make one; elsewhere edits of system files are not tried beforehand.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, Protocol

_SCRIPT: Final = (
    'count=$1; shift; while [ "$count" -gt 0 ]; do mount --bind -- "$1" "$2" || exit 125; '
    'shift 2; count=$((count - 1)); done; exec "$@"'
)
_NAMESPACES: Final = (("--mount",), ("--user", "--map-root-user", "--mount"))
"""With the rights that we have, else with a user namespace in which we have them."""

_PROBE_SECONDS: Final = 5.0


class Edit(Protocol):
    """A file with other content; after None: the file is gone."""

    @property
    def path(self) -> str: ...
    @property
    def after(self) -> bytes | None: ...


def wrapped(argv: Sequence[str], edits: Iterable[Edit], folder: Path) -> list[str] | None:
    """The command that runs argv with these files changed; argv itself without edits. folder: for the copies.

    None where it cannot be: no such namespaces here, a file that does not exist (nothing can be laid over it), or one
    that would have to go. Exit status 125: a mount was refused after all.
    """
    wanted = list(edits)
    if not wanted:
        return list(argv)
    namespace = _namespace()
    if namespace is None or not all(_can_be_covered(edit) for edit in wanted):
        return None
    pairs: list[str] = []
    for number, edit in enumerate(wanted):
        copy = folder / f"over-{number}"
        real = os.path.realpath(edit.path)
        copy.write_bytes(edit.after or b"")
        shutil.copymode(real, copy)
        pairs += [str(copy), real]
    return [*namespace, "sh", "-c", _SCRIPT, "sh", str(len(wanted)), *pairs, *argv]


def _can_be_covered(edit: Edit) -> bool:
    return edit.after is not None and Path(edit.path).is_file()


@lru_cache(maxsize=1)
def _namespace() -> tuple[str, ...] | None:
    """The beginning of a command with mounts of its own; None where there is none."""
    if sys.platform != "linux" or not shutil.which("mount"):
        return None
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    for options in _NAMESPACES:
        command = (unshare, *options, "--")
        # A file, as in earnest: a whole tree may hold mounts that a namespace is not allowed to repeat.
        if _works((*command, "mount", "--bind", unshare, unshare)):
            return command
    return None


def _works(command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    return done.returncode == 0


def is_possible() -> bool:
    """Whether files of the system can be covered here at all."""
    return _namespace() is not None
