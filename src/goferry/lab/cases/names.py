"""Names: resolvers that lie, refuse, are slow or dead, and hosts files that know better."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import OTHER_RESOLVER, SECOND, path, resolver
from goferry.lab.dns import Behaviour
from goferry.lab.internet import PROXY, RESOLVER, SECOND_RESOLVER, public
from goferry.lab.scenario import Fate, Mend, Network, PathRule, Resolver, Scenario

_SINKHOLE: Final = ("93.46.8.89",)
_OTHER_SERVER: Final = public(80)
_PLAIN_HOSTS: Final = Mend(files={"/etc/hosts": "127.0.0.1 localhost\n"})


def _denied(name: str, summary: str, denial: Behaviour) -> Scenario:
    return Scenario(
        name,
        summary,
        "dns_negative_filter",
        network=resolver(Resolver(RESOLVER, denies=(PROXY,), denial=denial)),
        mend=OTHER_RESOLVER,
    )


def _hosts(name: str, summary: str, address: str) -> Scenario:
    return Scenario(
        name,
        summary,
        "hosts_file_override",
        network=Network(hosts=f"{address} {PROXY}\n"),
        mend=_PLAIN_HOSTS,
    )


SCENARIOS: Final = (
    _denied(
        "dns-nxdomain", N_("The name server says that the module proxy does not exist."), Behaviour.NXDOMAIN
    ),
    _denied("dns-refused", N_("The name server refuses to answer for the module proxy."), Behaviour.REFUSED),
    _denied("dns-servfail", N_("The name server fails for the module proxy only."), Behaviour.SERVFAIL),
    Scenario(
        "dns-zero",
        N_("The name server answers 0.0.0.0 for the module proxy, as blocking lists do."),
        "dns_negative_filter",
        network=resolver(Resolver(RESOLVER, lies={PROXY: ("0.0.0.0",)})),  # noqa: S104  an answer, not a listener
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-hijack",
        N_("The name server answers with the address of another server."),
        "dns_hijacked",
        network=resolver(Resolver(RESOLVER, lies={PROXY: _OTHER_SERVER})),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-sinkhole",
        N_("The name server answers with an address that stands for blocked names."),
        "dns_hijacked",
        network=Network(
            resolvers=(Resolver(RESOLVER, lies={PROXY: _SINKHOLE}),),
            rules=(PathRule(Fate.RESET, to=_SINKHOLE),),
        ),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-two-answers",
        N_("Somebody on the way sends a false answer before the true one."),
        "dns_hijacked",
        network=Network(
            resolvers=(Resolver(RESOLVER, injects={PROXY: _SINKHOLE}),),
            rules=(PathRule(Fate.RESET, to=_SINKHOLE),),
        ),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-no-resolver",
        N_("resolv.conf names no server, so go asks this machine itself."),
        "dns_no_resolv_conf",
        network=Network(resolv_conf="# nothing here\n"),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-dead",
        N_("The only name server does not answer."),
        "dns_resolver_unreachable",
        network=path(PathRule(Fate.DROP, to=(RESOLVER,))),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-all-dead",
        N_("Neither of the two name servers answers, so go waits twice as long before it says so."),
        "dns_resolver_unreachable",
        network=Network(
            resolvers=(Resolver(RESOLVER), SECOND),
            rules=(PathRule(Fate.DROP, to=(RESOLVER, SECOND_RESOLVER)),),
        ),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-port-closed",
        N_("At the address of the name server nobody answers questions."),
        "dns_resolver_unreachable",
        network=Network(resolv_conf=f"nameserver {public(30)[0]}\n"),
        mend=OTHER_RESOLVER,
    ),
    Scenario(
        "dns-slow",
        N_("The name server takes three seconds for each answer."),
        "dns_slow",
        network=resolver(Resolver(RESOLVER, delay=3.0)),
        mend=OTHER_RESOLVER,
        works=True,
    ),
    Scenario(
        "dns-first-dead",
        N_("The first name server is dead, so every name waits five seconds for the second."),
        "dns_slow",
        network=Network(resolvers=(Resolver(RESOLVER), SECOND), rules=(PathRule(Fate.DROP, to=(RESOLVER,)),)),
        mend=Mend(files={"/etc/resolv.conf": f"nameserver {SECOND_RESOLVER}\n"}),
        works=True,
    ),
    _hosts("hosts-other-server", N_("A line in the hosts file names another server."), _OTHER_SERVER[0]),
    _hosts("hosts-loopback", N_("A line in the hosts file sends the name to this machine."), "127.0.0.1"),
)
