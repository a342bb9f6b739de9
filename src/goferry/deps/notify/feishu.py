"""Feishu and Lark: an interactive card to a custom bot, signed when the bot has a signature secret.

The signature is HMAC-SHA256 of nothing, with the key `timestamp\\nsecret`; the timestamp, in seconds, may be an hour
off. Limits (their reference): 20 KB a request, 5 requests a second, 100 a minute. Errors come with status 200 and a
`code`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

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
from goferry.deps.notify.telling import Group, Item, Telling, fitting, shortened, tell
from goferry.findings import Severity

MOST_BYTES: Final = 20_000
_SIGNATURE_ROOM: Final = 200
_COLOURS: Final = {
    Severity.ERROR: "red",
    Severity.WARNING: "orange",
    Severity.INFO: "blue",
    Severity.OK: "green",
}
_AGAIN: Final = {9499: None, 11232: None}
"""Too many requests, in the words of two generations of their servers."""


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    told = tell(notice, target.receiver.link)
    mentions = target.receiver.mentions

    def made(part: Telling) -> Mapping[str, Any]:
        return {"msg_type": "interactive", "card": _card(part, mentions)}

    def fits(body: Mapping[str, Any]) -> bool:
        return len(encode(body)) <= MOST_BYTES - _SIGNATURE_ROOM

    secret = target.secret("secret")

    def seal(request: Request, now: float) -> Sealed:
        if not secret or request.body is None:
            return Sealed(request.url, request.encoded(), request.headers)
        timestamp = str(int(now))
        sign = signature(secret, timestamp)
        body = {"timestamp": timestamp, "sign": sign, **request.body}
        return Sealed(request.url, encode(body), request.headers, hidden=(sign,))

    body = fitting(told, made, fits)
    yield Request("message", target.secret("url"), body, headers=JSON_HEADERS, seal=seal)


def signature(secret: str, timestamp: str) -> str:
    """What the bot expects as `sign`."""
    return signed(f"{timestamp}\n{secret}", "")


def _card(told: Telling, mentions: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "config": {"wide_screen_mode": True},
        "header": {
            "title": {"tag": "plain_text", "content": told.headline},
            "template": _COLOURS[told.worst],
        },
        "elements": list(_elements(told, mentions)),
    }


def _elements(told: Telling, mentions: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    yield _div(escape(" · ".join(told.facts)))
    for group in told.groups:
        yield {"tag": "hr"}
        yield _div("\n".join([f"**{_owner(group, mentions)}**", *map(_item, group.items)]))
    if told.left_out:
        yield _div(told.more)
    if told.link:
        yield {
            "tag": "action",
            "actions": [
                {
                    "tag": "button",
                    "text": {"tag": "plain_text", "content": told.link_text},
                    "type": "default",
                    "url": told.link,
                }
            ],
        }


def _div(text: str) -> Mapping[str, Any]:
    return {"tag": "div", "text": {"tag": "lark_md", "content": text}}


def _item(item: Item) -> str:
    name = f"[{escape(item.title)}]({item.url})" if item.url else f"**{escape(item.title)}**"
    rest = (item.text, item.where, item.fix, shortened(item.chain, 300))
    return f"{item.word}: {name}: " + "\n".join(escape(part) for part in rest if part)


def _owner(group: Group, mentions: Mapping[str, str]) -> str:
    known = mentions.get(group.owner, "")
    if not known:
        return escape(group.heading)
    return f"<at email={known}></at>" if "@" in known else f"<at id={known}></at>"


_ESCAPES: Final = str.maketrans({char: f"&#{ord(char)};" for char in "<>*~[]`"})


def escape(text: str) -> str:
    """Their Markdown takes numeric entities for its own characters."""
    return text.replace("&", "&#38;").translate(_ESCAPES)


def judge(answer: Answer) -> Verdict:
    """`code` (or, of old, `StatusCode`) is 0 for yes."""
    code = answer.get("code")
    if code is None:
        code = answer.get("StatusCode")
    return by_code(code, answer.get("msg") or answer.get("StatusMessage"), _AGAIN)


SERVICE: Final = Service("feishu", ROBOT, talk, judge=judge)
