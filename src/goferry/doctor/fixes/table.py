"""Which function proposes plans for which cause: one line each, in the order of the vocabulary."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from goferry.doctor.evidence import Evidence
from goferry.doctor.fixes import (
    author,
    configuration,
    forward,
    machine,
    mirrors,
    names,
    path,
    sums,
    trust,
    vcs,
)
from goferry.doctor.fixes.kit import Case
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.verdict import Judgement

PROPOSERS: Final[Mapping[str, Callable[[Case], Iterable[Plan]]]] = {
    "gopath_mode_ignores_goproxy": configuration.gopath_mode,
    "goproxy_off": configuration.off,
    "goproxy_setting_not_effective": configuration.not_effective,
    "goproxy_value_malformed": configuration.malformed,
    "go_setting_refused": configuration.refused,
    "goprivate_not_set": configuration.private,
    "goproxy_comma_no_fallback": configuration.comma,
    "goproxy_lacks_module_no_direct": configuration.no_direct,
    "forward_proxy_broken": forward.broken,
    "forward_proxy_denied": forward.denied,
    "forward_proxy_loopback_in_container": forward.loopback_in_container,
    "forward_proxy_wrong_scheme": forward.wrong_scheme,
    "forward_proxy_auth_required": forward.auth_required,
    "forward_proxy_overloaded": forward.overloaded,
    "no_proxy_black_hole": forward.black_hole,
    "no_proxy_missing": forward.missing,
    "dns_hijacked": names.hijacked,
    "dns_no_resolv_conf": names.no_resolv_conf,
    "dns_resolver_unreachable": names.resolver_unreachable,
    "dns_slow": names.slow,
    "dns_negative_filter": names.negative_filter,
    "hosts_file_override": names.hosts_override,
    "goproxy_host_blocked": path.mirror_blocked,
    "direct_host_blocked": path.direct_blocked,
    "ipv6_path_broken": path.ipv6_broken,
    "middlebox_reset": path.reset,
    "tls_large_clienthello": path.large_hello,
    "mtu_blackhole": path.mtu,
    "sni_filtered": path.sni_filtered,
    "sandbox_no_network": path.sandbox,
    "transient_network": path.transient,
    "captive_portal": path.captive_portal,
    "server_closed_silently": path.closed_silently,
    "ca_bundle_missing_or_stale": trust.roots_missing,
    "tls_mitm_corporate_ca": trust.inspected,
    "clock_skew": trust.clock,
    "server_cert_expired": trust.server_fault,
    "server_cert_wrong_host": trust.server_fault,
    "tls_version_mismatch": trust.version_mismatch,
    "tls_client_certificate_required": trust.client_certificate,
    "tls_server_name_unknown": trust.server_fault,
    "revocation_check_slow": trust.revocation,
    "goproxy_server_5xx": mirrors.failing,
    "goproxy_upstream_unreachable": mirrors.upstream_unreachable,
    "goproxy_lacks_vcs_credentials": mirrors.lacks_credentials,
    "rate_limited_429": mirrors.rate_limited,
    "zip_storage_forbidden": mirrors.zip_forbidden,
    "http2_server_fault": mirrors.http2,
    "mirror_lag_negative_cache": mirrors.lagging,
    "reverse_proxy_timeout": mirrors.reverse_proxy,
    "reverse_proxy_no_live_upstream": mirrors.reverse_proxy,
    "sumdb_unreachable": sums.unreachable,
    "goproxy_sumdb_mirror_broken": sums.mirror_broken,
    "checksum_mismatch_retagged": sums.retagged,
    "git_credentials_missing": vcs.credentials,
    "git_insteadof_ssh": vcs.insteadof_ssh,
    "git_protocol_blocked": vcs.protocol_blocked,
    "git_ssh_key_refused": vcs.ssh_refused,
    "vcs_binary_missing": vcs.binary_missing,
    "vanity_host_down": vcs.vanity_down,
    "module_path_mismatch": author.path_mismatch,
    "module_path_wrong": author.path_wrong,
    "module_zip_invalid": author.zip_invalid,
    "unknown_revision": author.unknown_revision,
    "repo_private_or_deleted_upstream": author.repository_gone,
    "local_disk_or_permission": machine.disk,
    "toolchain_not_available": machine.toolchain,
    "tls_truncated_capture": machine.capture,
}


NO_FAULT: Final = frozenset({"split_horizon"})
"""Causes that are right as they are, so that nothing is to be mended."""


def propose(evidence: Evidence, judgement: Judgement) -> tuple[Plan, ...]:
    """The plans for one judgement, the best first. Pure: nothing is read, asked or changed.

    Plans for the user come before those that somebody else has to carry out, and what can be done here and now before
    what has to be filled in. Nothing for `cannot_tell`.
    """
    proposer = PROPOSERS.get(judgement.cause)
    found = () if proposer is None else _without_repetition(proposer(Case(evidence, judgement)))
    return tuple(sorted(found, key=lambda plan: (bool(plan.by), plan.is_told_only and bool(plan.changed))))


def _without_repetition(plans: Iterable[Plan]) -> Iterable[Plan]:
    """Two ways of thinking may end at the same change."""
    seen: set[object] = set()
    for plan in plans:
        same = (plan.key, tuple(plan.changed.items())) if not plan.changed else tuple(plan.changed.items())
        if (same, plan.writes, plan.commands) not in seen:
            seen.add((same, plan.writes, plan.commands))
            yield plan
