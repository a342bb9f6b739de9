"""Gathers every place on this machine that says which Go builds a project."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from goferry.deps.advisories.exposure import Evidence, from_go_version, from_gotoolchain, from_lines
from goferry.deps.advisories.pipelines import from_pipelines
from goferry.deps.base import Project
from goferry.gocommand import GoPlaces, find_go


def gather(environ: Mapping[str, str]) -> Callable[[Project], tuple[Evidence, ...]]:
    """What tells of a project its lines, its repository's pipelines, GOTOOLCHAIN, and the go command on PATH. This
    machine is asked once, not for each project."""
    settings = GoPlaces.read(environ, find_go(environ)).effective()
    here = (*from_gotoolchain(settings["GOTOOLCHAIN"].value), *ask_go(environ))

    def known(project: Project) -> tuple[Evidence, ...]:
        return (*from_lines(project), *from_pipelines(repository(project.root)), *here)

    return known


def go_tree(environ: Mapping[str, str]) -> Path | None:
    """The tree of the go command on PATH, if its source is there."""
    go = shutil.which("go", path=environ.get("PATH", ""))
    tree = Path(go).resolve().parent.parent if go else None
    return tree if tree and (tree / "src" / "runtime").is_dir() else None


def repository(folder: Path) -> Path:
    """The top of the repository that a folder is in; the folder itself outside of one."""
    folder = folder.resolve()
    return next((place for place in (folder, *folder.parents) if (place / ".git").exists()), folder)


def ask_go(environ: Mapping[str, str]) -> tuple[Evidence, ...]:
    """What the go command on PATH is; nothing without one."""
    go = shutil.which("go", path=environ.get("PATH", ""))
    if go is None:
        return ()
    try:
        # GOTOOLCHAIN=local: a question must not download another go.
        done = subprocess.run(
            [go, "version"],
            env={**environ, "GOTOOLCHAIN": "local"},
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    return from_go_version(done.stdout, f"{go} version")
