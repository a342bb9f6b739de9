"""When an audit fails: what `--fail-on` names was found."""

from dataclasses import dataclass
from typing import Final

from goferry.deps.audit.records import Audit, AuditFinding, Kind
from goferry.errors import InvalidInput
from goferry.findings import Severity
from goferry.i18n import N_

PASSED: Final = 0
FAILED: Final = 1
UNPROVEN: Final = 3

NEVER: Final = "none"
_SEVERITIES: Final = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class FailOn:
    """`worst`: this severity and those above it fail; None for none. Kinds fail whatever their severity."""

    worst: Severity | None = Severity.ERROR
    kinds: frozenset[Kind] = frozenset()

    def names(self, finding: AuditFinding) -> bool:
        return finding.kind in self.kinds or (
            self.worst is not None and finding.severity.rank <= self.worst.rank
        )


def parse(text: str) -> FailOn:
    """`error`, `warning`, `info` or `none`, and kinds, with commas between them. Of several severities the mildest
    counts; with kinds alone, severities do not fail."""
    worst: list[Severity] = []
    kinds: set[Kind] = set()
    for word in (word.strip() for word in text.split(",")):
        if word in _SEVERITIES:
            worst.append(Severity(word))
        elif word in set(Kind):
            kinds.add(Kind(word))
        elif word != NEVER:
            raise InvalidInput(
                "--fail-on: {word!r} is neither a severity nor a kind of finding",
                hint=N_("severities: {severities}; kinds: {kinds}"),
                word=word,
                severities=", ".join((*_SEVERITIES, NEVER)),
                kinds=", ".join(Kind),
            )
    return FailOn(max(worst, key=lambda severity: severity.rank, default=None), frozenset(kinds))


def status(audit: Audit, fail_on: FailOn) -> int:
    """The exit status: a failure is one also when something else could not be looked at."""
    blind = audit.unproven if Kind.UNPROVEN in fail_on.kinds else ()
    if any(fail_on.names(finding) for finding in (*audit.findings, *blind)):
        return FAILED
    return UNPROVEN if audit.unproven else PASSED
