"""`goferry config`: every setting, its value and where it came from; or a commented sample file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.columns import pad, width
from goferry.cli.console import Console, pass_console
from goferry.cli.environment import Complete, complete, go_environment
from goferry.cli.flags import config_flags, load_settings
from goferry.config import SECTIONS, SETTINGS, Setting
from goferry.gomod.goproxy import redact
from goferry.i18n import N_, _

SUMMARY = N_("Show every setting with its value and origin.")


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Show every setting with its value and origin: a flag, a GOFERRY_ variable, a line of the settings file, "
        "what the go command would use here, or the default."
    ),
)
@config_flags
@json_option
@option(
    "--toml", "as_toml", is_flag=True, help=N_("Print a commented settings file that holds every default.")
)
@pass_console
def command(console: Console, /, as_json: bool, as_toml: bool, **given: Any) -> None:
    loaded = load_settings(console, given, as_json=as_json)
    if as_toml:
        console.out("\n".join(sample()))
        return
    ready = complete(loaded, go_environment(console.environ))
    for warning in ready.warnings:
        console.warn(warning)
    if as_json:
        console.json(to_json(ready, loaded.file))
    else:
        console.out("\n".join(_table(ready)))


def to_json(ready: Complete, file: Path | None) -> dict[str, Any]:
    """Values in their text form: it is the one that every source takes."""
    return {
        "file": None if file is None else str(file),
        "settings": {
            setting.name: {
                "value": shown(setting, ready),
                "origin": ready.origins[setting.name].kind,
                "from": ready.origins[setting.name].detail,
            }
            for setting in SETTINGS
        },
    }


def shown(setting: Setting, ready: Complete) -> str:
    """The text form of a value, without the credentials of URLs."""
    text = setting.kind.show(getattr(ready.settings, setting.name))
    return redact(text) if "://" in text else text


def _table(ready: Complete) -> Iterator[str]:
    rows = [(setting.name, shown(setting, ready), str(ready.origins[setting.name])) for setting in SETTINGS]
    names = max(len(name) for name, _value, _origin in rows)
    values = min(48, max(width(value) for _name, value, _origin in rows))
    for name, value, origin in rows:
        yield f"{name:<{names}}  {pad(value or '-', values)}  {origin}"


def sample() -> Iterator[str]:
    """The lines of a settings file in which every setting stands as a comment with its default."""
    yield "# " + _("Settings of goferry. Take away the # in front of what you change.")
    for section in SECTIONS:
        yield ""
        yield f"# ---- {_(section)} ----"
        for setting in SETTINGS:
            if setting.section == section:
                yield ""
                yield f"# {_(setting.help)}"
                yield f"# {setting.name} = {toml_value(setting, setting.default)}"


def toml_value(setting: Setting, value: Any) -> str:
    """A value as TOML writes it."""
    text = setting.kind.show(value)
    if int in setting.kind.toml and str not in setting.kind.toml:
        return text
    if bool in setting.kind.toml:
        return text
    if list in setting.kind.toml:
        return "[" + ", ".join(_quoted(part) for part in text.split(",") if part) + "]"
    return _quoted(text)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
