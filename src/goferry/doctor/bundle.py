"""Evidence on its way out of the house: what names people and private machines is replaced, and nothing else.

Secrets never get into evidence (secrets.py). What is left are names: the user's folder and name, this machine, and
hosts of the private network. Each gets another name, the same one everywhere, so that the saved evidence is judged as
the original is. Public hosts stay: without them nobody could help.
"""

import ipaddress
import re
from collections.abc import Iterable

from goferry.doctor import codec
from goferry.doctor.evidence import Evidence
from goferry.gomod.module import match_prefix_patterns

_NOBODY = frozenset({"root", "user", "localhost"})
"""Names that say nothing about anybody."""

_HOST = re.compile(r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\.)+[A-Za-z][A-Za-z0-9-]*")


def to_bundle(evidence: Evidence, *, user: str = "", machine: str = "") -> bytes:
    """The bytes of a file that can be shown to others; `codec.from_bytes` reads it. user: name of the account."""
    text = codec.to_bytes(evidence).decode()
    for old, new in _replacements(evidence, user, machine):
        text = re.sub(rf"(?<![\w-]){re.escape(old)}(?![\w-])", new, text)
    return text.encode()


def _replacements(evidence: Evidence, user: str, machine: str) -> Iterable[tuple[str, str]]:
    """Old and new, the longest first, so that a name within another one does not tear it apart."""
    found = _stand_ins(evidence)
    home = evidence.context.home
    # A home that is a root folder or an empty word would eat half of the text.
    if home.count("/") >= 2 or (home and home not in ("/", "/root")):
        found[home] = "/home/user"
    people = ((user, "user"), (evidence.context.sudo_user, "user"), (machine, "machine"))
    found |= {name: new for name, new in people if len(name) >= 3 and name not in _NOBODY}
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _stand_ins(evidence: Evidence) -> dict[str, str]:
    """Names for private hosts. One below a private domain stays below it, so that patterns match as they did."""
    patterns = ",".join(evidence.settings.value(name) for name in ("GOPRIVATE", "GONOPROXY", "GONOSUMDB"))
    domains = dict.fromkeys(host for host in _HOST.findall(patterns) if not _is_example(host))
    found = {domain: f"private-{number}.example" for number, domain in enumerate(domains, 1)}
    for number, host in enumerate(_private_hosts(evidence, patterns), 1):
        above = next((domain for domain in domains if host.endswith(f".{domain}")), None)
        found.setdefault(host, f"host-{number}.{found[above]}" if above else f"private-host-{number}.example")
    return found


def _private_hosts(evidence: Evidence, patterns: str) -> list[str]:
    """Hosts that GOPRIVATE and its kin match, and those whose addresses are all private, in order of appearance."""
    addresses: dict[str, set[str]] = {}
    for name in evidence.names:
        addresses.setdefault(name.name, set()).update(name.addresses)
    for line in evidence.settings.hosts:
        for host in line.names:
            addresses.setdefault(host, set()).add(line.address)
    hosts = dict.fromkeys(
        [target.host for target in evidence.targets]
        + list(addresses)
        + [way.host for way in evidence.settings.proxying]
    )
    return [
        host
        for host in hosts
        if _HOST.fullmatch(host)
        and not _is_example(host)
        and (match_prefix_patterns(patterns, host) or _are_private(addresses.get(host, set())))
    ]


def _is_example(host: str) -> bool:
    """Names that are nobody's: those of documentation, of a lab, and of an earlier bundle."""
    return host.endswith((".example", "example.org", "example.com"))


def _are_private(addresses: set[str]) -> bool:
    return bool(addresses) and all(_is_private(address) for address in addresses)


def _is_private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return found.is_private and not found.is_loopback and not found.is_unspecified
