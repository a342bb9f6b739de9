"""`goferry deps notify`: tell the news of a saved audit."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.environment import Complete
from goferry.cli.flags import load_settings, settings_flags
from goferry.config import Loaded, audit_history
from goferry.errors import ConfigError
from goferry.i18n import N_, _, ngettext

if TYPE_CHECKING:
    from goferry.deps.audit.records import Audit
    from goferry.deps.notify.base import Receiver
    from goferry.deps.notify.send import Outcome, Shown

SUMMARY = N_("Tell what is new in an audit: chat, e-mail, webhooks, GitHub.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Tell the receivers of the settings file what is new in a saved audit. Each hears of a finding once; what "
        "comes back after it was gone is news again. AUDIT is what `goferry deps audit --json` printed, or - for "
        "standard input."
    ),
)
@click.argument("audit", metavar="AUDIT")
@option("--to", metavar="NAME", multiple=True, help=N_("Only this receiver. May be given several times."))
@option("--dry-run", is_flag=True, help=N_("Print what would be sent, without secrets, and send nothing."))
@option("--all", "everything", is_flag=True, help=N_("Tell all findings, also those that were told before."))
@json_option
@settings_flags("deps notify")
@pass_console
def command(
    console: Console,
    /,
    audit: str,
    to: tuple[str, ...],
    dry_run: bool,
    everything: bool,
    as_json: bool,
    **given: Any,
) -> int:
    loaded = load_settings(console, given, as_json=as_json)
    found = read_audit(console, audit)
    if dry_run:
        return show_news(console, loaded, found, to=to, everything=everything, as_json=as_json)
    return tell_news(console, loaded, found, to=to, everything=everything, as_json=as_json)


def read_audit(console: Console, name: str) -> "Audit":
    """A saved audit. InvalidInput when it is none or cannot be read."""
    from goferry.deps.audit.records import from_json

    if name == "-":
        return from_json(console.stdin.read(), place=_("standard input"))
    return from_json(console.read(name), place=name)


def tell_news(
    console: Console,
    loaded: Loaded | Complete,
    audit: "Audit",
    *,
    to: Sequence[str] = (),
    everything: bool = False,
    as_json: bool = False,
    quiet: bool = False,
) -> int:
    """Tells an audit, and says what became of it; the exit status. What `deps audit --notify` calls.

    quiet: standard output belongs to something else.
    """
    from goferry.deps.kept import Kept
    from goferry.deps.notify.run import tell

    receivers = receivers_of(loaded, to)
    with Kept(audit_history(loaded.settings, console.environ)) as kept:
        outcomes = asyncio.run(
            tell(
                audit,
                receivers,
                kept=kept,
                settings=loaded.settings,
                environ=console.environ,
                everything=everything,
            )
        )
    if as_json:
        console.json({"receivers": [_outcome_json(outcome) for outcome in outcomes]})
    else:
        for outcome in outcomes:
            report_outcome(console, outcome, console.note if quiet else console.out)
    return 1 if any(outcome.failure for outcome in outcomes) else 0


def show_news(
    console: Console,
    loaded: Loaded | Complete,
    audit: "Audit",
    *,
    to: Sequence[str] = (),
    everything: bool = False,
    as_json: bool = False,
) -> int:
    """Prints what would be told, and keeps nothing."""
    from goferry.deps.kept import Kept
    from goferry.deps.notify.send import preview

    path = audit_history(loaded.settings, console.environ)
    kept = Kept(path) if path.exists() else None
    try:
        plans = [
            (
                receiver,
                *preview(
                    audit,
                    receiver,
                    kept=kept,
                    environ=console.environ,
                    now=time.time(),
                    everything=everything,
                ),
            )
            for receiver in receivers_of(loaded, to)
        ]
    finally:
        if kept is not None:
            kept.close()
    if as_json:
        console.json({"receivers": [_plan_json(*row) for row in plans]})
        return 0
    for receiver, plan, shown in plans:
        console.out(f"{receiver.name} ({receiver.kind}): {_state_text(plan.state, len(plan.notice.news))}")
        for step in shown:
            _print_step(console, step)
    return 0


def receivers_of(loaded: Loaded | Complete, to: Sequence[str] = ()) -> "tuple[Receiver, ...]":
    """Who is told. ConfigError for nobody, and for a mistake in the settings file."""
    from goferry.deps.notify.run import chosen

    receivers = chosen(loaded.file, to)
    if not receivers:
        raise ConfigError(
            "there is nobody to tell: no [[notify]] table in {file}",
            hint=N_("see docs/en/deps-notify.md"),
            file=loaded.file or _("a settings file"),
        )
    return receivers


def report_outcome(console: Console, outcome: "Outcome", say: Callable[[str], None]) -> None:
    """What became of one receiver; `say` prints what went well."""
    receiver = outcome.receiver
    if outcome.failure is None:
        say(f"{receiver.name} ({receiver.kind}): {_state_text(outcome.state, outcome.news)}")
        return
    console.warn(str(outcome.failure))
    if outcome.failure.hint:
        console.note(f"  {outcome.failure.hint}")


_STATES: Mapping[str, str] = {
    "nothing_new": N_("nothing new"),
    "already_sent": N_("was told this audit already"),
}


def _state_text(state: str, news: int) -> str:
    if state in _STATES:
        return _(_STATES[state])
    return ngettext("{n} new finding", "{n} new findings", news).format(n=news)


def _print_step(console: Console, step: "Shown") -> None:
    import json

    console.out(step.line)
    for name, value in step.headers.items():
        console.out(f"{name}: {value}")
    console.out()
    if step.body is not None:
        text = (
            step.body if isinstance(step.body, str) else json.dumps(step.body, ensure_ascii=False, indent=2)
        )
        console.out(text)
        console.out()


def _outcome_json(outcome: "Outcome") -> dict[str, Any]:
    return {
        "name": outcome.receiver.name,
        "kind": outcome.receiver.kind,
        "state": outcome.state,
        "news": outcome.news,
        "error": None if outcome.failure is None else str(outcome.failure),
    }


def _plan_json(receiver: "Receiver", plan: Any, shown: "Sequence[Shown]") -> dict[str, Any]:
    return {
        "name": receiver.name,
        "kind": receiver.kind,
        "state": plan.state,
        "news": len(plan.notice.news),
        "requests": [
            {"step": step.step, "line": step.line, "headers": dict(step.headers), "body": step.body}
            for step in shown
        ],
    }
