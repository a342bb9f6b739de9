"""Finds where a Go download breaks: probes see, rules judge, fixes mend.

Evidence, verdicts and fixes are three values apart, each of which can be saved.
"""
