"""Who owns a project, by CODEOWNERS files as GitHub and GitLab read them."""

from pathlib import Path

import pytest

from goferry.deps.audit.owners import of_file, owner_of, parse

PATTERNS = [
    ("*", "go.mod", True),
    ("*", "a/b/go.mod", True),
    ("go.mod", "a/b/go.mod", True),
    ("/go.mod", "a/go.mod", False),
    ("/services/", "services/a/go.mod", True),
    ("/services/", "x/services/a/go.mod", False),
    ("services/", "x/services/a/go.mod", True),
    ("/services", "services/a/go.mod", True),
    ("/services", "services2/go.mod", False),
    ("services/a", "services/a/go.mod", True),
    ("services/a", "x/services/a/go.mod", False),
    ("services/*", "services/go.mod", True),
    ("services/*", "services/a/go.mod", False),
    ("services/*/go.mod", "services/a/go.mod", True),
    ("services/**/go.mod", "services/go.mod", True),
    ("services/**/go.mod", "services/a/b/go.mod", True),
    ("/services/**", "services/a/b/go.mod", True),
    ("**/api", "x/y/api/go.mod", True),
    ("*.mod", "a/go.mod", True),
    ("*.sum", "a/go.mod", False),
    ("a?c/", "abc/go.mod", True),
    ("a.c/", "abc/go.mod", False),
    (r"my\ folder/", "my folder/go.mod", True),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), PATTERNS)
def test_patterns(pattern: str, path: str, expected: bool) -> None:
    assert owner_of(parse(f"{pattern} @team"), path) == ("@team" if expected else "")


TEXT = """
# everything
*               @platform @backup  # two of them
/services/      @services
/services/open/
[Payments] @payments
/services/pay/
^[Docs][2] @docs
/docs/ @writers
"""


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("go.mod", "@platform @backup"),
        ("services/go.mod", "@services"),
        ("services/open/go.mod", ""),
        ("services/pay/go.mod", "@payments"),
        ("docs/go.mod", "@writers"),
    ],
)
def test_the_last_line_that_matches_counts(path: str, owner: str) -> None:
    assert owner_of(parse(TEXT), path) == owner


def put(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


@pytest.mark.parametrize("place", [".github", ".gitlab", ".", "docs"])
def test_the_file_of_the_repository_is_found_from_a_folder_in_it(tmp_path: Path, place: str) -> None:
    put(tmp_path / "repo" / place / "CODEOWNERS", "/a/ @a\n")
    (tmp_path / "repo/.git").mkdir()
    assert of_file(put(tmp_path / "repo/a/b/go.mod")) == "@a"


def test_a_file_above_the_repository_says_nothing_about_it(tmp_path: Path) -> None:
    put(tmp_path / "CODEOWNERS", "* @above\n")
    (tmp_path / "repo/.git").mkdir(parents=True)
    assert of_file(put(tmp_path / "repo/go.mod")) == ""
