"""Changing answers: fresh for a short time, then old at once while one refresh runs, and old beats failing."""

import asyncio

import pytest

from goferry.errors import UpstreamError
from goferry.proxy.base import Outcome
from goferry.proxy.coalesce import Flights
from goferry.proxy.fresh import Entry, FreshCache
from goferry.storage.memory import MemoryStore

KEY = "example.com/m/@v/list"


class Clock:
    """Runs with the store's file times, plus what the test adds."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        import time

        return time.time() + self.ahead


class Upstream:
    """Answers with its body, or its error; can be held up."""

    def __init__(self, body: bytes = b"v1.0.0\n") -> None:
        self.body = body
        self.error: UpstreamError | None = None
        self.asked = 0
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, known: Entry | None) -> bytes:
        self.asked += 1
        await self.open.wait()
        if self.error:
            raise self.error
        return self.body


def make(store: MemoryStore | None = None) -> tuple[FreshCache, Flights, Clock, Upstream]:
    flights, clock = Flights(), Clock()
    cache = FreshCache(store or MemoryStore(), flights, fresh=60, stale_for=3600, clock=clock)
    return cache, flights, clock, Upstream()


async def test_the_first_answer_waits_and_the_next_ones_do_not_ask() -> None:
    cache, _, clock, upstream = make()
    entry, outcome = await cache.get(KEY, upstream)
    assert (entry.body, outcome) == (b"v1.0.0\n", Outcome.MISS)
    clock.ahead += 59
    assert (await cache.get(KEY, upstream))[1] is Outcome.HIT
    assert upstream.asked == 1


async def test_an_old_answer_is_given_at_once_while_one_refresh_runs() -> None:
    cache, flights, clock, upstream = make()
    await cache.get(KEY, upstream)
    clock.ahead += 61
    upstream.body = b"v1.0.0\nv1.1.0\n"
    upstream.open.clear()
    answers = [await cache.get(KEY, upstream) for _ in range(10)]
    assert {(entry.body, outcome) for entry, outcome in answers} == {(b"v1.0.0\n", Outcome.STALE)}
    upstream.open.set()
    await flights.idle()
    assert upstream.asked == 2
    assert (await cache.get(KEY, upstream))[0].body == b"v1.0.0\nv1.1.0\n"


async def test_when_the_upstream_fails_the_old_answer_is_served_and_it_is_not_asked_with_every_request() -> (
    None
):
    cache, flights, clock, upstream = make()
    await cache.get(KEY, upstream)
    upstream.error = UpstreamError("down")
    clock.ahead += 61
    for _ in range(20):
        entry, outcome = await cache.get(KEY, upstream)
        assert (entry.body, outcome) == (b"v1.0.0\n", Outcome.STALE)
        await flights.idle()
    assert upstream.asked == 2
    clock.ahead += 1.5
    await cache.get(KEY, upstream)
    await flights.idle()
    assert upstream.asked == 3


async def test_too_old_an_answer_is_not_served_when_the_upstream_fails() -> None:
    cache, _, clock, upstream = make()
    await cache.get(KEY, upstream)
    upstream.error = UpstreamError("down")
    clock.ahead += 3601
    with pytest.raises(UpstreamError, match="down"):
        await cache.get(KEY, upstream)


async def test_with_wait_an_old_answer_is_refreshed_first_and_still_served_on_failure() -> None:
    cache, _, clock, upstream = make()
    await cache.get(KEY, upstream, wait=True)
    clock.ahead += 61
    upstream.body = b"new"
    assert (await cache.get(KEY, upstream, wait=True))[0].body == b"new"
    clock.ahead += 61
    upstream.error = UpstreamError("down")
    entry, outcome = await cache.get(KEY, upstream, wait=True)
    assert (entry.body, outcome) == (b"new", Outcome.STALE)


async def test_concurrent_first_requests_ask_once() -> None:
    cache, _, _, upstream = make()
    upstream.open.clear()
    waiting = [asyncio.create_task(cache.get(KEY, upstream)) for _ in range(20)]
    await asyncio.sleep(0)
    upstream.open.set()
    await asyncio.gather(*waiting)
    assert upstream.asked == 1


async def test_another_process_sees_the_answer_and_its_age_in_the_store() -> None:
    store = MemoryStore()
    cache, _, _, upstream = make(store)
    await cache.get(KEY, upstream)
    other, _, clock, other_upstream = make(store)
    entry, outcome = await other.get(KEY, other_upstream)
    assert (entry.body, outcome, other_upstream.asked) == (b"v1.0.0\n", Outcome.HIT, 0)
    clock.ahead += 61
    assert (await other.get(KEY, other_upstream))[1] is Outcome.STALE


async def test_a_store_that_cannot_be_written_does_not_keep_a_good_answer_from_being_given() -> None:
    class ReadOnly(MemoryStore):
        async def put(self, key: str, data: bytes, *, replace: bool = False, durable: bool = True):  # type: ignore[no-untyped-def]
            from goferry.errors import StorageError

            raise StorageError("read-only")

    cache, _, _, upstream = make(ReadOnly())
    assert (await cache.get(KEY, upstream))[0].body == b"v1.0.0\n"
    assert (await cache.get(KEY, upstream))[1] is Outcome.HIT
