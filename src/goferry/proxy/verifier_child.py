"""The process that verifies zips for another one: `python -m goferry.proxy.verifier_child`, started by verifier.py.

In come (number, module, path), out go (number, report, error), one of the two being None. It ends when its input does.
"""

import os
import pickle
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, Final

from goferry.gomod import modzip
from goferry.gomod.module import Version

HEAD: Final = 4
"""Bytes of the length before each message, big end first."""

_AT_ONCE: Final = 2

_NICE: Final = 5
"""A zip that is looked at a little later harms nobody; an answer from the store, and the client itself, come first."""


def main() -> None:
    """Verify until there is nobody to do it for."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A signal for the whole process group is meant for the one who started this, and who ends it.
        signal.signal(number, signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    source, sink, lock = sys.stdin.buffer, sys.stdout.buffer, Lock()
    pool = ThreadPoolExecutor(_AT_ONCE)
    while message := _received(source):
        pool.submit(_answer, sink, lock, *message)
    os._exit(0)  # what is still under way is of use to nobody


def _received(source: BinaryIO) -> tuple[int, Version, Path] | None:
    head = source.read(HEAD)
    if len(head) < HEAD:
        return None
    message: tuple[int, Version, Path] = pickle.loads(source.read(int.from_bytes(head, "big")))  # noqa: S301
    return message


def _answer(sink: BinaryIO, lock: Lock, number: int, module: Version, path: Path) -> None:
    try:
        data = framed((number, modzip.verify_zip(module, path), None))
    except Exception as error:  # noqa: BLE001  whatever it is belongs to who asked
        data = _failed(number, error)
    with lock:
        try:
            sink.write(data)
            sink.flush()
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
    main()
