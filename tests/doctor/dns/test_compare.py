"""What answers mean together: a difference is no fault, and a lie is called one only with a proof or a sure sign."""

from pathlib import Path

import pytest

from goferry.doctor.dns.compare import Compared, Finding, agrees, compare
from goferry.doctor.dns.proof import Handshake
from goferry.doctor.dns.remedies import Advice
from goferry.doctor.evidence import NameSeen
from goferry.doctor.verdict import Certainty

NAME = "module.example.org"
# Addresses of hosts that the tests never connect to: two public ones, one sinkhole, one of a company.
HERE, THERE, SINK, INSIDE = "8.8.4.4", "9.9.9.9", "93.46.8.89", "10.1.2.3"
NOT_FOUND, REFUSED, TIMEOUT = "dns_not_found", "dns_refused", "dns_timeout"


def go(*addresses: str, failure: str = "", line: int = 0) -> NameSeen:
    return NameSeen(NAME, "go", addresses=addresses, failure=failure, line=line)


def server(*addresses: str, rcode: str = "NOERROR", others: tuple[str, ...] = ()) -> NameSeen:
    return NameSeen(NAME, "server", "192.0.2.53:53", "udp", 4, addresses, rcode, others=others)


def public(*addresses: str, rcode: str = "NOERROR", others: tuple[str, ...] = ()) -> NameSeen:
    return NameSeen(NAME, "public", "192.0.2.54:53", "udp", 4, addresses, rcode, others=others)


CASES = [
    # answers, addresses that TLS proves, finding, certainty
    ([go(HERE), server(HERE), public(HERE)], [HERE], "sound", "certain"),
    ([go(HERE), server(HERE)], [HERE], "sound", "certain"),
    ([go(HERE), server(HERE), public(THERE)], [HERE, THERE], "other_place", "certain"),
    # The CDN's other address does not even answer: still no fault, the local one is right.
    ([go(HERE), server(HERE), public(THERE)], [HERE], "other_place", "certain"),
    ([go(INSIDE), server(INSIDE), public(rcode="NXDOMAIN")], [INSIDE], "internal", "certain"),
    ([go(HERE), server(HERE), public(THERE)], [THERE], "wrong_address", "certain"),
    ([go(INSIDE), server(INSIDE), public(THERE)], [THERE], "wrong_address", "certain"),
    ([go(SINK), server(SINK)], [], "sinkhole", "likely"),
    ([go("127.0.0.1"), server("127.0.0.1")], [], "bogon", "possible"),
    ([go("0.0.0.0"), server("0.0.0.0")], [], "bogon", "likely"),
    ([go(HERE), server(HERE), public(THERE)], [], "unproven", "possible"),
    ([go(HERE), server(HERE), public(HERE)], [], "not_the_name", "likely"),
    ([go(HERE), server(HERE, others=(THERE,))], [HERE], "injected", "certain"),
    ([go(SINK), server(SINK, others=(HERE,))], [HERE], "injected", "certain"),
    ([go(HERE), server(HERE, others=("NXDOMAIN",))], [HERE], "injected", "certain"),
    # Who meddles with questions to others leaves this machine's own answer right.
    ([go(HERE), server(HERE), public(SINK, others=(HERE,))], [HERE], "other_place", "certain"),
    ([go(SINK), server(SINK), public(SINK, others=(HERE,))], [HERE], "wrong_address", "certain"),
    ([go(failure=NOT_FOUND), server(rcode="NXDOMAIN"), public(THERE)], [THERE], "denied", "certain"),
    ([go("0.0.0.0"), server("0.0.0.0"), public(THERE)], [THERE], "denied", "certain"),
    ([go("0.0.0.0", line=3), server(THERE)], [THERE], "hosts_wrong", "certain"),
    ([go(failure=REFUSED), server(rcode="REFUSED"), public(THERE)], [], "denied", "likely"),
    ([go(failure=NOT_FOUND), server(rcode="NXDOMAIN")], [], "unknown_name", "likely"),
    ([go(failure=NOT_FOUND), server(rcode="NXDOMAIN"), public(rcode="NXDOMAIN")], [], "unknown_name", "likely"),
    ([go(failure=TIMEOUT), server(rcode="")], [], "no_answer", "certain"),
    ([go(failure=TIMEOUT), server(rcode=""), public(THERE)], [THERE], "no_answer", "certain"),
    ([go(failure="dns_server_failure"), server(rcode="SERVFAIL")], [], "no_answer", "certain"),
    ([go(HERE, line=3), server(THERE)], [HERE], "hosts_right", "certain"),
    ([go(HERE, line=3), server(THERE)], [THERE], "hosts_wrong", "certain"),
    ([go(HERE, line=3), server(THERE)], [], "unproven", "possible"),
]  # fmt: skip


def compared(answers: list[NameSeen], right: list[str]) -> Compared:
    every = {
        address for each in answers for address in (*each.addresses, *each.others) if address[0].isdigit()
    }
    shakes = [Handshake(NAME, each, 0.01, "" if each in right else "tls_wrong_host") for each in every]
    return compare(NAME, answers, shakes)


@pytest.mark.parametrize(("answers", "right", "finding", "certainty"), CASES)
def test_the_finding_for_a_set_of_answers(
    answers: list[NameSeen], right: list[str], finding: str, certainty: str
) -> None:
    found = compared(answers, right)
    assert (found.finding, found.certainty) == (Finding(finding), Certainty(certainty))
    assert found.right == set(right)
    assert str(found.sentence).startswith(f"{NAME}: ")
    assert "{" not in str(found.sentence)


@pytest.mark.parametrize("answers", [case[0] for case in CASES])
def test_an_address_that_is_right_here_is_never_called_wrong(answers: list[NameSeen]) -> None:
    local = list(answers[0].addresses)
    found = compared(answers, local)
    if local and found.finding is not Finding.INJECTED:
        assert not found.finding.is_fault


def test_answers_about_other_names_do_not_count() -> None:
    other = NameSeen("other.example.org", "public", addresses=(SINK,))
    assert [each.address for each in compared([go(HERE), other], [HERE]).addresses] == [HERE]


def test_a_system_resolver_stands_in_where_go_has_none() -> None:
    system = NameSeen(NAME, "system", addresses=(HERE,))
    assert compared([system, public(HERE)], [HERE]).finding is Finding.SOUND


@pytest.mark.parametrize(
    ("addresses", "right", "want"),
    [
        ((HERE,), [HERE], True),
        ((THERE,), [HERE], False),
        ((), [HERE], None),
        ((THERE,), [], False),
        ((HERE,), [], True),
    ],
)
def test_an_answer_agrees_with_what_is_proven_or_else_with_gos(
    addresses: tuple[str, ...], right: list[str], want: bool | None
) -> None:
    assert agrees(public(*addresses), right, [HERE]) is want


def test_the_json_form_names_everything_by_stable_words() -> None:
    found = compared([go(SINK), server(SINK), public(HERE)], [HERE]).to_json()
    assert (found["finding"], found["fault"], found["certainty"]) == ("wrong_address", True, "certain")
    assert {each["address"]: (each["kind"], each["proven"]) for each in found["addresses"]} == {
        SINK: ("sinkhole", False),
        HERE: ("global", True),
    }
    assert found["addresses"][0]["known_as"] == "injected answers seen in China"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_finding_and_every_advice_is_in_the_guide(language: str) -> None:
    guide = (Path(__file__).parents[3] / "docs" / language / "names.md").read_text("utf-8")
    assert [each for each in Finding if f"| `{each}` |" not in guide] == []
    assert [each for each in Advice if f"`{each}`" not in guide] == []
