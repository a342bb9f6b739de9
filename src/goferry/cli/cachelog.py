"""`goferry cache log`: the log that goferry keeps itself, with the key that clients need."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.flags import settings_flags
from goferry.cli.progress import showing
from goferry.cli.stores import Opened, on_store
from goferry.config import Settings
from goferry.errors import InvalidInput
from goferry.findings import Finding, Report, Severity, Text
from goferry.gomod.sumdb.tlog import format_hash
from goferry.i18n import N_, _
from goferry.proxy.ownlog import parse_place
from goferry.proxy.upkeep import logchecking
from goferry.report import terminal as report_terminal

SUMMARY = N_("Show the log of your own and the key that clients need; with --verify, check all of it.")


@click.command("log", cls=Command, short_help=SUMMARY, help=SUMMARY)
@option(
    "--verify",
    is_flag=True,
    help=N_("Hash the whole log again, and compare it with the store. Exit status 1 if it differs."),
)
@json_option
@settings_flags("cache", "cache log")
@pass_console
def command(console: Console, /, verify: bool, as_json: bool, **given: Any) -> int:
    async def work(found: Opened, settings: Settings) -> tuple[logchecking.Log, logchecking.Check | None]:
        name = _name(settings) or await logchecking.only_name(found.store)
        log = await logchecking.look(found.store, name)
        if not verify:
            return log, None
        with showing(console, _("checking"), quiet=as_json) as bar:
            return log, await logchecking.verify(found.store, name, bar.update)

    log, check = on_store(console, given, as_json, work)
    if as_json:
        console.json(_json(log, check))
    else:
        _print(console, log)
        if check is not None:
            console.stdout.write(report_terminal.render(check_report(check), colour=console.colour))
    return 1 if check is not None and check.faults else 0


def _name(settings: Settings) -> str:
    place = parse_place(settings.own_log)
    if place is not None and place.remote is not None:
        raise InvalidInput(
            "the log {name} is kept elsewhere: own_log has its key",
            hint=N_("ask where it is kept, or give the name alone"),
            name=place.name,
        )
    return "" if place is None else place.name


def _print(console: Console, log: logchecking.Log) -> None:
    for label, value in (
        (_("log"), log.name),
        (_("for clients"), f"GOSUMDB={log.key}"),
        (_("records"), str(log.tree.size)),
        (_("tree"), format_hash(log.tree.hash)),
    ):
        console.out(_("{label}: {value}").format(label=label, value=value))


def _json(log: logchecking.Log, check: logchecking.Check | None) -> Mapping[str, Any]:
    found: dict[str, Any] = {
        "name": log.name,
        "key": log.key,
        "size": log.tree.size,
        "hash": format_hash(log.tree.hash),
        "head": log.head,
    }
    if check is not None:
        found["check"] = {
            "records": check.records,
            "files": check.files,
            "faults": [asdict(fault) for fault in check.faults],
        }
    return found


def check_report(check: logchecking.Check) -> Report:
    """A check as a report: one finding for each fault."""
    title = Text(
        N_("{records} records hashed, {files} files in the store compared with them"),
        records=check.records,
        files=check.files,
    )
    findings = tuple(
        Finding(
            "log-damaged",
            Severity.ERROR,
            Text(
                N_("record {record}, {module}: {reason}"),
                record=fault.record,
                module=fault.module,
                reason=fault.reason,
            ),
        )
        for fault in check.faults
    )
    facts = {"records": check.records, "files": check.files, "faults": len(check.faults)}
    return Report("cache log", title, findings, facts)
