"""Settings that cannot work whatever the network does: R46 to R49, from sections 2.2 and 2.3 of the reference."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from goferry.doctor.evidence import Evidence
from goferry.doctor.explain.targets import PUBLIC_MIRRORS, host_tags
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged, unheard_values
from goferry.doctor.rules.scene import (
    answers,
    asks_proxies,
    blamed,
    entries,
    facts,
    go_run,
    host_in,
    host_of,
    is_about_host,
    quoted,
    said,
    walked,
)
from goferry.doctor.verdict import Certainty, Judgement
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.i18n import N_

GOPROXY: Final = "GOPROXY"


# ---- R46: the text of GOPROXY ------------------------------------------------------------------------------

_TRAPS: Final = (
    (re.compile(r"[;；]"), N_("GOPROXY has {word}: entries are divided by , or | and not by a semicolon")),
    (re.compile(r"[，｜、]"), N_("GOPROXY has {word}: only an ASCII comma divides entries, and this is none")),
    (re.compile(r"[：／．。]"), N_("GOPROXY has {word}: the colon, slash or dot in it is a fullwidth one")),
    (re.compile(r"://[^/?#@]*:[^@]*[/?#@][^@]*(?<!/)@[^/@]+"),
     N_("GOPROXY has {word}: in a password / ? # @ have to be written as %2F %3F %23 %40")),
    (re.compile(r"[\"'“”‘’`]"), N_("GOPROXY has {word}: the quotation marks have become part of the value")),
    (re.compile(r"\S\s+\S"), N_("GOPROXY has {word}: entries are divided by , or | and not by a blank")),
    (re.compile(r"^\s*https?:/?[^/]|^\s*https?//|^\s*ht{1,2}ps?:/[^/]|^\s*hhttps?:", re.IGNORECASE),
     N_("GOPROXY has {word}: it does not begin with https://")),
    (re.compile(r"^(?!direct$|off$)(?:direct|off)$", re.IGNORECASE),
     N_("GOPROXY has {word}: direct and off are written in lower case")),
)  # fmt: skip


def traps(value: str) -> Iterable[tuple[str, str]]:
    """The parts of a GOPROXY value that cannot be what was meant, each with what is wrong (an English key)."""
    for part in re.split(r"[,|]", value):
        word = part.strip()
        for pattern, why in _TRAPS:
            if word and pattern.search(word):
                yield word, why
                break


_CLOSE: Final = 0.87
"""How alike two names are that differ by a letter, or by two in the wrong order."""
_OPEN_LOGIN: Final = re.compile(r"refusing to pass credentials to insecure URL")


def _malformed(evidence: Evidence) -> Iterable[Judgement]:
    value = evidence.settings.value(GOPROXY)
    if not value or not asks_proxies(evidence):
        return
    run = go_run(evidence)
    open_login = _OPEN_LOGIN.search(run.output) if run is not None and run.exit > 0 else None
    if open_login is not None:
        yield judged(
            evidence, "R46", "goproxy_value_malformed", GOPROXY, "settings",
            Text(N_("go sends no password in the clear, and GOPROXY has one behind http://: {said}"),
                 said=goproxy.redact(open_login[0])),
            sole=True,
        )  # fmt: skip
        return
    heard = said(facts(evidence), "goproxy_malformed|goproxy_semicolon")
    found = next(iter(traps(value)), None)
    refusal = _refusal(value)
    if found is None and refusal is None:
        yield from _of_nobody(evidence)
        return
    word, key = found or (value, N_("go refuses GOPROXY={word}: {why}"))
    yield judged(
        evidence, "R46", "goproxy_value_malformed", GOPROXY, "settings",
        Text(key, word=goproxy.redact(word), why=refusal or ""),
        sole=refusal is not None or heard is not None or _is_complained_of(evidence, word),
        weak=True,
    )  # fmt: skip


def _of_nobody(evidence: Evidence) -> Iterable[Judgement]:
    """An entry whose host no server knows, here or elsewhere: it is misspelt, or known in another network only."""
    if unheard_values(evidence, GOPROXY):
        return  # which of the values was meant is R49's question
    for place, entry in walked(evidence):
        host = host_of(host_in(entry.url)) if entry.is_proxy else ""
        asked = [name for name in evidence.names if name.name == host] if host in blamed(evidence) else []
        known = any(reply.addresses or reply.rcode not in ("NXDOMAIN", "") for reply in asked)
        if known or not any(reply.rcode for reply in asked):
            continue
        if meant := misspelt(host):
            yield judged(
                evidence, "R46", "goproxy_value_malformed", GOPROXY, "settings",
                Text(N_("nobody knows the host {host} of entry {place} of GOPROXY: was {meant} meant?"), host=host,
                     place=place + 1, meant=meant),
            )  # fmt: skip
        if meant or not any(reply.rcode for reply in asked if reply.asker in ("public", "doh")):
            continue
        inside = "inside_host" in set(host_tags(host))
        one = judged(
            evidence, "R46", "goproxy_value_malformed", GOPROXY, "settings",
            Text(N_("nobody knows the host {host} of entry {place} of GOPROXY: it is misspelt, or known in another "
                    "network only"), host=host, place=place + 1),
        )  # fmt: skip
        yield replace(one, certainty=Certainty.POSSIBLE, proof=None) if inside else one


def misspelt(host: str) -> str:
    """The public mirror that a host is one slip away from, so that no second opinion is needed; "" for none."""
    if not host or "public_host" in set(host_tags(host)):
        return ""
    return next(iter(difflib.get_close_matches(host, PUBLIC_MIRRORS, 1, _CLOSE)), "")


def _is_complained_of(evidence: Evidence, word: str) -> bool:
    """Whether go's words are about this part: the part itself, or what stands behind its scheme, is in them."""
    own = word.partition("://")[2] or word
    return any(own.strip("\"'") in fact.message.own for fact in facts(evidence))


def _refusal(value: str) -> Text | None:
    """Why go refuses the whole list; None when it does not."""
    try:
        goproxy.parse_list(value)
    except InvalidInput as why:
        return Text.of(why)
    return None


MALFORMED = Rule(
    "R46", N_("The text of GOPROXY is wrong"), ("goproxy_value_malformed",), when_broken(_malformed)
)


# ---- R54: any other setting --------------------------------------------------------------------------------

REFUSALS: Final = {
    "GOFLAGS": re.compile(r"parsing \$GOFLAGS: .*"),
    "GO111MODULE": re.compile(r"unknown environment setting GO111MODULE=.*"),
    "GOSUMDB": re.compile(r"invalid GOSUMDB: .*"),
    "GOTOOLCHAIN": re.compile(r"invalid GOTOOLCHAIN .*|invalid minimum toolchain .* in GOTOOLCHAIN.*"),
    "GOVCS": re.compile(r"GOVCS disallows using .*|.*\bin GOVCS\b.*|.*\bGOVCS: .*"),
    "GOWORK": re.compile(r"reading go\.work: open .*|invalid GOWORK: .*"),
    "GOROOT": re.compile(r"cannot find GOROOT directory: .*"),
    "GOAUTH": re.compile(r"GOAUTH=.*|invalid GOAUTH.*"),
}
"""Variables and what go says when it cannot work with their value."""


def refusal_of(evidence: Evidence, name: str) -> str:
    """What go said against the value of a variable; "" when it did not."""
    run = go_run(evidence)
    heard = REFUSALS[name].search(run.output) if run is not None and run.exit > 0 else None
    return heard[0].strip() if heard is not None else ""


def _refused(evidence: Evidence) -> Iterable[Judgement]:
    for name in REFUSALS:
        said = refusal_of(evidence, name)
        if said:
            setting = evidence.settings.setting(name)
            yield judged(
                evidence, "R54", "go_setting_refused", name, "settings",
                Text(N_("go cannot work with {name}={value} ({origin}): {said}"), name=name,
                     value=setting.value if setting else "", said=said,
                     origin=(setting.place or setting.origin) if setting else "default"),
                sole=True,
            )  # fmt: skip


REFUSED = Rule("R54", N_("Go refuses another setting"), ("go_setting_refused",), when_broken(_refused))


# ---- R47: GOPROXY=off --------------------------------------------------------------------------------------


def _off(evidence: Evidence) -> Iterable[Judgement]:
    used = [entry.url for _place, entry in walked(evidence)]
    if not asks_proxies(evidence) or goproxy.OFF not in used:
        return
    heard = said(facts(evidence), "goproxy_off")
    if used != [goproxy.OFF] and heard is None:
        return  # it only ends a list of which another entry is complained of
    yield judged(
        evidence, "R47", "goproxy_off", GOPROXY, "settings",
        Text(N_("GOPROXY={value} forbids asking anybody"), value=goproxy.redact(evidence.settings.value(GOPROXY))),
        sole=True,
    )  # fmt: skip


OFF = Rule("R47", N_("GOPROXY=off forbids every lookup"), ("goproxy_off",), when_broken(_off))


# ---- R48: GOPATH mode --------------------------------------------------------------------------------------


def _gopath_mode(evidence: Evidence) -> Iterable[Judgement]:
    setting = evidence.settings.setting("GO111MODULE")
    heard = said(facts(evidence), "gopath_mode")
    is_off = setting is not None and setting.value == "off"
    if is_about_host(evidence) or (not is_off and heard is None):
        return
    place = setting.place or setting.origin if setting is not None else ""
    yield judged(
        evidence, "R48", "gopath_mode_ignores_goproxy", "GO111MODULE", "settings",
        Text(N_("GO111MODULE=off ({place}): go does not look at GOPROXY"), place=place)
        if is_off or heard is None
        else Text(N_("go works in GOPATH mode: {said}"), said=quoted(heard)),
        sole=True,
    )  # fmt: skip


GOPATH_MODE = Rule(
    "R48",
    N_("GOPATH mode: GOPROXY is not looked at"),
    ("gopath_mode_ignores_goproxy",),
    when_broken(_gopath_mode),
)


# ---- R49: a setting that is not in force -------------------------------------------------------------------


def _not_effective(evidence: Evidence) -> Iterable[Judgement]:
    """Another value stands where go does not look, and with the one in force go does not get through."""
    setting = evidence.settings.setting(GOPROXY)
    if setting is None or not asks_proxies(evidence) or not _complains_of_proxies(evidence):
        return
    lost = [each for each in (*setting.shadowed, *evidence.settings.elsewhere) if each.name == GOPROXY]
    for value in unheard_values(evidence, GOPROXY)[:1]:
        place = next((each.place or each.origin for each in lost if each.value == value), "")
        yield judged(
            evidence, "R49", "goproxy_setting_not_effective", GOPROXY, "settings",
            Text(N_("{place} says {value}, but go uses {effective} ({origin})"), place=place,
                 value=goproxy.redact(value), effective=goproxy.redact(setting.value),
                 origin=setting.place or setting.origin),
            weak=setting.origin == "environment" and not setting.shadowed,
        )  # fmt: skip


def _complains_of_proxies(evidence: Evidence) -> bool:
    """Whether an entry of the list gave no answer at all. What answers is there, and its fault is its own."""
    hosts = [host_of(host_in(entry.url)) for _place, entry in entries(evidence) if entry.is_proxy]
    about = [host for host in blamed(evidence) if host in hosts] or (hosts if not facts(evidence) else [])
    spoken = {host_of(host_in(answer.url)) for answer in answers(evidence) if answer.status}
    return any(host not in spoken for host in about)


NOT_EFFECTIVE = Rule(
    "R49",
    N_("GOPROXY was set where go does not look"),
    ("goproxy_setting_not_effective",),
    when_broken(_not_effective),
)
