"""Run as a program by test_logfile.py: appends to a log until it is killed, or a number of records.

log_writer.py LOG VERIFIER SEED COUNT     each acknowledged record is a line `ID MODULE` on standard output
"""

import os
import random
import sys
from pathlib import Path

from goferry.storage.logfile import LogFile


def main() -> None:
    path, verifier, seed, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    rng = random.Random(seed)
    log = LogFile(path, verifier)
    for _ in range(count):
        module = f"example.org/m{rng.randrange(10_000)}@v1.0.0"
        record = log.append(module, text_of(module))
        os.write(1, f"{record.id} {module}\n".encode())


def text_of(module: str) -> bytes:
    """The record of a module version; the same whoever writes it."""
    line = module.replace("@", " ")
    return f"{line} h1:{'A' * 43}=\n{line}/go.mod h1:{'B' * 43}=\n".encode()


if __name__ == "__main__":
    main()
