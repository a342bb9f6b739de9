"""go.mod, go.work and go.sum files on disk, read into what a module graph starts from."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod import gosum, gover, modfile, workfile
from goferry.gomod.modgraph import Local, Main, Mains, Requirements, Workspace
from goferry.gomod.module import Version
from goferry.i18n import N_

NAMES: Final = ("go.work", "go.mod")
"""What a folder is searched for, the first one first."""


@dataclass(frozen=True, slots=True)
class Exact:
    """What a go.sum names: versions whose zip, and versions whose go.mod, it has a hash of."""

    zips: tuple[Version, ...]
    mods: tuple[Version, ...]


def read(named: Path) -> Mains | Exact:
    """What a go.mod, go.work or go.sum starts from; for a folder its go.work or go.mod, here or further up, as go
    itself looks for them. InvalidInput for anything else, and for a file that cannot be read.
    """
    file = find(named) if named.is_dir() else named
    if file.name == "go.work" or file.suffix == ".work":
        return _read_work(file)
    if file.name == "go.sum" or file.suffix == ".sum":
        return _read_sum(file)
    if file.suffix == ".mod":
        return Mains((_read_mod(file),))
    raise InvalidInput("{file}: a go.mod, go.work or go.sum file is wanted, or a folder with one", file=named)


def find(folder: Path) -> Path:
    """The go.work above a folder if there is one, else its go.mod."""
    places = [folder.resolve(), *folder.resolve().parents]
    for name in NAMES:
        for place in places:
            if (place / name).is_file():
                return place / name
    raise InvalidInput(
        "there is no go.mod or go.work in {folder} or above it",
        hint=N_("name a go.mod, go.work or go.sum file, or a folder with one"),
        folder=folder,
    )


def requirements(name: str, data: bytes) -> Requirements:
    """What the go.mod of a dependency says for the graph. InvalidInput when it cannot be read."""
    return _requirements(modfile.parse_lax(name, data))


def local_requirements(local: Local) -> Requirements | None:
    """The same for a folder that replaces a module; None when it has no go.mod."""
    file = Path(local.folder, "go.mod")
    return requirements(str(file), file.read_bytes()) if file.is_file() else None


def _requirements(file: modfile.File) -> Requirements:
    go = file.go.version if file.go else gover.DEFAULT_GO_MOD_VERSION
    return Requirements(go, tuple(line.mod for line in file.require))


def _read_mod(file: Path) -> Main:
    mod = modfile.parse(str(file), _bytes(file))
    return Main(
        mod.module.path if mod.module else "",
        _requirements(mod),
        toolchain=mod.toolchain.name if mod.toolchain else "",
        direct=frozenset(line.mod for line in mod.require if not line.indirect),
        replace=_replacements(file.parent, mod.replace),
        exclude=frozenset(line.mod for line in mod.exclude),
    )


def _read_work(file: Path) -> Mains:
    work = workfile.parse_work(str(file), _bytes(file))
    return Mains(
        tuple(_read_mod(Path(file.parent, use.path, "go.mod")) for use in work.use),
        Workspace(
            work.go.version if work.go else gover.DEFAULT_GO_WORK_VERSION,
            toolchain=work.toolchain.name if work.toolchain else "",
            replace=_replacements(file.parent, work.replace),
        ),
    )


def _read_sum(file: Path) -> Exact:
    try:
        lines = gosum.parse(_bytes(file).decode(), str(file))
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


def _replacements(folder: Path, lines: Iterable[modfile.Replace]) -> dict[Version, Version | Local]:
    return {
        line.old: line.new if line.new.version else Local(str(Path(folder, line.new.path))) for line in lines
    }


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise InvalidInput("cannot read {file}: {why}", file=file, why=error.strerror) from error
