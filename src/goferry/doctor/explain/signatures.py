"""The table: which facts together speak for which cause, how surely, and what else it could be.

A row is tried against every message of the paste with the tags of its surroundings; of one message the first row that
fits counts, so the rows stand from the most telling to the least. To add a signature, put a row where no more general
one stands above it, and a text in tests/doctor/explain/corpus that needs it. The reasons are those of the decision
rules R01 to R45 (docs, rules); the number stands in front of a block.

`certain` is for texts that have one cause only. Where one text has several causes, the first is what reports of that
text turned out to be most often, the others follow in the same order.
"""

from dataclasses import dataclass
from typing import Final

from goferry.doctor.verdict import Certainty

CERTAIN, LIKELY, POSSIBLE = Certainty.CERTAIN, Certainty.LIKELY, Certainty.POSSIBLE


@dataclass(frozen=True, slots=True)
class Signature:
    """needs: tags that must all be there (`a|b` means one of them); lacks: tags none of which may be there.

    weak: it counts only when no message has a signature that is not.
    """

    cause: str
    certainty: Certainty
    needs: tuple[str, ...]
    lacks: frozenset[str]
    others: tuple[str, ...]
    weak: bool = False

    def fits(self, tags: frozenset[str]) -> bool:
        return self.lacks.isdisjoint(tags) and all(
            any(choice in tags for choice in need.split("|")) for need in self.needs
        )


def _row(
    cause: str, certainty: Certainty, needs: str, lacks: str = "", others: str = "", *, weak: bool = False
) -> Signature:
    return Signature(
        cause, certainty, tuple(needs.split()), frozenset(lacks.split()), tuple(others.split()), weak
    )


_BLOCKED: Final = "transient_network ipv6_path_broken forward_proxy_broken sandbox_no_network dns_hijacked"
_CUT: Final = (
    "transient_network goproxy_host_blocked sni_filtered forward_proxy_broken server_closed_silently"
)
_NAMES: Final = "sandbox_no_network transient_network dns_no_resolv_conf dns_negative_filter"
_GIT_LOGIN: Final = "repo_private_or_deleted_upstream module_path_wrong goprivate_not_set"

SIGNATURES: Final = (
    # R42 toolchain, R44 this machine: nothing else matters while they stand
    _row("toolchain_not_available", CERTAIN, "toolchain_missing", "dialled proxyconnect dns_words reset"),
    _row("toolchain_not_available", LIKELY, "toolchain_old", "dialled proxyconnect status_404",
         "unknown_revision"),
    _row("local_disk_or_permission", CERTAIN, "no_space|read_only|no_home"),
    _row("local_disk_or_permission", LIKELY, "fs_denied", "ssh_key", "git_ssh_key_refused"),
    _row("local_disk_or_permission", LIKELY, "dubious"),
    # settings
    _row("goproxy_off", CERTAIN, "goproxy_off"),
    _row("goproxy_setting_not_effective", CERTAIN, "goproxy_not_effective"),
    _row("goproxy_setting_not_effective", LIKELY, "go_env_w_unknown", "", "gopath_mode_ignores_goproxy"),
    _row("vcs_binary_missing", CERTAIN, "vcs_missing"),
    _row("module_path_wrong", CERTAIN, "path_malformed", "said zip_invalid goproxy_malformed sumdb wrong_host times odd_certificate"),
    _row("forward_proxy_broken", LIKELY, "proxy_unresolved", "", "forward_proxy_wrong_scheme dns_resolver_unreachable"),
    _row("goproxy_value_malformed", CERTAIN, "goproxy_malformed", "import_host code_host",
         "goproxy_setting_not_effective"),
    _row("goproxy_value_malformed", LIKELY, "goproxy_semicolon", "", "goproxy_setting_not_effective"),
    _row("gopath_mode_ignores_goproxy", CERTAIN, "gopath_mode"),
    # R13–R18 the forward proxy
    _row("forward_proxy_wrong_scheme", CERTAIN, "proxyconnect not_tls|http_at_https|tls_at_http"),
    _row("forward_proxy_wrong_scheme", LIKELY, "tls_at_http", "", "forward_proxy_broken"),
    _row("forward_proxy_wrong_scheme", LIKELY, "not_tls proxy_variable_https", "", "forward_proxy_broken"),
    _row("forward_proxy_auth_required", LIKELY, "proxy_wants_login|bare_407", "status_404 status_403 status_5xx",
         "forward_proxy_denied forward_proxy_broken"),
    _row("forward_proxy_denied", CERTAIN, "proxy_says_no"),
    _row("forward_proxy_denied", LIKELY, "bare_phrase", "said", "goproxy_host_blocked forward_proxy_auth_required"),
    _row("forward_proxy_overloaded", LIKELY, "bare_gateway|proxy_gateway", "said",
         "forward_proxy_broken no_proxy_missing forward_proxy_denied"),
    _row("forward_proxy_loopback_in_container", LIKELY, "proxyconnect to_loopback in_container", "",
         "forward_proxy_broken"),
    _row("forward_proxy_loopback_in_container", LIKELY, "loopback_proxy dial_refused in_container", "",
         "forward_proxy_broken"),
    _row("tls_mitm_corporate_ca", LIKELY, "proxyconnect unknown_authority", "", "forward_proxy_wrong_scheme"),
    _row("forward_proxy_broken", LIKELY, "proxyconnect", "",
         "forward_proxy_loopback_in_container forward_proxy_overloaded forward_proxy_wrong_scheme"),
    _row("forward_proxy_broken", LIKELY, "loopback_proxy dial_refused|dial_timeout|reset|eof|hung_up", "",
         "forward_proxy_loopback_in_container transient_network"),
    _row("forward_proxy_broken", LIKELY, "socks_fault", "", "forward_proxy_denied"),
    _row("forward_proxy_broken", LIKELY, "bare_other", "said", "forward_proxy_denied"),
    _row("forward_proxy_broken", LIKELY, "odd_port reset|eof|broken_pipe|tls_timeout", "own_mirror",
         "middlebox_reset forward_proxy_denied"),
    _row("forward_proxy_broken", LIKELY, "dials_another", "", "forward_proxy_loopback_in_container"),
    # R43 the author's side: the text itself proves that the network did its work
    _row("module_path_mismatch", CERTAIN, "path_mismatch", "dialled zip_broken"),
    _row("module_zip_invalid", CERTAIN, "zip_invalid|said_zip_invalid", "dialled"),
    # R38, R37 the checksum database
    _row("checksum_mismatch_retagged", CERTAIN, "mismatch mismatch_sumdb", "", "goproxy_sumdb_mirror_broken"),
    _row("checksum_mismatch_retagged", LIKELY, "mismatch", "", "goproxy_sumdb_mirror_broken"),
    _row("http2_server_fault", LIKELY, "sumdb stream", "", "goproxy_sumdb_mirror_broken transient_network"),
    _row("unknown_revision", LIKELY, "sumdb said_unknown_revision", "said_git_prompt",
         "mirror_lag_negative_cache goprivate_not_set"),
    _row("goprivate_not_set", LIKELY, "sumdb said_git_prompt|said_dns_none|said_unrecognized_import|said_repo_missing|said_ssh_key", "",
         "repo_private_or_deleted_upstream git_credentials_missing"),
    _row("goproxy_upstream_unreachable", LIKELY, "said_fetch_late", "", "goproxy_server_5xx mirror_lag_negative_cache"),
    _row("goproxy_upstream_unreachable", LIKELY, "sumdb said_dialled|said_dns_unable|said_reset|said_hung_up|said_git_5xx", "said_dns_none",
         "mirror_lag_negative_cache"),
    _row("goprivate_not_set", LIKELY, "sumdb status_404", "via_proxy module_google_host",
         "mirror_lag_negative_cache unknown_revision repo_private_or_deleted_upstream"),
    _row("goproxy_sumdb_mirror_broken", LIKELY, "sumdb via_proxy status_404|status_403|status_5xx|status_400|status_401|eof|html", "",
         "sumdb_unreachable goprivate_not_set"),
    _row("dns_no_resolv_conf", LIKELY, "sumdb dns_own_port", "in_sandbox", "sandbox_no_network"),
    _row("sandbox_no_network", LIKELY, "sumdb dns_refused|dns_own_port|dns_no_way in_sandbox"),
    _row("goproxy_sumdb_mirror_broken", LIKELY, "sumdb via_proxy", "dialled reset dns_words",
         "sumdb_unreachable transient_network"),
    _row("rate_limited_429", LIKELY, "sumdb too_many"),
    _row("tls_mitm_corporate_ca", LIKELY, "sumdb unknown_authority", "", "ca_bundle_missing_or_stale sumdb_unreachable"),
    _row("sumdb_unreachable", LIKELY, "sumdb dial_timeout|dial_refused|tls_timeout|deadline|dns_words|no_route|unreachable|old_timeout|eof|reset|read_timeout|status_5xx|status_403",
         "expired wrong_host no_roots not_tls via_proxy", "goproxy_sumdb_mirror_broken transient_network goproxy_host_blocked"),
    _row("middlebox_reset", LIKELY, "sumdb via_proxy reset", "", "goproxy_sumdb_mirror_broken transient_network"),
    _row("goproxy_sumdb_mirror_broken", LIKELY, "sumdb_lies verifying|sumdb", "dns_words", "sumdb_unreachable"),
    # logs of the mirror itself
    _row("goproxy_lacks_vcs_credentials", LIKELY, "mirror_log git_prompt|git_denied|ssh_key|repo_missing", "sumdb",
         "goprivate_not_set repo_private_or_deleted_upstream"),
    _row("goproxy_upstream_unreachable", LIKELY, "mirror_log dial_timeout|dial_refused|dns_words|tls_timeout|unknown_authority|reset", "proxy sumdb"),
    # R34 "server response:" is the mirror's own view: its network, its credentials
    _row("goprivate_not_set", LIKELY, "proxy said_dns_none", "own_mirror said_public_host",
         "goproxy_upstream_unreachable module_path_wrong vanity_host_down"),
    _row("goproxy_upstream_unreachable", LIKELY,
         "said_dial_timeout|said_dial_refused|said_dns_words|said_tls_timeout|said_reset|said_unknown_authority|said_dns_unable|said_deadline|said_no_route|said_unreachable|said_hung_up|said_proxyconnect", "",
         "goproxy_server_5xx goproxy_lacks_vcs_credentials vanity_host_down"),
    _row("goproxy_lacks_vcs_credentials", LIKELY, "own_mirror said_git_prompt|said_git_denied|said_ssh_key", "",
         "goprivate_not_set repo_private_or_deleted_upstream"),
    _row("goproxy_lacks_vcs_credentials", LIKELY, "own_mirror said_repo_missing", "said_unknown_revision",
         "repo_private_or_deleted_upstream module_path_wrong"),
    _row("repo_private_or_deleted_upstream", LIKELY, "chain said_git_prompt|said_repo_missing", "sumdb",
         "goprivate_not_set module_path_wrong"),
    _row("goprivate_not_set", LIKELY, "said_git_prompt|said_git_denied|said_ssh_key", "",
         "repo_private_or_deleted_upstream module_path_wrong git_credentials_missing"),
    _row("vcs_binary_missing", LIKELY, "said_vcs_missing"),
    _row("module_path_mismatch", LIKELY, "said_path_mismatch"),
    _row("rate_limited_429", CERTAIN, "proxy too_many", "dialled", "goproxy_comma_no_fallback"),
    _row("rate_limited_429", LIKELY, "too_many status_5xx|import_host|code_host|other_url", "dialled"),
    _row("mirror_lag_negative_cache", LIKELY, "said_unknown_revision proxy release", "chain", "unknown_revision module_path_wrong"),
    _row("unknown_revision", LIKELY, "said_unknown_revision proxy", "", "mirror_lag_negative_cache module_path_wrong"),
    _row("module_path_wrong", LIKELY, "said_repo_missing|said_not_a_package|said_unrecognized_import proxy", "own_mirror",
         "repo_private_or_deleted_upstream goprivate_not_set vanity_host_down"),
    # R36, R40, R39, R32, R33, R35 answers of the module proxy
    _row("http2_server_fault", LIKELY, "stream", "code_host", "transient_network middlebox_reset"),
    _row("zip_storage_forbidden", CERTAIN, "vpc"),
    _row("goproxy_comma_no_fallback", LIKELY, "proxy own_mirror comma_behind_it status_403|status_5xx|status_401|status_400", "",
         "goproxy_server_5xx goproxy_lacks_vcs_credentials"),
    _row("zip_storage_forbidden", LIKELY, "proxy zip status_403", "own_mirror no_url",
         "goproxy_comma_no_fallback forward_proxy_denied goproxy_host_blocked"),
    _row("reverse_proxy_no_live_upstream", CERTAIN, "no_live"),
    _row("goproxy_server_5xx", LIKELY, "proxy gateway_timeout", "dialled", "reverse_proxy_timeout goproxy_upstream_unreachable"),
    _row("goproxy_server_5xx", LIKELY, "proxy status_5xx", "dialled", "goproxy_upstream_unreachable transient_network goproxy_comma_no_fallback"),
    _row("goproxy_lacks_vcs_credentials", POSSIBLE, "proxy own_mirror status_401|status_403", "",
         "goproxy_comma_no_fallback forward_proxy_denied"),
    _row("goproxy_comma_no_fallback", POSSIBLE, "proxy status_403|status_401|status_451", "",
         "zip_storage_forbidden forward_proxy_denied goproxy_host_blocked"),
    _row("captive_portal", POSSIBLE, "proxy html", "", "goproxy_value_malformed goproxy_server_5xx"),
    _row("goproxy_lacks_module_no_direct", LIKELY, "proxy status_404 goproxy_no_direct", "toolchain",
         "mirror_lag_negative_cache unknown_revision goprivate_not_set"),
    _row("toolchain_not_available", LIKELY, "toolchain status_404"),
    _row("mirror_lag_negative_cache", POSSIBLE, "proxy status_404", "own_mirror",
         "goproxy_lacks_module_no_direct goprivate_not_set unknown_revision module_path_wrong"),
    _row("goproxy_lacks_module_no_direct", LIKELY, "proxy status_404", "",
         "mirror_lag_negative_cache unknown_revision goproxy_lacks_vcs_credentials"),
    _row("goproxy_server_5xx", LIKELY, "proxy redirects", "", "captive_portal"),
    _row("goproxy_server_5xx", POSSIBLE, "proxy status_400", "", "goproxy_upstream_unreachable unknown_revision"),
    # R27, R04, R05, R07 names
    _row("sandbox_no_network", LIKELY, "dns_own_port|dns_loopback|dns_stub|dns_refused|dns_no_way|not_permitted|dns_unable|dns_none|unreachable|dns_timeout in_sandbox",
         "said", "dns_no_resolv_conf dns_resolver_unreachable"),
    _row("sandbox_no_network", LIKELY, "not_permitted", "said", "direct_host_blocked local_disk_or_permission"),
    _row("dns_no_resolv_conf", CERTAIN, "dns_own_port", "said dns_timeout", "sandbox_no_network dns_resolver_unreachable"),
    _row("dns_no_resolv_conf", LIKELY, "dns_loopback dns_refused", "said", "dns_resolver_unreachable sandbox_no_network"),
    _row("dns_resolver_unreachable", LIKELY, "dns_timeout|dns_refused|dns_no_way", "said", _NAMES),
    _row("dns_resolver_unreachable", LIKELY, "dns_unable", "said", _NAMES),
    _row("dns_resolver_unreachable", LIKELY, "dns_none public_host", "said unrecognized_import", _NAMES),
    _row("vanity_host_down", LIKELY, "dns_none import_host", "public_host inside_host",
         "module_path_wrong dns_resolver_unreachable goprivate_not_set"),
    _row("module_path_wrong", POSSIBLE, "dns_none import_host", "public_host",
         "dns_resolver_unreachable vanity_host_down goprivate_not_set"),
    _row("dns_resolver_unreachable", LIKELY, "dns_none", "said", "goproxy_value_malformed dns_negative_filter transient_network"),
    # R24, R22, R21, R23 trust
    _row("ca_bundle_missing_or_stale", CERTAIN, "no_roots"),
    _row("ca_bundle_missing_or_stale", LIKELY, "dst_root", "", "server_cert_expired clock_skew"),
    _row("clock_skew", LIKELY, "not_yet|long_past", "", "server_cert_expired tls_mitm_corporate_ca"),
    _row("server_cert_expired", LIKELY, "expired times", "", "clock_skew ca_bundle_missing_or_stale"),
    _row("clock_skew", LIKELY, "expired google_host", "", "ca_bundle_missing_or_stale tls_mitm_corporate_ca server_cert_expired"),
    _row("server_cert_expired", LIKELY, "expired", "", "clock_skew ca_bundle_missing_or_stale"),
    _row("revocation_check_slow", LIKELY, "revocation", "", "tls_mitm_corporate_ca"),
    _row("dns_hijacked", LIKELY, "wrong_host public_host", "", "hosts_file_override server_cert_wrong_host tls_mitm_corporate_ca"),
    _row("server_cert_wrong_host", LIKELY, "wrong_host", "", "dns_hijacked hosts_file_override"),
    _row("tls_mitm_corporate_ca", LIKELY, "unknown_authority|odd_certificate mitm_name"),
    _row("tls_mitm_corporate_ca", LIKELY, "odd_certificate", "", "ca_bundle_missing_or_stale"),
    _row("ca_bundle_missing_or_stale", LIKELY, "unknown_authority on_alpine", "has_ca_package", "tls_mitm_corporate_ca"),
    _row("tls_mitm_corporate_ca", LIKELY, "unknown_authority", "", "ca_bundle_missing_or_stale dns_hijacked clock_skew"),
    _row("tls_server_name_unknown", LIKELY, "unrecognized_name", "", "sni_filtered server_cert_wrong_host"),
    _row("tls_client_certificate_required", LIKELY, "client_certificate", "", "tls_mitm_corporate_ca"),
    _row("tls_version_mismatch", LIKELY, "tls_version", "", "middlebox_reset tls_server_name_unknown"),
    _row("middlebox_reset", LIKELY, "bad_mac", "", "transient_network"),
    # R01, R03 an address that cannot be right
    _row("hosts_file_override", LIKELY, "hosts_file to_loopback|to_zero|to_private|to_forged|to_stranger", "inside_host", "dns_hijacked"),
    _row("dns_hijacked", LIKELY, "to_zero|to_forged|to_fake_ip", "inside_host", "hosts_file_override dns_negative_filter goproxy_host_blocked"),
    _row("dns_hijacked", LIKELY, "public_host to_loopback|to_private", "ip_host", "hosts_file_override forward_proxy_broken"),
    # R26, R18 plain http where TLS was expected
    _row("goproxy_value_malformed", LIKELY, "proxy http_at_https", "", "goproxy_server_5xx"),
    _row("vanity_host_down", POSSIBLE, "http_at_https import_host", "", "server_cert_wrong_host"),
    _row("forward_proxy_wrong_scheme", POSSIBLE, "not_tls", "", "captive_portal dns_hijacked middlebox_reset"),
    # R28–R31 version control
    _row("git_protocol_blocked", CERTAIN, "git_port dial_timeout|dial_refused|git_port_timeout|git_denied", "insteadof_set"),
    _row("git_protocol_blocked", LIKELY, "git_port|git_port_timeout|ssh_timeout", "", "git_ssh_key_refused transient_network"),
    _row("git_ssh_key_refused", LIKELY, "ssh_key git_clone_ssh", "chain", "git_insteadof_ssh"),
    _row("git_ssh_key_refused", LIKELY, "ssh_key ssh_clone", "chain insteadof_set", "git_insteadof_ssh"),
    _row("git_ssh_key_refused", LIKELY, "ssh_key", "go_command code_host", "git_insteadof_ssh"),
    _row("git_insteadof_ssh", LIKELY, "ssh_key", "", "git_ssh_key_refused git_credentials_missing"),
    _row("git_insteadof_ssh", LIKELY, "repo_missing ssh_words", "git_prompt", "git_ssh_key_refused repo_private_or_deleted_upstream"),
    _row("repo_private_or_deleted_upstream", LIKELY, "git_prompt chain", "inside_host private_set", "git_credentials_missing module_path_wrong"),
    _row("git_credentials_missing", LIKELY, "git_prompt", "", _GIT_LOGIN),
    _row("git_credentials_missing", LIKELY, "git_denied code_host", "", "repo_private_or_deleted_upstream goprivate_not_set"),
    _row("repo_private_or_deleted_upstream", LIKELY, "repo_missing code_host", "", "git_credentials_missing module_path_wrong"),
    _row("unknown_revision", CERTAIN, "unknown_revision", "dialled said proxyconnect reset", "mirror_lag_negative_cache"),
    _row("module_path_wrong", LIKELY, "not_a_package", "gopath_miss dialled", "gopath_mode_ignores_goproxy unknown_revision mirror_lag_negative_cache"),
    _row("gopath_mode_ignores_goproxy", LIKELY, "gopath_miss not_a_package", "", "module_path_wrong"),
    # R08, R09 the connection to the module proxy
    _row("goproxy_setting_not_effective", LIKELY, "proxy goproxy_elsewhere dial_timeout|dial_refused|tls_timeout|deadline|reset|eof", "own_mirror",
         "goproxy_host_blocked"),
    _row("ipv6_path_broken", LIKELY, "ipv6 unreachable|no_route|broken_pipe|read_timeout", "", "goproxy_host_blocked direct_host_blocked"),
    _row("ipv6_path_broken", LIKELY, "read_tcp6", "", "middlebox_reset transient_network"),
    _row("sandbox_no_network", LIKELY, "unreachable", "ipv6 said", "transient_network dns_resolver_unreachable ipv6_path_broken"),
    _row("transient_network", LIKELY, "proxy on_runner dial_timeout|tls_timeout|deadline|reset|old_timeout|body_eof", "in_china own_mirror",
         "goproxy_server_5xx goproxy_host_blocked"),
    _row("ipv6_path_broken", LIKELY, "tls_timeout tries_ipv6", "", "tls_large_clienthello mtu_blackhole"),
    _row("tls_large_clienthello", POSSIBLE, "tls_timeout go_new", "in_china import_host", "mtu_blackhole goproxy_host_blocked sni_filtered transient_network"),
    _row("goproxy_host_blocked", LIKELY, "proxy dial_timeout|dial_refused", "own_mirror", _BLOCKED),
    _row("goproxy_host_blocked", POSSIBLE, "proxy dial_timeout|dial_refused", "", "goproxy_server_5xx no_proxy_missing no_proxy_black_hole transient_network"),
    _row("goproxy_host_blocked", LIKELY, "proxy tls_timeout", "", "tls_large_clienthello mtu_blackhole sni_filtered transient_network"),
    _row("goproxy_host_blocked", POSSIBLE, "proxy old_timeout|no_route|deadline|invalid_argument", "", "transient_network dns_resolver_unreachable goproxy_server_5xx"),
    _row("forward_proxy_broken", LIKELY, "proxy eof proxy_variable|vpn", "body_eof", "middlebox_reset"),
    _row("transient_network", LIKELY, "proxy flaky reset|eof|body_eof|broken_pipe|read_timeout", "", "middlebox_reset server_closed_silently"),
    _row("middlebox_reset", LIKELY, "proxy reset|broken_pipe", "", _CUT),
    _row("middlebox_reset", LIKELY, "proxy eof", "body_eof", "forward_proxy_broken server_closed_silently transient_network"),
    _row("transient_network", POSSIBLE, "proxy body_eof|read_timeout", "", "middlebox_reset server_closed_silently mtu_blackhole"),
    # R45, R08 direct: the import host, the code host
    _row("gopath_mode_ignores_goproxy", LIKELY, "package_line unrecognized_import goproxy_shown|module_off", "goproxy_is_direct", "direct_host_blocked"),
    _row("gopath_mode_ignores_goproxy", LIKELY, "package_line import_host goproxy_word", "goproxy_is_direct status_404 no_meta expired wrong_host",
         "direct_host_blocked goproxy_setting_not_effective"),
    _row("direct_host_blocked", LIKELY, "import_host google_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout", "",
         "gopath_mode_ignores_goproxy goproxy_setting_not_effective middlebox_reset dns_hijacked"),
    _row("vanity_host_down", LIKELY, "import_host status_5xx"),
    _row("vanity_host_down", LIKELY, "import_host status_404|status_403|status_401", "public_code inside_host google_host",
         "module_path_wrong repo_private_or_deleted_upstream"),
    _row("repo_private_or_deleted_upstream", LIKELY, "import_host status_404 public_code", "", "module_path_wrong git_credentials_missing"),
    _row("module_path_wrong", LIKELY, "import_host status_404|no_meta google_host"),
    _row("git_credentials_missing", LIKELY, "import_host status_404|status_403|status_401|no_meta inside_host", "", "vanity_host_down goprivate_not_set"),
    _row("zip_storage_forbidden", POSSIBLE, "import_host status_403", "", "direct_host_blocked"),
    _row("vanity_host_down", LIKELY, "import_host no_meta", "", "module_path_wrong repo_private_or_deleted_upstream"),
    _row("vanity_host_down", LIKELY, "import_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout|no_route", "public_code inside_host",
         "direct_host_blocked transient_network"),
    _row("direct_host_blocked", LIKELY, "import_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout|no_route", "",
         "vanity_host_down transient_network"),
    _row("middlebox_reset", LIKELY, "code_host reset|eof", "dialled", "direct_host_blocked transient_network forward_proxy_broken"),
    _row("direct_host_blocked", LIKELY, "code_host dial_timeout|dial_refused|tls_timeout|deadline|no_route", "", "transient_network middlebox_reset forward_proxy_broken"),
    _row("transient_network", LIKELY, "code_host git_5xx|hung_up|body_eof|stream", "", "middlebox_reset direct_host_blocked"),
    _row("gopath_mode_ignores_goproxy", LIKELY, "package_line unrecognized_import", "status_404 no_meta", "direct_host_blocked module_path_wrong"),
    _row("module_path_wrong", POSSIBLE, "unrecognized_import", "", "vanity_host_down direct_host_blocked repo_private_or_deleted_upstream"),
    # what is left: a fault of the network at a host whose part is not clear
    _row("middlebox_reset", POSSIBLE, "reset", "", "transient_network direct_host_blocked", weak=True),
    _row("direct_host_blocked", POSSIBLE, "dial_timeout|dial_refused|tls_timeout", "", "transient_network goproxy_host_blocked", weak=True),
    _row("repo_private_or_deleted_upstream", POSSIBLE, "repo_missing_plain", "", "git_credentials_missing module_path_wrong", weak=True),
    _row("git_credentials_missing", POSSIBLE, "git_denied", "goproxy_shown", "repo_private_or_deleted_upstream", weak=True),
    _row("transient_network", POSSIBLE, "deadline|body_eof|hung_up|read_timeout|eof", "", "middlebox_reset direct_host_blocked", weak=True),
)  # fmt: skip
