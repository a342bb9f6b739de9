"""The pages that are not modules: health, readiness, metrics, version, and a first page that says what this is.

Six fixed paths with small texts need no framework: a table of functions is shorter than the routes would be, and
costs each worker neither a framework's start nor its memory (docs/adr/0006-no-web-framework.md).
"""

import html
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from goferry import __version__, i18n
from goferry.i18n import _
from goferry.server import replies
from goferry.server.replies import Reply

_HOST = re.compile(r"[A-Za-z0-9.\-]{1,253}(?::[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::[0-9]{1,5})?")
_METRICS_TYPE = b"text/plain; version=0.0.4; charset=utf-8"


class Site(Protocol):
    """What the pages show of the server."""

    @property
    def url(self) -> str:
        """Where it listens."""

    @property
    def draining(self) -> bool:
        """Whether it is about to stop."""

    @property
    def has_metrics(self) -> bool:
        """Whether /metrics is switched on."""

    async def problems(self) -> list[str]:
        """What keeps it from answering module requests."""

    def metrics(self) -> bytes:
        """The page for Prometheus."""


Page = Callable[[Site, Mapping[bytes, bytes], str], Awaitable[Reply]]
"""A page is made from the site, the request's headers (names in lower case) and its scheme."""


async def healthz(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> Reply:  # noqa: ARG001
    """200 as long as the event loop turns."""
    return replies.text(200, "ok\n")


async def readyz(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> Reply:  # noqa: ARG001
    """200 when requests are welcome; 503 with one reason per line otherwise."""
    reasons = [_("draining: about to stop")] if site.draining else []
    reasons += await site.problems()
    if not reasons:
        return replies.text(200, "ready\n")
    return replies.text(503, "\n".join(reasons) + "\n")


async def metrics(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> Reply:  # noqa: ARG001
    """All workers' counts in the Prometheus text format."""
    if not site.has_metrics:
        return replies.text(404, _("metrics are switched off (setting {name})").format(name="metrics") + "\n")
    return replies.text(200, site.metrics().decode(), _METRICS_TYPE)


async def version(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> Reply:  # noqa: ARG001
    """The version as JSON."""
    return replies.text(
        200, json.dumps({"name": "goferry", "version": __version__}) + "\n", b"application/json"
    )


async def robots(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> Reply:  # noqa: ARG001
    """Nothing here is for search engines."""
    return replies.text(200, "User-agent: *\nDisallow: /\n")


async def front(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> Reply:
    """What this is and the two lines to paste, in the language asked for, as HTML for browsers and text for others."""
    if (wanted := headers.get(b"accept-language")) is not None:
        i18n.activate(wanted.decode("latin-1").split(",")[0])
    url = _own_url(site, headers, scheme)
    intro = _("goferry {version}: a Go module proxy.").format(version=__version__)
    this_shell = (_("To use it in this shell:"), f"export GOPROXY={url}")
    for_good = (_("To use it from now on:"), f"go env -w GOPROXY={url}")
    vary = (b"vary", b"accept, accept-language")
    if b"text/html" not in headers.get(b"accept", b""):
        lines = [intro, "", *(line for pair in (this_shell, for_good) for line in (pair[0], "  " + pair[1]))]
        return replies.text(200, "\n".join(lines) + "\n", b"text/plain; charset=utf-8", vary)
    body = "".join(
        f"<p>{html.escape(says)}</p><pre>{html.escape(line)}</pre>" for says, line in (this_shell, for_good)
    )
    page = (
        f'<!doctype html><html lang="{i18n.current().replace("_", "-")}"><meta charset="utf-8"><title>goferry</title>'
        f'<meta name="viewport" content="width=device-width"><h1>goferry</h1><p>{html.escape(intro)}</p>{body}</html>\n'
    )
    policy = (b"content-security-policy", b"default-src 'none'")
    return replies.text(200, page, b"text/html; charset=utf-8", vary, policy)


def _own_url(site: Site, headers: Mapping[bytes, bytes], scheme: str) -> str:
    """The URL under which the client knows this server: its Host header, if it is one."""
    host = headers.get(b"host", b"").decode("latin-1")
    return f"{scheme}://{host}" if _HOST.fullmatch(host) else site.url


PAGES: Mapping[str, Page] = {
    "": front,
    "healthz": healthz,
    "readyz": readyz,
    "metrics": metrics,
    "version": version,
    "robots.txt": robots,
}
"""By URL path without the leading slash. None can be a module: a module's path has a dot in its first element, and
`@` somewhere."""
