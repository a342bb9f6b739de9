"""Opens a scenario as a world in which commands can be run, and takes it away again.

    async with world.open(scenario) as lab:
        done = await lab.run(["go", "mod", "download"])     # done.exit, done.output

The world is a private network namespace where the system allows that, else loopback if the scenario can do with it.
Nothing is left behind: processes, mounts and folders go with the context, and with the process that opened it.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import stat
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from goferry.errors import Unavailable
from goferry.lab import client, namespace
from goferry.lab.client import Folders
from goferry.lab.scenario import Needs, Roots, Scenario
from goferry.lab.staging import staged


@dataclass(frozen=True, slots=True)
class Done:
    """A command that was run. exit: its status, negative for a signal, None when it was stopped as too slow."""

    exit: int | None
    output: str


@dataclass(slots=True)
class World:
    """An open world. `environ` is the client's whole environment; `cwd` has a go.mod that needs the scenario's module.

    resolv_conf, hosts: the files that the client has at those places in /etc; in a namespace they are also there.
    """

    scenario: Scenario
    folders: Folders
    environ: dict[str, str]
    words: dict[str, str]
    inside: namespace.Namespace | None = None
    localised: Callable[[str], str] = field(default=str)

    @property
    def cwd(self) -> Path:
        return self.folders.work

    @property
    def home(self) -> Path:
        return self.folders.home

    @property
    def resolv_conf(self) -> Path:
        return self.folders.etc / "resolv.conf"

    @property
    def hosts(self) -> Path:
        return self.folders.etc / "hosts"

    def command(self, words: Sequence[str]) -> list[str]:
        """The command line that runs these words in the world; to be started with `environ` and, outside, `cwd`."""
        return list(words) if self.inside is None else self.inside.command(words, self.cwd)

    async def run(
        self,
        words: Sequence[str],
        *,
        timeout: float | None = None,  # noqa: ASYNC109  what is stopped is a process, which no cancellation ends
        environ: Mapping[str, str] | None = None,
    ) -> Done:
        """Runs a command to its end, or for so many seconds. environ: instead of the world's. Both outputs are one."""
        process = await asyncio.create_subprocess_exec(
            *self.command(words),
            cwd=self.cwd,
            env=dict(self.environ if environ is None else environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(timeout):
                while piece := await process.stdout.read(1 << 16):
                    pieces.append(piece)
                await process.wait()
        except TimeoutError:
            return Done(None, b"".join(pieces).decode(errors="replace"))
        finally:
            with contextlib.suppress(ProcessLookupError):
                _kill_session(process)
            await process.wait()
        return Done(process.returncode, b"".join(pieces).decode(errors="replace"))

    async def mend(self) -> None:
        """Does what the scenario names as its mend: variables of `environ`, files, and commands."""
        mend = self.scenario.mend
        assert mend is not None, f"{self.scenario.name} has no mend"
        self.environ = client.merged(self.environ, self._here(mend.environ), self.words)
        for place, text in self._here(mend.files).items():
            path = Path(client.fill(place, self.words))
            if path.is_relative_to("/etc"):
                path = self.folders.etc / path.relative_to("/etc")
            client.write(path, client.fill(text, self.words))
        for command in mend.commands:
            done = await self.run(command)
            assert done.exit == 0, done.output

    def _here(self, texts: Mapping[str, str]) -> dict[str, str]:
        return {name: self.localised(text) for name, text in texts.items()}


@asynccontextmanager
async def open(
    scenario: Scenario, *, outer: Mapping[str, str] = os.environ, loopback: bool = False
) -> AsyncIterator[World]:
    """The world of a scenario. outer: the environment to take PATH and language from; loopback: even where a namespace
    is possible.

    Raises Unavailable when the machine cannot give what the scenario needs.
    """
    loopback = loopback or (scenario.needs is Needs.LOOPBACK and bool(namespace.why_not()))
    if loopback and scenario.needs is Needs.NAMESPACE:
        raise Unavailable(
            "{name} needs a private namespace and cannot be shown on loopback", name=scenario.name
        )
    root = Path(tempfile.mkdtemp(prefix="goferry-lab-"))
    try:
        async with AsyncExitStack() as stack:
            make = _on_loopback if loopback else _in_namespace
            yield await make(stack, scenario, Folders(root), outer)
    finally:
        _remove(root)


async def _in_namespace(
    stack: AsyncExitStack, scenario: Scenario, folders: Folders, outer: Mapping[str, str]
) -> World:
    client.lay_out(scenario, folders)
    inside, said = await stack.enter_async_context(namespace.entered(scenario.name, folders.root))
    words = _words(folders, outer, said["sumdb_key"])
    client.settle(scenario, folders, words)
    environ = client.environ_of(scenario, folders, outer, words)
    return World(scenario, folders, environ, words, inside)


async def _on_loopback(
    stack: AsyncExitStack, scenario: Scenario, folders: Folders, outer: Mapping[str, str]
) -> World:
    client.lay_out(scenario, folders)
    stage = await stack.enter_async_context(staged(scenario, folders.root, namespace=False))
    key = stage.localised(f"{stage.log.verifier_key} https://{stage.log.name}")
    words = {**_words(folders, outer, key)}
    client.settle(stage.scenario, folders, words, stage.localised)
    environ = client.environ_of(scenario, folders, outer, words)
    environ = {name: stage.localised(value) for name, value in environ.items()}
    return World(
        scenario, folders, {**_trusting(scenario, folders), **environ}, words, localised=stage.localised
    )


def _trusting(scenario: Scenario, folders: Folders) -> dict[str, str]:
    """On loopback the client's certificate store is a file that its variables name."""
    pki, bundle = folders.root / "pki", folders.root / "certs" / "ca-certificates.crt"
    names = {Roots.PUBLIC: ["public"], Roots.COMPANY: ["public", "company"], Roots.STALE: ["stale"]}
    parts = [(pki / f"{name}.pem").read_bytes() for name in names.get(scenario.client.roots, [])]
    bundle.write_bytes(b"".join(parts))
    return {"SSL_CERT_FILE": str(bundle), "SSL_CERT_DIR": str(bundle.parent)}


def _words(folders: Folders, outer: Mapping[str, str], sumdb_key: str) -> dict[str, str]:
    pki = folders.root / "pki"
    return {
        "home": str(folders.home),
        "work": str(folders.work),
        "tools": str(folders.root / "tools"),
        "go": client.go_folder(outer),
        "ca": str(pki / "public.pem"),
        "company_ca": str(pki / "company.pem"),
        "sumdb_key": sumdb_key,
    }


def _kill_session(process: asyncio.subprocess.Process) -> None:
    """Ends the command with all that it started; `nsenter` and what runs inside are one session."""
    if process.returncode is not None:
        return
    if sys.platform == "win32":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)


def _remove(root: Path) -> None:
    """Go makes the folders of its cache read-only."""

    def make_writable(function: Any, path: str, _error: Any) -> None:
        for place in (Path(path).parent, Path(path)):
            if not place.is_symlink():
                place.chmod(stat.S_IRWXU)
        function(path)

    shutil.rmtree(root, onerror=make_writable)
