"""Keeps what the real go says in every broken network of the lab, for `goferry explain` to be tried on.

tools/goldens.py [--go FOLDER] [--jobs N] [NAME...]

Runs the scenario's command with the go of FOLDER (default: the one on PATH) and writes its output to
tests/doctor/goldens/goX.Y/NAME.txt. What differs from run to run is made the same: the world's folders and ports.
"""

import argparse
import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from goferry.errors import GoferryError
from goferry.lab import cases, world
from goferry.lab.scenario import Scenario

ROOT: Final = Path(__file__).resolve().parent.parent
GOLDENS: Final = ROOT / "tests" / "doctor" / "goldens"
PATIENCE: Final = 150.0
HOME: Final = "/home/developer"
_SAME: Final = (
    (re.compile(r"((?:\d+\.){3}\d+|\]):\d{5}->"), r"\1:40000->"),
    (re.compile(r"\.zip\d+\.tmp"), ".zip1.tmp"),
)


def version_of(environ: Mapping[str, str]) -> str:
    """`go1.26` for the go on PATH of the environment."""
    said = subprocess.run(
        ["go", "env", "GOVERSION"], env=dict(environ), capture_output=True, text=True, check=True
    ).stdout
    return ".".join(said.strip().split(".")[:2])


def default_host(environ: Mapping[str, str]) -> str:
    """The module proxy that go asks when nobody says otherwise."""
    command = ["go", "env", "GOROOT"]
    root = subprocess.run(command, env=dict(environ), capture_output=True, text=True, check=True).stdout
    found = re.search(r"^GOPROXY=https://([^,|/\s]+)", Path(root.strip(), "go.env").read_text(), re.MULTILINE)
    assert found is not None, "go.env without GOPROXY"
    return found[1]


def tidy(text: str, root: Path, default: str) -> str:
    """The output without what belongs to one run. default: go's own module proxy, which gets an example's name."""
    text = text.replace(default, "default-proxy.example.org")
    text = text.replace(f"{root}/home", HOME).replace(f"{root}/work", f"{HOME}/work").replace(str(root), HOME)
    for pattern, instead in _SAME:
        text = pattern.sub(instead, text)
    return text


async def keep(scenario: Scenario, environ: Mapping[str, str], folder: Path) -> str:
    """Writes the golden of one scenario; returns what to say about it."""
    try:
        async with world.open(scenario, outer=environ) as lab:
            done = await lab.run(scenario.client.command, timeout=PATIENCE)
    except GoferryError as error:
        return f"not run: {error}"
    if done.exit == 0 or not done.output.strip():
        return f"nothing to keep: exit {done.exit}"
    (folder / f"{scenario.name}.txt").write_text(tidy(done.output, lab.folders.root, default_host(environ)))
    return f"exit {done.exit}"


async def keep_all(
    scenarios: Sequence[Scenario], environ: Mapping[str, str], folder: Path, jobs: int
) -> None:
    turns = asyncio.Semaphore(jobs)

    async def one(scenario: Scenario) -> None:
        async with turns:
            print(f"{scenario.name}: {await keep(scenario, environ, folder)}", flush=True)

    await asyncio.gather(*(one(scenario) for scenario in scenarios))


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--go", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    environ = dict(os.environ)
    if arguments.go is not None:
        # Its own root too: another one in the environment would be another go's library.
        environ["PATH"] = f"{arguments.go.resolve()}{os.pathsep}{environ['PATH']}"
        environ.pop("GOROOT", None)
    folder = GOLDENS / version_of(environ)
    folder.mkdir(parents=True, exist_ok=True)
    chosen = [cases.find(name) for name in arguments.names] or [
        scenario for scenario in cases.SCENARIOS if not (scenario.healthy or scenario.works)
    ]
    asyncio.run(keep_all(chosen, environ, folder, arguments.jobs))
    return 0


if __name__ == "__main__":
    sys.exit(main())
