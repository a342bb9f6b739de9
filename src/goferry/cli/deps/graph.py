"""`goferry deps graph`: who requires whom, as `go mod graph` has it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, over_all, supply_flags
from goferry.deps.finding import is_pattern
from goferry.i18n import N_

if TYPE_CHECKING:
    from goferry.deps.base import BuildList

SUMMARY = N_("Print who requires whom, as `go mod graph` does.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Print who requires whom, as `go mod graph` does. DIR may also be a go.mod or go.work file; DIR/... stands for "
        "every project below."
    ),
)
@click.argument("folder", metavar="[DIR]", default=".")
@json_option
@supply_flags
@pass_console
def command(console: Console, /, folder: str, as_json: bool, **given: Any) -> int:
    if is_pattern(folder):
        return _many(console, folder, given, as_json=as_json)
    found = listed(console, folder, given, as_json=as_json)
    if as_json:
        console.json({"requirements": _to_json(found)})
    else:
        _print(console, found)
    return named_unread(console, found)


def _many(console: Console, pattern: str, given: Mapping[str, Any], *, as_json: bool) -> int:
    """Each project under its file."""
    projects: list[dict[str, Any]] = []

    def one(file: Path) -> int:
        found = listed(console, str(file), given, as_json=as_json)
        if as_json:
            root = str(file.parent)
            projects.append({"name": found.project.name, "root": root, "requirements": _to_json(found)})
        else:
            console.out(f"# {file}")
            _print(console, found)
        return named_unread(console, found)

    worst = over_all(console, pattern, one)
    if as_json:
        console.json({"projects": projects})
    return worst


def _to_json(found: "BuildList") -> list[dict[str, str]]:
    return [{"from": str(a), "to": str(b)} for a, b in found.graph.edges()]


def _print(console: Console, found: "BuildList") -> None:
    console.stdout.writelines(f"{a} {b}\n" for a, b in found.graph.edges())
