"""Where the process begins: see `atonce`."""

import gc


def main() -> None:
    """The `goferry` command. Does not return."""
    gc.disable()  # modules, and a list, are made of many small things that all stay until the end
    from goferry.cli.atonce import main as begin

    begin()
