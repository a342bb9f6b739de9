"""What became of a vendor folder after go.mod was written: the real go makes it anew, or people are told how."""

from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from typing import Any

from goferry.deps.base import Project
from goferry.errors import StorageError


@dataclass(frozen=True, slots=True)
class Vendoring:
    """Whether the folder was made anew; `why` not, and the command that does it."""

    command: str
    made: bool = True
    why: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"made": self.made, "command": self.command, "why": self.why}


def words_for(project: Project) -> tuple[str, str]:
    """The go command that makes the vendor folder of a project."""
    return ("mod" if project.work is None else "work"), "vendor"


def put_in_place(new: Path, vendor: Path) -> None:
    """A complete new folder instead of the old one, which is there until the new one is. StorageError says what failed;
    then the old one is back."""
    old = new.with_name(f"{new.name}.old")
    try:
        vendor.rename(old)
        try:
            new.rename(vendor)
        except OSError:
            old.rename(vendor)
            raise
        rmtree(old, ignore_errors=True)
    except OSError as error:
        raise StorageError("cannot write {file}: {why}", file=vendor, why=error.strerror or error) from error
