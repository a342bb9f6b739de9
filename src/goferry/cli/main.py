"""The front door: which commands there are, and how any error becomes one line and an exit code.

Nothing heavy is imported here: `goferry --help` and every typo answer at once.
"""

import gc
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Final, NoReturn, TextIO

import click

from goferry import __version__, i18n
from goferry.cli.atonce import EXIT_BROKEN_PIPE, EXIT_INTERRUPTED, silence
from goferry.cli.base import Entry, LazyGroup, option
from goferry.cli.console import Console
from goferry.errors import GoferryError, InvalidInput
from goferry.i18n import N_, _

SERVE: Final = N_("Serve")
DIAGNOSE: Final = N_("Diagnose")
DEPENDENCIES: Final = N_("Dependencies")

COMMANDS: Final = (
    Entry("serve", "goferry.cli.serve", SERVE, N_("Serve modules to the go command from a verified store.")),
    Entry("warm", "goferry.cli.warm", SERVE, N_("Fill the store with everything a module graph needs.")),
    Entry("env", "goferry.cli.env", SERVE, N_("Print the go settings that clients need.")),
    Entry("cache", "goferry.cli.cache", SERVE, N_("Look into the store, check it, and make room in it.")),
    Entry("config", "goferry.cli.config", SERVE, N_("Show every setting with its value and origin.")),
    Entry("version", "goferry.cli.version", SERVE, N_("Show the version of goferry and of what it runs on.")),
    Entry(
        "doctor",
        "goferry.cli.doctor",
        DIAGNOSE,
        N_("Find where a Go download breaks, prove it, and mend it."),
    ),
    Entry(
        "explain",
        "goferry.cli.explain",
        DIAGNOSE,
        N_("Name the cause of a failure from its pasted output, offline."),
    ),
    Entry("route", "goferry.cli.route", DIAGNOSE, N_("Show which way go takes for a module, and why.")),
    Entry("dns", "goferry.cli.dns", DIAGNOSE, N_("Compare what name servers say, and measure remedies.")),
    Entry(
        "hosts",
        "goferry.cli.hosts",
        DIAGNOSE,
        N_("Pin addresses in the hosts file, each proven by TLS, and take them out again."),
    ),
    Entry(
        "lab",
        "goferry.cli.lab",
        DIAGNOSE,
        N_("Show broken networks on this machine, to learn from and to test with."),
    ),
    Entry(
        "deps",
        "goferry.cli.deps",
        DEPENDENCIES,
        N_("Audit what a project depends on, mend it, and prove it before a release."),
    ),
)

EXIT_BUG: Final = 70


def _print_version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"goferry {__version__}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [ARGS]...",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    help=N_(
        "A private Go module proxy: it fetches once, proves every byte, keeps it, and answers from then on."
    ),
)
@option("--lang", metavar="en|zh_CN", expose_value=False, help=N_("Language of the text for people."))
@option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_version,
    help=N_("Show the version and stop."),
)
@click.pass_context
def cli(ctx: click.Context) -> None:
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> NoReturn:
    """The `goferry` command."""
    status = run(
        sys.argv[1:],
        environ=os.environ,
        stdin=sys.stdin,
        stdout=sys.stdout,
        stderr=sys.stderr,
        cwd=Path.cwd(),
    )
    gc.freeze()  # what is left goes with the process: it need not be searched for garbage first
    sys.exit(status)


def run(
    arguments: Sequence[str],
    *,
    environ: Mapping[str, str],
    stdin: TextIO,
    stdout: TextIO,
    stderr: TextIO,
    cwd: Path,
) -> int:
    """Runs one command line in the given world; returns the exit code. Raises with GOFERRY_DEBUG only."""
    console = Console(environ, stdin, stdout, stderr, cwd)
    i18n.activate(_language(arguments, environ))
    try:
        with redirect_stdout(stdout), redirect_stderr(stderr):
            result = cli.main(list(arguments), prog_name="goferry", obj=console, standalone_mode=False)
            stdout.flush()
    except (BrokenPipeError, SystemExit):  # click itself ends a command that meets a closed pipe
        silence(stdout)
        return EXIT_BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        console.note("")
        return EXIT_INTERRUPTED
    except Exception as error:
        if environ.get("GOFERRY_DEBUG"):
            raise
        return _fail(console, error)
    return result if isinstance(result, int) else 0


def _language(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The language before anything is parsed, so that help and parse errors speak it too."""
    for position, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return i18n.language_of(argument.removeprefix("--lang="))
        if argument == "--lang" and position + 1 < len(arguments):
            return i18n.language_of(arguments[position + 1])
        if argument == "--":
            break
    return i18n.detect(environ)


def _fail(console: Console, error: BaseException) -> int:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if isinstance(error, click.UsageError):
        error = _in_our_words(error)
    if not isinstance(error, GoferryError):
        console.warn(_("internal error: {kind}: {why}").format(kind=type(error).__name__, why=error))
        console.note("  " + _("set GOFERRY_DEBUG=1 to see where"))
        return EXIT_BUG
    console.warn(str(error))
    if error.hint:
        console.note(f"  {error.hint}")
    return error.exit_code


# click speaks through gettext's global language; ours is a context variable, so these few are said anew.
_USAGE: Final = (
    (click.NoSuchOption, N_("no such option: {name}")),
    (click.BadOptionUsage, N_("option {name} lacks its value, or has one that it does not take")),
    (click.MissingParameter, N_("missing argument: {name}")),
    (click.BadParameter, N_("bad value for {name}: {why}")),
)


def _in_our_words(error: click.UsageError) -> InvalidInput:
    command = error.ctx.command_path if error.ctx else "goferry"
    near = (error.possibilities or [""])[0] if isinstance(error, click.NoSuchOption) else ""
    hint = N_("did you mean {near}?") if near else N_("see {command} --help")
    param = getattr(error, "param", None)
    name = getattr(error, "option_name", None) or _name(param)
    why = error.message if isinstance(error, click.BadParameter) else error.format_message()
    message = next((message for kind, message in _USAGE if isinstance(error, kind)), "{why}")
    value, _is_not, _what = why.rpartition(" is not ")
    if value and (allowed := _allowed(param)):
        message = N_("bad value for {name}: {value} is not allowed; allowed is {allowed}")
        return InvalidInput(message, hint=hint, command=command, name=name, value=value, allowed=allowed)
    return InvalidInput(message, hint=hint, command=command, near=near, name=name, why=why)


def _allowed(param: click.Parameter | None) -> str:
    """What an option takes, where click would say so in English alone."""
    kind = param.type if param else None
    if isinstance(kind, click.Choice):
        return ", ".join(map(str, kind.choices))
    if isinstance(kind, click.IntRange) and kind.min is not None:
        if kind.max is None:
            return _("a whole number, {least} or more").format(least=kind.min)
        return _("a whole number from {least} to {most}").format(least=kind.min, most=kind.max)
    return ""


def _name(param: click.Parameter | None) -> str:
    """An option by its long flag, an argument by what stands for it."""
    if isinstance(param, click.Option):
        return param.opts[-1]
    return param.human_readable_name if param else "?"
