"""`goferry deps audit --repos`: audits that are kept, once or again and again, and told."""

import asyncio
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from goferry.cli.console import Console
from goferry.cli.deps.notify import report_outcome
from goferry.cli.environment import Complete
from goferry.cli.progress import showing
from goferry.config import Settings, audit_history, parse_value
from goferry.deps.audit.records import Audit
from goferry.deps.audit.whole import Looking
from goferry.deps.kept import Kept
from goferry.deps.scheduled import log, schedule
from goferry.errors import InvalidInput
from goferry.i18n import N_, _


def audit(
    console: Console,
    ready: Complete,
    repos: str | None,
    every: str | None,
    *,
    telling: bool,
    look: Callable[[], Looking],
    show: Callable[[Audit], int],
    quiet: bool = False,
) -> int:
    """What --repos, --every and --notify ask for; the exit status. `look` says how an audit is made, `show` prints it
    and gives its status."""
    if repos is None:
        raise InvalidInput(
            "--every needs --repos", hint=N_("a file that lists repositories, or a folder of checkouts")
        )
    for warning in ready.warnings:
        console.warn(warning)
    place = Path(console.cwd, repos)
    settings = ready.settings
    if every is not None:
        settings = replace(settings, audit_every=parse_value("audit_every", every))
        look()  # a mistake in what was asked for shows now, not in the log
        return _again_and_again(console, ready, settings, place, telling=telling, look=look)
    with (
        Kept(audit_history(settings, console.environ)) as kept,
        showing(console, _("auditing"), quiet=quiet) as bar,
    ):
        plan = schedule(
            kept,
            place,
            settings,
            ready.file,
            console.environ,
            telling=telling,
            seen=lambda outcome: report_outcome(console, outcome, console.note),
            look=look,
            step=lambda what, done, total: bar.update(done, total, what),
        )
        done = asyncio.run(plan.once(force=True))
    assert done is not None
    if done.failure is not None:
        raise done.failure
    assert done.audit is not None
    status = show(done.audit)
    return max(status, 1) if done.untold else status


def _again_and_again(
    console: Console,
    ready: Complete,
    settings: Settings,
    place: Path,
    *,
    telling: bool,
    look: Callable[[], Looking],
) -> int:
    """Until SIGTERM or SIGINT. An audit that is under way then leaves no trace, and is made at the next start."""
    from goferry.server.job import set_up_logging

    set_up_logging(settings.log_level)

    async def run() -> None:
        work = asyncio.current_task()
        assert work is not None
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # Windows: Ctrl+C is an exception there
                asyncio.get_running_loop().add_signal_handler(number, work.cancel)
        with Kept(audit_history(settings, console.environ)) as kept:
            while True:
                plan = schedule(
                    kept, place, settings, ready.file, console.environ, telling=telling, look=look
                )
                log(await plan.next(asyncio.sleep))

    with suppress(asyncio.CancelledError):
        asyncio.run(run())
    return 0
