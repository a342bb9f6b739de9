"""resolv.conf, hosts and nsswitch.conf as Go's resolver reads them."""

import pytest

from goferry.doctor.evidence import HostsLine, ResolvConf
from goferry.doctor.settings.names import go_order, hosts_of, parse_hosts, parse_nsswitch, parse_resolv_conf

# Vectors: facts from net/testdata/*resolv.conf and net/dnsconfig_unix_test.go of the Go standard library
# (BSD-3-Clause).
RESOLV: list[tuple[str, ResolvConf]] = [
    (
        "# /etc/resolv.conf\n\ndomain localdomain\nnameserver 8.8.8.8\nnameserver 2001:4860:4860::8888\n"
        "nameserver fe80::1%lo0\noptions ndots:5 timeout:10 attempts:3 rotate\n",
        ResolvConf(
            True,
            ("8.8.8.8:53", "[2001:4860:4860::8888]:53", "[fe80::1%lo0]:53"),
            ("localdomain.",),
            ndots=5,
            timeout=10.0,
            attempts=3,
        ),
    ),
    ("domain localdomain\nnameserver 8.8.8.8\n", ResolvConf(True, ("8.8.8.8:53",), ("localdomain.",))),
    (
        "search test invalid\ndomain localdomain\nnameserver 8.8.8.8\n",
        ResolvConf(True, ("8.8.8.8:53",), ("localdomain.",)),
    ),
    (
        "domain localdomain\nsearch test invalid\nnameserver 8.8.8.8\n",
        ResolvConf(True, ("8.8.8.8:53",), ("test.", "invalid.")),
    ),
    ("nameserver 8.8.8.8\nsearch .\n", ResolvConf(True, ("8.8.8.8:53",))),
    ("", ResolvConf(True)),
    ("options ndots:invalid\nnameserver 8.8.8.8\n", ResolvConf(True, ("8.8.8.8:53",), ndots=0)),
    ("options ndots:16\n", ResolvConf(True, ndots=15)),
    ("options ndots:-1\n", ResolvConf(True, ndots=0)),
    ("options use-vc single-request edns0 trust-ad no-reload\n", ResolvConf(True, use_tcp=True)),
    ("lookup file bind\nnameserver 169.254.169.254\n", ResolvConf(True, ("169.254.169.254:53",))),
]
# Measured rules that the files above do not show.
RESOLV += [
    (
        "nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\n",
        ResolvConf(True, ("1.1.1.1:53", "2.2.2.2:53", "3.3.3.3:53")),
    ),
    ("nameserver dns.example.org\n", ResolvConf(True)),
    ("nameserver\n;nameserver 1.1.1.1\n  nameserver 2.2.2.2\n", ResolvConf(True, ("2.2.2.2:53",))),
    ("options timeout:0 attempts:0\n", ResolvConf(True, timeout=1.0, attempts=1)),
    (
        "options inet6 debug\nsortlist 10.0.0.0\n",
        ResolvConf(True, unknown_options=("inet6", "debug", "sortlist")),
    ),
    ("nameserver 1.1.1.1\r\n", ResolvConf(True, ("1.1.1.1:53",))),
]


@pytest.mark.parametrize(("text", "want"), RESOLV)
def test_resolv_conf_is_read_as_go_reads_it(text: str, want: ResolvConf) -> None:
    assert parse_resolv_conf(text) == want


def test_no_file_is_told_from_an_empty_one() -> None:
    assert parse_resolv_conf(None) == ResolvConf(exists=False)


def test_hosts_lines_are_counted_and_comments_dropped() -> None:
    text = "# 1.2.3.4 no\n127.0.0.1\tlocalhost  Box # loop\r\nfe80::1%lo0 localhost\n1.2.3.4\nx y\n::1 a a.example.\n"
    assert parse_hosts(text) == (
        HostsLine("127.0.0.1", ("localhost", "Box"), 2),
        HostsLine("fe80::1%lo0", ("localhost",), 3),
        HostsLine("::1", ("a", "a.example."), 6),
    )


def test_several_lines_for_a_name_add_up_whatever_their_case() -> None:
    lines = parse_hosts("1.1.1.1 Proxy.Example.org\n2.2.2.2 other\n3.3.3.3 x proxy.example.org.\n")
    assert [line.line for line in hosts_of(lines, "proxy.example.ORG")] == [1, 3]


@pytest.mark.parametrize(
    ("text", "sources", "order"),
    [
        ("hosts: files dns", ("files", "dns"), ("files", "dns")),
        ("hosts: dns files\n", ("dns", "files"), ("dns", "files")),
        ("hosts: dns", ("dns",), ("dns",)),
        ("", (), ("files", "dns")),
        ("foo: bar", (), ("files", "dns")),
        ("hosts:\tfiles mdns dns # x", ("files", "mdns", "dns"), ("files", "dns")),
        (
            "passwd: files\nhosts: files mdns4_minimal [NOTFOUND=return] dns mdns4",
            ("files", "mdns4_minimal", "[NOTFOUND=return]", "dns", "mdns4"),
            ("files", "dns"),
        ),
        ("hosts: files[NOTFOUND=return]dns", ("files", "[NOTFOUND=return]", "dns"), ("files", "dns")),
        ("hosts: dns files something_custom", ("dns", "files", "something_custom"), ("dns", "files")),
        ("hosts: files resolve", ("files", "resolve"), ("files", "dns")),
        ("hosts: resolve files", ("resolve", "files"), ("dns", "files")),
        ("hosts: files", ("files",), ("files",)),
        ("#hosts: dns", (), ("files", "dns")),
    ],
)
def test_nsswitch_decides_the_order(text: str, sources: tuple[str, ...], order: tuple[str, ...]) -> None:
    assert parse_nsswitch(text) == sources
    assert go_order(parse_nsswitch(text)) == order
