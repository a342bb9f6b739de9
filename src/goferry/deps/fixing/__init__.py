"""The smallest change of requirements that leaves no affected version: found, written, and proven.

`plan` finds it and touches nothing; `edit` and `sums` say what the files would be; `run` drives them with a supply.
"""
