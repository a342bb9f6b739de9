"""`goferry cache`: what is in the store, whether it is still what was proven, and what may go."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import click

from goferry.cli import cachelog
from goferry.cli.base import Command, Group, json_option, option
from goferry.cli.columns import pad, width
from goferry.cli.console import Console, pass_console
from goferry.cli.environment import go_environment
from goferry.cli.flags import settings_flags
from goferry.cli.progress import showing
from goferry.cli.stores import Opened, on_store
from goferry.config import Settings
from goferry.errors import ConfigError, InvalidInput
from goferry.findings import Finding, Fix, Location, Report, Severity, Text
from goferry.gomod import module
from goferry.gomod.module import Version
from goferry.gomod.sumdb.note import Verifier
from goferry.i18n import N_, _, ngettext
from goferry.proxy.upkeep import collecting, contents, pins, scrubbing
from goferry.report import json as report_json
from goferry.report import terminal as report_terminal

SUMMARY = N_("Look into the store, check it, and make room in it.")


@click.group(
    cls=Group,
    short_help=SUMMARY,
    help=N_(
        "Look into the store, check it, and make room in it. All of this is safe while goferry serves from it."
    ),
    subcommand_metavar="COMMAND [ARGS]...",
)
def command() -> None:
    """The group itself does nothing."""


command.add_command(cachelog.command)


def _sub(name: str, summary: str, **attrs: Any) -> Callable[[Any], Any]:
    return command.command(name, cls=Command, short_help=summary, help=summary, **attrs)


# ---- looking ------------------------------------------------------------------------------------------


@_sub("list", N_("List the modules in the store with their versions, sizes and last use."))
@click.argument("patterns", nargs=-1)
@json_option
@settings_flags("cache")
@pass_console
def list_(console: Console, /, patterns: tuple[str, ...], as_json: bool, **given: Any) -> None:
    async def work(found: Opened, _settings: Settings) -> tuple[list[contents.ModuleUse], contents.Usage]:
        rows = await contents.list_modules(found.store, found.index, ",".join(patterns))
        return rows, await contents.usage(found.store)

    rows, usage = on_store(console, given, as_json, work)
    if as_json:
        modules = [{**asdict(row), "used": _time(row.used)} for row in rows]
        console.json({"modules": modules, "store": asdict(usage)})
        return
    _print_table(
        console,
        [(row.path, _versions(row.versions), human_size(row.size), _day(row.used)) for row in rows],
    )
    console.out(
        _(
            "{modules} modules, {versions} versions, {size} in {files} files; {sumdb} of it checksum database"
        ).format(
            modules=usage.modules,
            versions=usage.versions,
            size=human_size(usage.size),
            files=usage.files,
            sumdb=human_size(usage.sumdb_size),
        )
    )
    if usage.quarantined:
        console.out(
            ngettext("{n} file is in quarantine", "{n} files are in quarantine", usage.quarantined).format(
                n=usage.quarantined
            )
        )


@_sub("info", N_("Show where a version came from, when, its sums, and what proved them."))
@click.argument("name", metavar="MODULE@VERSION")
@json_option
@settings_flags("cache")
@pass_console
def info(console: Console, /, name: str, as_json: bool, **given: Any) -> None:
    wanted = parse_version(name)
    found = on_store(
        console, given, as_json, lambda store, _s: contents.info(store.store, store.index, wanted)
    )
    if as_json:
        console.json(_info_json(found))
        return
    console.out(
        f"{found.path}@{found.version}  {human_size(found.size)}" + (_("  pinned") if found.pinned else "")
    )
    for record in found.files:
        console.out(f"  {record.key}  {human_size(record.size)}")
        for label, value in (
            (_("stored"), _time(record.stored)),
            (_("used"), _time(record.used)),
            (_("fetched"), None if record.fetched is None else _time(record.fetched)),
            (_("from"), record.source),
            (_("sum"), record.h1),
            (_("proved by"), record.verified_by),
        ):
            if value:
                console.out("    " + _("{label}: {value}").format(label=label, value=value))
    for line in found.sums:
        console.out(f"  go.sum: {line}")


def _info_json(found: contents.VersionInfo) -> dict[str, Any]:
    files = [
        {
            **asdict(record),
            "stored": _time(record.stored),
            "used": _time(record.used),
            "fetched": None if record.fetched is None else _time(record.fetched),
        }
        for record in found.files
    ]
    return {**asdict(found), "used": _time(found.used), "files": files, "sums": list(found.sums)}


# ---- checking -----------------------------------------------------------------------------------------


@_sub("verify", N_("Read and hash every file; set aside what is not what was proven. Exit status 1 if any."))
@option("--keep", is_flag=True, help=N_("Report damaged files, but leave them where they are."))
@json_option
@settings_flags("cache")
@pass_console
def verify(console: Console, /, keep: bool, as_json: bool, **given: Any) -> int:
    async def work(found: Opened, settings: Settings) -> scrubbing.Scrub:
        keys = _verifiers(console, settings)
        total = (await contents.usage(found.store)).files
        with showing(console, _("checking"), quiet=as_json) as bar:
            return await scrubbing.verify(
                found.store,
                found.index,
                keys=keys,
                progress=lambda files, _size: bar.update(files, max(total, files)),
                quarantine=not keep,
            )

    scrub = on_store(console, given, as_json, work)
    report = scrub_report(scrub)
    if as_json:
        console.stdout.write(report_json.render(report))
    else:
        console.stdout.write(report_terminal.render(report, colour=console.colour))
    return 0 if scrub.clean else 1


def _verifiers(console: Console, settings: Settings) -> dict[str, Verifier]:
    """The keys of the databases that goferry would ask here."""
    sumdb = settings.sumdb or go_environment(console.environ).value("GOSUMDB")[0]
    try:
        return scrubbing.verifiers(sumdb)
    except InvalidInput as error:
        raise ConfigError("setting {name}: {value!r}: {why}", name="sumdb", value=sumdb, why=error) from error


def scrub_report(scrub: scrubbing.Scrub) -> Report:
    """A scrub as a report: one finding for each damaged file, and one for all that could not be proven."""
    title = Text(
        N_(
            "{files} files read: {proven} match the checksum database, {hashed} their kept hash, {formal} their form"
        ),
        files=scrub.files,
        proven=scrub.proven,
        hashed=scrub.hashed,
        formal=scrub.formal,
    )
    findings = tuple(
        Finding(
            "store-damaged",
            Severity.ERROR,
            Text(N_("not what was proven: {reason}"), reason=damage.reason),
            Location(damage.key),
            _damage_fix(damage),
        )
        for damage in scrub.damaged
    )
    if scrub.unproven:
        findings += (_unproven(scrub.unproven),)
    facts = {
        "files": scrub.files,
        "bytes": scrub.size,
        "damaged": len(scrub.damaged),
        "unproven": scrub.unproven,
    }
    return Report("cache verify", title, findings, facts)


def _unproven(count: int) -> Finding:
    return Finding(
        "sumdb-unproven",
        Severity.INFO,
        Text(
            N_(
                "{count} files of checksum databases could not be proven: a key, a tree head or tiles are missing"
            ),
            count=count,
        ),
        None,
        Fix(
            Text(
                N_(
                    "set `sumdb` to NAME+KEY of a database of your own; tiles are fetched when they are asked for"
                )
            )
        ),
    )


def _damage_fix(damage: scrubbing.Damage) -> Fix:
    if damage.quarantined:
        return Fix(
            Text(N_("moved to {place}; it is fetched anew when it is asked for"), place=damage.quarantined)
        )
    return Fix(
        Text(N_("left in place; run it without --keep on a store that can be written")),
        "goferry cache verify",
    )


# ---- making room --------------------------------------------------------------------------------------


@_sub(
    "gc", N_("Remove the least recently used versions, down to --max-size and --max-age. Pinned ones stay.")
)
@option("--dry-run", is_flag=True, help=N_("Only say what would go."))
@json_option
@settings_flags("cache", "gc")
@pass_console
def gc(console: Console, /, dry_run: bool, as_json: bool, **given: Any) -> None:
    async def work(found: Opened, settings: Settings) -> collecting.Collection:
        if settings.max_size is None and settings.max_age is None:
            raise InvalidInput(
                "nothing says what may go",
                hint=N_("give --max-size, --max-age or both, or set them for good"),
            )
        return await collecting.gc(
            found.store, found.index, max_size=settings.max_size, max_age=settings.max_age, dry_run=dry_run
        )

    result = on_store(console, given, as_json, work)
    if as_json:
        console.json({**asdict(result), "removed": [_removed_json(row) for row in result.removed]})
        return
    _print_removed(console, result.removed)
    text = (
        _("would remove {n} versions ({size}), keep {kept} ({kept_size})")
        if dry_run
        else _("removed {n} versions ({size}), kept {kept} ({kept_size})")
    )
    console.out(
        text.format(
            n=len(result.removed),
            size=human_size(result.removed_size),
            kept=result.kept_versions,
            kept_size=human_size(result.kept_size),
        )
    )


@_sub("rm", N_("Remove a version, or a whole module with its list."))
@click.argument("modules", metavar="MODULE[@VERSION]...", nargs=-1, required=True)
@json_option
@settings_flags("cache")
@pass_console
def rm(console: Console, /, modules: tuple[str, ...], as_json: bool, **given: Any) -> None:
    wanted = [parse_version(text, whole=True) for text in modules]

    async def work(found: Opened, _settings: Settings) -> list[collecting.Removed]:
        return [row for item in wanted for row in await collecting.rm(found.store, found.index, item)]

    rows = on_store(console, given, as_json, work)
    if as_json:
        console.json({"removed": [_removed_json(row) for row in rows]})
    else:
        _print_removed(console, rows)


@_sub("pin", N_("Protect versions or whole modules from gc; without arguments, list what is pinned."))
@click.argument("modules", metavar="[MODULE[@VERSION]]...", nargs=-1)
@json_option
@settings_flags("cache")
@pass_console
def pin(console: Console, /, modules: tuple[str, ...], as_json: bool, **given: Any) -> None:
    wanted = [parse_version(text, whole=True) for text in modules]

    async def work(found: Opened, _settings: Settings) -> frozenset[Version]:
        return await (pins.pin(found.store, wanted) if wanted else pins.pins(found.store))

    _print_pins(console, on_store(console, given, as_json, work), as_json)


@_sub("unpin", N_("Take the protection from versions or whole modules."))
@click.argument("modules", metavar="MODULE[@VERSION]...", nargs=-1, required=True)
@json_option
@settings_flags("cache")
@pass_console
def unpin(console: Console, /, modules: tuple[str, ...], as_json: bool, **given: Any) -> None:
    wanted = [parse_version(text, whole=True) for text in modules]
    _print_pins(
        console,
        on_store(console, given, as_json, lambda found, _s: pins.unpin(found.store, wanted)),
        as_json,
    )


# ---- words --------------------------------------------------------------------------------------------


def parse_version(text: str, *, whole: bool = False) -> Version:
    """MODULE@VERSION; with `whole` also MODULE alone, for all of its versions. InvalidInput for anything else."""
    path, at, version = text.partition("@")
    if not version and (at or not whole):
        raise InvalidInput("{text}: MODULE@VERSION is wanted, such as golang.org/x/mod@v0.30.0", text=text)
    if version:
        module.check(path, version)
    else:
        module.check_path(path)
    return Version(path, version)


def human_size(size: int) -> str:
    """A size for people: three digits, powers of 1000."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def _versions(versions: Sequence[str]) -> str:
    return versions[-1] if len(versions) == 1 else f"{versions[-1]} (+{len(versions) - 1})"


def _time(seconds: float) -> str:
    """RFC 3339, in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(seconds: float) -> str:
    return _time(seconds)[:10]


def _removed_json(row: collecting.Removed) -> dict[str, Any]:
    return {**asdict(row), "used": _time(row.used)}


def _print_removed(console: Console, rows: Sequence[collecting.Removed]) -> None:
    _print_table(
        console,
        [(f"{row.path}@{row.version}", human_size(row.size), _day(row.used), row.why) for row in rows],
    )


def _print_pins(console: Console, pins: frozenset[Version], as_json: bool) -> None:
    names = [str(version) if version.version else version.path for version in module.sort(pins)]
    if as_json:
        console.json({"pins": names})
    else:
        for name in names:
            console.out(name)


def _print_table(console: Console, rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        console.out("  ".join(map(pad, row, widths)).rstrip())
