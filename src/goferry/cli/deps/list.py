"""`goferry deps list`: the build list, as `go list -m all` has it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, supply_flags
from goferry.deps.base import Module
from goferry.deps.inventory import modules_in
from goferry.deps.tree import named as below
from goferry.errors import InvalidInput
from goferry.gomod.modgraph import Local
from goferry.i18n import N_

SUMMARY = N_("List the modules that are really built, as `go list -m all` does.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "List the modules that are really built, as `go list -m all` does. DIR may also be a go.mod or go.work file; "
        "DIR/... stands for every project below. Of a go.sum, a vendor/modules.txt or a built program the modules are "
        "listed that it names; nothing is fetched for that."
    ),
)
@click.argument("folder", metavar="[DIR]", default=".")
@json_option
@supply_flags
@pass_console
def command(console: Console, /, folder: str, as_json: bool, **given: Any) -> int:
    files = below(folder, console.cwd)
    if files is not None:
        return _many(console, files, given, as_json=as_json)
    modules = modules_in(Path(console.cwd, folder))
    if modules is not None:
        _show(console, modules, as_json=as_json)
        return 0
    found = listed(console, folder, given, as_json=as_json)
    _show(console, found.modules, as_json=as_json)
    return named_unread(console, found)


def _show(console: Console, modules: Iterable[Module], *, as_json: bool) -> None:
    if as_json:
        console.json({"modules": [to_json(module) for module in modules]})
    else:
        console.stdout.writelines(f"{as_go_prints(module)}\n" for module in modules)


def _many(console: Console, files: Iterable[Path], given: Mapping[str, Any], *, as_json: bool) -> int:
    """Each project under its folder. One that cannot be read does not keep the others from being listed."""
    worst, projects = 0, []
    for file in files:
        try:
            found = listed(console, str(file), given, as_json=as_json)
        except InvalidInput as error:
            console.warn(str(error))
            worst = max(worst, error.exit_code)
            continue
        worst = max(worst, named_unread(console, found))
        if as_json:
            modules = [to_json(module) for module in found.modules]
            projects.append({"name": found.project.name, "root": str(file.parent), "modules": modules})
        else:
            console.out(f"# {file}")
            _show(console, found.modules, as_json=False)
    if as_json:
        console.json({"projects": projects})
    return worst


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
