"""A run as text: the demands with what was measured, the figures beside them, and what is missing and why."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bench.demands import DEMANDS, GROUPS, Demand
from bench.pace import spread
from bench.plan import Note, Results
from bench.words import ENGLISH, Words

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
"""What stands between these in docs/*/performance.md is written by `python -m bench --docs`."""
_VERSION = re.compile(r"v?\d+\.\d[\w.+~-]*")


def render(
    machine: Mapping[str, Any],
    results: Results,
    *,
    groups: Sequence[str] = GROUPS,
    markdown: bool = False,
    words: Words = ENGLISH,
) -> str:
    """Tables for the terminal, or as Markdown."""
    table = _markdown if markdown else _plain
    rows = [_row(demand, results, words) for demand in DEMANDS if demand.group in groups]
    notes = [
        (words.name(note.what), _figure(note.value, words.name(note.unit)))
        for note in _in_order(results.notes, groups)
    ]
    parts = [_about(machine, words), table(words.columns, rows)]
    parts += [table(words.beside, notes)] if notes else []
    parts += [
        "\n".join(words.absent.format(what=words.name(what), why=why) for what, why in results.absent.items())
    ]
    return "\n\n".join(part for part in parts if part)


def missing(results: Results, groups: Sequence[str]) -> list[str]:
    """Demands of these groups without a figure."""
    return [one.key for one in DEMANDS if one.group in groups and one.key not in results.measured]


def _about(machine: Mapping[str, Any], words: Words) -> str:
    versions = words.versions.join(
        f"{name} {_number(version)}" for name, version in machine["versions"].items()
    )
    quick = words.quick if machine.get("quick") else ""
    about = words.machine.format(**{**machine, "versions": versions, "quick": quick})
    paces = spread(machine.get("pace", {}))  # runs from before it was noted have none
    return f"{about}\n{words.pace.format(**paces)}" if paces else about


def _number(version: str) -> str:
    """The number in what a program says of itself; all that it says where there is none."""
    found = _VERSION.search(version)
    return found[0] if found else version


def _row(demand: Demand, results: Results, words: Words) -> tuple[str, str, str, str]:
    what, found = words.name(demand.what), results.measured.get(demand.key)
    if found is None:
        return what, "-", demand.text, words.missing
    verdict = words.passed if found.passed else words.failed
    return what, _figure(found.value, demand.unit), demand.text, verdict


def _figure(value: float, unit: str) -> str:
    return f"{value:,.4g} {unit}".strip() if abs(value) < 1000 else f"{value:,.0f} {unit}".strip()


def _in_order(notes: Sequence[Note], groups: Sequence[str]) -> list[Note]:
    return [note for group in groups for note in notes if note.group == group]


def _plain(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in [head, *rows]
    )


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in lines)
