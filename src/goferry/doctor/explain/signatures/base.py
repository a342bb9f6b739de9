"""One signature: which facts together speak for which cause, and how surely."""

from dataclasses import dataclass
from typing import Final

from goferry.doctor.verdict import Certainty

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE


@dataclass(frozen=True, slots=True)
class Signature:
    """needs: sets of tags of each of which one must be there; lacks: tags none of which may be there.

    weak: it counts only when no message has a signature that is not.
    """

    cause: str
    certainty: Certainty
    needs: tuple[frozenset[str], ...]
    lacks: frozenset[str]
    others: tuple[str, ...]
    weak: bool = False

    def fits(self, tags: frozenset[str]) -> bool:
        return self.lacks.isdisjoint(tags) and not any(need.isdisjoint(tags) for need in self.needs)


def row(
    cause: str, certainty: Certainty, *, needs: str, lacks: str = "", others: str = "", weak: bool = False
) -> Signature:
    """One line of the table, in words: blanks between tags, and `a|b` where one of several is enough."""
    choices = tuple(frozenset(need.split("|")) for need in needs.split())
    return Signature(cause, certainty, choices, frozenset(lacks.split()), tuple(others.split()), weak)


# What else several texts could be, the likeliest first.
BLOCKED: Final = (
    "transient_network ipv6_path_broken forward_proxy_broken sandbox_no_network dns_hijacked "
    "goproxy_setting_not_effective no_proxy_black_hole"
)
CUT: Final = "transient_network goproxy_host_blocked sni_filtered forward_proxy_broken server_closed_silently"
NAMES: Final = "sandbox_no_network transient_network dns_no_resolv_conf dns_negative_filter"
GIT_LOGIN: Final = "repo_private_or_deleted_upstream module_path_wrong goprivate_not_set"
