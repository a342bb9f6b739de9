"""Lines of help as a terminal shows them: Chinese characters take two columns and have their own places to break."""

import textwrap
from itertools import pairwise

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry import i18n
from goferry.cli.columns import Formatter, pad, width, wrap
from goferry.cli.main import cli
from sizes import size

# text, columns → lines
LINES = [
    ("", 10, []),
    ("go  [30s]", 10, ["go  [30s]"]),
    ("one two three", 7, ["one two", "three"]),
    ("a-word-with-hyphens stays", 12, ["a-word-with-hyphens", "stays"]),
    ("只取一次，逐字节验证", 10, ["只取一次，", "逐字节验证"]),
    # A closing mark takes its character along; so does an opening one.
    ("逐字节验证，保存", 10, ["逐字节验", "证，保存"]),
    ("工作进程（PEM）。", 10, ["工作进程", "（PEM）。"]),
    ("“不存在”的应答", 7, ["“不存", "在”的应", "答"]),
    # Between Chinese and a word without a space a line may end as well.
    ("读取go.mod文件", 6, ["读取", "go.mod", "文件"]),
]  # fmt: skip

WORDS = st.lists(st.text("abcxyz-./", min_size=1, max_size=12), max_size=30).map(" ".join)
MIXED = st.text("取一次逐字节验证，。；：（）“”、 abc", max_size=120)


@pytest.mark.parametrize(("text", "columns", "lines"), LINES)
def test_lines_are_broken_by_columns_and_at_places_where_readers_expect_it(
    text: str, columns: int, lines: list[str]
) -> None:
    assert list(wrap(text, columns)) == lines


@given(WORDS, st.integers(12, 60))
def test_english_breaks_at_spaces_as_textwrap_does_without_breaking_words(text: str, columns: int) -> None:
    wanted = textwrap.wrap(text, columns, break_long_words=False, break_on_hyphens=False)
    assert list(wrap(text, columns)) == wanted


@given(MIXED, st.integers(11, 60))
def test_nothing_is_lost_and_no_line_begins_with_a_mark_that_closes(text: str, columns: int) -> None:
    lines = list(wrap(text, columns))
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for before, line in pairwise(lines):
        if line[0] in "，。；：）”、":
            # Only after a space, or where marks follow marks and there is no character to keep them with.
            assert before[-1] in "，。；：）”、（“" or f"{before} " in text


def test_padding_counts_columns() -> None:
    assert [pad(text, 6) + "|" for text in ("abc", "存储", "")] == ["abc   |", "存储  |", "      |"]


def test_a_term_that_is_too_long_has_a_line_of_its_own() -> None:
    formatter = Formatter(width=40)
    formatter.write_dl([("-a", "短"), ("--a-very-long-option LIST", "说明文字")], col_max=10)
    assert formatter.getvalue() == "-a          短\n--a-very-long-option LIST\n            说明文字\n"


@pytest.mark.parametrize("language", i18n.LANGUAGES)
@pytest.mark.parametrize("columns", size([80], [60, 72, 80, 100, 132]))
def test_no_line_of_any_help_runs_over_the_edge(language: str, columns: int) -> None:
    i18n.activate(language)
    for context, command in commands(cli, cli.context_class(cli, info_name="goferry")):
        context.terminal_width = columns
        for line in command.get_help(context).splitlines():
            assert width(line) <= columns, (context.command_path, line)


def commands(command: click.Command, context: click.Context):
    yield context, command
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        child = command.get_command(context, name)
        yield from commands(child, child.context_class(child, info_name=name, parent=context))
