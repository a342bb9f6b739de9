"""The short way: what it answers, what it leaves, and what is noted of it."""

import asyncio
import threading
from bisect import bisect_left
from pathlib import Path
from typing import Any

import pytest

from goferry.config import Settings
from goferry.gomod.goproxy import Kind
from goferry.proxy.base import Answer, Outcome, Silent
from goferry.server import hits, metrics, replies
from goferry.server.accesslog import Entry
from goferry.server.files import ReadyFiles
from goferry.server.hits import Hits
from goferry.server.replies import Content
from server.fakeproxy import FakeProxy
from server.serving import keep

FILE = "/example.org/m/@v/v1.0.0.mod"
LIST = "/example.org/m/@v/list"
BODY = b"module example.org/m\n"


class Knowing(FakeProxy):
    """Knows what a test says."""

    def __init__(self, store: Path) -> None:
        super().__init__(Settings(store=str(store)), Silent())
        self.answers: dict[str, Answer] = {}
        self.is_asked = asyncio.Event()

    def refresh(self, key: str) -> None:
        super().refresh(key)
        self.is_asked.set()

    def known(self, key: str) -> Answer | None:
        return self.answers.get(key)


class Short:
    """The short way over a folder with one file, and what became of it."""

    def __init__(self, store: Path) -> None:
        keep(store, FILE[1:], BODY)
        self.row = metrics.Board(1).row(0)
        self.proxy = Knowing(store)
        self.known = self.proxy.answers
        self.touched = self.proxy.touched
        self.logged: list[Entry] = []
        self.noted = asyncio.Event()
        self.made = 0
        self.hits = Hits(
            ReadyFiles(str(store), 100_000),
            self.row,
            self.proxy,
            content_of=self._content,
            agent_of=bytes.decode,
            log=self._log,
        )

    def _log(self, entries: list[Entry]) -> None:
        self.logged += entries
        self.noted.set()

    async def until_noted(self, count: int) -> None:
        async with asyncio.timeout(20):
            while len(self.logged) < count:
                await self.noted.wait()
                self.noted.clear()

    async def until_refreshed(self) -> None:
        async with asyncio.timeout(20):
            await self.proxy.is_asked.wait()

    def _content(self, answer: Answer, kind: str) -> Content:
        self.made += 1
        return Content(
            replies.content_type(kind), replies.ASK_AGAIN, answer.size, answer.mtime, b"", body=answer.body
        )

    def ask(self, path: str, *headers: tuple[bytes, bytes], method: str = "GET") -> tuple[bool | None, bytes]:
        """What `answer` said, and the body that was sent."""
        sent: list[dict[str, Any]] = []
        scope = {
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "headers": list(headers),
            "client": ("192.0.2.1", "1"),
        }
        said = self.hits.answer(scope, sent.append)
        return said, b"".join(message.get("body", b"") for message in sent)

    def requests(self, kind: str, outcome: str = "hit") -> float:
        return self.row.cells[self.row.cell(metrics.REQUESTS, kind, outcome, "200")]


@pytest.fixture
async def short(tmp_path: Path) -> Short:
    return Short(tmp_path)


def listing(body: bytes, mtime: float = 1.0, *, stale: bool = False) -> Answer:
    return Answer(LIST[1:], len(body), mtime, immutable=False, body=body, stale=stale)


async def test_a_stored_file_is_answered_and_noted_afterwards(short: Short) -> None:
    assert short.ask(FILE, (b"user-agent", b"Go-http-client/1.1")) == (True, BODY)
    assert not short.logged
    short.hits.settle()
    (entry,) = short.logged
    assert (entry.client, entry.path, entry.size, entry.outcome) == ("192.0.2.1", FILE, len(BODY), "hit")
    assert (entry.kind, entry.agent, entry.status) == ("mod", "Go-http-client/1.1", 200)
    assert (short.touched, short.requests("mod")) == ([FILE[1:]], 1.0)


@pytest.mark.parametrize(
    "times",
    [
        [],
        [1e-5],
        [0.0005],
        [0.00051, 1e-5, 0.0005],
        [60.0, 61.0, 1e9, 59.0],
        [*metrics.SECONDS],
        [0.3, 0.2, 0.1] * 50,
    ],
    ids=len,
)
async def test_many_hits_are_counted_as_if_one_by_one(short: Short, times: list[float]) -> None:
    file = short.hits._find(FILE, 0.0)
    assert file is not None
    short.hits._unsettled += [
        hits._Hit(file, Outcome.HIT, 0.0, seconds, "192.0.2.1", FILE, b"") for seconds in times
    ]
    short.hits.settle()
    *expected, total = [0.0] * (len(metrics.SECONDS) + 2)
    for seconds in times:
        expected[bisect_left(metrics.SECONDS, seconds)] += 1
        total += seconds
    first = short.row.cell(metrics.REQUEST_SECONDS, "mod")
    counted = short.row.cells[first : first + len(metrics.SECONDS) + 2]
    assert list(counted) == pytest.approx([*expected, total])
    assert short.requests("mod") == len(times)
    assert short.row.cells[short.row.cell(metrics.RESPONSE_BYTES, "mod")] == len(BODY) * len(times)
    assert [entry.seconds for entry in short.logged] == times


async def test_it_is_noted_without_anybody_asking(short: Short) -> None:
    for _ in range(3):
        short.ask(FILE)
    await short.until_noted(3)
    short.ask(FILE)
    await short.until_noted(4)


@pytest.mark.parametrize(
    ("path", "header", "method"),
    [
        (FILE, (b"range", b"bytes=0-1"), "GET"),
        (FILE, (b"if-none-match", b"*"), "GET"),
        (FILE, (b"disable-module-fetch", b"true"), "GET"),
        (FILE, (b"accept", b"*/*"), "HEAD"),
        (FILE.replace("m/", "%6d/"), (b"accept", b"*/*"), "GET"),
    ],
)
async def test_special_requests_are_left_alone(
    short: Short, path: str, header: tuple[bytes, bytes], method: str
) -> None:
    assert short.ask(path, header, method=method) == (None, b"")
    short.hits.settle()
    assert not short.logged


async def test_what_is_not_here_is_left_with_the_word_that_it_is_not(short: Short) -> None:
    assert short.ask("/example.org/m/@v/v1.0.1.mod") == (False, b"")
    assert short.ask(LIST) == (False, b"")


async def test_a_list_is_answered_while_it_is_known(short: Short) -> None:
    short.known[LIST[1:]] = listing(b"v1.0.0\n")
    assert short.ask(LIST) == (True, b"v1.0.0\n")
    assert short.ask(LIST) == (True, b"v1.0.0\n")
    assert short.made == 1
    short.known[LIST[1:]] = listing(b"v1.0.0\nv1.0.1\n")
    assert short.ask(LIST) == (True, b"v1.0.0\nv1.0.1\n")
    short.known[LIST[1:]] = listing(b"v1.0.0\nv1.0.1\n", mtime=2.0)
    assert short.ask(LIST)[0]
    assert short.made == 3
    del short.known[LIST[1:]]
    assert short.ask(LIST) == (False, b"")
    short.hits.settle()
    assert (short.requests(Kind.LIST), short.touched) == (4.0, [])


async def test_an_old_list_is_answered_as_such(short: Short) -> None:
    short.known[LIST[1:]] = listing(b"v1.0.0\n", stale=True)
    assert short.ask(LIST) == (True, b"v1.0.0\n")
    short.hits.settle()
    assert (short.requests(Kind.LIST), short.requests(Kind.LIST, "stale")) == (0.0, 1.0)
    assert [entry.outcome for entry in short.logged] == ["stale"]
    short.known[LIST[1:]] = listing(b"v1.0.0\n")
    assert short.ask(LIST) == (True, b"v1.0.0\n")
    short.hits.settle()
    assert short.made == 2
    assert short.requests(Kind.LIST) == 1.0


@pytest.mark.parametrize("limit", ["_QUIET_SECONDS", "_LONGEST_SECONDS"])
async def test_an_old_list_is_asked_for_anew_when_it_is_quiet_or_has_waited_long(
    short: Short, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("_QUIET_SECONDS", "_LONGEST_SECONDS"):
        monkeypatch.setattr(hits, name, 600.0)
    short.known[LIST[1:]] = listing(b"v1.0.0\n", stale=True)
    for _ in range(2):
        short.ask(LIST)
    await short.until_noted(2)
    assert short.proxy.refreshed == []
    monkeypatch.setattr(hits, limit, 0.0)
    short.ask(LIST)
    await short.until_refreshed()
    assert short.proxy.refreshed == [LIST[1:]]


async def test_a_fault_in_the_noting_does_not_end_it(short: Short, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = asyncio.Event()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: fault.set())
    with monkeypatch.context() as patch:
        patch.setattr(short.hits, "_row", None)
        short.ask(FILE)
        async with asyncio.timeout(20):
            await fault.wait()
    short.ask(FILE)
    await short.until_noted(1)


async def test_no_hit_of_another_thread_is_lost(short: Short) -> None:
    count = 5000

    def ask() -> None:
        for _ in range(count):
            assert short.ask(FILE)[0]

    thread = threading.Thread(target=ask)
    thread.start()
    while thread.is_alive():
        short.hits.settle()
        thread.join(0.001)
    short.hits.settle()
    assert short.requests("mod") == len(short.logged) == len(short.touched) == count
