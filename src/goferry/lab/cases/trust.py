"""Trust: certificates that are old, for others, or signed by somebody else, and clients that know nobody."""

import ssl
from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import DIRECT, OTHER_MIRROR, at_proxy, intercepted
from goferry.lab.scenario import Client, Mend, Modules, Needs, Network, Roots, Scenario, Tls
from goferry.lab.tls import Leaf, Manners

_SET_CLOCK: Final = N_("Whoever runs the machine has to set its clock, which no program may do on its own.")
_KNOW_COMPANY: Final = Mend(environ={"SSL_CERT_FILE": "{company_ca}"})
_KNOW_PUBLIC: Final = Mend(environ={"SSL_CERT_FILE": "{ca}"})


def _at_proxy(name: str, summary: str, expected: str, tls: Tls) -> Scenario:
    return Scenario(
        name, summary, expected, sites=at_proxy(Modules(), tls), mend=OTHER_MIRROR, needs=Needs.LOOPBACK
    )


def _alert(name: str, summary: str, expected: str, alert: int) -> Scenario:
    return _at_proxy(name, summary, expected, Tls(manners=Manners(alert=alert)))


SCENARIOS: Final = (
    Scenario(
        "tls-inspection",
        N_("The company's firewall signs all traffic anew, and the client does not know its authority."),
        "tls_mitm_corporate_ca",
        sites=intercepted(),
        mend=_KNOW_COMPANY,
        wants=N_("The network's people have to hand out the root certificate of their firewall."),
    ),
    Scenario(
        "tls-inspection-git",
        N_("The company's authority was given to go, but not to git."),
        "tls_mitm_corporate_ca",
        sites=intercepted(),
        client=Client(environ={**DIRECT, "SSL_CERT_FILE": "{company_ca}"}),
        mend=Mend(environ={"GIT_SSL_CAINFO": "{company_ca}"}),
    ),
    Scenario(
        "ca-missing",
        N_("The machine has no certificate store, as in an image made from scratch."),
        "ca_bundle_missing_or_stale",
        client=Client(roots=Roots.NONE),
        mend=_KNOW_PUBLIC,
    ),
    Scenario(
        "ca-stale",
        N_("The certificate store is from long ago and lacks the authority in use."),
        "ca_bundle_missing_or_stale",
        client=Client(roots=Roots.STALE),
        mend=_KNOW_PUBLIC,
    ),
    Scenario(
        "clock-behind",
        N_("The clock is a year behind, so every certificate is not yet valid."),
        "clock_skew",
        network=Network(clock=400),
        wants=_SET_CLOCK,
    ),
    Scenario(
        "clock-ahead",
        N_("The clock is two months ahead, so every certificate has expired."),
        "clock_skew",
        network=Network(clock=-60),
        wants=_SET_CLOCK,
    ),
    _at_proxy(
        "cert-expired",
        N_("The module proxy's certificate has expired."),
        "server_cert_expired",
        Tls(leaf=Leaf.EXPIRED),
    ),
    _at_proxy(
        "cert-wrong-host",
        N_("The module proxy's certificate is for another name."),
        "server_cert_wrong_host",
        Tls(leaf=Leaf.WRONG_HOST),
    ),
    _at_proxy(
        "cert-incomplete",
        N_("The module proxy sends its certificate without the one between it and the root."),
        "ca_bundle_missing_or_stale",
        Tls(manners=Manners(incomplete=True)),
    ),
    _alert("tls-alert-70", N_("The server refuses the TLS version."), "tls_version_mismatch", 70),
    _alert("tls-alert-40", N_("The server finds no parameters in common."), "tls_version_mismatch", 40),
    _alert("tls-alert-112", N_("The server knows no such name."), "tls_server_name_unknown", 112),
    _at_proxy(
        "tls-client-certificate",
        N_("The server wants a client certificate (TLS 1.3)."),
        "tls_client_certificate_required",
        Tls(manners=Manners(client_certificate=True)),
    ),
    _at_proxy(
        "tls12-client-certificate",
        N_("The server wants a client certificate (TLS 1.2)."),
        "tls_client_certificate_required",
        Tls(manners=Manners(client_certificate=True, newest=ssl.TLSVersion.TLSv1_2)),
    ),
)
