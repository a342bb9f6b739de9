"""`goferry version`: what runs here, for people and for bug reports."""

import platform
import sys

import click

from goferry import __version__
from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.i18n import N_

SUMMARY = N_("Show the version of goferry and of what it runs on.")


@click.command(cls=Command, short_help=SUMMARY, help=SUMMARY)
@json_option
@pass_console
def command(console: Console, as_json: bool) -> None:
    facts = {
        "goferry": __version__,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": sys.platform,
        "machine": platform.machine(),
    }
    if as_json:
        console.json(facts)
        return
    console.out(f"goferry {facts['goferry']}")
    console.out(f"{facts['implementation']} {facts['python']}, {facts['platform']} {facts['machine']}")
