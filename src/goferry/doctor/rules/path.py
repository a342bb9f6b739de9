"""The path to a host: R08 to R12 and R20. Each verdict changes one thing: host, name, size, packet size or family."""

from collections.abc import Iterable, Iterator
from typing import Final

from goferry.doctor.evidence import AnswerSeen, DialSeen, Evidence, HandshakeSeen, Raw, Role, Target
from goferry.doctor.explain.facts import Fact
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.names import leads_nowhere
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import ended, failed, how_answered, listed
from goferry.doctor.verdict import Certainty, Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure

_CUT_OFF: Final = frozenset({Raw.RESET, Failure.CONNECT_RESET})
_ENDED: Final = frozenset({Raw.CLOSED, Failure.NO_ANSWER, Failure.BODY_TRUNCATED})
_STALLED: Final = frozenset({Raw.STALLED, Failure.TLS_TIMEOUT})
_BODY_STALLED: Final = frozenset({Failure.IDLE_TIMEOUT, Failure.WHOLE_TIMEOUT})
_LARGE: Final = ("go", "large")


def _targets(evidence: Evidence) -> Iterator[Target]:
    """Targets connected to from here. What is wrong with the checksum database alone is R37's, however it shows, and
    a storage that a mirror redirects to is R39's.
    """
    is_asked = scene.is_about_host(evidence)
    others = (Role.SUMDB, Role.STORAGE)
    return (target for target in scene.direct_targets(evidence) if is_asked or target.role not in others)


# ---- R08, R09: no connection -------------------------------------------------------------------------------

_BLOCKED: Final = {
    Role.GOPROXY: "goproxy_host_blocked",
    Role.STORAGE: "goproxy_host_blocked",
    Role.IMPORT_HOST: "direct_host_blocked",
    Role.CODE_HOST: "direct_host_blocked",
    Role.SUMDB: "sumdb_unreachable",
}


def _unconnected(evidence: Evidence) -> Iterator[tuple[Target, list[DialSeen]]]:
    """Needed targets that no connection can be made to, though go knows their addresses."""
    for target in _targets(evidence):
        dials = scene.dials(evidence, target)
        is_shut = bool(dials) and all(dial.failure for dial in dials)
        if is_shut and target.role in _BLOCKED and not leads_nowhere(evidence, target.host):
            yield target, dials


_OTHER_PORTS: Final = frozenset({"git_port", "git_port_timeout", "ssh_port", "ssh_timeout", "ssh_words"})


def _only_told(evidence: Evidence, *tags: str) -> Iterator[tuple[str, Fact]]:
    """Hosts that go, or git for it, could not connect to and that no probe knew of: a page names them on the way."""
    known = {target.host for target in evidence.targets}
    for fact in scene.facts(evidence):
        host = scene.host_of(fact.target.host)
        is_plain = _OTHER_PORTS.isdisjoint(fact.tags)
        if host and host not in known and is_plain and scene.said([fact], "import_host|code_host", *tags):
            yield host, fact


def _blackhole(evidence: Evidence) -> Iterable[Judgement]:
    yield from _blocked(evidence, "R08", refused=False)


def _refused(evidence: Evidence) -> Iterable[Judgement]:
    yield from _blocked(evidence, "R09", refused=True)


def _blocked(evidence: Evidence, code: str, *, refused: bool) -> Iterable[Judgement]:
    for target, dials in _unconnected(evidence):
        is_refused = any(dial.failure == Failure.CONNECT_REFUSED for dial in dials)
        if is_refused is not refused or target.port in (22, 9418):
            continue
        other = _other_host(evidence, target)
        said = listed(dial.failure for dial in dials)
        yield judged(
            evidence, code, _BLOCKED[target.role], scene.authority(target), "connect",
            Text(N_("no connection to {host} at {addresses}: {said}"), host=scene.authority(target),
                 addresses=", ".join(dial.address for dial in dials), said=said),
            proof=None if other is None else Proof(
                Text(N_("connection to {host}: {said}"), host=scene.authority(target), said=said),
                Text(N_("connection to {host}: stands"), host=f"{other.host}:{other.port}"),
                Text(N_("the host")),
            ),
        )  # fmt: skip

    yield from _origin_blocked(evidence, code, refused=refused)
    if not refused:
        yield from _silent_fetch(evidence, code)
    tags = ("dial_refused",) if refused else ("dial_timeout|no_route|tls_timeout",)
    for host, fact in _only_told(evidence, *tags):
        yield judged(
            evidence,
            code,
            "direct_host_blocked",
            host,
            "connect",
            Text(N_("no connection to {host}: {said}"), host=host, said=scene.quoted(fact)),
        )


_NO_WORD: Final = frozenset({
    Failure.CONNECT_TIMEOUT, Failure.CONNECT_REFUSED, Failure.CONNECT_RESET, Failure.NETWORK_UNREACHABLE,
    Failure.FIRST_BYTE_TIMEOUT,
})  # fmt: skip
_NO_CONNECTION_TO: Final = N_("no connection to {host}: {said}")
_SAYS_NOTHING: Final = N_("{host} takes connections and then says nothing")


def _origin_blocked(evidence: Evidence, code: str, *, refused: bool) -> Iterator[Judgement]:
    """The repository that a page named, which go was still waiting for when its time was over."""
    known = {target.host for target in evidence.targets}
    for answer in evidence.answers if scene.was_stopped(evidence) and scene.goes_direct(evidence) else ():
        host = scene.host_of(scene.host_in(answer.url))
        is_cut_off = answer.purpose == "origin" and answer.failure in _NO_WORD and not answer.via
        if is_cut_off and host not in known and refused is (answer.failure == Failure.CONNECT_REFUSED):
            yield judged(
                evidence, code, "direct_host_blocked", host, "connect",
                Text(_SAYS_NOTHING if answer.failure == Failure.FIRST_BYTE_TIMEOUT else _NO_CONNECTION_TO, host=host,
                     said=answer.text or answer.failure),
            )  # fmt: skip
            return


def _silent_fetch(evidence: Evidence, code: str) -> Iterator[Judgement]:
    """A repository that has begun to answer git, and then sent nothing for seconds. Slowness is no fault, and a long
    pause is not yet one, so this is never more than possible.
    """
    run, command = scene.go_run(evidence), scene.unfinished(evidence)
    if run is None or command is None or scene.is_active(run) or not command.url.startswith("https://"):
        return
    host = scene.host_of(scene.host_in(command.url))
    if not any(answer.purpose == "origin" and answer.failure for answer in evidence.answers):
        yield Judgement(
            code, "direct_host_blocked", Certainty.POSSIBLE, host, "vcs",
            Text(N_("{program} from {url} was not done after {seconds} s, and nothing came in the last {quiet} s"),
                 program=command.what, url=command.url, seconds=round(run.seconds - command.began),
                 quiet=round(run.seconds - max(run.active, run.limit - scene.QUIET, command.began))),
        )  # fmt: skip


def _other_host(evidence: Evidence, target: Target) -> DialSeen | None:
    """A connection to another host at the same port."""
    return next(
        (
            dial
            for dial in evidence.dials
            if not dial.failure and dial.host != target.host and dial.port == target.port
        ),
        None,
    )


BLACKHOLE = Rule(
    "R08",
    N_("Connections to a host are never answered"),
    ("goproxy_host_blocked", "direct_host_blocked", "sumdb_unreachable"),
    when_broken(_blackhole),
)
REFUSED = Rule(
    "R09",
    N_("A host refuses connections"),
    ("goproxy_host_blocked", "direct_host_blocked", "sumdb_unreachable"),
    when_broken(_refused),
)


# ---- R11: one family only ----------------------------------------------------------------------------------


def _ipv6(evidence: Evidence) -> Iterable[Judgement]:
    """IPv6 connects and then dies, so that go never falls back; or go complains of IPv6 while IPv4 works."""
    for target in _targets(evidence):
        shakes = scene.handshakes(evidence, target)
        six = [shake for shake in shakes if ":" in shake.address]
        four = [shake for shake in shakes if ":" not in shake.address]
        bad = next((shake for shake in six if shake.failure), None)
        good = next((shake for shake in four if scene.is_answered(shake) and not shake.failure), None)
        if bad is None or good is None or any(not shake.failure for shake in six):
            bad_dial = _complained_of(evidence, target)
            if bad_dial is None or good is None:
                continue
            failing, address = bad_dial.failure, bad_dial.address
        else:
            failing, address = bad.failure, bad.address
        yield judged(
            evidence, "R11", "ipv6_path_broken", scene.authority(target), "connect",
            Text(N_("{host} works at {good} and not at {bad}: {said}"), host=target.host, good=good.address,
                 bad=address, said=failed(failing)),
            proof=Proof(
                Text(N_("TLS with {address}: {said}"), address=address, said=failed(failing)),
                Text(N_("TLS with {address}: stands"), address=good.address),
                Text(N_("IPv6 or IPv4")),
            ),
        )  # fmt: skip


def _complained_of(evidence: Evidence, target: Target) -> DialSeen | None:
    """An IPv6 connection that failed, when that is what go said."""
    if (
        scene.said(
            scene.facts(evidence), "ipv6", "unreachable|no_route|broken_pipe|read_timeout|dial_timeout"
        )
        is None
    ):
        return None
    return next((dial for dial in scene.dials(evidence, target) if dial.family == 6 and dial.failure), None)


IPV6 = Rule("R11", N_("Only IPv6 is broken"), ("ipv6_path_broken",), when_broken(_ipv6))


# ---- R12, R20, R10: TLS that does not come to its end ------------------------------------------------------


def _unfinished(evidence: Evidence) -> Iterator[tuple[Target, HandshakeSeen]]:
    """For each needed target, one handshake that connects and ends without an answer; none where another works."""
    for target in _targets(evidence):
        shakes = scene.handshakes(evidence, target)
        by_family = {
            family: [shake for shake in shakes if (":" in shake.address) == (family == 6)]
            for family in (4, 6)
        }
        bad = [shake for shake in shakes if shake.failure in _STALLED | _CUT_OFF | _ENDED]
        if not bad or any(some and all(not shake.failure for shake in some) for some in by_family.values()):
            continue
        yield target, bad[0]


def _asked(shake: HandshakeSeen) -> Text:
    """One handshake, for the side of a proof."""
    parts = [f"SNI {shake.sni}" if shake.sni else "no SNI", f"hello {shake.hello}"]
    if shake.mss:
        parts.append(f"MSS {shake.mss}")
    said = failed(shake.failure) if not scene.is_answered(shake) else how_answered(shake)
    return Text(N_("TLS with {address} ({how}): {said}"), address=f"{shake.address}:{shake.port}",
                how=", ".join(parts), said=said)  # fmt: skip


def _like(others: Iterable[HandshakeSeen], shake: HandshakeSeen) -> list[HandshakeSeen]:
    """Those with this server name and the packets of the path."""
    return [other for other in others if other.sni == shake.sni and not other.mss]


def _small_packets(evidence: Evidence) -> Iterable[Judgement]:
    for target, bad in _unfinished(evidence):
        if bad.failure not in _STALLED:
            continue
        others = scene.differentials(evidence, bad)
        cured = next(
            (
                other
                for other in others
                if other.mss
                and other.sni == bad.sni
                and other.hello in (*_LARGE, bad.hello)
                and scene.is_answered(other)
            ),
            None,
        ) or _cured_certificate(others, bad)
        if cured is None:
            continue
        yield judged(
            evidence, "R12", "mtu_blackhole", scene.authority(target), "tls",
            Text(N_("{host} answers only to packets of {mss} bytes at most"), host=target.host, mss=cured.mss),
            proof=Proof(_asked(bad), _asked(cured), Text(N_("the size of packets"))),
        )  # fmt: skip
    yield from _stalled_body(evidence)


def _cured_certificate(others: list[HandshakeSeen], bad: HandshakeSeen) -> HandshakeSeen | None:
    """The same shape of hello with and without smaller packets: one stalls, the other does not."""
    for other in others:
        twin = next(
            (
                each
                for each in (*others, bad)
                if (each.sni, each.hello, each.mss) == (other.sni, other.hello, 0)
            ),
            None,
        )
        if other.mss and twin is not None and twin.failure in _STALLED and scene.is_answered(other):
            return other
    return None


def _stalled_body(evidence: Evidence) -> Iterable[Judgement]:
    """Headers arrive and the body never ends: full packets get lost, or the server stands still."""
    for answer in _bodies(evidence, _BODY_STALLED):
        yield judged(
            evidence, "R12", "mtu_blackhole", scene.host_in(answer.url), "body",
            Text(N_("{url} stalls after {size} bytes"), url=answer.url, size=answer.size),
            weak=True,
        )  # fmt: skip


def _bodies(evidence: Evidence, failures: frozenset[str]) -> Iterator[AnswerSeen]:
    """Answers of the way that began and broke off."""
    places = {place for place, _entry in scene.walked(evidence)}
    for answer in evidence.answers:
        if answer.attempt == 1 and answer.entry in places and answer.status and answer.failure in failures:
            yield answer


MTU = Rule("R12", N_("Large packets vanish on the path"), ("mtu_blackhole",), when_broken(_small_packets))


def _large_hello(evidence: Evidence) -> Iterable[Judgement]:
    for target, bad in _unfinished(evidence):
        others = scene.differentials(evidence, bad)
        same = _like(others, bad)
        small = next((other for other in same if other.hello == "small" and scene.is_answered(other)), None)
        large = [other for other in (*same, bad) if other.hello in _LARGE and not scene.is_answered(other)]
        if small is None or not large or _is_cured(others, bad):
            continue
        pieces = next((other for other in same if other.hello == "pieces"), None)
        detail = Text(
            N_("{host} answers to a small first message of TLS and not to go's large one"), host=target.host
        )
        yield judged(
            evidence, "R20", "tls_large_clienthello", scene.authority(target), "tls", detail,
            proof=Proof(_asked(large[0]), _asked(small), Text(N_("the size of the first message"))),
            weak=pieces is not None and scene.is_answered(pieces),
        )  # fmt: skip


def _is_cured(others: Iterable[HandshakeSeen], bad: HandshakeSeen) -> bool:
    """Whether smaller packets, or the message cut into two, already help: then it is the packet size."""
    return any(
        other.sni == bad.sni and scene.is_answered(other) and other.mss and other.hello in _LARGE
        for other in others
    )


LARGE_HELLO = Rule(
    "R20",
    N_("The large first message of TLS is dropped"),
    ("tls_large_clienthello",),
    when_broken(_large_hello),
)


def _cut(evidence: Evidence) -> Iterable[Judgement]:
    """The name decides, or nothing does: then who ends the connection, and how, is all there is."""
    for target, bad in _unfinished(evidence):
        others = scene.differentials(evidence, bad)
        if any(scene.is_answered(other) for other in others if other.sni == bad.sni):
            continue  # size or packet size decide, not the name
        other_name = next(
            (other for other in others if other.sni != bad.sni and scene.is_answered(other)), None
        )
        where = scene.authority(target)
        if other_name is not None:
            yield judged(
                evidence, "R10", "sni_filtered", where, "tls",
                Text(N_("{address} answers under another server name and not as {host}"), address=bad.address,
                     host=target.host),
                proof=Proof(_asked(bad), _asked(other_name), Text(N_("the server name"))),
            )  # fmt: skip
        elif bad.failure in _CUT_OFF and not _was_closed(evidence, target):
            yield judged(
                evidence,
                "R10",
                "middlebox_reset",
                where,
                "tls",
                Text(N_("connections to {host} stand and are reset at the first message of TLS"), host=where),
                sole=_happens_elsewhere(evidence, target),
            )
        elif bad.failure in _CUT_OFF | _ENDED:
            yield judged(
                evidence,
                "R10",
                "server_closed_silently",
                where,
                "tls",
                Text(N_("{host} ends connections at the first message of TLS, without a reason"), host=where),
            )
        else:
            cause = _BLOCKED.get(target.role)
            if cause is not None:
                yield judged(
                    evidence,
                    "R10",
                    cause,
                    where,
                    "tls",
                    Text(_SAYS_NOTHING, host=where),
                )
    yield from _broken_bodies(evidence)


def _was_closed(evidence: Evidence, target: Target) -> bool:
    """Whether any handshake with it came to an orderly end: who closes and then gets more answers that with a reset."""
    return any(
        (shake.host, shake.port) == (target.host, target.port) and shake.failure in _ENDED
        for shake in evidence.handshakes
    )


def _happens_elsewhere(evidence: Evidence, target: Target) -> bool:
    """Whether unrelated hosts are cut off alike: no server's fault can be that."""
    return any(
        shake.failure in _CUT_OFF
        and shake.host != target.host
        and shake.address not in scene.go_addresses(evidence, target.host)
        for shake in evidence.handshakes
    )


def _broken_bodies(evidence: Evidence) -> Iterable[Judgement]:
    """A connection that ends inside or in place of an answer: the path resets, a server closes."""
    places = {place for place, _entry in scene.walked(evidence)}
    for cause, failures in (("middlebox_reset", _CUT_OFF), ("server_closed_silently", _ENDED)):
        for answer in scene.answers(evidence):
            if answer.attempt != 1 or answer.entry not in places or answer.failure not in failures:
                continue
            again = next(
                (each for each in evidence.answers if each.url == answer.url and each.attempt > 1), None
            )
            if again is not None and not again.failure and again.status == 200:
                continue  # it passes by itself: R41
            target = next((t for t in evidence.targets if answer in scene.answers_of(evidence, t)), None)
            if target is not None and any(shake.failure for shake in scene.handshakes(evidence, target)):
                continue  # said above, nearer to the cause
            if answer.via or (target is not None and scene.via(evidence, target)):
                continue
            yield judged(
                evidence, "R10", cause, scene.host_in(answer.url), "body" if answer.status else "request",
                Text(N_("{url} breaks off after {size} bytes: {said}"), url=answer.url, size=answer.size,
                     said=failed(answer.failure, answer.text)),
            )  # fmt: skip
            break


CUT = Rule(
    "R10",
    N_("Connections are cut at the server name, or in the middle"),
    (
        "sni_filtered",
        "middlebox_reset",
        "server_closed_silently",
        "goproxy_host_blocked",
        "direct_host_blocked",
        "sumdb_unreachable",
    ),
    when_broken(_cut),
)


# ---- R41: it passes ----------------------------------------------------------------------------------------


def _transient(evidence: Evidence) -> Iterable[Judgement]:
    """The same question, asked again, is answered; or the same command works."""
    run = scene.go_run(evidence)
    again = next(
        (each for each in evidence.runs if each.label == "retest" and not each.changed and each.exit == 0),
        None,
    )
    if run is not None and again is not None:
        yield judged(
            evidence,
            "R41",
            "transient_network",
            next(iter(scene.blamed(evidence)), "network"),
            "request",
            Text(N_("the same command works a moment later")),
        )
        return
    for first in evidence.answers:
        if first.attempt != 1 or not (first.failure or first.status >= 500):
            continue
        second = next(
            (
                each
                for each in evidence.answers
                if each.url == first.url and each.attempt > 1 and each.status == 200
            ),
            None,
        )
        if second is not None and not second.failure:
            yield judged(
                evidence, "R41", "transient_network", scene.host_in(first.url), "request",
                Text(N_("{url} failed once and was answered when it was asked again"), url=first.url),
                proof=Proof(
                    Text(N_("{url}: {said}"), url=first.url,
                         said=ended(0 if first.failure else first.status, first.failure, first.text)),
                    Text(N_("{url}, asked again: {said}"), url=first.url, said=str(second.status)),
                    Text(N_("nothing but the time")),
                ),
            )  # fmt: skip
            return


TRANSIENT = Rule("R41", N_("It passes by itself"), ("transient_network",), when_broken(_transient))
