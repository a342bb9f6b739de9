"""Plans for the checksum database: another way to it. Doing without it is the last resort, and its price is said."""

import re
from collections.abc import Iterator

from goferry.doctor.causes import Whose
from goferry.doctor.fixes import goproxylist as lists
from goferry.doctor.fixes.configuration import private_pattern
from goferry.doctor.fixes.kit import Case, quoted, with_patterns
from goferry.doctor.fixes.mirrors import bad_answers, other_ways
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import DropSums
from goferry.errors import GoferryError
from goferry.findings import Text
from goferry.gomod import goenv
from goferry.i18n import N_


def _database(case: Case) -> goenv.SumDB | None:
    try:
        return goenv.parse_sumdb(case.settings.value("GOSUMDB") or "sum.golang.org")
    except GoferryError:
        return None


def _through(case: Case, url: str) -> str:
    database = _database(case)
    return "" if database is None else goenv.format_sumdb(goenv.SumDB(database.name, database.key, url))


def unreachable(case: Case) -> Iterator[Plan]:
    """A mirror that passes the database's answers on: they are signed, so it cannot lie."""
    database = _database(case)
    if database is None:
        yield from malformed(case)
        return
    entries = lists.words(case.settings.value("GOPROXY"))
    for answer in case.answers("supported"):
        if answer.status == 200 and 0 <= answer.entry < len(entries):
            url = f"{entries[answer.entry].rstrip('/')}/sumdb/{database.name}"
            yield case.set(
                "sumdb_through_mirror",
                Text(
                    N_("Reach the checksum database through {mirror}; its answers are signed all the same."),
                    mirror=entries[answer.entry],
                ),
                {"GOSUMDB": _through(case, url)},
            )
    if database.url is not None:
        yield case.set(
            "sumdb_without_url",
            Text(N_("Let go find the way to the checksum database by itself.")),
            {"GOSUMDB": goenv.format_sumdb(goenv.SumDB(database.name, database.key))},
        )
    if database.name == "sum.golang.org":
        yield case.set(
            "sumdb_other_name",
            Text(N_("The same database has another name: sum.golang.google.cn.")),
            {"GOSUMDB": "sum.golang.google.cn"},
            is_told_only=True,
        )
    yield from _without(case)
    yield case.tell(
        Whose.NETWORK,
        "tell_network",
        Text(N_("Ask your network's people to let {host} through."), host=database.name.partition("/")[0]),
        *(
            f"{answer.url}: {answer.failure or answer.status}"
            for answer in case.answers("lookup", "sumdb_latest", "supported")
        ),
    )


def _without(case: Case) -> Iterator[Plan]:
    """The module alone, and never all of them."""
    if case.module:
        pattern = private_pattern(case.module)
        yield case.set(
            "gonosumdb",
            Text(
                N_(
                    "As a last resort leave {pattern} unchecked: then only your own go.sum notices a forged module."
                ),
                pattern=pattern,
            ),
            {"GONOSUMDB": with_patterns(case.settings.value("GONOSUMDB"), pattern)},
        )


def malformed(case: Case) -> Iterator[Plan]:
    """A value that go refuses."""
    yield case.set(
        "default_gosumdb", Text(N_("Go back to the database that go knows.")), {"GOSUMDB": "sum.golang.org"}
    )


def mirror_broken(case: Case) -> Iterator[Plan]:
    """With an explicit URL no mirror is asked."""
    database = _database(case)
    if database is not None:
        yield case.set(
            "sumdb_direct",
            Text(N_("Ask the checksum database itself and not the mirror.")),
            {"GOSUMDB": _through(case, f"https://{database.name}")},
        )
    yield from other_ways(case)
    yield from _without(case)
    yield case.tell(
        Whose.MIRROR,
        "tell_mirror",
        Text(
            N_("Tell those who run {where} that what is below /sumdb/ answers wrongly."),
            where=case.judgement.where,
        ),
        *bad_answers(case),
    )


def retagged(case: Case) -> Iterator[Plan]:
    """What everybody else has is in the database; nothing here makes the other content right."""
    wanted = f"{case.module}@{case.version}" if case.module and case.version else "MODULE@VERSION"
    sums = [
        f"{one.module} {one.version} go.sum={one.go_sum} sumdb={one.sumdb} proxy={one.proxy} origin={one.origin}"
        for one in case.evidence.sums
    ]
    has_stale_line = any(
        one.go_sum and one.sumdb and one.go_sum != one.sumdb == one.proxy for one in case.evidence.sums
    )
    if has_stale_line:
        summary = N_(
            "Your go.sum differs from the database: take its lines for this version out and fetch it again."
        )
        path, _at, version = wanted.partition("@")
        commands = (
            f"sed -i.bak -E {quoted(_without_lines(wanted))} go.sum",
            f"go mod download {quoted(wanted)}",
        )
        yield case.write("renew_go_sum", Text(summary), DropSums(path, version), commands=commands)
    default = lists.default_of(case.settings)
    if default != case.settings.value("GOPROXY") and default != "direct":
        yield case.set(
            "first_content",
            Text(N_("Fetch the content that was published first from a mirror that has kept it.")),
            {"GOPROXY": default},
        )
    yield case.run(
        "other_version",
        Text(N_("Use a version whose tag was not moved.")),
        f"go list -m -versions {quoted(wanted.partition('@')[0])}",
    )
    yield case.tell(
        Whose.AUTHOR,
        "tell_author",
        Text(
            N_(
                "Ask the author of {module} for a new version: the tag was moved, and one version has one content."
            ),
            module=wanted,
        ),
        *sums,
    )


def _without_lines(wanted: str) -> str:
    """sed's words for go.sum without the lines of one version."""
    path, _at, version = wanted.partition("@")
    return f"\\#^{re.escape(path)} {re.escape(version)}(/go\\.mod)? #d"
