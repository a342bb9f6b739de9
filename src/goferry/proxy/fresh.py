"""Answers that change: lists, @latest, branches. Fresh for a short time, then old at once while one refresh runs.

The stored file is the truth and its mtime says when the upstream last confirmed it, so all workers and the next start
see the same freshness. When the upstream fails, old beats failing, for as long as configured; how soon it is asked
again then grows from a second to the freshness time, so that a dead upstream is not asked with every request.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

from goferry.errors import GoferryError, StorageError
from goferry.proxy.base import Outcome
from goferry.proxy.coalesce import Deliver, Flights
from goferry.proxy.recent import Recent
from goferry.storage.base import BlobStore

Refresh = Callable[["Entry | None"], Awaitable[bytes]]
"""Asks the upstream; is given what is known so far and returns the whole new body."""

_IN_MEMORY = 20_000
_FIRST_WAIT = 1.0

_BACKGROUND = 8
"""Refreshes behind answers that were given already, at once: those who wait for something come first."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A body and when it was last confirmed (seconds since the epoch)."""

    body: bytes
    confirmed: float


@dataclass(slots=True)
class _Trouble:
    """The last refresh failed: not before `until`, then with the next longer wait."""

    until: float
    wait: float


class FreshCache:
    """Changing answers by storage key. `fresh` and `stale_for` are seconds."""

    def __init__(
        self,
        store: BlobStore,
        flights: Flights,
        *,
        fresh: float,
        stale_for: float,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._flights = flights
        self._fresh = fresh
        self._stale_for = stale_for
        self._clock = clock
        self._memory = Recent[str, Entry](_IN_MEMORY)
        self._trouble: dict[str, _Trouble] = {}
        self._background = asyncio.Semaphore(_BACKGROUND)

    async def get(self, key: str, refresh: Refresh, *, wait: bool = False) -> tuple[Entry, Outcome]:
        """The answer, and how it came about. With `wait` an old one is refreshed before it is given away.

        Raises what `refresh` raised when there is nothing old enough to serve.
        """
        entry = self._memory.get(key)
        if entry is not None and self._is_fresh(entry):
            return entry, Outcome.HIT
        entry = await self.peek(key)
        if entry is not None and self._is_fresh(entry):
            return entry, Outcome.HIT
        if entry is None or self._is_too_old(entry):
            fresh, joined = await self._flights.run(key, lambda deliver: self._refresh(key, refresh, deliver))
            return fresh, Outcome.COALESCED if joined else Outcome.MISS
        if not wait or self._in_trouble(key):
            self.refresh_old(key, refresh)
            return entry, Outcome.STALE
        try:
            fresh, _ = await self._flights.run(key, lambda deliver: self._refresh(key, refresh, deliver))
            return fresh, Outcome.MISS
        except GoferryError:
            return entry, Outcome.STALE

    def known(self, key: str) -> tuple[Entry, Outcome] | None:
        """The answer that is in memory, if it may be given before it is refreshed; from any thread.

        An old one is to be refreshed by whoever gives it (`refresh_old`).
        """
        entry = self._memory.get(key)
        if entry is None or self._is_too_old(entry):
            return None
        return entry, Outcome.HIT if self._is_fresh(entry) else Outcome.STALE

    def refresh_old(self, key: str, refresh: Refresh) -> None:
        """Refresh an answer that was given although it is old, unless that failed a moment ago."""
        if not self._in_trouble(key):
            self.ahead(key, refresh)

    def ahead(self, key: str, refresh: Refresh) -> None:
        """Refresh it in the background."""

        async def work(deliver: Deliver[Entry]) -> Entry:
            async with self._background:
                return await self._refresh(key, refresh, deliver)

        self._flights.ahead(key, work)

    async def peek(self, key: str) -> Entry | None:
        """What is known without asking anybody."""
        blob = await self._store.stat(key)
        known = self._memory.get(key)
        if blob is None:
            return known
        if known is not None and known.confirmed >= blob.mtime:
            return known
        body = await self._store.read(key)
        return None if body is None else self._remember(key, Entry(body, blob.mtime))

    def amend(self, key: str, change: Callable[[bytes], bytes]) -> None:
        """Change what is in memory without confirming it (a version was stored that the list does not name)."""
        entry = self._memory.get(key)
        if entry is not None:
            self._memory[key] = replace(entry, body=change(entry.body))

    async def _refresh(self, key: str, refresh: Refresh, deliver: Deliver[Entry]) -> Entry:
        async with self._store.lock(key):
            entry = await self.peek(key)
            if entry is not None and self._is_fresh(entry):
                return entry
            try:
                body = await refresh(entry)
            except GoferryError:
                if entry is not None:
                    self._postpone(key)
                raise
            self._trouble.pop(key, None)
            new = self._remember(key, Entry(body, self._clock()))
            deliver(new)
            await self._keep(key, entry, body)
            return new

    async def _keep(self, key: str, entry: Entry | None, body: bytes) -> None:
        """Put it on disk; a store that is full or read-only must not keep a good answer from being given."""
        try:
            if entry is not None and entry.body == body and await self._store.stat(key):
                await self._store.touch(key)
            else:
                await self._store.put(key, body, replace=True)
        except StorageError:
            return

    def _remember(self, key: str, entry: Entry) -> Entry:
        self._memory[key] = entry
        return entry

    def _is_fresh(self, entry: Entry) -> bool:
        return self._age(entry) < self._fresh

    def _is_too_old(self, entry: Entry) -> bool:
        return self._age(entry) > self._stale_for

    def _age(self, entry: Entry) -> float:
        return self._clock() - entry.confirmed

    def _in_trouble(self, key: str) -> bool:
        trouble = self._trouble.get(key)
        return trouble is not None and self._clock() < trouble.until

    def _postpone(self, key: str) -> None:
        last = self._trouble.get(key)
        wait = min(last.wait * 2, max(self._fresh, _FIRST_WAIT)) if last else _FIRST_WAIT
        self._trouble[key] = _Trouble(self._clock() + wait, wait)
