"""All scenarios, grouped by the part of the way that they break; each module lists its own."""

from difflib import get_close_matches
from typing import Final

from goferry.errors import InvalidInput
from goferry.lab.cases import names, path, server
from goferry.lab.scenario import Scenario

SCENARIOS: Final[tuple[Scenario, ...]] = (*names.SCENARIOS, *path.SCENARIOS, *server.SCENARIOS)

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
