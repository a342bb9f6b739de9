"""`goferry deps lock`: tidy, download, verify, vendor in one go, and the proof that a build needs the store alone."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, as_json_text, pass_console
from goferry.cli.deps.gating import proofs_only
from goferry.cli.deps.opening import complete_settings, supply_flags, unproven_without_store
from goferry.cli.deps.outputs import write
from goferry.cli.environment import Complete
from goferry.cli.progress import showing
from goferry.errors import GoferryError, UpstreamError
from goferry.findings import Text
from goferry.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from goferry.deps.base import Project
    from goferry.deps.lock import Done

SUMMARY: Final = N_("Tidy, download, verify, vendor: everything for a build that can be repeated.")

TITLES: Final = {
    "tidy": N_("go.mod is tidy"),
    "download": N_("everything is in the store"),
    "sums": N_("go.sum is complete and proven"),
    "vendor": N_("vendor is what its modules are"),
    "offline": N_("go builds from the store alone"),
}
"""What a step says when it passes."""

STATES: Final = {
    "passed": N_("passed"),
    "failed": N_("failed"),
    "unproven": N_("not proven"),
    "skipped": N_("skipped"),
}

JOBS: Final = 16


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Check that go.mod is tidy, bring everything that go asks for into the store, prove go.sum against the "
        "checksum database and vendor against the modules, and say how each step went. With --prove-offline the real "
        "go then builds, vets and downloads with an empty module cache from goferry's own server, which is offline. "
        "Exit status: 0 passed, 1 failed, 2 usage, 3 could not be proven."
    ),
)
@click.argument("folder", metavar="[DIR]", default=".")
@option("--prove-offline", is_flag=True, help=N_("Build with the real go from this store alone."))
@option(
    "--ci",
    type=click.Choice(["github", "gitlab", "jenkins"]),
    default=None,
    metavar="github|gitlab|jenkins",
    help=N_("Only print what to paste into the CI's file."),
)
@json_option
@option("-o", "--output", metavar="FILE", default="", help=N_("Write the JSON there, too."))
@supply_flags
@pass_console
def command(
    console: Console,
    /,
    folder: str,
    prove_offline: bool,
    ci: str | None,
    as_json: bool,
    output: str,
    **given: Any,
) -> int:
    from goferry.cli.deps.snippets import SNIPPETS
    from goferry.deps.lock import to_json, verdict
    from goferry.deps.sources import load

    if ci is not None:
        console.out(SNIPPETS[ci].rstrip("\n"))
        return 0
    ready = complete_settings(console, given, as_json=as_json)
    project = load(Path(console.cwd, folder))
    done = list(_steps(console, project, ready, prove_offline=prove_offline, as_json=as_json))
    found = to_json(str(project.root), done)
    if as_json:
        console.json(found)
    else:
        for line in told(done):
            console.out(line)
    if output:
        write(console, output, as_json_text(found))
    return verdict(done).exit_code


def _steps(
    console: Console, project: "Project", ready: Complete, *, prove_offline: bool, as_json: bool
) -> Iterator["Done"]:
    from goferry.deps.lock import Done, State, Step

    with showing(console, _("downloading and proving"), quiet=as_json) as bar:
        yield from asyncio.run(_from_the_store(console, project, ready, bar.update))
    if not prove_offline:
        yield Done(Step.OFFLINE, State.SKIPPED)
        return
    yield _offline(console, project, ready)


async def _from_the_store(
    console: Console, project: "Project", ready: Complete, step: Callable[[int, int, str], None]
) -> list["Done"]:
    """Downloads, then has the gate judge; in the order in which they are shown."""
    from goferry.deps.gate.run import gate
    from goferry.deps.lock import Step, from_gate, switches
    from goferry.deps.supply import ProxySupply
    from goferry.proxy.assemble import open_proxy

    settings = replace(ready.settings, read_ahead=False)  # all that is wanted is asked for right away
    for warning in ready.warnings:
        console.warn(warning)
    with unproven_without_store():
        async with open_proxy(settings, environ=console.environ) as proxy:
            downloaded = await _download(proxy, project, ready, step)
            options = proofs_only(ready, switches(), step)
            outcome = await gate(project.start, ProxySupply(proxy), options)
    judged = {one.step: one for one in from_gate(outcome.judged, vendored=(project.root / "vendor").is_dir())}
    return [judged[Step.TIDY], downloaded, judged[Step.SUMS], judged[Step.VENDOR]]


async def _download(
    proxy: Any, project: "Project", ready: Complete, step: Callable[[int, int, str], None]
) -> "Done":
    from goferry.cli.warm import prove, sumdb_client, warm
    from goferry.deps.fixing.raising import views_of
    from goferry.deps.lock import Done, Line, State, Step
    from goferry.gomod.goproxy import Kind

    outcome = await warm(proxy, views_of(project.mains), JOBS, _Bar(step))
    failed = list(outcome.failed)
    if not ready.settings.offline and (client := sumdb_client(ready.settings)):
        failed += await prove(proxy, client, outcome.modules, ready.settings, JOBS)
    if failed:
        # Who did not answer may have it all; without a network, what is not in the store is not in the store.
        silent = all(isinstance(one.error, UpstreamError) for one in failed) and not ready.settings.offline
        state = State.UNPROVEN if silent else State.FAILED
        return Done(Step.DOWNLOAD, state, tuple(Line(one.key, one.error) for one in failed))
    count = outcome.files[Kind.ZIP]
    return Done(Step.DOWNLOAD, State.PASSED, (_Modules(count),))


@dataclass(frozen=True, slots=True)
class _Modules:
    count: int

    def __str__(self) -> str:
        return ngettext("{n} module", "{n} modules", self.count).format(n=self.count)


class _Bar:
    def __init__(self, step: Callable[[int, int, str], None]) -> None:
        self._step = step

    def update(self, done: int, total: int, what: str = "") -> None:
        self._step(done, total, what)


def _offline(console: Console, project: "Project", ready: Complete) -> "Done":
    """The real go, in each main module and in the workspace, with nothing but this store behind it."""
    from goferry.cli.deps.offline import COMMANDS, GoRuns, go_command, serving
    from goferry.deps.lock import Done, State, Step

    go = go_command(console.environ)
    if go is None:
        return Done(Step.OFFLINE, State.UNPROVEN, (Text(N_("there is no go command on PATH")),))
    said: list[str] = []
    try:
        with serving(ready.settings, console.environ) as url:
            for part in project.parts:
                runs = GoRuns(go, part.folder, url, ready.settings, console.environ)
                for ran in runs.run(COMMANDS):
                    if ran.code:
                        return Done(Step.OFFLINE, State.FAILED, (ran.shown,))
                    said.append(f"go {' '.join(ran.words)}")
    except GoferryError as error:
        return Done(Step.OFFLINE, State.UNPROVEN, (error,))
    return Done(Step.OFFLINE, State.PASSED, (", ".join(dict.fromkeys(said)),))


def told(done: Iterable["Done"]) -> Iterator[str]:
    """A line for each step, and below it what is wrong."""
    for one in done:
        yield f"{_(STATES[one.state.value]):<12}{_(TITLES[one.step.value])}"
        for detail in one.details:
            yield from (f"{'':<12}{line}" for line in str(detail).splitlines())
