"""How a module of goferry is started as a process beside this one."""

import os
import sys


def command(module: str, *args: str) -> list[str]:
    """The arguments that run it. It imports nothing from the folder that it happens to stand in (-P)."""
    return [sys.executable, "-P", "-m", module, *args]


def environment() -> dict[str, str]:
    """This process's environment, from where the other one also imports what this one does."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
