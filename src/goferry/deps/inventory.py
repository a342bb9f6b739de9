"""Files that name modules without being a project: go.sum, vendor/modules.txt, and built programs."""

from pathlib import Path

from goferry.deps.base import Module, Project
from goferry.deps.sources import read_bytes, read_sum
from goferry.errors import InvalidInput
from goferry.gomod import modulestxt
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version

VENDOR_LIST = "modules.txt"


def vendor_folder(project: Project) -> Path | None:
    """Where the vendored tree stands, if there is one."""
    folder = project.root / "vendor"
    return folder if (folder / VENDOR_LIST).is_file() else None


def modules_in(file: Path) -> tuple[Module, ...]:
    """The modules that such a file names. InvalidInput with the file's name for what cannot be understood.

    Of a go.sum it is the versions with a sum of their zip. That is no build list: it keeps what was used once.
    """
    if file.suffix == ".sum":
        return tuple(Module(version.path, version.version) for version in read_sum(file).zips)
    if file.name == VENDOR_LIST:
        return _vendored(file)
    from goferry.deps.binary import read_binary  # seldom needed

    return read_binary(file).modules


def _vendored(file: Path) -> tuple[Module, ...]:
    try:
        listed = modulestxt.parse(read_bytes(file).decode())
    except UnicodeDecodeError as error:
        raise InvalidInput("{file}: not text: {why}", file=file, why=error) from error
    if listed.unread:
        raise InvalidInput(
            "{file}:{line}: go does not understand this line", file=file, line=listed.unread[0]
        )
    return tuple(
        Module(
            entry.module.path,
            entry.module.version,
            indirect=not entry.explicit,
            replace=_replacement(entry.replacement),
        )
        for entry in listed
        if entry.module.version
    )


def _replacement(new: Version | None) -> Version | Local | None:
    return Local(new.path, new.path) if new is not None and not new.version else new
