"""What a project depends on: its real build list, what is wrong with it, and proof that it is what it says.

`sources` reads files, `supply` gets what they name, `buildlist` selects; `audit` finds, `fix` plans, `gate` proves.
Only `supply` and what drives it is async; everything that judges is a plain function on the frozen values of `base`.
"""
