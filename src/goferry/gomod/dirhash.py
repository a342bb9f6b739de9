"""The `h1:` hash of a module's files, as go.sum and the checksum database carry it.

The hash covers names and contents only. How a zip was packed, in which order and when does not count, so a zip made
by anybody from the same files has the same hash. Source of the rule: golang.org/x/mod/sumdb/dirhash.

>>> hash_go_mod(b"module example.com/m\\n")
'h1:vuKWKnxmGFLrtZ6tUjzm1FnTfzmRVuCFHPfTZlkPPDE='
"""

import base64
import hashlib
import os
from collections.abc import Callable, Iterable
from io import BufferedIOBase

from goferry.errors import InvalidInput
from goferry.gomod import zipdigests
from goferry.gomod.module import printable
from goferry.gomod.ziparchive import Archive, ZipError

PREFIX = "h1:"

_NEWLINE = ord("\n")
"""As a number: for one of several bytes CPython looks for a number first, and makes an exception of that."""


def hash1(files: Iterable[str], open_file: Callable[[str], BufferedIOBase]) -> str:
    """The h1 hash over named files; `open_file` gives each one's content.

    The summary that is hashed has a line per file, by name in byte order: lower-hex SHA-256, two spaces, name.
    Raises InvalidInput for a name with a newline.
    """
    digests = []
    for name in files:
        with open_file(name) as content:
            digests.append((_raw(name), hashlib.file_digest(content, "sha256").hexdigest()))
    return summary_hash(digests)


def summary_hash(digests: Iterable[tuple[bytes, str]]) -> str:
    """The h1 hash over pairs of name and lower-hex SHA-256 of the content. Raises InvalidInput for a bad name."""
    lines = []
    for name, digest in sorted(digests):
        if _NEWLINE in name:
            raise InvalidInput(
                "file names with newlines are not allowed: {name}", name=printable(os.fsdecode(name))
            )
        lines.append(b"%b  %b\n" % (digest.encode(), name))
    return PREFIX + base64.b64encode(hashlib.sha256(b"".join(lines)).digest()).decode()


def hash_zip(path: str | os.PathLike[str]) -> str:
    """The h1 hash of the files in a zip. Judges the container, not the rules for modules: see modzip.verify_zip.

    Raises ZipError for a zip that is broken, has a name twice or a name with a newline; OSError when unreadable.
    """
    with Archive(path) as archive:
        names = [entry.raw for entry in archive.entries]
        if len(set(names)) < len(names):
            raise ZipError("the zip has files with the same name")
        if any(_NEWLINE in name for name in names):
            raise ZipError("the zip has a file name with a newline")
        return summary_hash(zip(names, zipdigests.digests(archive), strict=True))


def hash_dir(directory: str | os.PathLike[str], prefix: str) -> str:
    """The h1 hash of the files below a folder, as if it were named `prefix` (like `module@version`).

    Raises InvalidInput for a name with a newline, OSError when something can't be read.
    """
    top = os.fspath(directory)
    digests = []
    for name in dir_files(top):
        with open(os.path.join(top, name), "rb") as content:
            digests.append((_raw(f"{prefix}/{name}"), hashlib.file_digest(content, "sha256").hexdigest()))
    return summary_hash(digests)


def dir_files(directory: str) -> list[str]:
    """The files below a folder, slash-separated and relative to it, in byte order."""
    found = []
    for folder, _, names in os.walk(directory):
        found += [
            os.path.relpath(os.path.join(folder, name), directory).replace(os.sep, "/") for name in names
        ]
    return sorted(found, key=_raw)


def hash_go_mod(data: bytes) -> str:
    """The h1 hash of a go.mod file, as the `/go.mod` lines of go.sum carry it: the one file is named `go.mod`."""
    return summary_hash([(b"go.mod", hashlib.sha256(data).hexdigest())])


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")
