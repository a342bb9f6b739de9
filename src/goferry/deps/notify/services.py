"""All kinds of receivers, by the word that stands for them in goferry.toml."""

from collections.abc import Mapping
from typing import Final

from goferry.deps.notify import dingtalk, email, feishu, github, slack, teams, webhook, wecom
from goferry.deps.notify.base import Service

SERVICES: Final[Mapping[str, Service]] = {
    service.kind: service
    for service in (
        slack.SERVICE,
        teams.SERVICE,
        feishu.SERVICE,
        dingtalk.SERVICE,
        wecom.SERVICE,
        email.SERVICE,
        webhook.SERVICE,
        github.ISSUE,
        github.CHECK,
    )
}
