"""The vulnerability database: what is known, and what of it concerns the modules of a build list.

`osv` reads one entry, `database` holds many and finds them by module path, `matching` and `exposure` judge (plain
functions on frozen values), `refresh` fetches a newer database. The format is OSV; the shipped entries are those of the
Go vulnerability database (see `data/NOTICES`).
"""
