"""`goferry explain`: the pasted output of a failed command, read offline, becomes a cause, a fix and a probe.

Exit status: 0 when a cause was named, 3 when it cannot be told, 2 for bad usage. Nothing is sent anywhere.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.doctor.causes import BY_KEY, CANNOT_TELL
from goferry.doctor.explain.answer import Answer, answer_of
from goferry.doctor.explain.clean import CHUNK
from goferry.doctor.explain.judge import explain
from goferry.errors import InvalidInput
from goferry.i18n import N_, _

SUMMARY = N_("Name the cause of a failure from its pasted output, offline.")

EXIT_CANNOT_TELL: Final = 3

_CERTAINTY: Final = {"certain": N_("certain"), "likely": N_("likely"), "possible": N_("possible")}
_WHOSE: Final = {
    "you": N_("at your side: settings or machine"),
    "network": N_("on the network between"),
    "mirror": N_("at the server that was asked, not at your side"),
    "author": N_("at the author's side, not at yours"),
}
_CONTEXTS: Final = {"shell": "", "docker": N_("in a Dockerfile"), "ci": N_("in a CI job (variables)")}


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Name the cause of a failure from the output of go, git or a CI job: from FILE, or from standard input "
        "(also as -). Logs of any size, encoding and colour will do. Nothing is sent anywhere. "
        "Exit status: 0 a cause was named, 3 it cannot be told."
    ),
)
@click.argument("file", required=False, default="-")
@json_option
@pass_console
def command(console: Console, file: str, as_json: bool) -> int:
    answer = answer_of(explain(_chunks(console, file)))
    if as_json:
        console.json(answer.to_json())
    else:
        for line in _report(answer, colour=console.colour):
            console.out(line)
    return EXIT_CANNOT_TELL if answer.verdict.cause == CANNOT_TELL else 0


# --- reading -------------------------------------------------------------------------------------------------------


def _chunks(console: Console, file: str) -> Iterator[bytes]:
    """The input in pieces. InvalidInput when it cannot be read."""
    if file == "-":
        if console.stdin.isatty():
            console.note(_("Paste the output, then press Ctrl-D on a line of its own."))
        yield from _pieces(_bytes_of(console))
        return
    path = Path(console.cwd, file)
    try:
        if path.is_dir():
            raise InvalidInput("{path} is a directory, not the output of a command", path=file)
        with path.open("rb") as stream:
            yield from _pieces(stream)
    except FileNotFoundError as error:
        raise InvalidInput(
            "no such file: {path}",
            hint="paste the output by standard input instead: goferry explain -",
            path=file,
        ) from error
    except OSError as error:
        raise InvalidInput("{path} cannot be read: {why}", path=file, why=error.strerror or error) from error


def _bytes_of(console: Console) -> BinaryIO:
    binary = getattr(console.stdin, "buffer", None)
    return (
        binary if binary is not None else io.BytesIO(console.stdin.read().encode("utf-8", "surrogateescape"))
    )


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    while piece := stream.read(CHUNK):
        yield piece


# --- the report ----------------------------------------------------------------------------------------------------


def _report(answer: Answer, *, colour: bool) -> Iterator[str]:
    yield from _headline(answer, colour)
    if answer.evidence:
        yield ""
        yield _("What shows it:")
        for evidence in answer.evidence:
            yield "  " + _("line {n}: {text}").format(n=evidence.line, text=evidence.text)
    yield ""
    yield _("What to do:")
    yield f"  {answer.fix.summary}"
    for context, commands in answer.fix.commands.items():
        if _CONTEXTS[context]:
            yield f"    {_(_CONTEXTS[context])}:"
        yield from (f"    {'  ' if _CONTEXTS[context] else ''}{line}" for line in commands)
    yield ""
    yield _("What would settle it:")
    yield f"  {answer.probe}"
    yield f"    {answer.probe_command}"
    yield from _others(answer)


def _headline(answer: Answer, colour: bool) -> Iterator[str]:
    verdict = answer.verdict
    if verdict.cause == CANNOT_TELL:
        yield _paint("33", _("Cannot tell what went wrong from this text."), colour)
        return
    sure = _(_CERTAINTY[verdict.certainty.value])
    yield _paint("1", f"{verdict.cause} ({sure})", colour)
    yield f"  {_(BY_KEY[verdict.cause].meaning)}"
    if answer.whose:
        yield "  " + _("Where the fault lies: {whose}.").format(whose=_(_WHOSE[answer.whose]))


def _others(answer: Answer) -> Iterator[str]:
    others = [cause for cause in answer.verdict.candidates if cause != answer.verdict.cause]
    if others:
        yield ""
        yield _("It could also be, best first:")
        yield from (f"  {cause}: {_(BY_KEY[cause].meaning)}" for cause in others)


def _paint(code: str, text: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text
