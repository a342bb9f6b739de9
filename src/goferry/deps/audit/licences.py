"""Which licence a module is under, from the text of its licence files.

A text is brought down to its words: copyright lines, names in the BSD clauses, numbering, punctuation and case go. In
what is left, each licence text is looked for word by word: it begins with words that are known, has a length that is
known, and a digest. So a text with one clause more or less is none of them, and what stands beside it is counted:
either is `unknown` and for people to read, never guessed. Measures of likeness take one sentence more for nothing.

The digests are those of the published texts and of misprints of them that many modules carry.
"""

import hashlib
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

UNKNOWN: Final = "unknown"
NONE: Final = "none"
MAX_FILE: Final = 256 * 1024
"""Licence files above are not read: they hold other things too."""

_NAME = re.compile(
    r"(?:un)?licen[cs]es?(?:[-_.](?!.*(?:third|3rd|docs?$))[\w.-]+)?|copying(?:[-_.][\w.-]+)?", re.IGNORECASE
)
_NO_TEXT = re.compile(r"\.(?:go|csv|json|ya?ml|sh|py|tmpl|header|docs?)$", re.IGNORECASE)

_COPYRIGHT = re.compile(
    r"^[\s/*#;>-]*(?:\(c\)|©|Copyright\b(?! (?:[Ll]icense|[Hh]older|[Oo]wner|and|or))|COPYRIGHT (?:\([cC]\)|\d))"
    r"[^\n]*$",
    re.MULTILINE,
)
_WORD = re.compile(r"[a-z0-9]{2,}")
_SAME: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"\bhttps? ", ""),
        (r"\blicence", "license"),
        (r"\ball rights reserved ?", ""),
        (
            r"\b(?:neither )?(?:the )?names? (?:\w+ ){1,30}?may (?:not )?be used to endorse",
            "the name not to endorse",
        ),
        (r"\bis provided by (?:\w+ ){1,20}?as is\b", "is provided by as is"),
        (r"\bin no event shall (?:\w+ ){1,25}?be liable\b", "in no event shall be liable"),
        (r"\band or\b", "and"),
    )
)
"""Where texts of one licence differ: names of people, and spelling."""

SPARE_WORDS: Final = 80
"""Words that may stand beside licence texts (titles, names, a sentence) before a file is not understood."""


@dataclass(frozen=True, slots=True)
class Licence:
    """What the licence files of a module say."""

    ids: tuple[str, ...]
    """SPDX names of all texts that were found, sorted. Those of GNU texts say nothing of later versions."""
    files: tuple[str, ...]
    """The licence files."""
    unclear: tuple[str, ...] = ()
    """Those of them that hold anything else."""

    @property
    def expression(self) -> str:
        """As an SPDX expression; `unknown` when a file could not be told, `none` without a licence file.

        Several texts are joined with AND, the careful reading: files do not say whether one may choose.
        """
        if not self.files:
            return NONE
        return UNKNOWN if self.unclear or not self.ids else " AND ".join(self.ids)


class _Text(NamedTuple):
    """A piece of text. `id` is empty for one that grants nothing: a title, directions for use."""

    id: str
    start: str
    length: int
    digest: str


_TEXTS: Final = (
    _Text("0BSD", "permission to use copy modify", 95, "9f39dd9154a86d91"),
    _Text("AGPL-3.0", "preamble the gnu affero general", 4933, "2dd5bcc2bfed5bf3"),
    _Text("Apache-2.0", "terms and conditions for use", 1364, "d0498860f46aeac5"),
    _Text("Apache-2.0", "terms and conditions for use", 1375, "97824edd1c5d6055"),
    _Text("Apache-2.0", "licensed under the apache license", 80, "0b9ba64245bb0238"),
    _Text("BSD-2-Clause", "redistribution and use in source", 172, "0c55d1f7e515f473"),
    _Text("BSD-3-Clause", "redistribution and use in source", 189, "f4c291761bc1f145"),
    _Text("BSD-3-Clause-Clear", "redistribution and use in source", 212, "3455cbc1591bc208"),
    _Text("BSL-1.0", "permission is hereby granted free", 194, "5a836b4199ac9fd4"),
    _Text("CC-BY-4.0", "creative commons attribution international public", 2078, "fce537f8f8da1069"),
    _Text("CC-BY-SA-4.0", "creative commons attribution sharealike international", 2266, "f3104f1f04da88bc"),
    _Text("CC0-1.0", "statement of purpose the laws", 963, "bc69d55927312424"),
    _Text("EPL-1.0", "the accompanying program is provided", 1638, "ff883d3a725a449d"),
    _Text("EPL-2.0", "the accompanying program is provided", 2038, "13ff29fe5323d1ed"),
    _Text("GPL-2.0", "preamble the licenses for most", 2385, "553c74442342406b"),
    _Text("GPL-3.0", "preamble the gnu general public", 4980, "2d5bbd0446d5cce0"),
    _Text("ISC", "permission to use copy modify", 109, "82def1f20e50700d"),
    _Text("LGPL-2.1", "preamble the licenses for most", 3832, "8ca73567940aa371"),
    _Text("LGPL-3.0", "this version of the gnu", 1127, "bdad54fc88bc279a"),
    _Text("MIT", "permission is hereby granted free", 155, "51034012dbf50c16"),
    _Text("MPL-2.0", "definitions contributor means each individual", 2220, "6b7a9b07d5f09d50"),
    _Text("MPL-2.0", "definitions contributor means each individual", 2231, "68ccf3a882ea45e9"),
    _Text("OFL-1.1", "preamble the goals of the", 614, "6cc31b0c29dbd80b"),
    _Text("Unlicense", "this is free and unencumbered", 187, "e920ed704c6ec4dc"),
    _Text("WTFPL", "everyone is permitted to copy", 53, "7d75a7755364f330"),
    _Text("Zlib", "this software is provided as", 129, "bc82daff361737e4"),
    _Text("", "appendix how to apply the", 83, "def5f84284a0d93b"),
    _Text("", "how to apply these terms", 321, "4a4517712ae3abe6"),
    _Text("", "how to apply these terms", 344, "7b83f0f372193673"),
    _Text("", "how to apply these terms", 421, "60f472961c96b0b7"),
    _Text("", "how to apply these terms", 450, "2e3e73e7ec0a3e13"),
)

_STARTS: Final[Mapping[str, tuple[_Text, ...]]] = {
    start: tuple(sorted((text for text in _TEXTS if text.start == start), key=lambda text: -text.length))
    for start in {text.start for text in _TEXTS}
}
_LEAD: Final = 5
"""How many words `start` has."""


def words(text: str) -> list[str]:
    """What is compared of a text."""
    found = " ".join(_WORD.findall(_COPYRIGHT.sub(" ", text.replace("\r", "\n")).lower()))
    for pattern, same in _SAME:
        found = pattern.sub(same, found)
    return found.split()


def digest(piece: Iterable[str]) -> str:
    """What stands in the table for a text of these words."""
    return hashlib.sha256(" ".join(piece).encode()).hexdigest()[:16]


def detect(texts: Mapping[str, str]) -> Licence:
    """The licence by the texts of the licence files, by name."""
    ids: set[str] = set()
    unclear: list[str] = []
    for name, text in texts.items():
        found, spare = _read(words(text))
        ids |= found
        if not found or spare > SPARE_WORDS:
            unclear.append(name)
    return Licence(tuple(sorted(ids)), tuple(sorted(texts)), tuple(sorted(unclear)))


def _read(text: list[str]) -> tuple[set[str], int]:
    """The licences in a text, and how many words are in none of them."""
    ids: set[str] = set()
    place = spare = 0
    while place < len(text):
        piece = _at(text, place)
        if piece is None:
            place += 1
            spare += 1
        else:
            place += piece.length
            ids |= {piece.id} - {""}
    return ids, spare


def _at(text: list[str], place: int) -> _Text | None:
    start = " ".join(text[place : place + _LEAD])
    for piece in _STARTS.get(start, ()):
        if digest(text[place : place + piece.length]) == piece.digest:
            return piece
    return None


def is_licence_file(name: str) -> bool:
    """Whether a file at the root of a module holds its licence, by its name; those of third parties do not."""
    return bool(_NAME.fullmatch(name)) and not _NO_TEXT.search(name)


def in_zip(file: Path, prefix: str) -> Licence:
    """The licence of a module zip, whose files stand below `prefix` (`path@version/`)."""
    with zipfile.ZipFile(file) as archive:
        return detect(dict(_zipped(archive, prefix)))


def _zipped(archive: zipfile.ZipFile, prefix: str) -> Iterator[tuple[str, str]]:
    for info in archive.infolist():
        name = info.filename.removeprefix(prefix)
        if info.filename.startswith(prefix) and is_licence_file(name) and info.file_size <= MAX_FILE:
            yield name, archive.read(info).decode(errors="replace")


def in_folder(folder: Path) -> Licence:
    """The licence of a module that is a folder: vendored, or replaced by one."""
    found = {}
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if is_licence_file(file.name) and file.is_file() and file.stat().st_size <= MAX_FILE:
            found[file.name] = file.read_bytes().decode(errors="replace")
    return detect(found)
