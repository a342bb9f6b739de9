"""The figures goferry is held to, measured beside its peers: `python -m bench` (or `make bench`).

Not part of the package and not a timed test: a run prints one table and keeps every raw round as JSON.
All ratios are taken inside one run: the servers of a group are up at once, load goes round in slices with the
order reversed every round, the ratio is taken inside each round, and the median over the rounds counts.
Absolute figures of a shared machine move by 2x; such ratios do not.
"""
