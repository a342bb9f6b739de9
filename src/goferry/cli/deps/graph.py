"""`goferry deps graph`: who requires whom, as `go mod graph` has it."""

from typing import Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, supply_flags
from goferry.i18n import N_

SUMMARY = N_("Print who requires whom, as `go mod graph` does.")


@click.command(cls=Command, short_help=SUMMARY, help=SUMMARY)
@click.argument("folder", metavar="[DIR]", default=".")
@json_option
@supply_flags
@pass_console
def command(console: Console, /, folder: str, as_json: bool, **given: Any) -> int:
    found = listed(console, folder, given, as_json=as_json)
    if as_json:
        edges = found.graph.edges()
        console.json({"requirements": [{"from": str(a), "to": str(b)} for a, b in edges]})
    else:
        console.stdout.writelines(f"{a} {b}\n" for a, b in found.graph.edges())
    return named_unread(console, found)
