"""`goferry deps why`: which requirements bring a module in."""

from typing import Any

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, supply_flags
from goferry.deps.chains import Chains
from goferry.gomod.module import Version
from goferry.i18n import N_, _

SUMMARY = N_("Say which requirements bring a module in.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Say which requirements bring a module in: the shortest chain from a main module to the version that is built. "
        "This is about modules: whether a package of it is imported is not looked at, unlike `go mod why -m`."
    ),
)
@click.argument("modules", metavar="MODULE...", nargs=-1, required=True)
@option("--dir", "folder", metavar="DIR", default=".", help=N_("The project. Default: the working folder."))
@json_option
@supply_flags
@pass_console
def command(console: Console, /, modules: tuple[str, ...], folder: str, as_json: bool, **given: Any) -> int:
    found = listed(console, folder, given, as_json=as_json)
    chains = Chains(found.graph)
    answers = {path: chains.to(path) for path in modules}
    if as_json:
        console.json({"modules": [_to_json(path, chain) for path, chain in answers.items()]})
    else:
        console.out("\n\n".join(_as_text(path, chain) for path, chain in answers.items()))
    return named_unread(console, found)


def _to_json(path: str, chain: tuple[Version, ...]) -> dict[str, Any]:
    return {"path": path, "chain": [{"path": step.path, "version": step.version} for step in chain]}


def _as_text(path: str, chain: tuple[Version, ...]) -> str:
    """Like `go mod why -m`, with modules in place of packages."""
    steps = [f"{step.path} {step.version}".rstrip() for step in chain]
    return "\n".join([f"# {path}", *(steps or [_("(not in the build list)")])])
