"""Verifies zips in a process beside this one.

Unpacking and hashing give the interpreter lock away, but take it back for each of the thousands of small files in a
zip. In a thread of this process all that waits to be answered would wait for them, and they for it, while the second
core has nothing to do. The process is told what to look at through its standard input and answers through its standard
output, each message a length and a pickled value (verifier_child.py): it sees the end of its input and leaves when
this one is gone, however it ended (docs/adr/0022-zips-in-a-process.md).
"""

import asyncio
import itertools
import logging
import pickle
from collections.abc import Awaitable, Callable
from pathlib import Path

from goferry import ownprograms
from goferry.gomod import modzip
from goferry.gomod.module import Version
from goferry.gomod.modzip import ZipReport
from goferry.gomod.ziparchive import usable_cores
from goferry.proxy.verifier_child import HEAD, framed

_logger = logging.getLogger(__name__)

Verify = Callable[[Version, Path], Awaitable[ZipReport]]
"""modzip.verify_zip for who may not be held up by it."""


async def verify_in_thread(module: Version, path: Path) -> ZipReport:
    """modzip.verify_zip in a thread of this process. Raises what that does."""
    return await asyncio.to_thread(modzip.verify_zip, module, path)


class Verifier:
    """modzip.verify_zip beside this process where there is a second core to do it, else in a thread.

    The process is started for the first zip. Where none can be started, or it ends by itself, zips are verified here.
    """

    def __init__(self, *, cores: int | None = None) -> None:
        self._beside = (cores or usable_cores()) > 1
        self._child: _Child | None = None
        self._starting = asyncio.Lock()

    async def verify(self, module: Version, path: Path) -> ZipReport:
        """The report on a zip that is what it must be. Raises what modzip.verify_zip does."""
        if self._beside:
            try:
                return await (await self._running()).ask(module, path)
            except _ChildGone as gone:
                self._beside = False  # what ended it once may do so again
                _logger.warning("zips are verified in this process from now on: %s", gone)
        return await verify_in_thread(module, path)

    async def close(self) -> None:
        """End the process; whoever still waits for it is told that it has ended."""
        self._beside = False
        child, self._child = self._child, None
        if child is not None:
            await child.close()

    async def _running(self) -> "_Child":
        async with self._starting:
            if self._child is None:
                self._child = await _Child.start()
            return self._child


class _ChildGone(Exception):
    """There is no process beside this one."""


class _Child:
    """The process, and who waits for what from it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._to = process.stdin
        self._from = process.stdout
        self._waiting: dict[int, asyncio.Future[ZipReport]] = {}
        self._numbers = itertools.count()
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls) -> "_Child":
        pipe = asyncio.subprocess.PIPE
        try:
            return cls(
                await asyncio.create_subprocess_exec(
                    *ownprograms.command("goferry.proxy.verifier_child"),
                    env=ownprograms.environment(),
                    stdin=pipe,
                    stdout=pipe,
                )
            )
        except (OSError, NotImplementedError) as error:  # no room for one, or a loop that starts none
            raise _ChildGone(f"no other one can be started ({error})") from error

    @property
    def ended(self) -> bool:
        return self._listener.done()

    async def ask(self, module: Version, path: Path) -> ZipReport:
        number = next(self._numbers)
        answer: asyncio.Future[ZipReport] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            if self.ended:
                raise self._gone()
            self._to.write(framed((number, module, path)))
            return await answer
        finally:
            self._waiting.pop(number, None)

    async def close(self) -> None:
        if self._process.returncode is None:
            self._process.kill()  # it only reads, so nothing is lost
        await self._listener
        self._to.close()

    async def _listen(self) -> None:
        """Hand its answers on until there are no more; then nobody waits any longer."""
        try:
            while True:
                size = int.from_bytes(await self._from.readexactly(HEAD), "big")
                # pickle: it is our own program that writes there.
                self._answered(*pickle.loads(await self._from.readexactly(size)))  # noqa: S301
        except Exception:  # noqa: BLE001  its end, or something that is no answer: with it there is no talking any more
            if self._process.returncode is None:
                self._process.kill()
            await self._process.wait()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(self._gone())

    def _answered(self, number: int, report: ZipReport | None, error: Exception | None) -> None:
        answer = self._waiting.get(number)
        if answer is None or answer.done():
            return
        if report is not None:
            answer.set_result(report)
        else:
            answer.set_exception(error or self._gone())

    def _gone(self) -> _ChildGone:
        return _ChildGone(f"the one that did it has ended ({self._process.returncode})")
