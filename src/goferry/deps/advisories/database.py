"""Many entries, found by the path of the module they are about.

A database is a pile of layers, each a table of entries with an index from module path to rows. A row becomes an entry
when somebody asks for its module, so a start costs what the modules at hand cost.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from urllib.request import url2pathname

from goferry.deps.advisories import layouts, packed
from goferry.deps.advisories.base import About, Layer, is_older
from goferry.deps.advisories.layouts import Loose, Tree
from goferry.deps.advisories.osv import Affected, Entry, InvalidAdvisory
from goferry.deps.advisories.packed import Packed
from goferry.deps.advisories.ranges import covered
from goferry.i18n import N_

FILE: Final = "advisories.zip"
"""The name of goferry's own form, in the package and in the user's folder."""


class Database:
    """Entries by module path. Withdrawn ones are only found by id."""

    def __init__(self, about: About, layers: Sequence[Layer]) -> None:
        self.about = about
        self._layers = tuple(layers)
        self._places = {
            names[0]: (number, row)
            for number, layer in enumerate(self._layers)
            for row, names in enumerate(layer.index.names)
        }
        self._entries: dict[tuple[int, int], Entry] = {}
        self._modules: dict[str, tuple[Entry, ...]] = {}
        self._versions: dict[tuple[str, str], tuple[tuple[Entry, Affected], ...]] = {}
        self._naming: dict[str, list[tuple[str, ...]]] = {}
        self._flaws: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[Entry]:
        """All entries, sorted by id."""
        return (self._entry(*self._places[id]) for id in sorted(self._places))

    def knows(self, path: str) -> bool:
        """Whether there is any entry about a module."""
        return any(path in layer.index.modules for layer in self._layers)

    def entries(self, path: str) -> tuple[Entry, ...]:
        """What is known of a module, sorted by id; withdrawn entries left out."""
        found = self._modules.get(path)
        if found is None:
            found = self._modules[path] = tuple(sorted(self._about(path), key=lambda entry: entry.id))
        return found

    def _about(self, path: str) -> Iterator[Entry]:
        for number, layer in enumerate(self._layers):
            for row in layer.index.modules.get(path, ()):
                if self._places[layer.index.names[row][0]] == (number, row):
                    entry = self._entry(number, row)
                    if not entry.withdrawn:
                        yield entry

    def _entry(self, number: int, row: int) -> Entry:
        found = self._entries.get((number, row))
        if found is None:
            found = self._entries[number, row] = self._layers[number].entry(row)
        return found

    def get(self, id: str) -> Entry | None:
        """One entry, withdrawn or not."""
        place = self._places.get(id)
        return None if place is None else self._entry(*place)

    def text(self, id: str) -> bytes:
        """One entry as an OSV file. KeyError when there is none."""
        number, row = self._places[id]
        return self._layers[number].text(row)

    def names(self, id: str) -> tuple[str, ...]:
        """All names of one flaw, by the closure of aliases over the whole database, itself among them; sorted."""
        found = self._flaws.get(id)
        if found is None:
            found = self._flaws[id] = tuple(sorted(self._closure(id)))
        return found

    def _closure(self, id: str) -> set[str]:
        """Whoever shares a name is one flaw, also by way of a third."""
        todo, seen = [id], {id}
        while todo:
            for names in self._rows_naming().get(todo.pop(), ()):
                todo += [name for name in names if name not in seen]
                seen.update(names)
        return seen

    def _rows_naming(self) -> dict[str, list[tuple[str, ...]]]:
        if not self._naming:
            for number, layer in enumerate(self._layers):
                for row, names in enumerate(layer.index.names):
                    if self._places[names[0]] == (number, row):
                        for name in names:
                            self._naming.setdefault(name, []).append(names)
        return self._naming

    def covering(self, path: str, version: str) -> tuple[tuple[Entry, Affected], ...]:
        """What is known of one version (canonical) of a module: the entries, each with its first block that hits."""
        found = self._versions.get((path, version))
        if found is None:
            entries = ((entry, covered(entry.of(path), version)) for entry in self.entries(path))
            found = tuple((entry, block) for entry, block in entries if block is not None)
            self._versions[path, version] = found
        return found

    def adding(self, more: Iterable[Entry]) -> "Database":
        """This one and other entries (GHSA exports, a team's own); of two with one id the added one counts."""
        return self.over(Loose("", more))

    def over(self, more: Layer) -> "Database":
        """This one with a layer on top."""
        return Database(self.about, (*self._layers, more))

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """All entries as OSV files."""
        for layer in self._layers:
            yield from layer.texts()


@cache
def shipped() -> Database:
    """The one that goferry brings along."""
    file = resources.files(__package__) / "data" / FILE
    found = Packed("goferry", file.read_bytes())
    return Database(found.about, (found,))


def installed(folder: Path) -> Database:
    """The newest at hand: what `goferry deps db update` put into the folder, or the shipped one when there is nothing,
    or when goferry itself is newer. InvalidAdvisory when what is there is damaged."""
    file = folder / FILE
    if not file.is_file():
        return shipped()
    found = Packed(str(file), layouts.read_file(file))
    return (
        shipped() if is_older(found.about.seen, shipped().about.modified) else Database(found.about, (found,))
    )


def load(place: str | Path) -> Database:
    """From a path or file:// URL: a folder in the public layout, a folder of OSV files, one OSV file, a vulndb.zip, a
    zip of OSV files, or goferry's own form. InvalidAdvisory says what is wrong with it."""
    found = layer(place)
    return Database(found.about, (found,))


def layer(place: str | Path) -> Layer:
    """The same as a layer, for `Database.over`."""
    path = _path(place)
    return _folder(path) if path.is_dir() else read(str(path), layouts.read_file(path))


def read(name: str, data: bytes) -> Layer:
    """A database in one file. InvalidAdvisory as for `load`."""
    if not data.startswith(b"PK"):
        return Loose(name, files=((name, data),))
    members = layouts.open_zip(name, data)
    inside = set(members.namelist())
    if packed.ABOUT in inside:
        return Packed(name, data)
    if layouts.MODULES in inside:
        return Tree(name, layouts.zip_reader(name, members))
    files = sorted(file for file in inside if file.endswith(".json"))
    return _loose(name, ((file, layouts.read_member(name, members, file)) for file in files))


def _folder(folder: Path) -> Layer:
    reader = layouts.folder_reader(folder)
    if reader(layouts.MODULES) is not None:
        return Tree(str(folder), reader)
    files = sorted(folder.rglob("*.json"))
    return _loose(str(folder), ((str(file), layouts.read_file(file)) for file in files))


def _loose(name: str, files: Iterable[tuple[str, bytes]]) -> Layer:
    found = Loose(name, files=files)
    if not found.index.names:
        raise InvalidAdvisory(
            "{name}: there is no vulnerability database here",
            hint=N_("name a folder with index/modules.json or OSV files, a vulndb.zip, or a URL"),
            name=name,
        )
    return found


def _path(place: str | Path) -> Path:
    if isinstance(place, Path) or not place.startswith("file:"):
        return Path(place)
    parts = urlsplit(place)
    if parts.netloc not in ("", "localhost"):
        raise InvalidAdvisory("the file URL {url} names a host; write file:///path", url=place)
    return Path(url2pathname(parts.path))
