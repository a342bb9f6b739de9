"""Addresses and ports that cannot be right, and plain http where TLS was expected (R01, R03, R18, R26, R28)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, POSSIBLE, row

ROWS: Final = (
    row(
        "git_protocol_blocked", CERTAIN,
        needs="git_port dial_timeout|dial_refused|git_port_timeout|git_denied",
        lacks="insteadof_set",
    ),
    row(
        "git_protocol_blocked", LIKELY,
        needs="git_port|git_port_timeout|ssh_timeout",
        others="git_ssh_key_refused transient_network",
    ),
    # R01, R03 an address that cannot be right
    row(
        "hosts_file_override", LIKELY,
        needs="hosts_file to_loopback|to_zero|to_private|to_forged|to_stranger",
        lacks="inside_host",
        others="dns_hijacked",
    ),
    # An answer that says "nowhere" is a filter; one that leads somewhere is a lie.
    row(
        "dns_negative_filter", LIKELY,
        needs="to_zero",
        lacks="inside_host",
        others="dns_hijacked hosts_file_override",
    ),
    row(
        "dns_hijacked", LIKELY,
        needs="to_forged|to_fake_ip",
        lacks="inside_host",
        others="hosts_file_override dns_negative_filter goproxy_host_blocked",
    ),
    row(
        "dns_hijacked", LIKELY,
        needs="public_host to_loopback|to_private",
        lacks="ip_host",
        others="hosts_file_override forward_proxy_broken",
    ),
    row(
        "hosts_file_override", LIKELY,
        needs="proxy|import_host to_loopback",
        lacks="ip_host inside_host loopback_proxy own_mirror",
        others="dns_hijacked dns_negative_filter forward_proxy_broken goproxy_host_blocked",
    ),
    # R26, R18 plain http where TLS was expected
    row("goproxy_value_malformed", LIKELY, needs="proxy http_at_https", others="goproxy_server_5xx"),
    row("vanity_host_down", POSSIBLE, needs="http_at_https import_host", others="server_cert_wrong_host"),
    row(
        "forward_proxy_wrong_scheme", POSSIBLE,
        needs="not_tls",
        others="captive_portal dns_hijacked middlebox_reset",
    ),
)  # fmt: skip
