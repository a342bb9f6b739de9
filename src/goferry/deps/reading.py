"""A module graph while it is read: from folders and from the store at once, from a supply in `buildlist`."""

from collections.abc import Callable, Iterable
from pathlib import Path

from goferry.deps.base import BuildList, Module, Project
from goferry.deps.sources import check_module, local_requirements
from goferry.errors import GoferryError, InvalidInput
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.modgraph import Graph, Local
from goferry.gomod.modsummary import summarize
from goferry.gomod.module import Version

Stored = Callable[[Version], bytes | None]
"""The go.mod of a version, if it is at hand."""


class Reading:
    """A graph, and the go.mod files that could not be had."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.unread: dict[Version, GoferryError] = {}
        self._graph = Graph(project.mains)

    def missing(self) -> list[Version]:
        """Versions whose go.mod has to be read next."""
        return self._graph.missing()

    def source(self, version: Version) -> Version | Local:
        return self.project.mains.source(version)

    def add(self, version: Version, source: Version | Local, data: bytes = b"") -> None:
        """The go.mod of what `source` says; for a folder it is read here."""
        try:
            if isinstance(source, Local):
                self._graph.add(version, local_requirements(source))
            else:
                summary = summarize(f"{source}/go.mod", data)
                check_module(summary.module, version, source)
                self._graph.add(version, summary.requirements)
        except GoferryError as error:
            self.fail(version, error)

    def fail(self, version: Version, why: GoferryError) -> None:
        """It cannot be had."""
        self.unread[version] = why
        self._graph.add(version, None)

    def read_stored(self, stored: Stored) -> None:
        """Everything that is at hand."""
        lacking: set[Version] = set()
        while missing := [version for version in self.missing() if version not in lacking]:
            for version in missing:
                source = self.source(version)
                data = b"" if isinstance(source, Local) else stored(source)
                if data is None:
                    lacking.add(version)
                else:
                    self.add(version, source, data)

    def build_list(self) -> BuildList:
        """What can be said now; go's own build list once nothing is missing or unread."""
        graph = self._graph
        selected = modules(self.project, graph.build_list())
        return BuildList(self.project, selected, graph.module_graph(), self.unread)


def modules(project: Project, selected: Iterable[Version]) -> tuple[Module, ...]:
    """The modules of a build list: the main ones by path, then what was selected, in the given order."""
    mains = project.mains
    direct = {version.path for main in mains.modules for version in main.direct}
    found = [Module(path, "", main=True) for path in sorted(mains.paths)]
    found += [
        Module(
            version.path,
            version.version,
            indirect=version.path not in direct,
            replace=mains.replacement(version),
        )
        for version in selected
    ]
    return tuple(found)


def stored_in(folder: Path) -> Stored:
    """What a store in a folder has: it is laid out as the URLs are, and holds only what is whole and proven."""
    root = f"{folder}/"

    def stored(version: Version) -> bytes | None:
        try:
            with open(root + request_path(Kind.MOD, version.path, version.version), "rb", 0) as file:
                return file.read()
        except (OSError, InvalidInput):
            return None  # whoever asks the proxy for it will hear why

    return stored
