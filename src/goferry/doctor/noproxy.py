"""NO_PROXY: what an entry means to each program, and a value for this environment that means the same to all.

go, and curl inside git, read the list by different rules (x/net/http/httpproxy; lib/noproxy.c). So only forms
that both understand are proposed: `name` for a host with everything below it, IP addresses, and networks; and every
proposal is put to the test with the real decisions before anybody sees it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Final

from goferry.doctor.evidence import Context, SettingsSeen
from goferry.doctor.settings.proxies import curl_exception
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.httpproxy import ProxyConfig, ip_of, split_host_port

ALWAYS: Final = ("localhost", "127.0.0.1", "::1")
"""Go never sends these to a proxy; git, curl and most others do unless they are told."""

_KUBERNETES: Final = (".svc", ".svc.cluster.local", ".cluster.local")
_OF_CONTAINERS: Final = {
    "docker": ("host.docker.internal",),
    "podman": ("host.containers.internal", "host.docker.internal"),
}
_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
_ANY_PROXY: Final = "http://proxy.invalid:3128"


@dataclass(frozen=True, slots=True)
class Reading:
    """Whether an entry keeps a host away from the proxy, for go and for git (curl), and why or why not."""

    go: bool
    git: bool
    why: Text


def explain(entry: str, host: str, port: int = 443) -> Reading:
    """What this one entry means for this host. Nothing is ever an error."""
    go, git = _go_skips(entry, host, port), curl_exception(entry, host) != ""
    return Reading(go, git, _why(entry, host, go=go, git=git))


def suggest(settings: SettingsSeen, context: Context, internal_hosts: Iterable[str]) -> str:
    """A NO_PROXY value for this environment.

    It keeps what is set already and works, mends what nearly works, and adds this machine, the hosts given, and the
    names and networks of containers. An entry that would take a host away from the proxy that goes there now, and that
    is not among the internal ones, is left out.
    """
    internal = [host for host in map(_bare, internal_hosts) if host]
    wanted = [*ALWAYS, *_kept(settings), *internal, *_of_context(context)]
    proxied = {way.host for way in settings.proxying if way.proxy} - set(internal)
    chosen = [
        entry for entry in dict.fromkeys(wanted) if not any(explain(entry, host).go for host in proxied)
    ]
    return ",".join(_without_repetition(chosen))


def misses(value: str, hosts: Iterable[str]) -> tuple[str, ...]:
    """The hosts that this NO_PROXY value does not keep away from the proxy, for go or for git."""
    return tuple(host for host in hosts if not (_go_skips(value, host, 443) and curl_exception(value, host)))


def _go_skips(no_proxy: str, host: str, port: int) -> bool:
    shown = f"[{host}]" if ":" in host else host
    return (
        ProxyConfig(https=_ANY_PROXY, no_proxy=no_proxy).proxy_for(f"https://{shown}:{port}/").proxy is None
    )


# ---- why ---------------------------------------------------------------------------------------------------


def _why(entry: str, host: str, *, go: bool, git: bool) -> Text:
    if go and git:
        return Text(N_("{entry} keeps {host} away from the proxy."), entry=entry, host=host)
    if go:
        return Text(N_("{entry} means {host} to go, but not to git and curl."), entry=entry, host=host)
    if git:
        return Text(N_("{entry} means {host} to git and curl, but not to go."), entry=entry, host=host)
    return Text(
        next((key for applies, key in _TRAPS if applies(entry, host)), _NO_MATCH), entry=entry, host=host
    )


_NO_MATCH: Final = N_("{entry} is for other hosts than {host}.")


def _is_network(entry: str) -> bool:
    try:
        ip_network(entry, strict=False)
    except ValueError:
        return False
    return "/" in entry


def _has_scheme(entry: str, _host: str) -> bool:
    return "://" in entry


def _has_blank(entry: str, _host: str) -> bool:
    return any(char in entry.strip() for char in " ;\t")


def _is_network_for_name(entry: str, host: str) -> bool:
    return _is_network(entry) and ip_of(host) is None


def _has_path(entry: str, _host: str) -> bool:
    return "/" in entry and not _is_network(entry)


def _has_other_port(entry: str, host: str) -> bool:
    split = split_host_port(entry)
    return split is not None and _go_skips(split[0], host, 443)


def _has_final_dot(entry: str, _host: str) -> bool:
    return entry.endswith(".")


def _has_star_inside(entry: str, _host: str) -> bool:
    return "*" in entry.removeprefix("*.")


def _is_for_subdomains(entry: str, host: str) -> bool:
    return entry.startswith((".", "*.")) and entry.lstrip("*").lstrip(".").lower() == host.lower()


def _is_first_label(entry: str, host: str) -> bool:
    return host.lower().startswith(f"{entry.lower()}.")


_TRAPS: Final = (
    (_has_scheme, N_("{entry} begins like a URL. Entries are bare host names: it matches nothing.")),
    (_has_blank, N_("{entry} is taken as one name. Only commas part entries.")),
    (
        _is_network_for_name,
        N_("{entry} is for IP addresses in URLs. The name {host} is not looked up for it."),
    ),
    (_has_path, N_("{entry} holds a slash. Entries are bare host names: it matches nothing.")),
    (_has_other_port, N_("{entry} is for that port alone, and {host} is asked on another one.")),
    (_has_final_dot, N_("{entry} ends with a dot, so it does not match {host} written without.")),
    (_has_star_inside, N_("{entry} has a star, which only counts alone or as the first label.")),
    (_is_for_subdomains, N_("{entry} is for the names below {host} and not for {host} itself.")),
    (_is_first_label, N_("{entry} is the beginning of {host}. Entries are compared from the end.")),
)


# ---- what to propose ---------------------------------------------------------------------------------------


def _kept(settings: SettingsSeen) -> Iterator[str]:
    """The entries of the list that counts, each as both programs understand it."""
    values = {setting.name: setting.value for setting in settings.proxies}
    text = values.get("NO_PROXY") or values.get("no_proxy") or ""
    for part in text.replace(";", ",").split(","):
        for word in part.split():
            entry = _bare(word)
            if entry and entry != "*":
                yield entry


def _bare(word: str) -> str:
    """A host, domain or network as both programs understand it; "" for what is none.

    >>> [_bare(word) for word in ("https://a.corp/", "*.b.corp", "10.0.0.0/8", "[fd00::1]", "c.corp:8443")]
    ['a.corp', '.b.corp', '10.0.0.0/8', 'fd00::1', 'c.corp']
    """
    text = word.strip().lower()
    if _is_network(text):
        return str(ip_network(text, strict=False))
    text = text.partition("://")[2] or text
    text = text.partition("/")[0].rpartition("@")[2]
    split = split_host_port(text)
    text = (split[0] if split is not None else text).strip("[]")
    if ip_of(text) is not None:
        return text
    text = text.rstrip(".")
    text = text.removeprefix("*") if text.startswith("*.") else text
    return text if "*" not in text or text == "*" else ""


def _of_context(context: Context) -> Iterator[str]:
    """The names and networks that containers bring with them."""
    if context.container == "kubernetes":
        yield from _KUBERNETES
    yield from _OF_CONTAINERS.get(context.container, ())
    if context.container:
        yield from _own_networks(context)


def _own_networks(context: Context) -> Iterator[str]:
    """The private ranges that this container has an address in: pods and services share theirs."""
    addresses = [address for interface in context.interfaces for address in interface.addresses]
    for network in _PRIVATE:
        if any(_is_in(address, network) for address in addresses):
            yield network


def _is_in(address: str, network: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]) in ip_network(network)
    except ValueError:
        return False


def _without_repetition(entries: Sequence[str]) -> list[str]:
    """Without entries that another one covers for both programs."""

    def is_covered(entry: str) -> bool:
        name = entry.lstrip(".")
        others = [other for other in entries if other != entry]
        return not _is_network(entry) and any(
            not _is_network(other)
            and not other.startswith(".")
            and explain(other, name).go
            and explain(other, name).git
            for other in others
        )

    return [entry for entry in entries if entry in ALWAYS or not is_covered(entry)]
