"""Worlds in which nothing is wrong, though some of it looks so. A diagnosis must find nothing here."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.config import LOGGED_IN
from goferry.lab.cases.shared import (
    DIRECT,
    SECOND,
    ZIP,
    at_proxy,
    at_storage,
    at_vanity,
    intercepted,
    path,
    resolver,
    set_to,
)
from goferry.lab.dns import Behaviour
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import (
    CODE,
    COMPANY_CODE,
    COMPANY_PROXY,
    FORWARD,
    MIRROR,
    PROXY,
    PUBLIC_NETS,
    RESOLVER,
    SECOND_RESOLVER,
    SECRET_GO_MOD,
    STORAGE,
    company,
    public,
)
from goferry.lab.modules import HELLO
from goferry.lab.scenario import (
    Client,
    Fate,
    ForwardProxying,
    ImportPages,
    Mirrored,
    Modules,
    Needs,
    Network,
    PathRule,
    Repositories,
    Resolver,
    Roots,
    Scenario,
    Site,
    Tls,
    When,
)
from goferry.lab.tcp import Fault as WireFault

_EDGE: Final = public(31)
_WALL: Final = PathRule(Fate.DROP, to=PUBLIC_NETS, ports=(80, 443))
_LACKING: Final = at_proxy(Modules(lacks=(f"{HELLO}/*",)))
_FORWARD_TLS: Final = Site((FORWARD,), ForwardProxying(), company(8), port=3130, tls=Tls(), inside=True)
_WITH_LOGIN: Final = Site(
    (FORWARD,),
    ForwardProxying(auth=("developer", "let-me-in")),
    company(8),
    port=3128,
    tls=None,
    inside=True,
)
_LOCAL_FORWARD: Final = Site(
    ("local-proxy.invalid",), ForwardProxying(), ("127.0.0.1",), port=7890, tls=None, inside=True
)
_LOCAL_MODULES: Final = Site(
    ("local-modules.invalid",), Modules(), ("127.0.0.1",), port=8080, tls=None, inside=True
)


def _set(name: str, summary: str, needs: Needs = Needs.NAMESPACE, **environ: str) -> Scenario:
    return Scenario(name, summary, client=set_to(**environ), needs=needs)


SCENARIOS: Final = (
    Scenario("well", N_("Nothing is wrong."), needs=Needs.LOOPBACK),
    Scenario("well-slow", N_("Everything is far away, but well."), network=Network(latency=0.12)),
    Scenario(
        "well-narrow",
        N_("The module proxy sends slowly, but steadily."),
        sites=(Site((PROXY,), Modules(), public(10), wire=WireFault(rate=60_000)),),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "well-long",
        N_("The module proxy sends so slowly that one zip takes longer than anybody watches."),
        sites=(Site((PROXY,), Modules(), public(10), wire=WireFault(rate=4_000)),),
        lasts=True,
    ),
    Scenario(
        "well-slow-repository",
        N_("The code host sends so slowly that git needs longer than anybody waits for silence."),
        sites=(Site((CODE,), Repositories(), public(20), wire=WireFault(rate=8_000)),),
        client=set_to(GOPROXY="direct"),
        lasts=True,
    ),
    Scenario(
        "well-cdn",
        N_("Name servers name different addresses of one service, and all of them are right."),
        sites=(Site((PROXY, "edge.example.org"), Modules(), (*public(10), *_EDGE)),),
        network=resolver(Resolver(RESOLVER, lies={PROXY: _EDGE})),
    ),
    Scenario("well-ipv4-only", N_("The machine has no IPv6."), network=Network(ipv6=False)),
    Scenario(
        "well-ipv6-unreachable",
        N_("IPv6 is refused at once, and go falls back to IPv4."),
        network=path(PathRule(Fate.PROHIBITED, version=6)),
    ),
    Scenario(
        "well-company-ca",
        N_("The firewall signs all traffic anew, and the client knows its authority."),
        sites=intercepted(),
        client=Client(roots=Roots.COMPANY),
    ),
    Scenario(
        "well-file-proxy",
        N_("GOPROXY is a folder."),
        client=Client(environ={"GOPROXY": "file://{home}/modules"}, file_proxy=True),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "well-404-then-direct",
        N_("The proxy does not have the module, and direct follows."),
        sites=_LACKING,
        client=set_to(GOPROXY=f"https://{PROXY},direct"),
    ),
    Scenario(
        "well-404-then-second",
        N_("The first proxy does not have the module, and the second does."),
        sites=_LACKING,
        client=set_to(GOPROXY=f"https://{PROXY},https://{MIRROR}"),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "well-pipe-dead-second",
        N_("The second entry of GOPROXY is dead, and never needed, as the first mirrors the database too."),
        sites=at_proxy(Modules(sumdb=Mirrored.YES)),
        client=set_to(GOPROXY=f"https://{PROXY}|https://dead.example.org"),
    ),
    _set("well-direct", N_("Everything comes from its origin."), GOPROXY="direct"),
    _set("well-no-sumdb", N_("GOSUMDB=off."), Needs.LOOPBACK, GOSUMDB="off"),
    _set("well-mod-flag", N_("GOFLAGS=-mod=mod."), Needs.LOOPBACK, GOFLAGS="-mod=mod"),
    Scenario(
        "well-forward",
        N_("The only way out is a forward proxy with a login, and the client has it."),
        sites=(_WITH_LOGIN,),
        network=path(_WALL),
        client=set_to(HTTPS_PROXY=f"http://developer:let-me-in@{FORWARD}:3128"),
    ),
    Scenario(
        "well-forward-tls",
        N_("The forward proxy speaks TLS, and its URL says so."),
        sites=(_FORWARD_TLS,),
        network=path(_WALL),
        client=set_to(HTTPS_PROXY=f"https://{FORWARD}:3130"),
    ),
    Scenario(
        "well-forward-loopback",
        N_("The forward proxy runs on this machine."),
        sites=(_LOCAL_FORWARD,),
        network=path(_WALL),
        client=set_to(HTTPS_PROXY="http://127.0.0.1:7890"),
    ),
    Scenario(
        "well-no-proxy",
        N_("The proxy inside is reached past the forward proxy, as NO_PROXY says."),
        client=set_to(
            HTTPS_PROXY=f"http://{FORWARD}:3128",
            NO_PROXY="localhost,.corp.example.com",
            GOPROXY=f"https://{COMPANY_PROXY}",
        ),
    ),
    Scenario(
        "well-split-horizon",
        N_("The company's name server knows an inner address of the module proxy."),
        sites=(Site((PROXY, "inner.corp.example.com"), Modules(), (*public(10), *company(44)), tls=Tls()),),
        network=resolver(Resolver(RESOLVER, lies={PROXY: company(44)})),
    ),
    Scenario(
        "well-private",
        N_("A private module is fetched directly, with GOPRIVATE and a login."),
        client=Client(environ={"GOPRIVATE": COMPANY_CODE}, git_config=LOGGED_IN, go_mod=SECRET_GO_MOD),
    ),
    Scenario(
        "well-private-proxy",
        N_("A private module comes from the company's proxy, past the checksum database."),
        client=Client(
            environ={"GOPROXY": f"https://{COMPANY_PROXY}", "GONOSUMDB": COMPANY_CODE}, go_mod=SECRET_GO_MOD
        ),
    ),
    Scenario(
        "well-mirrored-sumdb",
        N_("The checksum database is blocked, but the module proxy answers for it."),
        sites=at_proxy(Modules(sumdb=Mirrored.YES)),
        network=path(PathRule(Fate.RESET, to=public(12))),
    ),
    Scenario(
        "well-plain-loopback",
        N_("GOPROXY is plain HTTP on this machine."),
        sites=(_LOCAL_MODULES,),
        client=set_to(GOPROXY="http://127.0.0.1:8080"),
    ),
    Scenario(
        "well-second-resolver-dead",
        N_("The second name server is dead, and never needed."),
        network=Network(
            resolvers=(Resolver(RESOLVER), SECOND), rules=(PathRule(Fate.DROP, to=(SECOND_RESOLVER,)),)
        ),
    ),
    Scenario(
        "well-long-ttl",
        N_("Names may be remembered for a week."),
        network=resolver(Resolver(RESOLVER, ttl=604800)),
    ),
    Scenario(
        "well-dns-over-tcp",
        N_("Answers do not fit into a datagram and are fetched by TCP."),
        network=resolver(Resolver(RESOLVER, Behaviour.TRUNCATED)),
    ),
    Scenario(
        "well-pinned",
        N_("The hosts file names an address of the module proxy, and it is right."),
        network=Network(hosts=f"{public(10)[0]} {PROXY}\n"),
    ),
    Scenario(
        "well-redirected-zip",
        N_("Zips are redirected to a storage host, which has them."),
        sites=(
            *at_proxy(Modules((When(ZIP, Fault(Trouble.REDIRECT, text=f"https://{STORAGE}/{{path}}")),))),
            *at_storage(Modules()),
        ),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "well-compressed",
        N_("The module proxy sends everything compressed, as go says that it understands."),
        sites=at_proxy(Modules((When(f"{HELLO}/*", Fault(Trouble.GZIPPED)),))),
        needs=Needs.LOOPBACK,
    ),
    Scenario(
        "well-import-page-names-proxy",
        N_("GOPROXY says direct, and the host of the import path names a module proxy of its own."),
        sites=at_vanity(ImportPages({HELLO: f"mod https://{PROXY}"})),
        client=Client(environ=DIRECT),
    ),
    Scenario(
        "well-netrc",
        N_("The module proxy wants a login, and netrc has it."),
        sites=at_proxy(Modules(user="developer:let-me-in")),
        client=Client(files={"{home}/.netrc": f"machine {PROXY} login developer password let-me-in\n"}),
    ),
    Scenario(
        "well-goproxy-login",
        N_("The module proxy wants a login, and GOPROXY has it."),
        sites=at_proxy(Modules(user="developer:let-me-in")),
        client=set_to(GOPROXY=f"https://developer:let-me-in@{PROXY}"),
    ),
)
