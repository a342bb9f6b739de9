"""The whole road, with real programs at both ends: the go command, `goferry serve`, and an upstream on loopback."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from goferry.lab import goproxy as lab
from goferry.lab.goproxy import LabProxy
from modtree import module, noise
from proxyworld import Tree
from server.serving import TESTS, Server, stop

NEEDS_GO = [pytest.mark.go, pytest.mark.skipif(shutil.which("go") is None, reason="needs go")]

PATIENCE = 60.0
"""Seconds after which a program that does not come to an end is a failure, never a measure of speed."""

PSEUDO = "v0.0.0-20240506070809-abcdefabcdef"
DEEP = "example.com/web/deep/nested/pkg"


def graph() -> dict[str, bytes]:
    """Eight modules: old and new versions, upper case, a major version suffix, an untagged one, a deep package."""
    return {
        **module("example.com/text", "v0.1.0", "v0.2.0"),
        **module("example.com/log", "v1.0.0", "v1.1.0", requires=[("example.com/text", "v0.1.0")]),
        **module("example.com/router", "v1.0.0", requires=[("example.com/log", "v1.0.0")]),
        **module(
            "example.com/web",
            "v1.2.0",
            requires=[("example.com/router", "v1.0.0"), ("example.com/log", "v1.1.0")],
            # Bigger than what is answered from memory.
            extra={"data.bin": noise(300_000), "deep/nested/pkg/pkg.go": b"package pkg\n"},
        ),
        **module("example.com/api/v2", "v2.0.1", requires=[("example.com/text", "v0.2.0")]),
        **module("example.com/BigCase", "v1.0.0"),
        **module(
            "example.com/cli",
            "v0.3.0",
            requires=[("example.com/api/v2", "v2.0.1"), ("example.com/BigCase", "v1.0.0")],
        ),
        **module("example.com/tool", PSEUDO),
        "example.com/tool/@v/list": b"",
    }


EMPTY = "module example.org/app\n\ngo 1.21\n"
"""The go.mod file of a main module that needs nothing yet."""

# Go 1.16: the whole graph is loaded, not only the part that later versions need of it.
APP_MOD = f"""module example.org/app

go 1.16

require (
	example.com/cli v0.3.0
	example.com/tool {PSEUDO}
	example.com/web v1.2.0
)
"""
# Not a main package: building one compiles Go's own runtime first, which proves nothing here.
APP_GO = f"""package app

import (
	_ "example.com/cli"
	_ "example.com/tool"
	_ "example.com/web"
	_ "{DEEP}"
)
"""


# ---- upstream ------------------------------------------------------------------------------------------------


class Lab:
    """A lab proxy on a thread of its own, for tests that wait for programs instead of awaiting."""

    def __init__(self, tree: Mapping[str, bytes], faults: lab.Faults) -> None:
        self.tree = tree
        self._loop = asyncio.new_event_loop()
        self._stack = AsyncExitStack()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._open = True
        self.proxy: LabProxy = self._do(self._stack.enter_async_context(lab.running(tree, faults)))
        self.url = self.proxy.url

    def asked(self, *suffixes: str) -> int:
        """How many requests there were whose path ends so."""
        counts = self.proxy.asked.copy()
        return sum(count for path, count in counts.items() if path.endswith(suffixes or ("",)))

    def wait_for(self, path: str, times: int = 1) -> None:
        self._do(self.proxy.wait_for(path, times))

    def release(self) -> None:
        """End every stall."""
        self._loop.call_soon_threadsafe(self.proxy.released.set)

    def stop(self) -> None:
        """Nobody listens any more."""
        if not self._open:
            return
        self._open = False
        self._do(self._stack.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE)


@contextmanager
def upstream(tree: Mapping[str, bytes], faults: lab.Faults = lab.no_faults) -> Iterator[Lab]:
    """A lab proxy that serves this tree."""
    running = Lab(tree, faults)
    try:
        yield running
    finally:
        running.stop()


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ---- goferry -------------------------------------------------------------------------------------------------


def environment(folder: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Nothing of the developer's own settings; goferry from this source tree."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "PYTHONPATH": str(TESTS.parent / "src"),
        **(extra or {}),
    }


def goferry(
    folder: Path, *words: str, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command of goferry to its end."""
    folder.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-P", "-m", "goferry", *words],
        cwd=folder,
        env=environment(folder, environ),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


class Ferry(Server):
    """A running `goferry serve`, and what it has said so far."""

    def __init__(self, process: subprocess.Popen[str], greeting: list[str], stderr: Path) -> None:
        url = greeting[0].partition("GOPROXY=")[2]
        super().__init__(process, url)
        self.greeting = "\n".join(greeting)
        self._stderr = stderr

    @property
    def said(self) -> str:
        return self._stderr.read_text()


def launch(
    folder: Path,
    *flags: str,
    environ: Mapping[str, str] | None = None,
    addr: str = "127.0.0.1:0",
    new_group: bool = False,
) -> Ferry:
    """Start `goferry serve` over `folder/store` (unless flags or variables say otherwise) until it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    stderr = folder / "stderr"
    words = ["serve", "--addr", addr, "--access-log-file", str(folder / "access.log"), *flags]
    settings = {"GOFERRY_STORE": str(folder / "store"), **(environ or {})}
    with stderr.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "goferry", *words],
            cwd=folder,
            env=environment(folder, settings),
            stdout=subprocess.PIPE,
            stderr=file,
            text=True,
            start_new_session=new_group,
        )
    assert process.stdout is not None
    greeting: list[str] = []
    for line in process.stdout:
        greeting.append(line.rstrip("\n"))
        if line.startswith("store:"):
            return Ferry(process, greeting, stderr)
    stop(process)
    raise AssertionError(f"goferry did not start: {greeting} {stderr.read_text()}")


@contextmanager
def serving(
    folder: Path, *flags: str, environ: Mapping[str, str] | None = None, addr: str = "127.0.0.1:0"
) -> Iterator[Ferry]:
    """A running `goferry serve`; it must also stop as it should."""
    ferry = launch(folder, *flags, environ=environ, addr=addr)
    try:
        yield ferry
    except BaseException:
        print(ferry.said)
        raise
    finally:
        status = stop(ferry.process)
    assert status == 0, ferry.said


# ---- go ------------------------------------------------------------------------------------------------------


@dataclass
class Client:
    """A go command with a main module and an empty module cache of its own."""

    folder: Path
    proxy: str
    sumdb: str
    extra: Mapping[str, str] = field(default_factory=dict)
    go_mod: str = APP_MOD

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True)
        (self.folder / "go.mod").write_text(self.go_mod)
        if self.go_mod is APP_MOD:
            (self.folder / "app.go").write_text(APP_GO)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "GOPATH": str(self.folder / "gopath"),
            "GOCACHE": str(self.folder / "gocache"),
            "GOENV": "off",
            "GOFLAGS": "-mod=mod -modcacherw",
            "GOTOOLCHAIN": "local",
            "GOPROXY": self.proxy,
            "GOSUMDB": self.sumdb,
            **self.extra,
        }

    def go(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["go", *words],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Begin a command and go on; `end` waits for it."""
        return subprocess.Popen(
            ["go", *words],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def download(self) -> str:
        """The go.sum of the whole graph, which must be had."""
        done = self.go("mod", "download", "all")
        assert done.returncode == 0, done.stderr
        return self.sums()

    def sums(self) -> str:
        return (self.folder / "go.sum").read_text()


def end(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Wait for a command that was begun: its status and what it said on standard error."""
    try:
        _, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, said


def write_tree(folder: Path, tree: Tree) -> str:
    """The module files as a folder laid out as the URLs; its file:// URL."""
    for path, body in tree.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    return folder.as_uri()
