"""`goferry deps gate`: prove, before a release, that a project is built from what it says."""

import asyncio
import datetime
import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from goferry.cli.base import Command, form_option, json_option, option
from goferry.cli.console import Console, as_json_text, pass_console
from goferry.cli.deps.gating import name_of_own_log
from goferry.cli.deps.opening import EXIT_UNPROVEN, complete_settings, opened, supply_flags
from goferry.cli.deps.outputs import Output, by_ending, write
from goferry.cli.environment import Complete
from goferry.cli.progress import Progress, showing
from goferry.errors import InvalidInput, VerifyError
from goferry.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from goferry.deps.gate.attest import Commit
    from goferry.deps.gate.rules import Policy
    from goferry.deps.gate.run import Options, Outcome

SUMMARY = N_("Prove go.sum and vendor, and judge by rules, before a release.")

KEY_VARIABLE: Final = "GOFERRY_ATTEST_KEY"
PASSWORD_VARIABLE: Final = "GOFERRY_ATTEST_PASSWORD"  # noqa: S105  the variable's name

_TABLE: Final = "terminal"
_FORMS: Final = frozenset(("json", "sarif", "junit"))
"""What can be written into files."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the flags ask for."""

    outputs: tuple[Output, ...]
    """What is printed comes first."""
    notes: bool
    attest: str
    verify: str
    key: str

    @property
    def printed(self) -> str:
        return self.outputs[0].form

    @property
    def for_programs(self) -> bool:
        """Nobody looks on."""
        return self.printed != _TABLE


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Prove every line of go.sum and go.work.sum against the transparency log, every vendored file against its "
        "module, and judge go.mod by rules, each of which can be switched. Without an argument the module in the "
        "working folder. Exit status: 0 passed, 1 failed, 2 usage, 3 could not be proven."
    ),
)
@click.argument("folder", metavar="[PATH]", default=".")
@json_option
@form_option("sarif", N_("Print SARIF."))
@form_option("junit", N_("Print JUnit XML."))
@option(
    "-o",
    "--output",
    metavar="FILE",
    multiple=True,
    help=N_(
        "Write there, too, in the form that its ending says (.json .sarif .xml). May be given several times."
    ),
)
@option("--notes", is_flag=True, help=N_("Also print what breaks nothing, such as surplus lines."))
@option(
    "--class",
    "kind",
    metavar="library|service|internal",
    default="",
    help=N_("What kind of repository it is: which rules count. Default: the settings file's, then service."),
)
@option(
    "--rule",
    "rules",
    metavar="NAME=on|off|warn",
    multiple=True,
    help=N_("Switch one rule, whatever the settings file says. May be repeated."),
)
@option(
    "--attest",
    metavar="FILE",
    default="",
    help=N_("When it passes, write a signed statement of what was proven."),
)
@option(
    "--verify",
    metavar="FILE",
    default="",
    help=N_(
        "Prove nothing: check such a statement, and that these are the files and the commit it is about."
    ),
)
@option(
    "--key",
    metavar="FILE",
    default="",
    help=N_("Key in PEM: to sign with (default: the text in GOFERRY_ATTEST_KEY), or to check with."),
)
@supply_flags
@pass_console
def command(
    console: Console,
    /,
    folder: str,
    as_json: bool,
    form: str | None,
    output: tuple[str, ...],
    notes: bool,
    kind: str,
    rules: tuple[str, ...],
    attest: str,
    verify: str,
    key: str,
    **given: Any,
) -> int:
    from goferry.storage.logfile import LogDamaged

    if as_json and form:
        raise InvalidInput("--json and --{form} exclude each other", form=form)
    files = tuple(
        Output(by_ending(file, _FORMS, N_("end it with one of {endings}")), file) for file in output
    )
    printed = Output("json" if as_json else form or _TABLE)
    wanted = Wanted((printed, *files), notes, attest, verify, key)
    place = Path(console.cwd, folder)
    if verify:
        return _verify(console, place, wanted)
    signer = _signer(console, wanted) if attest else None
    ready = complete_settings(console, given, as_json=wanted.for_programs)
    policy = _policy(console, place, given, kind, rules)
    try:
        outcome = asyncio.run(_run(console, place, ready, policy, wanted))
    except LogDamaged as error:
        # Nobody can be asked about private modules: neither a mismatch nor a pass.
        console.warn(f"{error} ({error.hint})" if error.hint else str(error))
        return EXIT_UNPROVEN
    _show(console, outcome, wanted)
    if signer is not None:
        _attest(console, place, outcome, signer, wanted)
    return outcome.verdict.exit_code


def _policy(
    console: Console, place: Path, given: Mapping[str, Any], kind: str, rules: tuple[str, ...]
) -> "Policy":
    """From the settings file that the run has, else from the project's own."""
    from goferry.config import feature_table
    from goferry.deps.gate.rules import policy
    from goferry.places import DEFAULT_FILE

    named = given.get("config") or console.environ.get("GOFERRY_CONFIG")
    folder = place if place.is_dir() else place.parent
    places = [Path(console.cwd, named)] if named else [console.cwd / DEFAULT_FILE, folder / DEFAULT_FILE]
    file = next((one for one in places if one.is_file()), None)
    return policy(feature_table(file, "gate"), origin=str(file or DEFAULT_FILE), of=kind, rules=rules)


async def _run(console: Console, place: Path, ready: Complete, policy: "Policy", wanted: Wanted) -> "Outcome":
    from goferry.deps.gate.run import gate

    with showing(console, _("proving"), quiet=wanted.for_programs) as bar:
        async with opened(console, ready) as supply:
            return await gate(place, supply, _options(console, ready, policy, bar))


def _options(console: Console, ready: Complete, policy: "Policy", bar: Progress) -> "Options":
    from goferry.deps.advisories import building, refresh
    from goferry.deps.gate.run import Options
    from goferry.gomod import goenv
    from goferry.gomod.module import match_prefix_patterns

    private = ready.settings.private
    spec = goenv.parse_sumdb(ready.settings.sumdb.partition(",")[0].strip())
    return Options(
        policy,
        lambda path: match_prefix_patterns(private, path),
        "" if spec is None else spec.name,
        datetime.datetime.now(datetime.UTC).date(),
        lambda: refresh.at_hand(console.environ),
        lambda project: building.gather(console.environ)(project),
        name_of_own_log(ready),
        lambda what, done, total: bar.update(done, total, what),
    )


def _show(console: Console, outcome: "Outcome", wanted: Wanted) -> None:
    if wanted.for_programs:
        console.stdout.write(_for_programs(outcome, wanted.printed))
    else:
        _table(console, outcome, wanted)
    for one in wanted.outputs[1:]:
        write(console, one.file, _for_programs(outcome, one.form))


def _table(console: Console, outcome: "Outcome", wanted: Wanted) -> None:
    from goferry.deps.gate.form import report
    from goferry.report import terminal

    found = report(outcome, notes=wanted.notes)
    console.stdout.write(terminal.render(found, colour=console.colour))
    hidden = len(outcome.judged) - len(found.findings)
    if hidden:
        text = ngettext("{n} note; --notes shows it", "{n} notes; --notes shows them", hidden)
        console.note(text.format(n=hidden))


def _for_programs(outcome: "Outcome", form: str) -> str:
    from goferry.deps.gate.form import report, to_json
    from goferry.report import junit, sarif

    if form == "json":
        return as_json_text(to_json(outcome))
    found = report(outcome, notes=True)
    return sarif.render(found, files=True) if form == "sarif" else junit.render(found)


# ---- statements ----------------------------------------------------------------------------------------


def _signer(console: Console, wanted: Wanted) -> Any:
    """The key is read before anything is proven: a run of minutes must not end with a missing file."""
    from goferry.deps.gate.attest import private_key

    password = console.environ.get(PASSWORD_VARIABLE)
    if wanted.key:
        pem = console.read(Path(console.cwd, wanted.key))
    elif text := console.environ.get(KEY_VARIABLE):
        pem = text.encode()
    else:
        raise InvalidInput(
            "--attest needs a key to sign with",
            hint=N_("give --key FILE, or put the key's PEM text into {variable}"),
            variable=KEY_VARIABLE,
        )
    return private_key(pem, password.encode() if password else None)


def _attest(console: Console, place: Path, outcome: "Outcome", signer: Any, wanted: Wanted) -> None:
    from goferry.deps.gate.attest import sign, statement
    from goferry.deps.gate.form import to_json
    from goferry.deps.gate.rules import Verdict

    if outcome.verdict is not Verdict.PASSED:
        console.warn(_("no statement was written: the gate did not pass"))
        return
    file = Path(console.cwd, wanted.attest)
    ours = (file, *(Path(console.cwd, one.file) for one in wanted.outputs[1:]))
    body = statement(to_json(outcome), outcome.proven.digests, _commit(place, *ours))
    try:
        file.write_text(sign(body, signer))
    except OSError as error:
        raise InvalidInput("cannot write {file}: {why}", file=file, why=error.strerror) from error


def _verify(console: Console, place: Path, wanted: Wanted) -> int:
    from goferry.deps.gate.attest import public_key, verify

    if not wanted.key:
        raise InvalidInput("--verify needs the public key: give --key FILE")
    file = Path(console.cwd, wanted.verify)
    body = verify(console.read(file), public_key(console.read(Path(console.cwd, wanted.key))))
    outcome = body["predicate"]["outcome"]
    _check_subjects(body, place, file)
    if wanted.printed == "json":
        console.json(body)
    else:
        text = _(
            "{verdict}: {modules}, {lines} lines of go.sum; the statement is signed and about these files"
        )
        console.out(
            text.format(
                verdict=outcome["verdict"],
                modules=", ".join(outcome["modules"]),
                lines=outcome["proven"]["lines"],
            )
        )
    return 0 if outcome["verdict"] == "passed" else 1


def _check_subjects(body: Mapping[str, Any], place: Path, statement: Path) -> None:
    """That what is here is what the statement is about."""
    folder = place if place.is_dir() else place.parent
    commit = _commit(place, statement)
    for subject in body["subject"]:
        name, digest = subject["name"], subject["digest"]
        if "gitCommit" in digest:
            if commit is None or commit.dirty or commit.id != digest["gitCommit"]:
                raise VerifyError(
                    "the statement is about commit {wanted}, and here is {found}",
                    wanted=digest["gitCommit"],
                    found=_("another tree") if commit is None or commit.dirty else commit.id,
                )
        elif _digest(folder / name) != digest.get("sha256"):
            raise VerifyError("{file} is not the file that the statement is about", file=name)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def _commit(place: Path, *ours: Path) -> "Commit | None":
    """The commit of the tree, and whether it has changes; None outside of git, and without git.

    The statement and the reports beside it are no change, wherever they are written.
    """
    from goferry.deps.gate.attest import Commit

    folder = place if place.is_dir() else place.parent
    head = _git(folder, "rev-parse", "--verify", "HEAD")
    top = _git(folder, "rev-parse", "--show-toplevel")
    if head is None or top is None:
        return None
    changes = _git(folder, "status", "--porcelain", "--untracked-files=all", "-z") or ""
    others = [one[3:] for one in changes.split("\0") if one]
    written = {file.resolve() for file in ours}
    dirty = any(Path(top.strip(), name).resolve() not in written for name in others)
    return Commit(head.strip(), dirty)


def _git(folder: Path, *words: str) -> str | None:
    """What git printed; None when it failed or is not there."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout if done.returncode == 0 else None
