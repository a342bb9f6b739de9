"""The path: packets that are dropped, reset, or too large."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.internet import MIRROR, PROXY, public
from goferry.lab.scenario import Fate, Mend, Network, PathRule, Scenario

_OTHER_MIRROR: Final = Mend(environ={"GOPROXY": f"https://{MIRROR}"})

SCENARIOS: Final = (
    Scenario(
        "sni-reset",
        N_("A device on the way resets every connection that names the module proxy."),
        "sni_filtered",
        network=Network(rules=(PathRule(Fate.RESET, ports=(443,), holds=(PROXY,)),)),
        mend=_OTHER_MIRROR,
    ),
    Scenario(
        "large-clienthello",
        N_("A device on the way drops the large first message of TLS."),
        "tls_large_clienthello",
        network=Network(rules=(PathRule(Fate.DROP, ports=(443,), hello_larger_than=600),)),
        mend=Mend(environ={"GODEBUG": "tlsmlkem=0"}),
    ),
    Scenario(
        "mtu-blackhole",
        N_("Full-size packets from outside vanish, and nobody says so."),
        "mtu_blackhole",
        network=Network(rules=(PathRule(Fate.DROP, to=public(10), larger_than=1280, towards_client=True),)),
        mend=_OTHER_MIRROR,
    ),
)
