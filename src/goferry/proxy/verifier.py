"""Verifies zips in processes beside this one.

Unpacking and hashing give the interpreter lock away, but take it back for each of the thousands of small files in a
zip. In a thread of this process all that waits to be answered would wait for them, and they for it, while the second
core has nothing to do. A process is told what to look at through its standard input and answers through its standard
output, each message a length and a pickled value (verifier_child.py): it sees the end of its input and leaves when
this one is gone, however it ended (docs/adr/0022-zips-in-a-process.md).

Two of them take one zip after the other. What nobody waits for yet goes to a third one, which gets the time that nobody
else on the machine wants.
"""

import asyncio
import itertools
import logging
import pickle
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from goferry import ownprograms
from goferry.gomod import modzip
from goferry.gomod.module import Version
from goferry.gomod.modzip import ZipReport
from goferry.gomod.ziparchive import usable_cores
from goferry.proxy.verifier_child import HEAD, PATIENT, framed

_logger = logging.getLogger(__name__)

_PROMPT: Final = 2
"""Zips that are verified at once for those who wait."""

PATIENCE: Final = 2.0
"""Seconds that a zip which nobody waits for may go without processor time. Another process that uses the store may wait
for it, and nobody hears that one."""


class Verify(Protocol):
    """modzip.verify_zip for who may not be held up by it.

    With `wanted` nobody waits for the zip until that is set: until then everything else goes first.
    """

    async def __call__(
        self, module: Version, path: Path, wanted: asyncio.Event | None = None, /
    ) -> ZipReport: ...


async def verify_in_thread(module: Version, path: Path, _wanted: asyncio.Event | None = None) -> ZipReport:
    """modzip.verify_zip in a thread of this process, at once. Raises what that does."""
    return await asyncio.to_thread(modzip.verify_zip, module, path)


class Verifier:
    """modzip.verify_zip beside this process where there is a second core to do it, else in a thread.

    Each process is started for the first zip that is for it. Where none can be started, or it ends by itself, its zips
    are verified here.
    """

    def __init__(self, *, cores: int | None = None) -> None:
        beside = (cores or usable_cores()) > 1
        self._prompt = [_Beside(beside) for _ in range(_PROMPT)]
        self._patient = _Beside(beside, PATIENT)

    async def verify(self, module: Version, path: Path, wanted: asyncio.Event | None = None) -> ZipReport:
        """The report on a zip that is what it must be. Raises what modzip.verify_zip does."""
        if wanted is None or wanted.is_set() or not self._patient.is_beside:
            return await self._soon(module, path)
        soon = asyncio.create_task(self._when(wanted, module, path))
        some_time = asyncio.create_task(self._patient.verify(module, path))
        try:
            done, _ = await asyncio.wait((soon, some_time), return_when=asyncio.FIRST_COMPLETED)
            return await done.pop()
        finally:
            for task in (soon, some_time):
                task.cancel()
            await asyncio.gather(soon, some_time, return_exceptions=True)

    async def _soon(self, module: Version, path: Path) -> ZipReport:
        best = min(self._prompt, key=lambda beside: (not beside.is_beside, beside.waiting))
        return await best.verify(module, path)

    async def _when(self, wanted: asyncio.Event, module: Version, path: Path) -> ZipReport:
        """A process that gets no time can't be hurried, so the other one is asked as well: who is first has it."""
        with suppress(TimeoutError):
            await asyncio.wait_for(wanted.wait(), PATIENCE)
        return await self._soon(module, path)

    async def close(self) -> None:
        """End the processes; whoever still waits for them is told that they have ended."""
        for beside in (*self._prompt, self._patient):
            await beside.close()


class _Beside:
    """A process that verifies, with this one in its place where there is none."""

    def __init__(self, beside: bool, *arguments: str) -> None:
        self.is_beside = beside
        self.waiting = 0
        """For how many zips."""
        self._arguments = arguments
        self._child: asyncio.Task[_Child] | None = None

    async def verify(self, module: Version, path: Path) -> ZipReport:
        self.waiting += 1
        try:
            return await self._verify(module, path)
        finally:
            self.waiting -= 1

    async def _verify(self, module: Version, path: Path) -> ZipReport:
        if self.is_beside:
            try:
                if self._child is None:
                    self._child = asyncio.create_task(_Child.start(*self._arguments))
                # Whoever goes away meanwhile must not leave a process behind that nobody knows.
                return await (await asyncio.shield(self._child)).ask(module, path)
            except _ChildGone as gone:
                self.is_beside = False  # what ended it once may do so again
                _logger.warning("zips are verified in this process from now on: %s", gone)
        return await verify_in_thread(module, path)

    async def close(self) -> None:
        self.is_beside = False
        starting, self._child = self._child, None
        if starting is not None:
            with suppress(_ChildGone):
                await (await starting).close()


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
    async def start(cls, *arguments: str) -> "_Child":
        pipe = asyncio.subprocess.PIPE
        try:
            return cls(
                await asyncio.create_subprocess_exec(
                    *ownprograms.command("goferry.proxy.verifier_child", *arguments),
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
        except asyncio.CancelledError:
            if not self.ended:
                self._to.write(framed((number, None, None)))  # nobody cares any more
            raise
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
