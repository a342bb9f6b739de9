"""The tools that set things up and judge: finding a Python, and skips in CI."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import skips

ROOT = Path(__file__).resolve().parent.parent

GOOD = "exit 0\n"
OLD = 'case "$*" in *version_info*) exit 1;; -V) echo Python 3.9.1;; esac\n'
WITHOUT_VENV = 'case "$*" in *ensurepip*) exit 1;; esac\n'


def find_python(folder: Path, programs: dict[str, str], **environ: str) -> "subprocess.CompletedProcess[str]":
    """tools/find-python with nothing on PATH but these shell scripts."""
    for name, script in programs.items():
        file = folder / name
        file.write_text(f"#!/bin/sh\n{script}")
        file.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "tools" / "find-python"],
        env={"PATH": str(folder), **environ},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("programs", "environ", "chosen"),
    [
        ({"python3": GOOD, "python3.13": GOOD}, {}, "python3"),
        ({"python3": OLD, "python3.12": GOOD}, {}, "python3.12"),
        ({"python3": WITHOUT_VENV, "python3.11": GOOD}, {}, "python3.11"),
        ({"python3": GOOD, "python3.12": GOOD}, {"PYTHON": "python3.12"}, "python3.12"),
    ],
)
def test_the_first_python_that_can_make_an_environment_is_taken(
    tmp_path: Path, programs: dict[str, str], environ: dict[str, str], chosen: str
) -> None:
    done = find_python(tmp_path, programs, **environ)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path}/{chosen}\n")


@pytest.mark.parametrize(
    ("programs", "said"),
    [
        ({}, "needs Python 3.11 or newer"),
        ({"python3": OLD}, "python3 (Python 3.9.1)"),
        ({"python3": WITHOUT_VENV}, "install the python3-venv package"),
    ],
)
def test_without_a_usable_python_it_is_said_what_is_missing(
    tmp_path: Path, programs: dict[str, str], said: str
) -> None:
    done = find_python(tmp_path, programs)
    assert done.returncode == 1
    assert said in done.stderr
    assert "make PYTHON=" in done.stderr


def test_this_python_is_good_enough(tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(sys.executable)
    assert find_python(tmp_path, {}).returncode == 0


def report(outcome: str) -> pytest.TestReport:
    longrepr = ("file.py", 1, "Skipped: no h2load") if outcome == "skipped" else None
    return pytest.TestReport("t", ("t", 0, "t"), {}, outcome, longrepr, "call")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("outcome", "markers", "strict", "judged"),
    [
        ("skipped", set(), True, "failed"),
        ("skipped", {"go"}, True, "failed"),
        ("skipped", {"online"}, True, "skipped"),
        ("skipped", set(), False, "skipped"),
        ("passed", set(), True, "passed"),
    ],
)
def test_in_ci_a_skip_is_a_failure_unless_it_was_allowed(
    outcome: str, markers: set[str], strict: bool, judged: str
) -> None:
    seen = skips.judge(report(outcome), markers, strict=strict)
    assert seen.outcome == judged
    if judged == "failed":
        assert "unexpected skip: Skipped: no h2load" in str(seen.longrepr)


def test_an_expected_failure_is_no_skip() -> None:
    expected = report("skipped")
    expected.wasxfail = "known"  # type: ignore[attr-defined]
    assert skips.judge(expected, set(), strict=True).outcome == "skipped"


def test_ci_runs_the_commands_that_the_readme_names() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert script.startswith("#!/usr/bin/env bash\n")
    assert "set -euo pipefail" in script
    assert "GOFERRY_CI=1 make test\n" in script
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
