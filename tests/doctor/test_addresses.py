"""Kinds of addresses, by the registries of special-purpose addresses and by public reports of injected answers."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.doctor.addresses import SINKHOLES, Kind, is_suspicious, kind_of, sinkhole

KINDS = [
    ("8.8.8.8", Kind.GLOBAL),
    ("2606:4700::1111", Kind.GLOBAL),
    ("0.0.0.0", Kind.UNSPECIFIED),
    ("::", Kind.UNSPECIFIED),
    ("127.0.0.53", Kind.LOOPBACK),
    ("::1", Kind.LOOPBACK),
    ("10.1.2.3", Kind.PRIVATE),
    ("172.31.255.255", Kind.PRIVATE),
    ("172.32.0.0", Kind.GLOBAL),
    ("192.168.1.1", Kind.PRIVATE),
    ("fd00::7", Kind.PRIVATE),
    ("100.64.0.1", Kind.CGNAT),
    ("100.128.0.1", Kind.GLOBAL),
    ("198.18.0.7", Kind.BENCHMARK),
    ("198.19.255.255", Kind.BENCHMARK),
    ("198.20.0.0", Kind.GLOBAL),
    ("169.254.169.254", Kind.LINK_LOCAL),
    ("fe80::1%eth0", Kind.LINK_LOCAL),
    ("192.0.2.7", Kind.DOCUMENTATION),
    ("2001:db8::7", Kind.DOCUMENTATION),
    ("2001::1f0d:5e17", Kind.TEREDO),
    ("2001:4860::8888", Kind.GLOBAL),
    ("224.0.0.251", Kind.MULTICAST),
    ("255.255.255.255", Kind.RESERVED),
    ("::ffff:192.168.1.1", Kind.PRIVATE),
    ("::ffff:8.8.8.8", Kind.GLOBAL),
    ("243.185.187.39", Kind.SINKHOLE),
    ("146.112.61.106", Kind.SINKHOLE),
    ("146.112.61.111", Kind.GLOBAL),
    ("10.10.34.34", Kind.SINKHOLE),
    ("proxy.example.org", Kind.INVALID),
    ("", Kind.INVALID),
]


@pytest.mark.parametrize(("address", "kind"), KINDS)
def test_each_address_has_one_kind(address: str, kind: Kind) -> None:
    assert kind_of(address) is kind
    assert is_suspicious(address) is (kind is not Kind.GLOBAL)


@given(st.ip_addresses())
def test_what_the_registries_call_private_is_never_called_global(address: ipaddress.IPv4Address) -> None:
    if address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast:
        assert kind_of(str(address)).is_bogon


@pytest.mark.parametrize("address", SINKHOLES)
def test_sinkholes_are_addresses_in_their_plain_form(address: str) -> None:
    assert str(ipaddress.ip_address(address)) == address
    assert sinkhole(address)


def test_only_addresses_of_ones_own_may_be_internal() -> None:
    assert {kind for kind in Kind if kind.may_be_internal} == {
        Kind.PRIVATE,
        Kind.CGNAT,
        Kind.BENCHMARK,
        Kind.LOOPBACK,
        Kind.LINK_LOCAL,
    }
