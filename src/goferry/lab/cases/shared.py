"""Pieces that many scenarios have in common."""

from dataclasses import replace
from typing import Final

from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.internet import CODE as CODE
from goferry.lab.internet import (
    COMPANY_TLS,
    MIRROR,
    PROXY,
    SECOND_RESOLVER,
    SITES,
    STORAGE,
    SUMDB,
    VANITY,
    public,
)
from goferry.lab.scenario import Client, Mend, Modules, Network, PathRule, Resolver, Service, Site, Tls, When

OTHER_MIRROR: Final = Mend(environ={"GOPROXY": f"https://{MIRROR}"})
"""Another module proxy, which is well."""

OTHER_RESOLVER: Final = Mend(files={"/etc/resolv.conf": "nameserver 1.1.1.1\n"})
NO_FORWARD_PROXY: Final = Mend(environ={"HTTPS_PROXY": "", "HTTP_PROXY": ""})

ZIP: Final = "*.zip"


def at_proxy(service: Service, tls: Tls | None = Tls()) -> tuple[Site, ...]:  # noqa: B008  frozen
    """The module proxy with another service or TLS."""
    return (Site((PROXY,), service, public(10), tls=tls),)


def proxy_says(status: int, text: str = "", pattern: str = "*", **headers: str) -> tuple[Site, ...]:
    """The module proxy answers some paths with a status and a text."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    fault = Fault(Trouble.STATUS, status, text or "the lab says so\n", headers=named)
    return at_proxy(Modules((When(pattern, fault),)))


def at(host: str, number: int, service: Service, tls: Tls | None = Tls()) -> tuple[Site, ...]:  # noqa: B008  frozen
    """A public host with another service or TLS."""
    return (Site((host,), service, public(number), tls=tls),)


def at_sumdb(service: Service) -> tuple[Site, ...]:
    return at(SUMDB, 12, service)


def at_vanity(service: Service, tls: Tls | None = Tls()) -> tuple[Site, ...]:  # noqa: B008  frozen
    return at(VANITY, 21, service, tls)


def at_storage(service: Service) -> tuple[Site, ...]:
    return at(STORAGE, 11, service)


def intercepted() -> tuple[Site, ...]:
    """Every public site as a company's firewall shows it: signed anew."""
    return tuple(replace(site, tls=COMPANY_TLS) for site in SITES if site.tls is not None and not site.inside)


def path(*rules: PathRule) -> Network:
    return Network(rules=rules)


def resolver(resolver: Resolver) -> Network:
    """One name server, this one."""
    return Network(resolvers=(resolver,))


def set_to(**environ: str) -> Client:
    """A client with these variables."""
    return Client(environ=environ)


DIRECT: Final = {"GOPROXY": "direct"}
SECOND: Final = Resolver(SECOND_RESOLVER)
