"""The module proxy's side: refusals, outages and half answers."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import MIRROR, PROXY, public
from goferry.lab.scenario import Mend, Modules, Needs, Scenario, Site, When

_OTHER_MIRROR: Final = Mend(environ={"GOPROXY": f"https://{MIRROR}"})

SCENARIOS: Final = (
    Scenario("well", N_("Nothing is wrong."), needs=Needs.LOOPBACK),
    Scenario(
        "goproxy-502",
        N_("The module proxy answers everything with 502."),
        "goproxy_server_5xx",
        sites=(Site((PROXY,), Modules((When("*", Fault(Trouble.STATUS, 502)),)), public(10)),),
        mend=_OTHER_MIRROR,
        needs=Needs.LOOPBACK,
    ),
)
