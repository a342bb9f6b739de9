"""Flags made from the table of settings, and the settings made from the flags."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from goferry import i18n
from goferry.cli.base import Option, option
from goferry.cli.console import Console
from goferry.config import BY_NAME, SECTIONS, SETTINGS, Kind, Loaded, Setting, load
from goferry.i18n import N_, _

_METAVARS: Final[Mapping[str, str]] = {
    "text": "TEXT",
    "path": "FILE",
    "count": "N",
    "count0": "N",
    "duration": "TIME",
    "duration?": "TIME",
    "interval": "TIME",
    "size": "SIZE",
    "size?": "SIZE",
    "address": "HOST:PORT",
    "nameservers": "IP[:PORT]",
    "hosts": "NAME=IP",
    "log format": "text|json|off",
    "log level": "debug|info|warning|error",
}
_OWN_METAVARS: Final = {
    "store": "DIR|URL",
    "upstream": "LIST",
    "sumdb": "SPEC|off",
    "own_log": "NAME|SPEC",
    "private": "PATTERNS",
    "vulndb": "URL|PATH",
    "allow_licences": "NAMES",
    "deny_licences": "NAMES",
    "forges": "HOST=KIND:URL",
}


class SettingOption(Option):
    """A flag for one row of the table. It takes text as it comes: config judges it, like any other source."""

    def __init__(self, *args: Any, setting: Setting, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = setting.section
        self._setting = setting

    def describe(self) -> str:
        default = self._setting.kind.show(self._setting.default)
        text = _(self._setting.help)
        return f"{text}  [{default}]" if default else text


def metavar(setting: Setting) -> str:
    """What stands for the value in help and documentation."""
    return _OWN_METAVARS.get(setting.name) or _METAVARS[setting.kind.name]


def _setting_option(setting: Setting) -> Callable[[Any], Any]:
    import click

    if _is_switch(setting.kind):
        return click.option(
            f"{setting.flag}/--no-{setting.flag[2:]}",
            setting.name,
            cls=SettingOption,
            setting=setting,
            default=None,
        )
    return click.option(
        setting.flag,
        setting.name,
        cls=SettingOption,
        setting=setting,
        metavar=metavar(setting),
        multiple=setting.is_list,
        default=None,
    )


def _is_switch(kind: Kind) -> bool:
    return kind.name == "bool"


def settings_flags(*commands: str) -> Callable[[Any], Any]:
    """Adds --config, --lang and a flag for each setting that one of `commands` takes, section by section."""

    def decorate(function: Any) -> Any:
        rows = [
            row
            for section in SECTIONS
            for row in SETTINGS
            if row.section == section and set(commands) & set(row.commands)
        ]
        for row in reversed(rows):
            function = _setting_option(row)(function)
        return config_flags(function)

    return decorate


def config_flags(function: Any) -> Any:
    """Adds --config and --lang alone."""
    function = option(
        "--lang",
        metavar="en|zh_CN",
        default=None,
        help=N_("Language of the text for people. Default: the environment's."),
    )(function)
    return option(
        "--config",
        metavar="FILE",
        default=None,
        help=N_("Settings file in TOML. Default: GOFERRY_CONFIG, then goferry.toml in the working folder."),
    )(function)


def load_settings(console: Console, given: Mapping[str, Any], *, as_json: bool = False) -> Loaded:
    """The settings of this run, from the parameters click passed. Says what looks like a mistake."""
    flags = {
        name: value for name, value in given.items() if name in BY_NAME and value is not None and value != ()
    }
    config = given.get("config")
    loaded = load(
        environ=console.environ,
        flags=flags,
        config=None if config is None else Path(console.cwd, config),
        cwd=console.cwd,
    )
    if loaded.settings.lang:
        i18n.activate(loaded.settings.lang)
    for warning in loaded.warnings:
        console.warn(warning)
    if as_json:
        i18n.activate("en")  # JSON is the same in every language, also where it holds sentences
    return loaded
