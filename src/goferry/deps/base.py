"""What the parts of `deps` hand to each other: projects, build lists, and where bytes come from."""

import os
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from goferry.errors import GoferryError
from goferry.gomod.modgraph import Local, Mains, ModuleGraph
from goferry.gomod.module import Version

if TYPE_CHECKING:
    from pathlib import Path

    from goferry.gomod.modfile import File
    from goferry.gomod.sumdb.lookup import Sums
    from goferry.gomod.workfile import WorkFile


_NOTHING: Final[Mapping[Version, GoferryError]] = MappingProxyType({})


class Part(NamedTuple):
    """A main module of a project: its folder, its path, and its go.mod as people wrote it."""

    place: str
    """The folder, by its name."""
    path: str
    """Empty for a go.mod without a module line."""
    read: "Callable[[], File]"

    @property
    def folder(self) -> "Path":
        """Where it stands."""
        return _path(self.place)

    @property
    def file(self) -> "File":
        """The go.mod, understood as a whole: most questions need only its summary, and this takes its time."""
        return self.read()


class Project(NamedTuple):
    """What is built together: one main module, or the modules of a workspace."""

    place: str
    """The go.mod or go.work file, by its name."""
    mains: Mains
    parts: tuple[Part, ...]
    """In the order of `mains.modules`."""
    work: "WorkFile | None" = None

    @property
    def start(self) -> "Path":
        """The go.mod or go.work file."""
        return _path(self.place)

    @property
    def root(self) -> "Path":
        """The folder with the go.mod or go.work: where go.sum, go.work.sum and vendor stand."""
        return self.start.parent

    @property
    def name(self) -> str:
        """What people call it: the main module's path, for a workspace its folder."""
        return self.parts[0].path if self.work is None and self.parts else self.root.name

    def files(self) -> tuple[str, ...]:
        """What its build list follows from, beside published go.mod files: its own, and those of local replacements."""
        layers = [main.replace for main in self.mains.modules]
        if self.mains.workspace:
            layers.append(self.mains.workspace.replace)
        local = [new.folder for layer in layers for new in layer.values() if isinstance(new, Local)]
        folders = [*(part.place for part in self.parts), *local]
        return (self.place, *(os.path.join(folder, "go.mod") for folder in folders))


def _path(name: str) -> "Path":
    from pathlib import Path  # slow to import, and a list needs none

    return Path(name)


class Module(NamedTuple):
    """One module of a build list, as `go list -m -json all` has it."""

    path: str
    version: str
    """Empty for a main module."""
    main: bool = False
    indirect: bool = False
    """No main module requires it without `// indirect`."""
    replace: Version | Local | None = None

    @property
    def module(self) -> Version:
        return Version(self.path, self.version)

    @property
    def source(self) -> Version | None:
        """The version whose bytes are built; None for a main module and for a folder."""
        if self.main or isinstance(self.replace, Local):
            return None
        return self.replace or self.module


class BuildList(NamedTuple):
    """What is really built: `go list -m all`, and the graph that says why."""

    project: Project
    modules: tuple[Module, ...]
    """The main modules first, and the others; both sorted by path."""
    graph: ModuleGraph
    unread: Mapping[Version, GoferryError] = _NOTHING
    """go.mod files that were needed and could not be had, by the version that is required: the list is a guess then."""

    def dependencies(self) -> tuple[Module, ...]:
        """Without the main modules."""
        return tuple(module for module in self.modules if not module.main)


class Supply(Protocol):
    """Where module files come from. Each method raises NotFound, or the GoferryError that says why it could not."""

    async def mod(self, version: Version) -> bytes:
        """The go.mod."""

    async def info(self, version: Version) -> bytes:
        """The .info, as JSON."""

    async def zip(self, version: Version) -> "Path":
        """The verified zip, as a file that stays while the supply is open."""

    async def versions(self, path: str) -> tuple[str, ...]:
        """`@v/list`, sorted: released versions, no pseudo-versions."""

    async def latest(self, path: str) -> bytes:
        """`@latest`, as the JSON of an .info."""

    async def prove(self, version: Version) -> "Sums":
        """The sums that the checksum database has signed; VerifyError when it contradicts itself, Unavailable when it
        cannot be asked, Refused for a module that it must not be asked about."""
