"""`/sumdb/NAME/…`: checksum databases through this server.

`supported` is answered here and now: it says that this server stands in for the database, and the database itself has
no such path. A database that is not configured is 404, which sends the client on to the next proxy, or to the database.
"""

from goferry.errors import NotFound
from goferry.gomod.goproxy import SumDBRequest, parse_sumdb_path
from goferry.proxy.base import Answer
from goferry.server.base import ModuleProxy

SUPPORTED = "supported"


def is_sumdb(path: str) -> bool:
    """Whether a URL path (without leading slash) is about a checksum database."""
    return path.startswith("sumdb/")


async def answer(proxy: ModuleProxy, path: str, *, cached_only: bool) -> tuple[SumDBRequest, Answer]:
    """The answer to `sumdb/NAME/REST`, the longest configured NAME that fits."""
    request = parse_sumdb_path(path, proxy.sumdb_names)
    if request.path == SUPPORTED:
        return request, Answer(request.key, 0, 0.0, immutable=False, body=b"")
    if not request.path.startswith(("latest", "lookup/", "tile/")):
        raise NotFound('no checksum database is served at "{path}"', path=path)
    return request, await proxy.sumdb(request.name, request.path, cached_only=cached_only)
