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
    """needs: sets of tags of each of which one must be there; lacks: tags none of which may be there.

    weak: it counts only when no message has a signature that is not.
    """

    cause: str
    certainty: Certainty
    needs: tuple[frozenset[str], ...]
    lacks: frozenset[str]
    others: tuple[str, ...]
    weak: bool = False

    def fits(self, tags: frozenset[str]) -> bool:
        return self.lacks.isdisjoint(tags) and not any(need.isdisjoint(tags) for need in self.needs)


def _row(
    cause: str, certainty: Certainty, *, needs: str, lacks: str = "", others: str = "", weak: bool = False
) -> Signature:
    """One line of the table, in words: blanks between tags, and `a|b` where one of several is enough."""
    choices = tuple(frozenset(need.split("|")) for need in needs.split())
    return Signature(cause, certainty, choices, frozenset(lacks.split()), tuple(others.split()), weak)


_BLOCKED: Final = (
    "transient_network ipv6_path_broken forward_proxy_broken sandbox_no_network dns_hijacked "
    "goproxy_setting_not_effective no_proxy_black_hole"
)
_CUT: Final = (
    "transient_network goproxy_host_blocked sni_filtered forward_proxy_broken server_closed_silently"
)
_NAMES: Final = "sandbox_no_network transient_network dns_no_resolv_conf dns_negative_filter"
_GIT_LOGIN: Final = "repo_private_or_deleted_upstream module_path_wrong goprivate_not_set"

SIGNATURES: Final = (
    # R42 toolchain, R44 this machine: nothing else matters while they stand
    _row(
        "toolchain_not_available", CERTAIN,
        needs="toolchain_missing",
        lacks="dialled proxyconnect dns_words reset",
    ),
    _row(
        "toolchain_not_available", LIKELY,
        needs="toolchain_old",
        lacks="dialled proxyconnect status_404",
        others="unknown_revision",
    ),
    _row(
        "toolchain_not_available", LIKELY,
        needs="toolchain_unfetched",
        others="zip_storage_forbidden",
    ),
    _row(
        "toolchain_not_available", LIKELY,
        needs="std_too_new",
        others="module_path_wrong",
    ),
    _row("local_disk_or_permission", CERTAIN, needs="no_space|read_only|no_home"),
    _row(
        "local_disk_or_permission", LIKELY,
        needs="fs_denied",
        lacks="ssh_key",
        others="git_ssh_key_refused",
    ),
    _row("local_disk_or_permission", LIKELY, needs="dubious|odd_files|cache_changed"),
    # settings
    _row("goproxy_off", CERTAIN, needs="goproxy_off"),
    # A warning that may stand above any other error: by itself it says enough, beside one it may be of no importance.
    _row("goproxy_setting_not_effective", LIKELY, needs="goproxy_not_effective", weak=True),
    _row(
        "goproxy_setting_not_effective", LIKELY,
        needs="go_env_w_unknown",
        others="gopath_mode_ignores_goproxy",
    ),
    _row("git_credentials_missing", LIKELY, needs="goauth", others="goproxy_lacks_vcs_credentials"),
    _row("vcs_binary_missing", CERTAIN, needs="vcs_missing"),
    # git is there, and lacks a part; or a quote in front of its URL was taken for a part of the scheme.
    _row("vcs_binary_missing", LIKELY, needs="vcs_half", others="goproxy_value_malformed local_disk_or_permission"),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="versioned_path path_malformed|unrecognized_import",
        lacks="said dialled dns_words",
        others="module_path_wrong toolchain_not_available",
    ),
    _row(
        "module_path_wrong", LIKELY,
        needs="path_malformed",
        lacks="said zip_invalid goproxy_malformed sumdb wrong_host times odd_certificate",
    ),
    _row(
        "module_path_wrong", LIKELY,
        needs="path_no_dot",
        lacks="said goproxy_malformed",
        others="gopath_mode_ignores_goproxy toolchain_not_available",
    ),
    # A rewrite to ssh that lost its colon makes the owner part of the host's name.
    _row(
        "git_insteadof_ssh", LIKELY,
        needs="hostname_with_path",
        others="module_path_wrong dns_resolver_unreachable",
    ),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="proxy_unresolved",
        others="forward_proxy_wrong_scheme dns_resolver_unreachable",
    ),
    _row(
        "goproxy_value_malformed", CERTAIN,
        needs="goproxy_malformed",
        lacks="import_host code_host",
        others="goproxy_setting_not_effective",
    ),
    # The list was taken for one address: in a request, not in a line that only shows the setting.
    _row(
        "goproxy_value_malformed", CERTAIN,
        needs="list_in_url get_url|dns_words|url_malformed|dns_none|dialled|status_404",
        lacks="import_host code_host",
        others="goproxy_setting_not_effective",
    ),
    _row(
        "goproxy_value_malformed", LIKELY,
        needs="url_malformed go_command|proxy|goproxy_shown|goproxy_word|proxyconnect|dns_words|proxy_variable",
        lacks="import_host code_host",
        others="goproxy_setting_not_effective forward_proxy_broken module_path_wrong",
    ),
    _row(
        "goproxy_value_malformed", LIKELY,
        needs="goproxy_semicolon dns_none|dns_words|dialled|proxy|import_host|code_host|unrecognized_import",
        others="goproxy_setting_not_effective",
    ),
    # A Go from before the syntax says the same of it.
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="gopath_mode",
        lacks="only_warned",
        others="toolchain_not_available",
    ),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="only_warned",
        others="goproxy_setting_not_effective",
        weak=True,
    ),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="gopath_hint",
        lacks="dialled dns_words",
        others="goproxy_setting_not_effective",
    ),
    # R13–R18 the forward proxy
    _row("forward_proxy_wrong_scheme", CERTAIN, needs="proxyconnect not_tls|http_at_https|tls_at_http"),
    _row("forward_proxy_wrong_scheme", LIKELY, needs="tls_at_http", others="forward_proxy_broken"),
    _row(
        "forward_proxy_wrong_scheme", LIKELY,
        needs="not_tls proxy_variable_https",
        others="forward_proxy_broken",
    ),
    _row(
        "forward_proxy_auth_required", LIKELY,
        needs="proxy_wants_login|bare_407",
        lacks="status_404 status_403 status_5xx",
        others="forward_proxy_denied forward_proxy_broken",
    ),
    _row(
        "no_proxy_missing", LIKELY,
        needs="bare_gateway|proxy_gateway|bare_phrase inside_host",
        lacks="said",
        others="forward_proxy_overloaded forward_proxy_denied",
    ),
    _row("forward_proxy_denied", LIKELY, needs="proxy_says_no", others="sandbox_no_network"),
    _row(
        "forward_proxy_denied", LIKELY,
        needs="not_allowed|said_not_allowed",
        others="sandbox_no_network zip_storage_forbidden",
    ),
    _row(
        "forward_proxy_denied", LIKELY,
        needs="bare_phrase",
        lacks="said",
        others="goproxy_host_blocked forward_proxy_auth_required",
    ),
    _row(
        "forward_proxy_overloaded", LIKELY,
        needs="bare_gateway|proxy_gateway",
        lacks="said",
        others="forward_proxy_broken no_proxy_missing forward_proxy_denied",
    ),
    _row(
        "forward_proxy_loopback_in_container", LIKELY,
        needs="proxyconnect to_loopback in_container",
        others="forward_proxy_broken",
    ),
    _row(
        "forward_proxy_loopback_in_container", LIKELY,
        needs="loopback_proxy dial_refused in_container",
        others="forward_proxy_broken",
    ),
    _row(
        "tls_mitm_corporate_ca", LIKELY,
        needs="proxyconnect unknown_authority",
        others="forward_proxy_wrong_scheme",
    ),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="proxyconnect",
        others="forward_proxy_loopback_in_container forward_proxy_overloaded forward_proxy_wrong_scheme",
    ),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="loopback_proxy dial_refused|dial_timeout|reset|eof|hung_up",
        others="forward_proxy_loopback_in_container transient_network",
    ),
    _row("forward_proxy_broken", LIKELY, needs="socks_fault", others="forward_proxy_denied"),
    _row("forward_proxy_broken", LIKELY, needs="bare_other", lacks="said", others="forward_proxy_denied"),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="odd_port reset|eof|broken_pipe|tls_timeout",
        lacks="own_mirror",
        others="middlebox_reset forward_proxy_denied",
    ),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="tunnel_eof",
        lacks="own_mirror",
        others="middlebox_reset transient_network forward_proxy_wrong_scheme",
    ),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="dials_another",
        others="forward_proxy_loopback_in_container",
    ),
    # R43 the author's side: the text itself proves that the network did its work
    _row("module_path_mismatch", CERTAIN, needs="path_declared", lacks="dialled zip_broken"),
    _row(
        "module_path_mismatch", LIKELY,
        needs="path_mismatch",
        lacks="dialled zip_broken",
        others="module_path_wrong unknown_revision",
    ),
    _row("module_zip_invalid", CERTAIN, needs="zip_names|said_zip_names", lacks="dialled"),
    _row(
        "module_zip_invalid", LIKELY,
        needs="zip_invalid|said_zip_invalid",
        lacks="dialled",
        others="goproxy_server_5xx local_disk_or_permission",
    ),
    _row("module_path_mismatch", LIKELY, needs="import_collision", others="module_path_wrong"),
    _row("module_path_mismatch", LIKELY, needs="lacks_mod", lacks="dialled", others="unknown_revision"),
    _row(
        "module_path_wrong", LIKELY,
        needs="cannot_contain",
        lacks="dialled",
        others="module_path_mismatch vanity_host_down",
    ),
    # R38, R37 the checksum database
    _row(
        "local_disk_or_permission", LIKELY,
        needs="mismatch empty_file",
        others="goproxy_sumdb_mirror_broken checksum_mismatch_retagged",
    ),
    _row(
        "checksum_mismatch_retagged", CERTAIN,
        needs="mismatch mismatch_sumdb",
        others="goproxy_sumdb_mirror_broken",
    ),
    _row(
        "checksum_mismatch_retagged", LIKELY,
        needs="mismatch sum_words",
        others="goproxy_sumdb_mirror_broken",
    ),
    _row(
        "http2_server_fault", LIKELY,
        needs="sumdb stream",
        others="goproxy_sumdb_mirror_broken transient_network",
    ),
    _row(
        "goprivate_not_set", LIKELY,
        needs="sumdb said_unknown_revision inside_host|ip_host|private_name|module_inside_host",
        others="unknown_revision goproxy_sumdb_mirror_broken mirror_lag_negative_cache",
    ),
    # To be verified it had to be there: the database asked before it was, or somebody else's copy was asked.
    _row(
        "mirror_lag_negative_cache", LIKELY,
        needs="sumdb said_unknown_revision release",
        lacks="said_git_prompt",
        others="unknown_revision goprivate_not_set",
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="sumdb said_unknown_revision",
        lacks="said_git_prompt",
        others="mirror_lag_negative_cache goprivate_not_set",
    ),
    _row(
        "goprivate_not_set", LIKELY,
        needs=(
            "sumdb said_git_prompt|said_dns_none|said_unrecognized_import|said_repo_missing|said_ssh_key|"
            "said_git_port_timeout"
        ),
        others="repo_private_or_deleted_upstream git_credentials_missing",
    ),
    _row(
        "goproxy_upstream_unreachable", LIKELY,
        needs="said_fetch_late",
        others="goproxy_server_5xx mirror_lag_negative_cache",
    ),
    _row(
        "goproxy_upstream_unreachable", LIKELY,
        needs="sumdb said_dial_timeout|said_dial_refused|said_dns_unable|said_reset|said_hung_up|said_git_5xx",
        lacks="said_dns_none",
        others="mirror_lag_negative_cache",
    ),
    _row(
        "goprivate_not_set", LIKELY,
        needs="sumdb status_404 google_host",
        lacks="via_proxy module_google_host",
        others="mirror_lag_negative_cache unknown_revision repo_private_or_deleted_upstream",
    ),
    _row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb status_404",
        lacks="via_proxy google_host",
        others="goprivate_not_set sumdb_unreachable",
    ),
    _row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb via_proxy status_404|status_403|status_5xx|status_400|status_401|eof|html",
        lacks="only_supported",
        others="sumdb_unreachable goprivate_not_set mirror_lag_negative_cache",
    ),
    _row(
        "dns_no_resolv_conf", LIKELY,
        needs="sumdb dns_own_port",
        lacks="in_sandbox",
        others="sandbox_no_network",
    ),
    _row("sandbox_no_network", LIKELY, needs="sumdb dns_refused|dns_own_port|dns_no_way in_sandbox"),
    _row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb via_proxy",
        lacks="dialled reset dns_words only_supported",
        others="sumdb_unreachable transient_network",
    ),
    _row("rate_limited_429", LIKELY, needs="sumdb too_many"),
    _row(
        "tls_mitm_corporate_ca", LIKELY,
        needs="sumdb unknown_authority",
        others="ca_bundle_missing_or_stale sumdb_unreachable",
    ),
    _row(
        "sumdb_unreachable", LIKELY,
        needs=(
            "sumdb dial_timeout|dial_refused|tls_timeout|deadline|dns_words|no_route|unreachable|"
            "old_timeout|eof|reset|read_timeout|status_5xx|status_403"
        ),
        lacks="expired wrong_host no_roots not_tls via_proxy",
        others="goproxy_sumdb_mirror_broken transient_network goproxy_host_blocked",
    ),
    _row(
        "middlebox_reset", LIKELY,
        needs="sumdb via_proxy reset",
        others="goproxy_sumdb_mirror_broken transient_network",
    ),
    _row(
        "goproxy_sumdb_mirror_broken", LIKELY,
        needs="sumdb_lies verifying|sumdb",
        lacks="dns_words",
        others="sumdb_unreachable captive_portal",
    ),
    # logs of the mirror itself
    _row(
        "goproxy_lacks_vcs_credentials", LIKELY,
        needs="mirror_log git_prompt|git_denied|ssh_key|repo_missing",
        lacks="sumdb",
        others="goprivate_not_set repo_private_or_deleted_upstream",
    ),
    _row(
        "mirror_lag_negative_cache", LIKELY,
        needs="mirror_log old_unknown",
        lacks="said dialled",
        others="unknown_revision goproxy_lacks_vcs_credentials",
    ),
    _row(
        "goproxy_upstream_unreachable", LIKELY,
        needs="mirror_log dial_timeout|dial_refused|dns_words|tls_timeout|unknown_authority|reset",
        lacks="proxy sumdb",
    ),
    # What stands behind "server response:" of an import host, or what gopkg.in lets git say, is the host's own trouble.
    # Without TLS the forward proxy answers itself, as if it were the server.
    _row(
        "no_proxy_missing", LIKELY,
        needs="import_host|own_mirror plain_http status_5xx proxy_variable",
        lacks="public_host google_host said",
        others="vanity_host_down goproxy_server_5xx forward_proxy_overloaded",
    ),
    _row("vanity_host_down", LIKELY, needs="import_host status_5xx", others="transient_network"),
    _row("vanity_host_down", LIKELY, needs="redirector|module_redirector git_5xx", others="transient_network"),
    # R34 "server response:" is the mirror's own view: its network, its credentials
    _row(
        "goprivate_not_set", LIKELY,
        needs="said_dns_none",
        lacks="own_mirror import_host mirror_log said_public_host status_5xx dialled",
        others="goproxy_upstream_unreachable module_path_wrong vanity_host_down",
    ),
    # A mirror for everybody has no way to what stands inside a company.
    _row(
        "goprivate_not_set", LIKELY,
        needs="said_inside_host said_dial_timeout|said_dial_refused|said_no_route",
        lacks="own_mirror mirror_log status_5xx",
        others="goproxy_upstream_unreachable vanity_host_down",
    ),
    _row(
        "goproxy_upstream_unreachable", LIKELY,
        needs=(
            "said_dial_timeout|said_dial_refused|said_dns_words|said_tls_timeout|said_reset|"
            "said_unknown_authority|said_dns_unable|said_deadline|said_no_route|said_unreachable|"
            "said_hung_up|said_proxyconnect|said_ssh_timeout"
        ),
        others="goproxy_server_5xx goproxy_lacks_vcs_credentials vanity_host_down",
    ),
    _row(
        "goproxy_lacks_vcs_credentials", LIKELY,
        needs="own_mirror said_git_prompt|said_git_denied|said_ssh_key",
        others="goprivate_not_set repo_private_or_deleted_upstream",
    ),
    _row(
        "goproxy_lacks_vcs_credentials", LIKELY,
        needs="own_mirror said_repo_missing",
        lacks="said_unknown_revision",
        others="repo_private_or_deleted_upstream module_path_wrong",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="chain said_git_prompt|said_repo_missing",
        lacks="sumdb private_name module_inside_host",
        others="goprivate_not_set module_path_wrong",
    ),
    _row(
        "goprivate_not_set", LIKELY,
        needs="said_git_prompt|said_git_denied|said_ssh_key",
        lacks="status_403",
        others="repo_private_or_deleted_upstream module_path_wrong git_credentials_missing",
    ),
    _row("vcs_binary_missing", LIKELY, needs="said_vcs_missing"),
    _row("module_path_mismatch", LIKELY, needs="said_path_declared|said_path_mismatch"),
    _row(
        "module_path_mismatch", LIKELY,
        needs="said_lacks_mod release",
        others="unknown_revision module_path_wrong mirror_lag_negative_cache",
    ),
    _row(
        "rate_limited_429", CERTAIN,
        needs="proxy too_many",
        lacks="dialled",
        others="goproxy_comma_no_fallback",
    ),
    _row(
        "rate_limited_429", LIKELY,
        needs="too_many status_5xx|import_host|code_host|other_url",
        lacks="dialled",
    ),
    _row(
        "goprivate_not_set", LIKELY,
        needs="proxy status_404 private_name|module_inside_host|git_suffix public_host",
        lacks="own_mirror",
        others="repo_private_or_deleted_upstream git_credentials_missing module_path_wrong",
    ),
    _row(
        "mirror_lag_negative_cache", LIKELY,
        needs="said_unknown_revision proxy release",
        lacks="chain",
        others="unknown_revision module_path_wrong",
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="said_unknown_revision proxy",
        others="mirror_lag_negative_cache module_path_wrong",
    ),
    _row(
        "module_path_wrong", LIKELY,
        needs="said_repo_missing|said_not_a_package|said_unrecognized_import proxy",
        lacks="own_mirror",
        others="repo_private_or_deleted_upstream goprivate_not_set vanity_host_down",
    ),
    _row(
        "goprivate_not_set", LIKELY,
        needs="proxy said_git_failed status_404",
        lacks="own_mirror",
        others="repo_private_or_deleted_upstream module_path_wrong unknown_revision",
    ),
    # R36, R40, R39, R32, R33, R35 answers of the module proxy
    _row(
        "http2_server_fault", LIKELY,
        needs="stream",
        lacks="code_host dialled",
        others="transient_network middlebox_reset",
    ),
    _row("zip_storage_forbidden", CERTAIN, needs="vpc"),
    _row(
        "goproxy_comma_no_fallback", LIKELY,
        needs="proxy own_mirror comma_behind_it status_403|status_5xx|status_401|status_400",
        others="goproxy_server_5xx goproxy_lacks_vcs_credentials",
    ),
    _row(
        "goproxy_comma_no_fallback", LIKELY,
        needs=(
            "proxy mirror_behind_it dial_timeout|dial_refused|tls_timeout|old_timeout|dns_none|no_route|reset|eof|"
            "status_403|status_5xx|status_401"
        ),
        lacks="said public_host",
        others="goproxy_host_blocked goproxy_server_5xx dns_resolver_unreachable",
    ),
    # A mirror at an address of one's own, and others behind the comma: out of the company it does not answer.
    _row(
        "goproxy_comma_no_fallback", LIKELY,
        needs="proxy mirrors_by_comma to_private dial_timeout|dial_refused|no_route",
        lacks="said public_host",
        others="goproxy_host_blocked goproxy_server_5xx",
    ),
    # Who wonders about the way back was stopped by the comma; without that word the entry itself is in question.
    _row(
        "goproxy_comma_no_fallback", LIKELY,
        needs="proxy comma_list fallback_word dial_timeout|dial_refused|tls_timeout|old_timeout|status_5xx|status_403",
        lacks="said in_china",
        others="goproxy_host_blocked goproxy_server_5xx transient_network",
    ),
    _row(
        "zip_storage_forbidden", LIKELY,
        needs="proxy zip status_403",
        lacks="own_mirror no_url",
        others="goproxy_comma_no_fallback forward_proxy_denied goproxy_host_blocked",
    ),
    _row(
        "reverse_proxy_no_live_upstream", LIKELY,
        needs="no_live|said_no_live",
        others="goproxy_server_5xx",
    ),
    _row(
        "reverse_proxy_timeout", LIKELY,
        needs="proxy gateway_timeout said_html",
        lacks="dialled",
        others="goproxy_server_5xx goproxy_upstream_unreachable",
    ),
    _row(
        "goproxy_server_5xx", LIKELY,
        needs="proxy gateway_timeout",
        lacks="dialled",
        others="reverse_proxy_timeout goproxy_upstream_unreachable",
    ),
    # A mirror of one's own, asked for a module of one's own: it could not log in where that lies.
    _row(
        "goproxy_lacks_vcs_credentials", POSSIBLE,
        needs="proxy own_mirror status_500 private_name|module_inside_host",
        lacks="dialled said",
        others="goproxy_server_5xx goproxy_upstream_unreachable goprivate_not_set",
    ),
    _row(
        "goproxy_server_5xx", LIKELY,
        needs="proxy status_5xx",
        lacks="dialled",
        others="goproxy_upstream_unreachable transient_network goproxy_comma_no_fallback",
    ),
    # A mirror for everybody asks nobody for a password: that is somebody on the way.
    _row(
        "forward_proxy_denied", LIKELY,
        needs="proxy public_host status_401",
        lacks="own_mirror",
        others="goproxy_comma_no_fallback captive_portal tls_mitm_corporate_ca",
    ),
    _row(
        "goproxy_lacks_vcs_credentials", POSSIBLE,
        needs="proxy own_mirror status_401|status_403",
        others="goproxy_comma_no_fallback forward_proxy_denied",
    ),
    # The default proxy forbids nothing by itself: where the client is, is what it forbids.
    _row(
        "goproxy_host_blocked", POSSIBLE,
        needs="proxy google_host status_403|status_451",
        others="zip_storage_forbidden forward_proxy_denied goproxy_comma_no_fallback",
    ),
    _row(
        "goproxy_comma_no_fallback", POSSIBLE,
        needs="proxy status_403|status_401|status_451",
        others="zip_storage_forbidden forward_proxy_denied goproxy_host_blocked",
    ),
    _row(
        "captive_portal", POSSIBLE,
        needs="proxy|not_json html",
        others="goproxy_value_malformed goproxy_server_5xx",
    ),
    _row("toolchain_not_available", LIKELY, needs="toolchain status_404"),
    _row(
        "unknown_revision", LIKELY,
        needs="proxy status_404 odd_pseudo|placeholder",
        others="goproxy_lacks_module_no_direct",
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="proxy status_404 unknown_elsewhere",
        lacks="said_unknown_revision",
        others="goproxy_lacks_module_no_direct mirror_lag_negative_cache module_path_wrong",
    ),
    # go asks for the zip of what it has got the go.mod of: a mirror for everybody has lost it.
    _row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy zip status_404 public_host",
        lacks="no_url private_name module_inside_host",
        others="mirror_lag_negative_cache goproxy_lacks_module_no_direct unknown_revision",
    ),
    # With `direct` in the list its error is the one that go shows: a 404 of the proxy in its place means there is none.
    _row(
        "goproxy_lacks_module_no_direct", LIKELY,
        needs="proxy status_404",
        others=(
            "mirror_lag_negative_cache unknown_revision goprivate_not_set module_path_wrong "
            "goproxy_lacks_vcs_credentials"
        ),
    ),
    _row("goproxy_server_5xx", LIKELY, needs="proxy redirects", others="captive_portal"),
    _row(
        "goproxy_lacks_module_no_direct", LIKELY,
        needs="file_proxy_miss",
        others="goproxy_setting_not_effective mirror_lag_negative_cache unknown_revision",
    ),
    _row(
        "goproxy_server_5xx", LIKELY,
        needs="served_5xx",
        others="goproxy_upstream_unreachable goproxy_lacks_vcs_credentials unknown_revision",
    ),
    _row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy malformed_http",
        others="http2_server_fault goproxy_value_malformed forward_proxy_broken",
    ),
    _row("goproxy_server_5xx", LIKELY, needs="odd_answer", lacks="html", others="captive_portal"),
    _row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy bad_gzip",
        others="transient_network captive_portal forward_proxy_broken",
    ),
    # The default proxy calls a request bad whose version cannot be.
    _row(
        "unknown_revision", POSSIBLE,
        needs="proxy google_host status_400",
        others="goproxy_server_5xx goproxy_upstream_unreachable",
    ),
    _row(
        "goproxy_server_5xx", POSSIBLE,
        needs="proxy status_400",
        others="goproxy_upstream_unreachable unknown_revision",
    ),
    # R27, R04, R05, R07 names
    _row(
        "sandbox_no_network", LIKELY,
        needs=(
            "dns_own_port|dns_loopback|dns_stub|dns_refused|dns_no_way|not_permitted|connect_denied|dns_unable|"
            "dns_none|unreachable|dns_timeout in_sandbox"
        ),
        lacks="said",
        others="dns_no_resolv_conf dns_resolver_unreachable",
    ),
    _row(
        "goproxy_host_blocked", LIKELY,
        needs="proxy connect_denied",
        lacks="in_sandbox said",
        others="sandbox_no_network",
    ),
    _row(
        "sandbox_no_network", LIKELY,
        needs="not_permitted|connect_denied",
        lacks="said",
        others="direct_host_blocked local_disk_or_permission",
    ),
    _row(
        "dns_no_resolv_conf", LIKELY,
        needs="dns_own_port",
        lacks="said dns_timeout",
        others="sandbox_no_network dns_resolver_unreachable",
    ),
    _row(
        "dns_no_resolv_conf", LIKELY,
        needs="dns_loopback dns_refused",
        lacks="said",
        others="dns_resolver_unreachable sandbox_no_network",
    ),
    _row(
        "sandbox_no_network", LIKELY,
        needs="dns_no_way unreachable",
        lacks="said",
        others="dns_resolver_unreachable transient_network",
    ),
    _row(
        "dns_resolver_unreachable", LIKELY,
        needs="dns_timeout|dns_refused|dns_no_way",
        lacks="said",
        others=_NAMES,
    ),
    _row("dns_resolver_unreachable", LIKELY, needs="dns_unable", lacks="said", others=_NAMES),
    # Only GOPATH mode asks the import host where a module proxy is set.
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line unrecognized_import goproxy_shown dns_none module_google_host",
        lacks="goproxy_is_direct said",
        others="goproxy_setting_not_effective dns_resolver_unreachable",
    ),
    _row(
        "dns_resolver_unreachable", LIKELY,
        needs="dns_none public_host",
        lacks="said unrecognized_import",
        others=_NAMES,
    ),
    # A version that nobody gives stands where something is replaced, in the module that requires it alone.
    _row(
        "module_path_wrong", LIKELY,
        needs="dns_none import_host placeholder",
        lacks="public_host inside_host",
        others="vanity_host_down goprivate_not_set",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="dns_none import_host",
        lacks="public_host inside_host",
        others="module_path_wrong dns_resolver_unreachable goprivate_not_set",
    ),
    _row(
        "module_path_wrong", POSSIBLE,
        needs="dns_none import_host",
        lacks="public_host",
        others="dns_resolver_unreachable vanity_host_down goprivate_not_set",
    ),
    _row(
        "dns_resolver_unreachable", LIKELY,
        needs="dns_none",
        lacks="said",
        others="goproxy_value_malformed dns_negative_filter goproxy_setting_not_effective transient_network",
    ),
    # R24, R22, R21, R23 trust
    _row("ca_bundle_missing_or_stale", CERTAIN, needs="no_roots"),
    _row("ca_bundle_missing_or_stale", LIKELY, needs="dst_root", others="server_cert_expired clock_skew"),
    _row(
        "clock_skew", LIKELY,
        needs="clock_reset unknown_authority|expired|odd_certificate",
        others="ca_bundle_missing_or_stale tls_mitm_corporate_ca",
    ),
    _row(
        "clock_skew", LIKELY,
        needs="not_yet|long_past",
        others="server_cert_expired tls_mitm_corporate_ca",
    ),
    _row(
        "server_cert_expired", LIKELY,
        needs="expired times",
        others="clock_skew ca_bundle_missing_or_stale",
    ),
    _row(
        "clock_skew", LIKELY,
        needs="expired google_host",
        others="ca_bundle_missing_or_stale tls_mitm_corporate_ca server_cert_expired",
    ),
    _row("server_cert_expired", LIKELY, needs="expired", others="clock_skew ca_bundle_missing_or_stale"),
    _row("revocation_check_slow", LIKELY, needs="revocation", others="tls_mitm_corporate_ca"),
    _row(
        "captive_portal", LIKELY,
        needs="wrong_host portal_name",
        others="dns_hijacked hosts_file_override server_cert_wrong_host",
    ),
    _row("tls_mitm_corporate_ca", LIKELY, needs="wrong_host public_host inspected", others="dns_hijacked"),
    _row(
        "dns_hijacked", LIKELY,
        needs="wrong_host public_host",
        others="hosts_file_override server_cert_wrong_host tls_mitm_corporate_ca",
    ),
    _row("server_cert_wrong_host", LIKELY, needs="wrong_host", others="dns_hijacked hosts_file_override"),
    _row("tls_server_name_unknown", LIKELY, needs="default_certificate", others="server_cert_wrong_host"),
    _row("tls_mitm_corporate_ca", LIKELY, needs="unknown_authority|odd_certificate mitm_name"),
    _row("tls_mitm_corporate_ca", LIKELY, needs="odd_certificate|own_root", others="ca_bundle_missing_or_stale"),
    # Who chose a mirror near by is not inspected on the way to it; the roots of the machine are old.
    _row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="no_more_said proxy near_mirror",
        lacks="mitm_name proxy_variable vpn on_runner",
        others="tls_mitm_corporate_ca clock_skew dns_hijacked",
    ),
    _row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="unknown_authority on_alpine|in_sandbox",
        lacks="has_ca_package",
        others="tls_mitm_corporate_ca",
    ),
    _row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="unknown_authority no_ca_file",
        others="tls_mitm_corporate_ca",
    ),
    # Pages of single authors, which were the first to change to a new authority; who reaches them was let through
    # to the module proxy before, or is in GOPATH mode.
    _row(
        "ca_bundle_missing_or_stale", LIKELY,
        needs="unknown_authority import_host|redirector",
        lacks="google_host inside_host proxy_variable vpn private_name private_set",
        others="tls_mitm_corporate_ca server_cert_wrong_host clock_skew",
    ),
    _row(
        "tls_mitm_corporate_ca", LIKELY,
        needs="unknown_authority",
        others="ca_bundle_missing_or_stale dns_hijacked clock_skew",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="import_host tls_internal",
        lacks="google_host inside_host",
        others="tls_server_name_unknown sni_filtered",
    ),
    _row(
        "tls_server_name_unknown", LIKELY,
        needs="unrecognized_name",
        others="sni_filtered server_cert_wrong_host",
    ),
    _row(
        "tls_client_certificate_required", LIKELY,
        needs="client_certificate",
        others="tls_mitm_corporate_ca",
    ),
    _row(
        "middlebox_reset", LIKELY,
        needs="tls_version go_alert google_host",
        others="sni_filtered dns_hijacked tls_version_mismatch",
    ),
    _row(
        "tls_version_mismatch", LIKELY,
        needs="tls_version",
        others="tls_client_certificate_required middlebox_reset tls_server_name_unknown",
    ),
    _row("middlebox_reset", LIKELY, needs="bad_mac", others="transient_network"),
    # A name that everybody knows, and the address behind it is this machine: seen by ping, ssh -v or curl -v.
    _row(
        "dns_hijacked", LIKELY,
        needs="public_at_home",
        others="hosts_file_override dns_negative_filter",
    ),
    # R28 git by its own port, or by ssh
    _row(
        "git_protocol_blocked", CERTAIN,
        needs="git_port dial_timeout|dial_refused|git_port_timeout|git_denied",
        lacks="insteadof_set",
    ),
    _row(
        "git_protocol_blocked", LIKELY,
        needs="git_port|git_port_timeout|ssh_timeout",
        others="git_ssh_key_refused transient_network",
    ),
    # R01, R03 an address that cannot be right
    _row(
        "hosts_file_override", LIKELY,
        needs="hosts_file to_loopback|to_zero|to_private|to_forged|to_stranger",
        lacks="inside_host",
        others="dns_hijacked",
    ),
    # An answer that says "nowhere" is a filter; one that leads somewhere is a lie.
    _row(
        "dns_negative_filter", LIKELY,
        needs="to_zero",
        lacks="inside_host",
        others="dns_hijacked hosts_file_override",
    ),
    _row(
        "dns_hijacked", LIKELY,
        needs="to_forged|to_fake_ip",
        lacks="inside_host",
        others="hosts_file_override dns_negative_filter goproxy_host_blocked",
    ),
    _row(
        "dns_hijacked", LIKELY,
        needs="public_host to_loopback|to_private",
        lacks="ip_host",
        others="hosts_file_override forward_proxy_broken",
    ),
    _row(
        "hosts_file_override", LIKELY,
        needs="proxy|import_host to_loopback",
        lacks="ip_host inside_host loopback_proxy own_mirror",
        others="dns_hijacked dns_negative_filter forward_proxy_broken goproxy_host_blocked",
    ),
    # R26, R18 plain http where TLS was expected
    _row("goproxy_value_malformed", LIKELY, needs="proxy http_at_https", others="goproxy_server_5xx"),
    _row("vanity_host_down", POSSIBLE, needs="http_at_https import_host", others="server_cert_wrong_host"),
    _row(
        "forward_proxy_wrong_scheme", POSSIBLE,
        needs="not_tls",
        others="captive_portal dns_hijacked middlebox_reset",
    ),
    # R28–R31 version control
    _row(
        "git_ssh_key_refused", LIKELY,
        needs="ssh_key git_clone_ssh",
        lacks="chain",
        others="git_insteadof_ssh",
    ),
    # Since Go 1.26 the line says what git was asked for: ssh by name is no rewrite of https.
    _row("git_ssh_key_refused", LIKELY, needs="ssh_key asked_ssh", others="git_insteadof_ssh"),
    _row(
        "git_ssh_key_refused", LIKELY,
        needs="ssh_key ssh_clone",
        lacks="chain insteadof_set",
        others="git_insteadof_ssh",
    ),
    _row(
        "git_ssh_key_refused", LIKELY,
        needs="ssh_key",
        lacks="go_command insteadof_set",
        others="git_insteadof_ssh",
    ),
    _row(
        "git_insteadof_ssh", LIKELY,
        needs="ssh_key",
        others="git_ssh_key_refused git_credentials_missing",
    ),
    _row(
        "git_insteadof_ssh", LIKELY,
        needs="repo_missing ssh_words",
        lacks="git_prompt",
        others="git_ssh_key_refused repo_private_or_deleted_upstream",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt chain",
        lacks="inside_host private_name private_set private_word",
        others="git_credentials_missing module_path_wrong",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt old_pseudo",
        lacks="inside_host private_name private_set private_word insteadof_set",
        others="git_credentials_missing module_path_wrong",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt repo_not_found",
        others="module_path_wrong git_credentials_missing",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt asked_in_public",
        lacks="inside_host private_name private_set private_word insteadof_set mirror_log",
        others="module_path_wrong git_credentials_missing goprivate_not_set",
    ),
    _row("git_credentials_missing", LIKELY, needs="git_prompt", others=_GIT_LOGIN),
    _row(
        "git_credentials_missing", LIKELY,
        needs="git_denied|said_git_denied code_host",
        others="repo_private_or_deleted_upstream goprivate_not_set",
    ),
    _row("vcs_binary_missing", LIKELY, needs="hg_missing", others="git_credentials_missing"),
    _row(
        "git_credentials_missing", LIKELY,
        needs="repo_hidden",
        others="repo_private_or_deleted_upstream git_insteadof_ssh",
    ),
    # What Google keeps for everybody is not gone.
    _row(
        "transient_network", POSSIBLE,
        needs="repo_missing code_host google_host",
        lacks="git_prompt",
        others="direct_host_blocked module_path_wrong",
    ),
    # Who sends a login along wants to be let in: to that login the repository does not exist.
    _row(
        "git_credentials_missing", LIKELY,
        needs="repo_missing login_in_url code_host",
        others="repo_private_or_deleted_upstream module_path_wrong",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="repo_missing code_host",
        others="git_credentials_missing module_path_wrong",
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="old_unknown",
        lacks="dialled said proxyconnect reset",
        others="mirror_lag_negative_cache git_credentials_missing",
        weak=True,
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="no_versions",
        lacks="dialled said proxyconnect reset",
        others="module_path_wrong goproxy_lacks_module_no_direct mirror_lag_negative_cache",
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="unknown_revision",
        lacks="dialled said proxyconnect reset private_name module_inside_host maybe_unknown",
        others="mirror_lag_negative_cache",
    ),
    _row(
        "unknown_revision", LIKELY,
        needs="unknown_revision",
        lacks="dialled said proxyconnect reset",
        others="goproxy_lacks_vcs_credentials git_credentials_missing mirror_lag_negative_cache",
    ),
    _row(
        "module_path_wrong", LIKELY,
        needs="not_a_package",
        lacks="gopath_miss dialled lookup_disabled std_broken vendor_gap import_host",
        others="gopath_mode_ignores_goproxy unknown_revision mirror_lag_negative_cache",
    ),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="gopath_miss not_a_package",
        lacks="std_broken code_unreached",
        others="module_path_wrong",
    ),
    # R08, R09 the connection to the module proxy
    _row(
        "zip_storage_forbidden", LIKELY,
        needs="zip storage dial_timeout|dial_refused|tls_timeout|reset|eof",
        others="goproxy_host_blocked transient_network",
    ),
    _row(
        "goproxy_setting_not_effective", LIKELY,
        needs="proxy not_overridden google_host dial_timeout|dial_refused|tls_timeout|deadline|reset|eof|old_timeout",
        others="goproxy_host_blocked",
    ),
    _row(
        "goproxy_setting_not_effective", LIKELY,
        needs="proxy goproxy_elsewhere dial_timeout|dial_refused|tls_timeout|deadline|reset|eof",
        lacks="own_mirror",
        others="goproxy_host_blocked",
    ),
    _row(
        "tls_large_clienthello", LIKELY,
        needs="small_hello_helps tls_timeout|reset|eof|read_timeout",
        others="middlebox_reset mtu_blackhole",
    ),
    _row(
        "ipv6_path_broken", LIKELY,
        needs="ipv6 unreachable|no_route|broken_pipe|read_timeout",
        others="goproxy_host_blocked direct_host_blocked",
    ),
    _row(
        "ipv6_path_broken", LIKELY,
        needs="read_tcp6",
        lacks="reset",
        others="middlebox_reset transient_network",
    ),
    _row(
        "sandbox_no_network", LIKELY,
        needs="unreachable",
        lacks="ipv6 said",
        others="transient_network dns_resolver_unreachable ipv6_path_broken",
    ),
    _row(
        "transient_network", LIKELY,
        needs="proxy on_runner dial_timeout|tls_timeout|deadline|reset|old_timeout|body_eof",
        lacks="in_china own_mirror",
        others="goproxy_server_5xx goproxy_host_blocked",
    ),
    _row(
        "ipv6_path_broken", LIKELY,
        needs="tls_timeout tries_ipv6",
        others="tls_large_clienthello mtu_blackhole",
    ),
    _row(
        "tls_large_clienthello", POSSIBLE,
        needs="tls_timeout go_new",
        lacks="in_china import_host",
        others="mtu_blackhole goproxy_host_blocked sni_filtered transient_network",
    ),
    _row(
        "transient_network", LIKELY,
        needs="proxy flaky dial_timeout|tls_timeout|dial_refused",
        lacks="in_china own_mirror",
        others="goproxy_host_blocked",
    ),
    _row(
        "goproxy_host_blocked", LIKELY,
        needs="proxy dial_timeout|dial_refused",
        lacks="own_mirror",
        others=_BLOCKED,
    ),
    _row(
        "goproxy_host_blocked", POSSIBLE,
        needs="proxy dial_timeout|dial_refused",
        others="goproxy_server_5xx no_proxy_missing no_proxy_black_hole transient_network",
    ),
    # Where Google is filtered the connection fails before TLS; reports of a handshake that was late passed.
    _row(
        "transient_network", LIKELY,
        needs="proxy google_host tls_timeout",
        lacks="in_china own_mirror goproxy_elsewhere",
        others="goproxy_host_blocked tls_large_clienthello mtu_blackhole sni_filtered ipv6_path_broken",
    ),
    # Nobody filters the name of a mirror that only a few know: the handshake is lost on a tunnel or a bridge.
    _row(
        "mtu_blackhole", POSSIBLE,
        needs="proxy tls_timeout",
        lacks="public_host in_china goproxy_elsewhere flaky",
        others="goproxy_host_blocked tls_large_clienthello sni_filtered ipv6_path_broken transient_network",
    ),
    _row(
        "goproxy_host_blocked", LIKELY,
        needs="proxy tls_timeout",
        others="tls_large_clienthello mtu_blackhole sni_filtered transient_network ipv6_path_broken",
    ),
    # Without an address the time was over while the name was still looked up: a filter lets that pass.
    _row(
        "transient_network", POSSIBLE,
        needs="proxy old_timeout google_host",
        lacks="in_china",
        others="dns_resolver_unreachable goproxy_host_blocked goproxy_server_5xx",
    ),
    _row(
        "forward_proxy_overloaded", LIKELY,
        needs="proxy bare_deadline",
        lacks="dialled",
        others="forward_proxy_broken goproxy_host_blocked transient_network",
    ),
    _row(
        "goproxy_host_blocked", POSSIBLE,
        needs="proxy old_timeout|no_route|deadline|invalid_argument",
        others="transient_network dns_resolver_unreachable goproxy_server_5xx forward_proxy_overloaded",
    ),
    _row(
        "forward_proxy_broken", LIKELY,
        needs="proxy eof proxy_variable|vpn",
        lacks="body_eof",
        others="middlebox_reset",
    ),
    _row(
        "transient_network", LIKELY,
        needs="proxy flaky reset|eof|body_eof|broken_pipe|read_timeout",
        others="middlebox_reset server_closed_silently",
    ),
    _row("middlebox_reset", LIKELY, needs="proxy reset|broken_pipe", others=_CUT),
    _row(
        "middlebox_reset", LIKELY,
        needs="proxy eof",
        lacks="body_eof",
        others="forward_proxy_broken server_closed_silently transient_network",
    ),
    _row(
        "transient_network", POSSIBLE,
        needs="proxy body_eof|read_timeout",
        others="middlebox_reset server_closed_silently mtu_blackhole",
    ),
    # R45, R08 direct: the import host, the code host
    # Google's place for code was closed; what was there moved, or is gone.
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="closed_host|module_closed_host unrecognized_import|import_host|code_host|git_failed",
        others="vanity_host_down module_path_wrong direct_host_blocked",
    ),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line unrecognized_import goproxy_shown|modules_off",
        lacks="goproxy_is_direct status_404 status_403 status_5xx no_meta expired wrong_host",
        others="direct_host_blocked",
    ),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line import_host goproxy_word",
        lacks="goproxy_is_direct status_404 no_meta expired wrong_host",
        others="direct_host_blocked goproxy_setting_not_effective",
    ),
    _row(
        "goproxy_setting_not_effective", LIKELY,
        needs="import_host google_host goproxy_elsewhere dial_timeout|dial_refused|tls_timeout|old_timeout",
        lacks="package_line goproxy_is_direct modules_off",
        others="gopath_mode_ignores_goproxy direct_host_blocked",
    ),
    _row(
        "transient_network", LIKELY,
        needs="import_host google_host|to_google flaky dial_timeout|tls_timeout|reset|eof|read_timeout|deadline",
        lacks="in_china",
        others="vanity_host_down direct_host_blocked",
    ),
    _row(
        "direct_host_blocked", LIKELY,
        needs=(
            "import_host google_host|to_google dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|"
            "old_timeout"
        ),
        others="gopath_mode_ignores_goproxy goproxy_setting_not_effective middlebox_reset dns_hijacked",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="import_host|unrecognized_import|package_line redirects|to_insecure",
        others="captive_portal module_path_wrong",
    ),
    _row("vanity_host_down", LIKELY, needs="meta_wrong", others="module_path_wrong"),
    # Azure DevOps shows its sign-in page in place of a refusal.
    _row("git_credentials_missing", LIKELY, needs="import_host sign_in", others="goprivate_not_set module_path_wrong"),
    _row(
        "git_credentials_missing", LIKELY,
        needs="bitbucket_says_no private_set|private_name|private_word",
        others="repo_private_or_deleted_upstream goprivate_not_set",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="bitbucket_says_no",
        others="git_credentials_missing module_path_wrong",
    ),
    # Said of hosts that go knows by name, of which code.google.com was closed.
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="vcs_undetected",
        others="vanity_host_down module_path_wrong",
    ),
    _row(
        "git_credentials_missing", LIKELY,
        needs="import_host status_404|status_403|status_401|no_meta private_set",
        lacks="public_host public_code chain",
        others="goprivate_not_set vanity_host_down module_path_wrong",
    ),
    # The path stands in a file of the source, with nobody behind it: one's own, that was to be replaced.
    _row(
        "module_path_wrong", LIKELY,
        needs="import_host status_404 not_a_package",
        lacks="public_code inside_host private_name chain said",
        others="vanity_host_down goprivate_not_set",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="import_host status_404|status_403|status_401",
        lacks="public_code inside_host google_host",
        others="module_path_wrong repo_private_or_deleted_upstream",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="import_host status_400",
        others="tls_client_certificate_required module_path_wrong",
    ),
    _row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="import_host status_404 public_code",
        others="module_path_wrong git_credentials_missing",
    ),
    _row(
        "module_path_wrong", LIKELY,
        needs="import_host status_404|no_meta google_host",
        others="vanity_host_down",
    ),
    _row(
        "git_credentials_missing", LIKELY,
        needs="import_host status_404|status_403|status_401|no_meta inside_host",
        others="vanity_host_down goprivate_not_set",
    ),
    _row(
        "vanity_host_down", POSSIBLE,
        needs="import_host status_403",
        others="direct_host_blocked forward_proxy_denied zip_storage_forbidden",
    ),
    # A page of GitLab and its like without the tag, for somebody who is not logged in: the project is not public.
    _row(
        "git_credentials_missing", LIKELY,
        needs="import_host no_meta public_code",
        lacks="redirector chain",
        others="repo_private_or_deleted_upstream module_path_wrong vanity_host_down",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="import_host no_meta",
        others="module_path_wrong repo_private_or_deleted_upstream",
    ),
    _row(
        "vanity_host_down", LIKELY,
        needs="import_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout|no_route",
        lacks="public_code inside_host",
        others="direct_host_blocked transient_network",
    ),
    _row(
        "direct_host_blocked", LIKELY,
        needs="import_host dial_timeout|dial_refused|tls_timeout|reset|eof|deadline|old_timeout|no_route",
        others="vanity_host_down transient_network",
    ),
    # What breaks in the middle of a transfer was let through at its start.
    _row(
        "transient_network", LIKELY,
        needs="code_host git_transfer reset|eof",
        lacks="dialled proxy_variable vpn in_china",
        others="middlebox_reset http2_server_fault forward_proxy_broken",
    ),
    _row(
        "middlebox_reset", LIKELY,
        needs="code_host reset|eof|broken_pipe",
        lacks="dialled",
        others="direct_host_blocked transient_network forward_proxy_broken vanity_host_down",
    ),
    _row(
        "direct_host_blocked", LIKELY,
        needs="code_host dial_timeout|dial_refused|tls_timeout|deadline|no_route",
        others="transient_network middlebox_reset forward_proxy_broken",
    ),
    _row(
        "transient_network", LIKELY,
        needs="code_host git_5xx|hung_up|body_eof|stream",
        others="middlebox_reset direct_host_blocked",
    ),
    _row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line unrecognized_import",
        lacks="status_404 no_meta",
        others="direct_host_blocked module_path_wrong",
    ),
    # Without a word why, and the path is one that everybody knows
    _row(
        "direct_host_blocked", LIKELY,
        needs="unrecognized_import module_google_host|module_public_host",
        lacks="status_404 no_meta said chain",
        others="vanity_host_down module_path_wrong transient_network",
    ),
    _row(
        "module_path_wrong", POSSIBLE,
        needs="unrecognized_import",
        lacks="std_broken",
        others="vanity_host_down direct_host_blocked repo_private_or_deleted_upstream",
    ),
    # A shell says so in scripts that do without, too.
    _row("vcs_binary_missing", LIKELY, needs="vcs_not_found", weak=True),
    # what is left: a fault of the network at a host whose part is not clear
    # A large network never refuses: somebody else answered for it.
    _row(
        "dns_hijacked", POSSIBLE,
        needs="dial_refused raw_content",
        others="direct_host_blocked hosts_file_override forward_proxy_broken",
        weak=True,
    ),
    _row(
        "middlebox_reset", POSSIBLE,
        needs="reset get_url|go_command|code_host",
        lacks="to_loopback",
        others="transient_network direct_host_blocked",
        weak=True,
    ),
    # curl and its like name no host when they are cut off.
    _row(
        "middlebox_reset", POSSIBLE,
        needs="fetch_said fetches reset",
        others="transient_network server_closed_silently direct_host_blocked",
        weak=True,
    ),
    _row(
        "transient_network", POSSIBLE,
        needs="fetch_said fetches eof|body_eof|read_timeout|dial_timeout|tls_timeout|deadline",
        others="server_closed_silently middlebox_reset direct_host_blocked",
        weak=True,
    ),
    _row(
        "transient_network", POSSIBLE,
        needs="tls_timeout get_url|go_command",
        lacks="in_china to_loopback to_private",
        others="direct_host_blocked tls_large_clienthello mtu_blackhole",
        weak=True,
    ),
    _row(
        "direct_host_blocked", POSSIBLE,
        needs="dial_timeout|dial_refused|tls_timeout get_url|go_command|code_host|public_host",
        lacks="to_loopback to_private",
        others="transient_network goproxy_host_blocked",
        weak=True,
    ),
    _row("direct_host_blocked", POSSIBLE, needs="powershell_timeout", others="transient_network", weak=True),
    _row(
        "ipv6_path_broken", POSSIBLE,
        needs="ipv6 dial_timeout",
        lacks="proxy import_host code_host",
        others="direct_host_blocked transient_network",
        weak=True,
    ),
    _row(
        "repo_private_or_deleted_upstream", POSSIBLE,
        needs="repo_missing_plain",
        others="git_credentials_missing module_path_wrong",
        weak=True,
    ),
    _row(
        "module_path_wrong", POSSIBLE,
        needs="no_go_files",
        lacks="gopath_miss dialled",
        others="gopath_mode_ignores_goproxy unknown_revision mirror_lag_negative_cache",
        weak=True,
    ),
    _row(
        "gopath_mode_ignores_goproxy", POSSIBLE,
        needs="gopath_miss",
        lacks="code_unreached",
        others="module_path_wrong toolchain_not_available",
        weak=True,
    ),
    _row(
        "module_zip_invalid", POSSIBLE,
        needs="zip_broken module_public_host|module_google_host|zip|go_command",
        others="transient_network captive_portal local_disk_or_permission",
        weak=True,
    ),
    # go tries the paths in front of a module's own too: in a log they say little.
    _row(
        "goproxy_lacks_module_no_direct", POSSIBLE,
        needs="logged_404",
        others="goproxy_server_5xx goproxy_lacks_vcs_credentials",
        weak=True,
    ),
    # What was answered was no answer of a module proxy; by whom is not said.
    _row(
        "goproxy_server_5xx", POSSIBLE,
        needs="html lists_module",
        others="captive_portal goproxy_value_malformed",
        weak=True,
    ),
    _row(
        "git_credentials_missing", POSSIBLE,
        needs="git_denied get_url|go_command|code_host",
        lacks="goproxy_shown",
        others="repo_private_or_deleted_upstream",
        weak=True,
    ),
    _row(
        "transient_network", POSSIBLE,
        needs="deadline|body_eof|hung_up|read_timeout|eof get_url|go_command|code_host|git_transfer",
        others="middlebox_reset direct_host_blocked",
        weak=True,
    ),
)  # fmt: skip
