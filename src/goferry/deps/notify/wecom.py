"""WeCom (WeChat Work): Markdown to a group robot.

Limits (their reference): 4,096 bytes of Markdown, 20 messages a minute. Errors come with status 200 and an `errcode`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from goferry.deps.notify.base import (
    JSON_HEADERS,
    Answer,
    Dialogue,
    Field,
    Notice,
    Request,
    Service,
    Target,
    Verdict,
    by_code,
)
from goferry.deps.notify.telling import Group, Item, Telling, fitting, shortened, tell
from goferry.findings import Severity

MOST_BYTES: Final = 4096
_AGAIN: Final = {45009: 60.0, -1: None}
"""Too many messages in a minute, and the system's own "busy"."""
_COLOURS: Final = {
    Severity.ERROR: "warning",
    Severity.WARNING: "warning",
    Severity.INFO: "comment",
    Severity.OK: "info",
}


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    told = tell(notice, target.receiver.link)
    mentions = target.receiver.mentions

    text = fitting(told, lambda part: _text(part, mentions), lambda text: len(text.encode()) <= MOST_BYTES)
    body = {"msgtype": "markdown", "markdown": {"content": text}}
    yield Request("message", target.secret("url"), body, headers=JSON_HEADERS)


def _text(told: Telling, mentions: Mapping[str, str]) -> str:
    return "\n".join(_lines(told, mentions))


def _lines(told: Telling, mentions: Mapping[str, str]) -> Iterator[str]:
    yield f"### {escape(told.headline)}"
    yield f'<font color="comment">{escape(" · ".join(told.facts))}</font>'
    for group in told.groups:
        yield f"**{_owner(group, mentions)}**"
        yield from map(_item, group.items)
    if told.left_out:
        yield told.more
    if told.link:
        yield f"[{told.link_text}]({told.link})"


def _item(item: Item) -> str:
    name = f"[{escape(item.title)}]({item.url})" if item.url else escape(item.title)
    rest = "; ".join(escape(part) for part in (shortened(item.text, 120), item.where, item.fix) if part)
    return f'> <font color="{_COLOURS[item.severity]}">{item.word}</font> {name}: {rest}'


def _owner(group: Group, mentions: Mapping[str, str]) -> str:
    known = mentions.get(group.owner, "")
    return f"<@{known}>" if known else escape(group.heading)


def escape(text: str) -> str:
    """No markup and nobody called out of what others wrote; there is no way to write these characters themselves."""
    return text.translate(str.maketrans("<>[]`", "‹›【】'")).replace("**", "＊＊")


def judge(answer: Answer) -> Verdict:
    """`errcode` is 0 for yes."""
    return by_code(answer.get("errcode"), answer.get("errmsg"), _AGAIN)


SERVICE: Final = Service("wecom", (Field("url", str, required=True, secret=True),), talk, judge=judge)
