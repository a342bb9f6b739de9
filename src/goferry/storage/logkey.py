"""The key pair of a log of one's own: one line in a file that nobody else can read.

The text is that of golang.org/x/mod/sumdb/note, `PRIVATE+KEY+NAME+HASH+BASE64`, so a key made by other tools can be
used. No error says anything of what is in the file.
"""

import os
import secrets
import stat
from pathlib import Path

from goferry.errors import ConfigError, GoferryError, StorageError
from goferry.gomod.sumdb.note import Signer, format_signer, new_signer, parse_signer
from goferry.i18n import N_
from goferry.rewriting import write_private

_LONGEST = 4096
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read_key(path: Path, name: str) -> Signer:
    """The key in a file. ConfigError for one that others may read, that is none, or that is not this log's."""
    try:
        with open(path, "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(_LONGEST)
    except OSError as error:
        raise ConfigError(
            "the key of the log {name} cannot be read: {path}: {why}",
            name=name,
            path=path,
            why=error.strerror,
        ) from error
    if os.name == "posix" and mode & _OTHERS:
        raise ConfigError(
            "the key of the log {name} can be read by others: {path} has the mode {mode}",
            hint=N_("make it private: chmod 600 {path}"),
            name=name,
            path=path,
            mode=f"{stat.S_IMODE(mode):o}",
        )
    signer = _parsed(text)
    if signer is None:
        raise ConfigError(
            "{path} holds no key of a log",
            hint=N_("one line PRIVATE+KEY+NAME+HASH+BASE64 is wanted, as golang.org/x/mod/sumdb/note has it"),
            path=path,
        )
    if signer.name != name:
        raise ConfigError(
            "the key in {path} is that of the log {other}, not of {name}",
            path=path,
            other=signer.name,
            name=name,
        )
    return signer


def make_key(path: Path, name: str) -> Signer:
    """A new key, written whole or not at all. For one process at a time. Raises StorageError."""
    signer = new_signer(name, secrets.token_bytes(32))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_private(path, f"{format_signer(signer)}\n".encode())
    except OSError as error:
        raise StorageError(
            "the key of the log {name} cannot be written: {path}: {why}",
            name=name,
            path=path,
            why=error.strerror,
        ) from error
    return signer


def _parsed(text: bytes) -> Signer | None:
    try:
        return parse_signer(text.decode("ascii").strip())
    except (GoferryError, ValueError):
        return None  # why it can't be read would say what is in it
