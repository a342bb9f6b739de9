"""go.sum and go.work.sum: the hashes that a module's author has accepted.

    golang.org/x/mod v0.20.0 h1:utOm6MM3R3dnawAiJgn0y+xvuYRsm1RKM/4giyfDgV0=
    golang.org/x/mod v0.20.0/go.mod h1:hTbmBsO62+eylJbnUtE2MGJUyE7QWk4xUqPFrRgJ+7c=

The first line is for the zip, the second for the go.mod file alone. Hashes of kinds nobody knows yet (`h2:…`)
are kept and prove nothing. A file may hold several hashes for one key; two different `h1:` ones make it
useless. The rules are those of cmd/go internal/modfetch/fetch.go.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from goferry.errors import InvalidInput
from goferry.gomod import module
from goferry.gomod.module import Version

GO_MOD = "/go.mod"
"""What a version ends with when the hash is that of the go.mod file alone."""

KNOWN_HASH = "h1:"

_EMPTY_GO_MOD = "h1:G7mAYYxgmS0lVkHyy2hEOLQCFB0DlQFTMLWggykrydY="
"""The hash of an empty go.mod. A bug once wrote it for what was no module, so it is passed over."""


class MalformedSum(InvalidInput):
    """A line of go.sum that the go command refuses too."""

    code = "malformed_gosum"


@dataclass(frozen=True, slots=True)
class Line:
    """One hash. The version of `module` ends with /go.mod when it is that of the go.mod file.

    `number` counts the lines of its file from 1; 0 for a line that was in none. It plays no part in
    comparisons.
    """

    module: Version
    sum: str
    number: int = field(default=0, compare=False)
    file: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.module.path} {self.module.version} {self.sum}"

    @property
    def of_go_mod(self) -> bool:
        """Whether it is the hash of the go.mod file alone."""
        return self.module.version.endswith(GO_MOD)


def go_mod_key(m: Version) -> Version:
    """The key of a module version's go.mod line."""
    return Version(m.path, m.version + GO_MOD)


def parse(text: str, file: str = "go.sum") -> tuple[Line, ...]:
    """The lines in their order. Blank lines and hashes of an empty go.mod are left out.

    Raises MalformedSum with file and line for a line that has not three fields.
    """
    lines: list[Line] = []
    for number, line in enumerate(text.split("\n"), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3:
            raise MalformedSum(
                "malformed go.sum: {file}:{line}: wrong number of fields {count}",
                file=file,
                line=number,
                count=len(fields),
            )
        path, version, sum_ = fields
        if sum_ != _EMPTY_GO_MOD:
            lines.append(Line(Version(path, version), sum_, number, file))
    return tuple(lines)


def format_lines(lines: Iterable[Line]) -> str:
    """The text of a file with these lines, in their order; the twin of parse."""
    return "".join(f"{line}\n" for line in lines)


def sort(lines: Iterable[Line]) -> list[Line]:
    """The lines as the go command writes them: by module and version, then by hash, without repetitions."""
    sums: dict[Version, dict[str, Line]] = {}
    for line in lines:
        sums.setdefault(line.module, {}).setdefault(line.sum, line)
    return [sums[m][s] for m in module.sort(sums) for s in sorted(sums[m])]


class Verdict(StrEnum):
    """What the recorded sums say about a hash that was computed."""

    MATCH = "match"
    MISSING = "missing"
    MISMATCH = "mismatch"


class Sums:
    """Recorded sums, from one file or, in a workspace, from all go.sum and go.work.sum files as one pool."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines: dict[Version, list[Line]] = {}
        for line in lines:
            self._lines.setdefault(line.module, []).append(line)

    def __iter__(self) -> Iterator[Line]:
        return (line for lines in self._lines.values() for line in lines)

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    def lines_of(self, m: Version) -> tuple[Line, ...]:
        """All lines with this key (of the zip, or with /go.mod of the go.mod file), in their order."""
        return tuple(self._lines.get(m, ()))

    def recorded(self, m: Version) -> str | None:
        """The one known hash with this key; None when there is none, or when there are different ones."""
        known = {line.sum for line in self.lines_of(m) if line.sum.startswith(KNOWN_HASH)}
        return known.pop() if len(known) == 1 else None

    def missing(self, needed: Iterable[Version]) -> list[Version]:
        """The keys, in their order, for which there is no known hash."""
        return [m for m in needed if not any(line.sum.startswith(KNOWN_HASH) for line in self.lines_of(m))]

    def check(self, m: Version, computed: str) -> Verdict:
        """Whether a computed hash is the recorded one: MISMATCH as soon as any known hash differs.

        The go command is content with a match on the first lines of a file that contradicts itself further
        down; who proves files wants to know.
        """
        known = {line.sum for line in self.lines_of(m) if line.sum.startswith(KNOWN_HASH)}
        if known - {computed}:
            return Verdict.MISMATCH
        return Verdict.MATCH if known else Verdict.MISSING

    def conflicts(self) -> list[tuple[Line, Line]]:
        """Pairs of lines that give different known hashes for one key; the first of each pair came first."""
        pairs: list[tuple[Line, Line]] = []
        for lines in self._lines.values():
            known = [line for line in lines if line.sum.startswith(KNOWN_HASH)]
            pairs.extend((known[0], line) for line in known[1:] if line.sum != known[0].sum)
        return pairs
