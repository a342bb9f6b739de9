"""The gate as a part of other commands: only its proofs, with no rules of a release."""

import datetime
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from goferry.cli.environment import Complete

if TYPE_CHECKING:
    from goferry.deps.gate.run import Options


def proofs_only(ready: Complete, switches: Iterable[str], step: Callable[[int, int, str], None]) -> "Options":
    """What tells the gate to look at these rules (`NAME=on`, all others off) and at no settings file."""
    from goferry.deps.gate.rules import policy
    from goferry.deps.gate.run import Options
    from goferry.gomod import goenv
    from goferry.gomod.module import match_prefix_patterns

    settings = ready.settings
    spec = goenv.parse_sumdb(settings.sumdb.partition(",")[0].strip())
    return Options(
        policy({}, rules=switches),
        lambda path: match_prefix_patterns(settings.private, path),
        "" if spec is None else spec.name,
        datetime.datetime.now(datetime.UTC).date(),
        _no_database,
        own_log=name_of_own_log(ready),
        step=lambda what, done, total: step(done, total, what),
    )


def name_of_own_log(ready: Complete) -> str:
    """Empty where there is none."""
    from goferry.proxy.ownlog import parse_place

    place = parse_place(ready.settings.own_log)
    return "" if place is None else place.name


def _no_database() -> Any:
    raise AssertionError("no rule that is on asks for vulnerabilities")
