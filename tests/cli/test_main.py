"""The front door: cheap help, clear errors, exit codes, clean ends."""

import importlib
import io
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from goferry.cli import base, main
from goferry.errors import ConfigError, NotFound, StorageError
from terminal import goferry

# What `goferry --help` must not load: each costs more than the whole rest (docs/adr and the measurements behind it).
HEAVY = {
    "asyncio",
    "aiohttp",
    "rich",
    "granian",
    "uvloop",
    "ssl",
    "sqlite3",
    "prometheus_client",
    "idna",
}


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["srve"], ["--lang", "zh", "--help"]], ids=" ".join
)
def test_help_and_typos_load_nothing_heavy(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "goferry", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2])},
    )
    loaded = {
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    assert "goferry.cli.main" in loaded
    assert {name for name in loaded if name.partition(".")[0] in HEAVY} == set()


def test_help_groups_commands_under_headings() -> None:
    said = goferry("--help")
    assert said.code == 0
    assert "Serve:\n  serve " in said.out
    assert "Options:" in said.out
    assert goferry().out == said.out


@pytest.mark.parametrize("entry", main.COMMANDS, ids=lambda e: e.name)
def test_the_table_of_commands_says_what_the_commands_say(entry: base.Entry) -> None:
    command = importlib.import_module(entry.module).command
    assert command.short_help == entry.summary
    said = goferry(entry.name, "--help")
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(f"Usage: goferry {entry.name} ")


def test_every_command_and_option_has_a_help_text() -> None:
    def walk(command: click.Command, path: str):
        yield path, command
        if isinstance(command, click.Group):
            context = click.Context(command, info_name=path)
            for name in command.list_commands(context):
                yield from walk(command.get_command(context, name), f"{path} {name}")

    for path, command in walk(main.cli, "goferry"):
        assert command.help, path
        for param in command.params:
            if isinstance(param, click.Option):
                assert isinstance(param, base.Option), (path, param)
                assert param.describe(), (path, param)


# command line, exit code, what standard error says
WRONG = [
    ("srve", 2, "goferry: goferry has no command 'srve'\n  did you mean serve?\n"),
    ("xyzzy", 2, "goferry: goferry has no command 'xyzzy'\n  see goferry --help\n"),
    ("cache lst", 2, "goferry: goferry cache has no command 'lst'\n  did you mean list?\n"),
    ("version --jsn", 2, "goferry: no such option: --jsn\n  did you mean --json?\n"),
    ("version more", 2, "goferry: goferry version: unexpected argument 'more'\n"),
    ("cache info", 2, "goferry: missing argument: MODULE@VERSION\n  see goferry cache info --help\n"),
    ("config --config", 2, "goferry: option --config lacks its value, or has one that it does not take\n"),
    ("version --json=1", 2, "goferry: option --json lacks its value, or has one that it does not take\n"),
    (
        "env --profile x",
        2,
        "goferry: bad value for --profile: 'x' is not allowed; allowed is dev, ci, prod\n",
    ),
    (
        "warm -j 0",
        2,
        "goferry: bad value for --jobs: 0 is not allowed; allowed is a whole number from 1 to 256\n",
    ),
    (
        "warm -j x",
        2,
        "goferry: bad value for --jobs: 'x' is not allowed; allowed is a whole number from 1 to 256\n",
    ),
    (
        "doctor --watch 0",
        2,
        "goferry: bad value for --watch: 0 is not allowed; allowed is a whole number, 1 or more\n",
    ),
    (
        "serve --workers no",
        2,
        "goferry: setting workers: 'no' (from --workers) is not allowed; allowed is a whole",
    ),
    ("config --config /none", 2, "goferry: cannot read the settings file /none: "),
]


@pytest.mark.parametrize(("line", "code", "err"), WRONG)
def test_wrong_use_gets_one_line_a_hint_and_exit_code_2(line: str, code: int, err: str) -> None:
    said = goferry(*line.split())
    assert (said.code, said.out) == (code, "")
    assert said.err.startswith(err)
    assert "Traceback" not in said.err


def test_help_and_errors_speak_the_language_asked_for() -> None:
    assert goferry("--lang", "zh", "--help").out.startswith("用法：")
    assert goferry("version", "--help", "--lang=zh_CN").code == 2  # version takes no --lang: said in Chinese
    assert "没有命令" in goferry("srve", environ={"GOFERRY_LANG": "zh_CN.UTF-8"}).err
    assert "没有命令" in goferry("srve", environ={"LC_ALL": "zh_CN.UTF-8"}).err
    assert "no command" in goferry("srve", environ={"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}).err


# raised inside a command, exit code, standard error
RAISED = [
    (NotFound("{x} is gone", x="it"), 1, "goferry: it is gone\n"),
    (StorageError("full", hint="make room"), 1, "goferry: full\n  make room\n"),
    (ConfigError("wrong"), 2, "goferry: wrong\n"),
    (ExceptionGroup("all", [ExceptionGroup("one", [StorageError("full")])]), 1, "goferry: full\n"),
    (
        ValueError("oops"),
        70,
        "goferry: internal error: ValueError: oops\n  set GOFERRY_DEBUG=1 to see where\n",
    ),
    (KeyboardInterrupt(), 130, "\n"),
    (BrokenPipeError(), 1, ""),
]


@pytest.mark.parametrize(("raised", "code", "err"), RAISED, ids=lambda v: type(v).__name__)
def test_whatever_is_raised_becomes_an_exit_code_and_never_a_traceback(
    raised: BaseException, code: int, err: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_args: object, **_kwargs: object) -> None:
        raise raised

    monkeypatch.setattr(main.cli, "main", explode)
    said = goferry("version")
    assert (said.code, said.out, said.err) == (code, "", err)


def test_debugging_shows_where_an_error_came_from(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_args: object, **_kwargs: object) -> None:
        raise ConfigError("wrong")

    monkeypatch.setattr(main.cli, "main", explode)
    with pytest.raises(ConfigError):
        goferry("version", environ={"GOFERRY_DEBUG": "1"})


def test_a_reader_that_goes_away_ends_the_command_quietly() -> None:
    """`goferry config | head -c1`: no traceback, and nothing from the interpreter's own flush at exit."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "wb") as closed:
        done = subprocess.run(
            [sys.executable, "-m", "goferry", "config", "--toml"],
            stdout=closed,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(main.__file__).parents[2]), "HOME": "/nonexistent"},
        )
    assert (done.returncode, done.stderr) == (1, b"")


def test_version_tells_what_runs_here() -> None:
    facts = goferry("version", "--json").json
    assert facts["python"] == ".".join(map(str, sys.version_info[:3]))
    assert goferry("--version").out == f"goferry {facts['goferry']}\n"
    assert goferry("version").out.startswith(f"goferry {facts['goferry']}\n")


def test_streams_and_environment_are_those_that_were_passed_in() -> None:
    out = io.StringIO()
    main.run(["--version"], environ={}, stdin=io.StringIO(), stdout=out, stderr=io.StringIO(), cwd=Path("/"))
    assert out.getvalue().startswith("goferry ")
