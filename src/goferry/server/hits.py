"""The short way: what is asked for plainly and known here, which is nearly all of the traffic. That is immutable files
that are in the store, and lists and @latest that are in memory; old ones are asked for anew behind.

A hit is answered in granian's thread, where the request arrives: one look into a table, now and then a stat, two
messages that were made before. The way to the event loop and back would cost more than all of that, and behind the
loop's other work a hit would wait (docs/adr/0024-hits-on-the-spot.md). What is left to be noted of it (counters, the
log, what was used) is for the loop, a few milliseconds later, for many hits at once.
"""

import asyncio
from collections.abc import Callable, Mapping
from time import perf_counter, time
from typing import Any, Final, NamedTuple

from goferry.gomod.goproxy import Kind
from goferry.proxy.base import Answer, Outcome
from goferry.proxy.recent import Recent
from goferry.server import metrics
from goferry.server.accesslog import Entry
from goferry.server.base import ModuleProxy
from goferry.server.files import Ready, ReadyFiles
from goferry.server.replies import Content

_SPECIAL: Final = frozenset(
    {b"range", b"if-none-match", b"if-modified-since", b"if-range", b"disable-module-fetch"}
)
"""Headers by which a request asks for something else than everything, from wherever it is known."""

_PERCENT: Final = ord("%")
_SETTLE_SECONDS: Final = 0.003
"""How long hits may wait to be noted while more of them come. What is read ahead follows what is used."""

_QUIET_SECONDS: Final = 0.1
_LONGEST_SECONDS: Final = 2.0
"""Lists that were given although they are old are asked for anew when nobody has asked for anything for so long, or
when one has waited so long: an upgrade check asks for hundreds, and its next question comes first."""

_FILES: Final = (Kind.INFO, Kind.MOD, Kind.ZIP)
_CHANGING: Final = ("/@v/list", "/@latest")
_SERIES: Final = (
    *((kind, Outcome.HIT) for kind in (*_FILES, Kind.LIST, Kind.LATEST)),
    (Kind.LIST, Outcome.STALE),
    (Kind.LATEST, Outcome.STALE),
)
_MADE: Final = 4096
"""Lists and @latest whose messages are kept."""

Send = Callable[[dict[str, Any]], object]


class _Hit(NamedTuple):
    """A request that was answered: `started` by perf_counter, `seconds` until the answer was handed over."""

    file: Ready
    outcome: Outcome
    started: float
    seconds: float
    client: str
    path: str
    agent: bytes


class Hits:
    """Answers from `files`, and what `proxy` knows. `answer` is for granian's thread, everything else for the event
    loop.

    `content_of` makes of an answer of a kind what goes over HTTP, `agent_of` makes text of a User-Agent header.
    """

    def __init__(
        self,
        files: ReadyFiles,
        row: metrics.Row,
        proxy: ModuleProxy,
        *,
        content_of: Callable[[Answer, str], Content],
        agent_of: Callable[[bytes], str],
        log: Callable[[list[Entry]], None] | None,
    ) -> None:
        self.last = 0.0
        """When the last one was answered, by perf_counter."""
        self._find = files.find
        self._known = proxy.known
        self._refresh = proxy.refresh
        self._touch = proxy.touch
        self._content_of = content_of
        self._made = Recent[str, tuple[Answer, Ready]](_MADE)
        self._row = row
        for kind, outcome in _SERIES:  # on the page of metrics before they have counted anything
            row.cell(metrics.REQUESTS, kind, outcome, "200")
            row.cell(metrics.RESPONSE_BYTES, kind)
            row.cell(metrics.REQUEST_SECONDS, kind)
        self._agent_of = agent_of
        self._log = log
        self._unsettled: list[_Hit] = []
        self._is_awaited = False
        self._old: dict[str, float] = {}
        """Keys to be asked for anew, and when they were given."""
        self._loop = asyncio.get_running_loop()

    def answer(self, scope: Mapping[str, Any], send: Send) -> bool | None:
        """Answer a request for something whole, without conditions and by a path that needs no decoding.

        None when it is another request, False when what is at this very path is not known here.
        """
        if scope["method"] != "GET" or _PERCENT in scope["raw_path"]:
            return None
        started = perf_counter()
        agent = b""
        for name, value in scope["headers"]:
            if name in _SPECIAL:
                return None
            if name == b"user-agent":
                agent = value
        path, outcome = scope["path"], Outcome.HIT
        if path.endswith(_CHANGING):
            file, outcome = self._changing(path)
        else:
            file = self._find(path, started)
        if file is None:
            return False
        send(file.start)
        send(file.body)
        self.last = started
        seconds = perf_counter() - started
        # Adding to a list is one step for all threads; the loop takes the front of it away in one, too.
        self._unsettled.append(_Hit(file, outcome, started, seconds, scope["client"][0], path, agent))
        if not self._is_awaited:
            self._is_awaited = True
            self._loop.call_soon_threadsafe(self._settle_and_wait)
        return True

    def _changing(self, path: str) -> tuple[Ready | None, Outcome]:
        key = path[1:]
        answer = self._known(key)
        if answer is None:
            return None, Outcome.HIT
        known, made = self._made.get(path, (None, None))
        if made is None or known != answer:
            kind = Kind.LIST if path.endswith("/@v/list") else Kind.LATEST
            made = Ready(key, kind, self._content_of(answer, kind))
            self._made[path] = (answer, made)
        return made, Outcome.STALE if answer.stale else Outcome.HIT

    def settle(self) -> None:
        """Note all that was answered until now."""
        hits = self._unsettled[:]
        del self._unsettled[: len(hits)]
        series: dict[tuple[str, Outcome], list[_Hit]] = {}
        for hit in hits:
            series.setdefault((hit.file.kind, hit.outcome), []).append(hit)
        for key, some in series.items():
            self._count(*key, some)
            self._note(*key, some)
        if hits and self._log is not None:
            offset, agent_of = time() - perf_counter(), self._agent_of
            self._log(
                [
                    Entry(
                        started + seconds + offset,
                        client,
                        "GET",
                        path,
                        200,
                        file.content.size,
                        seconds,
                        outcome,
                        file.kind,
                        agent_of(agent),
                    )
                    for file, outcome, started, seconds, client, path, agent in hits
                ]
            )

    def _count(self, kind: str, outcome: Outcome, hits: list[_Hit]) -> None:
        """Count hits of one series together."""
        self._row.add(len(hits), metrics.REQUESTS, kind, outcome, "200")
        self._row.add(sum([hit.file.content.size for hit in hits]), metrics.RESPONSE_BYTES, kind)
        self._row.observe_all([hit.seconds for hit in hits], metrics.REQUEST_SECONDS, kind)

    def _note(self, kind: str, outcome: Outcome, hits: list[_Hit]) -> None:
        """What was used, and what is old."""
        if kind in _FILES:
            for hit in hits:
                self._touch(hit.file.key)
        elif outcome is Outcome.STALE:
            for hit in hits:
                self._old.setdefault(hit.file.key, hit.started)

    def _settle_and_wait(self) -> None:
        """Note what there is, and look again in a moment, until there is nothing."""
        if not self._unsettled and not self._old:
            self._is_awaited = False
            # One may have come since the look, and have seen that it was awaited.
            if not self._unsettled:
                return
            self._is_awaited = True
        # First, so that a fault in what follows does not end it.
        self._loop.call_later(_SETTLE_SECONDS, self._settle_and_wait)
        self.settle()
        self._refresh_old()

    def _refresh_old(self) -> None:
        now = perf_counter()
        first = next(iter(self._old.values()), now)
        if now - self.last >= _QUIET_SECONDS or now - first >= _LONGEST_SECONDS:
            old, self._old = self._old, {}
            for key in old:
                self._refresh(key)
