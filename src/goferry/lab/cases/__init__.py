"""All scenarios, grouped by the part of the way that they break; each module lists its own."""

from difflib import get_close_matches
from typing import Final

from goferry.errors import InvalidInput
from goferry.lab.cases import (
    author,
    config,
    forward,
    healthy,
    machine,
    names,
    path,
    server,
    sumdb,
    trust,
    vcs,
)
from goferry.lab.scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = tuple(
    scenario
    for group in (config, forward, names, path, trust, server, sumdb, vcs, author, machine, healthy)
    for scenario in group.SCENARIOS
)

_BY_NAME: Final = {scenario.name: scenario for scenario in SCENARIOS}


def find(name: str) -> Scenario:
    """The scenario of that name. Raises InvalidInput with the nearest one as a hint."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = get_close_matches(name, _BY_NAME, 1)
    raise InvalidInput(
        "no such scenario: {name}",
        hint="did you mean {near}?" if near else "see goferry lab list",
        name=name,
        near=near[0] if near else "",
    )
