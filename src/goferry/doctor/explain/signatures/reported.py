"""What a mirror says of its own way: its logs, and what stands behind "server response:" (R34)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row(
        "goproxy_lacks_vcs_credentials", LIKELY,
        needs="mirror_log git_prompt|git_denied|ssh_key|repo_missing",
        lacks="sumdb",
        others="goprivate_not_set repo_private_or_deleted_upstream",
    ),
    row(
        "mirror_lag_negative_cache", LIKELY,
        needs="mirror_log old_unknown",
        lacks="said dialled",
        others="unknown_revision goproxy_lacks_vcs_credentials",
    ),
    row(
        "goproxy_upstream_unreachable", LIKELY,
        needs="mirror_log dial_timeout|dial_refused|dns_words|tls_timeout|unknown_authority|reset",
        lacks="proxy sumdb",
    ),
    # What stands behind "server response:" of an import host, or what gopkg.in lets git say, is the host's own trouble.
    # Without TLS the forward proxy answers itself, as if it were the server.
    row(
        "no_proxy_missing", LIKELY,
        needs="import_host|own_mirror plain_http status_5xx proxy_variable",
        lacks="public_host google_host said",
        others="vanity_host_down goproxy_server_5xx forward_proxy_overloaded",
    ),
    row("vanity_host_down", LIKELY, needs="import_host status_5xx", others="transient_network"),
    row("vanity_host_down", LIKELY, needs="redirector|module_redirector git_5xx", others="transient_network"),
    # R34 "server response:" is the mirror's own view: its network, its credentials
    row(
        "goprivate_not_set", LIKELY,
        needs="said_dns_none",
        lacks="own_mirror import_host mirror_log said_public_host status_5xx dialled",
        others="goproxy_upstream_unreachable module_path_wrong vanity_host_down",
    ),
    # A mirror for everybody has no way to what stands inside a company.
    row(
        "goprivate_not_set", LIKELY,
        needs="said_inside_host said_dial_timeout|said_dial_refused|said_no_route",
        lacks="own_mirror mirror_log status_5xx",
        others="goproxy_upstream_unreachable vanity_host_down",
    ),
    row(
        "goproxy_upstream_unreachable", LIKELY,
        needs=(
            "said_dial_timeout|said_dial_refused|said_dns_words|said_tls_timeout|said_reset|"
            "said_unknown_authority|said_dns_unable|said_deadline|said_no_route|said_unreachable|"
            "said_hung_up|said_proxyconnect|said_ssh_timeout"
        ),
        others="goproxy_server_5xx goproxy_lacks_vcs_credentials vanity_host_down",
    ),
    row(
        "goproxy_lacks_vcs_credentials", LIKELY,
        needs="own_mirror said_git_prompt|said_git_denied|said_ssh_key",
        others="goprivate_not_set repo_private_or_deleted_upstream",
    ),
    row(
        "goproxy_lacks_vcs_credentials", LIKELY,
        needs="own_mirror said_repo_missing",
        lacks="said_unknown_revision",
        others="repo_private_or_deleted_upstream module_path_wrong",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="chain said_git_prompt|said_repo_missing",
        lacks="sumdb private_name module_inside_host",
        others="goprivate_not_set module_path_wrong",
    ),
    row(
        "goprivate_not_set", LIKELY,
        needs="said_git_prompt|said_git_denied|said_ssh_key",
        lacks="status_403",
        others="repo_private_or_deleted_upstream module_path_wrong git_credentials_missing",
    ),
    row("vcs_binary_missing", LIKELY, needs="said_vcs_missing"),
    row("module_path_mismatch", LIKELY, needs="said_path_declared|said_path_mismatch"),
    row(
        "module_path_mismatch", LIKELY,
        needs="said_lacks_mod release",
        others="unknown_revision module_path_wrong mirror_lag_negative_cache",
    ),
    row(
        "rate_limited_429", CERTAIN,
        needs="proxy too_many",
        lacks="dialled",
        others="goproxy_comma_no_fallback",
    ),
    # What GitHub says to tools that look for a release.
    row("rate_limited_429", LIKELY, needs="api_limit", others="toolchain_not_available"),
    row(
        "rate_limited_429", LIKELY,
        needs="too_many status_5xx|import_host|code_host|other_url",
        lacks="dialled",
    ),
    row(
        "goprivate_not_set", LIKELY,
        needs="proxy status_404 private_name|module_inside_host|git_suffix public_host",
        lacks="own_mirror",
        others="repo_private_or_deleted_upstream git_credentials_missing module_path_wrong",
    ),
    row(
        "mirror_lag_negative_cache", LIKELY,
        needs="said_unknown_revision proxy release",
        lacks="chain",
        others="unknown_revision module_path_wrong",
    ),
    row(
        "unknown_revision", LIKELY,
        needs="said_unknown_revision proxy",
        others="mirror_lag_negative_cache module_path_wrong",
    ),
    row(
        "module_path_wrong", LIKELY,
        needs="said_repo_missing|said_not_a_package|said_unrecognized_import proxy",
        lacks="own_mirror",
        others="repo_private_or_deleted_upstream goprivate_not_set vanity_host_down",
    ),
    row(
        "goprivate_not_set", LIKELY,
        needs="proxy said_git_failed status_404",
        lacks="own_mirror",
        others="repo_private_or_deleted_upstream module_path_wrong unknown_revision",
    ),
)  # fmt: skip
