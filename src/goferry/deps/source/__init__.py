"""Go source, read as text.

`constraints` says whether a file is built, `scanner` what it names, `walk` follows imports, and `reading` does all of
it for a build list.
"""
