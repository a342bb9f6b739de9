"""vendor/modules.txt: which modules a vendor folder was made from, and which packages it has of each.

    # golang.org/x/text v0.3.0 => ../text          a module, and what it is replaced by (a version, or a folder)
    ## explicit; go 1.17                           go.mod requires it; its go line
    golang.org/x/text/language                     a package of it
    # example.org/unused => example.org/fork v1.2.0     a replacement of all versions

The first line of a vendored workspace is `## workspace`. `go mod vendor` writes the file and every build with
-mod=vendor believes it, so the reader here is as lenient as go's: what it does not understand says nothing. Such lines
are kept, for who wants to know. Rules: cmd/go internal/modload/vendor.go.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from goferry.errors import InvalidInput
from goferry.gomod import semver
from goferry.gomod.module import Version, check_import_path

_WORKSPACE: Final = "workspace"
_HEAD: Final = 512
"""go looks for the mark of a workspace in so many bytes."""


@dataclass(frozen=True, slots=True)
class Entry:
    """All that the file says of one module. `number` is its first line, counted from 1."""

    module: Version
    """The version is empty for a replacement of all versions."""
    replacement: Version | None = None
    """Without a version it is a folder, as it was written: relative to the folder that has the vendor folder."""
    explicit: bool = False
    """A main module's go.mod requires it."""
    go: str = ""
    """Its go line; empty when it is not written, as it is not before go 1.17."""
    packages: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    """Annotations that a later Go may have added."""
    number: int = field(default=0, compare=False)

    @property
    def source(self) -> Version | None:
        """The version whose files were copied; None for a folder, and for a replacement of all versions."""
        chosen = self.module if self.replacement is None else self.replacement
        return chosen if chosen.version else None


@dataclass(frozen=True, slots=True)
class Modules:
    """What a modules.txt says. `entries` are in the order of the file, each module once."""

    entries: tuple[Entry, ...] = ()
    workspace: bool = False
    unread: tuple[int, ...] = ()
    """Numbers of the lines that mean nothing to go."""
    owners: Mapping[str, Version] = field(default_factory=dict)
    """Which module each package is of. Of two that claim one package the later line counts, as for go."""

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def of(self, module: Version) -> Entry | None:
        """The entry of exactly this version (or, without a version, of a replacement of all)."""
        return next((entry for entry in self.entries if entry.module == module), None)

    def providing(self) -> tuple[Entry, ...]:
        """Entries with packages; go takes them for what is selected."""
        return tuple(entry for entry in self.entries if entry.packages)

    def versions(self) -> dict[str, str]:
        """The selected version of each module that provides packages: the highest, should there be several."""
        found: dict[str, str] = {}
        for entry in self.providing():
            path, version = entry.module.path, entry.module.version
            if path not in found or semver.compare(found[path], version) < 0:
                found[path] = version
        return found


def parse(text: str) -> Modules:
    """Reads the whole file. Nothing in it is an error; see the head of this file."""
    reader = _Reader()
    for number, line in enumerate(text.split("\n"), start=1):
        reader.read(number, line)
    return Modules(tuple(reader.entries()), is_workspace(text), tuple(reader.unread), reader.owners)


def is_workspace(text: str) -> bool:
    """Whether `go work vendor` wrote it."""
    return _WORKSPACE in _annotations(text[:_HEAD].partition("\n")[0])


def _annotations(line: str) -> list[str]:
    if not line.startswith("## "):
        return []
    return [token for part in line[3:].split(";") if (token := part.strip())]


@dataclass(slots=True)
class _Open:
    """An entry while it is read: a module may come several times, and then all of it counts."""

    module: Version
    number: int
    replacement: Version | None = None
    explicit: bool = False
    go: str = ""
    packages: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


class _Reader:
    def __init__(self) -> None:
        self.unread: list[int] = []
        self._entries: dict[Version, _Open] = {}
        self.owners: dict[str, Version] = {}
        self._current: _Open | None = None

    def entries(self) -> Iterable[Entry]:
        for entry in self._entries.values():
            yield Entry(
                entry.module,
                entry.replacement,
                entry.explicit,
                entry.go,
                tuple(entry.packages),
                tuple(entry.unknown),
                entry.number,
            )

    def read(self, number: int, line: str) -> None:
        if line.startswith("# "):
            self._module(number, line.split())
        elif self._current is None:
            if line.strip() and _annotations(line) != [_WORKSPACE]:
                self.unread.append(number)
        elif line.startswith("## "):
            self._annotate(self._current, _annotations(line))
        else:
            self._package(number, line, self._current)

    def _module(self, number: int, words: list[str]) -> None:
        if len(words) < 3:
            self.unread.append(number)  # and what follows still belongs to the module before
            return
        module, rest = _named(words)
        if module is None:
            self.unread.append(number)
            self._current = None
            return
        self._current = self._entries.setdefault(module, _Open(module, number))
        replacement = _replacement(rest)
        if replacement is not None:
            self._current.replacement = replacement
        elif rest:
            self.unread.append(number)

    def _annotate(self, entry: _Open, annotations: list[str]) -> None:
        for word in annotations:
            if word == "explicit":
                entry.explicit = True
            elif word.startswith("go "):
                entry.go = word[3:]
            elif word not in entry.unknown:
                entry.unknown.append(word)

    def _package(self, number: int, line: str, entry: _Open) -> None:
        words = line.split()
        if len(words) == 1 and _is_import_path(words[0]):
            self.owners[words[0]] = entry.module
            if words[0] not in entry.packages:
                entry.packages.append(words[0])
        elif words:
            self.unread.append(number)


def _named(words: list[str]) -> tuple[Version | None, list[str]]:
    """The module of a `# ` line, and the words behind it."""
    _, path, third, *rest = words
    if semver.is_valid(third):
        return Version(path, third), rest
    if third == "=>":
        return Version(path), [third, *rest]
    return None, []


def _replacement(words: list[str]) -> Version | None:
    match words:
        case ["=>", folder]:
            return Version(folder)
        case ["=>", path, version] if semver.is_valid(version):
            return Version(path, version)
    return None


def _is_import_path(text: str) -> bool:
    try:
        check_import_path(text)
    except InvalidInput:
        return False
    return True
