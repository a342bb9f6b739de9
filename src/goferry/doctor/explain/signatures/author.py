"""The author's side: the text itself proves that the network did its work (R43)."""

from typing import Final

from goferry.doctor.explain.signatures.base import CERTAIN, LIKELY, row

ROWS: Final = (
    row("module_path_mismatch", CERTAIN, needs="path_declared", lacks="dialled zip_broken"),
    row(
        "module_path_mismatch", LIKELY,
        needs="path_mismatch",
        lacks="dialled zip_broken",
        others="module_path_wrong unknown_revision",
    ),
    row("module_zip_invalid", CERTAIN, needs="zip_names|said_zip_names", lacks="dialled"),
    row(
        "module_zip_invalid", LIKELY,
        needs="zip_invalid|said_zip_invalid",
        lacks="dialled",
        others="goproxy_server_5xx local_disk_or_permission",
    ),
    row("module_path_mismatch", LIKELY, needs="import_collision", others="module_path_wrong"),
    row("module_path_mismatch", LIKELY, needs="lacks_mod", lacks="dialled", others="unknown_revision"),
    row(
        "module_path_wrong", LIKELY,
        needs="cannot_contain",
        lacks="dialled",
        others="module_path_mismatch vanity_host_down",
    ),
)  # fmt: skip
