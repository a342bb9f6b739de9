"""go.mod, go.work and go.sum files on disk, read into projects and into what a module graph starts from."""

import codecs
import functools
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NamedTuple

from goferry.deps.base import Part, Project
from goferry.deps.finding import NAMES, find
from goferry.deps.refusals import check_main, check_paths, check_replacements, check_uses, check_workspace
from goferry.errors import InvalidInput, NotFound
from goferry.gomod import gover
from goferry.gomod.modgraph import Local, Main, Mains, Requirements, Workspace
from goferry.gomod.modsummary import quick_main, summarize
from goferry.gomod.module import Version
from goferry.i18n import N_
from goferry.places import StrPath

if TYPE_CHECKING:
    from goferry.gomod.modfile import File, Replace

__all__ = [
    "NAMES",
    "Exact",
    "check_module",
    "check_module_line",
    "find",
    "load",
    "local_go_mod",
    "local_requirements",
    "main_of",
    "read",
    "read_bytes",
    "read_sum",
    "requirements",
    "requirements_of",
]

MAX_MOD: Final = 4 << 20
"""More than a go.mod or go.work can need. Real ones have some thousand lines."""
MAX_SUM: Final = 64 << 20

_CONFLICT: Final = re.compile(rb"^(?:<{7}|>{7}|\|{7})(?: |\r?$)", re.MULTILINE)


class Exact(NamedTuple):
    """What a go.sum names: versions whose zip, and versions whose go.mod, it has a hash of."""

    zips: tuple[Version, ...]
    mods: tuple[Version, ...]


def read(named: StrPath) -> Mains | Exact:
    """What a go.mod, go.work or go.sum starts from; for a folder its go.work or go.mod, here or further up, as go
    itself looks for them. InvalidInput for anything else, and for a file that cannot be read.
    """
    file = find(named) if os.path.isdir(named) else named
    if _suffix(file) == ".sum":
        return read_sum(file)
    if _suffix(file) in (".mod", ".work"):
        return load(file).mains
    raise InvalidInput("{file}: a go.mod, go.work or go.sum file is wanted, or a folder with one", file=named)


def load(named: StrPath, *, workspace: bool = True) -> Project:
    """The project of a go.mod or go.work file, or of a folder as `find` does. Without `workspace` a go.work is passed
    over, as GOWORK=off does. InvalidInput as for `read`."""
    file = find(named, NAMES if workspace else NAMES[1:]) if os.path.isdir(named) else os.fspath(named)
    if _suffix(file) == ".work":
        return _load_work(file)
    if _suffix(file) == ".mod":
        part, main = _part(file)
        return Project(file, Mains((main,)), (part,))
    if not os.path.exists(file):
        raise InvalidInput("there is no file or folder {file}", file=named)
    raise InvalidInput(
        "{file}: a go.mod or go.work file is wanted, or a folder with one: only they say who requires whom",
        file=named,
    )


def requirements(name: str, data: bytes) -> Requirements:
    """What the go.mod of a dependency says for the graph. InvalidInput when it cannot be read."""
    with _one_line():
        return summarize(name, data).requirements


def local_requirements(local: Local) -> Requirements:
    """The same for a folder that replaces a module. NotFound when it has no go.mod: go does not build without one."""
    return requirements(_go_mod_in(local.folder), local_go_mod(local))


def local_go_mod(local: Local) -> bytes:
    """The go.mod of a folder that replaces a module; NotFound, or InvalidInput when it cannot be read."""
    file = _go_mod_in(local.folder)
    if not os.path.isfile(file):
        raise NotFound("the folder {folder} replaces a module, but it has no go.mod", folder=local.folder)
    return read_bytes(file)


def check_module(named: str, version: Version, source: Version) -> None:
    """Raises InvalidInput unless a dependency's go.mod names the module that is required, or the one that replaces it:
    what was renamed cannot be used under its old path."""
    if not named:
        raise InvalidInput("{module}/go.mod has no module line", module=source)
    if named not in (version.path, source.path):
        raise InvalidInput(
            "{module}/go.mod is that of {other}, but it was required as {path}",
            module=source,
            other=named,
            path=version.path,
        )


def check_module_line(file: "File", version: Version, source: Version) -> None:
    """The same for a go.mod that was read as a whole."""
    check_module(file.module.path if file.module else "", version, source)


def requirements_of(file: "File") -> Requirements:
    """What a go.mod says for the graph."""
    go = file.go.version if file.go else gover.DEFAULT_GO_MOD_VERSION
    return Requirements(go, tuple(line.mod for line in file.require))


def _go_mod_in(folder: str) -> str:
    return os.path.join(folder, "go.mod")


def main_of(part: Part, work: str | None = None) -> Main:
    """What a main module says for the graph. `work` is the folder of the go.work, from where go names folders."""
    mod = part.file
    return Main(
        part.path,
        requirements_of(mod),
        toolchain=mod.toolchain.name if mod.toolchain else "",
        direct=frozenset(line.mod for line in mod.require if not line.indirect),
        replace=_replacements(part.place, _pairs(mod.replace), work),
        exclude=frozenset(line.mod for line in mod.exclude),
    )


def _part(file: str, work: str | None = None) -> tuple[Part, Main]:
    """A main module, and what it says for the graph; `work` as for `main_of`."""
    folder = os.path.dirname(file)
    data = read_bytes(file)
    read = functools.cache(functools.partial(_parsed, file, data))
    said = quick_main(data)
    if said is None:
        path = read().module
        part = Part(folder, path.path if path else "", read)
        check_main(file, part)
        return part, main_of(part, work)
    check_paths(file, said.module)
    check_replacements(file, said.replace)
    main = Main(
        said.module,
        said.requirements,
        toolchain=said.toolchain,
        direct=said.direct,
        replace=_replacements(folder, said.replace, work),
        exclude=said.exclude,
    )
    return Part(folder, said.module, read), main


def _parsed(name: str, data: bytes) -> "File":
    from goferry.gomod import modfile  # slow to import, and a list seldom needs it

    with _one_line():
        return modfile.parse(name, data)


def _load_work(file: str) -> Project:
    from pathlib import Path

    from goferry.gomod import workfile

    folder = os.path.dirname(file)
    with _one_line():
        work = workfile.parse_work(file, read_bytes(file))
    check_uses(file, work)
    found = [_part(str(Path(folder, use.path, "go.mod")), folder) for use in work.use]
    parts = tuple(part for part, _ in found)
    mains = tuple(main for _, main in found)
    check_workspace(file, work, parts, mains)
    workspace = Workspace(
        work.go.version if work.go else gover.DEFAULT_GO_WORK_VERSION,
        toolchain=work.toolchain.name if work.toolchain else "",
        replace=_replacements(folder, _pairs(work.replace)),
    )
    return Project(file, Mains(mains, workspace), parts, work)


def read_sum(file: StrPath) -> Exact:
    """What a go.sum names. InvalidInput for a file that go refuses."""
    from goferry.gomod import gosum

    try:
        lines = gosum.parse(read_bytes(file, MAX_SUM).decode(), os.fspath(file))
    except UnicodeDecodeError as error:
        raise InvalidInput("{file}: not text: {why}", file=file, why=error) from error
    versions = dict.fromkeys(
        (Version(line.module.path, line.module.version.removesuffix(gosum.GO_MOD)), line.of_go_mod)
        for line in lines
    )
    return Exact(
        tuple(version for version, of_go_mod in versions if not of_go_mod),
        tuple(version for version, of_go_mod in versions if of_go_mod),
    )


def _pairs(lines: "Iterable[Replace]") -> list[tuple[Version, Version]]:
    return [(line.old, line.new) for line in lines]


def _replacements(
    folder: str, lines: Iterable[tuple[Version, Version]], work: str | None = None
) -> dict[Version, Version | Local]:
    return {old: new if new.version else _local(folder, new.path, work) for old, new in lines}


def _local(folder: str, named: str, work: str | None) -> Local:
    from pathlib import Path  # slow to import, and few projects replace

    place = str(Path(folder, named))
    if work is None or Path(named).is_absolute():
        return Local(place, named)
    from goferry.gomod.moddirectives import is_directory_path

    seen = os.path.relpath(place, work).replace(os.sep, "/")
    return Local(place, seen if is_directory_path(seen) else f"./{seen}")


def _suffix(file: StrPath) -> str:
    return os.path.splitext(file)[1]


def read_bytes(file: StrPath, limit: int = MAX_MOD) -> bytes:
    """The file, if a person can have written it: not huge, and not half merged."""
    try:
        size = os.stat(file).st_size
        data = _content(file) if size <= limit else b""
    except OSError as error:
        raise InvalidInput("cannot read {file}: {why}", file=file, why=error.strerror) from error
    if size > limit:
        raise InvalidInput(
            "{file} is too large: {size} bytes, where {limit} are allowed", file=file, size=size, limit=limit
        )
    if data.startswith(codecs.BOM_UTF8) and _suffix(file) in (".mod", ".work"):
        raise InvalidInput(
            "{file}:1: it begins with a byte order mark, which go refuses",
            hint=N_("save it as UTF-8 without one"),
            file=file,
        )
    if marker := _CONFLICT.search(data):
        raise InvalidInput(
            "{file}:{line}: this is a merge conflict that nobody has resolved",
            hint=N_("resolve it, then try again"),
            file=file,
            line=data.count(b"\n", 0, marker.start()) + 1,
        )
    return data


def _content(file: StrPath) -> bytes:
    with open(file, "rb") as opened:
        return opened.read()


@contextmanager
def _one_line() -> Iterator[None]:
    """Of all that is wrong with a file the first thing is said, and how much more there is."""
    try:
        yield
    except InvalidInput as error:
        first, *more = getattr(error, "problems", None) or (error,)  # without loading what has ModFileError
        if not more:
            raise
        raise InvalidInput("{problem} (and {count} more)", problem=first, count=len(more)) from error
