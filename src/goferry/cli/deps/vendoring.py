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
    words = words_for(project)
    command = f"go {' '.join(words)}"
    go = go_command(console.environ)
    if go is None:
        return Vendoring(command, made=False, why=_("there is no go command on PATH"))
    place = Path(tempfile.mkdtemp(prefix=".goferry-vendor-", dir=project.root))
    try:
        new = place / "vendor"
        with serving(ready.settings, console.environ, offline=ready.settings.offline) as url:
            runs = GoRuns(go, project.root, url, ready.settings, console.environ)
            for ran in runs.run([(*words, "-o", str(new))]):
                if ran.code:
                    return Vendoring(command, made=False, why=ran.shown)
        if new.is_dir():
            put_in_place(new, project.root / "vendor")
        else:
            shutil.rmtree(project.root / "vendor")  # nothing is needed any more
    except (GoferryError, OSError) as error:
        return Vendoring(command, made=False, why=str(error))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return Vendoring(command)
