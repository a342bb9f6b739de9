"""`goferry env`: the go settings for developers, CI and production, in the syntax of the place they go to."""

import sys
from typing import Any

import click

from goferry.cli import clients
from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.environment import complete, go_environment
from goferry.cli.flags import load_settings, settings_flags
from goferry.i18n import N_
from goferry.report import shells

SUMMARY = N_("Print the go settings that clients need.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Print the go settings that clients need, ready to paste: for developers (dev: what goferry does not have "
        "may come from its origin), for CI (ci: everything through goferry), or for what is shipped (prod: "
        "everything through goferry, never direct)."
    ),
)
@option(
    "--profile",
    type=click.Choice(list(clients.PROFILES)),
    default="dev",
    help=N_("Kind of environment. Default: dev."),
)
@option(
    "--shell",
    type=click.Choice(shells.SHELLS),
    metavar="SYNTAX",
    default=None,
    help=N_(
        "sh, fish, powershell, docker, compose, github, gitlab, systemd, sudo or go. Default: that of this shell."
    ),
)
@option(
    "--url", metavar="URL", default=None, help=N_("Where clients reach goferry. Default: made from --addr.")
)
@option(
    "--direct",
    metavar="PATTERNS",
    default="",
    help=N_("Modules that clients fetch from their origin (GONOPROXY)."),
)
@json_option
@settings_flags("env")
@pass_console
def command(
    console: Console,
    /,
    profile: str,
    shell: str | None,
    url: str | None,
    direct: str,
    as_json: bool,
    **given: Any,
) -> None:
    settings = complete(load_settings(console, given), go_environment(console.environ)).settings
    pairs = clients.variables(
        profile,
        url=url or clients.base_url(settings),
        sumdb=settings.sumdb,
        private=settings.private,
        direct=direct,
        own=clients.own_key(settings),
    )
    if as_json:
        console.json(pairs)
        return
    for line in shells.render(shell or shells.detect(console.environ, sys.platform), pairs):
        console.out(line)
