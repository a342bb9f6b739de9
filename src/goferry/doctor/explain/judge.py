"""One verdict over all messages of a paste."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import Final

from goferry.doctor.causes import CANNOT_TELL
from goferry.doctor.explain.clean import Line, Paste, paste_of
from goferry.doctor.explain.facts import Fact, fact_of
from goferry.doctor.explain.messages import messages_of, only_traced, unwrapped
from goferry.doctor.explain.signatures import SIGNATURES, Signature
from goferry.doctor.explain.surroundings import Surroundings, surroundings_of
from goferry.doctor.explain.wraps import tidy
from goferry.doctor.verdict import Certainty, Verdict

MOST_MATCHES: Final = 1000
"""Messages with a fault that are judged from the start of a paste; its last ones are judged besides."""
_PLACES: Final = {id(signature): place for place, signature in enumerate(SIGNATURES)}


@dataclass(frozen=True, slots=True)
class Match:
    """A message with the signature that fits it; `count` messages of the paste say the same."""

    fact: Fact
    signature: Signature
    tags: frozenset[str]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict, what showed it (best first), and what the place is like."""

    verdict: Verdict
    matches: tuple[Match, ...]
    surroundings: Surroundings


def explain(chunks: Iterable[bytes]) -> Explanation:
    """Judges a paste or log of any size, read in chunks. `cannot_tell` when no signature fits."""
    read = paste_of(chunks)
    cleaned = Paste(tuple(line for line in read.lines if not only_traced(line.text)), read.marks)
    paste = Paste(tidy(cleaned.lines), cleaned.marks)
    around = surroundings_of(paste)
    matches = _matches(paste.lines, around)
    if all(match.signature.weak for match in matches):
        cut = sorted(_match_unwrapped(cleaned.lines, around), key=_rank)
        matches = [match for match in cut[:1] if not (matches and match.signature.weak)] or matches
    return Explanation(_verdict(matches), tuple(matches), around)


def _matches(lines: Sequence[Line], around: Surroundings) -> list[Match]:
    found: dict[tuple[str, str], Match] = {}
    facts = (fact for message in messages_of(lines) if (fact := fact_of(message)).tags)
    for fact in chain(islice(facts, MOST_MATCHES), deque(facts, maxlen=MOST_MATCHES)):
        match = _match(fact, around)
        if match is None:
            continue
        key = (match.signature.cause, match.fact.target.host)
        known = found.get(key)
        if known is None:
            found[key] = match
        else:
            best = min(known, match, key=_rank)
            found[key] = Match(best.fact, best.signature, best.tags, known.count + 1)
    strong = [match for match in found.values() if not match.signature.weak]
    return sorted(strong or found.values(), key=_rank)


def _match_unwrapped(lines: Sequence[Line], around: Surroundings) -> list[Match]:
    """The second look at a short paste that said little: something may have cut its lines in a way of its own."""
    if not 1 < len(lines) <= 60:
        return []
    facts = (fact_of(unwrapped(lines, glue)) for glue in ("", " "))
    return [match for fact in facts if fact.tags and (match := _match(fact, around))]


def _match(fact: Fact, around: Surroundings) -> Match | None:
    tags = fact.tags | around.tags | set(around.tags_for(fact.message.lines[0].number, fact.target))
    signature = next((signature for signature in SIGNATURES if signature.fits(tags)), None)
    return None if signature is None else Match(fact, signature, tags)


def _rank(match: Match) -> tuple[int, int, int]:
    """The surest first; of equally sure ones the one higher in the table, as its facts tell more."""
    signature = match.signature
    return signature.weak, signature.certainty.rank, _PLACES[id(signature)]


def _verdict(matches: Sequence[Match]) -> Verdict:
    if not matches:
        return Verdict(CANNOT_TELL, Certainty.POSSIBLE)
    first = matches[0].signature
    causes = [first.cause, *(match.signature.cause for match in matches), *first.others]
    return Verdict(first.cause, first.certainty, tuple(dict.fromkeys(causes)))
