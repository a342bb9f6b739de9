"""Finding programs and files of a world."""

from pathlib import Path

from goferry import gocommand
from goferry.doctor.base import World


def find_program(world: World, name: str) -> str:
    """The path of a program as this world finds it; "" when there is none."""
    return gocommand.find_program(name, world.environ, world.which)


def below(root: Path, path: str) -> Path:
    """An absolute path of the system, below the root of this world."""
    return root / path.lstrip("/") if root != Path("/") else Path(path)
