"""The forward proxy (R13 to R18)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row("forward_proxy_wrong_scheme", CERTAIN, needs="proxyconnect not_tls|http_at_https|tls_at_http"),
    row("forward_proxy_wrong_scheme", LIKELY, needs="tls_at_http", others="forward_proxy_broken"),
    row(
        "forward_proxy_wrong_scheme", LIKELY,
        needs="not_tls proxy_variable_https",
        others="forward_proxy_broken",
    ),
    row(
        "forward_proxy_auth_required", LIKELY,
        needs="proxy_wants_login|bare_407",
        lacks="status_404 status_403 status_5xx",
        others="forward_proxy_denied forward_proxy_broken",
    ),
    row(
        "no_proxy_missing", LIKELY,
        needs="bare_gateway|proxy_gateway|bare_phrase inside_host",
        lacks="said",
        others="forward_proxy_overloaded forward_proxy_denied",
    ),
    row("forward_proxy_denied", LIKELY, needs="proxy_says_no", others="sandbox_no_network"),
    row(
        "forward_proxy_denied", LIKELY,
        needs="not_allowed|said_not_allowed",
        others="sandbox_no_network zip_storage_forbidden",
    ),
    row(
        "forward_proxy_denied", LIKELY,
        needs="bare_phrase",
        lacks="said",
        others="goproxy_host_blocked forward_proxy_auth_required",
    ),
    row(
        "forward_proxy_overloaded", LIKELY,
        needs="bare_gateway|proxy_gateway",
        lacks="said",
        others="forward_proxy_broken no_proxy_missing forward_proxy_denied",
    ),
    row(
        "forward_proxy_loopback_in_container", LIKELY,
        needs="proxyconnect to_loopback in_container",
        others="forward_proxy_broken",
    ),
    row(
        "forward_proxy_loopback_in_container", LIKELY,
        needs="loopback_proxy dial_refused in_container",
        others="forward_proxy_broken",
    ),
    row(
        "tls_mitm_corporate_ca", LIKELY,
        needs="proxyconnect unknown_authority",
        others="forward_proxy_wrong_scheme",
    ),
    row(
        "forward_proxy_broken", LIKELY,
        needs="proxyconnect",
        others="forward_proxy_loopback_in_container forward_proxy_overloaded forward_proxy_wrong_scheme",
    ),
    row(
        "forward_proxy_broken", LIKELY,
        needs="loopback_proxy dial_refused|dial_timeout|reset|eof|hung_up",
        others="forward_proxy_loopback_in_container transient_network",
    ),
    row("forward_proxy_broken", LIKELY, needs="socks_fault", others="forward_proxy_denied"),
    row("forward_proxy_broken", LIKELY, needs="bare_other", lacks="said", others="forward_proxy_denied"),
    row(
        "forward_proxy_broken", LIKELY,
        needs="odd_port reset|eof|broken_pipe|tls_timeout",
        lacks="own_mirror",
        others="middlebox_reset forward_proxy_denied",
    ),
    row(
        "forward_proxy_broken", LIKELY,
        needs="tunnel_eof",
        lacks="own_mirror",
        others="middlebox_reset transient_network forward_proxy_wrong_scheme",
    ),
    row(
        "forward_proxy_broken", LIKELY,
        needs="dials_another",
        others="forward_proxy_loopback_in_container",
    ),
)  # fmt: skip
