"""Answers that say no are remembered for a short time, and never hide a new version for long."""

import pytest

from goferry.errors import GoferryError, NotFound, Refused, Unavailable, UpstreamError, VerifyError
from goferry.gomod.goproxy import parse_request
from goferry.proxy.negative import Gate, Negatives
from goferry.storage.memory import MemoryStore

KEY = "example.com/m/@v/list"
NO = NotFound("{path}: {why}", hint="look at {path}", path="example.com/m", why="nothing there")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


def remembered(store: MemoryStore, clock: Clock, fresh: float = 60.0, bypasses: int = 2) -> Negatives:
    return Negatives(store, fresh=fresh, bypasses=bypasses, clock=clock)


async def test_a_no_holds_until_it_is_too_old() -> None:
    clock = Clock()
    negatives = remembered(MemoryStore(), clock)
    await negatives.put(KEY, NO)
    assert await negatives.get(KEY) is NO
    clock.now += 59.9
    assert await negatives.get(KEY) is NO
    clock.now += 0.2
    assert await negatives.get(KEY) is None


@pytest.mark.parametrize("error", [NO, Refused("closed: {why}", why="licence"), VerifyError("wrong sum")])
async def test_a_no_survives_a_restart_with_its_family_text_and_hint(error: GoferryError) -> None:
    store, clock = MemoryStore(), Clock()
    await remembered(store, clock).put(KEY, error)
    again = await remembered(store, clock).get(KEY)
    assert (type(again), str(again), again and again.hint) == (type(error), str(error), error.hint)


@pytest.mark.parametrize("error", [UpstreamError("bad gateway"), Unavailable("down")])
async def test_outages_are_never_remembered(error: GoferryError) -> None:
    negatives = remembered(MemoryStore(), Clock())
    await negatives.put(KEY, error)
    assert await negatives.get(KEY) is None


async def test_a_broken_note_about_a_refusal_is_no_refusal() -> None:
    store = MemoryStore()
    for junk in (
        b"",
        b"{",
        b"[]",
        b'{"code": "unheard_of", "message": "", "hint": null, "parts": {}, "at": 1}',
    ):
        await store.put(".goferry/negative/" + KEY, junk, replace=True)
        assert await remembered(store, Clock()).get(KEY) is None


async def test_expired_notes_are_swept_from_the_store() -> None:
    store, clock = MemoryStore(), Clock()
    negatives = remembered(store, clock)
    await negatives.put(KEY, NO)
    blob = await store.stat(".goferry/negative/" + KEY)
    assert blob is not None
    clock.now = blob.mtime + 30
    assert await negatives.sweep() == 0
    clock.now = blob.mtime + 61
    assert await negatives.sweep() == 1
    assert await store.stat(".goferry/negative/" + KEY) is None


async def test_exact_versions_go_past_a_no_a_few_times_a_minute() -> None:
    clock = Clock()
    negatives = remembered(MemoryStore(), clock, bypasses=2)
    assert [negatives.may_bypass("example.com/m") for _ in range(4)] == [True, True, False, False]
    assert negatives.may_bypass("example.com/other")
    clock.now += 60
    assert negatives.may_bypass("example.com/m")


class Upstream:
    """Says no until told otherwise, and counts."""

    def __init__(self) -> None:
        self.asked = 0
        self.error: GoferryError | None = NO

    async def __call__(self) -> str:
        self.asked += 1
        if self.error:
            raise self.error
        return "here"


@pytest.mark.parametrize(
    ("key", "asked"),
    [
        ("example.com/m/@v/list", 1),  # metadata: once
        ("example.com/m/@v/main.info", 1),
        ("example.com/m/@v/v1.0.0.info", 3),  # an exact version: once, and two bypasses
        ("github.com/x/@v/list", 0),  # can't be a module
    ],
)
async def test_the_upstream_is_asked_only_as_often_as_needed(key: str, asked: int) -> None:
    gate, upstream = Gate(remembered(MemoryStore(), Clock(), bypasses=2)), Upstream()
    for _ in range(10):
        with pytest.raises(NotFound):
            await gate.ask(parse_request(key), upstream)
    assert upstream.asked == asked


async def test_a_version_that_appears_is_found_at_the_next_bypass() -> None:
    gate, upstream = Gate(remembered(MemoryStore(), Clock())), Upstream()
    request = parse_request("example.com/m/@v/v1.0.0.info")
    with pytest.raises(NotFound):
        await gate.ask(request, upstream)
    upstream.error = None
    assert await gate.ask(request, upstream) == "here"
    assert await gate.ask(request, upstream) == "here"


async def test_a_no_that_is_said_often_does_not_grow() -> None:
    gate, upstream = Gate(remembered(MemoryStore(), Clock())), Upstream()
    request = parse_request("example.com/m/@v/list")

    async def depth() -> int:
        with pytest.raises(NotFound) as caught:
            await gate.ask(request, upstream)
        return len(caught.traceback)

    await depth()
    assert await depth() == await depth()
