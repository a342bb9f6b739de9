"""Forward proxies between a company and the world, and NO_PROXY, which goes round them."""

from typing import Final

from goferry.i18n import N_
from goferry.lab.cases.shared import NO_FORWARD_PROXY, path
from goferry.lab.forward import Conduct
from goferry.lab.internet import COMPANY_PROXY, FORWARD, PROXY, PUBLIC_NETS, company
from goferry.lab.scenario import (
    Client,
    Fate,
    ForwardProxying,
    Mend,
    Nobody,
    PathRule,
    Scenario,
    Site,
    Tls,
)

_URL: Final = f"http://{FORWARD}:3128"
_THROUGH: Final = {"HTTPS_PROXY": _URL}
_WALL: Final = PathRule(Fate.DROP, to=PUBLIC_NETS, ports=(80, 443))
"""The direct way out is closed."""


def _forward(service: ForwardProxying | Nobody, tls: Tls | None = None) -> tuple[Site, ...]:
    return (Site((FORWARD,), service, company(8), port=3128, tls=tls, inside=True),)


def _scenario(
    name: str, summary: str, expected: str, service: ForwardProxying | Nobody, **more: str
) -> Scenario:
    return Scenario(
        name,
        summary,
        expected,
        sites=_forward(service),
        client=Client(environ={**_THROUGH, **more}),
        mend=NO_FORWARD_PROXY,
    )


def _internal(name: str, summary: str, **environ: str) -> Scenario:
    return Scenario(
        name,
        summary,
        "no_proxy_missing",
        sites=_forward(ForwardProxying(knows_inside=False)),
        client=Client(environ={**_THROUGH, "GOPROXY": f"https://{COMPANY_PROXY}", **environ}),
        mend=Mend(environ={"NO_PROXY": ".corp.example.com"}),
    )


SCENARIOS: Final = (
    _scenario(
        "forward-refused",
        N_("Nobody listens where the forward proxy should be."),
        "forward_proxy_broken",
        Nobody(),
    ),
    _scenario(
        "forward-hangs-up",
        N_("The forward proxy takes the request and hangs up."),
        "forward_proxy_broken",
        ForwardProxying(Conduct.HANGS_UP),
    ),
    Scenario(
        "forward-blackhole",
        N_("Packets to the forward proxy vanish."),
        "forward_proxy_broken",
        network=path(PathRule(Fate.DROP, to=company(8))),
        client=Client(environ=_THROUGH),
        mend=NO_FORWARD_PROXY,
    ),
    Scenario(
        "forward-quoted",
        N_("The quotes of a shell became part of HTTPS_PROXY, and there is no other way out."),
        "forward_proxy_broken",
        network=path(_WALL),
        client=Client(environ={"HTTPS_PROXY": f'"{_URL}"'}),
        mend=Mend(environ=_THROUGH),
    ),
    Scenario(
        "forward-open-password",
        N_("The password in HTTPS_PROXY holds a hash as it is."),
        "forward_proxy_broken",
        client=Client(environ={"HTTPS_PROXY": f"http://developer:let#me@{FORWARD}:3128"}),
        mend=NO_FORWARD_PROXY,
    ),
    _scenario(
        "forward-denied",
        N_("The forward proxy forbids the module proxy by policy."),
        "forward_proxy_denied",
        ForwardProxying(deny=(f"{PROXY}:443",)),
    ),
    Scenario(
        "forward-wants-login",
        N_("The forward proxy wants a user and a password."),
        "forward_proxy_auth_required",
        sites=_forward(ForwardProxying(auth=("developer", "let-me-in"))),
        client=Client(environ=_THROUGH),
        mend=Mend(environ={"HTTPS_PROXY": f"http://developer:let-me-in@{FORWARD}:3128"}),
    ),
    _scenario(
        "forward-wants-ntlm",
        N_("The forward proxy wants a Windows login, which go cannot give."),
        "forward_proxy_auth_required",
        ForwardProxying(auth=("developer", "let-me-in"), challenge="NTLM"),
    ),
    _scenario(
        "forward-503",
        N_("The forward proxy answers 503 for everything."),
        "forward_proxy_overloaded",
        ForwardProxying(Conduct.REFUSES, refusal="503 Service Unavailable"),
    ),
    _scenario(
        "forward-504-late",
        N_("The forward proxy answers 504 after three seconds."),
        "forward_proxy_overloaded",
        ForwardProxying(Conduct.REFUSES, refusal="504 Gateway Timeout", delay=3.0),
    ),
    _scenario(
        "forward-silent",
        N_("The forward proxy takes the request and never answers."),
        "forward_proxy_overloaded",
        ForwardProxying(Conduct.SILENT),
    ),
    Scenario(
        "forward-malformed",
        N_("A colon is missing in HTTPS_PROXY, so go looks for a host that is called http."),
        "forward_proxy_broken",
        client=Client(environ={"HTTPS_PROXY": f"http//{FORWARD}:3128"}),
        mend=Mend(environ={"HTTPS_PROXY": _URL}),
    ),
    Scenario(
        "forward-loopback-in-container",
        N_("The forward proxy is named by loopback, which in this container is nobody."),
        "forward_proxy_loopback_in_container",
        client=Client(environ={"HTTPS_PROXY": "http://127.0.0.1:7890", "container": "podman"}),
        mend=NO_FORWARD_PROXY,
    ),
    _scenario(
        "forward-https-for-plain",
        N_("The URL of the forward proxy says https, but it speaks plain HTTP."),
        "forward_proxy_wrong_scheme",
        ForwardProxying(),
        HTTPS_PROXY=f"https://{FORWARD}:3128",
    ),
    Scenario(
        "forward-plain-for-https",
        N_("The URL of the forward proxy says http, but it speaks TLS."),
        "forward_proxy_wrong_scheme",
        sites=_forward(ForwardProxying(), Tls()),
        client=Client(environ=_THROUGH),
        mend=Mend(environ={"HTTPS_PROXY": f"https://{FORWARD}:3128"}),
    ),
    Scenario(
        "no-proxy-black-hole",
        N_("NO_PROXY sends the module proxy the direct way, which is closed."),
        "no_proxy_black_hole",
        network=path(_WALL),
        client=Client(environ={**_THROUGH, "NO_PROXY": "localhost,example.org"}),
        mend=Mend(environ={"NO_PROXY": "localhost"}),
    ),
    _internal(
        "no-proxy-missing",
        N_("A module proxy inside is asked for through the forward proxy, which cannot find it."),
    ),
    _internal(
        "no-proxy-semicolon",
        N_("NO_PROXY is parted by semicolons, so it matches nothing."),
        NO_PROXY="localhost;.corp.example.com",
    ),
)
