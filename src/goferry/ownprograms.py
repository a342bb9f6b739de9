"""How a module of goferry is started as a process beside this one."""

import os
import sys
from typing import Final


def command(module: str, *args: str) -> list[str]:
    """The arguments that run it. It imports nothing from the folder that it happens to stand in (-P)."""
    return [sys.executable, "-P", "-m", module, *args]


_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": str(32 << 20), "MALLOC_TRIM_THRESHOLD_": str(16 << 20)}
"""What glibc is told (no other C library reads it): freed memory goes back to the kernel in large pieces only. Else
each 256 KB buffer for a part of a body may be mapped and zeroed anew, which is a quarter of a small request's cost."""


def environment() -> dict[str, str]:
    """This process's environment, from where the other one also imports what this one does."""
    return {
        **_MEMORY,
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
