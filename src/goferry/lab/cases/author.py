"""Faults of the module's author or of whoever wrote the path; the network is well."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import CODE, DIRECT, at, at_proxy, at_vanity
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import GO_MOD, PROXY
from goferry.lab.modules import BARE, HELLO, MOVED, ODD_ZIP
from goferry.lab.scenario import Client, ImportPages, Mend, Modules, Needs, Repositories, Scenario, When

_GONE: Final = (
    "not found: {path}: git ls-remote -q origin in a temporary folder: exit status 128:\n"
    f"\tfatal: could not read Username for 'https://{CODE}': terminal prompts disabled\n"
    "Confirm the import path was entered correctly.\n"
)


def _requiring(path: str, version: str) -> str:
    return f"module example.com/lab/work\n\ngo 1.21\n\nrequire {path} {version}\n"


_WELL_AGAIN: Final = Mend(files={"{work}/go.mod": GO_MOD})


def _required(
    name: str, summary: str, expected: str, module: str, version: str, wants: str = "", **environ: str
) -> Scenario:
    return Scenario(
        name,
        summary,
        expected,
        client=Client(environ=environ, go_mod=_requiring(module, version)),
        mend=_WELL_AGAIN,
        needs=Needs.NAMESPACE if environ else Needs.LOOPBACK,
        wants=wants,
    )


_ALSO_DIRECT: Final = f"https://{PROXY},direct"

SCENARIOS: Final = (
    _required(
        "module-path-mismatch",
        N_("The module was renamed: its go.mod declares another path."),
        "module_path_mismatch",
        MOVED,
        "v1.0.0",
    ),
    _required(
        "module-path-wrong",
        N_("The path in go.mod is misspelt."),
        "module_path_wrong",
        "example.com/lab/helo",
        "v1.2.0",
        GOPROXY=_ALSO_DIRECT,
    ),
    _required(
        "module-zip-invalid",
        N_("The zip has a file outside the module."),
        "module_zip_invalid",
        ODD_ZIP,
        "v1.0.0",
        N_("The module's author has to publish a version whose files are allowed."),
    ),
    _required(
        "unknown-revision",
        N_("The version was never tagged."),
        "unknown_revision",
        HELLO,
        "v1.9.9",
        GOPROXY=_ALSO_DIRECT,
    ),
    Scenario(
        "tag-without-v",
        N_("The version's tag lacks the v that go looks for."),
        "unknown_revision",
        sites=at_vanity(ImportPages({BARE: f"https://{CODE}/lab/bare"})),
        client=Client(environ=DIRECT, go_mod=_requiring(BARE, "v1.3.0")),
        wants=N_("The module's author has to add the tag with its v."),
    ),
    Scenario(
        "repository-gone",
        N_("The owner deleted the repository; the code host asks for a login then."),
        "repo_private_or_deleted_upstream",
        sites=(
            *at_proxy(Modules((When(f"{HELLO}/*", Fault(Trouble.STATUS, 404, _GONE)),))),
            *at(CODE, 20, Repositories(gone=("lab/hello",))),
        ),
        client=Client(environ={"GOPROXY": _ALSO_DIRECT}),
        wants=N_(
            "The repository's owner has to say where it went, or somebody who kept a copy has to publish it."
        ),
    ),
)
