"""The checksum database, and what it contradicts (R37, R38)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row(
        "local_disk_or_permission", LIKELY,
        needs="mismatch empty_file",
        others="goproxy_sumdb_mirror_broken checksum_mismatch_retagged",
    ),
    row(
        "checksum_mismatch_retagged", CERTAIN,
        needs="mismatch mismatch_sumdb",
        others="goproxy_sumdb_mirror_broken",
    ),
    row(
        "checksum_mismatch_retagged", LIKELY,
        needs="mismatch sum_words",
        others="goproxy_sumdb_mirror_broken",
    ),
    row(
        "http2_server_fault", LIKELY,
        needs="sumdb stream",
        others="goproxy_sumdb_mirror_broken transient_network",
    ),
    row(
        "goprivate_not_set", LIKELY,
        needs="sumdb said_unknown_revision inside_host|ip_host|private_name|module_inside_host",
        others="unknown_revision goproxy_sumdb_mirror_broken mirror_lag_negative_cache",
    ),
    # To be verified it had to be there: the database asked before it was, or somebody else's copy was asked.
    row(
        "mirror_lag_negative_cache", LIKELY,
        needs="sumdb said_unknown_revision release",
        lacks="said_git_prompt",
        others="unknown_revision goprivate_not_set",
    ),
    row(
        "unknown_revision", LIKELY,
        needs="sumdb said_unknown_revision",
        lacks="said_git_prompt",
        others="mirror_lag_negative_cache goprivate_not_set",
    ),
    row(
        "goprivate_not_set", LIKELY,
        needs=(
            "sumdb said_git_prompt|said_dns_none|said_unrecognized_import|said_repo_missing|said_ssh_key|"
            "said_git_port_timeout"
        ),
        others="repo_private_or_deleted_upstream git_credentials_missing",
    ),
    row(
        "goproxy_upstream_unreachable", LIKELY,
        needs="said_fetch_late",
        others="goproxy_server_5xx mirror_lag_negative_cache",
    ),
    row(
        "goproxy_upstream_unreachable", LIKELY,
        needs="sumdb said_dial_timeout|said_dial_refused|said_dns_unable|said_reset|said_hung_up|said_git_5xx",
        lacks="said_dns_none",
        others="mirror_lag_negative_cache",
    ),
    row(
        "goprivate_not_set", LIKELY,
        needs="sumdb status_404 google_host",
        lacks="via_proxy module_google_host",
        others="mirror_lag_negative_cache unknown_revision repo_private_or_deleted_upstream",
    ),
    row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb status_404",
        lacks="via_proxy google_host",
        others="goprivate_not_set sumdb_unreachable",
    ),
    row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb via_proxy status_404|status_403|status_5xx|status_400|status_401|eof|html",
        lacks="only_supported",
        others="sumdb_unreachable goprivate_not_set mirror_lag_negative_cache",
    ),
    row(
        "dns_no_resolv_conf", LIKELY,
        needs="sumdb dns_own_port",
        lacks="in_sandbox",
        others="sandbox_no_network",
    ),
    row("sandbox_no_network", LIKELY, needs="sumdb dns_refused|dns_own_port|dns_no_way in_sandbox"),
    row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb via_proxy",
        lacks="dialled reset dns_words only_supported",
        others="sumdb_unreachable transient_network",
    ),
    row("rate_limited_429", LIKELY, needs="sumdb too_many"),
    row(
        "tls_mitm_corporate_ca", LIKELY,
        needs="sumdb unknown_authority",
        others="ca_bundle_missing_or_stale sumdb_unreachable",
    ),
    row(
        "sumdb_unreachable", LIKELY,
        needs=(
            "sumdb dial_timeout|dial_refused|tls_timeout|deadline|dns_words|no_route|unreachable|"
            "old_timeout|eof|reset|read_timeout|status_5xx|status_403"
        ),
        lacks="expired wrong_host no_roots not_tls via_proxy",
        others="goproxy_sumdb_mirror_broken transient_network goproxy_host_blocked",
    ),
    row(
        "middlebox_reset", LIKELY,
        needs="sumdb via_proxy reset",
        others="goproxy_sumdb_mirror_broken transient_network",
    ),
    row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb_lies verifying|sumdb",
        lacks="dns_words",
        others="sumdb_unreachable captive_portal",
    ),
)  # fmt: skip
