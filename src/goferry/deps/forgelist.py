"""Asks code hosts which repositories of a build list are archived: politely, and nothing twice.

One question at a time to each host. Answers are kept with their age, and asked for anew with the mark that lets the
host say "as before". A host that has had enough (its own counters, Retry-After), or does not answer, is left alone for
the rest of the run; what it was not asked about is named, and older answers count meanwhile.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from goferry.config import Settings
from goferry.deps.base import Module, Supply
from goferry.deps.forges import (
    Closed,
    Forge,
    Known,
    Repository,
    State,
    forges,
    origin_of,
    read,
    repository_of,
    request,
    token_of,
)
from goferry.errors import ConfigError, GoferryError, Refused, Unavailable, UpstreamError
from goferry.gomod.module import match_prefix_patterns
from goferry.i18n import N_
from goferry.net.backoff import retry_after
from goferry.net.base import HttpClient, Response
from goferry.net.client import Client, ClientOptions
from goferry.places import default_store
from goferry.rewriting import write_private

FILE: Final = "forges.json"
_MOST: Final = 4 * 2**20
_GONE: Final = frozenset({404, 410, 451})
_LONGEST: Final = 5
"""An answer counts for so many times its age limit when its host cannot be asked."""

Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of it: by module path, what is not open; and what nobody could be asked about, with the reason."""

    closed: Mapping[str, Closed] = field(default_factory=dict)
    unasked: Mapping[str, GoferryError] = field(default_factory=dict)


class Book:
    """The answers that are kept: a cache, so a file that is damaged is one that is empty."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._known = self._read()

    def get(self, repository: Repository) -> Known | None:
        return self._known.get(str(repository))

    def put(self, repository: Repository, known: Known) -> None:
        self._known[str(repository)] = known

    def save(self) -> None:
        """With what other processes wrote meanwhile, where that is newer."""
        if self._file is None:
            return
        for name, known in self._read().items():
            mine = self._known.get(name)
            if mine is None or mine.asked < known.asked:
                self._known[name] = known
        form = {name: [one.state.value, one.asked.isoformat(), one.etag] for name, one in self._known.items()}
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_private(self._file, json.dumps(form, indent=0, sort_keys=True).encode())

    def _read(self) -> dict[str, Known]:
        try:
            data = json.loads(self._file.read_bytes()) if self._file else {}
            return {name: _known(*one) for name, one in data.items()}
        except (OSError, ValueError, TypeError, AttributeError, RecursionError):
            return {}


def _known(state: Any, asked: Any, etag: Any) -> Known:
    when = datetime.fromisoformat(asked)
    return Known(State(state), when if when.tzinfo else when.replace(tzinfo=UTC), str(etag))


@dataclass(slots=True)
class Asker:
    """Asks for one run. What was asked for one project is known for the next."""

    client: HttpClient
    book: Book
    hosts: tuple[Forge, ...]
    tokens: Mapping[str, str]
    """By host."""
    max_age: float
    private: str = ""
    """Patterns of modules that are nobody's business: only a host that we have a token for is asked about them."""
    offline: bool = False
    variables: frozenset[str] = frozenset()
    """The variables that are set, by their names alone."""
    clock: Callable[[], float] = time.time
    _left: dict[str, GoferryError] = field(init=False, default_factory=dict)
    """Hosts that are left alone, and why."""
    _turns: dict[str, asyncio.Lock] = field(init=False, default_factory=dict)

    async def look(self, modules: Sequence[Module], supply: Supply, step: Step | None = None) -> Looked:
        """Of all these modules, those that are required directly first: a host may have enough before the end."""
        found: dict[Repository, list[str]] = {}
        for module in sorted(modules, key=lambda one: one.indirect):
            repository = await self._repository(module, supply)
            if repository is not None and self._may_ask(module, repository):
                found.setdefault(repository, []).append(module.path)
        done = 0

        async def one(repository: Repository) -> Known | GoferryError:
            nonlocal done
            async with self._turns.setdefault(repository.forge.host, asyncio.Lock()):
                known = await self._ask(repository)
            done += 1
            if step is not None:
                step(done, len(found))
            return known

        answers = dict(zip(found, await asyncio.gather(*map(one, found)), strict=True))
        self.book.save()
        closed = {
            path: Closed(known.state, str(repository), known.asked)
            for repository, known in answers.items()
            if isinstance(known, Known) and known.state is not State.OPEN
            for path in found[repository]
        }
        unasked = {
            path: why
            for repository, why in answers.items()
            if isinstance(why, GoferryError)
            for path in found[repository]
        }
        return Looked(closed, unasked)

    async def _repository(self, module: Module, supply: Supply) -> Repository | None:
        """By its path where that says it; else its .info may."""
        source = module.source
        if source is None:
            return None
        found = repository_of(source.path, "", self.hosts)
        if found is not None and found.forge.kind != "gitlab":
            return found
        try:
            origin = origin_of(await supply.info(source))
        except GoferryError:
            return found
        return repository_of(source.path, origin, self.hosts)

    def _may_ask(self, module: Module, repository: Repository) -> bool:
        return bool(self.tokens.get(repository.forge.host)) or not match_prefix_patterns(
            self.private, module.path
        )

    async def _ask(self, repository: Repository) -> Known | GoferryError:
        before = self.book.get(repository)
        age = self.clock() - before.asked.timestamp() if before else 0.0
        if before is not None and age <= self.max_age:
            return before
        try:
            known = await self._answer(repository, before)
        except GoferryError as why:
            return before if before is not None and age <= _LONGEST * self.max_age else why
        self.book.put(repository, known)
        return known

    async def _answer(self, repository: Repository, before: Known | None) -> Known:
        forge = repository.forge
        if self.offline:
            raise Unavailable("{host} is not asked: offline", host=forge.host)
        if forge.host in self._left:
            raise self._left[forge.host]
        url, headers = request(repository, self.tokens.get(forge.host, ""), before.etag if before else "")
        try:
            async with self.client.get(url, headers=headers) as response:
                return await self._read(repository, response, before)
        except UpstreamError as why:
            self._left.setdefault(forge.host, why)
            raise

    async def _read(self, repository: Repository, response: Response, before: Known | None) -> Known:
        now = datetime.fromtimestamp(self.clock(), UTC).replace(microsecond=0)
        headers = {name.lower(): value for name, value in response.headers.items()}
        etag = headers.get("etag", "")
        if response.status == 304 and before is not None:
            return Known(before.state, now, before.etag)
        if response.status in _GONE:
            return Known(State.GONE, now)
        if response.status == 200:
            known = Known(read(await response.read(_MOST)), now, etag)
            if headers.get("x-ratelimit-remaining") == "0":
                self._left[repository.forge.host] = self._enough(repository.forge, headers, now)
            return known
        if response.status == 429 or _is_limit(response.status, headers):
            raise self._enough(repository.forge, headers, now)
        raise self._refused(repository, response.status)

    def _enough(self, forge: Forge, headers: Mapping[str, str], now: datetime) -> GoferryError:
        until = _until(headers, now)
        hint = None if self.tokens.get(forge.host) else N_("a token in {variable} allows more")
        return Unavailable(
            "{host} wants no more questions until {time}",
            hint=hint,
            host=forge.host,
            time=until.isoformat() if until else "?",
            variable=forge.variables[0],
        )

    def _refused(self, repository: Repository, status: int) -> GoferryError:
        forge = repository.forge
        if status == 401:
            return UpstreamError(
                "{host} answers HTTP {status}",
                hint=N_("is the token in {variable} a valid one?"),
                host=forge.host,
                status=status,
                variable=next(
                    (name for name in forge.variables if name in self.variables), forge.variables[0]
                ),
            )
        if status >= 500:
            return UpstreamError("{host} answers HTTP {status}", host=forge.host, status=status)
        return Refused("{host} answers HTTP {status}", host=forge.host, status=status)


def _is_limit(status: int, headers: Mapping[str, str]) -> bool:
    """GitHub says 403 for a limit, too."""
    return status == 403 and (headers.get("x-ratelimit-remaining") == "0" or "retry-after" in headers)


def _until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    wait = retry_after(headers.get("retry-after", ""), now)
    if wait is None:
        reset = headers.get("x-ratelimit-reset") or headers.get("ratelimit-reset") or ""
        wait = (
            float(reset) - now.timestamp()
            if reset.isascii() and reset.isdigit() and len(reset) < 12
            else None
        )
    return None if wait is None else datetime.fromtimestamp(now.timestamp() + max(wait, 0.0), UTC)


@asynccontextmanager
async def open_asker(settings: Settings, environ: Mapping[str, str]) -> AsyncIterator[Asker | None]:
    """Who asks, as the settings say; nobody unless they do."""
    if not settings.ask_forges:
        yield None
        return
    hosts = forges(settings.forges)
    client = Client(ClientOptions.of(settings, environ))
    try:
        yield Asker(
            client,
            Book(_place(environ)),
            hosts,
            {forge.host: token_of(forge, environ) for forge in hosts},
            settings.forge_max_age,
            settings.private,
            settings.offline,
            frozenset(name for forge in hosts for name in forge.variables if environ.get(name)),
        )
    finally:
        await client.close()


def _place(environ: Mapping[str, str]) -> Path | None:
    """Beside the default store; without a home nothing is kept."""
    try:
        return default_store(environ).parent / FILE
    except ConfigError:
        return None
