"""Audits on a schedule: when they are due, whatever happens to the process; one at a time; no failure ends it."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from deps.audits import START, audit, day, flaw
from goferry.deps.audit.records import Audit
from goferry.deps.history import runs
from goferry.deps.kept import Kept
from goferry.deps.repositories import Repository, read_repositories
from goferry.deps.schedule import Attempt, Done, Schedule, Work, next_due
from goferry.errors import InvalidInput, Unavailable

DAY = 86400.0
NOON = START.timestamp()


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    with Kept(tmp_path / "audits.sqlite") as file:
        yield file


class World:
    """A clock, audits that take an hour of it, and receivers. `breaks`: what the next audits raise instead."""

    def __init__(self) -> None:
        self.now = NOON
        self.breaks: list[BaseException] = []
        self.made: list[float] = []
        self.told: list[Audit] = []
        self.during: Callable[[], Any] | None = None

    async def audit(self) -> Audit:
        self.made.append(self.now)
        if self.during is not None:
            await self.during()
        if self.breaks:
            raise self.breaks.pop(0)
        self.now += 3600
        return audit(flaw(), when=day((self.now - NOON) / DAY))

    async def tell(self, found: Audit) -> int:
        self.told.append(found)
        return 0

    def schedule(self, kept: Kept, *, every: float = DAY, jitter: float = 0.0) -> Schedule:
        work = Work(every, self.audit, self.tell)
        return Schedule(kept, work, clock=lambda: self.now, jitter=jitter)

    async def run(self, kept: Kept, until: float, **given: Any) -> list[Done]:
        """One audit after another until a moment, as fast as it goes, each by a schedule that was just begun."""
        seen: list[Done] = []

        async def pause(seconds: float) -> None:
            assert seconds > 0
            self.now += seconds
            if self.now >= until:
                raise asyncio.CancelledError

        with suppress(asyncio.CancelledError):
            while True:
                seen.append(await self.schedule(kept, **given).next(pause))
        return seen


@pytest.mark.parametrize(
    ("attempts", "due"),
    [
        ([], 0.0),
        ([Attempt(1000.0, 2000.0)], 1000.0 + DAY),
        ([Attempt(1000.0, 2000.0, "no")], 2000.0 + 300),
        ([Attempt(1000.0, 2000.0, "no"), Attempt(0.0, 1.0)], 2000.0 + 300),
        ([Attempt(1000.0, 2000.0, "no"), Attempt(900.0, 950.0, "no"), Attempt(0.0, 1.0)], 2000.0 + 600),
        ([Attempt(1000.0, 2000.0, "no")] * 3, 2000.0 + 1200),
        ([Attempt(1000.0, 2000.0, "no")] * 40, 2000.0 + DAY),
        ([Attempt(1000.0)], 1000.0 + 300),
    ],
    ids=[
        "never",
        "after one",
        "failed",
        "failed once",
        "twice",
        "three times",
        "for long",
        "its process died",
    ],
)
def test_when_the_next_audit_is_due(attempts: list[Attempt], due: float) -> None:
    assert next_due(attempts, DAY) == due


def test_jitter_makes_it_a_little_later() -> None:
    assert next_due([Attempt(0.0, 1.0)], DAY, 1.0) == DAY * 1.05


async def test_an_audit_a_day_is_made_kept_and_told(kept: Kept) -> None:
    world = World()
    seen = await world.run(kept, NOON + 3.5 * DAY)
    assert world.made == [NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY]
    assert [done.seconds for done in seen] == [3600.0] * 4
    assert len(runs(kept)) == len(world.told) == 4


async def test_a_restart_changes_nothing(kept: Kept) -> None:
    world = World()
    for hours in range(1, 80, 7):
        await world.run(kept, NOON + hours * 3600)
    assert world.made == [NOON, NOON + DAY, NOON + 2 * DAY, NOON + 3 * DAY]


async def test_an_audit_that_was_missed_is_made_at_once(kept: Kept) -> None:
    world = World()
    await world.run(kept, NOON + 0.5 * DAY)
    world.now = NOON + 10 * DAY
    await world.run(kept, world.now + 1)
    assert world.made == [NOON, NOON + 10 * DAY]


@pytest.mark.parametrize("error", [Unavailable("nobody answers"), RuntimeError("a bug"), MemoryError()])
async def test_a_failure_is_remembered_and_the_next_audit_made(kept: Kept, error: Exception) -> None:
    world = World()
    world.breaks = [error, error]
    seen = await world.run(kept, NOON + 0.9 * DAY)
    assert [type(done.failure) for done in seen] == [type(error), type(error), type(None)]
    assert world.made == [NOON, NOON + 300, NOON + 300 + 600]
    failures = [row[0] for row in kept.rows("SELECT failure FROM attempts ORDER BY id")]
    assert failures == [failures[0]] * 2 + [None]
    assert failures[0]


async def test_a_list_that_is_broken_for_a_while_does_not_end_the_schedule(kept: Kept) -> None:
    world = World()
    world.breaks = [InvalidInput("there is no repository in {place}", place="x")] * 6
    await world.run(kept, NOON + 3 * DAY)
    assert len(world.told) >= 1


async def test_two_processes_make_one_audit(tmp_path: Path) -> None:
    """Both are due at the same moment; the second waits for the first, and finds nothing left to do."""
    world = World()
    with Kept(tmp_path / "audits.sqlite") as one, Kept(tmp_path / "audits.sqlite") as other:
        entered, go_on = asyncio.Event(), asyncio.Event()

        async def during() -> None:
            entered.set()
            await go_on.wait()

        world.during = during
        first = asyncio.create_task(world.schedule(one).once())
        await entered.wait()
        second = asyncio.create_task(world.schedule(other).once())
        go_on.set()
        done = await asyncio.gather(first, second)
    assert [result is None for result in done] == [False, True]
    assert len(world.made) == 1


async def test_to_be_stopped_in_the_middle_leaves_no_trace(kept: Kept) -> None:
    world = World()
    entered = asyncio.Event()

    async def during() -> None:
        entered.set()
        await asyncio.Event().wait()

    world.during = during
    running = asyncio.create_task(world.schedule(kept).once())
    await entered.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert kept.rows("SELECT * FROM attempts") == []
    world.during = None
    assert await world.schedule(kept).once() is not None


async def test_a_clock_that_was_put_back_does_not_stop_the_news(kept: Kept) -> None:
    world = World()
    await world.schedule(kept).once()
    world.now -= 30 * DAY
    done = await world.schedule(kept).once(force=True)
    assert done is not None
    assert (done.failure, len(world.told), len(runs(kept))) == (None, 2, 1)


# ---- the list ------------------------------------------------------------------------------------------------------


def test_a_list_names_paths_and_owners(tmp_path: Path) -> None:
    (tmp_path / "repos.txt").write_text(
        "\ufeff# ours\n\napps/web @web   # the shop\n'apps/with space'  \"Team A\"\n/srv/tool\n", "utf-8"
    )
    assert read_repositories(tmp_path / "repos.txt") == (
        Repository(tmp_path / "apps/web", "@web"),
        Repository(tmp_path / "apps/with space", "Team A"),
        Repository(Path("/srv/tool")),
    )


def test_a_folder_has_its_checkouts(tmp_path: Path) -> None:
    for name, mark in (("b", ".git"), ("a", "go.mod"), ("w", "go.work"), ("none", "README")):
        (tmp_path / name).mkdir()
        (tmp_path / name / mark).touch()
    (tmp_path / "file").touch()
    assert [repo.folder.name for repo in read_repositories(tmp_path)] == ["a", "b", "w"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a\nb c d\n", ":2: a path and an owner are one line"),
        ("a\n'b\n", ":2: No closing quotation"),
        ("# nothing\n", "there is no repository in"),
        (None, "cannot read the repositories in"),
    ],
)
def test_a_list_that_means_nothing_is_refused(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "repos.txt").write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read_repositories(tmp_path / "repos.txt")
    assert words in str(caught.value)
    assert json.dumps(str(caught.value)).count("\\n") == 0
