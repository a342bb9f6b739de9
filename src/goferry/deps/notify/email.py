"""E-mail: one message per run, as plain text and as HTML.

The same notice has the same Message-ID, so a mail system that has it already may drop a second one.
"""

import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any, Final

from goferry.deps.notify.base import Dialogue, Field, Mail, Notice, Service, Source, Target
from goferry.deps.notify.telling import Telling, tell
from goferry.i18n import N_, current

_PORTS: Final = {"starttls": 587, "tls": 465, "none": 25}
_ADDRESS: Final = re.compile(r"[^\s@,;<>\"]+@[^\s@,;<>\"]+")

_PAGE: Final = """\
<!doctype html>
<html lang="{{ language }}">
<head><meta charset="utf-8"><title>{{ told.headline }}</title></head>
<body style="font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 48rem">
<h1 style="font-size: 1.2rem">{{ told.headline }}</h1>
<p style="color: #666">{{ told.facts | join(" · ") }}</p>
{% for group in told.groups %}
<h2 style="font-size: 1rem; border-top: 1px solid #ddd; padding-top: .6rem">{{ group.heading }}</h2>
<ul>
{% for item in group.items %}
<li style="margin-bottom: .6rem"><strong style="color: {{ colours[item.severity] }}">{{ item.word }}</strong>
{% if item.url %}<a href="{{ item.url }}">{{ item.title }}</a>{% else %}{{ item.title }}{% endif %}: {{ item.text }}<br>
{{ item.where }}{% if item.fix %}<br>{{ item.fix }}{% endif %}
{% if item.chain %}<br><small style="color: #666">{{ item.chain }}</small>{% endif %}</li>
{% endfor %}
</ul>
{% endfor %}
{% if told.link %}<p><a href="{{ told.link }}">{{ told.link_text }}</a></p>{% endif %}
</body>
</html>
"""
_COLOURS: Final = {"error": "#b00020", "warning": "#b26a00", "info": "#1b5fa7", "ok": "#1a7f37"}


def talk(notice: Notice, target: Target) -> Dialogue:
    """The dialogue of one notice."""
    told = tell(notice, target.receiver.link)
    security = target.option("security")
    yield Mail(
        "message",
        _message(notice, told, target),
        host=target.option("host"),
        port=target.option("port") or _PORTS[security],
        security=security,
        user=target.option("user") or "",
        password=target.secret("password"),
    )


def _message(notice: Notice, told: Telling, target: Target) -> EmailMessage:
    message = EmailMessage()
    sender = target.option("from")
    message["Subject"] = told.headline
    message["From"] = sender
    message["To"] = ", ".join(_recipients(told, target))
    message["Date"] = format_datetime(notice.audit.generated)
    message["Message-ID"] = f"<{notice.delivery}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(_plain(told))
    message.add_alternative(_html(told), subtype="html")
    return message


def _recipients(told: Telling, target: Target) -> list[str]:
    """Those who hear of everything, and the owners of what is told."""
    mentions = target.receiver.mentions
    owners = [mentions[group.owner] for group in told.groups if group.owner in mentions]
    return list(dict.fromkeys([*target.option("to"), *owners]))


def _plain(told: Telling) -> str:
    lines = [told.headline, "", *told.facts]
    for group in told.groups:
        lines += ["", group.heading, ""]
        for item in group.items:
            lines.append(f"* {item.word}: {item.title}: {item.text}")
            lines += [f"  {part}" for part in (item.where, item.fix, item.chain, item.url) if part]
    if told.link:
        lines += ["", told.link]
    return "\n".join(lines) + "\n"


def _html(told: Telling) -> str:
    from jinja2 import Environment, StrictUndefined  # slow to import, and only e-mail needs it

    page = Environment(autoescape=True, undefined=StrictUndefined).from_string(_PAGE)
    return page.render(told=told, colours=_COLOURS, language=current().replace("_", "-"))


def check(options: Mapping[str, Any], secrets: Mapping[str, Source]) -> str:
    """Addresses that are none, and passwords that would travel in the open or without a user."""
    if not all(map(_ADDRESS.fullmatch, [options["from"], *options["to"]])) or not options["to"]:
        return N_("from and to need addresses such as goferry@example.com")
    if ("password" in secrets) != bool(options.get("user")):
        return N_("user and password (password_env, password_file) need each other")
    if "password" in secrets and options["security"] == "none":
        return N_("a password is only sent with security starttls or tls")
    return ""


SERVICE: Final = Service(
    "email",
    (
        Field("host", str, required=True),
        Field("port", int),
        Field("security", str, default="starttls", choices=tuple(_PORTS)),
        Field("user", str),
        Field("password", str, secret=True),
        Field("from", str, required=True),
        Field("to", list, required=True),
    ),
    talk,
    check=check,
)
