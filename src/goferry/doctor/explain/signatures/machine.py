"""The toolchain and this machine: nothing else matters while they stand (R42, R44)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row(
        "toolchain_not_available", CERTAIN,
        needs="toolchain_missing",
        lacks="dialled proxyconnect dns_words reset",
    ),
    row(
        "toolchain_not_available", LIKELY,
        needs="toolchain_old",
        lacks="dialled proxyconnect status_404",
        others="unknown_revision",
    ),
    row(
        "toolchain_not_available", LIKELY,
        needs="toolchain_unfetched",
        others="zip_storage_forbidden",
    ),
    row(
        "toolchain_not_available", LIKELY,
        needs="std_too_new",
        others="module_path_wrong",
    ),
    row("local_disk_or_permission", CERTAIN, needs="no_space|read_only|no_home"),
    row(
        "local_disk_or_permission", LIKELY,
        needs="fs_denied",
        lacks="ssh_key",
        others="git_ssh_key_refused",
    ),
    row("local_disk_or_permission", LIKELY, needs="dubious|odd_files|cache_changed"),
)  # fmt: skip
