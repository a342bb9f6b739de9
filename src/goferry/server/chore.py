"""One chore process: does one piece of work beside serving, and ends.

`python -m goferry.server.chore FD` is started by the supervisor (run.py), and told what to do over FD as a worker is.
It has no part in answering requests: whatever happens to it, serving goes on. It runs at a lower priority, in an event
loop and a memory of its own. The word to leave, or the end of the supervisor, cancels what it does.
"""

import asyncio
import contextlib
import logging
import os
import signal
import sys
from multiprocessing.connection import Connection
from typing import Any, Final

from goferry import i18n
from goferry.errors import GoferryError
from goferry.server import metrics
from goferry.server.job import Chore, ChoreJob, set_up_logging

_log = logging.getLogger(__name__)

_NICENESS: Final = 10
_FAILED: Final = 1


def main() -> None:
    """Exit status 0 after a piece of work or the word to leave, 1 after a failure, which is in the log."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        # The supervisor decides when to leave: a signal for the whole process group must not reach a chore first.
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    control: Connection[Any, Any] = Connection(int(sys.argv[1]))
    job: ChoreJob = control.recv()
    for fd in (control.fileno(), job.board_fd):
        os.set_inheritable(fd, False)
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    i18n.activate(job.language)
    set_up_logging(job.settings.log_level)
    try:
        asyncio.run(_work(job, control))
    except GoferryError as failure:
        _log.error("%s: %s", job.target, failure)
        sys.exit(_FAILED)


async def _work(job: ChoreJob, control: "Connection[Any, Any]") -> None:
    module, _, name = job.target.partition(":")
    chore: Chore = getattr(__import__(module, fromlist=[name]), name)
    tally = BoardTally(metrics.Board(job.board_rows, job.board_fd).row(job.row))
    work = asyncio.ensure_future(chore(job.settings, job.config, tally))
    loop = asyncio.get_running_loop()

    def leave() -> None:
        loop.remove_reader(control.fileno())
        work.cancel()

    loop.add_reader(control.fileno(), leave)
    with contextlib.suppress(asyncio.CancelledError):
        await work


class BoardTally:
    """A Tally that writes into one row of the board."""

    def __init__(self, row: metrics.Row) -> None:
        self._row = row
        self._families = {family.name: family for family in metrics.FAMILIES}

    def add(self, amount: float, family: str, *labels: str) -> None:
        self._row.add(amount, self._families[family], *labels)

    def set(self, value: float, family: str, *labels: str) -> None:
        self._row.set(value, self._families[family], *labels)


if __name__ == "__main__":
    main()
