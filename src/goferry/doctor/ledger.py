"""Where the time went: what go itself says about each request (`-x`), added up by host and outcome.

go has no overall limit and no retry, so its waits have known lengths: 30 s to connect, 10 s for a TLS handshake, 10 s
for names that no server answers, 60 s for a forward proxy. "90.1 s = 3 x 30 s connecting to the dead first entry" says
more than a total.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from goferry.doctor.evidence import Evidence, RunSeen
from goferry.doctor.gotrace import commands_of, timed_lines
from goferry.doctor.urls import split_url
from goferry.findings import Text
from goferry.i18n import N_

_ASKED: Final = re.compile(r"# get (?P<url>\S+)(?:: (?P<outcome>.+?)(?: \((?P<seconds>\d+\.\d+)s\))?)?")

_WAITS: Final = (
    ("i/o timeout", "lookup", N_("{count} x {each} s looking up {host}")),
    ("i/o timeout", "dial tcp", N_("{count} x {each} s connecting to {host}")),
    ("TLS handshake timeout", "", N_("{count} x {each} s in a TLS handshake with {host}")),
    ("context deadline exceeded", "", N_("{count} x {each} s waiting for {host}")),
)
_ANY: Final = N_("{count} x {each} s for answers of {host}")
_PROGRAM: Final = N_("{count} x {each} s in {program} from {host}")
_REMOTE: Final = (
    "git ls-remote",
    "git fetch",
    "git clone",
    "hg pull",
    "hg clone",
    "svn log",
    "svn export",
    "svn info",
)
_REST: Final = N_("{each} s for everything else")


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the ledger: how often, how long in all (seconds), and a sentence."""

    host: str
    count: int
    seconds: float
    said: Text

    def to_json(self) -> dict[str, Any]:
        return {
            "host": self.host,
            "count": self.count,
            "seconds": round(self.seconds, 3),
            "said": self.said.to_json(),
        }


def ledger(evidence: Evidence) -> tuple[Item, ...]:
    """The lines for the user's own run, longest first; empty when go was not run or was done within a second."""
    run = next((run for run in evidence.runs if run.label == "go"), None)
    if run is None or run.seconds < 1:
        return ()
    items = sorted(_items(run), key=lambda item: -item.seconds)
    left = run.seconds - sum(item.seconds for item in items)
    if left >= 0.05 * run.seconds:
        items.append(Item("", 1, left, Text(_REST, each=_short(left))))
    return tuple(items)


def _items(run: RunSeen) -> Iterable[Item]:
    waits: dict[tuple[str, str], list[float]] = {}
    for host, outcome, seconds in _questions(run):
        waits.setdefault((host, _sentence(outcome)), []).append(seconds)
    programs: dict[tuple[str, str], list[float]] = {}
    for command in commands_of(run):
        # Only those that talk to a repository: what git does here takes no time worth a line.
        if command.what in _REMOTE:
            seconds = run.seconds - command.began if command.seconds is None else command.seconds
            programs.setdefault((split_url(command.url).netloc, command.what), []).append(seconds)
    for (host, sentence), times in waits.items():
        yield _item(host, sentence, times)
    for (host, program), times in programs.items():
        yield _item(host, _PROGRAM, times, program=program)


def _item(host: str, sentence: str, times: list[float], **parts: str) -> Item:
    total = sum(times)
    each = _short(total / len(times))
    return Item(host, len(times), total, Text(sentence, count=len(times), each=each, host=host, **parts))


def _questions(run: RunSeen) -> Iterable[tuple[str, str, float]]:
    """Host, outcome and duration of each question. go prints no time with a failure: there the lines' own count."""
    began: dict[str, float] = {}
    for line, at in timed_lines(run):
        found = _ASKED.fullmatch(line)
        if found is None:
            continue
        url, outcome, seconds = found["url"], found["outcome"], found["seconds"]
        if outcome is None:
            began[url] = at
            continue
        start = began.pop(url, at)
        yield split_url(url).netloc, outcome, float(seconds) if seconds else at - start
    for url, at in began.items():
        if run.exit == -1:  # stopped while it waited
            yield split_url(url).netloc, "", run.seconds - at


def _sentence(outcome: str) -> str:
    for words, also, sentence in _WAITS:
        if words in outcome and also in outcome:
            return sentence
    return _ANY


def _short(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"
