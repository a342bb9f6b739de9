"""One gate from beginning to end: read, prove, compare, judge.

The only part that is async with `reading` and `proving`; what it finds is judged by `checks` and `rules`.
"""

import datetime
import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.exposure import Evidence, deciding, exposure, from_lines
from goferry.deps.advisories.matching import match
from goferry.deps.base import Module, Project
from goferry.deps.gate import checks, rules, sums
from goferry.deps.gate.proving import How, Proof, Prover, Result, prove
from goferry.deps.gate.reading import Files, Reading, read
from goferry.deps.gate.rules import Judged, Level, Policy, Problem, State, Verdict
from goferry.deps.gate.vendor import disagreements
from goferry.deps.gate.vendored import Compared, compare
from goferry.deps.inventory import VENDOR_LIST
from goferry.deps.sources import find, load
from goferry.deps.status import Status
from goferry.deps.statuslist import Registry
from goferry.deps.trees import Tree, ZipTree
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import gosum, gover, modulestxt
from goferry.gomod.module import Version

_READING: Final = (
    "sum_missing",
    "tidy",
    "workspace",
    "retracted",
    "deprecated",
    "recalled",
    "vendor_missing",
)
"""Rules that need the module graph and the packages; with all of them off neither is read."""

_PRIVATE: Final = (How.OWN, How.STORE, How.BYTES)


class Memory(Prover, Protocol):
    """Where a gate gets everything."""

    async def log_head(self) -> str:
        """The newest proven tree head."""

    async def own_head(self) -> str:
        """That of the log of one's own."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told."""

    policy: Policy
    is_private: Callable[[str], bool]
    log: str
    """The name of the checksum database."""
    today: datetime.date
    database: Callable[[], Database]
    toolchain: Callable[[Project], tuple[Evidence, ...]] = from_lines
    """What is known of the Go that builds a project; asked only when the rule is on."""
    own_log: str = ""
    """The name of the log of one's own; empty where there is none."""
    step: Callable[[str, int, int], None] = lambda _what, _done, _total: None


@dataclass(frozen=True, slots=True)
class Proven:
    """How much was looked at, and what it was compared with."""

    modules: tuple[str, ...]
    """Paths of the main modules."""
    files: tuple[str, ...]
    """go.sum and go.work.sum files."""
    lines: int
    equal: Mapping[How, int]
    """Lines that are what they should be, by what they were compared with."""
    log: str
    head: str
    """The signed tree head that all of it was proven under; empty when the log was not asked."""
    own_log: str = ""
    own_head: str = ""
    """The same of the log of one's own."""
    private: tuple[Proof, ...] = ()
    """The lines that the public log has nothing to do with and that are what they should be."""
    vendored_files: int = 0
    vendored_modules: int = 0
    digests: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files that say what is built: go.mod, go.sum, go.work, go.work.sum, vendor/modules.txt."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate came to."""

    root: Path
    verdict: Verdict
    judged: tuple[Judged, ...]
    proven: Proven
    policy: Policy


@dataclass(slots=True)
class _State:
    """What has gathered."""

    problems: list[Problem] = field(default_factory=list)
    equal: Counter[How] = field(default_factory=Counter)
    proofs: list[Proof] = field(default_factory=list)
    vendored_files: int = 0
    vendored_modules: int = 0


async def gate(place: Path, supply: Memory, options: Options) -> Outcome:
    """Looks at the project of a folder or file. Raises InvalidInput when there is none, or it cannot be read."""
    return await _Gate(place, supply, options).run()


class _Gate:
    def __init__(self, place: Path, supply: Memory, options: Options) -> None:
        self._supply = supply
        self._options = options
        self._policy = options.policy
        self._projects = list(_projects(place))
        self._root = self._top(place)
        self._workspace = _workspace(self._projects)
        self._found = _State()
        self._registry = Registry(supply)

    async def run(self) -> Outcome:
        files = self._sum_files()
        have = sums.read_sums(files)
        self._found.problems += checks.sum_lines(have)
        await self._prove(have)
        with ExitStack() as stack:
            wanted = self._on(*_READING)
            readings = [await self._read(project, stack) for project in self._projects if wanted]
            for project in self._projects:
                self._judge_file(project)
            for reading, _files in readings:
                self._judge_sums(reading)
                await self._judge_module(reading)
            if readings and not any(reading.unread for reading, _files in readings):
                needed = [reading.needed for reading, _files in readings]
                self._found.problems += checks.surplus(have, needed)
            await self._judge_vendor(readings, have)
        head = await self._supply.log_head() if self._found.equal[How.LOG] else ""
        own_head = await self._supply.own_head() if self._found.equal[How.OWN] else ""
        judged = rules.judge(self._found.problems, self._policy, self._options.today)
        proven = Proven(
            tuple(project.name for project in self._projects),
            have.read,
            len(have.lines),
            dict(self._found.equal),
            self._options.log,
            head,
            self._options.own_log,
            own_head,
            tuple(one for one in self._found.proofs if one.how in _PRIVATE and one.result is Result.EQUAL),
            self._found.vendored_files,
            self._found.vendored_modules,
            self._digests(),
        )
        return Outcome(self._root, rules.verdict(judged), judged, proven, self._policy)

    def _on(self, *names: str) -> bool:
        return any(self._policy.level(name) is not Level.OFF for name in names)

    # ---- files -----------------------------------------------------------------------------------------

    def _top(self, place: Path) -> Path:
        folder = place if place.is_dir() else place.parent
        if all(project.root.is_relative_to(folder.resolve()) for project in self._projects):
            return folder.resolve()
        return self._projects[0].root

    def _shown(self, file: Path) -> str:
        with suppress(ValueError):
            return file.relative_to(self._root).as_posix()
        return str(file)

    def _sum_files(self) -> list[tuple[str, Path]]:
        places = [project.root / "go.sum" for project in self._projects]
        if self._workspace is not None:
            places.append(self._workspace.root / "go.work.sum")
        return [(self._shown(place), place) for place in dict.fromkeys(places)]

    def _digests(self) -> dict[str, str]:
        names = ("go.mod", "go.sum", f"vendor/{VENDOR_LIST}")
        places = [project.root / name for project in self._projects for name in names]
        if self._workspace is not None:
            root = self._workspace.root
            places += [root / name for name in ("go.work", "go.work.sum", f"vendor/{VENDOR_LIST}")]
        return {self._shown(place): _sha256(place) for place in dict.fromkeys(places) if place.is_file()}

    # ---- go.sum ----------------------------------------------------------------------------------------

    async def _prove(self, have: sums.SumFiles) -> None:
        if not self._on("sum_unproven", "sum_mismatch"):
            return
        found = await prove(
            have.lines,
            self._supply,
            self._options.is_private,
            has_log=bool(self._options.own_log),
            step=lambda done, total: self._options.step("lines", done, total),
        )
        self._found.proofs = found
        self._found.equal.update(proof.how for proof in found if proof.result is Result.EQUAL)
        self._found.problems += checks.proofs(found, self._options.log, self._options.own_log)
        self._found.problems += checks.first_sight(found)

    async def _read(self, project: Project, stack: ExitStack) -> tuple[Reading, Files]:
        files = stack.enter_context(self._files())
        return await read(project, files), files

    def _files(self) -> Files:
        return Files(self._supply, lambda done, total: self._options.step("zips", done, total))

    def _judge_sums(self, reading: Reading) -> None:
        """Each main module must have all lines itself: go.work.sum is not there when it is released."""
        file = reading.project.root / "go.sum"
        own = sums.read_sums([(self._shown(file), file)])
        self._found.problems += checks.sum_needs(own, reading.needed, self._shown(file), reading.unread)

    # ---- go.mod ----------------------------------------------------------------------------------------

    def _judge_file(self, project: Project) -> None:
        """What go.mod says, without looking further."""
        self._found.problems += checks.replaced(project, self._shown)
        self._found.problems += checks.pseudo_versions(project, self._shown)
        if self._on("toolchain"):
            self._judge_toolchain(project, self._shown(project.start))

    async def _judge_module(self, reading: Reading) -> None:
        project = reading.project
        file = self._shown(project.start)
        problems = self._found.problems
        neighbours = {
            part.path: str(part.folder)
            for part in (self._workspace.parts if self._workspace else ())
            if part.path != project.parts[0].path
        }
        problems += checks.tidiness(reading, neighbours, self._shown)
        used = _in_use(reading)
        if self._on("retracted", "deprecated"):
            problems += checks.statuses(await self._statuses(project, used), file, _places(project))
        if self._on("recalled"):
            versions = [version for module in used for version in {module.module, module.source} if version]
            found = match(self._options.database(), used)
            problems += checks.recalled(versions, self._policy.recalled, found, file)

    async def _statuses(self, project: Project, used: Iterable[Module]) -> Mapping[Version, Status]:
        versions = [module.source for module in used if module.source]
        return await self._registry.of(
            project.mains,
            versions,
            majors=False,
            step=lambda done, total: self._options.step("versions", done, total),
        )

    def _judge_toolchain(self, project: Project, file: str) -> None:
        go = deciding(self._options.toolchain(project))
        known = exposure(self._options.database(), go) if go is not None else None
        self._found.problems += checks.toolchain(known, file)

    # ---- vendor ----------------------------------------------------------------------------------------

    async def _judge_vendor(self, readings: list[tuple[Reading, Files]], have: sums.SumFiles) -> None:
        with self._files() as shared:
            opened = {reading.project.root: files for reading, files in readings}
            for project in self._vendoring():
                alone = project.work is None
                files = opened.get(project.root, shared) if alone else shared
                await self._judge_folder(project, files, have)
        for reading, _files in readings:
            self._judge_packages(reading)
        self._found.problems += checks.unused_vendor(self._unjudged())

    async def _judge_folder(self, project: Project, files: Files, have: sums.SumFiles) -> None:
        modules = self._manifest(project)
        if modules is None:
            return
        folder = project.root / "vendor"
        listed = self._shown(folder / VENDOR_LIST)
        fix = checks.vendoring(project)
        self._found.problems += checks.manifest_lines(modules.unread, listed, fix)
        self._found.problems += checks.manifest(disagreements(project, modules), listed, fix)
        compared = await self._compare(project, modules, files, have)
        self._found.problems += checks.vendored(compared.findings, self._shown(folder), fix)
        self._found.vendored_files += compared.files
        self._found.vendored_modules += compared.modules

    def _judge_packages(self, reading: Reading) -> None:
        modules = self._manifest(reading.project)
        if modules is not None:
            file = self._shown(reading.project.root / "vendor" / VENDOR_LIST)
            self._found.problems += checks.vendored_packages(reading, modules.owners, file)

    def _manifest(self, project: Project) -> modulestxt.Modules | None:
        """None where there is no vendor folder that go would use: each mode has its own."""
        folder = project.root / "vendor"
        if not folder.is_dir():
            return None
        place = folder / VENDOR_LIST
        text = place.read_text("utf-8", "replace") if place.is_file() else ""
        modules = modulestxt.parse(text)
        return modules if modules.workspace == (project.work is not None) else None

    def _unjudged(self) -> Iterator[str]:
        """Vendor folders that this Go passes over, made for a workspace where there is none or the other way round."""
        judged = {project.root for project in self._vendoring() if self._manifest(project) is not None}
        roots = {project.root for project in self._vendoring()} - judged
        return (self._shown(root / "vendor") for root in sorted(roots) if (root / "vendor").is_dir())

    def _vendoring(self) -> Iterator[Project]:
        yield from self._projects
        if self._workspace is not None:
            yield self._workspace

    async def _compare(
        self, project: Project, modules: modulestxt.Modules, files: Files, have: sums.SumFiles
    ) -> Compared:
        sources = {entry.module: project.mains.source(entry.module) for entry in modules if entry.packages}
        trees = await files.trees(list(sources.values()))
        found: dict[Version, Tree] = {}
        for module, source in sources.items():
            tree = trees[source]
            if tree is None:
                text = Text(
                    "{module} could not be had to compare it: {why}",
                    module=str(source),
                    why=Text.of(files.unread[str(source)]),
                )
                self._found.problems.append(
                    Problem(
                        "vendor_edited", text, State.UNPROVEN, module, self._shown(project.root / "vendor")
                    )
                )
                continue
            found[module] = tree
            if isinstance(tree, ZipTree):
                self._check_zip(tree, have)
        return compare(project.root / "vendor", modules, found, _go_of(project))

    def _check_zip(self, tree: ZipTree, have: sums.SumFiles) -> None:
        """The zip that files are compared with must be the one that go.sum names, now, and not only when it came."""
        known = gosum.Sums(have.lines).recorded(tree.module)
        if known is not None and tree.h1() != known:
            text = Text(
                "the zip of {module} in the store is not what go.sum names, so its files prove nothing",
                module=str(tree.module),
            )
            self._found.problems.append(Problem("vendor_edited", text, module=tree.module))


def _projects(place: Path) -> Iterator[Project]:
    """The main modules to look at, each with workspaces off: all that a go.work in that place uses, or the one."""
    folder = place.resolve() if place.is_dir() else place.resolve().parent
    start = folder / "go.work" if place.is_dir() else place
    if start.suffix == ".work" and start.is_file():
        yield from (load(part.folder / "go.mod") for part in load(start).parts)
    else:
        yield load(place, workspace=False)


def _workspace(projects: Iterable[Project]) -> Project | None:
    """The workspace that the modules stand in, if it can be read."""
    for project in projects:
        with suppress(InvalidInput):
            found = load(find(project.root, ("go.work",)))
            if any(part.folder == project.root for part in found.parts):
                return found
    return None


def _in_use(reading: Reading) -> list[Module]:
    """What is required, and what provides a package; not what is merely mentioned in the graph."""
    named = {line.mod.path for line in reading.project.parts[0].file.require}
    named |= {found.module.path for found in reading.loading.found.values() if found.module}
    return [module for module in reading.build.dependencies() if module.path in named]


def _places(project: Project) -> dict[str, int]:
    return {line.mod.path: line.syntax.start.line for line in project.parts[0].file.require}


def _go_of(project: Project) -> str:
    if project.mains.workspace is not None:
        return project.mains.workspace.go
    file = project.parts[0].file
    return file.go.version if file.go else gover.DEFAULT_GO_MOD_VERSION


def _sha256(place: Path) -> str:
    return hashlib.sha256(place.read_bytes()).hexdigest()
