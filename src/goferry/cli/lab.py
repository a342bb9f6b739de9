"""`goferry lab`: broken networks to see, to learn from, and to try one's own tools in."""

import asyncio
import contextlib
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any, TextIO

import click

from goferry.cli.base import Command, Group, json_option
from goferry.cli.columns import pad, width
from goferry.cli.console import Console, pass_console
from goferry.errors import NotFound
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.lab.scenario import Scenario
    from goferry.lab.world import World

SUMMARY = N_("Show broken networks on this machine, to learn from and to test with.")


@click.group(
    cls=Group,
    short_help=SUMMARY,
    help=N_(
        "Show broken networks on this machine, to learn from and to test with: name servers that lie, proxies that "
        "refuse, paths that lose packets. Each scenario is a private network with servers of its own; nothing of this "
        "machine is changed, and nothing is sent anywhere."
    ),
    subcommand_metavar="COMMAND [ARGS]...",
)
def command() -> None:
    """The group itself does nothing."""


def _sub(name: str, summary: str, **attrs: Any) -> Callable[[Any], Any]:
    return command.command(name, cls=Command, short_help=summary, help=summary, **attrs)


@_sub("list", N_("List the scenarios: name, what it needs, the cause that it shows, and what is broken."))
@json_option
@pass_console
def list_(console: Console, /, as_json: bool) -> None:
    from goferry.lab import cases  # with the servers behind it, which no help text needs

    if as_json:
        console.json({"scenarios": [_as_json(scenario) for scenario in cases.SCENARIOS]})
        return
    rows = [
        (scenario.name, str(scenario.needs), scenario.expected or "-", _(scenario.summary))
        for scenario in cases.SCENARIOS
    ]
    columns = [max(width(cell) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [pad(cell, columns[at]) for at, cell in enumerate(row[:-1])]
        console.out("  ".join([*cells, row[-1]]))


@_sub("show", N_("Explain a scenario: what is broken, what is seen, why, and what mends it."))
@click.argument("scenario")
@json_option
@pass_console
def show(console: Console, /, scenario: str, as_json: bool) -> None:
    from goferry.lab.lessons import LESSONS

    found = _find(scenario)
    if as_json:
        console.json(_as_json(found))
        return
    console.out(f"{found.name}: {_(found.summary)}")
    lesson = LESSONS.get(found.expected)
    if lesson is None:
        console.out(_("A diagnosis must find nothing here."))
        return
    console.out(_("Cause: {cause}").format(cause=found.expected))
    if found.alone:
        console.out(
            _("Without second opinions of public name servers it cannot be told from {cause}.").format(
                cause=found.alone
            )
        )
    for heading, text in (
        (_("What is seen"), lesson.seen),
        (_("Why"), lesson.why),
        (_("Its neighbours"), lesson.apart),
        (_("What mends it"), lesson.mend),
    ):
        console.out(f"\n{heading}\n  {_(text)}")
    for line in _steps(found):
        console.out(f"  $ {line}")
    if found.wants:
        console.out(f"  {_(found.wants)}")


@_sub("run", N_("Run a command in a scenario. Without one: what go needs to download a module."))
@click.argument("scenario")
@click.argument("words", nargs=-1, metavar="[-- COMMAND...]")
@json_option
@pass_console
def run(console: Console, /, scenario: str, words: tuple[str, ...], as_json: bool) -> int:
    found = _find(scenario)
    return _attend(_run(console, found, words or found.client.command, as_json=as_json))


@_sub("shell", N_("Open a shell in a scenario, to look around."))
@click.argument("scenario")
@pass_console
def shell(console: Console, /, scenario: str) -> int:
    found = _find(scenario)
    program = console.environ.get("SHELL") or "/bin/sh"
    return _attend(_run(console, found, (program,), as_json=False))


def _find(name: str) -> "Scenario":
    from goferry.lab import cases

    return cases.find(name)


def _attend(work: Coroutine[Any, Any, int]) -> int:
    try:
        return asyncio.run(work)
    except asyncio.CancelledError:  # by SIGTERM; Ctrl-C is a KeyboardInterrupt by itself
        raise KeyboardInterrupt from None


async def _run(console: Console, scenario: "Scenario", words: Sequence[str], *, as_json: bool) -> int:
    from goferry.lab import world

    console.note(f"{scenario.name}: {_(scenario.summary)}")
    _end_on_sigterm()
    async with world.open(scenario, outer=console.environ) as lab:
        if shutil.which(words[0], path=lab.environ.get("PATH")) is None:
            raise NotFound("no such command in this scenario: {command}", command=words[0])
        began = time.monotonic()
        status = await _attached(console, lab, words, aside=as_json)
        seconds = time.monotonic() - began
    if as_json:
        result = {"command": list(words), "exit": status, "seconds": round(seconds, 3)}
        console.json({**_as_json(scenario), **result})
    return status


def _end_on_sigterm() -> None:
    """SIGTERM leaves as Ctrl-C does: by the way that cleans up."""
    task = asyncio.current_task()
    assert task is not None
    with contextlib.suppress(NotImplementedError):  # Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)


async def _attached(console: Console, lab: "World", words: Sequence[str], *, aside: bool) -> int:
    """Runs the command on this terminal; aside: all that it says goes to standard error."""
    streams = (console.stderr if aside else console.stdout, console.stderr)
    process = await asyncio.create_subprocess_exec(
        *lab.command(words),
        cwd=lab.cwd,
        env=lab.environ,
        stdin=_descriptor(console.stdin, subprocess.DEVNULL),
        stdout=_descriptor(streams[0], subprocess.PIPE),
        stderr=_descriptor(streams[1], subprocess.PIPE),
    )
    try:
        said = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    for stream, words_said in zip(streams, said, strict=True):
        stream.write((words_said or b"").decode(errors="replace"))
    status = process.returncode or 0
    return 128 - status if status < 0 else status


def _descriptor(stream: TextIO, otherwise: int) -> int:
    """The file behind a stream, or `otherwise` for one that has none."""
    try:
        stream.flush()
        return stream.fileno()
    except (OSError, ValueError):
        return otherwise


def _as_json(scenario: "Scenario") -> dict[str, Any]:
    return {
        "name": scenario.name,
        "needs": str(scenario.needs),
        "cause": scenario.expected or None,
        "cause_without_second_opinion": scenario.alone or scenario.expected or None,
        "summary": scenario.summary,
        "mends": _steps(scenario),
        "wants": scenario.wants,
    }


def _steps(scenario: "Scenario") -> list[str]:
    """The scenario's mend as shell lines."""
    if scenario.mend is None:
        return []
    variables = [
        f"export {name}={shlex.quote(value)}" if value else f"unset {name}"
        for name, value in scenario.mend.environ.items()
    ]
    files = [f"printf %s {shlex.quote(text)} > {place}" for place, text in scenario.mend.files.items()]
    return [*variables, *files, *map(shlex.join, scenario.mend.commands)]
