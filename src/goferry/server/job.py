"""What supervisor and worker say to each other. A module of its own, so that neither imports the other."""

import logging
import sys
from dataclasses import dataclass
from typing import Final

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


def set_up_logging(level: str) -> None:
    """Log lines for operators go to standard error, in both kinds of process alike."""
    logging.basicConfig(
        level=level.upper(),
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        stream=sys.stderr,
        force=True,
    )
