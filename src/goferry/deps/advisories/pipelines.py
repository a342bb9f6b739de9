"""Which Go the pipelines of a repository build with, read from their files.

Images named golang (also behind a registry), the set-up steps of GitHub and Azure, and version files of tool managers.
What is computed when the pipeline runs (a matrix, a variable) is passed over: what is not written cannot be read.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from goferry.deps.advisories.exposure import Evidence, Origin
from goferry.gomod import gover

_VERSION: Final = r"(1\.\d+(?:\.\d+|(?:rc|beta)\d+)?)"
_END: Final = r"[\"']?\s*(?:#.*)?$"
_IMAGE: Final = re.compile(rf"(?:^|[\s\"'=/:@(])golang:{_VERSION}(?![\w.])")
_SETUP: Final = re.compile(
    rf"^\s*-?\s*(?:go-version|GO_VERSION|GOVERSION)\s*[:=]\s*[\"']?{_VERSION}(?:\.x)?{_END}"
)
_AZURE: Final = re.compile(rf"^\s*version\s*:\s*[\"']?{_VERSION}{_END}")
_MANAGER: Final = re.compile(rf"^\s*(?:go|golang)\s*(?:=\s*)?[\"']?{_VERSION}{_END}")
_PLAIN: Final = re.compile(rf"^\s*(?:go)?{_VERSION}\s*$")
_COMMENT: Final = re.compile(r"^\s*(?:#|//)")
MOST: Final = 1 << 20
"""Bytes of one such file that are read."""

_PIPELINE: Final = (_IMAGE, _SETUP)
_FILES: Final[tuple[tuple[str, Sequence["re.Pattern[str]"]], ...]] = (
    (".github/workflows/*.yml", _PIPELINE),
    (".github/workflows/*.yaml", _PIPELINE),
    (".gitlab-ci.yml", _PIPELINE),
    (".gitlab/**/*.yml", _PIPELINE),
    (".circleci/config.yml", (*_PIPELINE, re.compile(rf"cimg/go:{_VERSION}(?![\w.])"))),
    (".drone.yml", _PIPELINE),
    (".woodpecker/*.yml", _PIPELINE),
    (".woodpecker.yml", _PIPELINE),
    ("bitbucket-pipelines.yml", _PIPELINE),
    ("cloudbuild.yaml", _PIPELINE),
    ("azure-pipelines.yml", (*_PIPELINE, _AZURE)),
    ("Jenkinsfile", _PIPELINE),
    ("Dockerfile", (_IMAGE,)),
    ("*.Dockerfile", (_IMAGE,)),
    ("Dockerfile.*", (_IMAGE,)),
    ("Containerfile", (_IMAGE,)),
    (".tool-versions", (_MANAGER,)),
    (".mise.toml", (_MANAGER,)),
    ("mise.toml", (_MANAGER,)),
    (".go-version", (_PLAIN,)),
)


def from_pipelines(root: Path) -> tuple[Evidence, ...]:
    """Every Go version that the files below a repository's folder name, each with its file and line."""
    found = [
        one
        for pattern, rules in _FILES
        for file in sorted(root.glob(pattern))
        for one in _read(root, file, rules)
    ]
    return tuple(found)


def _read(root: Path, file: Path, rules: Sequence["re.Pattern[str]"]) -> Iterator[Evidence]:
    try:
        with file.open("rb") as source:
            lines = source.read(MOST).decode("utf-8", "replace").splitlines()
    except OSError:
        return  # a folder of that name, or nothing that may be read
    place = file.relative_to(root).as_posix()
    for number, line in enumerate(lines, 1):
        for match in (rule.search(line) for rule in rules if not _COMMENT.match(line)):
            if match is not None and gover.is_valid(match[1]):
                yield Evidence(Origin.PIPELINE, match[1], f"{place}:{number}")
