"""`goferry hosts`: pin the right address of a name in the hosts file, and take it out again."""

import asyncio
import datetime
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from goferry.cli.base import Command, Group, json_option, option
from goferry.cli.columns import pad, width
from goferry.cli.console import Console, pass_console
from goferry.cli.progress import showing
from goferry.cli.worlds import may_ask_public, public_dns_option, world_of
from goferry.errors import GoferryError, InvalidInput
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.doctor.dns.proof import Handshake
    from goferry.doctor.hostsedit import HostsFile
    from goferry.doctor.hostsfile import Block
    from goferry.findings import Text

SUMMARY = N_("Pin addresses in the hosts file, each proven by TLS, and take them out again.")
EXIT_NOT_ALL: Final = 1
DAYS: Final = 7
MOST_DAYS: Final = 90
MOST_ADDRESSES: Final = 4


@click.group(
    cls=Group,
    short_help=SUMMARY,
    help=N_(
        "Pin addresses in the hosts file when the network lies about a name. An address is written only after a TLS "
        "handshake for the name verified on it; nothing but goferry's own marked lines is ever changed."
    ),
    subcommand_metavar="COMMAND [ARGS]...",
)
def command() -> None:
    """The group itself does nothing."""


def _sub(name: str, summary: str) -> Callable[[Any], Any]:
    return command.command(name, cls=Command, short_help=summary, help=summary)


_file_option = option(
    "--file", "place", metavar="PATH", default="", help=N_("Hosts file. Default: the system's own.")
)
_dry_option = option("--dry-run", is_flag=True, help=N_("Show what would change, and change nothing."))
_flush_option = option("--flush", is_flag=True, help=N_("Empty this system's caches of names afterwards."))


# ---- pin ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pinned:
    """What came of one name: the handshakes, fastest first, and the addresses that will be written."""

    name: str
    tried: "tuple[Handshake, ...]"

    @property
    def addresses(self) -> tuple[str, ...]:
        return tuple(each.address for each in self.tried if each.proves)[:MOST_ADDRESSES]


@_sub("pin", N_("Write the address of each NAME after a TLS handshake has verified it."))
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@option(
    "--address",
    "addresses",
    metavar="IP",
    multiple=True,
    help=N_("Try this address instead of asking name servers; may be given several times."),
)
@option(
    "--days",
    type=click.IntRange(1, MOST_DAYS),
    default=DAYS,
    help=N_("Days until the pin counts as expired. Default: 7."),
)
@option("--port", type=click.IntRange(1, 65535), default=443, help=N_("Port of the handshake. Default: 443."))
@_file_option
@_dry_option
@_flush_option
@public_dns_option
@json_option
@pass_console
def pin(
    console: Console,
    /,
    names: tuple[str, ...],
    addresses: tuple[str, ...],
    days: int,
    port: int,
    place: str,
    dry_run: bool,
    flush: bool,
    public_dns: bool | None,
    as_json: bool,
) -> int:
    from goferry.doctor import hostsfile

    wanted = tuple(dict.fromkeys(map(hostsfile.host_name, names)))
    given = tuple(dict.fromkeys(map(hostsfile.plain_address, addresses)))
    file = _hosts_file(console, place)
    hostsfile.parse(file.read())  # what cannot be edited is refused before anybody is asked
    public = not given and may_ask_public(console, public_dns, quiet=as_json)
    with showing(console, _("asking name servers and shaking hands"), quiet=as_json):
        pinned = asyncio.run(_prove(console, wanted, given, port, public=public))
    expires = _today() + datetime.timedelta(days=days)
    options = _given(address=addresses, days=[days] * (days != DAYS), port=[port] * (port != 443))
    with nullcontext() if dry_run else file.locked():
        before = after = file.read()  # others may have edited it while name servers and hosts were asked
        for one in pinned:
            if one.addresses:
                after = hostsfile.pin(after, one.name, one.addresses, expires)
        change = _Change(file, before, after, place, dry_run=dry_run, flush=flush)
        backup = change.apply(_again("pin", [*names, *options], place))
    warnings = _warnings(file, after, pinned)
    if as_json:
        told = {
            "backup": "" if backup is None else str(backup),
            "warnings": [each.to_json() for each in warnings],
        }
        console.json({**change.to_json(console), **_pinned_json(pinned, expires), **told})
    else:
        _show_proofs(console, pinned, expires, dry_run=dry_run)
        change.show(console, backup)
        for warning in warnings:
            console.warn(str(warning))
    return 0 if all(one.addresses for one in pinned) else EXIT_NOT_ALL


def _pinned_json(pinned: Sequence[_Pinned], expires: datetime.date) -> dict[str, Any]:
    return {
        "pinned": [
            {"name": one.name, "addresses": list(one.addresses), "expires": expires.isoformat()}
            for one in pinned
            if one.addresses
        ],
        "refused": [
            {
                "name": one.name,
                "address": each.address,
                "failure": str(each.failure),
                "said": each.said and each.said.to_json(),
            }
            for one in pinned
            for each in one.tried
            if not each.proves
        ],
        "unproven": [one.name for one in pinned if not one.addresses],
    }


def _warnings(file: "HostsFile", data: bytes, pinned: Sequence[_Pinned]) -> "list[Text]":
    """Other lines for the same names, and that a pinned address does not stay right for ever."""
    from goferry.doctor import hostsfile
    from goferry.findings import Text

    written = [one.name for one in pinned if one.addresses]
    rivals = [
        Text(_RIVAL, path=str(file.path), line=line, name=name, address=address)
        for name in written
        for line, address in hostsfile.others(data, name)
    ]
    return [*rivals, Text(_ROTS)] if written else []


_RIVAL: Final = N_("{path}:{line} gives {name} the address {address} too, and both count; take that line out")
_ROTS: Final = N_(
    "a pinned address rots: the host may move without notice, and then only this line is wrong; take it out when the "
    "network is mended: goferry hosts restore"
)


async def _prove(
    console: Console, names: Sequence[str], given: Sequence[str], port: int, *, public: bool
) -> tuple[_Pinned, ...]:
    from goferry.doctor.dns.candidates import candidates
    from goferry.doctor.dns.proof import handshakes
    from goferry.net.trust import Trust

    world = world_of(console, public_dns=public)
    found = {name: tuple(given) for name in names} if given else await candidates(world, names)
    pairs = [(name, address) for name in names for address in found[name]]
    tried = await handshakes(pairs, Trust(dict(console.environ)).context, world.limits, port=port)
    return tuple(
        _Pinned(
            name,
            tuple(sorted((each for each in tried if each.name == name), key=lambda each: each.seconds)),
        )
        for name in names
    )


def _show_proofs(
    console: Console, pinned: Sequence[_Pinned], expires: datetime.date, *, dry_run: bool
) -> None:
    for one in pinned:
        if not one.tried:
            console.warn(
                _("{name}: nobody who may be asked knows an address; give one with --address").format(
                    name=one.name
                )
            )
        for each in one.tried:
            key = _told(each, wanted=each.address in one.addresses, dry_run=dry_run)
            told = _(key).format(ms=round(each.seconds * 1000), date=expires, why=each.said)
            console.out(f"{one.name}  {each.address}  {told}")


def _told(tried: "Handshake", *, wanted: bool, dry_run: bool) -> str:
    if not tried.proves:
        return N_("not verified, not written: {why}")
    if not wanted:
        return N_("verified in {ms} ms, not needed")
    if dry_run:
        return N_("verified in {ms} ms, would be pinned until {date}")
    return N_("verified in {ms} ms, pinned until {date}")


# ---- list, remove, restore ---------------------------------------------------------------------------------


@_sub("list", N_("Show what is pinned, and until when."))
@_file_option
@json_option
@pass_console
def list_(console: Console, /, place: str, as_json: bool) -> None:
    from goferry.doctor import hostsfile

    file = _hosts_file(console, place)
    parsed = hostsfile.parse(file.read())
    today = _today()
    if as_json:
        console.json(
            {
                "file": str(file.path),
                "pins": [_block_json(block, today) for block in parsed.blocks],
                "broken": [{"line": stray.line, "text": stray.text} for stray in parsed.strays],
            }
        )
        return
    if not parsed.blocks:
        console.out(_("{path}: nothing is pinned").format(path=file.path))
    rows = [(block.name, " ".join(block.addresses), _state(block, today)) for block in parsed.blocks]
    widths = [max((width(row[column]) for row in rows), default=0) for column in range(2)]
    for name, addresses, state in rows:
        console.out(f"{pad(name, widths[0])}  {pad(addresses, widths[1])}  {state}")
    for stray in parsed.strays:
        console.warn(
            _(
                "{path}:{line} looks like goferry's, but the block is not whole and stays as it is: {text}"
            ).format(path=file.path, line=stray.line, text=stray.text)
        )


def _state(block: "Block", today: datetime.date) -> str:
    if block.is_expired(today):
        return _("expired on {date}").format(date=block.expires)
    return _("until {date}").format(date=block.expires)


def _block_json(block: "Block", today: datetime.date) -> dict[str, Any]:
    return {
        "name": block.name,
        "addresses": list(block.addresses),
        "expires": block.expires.isoformat(),
        "expired": block.is_expired(today),
        "line": block.line,
    }


@_sub("remove", N_("Take pinned names out again."))
@click.argument("names", metavar="[NAME]...", nargs=-1)
@option("--expired", is_flag=True, help=N_("Take out every name whose last day has passed."))
@option("--all", "everything", is_flag=True, help=N_("Take out every name."))
@_file_option
@_dry_option
@_flush_option
@json_option
@pass_console
def remove(
    console: Console,
    /,
    names: tuple[str, ...],
    expired: bool,
    everything: bool,
    place: str,
    dry_run: bool,
    flush: bool,
    as_json: bool,
) -> int:
    from goferry.doctor import hostsfile

    if not (names or expired or everything):
        raise InvalidInput("say which names, or --expired, or --all")
    wanted = set(map(hostsfile.host_name, names))
    file = _hosts_file(console, place)
    today = _today()
    flags = _given(expired=[True] * expired, all=[True] * everything)
    with nullcontext() if dry_run else file.locked():
        before = file.read()
        gone = sorted(
            {
                block.name
                for block in hostsfile.parse(before).blocks
                if block.name in wanted or everything or (expired and block.is_expired(today))
            }
        )
        # Of a name with several blocks, those that have not expired go too: the pin is one thing to its user.
        after = hostsfile.remove(before, gone)
        change = _Change(file, before, after, place, dry_run=dry_run, flush=flush)
        change.apply(_again("remove", [*names, *flags], place))
        if not dry_run and not hostsfile.parse(after).blocks:
            file.forget()
    missing = sorted(wanted - set(gone))
    if as_json:
        console.json({**change.to_json(console), "removed": gone, "missing": missing})
    else:
        for name in gone:
            console.out(_("{name}: removed").format(name=name))
        for name in missing:
            console.warn(_("{name} is not pinned in {path}").format(name=name, path=file.path))
        change.show(console, None)
    return EXIT_NOT_ALL if missing else 0


@_sub("restore", N_("Put the hosts file back as it was before the first pin."))
@option("--force", is_flag=True, help=N_("Put the backup back even if others have changed the file since."))
@_file_option
@_dry_option
@_flush_option
@json_option
@pass_console
def restore(console: Console, /, force: bool, place: str, dry_run: bool, flush: bool, as_json: bool) -> None:
    from goferry.doctor import hostsedit

    file = _hosts_file(console, place)
    with nullcontext() if dry_run else file.locked():
        before = file.read()
        found = hostsedit.restored(file, before, force=force)
        change = _Change(file, before, found.data, place, dry_run=dry_run, flush=flush)
        change.apply(_again("restore", _given(force=[True] * force), place))
        if not dry_run and (found.from_backup or not found.changed):
            file.forget()
    if as_json:
        console.json(
            {**change.to_json(console), "from_backup": found.from_backup, "edited_since": found.changed}
        )
        return
    if found.changed and not found.from_backup:
        console.warn(
            _(
                "{path} was changed by others since the first pin: only goferry's lines are taken out; "
                "--force puts the whole backup back"
            ).format(path=file.path)
        )
    change.show(console, None)


# ---- what all of them do to the file -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Change:
    """A hosts file before and after, and what is to be done about it."""

    file: "HostsFile"
    before: bytes
    after: bytes
    place: str
    """The file as it was named on the command line; "" for the system's own."""
    dry_run: bool
    flush: bool

    @property
    def differs(self) -> bool:
        return self.before != self.after

    def apply(self, again: str) -> Path | None:
        """Writes the file unless nothing changes or nothing may; returns the backup's place."""
        if self.dry_run or not self.differs:
            return None
        known = self.file.backup()
        backup = self.file.keep(self.before)
        try:
            self.file.write(self.before, self.after, retry=again)
        except GoferryError:
            if known is None:
                self.file.forget()
            raise
        return backup

    def to_json(self, console: Console) -> dict[str, Any]:
        commands, ran = self._flushed(console)
        return {
            "file": str(self.file.path),
            "changed": self.differs and not self.dry_run,
            "diff": self.file.diff(self.before, self.after),
            "flush": [list(command) for command in commands],
            "flushed": ran,
        }

    def show(self, console: Console, backup: Path | None) -> None:
        if self.dry_run:
            console.stdout.write(self.file.diff(self.before, self.after))
            return
        if not self.differs:
            return
        console.out(_("{path} is written").format(path=self.file.path))
        if backup is not None:
            console.out(
                _("the file from before is kept in {backup}; it comes back with: {command}").format(
                    backup=backup, command=_again("restore", [], self.place, sudo=False)
                )
            )
        commands, ran = self._flushed(console)
        for argv in commands:
            line = shlex.join(argv)
            console.out(
                _("emptied: {command}").format(command=line)
                if ran
                else _("then: {command}").format(command=line)
            )

    def _flushed(self, console: Console) -> tuple[tuple[tuple[str, ...], ...], bool]:
        """The commands that empty this system's caches, and whether they were run and went well."""
        from goferry.doctor import flush

        is_root = not hasattr(os, "geteuid") or os.geteuid() == 0
        path = console.environ.get("PATH", "")
        found = flush.caches(sys.platform, lambda program: shutil.which(program, path=path), Path("/"))
        commands = flush.commands(found, is_root=is_root)
        if not self.flush or self.dry_run or not self.differs:
            return commands, False
        ran = [_runs(console, command) for command in commands]
        return commands, all(ran)


def _runs(console: Console, command: Sequence[str]) -> bool:
    try:
        done = subprocess.run(
            command, capture_output=True, check=False, timeout=20, env=dict(console.environ)
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        console.warn(_("{command} failed: {why}").format(command=shlex.join(command), why=error))
        return False
    if done.returncode:
        why = done.stderr.decode("utf-8", "replace").strip() or done.returncode
        console.warn(_("{command} failed: {why}").format(command=shlex.join(command), why=why))
    return done.returncode == 0


def _hosts_file(console: Console, place: str) -> "HostsFile":
    from goferry.doctor.hostsedit import HostsFile, default_place, state_folder

    path = console.cwd / place if place else default_place(console.environ, sys.platform)
    return HostsFile(path, state_folder(console.environ, world_of(console).home, sys.platform))


def _given(**options: Sequence[object]) -> list[str]:
    """Options as they are typed; True stands for a flag."""
    return [
        word
        for name, values in options.items()
        for value in values
        for word in ([f"--{name}"] if value is True else [f"--{name}", str(value)])
    ]


def _again(verb: str, words: Sequence[str], place: str, *, sudo: bool = True) -> str:
    """The command line to repeat with the rights that it lacked."""
    line = shlex.join(["goferry", "hosts", verb, *words, *(["--file", place] if place else [])])
    if not sudo:
        return line
    if sys.platform == "win32":
        return _("run it again in a terminal opened as administrator: {command}").format(command=line)
    return _("run it again as root: {command}").format(command=f"sudo {line}")


def _today() -> datetime.date:
    return datetime.date.today()
