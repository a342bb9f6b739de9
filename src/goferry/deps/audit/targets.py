"""Which projects are looked at: what people name, and what is found below it.

A file or a folder stands for its project, as for go. `DIR/...`, and a folder without a project in it or above it, stand
for every project below: each go.work, and each go.mod that no go.work takes in.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from goferry.deps import tree
from goferry.deps.audit import ignoring, owners
from goferry.deps.audit.compose import Unreadable
from goferry.deps.audit.ignoring import IgnoreFile
from goferry.deps.audit.run import Target, named
from goferry.deps.binary import Binary, read_binary
from goferry.deps.executables import NotGoError
from goferry.deps.finding import find, folder_of, is_pattern
from goferry.deps.sources import load
from goferry.errors import GoferryError, InvalidInput
from goferry.i18n import N_

_NAME_ONE: Final = N_("name a go.mod or go.work file, a folder with one, or DIR/... for all below")


@dataclass(frozen=True, slots=True)
class _Place:
    """A go.mod or go.work file, and the folder that was named for it."""

    file: Path
    base: Path
    many: bool
    binary: Binary | None = None


@dataclass(slots=True)
class Targets:
    """What there is to look at, what could not be read, and the ignore files that concern them."""

    projects: list[Target] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    ignore: list[IgnoreFile] = field(default_factory=list)


def gather(names: Iterable[str], cwd: Path) -> Targets:
    """The projects of everything that was named, each one once. InvalidInput for a name that stands for none, and for
    an ignore file that cannot be read."""
    found = Targets()
    places = {place.file: place for name in names for place in _places(name, cwd)}
    for place in places.values():
        root = _relative(place.file.parent, cwd)
        owner = owners.of_file(place.file) or _owner_by_folder(place)
        if place.binary is not None:
            found.projects.append(_program(place.binary, root, owner, cwd))
            continue
        try:
            project = load(place.file)
        except GoferryError as why:
            found.unreadable.append(
                Unreadable(
                    root if root != "." else place.file.parent.name, root, owner, why, str(place.file.parent)
                )
            )
        else:
            found.projects.append(Target(project, project.name, root, owner))
    found.projects = named(found.projects)
    found.ignore = list(_ignore_files(found, places.values(), cwd))
    return found


def _places(name: str, cwd: Path) -> Iterator[_Place]:
    if is_pattern(name):
        yield from _below_or_fail(folder_of(name, cwd))
        return
    path = Path(cwd, name)
    if path.is_dir():
        try:
            yield _Place(Path(find(path)), path.resolve(), many=False)
        except InvalidInput:
            yield from _below_or_fail(path)
    elif path.is_file() and path.suffix in (".mod", ".work"):
        yield _Place(path.resolve(), path.resolve().parent, many=False)
    elif path.is_file():
        yield _Place(path.resolve(), path.resolve().parent, many=False, binary=_built(path.resolve(), name))
    else:
        raise InvalidInput(
            "{name}: a go.mod or go.work file is wanted, a folder, or a built program",
            hint=_NAME_ONE,
            name=name,
        )


def _built(file: Path, name: str) -> Binary:
    try:
        return read_binary(file)
    except NotGoError as why:
        raise InvalidInput(
            "{name}: a go.mod or go.work file is wanted, a folder, or a built program",
            hint=_NAME_ONE,
            name=name,
        ) from why


def _program(binary: Binary, root: str, owner: str, cwd: Path) -> Target:
    """A built program, by its file: it may be one of several of the same module."""
    name = binary.file.name if root == "." else f"{_relative(binary.file.parent, cwd)}/{binary.file.name}"
    return Target(binary.build_list().project, name, root, owner, binary)


def _below_or_fail(folder: Path) -> Iterator[_Place]:
    places = [_Place(file, folder.resolve(), many=True) for file in tree.below(folder.resolve())]
    if not places:
        raise InvalidInput(
            "there is no go.mod or go.work in {folder}, above it or below it",
            hint=_NAME_ONE,
            folder=folder,
        )
    yield from places


def _owner_by_folder(place: _Place) -> str:
    """Of many projects below a folder, the folder that each one is in."""
    if not place.many:
        return ""
    parts = place.file.parent.relative_to(place.base).parts
    return parts[0] if len(parts) > 1 else ""


def _relative(folder: Path, cwd: Path) -> str:
    """Relative where it is below the working folder, with slashes."""
    try:
        return folder.resolve().relative_to(cwd.resolve()).as_posix()
    except ValueError:
        return folder.as_posix()


def _ignore_files(found: Targets, places: Iterable[_Place], cwd: Path) -> Iterator[IgnoreFile]:
    """The ignore file beside each project's go.mod or go.work, and that of a folder which was named as a whole."""
    roots = {target.project.root.resolve(): target.name for target in found.projects}
    roots |= {Path(cwd, one.root).resolve(): one.name for one in found.unreadable}
    for root, name in roots.items():
        yield from read_ignore(root / ignoring.FILE_NAME, cwd, frozenset({name}))
    for base in {place.base for place in places if place.many} - set(roots):
        below_it = frozenset(name for root, name in roots.items() if root.is_relative_to(base))
        yield from read_ignore(base / ignoring.FILE_NAME, cwd, below_it)


def read_ignore(
    file: Path, cwd: Path, projects: frozenset[str] | None, *, must: bool = False
) -> Iterator[IgnoreFile]:
    """The file, if there is one; with `must` InvalidInput when there is none."""
    place = f"{_relative(file.parent, cwd)}/{file.name}".removeprefix("./")
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        if must:
            raise InvalidInput("there is no ignore file {file}", file=place) from None
        return
    except OSError as error:
        raise InvalidInput("cannot read {file}: {why}", file=place, why=error.strerror) from error
    parsed = ignoring.parse(data, place)
    yield IgnoreFile(parsed.place, parsed.entries, projects)
