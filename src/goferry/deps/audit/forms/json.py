"""An audit for programs: `goferry.audit/1`, described in docs/en/json.md. The same in every language."""

from goferry.deps.audit.forms import Page
from goferry.deps.audit.saved import dumps


def render(page: Page) -> str:
    """Indented JSON with a final newline."""
    return dumps(page.audit, page.inventories)
