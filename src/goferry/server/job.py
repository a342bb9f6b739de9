"""What supervisor and worker say to each other. A module of its own, so that neither imports the other."""

import logging
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from goferry.config import Settings

READY: Final = "ready"
"""From a worker: it answers requests now. If it cannot, it sends the GoferryError that says why."""

LEAVE: Final = "leave"
"""To a worker: answer what is there, then end."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told at its start. Descriptors are numbers that are valid in the worker."""

    settings: Settings
    opener: str
    language: str
    url: str
    listen_fd: int
    board_fd: int
    board_rows: int
    row: int
    place: int
    """0 to the number of workers less one. What one worker does for all, such as measuring the store, is done by 0."""


@dataclass(frozen=True, slots=True)
class ChoreJob:
    """What a chore is told at its start. `board_fd` is a descriptor that is valid in it."""

    settings: Settings
    target: str
    """`package.module:name` of a Chore."""
    language: str
    config: Path | None
    """The settings file that was read."""
    board_fd: int
    board_rows: int
    row: int


class Tally(Protocol):
    """Where a chore counts what it did; families by their names in goferry.server.metrics."""

    def add(self, amount: float, family: str, *labels: str) -> None:
        """Count up."""

    def set(self, value: float, family: str, *labels: str) -> None:
        """Set a gauge."""


Chore = Callable[[Settings, Path | None, Tally], Awaitable[None]]
"""Work beside serving: one piece of it, after which the process ends and another one is started for the next piece, so
that nothing of it stays in memory. It waits until its work is due, and is cancelled when the server leaves."""


def set_up_logging(level: str) -> None:
    """Log lines for operators go to standard error, in both kinds of process alike."""
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
