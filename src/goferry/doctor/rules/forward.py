"""Forward proxies: R13 to R19. Who answered, what, and whether the target can be had in another way.

Each tunnel that go needs has at most one fault; `_fault` finds it, and the rules are its names.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from goferry.doctor.addresses import kind_of
from goferry.doctor.evidence import Evidence, Role, Setting, Target, TunnelSeen
from goferry.doctor.explain.targets import host_tags
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Check, Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import failed
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure
from goferry.net.httpproxy import ProxyConfig, ip_of

_CANNOT: Final = (500, 502, 503, 504)
_LATE: Final = 5.0
"""Seconds until a tunnel stands, from which on it is late."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with one tunnel, and whether the evidence admits nothing else."""

    cause: str
    tunnel: TunnelSeen
    target: Target
    sole: bool = False


def _through(evidence: Evidence) -> Iterator[tuple[Target, TunnelSeen]]:
    """The tunnels that the needed targets go through."""
    for target in scene.needed(evidence):
        proxy = scene.via(evidence, target)
        for tunnel in evidence.tunnels:
            if proxy and (tunnel.proxy, tunnel.target) == (proxy, scene.authority(target)):
                yield target, tunnel


def _faults(evidence: Evidence) -> Iterator[_Fault]:
    for target, tunnel in _through(evidence):
        fault = _fault(evidence, target, tunnel)
        if fault is not None:
            yield fault


def _fault(evidence: Evidence, target: Target, tunnel: TunnelSeen) -> _Fault | None:
    """The first row that fits."""
    if 200 <= tunnel.status < 300 and not tunnel.failure:
        is_late = tunnel.seconds > _LATE and scene.is_slow(evidence)
        return _Fault("forward_proxy_overloaded", tunnel, target) if is_late else None
    if not tunnel.failure and tunnel.step == "request" and tunnel.status not in (407, 403, *_CANNOT):
        return None  # plain http: the status is the target's own
    if tunnel.speaks:
        return _Fault("forward_proxy_wrong_scheme", tunnel, target, sole=True)
    if tunnel.status == 407 or tunnel.failure == Failure.PROXY_AUTH_REQUIRED:
        return _Fault("forward_proxy_auth_required", tunnel, target, sole=True)
    if tunnel.status and is_inside(evidence, target) and _reached_directly(evidence, target):
        return _Fault("no_proxy_missing", tunnel, target)
    if tunnel.status in _CANNOT or tunnel.failure == Failure.PROXY_TIMEOUT:
        return _Fault("forward_proxy_overloaded", tunnel, target)
    if tunnel.status >= 400:
        return _Fault("forward_proxy_denied", tunnel, target, sole=True)
    if tunnel.step == "dial" and _is_loopback(tunnel.proxy) and _is_elsewhere(evidence):
        return _Fault("forward_proxy_loopback_in_container", tunnel, target)
    return _Fault("forward_proxy_broken", tunnel, target, sole=tunnel.step == "dial")


_TRAPS: Final = (
    (re.compile(r"[\"'“”‘’`]"), N_("{name} has quotation marks in its value; go takes {proxy} for the proxy")),
    (re.compile(r"://[^/?#@]*:[^@]*[/?#\\][^@]*@|://[^/?#@]*\\"),
     N_("{name} has a user or password with / ? # or \\, which end it; go takes {proxy} for the proxy")),
    (re.compile(r"^[a-z0-9]+(?::/?(?=[^/\d])|/|：)", re.IGNORECASE),
     N_("{name} does not begin with http://; go takes {proxy} for the proxy")),
    (re.compile(r":(?!\d+(?:/|$))[^/:@\]]*$"), N_("{name} has no number for a port; go takes {proxy} for the proxy")),
)  # fmt: skip


def misread(evidence: Evidence, proxy: str) -> tuple[Setting, str] | None:
    """The variable that go makes this nonsense of a proxy from, and why (an English key)."""
    for setting in evidence.settings.proxies:
        made = ProxyConfig(https=setting.value).https if setting.name.upper() != "NO_PROXY" else None
        if made is not None and str(made) == proxy and "." not in made.host and made.host != "localhost":
            for trap, why in _TRAPS:
                if trap.search(setting.value):
                    return setting, why
    return None


def _is_loopback(proxy: str) -> bool:
    host = scene.host_of(scene.host_in(proxy))
    address = ip_of(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _is_elsewhere(evidence: Evidence) -> bool:
    """Whether this machine's loopback is not the one that people mean."""
    return bool(evidence.context.container) or evidence.context.is_wsl


def is_inside(evidence: Evidence, target: Target) -> bool:
    """Whether a host belongs to the company: its address says so, or failing that its name."""
    addresses = scene.go_addresses(evidence, target.host) or (target.host,)
    kinds = [kind_of(address) for address in addresses]
    if any(kind.may_be_internal for kind in kinds):
        return True
    return "inside_host" in set(host_tags(target.host)) and not scene.go_addresses(evidence, target.host)


def _reached_directly(evidence: Evidence, target: Target) -> bool:
    """Whether the host is there without a forward proxy: its certificate holds, or it takes connections."""
    shakes = [shake for shake in scene.handshakes(evidence, target) if not shake.via]
    if target.scheme == "https":
        return any(scene.is_verified(shake) for shake in shakes)
    return any(not dial.failure for dial in scene.dials(evidence, target))


def _said(tunnel: TunnelSeen) -> Text | str:
    if tunnel.status:
        return f"{tunnel.status} {tunnel.reason}".strip()
    return failed(tunnel.failure, tunnel.text)


# ---- proofs ------------------------------------------------------------------------------------------------


def _proof(evidence: Evidence, fault: _Fault) -> Proof | None:
    failing = Text(N_("{target} through {proxy}: {said}"), target=fault.tunnel.target, proxy=fault.tunnel.proxy,
                   said=_said(fault.tunnel))  # fmt: skip
    if fault.tunnel.speaks:
        return Proof(
            failing,
            Text(N_("{proxy} answers when it is spoken to as {scheme}"), proxy=fault.tunnel.proxy,
                 scheme=fault.tunnel.speaks),
            Text(N_("the scheme of the proxy's URL")),
        )  # fmt: skip
    if _reached_directly(evidence, fault.target):
        return Proof(
            failing,
            Text(N_("{target} directly: the host proves to be there"), target=fault.tunnel.target),
            Text(N_("the forward proxy")),
        )
    if fault.cause == "forward_proxy_denied":
        return _other_target(evidence, fault, failing)
    return None


def _other_target(evidence: Evidence, fault: _Fault, failing: Text) -> Proof | None:
    other = next(
        (
            tunnel
            for tunnel in evidence.tunnels
            if tunnel.proxy == fault.tunnel.proxy and tunnel.status == 200 and not tunnel.failure
        ),
        None,
    )
    if other is None:
        return None
    return Proof(
        failing,
        Text(
            N_("{target} through {proxy}: {said}"), target=other.target, proxy=other.proxy, said=_said(other)
        ),
        Text(N_("the target")),
    )


# ---- the rules of one tunnel -------------------------------------------------------------------------------

_DETAILS: Final = {
    "forward_proxy_broken": N_("{proxy} opens no tunnel: {said}"),
    "forward_proxy_loopback_in_container": N_("{proxy} is this container itself, and nobody listens there: {said}"),
    "forward_proxy_auth_required": N_("{proxy} wants credentials ({wants}): {said}"),
    "forward_proxy_denied": N_("{proxy} does not let {target} through: {said}"),
    "forward_proxy_overloaded": N_("{proxy} cannot get to {target}: {said}"),
    "forward_proxy_wrong_scheme": N_("{proxy} really speaks {speaks}"),
    "no_proxy_missing": N_("{target} is inside, and {proxy} cannot get to it: {said}"),
}  # fmt: skip


def _rule_of(code: str, cause: str) -> Check:
    """The check for one of the faults: the worst of its kind once for each proxy (or target, where that counts)."""

    def check(evidence: Evidence) -> Iterable[Judgement]:
        for fault in _faults(evidence):
            if fault.cause == cause:
                yield _judgement(evidence, code, fault)

    return check


def _judgement(evidence: Evidence, code: str, fault: _Fault) -> Judgement:
    tunnel = fault.tunnel
    where = tunnel.target if fault.cause == "no_proxy_missing" else scene.host_in(tunnel.proxy)
    detail = Text(_DETAILS[fault.cause], proxy=tunnel.proxy, target=tunnel.target, said=_said(tunnel),
                  wants=", ".join(tunnel.wants) or "?", speaks=tunnel.speaks)  # fmt: skip
    proof = _proof(evidence, fault)
    nonsense = misread(evidence, tunnel.proxy) if fault.cause == "forward_proxy_broken" else None
    if nonsense is not None:
        setting, why = nonsense
        where, detail = setting.name, Text(why, name=setting.name, proxy=tunnel.proxy)
    return judged(evidence, code, fault.cause, where, "proxy_connect", detail, proof=proof, sole=fault.sole)


def _tunnel_rule(code: str, title: str, cause: str, *, also_slow: bool = False) -> Rule:
    check = _rule_of(code, cause)
    return Rule(code, title, (cause,), check if also_slow else when_broken(check))


def _when_broken_or_slow(check: Check) -> Check:
    def guarded(evidence: Evidence) -> Iterable[Judgement]:
        return check(evidence) if scene.is_broken(evidence) or scene.is_slow(evidence) else ()

    return guarded


BROKEN = _tunnel_rule("R13", N_("The forward proxy carries no tunnel"), "forward_proxy_broken")
LOOPBACK = _tunnel_rule(
    "R14", N_("The proxy variable names a container's own loopback"), "forward_proxy_loopback_in_container"
)
AUTH = _tunnel_rule("R15", N_("The forward proxy wants credentials"), "forward_proxy_auth_required")
DENIED = _tunnel_rule("R16", N_("The forward proxy refuses the target"), "forward_proxy_denied")
OVERLOADED = Rule(
    "R17",
    N_("The forward proxy does not get to the target, or gets there late"),
    ("forward_proxy_overloaded",),
    _when_broken_or_slow(_rule_of("R17", "forward_proxy_overloaded")),
)
WRONG_SCHEME = _tunnel_rule(
    "R18", N_("The scheme of the proxy's URL is not what it speaks"), "forward_proxy_wrong_scheme"
)


# ---- R19: exceptions ---------------------------------------------------------------------------------------


def _black_hole(evidence: Evidence) -> Iterable[Judgement]:
    """NO_PROXY sends a host direct, which is closed; a tunnel to it would stand."""
    for target in scene.needed(evidence):
        decision = scene.proxying(evidence, target)
        if decision is None or decision.proxy or target.role is Role.FORWARD_PROXY:
            continue
        if decision.rule in ("", "loopback", "REQUEST_METHOD") or not _is_closed(evidence, target):
            continue
        open_way = next(
            (
                tunnel
                for tunnel in evidence.tunnels
                if tunnel.target == scene.authority(target) and tunnel.status == 200 and not tunnel.failure
            ),
            None,
        )
        proof = None
        if open_way is not None:
            proof = Proof(
                Text(N_("{target} directly: {said}"), target=open_way.target, said=_direct_end(evidence, target)),
                Text(N_("{target} through {proxy}: {said}"), target=open_way.target, proxy=open_way.proxy,
                     said=_said(open_way)),
                Text(N_("the forward proxy")),
            )  # fmt: skip
        yield judged(
            evidence, "R19", "no_proxy_black_hole", scene.authority(target), "connect",
            Text(N_("{entry} in NO_PROXY sends {host} direct, and the direct way is closed"), entry=decision.rule,
                 host=target.host),
            proof=proof,
        )  # fmt: skip


def _is_closed(evidence: Evidence, target: Target) -> bool:
    name = scene.name_seen(evidence, target.host)
    if name is not None and not name.addresses:
        return True
    dials, shakes = scene.dials(evidence, target), scene.handshakes(evidence, target)
    is_shut = bool(dials) and all(dial.failure for dial in dials)
    return is_shut or (bool(shakes) and not any(scene.is_answered(shake) for shake in shakes))


def _direct_end(evidence: Evidence, target: Target) -> Text | str:
    failures = [
        *(dial.failure for dial in scene.dials(evidence, target)),
        *(shake.failure for shake in scene.handshakes(evidence, target)),
    ]
    return next((failed(failure) for failure in failures if failure), Text(N_("no address")))


def _exceptions(evidence: Evidence) -> Iterable[Judgement]:
    yield from _black_hole(evidence)
    yield from _rule_of("R19", "no_proxy_missing")(evidence)


EXCEPTIONS = Rule(
    "R19",
    N_("NO_PROXY sends a host the wrong way"),
    ("no_proxy_black_hole", "no_proxy_missing"),
    when_broken(_exceptions),
)
