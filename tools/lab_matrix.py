"""The confusion matrix: `goferry doctor` in every scenario of the lab, its verdict beside the cause that is there.

tools/lab_matrix.py [--jobs N] [--no-public-dns] [--dry] [NAME...]

Writes docs/en/doctor-accuracy.md and docs/zh/doctor-accuracy.md when all scenarios were run, and leaves with 1 when a
verdict differs from what is expected. Public name servers are those of the lab: nothing leaves this machine.
"""

import argparse
import asyncio
import json
import shlex
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from goferry.errors import GoferryError
from goferry.lab import cases, world
from goferry.lab.scenario import Scenario

ROOT: Final = Path(__file__).resolve().parent.parent
PATIENCE: Final = 120.0
NOTHING: Final = "-"
ALONE: Final = "--no-public-dns"


@dataclass(frozen=True, slots=True)
class Row:
    """One scenario's result. verdict: NOTHING for a world that was found sound."""

    scenario: Scenario
    verdict: str
    certainty: str = ""
    proven: bool = False
    retested: bool = False
    seconds: float = 0.0
    exit: int | None = None
    mended: str = ""
    """What made the command work: `--fix`, or `command` for one that was printed; "" when nothing did."""
    alone: bool = False
    """Without second opinions of public name servers."""

    @property
    def expected(self) -> str:
        return (self.alone and self.scenario.alone) or self.scenario.expected or NOTHING

    @property
    def right(self) -> bool:
        return self.verdict == self.expected

    @property
    def mendable(self) -> bool:
        return self.scenario.is_mendable


async def diagnose(scenario: Scenario, flags: Sequence[str], program: Sequence[str]) -> Row:
    """Runs the doctor in the scenario, by the command line, as a user would."""
    try:
        async with world.open(scenario) as lab:
            began = time.monotonic()
            done = await lab.run([*program, "--json", *flags], timeout=PATIENCE)
            row = replace(read(scenario, done, time.monotonic() - began), alone=ALONE in flags)
            if not (scenario.healthy or scenario.works):
                row = replace(row, mended=await mend(lab, done, flags, program))
            return row
    except GoferryError as error:
        return Row(scenario, f"not run: {error}")


async def mend(lab: world.World, diagnosis: world.Done, flags: Sequence[str], program: Sequence[str]) -> str:
    """Applies the fix, or types the printed commands, and runs the command that had failed."""
    await lab.run([*program, "--fix", "--yes", *flags], timeout=PATIENCE)
    if await works(lab, ""):
        return "--fix"
    said = parsed(diagnosis.output) or {}
    for finding in said.get("findings", []):
        for fix in finding["fixes"]:
            # In a shell of its own a variable lasts as long as the command, which is long enough.
            lines = fix["contexts"].get("shell", fix["commands"])
            if fix["retested"] and await works(lab, "\n".join(lines)):
                return "command"
    return ""


async def works(lab: world.World, before: str) -> bool:
    """Whether the scenario's command works behind these lines of shell, which PATH may not lead to."""
    words = shlex.join(lab.scenario.client.command)
    done = await lab.run(["/bin/sh", "-c", f"{before}\n{words}"], timeout=PATIENCE)
    return done.exit == 0


def parsed(output: str) -> dict[str, Any] | None:
    """The doctor's JSON, whatever stands before it."""
    start = output.find("{")
    try:
        said: dict[str, Any] = json.JSONDecoder().raw_decode(output[max(start, 0) :])[0]
    except ValueError:
        return None
    return said


def read(scenario: Scenario, done: world.Done, seconds: float) -> Row:
    """The row from what the doctor printed."""
    said = parsed(done.output)
    if said is None:
        last = (done.output.strip().splitlines() or ["nothing said"])[-1]
        return Row(scenario, f"no JSON: {last[:80]}", seconds=seconds, exit=done.exit)
    verdict = said.get("verdict")
    if verdict is None:
        return Row(scenario, NOTHING, seconds=seconds, exit=done.exit)
    first: dict[str, Any] = next(
        (found for found in said["findings"] if found["cause"] == verdict["cause"]), {}
    )
    return Row(
        scenario,
        verdict["cause"],
        verdict["certainty"],
        bool(first.get("proven")),
        any(fix["retested"] for fix in first.get("fixes", [])),
        seconds,
        done.exit,
    )


# ---- the page ----------------------------------------------------------------------------------------------

_TITLE: Final = {"en": "How often the doctor is right", "zh": "诊断的准确度"}
_INTRO: Final = {
    "en": (
        "This page is made by `make lab`: `goferry doctor` runs in every scenario of `goferry lab`, and its verdict "
        "stands beside the cause that was built in. `-` means that nothing is wrong, or that nothing was found."
    ),
    "zh": (
        "本页由 `make lab` 生成：`goferry doctor` 在 `goferry lab` 的每个场景中运行，"
        "其结论与场景中预设的原因并列。`-` 表示没有故障，或没有发现故障。"
    ),
}
_COLUMNS: Final = {
    "en": (
        "scenario",
        "expected",
        "verdict",
        "certainty",
        "proven",
        "fix re-tested",
        "go works after",
        "seconds",
    ),
    "zh": ("场景", "预期", "结论", "确定程度", "已证实", "修复已复验", "修复后 go 可用", "秒"),
}
_SUMMARY: Final = {
    "en": (
        ("scenarios with a fault, verdict right", "{right} of {broken}"),
        ("healthy scenarios, false alarms", "{alarms} of {healthy}"),
        ("proven, of those that can be mended", "{proven} of {mendable}"),
        ("fix re-tested, of those that can be mended", "{retested} of {mendable}"),
        ("go failed, and works after `--fix` or the printed command", "{mended} of {failing}"),
        ("slowest healthy run, where go itself is quick", "{slowest:.1f} s"),
    ),
    "zh": (
        ("有故障的场景中结论正确的", "{right} / {broken}"),
        ("健康场景中的误报", "{alarms} / {healthy}"),
        ("可修复的场景中已证实的", "{proven} / {mendable}"),
        ("可修复的场景中修复已复验的", "{retested} / {mendable}"),
        ("go 失败，而在 `--fix` 或所给命令之后可用的", "{mended} / {failing}"),
        ("最慢的健康运行（go 本身不慢）", "{slowest:.1f} 秒"),
    ),
}
_OTHERS: Final = "[–](lab.md)"
"""In the column of fixes: somebody else has to act, as the page of the lab says."""

_NOTE: Final = {
    "en": "`–` in the column of fixes: somebody else has to act first; [the page of the lab](lab.md) says who.",
    "zh": "“修复”一列中的 `–`：须由他人先行处理，见[实验室页](lab.md)。",
}
_YES: Final = {"en": "yes", "zh": "是"}


def figures(rows: Sequence[Row]) -> dict[str, float]:
    """What the summary counts."""
    broken = [row for row in rows if not row.scenario.healthy]
    healthy = [row for row in rows if row.scenario.healthy]
    mendable = [row for row in broken if row.mendable]
    return {
        "right": sum(row.right for row in broken),
        "broken": len(broken),
        "alarms": sum(not row.right for row in healthy),
        "healthy": len(healthy),
        "proven": sum(row.proven for row in mendable),
        "retested": sum(row.retested for row in mendable),
        "mendable": len(mendable),
        "mended": sum(bool(row.mended) for row in broken),
        "failing": sum(not row.scenario.works for row in broken),
        "slowest": max((row.seconds for row in healthy if not row.scenario.lasts), default=0.0),
    }


def page(rows: Sequence[Row], language: str) -> str:
    """The whole page as Markdown."""
    counted = figures(rows)
    lines = [f"# {_TITLE[language]}", "", _INTRO[language], "", "| | |", "|---|---|"]
    lines += [f"| {name} | {text.format(**counted)} |" for name, text in _SUMMARY[language]]
    lines += ["", _NOTE[language]]
    head = _COLUMNS[language]
    lines += ["", _line(head), _line(["---"] * len(head))]
    lines += [_line(_cells(row, language)) for row in rows]
    return "\n".join(lines) + "\n"


def _cells(row: Row, language: str) -> list[str]:
    yes = {True: _YES[language], False: ""}
    verdict = f"`{row.verdict}`" if row.right else f"**`{row.verdict}`**"
    return [
        f"`{row.scenario.name}`",
        f"`{row.expected}`",
        verdict,
        row.certainty,
        yes[row.proven],
        _OTHERS if row.scenario.wants and not row.retested else yes[row.retested],
        row.mended,
        f"{row.seconds:.1f}",
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


# ---- the run -----------------------------------------------------------------------------------------------


async def run_all(
    scenarios: Sequence[Scenario], jobs: int, flags: Sequence[str], program: Sequence[str]
) -> list[Row]:
    """All of them, so many at once, in their own order."""
    turns = asyncio.Semaphore(jobs)

    async def one(scenario: Scenario) -> Row:
        async with turns:
            row = await diagnose(scenario, flags, program)
        mark = "ok " if row.right else "BAD"
        proof = f"{'proven' if row.proven else '':6} {'retested' if row.retested else '':8}"
        print(
            f"{mark} {scenario.name:30} {row.expected:34} {row.verdict:34} {row.certainty:8} {proof} "
            f"{row.mended:8} {row.seconds:5.1f} s",
            flush=True,
        )
        return row

    return list(await asyncio.gather(*(one(scenario) for scenario in scenarios)))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-public-dns", action="store_true")
    parser.add_argument("--dry", action="store_true", help="write no page")
    parser.add_argument("--program", nargs="+", default=[sys.executable, "-m", "goferry", "doctor"])
    arguments = parser.parse_args()
    chosen = [cases.find(name) for name in arguments.names] or list(cases.SCENARIOS)
    flags = [ALONE if arguments.no_public_dns else "--public-dns"]
    rows = asyncio.run(run_all(chosen, arguments.jobs, flags, arguments.program))
    for name, text in _SUMMARY["en"]:
        print(f"{name}: {text.format(**figures(rows))}")
    if not arguments.names and not arguments.dry:
        for language in ("en", "zh"):
            (ROOT / "docs" / language / "doctor-accuracy.md").write_text(page(rows, language))
    return 0 if all(row.right for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
