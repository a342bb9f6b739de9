"""Fetches what a client is about to ask for, so that it need not wait for the distance to the upstream.

Foresight.py says which. A zip is fetched when a graph is being loaded that needs it, or its .info was asked for after
its go.mod: that is a download under way. An .info without its .mod is somebody looking for upgrades; most of those
zips would never be asked for.

A guess must come true to be followed by others: so many files at most may be here, or on their way, that nobody has
asked for yet, and the fewer the more of them nobody came for. What a client asks for itself is fetched at once and
never waits behind a guess.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol

from goferry.errors import GoferryError
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.gomod.module import Version
from goferry.proxy.base import Answer, Guess, Observer, Silent
from goferry.proxy.coalesce import Flights
from goferry.proxy.foresight import Foresight
from goferry.proxy.recent import Recent

SMALL_AT_ONCE: Final = 8
SMALL_AHEAD: Final = 128
ZIPS_AT_ONCE: Final = 8
ZIPS_AHEAD: Final = 256
"""How many are fetched at once, and how many may be here or on their way that nobody has asked for."""

FEWEST_AHEAD: Final = 8
"""To how many that falls where guesses do not come true: by one for each, and it rises by one for each that does."""

PATIENCE: Final = 10.0
"""Seconds after which a guess that did not come true no longer counts, and for which there must have been no new one,
and none that came true, before those not begun are dropped: their client has gone."""

_NOTICED = 4096
"""Guesses of which it is noticed that they come true."""


class Fetch(Protocol):
    """Fetches a file, or finds it in the store; None when there is no point in asking.

    `proven` may be called when only the keeping is left, and answers whether a client waits for the file by now.
    """

    async def __call__(self, request: Request, proven: Callable[[], bool]) -> Answer | None: ...


class ReadAhead:
    """The guesses of one proxy. `is_private` tells the module paths that are never guessed.

    Nobody outside is asked about a private module before a client has done so: its go.mod may name modules that
    clients fetch by themselves.
    """

    def __init__(
        self,
        fetch: Fetch,
        flights: Flights,
        *,
        is_private: Callable[[str], bool],
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._observer = observer or Silent()
        self._is_private = is_private
        self._foresight = Foresight(clock=clock)
        self._small = _Lane("small", fetch, self._fetched, flights, SMALL_AT_ONCE, SMALL_AHEAD, clock)
        self._zips = _Lane("zips", fetch, self._fetched, flights, ZIPS_AT_ONCE, ZIPS_AHEAD, clock)

    def asked(self, request: Request) -> None:
        """A client asks for this file, which is not in the store."""
        module = request.module
        if request.kind is Kind.MOD:
            for version in self._foresight.mod_asked(module):
                if not self._is_private(version.path):
                    self.download(version)
        elif request.kind is Kind.INFO:
            for version in self._foresight.after_info(module):
                self._guess(Kind.INFO, version)
        self._came_true(request.kind, request.key)

    def served(self, key: str) -> None:
        """A client was served this file from the store, without anybody looking at the request."""
        if key in self._small.noticed:
            request = parse_request(key)
            self.asked(request)
            if request.kind is Kind.INFO:
                self.download(request.module)
        elif key in self._zips.noticed:
            self._came_true(Kind.ZIP, key)

    def arrived(self, request: Request, body: bytes | None) -> None:
        """The file is here, asked for by a client or guessed."""
        if request.kind is Kind.MOD and body is not None:
            for version in self._foresight.after_mod(request.module, body):
                self._guess(Kind.MOD, version)

    def download(self, module: Version) -> None:
        """The zip of this version will be asked for next."""
        request = _request(Kind.ZIP, module)
        if request is not None:
            self._zips.add(request)

    def _guess(self, kind: Kind, module: Version) -> None:
        if self._is_private(module.path):
            return
        request = _request(kind, module)
        if request is not None:
            self._small.add(request)

    def _fetched(self, request: Request, answer: Answer, *, is_true: bool) -> None:
        self._observer.guessed(request.kind, Guess.MADE)
        if is_true:
            self._observer.guessed(request.kind, Guess.TRUE)
        self.arrived(request, answer.body)

    def _came_true(self, kind: Kind, key: str) -> None:
        lane = self._zips if kind is Kind.ZIP else self._small
        if lane.came_true(key):
            self._observer.guessed(kind, Guess.TRUE)


@lru_cache(_NOTICED)
def _request(kind: Kind, module: Version) -> Request | None:
    """What asks for the file; None for what no proxy can be asked for, which a go.mod may require all the same.

    Remembered, as the go.mod files of a graph name the same versions again and again.
    """
    try:
        request = parse_request(request_path(kind, module.path, module.version))
    except GoferryError:
        return None
    return request if request.exact else None


class _Fetched(Protocol):
    """Is told of a guess that is here; whether a client has asked for it meanwhile."""

    def __call__(self, request: Request, answer: Answer, *, is_true: bool) -> None: ...


class _Lane:
    """Guesses that are fetched in their order, `at_once` of them, while fewer than `ahead` wait to come true."""

    def __init__(
        self,
        name: str,
        fetch: Fetch,
        fetched: _Fetched,
        flights: Flights,
        at_once: int,
        ahead: int,
        clock: Callable[[], float],
    ) -> None:
        self._name = name
        self._fetch = fetch
        self._fetched = fetched
        self._flights = flights
        self._at_once = at_once
        self._most = self._ahead = ahead
        self._clock = clock
        self._waiting: deque[Request] = deque(maxlen=_NOTICED)
        self._open = OrderedDict[str, float]()
        """Guesses that count, and since when: begun, and not come true yet."""
        self._active = clock()
        self._running = 0
        self._serial = 0
        self.noticed = Recent[str, bool](_NOTICED)
        """Keys of all guesses that have not come true yet, and whether they are here."""

    def add(self, request: Request) -> None:
        """A new guess, unless it was made already."""
        if request.key in self.noticed:
            return
        if self._clock() - self._active > PATIENCE:
            while self._waiting:
                self.noticed.pop(self._waiting.popleft().key, None)
        self._active = self._clock()
        self.noticed[request.key] = False
        self._waiting.append(request)
        self._go_on()

    def came_true(self, key: str) -> bool:
        """A client asks for it, guessed or not. Whether it was here before."""
        is_here = self.noticed.pop(key, None)
        if is_here is not None:
            self._active = self._clock()
            if self._open.pop(key, None) is not None or is_here:
                self._ahead = min(self._most, self._ahead + 1)
        self._go_on()
        return bool(is_here)

    def _go_on(self) -> None:
        if self._waiting and self._running < self._at_once and not self._is_full():
            self._running += 1
            self._serial += 1
            self._flights.ahead(f"read ahead {self._name} {self._serial}", lambda _: self._run())

    def _is_full(self) -> bool:
        horizon = self._clock() - PATIENCE
        while self._open and next(iter(self._open.values())) < horizon:
            self._open.popitem(last=False)
            self._ahead = max(FEWEST_AHEAD, self._ahead - 1)
        return len(self._open) >= self._ahead

    async def _run(self) -> None:
        """Fetches one after the other, until one is left to be kept: another run has begun then."""
        runs = True

        def end() -> None:
            nonlocal runs
            if runs:
                runs = False
                self._running -= 1

        def give_way() -> None:
            end()
            self._go_on()

        try:
            while runs and self._waiting and not self._is_full():
                request = self._waiting.popleft()
                if request.key in self.noticed:  # else a client has asked for it meanwhile
                    self._open[request.key] = self._clock()
                    await self._one(request, give_way)
        finally:
            end()

    async def _one(self, request: Request, give_way: Callable[[], None]) -> None:
        def proven() -> bool:
            give_way()
            return request.key not in self.noticed

        try:
            answer = await self._fetch(request, proven)
        except GoferryError:
            answer = None  # whoever asks for it will be told
        if answer is not None:
            is_true = request.key not in self.noticed
            if not is_true:
                self.noticed[request.key] = True
            self._fetched(request, answer, is_true=is_true)
