"""DingTalk: Markdown to a custom robot, signed when the robot has a signing secret.

The signature is HMAC-SHA256 of `timestamp\\nsecret` with the secret as key, in base64, in the query; the timestamp, in
milliseconds, may be an hour off. Limits (their reference): 20 messages a minute, or the robot is silenced for ten;
20,000 bytes a message. Errors come with status 200 and an `errcode`. A robot that wants a keyword finds `goferry`.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

from goferry.deps.notify.base import (
    JSON_HEADERS,
    ROBOT,
    Answer,
    Dialogue,
    Notice,
    Request,
    Sealed,
    Service,
    Target,
    Verdict,
    by_code,
    encode,
    signed,
)
from goferry.deps.notify.telling import Item, Telling, fitting, shortened, tell

MOST_BYTES: Final = 20_000
_AGAIN: Final = {130101: 600.0, -1: None}
"""Silenced for too many messages, and the system's own "busy"."""


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    told = tell(notice, target.receiver.link)
    mentions = target.receiver.mentions

    body = fitting(told, lambda part: _message(part, mentions), lambda body: len(encode(body)) <= MOST_BYTES)
    secret = target.secret("secret")

    def seal(request: Request, now: float) -> Sealed:
        if not secret:
            return Sealed(request.url, request.encoded(), request.headers)
        timestamp = str(int(now * 1000))
        sign = quote(signature(secret, timestamp), safe="")
        joint = "&" if "?" in request.url else "?"
        url = f"{request.url}{joint}timestamp={timestamp}&sign={sign}"
        return Sealed(url, request.encoded(), request.headers, hidden=(sign,))

    yield Request("message", target.secret("url"), body, headers=JSON_HEADERS, seal=seal)


def signature(secret: str, timestamp: str) -> str:
    """What the robot expects as `sign`, before it is escaped for the query."""
    return signed(secret, f"{timestamp}\n{secret}")


def _message(told: Telling, mentions: Mapping[str, str]) -> Mapping[str, Any]:
    known = [mentions[group.owner] for group in told.groups if group.owner in mentions]
    mobiles = [name for name in known if _is_mobile(name)]
    return {
        "msgtype": "markdown",
        "markdown": {"title": told.headline, "text": "\n\n".join(_lines(told, mentions))},
        "at": {
            "atMobiles": mobiles,
            "atUserIds": [name for name in known if name not in mobiles],
            "isAtAll": False,
        },
    }


def _is_mobile(name: str) -> bool:
    return re.fullmatch(r"\+?[0-9-]{8,20}", name) is not None


def _lines(told: Telling, mentions: Mapping[str, str]) -> Iterator[str]:
    yield f"### {escape(told.headline)}"
    yield escape(" · ".join(told.facts))
    for group in told.groups:
        # Only who is also named in the text is called.
        called = f"@{mentions[group.owner]}" if group.owner in mentions else ""
        yield f"**{escape(group.heading)}** {called}".rstrip()
        yield "\n".join(f"- {_item(item)}" for item in group.items)
    if told.left_out:
        yield told.more
    if told.link:
        yield f"[{told.link_text}]({told.link})"


def _item(item: Item) -> str:
    name = f"[{escape(item.title)}]({item.url})" if item.url else f"**{escape(item.title)}**"
    rest = (item.text, item.where, item.fix, shortened(item.chain, 300))
    return f"{item.word}: {name}: " + "; ".join(escape(part) for part in rest if part)


def escape(text: str) -> str:
    """No Markdown, no HTML and nobody called out of what others wrote."""
    text = text.replace("<", "‹").replace(">", "›").replace("@", "＠")
    return re.sub(r"([\\`*_\[\]#])", r"\\\1", text)


def judge(answer: Answer) -> Verdict:
    """`errcode` is 0 for yes."""
    return by_code(answer.get("errcode"), answer.get("errmsg"), _AGAIN)


SERVICE: Final = Service("dingtalk", ROBOT, talk, judge=judge)
