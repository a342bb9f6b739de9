"""The failing command again, as the user would run it, and nothing of the user's is changed.

What go says is the best witness there is, and a fix counts only when the same command succeeds with it. Both need a run
that no module cache can answer: GOMODCACHE is a new, empty folder, and a project is a copy of its go.mod files.
"""

import asyncio
import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import RunSeen, SettingsSeen, Subject
from goferry.doctor.fixes import overlay
from goferry.doctor.probes.gosettings import GoSettings, read_go_settings, secrets_of
from goferry.doctor.probes.programs import STOPPED, Following, run_program
from goferry.doctor.probes.vcs import empty_folder
from goferry.doctor.probes.work import size_of
from goferry.doctor.settings.reading import find_program
from goferry.errors import GoferryError, Unavailable
from goferry.gomod import gover, modfile, workfile
from goferry.smallfiles import nearest

UNCHANGED: Final[Mapping[str, str | None]] = {}
NO_FILES: Final[Mapping[str, bytes]] = {}

_OWN_MODULE: Final = "module goferry.invalid/doctor\n"
_WRITABLE: Final = "-modcacherw"
_TRACED: Final = ("-x",)
# Requests, folders made for repositories, commands of git and its like, and how long those took.
_TRACE: Final = re.compile(r"# |mkdir -p .* # |cd |(?:git|hg|svn|bzr|fossil) |[0-9.]+s # ")


async def run_go(
    world: World,
    subject: Subject,
    *,
    changed: Mapping[str, str | None] = UNCHANGED,
    files: Mapping[str, bytes] = NO_FILES,
    edits: Sequence[overlay.Edit] = (),
    says: Sequence[str] | None = None,
    label: str = "go",
    limit: float | None = None,
    longest: float = 0.0,
    watch: Callable[[bytes], None] | None = None,
) -> RunSeen:
    """`go mod download` of the subject's module, or of what the working folder's go.mod needs.

    changed: environment variables that differ from the user's; None takes one away. files: NAME to the content of a
    throw-away file that the variable names. edits: files that go sees with other content, and nobody else. says: how
    the record names all that; without it, changed as NAME=value. limit: seconds, else the world's limit for programs;
    longest: seconds for a run that is seen at work, which the limit does not end then.
    watch: is shown what go says while it still runs, secrets and all.
    Facts: module, version. Raises Unavailable without a go command, without a subject where no go.mod is to be found,
    and where files cannot be shown with other content.
    """
    other = _Other(changed, files, edits, says, watch, longest)
    return await _run(world, subject, other, label, limit or world.limits.program, options=())


async def run_go_json(
    world: World, subject: Subject, *, changed: Mapping[str, str | None] = UNCHANGED, limit: float
) -> str:
    """The same with `-json`, for what go computes; "" when it failed."""
    seen = await _run(world, subject, _Other(changed), "go", limit, options=("-json",))
    return seen.output if seen.exit == 0 else ""


@dataclass(frozen=True, slots=True)
class _Other:
    """What differs from the user's own run."""

    changed: Mapping[str, str | None] = field(repr=False)
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    edits: Sequence[overlay.Edit] = ()
    says: Sequence[str] | None = None
    watch: Callable[[bytes], None] | None = None
    longest: float = 0.0

    def in_words(self) -> Sequence[str]:
        """For the record, before secrets are taken out."""
        if self.says is not None:
            return self.says
        return [f"{name}={value or ''}" for name, value in self.changed.items()]


async def _run(
    world: World,
    subject: Subject,
    other: _Other,
    label: str,
    limit: float,
    *,
    options: tuple[str, ...],
) -> RunSeen:
    go = find_program(world, "go")
    if not go:
        raise Unavailable("no go command was found")
    argv = ("go", "mod", "download", *options, *_wanted(subject))
    traced = (go, "mod", "download", *(options or _TRACED), *_wanted(subject))
    with empty_folder(world) as folder, _cache_beside(other.changed.get("GOMODCACHE"), folder) as cache:
        environ = _changed(world.environ, {**other.changed, **_written(other.files, folder)})
        changed_world = replace(world, environ=environ)
        settings = read_go_settings(changed_world, SettingsSeen())
        clean = secrets_of(changed_world, settings, *world.environ.values()).clean
        stage = _staged(changed_world, subject, settings, folder, cache)
        edits = _shown_in_copies(stage, other.edits)
        command = await asyncio.to_thread(overlay.wrapped, traced, edits, folder)
        if command is None:
            raise Unavailable("files of this system cannot be shown to one program with other content")
        following = Following(other.longest, stage.cache) if other.longest > limit else None
        ran = await run_program(
            command,
            environ=stage.environ,
            cwd=stage.cwd,
            limit=limit,
            watch=other.watch,
            following=following,
        )
        output, trace, times = _apart(clean(stage.restored(ran.output)), ran.times)
        got = await asyncio.to_thread(size_of, stage.cache / "cache") if ran.exit == STOPPED else 0
        await asyncio.to_thread(shutil.rmtree, stage.cache, ignore_errors=True)
    return RunSeen(
        label=label,
        argv=argv,
        exit=ran.exit,
        seconds=ran.seconds,
        output=output,
        trace=trace,
        times=times,
        changed=tuple(map(clean, other.in_words())),
        limit=limit,
        active=ran.active,
        got=got,
        facts={"module": subject.module, "version": subject.version},
    )


def _apart(text: str, times: Sequence[float]) -> tuple[str, str, tuple[float, ...]]:
    """What go says to people; what `-x` adds, which are the lines that begin with a hash; when each of those came."""
    lines = text.splitlines(keepends=True)
    said = "".join(line for line in lines if not _TRACE.match(line))
    at = times if len(times) == len(lines) else (0.0,) * len(lines)
    traced = [(line, moment) for line, moment in zip(lines, at, strict=True) if _TRACE.match(line)]
    return said, "".join(line for line, _ in traced), tuple(moment for _, moment in traced) if times else ()


def _wanted(subject: Subject) -> tuple[str, ...]:
    return (f"{subject.module}@{subject.version or 'latest'}",) if subject.module else ()


def _written(files: Mapping[str, bytes], folder: Path) -> dict[str, str]:
    """Variables that name the files, which only we may read."""
    found = {}
    for name, content in files.items():
        path = folder / f"file-{name}"
        path.touch(mode=0o600)
        path.write_bytes(content)
        found[name] = str(path)
    return found


def _changed(environ: Mapping[str, str], changed: Mapping[str, str | None]) -> dict[str, str]:
    merged = {**environ, **{name: value for name, value in changed.items() if value is not None}}
    return {name: value for name, value in merged.items() if changed.get(name, "") is not None}


# ---- the stage: a folder that looks like the user's --------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where and with what the command runs. copies: a folder below which the user's files lie under their own paths."""

    cwd: Path
    environ: Mapping[str, str]
    cache: Path
    copies: Path

    def restored(self, output: str) -> str:
        """The output with the names that the user knows."""
        return output.replace(str(self.cache), "$GOMODCACHE").replace(str(self.copies), "")


@contextlib.contextmanager
def _cache_beside(named: str | None, folder: Path) -> Iterator[Path]:
    """A new module cache: on the disk of the place that is to be tried, if any, else in the folder."""
    if named is None:
        cache = folder / "modcache"
        cache.mkdir()
        yield cache
        return
    there = next(place for place in (Path(named), *Path(named).parents) if place.is_dir())
    try:
        cache = Path(tempfile.mkdtemp(prefix=".goferry-", dir=there))
    except OSError as exc:
        raise Unavailable("{folder} cannot be written: {why}", folder=str(there), why=exc.strerror) from exc
    try:
        yield cache
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def _staged(world: World, subject: Subject, settings: GoSettings, folder: Path, cache: Path) -> _Stage:
    copies = folder / "copies"
    environ = {**world.environ, "GOMODCACHE": str(cache)}
    environ["GOFLAGS"] = _with_writable_cache(settings.value("GOFLAGS"))
    if subject.module:
        cwd = copies / "module"
        cwd.mkdir(parents=True)
        (cwd / "go.mod").write_text(_OWN_MODULE)
        environ["GOWORK"] = "off"
    else:
        cwd = _copied_project(world, settings, copies, environ)
    if subject.module != gover.TOOLCHAIN_MODULE:
        _lend_toolchains(_module_cache(world, settings), cache)
    environ["PWD"] = str(cwd)
    return _Stage(cwd, environ, cache, copies)


def _shown_in_copies(stage: _Stage, edits: Sequence[overlay.Edit]) -> list[overlay.Edit]:
    """Changes files of the project where they are copies; gives the edits of other files.

    Raises Unavailable for files of a project that the run has nothing to do with.
    """
    others = []
    for edit in edits:
        path = Path(edit.path)
        copy = _copy_of(stage.copies, path)
        if path.name not in ("go.mod", "go.sum"):
            others.append(edit)
        elif copy.parent.is_dir() and edit.after is not None:
            copy.write_bytes(edit.after)
        else:
            raise Unavailable("{path} does not matter to what was asked for", path=edit.path)
    return others


def _with_writable_cache(goflags: str) -> str:
    """The user's flags, and that what is downloaded can be removed again."""
    return goflags if _WRITABLE in goflags.split() else f"{goflags} {_WRITABLE}".strip()


def _copied_project(world: World, settings: GoSettings, copies: Path, environ: dict[str, str]) -> Path:
    """Copies what tells the modules that the project needs; gives the working folder among the copies."""
    work = _work_file(world, settings)
    module = nearest(world.cwd, "go.mod")
    if work is None and module is None:
        raise Unavailable("there is no go.mod in {folder} or above it", folder=str(world.cwd))
    if work is not None:
        _copy(copies, work, work.with_suffix(".work.sum"))
        if settings.value("GOWORK") or world.environ.get("GOWORK"):
            environ["GOWORK"] = str(_copy_of(copies, work))
    for folder in _module_folders(work, module):
        _copy(copies, folder / "go.mod", folder / "go.sum")
        for replaced in _local_replaces(folder / "go.mod", work):
            _copy(copies, replaced / "go.mod")
    cwd = _copy_of(copies, world.cwd)
    cwd.mkdir(parents=True, exist_ok=True)
    return cwd


def _work_file(world: World, settings: GoSettings) -> Path | None:
    named = world.environ.get("GOWORK") or settings.value("GOWORK")
    if named == "off":
        return None
    return Path(named) if named else nearest(world.cwd, "go.work")


def _module_folders(work: Path | None, module: Path | None) -> Iterator[Path]:
    if work is not None:
        yield from (_joined(work.parent, use) for use in _parsed_uses(work))
    elif module is not None:
        yield module.parent


def _parsed_uses(work: Path) -> list[str]:
    # A file that go refuses is copied all the same, and go says what is wrong with it.
    try:
        return [use.path for use in workfile.parse_work(str(work), work.read_bytes()).use]
    except (GoferryError, OSError):
        return []


def _local_replaces(go_mod: Path, work: Path | None) -> Iterator[Path]:
    """The folders that stand in for modules, if they are named by a relative path; go reads the others in place."""
    for file in filter(None, (go_mod, work)):
        for path in _replaced_paths(file):
            if path.startswith(("./", "../")) or path in (".", ".."):
                yield _joined(file.parent, path)


def _replaced_paths(file: Path) -> list[str]:
    parse = workfile.parse_work if file.suffix == ".work" else modfile.parse
    try:
        return [each.new.path for each in parse(str(file), file.read_bytes()).replace]
    except (GoferryError, OSError):
        return []


def _joined(folder: Path, path: str) -> Path:
    return (folder / path).resolve()


def _copy(copies: Path, *files: Path) -> None:
    for file in files:
        copy = _copy_of(copies, file)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            shutil.copyfile(file, copy)


def _copy_of(copies: Path, path: Path) -> Path:
    """Where a path of the user's lies among the copies."""
    absolute = path.resolve()
    return copies / absolute.relative_to(absolute.anchor)


# ---- toolchains that the user has already ------------------------------------------------------------------


def _module_cache(world: World, settings: GoSettings) -> Path:
    def value(name: str) -> str:
        return world.environ.get(name) or settings.value(name)

    if named := value("GOMODCACHE"):
        return Path(named)
    gopath = [Path(part) for part in value("GOPATH").split(os.pathsep) if part]
    return (gopath or [world.home / "go"])[0] / "pkg" / "mod"


def _lend_toolchains(source: Path, cache: Path) -> None:
    """Lets the run use Go toolchains that were downloaded before: they are 80 MB each, and not what is in question.

    The unpacked ones are linked, as nobody writes to them; the small files that go asks for beside them are copied.
    """
    notes = source / "cache" / "download" / "golang.org" / "toolchain" / "@v"
    found = [place for place in _listed(source / "golang.org") if place.name.startswith("toolchain@")]
    if not found:
        return
    with contextlib.suppress(OSError):
        (cache / "golang.org").mkdir(parents=True)
        for place in found:
            (cache / "golang.org" / place.name).symlink_to(place, target_is_directory=True)
        copied = cache / notes.relative_to(source)
        copied.mkdir(parents=True)
        for note in _listed(notes):
            if note.suffix != ".zip":
                shutil.copyfile(note, copied / note.name)


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []
