"""GitHub: one issue that is kept up to date, or a check run on a commit.

The issue is found again by a marker in its body. It lists what is open; news come as a comment, so that people hear of
them; when nothing is left it is closed, and the next news opens a new one. Limits (GitHub's reference): 65,536
characters a body, 65,535 a check's summary; a rate limit answers 403 or 429 and says until when.
"""

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from goferry.deps.notify.base import (
    JSON_HEADERS,
    Answer,
    Dialogue,
    Field,
    Mail,
    Notice,
    Request,
    Service,
    Source,
    Target,
    Verdict,
)
from goferry.deps.notify.telling import Group, Item, Telling, fitting, groups_of, headline, shortened, tell
from goferry.findings import Severity
from goferry.i18n import N_, _, ngettext

MOST_BODY: Final = 65_000
MOST_TITLE: Final = 256
_PAGE: Final = 100
_MOST_PAGES: Final = 10
_REPOSITORY: Final = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


# ---- the issue -------------------------------------------------------------------------------------------------------


def talk_issue(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice, as an issue."""
    place, headers = _place(target), _headers(target)
    number = yield from _find(place, headers, target)
    if number is None:
        if notice.standing:
            body = _state(notice, target, target.receiver.mentions)
            made = {"title": _title(notice), "body": body, "labels": list(target.option("labels"))}
            yield Request("issue", f"{place}/issues", made, headers=headers, example={"number": 1})
        return
    # Nobody is called by an edit: that is what the comment is for.
    change: dict[str, Any] = {"title": _title(notice), "body": _state(notice, target, {})}
    if not notice.standing:
        change |= {"state": "closed", "state_reason": "completed"}
    url = f"{place}/issues/{number}"
    yield Request("issue", url, change, method="PATCH", headers=headers, tells=not notice.news)
    if notice.news:
        body = _fitting(tell(notice, target.receiver.link), target.receiver.mentions, "")
        yield Request("comment", f"{url}/comments", {"body": body}, headers=headers)


def _find(
    place: str, headers: Mapping[str, str], target: Target
) -> Generator[Request | Mail, Any, int | None]:
    """The number of the open issue with our marker."""
    labels = target.option("labels")
    label = f"&labels={quote(labels[0], safe='')}" if labels else ""
    for page in range(1, _MOST_PAGES + 1):
        url = f"{place}/issues?state=open&per_page={_PAGE}&page={page}{label}"
        found = yield Request(f"find {page}", url, method="GET", headers=headers, tells=False, example=[])
        issues = found if isinstance(found, list) else []
        for issue in issues:
            if "pull_request" not in issue and marker(target) in (issue.get("body") or ""):
                return int(issue["number"])
        if len(issues) < _PAGE:
            break
    return None


def marker(target: Target) -> str:
    """What makes an issue ours; a comment that nobody sees."""
    return f"<!-- goferry-deps: {target.receiver.name} -->"


def _title(notice: Notice) -> str:
    count = len(notice.standing)
    if not count:
        return _("Dependencies: nothing to do")
    return ngettext("Dependencies: {n} finding", "Dependencies: {n} findings", count).format(n=count)


def _state(notice: Notice, target: Target, mentions: Mapping[str, str]) -> str:
    """The issue's body: all that is open."""
    told = Telling(
        _title(notice),
        tell(notice).facts,
        tuple(groups_of(notice.standing)),
        Severity.OK,
        target.receiver.link,
    )
    return _fitting(told, mentions, marker(target))


# ---- the check run ---------------------------------------------------------------------------------------------------


def talk_check(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice, as a check run."""
    told = tell(notice, target.receiver.link)
    worst = told.worst
    body = {
        "name": target.receiver.name,
        "head_sha": target.option("commit"),
        "status": "completed",
        "external_id": notice.delivery,
        "conclusion": {Severity.ERROR: "failure", Severity.OK: "success"}.get(worst, "neutral"),
        "output": {
            "title": shortened(headline(notice), MOST_TITLE),
            "summary": _fitting(told, {}, ""),
        },
    }
    if target.receiver.link:
        body["details_url"] = target.receiver.link
    yield Request("check", f"{_place(target)}/check-runs", body, headers=_headers(target))


# ---- both ------------------------------------------------------------------------------------------------------------


def _place(target: Target) -> str:
    return f"{target.option('api').rstrip('/')}/repos/{target.option('repository')}"


def _headers(target: Target) -> Mapping[str, str]:
    return {
        **JSON_HEADERS,
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {target.secret('token')}",
        "X-GitHub-Api-Version": "2022-11-28",
    }


def _fitting(told: Telling, mentions: Mapping[str, str], head: str) -> str:
    def made(part: Telling) -> str:
        return "\n".join(_lines(part, mentions, head))

    return fitting(told, made, lambda text: len(text) <= MOST_BODY)


def _lines(told: Telling, mentions: Mapping[str, str], head: str) -> Iterator[str]:
    if head:
        yield head
    yield f"**{escape(told.headline)}**"
    yield ""
    yield escape(" · ".join(told.facts))
    for group in told.groups:
        yield ""
        yield f"### {_owner(group, mentions)}"
        yield ""
        yield from map(_item, group.items)
    if told.left_out:
        yield ""
        yield told.more
    if told.link:
        yield ""
        yield f"[{told.link_text}]({told.link})"


def _item(item: Item) -> str:
    name = f"[{escape(item.title)}]({item.url})" if item.url else f"**{escape(item.title)}**"
    rest = (item.text, item.where, item.fix, shortened(item.chain, 300))
    return f"- {item.word}: {name}: " + "; ".join(escape(part) for part in rest if part)


def _owner(group: Group, mentions: Mapping[str, str]) -> str:
    known = mentions.get(group.owner, "")
    return f"@{known.removeprefix('@')}" if known else escape(group.heading)


_BEHIND_AT: Final = "\u200b"
"""A zero-width space: `@` with it calls nobody, and `#` with it refers to nothing."""


def escape(text: str) -> str:
    """No Markdown, no HTML, nobody called and no other issue referred to out of what others wrote."""
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    text = re.sub(r"([\\`*_\[\]|~])", r"\\\1", text)
    return re.sub(r"([@#])(?=\w)", rf"\1{_BEHIND_AT}", text)


def limited(answer: Answer, now: float) -> Verdict | None:
    """A rate limit is a 403 as often as a 429; the headers say which 403 it is."""
    if answer.status not in (403, 429) or answer.headers.get("x-ratelimit-remaining") != "0":
        return None
    reset = answer.headers.get("x-ratelimit-reset", "")
    wait = max(0.0, float(reset) - now) if reset.isdigit() else None
    return Verdict(str(answer.get("message") or "rate limit"), again=True, wait=wait)


def _check(options: Mapping[str, Any], _secrets: Mapping[str, Source]) -> str:
    if not _REPOSITORY.fullmatch(options["repository"]):
        return N_("repository needs the form OWNER/NAME")
    return ""


def _check_commit(options: Mapping[str, Any], secrets: Mapping[str, Source]) -> str:
    if options.get("commit") and not _COMMIT.fullmatch(options["commit"]):
        return N_("commit needs a whole commit hash")
    if not options.get("commit") and "commit" not in secrets:
        return N_("commit or commit_env (such as GITHUB_SHA) is needed")
    return _check(options, secrets)


_COMMON: Final = (
    Field("repository", str, required=True),
    Field("token", str, required=True, secret=True),
    Field("api", str, default="https://api.github.com"),
)

ISSUE: Final = Service(
    "github-issue",
    (*_COMMON, Field("labels", list, default=("goferry",))),
    talk_issue,
    limited=limited,
    check=_check,
    wants_closed=True,
)
CHECK: Final = Service(
    "github-check",
    (*_COMMON, Field("commit", str)),
    talk_check,
    limited=limited,
    check=_check_commit,
    wants_all=True,
)
