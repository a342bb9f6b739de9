"""How far a long command is: a bar where the terminal can redraw it, a line now and then where it cannot."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from goferry.cli.console import Console
from goferry.i18n import _


class Progress(Protocol):
    """Told what was done and how much is known of."""

    def update(self, done: int, total: int, what: str = "") -> None: ...


class Silent:
    """Says nothing."""

    def update(self, done: int, total: int, what: str = "") -> None:
        """Nothing."""


class Lines:
    """A line every few seconds, which reads well in the log of a CI job. A short run says nothing."""

    _PAUSE: Final = 5.0

    def __init__(self, console: Console, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._next = clock() + self._PAUSE

    def update(self, done: int, total: int, what: str = "") -> None:
        if self._clock() >= self._next:
            self._next = self._clock() + self._PAUSE
            text = _("{done} of {total} done").format(done=done, total=total)
            self._console.note(f"{text}  {what}".rstrip())


class Bar:
    """A bar that is redrawn in place."""

    def __init__(self, console: Console, title: str) -> None:
        from rich.console import Console as RichConsole  # slow to import: only when there is a bar to draw
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self.live = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[what]}"),
            console=RichConsole(file=console.stderr),
            transient=True,
        )
        self._task = self.live.add_task(title, total=None, what="")

    def update(self, done: int, total: int, what: str = "") -> None:
        self.live.update(self._task, completed=done, total=total, what=what)


@contextmanager
def showing(console: Console, title: str, *, quiet: bool = False) -> Iterator[Progress]:
    """The progress display that fits standard error; `quiet` shows none."""
    if quiet:
        yield Silent()
    elif console.progress:
        bar = Bar(console, title)
        with bar.live:
            yield bar
    else:
        yield Lines(console)
