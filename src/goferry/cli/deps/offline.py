"""Runs the real go against goferry's own server, offline, with an empty module cache: what it needs, the store has."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.cli import clients
from goferry.config import Settings
from goferry.errors import Unavailable

COMMANDS: Final = (
    ("mod", "download"),
    ("build", "-o", os.devnull, "./..."),
    ("vet", "./..."),
    ("mod", "tidy", "-diff"),
)
"""What must work. Nothing is written: -o to the null device builds and drops it, and so does -diff."""

_UNKNOWN_FLAG: Final = "flag provided but not defined: -diff"
"""Go before 1.23 has no such thing; goferry's own judgement stands alone then."""

_URL: Final = re.compile(r"http://127\.0\.0\.1:\d+")
_LINES: Final = 15
"""Of what go says at most so many lines are shown: its errors come first."""


@dataclass(frozen=True, slots=True)
class Ran:
    """One go command."""

    words: tuple[str, ...]
    code: int
    said: str

    @property
    def shown(self) -> str:
        """The command and the head of what it said."""
        lines = self.said.strip().splitlines()
        more = ["…"] if len(lines) > _LINES else []
        return "\n".join([f"go {' '.join(self.words)}", *lines[:_LINES], *more])


def go_command(environ: Mapping[str, str]) -> str | None:
    return shutil.which("go", path=environ.get("PATH", ""))


@contextmanager
def serving(settings: Settings, environ: Mapping[str, str], *, offline: bool = True) -> Iterator[str]:
    """The URL of a `goferry serve` on a free port, with the store and checksum database of these settings; it is
    stopped behind it. Unavailable when it does not start."""
    words = [sys.executable, "-m", "goferry", "serve", "--addr", "127.0.0.1:0"]
    words += ["--offline"] if offline else []
    words += ["--store", settings.store, "--sumdb", settings.sumdb, "--upstream", settings.upstream]
    words += ["--workers", "1", "--access-log", "off", "--log-level", "error"]
    if settings.private:
        words += ["--private", settings.private]
    own = {name: value for name, value in environ.items() if not name.startswith("GOFERRY_")}
    with tempfile.TemporaryDirectory(prefix="goferry-") as folder:
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=own, cwd=folder
        )
        try:
            yield _url(process)
        finally:
            process.terminate()
            process.communicate()


def _url(process: "subprocess.Popen[str]") -> str:
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if found := _URL.search(line):
            return found[0]
    raise Unavailable("goferry's own server did not start: {why}", why=said.strip())


class GoRuns:
    """go commands in a project, with a module cache that is empty at first and goferry as the only source."""

    def __init__(
        self, go: str, folder: Path, url: str, settings: Settings, environ: Mapping[str, str]
    ) -> None:
        self._go = go
        self._folder = folder
        kept = {name: value for name, value in environ.items() if not name.startswith("GO") or name in _KEPT}
        self._environ = {
            **kept,
            **clients.serving(settings, url),
            "GOENV": "off",
            "GOTOOLCHAIN": "local",
        }

    def run(self, commands: Sequence[Sequence[str]]) -> Iterator[Ran]:
        """Runs until one fails."""
        with tempfile.TemporaryDirectory(prefix="goferry-") as cache:
            environ = {**self._environ, "GOMODCACHE": cache, "GOFLAGS": "-modcacherw -mod=readonly"}
            for words in commands:
                done = self._one(words, environ)
                yield done
                if done.code:
                    return

    def _one(self, words: Sequence[str], environ: Mapping[str, str]) -> Ran:
        own = dict(environ)
        if words[0] in ("mod", "work"):
            own["GOFLAGS"] = "-modcacherw"  # they know no -mod
        done = subprocess.run(
            [self._go, *words],
            cwd=self._folder,
            env=own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        known = _UNKNOWN_FLAG not in done.stdout
        return Ran(tuple(words), done.returncode if known else 0, done.stdout)


_KEPT: Final = frozenset({"GOROOT", "GOCACHE", "GOTMPDIR", "GOOS", "GOARCH", "GOPATH", "GOEXPERIMENT"})
"""Variables of go that change nothing about where modules come from."""
