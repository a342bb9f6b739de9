"""Which forms of a report are wanted, and where each goes: one run writes as many as there are files."""

import shutil
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from goferry.cli.console import Console
from goferry.errors import InvalidInput
from goferry.i18n import N_

if TYPE_CHECKING:
    from goferry.deps.audit.inventory import Inventory
    from goferry.deps.audit.records import Audit

ENDINGS: Final = {
    ".cdx.json": "cyclonedx",
    ".bom.json": "cyclonedx",
    ".sarif.json": "sarif",
    ".sarif": "sarif",
    ".json": "json",
    ".html": "html",
    ".md": "markdown",
    ".xml": "junit",
    ".txt": "terminal",
}
"""The longer ones first."""


@dataclass(frozen=True, slots=True)
class Output:
    """One form, and the file that it goes to; standard output without one."""

    form: str
    file: str = ""


def outputs(form: str | None, files: Sequence[str]) -> tuple[Output, ...]:
    """A form that is named is for one file; without one each file's ending says its own, and people see the table."""
    if form is not None:
        if len(files) > 1:
            raise InvalidInput(
                "--format {form} is for one --output",
                hint=N_("leave it out: their endings say the form"),
                form=form,
            )
        return (Output(form, *files),)
    return (Output("terminal"), *(Output(by_ending(file), file) for file in files))


def by_ending(
    file: str,
    forms: Container[str] = frozenset(ENDINGS.values()),
    hint: str = N_("name it with --format, or end it with one of {endings}"),
) -> str:
    """The form that a file's ending says, one of these."""
    known = {ending: form for ending, form in ENDINGS.items() if form in forms}
    for ending, form in known.items():
        if file.lower().endswith(ending):
            return form
    raise InvalidInput(
        "--output {file}: its ending says no form",
        hint=hint,
        file=file,
        endings=" ".join(known),
    )


def show(
    console: Console,
    wanted: Sequence[Output],
    audit: "Audit",
    inventories: "Sequence[Inventory]" = (),
    *,
    notes: bool = False,
    base: str = "",
) -> None:
    """Prints and writes all of them."""
    from goferry.deps.audit.forms import Page, render

    columns = shutil.get_terminal_size((100, 24)).columns if console.colour else 100
    for one in wanted:
        colour = console.colour and not one.file
        page = Page(audit, tuple(inventories), notes=notes, colour=colour, columns=columns, base=base)
        text = render(one.form, page)
        if one.file:
            write(console, one.file, text)
        else:
            console.stdout.write(text)


def write(console: Console, file: str, text: str) -> None:
    """InvalidInput when it cannot be written."""
    try:
        Path(console.cwd, file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InvalidInput("cannot write {file}: {why}", file=file, why=error.strerror) from error
