"""`goferry serve`: say where modules come from and what to paste, then serve until told to stop."""

import sys
from collections.abc import Iterator
from typing import Any

import click

from goferry.cli import clients
from goferry.cli.base import Command
from goferry.cli.console import Console, pass_console
from goferry.cli.environment import Complete, complete, go_environment
from goferry.cli.flags import load_settings, settings_flags
from goferry.gomod.goproxy import redact
from goferry.i18n import N_, _
from goferry.report import shells

SUMMARY = N_("Serve modules to the go command from a verified store.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Serve modules to the go command. What is asked for the first time is fetched from the upstream, proved "
        "against the checksum database, and kept; from then on it is answered from the store, whatever the "
        "network does. SIGTERM finishes open requests first; SIGHUP reads the settings again."
    ),
)
@settings_flags("serve")
@pass_console
def command(console: Console, /, **given: Any) -> int:
    from goferry.server.run import serve  # heavy: only a server needs the server

    def read() -> Complete:
        found = complete(load_settings(console, given), go_environment(console.environ))
        for warning in found.warnings:
            console.warn(warning)
        return found

    first = read()

    def greet(url: str) -> None:
        for line in greeting(first, url, shells.detect(console.environ, sys.platform)):
            console.out(line)
        console.stdout.flush()

    return serve(first.settings, ready=greet, reload=lambda: read().settings, config=first.file)


def greeting(ready: Complete, url: str, shell: str) -> Iterator[str]:
    """What a person needs to see at the start: the lines to paste, the upstream and why, the store."""
    settings = ready.settings
    yield from shells.render(shell, clients.serving(settings, url))
    yield ""
    if settings.offline:
        yield _("offline:   answers come from the store alone")
    else:
        yield _("upstream:  {list}  ({where})").format(
            list=redact(settings.upstream), where=ready.origins["upstream"]
        )
    yield _("checksums: {spec}").format(spec=settings.sumdb)
    if settings.own_log:
        yield _("own log:   {name}  (`goferry cache log` shows the key for clients)").format(
            name=settings.own_log.partition("+")[0]
        )
    yield _("store:     {store}").format(store=redact_store(settings.store))


def redact_store(store: str) -> str:
    """A store URL without credentials; a folder as it is."""
    return redact(store) if "://" in store else store
