"""`goferry route`: how go would get one module here, step by step, without asking anybody."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from goferry.cli.base import Command, json_option
from goferry.cli.console import Console, pass_console
from goferry.cli.worlds import world_of
from goferry.errors import InvalidInput
from goferry.i18n import N_, _

if TYPE_CHECKING:
    from goferry.doctor.route import Hop, Route, Step, Trap

SUMMARY = N_("Show which way go takes for a module, and why.")

_RESULTS = {
    "mirror": N_("from a mirror"),
    "direct": N_("from its origin"),
    "off": N_("not at all: downloads are forbidden"),
    "error": N_("not at all: go would stop"),
}
_KINDS = {
    "mirror": N_("mirror"),
    "file": N_("mirror in a folder"),
    "import": N_("import host"),
    "code": N_("code host"),
    "off": N_("end of the list: off"),
}
_MOVES = {
    "not_found": N_("on to the next after 404 or 410 alone"),
    "any_error": N_("on to the next after any error"),
}
_ORIGINS = {
    "environment": N_("environment"),
    "default": N_("default"),
    "inherited": N_("inherited from {place}"),
}
_SOURCES = {
    "url": N_("in the URL"),
    "netrc": N_("netrc entry"),
    "goauth_git": N_("git credential helpers, through GOAUTH"),
    "goauth_command": N_("a program, through GOAUTH"),
    "git_helper": N_("credential helper of git"),
    "git_header": N_("header in git's configuration"),
    "ssh": N_("ssh keys or agent"),
}


@click.command(
    cls=Command,
    short_help=SUMMARY,
    help=N_(
        "Show how go would get a module in this environment, decision by decision, and what in the settings does "
        "not do what it seems to do. Nothing is asked of the network."
    ),
)
@click.argument("module", metavar="MODULE[@VERSION]")
@json_option
@pass_console
def command(console: Console, module: str, as_json: bool) -> None:
    from goferry.doctor.route import trace
    from goferry.doctor.settings import parse_subject, read_settings

    subject = parse_subject(module)
    if not subject.module and subject.host and not subject.url:
        subject = parse_subject(f"{module}@")  # a bare name can only be a module here
    if not subject.module:
        raise InvalidInput("{text!r} is not a module path", text=subject.text)
    seen, context, _skipped = read_settings(world_of(console))
    route = trace(seen, context, subject)
    if as_json:
        console.json(route.to_json())
        return
    for line in _lines(route):
        console.out(line)


def _lines(route: "Route") -> Iterator[str]:
    name = f"{route.module}@{route.version}" if route.version else route.module
    yield _("{module}: {result}").format(module=name, result=_(_RESULTS[route.result]))
    yield ""
    yield _("Decisions")
    for step in route.steps:
        yield from _step_lines(step)
    if route.hops:
        yield ""
        yield _("Way")
        for number, hop in enumerate(route.hops, 1):
            yield from _hop_lines(number, hop)
    yield ""
    if not route.traps:
        yield _("Nothing here is other than it seems.")
        return
    yield _("Other than it seems")
    for trap in route.traps:
        yield from _trap_lines(trap)


def _step_lines(step: "Step") -> Iterator[str]:
    if step.variable:
        origin = _(_ORIGINS.get(step.origin, "{place}")).format(place=step.place)
        value = step.value or _("(empty)")
        yield f"  {step.variable}={value}  ({origin})"
    if step.rule:
        yield "    " + _("rule: {rule}").format(rule=step.rule)
    yield f"    → {step.text}"


def _hop_lines(number: int, hop: "Hop") -> Iterator[str]:
    yield f"  {number}. {_(_KINDS[hop.kind])}  {hop.url if hop.kind != 'off' else ''}".rstrip()
    if hop.host:
        yield "     " + _forward(hop)
        if not hop.forward_proxy:
            yield "     " + _addresses(hop)
        yield "     " + _trust(hop)
        yield from ("     " + line for line in _credentials(hop))
    if hop.moves_on in _MOVES:
        yield "     " + _(_MOVES[hop.moves_on])


def _forward(hop: "Hop") -> str:
    if hop.scheme not in ("http", "https"):
        return _("direct connection to port {port}").format(port=hop.port)
    if hop.forward_proxy:
        return _("through {proxy} ({rule})").format(proxy=hop.forward_proxy, rule=hop.forward_rule)
    if hop.forward_rule:
        return _("direct connection ({rule})").format(rule=hop.forward_rule)
    return _("direct connection")


def _addresses(hop: "Hop") -> str:
    families = ", ".join(f"IPv{family}" for family in hop.families)
    if hop.addresses and not hop.sources:
        return _("address: {address}").format(address=", ".join(hop.addresses))
    if hop.addresses:
        return _("address: {address} (hosts file); {families}").format(
            address=", ".join(hop.addresses), families=families
        )
    return _("addresses: {sources}; {families}").format(sources=" → ".join(hop.sources), families=families)


def _trust(hop: "Hop") -> str:
    if hop.scheme != "https":
        return _("no certificate is checked")
    if not hop.verified:
        return _("the certificate is not checked")
    return _("trusted roots: {files}").format(files=", ".join(hop.roots) or _("(none)"))


def _credentials(hop: "Hop") -> Iterator[str]:
    if not hop.credentials:
        yield _("credentials: none")
    for item in hop.credentials:
        source = f"{_(_SOURCES[item.source])} ({item.place})"
        yield (_("credentials: {source}") if item.used else _("credentials: {source}, not used")).format(
            source=source
        )


def _trap_lines(trap: "Trap") -> Iterator[str]:
    yield f"  ! {trap.where}: {trap.text} [{trap.code}]"
    for line in trap.commands:
        yield f"      {line}"
