"""Writing a hosts file so that nothing else can go wrong with it: backup first, all or nothing, owner and mode kept.

In a container /etc/hosts is a mount of its own and cannot be renamed over; there, and where the folder or a hard link
forbids it, the file is written in place.
"""

import difflib
import errno
import hashlib
import io
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from goferry.doctor import hostsfile
from goferry.errors import ConfigError, InvalidInput, NotFound, Refused

_IN_PLACE: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.EROFS})
"""Errors after which writing in place may still work: a mount point, a folder that is not ours."""


def default_place(environ: Mapping[str, str], platform: str) -> Path:
    """Where the system keeps its hosts file."""
    if platform == "win32":
        return Path(environ.get("SYSTEMROOT", r"C:\Windows"), "System32", "drivers", "etc", "hosts")
    return Path("/etc/hosts")


def state_folder(environ: Mapping[str, str], home: Path, platform: str) -> Path:
    """Where backups go: the user's state folder (XDG, or LOCALAPPDATA on Windows)."""
    if platform == "win32":
        base = Path(environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    else:
        base = Path(environ.get("XDG_STATE_HOME") or home / ".local" / "state")
    return base / "goferry" / "hosts"


@dataclass(frozen=True, slots=True)
class HostsFile:
    """One hosts file and where its backup goes. path: followed if it is a symbolic link."""

    path: Path
    backups: Path

    @property
    def real(self) -> Path:
        """The file that is written."""
        return Path(os.path.realpath(self.path))

    def read(self) -> bytes:
        """The bytes. Raises InvalidInput when there is no such file, Refused when it may not be read."""
        try:
            return self.real.read_bytes()
        except FileNotFoundError as error:
            raise InvalidInput("there is no file {path}", path=str(self.path)) from error
        except PermissionError as error:
            raise Refused("{path} may not be read", path=str(self.path)) from error
        except OSError as error:
            raise InvalidInput(
                "cannot read {path}: {why}", path=str(self.path), why=error.strerror
            ) from error

    def diff(self, before: bytes, after: bytes) -> str:
        """What would change, as a unified diff; odd bytes are shown by their numbers."""
        name = str(self.path)
        lines = difflib.unified_diff(_shown(before), _shown(after), name, name)
        return "".join(
            line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
        )

    # ---- backup --------------------------------------------------------------------------------------------

    def backup_places(self) -> tuple[Path, Path]:
        """Where a backup may be: the state folder, else beside the file."""
        name = hashlib.sha256(os.fsencode(self.real)).hexdigest()[:16]
        return self.backups / f"{self.real.name}-{name}", self.real.with_name(
            f"{self.real.name}.goferry-backup"
        )

    def backup(self) -> Path | None:
        """The backup that there is."""
        return next((place for place in self.backup_places() if place.is_file()), None)

    def keep(self, data: bytes) -> Path:
        """Keeps the file as it is before the first pin; a backup that is still needed stays. Raises Refused."""
        known = self.backup()
        if known is not None and hostsfile.parse(data).blocks:
            return known
        trouble: OSError | None = None
        for place in self.backup_places():
            try:
                place.parent.mkdir(parents=True, exist_ok=True)
                _replace(place, hostsfile.strip(data))
            except OSError as error:
                trouble = error
            else:
                return place
        assert trouble is not None
        raise Refused(
            "no backup of {path} can be kept: {why}", path=str(self.path), why=trouble.strerror
        ) from trouble

    def forget(self) -> None:
        """Removes the backup; one that cannot be removed does no harm."""
        for place in self.backup_places():
            with suppress(OSError):
                place.unlink()

    # ---- writing -------------------------------------------------------------------------------------------

    def write(self, before: bytes, after: bytes, *, retry: str) -> None:
        """Changes the file from `before` to `after`. retry: the command to repeat with more rights, for the error.

        Raises Refused without permission, ConfigError when the file has changed since it was read.
        """
        if self.read() != before:
            raise ConfigError("{path} has just been changed by somebody else; try again", path=str(self.path))
        try:
            self._write(after)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise Refused(
                    "{path} may not be written by this user", hint="{retry}", path=str(self.path), retry=retry
                ) from error
            raise Refused("cannot write {path}: {why}", path=str(self.path), why=error.strerror) from error

    def _write(self, data: bytes) -> None:
        real = self.real
        info = real.stat()
        if info.st_nlink > 1 or not _writable(info, real):
            # A rename would leave the other names of the file behind, or replace a file that is protected on purpose.
            _write_in_place(real, data)
            return
        try:
            _replace(real, data, info)
        except OSError as error:
            if error.errno not in _IN_PLACE:
                raise
            _write_in_place(real, data)


def _writable(info: os.stat_result, path: Path) -> bool:
    return bool(info.st_mode & stat.S_IWUSR) and os.access(path, os.W_OK)


def _replace(path: Path, data: bytes, info: os.stat_result | None = None) -> None:
    """A new file in the place of the old one in one step; with `info` it gets the old one's mode, owner, attributes."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    new = Path(name)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if info is not None:
            _dress(new, path, info)
        new.replace(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise


def _dress(new: Path, old: Path, info: os.stat_result) -> None:
    shutil.copystat(old, new)
    os.utime(new)
    made = new.stat()
    if hasattr(os, "chown") and (made.st_uid, made.st_gid) != (info.st_uid, info.st_gid):
        os.chown(new, info.st_uid, info.st_gid)


def _write_in_place(path: Path, data: bytes) -> None:
    with open(path, "r+b", buffering=0) as file:
        before = file.read()
        try:
            _overwrite(file, data)
        except OSError:
            # Half a hosts file would be worse than the old one.
            with suppress(OSError):
                _overwrite(file, before)
            raise


def _overwrite(file: io.FileIO, data: bytes) -> None:
    file.seek(0)
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]
    file.truncate(len(data))
    os.fsync(file.fileno())


def _shown(data: bytes) -> list[str]:
    return [line.decode("utf-8", "backslashreplace") for line in re.findall(rb"[^\n]*\n|[^\n]+", data)]


# ---- taking it all back ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """What `restore` would write. from_backup: byte for byte the backup; changed: others have edited the file since."""

    data: bytes
    from_backup: bool
    changed: bool


def restored(file: HostsFile, now: bytes, *, force: bool) -> Restored:
    """The file as it was before the first pin.

    When others have edited it since, only our blocks are taken out, so that their edits stay; `force` brings the
    backup back all the same. Raises NotFound when there is neither a backup nor a block.
    """
    place = file.backup()
    without = hostsfile.strip(now)
    if place is None:
        if without == now:
            raise NotFound(
                "{path}: nothing of goferry's is in it, and there is no backup", path=str(file.path)
            )
        return Restored(without, from_backup=False, changed=False)
    backup = place.read_bytes()
    changed = backup != without
    if changed and not force:
        return Restored(without, from_backup=False, changed=True)
    return Restored(backup, from_backup=True, changed=changed)
