"""Whether a program is at work: what it and its children read, and a limit that only ends those that wait."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from goferry.doctor.probes.programs import Following, run_program
from goferry.doctor.probes.work import PATIENCE, Stretch, size_of

SMALL = 32 * 1024
WORKS = f"""
import sys
source = open("/dev/zero", "rb", buffering=0) if sys.platform == "linux" else None
end = sys.argv[1]
while not __import__("os").path.exists(end):
    source.read({SMALL}); __import__("time").sleep(0.05)
"""


def test_a_limit_moves_with_each_sign_and_not_beyond_the_longest() -> None:
    stretch = Stretch(limit=1.0, longest=3.0, started=0.0)
    assert (stretch.until, stretch.active) == (1.0, 0.0)
    stretch.sign()
    assert stretch.active > 0
    assert stretch.until == min(3.0, stretch.active + PATIENCE)


def test_all_files_below_a_folder_count(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 10)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "c").write_bytes(b"x" * 5)
    assert size_of(tmp_path) == 15
    assert size_of(tmp_path / "nowhere") == 0


@pytest.mark.skipif(sys.platform != "linux", reason="what a process reads is counted here")
async def test_a_program_whose_child_reads_is_let_pass_its_limit(tmp_path: Path) -> None:
    end = tmp_path / "end"
    shell = f'"{sys.executable}" -c \'{WORKS}\' "{end}"; echo done'
    running = asyncio.create_task(
        run_program(
            ["/bin/sh", "-c", shell],
            environ=os.environ,
            cwd=tmp_path,
            limit=1.0,
            following=Following(60.0, tmp_path),
        )
    )
    # The limit has passed when this returns, and the program is still there.
    assert await asyncio.wait({running}, timeout=2.0) == (set(), {running})
    end.touch()
    ran = await running
    assert (ran.exit, ran.output) == (0, "done\n")
    assert ran.active > 0
