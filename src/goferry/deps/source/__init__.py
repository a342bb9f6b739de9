"""Go source, read as text.

`scanner` reads one file, `constraints` says whether it is built, `places` knows where packages are, `walk` follows
imports, and `reading` does all of it for a build list.
"""
