"""The connection to the module proxy (R08, R09)."""

from typing import Final

from goferry.doctor.explain.signatures.base import BLOCKED, CUT, LIKELY, POSSIBLE, row

ROWS: Final = (
    row(
        "zip_storage_forbidden", LIKELY,
        needs="zip storage dial_timeout|dial_refused|tls_timeout|reset|eof",
        others="goproxy_host_blocked transient_network",
    ),
    row(
        "goproxy_setting_not_effective", LIKELY,
        needs="proxy not_overridden google_host dial_timeout|dial_refused|tls_timeout|deadline|reset|eof|old_timeout",
        others="goproxy_host_blocked",
    ),
    row(
        "goproxy_setting_not_effective", LIKELY,
        needs="proxy goproxy_elsewhere dial_timeout|dial_refused|tls_timeout|deadline|reset|eof",
        lacks="own_mirror",
        others="goproxy_host_blocked",
    ),
    row(
        "tls_large_clienthello", LIKELY,
        needs="small_hello_helps tls_timeout|reset|eof|read_timeout",
        others="middlebox_reset mtu_blackhole",
    ),
    row(
        "ipv6_path_broken", LIKELY,
        needs="ipv6 unreachable|no_route|broken_pipe|read_timeout",
        others="goproxy_host_blocked direct_host_blocked",
    ),
    row(
        "ipv6_path_broken", LIKELY,
        needs="read_tcp6",
        lacks="reset",
        others="middlebox_reset transient_network",
    ),
    row(
        "sandbox_no_network", LIKELY,
        needs="unreachable",
        lacks="ipv6 said",
        others="transient_network dns_resolver_unreachable ipv6_path_broken",
    ),
    row(
        "transient_network", LIKELY,
        needs="proxy on_runner dial_timeout|tls_timeout|deadline|reset|old_timeout|body_eof",
        lacks="in_china own_mirror",
        others="goproxy_server_5xx goproxy_host_blocked",
    ),
    row(
        "mtu_blackhole", LIKELY,
        needs="tls_timeout mtu_word",
        others="tls_large_clienthello transient_network goproxy_host_blocked",
    ),
    row(
        "ipv6_path_broken", LIKELY,
        needs="tls_timeout tries_ipv6",
        others="tls_large_clienthello mtu_blackhole",
    ),
    row(
        "tls_large_clienthello", POSSIBLE,
        needs="tls_timeout go_new",
        lacks="in_china import_host",
        others="mtu_blackhole goproxy_host_blocked sni_filtered transient_network",
    ),
    row(
        "transient_network", LIKELY,
        needs="proxy flaky dial_timeout|tls_timeout|dial_refused",
        lacks="in_china own_mirror",
        others="goproxy_host_blocked",
    ),
    row(
        "goproxy_host_blocked", LIKELY,
        needs="proxy dial_timeout|dial_refused",
        lacks="own_mirror",
        others=BLOCKED,
    ),
    row(
        "goproxy_host_blocked", POSSIBLE,
        needs="proxy dial_timeout|dial_refused",
        others="goproxy_server_5xx no_proxy_missing no_proxy_black_hole transient_network",
    ),
    # Where Google is filtered the connection fails before TLS; reports of a handshake that was late passed.
    row(
        "transient_network", LIKELY,
        needs="proxy google_host tls_timeout",
        lacks="in_china own_mirror goproxy_elsewhere",
        others="goproxy_host_blocked tls_large_clienthello mtu_blackhole sni_filtered ipv6_path_broken",
    ),
    # Nobody filters the name of a mirror that only a few know: the handshake is lost on a tunnel or a bridge.
    row(
        "mtu_blackhole", POSSIBLE,
        needs="proxy tls_timeout",
        lacks="public_host in_china goproxy_elsewhere flaky",
        others="goproxy_host_blocked tls_large_clienthello sni_filtered ipv6_path_broken transient_network",
    ),
    row(
        "goproxy_host_blocked", LIKELY,
        needs="proxy tls_timeout",
        others="tls_large_clienthello mtu_blackhole sni_filtered transient_network ipv6_path_broken",
    ),
    # Without an address the time was over while the name was still looked up: a filter lets that pass.
    row(
        "transient_network", POSSIBLE,
        needs="proxy old_timeout google_host",
        lacks="in_china",
        others="dns_resolver_unreachable goproxy_host_blocked goproxy_server_5xx",
    ),
    row(
        "forward_proxy_overloaded", LIKELY,
        needs="proxy bare_deadline",
        lacks="dialled",
        others="forward_proxy_broken goproxy_host_blocked transient_network",
    ),
    row(
        "goproxy_host_blocked", POSSIBLE,
        needs="proxy old_timeout|no_route|deadline|invalid_argument",
        others="transient_network dns_resolver_unreachable goproxy_server_5xx forward_proxy_overloaded",
    ),
    row(
        "forward_proxy_broken", LIKELY,
        needs="proxy eof proxy_variable|vpn",
        lacks="body_eof",
        others="middlebox_reset",
    ),
    row(
        "transient_network", LIKELY,
        needs="proxy flaky reset|eof|body_eof|broken_pipe|read_timeout",
        others="middlebox_reset server_closed_silently",
    ),
    row("middlebox_reset", LIKELY, needs="proxy reset|broken_pipe", others=CUT),
    row(
        "middlebox_reset", LIKELY,
        needs="proxy eof",
        lacks="body_eof",
        others="forward_proxy_broken server_closed_silently transient_network",
    ),
    row(
        "transient_network", POSSIBLE,
        needs="proxy body_eof|read_timeout",
        others="middlebox_reset server_closed_silently mtu_blackhole",
    ),
)  # fmt: skip
