"""What all `deps` commands share: the flags that say where modules come from, and the supply that they open."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from goferry.cli.base import option
from goferry.cli.console import Console
from goferry.cli.flags import load_settings, settings_flags
from goferry.config import Loaded
from goferry.deps.finding import start_of
from goferry.errors import GoferryError, InvalidInput, StorageError
from goferry.i18n import N_, _
from goferry.storage.folders import folder_of

if TYPE_CHECKING:
    from goferry.cli.environment import Complete
    from goferry.deps.base import BuildList
    from goferry.deps.reading import Reading
    from goferry.deps.supply import ProxySupply

EXIT_UNPROVEN: Final = 3
"""What was asked could not be found out: no answer is no good answer."""


class StoreFailed(StorageError):
    """A store that fails has shown nothing: neither that something is wrong nor that it is not."""

    exit_code = EXIT_UNPROVEN


@contextmanager
def unproven_without_store() -> Iterator[None]:
    """What the store's fault ends here has the exit status of what could not be found out."""
    try:
        yield
    except StorageError as error:
        raise StoreFailed(error.message, hint=error.hint_key, **error.parts) from error


def supply_flags(function: Any, *commands: str) -> Any:
    """Adds --goproxy and the flags of every setting that `deps` takes (store, upstream, sumdb, private, …), or one of
    `commands`."""
    goproxy = option(
        "--goproxy",
        metavar="LIST",
        default=None,
        help=N_("Where modules come from, as in GOPROXY. Default: what the go command would use here."),
    )
    flags: Callable[[Any], Any] = settings_flags("deps", *commands)
    return goproxy(flags(function))


def own_settings(console: Console, given: Mapping[str, Any], *, as_json: bool = False) -> Loaded:
    """The settings of goferry itself. What the go command would use is still missing: see `complete_settings`."""
    given = dict(given)
    listed = given.pop("goproxy", None)
    if listed is not None:
        given["upstream"] = listed
    return load_settings(console, given, as_json=as_json)


def complete_settings(console: Console, given: Mapping[str, Any], *, as_json: bool = False) -> "Complete":
    """Settings with nothing left to guess. Unlike a server, `deps` may be the client of a goferry here."""
    return _completed(console, own_settings(console, given, as_json=as_json))


def _completed(console: Console, loaded: Loaded) -> "Complete":
    from goferry.cli.environment import complete, go_environment

    return complete(loaded, go_environment(console.environ, sys.platform), serving=False)


@asynccontextmanager
async def opened(console: Console, ready: "Complete") -> AsyncIterator["ProxySupply"]:
    """The supply that these settings name; the store is made if need be, and closed behind it."""
    from goferry.deps.supply import ProxySupply
    from goferry.proxy.assemble import open_proxy  # heavy: --help does not need the network stack

    for warning in ready.warnings:
        console.warn(warning)
    settings = replace(ready.settings, read_ahead=False)  # whoever asks for a time here wants no zip next
    with unproven_without_store():
        async with open_proxy(settings, environ=console.environ) as proxy:
            yield ProxySupply(proxy)


def listed(console: Console, folder: str, given: Mapping[str, Any], *, as_json: bool) -> "BuildList":
    """The build list of a folder, or of a go.mod or go.work file."""
    from goferry.deps.reading import Reading
    from goferry.deps.sources import load
    from goferry.deps.stored import Stored

    loaded = own_settings(console, given, as_json=as_json)
    start = start_of(Path(console.cwd, folder), console.environ.get("GOWORK", ""))
    reading = Reading(load(start))
    reading.read_stored(Stored(folder_of(loaded.settings.store)))
    if not reading.missing():
        return reading.build_list()
    return _fetched(console, _completed(console, loaded), reading, as_json=as_json)


def _fetched(console: Console, ready: "Complete", reading: "Reading", *, as_json: bool) -> "BuildList":
    import asyncio  # heavy, like all behind it: what the store has needs no network

    from goferry.cli.progress import showing
    from goferry.deps.buildlist import finished
    from goferry.deps.reading import Reading
    from goferry.deps.stored import Stored

    async def run() -> "BuildList":
        with showing(console, _("reading go.mod files"), quiet=as_json) as bar:
            async with opened(console, ready) as supply:
                return await finished(reading, supply, step=bar.update)

    found = asyncio.run(run())
    # What was fetched is in the store now, and the next list shall not have to read it.
    Reading(reading.project).read_stored(Stored(folder_of(ready.settings.store)))
    return found


def over_all(console: Console, pattern: str, one: Callable[[Path], int]) -> int:
    """Calls `one` with the file of each project that `DIR/...` stands for; the worst exit status. One that cannot be
    read is named, and does not keep the others out."""
    from goferry.deps.tree import matching

    worst = 0
    for file in matching(pattern, console.cwd):
        try:
            status = one(file)
        except InvalidInput as error:
            console.warn(str(error))
            status = error.exit_code
        worst = max(worst, status)
    return worst


def about(name: str, why: GoferryError) -> str:
    """What an error says of something, with its name once."""
    text = str(why)
    return text if text.startswith(f"{name}: ") else f"{name}: {text}"


def named_unread(console: Console, found: "BuildList") -> int:
    """Names the go.mod files that could not be had; the exit status that says so."""
    for version, why in found.unread.items():
        console.warn(about(str(version), why))
    return EXIT_UNPROVEN if found.unread else 0
