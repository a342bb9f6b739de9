"""`goferry dns`: who answers what for a name, whether it is right, and which remedy is worth it here."""

import asyncio
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from goferry.cli.base import Command, json_option, option
from goferry.cli.columns import pad, width
from goferry.cli.console import Console, pass_console
from goferry.cli.progress import Progress, showing
from goferry.cli.worlds import may_ask_public, public_dns_option, world_of
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.doctor.base import World
    from goferry.doctor.dns.compare import Compared
    from goferry.doctor.dns.measure import Measured
    from goferry.doctor.dns.remedies import Advised
    from goferry.doctor.evidence import NameSeen

SUMMARY = N_("Compare what name servers say, and measure remedies.")
EXIT_FAULT: Final = 1


@dataclass(frozen=True, slots=True)
class _Result:
    """Everything that one run has seen. measured is empty and advised None when nothing was measured."""

    compared: "tuple[Compared, ...]"
    measured: "tuple[Measured, ...]"
    advised: "Advised | None"


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Ask everybody about each NAME: the hosts file, go's own resolver, the system's, every configured server and, "
        "if allowed, public ones. Different answers alone are no fault: an address is right when a TLS handshake for "
        "the name verifies on it. Then measure the servers of today, public ones and a local cache side by side, and "
        "say which is worth it here. Exit status: 0 no fault, 1 fault found, 2 usage."
    ),
)
@click.argument("names", metavar="NAME...", nargs=-1, required=True)
@option(
    "--rounds", type=click.IntRange(0, 1000), default=5, help=N_("Rounds to measure; 0 for none. Default: 5.")
)
@option("--port", type=click.IntRange(1, 65535), default=443, help=N_("Port of the handshake. Default: 443."))
@option(
    "--doh",
    metavar="URL",
    multiple=True,
    help=N_("Ask this server over HTTPS too; may be given several times."),
)
@public_dns_option
@json_option
@pass_console
def command(
    console: Console,
    /,
    names: tuple[str, ...],
    rounds: int,
    port: int,
    doh: tuple[str, ...],
    public_dns: bool | None,
    as_json: bool,
) -> int:
    from dataclasses import replace

    from goferry.doctor.hostsfile import host_name

    wanted = tuple(dict.fromkeys(map(host_name, names)))
    world = world_of(console, public_dns=may_ask_public(console, public_dns, quiet=as_json))
    with showing(console, _("asking name servers"), quiet=as_json) as bar:
        result = asyncio.run(_run(replace(world, doh_urls=doh), wanted, port, rounds, bar))
    if as_json:
        console.json(
            {
                "names": [each.to_json() for each in result.compared],
                "remedies": [each.to_json() for each in result.measured],
                "advice": None if result.advised is None else result.advised.to_json(),
            }
        )
    else:
        _show(console, result)
    return EXIT_FAULT if any(each.finding.is_fault for each in result.compared) else 0


async def _run(world: "World", names: Sequence[str], port: int, rounds: int, bar: Progress) -> _Result:
    from goferry.doctor.dns.candidates import name_settings
    from goferry.doctor.dns.compare import compare
    from goferry.doctor.dns.proof import handshakes
    from goferry.doctor.dns.remedies import advise
    from goferry.doctor.probes.names import probe_names
    from goferry.net.trust import Trust

    settings = name_settings(world)
    seen = await probe_names(world, settings, names)
    bar.update(0, rounds, _("shaking hands"))
    pairs = [(each.name, address) for each in seen for address in _all_addresses(each)]
    shakes = await handshakes(pairs, Trust(dict(world.environ)).context, world.limits, port=port)
    compared = tuple(compare(name, seen, shakes) for name in names)
    if not rounds:
        return _Result(compared, (), None)
    measured = await _measure(world, seen, compared, rounds, bar)
    return _Result(compared, measured, advise(compared, measured))


def _all_addresses(seen: "NameSeen") -> Iterable[str]:
    from goferry.net.resolver import is_address

    return filter(is_address, (*seen.addresses, *seen.others))


async def _measure(
    world: "World", seen: "Sequence[NameSeen]", compared: "Sequence[Compared]", rounds: int, bar: Progress
) -> "tuple[Measured, ...]":
    from goferry.doctor.dns.candidates import name_settings
    from goferry.doctor.dns.measure import Remedy, measure, mute_servers
    from goferry.doctor.dns.stub import Stub
    from goferry.doctor.probes.names import servers_in_use

    resolv = name_settings(world).resolv
    servers = servers_in_use(world, resolv)
    mute = mute_servers(seen)
    async with Stub(servers, limit=world.limits.resolve) as stub:
        remedies = [Remedy("current", servers)] if servers else []
        remedies += [Remedy("public", (server,)) for server in world.public_servers if world.public_dns]
        if any(server not in mute for server in servers):  # a cache of nothing needs no measuring
            remedies.append(Remedy("stub", (stub.address,)))
        return await measure(
            remedies,
            [each.name for each in compared],
            resolv,
            {each.name: each.right for each in compared},
            rounds=rounds,
            limit=world.limits.resolve,
            mute={} if resolv.use_tcp else mute,
            told=lambda done, total: bar.update(done, total, _("measuring")),
        )


_RECORDS: Final = {4: "A", 6: "AAAA"}


# ---- for people --------------------------------------------------------------------------------------------


def _show(console: Console, result: _Result) -> None:
    for each in result.compared:
        _show_name(console, each)
    if not result.measured:
        return
    console.out(_("Remedies, measured from here (what go would wait for one name):"))
    rows: list[tuple[str, ...]] = [(_("servers"), "p50", "p95", _("failures"), _("right"))]
    rows += [_measured_row(each) for each in result.measured]
    _table(console, rows)
    if result.advised is not None:
        console.out()
        console.out(_("Advice: {sentence}").format(sentence=result.advised.sentence))
        for context, lines in result.advised.commands.items():
            console.out(f"  {context}:")
            for line in lines:
                console.out(f"    {line}")


def _show_name(console: Console, compared: "Compared") -> None:
    from goferry.doctor.dns.compare import agrees

    local = next((seen.addresses for seen in compared.answers if seen.asker == "go"), ())
    console.out(str(compared.sentence))
    marks = {True: "=", False: "≠", None: " "}
    rows = [
        (
            marks[agrees(seen, compared.right, local)],
            seen.asker,
            " ".join(filter(None, (seen.server, seen.transport, _RECORDS.get(seen.family, "")))),
            _ms(seen.seconds),
            _answer(seen),
        )
        for seen in compared.answers
    ]
    _table(console, rows)
    for each in compared.addresses:
        if each.proven is not None:
            told = _("TLS verified") if each.proven else str(each.said)
            console.out(f"    {each.address}  {told}")
    console.out()


def _answer(seen: "NameSeen") -> str:
    parts = [" ".join(seen.addresses) or seen.rcode]
    if seen.failure and not seen.addresses:
        parts = [f"{seen.rcode or seen.failure} {seen.text}".strip()]
    if seen.others:
        parts.append(_("then another reply: {data}").format(data=" ".join(seen.others)))
    if seen.stranger:
        parts.append(_("and a reply from {address}, which was not asked").format(address=seen.stranger))
    return "; ".join(parts)


def _measured_row(measured: "Measured") -> tuple[str, ...]:
    labels = {"current": _("today"), "public": _("public"), "stub": _("local cache")}
    right = {True: _("yes"), False: _("no"), None: "-"}[measured.right]
    servers = "" if measured.remedy.key == "stub" else " " + " ".join(measured.remedy.servers)
    return (
        labels[measured.remedy.key] + servers,
        _ms(measured.quantile(0.5)),
        _ms(measured.quantile(0.95)),
        f"{measured.failures}/{measured.lookups}",
        right,
    )


def _ms(seconds: float) -> str:
    return "-" if math.isnan(seconds) else _("{ms} ms").format(ms=f"{seconds * 1000:.1f}")


def _table(console: Console, rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(width(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    for row in rows:
        console.out(
            "  " + "  ".join(pad(cell, size) for cell, size in zip(row, widths, strict=True)).rstrip()
        )
