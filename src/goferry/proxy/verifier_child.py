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
from typing import BinaryIO, Final

from goferry.gomod import modzip
from goferry.gomod.module import Version

_AT_ONCE: Final = 2

_NICE: Final = 5
"""A zip that is looked at a little later harms nobody; an answer from the store, and the client itself, come first."""


def main() -> None:
    """Verify until there is nobody to do it for."""
    for name in ("SIGINT", "SIGTERM"):
        # A signal for the whole process group is meant for the one who started this, and who ends it.
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    if hasattr(os, "nice"):
        os.nice(_NICE)
    source, sink, lock = sys.stdin.buffer, sys.stdout.buffer, Lock()
    pool = ThreadPoolExecutor(_AT_ONCE)
    while message := _received(source):
        pool.submit(_answer, sink, lock, *message)
    os._exit(0)  # what is still under way is of use to nobody


def _received(source: BinaryIO) -> tuple[int, Version, Path] | None:
    head = source.read(4)
    if len(head) < 4:
        return None
    message: tuple[int, Version, Path] = pickle.loads(source.read(int.from_bytes(head, "big")))  # noqa: S301
    return message


def _answer(sink: BinaryIO, lock: Lock, number: int, module: Version, path: Path) -> None:
    try:
        data = pickle.dumps((number, modzip.verify_zip(module, path), None))
    except Exception as error:  # noqa: BLE001  whatever it is belongs to who asked
        data = _failed(number, error)
    with lock:
        try:
            sink.write(len(data).to_bytes(4, "big") + data)
            sink.flush()
        except OSError:
            os._exit(0)  # nobody listens any more


def _failed(number: int, error: Exception) -> bytes:
    try:
        data = pickle.dumps((number, None, error))
        pickle.loads(data)  # noqa: S301  not every exception that can be written can be read
    except Exception:  # noqa: BLE001
        data = pickle.dumps((number, None, RuntimeError(repr(error))))
    return data


if __name__ == "__main__":
    main()
