"""Who looks after a project: from the CODEOWNERS file of its repository, in the order in which code hosts look for it.

The last line whose pattern matches counts. Patterns are those of .gitignore, with the differences that GitHub and
GitLab document: no negation, no ranges, and `docs/*` means what is in docs itself and not below.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACES: Final = (".github/CODEOWNERS", ".gitlab/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")

_SECTION: Final = re.compile(r"\^?\[[^\]]+\](?:\[\d+\])?(?:\s+(?P<owners>.*))?")
_WORDS: Final = re.compile(r"(?:\\.|[^\s\\])+")


@dataclass(frozen=True, slots=True)
class Line:
    """A pattern and its owners; none means that nobody owns what it matches."""

    pattern: re.Pattern[str]
    owners: tuple[str, ...]


def parse(text: str) -> tuple[Line, ...]:
    """The lines of a CODEOWNERS file. What cannot be understood is passed over, as code hosts do."""
    return tuple(_lines(text))


def _lines(text: str) -> Iterator[Line]:
    defaults: tuple[str, ...] = ()
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if section := _SECTION.fullmatch(stripped):
            defaults = _owners(section["owners"] or "")
            continue
        pattern, _space, rest = _split(stripped)
        yield Line(re.compile(_regex(pattern)), _owners(rest) or defaults)


def _split(line: str) -> tuple[str, str, str]:
    """The pattern, in which a blank may be escaped, and the rest."""
    found = _WORDS.match(line)
    assert found is not None, "the line is not empty"
    return re.sub(r"\\(.)", r"\1", found[0]), " ", line[found.end() :]


def _owners(text: str) -> tuple[str, ...]:
    return tuple(text.partition("#")[0].split())


def _regex(pattern: str) -> str:
    core = pattern.strip("/")
    anchored = "/" in pattern.rstrip("/")
    start = "" if anchored else "(?:.*/)?"
    if pattern.endswith("/"):
        end = "/.*"
    else:
        end = "" if core.endswith("*") and not core.endswith("**") else "(?:/.*)?"
    return start + "".join(_piece(piece) for piece in re.split(r"(/\*\*/|\*\*/|/\*\*|\*|\?)", core)) + end


def _piece(piece: str) -> str:
    wild = {"/**/": "/(?:.*/)?", "**/": "(?:.*/)?", "/**": "/.*", "*": "[^/]*", "?": "[^/]"}
    return wild.get(piece, re.escape(piece))


def owner_of(lines: tuple[Line, ...], path: str) -> str:
    """The owners of a file, by its path below the repository with slashes; empty when nobody owns it."""
    for line in reversed(lines):
        if line.pattern.fullmatch(path):
            return " ".join(line.owners)
    return ""


def of_file(file: Path) -> str:
    """Who owns a file on disk, by the nearest CODEOWNERS of the folders above it, up to the repository's own."""
    folder = file.parent.resolve()
    for base in (folder, *folder.parents):
        for place in PLACES:
            found = _read(base / place)
            if found is not None:
                return owner_of(parse(found), (folder / file.name).relative_to(base).as_posix())
        if (base / ".git").exists():
            break
    return ""


def _read(file: Path) -> str | None:
    try:
        return file.read_bytes().decode(errors="replace")
    except OSError:
        return None
