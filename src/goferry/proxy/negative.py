"""Answers that say no, remembered for a short time, over restarts and over all workers.

`go` asks for every prefix of an import path, so most of what it asks does not exist; remembering that keeps the
upstream out of it. A version that was tagged a moment ago must not stay hidden, though: exact versions may go past
a remembered "no" a few times a minute and module.
"""

import json
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from goferry.errors import GoferryError, NotFound, Refused, StorageError, VerifyError
from goferry.gomod.goproxy import Request, never_a_module
from goferry.proxy.recent import Recent
from goferry.storage.base import BlobStore

T = TypeVar("T")

_PREFIX = ".goferry/negative/"
_FAMILIES: dict[str, type[GoferryError]] = {cls.code: cls for cls in (NotFound, Refused, VerifyError)}
_REMEMBERED = 20_000
"""Answers and modules kept in memory; older ones are read from the store again."""


@dataclass(frozen=True, slots=True)
class _No:
    error: GoferryError
    at: float


class Negatives:
    """Remembered refusals by storage key. `fresh` is seconds, `bypasses` a number a minute and module."""

    def __init__(
        self, store: BlobStore, *, fresh: float, bypasses: int, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._fresh = fresh
        self._bypasses = bypasses
        self._clock = clock
        self._known = Recent[str, _No](_REMEMBERED)
        self._bypassed = Recent[str, deque[float]](_REMEMBERED)

    async def get(self, key: str) -> GoferryError | None:
        """The refusal that still holds for `key`."""
        no = self._known.get(key) or await self._load(key)
        if no is None:
            return None
        return no.error if self._holds(no) else None

    def last(self, key: str) -> tuple[GoferryError, bool] | None:
        """The refusal, if that is the last thing known of `key` in this process, and whether it still holds."""
        no = self._known.get(key)
        return None if no is None else (no.error, self._holds(no))

    def _holds(self, no: _No) -> bool:
        return self._clock() - no.at < self._fresh

    async def put(self, key: str, error: GoferryError) -> None:
        """Remember the refusal if it is one; outages are never remembered. A store that can't keep it does no harm."""
        if _family(error) is None or self._fresh <= 0:
            return
        no = _No(error, self._clock())
        self._known[key] = no
        try:
            await self._store.put(_PREFIX + key, _encode(no), replace=True, durable=False)
        except StorageError:
            return

    async def forget(self, key: str) -> None:
        """The key exists now, or the refusal is too old."""
        self._known.pop(key, None)
        try:
            await self._store.delete(_PREFIX + key)
        except StorageError:
            return

    async def sweep(self) -> int:
        """Drop what has expired from the store; returns how many."""
        horizon = self._clock() - self._fresh
        old = [blob.key async for blob in self._store.keys(_PREFIX) if blob.mtime < horizon]
        for key in old:
            await self._store.delete(key)
        return len(old)

    def may_bypass(self, path: str) -> bool:
        """Whether an exact version of this module may be asked for again; counts as one bypass when it may."""
        now = self._clock()
        times = self._bypassed.get(path, deque(maxlen=max(self._bypasses, 1)))
        self._bypassed[path] = times
        if self._bypasses == 0 or (len(times) == self._bypasses and now - times[0] < 60):
            return False
        times.append(now)
        return True

    async def _load(self, key: str) -> _No | None:
        data = await self._store.read(_PREFIX + key)
        no = _decode(data) if data else None
        if no is not None:
            self._known[key] = no
        return no


class Gate:
    """Lets a request through to the upstream, unless the answer is known to be no."""

    def __init__(self, negatives: Negatives) -> None:
        self._negatives = negatives

    def was_refused(self, request: Request) -> bool:
        """Whether the upstream has said no to this request and has not said yes since."""
        return self._negatives.last(request.key) is not None

    def refusal(self, request: Request) -> tuple[GoferryError, bool] | None:
        """What the upstream said last, if that was no, and whether it may be taken for what it would say now."""
        return self._negatives.last(request.key)

    async def ask(self, request: Request, ask: Callable[[], Awaitable[T]]) -> T:
        """What `ask` returns. Its refusals are remembered; a remembered one is raised without asking."""
        if never_a_module(request.path):
            raise NotFound("{path}: no module can be at this path", path=request.path)
        no = await self._negatives.get(request.key)
        if no is not None and not (request.exact and self._negatives.may_bypass(request.path)):
            # Without the way of the last time: it would grow with each.
            raise no.with_traceback(None)
        try:
            answer = await ask()
        except GoferryError as error:
            await self._negatives.put(request.key, error)
            raise
        if self.was_refused(request):
            await self._negatives.forget(request.key)
        return answer


def _family(error: GoferryError) -> str | None:
    """The code of the refusal that the error is; the most special one first."""
    return next((cls.code for cls in (VerifyError, Refused, NotFound) if isinstance(error, cls)), None)


def _encode(no: _No) -> bytes:
    error = no.error
    parts = {
        name: value if isinstance(value, int | float) else str(value) for name, value in error.parts.items()
    }
    row = {
        "code": _family(error),
        "message": error.message,
        "hint": error.hint_key,
        "parts": parts,
        "at": no.at,
    }
    return json.dumps(row).encode()


def _decode(data: bytes) -> _No | None:
    """None for what cannot be read: a broken note about a refusal is no refusal."""
    try:
        row = json.loads(data)
        error = _FAMILIES[row["code"]](row["message"], hint=row["hint"], **row["parts"])
        return _No(error, float(row["at"]))
    except (ValueError, KeyError, TypeError):
        return None
