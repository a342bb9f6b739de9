"""goferry: a private Go module proxy that proves what it keeps, and the tools around it."""

__version__ = "0.1.0"
