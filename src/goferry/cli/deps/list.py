"""`goferry deps list`: the build list, as `go list -m all` has it."""

import asyncio
from pathlib import Path
from typing import Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import complete_settings, opened, supply_flags
from goferry.cli.progress import showing
from goferry.deps.base import BuildList, Module
from goferry.deps.buildlist import build_list
from goferry.deps.sources import load
from goferry.gomod.modgraph import Local
from goferry.i18n import N_, _

SUMMARY = N_("List the modules that are really built, as `go list -m all` does.")
EXIT_UNPROVEN = 3


@click.command(cls=Command, short_help=SUMMARY, help=SUMMARY)
@click.argument("folder", metavar="[DIR]", default=".")
@json_option
@supply_flags
@pass_console
def command(console: Console, /, folder: str, as_json: bool, **given: Any) -> int:
    ready = complete_settings(console, given, as_json=as_json)
    project = load(Path(console.cwd, folder))

    async def run() -> BuildList:
        with showing(console, _("reading go.mod files"), quiet=as_json) as bar:
            async with opened(console, ready) as supply:
                return await build_list(project, supply, step=bar.update)

    found = asyncio.run(run())
    if as_json:
        console.json({"modules": [to_json(module) for module in found.modules]})
    else:
        for module in found.modules:
            console.out(as_go_prints(module))
    for version, why in found.unread.items():
        console.warn(f"{version}: {why}")
    return EXIT_UNPROVEN if found.unread else 0


def to_json(module: Module) -> dict[str, Any]:
    """One module in the stable form of docs/en/json.md."""
    replace = module.replace
    target = None
    if isinstance(replace, Local):
        target = {"path": replace.folder, "version": ""}
    elif replace is not None:
        target = {"path": replace.path, "version": replace.version}
    return {
        "path": module.path,
        "version": module.version,
        "main": module.main,
        "indirect": module.indirect,
        "replace": target,
    }


def as_go_prints(module: Module) -> str:
    """The line of `go list -m all`."""
    words = [module.path, module.version] if module.version else [module.path]
    if isinstance(module.replace, Local):
        words += ["=>", module.replace.folder]
    elif module.replace is not None:
        words += ["=>", module.replace.path, module.replace.version]
    return " ".join(words)
