"""A vendor folder made anew by the real go, from goferry's own server, so that its bytes are the proven ones."""

import shutil
import tempfile
from pathlib import Path

from goferry.cli.console import Console
from goferry.cli.deps.offline import GoRuns, go_command, serving
from goferry.cli.environment import Complete
from goferry.deps.base import Project
from goferry.deps.fixing.vendoring import Vendoring, put_in_place, words_for
from goferry.errors import GoferryError
from goferry.i18n import _


def remade(console: Console, project: Project, ready: Complete) -> Vendoring:
    """Makes it beside the old one, then puts it in its place: a go that fails changes nothing."""
    command = f"go {' '.join(words_for(project))}"
    go = go_command(console.environ)
    if go is None:
        return Vendoring(command, made=False, why=_("there is no go command on PATH"))
    try:
        with tempfile.TemporaryDirectory(
            prefix=".goferry-vendor-", dir=project.root, ignore_cleanup_errors=True
        ) as place:
            why = _made(console, go, project, ready, Path(place, "vendor"))
    except (GoferryError, OSError) as error:
        why = str(error)
    return Vendoring(command, made=not why, why=why)


def _made(console: Console, go: str, project: Project, ready: Complete, new: Path) -> str:
    """Why go made no new folder; empty when it did, and it is in its place."""
    with serving(ready.settings, console.environ, offline=ready.settings.offline) as url:
        runs = GoRuns(go, project.root, url, ready.settings, console.environ)
        for ran in runs.run([(*words_for(project), "-o", str(new))]):
            if ran.code:
                return ran.shown
    vendor = project.root / "vendor"
    if new.is_dir():
        put_in_place(new, vendor)
    else:
        shutil.rmtree(vendor)  # nothing is needed any more
    return ""
