"""A module graph while it is read: from folders and from the store at once, from a supply in `buildlist`."""

from collections.abc import Iterable

from goferry.deps.base import BuildList, Module, Project
from goferry.deps.sources import check_module, local_requirements
from goferry.deps.stored import Stored
from goferry.errors import GoferryError
from goferry.gomod.modgraph import Graph, Local
from goferry.gomod.modsummary import Summary, summarize
from goferry.gomod.module import Version


class Reading:
    """A graph, and the go.mod files that could not be had."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self.unread: dict[Version, GoferryError] = {}
        self._graph = Graph(project.mains)
        self._replaced = project.mains.replaced

    def missing(self) -> list[Version]:
        """Versions whose go.mod has to be read next."""
        return self._graph.missing()

    def source(self, version: Version) -> Version | Local:
        return self.project.mains.source(version) if version.path in self._replaced else version

    def add(self, version: Version, source: Version | Local, data: bytes = b"") -> None:
        """The go.mod of what `source` says; for a folder it is read here."""
        try:
            if isinstance(source, Local):
                self._graph.add(version, local_requirements(source))
            else:
                self._add(version, source, summarize(f"{source}/go.mod", data))
        except GoferryError as error:
            self.fail(version, error)

    def _add(self, version: Version, source: Version, summary: Summary) -> None:
        check_module(summary.module, version, source)
        self._graph.add(version, summary.requirements)

    def fail(self, version: Version, why: GoferryError) -> None:
        """It cannot be had."""
        self.unread[version] = why
        self._graph.add(version, None)

    def read_stored(self, stored: Stored) -> None:
        """Everything that is at hand."""
        lacking: set[Version] = set()
        while missing := [version for version in self.missing() if version not in lacking]:
            sources = {version: self.source(version) for version in missing}
            stored.prepare(source for source in sources.values() if isinstance(source, Version))
            for version, source in sources.items():
                if isinstance(source, Local):
                    self.add(version, source)
                elif not self._add_stored(version, source, stored):
                    lacking.add(version)
        stored.keep()

    def _add_stored(self, version: Version, source: Version, stored: Stored) -> bool:
        """Whether it was at hand."""
        try:
            if summary := stored.get(source):
                self._add(version, source, summary)
            return summary is not None
        except GoferryError as error:
            self.fail(version, error)
            return True

    def build_list(self) -> BuildList:
        """What can be said now; go's own build list once nothing is missing or unread."""
        graph = self._graph
        selected = modules(self.project, graph.build_list())
        return BuildList(self.project, selected, graph.module_graph(), self.unread)


def modules(project: Project, selected: Iterable[Version]) -> tuple[Module, ...]:
    """The modules of a build list: the main ones by path, then what was selected, in the given order."""
    mains = project.mains
    replaced = mains.replaced
    direct = {version.path for main in mains.modules for version in main.direct}
    found = [Module(path, "", main=True) for path in sorted(mains.paths)]
    found += [
        Module(
            version.path,
            version.version,
            indirect=version.path not in direct,
            replace=mains.replacement(version) if version.path in replaced else None,
        )
        for version in selected
    ]
    return tuple(found)
