"""Answers of the module proxy (R32, R33, R35, R36, R39, R40)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, POSSIBLE, row

ROWS: Final = (
    row(
        "http2_server_fault", LIKELY,
        needs="stream",
        lacks="code_host dialled",
        others="transient_network middlebox_reset",
    ),
    row("zip_storage_forbidden", CERTAIN, needs="vpc"),
    row(
        "goproxy_comma_no_fallback", LIKELY,
        needs="proxy own_mirror comma_behind_it status_403|status_5xx|status_401|status_400",
        others="goproxy_server_5xx goproxy_lacks_vcs_credentials",
    ),
    row(
        "goproxy_comma_no_fallback", LIKELY,
        needs=(
            "proxy mirror_behind_it dial_timeout|dial_refused|tls_timeout|old_timeout|dns_none|no_route|reset|eof|"
            "status_403|status_5xx|status_401"
        ),
        lacks="said public_host",
        others="goproxy_host_blocked goproxy_server_5xx dns_resolver_unreachable",
    ),
    # A mirror at an address of one's own, and others behind the comma: out of the company it does not answer.
    row(
        "goproxy_comma_no_fallback", LIKELY,
        needs="proxy mirrors_by_comma to_private dial_timeout|dial_refused|no_route",
        lacks="said public_host",
        others="goproxy_host_blocked goproxy_server_5xx",
    ),
    # Who wonders about the way back was stopped by the comma; without that word the entry itself is in question.
    row(
        "goproxy_comma_no_fallback", LIKELY,
        needs="proxy comma_list fallback_word dial_timeout|dial_refused|tls_timeout|old_timeout|status_5xx|status_403",
        lacks="said in_china",
        others="goproxy_host_blocked goproxy_server_5xx transient_network",
    ),
    row(
        "zip_storage_forbidden", LIKELY,
        needs="proxy zip status_403",
        lacks="own_mirror no_url",
        others="goproxy_comma_no_fallback forward_proxy_denied goproxy_host_blocked",
    ),
    row(
        "reverse_proxy_no_live_upstream", LIKELY,
        needs="no_live|said_no_live",
        others="goproxy_server_5xx",
    ),
    # as the reverse proxy itself logs it
    row(
        "reverse_proxy_timeout", LIKELY,
        needs="upstream_late",
        others="goproxy_server_5xx goproxy_upstream_unreachable",
    ),
    row(
        "reverse_proxy_timeout", LIKELY,
        needs="proxy gateway_timeout said_html",
        lacks="dialled",
        others="goproxy_server_5xx goproxy_upstream_unreachable",
    ),
    row(
        "goproxy_server_5xx", LIKELY,
        needs="proxy gateway_timeout",
        lacks="dialled",
        others="reverse_proxy_timeout goproxy_upstream_unreachable",
    ),
    # A mirror of one's own, asked for a module of one's own: it could not log in where that lies.
    row(
        "goproxy_lacks_vcs_credentials", POSSIBLE,
        needs="proxy own_mirror status_500 private_name|module_inside_host",
        lacks="dialled said",
        others="goproxy_server_5xx goproxy_upstream_unreachable goprivate_not_set",
    ),
    row(
        "goproxy_server_5xx", LIKELY,
        needs="proxy status_5xx",
        lacks="dialled vendor_gap",
        others="goproxy_upstream_unreachable transient_network goproxy_comma_no_fallback",
    ),
    # A mirror for everybody asks nobody for a password: that is somebody on the way.
    row(
        "forward_proxy_denied", LIKELY,
        needs="proxy public_host status_401",
        lacks="own_mirror",
        others="goproxy_comma_no_fallback captive_portal tls_mitm_corporate_ca",
    ),
    row(
        "goproxy_lacks_vcs_credentials", POSSIBLE,
        needs="proxy own_mirror status_401|status_403",
        others="goproxy_comma_no_fallback forward_proxy_denied",
    ),
    # The default proxy forbids nothing by itself: where the client is, is what it forbids.
    row(
        "goproxy_host_blocked", POSSIBLE,
        needs="proxy google_host status_403|status_451",
        others="zip_storage_forbidden forward_proxy_denied goproxy_comma_no_fallback",
    ),
    row(
        "goproxy_comma_no_fallback", POSSIBLE,
        needs="proxy status_403|status_401|status_451",
        others="zip_storage_forbidden forward_proxy_denied goproxy_host_blocked",
    ),
    row(
        "captive_portal", POSSIBLE,
        needs="proxy|not_json html",
        others="goproxy_value_malformed goproxy_server_5xx",
    ),
    row("toolchain_not_available", LIKELY, needs="toolchain status_404"),
    row(
        "unknown_revision", LIKELY,
        needs="proxy status_404 odd_pseudo|placeholder",
        others="goproxy_lacks_module_no_direct",
    ),
    row(
        "unknown_revision", LIKELY,
        needs="proxy status_404 unknown_elsewhere",
        lacks="said_unknown_revision",
        others="goproxy_lacks_module_no_direct mirror_lag_negative_cache module_path_wrong",
    ),
    # go asks for the zip of what it has got the go.mod of: a mirror for everybody has lost it.
    row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy zip status_404 public_host",
        lacks="no_url private_name module_inside_host",
        others="mirror_lag_negative_cache goproxy_lacks_module_no_direct unknown_revision",
    ),
    # With `direct` in the list its error is the one that go shows: a 404 of the proxy in its place means there is none.
    row(
        "goproxy_lacks_module_no_direct", LIKELY,
        needs="proxy status_404",
        others=(
            "mirror_lag_negative_cache unknown_revision goprivate_not_set module_path_wrong "
            "goproxy_lacks_vcs_credentials"
        ),
    ),
    row("goproxy_server_5xx", LIKELY, needs="proxy redirects", others="captive_portal"),
    row(
        "goproxy_lacks_module_no_direct", LIKELY,
        needs="file_proxy_miss",
        others="goproxy_setting_not_effective mirror_lag_negative_cache unknown_revision",
    ),
    row(
        "goproxy_server_5xx", LIKELY,
        needs="served_5xx",
        others="goproxy_upstream_unreachable goproxy_lacks_vcs_credentials unknown_revision",
    ),
    row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy malformed_http",
        others="http2_server_fault goproxy_value_malformed forward_proxy_broken",
    ),
    row("goproxy_server_5xx", LIKELY, needs="odd_answer", lacks="html", others="captive_portal"),
    row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy bad_gzip",
        others="transient_network captive_portal forward_proxy_broken",
    ),
    # The default proxy calls a request bad whose version cannot be.
    row(
        "unknown_revision", POSSIBLE,
        needs="proxy google_host status_400",
        others="goproxy_server_5xx goproxy_upstream_unreachable",
    ),
    row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy status_400",
        others="goproxy_upstream_unreachable unknown_revision",
    ),
)  # fmt: skip
