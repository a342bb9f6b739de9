"""Identical work that is wanted several times at once is done once."""

import asyncio

import pytest

from goferry.errors import UpstreamError
from goferry.proxy.coalesce import Deliver, Flights


class Work:
    """Work that waits until it is let go, and counts how often it was begun."""

    def __init__(self) -> None:
        self.begun = 0
        self.cancelled = 0
        self.go_on = asyncio.Event()
        self.started = asyncio.Event()

    async def __call__(self, deliver: Deliver[str]) -> str:
        self.begun += 1
        self.started.set()
        try:
            await self.go_on.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return "done"


async def test_concurrent_identical_work_is_done_once_and_all_get_it() -> None:
    flights, work = Flights(), Work()
    waiters = [asyncio.create_task(flights.run("zip", work)) for _ in range(20)]
    await work.started.wait()
    work.go_on.set()
    results = await asyncio.gather(*waiters)
    assert work.begun == 1
    assert [result for result, _ in results] == ["done"] * 20
    assert sum(joined for _, joined in results) == 19


async def test_different_names_do_not_wait_for_each_other() -> None:
    flights, slow, quick = Flights(), Work(), Work()
    slow_one = asyncio.create_task(flights.run("slow", slow))
    await slow.started.wait()
    quick.go_on.set()
    assert await flights.run("quick", quick) == ("done", False)
    slow.go_on.set()
    await slow_one


async def test_one_waiter_going_away_does_not_end_it_for_the_others() -> None:
    flights, work = Flights(), Work()
    leaver = asyncio.create_task(flights.run("zip", work, worth_finishing=lambda: False))
    await work.started.wait()
    stayer = asyncio.create_task(flights.run("zip", work))
    await asyncio.sleep(0)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    work.go_on.set()
    assert await stayer == ("done", True)
    assert work.cancelled == 0


@pytest.mark.parametrize(("worth", "cancelled"), [(True, 0), (False, 1)])
async def test_when_the_last_waiter_leaves_only_what_is_worth_it_goes_on(worth: bool, cancelled: int) -> None:
    flights, work = Flights(), Work()
    waiter = asyncio.create_task(flights.run("zip", work, worth_finishing=lambda: worth))
    await work.started.wait()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    work.go_on.set()
    await flights.idle()
    assert work.cancelled == cancelled


async def test_work_started_ahead_runs_without_waiters_and_can_be_joined() -> None:
    flights, work = Flights(), Work()
    flights.ahead("zip", work, worth_finishing=lambda: False)
    flights.ahead("zip", work)
    await work.started.wait()
    work.go_on.set()
    assert await flights.run("zip", work) == ("done", True)
    assert work.begun == 1


async def test_failed_work_fails_all_waiters_and_is_tried_again_by_the_next() -> None:
    flights = Flights()
    failures = 0

    async def fail(deliver: Deliver[None]) -> None:
        nonlocal failures
        failures += 1
        raise UpstreamError("it broke")

    results = await asyncio.gather(*(flights.run("mod", fail) for _ in range(3)), return_exceptions=True)
    assert [str(result) for result in results] == ["it broke"] * 3
    assert failures == 1
    with pytest.raises(UpstreamError):
        await flights.run("mod", fail)
    assert failures == 2


async def test_closing_leaves_no_task_behind() -> None:
    flights, work = Flights(), Work()
    flights.ahead("zip", work)
    await work.started.wait()
    await flights.close()
    assert work.cancelled == 1
    assert "zip" not in flights


async def test_a_result_is_delivered_before_the_work_is_through_and_the_name_stays_taken() -> None:
    flights, kept = Flights(), asyncio.Event()

    async def prove_then_keep(deliver: Deliver[str]) -> str:
        deliver("proven")
        await kept.wait()
        return "kept"

    assert await flights.run("mod", prove_then_keep) == ("proven", False)
    assert await flights.run("mod", prove_then_keep) == ("proven", True)
    kept.set()
    await flights.idle()
    assert "mod" not in flights


async def test_a_failure_after_delivery_hurts_nobody() -> None:
    flights = Flights()

    async def prove_then_fail(deliver: Deliver[str]) -> str:
        deliver("proven")
        raise UpstreamError("the disk is full")

    assert await flights.run("mod", prove_then_fail) == ("proven", False)
    await flights.idle()


async def test_closing_lets_what_was_delivered_be_kept() -> None:
    flights, kept = Flights(), []

    async def prove_then_keep(deliver: Deliver[str]) -> str:
        deliver("proven")
        await asyncio.sleep(0)
        kept.append("it")
        return "kept"

    await flights.run("mod", prove_then_keep)
    await flights.close()
    assert kept == ["it"]
