"""What mends a fault: plans first, with diff, re-test and undo; only then acts."""

from goferry.doctor.fixes.apply import Applied, apply, diff, undo
from goferry.doctor.fixes.plan import FileEdit, Plan, Tried, changes_of
from goferry.doctor.fixes.table import propose
from goferry.doctor.fixes.trial import Trial, ready, trial_of

__all__ = [
    "Applied",
    "FileEdit",
    "Plan",
    "Trial",
    "Tried",
    "apply",
    "changes_of",
    "diff",
    "propose",
    "ready",
    "trial_of",
    "undo",
]
