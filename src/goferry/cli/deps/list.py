"""`goferry deps list`: the build list, as `go list -m all` has it."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, over_all, own_settings, supply_flags
from goferry.deps import listing
from goferry.deps.finding import is_pattern, is_project, start_of
from goferry.i18n import N_
from goferry.places import StrPath
from goferry.storage.folders import folder_of

SUMMARY = N_("List the modules that are really built, as `go list -m all` does.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "List the modules that are really built, as `go list -m all` does. DIR may also be a go.mod or go.work file; "
        "DIR/... stands for every project below. Of a go.sum, a vendor/modules.txt or a built program the modules are "
        "listed that it names; nothing is fetched for that."
    ),
)
@click.argument("folder", metavar="[DIR]", default=".")
@json_option
@supply_flags
@pass_console
def command(console: Console, /, folder: str, as_json: bool, **given: Any) -> int:
    if is_pattern(folder):
        return _many(console, folder, given, as_json=as_json)
    named = Path(console.cwd, folder)
    if not is_project(named):
        from goferry.deps.inventory import modules_in

        return _show(console, listing.of_modules(modules_in(named)), as_json=as_json)
    start = start_of(named, console.environ.get("GOWORK", ""))
    shown, status = _project(console, start, given, as_json=as_json)
    _show(console, shown, as_json=as_json)
    return status


def _project(
    console: Console, start: StrPath, given: Mapping[str, Any], *, as_json: bool
) -> tuple[listing.Shown, int]:
    """What is shown of a project, and the exit status. While its files stay the same, its store knows the answer."""
    store = folder_of(own_settings(console, given, as_json=as_json).settings.store)
    known = listing.recalled(store, start)
    if known is not None:
        return known, 0
    since = time.time_ns()
    with listing.uncollected():
        found = listed(console, str(start), given, as_json=as_json)
        shown = listing.kept(store, start, found, since)
    return shown, named_unread(console, found)


def _show(console: Console, shown: listing.Shown, *, as_json: bool) -> int:
    if as_json:
        console.json({"modules": listing.as_json(shown)})
    else:
        console.stdout.write(listing.as_text(shown))
    return 0


def _many(console: Console, pattern: str, given: Mapping[str, Any], *, as_json: bool) -> int:
    """Each project under its file. One that cannot be read does not keep the others from being listed."""
    projects: list[dict[str, Any]] = []

    def one(file: Path) -> int:
        shown, status = _project(console, file, given, as_json=as_json)
        projects.append({"name": shown["name"], "root": str(file.parent), "modules": listing.as_json(shown)})
        if not as_json:
            console.out(f"# {file}")
            _show(console, shown, as_json=False)
        return status

    worst = over_all(console, pattern, one)
    if as_json:
        console.json({"projects": projects})
    return worst
