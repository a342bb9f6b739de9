"""An audit in the forms that people and programs read: one small file per form, each with one function `render`."""

from dataclasses import dataclass
from importlib import import_module
from typing import Final

from goferry.deps.audit.inventory import Inventory
from goferry.deps.audit.records import Audit

FORMS: Final = ("terminal", "json", "sarif", "cyclonedx", "html", "markdown", "junit")


@dataclass(frozen=True, slots=True)
class Page:
    """What is shown."""

    audit: Audit
    inventories: tuple[Inventory, ...] = ()
    """What each project is made of; only `cyclonedx` needs it."""
    notes: bool = False
    """Whether notes are shown one by one where people read: there are many, and few of them call for action."""
    colour: bool = False
    columns: int = 100
    base: str = ""
    """What the roots of projects are relative to, from where the command ran; for commands that people copy."""


def render(form: str, page: Page) -> str:
    """The audit in one of FORMS, with a final newline."""
    text: str = import_module(f"{__name__}.{form}").render(page)
    return text
