"""All rules in the order of judging: the first proven fault is the verdict.

Local machine and settings come first, then names, the forward proxy, clock, path, trust, mirror, checksum database,
version control, and last the module's author (doctor.md of the reference, "Order of judging").
"""

from typing import Final

from goferry.doctor.rules.base import Rule

RULES: Final[tuple[Rule, ...]] = ()
