"""The corpus of pasted outputs: tests/doctor/explain/corpus/*.txt, each case a cause, its source, and the text.

A case begins with `== CAUSE | SOURCE`; where one text has several causes and the source does not say which, they
stand separated by `/`. Lines with `#` above the first case are remarks.
"""

from dataclasses import dataclass
from pathlib import Path

from goferry.doctor.explain.judge import Explanation, explain

FOLDER = Path(__file__).parent / "doctor" / "explain" / "corpus"

STANDS_FOR_THE_DEFAULT = ("proxy.example.org", "mirror.golang.org")
"""The default proxy has a golang.org name, and its address is one of Google's: that shape has to be there."""


@dataclass(frozen=True)
class Case:
    causes: tuple[str, ...]
    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.source}: {'/'.join(self.causes)}"

    def explained(self) -> Explanation:
        return explain([self.text.replace(*STANDS_FOR_THE_DEFAULT).encode()])


def cases(name: str) -> list[Case]:
    """All cases of one file."""
    found = []
    for block in ("\n" + (FOLDER / f"{name}.txt").read_text("utf-8")).split("\n== ")[1:]:
        head, _, text = block.partition("\n")
        causes, _, source = head.partition(" | ")
        found.append(Case(tuple(causes.split("/")), source, text))
    return found
