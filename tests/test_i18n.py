"""The catalogues are complete, fit the sources, and keep every placeholder."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.pofile import read_po

from goferry import i18n

ROOT = Path(__file__).resolve().parent.parent


def _load() -> ModuleType:
    """tools/i18n.py, which imports its neighbour hatch_build, under a name of its own."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        spec = importlib.util.spec_from_file_location("goferry_tools_i18n", ROOT / "tools" / "i18n.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(ROOT / "tools"))


tool = _load()


@pytest.fixture(scope="session")
def found() -> list:
    return tool.extract(tool.SOURCES)


@pytest.mark.parametrize("language", [name for name in i18n.LANGUAGES if name != "en"])
def test_every_message_is_translated_and_none_is_stale(language: str, found: list) -> None:
    file = tool.LOCALE / language / "LC_MESSAGES" / "goferry.po"
    assert tool.faults(file, found) == []


def test_every_message_is_a_template_that_can_be_filled(found: list) -> None:
    for item in found:
        for text in item.ids:
            tool.placeholders(text)


SOURCE = '''
from goferry.errors import GoferryError, NotFound
from goferry.findings import Text
from goferry.i18n import N_, _, ngettext

class Mine(NotFound):
    """A subclass of a subclass."""
    def __init__(self):
        super().__init__("from the constructor", hint="its hint")

HELP = N_("marked "
          "in two parts")
_("called")
ngettext("{n} thing", "{n} things", 2)
Text("in a finding", x=1)
raise Mine("{a} or {b}" if x else "the other", hint=N_("a hint"), a=1)
NotFound(kind, "second argument here")
NotFound("stable_word", "a sentence after a word")
NotFound("single")
ValueError("not ours")
print("nor this")
_(variable)
'''
WANTED = {
    ("from the constructor",), ("its hint",), ("marked in two parts",), ("called",), ("{n} thing", "{n} things"),
    ("in a finding",), ("{a} or {b}",), ("the other",), ("a hint",), ("second argument here",),
    ("a sentence after a word",), ("single",),
}  # fmt: skip


def test_messages_are_found_in_calls_errors_hints_and_findings(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "errors.py").write_text(
        "class GoferryError(Exception): ...\nclass NotFound(GoferryError): ...\n"
    )
    (package / "use.py").write_text(SOURCE)
    assert {item.ids for item in tool.extract(package)} == WANTED


HEAD = 'msgid ""\nmsgstr ""\n"Language: zh_CN\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'

# catalogue entries, what is wrong with them when the sources say "a {x}"
FAULTS = [
    ('msgid "a {x}"\nmsgstr "甲 {x}"\n', []),
    ("", ["not in the catalogue: 'a {x}'"]),
    ('msgid "a {x}"\nmsgstr ""\n', ["not translated: 'a {x}'"]),
    ('#, fuzzy\nmsgid "a {x}"\nmsgstr "甲 {x}"\n', ["fuzzy: 'a {x}'"]),
    ('msgid "a {x}"\nmsgstr "甲 {y}"\n', ["placeholders differ: 'a {x}' → '甲 {y}'"]),
    ('msgid "a {x}"\nmsgstr "甲 {x!r}"\n', ["placeholders differ: 'a {x}' → '甲 {x!r}'"]),
    ('msgid "a {x}"\nmsgstr "甲 {x}"\n\nmsgid "b"\nmsgstr "乙"\n', ["no longer in the sources: 'b'"]),
]


@pytest.mark.parametrize(("entries", "faults"), FAULTS)
def test_each_fault_of_a_catalogue_is_named(tmp_path: Path, entries: str, faults: list[str]) -> None:
    file = tmp_path / "zh_CN" / "LC_MESSAGES" / "goferry.po"
    file.parent.mkdir(parents=True)
    file.write_text(HEAD + entries, "utf-8")
    assert tool.faults(file, [tool.Found("f.py", 1, ("a {x}",))]) == faults


def test_writing_a_catalogue_twice_changes_no_byte(tmp_path: Path) -> None:
    file = tmp_path / "zh_CN" / "LC_MESSAGES" / "goferry.po"
    file.parent.mkdir(parents=True)
    file.write_text(HEAD + 'msgid "a {x}"\nmsgstr "甲 {x}"\n', "utf-8")
    tool.write(file, tool.read(file))
    once = file.read_bytes()
    tool.write(file, tool.read(file))
    assert file.read_bytes() == once
    assert read_po(once.decode().splitlines()).num_plurals == 1


def test_the_compiled_catalogue_is_the_one_in_the_sources(found: list) -> None:
    """An installed goferry reads goferry.mo: a forgotten one would speak English."""
    i18n.activate("zh_CN")
    catalogue = tool.read(tool.LOCALE / "zh_CN" / "LC_MESSAGES" / "goferry.po")
    singles = [item.ids[0] for item in found if len(item.ids) == 1]
    assert [text for text in singles if i18n._(text) != (catalogue[text].string or text)] == []


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh_CN"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "C"}, "zh_CN"),
        ({"GOFERRY_LANG": "en", "LC_ALL": "zh_CN"}, "en"),
        ({"GOFERRY_LANG": "", "LANG": "zh"}, "zh_CN"),
    ],
)
def test_the_language_is_the_first_that_the_environment_names(environ: dict, language: str) -> None:
    assert i18n.detect(environ) == language
