"""Imports point downwards. The picture is [tool.importlinter] in pyproject.toml, and ARCHITECTURE.md draws it."""

import ast
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "goferry"


def test_imports_point_downwards(tmp_path: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command; lint_imports_command()",
            "--no-cache",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "200"},
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_stands_in_the_picture() -> None:
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"][0]
    drawn = {name.strip() for row in contract["layers"] for name in row.split("|")}
    there = {
        f"goferry.{path.stem}"
        for path in SOURCES.iterdir()
        if path.name not in ("locale", "__pycache__", "py.typed", "__init__.py", "__main__.py")
    }
    assert there - drawn == set()


@pytest.mark.parametrize("package", ["gomod", "findings.py", "errors.py", "config.py", "i18n.py", "report"])
def test_the_pure_parts_know_neither_loops_nor_networks(package: str) -> None:
    """What is judged, parsed and shown is plain functions on plain values."""
    for file in [SOURCES / package] if package.endswith(".py") else (SOURCES / package).rglob("*.py"):
        tree = ast.parse(file.read_bytes())
        names = {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        assert not {name.partition(".")[0] for name in names} & {"asyncio", "aiohttp", "socket", "ssl"}, file
        assert not [node for node in ast.walk(tree) if isinstance(node, (ast.AsyncFunctionDef, ast.Await))], (
            file
        )
