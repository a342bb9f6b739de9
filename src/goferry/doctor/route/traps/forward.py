"""Forward proxies: exceptions that miss, and variables that do not count."""

from collections.abc import Iterator

from goferry.doctor.evidence import SettingsSeen
from goferry.doctor.route.records import Hop, Route, Trap
from goferry.doctor.settings import proxies
from goferry.findings import Text
from goferry.i18n import N_


def exceptions(seen: SettingsSeen, route: Route) -> Iterator[Trap]:
    """NO_PROXY entries that miss, and variables that do not count."""
    environ = proxies.environment_of(seen)
    told: set[str] = set()
    for hop in route.hops:
        if hop.scheme not in ("http", "https") or hop.stack != "go" or hop.host in told:
            continue
        told.add(hop.host)
        decision = proxies.for_go(environ, hop.url)
        variable = "NO_PROXY" if environ.get("NO_PROXY") else "no_proxy"
        for near in decision.near:
            yield _near_trap(near, variable, decision.proxy, hop)


def _near_trap(near: str, variable: str, proxy: str, hop: Hop) -> Trap:
    if proxy:
        text = Text(N_("the entry {entry} does not match {host} for go"), entry=repr(near), host=hop.host)
        return Trap("no_proxy_entry_misses", variable, text, (f"export {variable}=${variable},{hop.host}",))
    text = Text(
        N_("go does not use {name} for {scheme} addresses such as {host}"),
        name=near,
        scheme=hop.scheme,
        host=hop.host,
    )
    return Trap("proxy_variable_ignored", near, text)
