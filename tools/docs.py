"""Writes the pages that are made from the code: settings, commands and the lab, in both languages.

tools/docs.py            write docs/{en,zh}/settings.md, docs/{en,zh}/cli.md and docs/{en,zh}/lab.md
tools/docs.py --check    fail when a page is not what would be written
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from goferry import i18n
from goferry.cli.main import cli
from goferry.config import SECTIONS, SETTINGS, Setting
from goferry.i18n import _
from goferry.places import DEFAULT_FILE
from hatch_build import compile_catalogues
from labpages import lab_page

ROOT: Final = Path(__file__).resolve().parent.parent
LANGUAGES: Final = {"en": "en", "zh": "zh_CN"}
# A page must not depend on the width of the terminal that it was made on.
WIDTH: Final = 100

TITLES: Final = {
    "en": ("Settings", "Commands", "This page is made from the code by `make docs`."),
    "zh": ("设置", "命令", "本页由 `make docs` 从代码生成。"),
}
INTRO: Final = {
    "en": (
        "A value comes from the first of: the flag, the variable, the settings file, the default. The file is the one "
        f"given by `--config`, else by `GOFERRY_CONFIG`, else `{DEFAULT_FILE}` in the working folder; "
        "`goferry config --toml` prints one with every default. `goferry config` shows each value and where it came "
        "from. A variable that is empty counts as unset. The variable and the file work for every command; the flag "
        "only for the commands named. Durations are written as `250ms`, `30s`, `1h30m` or `7d`, sizes as `64KiB`, "
        "`500MiB` (powers of 1024) or `10GB` (powers of 1000)."
    ),
    "zh": (
        "值取自以下来源中的第一个：命令行参数、环境变量、设置文件、默认值。设置文件由 `--config` 指定，其次由 "
        f"`GOFERRY_CONFIG` 指定，再次是工作目录中的 `{DEFAULT_FILE}`；"
        "`goferry config --toml` 会打印一份列出全部默认值的样本。"
        "`goferry config` 显示每个值及其来源。空的环境变量等于没有设置。"
        "环境变量和设置文件对所有命令有效；命令行参数只对列出的命令有效。"
        "时长写作 `250ms`、`30s`、`1h30m` 或 `7d`，大小写作 `64KiB`、`500MiB`（1024 的幂）或 `10GB`（1000 的幂）。"
    ),
}
COLUMNS: Final = {
    "en": ("name", "default", "allowed", "variable", "commands", "what it is"),
    "zh": ("名称", "默认值", "允许的值", "环境变量", "命令", "含义"),
}
OTHER: Final = {
    "en": (
        "## Other variables\n\n"
        "`GOFERRY_CONFIG` names the settings file. `GOFERRY_DEBUG=1` shows where an error came from. "
        "`SSL_CERT_FILE`, `SSL_CERT_DIR`, `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` work as they do for go."
    ),
    "zh": (
        "## 其他环境变量\n\n"
        "`GOFERRY_CONFIG` 指定设置文件。`GOFERRY_DEBUG=1` 显示错误出自何处。"
        "`SSL_CERT_FILE`、`SSL_CERT_DIR`、`HTTP_PROXY`、`HTTPS_PROXY` 和 `NO_PROXY` 的含义与 go 相同。"
    ),
}
EMPTY: Final = {"en": "none", "zh": "无"}


def settings_page(language: str) -> str:
    """The table of settings as Markdown."""
    title, _commands, made = TITLES[language]
    lines = [f"# {title}", "", made, "", INTRO[language]]
    for section in SECTIONS:
        lines += ["", f"## {_(section)}", "", _row(COLUMNS[language]), _row(["---"] * len(COLUMNS[language]))]
        lines += [_row(_cells(setting, language)) for setting in SETTINGS if setting.section == section]
    return "\n".join([*lines, "", OTHER[language]]) + "\n"


def _cells(setting: Setting, language: str) -> tuple[str, ...]:
    default = setting.kind.show(setting.default)
    return (
        f"`{setting.name}`",
        f"`{default}`" if default else EMPTY[language],
        _(setting.kind.allowed).replace("|", "\\|"),
        f"`{setting.variable}`",
        ", ".join(f"`{'cache gc' if name == 'gc' else name}`" for name in setting.commands) or "-",
        _(setting.help).replace("|", "\\|"),
    )


def _row(cells: Iterator[str] | list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def commands_page(language: str) -> str:
    """The help text of every command as Markdown."""
    _settings, title, made = TITLES[language]
    lines = [f"# {title}", "", made]
    for path, command in walk(cli, _context(cli, "goferry", None)):
        lines += ["", f"## {path.command_path}", "", "```text", command.get_help(path).rstrip(), "```"]
    return "\n".join(lines) + "\n"


def _context(command: click.Command, name: str, parent: click.Context | None) -> click.Context:
    return command.context_class(
        command,
        info_name=name,
        parent=parent,
        terminal_width=WIDTH,
        max_content_width=WIDTH,
        help_option_names=["-h", "--help"],
    )


def walk(command: click.Command, context: click.Context) -> Iterator[tuple[click.Context, click.Command]]:
    """A command and all commands below it, each with the context that its help needs."""
    yield context, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from walk(child, _context(child, name, context))


PAGES: Final = {"settings.md": settings_page, "cli.md": commands_page, "lab.md": lab_page}


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated file and what it must hold."""
    for folder, language in LANGUAGES.items():
        i18n.activate(language)
        for name, make in PAGES.items():
            yield ROOT / "docs" / folder / name, make(folder)


def main(arguments: list[str]) -> int:
    compile_catalogues(ROOT / "src" / "goferry" / "locale")
    stale = [(file, text) for file, text in pages() if not file.is_file() or file.read_text("utf-8") != text]
    if arguments == ["--check"]:
        for file, _text in stale:
            print(f"{file.relative_to(ROOT)} is not what the code says; run `make docs`")
        return 1 if stale else 0
    for file, text in stale:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
