"""Entries for tests, written short; the shipped database; the requirement lists of real projects."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from goferry.deps.advisories import osv
from goferry.deps.advisories.base import About
from goferry.deps.advisories.database import Database
from goferry.deps.advisories.layouts import Loose
from goferry.deps.advisories.osv import Entry
from goferry.deps.base import Module

REQUIREMENTS = Path(__file__).parent / "deps/data/requirements.jsonl"


def events(text: str) -> list[dict[str, str]]:
    """`0 -1.2.3 2.0.0 -2.1.0 =3.1.0`: introduced, fixed with a minus, last affected with an equals sign."""
    kinds = {"-": "fixed", "=": "last_affected", "<": "limit"}
    return [{kinds[word[0]]: word[1:]} if word[0] in kinds else {"introduced": word} for word in text.split()]


def block(module: str, ranges: str | None = "0", **more: Any) -> dict[str, Any]:
    """What an entry says of a module; `ranges` as in `events`, several with commas. More goes into
    ecosystem_specific."""
    found: dict[str, Any] = {"package": {"name": module, "ecosystem": "Go"}, "ecosystem_specific": more}
    if ranges is not None:
        found["ranges"] = [{"type": "SEMVER", "events": events(one)} for one in ranges.split(",")]
    return found


def document(id: str, *blocks: dict[str, Any], **more: Any) -> dict[str, Any]:
    """An OSV file."""
    return {
        "schema_version": "1.3.1",
        "id": id,
        "modified": "0001-01-01T00:00:00Z",
        "affected": list(blocks),
        "database_specific": {"review_status": "REVIEWED"},
        **more,
    }


def file(id: str, *blocks: dict[str, Any], **more: Any) -> tuple[str, bytes]:
    return f"{id}.json", json.dumps(document(id, *blocks, **more)).encode()


def entry(id: str, *blocks: dict[str, Any], **more: Any) -> Entry:
    return osv.parse(*file(id, *blocks, **more))


def database(*entries: Entry) -> Database:
    return Database(About("test", "", len(entries)), [Loose("test", entries)])


@cache
def requirements() -> tuple[tuple[Module, ...], ...]:
    """The require lines of 55 go.mod files of public projects, each at a commit that the file names."""
    lines = REQUIREMENTS.read_text().splitlines()
    return tuple(tuple(Module(*one.split("@")) for one in json.loads(line)["require"]) for line in lines)
