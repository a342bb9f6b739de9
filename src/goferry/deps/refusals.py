"""What go refuses in go.mod and go.work files that can be read well: lines and workspaces that contradict themselves.

Each check raises InvalidInput and names the file. Rules: cmd/go internal/modload/init.go loadModFile, makeMainModules.
"""

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from goferry.deps.base import Part
from goferry.errors import InvalidInput
from goferry.gomod import gover, module
from goferry.gomod.modgraph import GO_STRICT, Local, Main, Replacements
from goferry.gomod.module import Version
from goferry.i18n import N_
from goferry.places import StrPath

if TYPE_CHECKING:
    from goferry.gomod.workfile import WorkFile


def check_main(name: StrPath, part: Part) -> None:
    """A main module needs a path that can be imported, and must not say two things about one replacement."""
    if part.file.module is None:
        raise InvalidInput(
            "{file}: there is no module line",
            hint=N_("add one: go mod edit -module=example.com/mod"),
            file=name,
        )
    check_paths(name, part.path, *(tool.path for tool in part.file.tool))
    check_replacements(name, [(line.old, line.new) for line in part.file.replace])


def check_paths(name: StrPath, main: str, *tools: str) -> None:
    """The path of a main module, and those of tools."""
    if gover.is_toolchain(main):
        raise InvalidInput("{file}: the module path {path} is reserved", file=name, path=main)
    for path in (main, *tools):
        try:
            module.check_import_path(path)
        except InvalidInput as why:
            raise InvalidInput("{file}: {why}", file=name, why=why) from why


def check_replacements(name: StrPath, lines: Iterable[tuple[Version, Version]]) -> None:
    """Two lines of one file may repeat each other, but not differ."""
    seen: dict[Version, Version] = {}
    for old, new in lines:
        other = seen.setdefault(old, new)
        if other != new:
            raise InvalidInput(
                "{file}: conflicting replacements for {module}: {one} and {other}",
                file=name,
                module=old,
                one=other,
                other=new,
            )


def check_uses(name: StrPath, work: "WorkFile") -> None:
    """A folder is used once, and all replacements are of one mind."""
    seen: set[str] = set()
    folder = os.path.dirname(name)
    for use in work.use:
        place = os.path.normpath(os.path.join(folder, use.path))
        if place in seen:
            raise InvalidInput("{file}: {folder} is used twice", file=name, folder=use.path)
        seen.add(place)
    check_replacements(name, [(line.old, line.new) for line in work.replace])


def check_workspace(name: StrPath, work: "WorkFile", parts: Sequence[Part], mains: Sequence[Main]) -> None:
    """The modules of a workspace fit together and to its go.work."""
    paths = [part.path for part in parts]
    for path in paths:
        if paths.count(path) > 1:
            raise InvalidInput("{file}: the module {path} is there more than once", file=name, path=path)
    for line in work.replace:
        if line.old.path in paths and not line.old.version:
            raise InvalidInput(
                "{file}: the module {path} of the workspace is replaced at all versions",
                hint=N_("remove the replacement, or name the version that it replaces"),
                file=name,
                path=line.old.path,
            )
    _check_go_lines(name, work, parts, mains)
    overruled = {line.old.path for line in work.replace}
    _check_agreement(name, [main.replace for main in mains], overruled)


def _check_go_lines(name: StrPath, work: "WorkFile", parts: Iterable[Part], mains: Iterable[Main]) -> None:
    """From Go 1.21 on, a go.work must not be older than its modules."""
    own = work.go.version if work.go else gover.DEFAULT_GO_WORK_VERSION
    for part, main in zip(parts, mains, strict=True):
        wanted = main.requirements.go
        if gover.compare(wanted, own) > 0 and gover.compare(wanted, GO_STRICT) >= 0:
            raise InvalidInput(
                "{file}: the module in {folder} requires go >= {wanted}, but go.work lists go {own}",
                hint=N_("update it: go work use"),
                file=name,
                folder=part.folder,
                wanted=wanted,
                own=own,
            )


def _check_agreement(name: StrPath, replaced: Iterable[Replacements], overruled: set[str]) -> None:
    """What two modules replace they replace alike, unless go.work says by what."""
    seen: dict[Version, Version | Local] = {}
    for replace in replaced:
        for old, new in replace.items():
            if old.path in overruled:
                continue
            other = seen.setdefault(old, new)
            if _target(other) != _target(new):
                raise InvalidInput(
                    "{file}: conflicting replacements for {module} in the workspace: {one} and {other}",
                    hint=N_("overrule them: go work edit -replace"),
                    file=name,
                    module=old,
                    one=_target(other),
                    other=_target(new),
                )


def _target(new: Version | Local) -> str:
    """As go compares them: folders by their clean path."""
    return os.path.normpath(new.folder) if isinstance(new, Local) else str(new)
