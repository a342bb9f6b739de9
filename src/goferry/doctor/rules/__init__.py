"""All rules in the order of judging: the first proven fault is the verdict.

Local machine and settings come first, then names, the forward proxy, clock, path, trust, mirror, checksum database,
version control, and last the module's author (doctor.md of the reference, "Order of judging").
"""

from typing import Final

from goferry.doctor.rules import (
    author,
    clock,
    forward,
    hearsay,
    machine,
    mirror,
    names,
    path,
    settings,
    sumdb,
    trust,
    vcs,
)
from goferry.doctor.rules.base import Rule

_BY_EVIDENCE: Final[tuple[Rule, ...]] = (
    machine.DISK,
    machine.TOOLCHAIN,
    settings.GOPATH_MODE,
    settings.MALFORMED,
    settings.REFUSED,
    settings.OFF,
    settings.NOT_EFFECTIVE,
    machine.SANDBOX,
    names.NO_RESOLV_CONF,
    names.UNREACHABLE,
    names.SLOW,
    names.DENIED,
    names.OVERRIDE,
    names.HIJACKED,
    names.SPLIT_HORIZON,
    forward.BROKEN,
    forward.LOOPBACK,
    forward.AUTH,
    forward.DENIED,
    forward.OVERLOADED,
    forward.WRONG_SCHEME,
    forward.EXCEPTIONS,
    clock.CLOCK,
    path.BLACKHOLE,
    path.REFUSED,
    path.CUT,
    path.IPV6,
    path.MTU,
    path.LARGE_HELLO,
    trust.INSPECTION,
    trust.BUNDLE,
    trust.OWN_FAULT,
    trust.REFUSAL,
    trust.PORTAL,
    mirror.COMMA,
    mirror.NO_DIRECT,
    mirror.UPSTREAM,
    mirror.LAG,
    mirror.LIMITED,
    sumdb.UNREACHABLE,
    sumdb.MISMATCH,
    sumdb.STAND_IN,
    mirror.STORAGE,
    mirror.HTTP2,
    mirror.OUTAGE,
    path.TRANSIENT,
    vcs.NO_PROGRAM,
    vcs.PROTOCOL,
    vcs.SSH,
    vcs.CREDENTIALS,
    vcs.NOT_PRIVATE,
    vcs.VANITY,
    vcs.REVOCATION,
    author.AUTHOR,
)

RULES: Final[tuple[Rule, ...]] = (*_BY_EVIDENCE, hearsay.unless(_BY_EVIDENCE))
"""In the order of judging; what only the text suggests comes last."""
