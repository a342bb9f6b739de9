"""What the answers of all askers for one name mean together. Different answers alone mean nothing.

A host behind a CDN has other addresses in every town. So no verdict here rests on a difference: an address is right if
a verified TLS handshake for the name succeeds on it, and a lie is called one only where the local address fails that
test and another address passes it, or where the answer cannot be anybody's.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from goferry.doctor.addresses import Kind, kind_of, sinkhole
from goferry.doctor.dns.proof import Handshake
from goferry.doctor.evidence import NameSeen
from goferry.doctor.verdict import Certainty
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure

SECOND_OPINIONS: Final = ("public", "doh")


class Finding(StrEnum):
    """What the comparison says about a name. The values are stable and never translated."""

    SOUND = "sound"
    OTHER_PLACE = "other_place"
    INTERNAL = "internal"
    INJECTED = "injected"
    WRONG_ADDRESS = "wrong_address"
    SINKHOLE = "sinkhole"
    BOGON = "bogon"
    DENIED = "denied"
    UNKNOWN_NAME = "unknown_name"
    NO_ANSWER = "no_answer"
    HOSTS_RIGHT = "hosts_right"
    HOSTS_WRONG = "hosts_wrong"
    NOT_THE_NAME = "not_the_name"
    UNPROVEN = "unproven"

    @property
    def is_fault(self) -> bool:
        """Whether something is wrong with how the name is answered here."""
        return self in _FAULTS


_FAULTS: Final = frozenset(
    {
        Finding.INJECTED,
        Finding.WRONG_ADDRESS,
        Finding.SINKHOLE,
        Finding.BOGON,
        Finding.DENIED,
        Finding.NO_ANSWER,
        Finding.HOSTS_WRONG,
    }
)

_SENTENCES: Final = {
    Finding.SOUND: N_("{name}: answered rightly: a TLS handshake for the name verified on {address}"),
    Finding.OTHER_PLACE: N_(
        "{name}: the answers differ, and {address} is right all the same (TLS verified): hosts with many addresses "
        "answer so, it is no fault"
    ),
    Finding.INTERNAL: N_(
        "{name}: answered with the private address {address}, and TLS verified there: right inside this network"
    ),
    Finding.INJECTED: N_(
        "{name}: one question got two different replies ({address} and {other}): somebody on the way answers too"
    ),
    Finding.WRONG_ADDRESS: N_(
        "{name}: {address}, which is answered here, is not the host's: TLS does not verify there and does on {other}"
    ),
    Finding.SINKHOLE: N_(
        "{name}: answered with {address}, which is known to be given in place of blocked names"
    ),
    Finding.BOGON: N_(
        "{name}: answered with {address}, where no public host can be, and TLS did not verify there"
    ),
    Finding.DENIED: N_("{name}: denied here, while others know it, for instance at {other}"),
    Finding.UNKNOWN_NAME: N_("{name}: everybody who answered says that there is no such name"),
    Finding.NO_ANSWER: N_("{name}: no configured name server gave an answer"),
    Finding.HOSTS_RIGHT: N_(
        "{name}: the hosts file decides (line {line}), and its address {address} is right (TLS verified)"
    ),
    Finding.HOSTS_WRONG: N_(
        "{name}: the hosts file (line {line}) sends it to {address}, where TLS does not verify; it does on {other}"
    ),
    Finding.NOT_THE_NAME: N_(
        "{name}: all who were asked agree on {address}, yet TLS did not verify there: look further than the name"
    ),
    Finding.UNPROVEN: N_(
        "{name}: {address} could not be proven right or wrong: TLS verified on none of the addresses"
    ),
}


@dataclass(frozen=True, slots=True)
class AddressSeen:
    """One address with who gave it and whether TLS proved it. proven None: not tried."""

    address: str
    kind: Kind
    askers: tuple[str, ...]
    proven: bool | None
    failure: str = ""
    said: Text | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "address": self.address,
            "kind": self.kind.value,
            "known_as": sinkhole(self.address),
            "askers": list(self.askers),
            "proven": self.proven,
            "failure": str(self.failure),
            "said": self.said and self.said.to_json(),
        }


@dataclass(frozen=True, slots=True)
class Compared:
    """One name: every answer, every address, and what follows."""

    name: str
    finding: Finding
    certainty: Certainty
    sentence: Text
    answers: tuple[NameSeen, ...]
    addresses: tuple[AddressSeen, ...]

    @property
    def right(self) -> frozenset[str]:
        """The addresses that TLS has proven."""
        return frozenset(each.address for each in self.addresses if each.proven)

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "finding": self.finding.value,
            "fault": self.finding.is_fault,
            "certainty": self.certainty.value,
            "sentence": self.sentence.to_json(),
            "answers": [_answer_json(seen) for seen in self.answers],
            "addresses": [each.to_json() for each in self.addresses],
        }


def _answer_json(seen: NameSeen) -> dict[str, Any]:
    return {
        "asker": seen.asker,
        "server": seen.server,
        "transport": seen.transport,
        "family": seen.family,
        "addresses": list(seen.addresses),
        "rcode": seen.rcode,
        "seconds": round(seen.seconds, 4),
        "failure": str(seen.failure),
        "text": seen.text,
        "others": list(seen.others),
        "stranger": seen.stranger,
    }


def agrees(seen: NameSeen, right: Iterable[str], local: Iterable[str]) -> bool | None:
    """Whether an answer has a right address, or, when none is proven, one of go's own; None without an address."""
    if not seen.addresses:
        return None
    return bool(set(seen.addresses) & set(right or local))


def compare(name: str, seen: Sequence[NameSeen], shakes: Sequence[Handshake]) -> Compared:
    """The comparison for one name. shakes: a handshake for each address that is to count."""
    mine = tuple(each for each in seen if each.name == name)
    addresses = _addresses(mine, {shake.address: shake for shake in shakes if shake.name == name})
    facts = _Facts(mine, addresses)
    finding, certainty, address, other = facts.judge()
    line = facts.line
    sentence = Text(_SENTENCES[finding], name=name, address=address or "-", other=other or "-", line=line)
    return Compared(name, finding, certainty, sentence, mine, addresses)


def _addresses(seen: Sequence[NameSeen], shakes: dict[str, Handshake]) -> tuple[AddressSeen, ...]:
    given: dict[str, dict[str, None]] = {}
    for each in seen:
        for address in (*each.addresses, *_literal(each.others)):
            given.setdefault(address, {})[f"{each.asker} {each.server}".strip()] = None
    return tuple(_address(address, tuple(askers), shakes.get(address)) for address, askers in given.items())


def _address(address: str, askers: tuple[str, ...], shake: Handshake | None) -> AddressSeen:
    if shake is None:
        return AddressSeen(address, kind_of(address), askers, None)
    return AddressSeen(address, kind_of(address), askers, shake.proves, shake.failure, shake.said)


def _literal(data: Iterable[str]) -> tuple[str, ...]:
    """The addresses among the data of a reply, which may also be a code."""
    return tuple(each for each in data if kind_of(each) is not Kind.INVALID)


_Judged = tuple[Finding, Certainty, str, str]


class _Facts:
    """The answers for one name, by what the judging needs of them."""

    def __init__(self, seen: Sequence[NameSeen], addresses: Sequence[AddressSeen]) -> None:
        self._go = next((each for each in seen if each.asker in ("go", "system")), None)
        self._seen = seen
        self._kinds = {each.address: each.kind for each in addresses}
        self._right = [each.address for each in addresses if each.proven]
        self.line = self._go.line if self._go else 0
        self._local = self._go.addresses if self._go else ()

    def judge(self) -> _Judged:
        if not self._local or (self._leads_nowhere() and self._elsewhere()):
            return self._without_address()
        if self.line:
            return self._from_hosts()
        right_here = [address for address in self._local if address in self._right]
        if (twice := self._two_replies()) is not None:
            return Finding.INJECTED, Certainty.CERTAIN, *twice
        return self._right_here(right_here[0]) if right_here else self._nothing_right()

    def _without_address(self) -> _Judged:
        known = [*self._right, *self._elsewhere()]
        answered = [each for each in self._seen if each.rcode]
        if known and self._is_denied():
            certainty = Certainty.CERTAIN if self._right else Certainty.LIKELY
            return Finding.DENIED, certainty, "", known[0]
        if answered and not known and all(each.rcode in ("NXDOMAIN", "NOERROR") for each in answered):
            return Finding.UNKNOWN_NAME, Certainty.LIKELY, "", ""
        return Finding.NO_ANSWER, Certainty.CERTAIN, "", known[0] if known else ""

    def _is_denied(self) -> bool:
        denials = (Failure.DNS_NOT_FOUND, Failure.DNS_REFUSED, Failure.DNS_SERVER_FAILURE)
        return self._leads_nowhere() or (self._go is not None and self._go.failure in denials)

    def _leads_nowhere(self) -> bool:
        """Whether the answer is 0.0.0.0 or ::, the "no" of blocking lists. A line of the hosts file is the user's."""
        if self.line or not self._local or set(self._local) & set(self._right):
            return False
        return all(self._kinds[address] is Kind.UNSPECIFIED for address in self._local)

    def _elsewhere(self) -> list[str]:
        """Addresses that others give."""
        return [
            address for each in self._seen for address in (*each.addresses, *_literal(each.others))
            if address not in self._local
        ]  # fmt: skip

    def _from_hosts(self) -> _Judged:
        first = self._local[0]
        right_here = [address for address in self._local if address in self._right]
        if right_here:
            return Finding.HOSTS_RIGHT, Certainty.CERTAIN, right_here[0], ""
        if self._right:
            return Finding.HOSTS_WRONG, Certainty.CERTAIN, first, self._right[0]
        return Finding.UNPROVEN, Certainty.POSSIBLE, first, ""

    def _two_replies(self) -> tuple[str, str] | None:
        """What a configured server said, and what else was said to the same question."""
        for each in self._seen:
            if each.others and each.asker == "server":
                return (each.addresses or (each.rcode,))[0], each.others[0]
        return None

    def _right_here(self, address: str) -> _Judged:
        if self._kinds[address].may_be_internal:
            return Finding.INTERNAL, Certainty.CERTAIN, address, ""
        told = [
            set(each.addresses) for each in self._seen if each.asker in SECOND_OPINIONS and each.addresses
        ]
        if any(not others & set(self._local) for others in _by_family(told, self._local)):
            return Finding.OTHER_PLACE, Certainty.CERTAIN, address, ""
        return Finding.SOUND, Certainty.CERTAIN, address, ""

    def _nothing_right(self) -> _Judged:
        first = self._local[0]
        if self._right:
            return Finding.WRONG_ADDRESS, Certainty.CERTAIN, first, self._right[0]
        for address in self._local:
            if self._kinds[address] is Kind.SINKHOLE:
                return Finding.SINKHOLE, Certainty.LIKELY, address, ""
        for address in self._local:
            if self._kinds[address].is_bogon:
                # A company may answer so for its own host, which need not speak TLS on this port.
                internal = self._kinds[address].may_be_internal
                return Finding.BOGON, Certainty.POSSIBLE if internal else Certainty.LIKELY, address, ""
        told = [each for each in self._seen if each.asker in SECOND_OPINIONS and each.addresses]
        if told and any(set(each.addresses) & set(self._local) for each in told):
            return Finding.NOT_THE_NAME, Certainty.LIKELY, first, ""
        return Finding.UNPROVEN, Certainty.POSSIBLE, first, ""


def _by_family(answers: Iterable[set[str]], local: Iterable[str]) -> Iterable[set[str]]:
    """The answers of families that the local answer has too: only these can differ."""
    families = {":" in address for address in local}
    return [answer for answer in answers if {":" in address for address in answer} <= families]
