"""`goferry doctor`: find where a Go download breaks, prove it, say what mends it, and mend it when asked."""

import asyncio
import getpass
import platform
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from goferry.cli.base import Command, form_option, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.progress import showing
from goferry.cli.worlds import confirmed, may_ask_public, public_dns_option, world_of
from goferry.errors import InvalidInput
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.doctor.base import World
    from goferry.doctor.evidence import Evidence, Subject
    from goferry.doctor.form import Diagnosis

SUMMARY = N_("Find where a Go download breaks, prove it, and mend it.")

EXIT_SOUND: Final = 0
EXIT_FAULT: Final = 1
EXIT_CANNOT_TELL: Final = 3

_FORMS: Final = ("sarif", "junit", "html")
_wait = time.sleep
"""Between two looks of --watch; tests do not wait."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the flags ask for."""

    form: str
    fix: bool
    yes: bool
    save: str
    old: str


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Look at everything that a Go download needs from here, run the failing command, and say what breaks, whose "
        "fault it is, what proves it, and what mends it; fixes are tried in a throw-away module cache before they are "
        "printed. Without an argument the module in the working folder is tried. Exit status: 0 sound, 1 fault found, "
        "2 usage, 3 could not tell."
    ),
)
@click.argument("subject", metavar="[MODULE[@V] | URL | HOST]", required=False, default="")
@json_option
@form_option("sarif", N_("Print SARIF."))
@form_option("junit", N_("Print JUnit XML."))
@form_option("html", N_("Print a page."))
@option(
    "--fix", is_flag=True, help=N_("Show what would be changed, ask, change it, and keep what undoes it.")
)
@option(
    "--yes", is_flag=True, help=N_("With --fix: do not ask. Needed where there is no terminal to ask at.")
)
@option("--undo", is_flag=True, help=N_("Take the last --fix back."))
@option(
    "--watch", type=click.IntRange(1), metavar="SECONDS", help=N_("Look again and again; say what changed.")
)
@option("--save", metavar="FILE", default="", help=N_("Write what was seen, redacted, for others to judge."))
@option("--replay", metavar="FILE", default="", help=N_("Judge what was saved, here, without any network."))
@option("--compare", "old", metavar="FILE", default="", help=N_("Say what changed since that saved run."))
@option(
    "--doh",
    metavar="URL",
    multiple=True,
    help=N_("Ask this server over HTTPS for a second opinion on names; may be given several times."),
)
@public_dns_option
@pass_console
def command(
    console: Console,
    /,
    subject: str,
    as_json: bool,
    form: str | None,
    fix: bool,
    yes: bool,
    undo: bool,
    watch: int | None,
    save: str,
    replay: str,
    old: str,
    doh: tuple[str, ...],
    public_dns: bool | None,
) -> int:
    from dataclasses import replace

    from goferry.doctor.settings import parse_subject  # heavy: --help does not need the doctor

    wanted = Wanted("json" if as_json else form or "", fix, yes, save, old)
    _check_flags(wanted, as_json=as_json, form=form, undo=undo, watch=watch, replay=replay)
    if undo:
        return _undo(console)
    if replay:
        return _replay(console, wanted, replay)
    asked = parse_subject(subject)
    consent = may_ask_public(console, public_dns, quiet=bool(wanted.form))
    world = replace(world_of(console, public_dns=consent), doh_urls=doh)
    if watch:
        return _watch(console, world, asked, watch)
    diagnosis = asyncio.run(_diagnose(console, world, asked, wanted))
    _save(console, diagnosis.evidence, wanted)
    _show(console, diagnosis, wanted)
    if fix and diagnosis.judgements:
        return asyncio.run(_fix(console, world, asked, diagnosis, wanted))
    return _status(diagnosis)


def _check_flags(
    wanted: Wanted, *, as_json: bool, form: str | None, undo: bool, watch: int | None, replay: str
) -> None:
    clashes = (
        (as_json and form is not None, "--json", f"--{form}"),
        (undo and wanted.fix, "--undo", "--fix"),
        (bool(replay) and wanted.fix, "--replay", "--fix"),
        (bool(replay) and bool(watch), "--replay", "--watch"),
        (bool(watch) and wanted.fix, "--watch", "--fix"),
        (bool(watch) and bool(wanted.form), "--watch", f"--{wanted.form}"),
    )
    for clash, one, other in clashes:
        if clash:
            raise InvalidInput("{one} and {other} cannot go together", one=one, other=other)


async def _diagnose(console: Console, world: "World", subject: "Subject", wanted: Wanted) -> "Diagnosis":
    from dataclasses import replace

    from goferry.doctor.run import diagnose

    old = _load(console, wanted.old) if wanted.old else None
    with showing(console, _("looking"), quiet=bool(wanted.form)) as bar:
        watched = replace(world, progress=lambda label, done, total: bar.update(done, total, label))
        return await diagnose(watched, subject, old=old)


def _load(console: Console, file: str) -> "Evidence":
    from goferry.doctor import codec

    return codec.from_bytes(console.read(file), place=file)


def _save(console: Console, evidence: "Evidence", wanted: Wanted) -> None:
    if not wanted.save:
        return
    from goferry.doctor.bundle import to_bundle

    user = ""
    with suppress(KeyError, OSError):  # an account without a name
        user = getpass.getuser()
    try:
        Path(wanted.save).write_bytes(to_bundle(evidence, user=user, machine=platform.node()))
    except OSError as error:
        raise InvalidInput("cannot write {file}: {why}", file=wanted.save, why=error.strerror) from error
    console.note(
        _("saved what was seen in {file}; look at it before you show it to others").format(file=wanted.save)
    )


def _replay(console: Console, wanted: Wanted, file: str) -> int:
    from goferry.doctor.run import replay

    old = _load(console, wanted.old) if wanted.old else None
    diagnosis = replay(_load(console, file), old=old)
    _save(console, diagnosis.evidence, wanted)
    _show(console, diagnosis, wanted)
    return _status(diagnosis)


def _status(diagnosis: "Diagnosis") -> int:
    from goferry.doctor.causes import CANNOT_TELL

    if diagnosis.verdict is None:
        return EXIT_SOUND
    return EXIT_CANNOT_TELL if diagnosis.verdict.cause == CANNOT_TELL else EXIT_FAULT


def _show(console: Console, diagnosis: "Diagnosis", wanted: Wanted) -> None:
    if wanted.form == "json":
        console.json(diagnosis.to_json())
    elif wanted.form in _FORMS:
        from goferry.report import render

        console.out(render(wanted.form, diagnosis.to_report()).rstrip("\n"))
    else:
        from goferry.doctor.terminal import render as in_words

        console.out(in_words(diagnosis, colour=console.colour))


def _watch(console: Console, world: "World", subject: "Subject", pause: int) -> int:
    """Until it is interrupted: each verdict that differs from the one before, with what changed."""
    from goferry.doctor.compare import compare
    from goferry.doctor.run import diagnose
    from goferry.doctor.terminal import change_line, headline

    before: Diagnosis | None = None
    while True:
        now = asyncio.run(diagnose(world, subject))
        if before is None or now.verdict != before.verdict:
            console.out(f"{time.strftime('%H:%M:%S')} {headline(now)}")
            for change in compare(before.evidence, now.evidence) if before else ():
                console.out("    " + change_line(change))
            console.stdout.flush()
        before = now
        _wait(pause)


async def _fix(
    console: Console, world: "World", subject: "Subject", diagnosis: "Diagnosis", wanted: Wanted
) -> int:
    """The best plan of the verdict: shown, asked for, done, and tried. What does not help is taken back.

    Where nobody can be asked nothing is changed without `--yes`.
    """
    from goferry.doctor.fixes import apply, diff, ready, undo
    from goferry.doctor.mend import works_now

    plan = next((one.plan for one in diagnosis.tried[0] if not one.plan.by), None)
    if plan is None:
        console.note(_("there is nothing to change on this machine"))
        return _status(diagnosis)
    plan = ready(world, plan)
    console.note(f"{plan.summary}")
    console.note(diff(plan).rstrip("\n"))
    if not (wanted.yes or _agreed(console)):
        return _status(diagnosis)
    applied = apply(world, plan)
    for line in applied.manual:
        console.note(_("to be done by you: {command}").format(command=line))
    if not applied.changed:
        return _status(diagnosis)
    if await works_now(world, diagnosis.evidence.settings, subject):
        console.note(_("mended: go gets what was asked for; `goferry doctor --undo` takes it back"))
        return EXIT_SOUND
    undo(world)
    console.note(_("it did not help, so it was taken back"))
    return _status(diagnosis)


def _agreed(console: Console) -> bool:
    if console.stdin.isatty() and console.stderr.isatty():
        return confirmed(console, _("Change this?"))
    console.note(
        _(
            "nothing was changed: there is no terminal to ask at, and --yes, which would change it, is not given"
        )
    )
    return False


def _undo(console: Console) -> int:
    from goferry.doctor.fixes import undo

    for line in undo(world_of(console)):
        console.out(line)
    return EXIT_SOUND
