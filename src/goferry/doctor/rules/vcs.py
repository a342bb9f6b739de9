"""Origins: git and import hosts. R28 to R31, R45, R25, and R53 for what is not installed.

git is a network stack of its own, so its runs are evidence of its own. They count only where go asks origins at all.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from goferry.doctor.evidence import AnswerSeen, Evidence, Role, RunSeen
from goferry.doctor.explain.facts import Fact
from goferry.doctor.explain.targets import PUBLIC_CODE
from goferry.doctor.rules import mirror, scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.saying import ended, failed
from goferry.doctor.settings import targets as planned
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.i18n import N_
from goferry.net.failure import Failure

LS_REMOTE: Final = "git ls-remote"


def git_runs(evidence: Evidence) -> Iterator[RunSeen]:
    """git's questions to repositories that go itself would ask."""
    if scene.goes_direct(evidence):
        yield from (run for run in evidence.runs if run.label == LS_REMOTE)


def heard(evidence: Evidence, *wanted: str) -> Fact | None:
    """The first message of go, or of git in its place, with these tags. What a mirror reports is not meant."""
    found = scene.said(scene.facts(evidence), *wanted)
    if found is not None:
        return found
    for run in git_runs(evidence):
        if run.exit != 0 and (fact := scene.said(scene.facts_in(run.output), *wanted)) is not None:
            return fact
    return None


def repository(evidence: Evidence, fact: Fact | None = None) -> str:
    """The URL of the repository in question, as it was before git's rewriting; "" when it is not known."""
    runs = [run for run in evidence.runs if run.label == LS_REMOTE and run.exit != 0]
    for run in runs:
        if (
            fact is None
            or not fact.target.host
            or fact.target.host in run.facts.get("rewritten", "") + run.facts.get("url", "")
        ):
            return run.facts.get("url", "")
    return fact.target.url if fact is not None else ""


def rewrites_to_ssh(evidence: Evidence) -> tuple[str, str] | None:
    """A URL and what git's settings make of it, when that is ssh: seen in a run, or read from the settings."""
    run = rewritten(evidence)
    if run is not None:
        return (run.facts["url"], run.facts["rewritten"]) if _is_ssh(run.facts["rewritten"]) else None
    for setting in evidence.settings.git:
        base = setting.key.removeprefix("url.").removesuffix(".insteadof")
        if (
            setting.key.startswith("url.")
            and base != setting.key
            and _is_ssh(base)
            and setting.value.startswith("http")
        ):
            return setting.value, base
    return None


def rewritten(evidence: Evidence) -> RunSeen | None:
    """A run in which git's settings led to another URL than the one asked for."""
    return next(
        (
            run
            for run in evidence.runs
            if run.label in (LS_REMOTE, "git get-url")
            and run.facts.get("rewritten") not in (None, "", run.facts.get("url"))
        ),
        None,
    )


def _is_ssh(url: str) -> bool:
    return url.startswith(("ssh://", "git+ssh://")) or ("://" not in url and "@" in url.partition(":")[0])


def _host(evidence: Evidence, fact: Fact) -> str:
    url = repository(evidence, fact)
    return scene.host_in(url) or fact.target.host or "git"


def _https_answer(evidence: Evidence) -> AnswerSeen | None:
    """The code host answering over https, whatever it says."""
    return next((answer for answer in evidence.answers if answer.purpose == "origin" and answer.status), None)


# ---- R53: no git -------------------------------------------------------------------------------------------


def _no_program(evidence: Evidence) -> Iterable[Judgement]:
    fact = heard(evidence, "vcs_missing")
    missing = [
        name for name, path in evidence.settings.tools.items() if name in ("git", "hg", "svn") and not path
    ]
    is_silent = scene.go_run(evidence) is None
    if fact is None and not (is_silent and "git" in missing and scene.goes_direct(evidence)):
        return
    said = scene.quoted(fact) if fact is not None else "git"
    where = next((name for name in missing if name in said), missing[0] if missing else "git")
    yield judged(
        evidence, "R53", "vcs_binary_missing", where, "vcs",
        Text(N_("go needs {program} here and does not find it: {said}"), program=where, said=said),
        sole=fact is not None,
    )  # fmt: skip


NO_PROGRAM = Rule(
    "R53", N_("git or its like is not installed"), ("vcs_binary_missing",), when_broken(_no_program)
)


# ---- R28, R29: ssh and git:// ------------------------------------------------------------------------------


def _protocol(evidence: Evidence) -> Iterable[Judgement]:
    """Port 22 or 9418 is closed, and 443 of the same host is open."""
    fact = heard(evidence, "ssh_timeout|git_port_timeout|git_port|ssh_port")
    for target in evidence.targets:
        if target.role is not Role.CODE_HOST or target.scheme == "https" or not scene.goes_direct(evidence):
            continue
        closed = [dial for dial in evidence.dials if (dial.host, dial.port) == (target.host, target.port)]
        if not closed or not all(dial.failure for dial in closed):
            continue
        open_one = next(
            (
                dial
                for dial in evidence.dials
                if (dial.host, dial.port) == (target.host, 443) and not dial.failure
            ),
            None,
        )
        proof = None
        if open_one is not None:
            proof = Proof(
                Text(
                    N_("connection to {host}: {said}"),
                    host=scene.authority(target),
                    said=failed(closed[0].failure),
                ),
                Text(N_("connection to {host}: stands"), host=f"{target.host}:443"),
                Text(N_("the port")),
            )
        yield judged(
            evidence, "R28", "git_protocol_blocked", scene.authority(target), "vcs",
            Text(N_("{host} is closed from here: {said}"), host=scene.authority(target),
                 said=failed(closed[0].failure)),
            proof=proof,
        )  # fmt: skip
        return
    stalled = _stalled(evidence)
    if fact is None and stalled is not None:
        url = stalled.facts.get("rewritten") or stalled.facts.get("url", "")
        yield judged(
            evidence, "R28", "git_protocol_blocked", scene.host_of(scene.host_in(url)), "vcs",
            Text(N_("git gets no answer from {url}, not within {seconds} s"), url=url, seconds=round(stalled.seconds)),
        )  # fmt: skip
    if fact is not None and "ssh_key" not in fact.tags:
        yield judged(
            evidence, "R28", "git_protocol_blocked", _host(evidence, fact), "vcs",
            Text("{said}", said=scene.quoted(fact)),
            proof=_by_https(evidence, fact),
        )  # fmt: skip


def _stalled(evidence: Evidence) -> RunSeen | None:
    """git's question over ssh or git:// that had no answer when its time was over, as go's had none."""
    if not scene.was_stopped(evidence):
        return None
    return next(
        (
            run
            for run in git_runs(evidence)
            if run.exit == -1
            and not (run.facts.get("rewritten") or run.facts.get("url", "")).startswith(
                ("http://", "https://")
            )
        ),
        None,
    )


def _by_https(evidence: Evidence, fact: Fact) -> Proof | None:
    answer = _https_answer(evidence)
    if answer is None:
        return None
    return Proof(
        Text("{said}", said=scene.quoted(fact)),
        Text(N_("{url}: {said}"), url=answer.url, said=answer.status),
        Text(N_("the protocol")),
    )


PROTOCOL = Rule(
    "R28", N_("git:// or ssh is closed, https is open"), ("git_protocol_blocked",), when_broken(_protocol)
)


def _ssh(evidence: Evidence) -> Iterable[Judgement]:
    """ssh is reached and refuses; whether the user asked for ssh, or a rewriting rule did, tells the cause."""
    fact = heard(evidence, "ssh_key")
    turned = rewrites_to_ssh(evidence) if scene.goes_direct(evidence) else None
    if turned is not None:
        fact = fact or heard(evidence, "repo_missing|dns_unable", "ssh_words")
    if fact is None:
        return
    said = scene.quoted(fact)
    if turned is None:
        yield judged(
            evidence, "R29", "git_ssh_key_refused", _host(evidence, fact), "vcs",
            Text(N_("ssh is reached and refuses: {said}"), said=said),
            sole=True,
        )  # fmt: skip
        return
    url, base = turned
    answer = _https_answer(evidence)
    proof = None
    if answer is not None:
        proof = Proof(
            Text(N_("git with {url}: {said}"), url=base, said=said),
            Text(N_("{url}: {said}"), url=answer.url, said=answer.status),
            Text(N_("the rewriting rule")),
        )
    yield judged(
        evidence, "R29", "git_insteadof_ssh", scene.host_in(url) or "git", "vcs",
        Text(N_("git's settings turn {url} into {rewritten}, and ssh is not usable"), url=url, rewritten=base),
        proof=proof,
        sole=True,
    )  # fmt: skip


SSH = Rule(
    "R29",
    N_("git is sent to ssh, and ssh is not usable"),
    ("git_insteadof_ssh", "git_ssh_key_refused"),
    when_broken(_ssh),
)


# ---- R31, R30: private modules -----------------------------------------------------------------------------

_LOGIN: Final = "git_prompt|git_denied|repo_missing"


def _not_private(evidence: Evidence) -> Iterable[Judgement]:
    """A mirror or the database was asked for a module that only its owner can get."""
    for fact in scene.facts(evidence):
        path = fact.target.module
        asked = {"proxy", "sumdb"} & fact.tags
        is_refused = not _REFUSALS.isdisjoint(fact.tags)
        if not (path and asked and is_refused) or planned.is_private(evidence.settings, path):
            continue
        host = scene.host_in(fact.target.url)
        inside = mirror.is_inside(evidence, path.partition("/")[0])
        if "proxy" in asked and (
            mirror.may_read_inside(evidence, host) or not (inside or "said_git_prompt" in fact.tags)
        ):
            continue  # a mirror that could be given credentials, or a module that is simply not there
        if "sumdb" in asked and not inside and "said_git_prompt" not in fact.tags:
            continue
        yield judged(
            evidence, "R31", "goprivate_not_set", "GOPRIVATE", "settings",
            Text(N_("{module} was asked of {host}, which cannot know it: GOPRIVATE does not cover it"), module=path,
                 host=host or "the mirror"),
            proof=_known_inside(evidence, fact),
            weak=not inside,
        )  # fmt: skip
        return


_REFUSALS: Final = frozenset({
    "status_404", "said_git_prompt", "said_git_denied", "said_dns_none", "said_ssh_key", "status_5xx",
})  # fmt: skip


def _known_inside(evidence: Evidence, fact: Fact) -> Proof | None:
    """git, or the origin's page, knows the module that the mirror does not."""
    run = next((each for each in evidence.runs if each.label == LS_REMOTE and each.exit == 0), None)
    if run is None:
        return None
    return Proof(
        Text("{said}", said=scene.quoted(fact)),
        Text(N_("git ls-remote {url}: the repository is there"), url=run.facts.get("url", "")),
        Text(N_("who is asked")),
    )


NOT_PRIVATE = Rule(
    "R31", N_("GOPRIVATE does not cover a private module"), ("goprivate_not_set",), when_broken(_not_private)
)


def _credentials(evidence: Evidence) -> Iterable[Judgement]:
    """A login is wanted over https. Hosts say so of missing repositories too."""
    page = scene.sign_in_page(evidence)
    if page is not None:
        where = scene.host_in(page.url)
        yield judged(
            evidence, "R30", "git_credentials_missing", where, "vcs",
            Text(N_("{host} shows a page to sign in where git asks for the repository: {url}"), host=where,
                 url=page.url),
        )  # fmt: skip
        return
    fact = heard(evidence, _LOGIN)
    if fact is None or not {
        "proxy",
        "sumdb",
        "ssh_key",
        "ssh_timeout",
        "ssh_words",
        "unknown_authority",
    }.isdisjoint(fact.tags):
        return
    host = _host(evidence, fact)
    path = fact.target.module or next(iter(scene.modules(evidence)), "")
    is_inside = planned.is_private(evidence.settings, path) or mirror.is_inside(
        evidence, path.partition("/")[0]
    )
    asks_login = not {"git_prompt", "git_denied"}.isdisjoint(fact.tags)
    if asks_login and is_inside:
        yield _wants_login(evidence, fact, host, weak=False)
        yield _gone(evidence, fact, host, weak=True)
    else:
        yield _gone(evidence, fact, host)
        if asks_login:
            yield _wants_login(evidence, fact, host, weak=True)


def _wants_login(evidence: Evidence, fact: Fact, host: str, *, weak: bool) -> Judgement:
    said = scene.quoted(fact)
    key = next((key for words, key in _REFUSED if words in said), _NO_LOGIN)
    return judged(
        evidence, "R30", "git_credentials_missing", host, "vcs",
        Text(key, host=host, url=repository(evidence, fact), said=said),
        weak=weak,
    )  # fmt: skip


_NO_LOGIN: Final = N_("{host} wants a login for {url}, and git has none: {said}")
_REFUSED: Final = (
    ("Authentication failed", N_("{host} does not accept the login that git has for {url}: {said}")),
    ("error: 403", N_("{host} does not let this login, or nobody, read {url}: {said}")),
)


def _gone(evidence: Evidence, fact: Fact, host: str, *, weak: bool = False) -> Judgement:
    return judged(
        evidence, "R30", "repo_private_or_deleted_upstream", host, "vcs",
        Text(N_("{url} was made private, renamed or deleted: {said}"), url=repository(evidence, fact) or host,
             said=scene.quoted(fact)),
        weak=weak,
    )  # fmt: skip


CREDENTIALS = Rule(
    "R30",
    N_("git has no credentials for a repository, or the repository is gone"),
    ("git_credentials_missing", "repo_private_or_deleted_upstream"),
    when_broken(_credentials),
)


# ---- R45: the import host ----------------------------------------------------------------------------------


def _vanity(evidence: Evidence) -> Iterable[Judgement]:
    """The page with the go-import tag does not come, or has no tag; the code host is another one and not to blame."""
    if not scene.goes_direct(evidence):
        return
    pages = [
        answer for answer in scene.answers(evidence) if answer.purpose == "go_get" and answer.attempt == 1
    ]
    sign_in = scene.sign_in_page(evidence)
    for page in pages:
        host = scene.host_in(page.url)
        error = page.facts.get("error", "")
        has_tag = bool(page.facts.get("root"))
        is_silent = page.failure == Failure.FIRST_BYTE_TIMEOUT
        is_bad = is_silent or page.status >= 400 or (page.status > 0 and bool(error))
        if has_tag or scene.host_of(host) in PUBLIC_CODE or not is_bad or page is sign_in:
            continue
        is_known_by_nobody = any(stop.answer.status in scene.MISSING for stop in mirror.stops(evidence))
        if not is_silent and page.status < 500 and is_known_by_nobody:
            continue  # the mirror does not know the path either: R43
        good = next(
            (
                answer
                for answer in evidence.answers
                if answer.entry >= 0 and answer.purpose in ("info", "mod") and scene.is_well(answer)
            ),
            None,
        )
        yield judged(
            evidence, "R45", "vanity_host_down", host, "vcs",
            Text(N_("{url} answers {status} and names no repository {error}"), url=page.url,
                 status=page.status or page.failure, error=error),
            proof=None if good is None else Proof(
                Text(N_("{url}: {said}"), url=page.url, said=page.status or page.failure),
                Text(N_("{url}: {said}"), url=good.url, said=good.status),
                Text(N_("who is asked")),
            ),
        )  # fmt: skip
        return


def _named_proxy(evidence: Evidence) -> Iterable[Judgement]:
    """The page names a module proxy of its own (`mod` in the tag), and that one does not answer."""
    page = next((answer for answer in evidence.answers if answer.facts.get("vcs") == "mod"), None)
    if page is None or not scene.goes_direct(evidence):
        return
    root = page.facts.get("root", "")
    asked = [
        answer for answer in evidence.answers if answer.purpose == "origin" and answer.url.startswith(root)
    ]
    bad = next((answer for answer in asked if answer.failure or answer.status >= 400), None)
    if bad is not None and not any(answer.status == 200 for answer in asked):
        yield judged(
            evidence, "R45", "vanity_host_down", scene.host_in(root), "vcs",
            Text(N_("{page} names the module proxy {root}, and that one fails: {said}"), page=page.url, root=root,
                 said=ended(bad.status, bad.failure, bad.text)),
        )  # fmt: skip


def _import_host(evidence: Evidence) -> Iterable[Judgement]:
    yield from _vanity(evidence)
    yield from _named_proxy(evidence)


VANITY = Rule(
    "R45", N_("The host of the import path is down"), ("vanity_host_down",), when_broken(_import_host)
)


# ---- R25: revocation ---------------------------------------------------------------------------------------


def _revocation(evidence: Evidence) -> Iterable[Judgement]:
    fact = heard(evidence, "revocation")
    if fact is not None:
        yield judged(
            evidence,
            "R25",
            "revocation_check_slow",
            _host(evidence, fact),
            "vcs",
            Text(N_("git waits for a revocation list that it does not get: {said}"), said=scene.quoted(fact)),
        )


REVOCATION = Rule(
    "R25", N_("git waits for a revocation check"), ("revocation_check_slow",), when_broken(_revocation)
)
