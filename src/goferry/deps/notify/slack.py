"""Slack: one message per run, in blocks. With a bot token the findings stand in its thread; with an incoming webhook,
which cannot answer to a message, they stand in the message itself.

Limits (Slack's reference): 50 blocks a message, 150 characters a header, 3,000 a section, one message a second and
channel. Slack cuts messages near 40,000 characters; what is sent stays below that as a whole.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from goferry.deps.notify.base import (
    JSON_HEADERS,
    TAKEN,
    Answer,
    Dialogue,
    Field,
    Notice,
    Request,
    Service,
    Source,
    Target,
    Verdict,
    encode,
)
from goferry.deps.notify.telling import Group, Item, Telling, and_more, fitting, largest, shortened, tell
from goferry.findings import Severity
from goferry.i18n import N_, _

MOST_BLOCKS: Final = 50
MOST_HEADER: Final = 150
MOST_SECTION: Final = 3000
MOST_BYTES: Final = 40_000
_MOST_REPLIES: Final = 10
_PER_REPLY: Final = 20
_MOST_REPLY: Final = 30_000
_GAP: Final = 1.1
_SIGNS: Final = {
    Severity.ERROR: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.INFO: ":large_blue_circle:",
    Severity.OK: ":white_circle:",
}
_BUSY: Final = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"}
)

Block = Mapping[str, Any]


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    told = tell(notice, target.receiver.link)
    mentions = target.receiver.mentions
    if not target.secret("token"):
        yield Request("message", target.secret("url"), _whole(told, mentions), headers=JSON_HEADERS)
        return
    url = f"{target.option('api').rstrip('/')}/chat.postMessage"
    headers = {**JSON_HEADERS, "Authorization": f"Bearer {target.secret('token')}"}
    channel = {"channel": target.option("channel"), "unfurl_links": False}
    posted = yield Request(
        "message",
        url,
        {**channel, **_summary(told, mentions)},
        headers=headers,
        example={"ok": True, "ts": "1700000000.000100"},
    )
    for number, reply in enumerate(_replies(told), 1):
        body = {**channel, "thread_ts": posted["ts"], **reply}
        yield Request(f"details {number}", url, body, headers=headers, tells=False, gap=_GAP)


def _whole(told: Telling, mentions: Mapping[str, str]) -> Mapping[str, Any]:
    """Everything in one message, as far as it has room."""

    def made(part: Telling) -> Mapping[str, Any]:
        blocks = [*_head(part)]
        for group in part.groups:
            blocks.append(_section(f"*{_owner(group, mentions)}*"))
            blocks += [_section(_item(item)) for item in group.items]
        blocks += _foot(part)
        return {"text": escape(told.headline), "blocks": blocks}

    def fits(body: Mapping[str, Any]) -> bool:
        return len(body["blocks"]) <= MOST_BLOCKS and len(encode(body)) <= MOST_BYTES

    return fitting(told, made, fits)


def _summary(told: Telling, mentions: Mapping[str, str]) -> Mapping[str, Any]:
    """Who has how much to look at; the findings follow in the thread."""
    room = MOST_BLOCKS - 6
    blocks = [*_head(told)]
    for group in told.groups[:room]:
        names = ", ".join(escape(item.title) for item in group.items[:5])
        more = and_more(len(group.items) - 5) if len(group.items) > 5 else ""
        blocks.append(_section(f"*{_owner(group, mentions)}*: {names} {more}".rstrip()))
    if len(told.groups) > room:
        blocks.append(_context(and_more(sum(len(group.items) for group in told.groups[room:]))))
    blocks += _foot(told)
    return {"text": escape(told.headline), "blocks": blocks}


def _replies(told: Telling) -> Iterator[Mapping[str, Any]]:
    """The findings in the order of their owners, in as few replies as they fit, and never too many of them."""
    blocks = [
        _section(f"*{escape(group.heading)}*\n{_item(item)}") if first else _section(_item(item))
        for group in told.first(_MOST_REPLIES * _PER_REPLY).groups
        for first, item in ((place == 0, item) for place, item in enumerate(group.items))
    ]
    left_out = told.count - len(blocks)
    while blocks:
        part, blocks = _reply(blocks)
        if not blocks and left_out:
            part = [*part, _context(and_more(left_out))]
        yield {"text": _("the findings in detail"), "blocks": part}


def _reply(blocks: list[Block]) -> tuple[list[Block], list[Block]]:
    """As many blocks as one reply takes, and the rest."""

    def fits(count: int) -> bool:
        return len(encode({"blocks": blocks[:count]})) <= _MOST_REPLY

    count = max(1, largest(min(_PER_REPLY, len(blocks)), fits))
    return blocks[:count], blocks[count:]


def _head(told: Telling) -> Iterator[Block]:
    yield {
        "type": "header",
        "text": {"type": "plain_text", "text": shortened(told.headline, MOST_HEADER), "emoji": True},
    }
    yield _context(" · ".join(map(escape, told.facts)))


def _foot(told: Telling) -> Iterator[Block]:
    if told.left_out:
        yield _context(told.more)
    if told.link:
        yield _section(f"<{escape(told.link)}|{escape(told.link_text)}>")


def _section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text)}}


def _context(text: str) -> Block:
    return {"type": "context", "elements": [{"type": "mrkdwn", "text": _cut(text)}]}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_SECTION else text[: MOST_SECTION - 1] + "…"


def _item(item: Item) -> str:
    name = f"<{item.url}|{escape(item.title)}>" if item.url else f"*{escape(item.title)}*"
    lines = [f"{_SIGNS[item.severity]} {name}: {escape(item.text)}", escape(item.where)]
    if item.fix:
        lines.append(escape(item.fix))
    if item.chain:
        lines.append(f"_{escape(shortened(item.chain, 300))}_")
    return "\n".join(lines)


def _owner(group: Group, mentions: Mapping[str, str]) -> str:
    known = mentions.get(group.owner, "")
    if not known:
        return escape(group.heading)
    # User ids begin with U or W, those of user groups with S.
    return f"<!subteam^{known}>" if known.startswith("S") else f"<@{known}>"


def escape(text: str) -> str:
    """Slack's three control characters; with them go its mentions and links."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def judge(answer: Answer) -> Verdict:
    """The Web API says no with status 200 and `ok: false`; webhooks say `ok` in plain text."""
    if answer.get("ok") is not False:
        return TAKEN
    error = str(answer.get("error") or "?")
    return Verdict(error, again=error in _BUSY)


def check(options: Mapping[str, Any], secrets: Mapping[str, Source]) -> str:
    """Either a webhook, or a token and where to post."""
    if ("url" in secrets) == ("token" in secrets):
        return N_(
            "either an incoming webhook (url_env, url_file) or a bot token (token_env, token_file) is needed"
        )
    if "token" in secrets and not options.get("channel"):
        return N_("a bot token needs a channel beside it")
    return ""


SERVICE: Final = Service(
    "slack",
    (
        Field("url", str, secret=True),
        Field("token", str, secret=True),
        Field("channel", str),
        Field("api", str, default="https://slack.com/api"),
    ),
    talk,
    judge=judge,
    check=check,
)
