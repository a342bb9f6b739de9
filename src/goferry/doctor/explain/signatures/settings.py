"""Settings that go or git cannot use as they stand."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row("goproxy_off", CERTAIN, needs="goproxy_off"),
    # A warning that may stand above any other error: by itself it says enough, beside one it may be of no importance.
    row("goproxy_setting_not_effective", LIKELY, needs="goproxy_not_effective", weak=True),
    row(
        "goproxy_setting_not_effective", LIKELY,
        needs="go_env_w_unknown",
        others="gopath_mode_ignores_goproxy",
    ),
    row("git_credentials_missing", LIKELY, needs="goauth", others="goproxy_lacks_vcs_credentials"),
    row("vcs_binary_missing", CERTAIN, needs="vcs_missing"),
    # git is there, and lacks a part; or a quote in front of its URL was taken for a part of the scheme.
    row("vcs_binary_missing", LIKELY, needs="vcs_half", others="goproxy_value_malformed local_disk_or_permission"),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="versioned_path path_malformed|unrecognized_import",
        lacks="said dialled dns_words",
        others="module_path_wrong toolchain_not_available",
    ),
    row(
        "module_path_wrong", LIKELY,
        needs="path_malformed",
        lacks="said zip_invalid goproxy_malformed sumdb wrong_host times odd_certificate",
    ),
    row(
        "module_path_wrong", LIKELY,
        needs="path_no_dot",
        lacks="said goproxy_malformed",
        others="gopath_mode_ignores_goproxy toolchain_not_available",
    ),
    # A rewrite to ssh that lost its colon makes the owner part of the host's name.
    row(
        "git_insteadof_ssh", LIKELY,
        needs="hostname_with_path",
        others="module_path_wrong dns_resolver_unreachable",
    ),
    row(
        "forward_proxy_broken", LIKELY,
        needs="proxy_unresolved",
        others="forward_proxy_wrong_scheme dns_resolver_unreachable",
    ),
    row(
        "goproxy_value_malformed", CERTAIN,
        needs="goproxy_malformed",
        lacks="import_host code_host",
        others="goproxy_setting_not_effective",
    ),
    # The list was taken for one address: in a request, not in a line that only shows the setting.
    row(
        "goproxy_value_malformed", CERTAIN,
        needs="list_in_url get_url|dns_words|url_malformed|dns_none|dialled|status_404",
        lacks="import_host code_host",
        others="goproxy_setting_not_effective",
    ),
    row(
        "goproxy_value_malformed", LIKELY,
        needs="url_malformed go_command|proxy|goproxy_shown|goproxy_word|proxyconnect|dns_words|proxy_variable",
        lacks="import_host code_host",
        others="goproxy_setting_not_effective forward_proxy_broken module_path_wrong",
    ),
    row(
        "goproxy_value_malformed", LIKELY,
        needs="goproxy_semicolon dns_none|dns_words|dialled|proxy|import_host|code_host|unrecognized_import",
        others="goproxy_setting_not_effective",
    ),
    # A Go from before the syntax says the same of it.
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="gopath_mode",
        lacks="only_warned",
        others="toolchain_not_available",
    ),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="only_warned",
        others="goproxy_setting_not_effective",
        weak=True,
    ),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="gopath_hint",
        lacks="dialled dns_words",
        others="goproxy_setting_not_effective",
    ),
)  # fmt: skip
