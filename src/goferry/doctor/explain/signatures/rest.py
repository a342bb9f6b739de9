"""What is left: a fault of the network at a host whose part is not clear, and other programs."""

from typing import Final

from goferry.doctor.explain.signatures.base import POSSIBLE, row

ROWS: Final = (
    # A large network never refuses: somebody else answered for it.
    row(
        "dns_hijacked", POSSIBLE,
        needs="dial_refused raw_content",
        others="direct_host_blocked hosts_file_override forward_proxy_broken",
        weak=True,
    ),
    row(
        "middlebox_reset", POSSIBLE,
        needs="reset get_url|go_command|code_host|public_code",
        lacks="to_loopback",
        others="transient_network direct_host_blocked",
        weak=True,
    ),
    row(
        "forward_proxy_broken", POSSIBLE,
        needs="handshake_cut curl_proxy",
        others="middlebox_reset transient_network",
        weak=True,
    ),
    row(
        "middlebox_reset", POSSIBLE,
        needs="handshake_cut",
        others="transient_network forward_proxy_broken mtu_blackhole",
        weak=True,
    ),
    # The far end is an address alone: the connection stood, and what it carried broke off.
    row(
        "transient_network", POSSIBLE,
        needs="read_cut",
        others="middlebox_reset server_closed_silently",
        weak=True,
    ),
    row("transient_network", POSSIBLE, needs="git_trouble", others="direct_host_blocked", weak=True),
    # curl and its like name no host when they are cut off.
    row(
        "middlebox_reset", POSSIBLE,
        needs="fetch_said fetches reset",
        others="transient_network server_closed_silently direct_host_blocked",
        weak=True,
    ),
    row(
        "transient_network", POSSIBLE,
        needs="fetch_said fetches eof|body_eof|read_timeout|dial_timeout|tls_timeout|deadline",
        others="server_closed_silently middlebox_reset direct_host_blocked",
        weak=True,
    ),
    row(
        "transient_network", POSSIBLE,
        needs="tls_timeout get_url|go_command",
        lacks="in_china to_loopback to_private",
        others="direct_host_blocked tls_large_clienthello mtu_blackhole",
        weak=True,
    ),
    row(
        "direct_host_blocked", POSSIBLE,
        needs="dial_timeout|dial_refused|tls_timeout get_url|go_command|code_host|public_host",
        lacks="to_loopback to_private",
        others="transient_network goproxy_host_blocked",
        weak=True,
    ),
    row("direct_host_blocked", POSSIBLE, needs="powershell_timeout", others="transient_network", weak=True),
    row(
        "ipv6_path_broken", POSSIBLE,
        needs="ipv6 dial_timeout",
        lacks="proxy import_host code_host",
        others="direct_host_blocked transient_network",
        weak=True,
    ),
    row(
        "repo_private_or_deleted_upstream", POSSIBLE,
        needs="repo_missing_plain",
        others="git_credentials_missing module_path_wrong",
        weak=True,
    ),
    row(
        "module_path_wrong", POSSIBLE,
        needs="no_go_files",
        lacks="gopath_miss dialled",
        others="gopath_mode_ignores_goproxy unknown_revision mirror_lag_negative_cache",
        weak=True,
    ),
    row(
        "gopath_mode_ignores_goproxy", POSSIBLE,
        needs="gopath_miss",
        lacks="code_unreached",
        others="module_path_wrong toolchain_not_available",
        weak=True,
    ),
    row(
        "module_zip_invalid", POSSIBLE,
        needs="zip_broken module_public_host|module_google_host|zip|go_command",
        others="transient_network captive_portal local_disk_or_permission",
        weak=True,
    ),
    # go tries the paths in front of a module's own too: in a log they say little.
    row(
        "goproxy_lacks_module_no_direct", POSSIBLE,
        needs="logged_404",
        others="goproxy_server_5xx goproxy_lacks_vcs_credentials",
        weak=True,
    ),
    # What was answered was no answer of a module proxy; by whom is not said.
    row(
        "goproxy_server_5xx", POSSIBLE,
        needs="html lists_module",
        others="captive_portal goproxy_value_malformed",
        weak=True,
    ),
    row(
        "git_credentials_missing", POSSIBLE,
        needs="git_denied get_url|go_command|code_host",
        lacks="goproxy_shown",
        others="repo_private_or_deleted_upstream",
        weak=True,
    ),
    row(
        "transient_network", POSSIBLE,
        needs="deadline|body_eof|hung_up|read_timeout|eof get_url|go_command|code_host|git_transfer",
        others="middlebox_reset direct_host_blocked",
        weak=True,
    ),
)  # fmt: skip
