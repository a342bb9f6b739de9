"""An audit as a CycloneDX 1.6 SBOM with its VEX: what each project is made of, and what is known about it.

Hashes are SHA-256 of the module's zip, or of each vendored file: CycloneDX does not know `h1:`. What is set aside is
there with its analysis, as its author wrote it.
"""

import json
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from goferry import __version__
from goferry.deps.audit.forms import Page, words
from goferry.deps.audit.inventory import Component, Inventory
from goferry.deps.audit.licences import Licence
from goferry.deps.audit.records import Audit, AuditFinding, Ignored
from goferry.deps.base import Module
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version

_SCHEMA: Final = "http://cyclonedx.org/schema/bom-1.6.schema.json"
_NAMESPACE: Final = uuid.UUID("3f0c6b9e-6a55-5a0c-9a53-8d8d0c3f5d61")
"""Of serial numbers: the same audit has the same one."""


def render(page: Page) -> str:
    """One BOM for all projects. References are unique: those of dependencies start with their project."""
    audit = page.audit
    bom = {
        "$schema": _SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{_serial(audit)}",
        "version": 1,
        "metadata": _metadata(page),
        "components": list(_all_components(page)),
        "dependencies": [entry for one in page.inventories for entry in _dependencies(one)],
        "vulnerabilities": list(_vulnerabilities(page)),
    }
    return json.dumps(bom, ensure_ascii=False, indent=2) + "\n"


def _serial(audit: Audit) -> uuid.UUID:
    names = "|".join(f"{project.name} {project.root}" for project in audit.projects)
    return uuid.uuid5(_NAMESPACE, f"{audit.generated.isoformat()}|{names}")


def _metadata(page: Page) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "timestamp": page.audit.generated.isoformat(timespec="seconds"),
        "tools": {"components": [{"type": "application", "name": "goferry", "version": __version__}]},
    }
    if len(page.inventories) == 1:
        metadata["component"] = _project(page.inventories[0])
    metadata["properties"] = [
        {"name": "goferry:advisories", "value": page.audit.database.modified},
        *(
            {"name": "goferry:unproven", "value": f"{finding.project}: {finding.message}"}
            for finding in page.audit.unproven
        ),
    ]
    return metadata


def _all_components(page: Page) -> Iterator[dict[str, Any]]:
    for inventory in page.inventories:
        if len(page.inventories) > 1:
            yield _project(inventory)
        yield from _components(inventory)


def _ref(inventory: Inventory, version: Version) -> str:
    return f"{inventory.project.name}|{version}"


def _root(inventory: Inventory) -> str:
    return f"project|{inventory.project.name}"


def _project(inventory: Inventory) -> dict[str, Any]:
    """The project itself: one main module, or a workspace of several."""
    return {"type": "application", "bom-ref": _root(inventory), "name": inventory.project.name}


def _components(inventory: Inventory) -> Iterator[dict[str, Any]]:
    for main in inventory.mains:
        yield {
            "type": "application",
            "bom-ref": _ref(inventory, main.module),
            "name": main.path,
            "purl": purl(main.module),
        }
    for component in inventory.components:
        yield _component(inventory, component)


def _component(inventory: Inventory, one: Component) -> dict[str, Any]:
    module = one.module
    built = module.source or module.module
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": _ref(inventory, module.module),
        "name": built.path,
        "version": built.version,
        "scope": "required",
    }
    if not isinstance(module.replace, Local):
        found["purl"] = purl(built)
    if one.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": one.sha256}]
    if licences := _licences(one.licence):
        found["licenses"] = licences
    if properties := list(_properties(module)):
        found["properties"] = properties
    if one.files:
        found["components"] = [
            {
                "type": "file",
                "bom-ref": f"{_ref(inventory, module.module)}|{file.name}",
                "name": file.name,
                "hashes": [{"alg": "SHA-256", "content": file.sha256}],
            }
            for file in one.files
        ]
    return found


def _properties(module: Module) -> Iterator[dict[str, str]]:
    if module.replace is not None:
        target = module.replace.folder if isinstance(module.replace, Local) else str(module.replace)
        yield {"name": "goferry:replaces", "value": str(module.module)}
        yield {"name": "goferry:replacement", "value": target}
    if module.indirect:
        yield {"name": "goferry:indirect", "value": "true"}


def _licences(licence: Licence | None) -> list[dict[str, Any]]:
    """Every text that was found, as an SPDX id; one that could not be told by the name of its file."""
    if licence is None:
        return []
    ids: list[dict[str, Any]] = [{"license": {"id": name}} for name in licence.ids]
    return ids + [{"license": {"name": f"unknown: {file}"}} for file in licence.unclear]


def purl(version: Version) -> str:
    """The package URL. Its rules for Go ask for lower case; the name beside it keeps the path as it is."""
    path = "/".join(quote(part, safe="~") for part in version.path.lower().split("/"))
    return f"pkg:golang/{path}" + (f"@{quote(version.version, safe='~')}" if version.version else "")


def _dependencies(inventory: Inventory) -> Iterator[dict[str, Any]]:
    yield {
        "ref": _root(inventory),
        "dependsOn": [_ref(inventory, main.module) for main in inventory.mains],
    }
    for version, required in inventory.requires.items():
        yield {
            "ref": _ref(inventory, version),
            "dependsOn": [_ref(inventory, target) for target in required],
        }


# ---- VEX


def _vulnerabilities(page: Page) -> Iterator[dict[str, Any]]:
    """One entry per advisory and analysis: it affects the components of all projects that say the same of it."""
    by_name = {inventory.project.name: inventory for inventory in page.inventories}
    grouped: dict[tuple[str, str, str, str], list[tuple[AuditFinding, Ignored | None]]] = {}
    for finding, ignored in _advisories(page.audit):
        reason = (ignored.state, ignored.justification, ignored.reason) if ignored else ("", "", "")
        grouped.setdefault((finding.id, *reason), []).append((finding, ignored))
    for at, found in enumerate(grouped.values()):
        yield _vulnerability(at, found, by_name)


def _advisories(audit: Audit) -> Iterator[tuple[AuditFinding, Ignored | None]]:
    for finding in audit.findings:
        if finding.fixed is not None:
            yield finding, None
    for one in audit.ignored:
        if one.finding.fixed is not None:
            yield one.finding, one


def _vulnerability(
    at: int, found: list[tuple[AuditFinding, Ignored | None]], by_name: Mapping[str, Inventory]
) -> dict[str, Any]:
    finding, ignored = found[0]
    url = str(finding.details.get("url") or "")
    source = {"name": finding.id.partition("-")[0]} | ({"url": url} if url else {})
    entry: dict[str, Any] = {
        "bom-ref": f"vulnerability|{at}|{finding.id}",
        "id": finding.id,
        "source": source,
        "description": str(finding.message),
        "recommendation": words.fixed(finding.fixed),
        "affects": _affects((one for one, _ignored in found), by_name),
        "properties": list(_looked(finding)),
    }
    if finding.aliases:
        entry["references"] = [
            {"id": alias, "source": {"name": alias.partition("-")[0]}} for alias in finding.aliases
        ]
    if ignored is not None:
        entry["analysis"] = _analysis(ignored)
    return entry


def _looked(finding: AuditFinding) -> Iterator[dict[str, str]]:
    yield {"name": "goferry:level", "value": finding.level.value}
    if finding.details.get("used") is not None:
        yield {"name": "goferry:used", "value": str(finding.details["used"]).lower()}
    if said := finding.details.get("govulncheck"):
        yield {"name": "goferry:govulncheck", "value": str(said["seen"])}
    if finding.review:
        yield {"name": "goferry:review", "value": finding.review}


def _affects(findings: Iterable[AuditFinding], by_name: Mapping[str, Inventory]) -> list[dict[str, Any]]:
    """The components; for Go itself, and where there is no inventory, what has the flaw by its name."""
    affected = {}
    for finding in findings:
        inventory = by_name.get(finding.project)
        version = Version(finding.module, finding.version)
        known = inventory is not None and version in inventory.requires
        if inventory is not None:
            ref = _ref(inventory, version) if known else _root(inventory)
        else:
            ref = f"{finding.project}|{version}"
        affected[ref] = {
            "ref": ref,
            "versions": [{"version": finding.version, "status": "affected"}],
        }
    return list(affected.values())


def _analysis(one: Ignored) -> dict[str, Any]:
    analysis: dict[str, Any] = {}
    if one.state:
        analysis["state"] = one.state
    if one.justification:
        analysis["justification"] = one.justification
    until = f" (until {one.expires})" if one.expires else ""
    analysis["detail"] = f"{one.reason}{until}"
    return analysis
