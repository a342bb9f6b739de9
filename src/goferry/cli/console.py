"""The world as a command sees it, apart from its arguments. A test can be the terminal."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import click

from goferry.errors import InvalidInput


def as_json_text(value: Any) -> str:
    """As every command prints JSON."""
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Console:
    """Environment, streams and working folder of one run."""

    environ: Mapping[str, str]
    stdin: TextIO
    stdout: TextIO
    stderr: TextIO
    cwd: Path

    def out(self, text: str = "") -> None:
        """One line of what was asked for."""
        self.stdout.write(text + "\n")

    def json(self, value: Any) -> None:
        """One JSON value, indented, in the stable forms of docs/en/json.md."""
        self.stdout.write(as_json_text(value))

    def note(self, text: str) -> None:
        """One line beside what was asked for: progress, warnings, errors."""
        self.stderr.write(text + "\n")

    def warn(self, text: str) -> None:
        self.note(f"goferry: {text}")

    def read(self, name: str | Path) -> bytes:
        """A file that somebody named. InvalidInput when it cannot be read."""
        try:
            return Path(self.cwd, name).read_bytes()
        except OSError as error:
            raise InvalidInput("cannot read {file}: {why}", file=name, why=error.strerror or error) from error

    @property
    def colour(self) -> bool:
        """Whether standard output takes colours (https://no-color.org)."""
        return self._interactive(self.stdout) and not self.environ.get("NO_COLOR")

    @property
    def progress(self) -> bool:
        """Whether standard error can redraw a line."""
        return self._interactive(self.stderr)

    def _interactive(self, stream: TextIO) -> bool:
        return stream.isatty() and self.environ.get("TERM") != "dumb"


pass_console = click.make_pass_decorator(Console)
