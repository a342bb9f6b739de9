"""Looks at everything once: which probes run when, and what waits for what. Nothing here knows what a record means.

    settings ─┬─ go (the user's command)
              ├─ names ── connections ── handshakes ── differentials, where something failed
              ├─ tunnels through forward proxies
              ├─ module proxies and checksum databases
              └─ repositories

All of it ends within `limits.look` seconds: what is not back by then is noted as skipped, and judged without.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar
from urllib.parse import quote

from goferry import __version__
from goferry.doctor.base import World
from goferry.doctor.evidence import (
    AnswerSeen,
    DateSeen,
    DialSeen,
    Evidence,
    HandshakeSeen,
    HopSeen,
    NameSeen,
    Role,
    RunSeen,
    SettingsSeen,
    Skipped,
    Subject,
    Target,
)
from goferry.doctor.gotrace import module_asked_last, module_awaited
from goferry.doctor.probes.forward import probe_tunnels
from goferry.doctor.probes.gorun import run_go
from goferry.doctor.probes.modules import ModulesSeen, look_at_modules, repository_urls
from goferry.doctor.probes.names import probe_names
from goferry.doctor.probes.path import (
    DialJob,
    HandshakeJob,
    deepen,
    git_dials,
    probe_dials,
    probe_handshakes,
)
from goferry.doctor.probes.trace import probe_ways
from goferry.doctor.probes.trust import portal_urls, probe_dates, probe_portal
from goferry.doctor.probes.vcs import probe_git
from goferry.doctor.roots import read_host_stores
from goferry.doctor.rules.scene import SLOW, facts_in, is_active
from goferry.doctor.secrets import Secrets
from goferry.doctor.settings import plan_targets, read_settings
from goferry.doctor.settings.proxies import decide
from goferry.doctor.settings.targets import target_of
from goferry.errors import Unavailable
from goferry.findings import Text
from goferry.i18n import N_, _
from goferry.net.httpproxy import ProxyConfig, ProxyUrl

T = TypeVar("T")

_ASKERS: Final = ("go", "hosts", "server", "public", "doh")
"""Whose answers are connected to: what go uses, and every other opinion on where the host is."""

_MOST_ADDRESSES: Final = 6
"""Addresses of one host and family that are tried."""

_MOST_OWNERS: Final = 2
"""Names of a certificate that are looked up."""

_MARGIN: Final = 0.5
"""Seconds that a program which was ended needs until its record is here."""


@dataclass(slots=True)
class _Board:
    """Who is still under way, for the live progress; when all must be over; what had to be left out."""

    world: World
    deadline: float
    skipped: list[Skipped]
    total: int = 0
    done: int = 0
    late: Text = field(default_factory=lambda: Text(N_("the time for looking was over")))
    """Why what is still under way at the deadline is left out."""
    waiting: set[asyncio.Timeout] = field(default_factory=set)

    def end_soon(self, seconds: float, why: Text) -> None:
        """Nothing is waited for longer than that from now on."""
        self.deadline = min(self.deadline, time.monotonic() + seconds)
        self.late = why
        when = asyncio.get_running_loop().time() + self.left()
        for timeout in self.waiting:
            if not timeout.expired():
                timeout.reschedule(when)

    def left(self) -> float:
        """Seconds until all must be over."""
        return max(0.0, self.deadline - time.monotonic())

    def reopen(self, seconds: float) -> None:
        """There is time for so long at least, as what took so long was well."""
        self.deadline = max(self.deadline, time.monotonic() + seconds)

    async def step(self, label: str, work: Coroutine[Any, Any, T], otherwise: T, *, longer: float = 0.0) -> T:
        """One part of the look, or `otherwise` when it is not over in time.

        label: an English key; longer: seconds for a part that ends by itself.
        """
        self.total += 1
        try:
            async with asyncio.timeout(max(longer, self.left())) as timeout:
                if not longer:
                    self.waiting.add(timeout)
                return await work
        except TimeoutError:
            self.skipped.append(Skipped(label, self.late))
            return otherwise
        finally:
            self.waiting.discard(timeout)
            self.done += 1
            self.world.progress(_(label), self.done, self.total)


async def look(world: World, subject: Subject) -> Evidence:
    """Everything that can be seen from here. Never raises for what is broken: that is what it looks for."""
    started, moment = time.monotonic(), time.time()
    settings, context, skipped = await asyncio.to_thread(read_settings, world)
    targets = plan_targets(settings, subject)
    settings = replace(settings, proxying=decide(settings, targets))
    board = _Board(world, started + world.limits.look, skipped=list(skipped))
    heard: list[bytes] = []
    go = asyncio.ensure_future(_go(board, settings, subject, heard))
    run, path, tunnels, (modules, git) = await asyncio.gather(
        go,
        _network(board, settings, targets),
        board.step(N_("asking forward proxies"), probe_tunnels(world, settings, targets), ()),
        _origins(board, settings, targets, subject, go, heard),
    )
    storage = storage_targets(targets, modules.answers)
    if storage:
        # Only the mirror's redirect told of these hosts, so they are looked at last.
        targets = (*targets, *storage)
        settings = replace(settings, proxying=decide(settings, targets))
        path = _joined(path, await _network(board, settings, storage))
    if any(one.seconds > world.limits.program for one in run):
        board.reopen(_AFTERWARDS)
    dates, portals = await _surroundings(board, targets, path, failed=any(one.exit for one in run))
    return Evidence(
        taken=moment,
        seconds=time.monotonic() - started,
        version=__version__,
        subject=subject,
        settings=settings,
        context=context,
        targets=targets,
        names=path.names,
        dials=path.dials,
        handshakes=path.handshakes,
        hops=path.hops,
        tunnels=tunnels,
        answers=(*modules.answers, *portals),
        sums=modules.sums,
        runs=tuple(_without(modules.secrets, one) for one in (*run, *git)),
        dates=dates,
        skipped=tuple(board.skipped),
    )


def _without(secrets: Secrets, run: RunSeen) -> RunSeen:
    return replace(run, output=secrets.clean(run.output), trace=secrets.clean(run.trace))


async def _go(
    board: _Board, settings: SettingsSeen, subject: Subject, heard: list[bytes]
) -> tuple[RunSeen, ...]:
    """The user's command, what it says being heard. A host or a URL that was asked about is none of go's business."""
    if subject.host or subject.url:
        return ()
    if not settings.go_path:
        board.skipped.append(
            Skipped("go", Text(N_("there is no go command here, so nothing was tried with it")))
        )
        return ()
    try:
        limits = board.world.limits
        running = run_go(
            board.world, subject, limit=limits.program, longest=limits.working, watch=heard.append
        )
        run = await board.step(N_("running go"), running, None, longer=limits.working + _MARGIN)
    except Unavailable as error:
        board.skipped.append(Skipped("go", Text.of(error)))
        return ()
    if run is not None and run.exit == -1:
        board.skipped.append(Skipped("go", Text(_WORKING if is_active(run) else _ENDED)))
    if run is not None and run.exit == 0 and run.seconds < SLOW:
        # There is no fault to find: what still waits for silent hosts would only fill a table.
        board.end_soon(_GRACE, Text(N_("go works, so nobody waited for it")))
    return () if run is None else (run,)


_ENDED: Final = N_("it was ended at its time limit, before its last words")
_WORKING: Final = N_(
    "it was ended at its time limit, before its last words, while it was still getting what it had asked for"
)

_AFTERWARDS: Final = 3.0
"""Seconds for clocks and sign-in pages behind a long run of go."""

_GRACE: Final = 1.5
"""Seconds for what is still under way when go has done its work quickly."""

_PATIENCE: Final = 3.0
"""Seconds that the questions about a module wait for go to name the one that it cannot get."""


async def _complained_of(
    go: "asyncio.Future[tuple[RunSeen, ...]]", settings: SettingsSeen, heard: Sequence[bytes]
) -> Subject:
    """The module that go soon fails at, or still waits for, for a project that needs many; nothing when it works."""
    done, _pending = await asyncio.wait({go}, timeout=_PATIENCE)
    if not done:
        return module_awaited(b"".join(heard).decode("utf-8", "replace"), settings.requires)
    runs = next(iter(done)).result()
    if not runs:
        # Without a go command the first requirement stands for all: mirrors are asked for it as go would ask.
        return module_awaited("", settings.requires)
    found = [
        fact.target for run in runs if run.exit > 0 for fact in facts_in(run.output) if fact.target.version
    ]
    if found:
        return Subject(module=found[0].module, version=found[0].version)
    # "zip: not a valid zip file" names nobody; the trace tells what came last.
    failed = next((run for run in runs if run.exit > 0), None)
    return Subject() if failed is None else module_asked_last(failed.trace)


async def _origins(
    board: _Board,
    settings: SettingsSeen,
    targets: Sequence[Target],
    subject: Subject,
    go: "asyncio.Future[tuple[RunSeen, ...]]",
    heard: Sequence[bytes],
) -> tuple[ModulesSeen, tuple[RunSeen, ...]]:
    """What mirrors say, and then the repositories that they or the import host lead to, where go might go direct."""
    world = board.world
    if subject == Subject():
        subject = await _complained_of(go, settings, heard)

    async def git(urls: Sequence[str]) -> tuple[RunSeen, ...]:
        limit = min(world.limits.program, board.left() - _MARGIN)
        if not urls or limit <= 0:
            return ()
        return await board.step(N_("asking repositories"), probe_git(world, settings, urls, limit=limit), ())

    goes_direct = any(target.role in (Role.CODE_HOST, Role.IMPORT_HOST) for target in targets)
    known = repository_urls(subject, ()) if goes_direct else ()
    asking = look_at_modules(world, settings, subject, left=board.left())
    modules, runs = await asyncio.gather(
        board.step(N_("asking module proxies"), asking, ModulesSeen()),
        git(known),
    )
    told = repository_urls(subject, modules.answers) if goes_direct else ()
    return modules, (*runs, *await git([url for url in told if url not in known]))


async def _surroundings(
    board: _Board, targets: Sequence[Target], path: "_Path", *, failed: bool
) -> tuple[tuple[DateSeen, ...], tuple[AnswerSeen, ...]]:
    """Clocks and sign-in pages, where something failed that they could explain."""
    if not failed and not any(shake.wrong for shake in path.handshakes):
        return (), ()
    world = board.world
    addresses = {dial.host: [dial.address] for dial in reversed(path.dials) if not dial.failure}
    routes = {_url(target): via for target, via in _proxied(world, targets)}
    urls = [url for target in targets if (url := _url(target)) in routes or target.host in addresses]
    hosts = [target.host for target in targets if target.scheme == "https" and not _is_address(target.host)]
    return await asyncio.gather(
        board.step(N_("comparing clocks"), probe_dates(world, urls, routes, addresses=addresses), ()),
        board.step(N_("looking for sign-in pages"), probe_portal(world, portal_urls(hosts)), ()),
    )


def storage_targets(targets: Sequence[Target], answers: Sequence[AnswerSeen]) -> tuple[Target, ...]:
    """Hosts that a mirror redirected to and that gave no answer; those that nothing else has been looked at for."""
    known = {target.host for target in targets}
    silent = (answer for answer in answers if answer.entry >= 0 and answer.failure and not answer.status)
    found = (target_of(answer.url, Role.STORAGE) for answer in silent)
    new = {target.host: target for target in found if target is not None and target.host not in known}
    return tuple(new.values())[:_MOST_STORAGES]


_MOST_STORAGES: Final = 2


def _joined(one: "_Path", other: "_Path") -> "_Path":
    return _Path(
        (*one.names, *other.names),
        (*one.dials, *other.dials),
        (*one.handshakes, *other.handshakes),
        (*one.hops, *other.hops),
    )


@dataclass(frozen=True, slots=True)
class _Path:
    """What was seen between here and the hosts."""

    names: tuple[NameSeen, ...]
    dials: tuple[DialSeen, ...]
    handshakes: tuple[HandshakeSeen, ...]
    hops: tuple[HopSeen, ...]


async def _network(board: _Board, settings: SettingsSeen, targets: Sequence[Target]) -> _Path:
    """Names, then connections to what they said, then handshakes on what connected, then differentials."""
    world = board.world
    hosts = list(dict.fromkeys(target.host for target in targets))
    names = await board.step(N_("asking for names"), probe_names(world, settings, hosts), ())
    places = list(dict.fromkeys(job for target in targets for job in _places(target, names)))
    dials = await board.step(N_("connecting"), probe_dials(world, places), ())
    jobs = [*_direct(targets, dials), *_tunnelled(world, targets)]
    stores, version = await asyncio.to_thread(read_host_stores, world, settings.git), settings.go_version
    trying = probe_handshakes(world, jobs, stores=stores, go_version=version)
    shakes = await board.step(N_("trying TLS"), trying, ())
    suspects = [
        deepen(world, target, address, stores=stores, go_version=version)
        for target, address in _suspects(targets, shakes)
    ]
    owners, hops, deeper = await asyncio.gather(
        board.step(N_("asking whose address it is"), _owners(world, settings, shakes), ()),
        board.step(N_("tracing hops"), probe_ways(world, dials, shakes), ()),
        asyncio.gather(*(board.step(N_("looking closer"), work, ()) for work in suspects)),
    )
    return _Path((*names, *owners), dials, (*shakes, *(shake for more in deeper for shake in more)), hops)


async def _owners(
    world: World, settings: SettingsSeen, shakes: Sequence[HandshakeSeen]
) -> tuple[NameSeen, ...]:
    """Where go finds the hosts for which a wrong certificate is right: at the same address, it is their address."""
    named = (
        name.lower()
        for shake in shakes
        if shake.wrong == "wrong_host" and shake.source == "go" and shake.chain
        for name in shake.chain[0].names[:_MOST_OWNERS]
    )
    hosts = list(dict.fromkeys(name for name in named if "*" not in name and not _is_address(name)))
    found = await probe_names(replace(world, public_dns=False), settings, hosts[:_MOST_OWNERS])
    return tuple(name for name in found if name.asker == "go")


def _places(target: Target, names: Iterable[NameSeen]) -> Iterable[DialJob]:
    """Each address of a host once, by whoever named it first in the order of `_ASKERS`."""
    source: dict[str, str] = {target.host: "go"} if _is_address(target.host) else {}
    for asker in _ASKERS:
        for name in names:
            if name.asker == asker and name.name == target.host:
                source |= {a: asker for a in (*name.addresses, *name.others) if a not in source}
    four = [address for address in source if ":" not in address]
    six = [address for address in source if ":" in address]
    for address in (*four[:_MOST_ADDRESSES], *six[:_MOST_ADDRESSES]):
        yield DialJob(target.host, address, target.port, source[address])
        if target.role is Role.CODE_HOST:
            yield from git_dials(target.host, [address], source[address])


def _direct(targets: Iterable[Target], dials: Iterable[DialSeen]) -> Iterable[HandshakeJob]:
    """Handshakes on what connected."""
    secure = {(target.host, target.port) for target in targets if target.scheme == "https"}
    for dial in dials:
        if not dial.failure and (dial.host, dial.port) in secure:
            yield HandshakeJob(dial.host, dial.address, dial.port, dial.host, source=dial.source)


def _tunnelled(world: World, targets: Iterable[Target]) -> Iterable[HandshakeJob]:
    """Handshakes through the forward proxy, where go would use one."""
    for target, via in _proxied(world, targets):
        yield HandshakeJob(target.host, "", target.port, target.host, via=via)


def _proxied(world: World, targets: Iterable[Target]) -> Iterable[tuple[Target, str]]:
    """The https targets that go reaches through a forward proxy, with its URL and credentials."""
    config = ProxyConfig.from_env(world.environ)
    for target in targets:
        if target.scheme == "https" and (proxy := config.proxy_for(_url(target)).proxy) is not None:
            yield target, _with_credentials(proxy)


def _url(target: Target) -> str:
    return f"{target.scheme}://{_bracketed(target.host)}:{target.port}/"


def _suspects(targets: Sequence[Target], shakes: Sequence[HandshakeSeen]) -> Iterable[tuple[Target, str]]:
    """The first address of each host on which TLS itself fails."""
    by_place = {(target.host, target.port): target for target in targets}
    seen: set[tuple[str, int]] = set()
    for shake in shakes:
        place = (shake.host, shake.port)
        if shake.failure and not shake.via and place not in seen:
            seen.add(place)
            yield by_place[place], shake.address


def _with_credentials(proxy: ProxyUrl) -> str:
    if proxy.user is None:
        return str(proxy)
    user = quote(proxy.user, safe="") + (
        "" if proxy.password is None else f":{quote(proxy.password, safe='')}"
    )
    return str(proxy).replace("://", f"://{user}@", 1)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _is_address(host: str) -> bool:
    return ":" in host or host.replace(".", "").isdigit()
