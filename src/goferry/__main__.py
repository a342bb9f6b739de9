"""`python -m goferry`: the same as the `goferry` command."""

from goferry.cli.start import main

if __name__ == "__main__":
    main()
