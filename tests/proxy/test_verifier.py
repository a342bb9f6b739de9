"""Zips are verified in a process beside this one, with the same outcome as in this one, whatever becomes of it."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from unittest import mock

import pytest

import modtree
from goferry import ownprograms
from goferry.errors import GoferryError
from goferry.gomod import modzip
from goferry.gomod.module import Version
from goferry.proxy import verifier as verifier_module
from goferry.proxy import verifier_child
from goferry.proxy.verifier import Verifier

MODULE = Version("example.com/m", "v1.0.0")

can_halt = pytest.mark.skipif(sys.platform == "win32", reason="no process can be halted there")


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However busy this machine is, a process that gives way is not given up."""
    monkeypatch.setattr(verifier_module, "PATIENCE", 600.0)


def good(folder: Path, name: str = "good.zip") -> Path:
    path = folder / name
    path.write_bytes(modtree.module_zip(MODULE.path, MODULE.version, {"go.mod": b"module example.com/m\n"}))
    return path


@asynccontextmanager
async def open_verifier(cores: int = 2) -> AsyncIterator[Verifier]:
    verifier = Verifier(cores=cores)
    try:
        yield verifier
    finally:
        await verifier.close()


def children() -> set[int]:
    """The processes that this one has started and not buried, of those that verify."""
    found = set()
    for line in subprocess.run(
        ["ps", "-o", "pid=,args=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    ).stdout.splitlines():
        pid, _, args = line.strip().partition(" ")
        if "verifier_child" in args:
            found.add(int(pid))
    return found


def halt() -> int:
    """The only process that verifies, which gets no further."""
    (pid,) = children()
    os.kill(pid, signal.SIGSTOP)
    return pid


async def outcome(verifier: Verifier, module: Version, path: Path) -> object:
    try:
        return await verifier.verify(module, path)
    except (GoferryError, OSError) as error:
        return type(error), str(error)


@pytest.mark.parametrize("cores", [1, 2])
async def test_the_outcome_is_that_of_modzip(tmp_path: Path, cores: int) -> None:
    whole = good(tmp_path)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(whole.read_bytes()[:-30])
    other = Version("example.com/other", "v1.0.0")
    cases = [(MODULE, whole), (MODULE, broken), (other, whole), (MODULE, tmp_path / "none.zip")]
    async with open_verifier(cores) as verifier:
        for module, path in cases:
            try:
                expected: object = modzip.verify_zip(module, path)
            except (GoferryError, OSError) as error:
                expected = type(error), str(error)
            assert await outcome(verifier, module, path) == expected


async def test_there_is_a_process_only_where_a_second_core_could_run_it(tmp_path: Path) -> None:
    path = good(tmp_path)
    for cores, processes in ((1, 0), (2, 2)):
        async with open_verifier(cores) as verifier:
            await asyncio.gather(*(verifier.verify(MODULE, path) for _ in range(5)))
            assert len(children()) == processes
        assert children() == set()


async def test_many_at_once_get_their_own_answers(tmp_path: Path) -> None:
    paths = []
    for number in range(40):
        path = tmp_path / f"{number}.zip"
        files = {"go.mod": b"module example.com/m\n", "a.go": b"// %d\n" % number * 100}
        path.write_bytes(modtree.module_zip(MODULE.path, MODULE.version, files))
        paths.append(path)
    async with open_verifier() as verifier:
        reports = await asyncio.gather(*(verifier.verify(MODULE, path) for path in paths))
    assert [report.h1 for report in reports] == [modzip.verify_zip(MODULE, path).h1 for path in paths]
    assert len({report.h1 for report in reports}) == 40


@can_halt
async def test_when_the_process_dies_its_zips_are_verified_here(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = good(tmp_path)
    async with open_verifier() as verifier:
        report, _ = await asyncio.gather(*(verifier.verify(MODULE, path) for _ in range(2)))
        both = children()
        for pid in both:
            os.kill(pid, signal.SIGSTOP)
        waiting = [asyncio.create_task(verifier.verify(MODULE, path)) for _ in range(3)]
        await asyncio.sleep(0)
        for pid in both:
            os.kill(pid, signal.SIGKILL)
        assert await asyncio.gather(*waiting) == [report] * 3
        assert await verifier.verify(MODULE, path) == report
        assert children() == set()
    assert "zips are verified in this process from now on" in caplog.text


@can_halt
async def test_when_one_process_dies_the_other_goes_on(tmp_path: Path) -> None:
    path = good(tmp_path)
    async with open_verifier() as verifier:
        report, _ = await asyncio.gather(*(verifier.verify(MODULE, path) for _ in range(2)))
        one, other = children()
        os.kill(one, signal.SIGKILL)
        assert await asyncio.gather(*(verifier.verify(MODULE, path) for _ in range(4))) == [report] * 4
        assert children() == {other}
        assert await verifier.verify(MODULE, path) == report


async def test_what_nobody_waits_for_is_verified_by_a_process_that_gives_way(tmp_path: Path) -> None:
    path = good(tmp_path)
    async with open_verifier() as verifier:
        report = await verifier.verify(MODULE, path, asyncio.Event())
        (patient,) = children()
        if hasattr(os, "SCHED_IDLE"):
            assert os.sched_getscheduler(patient) == os.SCHED_IDLE
        wanted = asyncio.Event()
        wanted.set()
        assert await verifier.verify(MODULE, path, wanted) == report
        (prompt,) = children() - {patient}
        if hasattr(os, "SCHED_IDLE"):
            assert os.sched_getscheduler(prompt) == os.SCHED_OTHER
    assert children() == set()


@can_halt
async def test_who_comes_for_a_zip_does_not_wait_for_the_process_that_gets_no_time(tmp_path: Path) -> None:
    path = good(tmp_path)
    async with open_verifier() as verifier:
        report = await verifier.verify(MODULE, path, asyncio.Event())
        patient = halt()
        wanted = asyncio.Event()
        ahead = asyncio.create_task(verifier.verify(MODULE, path, wanted))
        await asyncio.sleep(0)
        assert not ahead.done()
        wanted.set()
        assert await ahead == report
        os.kill(patient, signal.SIGCONT)
        assert await verifier.verify(MODULE, path, asyncio.Event()) == report


@can_halt
async def test_a_zip_that_gets_no_time_is_not_left_for_ever(tmp_path: Path) -> None:
    path = good(tmp_path)
    async with open_verifier() as verifier:
        report = await verifier.verify(MODULE, path, asyncio.Event())
        halt()
        with mock.patch.object(verifier_module, "PATIENCE", 0.0):
            assert await verifier.verify(MODULE, path, asyncio.Event()) == report


@pytest.mark.skipif(sys.platform == "win32", reason="a pipe can't be looked at there")
def test_what_nobody_cares_for_any_more_is_not_begun(tmp_path: Path) -> None:
    path = good(tmp_path)
    source, asked = os.pipe()
    answers, sink = os.pipe()
    for message in ((7, MODULE, path), (7, None, None), (9, None, None), (8, MODULE, path)):
        os.write(asked, verifier_child.framed(message))
    work = verifier_child.Work(source, sink, cores=1)
    assert work.one()
    os.close(asked)
    assert not work.one()
    os.close(sink)
    with open(answers, "rb") as said:
        assert said.read() == verifier_child.framed((8, modzip.verify_zip(MODULE, path), None))
    os.close(source)


async def test_where_no_process_can_be_started_zips_are_verified_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(ownprograms, "command", lambda module: [str(tmp_path / "no-such-program"), module])
    async with open_verifier() as verifier:
        assert (await verifier.verify(MODULE, good(tmp_path))).files == 1
    assert "no other one can be started" in caplog.text


async def test_a_program_that_does_not_answer_in_kind_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    talk = "import sys; sys.stdout.write('\\0\\0\\0\\3abc'); sys.stdout.flush(); sys.stdin.read()"
    monkeypatch.setattr(ownprograms, "command", lambda module: [sys.executable, "-c", talk])
    async with open_verifier() as verifier:
        assert (await verifier.verify(MODULE, good(tmp_path))).files == 1


async def test_who_goes_away_takes_nobody_along(tmp_path: Path) -> None:
    path = good(tmp_path)
    async with open_verifier() as verifier:
        report = await verifier.verify(MODULE, path)
        impatient = asyncio.create_task(verifier.verify(MODULE, path))
        await asyncio.sleep(0)
        impatient.cancel()
        assert await verifier.verify(MODULE, path) == report
        with pytest.raises(asyncio.CancelledError):
            await impatient


async def test_after_the_end_there_is_no_new_process(tmp_path: Path) -> None:
    async with open_verifier() as verifier:
        await verifier.verify(MODULE, good(tmp_path))
    await verifier.verify(MODULE, good(tmp_path))
    assert children() == set()


@pytest.mark.skipif(sys.platform == "win32", reason="no process can be killed without a word there")
def test_the_process_leaves_when_who_started_it_is_killed(tmp_path: Path) -> None:
    main = f"""
import asyncio, os, subprocess
from pathlib import Path
from goferry.gomod.module import Version
from goferry.proxy.verifier import Verifier
async def run():
    verifier = Verifier(cores=2)
    await verifier.verify(Version({MODULE.path!r}, {MODULE.version!r}), Path({str(good(tmp_path))!r}))
    print((await verifier._prompt[0]._child)._process.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(run())
"""
    with subprocess.Popen(
        [sys.executable, "-c", main], env=ownprograms.environment(), stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        child = int(starter.stdout.readline())
        os.kill(child, signal.SIGTERM)  # it leaves that to who started it
        os.kill(child, 0)
        pidfd = os.pidfd_open(child) if hasattr(os, "pidfd_open") else None
        starter.kill()
    if pidfd is None:
        pytest.skip("only Linux tells when somebody else's child has ended")
    import select

    assert select.select([pidfd], [], [], 30)[0]
    os.close(pidfd)
