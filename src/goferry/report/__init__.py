"""A Report in the forms that people and programs read: one small file per form, each with one function `render`."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # every command breaks its help by `columns`; what a report is need not be loaded for that
    from goferry.findings import Report

FORMS: Final = ("terminal", "json", "sarif", "junit", "html")


def render(form: str, report: "Report") -> str:
    """The report in one of FORMS, with a final newline."""
    text: str = import_module(f"{__name__}.{form}").render(report)
    return text
