"""What mends a fault: plans first, with diff, re-test and undo; only then acts."""
