"""`goferry deps list`: the build list, as `go list -m all` has it."""

from typing import Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, supply_flags
from goferry.deps.base import Module
from goferry.gomod.modgraph import Local
from goferry.i18n import N_

SUMMARY = N_("List the modules that are really built, as `go list -m all` does.")


@click.command(cls=Command, short_help=SUMMARY, help=SUMMARY)
@click.argument("folder", metavar="[DIR]", default=".")
@json_option
@supply_flags
@pass_console
def command(console: Console, /, folder: str, as_json: bool, **given: Any) -> int:
    found = listed(console, folder, given, as_json=as_json)
    if as_json:
        console.json({"modules": [to_json(module) for module in found.modules]})
    else:
        console.stdout.writelines(f"{as_go_prints(module)}\n" for module in found.modules)
    return named_unread(console, found)


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
        words += ["=>", module.replace.written or module.replace.folder]
    elif module.replace is not None:
        words += ["=>", module.replace.path, module.replace.version]
    return " ".join(words)
