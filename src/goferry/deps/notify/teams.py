"""Microsoft Teams: an adaptive card through the webhook of a Workflow ("When a Teams webhook request is received").

Limits (Microsoft's reference): 28 KB a message; cards of version 1.4 are shown everywhere. A mention is a text and an
entity that says who is meant by it; without the entity the text is only a text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from goferry.deps.notify.base import JSON_HEADERS, Dialogue, Field, Notice, Request, Service, Target, encode
from goferry.deps.notify.telling import Item, Telling, fitting, shortened, tell
from goferry.findings import Severity

MOST_BYTES: Final = 28 * 1024
_ROOM: Final = 26 * 1024
"""The workflow wraps the card once more before it counts."""

_COLOURS: Final = {
    Severity.ERROR: "attention",
    Severity.WARNING: "warning",
    Severity.INFO: "accent",
    Severity.OK: "good",
}


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    told = tell(notice, target.receiver.link)
    mentions = target.receiver.mentions

    body = fitting(told, lambda part: _message(part, mentions), lambda body: len(encode(body)) <= _ROOM)
    yield Request("message", target.secret("url"), body, headers=JSON_HEADERS)


def _message(told: Telling, mentions: Mapping[str, str]) -> Mapping[str, Any]:
    return {
        "type": "message",
        "attachments": [
            {
                "contentType": "application/vnd.microsoft.card.adaptive",
                "contentUrl": None,
                "content": _card(told, mentions),
            }
        ],
    }


def _card(told: Telling, mentions: Mapping[str, str]) -> Mapping[str, Any]:
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": told.headline,
        "body": list(_body(told, mentions)),
        "msteams": {"width": "Full", "entities": list(_entities(told, mentions))},
    }
    if told.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": told.link_text, "url": told.link}]
    return card


def _body(told: Telling, mentions: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    yield _text(escape(told.headline), size="large", weight="bolder", color=_COLOURS[told.worst])
    yield _text(escape(" · ".join(told.facts)), isSubtle=True, spacing="small")
    for group in told.groups:
        known = group.owner in mentions
        owner = f"<at>{_plain(group.owner)}</at>" if known else escape(group.heading)
        items = [_text(_item(item), spacing="small") for item in group.items]
        yield {
            "type": "Container",
            "separator": True,
            "items": [_text(owner, weight="bolder"), *items],
        }
    if told.left_out:
        yield _text(told.more, isSubtle=True)


def _entities(told: Telling, mentions: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for group in told.groups:
        if known := mentions.get(group.owner):
            name = _plain(group.owner)
            yield {
                "type": "mention",
                "text": f"<at>{name}</at>",
                "mentioned": {"id": known, "name": name},
            }


def _text(text: str, **looks: Any) -> Mapping[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **looks}


def _item(item: Item) -> str:
    name = f"[{escape(item.title)}]({item.url})" if item.url else f"**{escape(item.title)}**"
    rest = [escape(item.text), escape(item.where), escape(item.fix), escape(shortened(item.chain, 300))]
    return f"{item.word}: {name}: " + "\n\n".join(part for part in rest if part)


def _plain(name: str) -> str:
    return re.sub(r"[<>&]", "", name)


def escape(text: str) -> str:
    """No Markdown and no mention out of what others wrote."""
    return re.sub(r"([\\`*_\[\]()#~|])", r"\\\1", text.replace("<", "‹").replace(">", "›"))


SERVICE: Final = Service("teams", (Field("url", str, required=True, secret=True),), talk)
