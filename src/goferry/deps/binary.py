"""The modules that a built Go program was made of, from the build info in it."""

import mmap
from dataclasses import dataclass
from pathlib import Path

from goferry.deps.base import BuildList, Module, Project
from goferry.deps.executables import NotGoError, read_build_info
from goferry.errors import InvalidInput
from goferry.gomod import gover
from goferry.gomod.buildinfo import DEVEL, BuildInfo, Built
from goferry.gomod.modgraph import Local, Main, Mains, ModuleGraph, Requirements
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class Binary:
    """A program, and the modules that are linked into it: fewer than its build list has."""

    file: Path
    info: BuildInfo

    @property
    def modules(self) -> tuple[Module, ...]:
        """The main module first. It has a version when it was built as `go install module@version` does."""
        main = [_module(self.info.main, main=True)] if self.info.main else []
        return (*main, *(_module(dep) for dep in self.info.deps))

    def build_list(self) -> BuildList:
        """All of it as if the main module required it: nothing in a program says who brought what in."""
        modules = self.modules
        mains = tuple(module.module for module in modules if module.main)
        linked = tuple(module.module for module in modules if not module.main)
        graph = ModuleGraph(
            mains,
            dict.fromkeys(mains, linked),
            {version.path: version.version for version in (*mains, *linked)},
        )
        path = self.info.main.module.path if self.info.main else self.info.path
        main = Main(path, Requirements(gover.from_toolchain(self.info.go), linked), direct=frozenset(linked))
        return BuildList(Project(str(self.file), Mains((main,)), ()), modules, graph)


def read_binary(file: Path) -> Binary:
    """InvalidInput, with the file's name, for one that is no Go program, does not say, or cannot be read."""
    try:
        with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return Binary(file, read_build_info(data))
    except OSError as error:
        raise InvalidInput("cannot read {file}: {why}", file=file, why=error.strerror) from error
    except ValueError as error:  # an empty file cannot be mapped
        raise NotGoError("{file}: {why}", file=file, why=error) from error
    except InvalidInput as why:
        raise type(why)("{file}: {why}", file=file, why=why) from why


def _module(built: Built, *, main: bool = False) -> Module:
    version = "" if main and built.module.version == DEVEL else built.module.version
    replaced: Version | Local | None = None
    if built.replace is not None:
        new = built.replace.module
        replaced = Local(new.path, new.path) if new.version in ("", DEVEL) else new
    return Module(built.module.path, version, main=main, replace=replaced)
