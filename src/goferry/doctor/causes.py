"""The closed vocabulary: every verdict of `doctor` and `explain` names one of these causes by its key.

A key is data and never translated; the meaning is what a person reads. A fault that none of them fits gets a new key
here first, with a rule, a lab scenario that shows it, and a fix.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from goferry.i18n import N_

CANNOT_TELL: Final = "cannot_tell"
"""The honest verdict when the evidence fits several causes or none; it comes with ranked candidates."""


class Whose(StrEnum):
    """At whose side the fault lies, and so who has to act."""

    YOU = "you"
    NETWORK = "network"
    MIRROR = "mirror"
    AUTHOR = "author"


class Group(StrEnum):
    """The part of the way in which a cause lies."""

    CONFIGURATION = "configuration"
    FORWARD_PROXY = "forward_proxy"
    NAMES = "names"
    PATH = "path"
    TRUST = "trust"
    MIRROR = "mirror"
    SUMDB = "sumdb"
    VCS = "vcs"
    AUTHOR = "author"
    MACHINE = "machine"
    CAPTURE = "capture"


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry. `meaning` is an English key for gettext."""

    key: str
    group: Group
    whose: Whose
    meaning: str


_YOU, _NETWORK, _MIRROR, _AUTHOR = Whose.YOU, Whose.NETWORK, Whose.MIRROR, Whose.AUTHOR

CAUSES: Final = (
    Cause("gopath_mode_ignores_goproxy", Group.CONFIGURATION, _YOU,
          N_("The command runs in GOPATH mode, so GOPROXY is never consulted and the import host is dialled.")),
    Cause("goproxy_off", Group.CONFIGURATION, _YOU, N_("GOPROXY=off forbids every module lookup.")),
    Cause("goproxy_setting_not_effective", Group.CONFIGURATION, _YOU,
          N_("GOPROXY was set somewhere that this process does not read.")),
    Cause("goproxy_value_malformed", Group.CONFIGURATION, _YOU, N_("The text of GOPROXY itself is wrong.")),
    Cause("go_setting_refused", Group.CONFIGURATION, _YOU,
          N_("Go refuses a setting of its own other than GOPROXY, or is forbidden something by it.")),
    Cause("goprivate_not_set", Group.CONFIGURATION, _YOU,
          N_("A private module was sent to the public proxy or checksum database as GOPRIVATE lacks it.")),
    Cause("goproxy_comma_no_fallback", Group.CONFIGURATION, _YOU,
          N_("An entry failed with neither 404 nor 410, and the comma after it forbids trying the next one.")),
    Cause("goproxy_lacks_module_no_direct", Group.CONFIGURATION, _YOU,
          N_("All configured proxies answer 404 or 410, and the list has no direct.")),
    Cause("forward_proxy_broken", Group.FORWARD_PROXY, _NETWORK,
          N_("The configured forward proxy cannot carry the tunnel.")),
    Cause("forward_proxy_denied", Group.FORWARD_PROXY, _NETWORK,
          N_("The forward proxy refuses the target by policy.")),
    Cause("forward_proxy_loopback_in_container", Group.FORWARD_PROXY, _YOU,
          N_("The proxy variable names this machine's loopback, which in a container or VM is another machine.")),
    Cause("forward_proxy_wrong_scheme", Group.FORWARD_PROXY, _YOU,
          N_("The proxy URL says https although the proxy speaks plain HTTP, or the reverse.")),
    Cause("forward_proxy_auth_required", Group.FORWARD_PROXY, _YOU,
          N_("The forward proxy asks for credentials.")),
    Cause("forward_proxy_overloaded", Group.FORWARD_PROXY, _NETWORK,
          N_("The forward proxy answers 502, 503, 504 or late, while the target is fine by another way.")),
    Cause("no_proxy_black_hole", Group.FORWARD_PROXY, _YOU,
          N_("NO_PROXY sends the host direct, and the direct way is closed.")),
    Cause("no_proxy_missing", Group.FORWARD_PROXY, _YOU,
          N_("An internal host goes to the forward proxy, which cannot reach it.")),
    Cause("dns_hijacked", Group.NAMES, _NETWORK,
          N_("The resolver answers with an address that is not the host's.")),
    Cause("dns_no_resolv_conf", Group.NAMES, _YOU,
          N_("No name server is configured, so go asks this machine itself.")),
    Cause("dns_resolver_unreachable", Group.NAMES, _NETWORK,
          N_("The configured name server does not answer from here.")),
    Cause("dns_slow", Group.NAMES, _NETWORK,
          N_("Names are answered, but late, or only by the second server of the list.")),
    Cause("dns_negative_filter", Group.NAMES, _NETWORK,
          N_("The resolver denies a name that others know.")),
    Cause("split_horizon", Group.NAMES, _NETWORK,
          N_("A private answer that the company's trust store confirms: right inside, no fault.")),
    Cause("hosts_file_override", Group.NAMES, _YOU, N_("A line in the hosts file sends the name elsewhere.")),
    Cause("goproxy_host_blocked", Group.PATH, _NETWORK,
          N_("The host of GOPROXY is filtered from this network.")),
    Cause("direct_host_blocked", Group.PATH, _NETWORK,
          N_("In direct mode the import host or code host is filtered from this network.")),
    Cause("ipv6_path_broken", Group.PATH, _NETWORK, N_("Only the IPv6 path fails; IPv4 works.")),
    Cause("middlebox_reset", Group.PATH, _NETWORK, N_("A device on the path resets or cuts the connection.")),
    Cause("tls_large_clienthello", Group.PATH, _NETWORK,
          N_("The large first message of modern TLS is dropped on the way; a small one passes.")),
    Cause("mtu_blackhole", Group.PATH, _NETWORK,
          N_("Small packets pass, full-size ones vanish.")),
    Cause("sni_filtered", Group.PATH, _NETWORK,
          N_("The same address answers under another server name and not under this one.")),
    Cause("sandbox_no_network", Group.PATH, _YOU, N_("The build runs in a sandbox that has no network by design.")),
    Cause("transient_network", Group.PATH, _NETWORK,
          N_("A passing outage; the same command works later without any change.")),
    Cause("captive_portal", Group.PATH, _NETWORK, N_("A sign-in page answers in place of the target.")),
    Cause("server_closed_silently", Group.PATH, _MIRROR,
          N_("The server's side ended the connection without a reason.")),
    Cause("ca_bundle_missing_or_stale", Group.TRUST, _YOU,
          N_("The client cannot get to a root: its store is missing or old, or the middle of the chain is.")),
    Cause("tls_mitm_corporate_ca", Group.TRUST, _NETWORK,
          N_("A TLS-inspecting product signs the traffic anew with a root that the client does not have.")),
    Cause("clock_skew", Group.TRUST, _YOU,
          N_("The local clock is wrong, so valid certificates look expired or not yet valid.")),
    Cause("server_cert_expired", Group.TRUST, _MIRROR, N_("The server's own certificate is past its end.")),
    Cause("server_cert_wrong_host", Group.TRUST, _MIRROR, N_("The server presents a certificate for other names.")),
    Cause("tls_version_mismatch", Group.TRUST, _MIRROR, N_("No TLS version or cipher in common.")),
    Cause("tls_client_certificate_required", Group.TRUST, _YOU, N_("The server wants a client certificate.")),
    Cause("tls_server_name_unknown", Group.TRUST, _MIRROR, N_("The server has no certificate for this name.")),
    Cause("revocation_check_slow", Group.TRUST, _NETWORK,
          N_("A client that checks for revocation waits for it; go never does.")),
    Cause("goproxy_server_5xx", Group.MIRROR, _MIRROR,
          N_("The module proxy itself fails with 5xx, or takes requests and says nothing.")),
    Cause("goproxy_upstream_unreachable", Group.MIRROR, _MIRROR,
          N_("The module proxy reports that it cannot reach the origin.")),
    Cause("goproxy_lacks_vcs_credentials", Group.MIRROR, _MIRROR,
          N_("At a self-hosted module proxy credentials are missing: its own for the repository, or yours for it.")),
    Cause("rate_limited_429", Group.MIRROR, _MIRROR, N_("The module proxy limits this client.")),
    Cause("zip_storage_forbidden", Group.MIRROR, _MIRROR,
          N_("Metadata works, but the zip is refused with 403.")),
    Cause("http2_server_fault", Group.MIRROR, _MIRROR, N_("HTTP/2 errors caused by the serving side.")),
    Cause("mirror_lag_negative_cache", Group.MIRROR, _MIRROR,
          N_("The mirror has not seen a new version yet, or remembers an earlier 404 or 410.")),
    Cause("reverse_proxy_timeout", Group.MIRROR, _MIRROR,
          N_("A reverse proxy or load balancer gave up before its upstream answered.")),
    Cause("reverse_proxy_no_live_upstream", Group.MIRROR, _MIRROR,
          N_("All peers behind a reverse proxy are marked down.")),
    Cause("sumdb_unreachable", Group.SUMDB, _NETWORK,
          N_("The checksum database cannot be reached while modules can.")),
    Cause("goproxy_sumdb_mirror_broken", Group.SUMDB, _MIRROR,
          N_("The proxy answers for the checksum database, but wrongly.")),
    Cause("checksum_mismatch_retagged", Group.SUMDB, _AUTHOR,
          N_("The tag was moved after publication: one version has two contents.")),
    Cause("git_credentials_missing", Group.VCS, _YOU,
          N_("git has no credentials for an existing private repository.")),
    Cause("git_insteadof_ssh", Group.VCS, _YOU,
          N_("A git insteadOf rule turns https into ssh, and ssh is not usable.")),
    Cause("git_protocol_blocked", Group.VCS, _NETWORK,
          N_("git:// (9418) or ssh (22) is filtered, https is not.")),
    Cause("git_ssh_key_refused", Group.VCS, _YOU, N_("ssh is reached, but the key or host key is not accepted.")),
    Cause("vcs_binary_missing", Group.VCS, _YOU, N_("git, hg or another version control program is not installed.")),
    Cause("vanity_host_down", Group.VCS, _AUTHOR,
          N_("The host of the import path is down or answers wrongly; the code host is fine.")),
    Cause("module_path_mismatch", Group.AUTHOR, _AUTHOR, N_("go.mod declares another path than the one requested.")),
    Cause("module_path_wrong", Group.AUTHOR, _YOU, N_("The path in the command is misspelt or never existed.")),
    Cause("module_zip_invalid", Group.AUTHOR, _AUTHOR, N_("The content of the module breaks the zip rules.")),
    Cause("unknown_revision", Group.AUTHOR, _AUTHOR, N_("The required version or commit does not exist (any more).")),
    Cause("repo_private_or_deleted_upstream", Group.AUTHOR, _AUTHOR,
          N_("The dependency's repository was made private, renamed or deleted by its owner.")),
    Cause("local_disk_or_permission", Group.MACHINE, _YOU, N_("The module cache cannot be written.")),
    Cause("toolchain_not_available", Group.MACHINE, _YOU,
          N_("go.mod asks for a Go version that cannot be fetched.")),
    Cause("tls_truncated_capture", Group.CAPTURE, _YOU,
          N_("The capture lacks what would be needed to say more.")),
)  # fmt: skip

BY_KEY: Final[Mapping[str, Cause]] = {cause.key: cause for cause in CAUSES}
