"""A saved audit: what `--json` prints and `--from` reads, with what the projects are made of where that was asked for.

The audit itself is `records`; `inventories` stand beside it, so who reads findings only need not know of them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from goferry.deps.audit import records
from goferry.deps.audit.inventory import Component, FileHash, Inventory
from goferry.deps.audit.licences import Licence
from goferry.deps.audit.records import Audit, AuditedProject
from goferry.deps.base import Module
from goferry.errors import InvalidInput
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version


@dataclass(frozen=True, slots=True)
class Saved:
    """What a file holds."""

    audit: Audit
    inventories: tuple[Inventory, ...] = ()


class _Replace(msgspec.Struct, omit_defaults=True):
    path: str = ""
    version: str = ""
    folder: str = ""


class _Main(msgspec.Struct):
    path: str
    requires: tuple[str, ...] = ()
    """Paths of the modules that it requires."""


class _Component(msgspec.Struct):
    path: str
    version: str
    indirect: bool = False
    replace: _Replace | None = None
    sha256: str = ""
    files: tuple[FileHash, ...] = ()
    licence: Licence | None = None
    requires: tuple[str, ...] = ()


class _Inventory(msgspec.Struct):
    project: str
    mains: tuple[_Main, ...] = ()
    components: tuple[_Component, ...] = ()


class _Form(msgspec.Struct):
    inventories: tuple[_Inventory, ...] = ()


def dumps(audit: Audit, inventories: Iterable[Inventory] = ()) -> str:
    """Indented JSON with a final newline; without inventories no word of them."""
    made = msgspec.to_builtins([_form(one) for one in inventories])
    if not made:
        return records.dumps(audit)
    return json.dumps(records.to_json(audit) | {"inventories": made}, ensure_ascii=False, indent=2) + "\n"


def loads(data: bytes | str, *, place: str) -> Saved:
    """The inverse. InvalidInput when it is no audit of this schema; `place` names where it came from."""
    audit = records.from_json(data, place=place)
    try:
        forms = msgspec.json.decode(data, type=_Form).inventories
        projects = {project.name: project for project in audit.projects}
        return Saved(audit, tuple(_inventory(one, projects[one.project]) for one in forms))
    except (msgspec.MsgspecError, KeyError) as error:
        raise InvalidInput("{place} is no saved audit: {why}", place=place, why=error) from error


def _form(one: Inventory) -> _Inventory:
    def requires(version: Version) -> tuple[str, ...]:
        return tuple(target.path for target in one.requires.get(version, ()))

    return _Inventory(
        one.project.name,
        tuple(_Main(main.path, requires(main.module)) for main in one.mains),
        tuple(
            _Component(
                component.module.path,
                component.module.version,
                component.module.indirect,
                _replace_form(component.module.replace),
                component.sha256,
                component.files,
                component.licence,
                requires(component.module.module),
            )
            for component in one.components
        ),
    )


def _replace_form(target: Version | Local | None) -> _Replace | None:
    if target is None:
        return None
    if isinstance(target, Local):
        return _Replace(folder=target.folder)
    return _Replace(target.path, target.version)


def _inventory(form: _Inventory, project: AuditedProject) -> Inventory:
    mains = tuple(Module(main.path, "", main=True) for main in form.mains)
    components = tuple(
        Component(
            Module(one.path, one.version, indirect=one.indirect, replace=_replace(one.replace)),
            one.sha256,
            one.files,
            one.licence,
        )
        for one in form.components
    )
    return Inventory(project, mains, components, _requires(form))


def _replace(form: _Replace | None) -> Version | Local | None:
    if form is None:
        return None
    return Version(form.path, form.version) if form.path else Local(form.folder)


def _requires(form: _Inventory) -> Mapping[Version, tuple[Version, ...]]:
    named: dict[Version, tuple[str, ...]] = {Version(main.path): main.requires for main in form.mains}
    named |= {Version(one.path, one.version): one.requires for one in form.components}
    selected = {version.path: version for version in named}
    return {
        version: tuple(selected[path] for path in paths if path in selected)
        for version, paths in named.items()
    }
