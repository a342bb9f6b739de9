"""The table: which facts together speak for which cause, how surely, and what else it could be.

A row is tried against every message of the paste with the tags of its surroundings; of one message the first row that
fits counts, so the rows stand from the most telling to the least, over all files in the order below. To add one, put it
where no more general one stands above it, and a text in tests/doctor/explain/corpus that needs it. The reasons are
those of the decision rules R01 to R45 (docs, rules); each file names its own.

`certain` is for texts that have one cause only. Where one text has several causes, the first is what reports of that
text turned out to be most often, the others follow in the same order.
"""

from typing import Final

from goferry.doctor.explain.signatures import (
    addresses,
    author,
    connection,
    direct,
    forward,
    machine,
    mirror,
    names,
    reported,
    rest,
    settings,
    sums,
    trust,
    vcs,
)
from goferry.doctor.explain.signatures.base import Signature

__all__ = ["SIGNATURES", "Signature"]

SIGNATURES: Final = (
    *machine.ROWS,
    *settings.ROWS,
    *forward.ROWS,
    *author.ROWS,
    *sums.ROWS,
    *reported.ROWS,
    *mirror.ROWS,
    *names.ROWS,
    *trust.ROWS,
    *addresses.ROWS,
    *vcs.ROWS,
    *connection.ROWS,
    *direct.ROWS,
    *rest.ROWS,
)
