"""Certificates: R21 to R23 and R26, and what a server refuses in the handshake itself (R50)."""

from collections.abc import Iterable, Iterator
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import AnswerSeen, CaFile, Evidence, HandshakeSeen, Raw, Role, Target
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.clock import clock_is_right
from goferry.doctor.rules.names import owner_of
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import failed, how_answered
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_


def _shaken(evidence: Evidence) -> Iterator[tuple[Target, HandshakeSeen]]:
    """For each needed target the handshake that go would make, direct or through its forward proxy."""
    for target in scene.needed(evidence):
        if target.role is Role.FORWARD_PROXY and target.scheme != "https":
            continue
        proxy = scene.via(evidence, target)
        shakes = scene.handshakes(evidence, target) if not proxy else []
        shakes = shakes or [
            shake
            for shake in evidence.handshakes
            if proxy
            and (shake.host, shake.port, shake.sni, shake.via)
            == (target.host, target.port, target.host, proxy)
        ]
        bad = next((shake for shake in shakes if shake.wrong or shake.failure == Raw.ALERT), None)
        if bad is not None and not (
            bad.wrong and any(not s.wrong and not s.failure for s in shakes if s is not bad)
        ):
            yield target, bad


def _issuer(shake: HandshakeSeen) -> str:
    return shake.chain[-1].issuer if shake.chain else "?"


def _go_roots(evidence: Evidence) -> list[CaFile]:
    return [file for file in evidence.settings.roots if file.stack == "go"]


def _has_no_roots(evidence: Evidence) -> bool:
    """Whether go has files or folders to read, and not one certificate in them."""
    files = _go_roots(evidence)
    asks_platform = evidence.context.system in ("win32", "darwin")
    return bool(files) and not asks_platform and all(file.count == 0 for file in files)


def _by_store(shake: HandshakeSeen, store: str) -> Proof:
    return Proof(
        Text(N_("chain of {host} with go's roots: {wrong}"), host=shake.host, wrong=failed(shake.wrong)),
        Text(N_("the same chain with the {store} store: good"), host=shake.host, store=store),
        Text(N_("the root certificates")),
    )


# ---- R22: the bundle ---------------------------------------------------------------------------------------


def _bundle(evidence: Evidence) -> Iterable[Judgement]:
    for target, shake in _shaken(evidence):
        if shake.wrong != "unknown_authority":
            continue
        is_public = "public" in shake.trusted
        is_empty = _has_no_roots(evidence)
        is_named = any(file.origin and not file.count for file in _go_roots(evidence))
        if not (is_public or is_empty or (is_named and "git" in shake.trusted)):
            continue
        store = "public" if is_public else "git" if "git" in shake.trusted else ""
        files = [file.path for file in _go_roots(evidence)]
        yield judged(
            evidence, "R22", "ca_bundle_missing_or_stale", ", ".join(files[:2]) or "roots", "tls",
            Text(N_("go has no root certificate in {files}, so it can trust nobody"), files=", ".join(files[:3]))
            if is_empty
            else Text(N_("{issuer} is a public authority that is missing in {files}"), issuer=_issuer(shake),
                      files=", ".join(files[:3]) or "roots", host=target.host),
            proof=_by_store(shake, store) if store else None,
            sole=is_empty,
        )  # fmt: skip


BUNDLE = Rule(
    "R22",
    N_("The root certificates are missing or old"),
    ("ca_bundle_missing_or_stale",),
    when_broken(_bundle),
)


# ---- R21: inspection ---------------------------------------------------------------------------------------


_BY_PRODUCT: Final = N_("{host} comes with a certificate of {issuer}, made by {product}")
_BY_NOBODY: Final = N_("{host} comes with a certificate of {issuer}, which is no public authority")


def _inspection(evidence: Evidence) -> Iterable[Judgement]:
    for target, shake in _shaken(evidence):
        if shake.wrong not in ("unknown_authority", "incomplete") or "public" in shake.trusted:
            continue
        if _has_no_roots(evidence):
            continue
        product = next((cert.product for cert in shake.chain if cert.product), "")
        if shake.wrong == "incomplete" and not product:
            continue
        unrelated = _same_issuer(evidence, shake)
        knows = "git" if "git" in shake.trusted else ""
        yield judged(
            evidence, "R21", "tls_mitm_corporate_ca", scene.authority(target), "tls",
            Text(_BY_PRODUCT if product else _BY_NOBODY, host=target.host, issuer=_issuer(shake), product=product),
            proof=_by_store(shake, knows) if knows else None,
            sole=bool(product) and bool(unrelated),
            weak=not product and not unrelated,
        )  # fmt: skip
    yield from _git_only(evidence)


def _git_only(evidence: Evidence) -> Iterable[Judgement]:
    """go knows the authority, and the git that it starts does not."""
    fact = scene.said(scene.facts(evidence), "code_host", "unknown_authority")
    if fact is None:
        return
    split = next((shake for shake in evidence.handshakes if _splits(shake)), None)
    proof = None
    if split is not None:
        proof = Proof(
            Text(N_("chain of {host} with git's roots: not known"), host=split.host),
            Text(N_("chain of {host} with go's roots: good"), host=split.host),
            Text(N_("the root certificates")),
        )
    yield judged(
        evidence, "R21", "tls_mitm_corporate_ca", fact.target.host or "git", "vcs",
        Text(N_("git does not know the authority: {said}"), said=scene.quoted(fact)),
        proof=proof,
    )  # fmt: skip


def _splits(shake: HandshakeSeen) -> bool:
    return (
        "go" in shake.trusted
        and "git" in shake.tried
        and "git" not in shake.trusted
        and "public" not in shake.trusted
    )


def _same_issuer(evidence: Evidence, shake: HandshakeSeen) -> list[str]:
    """Unrelated hosts whose certificates the same authority signed."""
    house = _house(shake.host)
    return sorted(
        {
            other.host
            for other in evidence.handshakes
            if other.chain and _house(other.host) != house and _issuer(other) == _issuer(shake)
        }
    )


def _house(host: str) -> str:
    return ".".join(host.rsplit(".", 2)[-2:])


INSPECTION = Rule(
    "R21",
    N_("TLS is opened by a product whose root go does not have"),
    ("tls_mitm_corporate_ca",),
    when_broken(_inspection),
)


# ---- R23: the server's own certificate ---------------------------------------------------------------------

_OWN: Final = {
    "expired": ("server_cert_expired", N_("the certificate of {host} has expired")),
    "not_yet_valid": ("server_cert_expired", N_("the certificate of {host} is not valid yet")),
    "wrong_host": ("server_cert_wrong_host", N_("the certificate of {host} is for {names}")),
    "incomplete": ("ca_bundle_missing_or_stale", N_("{host} sends its certificate without those up to the root")),
}  # fmt: skip


def _own_fault(evidence: Evidence) -> Iterable[Judgement]:
    for target, shake in _shaken(evidence):
        if shake.wrong not in _OWN or any(cert.product for cert in shake.chain):
            continue
        if shake.wrong in ("expired", "not_yet_valid") and clock_is_right(evidence) is False:
            continue
        cause, key = _OWN[shake.wrong]
        # For another host it may as well be another server: then somebody else has to know this address.
        is_right_place = shake.wrong != "wrong_host" or _is_confirmed(evidence, shake)
        other = _other_host(evidence, shake) if is_right_place else None
        names = ", ".join(shake.chain[0].names[:4]) if shake.chain else "?"
        proof = _by_missing_part(evidence, shake)
        if proof is None and other is not None:
            proof = Proof(
                Text(N_("certificate of {host}: {wrong}"), host=shake.host, wrong=failed(shake.wrong)),
                Text(N_("certificate of {host}: good"), host=other.host),
                Text(N_("the host")),
            )
        yield judged(
            evidence, "R23", cause, scene.authority(target), "tls", Text(key, host=target.host, names=names),
            proof=proof,
            weak=shake.wrong == "incomplete" or _may_be_elsewhere(evidence, shake),
            side=Whose.MIRROR,
        )  # fmt: skip


def _may_be_elsewhere(evidence: Evidence, shake: HandshakeSeen) -> bool:
    """Whether the address itself is in doubt (R01): it is another host's, and nobody else was asked for this one's."""
    is_asked = bool(scene.names_of(evidence, shake.host, "public", "doh"))
    return shake.wrong == "wrong_host" and not is_asked and bool(owner_of(evidence, shake))


def _by_missing_part(evidence: Evidence, shake: HandshakeSeen) -> Proof | None:
    """Another host sends the certificate that this one leaves out."""
    other = missing_part(evidence, shake)
    if other is None:
        return None
    return Proof(
        Text(N_("{host} sends no certificate of {issuer}"), host=shake.host, issuer=_issuer(shake)),
        Text(N_("{host} sends it, and its chain is good"), host=other.host),
        Text(N_("the certificates that come along")),
    )


def missing_part(evidence: Evidence, shake: HandshakeSeen) -> HandshakeSeen | None:
    """A good handshake whose chain has the authority that an incomplete chain lacks."""
    if shake.wrong != "incomplete" or not shake.chain:
        return None
    wanted = _issuer(shake)
    return next(
        (
            other
            for other in evidence.handshakes
            if not other.failure
            and not other.wrong
            and any(c.subject == wanted and c.pem for c in other.chain)
        ),
        None,
    )


def _is_confirmed(evidence: Evidence, shake: HandshakeSeen) -> bool:
    """Whether a second opinion names the same address."""
    opinions = scene.names_of(evidence, shake.host, "public", "doh")
    return any(shake.address in opinion.addresses for opinion in opinions)


def _other_host(evidence: Evidence, shake: HandshakeSeen) -> HandshakeSeen | None:
    """Another host whose chain the same store and clock accept."""
    return next(
        (
            other
            for other in evidence.handshakes
            if other.host != shake.host
            and other.sni == other.host
            and not other.failure
            and "go" in other.trusted
        ),
        None,
    )


OWN_FAULT = Rule(
    "R23",
    N_("The server's certificate has expired, is for another host, or comes alone"),
    ("server_cert_expired", "server_cert_wrong_host", "ca_bundle_missing_or_stale"),
    when_broken(_own_fault),
)


# ---- R50: refused in the handshake -------------------------------------------------------------------------

_ALERTS: Final = {
    40: "tls_version_mismatch",
    70: "tls_version_mismatch",
    71: "tls_version_mismatch",
    86: "tls_version_mismatch",
    42: "tls_client_certificate_required",
    116: "tls_client_certificate_required",
    112: "tls_server_name_unknown",
}
_SOLE: Final = (70, 71, 112, 116)


def _refusal(evidence: Evidence) -> Iterable[Judgement]:
    for target, shake in _shaken(evidence):
        if shake.failure != Raw.ALERT:
            continue
        cause = _ALERTS.get(shake.alert, "")
        if shake.wants_client_certificate and shake.alert in (40, 42, 43, 46, 48, 49):
            cause = "tls_client_certificate_required"
        if not cause:
            continue
        other = next(
            (
                each
                for each in scene.differentials(evidence, shake)
                if each.sni != shake.sni and not each.failure
            ),
            None,
        )
        proof = None
        if cause == "tls_server_name_unknown" and other is not None:
            proof = Proof(_named(shake), _named(other), Text(N_("the server name")))
        yield judged(
            evidence, "R50", cause, scene.authority(target), "tls",
            Text(N_("{host} refuses TLS: alert {alert} {said}"), host=target.host, alert=shake.alert, said=shake.text),
            proof=proof,
            sole=shake.alert in _SOLE or shake.wants_client_certificate,
        )  # fmt: skip


def _named(shake: HandshakeSeen) -> Text:
    return Text(N_("TLS with {address} as {name}: {said}"), address=shake.address, name=shake.sni or "-",
                said=how_answered(shake))  # fmt: skip


REFUSAL = Rule(
    "R50",
    N_("The server refuses the handshake"),
    ("tls_version_mismatch", "tls_client_certificate_required", "tls_server_name_unknown"),
    when_broken(_refusal),
)


# ---- R26: a sign-in page -----------------------------------------------------------------------------------


def _portal(evidence: Evidence) -> Iterable[Judgement]:
    shown = next((answer for answer in evidence.answers if _leads_away(answer)), None)
    if shown is not None:
        others = {scene.host_in(answer.url) for answer in evidence.answers if _leads_away(answer)}
        yield judged(
            evidence, "R26", "captive_portal", scene.host_in(shown.redirect), "request",
            Text(N_("{url} leads to {redirect}"), url=shown.url, redirect=shown.redirect),
            sole=len(others) > 1 or bool(_impostors(evidence)),
        )  # fmt: skip
        return
    away = next((answer for answer in evidence.answers if _is_sent_away(answer)), None)
    if away is not None:
        yield judged(
            evidence, "R26", "captive_portal", scene.host_in(away.url), "request",
            Text(N_("{url} leads to {redirect}, where no module is"), url=away.url, redirect=away.redirect),
        )  # fmt: skip
        return
    where = _page_in_place(evidence)
    if where:
        yield judged(
            evidence, "R26", "captive_portal", where, "request",
            Text(N_("{host} answers with a web page where a module was asked for"), host=where),
        )  # fmt: skip
        return
    hosts = _impostors(evidence)
    if hosts:
        yield judged(
            evidence,
            "R26",
            "captive_portal",
            ", ".join(hosts),
            "tls",
            Text(
                N_("one server, with a certificate for neither, stands in for {hosts}"),
                hosts=", ".join(hosts),
            ),
        )


def _is_sent_away(answer: AnswerSeen) -> bool:
    """Whether a mirror leads whoever asks for a module to another house, and to no file of a module there."""
    if (
        answer.entry < 0
        or "/sumdb/" in answer.url
        or not scene.is_redirect(answer)
        or "/@" in answer.redirect
    ):
        return False
    there = scene.host_of(scene.host_in(answer.redirect))
    return answer.purpose in ("info", "mod", "list", "latest") and there != scene.host_of(
        scene.host_in(answer.url)
    )


def _page_in_place(evidence: Evidence) -> str:
    """The host that sent HTML for a module file; what a mirror sends for the checksum database is R52's."""
    for answer in scene.answers(evidence):
        if (
            answer.entry >= 0
            and "/sumdb/" not in answer.url
            and answer.status == 200
            and scene.is_page(answer)
        ):
            return scene.host_in(answer.url)
    heard = scene.said(scene.facts(evidence), "html")
    if heard is None or not {"status_404", "sumdb", "verifying"}.isdisjoint(heard.tags):
        return ""
    return heard.target.host or next((entry.name for _place, entry in scene.walked(evidence)), "")


def _leads_away(answer: AnswerSeen) -> bool:
    """Whether plain http is led to a host of another house; a host's own way to https stays in its own."""
    if answer.purpose != "portal" or not 300 <= answer.status < 400 or "://" not in answer.redirect:
        return False
    return _house(scene.host_of(scene.host_in(answer.redirect))) != _house(
        scene.host_of(scene.host_in(answer.url))
    )


def _impostors(evidence: Evidence) -> list[str]:
    """Unrelated hosts that are all at one address, where the certificate is for none of them."""
    by_address: dict[str, set[str]] = {}
    for shake in evidence.handshakes:
        if shake.wrong == "wrong_host" and shake.sni == shake.host:
            by_address.setdefault(shake.address, set()).add(shake.host)
    houses = [hosts for hosts in by_address.values() if len({_house(host) for host in hosts}) > 1]
    return sorted(houses[0]) if houses else []


PORTAL = Rule(
    "R26", N_("A sign-in page answers in place of the target"), ("captive_portal",), when_broken(_portal)
)
