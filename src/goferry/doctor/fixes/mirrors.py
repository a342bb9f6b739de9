"""Plans for faults of module proxies: another way to the same module, and what to tell those who run the mirror.

Only entries of the user's own list and the origin are tried, for a diagnosis asks no strangers. Other public mirrors
are named, and left to the user.
"""

from collections.abc import Iterator
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import AnswerSeen
from goferry.doctor.fixes import goproxylist as lists
from goferry.doctor.fixes.configuration import private_pattern, private_variables
from goferry.doctor.fixes.kit import Case, quoted, with_godebug, with_patterns
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.rules.mirror import is_inside
from goferry.doctor.urls import split_url
from goferry.findings import Text
from goferry.gomod import goproxy
from goferry.i18n import N_

PUBLIC_MIRRORS: Final = ("https://goproxy.cn", "https://goproxy.io")
"""Named as a last idea and never asked."""


def other_ways(case: Case, *, has_direct: bool = True) -> Iterator[Plan]:
    """The list without what fails: other entries, then the origin, then mirrors that the user might choose."""
    now = case.settings.value("GOPROXY")
    others = lists.other_entries(case.evidence, [case.place])
    if others:
        value = lists.made([*others, goproxy.DIRECT] if has_direct else others, lists.PIPE)
        if value != now:
            yield case.set(
                "other_entries",
                Text(N_("Ask the other entries of the list: {value}"), value=value),
                {"GOPROXY": value},
            )
    if has_direct and now != goproxy.DIRECT:
        yield case.set(
            "go_direct",
            Text(N_("Fetch from the origin itself.")),
            {"GOPROXY": goproxy.DIRECT},
        )
    yield from public_mirrors(case)


def public_mirrors(case: Case) -> Iterator[Plan]:
    """Mirrors that are not in the list; nobody has asked them."""
    listed = " ".join(lists.words(case.settings.value("GOPROXY")))
    for mirror in PUBLIC_MIRRORS:
        host = mirror.removeprefix("https://")
        if host not in listed and host != case.host:
            value = lists.made([mirror, goproxy.DIRECT], lists.PIPE)
            yield case.set(
                f"mirror_{host.replace('.', '_')}",
                Text(N_("Ask a public mirror instead, if you trust it: {host}"), host=host),
                {"GOPROXY": value},
                is_told_only=True,
            )


def _with_bars(case: Case) -> Iterator[Plan]:
    value = lists.with_pipes(case.settings.value("GOPROXY"))
    if value != case.settings.value("GOPROXY"):
        yield case.set(
            "pipe_goproxy",
            Text(N_("After any failure of an entry ask the next one: {value}"), value=value),
            {"GOPROXY": value},
        )


def bad_answers(case: Case) -> list[str]:
    """What the mirror answered, one line each, as facts for those who run it."""
    wrong = [answer for answer in case.evidence.answers if answer.entry >= 0 and _is_wrong(answer)]
    return [_line(answer) for answer in wrong[:5]]


def _is_wrong(answer: AnswerSeen) -> bool:
    return bool(answer.failure) or answer.status >= 400


def _line(answer: AnswerSeen) -> str:
    said = answer.failure or f"{answer.status} {answer.body[:120]}".strip()
    marks = {
        name: value
        for name, value in answer.headers.items()
        if name in ("server", "via", "x-request-id", "cf-ray", "date")
    }
    tail = "".join(f"; {name}: {value}" for name, value in sorted(marks.items()))
    return f"{answer.url}: {said}{tail}".splitlines()[0]


def _tell(case: Case) -> Plan:
    return case.tell(
        Whose.MIRROR,
        "tell_mirror",
        Text(N_("Tell those who run {where} what it answers."), where=case.judgement.where),
        *bad_answers(case),
    )


def failing(case: Case) -> Iterator[Plan]:
    """The mirror fails by itself: around it, and tell."""
    yield from _with_bars(case)
    yield from other_ways(case)
    yield _tell(case)


def upstream_unreachable(case: Case) -> Iterator[Plan]:
    """The mirror has no way to the origin; this machine may have one."""
    yield from _direct_for_module(case)
    yield from failing(case)


def lacks_credentials(case: Case) -> Iterator[Plan]:
    """The mirror's own login, if that is what it wants; else a private module that this machine may fetch itself."""
    if any(_is_refusal(case, answer) for answer in case.evidence.answers):
        yield from _login_for_mirror(case)
    is_private = is_inside(case.evidence, case.module.partition("/")[0])
    if case.module and is_private:
        pattern = private_pattern(case.module)
        yield case.set(
            "fetch_private_direct",
            Text(N_("Fetch {pattern} from its origin, with your own credentials."), pattern=pattern),
            private_variables(case, pattern),
        )
    yield case.tell(
        Whose.MIRROR,
        "tell_mirror",
        Text(
            N_("Tell those who run {where} that it needs credentials for this repository."),
            where=case.judgement.where,
        ),
        case.module,
        *bad_answers(case),
    )
    # Strangers are told no name of a private module.
    yield from (plan for plan in other_ways(case) if not (is_private and plan.key.startswith("mirror_")))


def _is_refusal(case: Case, answer: AnswerSeen) -> bool:
    return answer.entry >= 0 and answer.status in (401, 403) and split_url(answer.url).netloc == case.place


def _login_for_mirror(case: Case) -> Iterator[Plan]:
    """netrc serves every entry of the list, and does not show up in `go env`."""
    yield case.run(
        "login_for_mirror",
        Text(
            N_("Give go your login for {host} in ~/.netrc; those who run it have made one for you."),
            host=case.host,
        ),
        f"printf 'machine {case.host} login <user> password <token>\\n' >> ~/.netrc && chmod 600 ~/.netrc",
        github=(
            f'run: printf "machine {case.host} login $USER password $TOKEN\\n" > ~/.netrc && chmod 600 ~/.netrc',
        ),
        gitlab=(f'- printf "machine {case.host} login $USER password $TOKEN\\n" > ~/.netrc',),
        dockerfile=("RUN --mount=type=secret,id=netrc NETRC=/run/secrets/netrc go mod download",),
    )


def _direct_for_module(case: Case) -> Iterator[Plan]:
    """GONOPROXY alone, so that sums are still checked."""
    if case.module:
        pattern = private_pattern(case.module)
        yield case.set(
            "fetch_module_direct",
            Text(N_("Fetch {pattern} from its origin and not through the mirror."), pattern=pattern),
            {"GONOPROXY": with_patterns(case.settings.value("GONOPROXY"), pattern)},
        )


def rate_limited(case: Case) -> Iterator[Plan]:
    """Fewer questions at once, then others, then patience."""
    wait = next(
        (
            answer.headers["retry-after"]
            for answer in case.evidence.answers
            if answer.status == 429 and "retry-after" in answer.headers
        ),
        "",
    )
    yield case.set(
        "slow_down",
        Text(N_("Ask for one module at a time.")),
        {"GOMAXPROCS": "1"},
    )
    yield from _with_bars(case)
    yield from other_ways(case)
    if wait.isdigit():
        yield case.run(
            "wait",
            Text(N_("Wait for {seconds} s, as the mirror asks, then try again."), seconds=int(wait)),
            f"sleep {int(wait)}",
            "go mod download",
        )
    yield _tell(case)


def zip_forbidden(case: Case) -> Iterator[Plan]:
    """Another mirror keeps its files in another place."""
    yield from _with_bars(case)
    yield from other_ways(case)
    storage = next((answer.redirect for answer in case.answers("zip") if answer.redirect), "")
    yield case.tell(
        Whose.MIRROR,
        "tell_mirror",
        Text(
            N_("Tell those who run {where}, or your network, that the storage behind it refuses you."),
            where=case.judgement.where,
        ),
        storage,
        *bad_answers(case),
    )


def http2(case: Case) -> Iterator[Plan]:
    """HTTP/1.1, which has no streams to break."""
    yield case.set(
        "http1",
        Text(N_("Speak HTTP/1.1 until the mirror is mended.")),
        with_godebug(case, "http2client=0"),
    )
    yield from failing(case)


def lagging(case: Case) -> Iterator[Plan]:
    """The origin has it already."""
    yield from _direct_once(case)
    yield from other_ways(case)
    yield case.run(
        "wait",
        Text(N_("Or wait: a mirror asks again for what it did not find, most within half an hour.")),
        "go mod download",
    )
    yield _tell(case)


def _direct_once(case: Case) -> Iterator[Plan]:
    wanted = f"{case.module}@{case.version or 'latest'}" if case.module else "..."
    others = lists.other_entries(case.evidence, [case.place])
    value = lists.made([*others, goproxy.DIRECT], lists.PIPE)
    yield case.set(
        "origin_first",
        Text(N_("Fetch {module} from its origin this once; later the mirror will have it."), module=wanted),
        {"GOPROXY": goproxy.DIRECT if not others else value},
        more=(f"GOPROXY=direct go mod download {quoted(wanted)}",) if case.module else (),
    )


def reverse_proxy(case: Case) -> Iterator[Plan]:
    """What stands in front of the mirror gave up; asking again may find the file ready."""
    yield from failing(case)
    yield case.again(
        Text(N_("Try again: what the mirror began to fetch may be there now.")),
        "go mod download",
    )
