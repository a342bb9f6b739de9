"""The rules for module zips: which files one may hold, and the proof that a given one holds nothing else.

A module zip is unpacked on every system by every `go` command, so its names must mean the same everywhere: below
`module@version/`, valid on every file system, and different even where case does not count. `check_zip` reports
everything valid, omitted and invalid, each with its reason, as golang.org/x/mod/zip does; `verify_zip` also proves
every byte and computes the h1 hash in the same pass; `create_zip` makes a zip from files by the same rules.
"""

import io
import os
import posixpath
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from goferry.errors import GoferryError, InvalidInput
from goferry.gomod import modfile, zipdigests
from goferry.gomod import module as _module
from goferry.gomod.dirhash import summary_hash
from goferry.gomod.module import Version, printable
from goferry.gomod.ziparchive import Archive, Entry, ZipError

__all__ = [
    "MAX_GO_MOD",
    "MAX_LICENSE",
    "MAX_ZIP_FILE",
    "CheckedFiles",
    "FileError",
    "SourceFile",
    "ZipError",
    "ZipLimits",
    "ZipReport",
    "check_dir",
    "check_files",
    "check_zip",
    "create_zip",
    "create_zip_from_dir",
    "verify_zip",
    "write_zip",
]

MAX_ZIP_FILE = 500 << 20
MAX_GO_MOD = 16 << 20
MAX_LICENSE = 16 << 20


@dataclass(frozen=True, slots=True)
class ZipLimits:
    """How big a module may be. Bytes, except `entries`. All but `entries` are Go's own limits, and it has no bound
    there; ours keeps a zip of a million empty names from filling the memory."""

    zip_file: int = MAX_ZIP_FILE
    content: int = MAX_ZIP_FILE
    go_mod: int = MAX_GO_MOD
    license: int = MAX_LICENSE
    entries: int = 1_000_000


GO_LIMITS = ZipLimits()


@dataclass(frozen=True, slots=True)
class FileError:
    """A file and why it is omitted or invalid."""

    path: str
    error: GoferryError

    @property
    def reason(self) -> str:
        """The reason in the language in use."""
        return str(self.error)


@dataclass(slots=True)
class CheckedFiles:
    """Every file of a set, in exactly one list. `size_error` is set when the whole is too big."""

    valid: list[str] = field(default_factory=list)
    omitted: list[FileError] = field(default_factory=list)
    invalid: list[FileError] = field(default_factory=list)
    size_error: ZipError | None = None

    def error(self) -> ZipError | None:
        """Why these files can't be a module; None when they can."""
        if self.size_error is not None or not self.invalid:
            return self.size_error
        first, others = self.invalid[0], len(self.invalid) - 1
        if others:
            return ZipError(
                "{path}: {why} (and {others} more)",
                path=printable(first.path),
                why=first.error,
                others=others,
            )
        return ZipError("{path}: {why}", path=printable(first.path), why=first.error)


@dataclass(frozen=True, slots=True)
class ZipReport:
    """What a verified zip is: its h1 hash, how many files it holds, their bytes unpacked, the bytes of the zip, and
    the go.mod inside (None without one)."""

    h1: str
    files: int
    content_size: int
    zip_size: int
    go_mod: bytes | None


def check_zip(
    module: Version, path: str | os.PathLike[str], *, limits: ZipLimits = GO_LIMITS
) -> CheckedFiles:
    """Which files of a zip are fit for this module version. Reads the directory of the zip only.

    Raises InvalidInput for a malformed module path or version, ZipError for a container that can't be read in one
    way only, OSError for an unreadable file. The rule is golang.org/x/mod/zip, CheckZip.
    """
    check_module(module)
    if too_big := _check_zip_size(path, limits):
        return CheckedFiles(size_error=too_big)
    with Archive(path, max_entries=limits.entries) as archive:
        return _check_entries(module, archive.entries, limits)


def verify_zip(
    module: Version,
    path: str | os.PathLike[str],
    *,
    limits: ZipLimits = GO_LIMITS,
    workers: int | None = None,
) -> ZipReport:
    """Proves that a file is a zip of this module version, down to the last byte, and computes its h1 hash.

    Raises ZipError with the reason for anything `go` would refuse to unpack, or could be read in two ways;
    InvalidInput for a malformed module; OSError for an unreadable file. `workers`: see zipdigests.digests.
    """
    check_module(module)
    if too_big := _check_zip_size(path, limits):
        raise too_big
    with Archive(path, max_entries=limits.entries) as archive:
        if refusal := _check_entries(module, archive.entries, limits).error():
            raise refusal
        found = zipdigests.digests(archive, workers=workers)
        h1 = summary_hash(zip((entry.raw for entry in archive.entries), found, strict=True))
        go_mod = next((entry for entry in archive.entries if entry.name == f"{module}/go.mod"), None)
        return ZipReport(
            h1=h1,
            files=sum(not entry.is_dir for entry in archive.entries),
            content_size=sum(entry.size for entry in archive.entries),
            zip_size=archive.size,
            go_mod=None if go_mod is None else archive.read(go_mod),
        )


def check_module(module: Version) -> None:
    """Raise InvalidInput unless path and version fit together and the version is canonical."""
    canonical = _module.canonical_version(module.version)
    if canonical != module.version:
        raise InvalidInput(
            'version "{version}" is not canonical (should be "{canonical}")',
            version=printable(module.version),
            canonical=canonical,
        )
    _module.check(module.path, module.version)


def _check_zip_size(path: str | os.PathLike[str], limits: ZipLimits) -> ZipError | None:
    size = Path(path).stat().st_size
    if size <= limits.zip_file:
        return None
    return ZipError(
        "module zip file is too large ({size} bytes; limit is {limit} bytes)",
        size=size,
        limit=limits.zip_file,
    )


def _check_entries(module: Version, entries: Iterable[Entry], limits: ZipLimits) -> CheckedFiles:
    checked = CheckedFiles()
    prefix = f"{module}/"
    names = _Names()
    content = 0
    for entry in entries:
        if entry.name == prefix:
            continue
        try:
            name = _name_in(prefix, entry.name)
            names.check(name, is_dir=entry.is_dir)
            if entry.is_dir:
                continue
            _check_go_mod_place(name)
            content += entry.size
            _check_file_size(name, entry.size, limits)
        except GoferryError as why:
            checked.invalid.append(FileError(entry.name, why))
        else:
            checked.valid.append(entry.name)
    if content > limits.content:
        checked.size_error = ZipError(
            "total uncompressed size of module contents too large (max size is {limit} bytes)",
            limit=limits.content,
        )
    return checked


def _name_in(prefix: str, name: str) -> str:
    if not name.startswith(prefix):
        raise ZipError('path does not have prefix "{prefix}"', prefix=prefix)
    return name[len(prefix) : -1] if name.endswith("/") else name[len(prefix) :]


def _check_go_mod_place(name: str) -> None:
    if name[-6:].lower() != "go.mod":
        return
    folder, _, base = name.rpartition("/")
    if base.lower() != "go.mod":
        return
    if folder:
        raise ZipError("go.mod file not in module root directory")
    if name != "go.mod":
        raise ZipError("go.mod files must have lowercase names")


def _check_file_size(name: str, size: int, limits: ZipLimits) -> None:
    if name not in ("go.mod", "LICENSE"):
        return
    limit = limits.go_mod if name == "go.mod" else limits.license
    if size > limit:
        raise ZipError("{name} file too large (max size is {limit} bytes)", name=name, limit=limit)


# Most names are plain; the full check is for the others. Device names of Windows are not plain.
_PLAIN_ELEMENT = re.compile(
    r"(?!(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\.|$))\.?[a-z0-9_-](?:[a-z0-9_.-]*[a-z0-9_-])?",
    re.IGNORECASE | re.ASCII,
)


class _Names:
    """The names seen so far: each valid, and no two the same where case does not count."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, bool]] = {}
        self._folders: set[str] = set()

    def check(self, name: str, *, is_dir: bool) -> None:
        folder, slash, base = name.rpartition("/")
        if not (_PLAIN_ELEMENT.fullmatch(base) and (folder in self._folders or not slash)):
            _check_clean(name)
            _module.check_file_path(name)
        self._claim(name, is_dir=is_dir)
        if folder not in self._folders and slash:
            self._claim_folders(folder)

    def claim(self, name: str, *, is_dir: bool) -> None:
        """Only the second half of check: for a name that is known to be valid."""
        self._claim(name, is_dir=is_dir)
        self._claim_folders(name.rpartition("/")[0])

    def _claim_folders(self, folder: str) -> None:
        while folder and folder not in self._folders:
            self._claim(folder, is_dir=True)
            self._folders.add(folder)
            folder = folder.rpartition("/")[0]

    def _claim(self, name: str, *, is_dir: bool) -> None:
        folded = fold(name)
        known = self._seen.get(folded)
        if known is None:
            self._seen[folded] = name, is_dir
            return
        other, other_is_dir = known
        if other != name:
            raise ZipError(
                'case-insensitive file name collision: "{other}" and "{name}"',
                other=printable(other),
                name=printable(name),
            )
        if other_is_dir != is_dir:
            raise ZipError('entry "{name}" is both a file and a directory', name=printable(name))
        if not is_dir:
            raise ZipError('multiple entries for file "{name}"', name=printable(name))


def _check_clean(name: str) -> None:
    if posixpath.normpath(name) != name or name.startswith("//"):
        raise ZipError("file path is not clean")


def fold(name: str) -> str:
    """Two names have the same fold exactly when they differ in case only (Unicode simple case folding)."""
    return name.lower() if name.isascii() else "".join(map(_fold_char, name))


def _fold_char(char: str) -> str:
    # Simple folding never makes one character two: where the full folding would, the lower case is the simple one.
    for folded in (char.casefold(), char.lower()):
        if len(folded) == 1:
            return folded
    return char


# --- from files to a zip


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that may go into a zip: slash-separated path below the module root, bytes, how to read it, st_mode."""

    path: str
    size: int
    open: Callable[[], BinaryIO]
    mode: int = stat.S_IFREG | 0o644

    @classmethod
    def of(cls, path: str, data: bytes) -> "SourceFile":
        """A regular file with this content."""
        return cls(path, len(data), lambda: io.BytesIO(data))


def check_files(files: Iterable[SourceFile], *, limits: ZipLimits = GO_LIMITS) -> CheckedFiles:
    """Which files go into a module zip, which are left out (other modules, vendored packages, links) and which make
    one impossible. The rule is golang.org/x/mod/zip, CheckFiles."""
    return _check_files(list(files), limits)[0]


def check_dir(directory: str | os.PathLike[str], *, limits: ZipLimits = GO_LIMITS) -> CheckedFiles:
    """check_files for the files below a folder; paths are relative to it. Raises OSError."""
    files, omitted = _list_dir(os.fspath(directory))
    checked, _ = _check_files(files, limits)
    checked.omitted += omitted
    return checked


def create_zip(module: Version, files: Mapping[str, bytes] | Iterable[SourceFile]) -> bytes:
    """The module zip of these files, made by the rules of check_files. The same files give the same bytes.

    Raises ZipError when they can't be a module, InvalidInput for a malformed module.
    """
    if isinstance(files, Mapping):
        files = [SourceFile.of(path, data) for path, data in files.items()]
    out = io.BytesIO()
    write_zip(out, module, files)
    return out.getvalue()


def create_zip_from_dir(module: Version, directory: str | os.PathLike[str]) -> bytes:
    """create_zip for the files below a folder, without the folders of version control. Raises OSError too."""
    return create_zip(module, _list_dir(os.fspath(directory))[0])


def write_zip(out: BinaryIO, module: Version, files: Iterable[SourceFile]) -> None:
    """Writes the module zip of these files; errors as create_zip."""
    check_module(module)
    checked, chosen = _check_files(list(files), GO_LIMITS)
    if refusal := checked.error():
        raise refusal
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for file in chosen:
            with file.open() as content:
                data = content.read(file.size + 1)
            if len(data) > file.size:
                raise ZipError('file "{path}" is larger than declared size', path=printable(file.path))
            info = zipfile.ZipInfo(f"{module}/{file.path}", _NO_TIME)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)


_NO_TIME = (1980, 1, 1, 0, 0, 0)


def _check_files(files: list[SourceFile], limits: ZipLimits) -> tuple[CheckedFiles, list[SourceFile]]:
    checked, chosen = CheckedFiles(), []
    content = 0
    reported: set[str] = set()
    choice = _Choice(files)
    for file in files:
        try:
            omission = choice.omission(file)
            if omission is None:
                content += file.size
                _check_file_size(file.path, file.size, limits)
        except GoferryError as why:
            if file.path not in reported:
                checked.invalid.append(FileError(file.path, why))
                reported.add(file.path)
            continue
        if omission is None:
            checked.valid.append(file.path)
            chosen.append(file)
        elif file.path not in reported:
            checked.omitted.append(FileError(file.path, omission))
            reported.add(file.path)
    if content > limits.content:
        checked.size_error = ZipError(
            "module source tree too large (max size is {limit} bytes)", limit=limits.content
        )
    return checked, chosen


class _Choice:
    """Says of each file of a set whether it goes into the zip."""

    def __init__(self, files: list[SourceFile]) -> None:
        self._names = _Names()
        go_mods = [f for f in files if f.path.rpartition("/")[2].lower() == "go.mod" and stat.S_ISREG(f.mode)]
        self._modules = {f.path.rpartition("/")[0] for f in go_mods} - {""}
        root = next((f for f in go_mods if f.path == "go.mod"), None)
        self._drops_more = root is not None and _is_since_go124(_read(root))

    def omission(self, file: SourceFile) -> ZipError | None:
        """Why it is left out; None when it goes in. Raises ZipError or InvalidInput when it must not be there."""
        path = file.path
        _check_clean(path)
        if path.startswith("/"):
            raise ZipError("file path is not relative")
        if is_vendored(path, since_go124=self._drops_more):
            return _vendored()
        if self._in_other_module(path):
            return ZipError("file is in another module")
        if path == ".hg_archival.txt":
            return ZipError("file is inserted by 'hg archive' and is always omitted")
        _module.check_file_path(path)
        if path.lower() == "go.mod" != path:
            raise ZipError("go.mod files must have lowercase names")
        self._names.claim(path, is_dir=stat.S_ISDIR(file.mode))
        if stat.S_ISLNK(file.mode):
            return ZipError("file is a symbolic link")
        return None if stat.S_ISREG(file.mode) else _irregular()

    def _in_other_module(self, path: str) -> bool:
        while path := path.rpartition("/")[0]:
            if path in self._modules:
                return True
        return False


def _vendored() -> ZipError:
    return ZipError("file is in vendor directory")


def _irregular() -> ZipError:
    return ZipError("not a regular file")


def is_vendored(path: str, *, since_go124: bool) -> bool:
    """Whether a file belongs to a vendored package. Modules that say go 1.24 or later also lose vendor/modules.txt
    and keep what an old mistake took for vendored (go.dev/issue/37397); all others must keep their known hash.
    """
    if since_go124 and path == "vendor/modules.txt":
        return True
    if path.startswith("vendor/"):
        rest = path.removeprefix("vendor/")
    elif (at := path.find("/vendor/")) >= 0:
        start = len("/vendor/")
        rest = path[at + start :] if since_go124 else path[start:]
    else:
        return False
    return "/" in rest


def _is_since_go124(go_mod: bytes) -> bool:
    try:
        go = modfile.parse_lax("go.mod", go_mod).go
    except InvalidInput:
        return False
    if go is None:
        return False
    match = modfile.GO_VERSION.fullmatch(go.version)
    # No release is both a patch and a pre-release: such a version is none, and counts as the oldest.
    if match is None or (match[3] and match[5]):
        return False
    return (int(match[1]), int(match[2])) >= (1, 24)


def _read(file: SourceFile) -> bytes:
    with file.open() as content:
        return content.read()


_VERSION_CONTROL = frozenset((".bzr", ".git", ".hg", ".svn"))


def _list_dir(top: str) -> tuple[list[SourceFile], list[FileError]]:
    """All regular files below a folder that are not in another module, and what was left out on the way."""
    try:
        since_go124 = _is_since_go124(Path(top, "go.mod").read_bytes())
    except OSError:
        since_go124 = False
    files: list[SourceFile] = []
    omitted: list[FileError] = []
    for path, entry in _walk(top, "", omitted):
        if is_vendored(path, since_go124=since_go124):
            omitted.append(FileError(path, _vendored()))
        elif entry.is_dir(follow_symlinks=False):
            continue
        elif not entry.is_file(follow_symlinks=False):
            omitted.append(FileError(path, _irregular()))
        else:
            status = entry.stat(follow_symlinks=False)
            files.append(SourceFile(path, status.st_size, _opener(entry.path), status.st_mode))
    return files, omitted


def _opener(path: str) -> Callable[[], BinaryIO]:
    return lambda: open(path, "rb")


def _walk(folder: str, prefix: str, omitted: list[FileError]) -> Iterator[tuple[str, "os.DirEntry[str]"]]:
    """Everything below a folder in the order of names, but not below folders that are left out whole."""
    with os.scandir(folder) as listing:
        entries = sorted(listing, key=lambda entry: os.fsencode(entry.name))
    for entry in entries:
        path = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            if entry.name in _VERSION_CONTROL:
                omitted.append(FileError(path, ZipError("directory is a version control repository")))
                continue
            if _is_other_module(entry.path):
                omitted.append(FileError(path, ZipError("directory is in another module")))
                continue
            yield path, entry
            yield from _walk(entry.path, path + "/", omitted)
        else:
            yield path, entry


def _is_other_module(folder: str) -> bool:
    try:
        return not stat.S_ISDIR(Path(folder, "go.mod").lstat().st_mode)
    except OSError:
        return False
