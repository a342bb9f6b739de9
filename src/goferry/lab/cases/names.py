"""Names: resolvers that lie, refuse, are slow or dead, and hosts files that know better."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.internet import PROXY, RESOLVER
from goferry.lab.scenario import Mend, Network, Resolver, Scenario

SCENARIOS: Final = (
    Scenario(
        "dns-nxdomain",
        N_("The name server says that the module proxy does not exist."),
        "dns_negative_filter",
        network=Network(resolvers=(Resolver(RESOLVER, denies=(PROXY,)),)),
        mend=Mend(files={"/etc/resolv.conf": "nameserver 1.1.1.1\n"}),
    ),
)
