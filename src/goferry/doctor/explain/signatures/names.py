"""Names that could not be looked up (R04, R05, R07, R27)."""

from typing import Final

from goferry.doctor.explain.signatures.base import LIKELY, NAMES, POSSIBLE, row

ROWS: Final = (
    row(
        "sandbox_no_network", LIKELY,
        needs=(
            "dns_own_port|dns_loopback|dns_stub|dns_refused|dns_no_way|not_permitted|connect_denied|dns_unable|"
            "dns_none|unreachable|dns_timeout in_sandbox"
        ),
        lacks="said",
        others="dns_no_resolv_conf dns_resolver_unreachable",
    ),
    row(
        "goproxy_host_blocked", LIKELY,
        needs="proxy connect_denied",
        lacks="in_sandbox said",
        others="sandbox_no_network",
    ),
    row(
        "sandbox_no_network", LIKELY,
        needs="not_permitted|connect_denied",
        lacks="said",
        others="direct_host_blocked local_disk_or_permission",
    ),
    row(
        "dns_no_resolv_conf", LIKELY,
        needs="dns_own_port",
        lacks="said dns_timeout",
        others="sandbox_no_network dns_resolver_unreachable",
    ),
    row(
        "dns_no_resolv_conf", LIKELY,
        needs="dns_loopback dns_refused",
        lacks="said",
        others="dns_resolver_unreachable sandbox_no_network",
    ),
    row(
        "sandbox_no_network", LIKELY,
        needs="dns_no_way unreachable",
        lacks="said",
        others="dns_resolver_unreachable transient_network",
    ),
    row(
        "dns_resolver_unreachable", LIKELY,
        needs="dns_timeout|dns_refused|dns_no_way",
        lacks="said",
        others=NAMES,
    ),
    row("dns_resolver_unreachable", LIKELY, needs="dns_unable", lacks="said", others=NAMES),
    # Only GOPATH mode asks the import host where a module proxy is set.
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="package_line unrecognized_import goproxy_shown dns_none module_google_host",
        lacks="goproxy_is_direct said",
        others="goproxy_setting_not_effective dns_resolver_unreachable",
    ),
    row(
        "dns_resolver_unreachable", LIKELY,
        needs="dns_none public_host",
        lacks="said unrecognized_import",
        others=NAMES,
    ),
    # A version that nobody gives stands where something is replaced, in the module that requires it alone.
    row(
        "module_path_wrong", LIKELY,
        needs="dns_none import_host placeholder",
        lacks="public_host inside_host",
        others="vanity_host_down goprivate_not_set",
    ),
    row(
        "vanity_host_down", LIKELY,
        needs="dns_none import_host",
        lacks="public_host inside_host",
        others="module_path_wrong dns_resolver_unreachable goprivate_not_set",
    ),
    row(
        "module_path_wrong", POSSIBLE,
        needs="dns_none import_host",
        lacks="public_host",
        others="dns_resolver_unreachable vanity_host_down goprivate_not_set",
    ),
    row(
        "dns_resolver_unreachable", LIKELY,
        needs="dns_none",
        lacks="said",
        others="goproxy_value_malformed dns_negative_filter goproxy_setting_not_effective transient_network",
    ),
)  # fmt: skip
