"""The module proxy's own side: R32 to R36, R39, R40, and R51 for its outages.

For each entry that go comes to there is one answer at which go gives it up. Its status, and whose voice its text is,
tell the fault; what stands behind the comma, and what the origin says, tell whose fault it is.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from goferry.doctor.addresses import kind_of
from goferry.doctor.causes import Whose
from goferry.doctor.evidence import AnswerSeen, Evidence
from goferry.doctor.explain.facts import words_in
from goferry.doctor.explain.targets import PUBLIC_MIRRORS, host_tags
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import ended
from goferry.doctor.settings import targets as planned
from goferry.doctor.verdict import Certainty, Judgement, Proof
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.i18n import N_
from goferry.net.failure import Failure


@dataclass(frozen=True, slots=True)
class Stop:
    """An entry that go came to, and the answer at which it gave it up. is_last: go did not come to another one."""

    place: int
    entry: goproxy.Entry
    answer: AnswerSeen
    is_last: bool

    @property
    def where(self) -> str:
        return scene.host_in(self.entry.url)

    @property
    def tags(self) -> frozenset[str]:
        """What the body says, in the words of explain."""
        return frozenset(words_in(self.answer.body))


def stops(evidence: Evidence) -> Iterator[Stop]:
    """Every entry of the walk that did not give what it was asked for."""
    walked = scene.walked(evidence) if scene.asks_proxies(evidence) else ()
    for place, entry in walked:
        answer = scene.bad_answer(evidence, place)
        if answer is not None and entry.is_proxy:
            yield Stop(place, entry, answer, place == walked[-1][0])


def spoken(evidence: Evidence) -> Iterator[Stop]:
    """Those that ended with a status of the mirror itself."""
    return (stop for stop in stops(evidence) if stop.answer.status and not stop.answer.failure)


def _said(answer: AnswerSeen) -> Text | str:
    return ended(answer.status, answer.failure, answer.text)


def _asked(answer: AnswerSeen) -> Text:
    return Text(N_("{url}: {said}"), url=answer.url, said=_said(answer))


def is_own(host: str) -> bool:
    """Whether this is a mirror that somebody runs for themselves, and not one that everybody uses."""
    name = scene.host_of(host)
    return not (name.endswith(PUBLIC_MIRRORS) or "google_host" in set(host_tags(name)))


def _other_entry(evidence: Evidence, stop: Stop) -> Proof | None:
    """Another entry that has what this one did not give."""
    for place, _entry in scene.entries(evidence):
        if place == stop.place or not scene.is_good(evidence, place):
            continue
        good = next(answer for answer in scene.of_entry(evidence, place) if scene.is_well(answer))
        return Proof(_asked(stop.answer), _asked(good), Text(N_("the entry of GOPROXY")))
    return None


# ---- R32: the comma ----------------------------------------------------------------------------------------


def _comma(evidence: Evidence) -> Iterable[Judgement]:
    """Somebody behind the comma would have answered, and go may not ask them."""
    listed = scene.entries(evidence)
    for stop in spoken(evidence):
        behind = [entry for place, entry in listed if place > stop.place and entry.url != goproxy.OFF]
        if stop.answer.status in scene.MISSING or stop.entry.falls_through_on_any or not behind:
            continue
        proof = _behind(evidence, stop)
        yield judged(
            evidence, "R32", "goproxy_comma_no_fallback", "GOPROXY", "settings",
            Text(N_("{host} answers {status}, and a comma passes on 404 and 410 only: {next} is never asked"),
                 host=stop.where, status=stop.answer.status, next=behind[0].name),
            proof=proof,
            weak=True,
        )  # fmt: skip


def _behind(evidence: Evidence, stop: Stop) -> Proof | None:
    """A later entry that has it, or the origin that `direct` would ask."""
    proof = _other_entry(evidence, stop)
    if proof is not None:
        return proof
    has_direct = any(
        entry.url == goproxy.DIRECT for place, entry in scene.entries(evidence) if place > stop.place
    )
    origin = origin_answer(evidence)
    if has_direct and origin is not None:
        return Proof(_asked(stop.answer), _asked(origin), Text(N_("who is asked")))
    return None


def origin_answer(evidence: Evidence) -> AnswerSeen | None:
    """The repository itself, answering for the module."""
    return next(
        (answer for answer in evidence.answers if answer.purpose == "origin" and scene.is_well(answer)), None
    )


COMMA = Rule(
    "R32",
    N_("The comma in GOPROXY forbids the next entry"),
    ("goproxy_comma_no_fallback",),
    when_broken(_comma),
)


# ---- R33, R35: not there -----------------------------------------------------------------------------------


def _missing(evidence: Evidence) -> list[Stop]:
    """The entries, when all of them say "not there" and nobody else is asked."""
    listed = scene.entries(evidence)
    found = list(stops(evidence))
    is_closed = bool(listed) and all(entry.is_proxy or entry.url == goproxy.OFF for _place, entry in listed)
    proxies = [place for place, entry in listed if entry.is_proxy]
    if not is_closed or len(found) != len(proxies) or not scene.asks_proxies(evidence):
        return []
    return found if all(stop.answer.status in scene.MISSING for stop in found) else []


def _no_direct(evidence: Evidence) -> Iterable[Judgement]:
    found = _missing(evidence)
    if not found or _lacks_revision(evidence) or _is_known_elsewhere(evidence, found[-1]):
        return
    origin = origin_answer(evidence)
    git = _git_answer(evidence)
    stop = found[-1]
    proof = None
    if git:
        proof = Proof(
            _asked(stop.answer),
            Text(N_("git ls-remote {url}: the version is there"), url=git),
            Text(N_("who is asked")),
        )
    elif origin is not None:
        proof = Proof(_asked(stop.answer), _asked(origin), Text(N_("who is asked")))
    yield judged(
        evidence, "R33", "goproxy_lacks_module_no_direct", "GOPROXY", "settings",
        Text(N_("every entry answers {status}, and the list has no direct: {list}"), status=stop.answer.status,
             list=goproxy.redact(evidence.settings.value("GOPROXY"))),
        proof=proof,
    )  # fmt: skip


def _lacks_revision(evidence: Evidence) -> bool:
    """Whether the origin was asked and does not have the version either, or a mirror says so."""
    version = wanted_version(evidence)
    tags = repository_tags(evidence)
    if version and tags and not has_version(tags, version):
        return True
    said = {tag for stop in stops(evidence) for tag in stop.tags}
    return bool(
        said & {*_UPSTREAM, "unknown_revision", "git_prompt", "git_denied", "repo_missing", "not_a_package"}
    )


def wanted_version(evidence: Evidence) -> str:
    """The version that the failure is about."""
    subject = evidence.subject.version
    if subject and subject != "latest":
        return subject
    return next((fact.target.version for fact in scene.facts(evidence) if fact.target.version), "")


_TAG: Final = re.compile(r"^[0-9a-f]{40,64}\trefs/tags/(\S+?)(?:\^\{\})?$", re.MULTILINE)


def repository_tags(evidence: Evidence) -> tuple[str, ...]:
    """The tags that git saw; () when it did not get there."""
    return tuple(
        dict.fromkeys(
            match[1]
            for run in evidence.runs
            if run.label == "git ls-remote" and run.exit == 0
            for match in _TAG.finditer(run.output)
        )
    )


def has_version(tags: Iterable[str], version: str) -> bool:
    """Whether a tag stands for the version, also that of a module in a folder (`folder/v1.2.3`)."""
    bare = version.removesuffix("+incompatible")
    return any(tag == bare or tag.endswith(f"/{bare}") for tag in tags)


def _git_answer(evidence: Evidence) -> str:
    """The repository that git found the version in; "" for none."""
    version = wanted_version(evidence)
    if not has_version(repository_tags(evidence), version):
        return ""
    return next(
        run.facts.get("url", "") for run in evidence.runs if run.label == "git ls-remote" and run.exit == 0
    )


def _is_known_elsewhere(evidence: Evidence, stop: Stop) -> bool:
    """Whether the entry knows the module and only not this version: then it is behind, or the version is wrong."""
    version = wanted_version(evidence)
    lists = [
        answer for answer in scene.of_entry(evidence, stop.place) if answer.purpose in ("list", "latest")
    ]
    return bool(version) and any(scene.is_well(answer) and answer.body.strip() for answer in lists)


NO_DIRECT = Rule(
    "R33",
    N_("No entry of GOPROXY has the module, and the list has no direct"),
    ("goproxy_lacks_module_no_direct",),
    when_broken(_no_direct),
)


def _lag(evidence: Evidence) -> Iterable[Judgement]:
    """The mirror knows the module and says "not there" of a version that its own list, or the origin, names."""
    version = wanted_version(evidence)
    tags = repository_tags(evidence)
    for stop in stops(evidence):
        is_missing = stop.answer.status in scene.MISSING and version and _is_known_elsewhere(evidence, stop)
        if not is_missing or (tags and not has_version(tags, version)):
            continue
        yield judged(
            evidence, "R35", "mirror_lag_negative_cache", stop.where, "request",
            Text(N_("{host} knows the module and answers {status} for {version}"), host=stop.where,
                 status=stop.answer.status, version=version),
            proof=_named(evidence, stop, version),
            weak=True,
        )  # fmt: skip


def _named(evidence: Evidence, stop: Stop, version: str) -> Proof | None:
    """Where the version is to be seen: in the mirror's own list, or among the tags of the repository."""
    for answer in scene.of_entry(evidence, stop.place):
        if answer.purpose == "list" and scene.is_well(answer) and version in answer.body.split():
            there = Text(N_("{url}: names {version}"), url=answer.url, version=version)
            return Proof(_asked(stop.answer), there, Text(N_("what is asked of it")))
    if not has_version(repository_tags(evidence), version):
        return None
    there = Text(N_("git ls-remote {url}: {version} is there"), url=_git_answer(evidence), version=version)
    return Proof(_asked(stop.answer), there, Text(N_("who is asked")))


LAG = Rule(
    "R35", N_("The mirror has not seen the version yet"), ("mirror_lag_negative_cache",), when_broken(_lag)
)


# ---- R34: the mirror's own view ----------------------------------------------------------------------------

_UPSTREAM: Final = frozenset({
    "dial_timeout", "dial_refused", "dns_timeout", "dns_refused", "dns_none", "dns_unable", "tls_timeout", "reset",
    "unknown_authority", "deadline", "no_route", "unreachable", "hung_up", "proxyconnect",
})  # fmt: skip
_LOGIN: Final = frozenset({"git_prompt", "git_denied", "ssh_key"})


def _upstream(evidence: Evidence) -> Iterable[Judgement]:
    for stop in spoken(evidence):
        tags = stop.tags
        if not stop.is_last:
            continue
        if _wants_login(stop):
            if may_read_inside(evidence, stop.where):
                yield judged(
                    evidence, "R34", "goproxy_lacks_vcs_credentials", stop.where, "request",
                    Text(N_("{host} may not read the repository: {said}"), host=stop.where,
                         said=_line(stop.answer.body)),
                )  # fmt: skip
        elif stop.answer.status == 407 and stop.answer.url.startswith("https:"):
            yield judged(
                evidence, "R34", "goproxy_upstream_unreachable", stop.where, "request",
                Text(N_("{host} passes on 407: the forward proxy on its own way out wants a login"), host=stop.where),
            )  # fmt: skip
        elif tags & _UPSTREAM and not _cannot_know(evidence, stop):
            yield judged(
                evidence, "R34", "goproxy_upstream_unreachable", stop.where, "request",
                Text(N_("{host} reports that it cannot reach the origin: {said}"), host=stop.where,
                     said=_line(stop.answer.body)),
                sole=True,
            )  # fmt: skip


def _cannot_know(evidence: Evidence, stop: Stop) -> bool:
    """Whether a mirror outside was asked for a host that only exists inside: not its network is at fault (R31)."""
    paths = [path for path in scene.modules(evidence) if not planned.is_private(evidence.settings, path)]
    asked = any(is_inside(evidence, path.partition("/")[0]) and path in stop.answer.url for path in paths)
    return "dns_none" in stop.tags and asked and not is_inside(evidence, scene.host_of(stop.where))


def _wants_login(stop: Stop) -> bool:
    """Whether the mirror's git was asked for a login."""
    if "git_denied" in stop.tags:
        return "git" in stop.answer.body or "fatal:" in stop.answer.body
    return not _LOGIN.isdisjoint(stop.tags)


def may_read_inside(evidence: Evidence, host: str) -> bool:
    """Whether this mirror is one that could be given credentials: the company's own, or one for a module outside."""
    if not is_own(host):
        return False
    return is_inside(evidence, scene.host_of(host)) or not any(
        is_inside(evidence, path.partition("/")[0]) for path in scene.modules(evidence)
    )


def is_inside(evidence: Evidence, host: str) -> bool:
    """Whether a host is one that only its company knows: by its addresses, or failing that by its name."""
    addresses = scene.go_addresses(evidence, host)
    if addresses:
        return all(kind_of(address).may_be_internal for address in addresses)
    return "inside_host" in set(host_tags(host)) or ".corp." in f".{host}."


def _line(body: str) -> str:
    lines = [line.strip() for line in body.splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""


UPSTREAM = Rule(
    "R34",
    N_("The mirror itself cannot get at the origin"),
    ("goproxy_upstream_unreachable", "goproxy_lacks_vcs_credentials"),
    when_broken(_upstream),
)


# ---- R36: too many questions -------------------------------------------------------------------------------


def _limited(evidence: Evidence) -> Iterable[Judgement]:
    for stop in spoken(evidence):
        if stop.answer.status == 429:
            yield judged(
                evidence, "R36", "rate_limited_429", stop.where, "request",
                _wait(stop.where, (each for each in evidence.answers if each.entry == stop.place)),
                proof=_later(evidence, stop) or _other_entry(evidence, stop),
                sole=True,
            )  # fmt: skip
    origin = next((each for each in evidence.answers if each.purpose == "origin"), None)
    if origin is not None and origin.status == 429 and scene.goes_direct(evidence):
        where = scene.host_in(origin.url)
        yield judged(
            evidence, "R36", "rate_limited_429", where, "vcs", _wait(where, (origin,)), sole=True,
        )  # fmt: skip


def _wait(host: str, answers: Iterable[AnswerSeen]) -> Text:
    """How long to wait, where any of the refusals says so."""
    waits = (each.headers.get("retry-after", "") for each in answers if each.status == 429)
    wait = next((wait for wait in waits if wait), "")
    if not wait:
        return Text(N_("{host} answers 429, and does not say how long to wait"), host=host)
    return Text(N_("{host} answers 429, and asks to wait {wait}"), host=host,
                wait=f"{wait} s" if wait.isdecimal() else wait)  # fmt: skip


def _later(evidence: Evidence, stop: Stop) -> Proof | None:
    again = next(
        (
            each
            for each in evidence.answers
            if each.url == stop.answer.url and each.attempt > 1 and scene.is_well(each)
        ),
        None,
    )
    if again is None:
        return None
    return Proof(_asked(stop.answer), _asked(again), Text(N_("the pace of questions")))


LIMITED = Rule("R36", N_("The module proxy limits this client"), ("rate_limited_429",), when_broken(_limited))


_REFUSED: Final = (401, 403, 451)
_NO_NAME: Final = (
    Failure.DNS_NOT_FOUND,
    Failure.DNS_TIMEOUT,
    Failure.DNS_REFUSED,
    Failure.DNS_SERVER_FAILURE,
    Failure.DNS_BAD_ANSWER,
)


# ---- R39: metadata yes, zip no -----------------------------------------------------------------------------


def _storage(evidence: Evidence) -> Iterable[Judgement]:
    """The version's other files come; the zip is refused, or the host that it is redirected to is out of reach."""
    for stop in stops(evidence):
        files = scene.of_entry(evidence, stop.place)
        good = next((each for each in files if each.purpose in ("info", "mod") and scene.is_well(each)), None)
        refused = [each for each in files if each.purpose == "zip" and _is_refused(stop, each)]
        # Go tells the address that it asked, and the storage's own words stand in the answer behind the redirect.
        bad = next((each for each in refused if _is_away(stop, each)), next(iter(refused), None))
        if good is None or bad is None:
            continue
        yield judged(
            evidence, "R39", "zip_storage_forbidden", scene.host_in(bad.url), "storage",
            Text(N_("{host} gives .info and .mod, and the zip is refused: {url}: {said}"), host=stop.where,
                 url=bad.url, said=_in_words(bad)),
            proof=Proof(_asked(bad), _asked(good), Text(N_("the file"))),
        )  # fmt: skip


def _is_away(stop: Stop, answer: AnswerSeen) -> bool:
    """Whether another host was asked, one that the mirror redirected to."""
    return scene.host_in(answer.url) != stop.where


def _is_refused(stop: Stop, answer: AnswerSeen) -> bool:
    """Storages answer 400 too, for a signature or a token that has run out. One whose name is not known refused
    nothing: it was never asked (R04 to R07)."""
    if answer.status == 0 and answer.failure in _NO_NAME:
        return False
    return answer.status in _REFUSED or (_is_away(stop, answer) and answer.status in (0, 400))


_XML: Final = re.compile(r"<Code>(?P<code>\w+)</Code>(?:\s*<Message>(?P<message>[^<]*)</Message>)?")


def _in_words(answer: AnswerSeen) -> Text | str:
    """How it ended, with the words of the storage, which often say why."""
    found = _XML.search(answer.body)
    if found is None:
        return _said(answer)
    words = " ".join(word for word in (found["code"], found["message"]) if word)
    return Text("{said} ({words})", said=_said(answer), words=words[:200])


STORAGE = Rule("R39", N_("Only the zip is refused"), ("zip_storage_forbidden",), when_broken(_storage))


# ---- R40: HTTP/2 -------------------------------------------------------------------------------------------


def _http2(evidence: Evidence) -> Iterable[Judgement]:
    heard = scene.said(scene.facts(evidence), "stream")
    if heard is None:
        return
    host = heard.target.host or next((stop.where for stop in stops(evidence)), "")
    by_old = next(
        (
            answer
            for answer in evidence.answers
            if scene.host_in(answer.url) == host and answer.protocol == "HTTP/1.1" and scene.is_well(answer)
        ),
        None,
    )
    proof = None
    if by_old is not None:
        proof = Proof(
            Text(N_("go over HTTP/2: {said}"), said=scene.quoted(heard)),
            Text(N_("{url} over HTTP/1.1: {said}"), url=by_old.url, said=by_old.status),
            Text(N_("the version of HTTP")),
        )
    yield judged(
        evidence, "R40", "http2_server_fault", host or "GOPROXY", "request",
        Text(N_("HTTP/2 breaks: {said}"), said=scene.quoted(heard)),
        proof=proof,
    )  # fmt: skip


HTTP2 = Rule("R40", N_("HTTP/2 breaks on the serving side"), ("http2_server_fault",), when_broken(_http2))


# ---- R51: outages ------------------------------------------------------------------------------------------

_NGINX: Final = ("nginx", "openresty", "haproxy", "envoy", "varnish", "traefik", "caddy")


def _outage(evidence: Evidence) -> Iterable[Judgement]:
    for stop in spoken(evidence):
        if not 500 <= stop.answer.status < 600 or stop.tags & _UPSTREAM or _wants_login(stop):
            continue
        cause = _outage_of(evidence, stop)
        yield judged(
            evidence, "R51", cause, stop.where, "request",
            Text(N_("{host} answers {status}: {said}"), host=stop.where, status=stop.answer.status,
                 said=_said_with_it(evidence, stop)),
            proof=_other_entry(evidence, stop),
            sole=True,
        )  # fmt: skip
    yield from _refusals(evidence)
    yield from _silence(evidence)
    yield from _odd_statuses(evidence)
    yield from _nonsense(evidence)


def _said_with_it(evidence: Evidence, stop: Stop) -> str:
    """The words that came with the status; go does not pass on those of a storage."""
    same = (
        each for each in evidence.answers if each.entry == stop.place and each.status == stop.answer.status
    )
    bodies = (stop.answer.body, *(each.body for each in same))
    codes = (found["code"] for body in bodies if (found := _XML.search(body)) is not None)
    return next(codes, "") or next((line for body in bodies if (line := _line(body))), "")


def _outage_of(evidence: Evidence, stop: Stop) -> str:
    """Who gave up: the mirror, or the server before it, which tells its name in a header or in its page."""
    said = f"{_servers(evidence, stop)} {stop.answer.body[:400]}".lower()
    if "no_live" in stop.tags or "no healthy upstream" in said:
        return "reverse_proxy_no_live_upstream"
    is_front = any(name in said for name in _NGINX)
    return "reverse_proxy_timeout" if stop.answer.status == 504 and is_front else "goproxy_server_5xx"


def _servers(evidence: Evidence, stop: Stop) -> str:
    """Who refuses, by the Server headers of the mirror's refusals: go does not tell those of its own answers."""
    same = (
        answer
        for answer in evidence.answers
        if scene.host_in(answer.url) == stop.where and answer.status >= 400
    )
    return " ".join(answer.headers.get("server", "") for answer in (stop.answer, *same))


def _refusals(evidence: Evidence) -> Iterable[Judgement]:
    """The mirror does not serve this client: one's own wants to know who asks, everybody's wants no one from here."""
    for stop in spoken(evidence):
        status = stop.answer.status
        if status not in _REFUSED or not stop.is_last or stop.answer.purpose == "zip" or _wants_login(stop):
            continue
        if not is_own(stop.where):
            yield judged(
                evidence, "R51", "goproxy_host_blocked", stop.where, "request",
                Text(N_("{host} is there for everybody, and answers {status} to this network: {said}"), host=stop.where,
                     status=status, said=_line(stop.answer.body)),
                proof=_other_entry(evidence, stop),
            )  # fmt: skip
        elif status == 401:
            key = _LOGIN_REFUSED if sends_login(evidence, stop) else _LOGIN_WANTED
            yield judged(
                evidence, "R51", "goproxy_lacks_vcs_credentials", stop.where, "request",
                Text(key, host=stop.where, wants=stop.answer.headers.get("www-authenticate", "?").partition(",")[0]),
                sole=True,
                side=Whose.YOU,
            )  # fmt: skip
        else:
            yield from _forbidden(evidence, stop)


_LOGIN_WANTED: Final = N_("{host} answers 401: it wants a login ({wants}), and go has none for it")
_LOGIN_REFUSED: Final = N_("{host} answers 401: it does not accept the login that go has for it ({wants})")


def _forbidden(evidence: Evidence, stop: Stop) -> Iterator[Judgement]:
    """403 of one's own mirror: whoever may not ask it, or not for this, has to be let in. No trial tells which."""
    detail = Text(N_("{host} answers {status}: {said}"), host=stop.where, status=stop.answer.status,
                  said=_line(stop.answer.body))  # fmt: skip
    causes = ("goproxy_lacks_vcs_credentials", "goproxy_host_blocked")
    if _is_about_the_network(evidence, stop):
        causes = causes[::-1]
    for cause, certainty in zip(causes, (Certainty.LIKELY, Certainty.POSSIBLE), strict=True):
        yield Judgement("R51", cause, certainty, stop.where, "request", detail)


_GUARDS: Final = re.compile(
    r"cloudflare|akamaighost|incapsula|imperva|sucuri|attention required|you have been blocked|"
    r"access denied|request rejected|pardon our interruption|your (?:ip|country|region)",
    re.IGNORECASE,
)
"""Guards in front of web sites, by the Server header or the words of their pages."""


def _is_about_the_network(evidence: Evidence, stop: Stop) -> bool:
    """Whether it is the asker's place that is refused: 451 is the law's, and a guard before the site shows a page."""
    said = " ".join([_servers(evidence, stop), stop.answer.body[:1000]])
    is_page = "<" in stop.answer.body[:200]
    return stop.answer.status == 451 or (is_page and _GUARDS.search(said) is not None)


def sends_login(evidence: Evidence, stop: Stop) -> bool:
    """Whether go has a user for this entry: in its URL, or in a netrc file."""
    host = scene.host_of(stop.where)
    return "@" in stop.entry.url.partition("://")[2].partition("/")[0] or any(
        entry.used_by_go and scene.host_of(entry.machine) == host for entry in evidence.settings.netrc
    )


def _silence(evidence: Evidence) -> Iterable[Judgement]:
    """The request is taken and nothing comes. Nobody on the way can pick it out inside TLS, so it is the mirror."""
    for stop in stops(evidence):
        answer = stop.answer
        if answer.failure != Failure.FIRST_BYTE_TIMEOUT or scene.host_in(answer.url) != stop.where:
            continue
        yield judged(
            evidence, "R51", "goproxy_server_5xx", stop.where, "request",
            Text(N_("{host} takes the request and says nothing within {seconds} s: {url}"), host=stop.where,
                 seconds=round(answer.seconds), url=answer.url),
            proof=_other_entry(evidence, stop),
            weak=bool(answer.via) or not _is_itself(evidence, stop),
        )  # fmt: skip


def _is_itself(evidence: Evidence, stop: Stop) -> bool:
    """Whether a verified handshake was made with it."""
    host = scene.host_of(stop.where)
    return any(shake.host == host == shake.sni and scene.is_verified(shake) for shake in evidence.handshakes)


_HAVE_RULES: Final = (*scene.MISSING, *_REFUSED, 407, 429)


def _odd_statuses(evidence: Evidence) -> Iterable[Judgement]:
    """400, 405, 418 and their like: what go asks is as the protocol has it, so the server is not set up for it."""
    for stop in spoken(evidence):
        status = stop.answer.status
        is_storage = any(_is_away(stop, each) for each in scene.of_entry(evidence, stop.place))
        is_odd = 400 <= status < 500 and status not in _HAVE_RULES and not is_storage
        if is_odd and not stop.tags & _UPSTREAM:
            yield judged(
                evidence, "R51", "goproxy_server_5xx", stop.where, "request",
                Text(N_("{host} answers {status}, which no module proxy should: {said}"), host=stop.where,
                     status=status, said=_line(stop.answer.body)),
                proof=_other_entry(evidence, stop),
            )  # fmt: skip


_NO_ANSWERS: Final = frozenset({Failure.HTTP_PROTOCOL, Failure.TOO_MANY_REDIRECTS, Failure.BAD_REDIRECT})
_NO_FILE: Final = N_("{url}: the answer is complete, and it is no such file")
_DETAILS: Final = (
    ("gzip: invalid header", N_("{url}: the body is not compressed, though the head says so")),
    ("malformed HTTP", N_("{url}: what answers there does not speak HTTP")),
    ("stopped after 10 redirects", N_("{url}: its redirects never end")),
    ("to insecure URL", N_("{url}: it redirects from https to http, which go does not follow")),
    ("unexpected end of JSON input", N_("{url}: the answer is empty or ends early")),
    ("proxy returned info for version", N_("{url}: it answers for another version than it was asked for")),
    ("invalid response from proxy", _NO_FILE),
)


_URL: Final = re.compile(r"(?<=\")https?://[^\s\"]+(?=\")")


def _nonsense(evidence: Evidence) -> Iterable[Judgement]:
    """The mirror answers, and with what go cannot use: a broken file, another protocol, redirects without an end."""
    broken_zip = scene.said(scene.facts(evidence), "zip_broken")
    if broken_zip is not None and not broken_zip.tags.isdisjoint(("zip_invalid", "zip_names")):
        return  # a whole zip, with what no module may have in it: its author's doing (R43)
    heard = next((fact for fact in scene.facts(evidence) if _detail(scene.quoted(fact)) is not None), None)
    for stop in _walked_mirrors(evidence):
        files = scene.of_entry(evidence, stop.place)
        bad = next((each for each in files if each.failure in _NO_ANSWERS or scene.is_nonsense(each)), None)
        told = next((each for each in files if _detail(each.text) is not None), None)
        if broken_zip is not None:
            bad = bad or next((each for each in files if each.purpose == "zip" and each.status == 200), None)
            bad = bad or (replace(stop.answer, url=stop.entry.url) if stop.is_last else None)
        if heard is not None and stop.is_last:
            # A redirect led elsewhere, so it is no address of the entry that the message names.
            said = scene.quoted(heard)
            named = _URL.search(said)
            url = named[0] if named else stop.entry.url
            told = told or replace(stop.answer, url=url, status=0, text=said)
        shown = told or bad
        if shown is None or scene.is_page(shown):
            continue
        yield judged(
            evidence, "R51", "goproxy_server_5xx", stop.where, "request",
            Text(_detail(shown.text) or _NO_FILE, url=shown.url),
            proof=_other_entry(evidence, replace(stop, answer=shown)),
        )  # fmt: skip


def _walked_mirrors(evidence: Evidence) -> Iterator[Stop]:
    """The mirrors that go came to, also those whose answers all came with status 200."""
    walked = scene.walked(evidence) if scene.asks_proxies(evidence) else ()
    for place, entry in walked:
        if entry.is_proxy:
            answer = scene.bad_answer(evidence, place) or AnswerSeen(entry.url, "")
            yield Stop(place, entry, answer, place == walked[-1][0])


def _detail(text: str) -> str | None:
    return next((key for words, key in _DETAILS if words in text), None)


OUTAGE = Rule(
    "R51",
    N_("The module proxy fails, refuses, or says nothing"),
    ("goproxy_server_5xx", "reverse_proxy_timeout", "reverse_proxy_no_live_upstream", "goproxy_lacks_vcs_credentials",
     "goproxy_host_blocked"),
    when_broken(_outage),
)  # fmt: skip
