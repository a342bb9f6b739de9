"""A device is told by the hop from which on a name is treated unlike another."""

from collections.abc import Sequence

import pytest

from goferry.doctor.evidence import HopSeen
from goferry.doctor.hops import Struck, where_answers_end, where_struck

HOST, PORT, FAR = "module.example", 443, "192.0.2.9"
ROUTERS = ("10.0.0.1", "10.0.0.2", "", FAR)
EXPIRED = ("", "expired")
RESET = ("", "reset")
SILENCE = ("", "")
ANSWER = (FAR, "")


def syn(*answers: str, target: str = FAR) -> list[HopSeen]:
    return [HopSeen(HOST, PORT, ttl, address, 0.01, target=target) for ttl, address in enumerate(answers, 1)]


def hello(sni: str, *reactions: tuple[str, str], target: str = FAR) -> list[HopSeen]:
    return [
        HopSeen(HOST, PORT, ttl, address, 0.01, "hello", sni, failure, target)
        for ttl, (address, failure) in enumerate(reactions, 1)
    ]


NEUTRAL = hello("example.com", EXPIRED, EXPIRED, EXPIRED, ANSWER)


@pytest.mark.parametrize(
    ("named", "expected"),
    [
        pytest.param((EXPIRED, EXPIRED, EXPIRED, ANSWER), None, id="nowhere"),
        pytest.param((EXPIRED, SILENCE, EXPIRED, ANSWER), None, id="a router that says nothing once"),
        pytest.param(
            (EXPIRED, RESET, RESET, RESET), Struck(2, "10.0.0.1", "10.0.0.2", "reset", 4), id="on the way"
        ),
        pytest.param((EXPIRED, EXPIRED, SILENCE, SILENCE), Struck(3, "10.0.0.2", "", "", 4), id="silence"),
        pytest.param(
            (RESET, RESET, RESET, RESET), Struck(1, "", "10.0.0.1", "reset", 4), id="at the first hop"
        ),
        pytest.param((EXPIRED, EXPIRED, EXPIRED, RESET), Struck(4, "", FAR, "reset", 4), id="at the host"),
    ],
)
def test_the_first_hop_that_treats_the_name_otherwise_is_the_place(
    named: Sequence[tuple[str, str]], expected: Struck | None
) -> None:
    found = where_struck([*syn(*ROUTERS), *hello(HOST, *named), *NEUTRAL], HOST, PORT)
    assert found == expected
    assert found is None or found.is_at_the_host is (found.ttl == 4)


def test_a_path_on_which_every_name_is_reset_has_no_filter_of_names() -> None:
    both = [hello(sni, EXPIRED, RESET, RESET, RESET) for sni in (HOST, "example.com")]
    assert where_struck([*syn(*ROUTERS), *both[0], *both[1]], HOST, PORT) is None


def test_addresses_of_one_host_are_looked_at_apart() -> None:
    other = "192.0.2.10"
    sound = [*syn(*ROUTERS), *hello(HOST, EXPIRED, EXPIRED, EXPIRED, ANSWER), *NEUTRAL]
    struck = [
        *syn("10.0.0.1", other, target=other),
        *hello(HOST, EXPIRED, RESET, target=other),
        *hello("example.com", EXPIRED, (other, ""), target=other),
    ]
    assert where_struck([*sound, *struck], HOST, PORT) == Struck(2, "10.0.0.1", other, "reset", 2)
    assert where_struck([*sound, *struck], HOST, 8443) is None


@pytest.mark.parametrize(
    ("answers", "last"),
    [(ROUTERS, None), (("10.0.0.1", "10.0.0.2", ""), 2), (("", "", ""), None), ((), None)],
)
def test_answers_end_at_the_last_router_before_a_silent_host(
    answers: Sequence[str], last: int | None
) -> None:
    found = where_answers_end(syn(*answers), HOST, PORT)
    assert (found and found.ttl) == last
