"""Receivers of notices on loopback that are as strict as the real ones: each checks what it gets against the rules
that its service publishes, and says no in its service's own form.
"""

import base64
import hashlib
import hmac
import json
import re
import ssl
from collections.abc import Callable, Iterator
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jsonschema

from net.web import Request, Web, answer

SECRETS = {
    "slack hook": "/services/T0PLANTED/B0PLANTED/hookPlantedSecret",
    "slack token": "xoxb-planted-slack-token",
    "teams hook": "/workflows/0123456789abcdef/triggers/manual/paths/invoke?sig=PlantedTeamsSignature",
    "feishu hook": "/open-apis/bot/v2/hook/planted-feishu-hook-id",
    "feishu secret": "planted-feishu-secret",
    "dingtalk hook": "/robot/send?access_token=plantedDingTalkAccessToken",
    "dingtalk secret": "SECplanteddingtalksecret",
    "wecom hook": "/cgi-bin/webhook/send?key=planted-wecom-key",
    "webhook": "/incoming/planted-webhook-path",
    "webhook secret": "planted-webhook-secret",
    "github token": "ghp_plantedGithubToken",
}
"""What must never be seen anywhere."""

HOUR = 3600


def refuse(status: str, body: Any) -> bytes:
    return answer(status, json.dumps(body).encode(), Content_Type="application/json")


def say(body: Any) -> bytes:
    return refuse("200 OK", body)


class Receivers(Web):
    """All services behind one port. `script`: answers that are given first, whatever is asked. `now`: its clock."""

    def __init__(
        self, *script: bytes, now: float = 1_800_000_000.0, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(self._answer, tls=tls)
        self.script = list(script)
        self.now = now
        self.taken: list[Request] = []
        """Requests that were accepted."""
        self.issues: list[dict[str, Any]] = []
        self.comments: list[tuple[int, str]] = []
        self.checks: list[dict[str, Any]] = []

    @property
    def messages(self) -> list[Any]:
        """The bodies that were accepted."""
        return [json.loads(request.body) for request in self.taken if request.body]

    def _answer(self, request: Request) -> bytes:
        if self.script:
            return self.script.pop(0)
        path = urlsplit(request.target).path
        for prefix, handler in _SERVICES.items():
            if path.startswith(prefix):
                said = handler(self, request)
                if said.startswith(b"HTTP/1.1 2") and not re.search(
                    rb'"(errcode|code)": [^0]|"ok": false', said
                ):
                    self.taken.append(request)
                return said
        return answer("404 Not Found", b"no such place")


def body_of(request: Request) -> Any:
    assert request.headers["content-type"].startswith("application/json")
    return json.loads(request.body)


# ---- Slack ---------------------------------------------------------------------------------------------------------


def block_faults(body: Any) -> Iterator[str]:
    """The rules of https://docs.slack.dev/reference/block-kit/blocks, for the blocks that are used."""
    if not isinstance(body.get("text"), str) or not body["text"]:
        yield "no fallback text"
    if len(json.dumps(body, ensure_ascii=False).encode()) > 45_000:
        yield "too long"
    blocks = body.get("blocks")
    if not isinstance(blocks, list) or not 1 <= len(blocks) <= 50:
        yield "1 to 50 blocks"
        return
    for block in blocks:
        yield from _BLOCKS.get(block.get("type"), lambda _: iter(["unknown block"]))(block)


def _header(block: Any) -> Iterator[str]:
    if block["text"]["type"] != "plain_text" or not 1 <= len(block["text"]["text"]) <= 150:
        yield "header"
    if set(block) - {"type", "text", "block_id"}:
        yield "header fields"


def _text(text: Any, most: int) -> Iterator[str]:
    if text.get("type") not in ("mrkdwn", "plain_text") or not 1 <= len(text.get("text", "")) <= most:
        yield f"text of 1 to {most} characters"
    for control in re.findall(r"<([^>]*)>", text.get("text", "")):
        if not re.fullmatch(r"@[UW][A-Z0-9]+|!subteam\^S[A-Z0-9]+|https?://[^|<>]+(\|[^<>]*)?", control):
            yield f"control sequence {control}"


def _section(block: Any) -> Iterator[str]:
    yield from _text(block.get("text", {}), 3000)
    if set(block) - {"type", "text", "block_id", "fields", "accessory", "expand"}:
        yield "section fields"


def _context(block: Any) -> Iterator[str]:
    if not 1 <= len(block.get("elements", [])) <= 10:
        yield "1 to 10 elements"
    for element in block["elements"]:
        yield from _text(element, 3000)


_BLOCKS: dict[str, Callable[[Any], Iterator[str]]] = {
    "header": _header,
    "section": _section,
    "context": _context,
    "divider": lambda _: iter(()),
}


def slack_hook(_all: Receivers, request: Request) -> bytes:
    if request.target != SECRETS["slack hook"]:
        return answer("403 Forbidden", b"invalid_token")
    faults = list(block_faults(body_of(request)))
    return answer("400 Bad Request", b"invalid_blocks") if faults else answer("200 OK", b"ok")


def slack_api(those: Receivers, request: Request) -> bytes:
    if request.headers.get("authorization") != f"Bearer {SECRETS['slack token']}":
        return say({"ok": False, "error": "invalid_auth"})
    body = body_of(request)
    if not re.fullmatch(r"[CG][A-Z0-9]+|#[\w-]+", body.get("channel", "")):
        return say({"ok": False, "error": "channel_not_found"})
    if faults := list(block_faults(body)):
        return say({"ok": False, "error": "invalid_blocks", "response_metadata": {"messages": faults}})
    ts = f"{1_800_000_000 + len(those.taken)}.000100"
    if "thread_ts" in body and not re.fullmatch(r"\d+\.\d{6}", body["thread_ts"]):
        return say({"ok": False, "error": "thread_not_found"})
    return say({"ok": True, "channel": "C0", "ts": ts})


# ---- Teams ---------------------------------------------------------------------------------------------------------


def card_faults(card: Any, version: str) -> list[str]:
    """The published JSON schema, without Teams' own field, which the schema does not know."""
    text = (files("adaptive_cards") / f"schemas/schema-{version}.json").read_text("utf-8")
    validator = jsonschema.Draft6Validator(json.loads(text))
    return [
        error.message for error in validator.iter_errors({k: v for k, v in card.items() if k != "msteams"})
    ]


def texts_of(card: Any) -> Iterator[str]:
    for element in card:
        yield element.get("text", "")
        yield from texts_of(element.get("items", ()))


def teams(_all: Receivers, request: Request) -> bytes:
    body = body_of(request)
    if len(request.body) > 28 * 1024:
        return refuse(
            "413 Payload Too Large", {"error": {"code": "RequestEntityTooLarge", "message": "too large"}}
        )
    (attachment,) = body["attachments"]
    card = attachment["content"]
    faults = card_faults(card, "1.4") + card_faults(card, "1.5")
    if body["type"] != "message" or attachment["contentType"] != "application/vnd.microsoft.card.adaptive":
        faults.append("no message with a card")
    written = "\n".join(texts_of(card["body"]))
    for entity in card["msteams"]["entities"]:
        if entity["type"] != "mention" or entity["text"] not in written or not entity["mentioned"]["id"]:
            faults.append("mention")
    if faults:
        return refuse("400 Bad Request", {"error": {"code": "BadRequest", "message": "; ".join(faults)}})
    return answer("202 Accepted")


# ---- Feishu, DingTalk, WeCom ---------------------------------------------------------------------------------------


def feishu(those: Receivers, request: Request) -> bytes:
    body = body_of(request)
    if len(request.body) > 20 * 1024:
        return say({"code": 11246, "msg": "request body too large", "data": {}})
    key = f"{body.get('timestamp')}\n{SECRETS['feishu secret']}".encode()
    sign = base64.b64encode(hmac.digest(key, b"", "sha256")).decode()
    if body.get("sign") != sign or abs(int(body["timestamp"]) - those.now) > HOUR:
        said = "sign match fail or timestamp is not within one hour from current time"
        return say({"code": 19021, "msg": said, "data": {}})
    card = body["card"]
    sound = (
        body["msg_type"] == "interactive"
        and card["header"]["title"]["tag"] == "plain_text"
        and card["header"]["template"] in ("red", "orange", "blue", "green")
        and all(element["tag"] in ("div", "hr", "action") for element in card["elements"])
        and all(
            e["text"]["tag"] == "lark_md" and e["text"]["content"]
            for e in card["elements"]
            if e["tag"] == "div"
        )
    )
    if not sound:
        return say({"code": 9499, "msg": "Bad Request", "data": {}})
    return say({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"})


def dingtalk(those: Receivers, request: Request) -> bytes:
    query = parse_qs(urlsplit(request.target).query)
    if query.get("access_token") != ["plantedDingTalkAccessToken"]:
        return say({"errcode": 300001, "errmsg": "token is not exist"})
    secret, (timestamp,) = SECRETS["dingtalk secret"].encode(), query["timestamp"]
    sign = base64.b64encode(hmac.digest(secret, timestamp.encode() + b"\n" + secret, hashlib.sha256)).decode()
    if query["sign"] != [sign]:
        return say({"errcode": 310000, "errmsg": "sign not match"})
    if abs(int(timestamp) / 1000 - those.now) > HOUR:
        return say({"errcode": 310000, "errmsg": "invalid timestamp"})
    body = body_of(request)
    if (
        len(request.body) > 20_000
        or set(body) != {"msgtype", "markdown", "at"}
        or not body["markdown"]["title"]
    ):
        return say({"errcode": 40035, "errmsg": "invalid parameter"})
    called = body["at"]["atMobiles"] + body["at"]["atUserIds"]
    if not all(f"@{name}" in body["markdown"]["text"] for name in called):
        return say({"errcode": 40035, "errmsg": "who is called is not named in the text"})
    return say({"errcode": 0, "errmsg": "ok"})


def wecom(_all: Receivers, request: Request) -> bytes:
    if request.target != SECRETS["wecom hook"]:
        return say({"errcode": 93000, "errmsg": "invalid webhook url"})
    body = body_of(request)
    content = body["markdown"]["content"]
    if body["msgtype"] != "markdown" or not 1 <= len(content.encode()) <= 4096:
        return say({"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"})
    return say({"errcode": 0, "errmsg": "ok"})


# ---- a webhook, and GitHub -----------------------------------------------------------------------------------------


def webhook(those: Receivers, request: Request) -> bytes:
    timestamp = request.headers["x-goferry-timestamp"]
    text = timestamp.encode() + b"." + request.body
    sign = "v1=" + hmac.digest(SECRETS["webhook secret"].encode(), text, "sha256").hex()
    if not hmac.compare_digest(request.headers["x-goferry-signature"], sign):
        return refuse("401 Unauthorized", {"message": "the signature is wrong"})
    if abs(int(timestamp) - those.now) > 300 or not request.headers["idempotency-key"]:
        return refuse("401 Unauthorized", {"message": "too old"})
    return answer("204 No Content")


def github(those: Receivers, request: Request) -> bytes:
    if request.headers.get("authorization") != f"Bearer {SECRETS['github token']}":
        return refuse("401 Unauthorized", {"message": "Bad credentials"})
    assert request.headers["user-agent"]
    path, _, query = request.target.partition("?")
    place = path.removeprefix("/repos/example/app/")
    body = json.loads(request.body) if request.body else {}
    if len(body.get("body", "")) > 65_536 or len(body.get("title", "")) > 256:
        return refuse(
            "422 Unprocessable Entity", {"message": "Validation Failed", "errors": ["body is too long"]}
        )
    if (request.method, place) == ("GET", "issues"):
        return _listed(those, parse_qs(query))
    if (request.method, place) == ("POST", "issues"):
        those.issues.append({**body, "number": len(those.issues) + 1, "state": "open"})
        return refuse("201 Created", those.issues[-1])
    if found := re.fullmatch(r"issues/(\d+)(/comments)?", place):
        issue = those.issues[int(found[1]) - 1]
        if found[2]:
            those.comments.append((issue["number"], body["body"]))
            return refuse("201 Created", {"id": 1})
        issue.update(body)
        return say(issue)
    if (request.method, place) == ("POST", "check-runs"):
        return _checked(those, body)
    return refuse("404 Not Found", {"message": "Not Found"})


def _listed(those: Receivers, query: dict[str, list[str]]) -> bytes:
    (label,), (page,), (size,) = query["labels"], query["page"], query["per_page"]
    found = [issue for issue in those.issues if issue["state"] == "open" and label in issue["labels"]]
    first = (int(page) - 1) * int(size)
    return say(found[first : first + int(size)])


def _checked(those: Receivers, body: Any) -> bytes:
    sound = (
        re.fullmatch(r"[0-9a-f]{40}", body["head_sha"])
        and body["status"] == "completed"
        and body["conclusion"] in ("success", "failure", "neutral")
        and set(body["output"]) == {"title", "summary"}
        and len(body["output"]["summary"]) <= 65_535
    )
    if not sound:
        return refuse("422 Unprocessable Entity", {"message": "Invalid request."})
    those.checks.append(body)
    return refuse("201 Created", {"id": len(those.checks)})


_SERVICES: dict[str, Callable[[Receivers, Request], bytes]] = {
    "/services/": slack_hook,
    "/api/chat.postMessage": slack_api,
    "/workflows/": teams,
    "/open-apis/": feishu,
    "/robot/": dingtalk,
    "/cgi-bin/": wecom,
    "/incoming/": webhook,
    "/repos/": github,
}
