"""The import host and the code host, where go asks them itself (R08, R45)."""

from typing import Final

from goferry.doctor.explain.signatures.base import LIKELY, POSSIBLE, row

ROWS: Final = (
    # Google's place for code was closed; what was there moved, or is gone.
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="closed_host|module_closed_host unrecognized_import|import_host|code_host|git_failed",
        others="vanity_host_down module_path_wrong direct_host_blocked",
    ),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line unrecognized_import goproxy_shown|modules_off",
        lacks="goproxy_is_direct status_404 status_403 status_5xx no_meta expired wrong_host",
        others="direct_host_blocked",
    ),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line import_host goproxy_word",
        lacks="goproxy_is_direct status_404 no_meta expired wrong_host",
        others="direct_host_blocked goproxy_setting_not_effective",
    ),
    row(
        "goproxy_setting_not_effective", LIKELY,
        needs="import_host google_host goproxy_elsewhere dial_timeout|dial_refused|tls_timeout|old_timeout",
        lacks="package_line goproxy_is_direct modules_off",
        others="gopath_mode_ignores_goproxy direct_host_blocked",
    ),
    row(
        "transient_network", LIKELY,
        needs="import_host google_host|to_google flaky dial_timeout|tls_timeout|reset|eof|read_timeout|deadline",
        lacks="in_china",
        others="vanity_host_down direct_host_blocked",
    ),
    row(
        "direct_host_blocked", LIKELY,
        needs=(
            "import_host google_host|to_google dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|"
            "old_timeout"
        ),
        others="gopath_mode_ignores_goproxy goproxy_setting_not_effective middlebox_reset dns_hijacked",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="import_host|unrecognized_import|package_line redirects|to_insecure",
        others="captive_portal module_path_wrong",
    ),
    row("vanity_host_down", LIKELY, needs="meta_wrong", others="module_path_wrong"),
    # It has answered, and to everybody the same: what it says of the path is wrong.
    row(
        "vanity_host_down", LIKELY,
        needs="import_host meta_mismatch",
        lacks="public_code inside_host",
        others="module_path_wrong",
    ),
    # Azure DevOps shows its sign-in page in place of a refusal.
    row("git_credentials_missing", LIKELY, needs="import_host sign_in", others="goprivate_not_set module_path_wrong"),
    row(
        "git_credentials_missing", LIKELY,
        needs="bitbucket_says_no private_set|private_name|private_word",
        others="repo_private_or_deleted_upstream goprivate_not_set",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="bitbucket_says_no",
        others="git_credentials_missing module_path_wrong",
    ),
    # Said of hosts that go knows by name, of which code.google.com was closed.
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="vcs_undetected",
        others="vanity_host_down module_path_wrong",
    ),
    row(
        "git_credentials_missing", LIKELY,
        needs="import_host status_404|status_403|status_401|no_meta private_set",
        lacks="public_host public_code chain",
        others="goprivate_not_set vanity_host_down module_path_wrong",
    ),
    # The path stands in a file of the source, with nobody behind it: one's own, that was to be replaced.
    row(
        "module_path_wrong", LIKELY,
        needs="import_host status_404 not_a_package",
        lacks="public_code inside_host private_name chain said",
        others="vanity_host_down goprivate_not_set",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="import_host status_404|status_403|status_401",
        lacks="public_code inside_host google_host",
        others="module_path_wrong repo_private_or_deleted_upstream",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="import_host status_400",
        others="tls_client_certificate_required module_path_wrong",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="import_host status_404 public_code",
        others="module_path_wrong git_credentials_missing",
    ),
    row(
        "module_path_wrong", LIKELY,
        needs="import_host status_404|no_meta google_host",
        others="vanity_host_down",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="asked_by_public import_host status_404|no_meta inside_host",
        lacks="private_set private_name private_word",
        others="repo_private_or_deleted_upstream git_credentials_missing goprivate_not_set",
    ),
    row(
        "git_credentials_missing", LIKELY,
        needs="import_host status_404|status_403|status_401|no_meta inside_host",
        others="vanity_host_down goprivate_not_set",
    ),
    row(
        "vanity_host_down", POSSIBLE,
        needs="import_host status_403",
        others="direct_host_blocked forward_proxy_denied zip_storage_forbidden",
    ),
    # A page of GitLab and its like without the tag, for somebody who is not logged in: the project is not public.
    row(
        "git_credentials_missing", LIKELY,
        needs="import_host no_meta public_code",
        lacks="redirector chain",
        others="repo_private_or_deleted_upstream module_path_wrong vanity_host_down",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="import_host no_meta",
        others="module_path_wrong repo_private_or_deleted_upstream",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="import_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout|no_route",
        lacks="public_code inside_host",
        others="direct_host_blocked transient_network",
    ),
    row(
        "direct_host_blocked", LIKELY,
        needs="import_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout|no_route",
        others="vanity_host_down transient_network",
    ),
    # What breaks in the middle of a transfer was let through at its start.
    row(
        "transient_network", LIKELY,
        needs="code_host git_transfer reset|eof",
        lacks="dialled proxy_variable vpn in_china",
        others="middlebox_reset http2_server_fault forward_proxy_broken",
    ),
    row(
        "middlebox_reset", LIKELY,
        needs="code_host reset|eof|broken_pipe",
        lacks="dialled",
        others="direct_host_blocked transient_network forward_proxy_broken vanity_host_down",
    ),
    row(
        "direct_host_blocked", LIKELY,
        needs="code_host dial_timeout|dial_refused|tls_timeout|deadline|no_route",
        others="transient_network middlebox_reset forward_proxy_broken",
    ),
    row(
        "transient_network", LIKELY,
        needs="code_host git_5xx|hung_up|body_eof|stream",
        others="middlebox_reset direct_host_blocked",
    ),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line unrecognized_import",
        lacks="status_404 no_meta",
        others="direct_host_blocked module_path_wrong",
    ),
    # Without a word why, and the path is one that everybody knows
    row(
        "direct_host_blocked", LIKELY,
        needs="unrecognized_import module_google_host|module_public_host",
        lacks="status_404 no_meta said chain",
        others="vanity_host_down module_path_wrong transient_network",
    ),
    row(
        "module_path_wrong", POSSIBLE,
        needs="unrecognized_import",
        lacks="std_broken",
        others="vanity_host_down direct_host_blocked repo_private_or_deleted_upstream",
    ),
    # A shell says so in scripts that do without, too.
    row("vcs_binary_missing", LIKELY, needs="vcs_not_found", weak=True),
)  # fmt: skip
