"""Gathers every place on this machine that says which Go builds a project."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from goferry.deps.advisories.exposure import Evidence, from_go_version, from_gotoolchain, from_lines
from goferry.deps.advisories.pipelines import from_pipelines
from goferry.deps.base import Project


def gather(project: Project, environ: Mapping[str, str], gotoolchain: str = "") -> tuple[Evidence, ...]:
    """The project's lines, its repository's pipelines, GOTOOLCHAIN, and the go command on PATH. `gotoolchain` is the
    go command's setting where it does not stand in the environment."""
    return (
        *from_lines(project),
        *from_pipelines(repository(project.root)),
        *from_gotoolchain(environ.get("GOTOOLCHAIN") or gotoolchain),
        *ask_go(environ),
    )


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
