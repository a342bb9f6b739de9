"""`goferry deps list`: the build list, as `go list -m all` has it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.deps.opening import listed, named_unread, over_all, own_settings, supply_flags
from goferry.deps.finding import is_pattern, is_project, start_of
from goferry.deps.remembered import recall, remember
from goferry.i18n import N_
from goferry.storage.folders import folder_of

if TYPE_CHECKING:
    from goferry.deps.base import Module

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
    if is_pattern(folder):
        return _many(console, folder, given, as_json=as_json)
    named = Path(console.cwd, folder)
    if not is_project(named):
        from goferry.deps.inventory import modules_in

        return _show(console, _shown(modules_in(named)), as_json=as_json)
    start = start_of(named, console.environ.get("GOWORK", ""))
    shown, status = _project(console, start, given, as_json=as_json)
    _show(console, shown, as_json=as_json)
    return status


def _project(
    console: Console, start: Path, given: Mapping[str, Any], *, as_json: bool
) -> tuple[dict[str, Any], int]:
    """What is shown of a project, and the exit status. While its files stay the same, its store knows the answer."""
    store = folder_of(own_settings(console, given, as_json=as_json).settings.store)
    known = recall(store, start, "list")
    if isinstance(known, dict):
        return known, 0
    found = listed(console, str(start), given, as_json=as_json)
    shown = _shown(found.modules) | {"name": found.project.name}
    if not found.unread:
        remember(store, start, "list", map(str, found.project.files()), shown)
    return shown, named_unread(console, found)


def _shown(modules: Iterable["Module"]) -> dict[str, Any]:
    """Both forms of a list, which are also what is remembered of it."""
    modules = tuple(modules)
    return {"lines": list(map(as_go_prints, modules)), "modules": list(map(to_json, modules))}


def _show(console: Console, shown: Mapping[str, Any], *, as_json: bool) -> int:
    if as_json:
        console.json({"modules": shown["modules"]})
    else:
        console.stdout.writelines(f"{line}\n" for line in shown["lines"])
    return 0


def _many(console: Console, pattern: str, given: Mapping[str, Any], *, as_json: bool) -> int:
    """Each project under its file. One that cannot be read does not keep the others from being listed."""
    projects: list[dict[str, Any]] = []

    def one(file: Path) -> int:
        shown, status = _project(console, file, given, as_json=as_json)
        projects.append({"name": shown["name"], "root": str(file.parent), "modules": shown["modules"]})
        if not as_json:
            console.out(f"# {file}")
            _show(console, shown, as_json=False)
        return status

    worst = over_all(console, pattern, one)
    if as_json:
        console.json({"projects": projects})
    return worst


def to_json(module: "Module") -> dict[str, Any]:
    """One module in the stable form of docs/en/json.md."""
    from goferry.gomod.modgraph import Local

    replace = module.replace
    target = None
    if isinstance(replace, Local):
        target = {"path": replace.written or replace.folder, "version": ""}
    elif replace is not None:
        target = {"path": replace.path, "version": replace.version}
    return {
        "path": module.path,
        "version": module.version,
        "main": module.main,
        "indirect": module.indirect,
        "replace": target,
    }


def as_go_prints(module: "Module") -> str:
    """The line of `go list -m all`."""
    from goferry.gomod.modgraph import Local

    words = [module.path, module.version] if module.version else [module.path]
    if isinstance(module.replace, Local):
        words += ["=>", module.replace.written or module.replace.folder]
    elif module.replace is not None:
        words += ["=>", module.replace.path, module.replace.version]
    return " ".join(words)
