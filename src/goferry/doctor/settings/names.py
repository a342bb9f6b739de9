"""The three files that decide how a name becomes an address, read as Go's own resolver reads them.

Sources: net/dnsconfig_unix.go, net/hosts.go and net/nss.go of the Go standard library.
"""

import re
from collections.abc import Iterable
from typing import Final

from goferry.doctor.evidence import HostsLine, ResolvConf
from goferry.net.httpproxy import ip_of

NO_SERVERS: Final = ("127.0.0.1:53", "[::1]:53")
"""What Go asks when no name server is configured: this machine itself."""

_MOST_SERVERS: Final = 3
_KNOWN_OPTIONS: Final = frozenset(
    {
        "rotate",
        "single-request",
        "single-request-reopen",
        "use-vc",
        "usevc",
        "tcp",
        "trust-ad",
        "edns0",
        "no-reload",
    }
)
_TCP_OPTIONS: Final = frozenset({"use-vc", "usevc", "tcp"})
_FIELDS: Final = re.compile(r"[^ \t\r\n]+")
_LEADING_DIGITS: Final = re.compile(r"\d*")


def parse_resolv_conf(text: str | None) -> ResolvConf:
    """resolv.conf; None when there is no such file. Without any server in it Go asks NO_SERVERS.

    The first three servers count; `search` and `domain` replace each other, the last one wins; a final dot is added
    to search domains as Go does.
    """
    servers: list[str] = []
    search: tuple[str, ...] = ()
    numbers = {"ndots": 1, "timeout": 5, "attempts": 2}
    unknown: list[str] = []
    known: list[str] = []
    for line in (text or "").split("\n"):
        words = _FIELDS.findall(line) if not line.startswith((";", "#")) else []
        if not words:
            continue
        keyword, values = words[0], words[1:]
        if keyword == "nameserver":
            servers += [_with_port(value) for value in values[:1] if _is_address(value)]
        elif keyword == "domain":
            search = (_rooted(values[0]),) if values else search
        elif keyword == "search":
            search = tuple(name for name in map(_rooted, values) if name != ".")
        elif keyword == "options":
            unknown += [value for value in values if not _read_option(value, numbers)]
            known += values
        elif keyword != "lookup":
            unknown.append(keyword)
    return ResolvConf(
        exists=text is not None,
        servers=tuple(servers[:_MOST_SERVERS]),
        search=search,
        ndots=min(max(numbers["ndots"], 0), 15),
        timeout=float(max(numbers["timeout"], 1)),
        attempts=max(numbers["attempts"], 1),
        unknown_options=tuple(unknown),
        use_tcp=bool(set(known) & _TCP_OPTIONS),
    )


def _read_option(option: str, numbers: dict[str, int]) -> bool:
    name, colon, value = option.partition(":")
    if colon and name in numbers:
        digits = _LEADING_DIGITS.match(value)
        numbers[name] = int(digits[0]) if digits and digits[0] else 0
        return True
    return option in _KNOWN_OPTIONS


def _is_address(text: str) -> bool:
    """A server is an address, perhaps with a zone; names would have to be looked up first."""
    return ip_of(text) is not None


def _with_port(address: str) -> str:
    return f"[{address}]:53" if ":" in address else f"{address}:53"


def _rooted(name: str) -> str:
    return name if name.endswith(".") else name + "."


def parse_hosts(text: str) -> tuple[HostsLine, ...]:
    """The lines of a hosts file that have an address and a name; several lines for one name add up."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        words = _FIELDS.findall(line.partition("#")[0])
        if len(words) > 1 and ip_of(words[0]) is not None:
            found.append(HostsLine(words[0], tuple(words[1:]), number))
    return tuple(found)


def hosts_of(lines: Iterable[HostsLine], name: str) -> tuple[HostsLine, ...]:
    """The lines that have this name; case and a final dot do not count."""
    wanted = name.lower().rstrip(".")
    return tuple(line for line in lines if any(other.lower().rstrip(".") == wanted for other in line.names))


def parse_nsswitch(text: str) -> tuple[str, ...]:
    """The sources of the `hosts:` line, with their criteria in brackets as words of their own.

    >>> parse_nsswitch("hosts: files mdns4_minimal [NOTFOUND=return] dns")
    ('files', 'mdns4_minimal', '[NOTFOUND=return]', 'dns')
    """
    for line in text.split("\n"):
        database, colon, sources = line.partition("#")[0].partition(":")
        if colon and database.strip() == "hosts":
            return tuple(re.findall(r"\[[^\]]*\]|[^\s\[]+", sources))
    return ()


def go_order(nsswitch: Iterable[str]) -> tuple[str, ...]:
    """In which order Go's own resolver asks `files` and `dns` (net/conf.go, where there is no cgo).

    A source that Go does not know counts as DNS, unless the line names `dns` itself; criteria do not count.

    >>> go_order(["resolve", "[!UNAVAIL=return]", "files"]), go_order(["files"])
    (('dns', 'files'), ('files',))
    """
    sources = [word for word in nsswitch if not word.startswith("[")]
    unknown = () if "dns" in sources else ("dns",)
    meant = (word for source in sources for word in ((source,) if source in ("files", "dns") else unknown))
    return tuple(dict.fromkeys(meant)) or ("files", "dns")
