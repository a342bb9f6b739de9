"""The checksum database: out of reach, mirrored badly, or at odds with what is served."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import at_proxy, at_sumdb, path
from goferry.lab.internet import SUMDB, public
from goferry.lab.modules import HELLO, RETAGGED
from goferry.lab.scenario import (
    Client,
    Fate,
    Mend,
    Mirrored,
    Modules,
    Needs,
    Nobody,
    PathRule,
    Scenario,
)

_WITHOUT: Final = Mend(environ={"GONOSUMDB": HELLO})
_OLD_SUM: Final = (
    f"{HELLO} v1.2.0 h1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n"
    f"{HELLO} v1.2.0/go.mod h1:nV44WxxL1b4Jl4D1DikaWulIdCViaSwRV3IPvbVSPHY=\n"
)


def _mirrored(name: str, summary: str, mirrored: Mirrored) -> Scenario:
    return Scenario(
        name,
        summary,
        "goproxy_sumdb_mirror_broken",
        sites=at_proxy(Modules(sumdb=mirrored)),
        mend=_WITHOUT,
    )


SCENARIOS: Final = (
    Scenario(
        "sumdb-blackhole",
        N_("Packets to the checksum database vanish."),
        "sumdb_unreachable",
        network=path(PathRule(Fate.DROP, to=public(12))),
        mend=_WITHOUT,
    ),
    Scenario(
        "sumdb-refused",
        N_("The checksum database refuses connections."),
        "sumdb_unreachable",
        sites=at_sumdb(Nobody()),
        mend=_WITHOUT,
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "sumdb-sni-reset",
        N_("A device on the way resets every connection that names the checksum database."),
        "sumdb_unreachable",
        network=path(PathRule(Fate.RESET, ports=(443,), holds=(SUMDB,))),
        mend=_WITHOUT,
    ),
    _mirrored(
        "sumdb-mirror-502",
        N_("The module proxy says that it answers for the checksum database, and then fails."),
        Mirrored.BROKEN,
    ),
    _mirrored(
        "sumdb-mirror-403",
        N_("The module proxy answers 403 when asked for the checksum database."),
        Mirrored.FORBIDDEN,
    ),
    _mirrored(
        "sumdb-mirror-html",
        N_("The module proxy answers for the checksum database with a web page."),
        Mirrored.HTML,
    ),
    Scenario(
        "retagged",
        N_("The tag was moved: the proxy serves other bytes than the checksum database saw."),
        "checksum_mismatch_retagged",
        client=Client(go_mod=f"module example.com/lab/work\n\ngo 1.21\n\nrequire {RETAGGED} v1.0.0\n"),
        needs=Needs.LOOPBACK,
        wants=N_("The module's author has to publish a new version: one version has one content."),
    ),
    Scenario(
        "go-sum-differs",
        N_("go.sum remembers another content of this version."),
        "checksum_mismatch_retagged",
        client=Client(files={"{work}/go.sum": _OLD_SUM}),
        mend=Mend(files={"{work}/go.sum": ""}),
        needs=Needs.LOOPBACK,
    ),
)
