"""A run as text: the demands with what was measured, the figures beside them, and what is missing and why."""

from collections.abc import Mapping, Sequence
from typing import Any

from bench.demands import DEMANDS, GROUPS, Demand
from bench.plan import Note, Results

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
"""What stands between these in docs/*/performance.md is written by `python -m bench --docs`."""
COLUMNS = ("what", "measured", "demand", "")


def render(
    machine: Mapping[str, Any], results: Results, *, groups: Sequence[str] = GROUPS, markdown: bool = False
) -> str:
    """Tables for the terminal, or as Markdown."""
    table = _markdown if markdown else _plain
    rows = [_row(demand, results) for demand in DEMANDS if demand.group in groups]
    notes = [(note.what, _figure(note.value, note.unit)) for note in _in_order(results.notes, groups)]
    parts = [_about(machine), table(COLUMNS, rows)]
    parts += [table(("beside", "figure"), notes)] if notes else []
    parts += ["\n".join(f"not measured – {what}: {why}" for what, why in results.absent.items())]
    return "\n\n".join(part for part in parts if part)


def missing(results: Results, groups: Sequence[str]) -> list[str]:
    """Demands of these groups without a figure."""
    return [one.key for one in DEMANDS if one.group in groups and one.key not in results.measured]


def _about(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    quick = " (quick: not for quoting)" if machine.get("quick") else ""
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}, "
        f"{machine['scratch']}; Python {machine['python']}; {versions}; "
        f"commit {machine['commit']}, {machine['when']}{quick}"
    )


def _row(demand: Demand, results: Results) -> tuple[str, str, str, str]:
    found = results.measured.get(demand.key)
    if found is None:
        return demand.what, "-", demand.text, "not measured"
    return demand.what, _figure(found.value, demand.unit), demand.text, "pass" if found.passed else "FAIL"


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
