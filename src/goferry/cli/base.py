"""Commands, groups and options whose help speaks the language in use, and which load what they need late.

Importing this must stay cheap: `goferry --help` reads the table of commands and imports none of them.
"""

# ruff: noqa: ARG001, ARG002 - click fixes the signatures of what it calls

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click

from goferry.cli.columns import Context
from goferry.errors import InvalidInput
from goferry.i18n import N_, _


class Option(click.Option):
    """An option whose help is a translatable key. `section` is the heading it stands under."""

    section: str = N_("Options")

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        return None if record is None else (record[0], self.describe())

    def describe(self) -> str:
        return _(self.help or "")


class _Speaking(click.Command):
    """Help in the language in use, options under their headings, stray arguments refused in our words."""

    context_class = Context

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        strict = not ctx.allow_extra_args
        ctx.allow_extra_args = True
        rest = super().parse_args(ctx, args)
        if strict and rest:
            raise InvalidInput(
                "{command}: unexpected argument {argument!r}", command=ctx.command_path, argument=rest[0]
            )
        return rest

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        names = self.get_help_option_names(ctx)
        if not names or not self.add_help_option:
            return None
        return Option(
            names,
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_show_help,
            help=N_("Show this help."),
        )

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), _("Usage: "))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text(_(self.help or ""))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        sections: dict[str, list[tuple[str, str]]] = {}
        for param in self.get_params(ctx):
            if isinstance(param, Option) and (record := param.get_help_record(ctx)):
                sections.setdefault(param.section, []).append(record)
        for heading, records in sections.items():
            with formatter.section(_(heading)):
                formatter.write_dl(records)

    def get_short_help_str(self, limit: int = 80) -> str:
        return _(self.short_help or "")


class Command(_Speaking):
    """A leaf."""


class Group(_Speaking, click.Group):
    """A command with commands below it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return click.Group.parse_args(self, ctx, args)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            raise unknown_command(ctx.command_path, name, self.list_commands(ctx))
        return super().resolve_command(ctx, args)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.format_commands(ctx, formatter)
        super().format_options(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(_("Commands")):
            formatter.write_dl(
                [
                    (name, command.get_short_help_str())
                    for name in self.list_commands(ctx)
                    if (command := self.get_command(ctx, name))
                ]
            )


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table of commands: where it lives and what is said of it without loading it."""

    name: str
    module: str
    heading: str
    summary: str


class LazyGroup(Group):
    """A group that knows its commands by table and imports the one that runs, `command` of its module."""

    def __init__(self, *args: Any, entries: Sequence[Entry] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entries = {entry.name: entry for entry in entries}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        entry = self.entries.get(cmd_name)
        return None if entry is None else import_module(entry.module).command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading in dict.fromkeys(entry.heading for entry in self.entries.values()):
            with formatter.section(_(heading)):
                formatter.write_dl(
                    [
                        (entry.name, _(entry.summary))
                        for entry in self.entries.values()
                        if entry.heading == heading
                    ]
                )


def _show_help(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(ctx.get_help())
        ctx.exit()


def option(*names: str, **attrs: Any) -> Callable[[Any], Any]:
    """`click.option` with a translatable help."""
    return click.option(*names, cls=Option, **attrs)


json_option = option("--json", "as_json", is_flag=True, help=N_("Print JSON for programs."))


def form_option(name: str, help_key: str) -> Callable[[Any], Any]:
    """A flag `--NAME` that asks for the output form of that name."""
    return option(f"--{name}", "form", flag_value=name, help=help_key)


def unknown_command(parent: str, name: str, known: Iterable[str]) -> InvalidInput:
    """No such command, with the nearest one as a hint."""
    from difflib import get_close_matches  # only a typo needs it

    near = get_close_matches(name, list(known), 1)
    return InvalidInput(
        "{parent} has no command {name!r}",
        hint="did you mean {near}?" if near else "see {parent} --help",
        parent=parent,
        name=name,
        near=near[0] if near else "",
    )
