"""What mends a fault: plans first, with diff, re-test and undo; only then acts."""

from goferry.doctor.fixes.plan import Plan, Tried, changes_of
from goferry.doctor.fixes.table import propose

__all__ = ["Plan", "Tried", "changes_of", "propose"]
