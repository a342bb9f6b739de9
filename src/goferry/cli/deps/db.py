"""`goferry deps db`: which vulnerability database is in use, and getting a newer one."""

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from goferry.cli.base import Command, Group, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.flags import load_settings, settings_flags
from goferry.cli.progress import showing
from goferry.config import Settings
from goferry.deps.advisories import database, refresh
from goferry.deps.advisories.base import About, Layer, is_older
from goferry.deps.advisories.refresh import Updated, Verdict
from goferry.i18n import N_, _

SUMMARY = N_("Look at the vulnerability database, and get a newer one.")
SCHEMA = "goferry.vulndb/1"


@click.group(
    cls=Group,
    short_help=SUMMARY,
    help=N_(
        "Look at the vulnerability database, and get a newer one. goferry brings one along, so audits work offline "
        "from the start; an update goes into the user's data folder."
    ),
    subcommand_metavar="COMMAND [ARGS]...",
)
def command() -> None:
    """The group itself does nothing."""


def _sub(name: str, summary: str) -> Callable[[Any], Any]:
    return command.command(name, cls=Command, short_help=summary, help=summary)


@_sub("info", N_("Show which vulnerability database is in use, and how old it is."))
@json_option
@settings_flags("deps")
@pass_console
def info(console: Console, /, as_json: bool, **given: Any) -> None:
    load_settings(console, given, as_json=as_json)
    about, shipped = refresh.at_hand(console.environ).about, database.shipped().about
    if as_json:
        console.json({"schema": SCHEMA, "database": _form(about), "shipped": _form(shipped)})
        return
    console.out(_("source:   {source}").format(source=about.source))
    console.out(_("changed:  {time}").format(time=about.modified or _("unknown")))
    console.out(_("entries:  {n}").format(n=about.entries))
    if about == shipped:
        console.out(_("It is the one that goferry brings along; `goferry deps db update` gets a newer one."))
    elif is_older(about.modified, about.seen):
        console.out(_("It was taken by force: one from {time} was seen before.").format(time=about.seen))


@_sub("update", N_("Get the newest vulnerability database; never an older one, never half of one."))
@option("--force", is_flag=True, help=N_("Take it also when it is older, smaller, or of unknown age."))
@json_option
@settings_flags("deps")
@pass_console
def update(console: Console, /, force: bool, as_json: bool, **given: Any) -> None:
    settings = load_settings(console, given, as_json=as_json).settings
    place = refresh.folder(console.environ)
    new = _obtained(console, settings, quiet=as_json)
    done = refresh.install(place, new, force=force)
    if as_json:
        forms = {"before": _form(done.before), "database": _form(done.after)}
        console.json({"schema": SCHEMA, "verdict": done.verdict.value, **forms})
    else:
        console.out(_said(done))
    if done.verdict not in (Verdict.NEWER, Verdict.CURRENT):
        console.warn(
            _("taken by force: one from {time} with {n} entries was in use").format(
                time=done.before.modified, n=done.before.entries
            )
        )


def _obtained(console: Console, settings: Settings, *, quiet: bool) -> Layer:
    """The database that the setting names, wherever it is."""
    if not refresh.is_remote(settings.vulndb):
        place = settings.vulndb
        return database.layer(place if place.startswith("file:") else Path(console.cwd, place).expanduser())
    from goferry.proxy.assemble import open_site  # heavy: a folder needs no network stack

    async def run() -> Layer:
        with showing(console, _("reading the vulnerability database"), quiet=quiet) as bar:
            async with open_site(settings.vulndb, settings, environ=console.environ) as site:
                return await refresh.fetch(site, step=bar.update)

    return asyncio.run(run())


def _said(done: Updated) -> str:
    if done.verdict is Verdict.CURRENT:
        text = _("nothing newer: the database is from {time}, with {n} entries")
    else:
        text = _("the database is from {time} now, with {n} entries")
    return text.format(time=done.after.modified or _("unknown"), n=done.after.entries)


def _form(about: About) -> dict[str, Any]:
    """As docs/en/json.md has it."""
    return asdict(about)
