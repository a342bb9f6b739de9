"""Makes the vulnerability database that goferry brings along, from the sources of the Go vulnerability database.

    tools/vulndb.py osv-go.tar.xz --source NAME --modified TIME [--output FILE]

The archive holds OSV files (data/osv/GO-*.json). The sources have no times of their own, so the time of the commit they
come from is given. The same archive and time make the same file.
"""

import argparse
import hashlib
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from goferry.deps.advisories.base import About
from goferry.deps.advisories.database import FILE
from goferry.deps.advisories.packed import pack

HERE = Path(__file__).resolve().parent.parent
LICENCE = "CC BY 4.0 (LICENSE-CC-BY-4.0.txt, NOTICES); The Go Authors, Go Vulnerability Database"


def files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The OSV files of the archive."""
    with tarfile.open(archive) as members:
        for member in members:
            content = members.extractfile(member) if member.name.endswith(".json") else None
            if content is not None:
                yield member.name, content.read()


def make(archive: Path, source: str, modified: str) -> bytes:
    """The packed database."""
    return pack(About(source, modified, 0, seen=modified), files(archive), licence=LICENCE)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("archive", type=Path)
    parser.add_argument("--source", required=True, help="what the archive is, with its commit")
    parser.add_argument("--modified", required=True, help="time of that commit, RFC 3339 in UTC")
    parser.add_argument("--output", type=Path, default=HERE / "src/goferry/deps/advisories/data" / FILE)
    given = parser.parse_args()
    data = make(given.archive, given.source, given.modified)
    given.output.write_bytes(data)
    print(f"{given.output}: {len(data):,} bytes, sha256 {hashlib.sha256(data).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
