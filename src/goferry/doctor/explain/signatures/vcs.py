"""Version control: what git and its like say (R28 to R31)."""

from typing import Final

from goferry.doctor.explain.signatures.base import GIT_LOGIN, LIKELY, POSSIBLE, row

ROWS: Final = (
    row(
        "git_ssh_key_refused", LIKELY,
        needs="ssh_key git_clone_ssh",
        lacks="chain",
        others="git_insteadof_ssh",
    ),
    # Since Go 1.26 the line says what git was asked for: ssh by name is no rewrite of https.
    row("git_ssh_key_refused", LIKELY, needs="ssh_key asked_ssh", others="git_insteadof_ssh"),
    row(
        "git_ssh_key_refused", LIKELY,
        needs="ssh_key ssh_clone",
        lacks="chain insteadof_set",
        others="git_insteadof_ssh",
    ),
    row(
        "git_ssh_key_refused", LIKELY,
        needs="ssh_key",
        lacks="go_command insteadof_set",
        others="git_insteadof_ssh",
    ),
    row(
        "git_insteadof_ssh", LIKELY,
        needs="ssh_key",
        others="git_ssh_key_refused git_credentials_missing",
    ),
    # Without a word why it was ssh that gave up; go and a rewrite are not to be seen.
    row(
        "git_ssh_key_refused", LIKELY,
        needs="only_unread",
        lacks="go_command insteadof_set git_prompt git_denied repo_hidden git_port chain git_failed",
        others="git_protocol_blocked repo_private_or_deleted_upstream",
    ),
    row(
        "git_insteadof_ssh", LIKELY,
        needs="repo_missing ssh_words",
        lacks="git_prompt",
        others="git_ssh_key_refused repo_private_or_deleted_upstream",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt chain",
        lacks="inside_host private_name private_set private_word",
        others="git_credentials_missing module_path_wrong",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt old_pseudo",
        lacks="inside_host private_name private_set private_word insteadof_set",
        others="git_credentials_missing module_path_wrong",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt repo_not_found",
        others="module_path_wrong git_credentials_missing",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="git_prompt asked_in_public",
        lacks="inside_host private_name private_set private_word insteadof_set mirror_log",
        others="module_path_wrong git_credentials_missing goprivate_not_set",
    ),
    row("git_credentials_missing", LIKELY, needs="git_prompt", others=GIT_LOGIN),
    row("git_credentials_missing", LIKELY, needs="clone_denied", others="repo_private_or_deleted_upstream"),
    row(
        "git_credentials_missing", LIKELY,
        needs="git_denied|said_git_denied code_host",
        others="repo_private_or_deleted_upstream goprivate_not_set",
    ),
    row("vcs_binary_missing", LIKELY, needs="hg_missing", others="git_credentials_missing"),
    row(
        "git_credentials_missing", LIKELY,
        needs="repo_hidden",
        others="repo_private_or_deleted_upstream git_insteadof_ssh",
    ),
    # What Google keeps for everybody is not gone.
    row(
        "transient_network", POSSIBLE,
        needs="repo_missing code_host google_host",
        lacks="git_prompt",
        others="direct_host_blocked module_path_wrong",
    ),
    # Who sends a login along wants to be let in: to that login the repository does not exist.
    row(
        "git_credentials_missing", LIKELY,
        needs="repo_missing login_in_url code_host",
        others="repo_private_or_deleted_upstream module_path_wrong",
    ),
    row(
        "repo_private_or_deleted_upstream", LIKELY,
        needs="repo_missing code_host",
        others="git_credentials_missing module_path_wrong",
    ),
    row(
        "unknown_revision", LIKELY,
        needs="old_unknown",
        lacks="dialled said proxyconnect reset",
        others="mirror_lag_negative_cache git_credentials_missing",
        weak=True,
    ),
    row(
        "unknown_revision", LIKELY,
        needs="no_versions",
        lacks="dialled said proxyconnect reset",
        others="module_path_wrong goproxy_lacks_module_no_direct mirror_lag_negative_cache",
    ),
    row(
        "unknown_revision", LIKELY,
        needs="unknown_revision",
        lacks="dialled said proxyconnect reset private_name module_inside_host maybe_unknown",
        others="mirror_lag_negative_cache",
    ),
    row(
        "unknown_revision", LIKELY,
        needs="unknown_revision",
        lacks="dialled said proxyconnect reset",
        others="goproxy_lacks_vcs_credentials git_credentials_missing mirror_lag_negative_cache",
    ),
    row(
        "module_path_wrong", LIKELY,
        needs="not_a_package",
        lacks="gopath_miss dialled lookup_disabled std_broken vendor_gap import_host",
        others="gopath_mode_ignores_goproxy unknown_revision mirror_lag_negative_cache",
    ),
    row(
        "gopath_mode_ignores_goproxy", LIKELY,
        needs="gopath_miss not_a_package",
        lacks="std_broken code_unreached",
        others="module_path_wrong",
    ),
)  # fmt: skip
