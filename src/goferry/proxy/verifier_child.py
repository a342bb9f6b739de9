"""The process that verifies zips for another one: `python -m goferry.proxy.verifier_child`, started by verifier.py.

In come (number, module, path), out go (number, report, error), one of the two being None. Without a module nobody cares
for what has that number any more. It ends when its input does.

One zip after the other and without threads: they would be in each other's way (gomod/zipdigests.py).
"""

import os
import pickle
import select
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from goferry.gomod import modzip
from goferry.gomod.module import Version

HEAD: Final = 4
"""Bytes of the length before each message, big end first."""

PATIENT: Final = "patient"
"""The argument with which it takes only what others leave, and one core."""

_NICE: Final = 5
"""A zip that is looked at a little later harms nobody; an answer from the store, and the client itself, come first."""

_LEAST_NICE: Final = 19


def main(patient: bool) -> None:
    """Verify until there is nobody to do it for."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        # A signal for the whole process group is meant for the one who started this, and who ends it.
        signal.signal(ending, signal.SIG_IGN)
    _give_way(patient)
    work = Work(sys.stdin.fileno(), sys.stdout.fileno(), cores=1 if patient else None)
    with suppress(OSError):  # nobody listens any more
        while work.one():
            pass
    os._exit(0)  # nothing is left to be cleaned up


def _give_way(patient: bool) -> None:
    """Linux has a class for who is to run when nobody else wants to. Being as nice as can be is not the same: a process
    that has begun to run keeps others waiting for some milliseconds, of which a graph that is loaded has thousands."""
    if hasattr(os, "nice"):
        os.nice(_LEAST_NICE if patient else _NICE)
    if patient and hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Work:
    """Zips to be verified, in the order in which they are asked for; `cores` is how many one may take."""

    def __init__(self, source: int, sink: int, *, cores: int | None) -> None:
        self._source = source
        self._sink = sink
        self._cores = cores
        self._asked: dict[int, tuple[Version, Path]] = {}

    def one(self) -> bool:
        """Verify the next zip and say what came of it; False when there will be no more."""
        while not self._asked or _has_more(self._source):
            message = self._received()
            if message is None:
                return False
            number, module, path = message
            if module is None or path is None:
                self._asked.pop(number, None)
            else:
                self._asked[number] = (module, path)
        number = next(iter(self._asked))
        module, path = self._asked.pop(number)
        try:
            data = framed((number, modzip.verify_zip(module, path, workers=self._cores), None))
        except Exception as error:  # noqa: BLE001  whatever it is belongs to who asked
            data = _failed(number, error)
        while data:
            data = data[os.write(self._sink, data) :]
        return True

    def _received(self) -> tuple[int, Version | None, Path | None] | None:
        head = _read(self._source, HEAD)
        if len(head) < HEAD:
            return None
        message: tuple[int, Version | None, Path | None] = pickle.loads(  # noqa: S301
            _read(self._source, int.from_bytes(head, "big"))
        )
        return message


def _has_more(source: int) -> bool:
    # A pipe can't be looked at on Windows; there, what nobody cares for any more is verified all the same.
    if sys.platform == "win32":
        return False
    return bool(select.select([source], [], [], 0)[0])


def _read(source: int, size: int) -> bytes:
    """So many bytes, or fewer at the end."""
    data = b""
    while len(data) < size and (part := os.read(source, size - len(data))):
        data += part
    return data


def _failed(number: int, error: Exception) -> bytes:
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  not every exception that can be written can be read
    except Exception:  # noqa: BLE001
        error = RuntimeError(repr(error))
    return framed((number, None, error))


def framed(message: Any) -> bytes:
    """A message as it is sent, in either direction."""
    data = pickle.dumps(message)
    return len(data).to_bytes(HEAD, "big") + data


if __name__ == "__main__":
    main(PATIENT in sys.argv[1:])
