"""`goferry warm`: fill the store with everything that module graphs need, before anybody waits for it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.cache import human_size
from goferry.cli.console import Console, pass_console
from goferry.cli.environment import complete, go_environment
from goferry.cli.flags import load_settings, settings_flags
from goferry.cli.progress import Progress, showing
from goferry.cli.provable import SumProxy, make_provable
from goferry.config import Settings
from goferry.deps.sources import Exact, local_requirements, read, requirements
from goferry.errors import GoferryError, InvalidInput, NotFound, StorageError
from goferry.gomod import goenv, module
from goferry.gomod.goproxy import Kind, Request, parse_request, request_path
from goferry.gomod.modgraph import Graph, Local, Mains, Requirements
from goferry.gomod.module import Version
from goferry.gomod.sumdb.lookup import Database, lookup_path
from goferry.gomod.sumdb.note import parse_verifier
from goferry.i18n import N_, _, ngettext
from goferry.proxy.base import Answer

if TYPE_CHECKING:
    from goferry.proxy.service import ModuleProxy

SUMMARY = N_("Fill the store with everything a module graph needs.")
JOBS: Final = 16


class Proxy(Protocol):
    """The part of the module proxy that is needed here."""

    async def answer(self, request: Request) -> Answer: ...


@dataclass(frozen=True, slots=True)
class Failure:
    """A file that could not be had."""

    key: str
    error: GoferryError

    def to_json(self) -> dict[str, str]:
        return {"key": self.key, "code": self.error.code, "error": str(self.error)}


@dataclass(slots=True)
class Outcome:
    """What was done: files and bytes by kind, what failed, and what failed but go itself does not ask for."""

    files: dict[Kind, int] = field(default_factory=lambda: {Kind.MOD: 0, Kind.INFO: 0, Kind.ZIP: 0})
    size: int = 0
    failed: list[Failure] = field(default_factory=list)
    unneeded: list[Failure] = field(default_factory=list)
    modules: list[Version] = field(default_factory=list)
    """The versions of which something is in the store now."""

    def to_json(self) -> dict[str, Any]:
        return {
            "files": {str(kind): count for kind, count in self.files.items()},
            "bytes": self.size,
            "failed": [failure.to_json() for failure in self.failed],
            "unneeded": [failure.to_json() for failure in self.unneeded],
        }


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Fill the store with everything that the module graphs of go.mod and go.work files need, or with exactly "
        "what go.sum files name. A folder stands for its go.work or go.mod; the default is the working folder. "
        "Exit status 1 when something could not be had."
    ),
)
@click.argument("files", metavar="[go.mod|go.work|go.sum|DIR]...", nargs=-1)
@option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=JOBS, metavar="N", help=N_("Requests at once.  [16]")
)
@json_option
@settings_flags("warm")
@pass_console
def command(console: Console, /, files: tuple[str, ...], jobs: int, as_json: bool, **given: Any) -> int:
    from goferry.proxy.assemble import open_proxy  # heavy: --help does not need the network stack

    ready = complete(load_settings(console, given, as_json=as_json), go_environment(console.environ))
    for warning in ready.warnings:
        console.warn(warning)
    wanted = [read(Path(console.cwd, file)) for file in files or ["."]]
    settings = replace(ready.settings, read_ahead=False)  # all that is wanted is asked for right away

    async def run() -> Outcome:
        async with open_proxy(settings) as proxy:
            with showing(console, _("warming"), quiet=as_json) as bar:
                outcome = await warm(proxy, wanted, jobs, bar)
                if client := sumdb_client(ready.settings):
                    outcome.failed += await prove(proxy, client, outcome.modules, ready.settings, jobs)
                if ready.settings.own_log:
                    outcome.failed += await record(proxy, outcome.modules, jobs)
                return outcome

    outcome = asyncio.run(run())
    if as_json:
        console.json(outcome.to_json())
    else:
        report(console, outcome)
    return 1 if outcome.failed else 0


def sumdb_client(settings: Settings) -> Callable[[], Database] | None:
    """Makes clients of the checksum database that downloads are proven by; None when that is off."""
    spec = goenv.parse_sumdb(settings.sumdb.partition(",")[0].strip())
    return None if spec is None else lambda: Database(parse_verifier(spec.key))


async def prove(
    proxy: SumProxy, client: Callable[[], Database], modules: Iterable[Version], settings: Settings, jobs: int
) -> list[Failure]:
    """Lets the store prove these modules offline, private ones apart; returns what failed."""
    public = [m for m in modules if not module.match_prefix_patterns(settings.private, m.path)]
    failed = await make_provable(proxy, client, public, jobs)
    return [Failure(key, error) for key, error in failed.items()]


async def record(proxy: "ModuleProxy", modules: Iterable[Version], jobs: int) -> list[Failure]:
    """Has the log of one's own vouch for all of these, so that it can do so offline; returns what it can't."""
    slots = asyncio.Semaphore(jobs)
    failed: list[Failure] = []

    async def one(version: Version) -> None:
        async with slots:
            try:
                await proxy.prove_own(version)
            except StorageError:
                raise
            except GoferryError as error:
                failed.append(Failure(lookup_path(version), error))

    async with asyncio.TaskGroup() as group:
        for version in modules:
            group.create_task(one(version))
    return failed


async def warm(proxy: Proxy, wanted: Sequence[Mains | Exact], jobs: int, bar: Progress) -> Outcome:
    """Asks the proxy for every file once. StorageError ends it: a full disk stays full."""
    worker = _Worker(proxy, jobs, bar)
    mods: dict[Version, None] = {}
    zips: dict[Version, None] = {}
    needed: set[Version] = set()
    for item in wanted:
        if isinstance(item, Exact):
            mods |= dict.fromkeys(item.mods)
            needed |= set(item.mods)
            zips |= dict.fromkeys(item.zips)
            continue
        graph = await worker.grow(item)
        sources = [item.source(version) for version in graph.build_list()]
        zips |= dict.fromkeys(source for source in sources if isinstance(source, Version))
        needed |= {source for v in graph.needed() if isinstance(source := item.source(v), Version)}
    await worker.get((Kind.MOD, version) for version in mods)
    await worker.get((kind, version) for version in zips for kind in (Kind.INFO, Kind.ZIP))
    return worker.outcome({request_path(Kind.MOD, version.path, version.version) for version in needed})


class _Worker:
    """Asks for files, at most `jobs` at a time, each one once, and keeps count."""

    def __init__(self, proxy: Proxy, jobs: int, bar: Progress) -> None:
        self._proxy = proxy
        self._slots = asyncio.Semaphore(jobs)
        self._bar = bar
        self._done: dict[str, Answer | GoferryError] = {}
        self._total = 0

    async def grow(self, mains: Mains) -> Graph:
        """The whole module graph below these main modules: go reads less, but `go mod tidy` and older commands read
        on into it. Nothing is lost when such a piece is missing."""
        graph = Graph(mains)
        while missing := graph.missing(whole=True):
            sources = {version: mains.source(version) for version in missing}
            await self.get((Kind.MOD, source) for source in sources.values() if isinstance(source, Version))
            for version, source in sources.items():
                graph.add(version, await self._requirements(source))
        return graph

    async def _requirements(self, source: Version | Local) -> Requirements | None:
        if isinstance(source, Local):
            try:
                return local_requirements(source)
            except NotFound:
                return None  # go would not build it, but there is nothing to fetch here either
        key = request_path(Kind.MOD, source.path, source.version)
        answer = self._done[key]
        if isinstance(answer, GoferryError):
            return None
        try:
            return requirements(key, await _body(answer))
        except InvalidInput as error:
            self._done[key] = error
            return None

    async def get(self, files: Iterable[tuple[Kind, Version]]) -> None:
        """Asks for all of these that were not asked for yet."""
        requests = {
            key: parse_request(key)
            for kind, version in files
            if (key := request_path(kind, version.path, version.version)) not in self._done
        }
        self._total += len(requests)
        async with asyncio.TaskGroup() as group:
            for key, request in requests.items():
                group.create_task(self._get(key, request))

    async def _get(self, key: str, request: Request) -> None:
        async with self._slots:
            try:
                self._done[key] = await self._proxy.answer(request)
            except StorageError:
                raise
            except GoferryError as error:
                self._done[key] = error
        self._bar.update(len(self._done), self._total, key)

    def outcome(self, needed: set[str]) -> Outcome:
        """`needed` are the keys of go.mod files that the go command reads itself."""
        outcome = Outcome()
        modules: dict[Version, None] = {}
        for key, answer in self._done.items():
            request = parse_request(key)
            kind = request.kind
            if not isinstance(answer, GoferryError):
                if kind is not Kind.INFO:
                    modules[request.module] = None
                outcome.files[kind] += 1
                outcome.size += answer.size
            elif kind is Kind.MOD and key not in needed:
                outcome.unneeded.append(Failure(key, answer))
            else:
                outcome.failed.append(Failure(key, answer))
        outcome.modules = list(modules)
        return outcome


async def _body(answer: Answer) -> bytes:
    if answer.body is not None:
        return answer.body
    assert answer.file is not None
    return await asyncio.to_thread(answer.file.read_bytes)


def report(console: Console, outcome: Outcome) -> None:
    """The failures and the sum, for people."""
    for failure in outcome.failed:
        console.warn(f"{failure.key}: {failure.error}")
    if outcome.unneeded:
        console.note(
            ngettext(
                "{n} go.mod file that go does not read itself could not be had",
                "{n} go.mod files that go does not read itself could not be had",
                len(outcome.unneeded),
            ).format(n=len(outcome.unneeded))
        )
    console.out(
        _("{zips} zips, {mods} go.mod and {infos} .info files in the store, {size}; {failed} failed").format(
            zips=outcome.files[Kind.ZIP],
            mods=outcome.files[Kind.MOD],
            infos=outcome.files[Kind.INFO],
            size=human_size(outcome.size),
            failed=len(outcome.failed),
        )
    )
