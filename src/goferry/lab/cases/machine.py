"""The client's own machine: its module cache and its toolchain."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.internet import GO_MOD
from goferry.lab.modules import HELLO
from goferry.lab.scenario import Cache, Client, Mend, Needs, Scenario

_OTHER_CACHE: Final = Mend(environ={"GOMODCACHE": "{home}/other-cache"})
_NEWER: Final = f"module example.com/lab/work\n\ngo 1.999\n\nrequire {HELLO} v1.2.0\n"
_OLDER: Final = Mend(files={"{work}/go.mod": GO_MOD})


def _cache(name: str, summary: str, state: Cache, needs: Needs = Needs.NAMESPACE) -> Scenario:
    return Scenario(
        name,
        summary,
        "local_disk_or_permission",
        client=Client(cache=state),
        mend=_OTHER_CACHE,
        needs=needs,
    )


SCENARIOS: Final = (
    _cache("cache-read-only", N_("The module cache cannot be written."), Cache.READ_ONLY),
    _cache("cache-full", N_("The disk of the module cache is full."), Cache.FULL),
    _cache(
        "cache-not-a-folder",
        N_("Where the module cache should be, there is a file."),
        Cache.NOT_A_FOLDER,
        Needs.LOOPBACK,
    ),
    Scenario(
        "cache-inner-file",
        N_("The module cache can be written, and a file stands where its own cache folder should be."),
        "local_disk_or_permission",
        client=Client(files={"{home}/go/pkg/mod/cache": "not a folder\n"}),
        mend=_OTHER_CACHE,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "cache-relative",
        N_("GOMODCACHE is a relative path, which go refuses."),
        "local_disk_or_permission",
        client=Client(environ={"GOMODCACHE": "cache"}),
        mend=Mend(environ={"GOMODCACHE": ""}),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "gopath-tilde",
        N_("GOPATH begins with a tilde, which only a shell reads as the home folder."),
        "local_disk_or_permission",
        client=Client(environ={"GOPATH": "~/go"}),
        mend=Mend(environ={"GOPATH": ""}),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "toolchain-local",
        N_("go.mod wants a newer Go, and GOTOOLCHAIN=local forbids fetching it."),
        "toolchain_not_available",
        client=Client(environ={"GOTOOLCHAIN": "local"}, go_mod=_NEWER),
        mend=_OLDER,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "toolchain-not-found",
        N_("go.mod wants a newer Go, which the module proxy does not have."),
        "toolchain_not_available",
        client=Client(environ={"GOTOOLCHAIN": "auto"}, go_mod=_NEWER),
        mend=_OLDER,
        needs=Needs.LOOPBACK,
    ),
)
