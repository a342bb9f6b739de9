"""Licences by their text: real files of what is installed here, and the ways in which texts are not what they seem."""

import re
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest

import oracle
from goferry.deps.audit import licences
from goferry.deps.audit.licences import Licence, detect, in_folder, in_zip, is_licence_file

INSTALLED = {
    "click": "BSD-3-Clause",
    "jinja2": "BSD-3-Clause",
    "pytest": "MIT",
    "hypothesis": "MPL-2.0",
    "msgspec": "BSD-3-Clause",
}
"""What these packages say of themselves."""


def text_of(package: str) -> str:
    """The licence text of an installed package."""
    for file in distribution(package).files or ():
        if "dist-info" in str(file) and is_licence_file(file.name):
            return file.read_text()
    pytest.fail(f"{package} has no licence file")


MIT = text_of("pytest")


@pytest.mark.parametrize(("package", "expected"), INSTALLED.items())
def test_a_real_text_is_told_by_its_spdx_name(package: str, expected: str) -> None:
    assert detect({"LICENSE": text_of(package)}).expression == expected


def test_the_licence_of_go_itself_is_told() -> None:
    root = oracle.go_root()
    if root is None:
        pytest.skip("needs a Go tree")
    assert detect({"LICENSE": (root / "LICENSE").read_text()}).expression == "BSD-3-Clause"


def as_comment(text: str) -> str:
    return "/*\n" + "".join(f" * {line}\n" for line in text.splitlines()) + " */\n"


def in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text[text.index("Permission") :])


SAME = {
    "as it is": lambda text: text,
    "in one line": in_one_line,
    "as a comment": as_comment,
    "with CRLF": lambda text: text.replace("\n", "\r\n"),
    "with another owner": lambda text: re.sub(
        r"Copyright.*", "Copyright (c) 1999 某人, all rights reserved", text
    ),
    "in capitals": str.upper,
    "numbered and quoted": lambda text: text.replace('"', "“"),
}


@pytest.mark.parametrize("change", SAME.values(), ids=list(SAME))
def test_what_does_not_change_a_licence_does_not_hide_it(change: object) -> None:
    assert callable(change)
    assert detect({"LICENSE": change(MIT)}).expression == "MIT"


OTHER = {
    "a condition more": lambda text: text.replace(
        "subject to the following conditions:",
        "subject to the following conditions:\n\nThe Software shall be used for Good, not Evil.",
    ),
    "a word less": lambda text: text.replace("free of charge, ", ""),
    "a clause behind it": lambda text: (
        text + "\nThe grant of rights does not include the right to Sell. " * 20
    ),
    "only its name": lambda _text: "MIT License\n",
    "nothing": lambda _text: "",
    "not text": lambda _text: "\x00\xff" * 500,
}


@pytest.mark.parametrize("change", OTHER.values(), ids=list(OTHER))
def test_what_changes_a_licence_makes_it_unknown(change: object) -> None:
    assert callable(change)
    found = detect({"LICENSE": change(MIT)})
    assert (found.expression, found.unclear) == ("unknown", ("LICENSE",))


def test_all_texts_count_that_a_module_brings() -> None:
    both = {"LICENSE-MIT": MIT, "LICENSE": text_of("click")}
    assert detect(both).expression == "BSD-3-Clause AND MIT"
    assert detect({"LICENSE": MIT + "\n\n" + text_of("click")}).expression == "BSD-3-Clause AND MIT"


def test_one_file_that_cannot_be_told_makes_the_module_unknown() -> None:
    found = detect({"LICENSE": MIT, "COPYING": "Ask me."})
    assert found == Licence(("MIT",), ("COPYING", "LICENSE"), ("COPYING",))
    assert found.expression == "unknown"


def test_without_a_licence_file_there_is_none() -> None:
    assert detect({}).expression == "none"


NAMES = {
    "LICENSE": True,
    "License.md": True,
    "licence.txt": True,
    "LICENSE-APACHE": True,
    "LICENSE.MIT": True,
    "COPYING": True,
    "COPYING.LESSER": True,
    "UNLICENSE": True,
    "LICENSE-THIRD-PARTY": False,
    "LICENSE-3rdparty.csv": False,
    "LICENSE.docs": False,
    "license.go": False,
    "license_test.go": False,
    "NOTICE": False,
    "dir/LICENSE": False,
}


@pytest.mark.parametrize(("name", "expected"), NAMES.items())
def test_a_licence_file_is_known_by_its_name(name: str, expected: bool) -> None:
    assert is_licence_file(name) is expected


def test_the_files_of_a_zip_and_of_a_folder_say_the_same(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("example.com/m@v1.0.0/LICENSE", MIT)
        archive.writestr("example.com/m@v1.0.0/sub/LICENSE", "something else")
        archive.writestr("example.com/m@v1.0.0/COPYING", "x" * (licences.MAX_FILE + 1))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/LICENSE").write_text(MIT)
    assert in_zip(tmp_path / "m.zip", "example.com/m@v1.0.0/").expression == "MIT"
    assert in_folder(tmp_path / "folder").expression == "MIT"
    assert in_folder(tmp_path / "nowhere").expression == "none"
