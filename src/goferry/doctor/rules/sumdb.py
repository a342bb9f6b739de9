"""The checksum database: R37, R38, and R52 for a mirror that stands in for it badly."""

from collections.abc import Iterable
from typing import Final

from goferry.doctor.evidence import AnswerSeen, Evidence, Role, SumsSeen
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import ended, failed
from goferry.doctor.verdict import Judgement, Proof
from goferry.errors import InvalidInput
from goferry.findings import Text
from goferry.gomod import goenv
from goferry.i18n import N_


def _of_database(evidence: Evidence) -> list[AnswerSeen]:
    """What the database's own host answered."""
    return [
        answer
        for answer in scene.answers(evidence)
        if answer.entry < 0 and answer.purpose in ("lookup", "sumdb_latest") and answer.attempt == 1
    ]


def _of_mirrors(evidence: Evidence) -> list[AnswerSeen]:
    """What mirrors answered in the database's place, those that go comes to."""
    places = {place for place, _entry in scene.walked(evidence)}
    return [
        answer
        for answer in scene.answers(evidence)
        if answer.entry in places and "/sumdb/" in answer.url and answer.attempt == 1
    ]


def _asked(answer: AnswerSeen) -> Text:
    return Text(N_("{url}: {said}"), url=answer.url, said=ended(answer.status, answer.failure, answer.text))


def database_host(evidence: Evidence) -> str:
    """The host of the database in force, "" for none."""
    try:
        database = goenv.parse_sumdb(evidence.settings.value("GOSUMDB"))
    except InvalidInput:
        return ""
    return "" if database is None else scene.host_in(database.base_url)


def _modules_work(evidence: Evidence) -> AnswerSeen | None:
    """A module file that came: the mirror works, so it is only the database."""
    return next(
        (
            answer
            for answer in scene.answers(evidence)
            if answer.purpose in ("zip", "mod", "info") and scene.is_well(answer)
        ),
        None,
    )


# ---- R37: not reached --------------------------------------------------------------------------------------


def _unreachable(evidence: Evidence) -> Iterable[Judgement]:
    host = database_host(evidence)
    if not host or not scene.uses_sumdb(evidence) or not scene.asks_sumdb_itself(evidence):
        return
    about = scene.said(scene.facts(evidence), "sumdb")
    if scene.facts(evidence) and about is None:
        return
    bad = [
        answer
        for answer in _of_database(evidence)
        if not answer.status or answer.status >= 500 or answer.status in (403, 451)
    ]
    dials = [
        dial
        for target in evidence.targets
        if target.role is Role.SUMDB
        for dial in scene.dials(evidence, target)
    ]
    if not bad and not (dials and all(dial.failure for dial in dials)):
        return
    good = _modules_work(evidence) or _open_mirror(evidence)
    said = ended(bad[0].status, bad[0].failure, bad[0].text) if bad else failed(dials[0].failure)
    proof = None
    if good is not None and bad:
        proof = Proof(_asked(bad[0]), _asked(good), Text(N_("the host")))
    yield judged(
        evidence, "R37", "sumdb_unreachable", host, "sumdb",
        Text(N_("the checksum database {host} cannot be reached, and no mirror stands in for it: {said}"),
             host=host, said=said),
        proof=proof,
    )  # fmt: skip


def _open_mirror(evidence: Evidence) -> AnswerSeen | None:
    """A mirror that answers anything at all."""
    places = {place for place, _entry in scene.walked(evidence)}
    return next(
        (
            answer
            for answer in evidence.answers
            if answer.entry in places and answer.status and answer.status < 500
        ),
        None,
    )


UNREACHABLE = Rule(
    "R37", N_("The checksum database cannot be reached"), ("sumdb_unreachable",), when_broken(_unreachable)
)


# ---- R52: a mirror in its place ----------------------------------------------------------------------------


_NETWORK: Final = frozenset({"dns_words", "dns_unable", "dialled", "proxyconnect", "reset"})
"""Tags of messages that are about the way; "server misbehaving" is what go says of a name server."""


_NO_REFUSAL: Final = (0, 429, *scene.MISSING)
"""Answers to "supported" that mean no, or that speak of the pace alone."""


def _stand_in(evidence: Evidence) -> Iterable[Judgement]:
    """A mirror that says it answers for the database and then does not, or that refuses to say."""
    if not scene.uses_sumdb(evidence):
        return
    found = scene.facts(evidence)
    about = scene.said(found, "sumdb|sumdb_lies|verifying")
    if found and about is None:
        return
    if not found and any(scene.bad_answer(evidence, place) for place, _entry in scene.walked(evidence)):
        return  # it does not answer for modules either
    mirrors = _of_mirrors(evidence)
    supported = next((answer for answer in mirrors if answer.purpose == "supported"), None)
    others = [answer for answer in mirrors if answer.purpose != "supported"]
    bad = None
    if supported is not None and scene.is_well(supported):
        bad = next((answer for answer in others if not scene.is_well(answer)), None)
    elif supported is not None and (scene.is_page(supported) or supported.status not in _NO_REFUSAL):
        bad = supported
    lies = scene.said([fact for fact in found if _NETWORK.isdisjoint(fact.tags)], "sumdb_lies")
    if bad is None and (lies is None or not mirrors):
        return
    if bad is not None and bad.purpose == "lookup" and bad.status in scene.MISSING and not _knows(evidence):
        return  # the database itself does not know the version: a private or a new one
    direct = next((answer for answer in _of_database(evidence) if scene.is_well(answer)), None)
    shown = bad or supported or mirrors[0]
    yield judged(
        evidence, "R52", "goproxy_sumdb_mirror_broken", scene.host_in(shown.url), "sumdb",
        Text(N_("{url} answers for the checksum database, and wrongly: {said}"), url=shown.url,
             said=scene.quoted(lies) if lies is not None else ended(shown.status, shown.failure, shown.text)),
        proof=None if direct is None else Proof(_asked(shown), _asked(direct), Text(N_("who is asked"))),
    )  # fmt: skip


def _knows(evidence: Evidence) -> bool:
    return any(answer.purpose == "lookup" and scene.is_well(answer) for answer in _of_database(evidence))


STAND_IN = Rule(
    "R52",
    N_("The mirror answers for the checksum database, but wrongly"),
    ("goproxy_sumdb_mirror_broken",),
    when_broken(_stand_in),
)


# ---- R38: two contents -------------------------------------------------------------------------------------


def _mismatch(evidence: Evidence) -> Iterable[Judgement]:
    heard = scene.said(scene.facts(evidence), "mismatch")
    known = next((sums for sums in evidence.sums if _differ(sums)), None)
    if heard is None and (known is None or scene.go_run(evidence) is not None):
        return
    if known is None:
        assert heard is not None
        yield judged(
            evidence, "R38", "checksum_mismatch_retagged", heard.target.module or "go.sum", "sumdb",
            Text("{said}", said=scene.quoted(heard)),
        )  # fmt: skip
        return
    sides = dict(_sides(known))
    where = f"{known.module}@{known.version}"
    proof = Proof(
        Text(N_("{module} by {who}: {hash}"), module=where, who=", ".join(_odd(sides)),
             hash=_hash(sides, _odd(sides))),
        Text(N_("{module} by {who}: {hash}"), module=where, who=", ".join(_agreed(sides)),
             hash=_hash(sides, _agreed(sides))),
        Text(N_("who is asked")),
    )  # fmt: skip
    yield judged(
        evidence, "R38", "checksum_mismatch_retagged", where, "sumdb",
        Text(N_("one version has two contents: {who} differs from the others"), who=", ".join(_odd(sides))),
        proof=proof,
    )  # fmt: skip


def _sides(sums: SumsSeen) -> Iterable[tuple[str, str]]:
    for name, value in (
        ("go.sum", sums.go_sum),
        ("the database", sums.sumdb),
        ("the mirror", sums.proxy),
        ("the origin", sums.origin),
    ):
        if value:
            yield name, value


def _differ(sums: SumsSeen) -> bool:
    return len({value for _name, value in _sides(sums)}) > 1


def _agreed(sides: dict[str, str]) -> list[str]:
    """The largest group that says the same, the first of equal ones."""
    values = list(sides.values())
    best = max(values, key=values.count)
    return [name for name, value in sides.items() if value == best]


def _odd(sides: dict[str, str]) -> list[str]:
    agreed = _agreed(sides)
    return [name for name in sides if name not in agreed]


def _hash(sides: dict[str, str], names: list[str]) -> str:
    return sides[names[0]] if names else ""


MISMATCH = Rule(
    "R38", N_("One version has two contents"), ("checksum_mismatch_retagged",), when_broken(_mismatch)
)
