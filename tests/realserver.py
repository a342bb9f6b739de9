"""A real `goferry serve` on a free loopback port, and a real `go` in front of it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent / "src"


@dataclass(frozen=True)
class Served:
    """A running server: what it said until it was ready, and its process."""

    url: str
    greeting: str
    process: "subprocess.Popen[str]"


@contextmanager
def serving(
    *flags: str, cwd: Path, environ: Mapping[str, str] | None = None, addr: str = "127.0.0.1:0"
) -> Iterator[Served]:
    """Starts `goferry serve`, waits until it greets, stops it with SIGTERM; it must leave with status 0.

    Its environment is HOME (the working folder), PATH and what is given.
    """
    log = cwd / "serve.log"
    with log.open("a") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "goferry", "serve", "--addr", addr, "--access-log", "off", *flags],
            cwd=cwd,
            env={"PATH": os.environ["PATH"], "HOME": str(cwd), "PYTHONPATH": str(SOURCES), **(environ or {})},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout is not None
            greeting = ""
            while line := process.stdout.readline():
                greeting += line
                if line.startswith(("store:", "存储：")):
                    break
            found = re.search(r"GOPROXY[= ']+(\S+?)'?$", greeting, re.MULTILINE)
            assert found, greeting + log.read_text()
            yield Served(found[1], greeting, process)
        finally:
            process.terminate()
            process.wait(60)
            process.stdout.close()
    assert process.returncode == 0, log.read_text()


def go(*arguments: str, cwd: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """The real go with an empty home and module cache of its own below `cwd`."""
    return subprocess.run(
        ["go", *arguments],
        cwd=cwd,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(cwd),
            "GOMODCACHE": str(cwd / "modcache"),
            "GOFLAGS": "-mod=mod -modcacherw",
            "GOTOOLCHAIN": "local",
            **environ,
        },
        capture_output=True,
        text=True,
    )
