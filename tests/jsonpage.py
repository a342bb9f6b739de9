"""docs/*/json.md as a test reads it: the section of each command, and the keys it describes."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from goferry.cli.main import cli

PAGES = {
    language: Path(__file__).resolve().parent.parent / "docs" / language / "json.md"
    for language in ("en", "zh")
}
MESSAGE = {"key", "parts", "text"}
OPEN = {"parts", "details", "settings", "commands", "contexts", "rules", "digests", "headers", "body"}
"""Objects whose names are data: names of settings, of rules, of places, of files, of others' forms."""


def json_commands(group: click.Group = cli, words: tuple[str, ...] = ()) -> Iterator[str]:
    """Every command that takes --json, as it is typed behind `goferry`."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from json_commands(command, (*words, name))
        elif any("--json" in param.opts for param in command.params):
            yield " ".join((*words, name))


def sections(language: str) -> dict[str, str]:
    """What the page says of each command that one of its headings names."""
    text = PAGES[language].read_text("utf-8")
    found = {}
    for part in re.split(r"(?m)^## ", text)[1:]:
        heading, _, body = part.partition("\n")
        for command in re.findall(r"`goferry ((?:[a-z]+ )+)[^`]*--json`", heading):
            found[command.strip()] = body
    return found


def example(section: str) -> Any:
    """The JSON of a section, or None."""
    block = re.search(r"(?ms)^```json\n(.*?)^```", section)
    return None if block is None else json.loads(block[1])


def words(section: str) -> set[str]:
    """What stands in backticks outside of the examples."""
    prose = re.sub(r"(?ms)^```.*?^```", "", section)
    return {word.replace("\n", " ") for word in re.findall(r"`([^`]+)`", prose)}


def objects(value: Any, place: str = "") -> Iterator[tuple[str, frozenset[str]]]:
    """Each object below a value by its place, with its keys. The rows of a list share a place; messages are leaves."""
    if isinstance(value, list):
        for row in value:
            yield from objects(row, place)
    elif isinstance(value, dict) and set(value) != MESSAGE:
        yield place, frozenset(value)
        for name, inner in value.items():
            if name not in OPEN:
                yield from objects(inner, f"{place}.{name}")


def keys(value: Any) -> set[str]:
    """All keys of a value, at any depth, without those that are data."""
    return {name for _place, names in objects(value) for name in names}


def differences(command: str, printed: Any, *, unseen: frozenset[str] = frozenset()) -> list[str]:
    """Where printed objects have other keys than the example of the command; `unseen`: places that no run printed."""
    told = []
    documented: dict[str, frozenset[str]] = {}
    for place, names in objects(example(sections("en")[command])):
        documented[place] = documented.get(place, frozenset()) | names
    found = list(objects(printed))
    for place, names in found:
        if place not in documented:
            told.append(f"{place or 'top'}: nothing is said of {sorted(names)}")
        elif names != documented[place]:
            told.append(f"{place or 'top'}: {sorted(names ^ documented[place])}")
    gone = set(documented) - {place for place, _names in found} - unseen
    return [*told, *(f"{place}: was not printed" for place in sorted(gone))]
