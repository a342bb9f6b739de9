"""What all rules ask of the evidence: what go said, which way it took, and which hosts that way needs.

The real run of go is the anchor. Where it worked, nothing is wrong, whatever a probe saw beside its way; where it
failed, only hosts count that it really came to. A dead entry behind `|`, or an origin that nobody is asked for, is no
fault. Without a run of go (there is none, or a bare host was asked about) the probes alone have to do.
"""

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Final

from goferry.doctor.evidence import (
    AnswerSeen,
    DialSeen,
    Evidence,
    HandshakeSeen,
    NameSeen,
    Proxying,
    Role,
    RunSeen,
    Target,
)
from goferry.doctor.explain.clean import paste_of
from goferry.doctor.explain.facts import Fact, fact_of
from goferry.doctor.explain.messages import messages_of
from goferry.doctor.gotrace import Command, commands_of, timed_lines
from goferry.doctor.settings import targets as planned
from goferry.errors import InvalidInput
from goferry.gomod import goenv, goproxy
from goferry.net.failure import Failure
from goferry.net.httpproxy import split_host_port

SLOW: Final = 5.0
"""Seconds of a run that worked, from which on its slowness is a fault worth naming."""

MISSING: Final = (404, 410)
"""The only answers after which go walks on over a comma."""

_METADATA: Final = ("info", "mod", "zip")
_LISTS: Final = ("list", "latest")


# ---- what go said ------------------------------------------------------------------------------------------


def is_about_host(evidence: Evidence) -> bool:
    """Whether a bare host or URL was asked about: then go, its list and its modules do not come into it."""
    return bool(evidence.subject.host) and not evidence.subject.module


def go_run(evidence: Evidence) -> RunSeen | None:
    """The user's own command; None when it was not run, or when what was asked about is no module."""
    if is_about_host(evidence):
        return None
    return next((run for run in evidence.runs if run.label == "go"), None)


def is_broken(evidence: Evidence) -> bool:
    """Whether there is a fault to look for. Without a run of go: unless a module came from a proxy in full."""
    run = go_run(evidence)
    if run is not None:
        return run.exit != 0 and not was_at_work(evidence)
    files = [answer for answer in evidence.answers if answer.purpose in _METADATA and not is_redirect(answer)]
    zips = [answer for answer in files if answer.purpose == "zip"]
    return not any(is_well(answer) for answer in zips or files)


def is_slow(evidence: Evidence) -> bool:
    """Whether go worked and took long, or was stopped by its limit without a word of why."""
    run = go_run(evidence)
    return run is not None and run.seconds > SLOW and (run.exit == 0 or was_stopped(evidence))


def was_stopped(evidence: Evidence) -> bool:
    """Whether the time limit ended the run."""
    run = go_run(evidence)
    return run is not None and run.exit == -1


def was_at_work(evidence: Evidence) -> bool:
    """Whether the run that the time limit ended was still getting what it asked for: then it only takes long.

    Nothing may have waited for an answer. Where nobody saw it at work, it may not have waited for a program either, and
    no entry may have failed when probes asked it.
    """
    run = go_run(evidence)
    if run is None or not was_stopped(evidence) or any(_awaited(evidence)):
        return False
    if is_active(run):
        return True
    if unfinished(evidence) is not None:
        return False
    asked = [answer for place, _entry in walked(evidence) for answer in of_entry(evidence, place)]
    return any(is_well(answer) for answer in asked) and not any(answer.failure for answer in asked)


def is_active(run: RunSeen) -> bool:
    """Whether a run was seen at work shortly before its end."""
    return run.active > 0 and run.seconds - run.active < QUIET


QUIET: Final = 6.0
"""Seconds without a sign of work from which on a program only waits: git's servers give one every 5 seconds."""


def facts(evidence: Evidence) -> tuple[Fact, ...]:
    """The messages of the failed run, each with its tags."""
    run = go_run(evidence)
    return facts_in(run.output) if run is not None and run.exit != 0 else ()


@lru_cache(maxsize=32)
def facts_in(text: str) -> tuple[Fact, ...]:
    """The messages of any program's output."""
    return tuple(fact_of(message) for message in messages_of(paste_of([text.encode()]).lines))


def said(found: Iterable[Fact], *wanted: str) -> Fact | None:
    """The first message with all these tags; `a|b` stands for one of them."""
    needs = [frozenset(want.split("|")) for want in wanted]
    return next((fact for fact in found if all(not need.isdisjoint(fact.tags) for need in needs)), None)


_ADVICE: Final = (
    "Confirm the import path was entered correctly",
    "If this is a private repository, see",
    "For more information, see",
    "fatal: Could not read from remote repository",
    "Please make sure you have the correct access rights",
    "and the repository exists",
)
"""How go and git end many messages, whatever went wrong."""


def quoted(fact: Fact) -> str:
    """The line of a message that says most: its last one, but for general advice."""
    lines = [line.text.strip() for line in fact.message.lines]
    telling = [line for line in lines if line and not line.startswith(_ADVICE)]
    return next(reversed(telling or lines), "")


def last_words(run: RunSeen) -> str:
    """The end of what a program said, in one line."""
    lines = [line.strip() for line in run.output.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


# ---- the GOPROXY list --------------------------------------------------------------------------------------


def entries(evidence: Evidence) -> tuple[tuple[int, goproxy.Entry], ...]:
    """The GOPROXY list with places; () where there is none."""
    if not evidence.settings.value("GOPROXY"):
        return ()
    return planned.entries(evidence.settings)


def answers(evidence: Evidence) -> tuple[AnswerSeen, ...]:
    """What go itself was answered, as its trace and its messages tell, and then what probes were answered."""
    return (*told(evidence), *evidence.answers)


def told(evidence: Evidence) -> tuple[AnswerSeen, ...]:
    """Go's own questions as records: URL, status or failure, and for refused modules what the server said."""
    run = go_run(evidence)
    if run is None:
        return ()
    complaints = {fact.target.url: fact for fact in facts(evidence) if fact.target.url}
    found = {url: _told(evidence, url, outcome, complaints.get(url)) for url, outcome in _traced(run.trace)}
    for url, fact in complaints.items():
        found.setdefault(url, _told(evidence, url, fact.message.own, fact))
    for missing in _NO_FILE.finditer(run.output):
        # A module proxy of files says 404 by having none.
        url = missing["url"]
        found[url] = AnswerSeen(
            url, _purpose(url), entry=_entry_of(evidence, url), status=404, text=missing[0]
        )
    return tuple(found.values())


_TRACED: Final = re.compile(r"# get (?P<url>\S+?): (?P<outcome>.+?)(?: \(\d+\.\d+s\))?$", re.MULTILINE)
_STATUS: Final = re.compile(r"(?:^|: )(?P<status>[1-5]\d\d) [A-Z]")
_NO_FILE: Final = re.compile(
    r"reading (?P<url>file://\S+): (?:no such file or directory|.*cannot find the (?:file|path) specified)"
)
_PURPOSES: Final = (
    ("toolchain", re.compile(r"/golang\.org/toolchain/@v/")),
    ("supported", re.compile(r"/sumdb/.+/supported$")),
    ("lookup", re.compile(r"/lookup/[^/]+.*@|/tile/|/latest$")),
    ("go_get", re.compile(r"[?&]go-get=1")),
    ("zip", re.compile(r"/@v/[^/]+\.zip$")),
    ("mod", re.compile(r"/@v/[^/]+\.mod$")),
    ("info", re.compile(r"/@v/[^/]+\.info$")),
    ("list", re.compile(r"/@v/list$")),
    ("latest", re.compile(r"/@latest$")),
)


def _traced(trace: str) -> Iterator[tuple[str, str]]:
    return ((match["url"], match["outcome"]) for match in _TRACED.finditer(trace))


def _told(evidence: Evidence, url: str, outcome: str, fact: Fact | None) -> AnswerSeen:
    """One question: the trace knows the status, and the message what became of the body."""
    status = _STATUS.search(outcome)
    broke = fact is not None and (status is None or status["status"] == "200")
    failure = _failure(fact) if fact is not None and broke else "" if status else Failure.UNKNOWN
    return AnswerSeen(
        url,
        _purpose(url),
        entry=_entry_of(evidence, url),
        status=int(status["status"]) if status else 0,
        body=fact.message.said if fact is not None else "",
        failure=failure,
        text=quoted(fact) if fact is not None else outcome.strip()[:300],
    )


_FAILURES: Final = (
    ("body_eof", Failure.BODY_TRUNCATED),
    ("reset", Failure.CONNECT_RESET),
    ("eof", Failure.NO_ANSWER),
    ("dial_timeout", Failure.CONNECT_TIMEOUT),
    ("dial_refused", Failure.CONNECT_REFUSED),
    ("tls_timeout", Failure.TLS_TIMEOUT),
)


def _purpose(url: str) -> str:
    """What was asked for, by the form of its URL."""
    return next((purpose for purpose, shape in _PURPOSES if shape.search(url)), "")


def _failure(fact: Fact) -> str:
    """The failure that a message tells of, by its tags."""
    return next((failure for tag, failure in _FAILURES if tag in fact.tags), Failure.UNKNOWN)


def _entry_of(evidence: Evidence, url: str) -> int:
    """The entry below which a URL lies, -1 for none."""
    bare = _bare(url)
    return next(
        (
            place
            for place, entry in entries(evidence)
            if entry.is_proxy and bare.startswith(_bare(entry.url) + "/")
        ),
        -1,
    )


def _bare(url: str) -> str:
    """The URL without scheme, user and final slash."""
    head, slash, rest = url.partition("://")[2].partition("/")
    return f"{head.rpartition('@')[2]}{slash}{rest}".rstrip("/")


def of_entry(evidence: Evidence, place: int) -> list[AnswerSeen]:
    """The first answers of one entry about modules, those that decide first: version files before lists."""
    found = [answer for answer in answers(evidence) if answer.entry == place and answer.attempt == 1]
    return [
        answer
        for purposes in (_METADATA, _LISTS)
        for answer in found
        if answer.purpose in purposes and not is_redirect(answer)
    ]


def is_redirect(answer: AnswerSeen) -> bool:
    """Whether another place was named to ask; what that said is an answer of its own."""
    return 300 <= answer.status < 400


def bad_answer(evidence: Evidence, place: int) -> AnswerSeen | None:
    """The answer at which go gives this entry up: a failure, or "not there" where nothing else came."""
    found = of_entry(evidence, place)
    files = [answer for answer in found if answer.purpose in _METADATA]
    failed = [answer for answer in found if answer.status not in MISSING and not is_well(answer)]
    missing = [answer for answer in files or found if answer.status in MISSING]
    return next(chain(failed, missing), None)


def is_well(answer: AnswerSeen) -> bool:
    """Whether it was answered in full, and with what was asked for: no web page, and no other nonsense."""
    return answer.status == 200 and not answer.failure and not is_page(answer) and not is_nonsense(answer)


def is_page(answer: AnswerSeen) -> bool:
    """Whether this is HTML where no HTML can be."""
    return answer.purpose not in ("go_get", "origin", "portal", "root") and answer.body.lstrip()[:1] == "<"


_WHOLE: Final = 4096
"""Bytes of a body that are kept: a shorter one is here whole."""
_SHAPES: Final = {
    "info": re.compile(r"\s*\{"),
    "latest": re.compile(r"\s*\{"),
    "mod": re.compile(r"(?:.*\n)*?\s*module[\s(]"),
    "zip": re.compile(r"PK"),
}
"""How a file of each kind must begin, or in go.mod, what some line must say."""


def is_nonsense(answer: AnswerSeen) -> bool:
    """Whether the body of a whole answer cannot be such a file; of go's own answers only the status is known."""
    shape = _SHAPES.get(answer.purpose)
    has_body = answer.size > 0 or answer.declared == 0
    # Go understands what is compressed, and what was kept here is the body as it came.
    is_coded = answer.headers.get("content-encoding", "identity") != "identity"
    if shape is None or is_coded or not has_body or answer.status != 200 or answer.failure:
        return False
    is_cut = answer.purpose == "mod" and answer.size >= _WHOLE
    return not is_cut and shape.match(answer.body) is None


_SIGN_IN: Final = re.compile(r"type=[\"']?password|sign[ _-]?in|log[ _-]?in|saml|oauth", re.IGNORECASE)


def sign_in_page(evidence: Evidence) -> AnswerSeen | None:
    """A page for people to sign in, where an origin was to answer git, or go's question for the repository."""
    for answer in evidence.answers if goes_direct(evidence) else ():
        if answer.status != 200 or answer.body.lstrip()[:1] != "<" or "root" in answer.facts:
            continue
        # git's own answer is never a page; an import host's is one, and may be of any kind.
        is_login = answer.purpose == "origin" or (answer.purpose == "go_get" and "go-get=1" not in answer.url)
        if is_login and _SIGN_IN.search(f"{answer.url} {answer.body}"):
            return answer
    return None


def is_good(evidence: Evidence, place: int) -> bool:
    """Whether an entry gave all it was asked for."""
    return bool(of_entry(evidence, place)) and bad_answer(evidence, place) is None


def walked(evidence: Evidence) -> tuple[tuple[int, goproxy.Entry], ...]:
    """The entries that go comes to, the last one being where it stops."""
    found = []
    for place, entry in entries(evidence):
        found.append((place, entry))
        if is_good(evidence, place) or not (entry.falls_through_on_any or _is_passed(evidence, place, entry)):
            break
    return tuple(found)


def _is_passed(evidence: Evidence, place: int, entry: goproxy.Entry) -> bool:
    answer = bad_answer(evidence, place)
    return entry.url.startswith("file:") or (answer is not None and answer.status in MISSING)


# ---- hosts on the way --------------------------------------------------------------------------------------


def way(evidence: Evidence) -> tuple[Target, ...]:
    """The targets that go comes to, in its order, forward proxies last."""
    if is_about_host(evidence):
        used = [target for target in evidence.targets if target.role is not Role.CONTROL]
        return tuple(used)
    used = [target for target in evidence.targets if _is_used(evidence, target)]
    proxies = {via(evidence, target) for target in used}
    forward = [
        target
        for target in evidence.targets
        if target.role is Role.FORWARD_PROXY and any(authority(target) in proxy for proxy in proxies)
    ]
    return (*used, *forward)


def _is_used(evidence: Evidence, target: Target) -> bool:
    if target.role is Role.GOPROXY:
        return asks_proxies(evidence) and target.entry in {place for place, _entry in walked(evidence)}
    if target.role is Role.SUMDB:
        return asks_sumdb_itself(evidence)
    if target.role in (Role.IMPORT_HOST, Role.CODE_HOST):
        return goes_direct(evidence)
    return target.role is Role.STORAGE


def modules(evidence: Evidence) -> tuple[str, ...]:
    """The module paths that are wanted."""
    if evidence.subject.module:
        return (evidence.subject.module,)
    return tuple(item.partition("@")[0] for item in evidence.settings.requires)


def asks_proxies(evidence: Evidence) -> bool:
    """Whether any wanted module comes from a mirror at all."""
    if evidence.settings.value("GO111MODULE") == "off" or is_about_host(evidence):
        return False
    wanted = modules(evidence)
    return not wanted or any(not planned.is_private(evidence.settings, path) for path in wanted)


def goes_direct(evidence: Evidence) -> bool:
    """Whether origins are asked: for private modules, in GOPATH mode, or where the walk comes to `direct`."""
    if is_about_host(evidence):
        return False
    wanted = modules(evidence)
    if any(planned.is_private(evidence.settings, path) for path in wanted):
        return True
    if evidence.settings.value("GO111MODULE") == "off":
        return True
    return any(entry.url == goproxy.DIRECT for _place, entry in walked(evidence))


def uses_sumdb(evidence: Evidence) -> bool:
    """Whether the sums of any wanted module are checked with the database."""
    if is_about_host(evidence):
        return False
    wanted = modules(evidence) or ("example.org/any",)
    try:
        return any(planned.uses_sumdb(evidence.settings, path) for path in wanted)
    except InvalidInput:
        return False


def asks_sumdb_itself(evidence: Evidence) -> bool:
    """Whether the database's own host is asked: no mirror stands in for it, or GOSUMDB names a URL."""
    if not uses_sumdb(evidence):
        return False
    try:
        database = goenv.parse_sumdb(evidence.settings.value("GOSUMDB"))
    except InvalidInput:
        return False
    if database is not None and database.url:
        return True
    return not any(answer.purpose == "supported" and is_well(answer) for answer in answers(evidence))


def blamed(evidence: Evidence) -> tuple[str, ...]:
    """The hosts that the messages of the failed run are about; of a stopped one, those it still waited for."""
    named = [fact.target.host for fact in facts(evidence) if fact.target.host]
    return tuple(dict.fromkeys(host_of(host) for host in (*named, *_awaited(evidence))))


_BEGUN: Final = re.compile(r"^# get (?P<url>\S+)$")
_PATIENCE: Final = 3.0
"""Seconds for an answer that is on its way when the time limit comes."""


def _awaited(evidence: Evidence) -> Iterator[str]:
    """Hosts of questions that had waited for an answer when the time limit came."""
    run = go_run(evidence)
    if run is None or run.exit != -1:
        return
    answered = {url for url, _outcome in _traced(run.trace)}
    for line, moment in timed_lines(run):
        begun = _BEGUN.match(line)
        if begun and begun["url"] not in answered and run.seconds - moment >= _PATIENCE:
            yield host_in(begun["url"])


def unfinished(evidence: Evidence) -> Command | None:
    """What git, or another program that go had started, was still at when the time limit came."""
    run = go_run(evidence)
    if run is None or run.exit != -1:
        return None
    return next((command for command in commands_of(run) if command.seconds is None), None)


def needed(evidence: Evidence) -> tuple[Target, ...]:
    """The targets to look for the fault at: those go complained of, else all on its way."""
    used = way(evidence)
    hosts = blamed(evidence)
    proxies = {proxy for target in used if target.host in hosts for proxy in [via(evidence, target)] if proxy}
    chosen = [
        target
        for target in used
        if target.host in hosts or any(authority(target) in proxy for proxy in proxies)
    ]
    return tuple(chosen) or used


def host_of(text: str) -> str:
    """The host of `host[:port]`, in lower case, without brackets."""
    split = split_host_port(text)
    return (split[0] if split is not None else text).strip("[]").lower()


def authority(target: Target) -> str:
    """host:port, with brackets where they are needed."""
    return f"[{target.host}]:{target.port}" if ":" in target.host else f"{target.host}:{target.port}"


def host_in(url: str) -> str:
    """The host:port or host that a URL names."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]


# ---- what was seen of a host -------------------------------------------------------------------------------


def proxying(evidence: Evidence, target: Target, stack: str = "") -> Proxying | None:
    """The decision about forward proxies for this target, by the stack that asks it."""
    wanted = stack or ("git" if target.role is Role.CODE_HOST else "go")
    return next(
        (each for each in evidence.settings.proxying if (each.stack, each.host) == (wanted, target.host)),
        None,
    )


def via(evidence: Evidence, target: Target) -> str:
    """The forward proxy on the way to a target, "" for none."""
    decision = proxying(evidence, target)
    return "" if decision is None else decision.proxy


def direct_targets(evidence: Evidence) -> Iterator[Target]:
    """The needed targets that are connected to from here, forward proxies among them."""
    return (target for target in needed(evidence) if not via(evidence, target))


def name_seen(evidence: Evidence, host: str) -> NameSeen | None:
    """What Go's resolver made of a name."""
    return next((name for name in evidence.names if (name.asker, name.name) == ("go", host)), None)


def names_of(evidence: Evidence, host: str, *askers: str) -> list[NameSeen]:
    """What these askers said of a name."""
    return [name for name in evidence.names if name.name == host and name.asker in askers]


def go_addresses(evidence: Evidence, host: str) -> tuple[str, ...]:
    """The addresses that go would connect to."""
    seen = name_seen(evidence, host)
    return seen.addresses if seen is not None else ()


def dials(evidence: Evidence, target: Target) -> list[DialSeen]:
    """The connections that go would make to this target: its addresses, no changed packet size."""
    addresses = go_addresses(evidence, target.host) or (target.host,)
    return [
        dial
        for dial in evidence.dials
        if (dial.host, dial.port, dial.mss) == (target.host, target.port, 0) and dial.address in addresses
    ]


def handshakes(evidence: Evidence, target: Target) -> list[HandshakeSeen]:
    """The handshakes as go would make them with this target, without a forward proxy."""
    addresses = go_addresses(evidence, target.host)
    return [
        shake
        for shake in evidence.handshakes
        if (shake.host, shake.port, shake.sni, shake.mss, shake.via)
        == (target.host, target.port, target.host, 0, "")
        and shake.hello == "go"
        and (shake.address in addresses or not addresses)
    ]


def differentials(evidence: Evidence, shake: HandshakeSeen) -> list[HandshakeSeen]:
    """Other handshakes at the same address and port."""
    return [
        other
        for other in evidence.handshakes
        if other is not shake
        and (other.host, other.address, other.port, other.via)
        == (shake.host, shake.address, shake.port, shake.via)
    ]


def is_answered(shake: HandshakeSeen) -> bool:
    """Whether the server spoke TLS at all: an alert is an answer too."""
    return not shake.failure or shake.alert >= 0


def is_verified(shake: HandshakeSeen) -> bool:
    """Whether this is the host that was meant: the chain holds in the store of Go, or in the shipped public one."""
    return not shake.failure and not shake.wrong and bool({"go", "public"} & set(shake.trusted))


def answers_of(evidence: Evidence, target: Target) -> list[AnswerSeen]:
    """The HTTP answers of a target."""
    wanted = (target.host, authority(target))
    return [answer for answer in answers(evidence) if host_in(answer.url) in wanted]
