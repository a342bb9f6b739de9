"""Certificates (R21 to R24)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row("ca_bundle_missing_or_stale", CERTAIN, needs="no_roots"),
    row("ca_bundle_missing_or_stale", LIKELY, needs="dst_root", others="server_cert_expired clock_skew"),
    row(
        "clock_skew", LIKELY,
        needs="clock_reset unknown_authority|expired|odd_certificate",
        others="ca_bundle_missing_or_stale tls_mitm_corporate_ca",
    ),
    row(
        "clock_skew", LIKELY,
        needs="not_yet|long_past",
        others="server_cert_expired tls_mitm_corporate_ca",
    ),
    row(
        "server_cert_expired", LIKELY,
        needs="expired times",
        others="clock_skew ca_bundle_missing_or_stale",
    ),
    row(
        "clock_skew", LIKELY,
        needs="expired google_host",
        others="ca_bundle_missing_or_stale tls_mitm_corporate_ca server_cert_expired",
    ),
    row("server_cert_expired", LIKELY, needs="expired", others="clock_skew ca_bundle_missing_or_stale"),
    row("revocation_check_slow", LIKELY, needs="revocation", others="tls_mitm_corporate_ca"),
    row(
        "captive_portal", LIKELY,
        needs="wrong_host portal_name",
        others="dns_hijacked hosts_file_override server_cert_wrong_host",
    ),
    row("tls_mitm_corporate_ca", LIKELY, needs="wrong_host public_host inspected", others="dns_hijacked"),
    row(
        "dns_hijacked", LIKELY,
        needs="wrong_host public_host",
        others="hosts_file_override server_cert_wrong_host tls_mitm_corporate_ca",
    ),
    row("server_cert_wrong_host", LIKELY, needs="wrong_host", others="dns_hijacked hosts_file_override"),
    row("tls_server_name_unknown", LIKELY, needs="default_certificate", others="server_cert_wrong_host"),
    row("tls_mitm_corporate_ca", LIKELY, needs="unknown_authority|odd_certificate mitm_name"),
    row("tls_mitm_corporate_ca", LIKELY, needs="odd_certificate|own_root", others="ca_bundle_missing_or_stale"),
    # Who chose a mirror near by is not inspected on the way to it; the roots of the machine are old.
    row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="no_more_said proxy near_mirror",
        lacks="mitm_name proxy_variable vpn on_runner",
        others="tls_mitm_corporate_ca clock_skew dns_hijacked",
    ),
    row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="unknown_authority on_alpine|in_sandbox",
        lacks="has_ca_package",
        others="tls_mitm_corporate_ca",
    ),
    row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="unknown_authority no_ca_file",
        others="tls_mitm_corporate_ca",
    ),
    # Pages of single authors, which were the first to change to a new authority; who reaches them was let through
    # to the module proxy before, or is in GOPATH mode.
    row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="unknown_authority import_host|redirector",
        lacks="google_host inside_host proxy_variable vpn private_name private_set",
        others="tls_mitm_corporate_ca server_cert_wrong_host clock_skew",
    ),
    row(
        "tls_mitm_corporate_ca", LIKELY,
        needs="unknown_authority",
        others="ca_bundle_missing_or_stale dns_hijacked clock_skew",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="import_host tls_internal",
        lacks="google_host inside_host",
        others="tls_server_name_unknown sni_filtered",
    ),
    row(
        "tls_server_name_unknown", LIKELY,
        needs="unrecognized_name",
        others="sni_filtered server_cert_wrong_host",
    ),
    row(
        "tls_client_certificate_required", LIKELY,
        needs="client_certificate",
        others="tls_mitm_corporate_ca",
    ),
    row(
        "middlebox_reset", LIKELY,
        needs="tls_version go_alert google_host",
        others="sni_filtered dns_hijacked tls_version_mismatch",
    ),
    row(
        "tls_version_mismatch", LIKELY,
        needs="tls_version",
        others="tls_client_certificate_required middlebox_reset tls_server_name_unknown",
    ),
    row("middlebox_reset", LIKELY, needs="bad_mac", others="transient_network"),
    # A name that everybody knows, and the address behind it is this machine: seen by ping, ssh -v or curl -v.
    row(
        "dns_hijacked", LIKELY,
        needs="public_at_home",
        others="hosts_file_override dns_negative_filter",
    ),
)  # fmt: skip
