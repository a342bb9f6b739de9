"""Editing a hosts file so that nothing else can go wrong with it: backup first, nothing that others wrote is lost."""

import difflib
import errno
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from goferry.doctor import hostsfile
from goferry.errors import ConfigError, InvalidInput, NotFound, Refused
from goferry.rewriting import rewrite, write_private


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
                write_private(place, hostsfile.strip(data))
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

    # ---- one after the other -------------------------------------------------------------------------------

    @contextmanager
    def locked(self) -> Iterator[None]:
        """While it is held, no other goferry of this user reads the file in order to change it.

        Where nothing can be kept nothing is locked; `write` still sees most of what somebody else does meanwhile.
        """
        from goferry.storage.locks import try_lock, unlock

        place = f"{self.backup_places()[0]}.lock"
        held: int | None = None
        with suppress(OSError):
            self.backups.mkdir(parents=True, exist_ok=True)
            held = try_lock(place, wait=True)
        try:
            yield
        finally:
            if held is not None:
                unlock(held, place)

    # ---- writing -------------------------------------------------------------------------------------------

    def write(self, before: bytes, after: bytes, *, retry: str) -> None:
        """Changes the file from `before` to `after`. retry: the command to repeat with more rights, for the error.

        Raises Refused without permission, ConfigError when the file has changed since it was read.
        """
        if self.read() != before:
            raise ConfigError("{path} has just been changed by somebody else; try again", path=str(self.path))
        try:
            rewrite(self.real, after)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EPERM):
                raise Refused(
                    "{path} may not be written by this user", hint="{retry}", path=str(self.path), retry=retry
                ) from error
            raise Refused("cannot write {path}: {why}", path=str(self.path), why=error.strerror) from error


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
