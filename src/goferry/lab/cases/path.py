"""The path: packets that are dropped, reset, or too large, and networks that are not there."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import CODE, DIRECT, OTHER_MIRROR, ZIP, at_proxy, path
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import MIRROR, OTHERS, PROXY, PUBLIC_MIRRORS, PUBLIC_NETS, RESOLVER, public
from goferry.lab.scenario import (
    Client,
    Fate,
    Mend,
    Modules,
    Network,
    Nobody,
    Page,
    PathRule,
    Raw,
    Resolver,
    Scenario,
    Site,
    When,
)
from goferry.lab.tcp import CUT

_PROXY_NET: Final = public(10)
_PORTAL: Final = "login.wifi.example.net"
_PORTAL_PLACE: Final = public(66)
_PROXY_INSTEAD: Final = Mend(environ={"GOPROXY": f"https://{PROXY}"})
_SMALL_PACKETS: Final = Mend(commands=(("ip", "link", "set", "dev", "wan0", "mtu", "1280"),))
_SIGN_IN: Final = "<html><body>Welcome to the guest network. Please sign in.</body></html>\n"
_TO_PORTAL: Final = Page(302, _SIGN_IN, "text/html", {"Location": f"http://{_PORTAL}/sign-in"})

SCENARIOS: Final = (
    Scenario(
        "goproxy-blackhole",
        N_("Packets to the module proxy vanish."),
        "goproxy_host_blocked",
        network=path(PathRule(Fate.DROP, to=_PROXY_NET)),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-refused",
        N_("The module proxy refuses connections."),
        "goproxy_host_blocked",
        sites=at_proxy(Nobody()),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-prohibited",
        N_("A firewall says that the module proxy is forbidden."),
        "goproxy_host_blocked",
        network=path(PathRule(Fate.PROHIBITED, to=_PROXY_NET)),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-swallows",
        N_(
            "A device on the way lets connections to the module proxy begin, and drops all that is sent on them."
        ),
        "goproxy_host_blocked",
        network=path(PathRule(Fate.DROP, to=_PROXY_NET, payload=True)),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "goproxy-dead-before-bar",
        N_(
            "Packets to the first entry of GOPROXY vanish; a bar lets go ask the next, half a minute later each time."
        ),
        "goproxy_host_blocked",
        network=path(PathRule(Fate.DROP, to=_PROXY_NET)),
        client=Client(environ={"GOPROXY": f"https://{PROXY}|https://{MIRROR}", "GOSUMDB": "off"}),
        mend=OTHER_MIRROR,
        works=True,
    ),
    Scenario(
        "direct-import-host-blocked",
        N_("Packets to the host of the import path vanish, and GOPROXY says direct."),
        "direct_host_blocked",
        network=path(PathRule(Fate.DROP, to=public(21))),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
    ),
    Scenario(
        "direct-code-host-blocked",
        N_("Connections to the code host are reset, and GOPROXY says direct."),
        "direct_host_blocked",
        network=path(PathRule(Fate.RESET, to=public(20))),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
    ),
    Scenario(
        "direct-code-host-blackhole",
        N_("Packets to the code host, which the import page names, vanish, and GOPROXY says direct."),
        "direct_host_blocked",
        network=path(PathRule(Fate.DROP, to=public(20))),
        client=Client(environ=DIRECT),
        mend=_PROXY_INSTEAD,
    ),
    Scenario(
        "ipv6-dies",
        N_("IPv6 connects, and then every byte is lost; IPv4 is well."),
        "ipv6_path_broken",
        network=path(PathRule(Fate.DROP, to=_PROXY_NET, version=6, payload=True)),
        mend=Mend(files={"/etc/hosts": f"127.0.0.1 localhost\n{_PROXY_NET[0]} {PROXY}\n"}),
    ),
    Scenario(
        "sni-reset",
        N_("A device on the way resets every connection that names the module proxy."),
        "sni_filtered",
        network=path(PathRule(Fate.RESET, ports=(443,), holds=(PROXY,))),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "sni-stall",
        N_("A device on the way drops every first message that names the module proxy."),
        "sni_filtered",
        network=path(PathRule(Fate.DROP, ports=(443,), holds=(PROXY,))),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "reset-everywhere",
        N_("A device on the way resets TLS to every host outside, whatever its name."),
        "middlebox_reset",
        network=path(PathRule(Fate.RESET, to=PUBLIC_NETS, ports=(443,), payload=True)),
        wants=N_("The network's people have to let TLS out, or to name a way that is open."),
    ),
    Scenario(
        "large-clienthello",
        N_("A device on the way drops the large first message of TLS, whoever it is for."),
        "tls_large_clienthello",
        network=path(PathRule(Fate.DROP, ports=(443,), hello_larger_than=600)),
        mend=Mend(environ={"GODEBUG": "tlsmlkem=0"}),
    ),
    Scenario(
        "large-clienthello-one-host",
        N_("A device before the module proxy drops the large first message of TLS."),
        "tls_large_clienthello",
        network=path(PathRule(Fate.DROP, to=_PROXY_NET, ports=(443,), hello_larger_than=600)),
        mend=Mend(environ={"GODEBUG": "tlsmlkem=0"}),
    ),
    Scenario(
        "mtu-blackhole",
        N_("Full-size packets from the module proxy vanish, and nobody says so."),
        "mtu_blackhole",
        network=path(PathRule(Fate.DROP, to=_PROXY_NET, larger_than=1280, towards_client=True)),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "mtu-blackhole-everywhere",
        N_("Full-size packets from anywhere vanish, as in a tunnel whose size nobody told."),
        "mtu_blackhole",
        network=path(PathRule(Fate.DROP, larger_than=1280, towards_client=True)),
        mend=_SMALL_PACKETS,
    ),
    Scenario(
        "sandbox",
        N_("The build runs where no network is."),
        "sandbox_no_network",
        network=Network(plugged=False),
        wants=N_(
            "Whoever made this place without a network has to give it one, or to put in what was fetched before."
        ),
    ),
    Scenario(
        "captive-portal",
        N_("The guest network sends every name to its sign-in page."),
        "captive_portal",
        sites=(
            Site((_PORTAL,), _TO_PORTAL, _PORTAL_PLACE),
            Site((_PORTAL,), _TO_PORTAL, _PORTAL_PLACE, port=80, tls=None),
        ),
        network=Network(
            resolvers=(
                Resolver(
                    RESOLVER,
                    lies=dict.fromkeys(
                        (PROXY, CODE, "sum.example.org", "mirror.example.net", *OTHERS, *PUBLIC_MIRRORS),
                        _PORTAL_PLACE,
                    ),
                    anything=_PORTAL_PLACE,
                ),
            ),
            rules=(PathRule(Fate.DROP, to=("8.8.8.8", "1.1.1.1", "114.114.114.114", "223.5.5.5")),),
        ),
        wants=N_("A person has to sign in to the network with a browser."),
    ),
    Scenario(
        "server-closes",
        N_("The module proxy's side takes connections and closes them without a word."),
        "server_closed_silently",
        sites=at_proxy(Raw(fault=CUT), tls=None),
        mend=OTHER_MIRROR,
    ),
    Scenario(
        "zip-cut",
        N_("The zip ends in the middle."),
        "server_closed_silently",
        sites=at_proxy(Modules((When(ZIP, Fault(Trouble.RESTART)),))),
        mend=OTHER_MIRROR,
    ),
)
