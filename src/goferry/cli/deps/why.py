"""`goferry deps why`: which requirements bring a module in."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, over_all, supply_flags
from goferry.deps.chains import Chains
from goferry.deps.finding import is_pattern
from goferry.gomod.module import Version
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.deps.base import BuildList

SUMMARY = N_("Say which requirements bring a module in.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Say which requirements bring a module in: the shortest chain from a main module to the version that is built. "
        "This is about modules: whether a package of it is imported is not looked at, unlike `go mod why -m`. With "
        "--dir DIR/... every project below is asked, and those that have it are named."
    ),
)
@click.argument("modules", metavar="MODULE...", nargs=-1, required=True)
@option("--dir", "folder", metavar="DIR", default=".", help=N_("The project. Default: the working folder."))
@json_option
@supply_flags
@pass_console
def command(console: Console, /, modules: tuple[str, ...], folder: str, as_json: bool, **given: Any) -> int:
    if is_pattern(folder):
        return _many(console, modules, folder, given, as_json=as_json)
    found = listed(console, folder, given, as_json=as_json)
    answers = _answers(found, modules)
    if as_json:
        console.json({"modules": [_to_json(path, chain) for path, chain in answers.items()]})
    else:
        console.out("\n\n".join(_as_text(path, chain) for path, chain in answers.items()))
    return named_unread(console, found)


def _many(
    console: Console, modules: tuple[str, ...], pattern: str, given: Mapping[str, Any], *, as_json: bool
) -> int:
    """The projects that have one of the modules, each under its file."""
    projects: list[dict[str, Any]] = []

    def one(file: Path) -> int:
        found = listed(console, str(file), given, as_json=as_json)
        answers = {path: chain for path, chain in _answers(found, modules).items() if chain}
        if answers and not as_json:
            console.out(f"## {file}")
            console.out("\n\n".join(_as_text(path, chain) for path, chain in answers.items()) + "\n")
        elif answers:
            listed_there = [_to_json(path, chain) for path, chain in answers.items()]
            projects.append({"name": found.project.name, "root": str(file.parent), "modules": listed_there})
        return named_unread(console, found)

    worst = over_all(console, pattern, one)
    if as_json:
        console.json({"projects": projects})
    return worst


def _answers(found: "BuildList", modules: Iterable[str]) -> dict[str, tuple[Version, ...]]:
    chains = Chains(found.graph)
    return {path: chains.to(path) for path in modules}


def _to_json(path: str, chain: tuple[Version, ...]) -> dict[str, Any]:
    return {"path": path, "chain": [{"path": step.path, "version": step.version} for step in chain]}


def _as_text(path: str, chain: tuple[Version, ...]) -> str:
    """Like `go mod why -m`, with modules in place of packages."""
    steps = [f"{step.path} {step.version}".rstrip() for step in chain]
    return "\n".join([f"# {path}", *(steps or [_("(not in the build list)")])])
