"""Gathers what `judge` needs to know about projects, one after the other, through one supply.

What cannot be had never stops an audit: it becomes a problem of its project, and the rest is looked at all the same.
"""

import asyncio
import functools
import zipfile
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.exposure import Evidence, Exposure, deciding, exposure, from_binary, from_lines
from goferry.deps.advisories.matching import FixState, Match, match, released, unknown
from goferry.deps.audit import licences
from goferry.deps.audit.inventory import Component, FileHash, Inventory, requirements, sha256, vendored
from goferry.deps.audit.judge import Advised, Problem, Subject, as_text
from goferry.deps.audit.licences import Licence
from goferry.deps.audit.records import AuditedProject, Level
from goferry.deps.base import BuildList, Module, Project, Supply
from goferry.deps.binary import Binary
from goferry.deps.buildlist import build_list
from goferry.deps.forges import Closed, reasons
from goferry.deps.govulncheck import PROGRAM, Checker, Run
from goferry.deps.inventory import vendor_folder
from goferry.deps.source.reading import read_usage
from goferry.deps.status import Status
from goferry.deps.statuslist import Registry
from goferry.deps.usage import Narrowed, Usage, narrow
from goferry.errors import GoferryError, StorageError
from goferry.findings import Text
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version

if TYPE_CHECKING:
    from goferry.deps.forgelist import Asker

JOBS: Final = 16

Step = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to look at beside the advisories."""

    statuses: bool = True
    """Ask the upstream about retractions, deprecations and newer versions."""
    source: bool = True
    """Read the source of what is built, to narrow advisories."""
    licences: bool = False
    inventory: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """A project to look at, and what is known of it before."""

    project: Project
    name: str
    root: str
    owner: str = ""
    binary: Binary | None = None
    """A built program: what it is made of is known, and no source is at hand."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What is known about a project."""

    subject: Subject
    inventory: Inventory | None = None


@dataclass(frozen=True, slots=True)
class _Material:
    """The bytes of one module: its zip, or its files in a vendor folder or a folder that replaces it."""

    licence: Licence | None = None
    sha256: str = ""
    files: tuple[FileHash, ...] = ()


@dataclass(slots=True)
class Auditor:
    """Looks at projects. What was asked for one is known for the next."""

    supply: Supply
    database: Database
    wanted: Wanted
    go: Callable[[Project], Iterable[Evidence]] = from_lines
    """What is known of the Go that builds a project."""
    archived: frozenset[str] = frozenset()
    """Modules of which somebody wrote down that their repository is archived."""
    goroot: Path | None = None
    """The Go tree that builds, where there is one: then imports are followed inside the standard library, too."""
    jobs: int = JOBS
    first_seen: Callable[[Version], Awaitable[datetime | None]] | None = None
    govulncheck: Checker | None = None
    """The real tool, when it was asked for."""
    forges: "Asker | None" = None
    """Who asks code hosts, when that was asked for."""
    _registry: Registry = field(init=False)
    _material: dict[Version, _Material | GoferryError] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._registry = Registry(self.supply, jobs=self.jobs)

    async def look(self, target: Target, step: Callable[[str, int, int], None] | None = None) -> Looked:
        """All about one project. Raises GoferryError when not even its build list can be made."""

        def stage(name: str) -> Step | None:
            return None if step is None else lambda done, total: step(name, done, total)

        build = await self._build_list(target, stage("go.mod"))
        matches = match(self.database, build.modules)
        problems: list[Problem] = []
        of_go = self._exposure(target, problems)
        statuses = await self._statuses(build, matches, stage("versions"))
        concerned = (*matches, *(of_go.stdlib if of_go else ()))
        usage = None if target.binary else await self._usage(build, concerned, stage("source"))
        said = await self._followed(build, concerned, problems, stage("govulncheck"))
        material = await self._materials(build, problems, stage("zips"))
        subject = Subject(
            AuditedProject(target.name, target.root, target.owner, len(build.dependencies()), _level(usage)),
            build,
            tuple(_advised(found, statuses, usage, said) for found in matches),
            unknown(self.database, build.modules),
            of_go,
            go_narrowed={one.entry.id: narrow(one, usage) for one in of_go.stdlib} if of_go and usage else {},
            go_words={one.entry.id: said.word(one) for one in of_go.stdlib} if of_go and said else {},
            statuses=statuses,
            first_seen=await self._first_seen(statuses),
            closed=await self._closed(build, problems, stage("code hosts")),
            licences=_licences(build, material) if self.wanted.licences else {},
            problems=tuple(problems),
        )
        return Looked(subject, _inventory(subject, material) if self.wanted.inventory else None)

    async def _build_list(self, target: Target, step: Step | None) -> BuildList:
        if target.binary is not None:
            return target.binary.build_list()
        return await build_list(target.project, self.supply, jobs=self.jobs, step=step)

    async def _statuses(
        self, build: BuildList, matches: Iterable[Match], step: Step | None
    ) -> Mapping[Version, Status]:
        """Higher major versions are asked about only where an advisory has no other way out: few exist."""
        if not self.wanted.statuses:
            return {}
        found = await self._registry.of_list(build, majors=False, step=step)
        stuck = [
            version
            for one in matches
            if one.fixed.state is not FixState.HERE and (version := one.module.source) in found
        ]
        mains = build.project.mains
        return found | await self._registry.of(mains, [v for v in stuck if v is not None], majors=True)

    async def _usage(self, build: BuildList, matches: Sequence[Match], step: Step | None) -> Usage | None:
        """What source says; None when it was not asked for, or there is no advisory to narrow."""
        if not self.wanted.source or not matches:
            return None
        return await read_usage(build, matches, self.supply, goroot=self.goroot, step=step)

    async def _followed(
        self, build: BuildList, matches: Sequence[Match], problems: list[Problem], step: Step | None
    ) -> Run | None:
        """What govulncheck says; None when it was not asked for, or there is no advisory to ask it about."""
        if self.govulncheck is None or not matches:
            return None
        if step is not None:
            step(0, 1)
        try:
            said = await asyncio.to_thread(self.govulncheck, build)
        except GoferryError as why:
            problems.append(Problem(PROGRAM, why))
            return None
        if beyond := said.beyond(matches):
            text = Text("it names flaws that this audit does not know: {flaws}", flaws=", ".join(beyond))
            problems.append(Problem(PROGRAM, text))
        return said

    async def _closed(
        self, build: BuildList, problems: list[Problem], step: Step | None
    ) -> Mapping[str, Closed]:
        """What is written down counts before what a host says."""
        written = {path: Closed() for path in self.archived}
        if self.forges is None:
            return written
        looked = await self.forges.look(build.dependencies(), self.supply, step)
        if looked.unasked:
            why = functools.reduce(_both, map(as_text, reasons(looked.unasked)))
            problems.append(Problem("archived", why, tuple(sorted(looked.unasked))))
        return dict(looked.closed) | written

    def _exposure(self, target: Target, problems: list[Problem]) -> Exposure | None:
        """By what is known of the Go that builds; a built program knows for sure."""
        built = target.binary
        go = deciding(from_binary(built.info.go, str(built.file)) if built else self.go(target.project))
        if go is None:
            problems.append(Problem("go_version", Text("nothing says which Go builds it")))
            return None
        return exposure(self.database, go)

    async def _first_seen(self, statuses: Mapping[Version, Status]) -> Mapping[Version, datetime]:
        if self.first_seen is None:
            return {}
        wanted = {Version(v.path, status.latest or v.version) for v, status in statuses.items()}
        seen = {version: await self.first_seen(version) for version in wanted}
        return {version: time for version, time in seen.items() if time is not None}

    async def _materials(
        self, build: BuildList, problems: list[Problem], step: Step | None
    ) -> Mapping[Version, _Material]:
        """The bytes of each dependency, by what is required. A vendored tree is what is built, so it counts."""
        if not (self.wanted.licences or self.wanted.inventory):
            return {}
        modules = build.dependencies()
        vendor = vendor_folder(build.project) if build.project.parts else None
        slots = asyncio.Semaphore(self.jobs)
        done = 0

        async def one(module: Module) -> _Material | GoferryError:
            nonlocal done
            async with slots:
                found = await self._of_module(module, vendor, modules)
            done += 1
            if step is not None:
                step(done, len(modules))
            return found

        found = await asyncio.gather(*map(one, modules))
        failed = {str(module.module): why for module, why in zip(modules, found, strict=True)
                  if isinstance(why, GoferryError)}  # fmt: skip
        if failed:
            problems.append(Problem("zip", next(iter(failed.values())), tuple(sorted(failed))))
        return {
            module.module: material
            for module, material in zip(modules, found, strict=True)
            if isinstance(material, _Material)
        }

    async def _of_module(
        self, module: Module, vendor: Path | None, modules: Sequence[Module]
    ) -> _Material | GoferryError:
        if vendor is not None:
            others = frozenset(other.path for other in modules) - {module.path}
            return await asyncio.to_thread(_vendored, vendor, module.path, others)
        if isinstance(module.replace, Local):
            return _Material(await asyncio.to_thread(licences.in_folder, Path(module.replace.folder)))
        source = module.replace or module.module
        if source not in self._material:
            self._material[source] = await self._zipped(source)
        return self._material[source]

    async def _zipped(self, source: Version) -> _Material | GoferryError:
        try:
            return await asyncio.to_thread(_read_zip, await self.supply.zip(source), source)
        except GoferryError as error:
            return error


def _both(one: Text, other: Text) -> Text:
    return Text("{one}; {other}", one=one, other=other)


def _vendored(vendor: Path, path: str, others: frozenset[str]) -> _Material:
    """Of a module without any vendored package there is nothing to say: nothing of it is built."""
    files = vendored(vendor, path, others)
    return _Material(licences.in_folder(vendor / path), files=files) if files else _Material()


def _read_zip(file: Path, source: Version) -> _Material | GoferryError:
    try:
        return _Material(licences.in_zip(file, f"{source}/"), sha256(file))
    except (OSError, zipfile.BadZipFile) as error:
        return StorageError("cannot read {file}: {why}", file=file, why=error)


def narrowed(found: Match, usage: Usage) -> Narrowed:
    """As `narrow`, and for records that name no packages: whether any package of the module is imported at all. A path
    counts for every module that it may come from."""
    said = narrow(found, usage)
    if said.level is not Level.MODULE or usage.unread:
        return said
    path = found.module.path
    imported = {*usage.imports, *usage.parents}
    if any(one == path or one.startswith(f"{path}/") for one in imported):
        return said
    return Narrowed(Level.PACKAGE, used=False)


def _level(usage: Usage | None) -> Level:
    """How closely all of a project could be looked at."""
    if usage is None:
        return Level.MODULE
    return Level.PACKAGE if usage.unread else Level.IDENTIFIER


def _advised(
    found: Match, statuses: Mapping[Version, Status], usage: Usage | None, said: Run | None
) -> Advised:
    """What source and govulncheck say about it, and the way out, by what is released."""
    status = statuses.get(Version(found.path, found.version)) or (
        statuses.get(found.module.source) if found.module.source else None
    )
    known = status is not None and status.version.path == found.path and status.newer
    return Advised(
        found,
        None if usage is None else narrowed(found, usage),
        released(found, status.newer) if status and known else None,
        None if said is None else said.word(found),
    )


def _licences(build: BuildList, material: Mapping[Version, _Material]) -> Mapping[Version, Licence]:
    return {
        module.source or module.module: licence
        for module in build.dependencies()
        if module.module in material and (licence := material[module.module].licence) is not None
    }


def _inventory(subject: Subject, material: Mapping[Version, _Material]) -> Inventory:
    nothing = _Material()
    components = []
    for module in subject.build.dependencies():
        found = material.get(module.module, nothing)
        components.append(Component(module, found.sha256, found.files, found.licence))
    mains = tuple(module for module in subject.build.modules if module.main)
    return Inventory(subject.project, mains, tuple(components), requirements(subject.build))


def named(targets: Iterable[Target]) -> list[Target]:
    """The targets with names that are unique, so that every finding says which one it is about: where two have the
    same name, the root stands behind it."""
    targets = list(targets)
    names = [target.name for target in targets]
    return [
        replace(target, name=f"{target.name} ({target.root})") if names.count(target.name) > 1 else target
        for target in targets
    ]
