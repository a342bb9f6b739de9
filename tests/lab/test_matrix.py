"""The confusion matrix: what it reads out of a doctor's answer, and what it counts."""

import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

from goferry.lab import cases
from goferry.lab.world import Done
from labneeds import require_go

BROKEN, WELL = cases.find("goproxy-502"), cases.find("well")


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    tools = str(Path(__file__).parents[2] / "tools")
    sys.path.insert(0, tools)
    try:
        import lab_matrix
    finally:
        sys.path.remove(tools)
    return lab_matrix


def answer(cause: str, *, proven: bool = True, retested: bool = True) -> str:
    fixes = [{"commands": [], "contexts": {}, "retested": retested}]
    finding = {"cause": cause, "certainty": "certain", "proven": proven, "fixes": fixes}
    verdict = {"cause": cause, "certainty": "certain", "candidates": [cause]}
    return json.dumps({"verdict": verdict, "findings": [finding]})


def test_a_verdict_is_read_whatever_stands_around_it(matrix: ModuleType) -> None:
    row = matrix.read(BROKEN, Done(1, f"warning: x\n{answer('goproxy_server_5xx')}\nbye\n"), 1.5)
    assert (row.right, row.certainty, row.proven, row.retested) == (True, "certain", True, True)
    assert not matrix.read(BROKEN, Done(1, answer("rate_limited_429")), 1.5).right


def test_a_sound_verdict_is_right_where_nothing_is_wrong(matrix: ModuleType) -> None:
    sound = Done(0, json.dumps({"verdict": None, "findings": []}))
    assert matrix.read(WELL, sound, 1.0).right
    assert not matrix.read(BROKEN, sound, 1.0).right


def test_no_answer_is_never_right(matrix: ModuleType) -> None:
    for output in ("", "Traceback\nKeyError: 'x'\n", "{broken"):
        assert not matrix.read(WELL, Done(70, output), 1.0).right


def test_figures_count_false_alarms_and_proofs(matrix: ModuleType) -> None:
    rows = [
        matrix.Row(BROKEN, "goproxy_server_5xx", "certain", True, False, 2.0, 1, "--fix"),
        matrix.Row(BROKEN, "rate_limited_429", "likely"),
        matrix.Row(WELL, "-", seconds=3.0),
        matrix.Row(WELL, "dns_slow", "likely", seconds=4.0),
    ]
    counted = matrix.figures(rows)
    assert (counted["right"], counted["broken"], counted["alarms"], counted["healthy"]) == (1, 2, 1, 2)
    assert (counted["proven"], counted["retested"], counted["mended"], counted["slowest"]) == (1, 0, 1, 4.0)
    page = matrix.page(rows, "en")
    assert "| scenarios with a fault, verdict right | 1 of 2 |" in page
    assert "| `goproxy-502` | `goproxy_server_5xx` | **`rate_limited_429`** | likely |" in page


@pytest.mark.namespace
@pytest.mark.go
async def test_a_program_is_run_in_the_scenario_and_its_fix_is_tried(
    matrix: ModuleType, tmp_path: Path
) -> None:
    require_go()
    doctor = tmp_path / "doctor"
    doctor.write_text(
        f"#!/bin/sh\nif [ $1 = --fix ]; then go env -w GOPROXY=file:///nowhere\nelse echo '{_printed()}'; exit 1; fi\n"
    )
    doctor.chmod(0o755)
    (row,) = await matrix.run_all([BROKEN], 1, ["--public-dns"], [str(doctor)])
    assert (row.verdict, row.mended, row.exit) == ("goproxy_server_5xx", "command", 1)


def _printed() -> str:
    """An answer whose printed command works, while what `--fix` does here does not."""
    said = json.loads(answer("goproxy_server_5xx"))
    said["findings"][0]["fixes"][0]["contexts"]["shell"] = ["export GOPROXY=https://mirror.example.net"]
    return json.dumps(said)
