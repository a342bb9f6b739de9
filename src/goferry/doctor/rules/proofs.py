"""From a suspicion to a judgement: what makes it certain is a passing side, and nothing else.

The most general proof is a re-test: the user's command, run again with one thing changed, succeeded. It proves a cause
only if what was changed is what that cause is about; another mirror that works does not prove a wrong clock.
"""

from collections.abc import Callable, Mapping
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import Evidence, RunSeen
from goferry.doctor.rules.scene import go_run, last_words
from goferry.doctor.verdict import Certainty, Judgement, Proof
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.i18n import N_

Change = Mapping[str, str]
Fits = Callable[[Evidence, Change], bool]


def judged(
    evidence: Evidence,
    rule: str,
    cause: str,
    where: str,
    step: str,
    detail: Text,
    *,
    proof: Proof | None = None,
    sole: bool = False,
    weak: bool = False,
    side: Whose | None = None,
) -> Judgement:
    """The judgement with the certainty that it deserves.

    proof: of the probes; without one a re-test that fits the cause is looked for. sole: the evidence admits no other
    cause, so it is certain without a passing side; weak: it fits other causes as well, and only a proof makes it more.
    """
    proof = proof or by_retest(evidence, cause)
    if proof is not None or sole:
        certainty = Certainty.CERTAIN
    else:
        certainty = Certainty.POSSIBLE if weak else Certainty.LIKELY
    return Judgement(rule, cause, certainty, where, step, detail, proof, side)


def by_retest(evidence: Evidence, cause: str) -> Proof | None:
    """The proof that a re-test gives for this cause, if one does."""
    run = go_run(evidence)
    if run is None or run.exit == 0:
        return None
    for retest in evidence.runs:
        if retest.label == "retest" and retest.exit == 0 and fits(evidence, cause, changes(retest)):
            return Proof(went_wrong(run), _went_well(retest), _changed(retest))
    return None


def changes(run: RunSeen) -> Change:
    """NAME to value of what a run changed; "" for a variable taken away."""
    return dict(pair.partition("=")[::2] for pair in run.changed)


def went_wrong(run: RunSeen) -> Text:
    """The failing side: the user's command."""
    command = " ".join(run.argv)
    if run.exit == -1:
        return Text(N_("{command}: not done after {seconds} s"), command=command, seconds=round(run.seconds))
    return Text(N_("{command}: {said}"), command=command, said=last_words(run) or f"exit status {run.exit}")


def _went_well(run: RunSeen) -> Text:
    command = " ".join(run.argv)
    return Text(N_("{command}: done in {seconds} s"), command=command, seconds=round(run.seconds, 1))


def _changed(run: RunSeen) -> Text:
    if not run.changed:
        return Text(N_("nothing but the time"))
    return Text("{changed}", changed=" ".join(run.changed))


# ---- which change proves which cause -----------------------------------------------------------------------

_FORWARD: Final = frozenset(
    name
    for upper in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")
    for name in (upper, upper.lower())
)
_EXCEPTIONS: Final = frozenset({"NO_PROXY", "no_proxy"})
_ROOTS: Final = frozenset({"SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO"})
_PRIVATE: Final = frozenset({"GOPRIVATE", "GONOPROXY", "GONOSUMDB"})
_SUMS: Final = frozenset({"GOSUMDB", "GONOSUMDB", "GONOSUMCHECK", "GOPROXY"})
_MIRROR: Final = frozenset({"GOPROXY"})
_REFUSABLE: Final = frozenset(
    {"GOFLAGS", "GO111MODULE", "GOSUMDB", "GOTOOLCHAIN", "GOVCS", "GOWORK", "GOROOT", "GOAUTH"}
)


def _only(names: frozenset[str], *prefixes: str) -> Fits:
    """Nothing but these variables, or such with one of the prefixes, was changed."""

    def check(_evidence: Evidence, change: Change) -> bool:
        return bool(change) and all(name in names or name.startswith(prefixes) for name in change)

    return check


def _debug(word: str) -> Fits:
    """Only GODEBUG was changed, and this is in it."""
    return lambda _evidence, change: change.keys() == {"GODEBUG"} and word in change["GODEBUG"]


def _list(text: str) -> list[str]:
    try:
        return [entry.url for entry in goproxy.parse_list(text)]
    except InvalidInput:
        return []


def _new_list(evidence: Evidence, change: Change) -> tuple[list[str], list[str]] | None:
    """The entries before and after, when GOPROXY alone was changed."""
    if change.keys() != _MIRROR:
        return None
    return _list(evidence.settings.value("GOPROXY")), _list(_in_force(evidence, change))


def _in_force(evidence: Evidence, change: Change) -> str:
    """GOPROXY after the change: without one in the environment, the next place counts."""
    setting = evidence.settings.setting("GOPROXY")
    lost = setting.shadowed if setting is not None else ()
    return change["GOPROXY"] or next((each.value for each in lost if each.origin != "environment"), "")


def _another_mirror(evidence: Evidence, change: Change) -> bool:
    """The first entry is another one, or is passed over: what stood first does not decide any more."""
    lists = _new_list(evidence, change)
    return (
        lists is not None
        and bool(lists[1])
        and (lists[0][:1] != lists[1][:1] or "|" in _in_force(evidence, change))
    )


def _past_mirror(evidence: Evidence, change: Change) -> bool:
    """Another mirror, or the module's own origin: the mirror in question is asked no more."""
    return _another_mirror(evidence, change) or _only(_PRIVATE)(evidence, change)


def _same_with_bars(evidence: Evidence, change: Change) -> bool:
    """The same entries with `|` between them, or without the first ones: whoever is behind the comma helps."""
    lists = _new_list(evidence, change)
    if lists is None or len(lists[0]) < 2:
        return False
    before, after = lists
    return after[: len(before)] == before or (bool(after) and after == before[-len(after) :])


def _with_direct(evidence: Evidence, change: Change) -> bool:
    lists = _new_list(evidence, change)
    return lists is not None and "direct" not in lists[0] and "direct" in lists[1]


def _as_elsewhere(evidence: Evidence, change: Change) -> bool:
    """GOPROXY as somebody wrote it in a place that go does not look at."""
    lists = _new_list(evidence, change)
    return lists is not None and _in_force(evidence, change) in unheard_values(evidence, "GOPROXY")


def unheard_values(evidence: Evidence, name: str) -> tuple[str, ...]:
    """Values of a variable that stand somewhere and are not in force."""
    setting = evidence.settings.setting(name)
    effective = setting.value if setting else ""
    lost = [each.value for each in setting.shadowed if each.origin != "go.env"] if setting else []
    lost += [each.value for each in evidence.settings.elsewhere if each.name == name]
    return tuple(dict.fromkeys(value for value in lost if value and value != effective))


def _nothing(_evidence: Evidence, change: Change) -> bool:
    return not change


_FITS: Final[Mapping[str, Fits]] = {
    **dict.fromkeys(
        (
            "goproxy_off", "goproxy_value_malformed", "goproxy_host_blocked", "goproxy_server_5xx",
            "goproxy_upstream_unreachable", "rate_limited_429",
            "zip_storage_forbidden", "mirror_lag_negative_cache", "reverse_proxy_timeout",
            "reverse_proxy_no_live_upstream", "server_cert_expired",
            "tls_version_mismatch", "captive_portal", "tls_client_certificate_required", "tls_server_name_unknown",
            "sni_filtered", "middlebox_reset", "server_closed_silently",
        ),
        _another_mirror,
    ),
    **dict.fromkeys(
        ("forward_proxy_broken", "forward_proxy_denied", "forward_proxy_loopback_in_container",
         "forward_proxy_wrong_scheme", "forward_proxy_auth_required", "forward_proxy_overloaded"),
        _only(_FORWARD),
    ),
    "goproxy_lacks_vcs_credentials": _past_mirror,
    **dict.fromkeys(("no_proxy_black_hole", "no_proxy_missing"), _only(_EXCEPTIONS)),
    **dict.fromkeys(("ca_bundle_missing_or_stale", "tls_mitm_corporate_ca"), _only(_ROOTS, "GIT_CONFIG_")),
    **dict.fromkeys(("sumdb_unreachable", "goproxy_sumdb_mirror_broken"), _only(_SUMS)),
    **dict.fromkeys(
        ("git_insteadof_ssh", "git_ssh_key_refused", "git_protocol_blocked"),
        _only(frozenset({"GIT_SSH_COMMAND", "GOVCS"}), "GIT_CONFIG_"),
    ),
    "git_credentials_missing": _only(frozenset({"NETRC", "GOAUTH"}), "GIT_CONFIG_"),
    "go_setting_refused": _only(_REFUSABLE),
    "gopath_mode_ignores_goproxy": _only(frozenset({"GO111MODULE"})),
    "goproxy_setting_not_effective": _as_elsewhere,
    "goproxy_comma_no_fallback": _same_with_bars,
    "goproxy_lacks_module_no_direct": _with_direct,
    "direct_host_blocked": _another_mirror,
    "vcs_binary_missing": _another_mirror,
    "vanity_host_down": _another_mirror,
    "goprivate_not_set": _only(_PRIVATE),
    "tls_large_clienthello": _debug("tlsmlkem=0"),
    "http2_server_fault": _debug("http2client=0"),
    "toolchain_not_available": _only(frozenset({"GOTOOLCHAIN", "go.mod"})),
    "checksum_mismatch_retagged": _only(frozenset({"go.sum"})),
    **dict.fromkeys(("module_path_mismatch", "module_path_wrong", "unknown_revision"), _only(frozenset({"go.mod"}))),
    "mtu_blackhole": _only(frozenset({"segment"})),
    "local_disk_or_permission": _only(frozenset({"GOMODCACHE", "GOCACHE", "GOPATH", "GOTMPDIR", "TMPDIR", "HOME"})),
    "transient_network": _nothing,
}  # fmt: skip


def fits(evidence: Evidence, cause: str, change: Change) -> bool:
    """Whether a success after this change speaks for this cause."""
    check = _FITS.get(cause)
    return check is not None and check(evidence, change)
