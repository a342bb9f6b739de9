"""The process that verifies zips for another one: `python -m goferry.proxy.verifier_child`, started by verifier.py.

In come (number, module, path), out go (number, report, error), one of the two being None. Without a module nobody cares
for what has that number any more. It ends when its input does.
"""

import os
import pickle
import signal
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

from goferry.gomod import modzip
from goferry.gomod.module import Version

HEAD: Final = 4
"""Bytes of the length before each message, big end first."""

PATIENT: Final = "patient"
"""The argument with which it takes only what others leave, and one zip after the other."""

_AT_ONCE: Final = 2

_NICE: Final = 5
"""A zip that is looked at a little later harms nobody; an answer from the store, and the client itself, come first."""

_LEAST_NICE: Final = 19


def main(patient: bool) -> None:
    """Verify until there is nobody to do it for."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        # A signal for the whole process group is meant for the one who started this, and who ends it.
        signal.signal(ending, signal.SIG_IGN)
    _give_way(patient)
    source = sys.stdin.buffer
    work = _Work(sys.stdout.buffer, at_once=1 if patient else _AT_ONCE, threads=1 if patient else None)
    while message := _received(source):
        number, module, path = message
        if module is None or path is None:
            work.forget(number)
        else:
            work.begin(number, module, path)
    os._exit(0)  # what is still under way is of use to nobody


def _give_way(patient: bool) -> None:
    """Linux has a class for who is to run when nobody else wants to. Being as nice as can be is not the same: a process
    that has begun to run keeps others waiting for some milliseconds, of which a graph that is loaded has thousands."""
    if hasattr(os, "nice"):
        os.nice(_LEAST_NICE if patient else _NICE)
    if patient and hasattr(os, "SCHED_IDLE"):
        with suppress(OSError):  # a sandbox may forbid it
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


def _received(source: BinaryIO) -> tuple[int, Version | None, Path | None] | None:
    head = source.read(HEAD)
    if len(head) < HEAD:
        return None
    message: tuple[int, Version | None, Path | None] = pickle.loads(  # noqa: S301
        source.read(int.from_bytes(head, "big"))
    )
    return message


class _Work:
    """Zips that are verified, `at_once` of them, each by so many `threads`; says in `sink` what came of it."""

    def __init__(self, sink: BinaryIO, *, at_once: int, threads: int | None) -> None:
        self._sink = sink
        self._threads = threads
        self._lock = Lock()
        self._asked: dict[int, Future[None]] = {}
        self.pool = ThreadPoolExecutor(at_once)

    def begin(self, number: int, module: Version, path: Path) -> None:
        asked = self._asked[number] = self.pool.submit(self._answer, number, module, path)
        asked.add_done_callback(lambda _: self._asked.pop(number, None))

    def forget(self, number: int) -> None:
        """Not to be begun any more; what has begun goes on."""
        if (asked := self._asked.get(number)) is not None:
            asked.cancel()

    def _answer(self, number: int, module: Version, path: Path) -> None:
        try:
            data = framed((number, modzip.verify_zip(module, path, threads=self._threads), None))
        except Exception as error:  # noqa: BLE001  whatever it is belongs to who asked
            data = _failed(number, error)
        with self._lock:
            try:
                self._sink.write(data)
                self._sink.flush()
            except OSError:
                os._exit(0)  # nobody listens any more


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
