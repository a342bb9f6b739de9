"""A test as the terminal: runs a goferry command line in this process and keeps what it said."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from goferry.cli.main import run


@dataclass(frozen=True)
class Said:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        import json

        return json.loads(self.out)


class Screen(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def goferry(
    *arguments: str,
    environ: Mapping[str, str] | None = None,
    cwd: Path = Path("/nonexistent"),
    tty: bool = False,
    typed: str | None = None,
) -> Said:
    """Runs `goferry ARGUMENTS` in an environment that holds nothing but HOME and what is given.

    typed: what somebody at a terminal answers; None when standard input is no terminal.
    """
    stdout, stderr = (Screen(), Screen()) if tty else (io.StringIO(), io.StringIO())
    code = run(
        arguments,
        environ={"HOME": "/nonexistent", **(environ or {})},
        stdin=io.StringIO() if typed is None else Screen(typed),
        stdout=stdout,
        stderr=stderr,
        cwd=cwd,
    )
    return Said(code, stdout.getvalue(), stderr.getvalue())
