"""A goferry.toml with every kind of receiver, and a driver whose clock and pauses are the test's."""

import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from deps.receivers import SECRETS
from goferry.deps.audit.records import Audit
from goferry.deps.kept import Kept
from goferry.deps.notify.base import Receiver
from goferry.deps.notify.send import Outcome, Wire, notify
from goferry.deps.notify.settings import read_receivers
from goferry.net import Client, ClientOptions
from goferry.net.trust import Trust

NOW = 1_800_000_000.0
COMMIT = "0123456789abcdef0123456789abcdef01234567"

TABLES: Mapping[str, str] = {
    "slack": 'kind = "slack"\nurl_env = "SLACK_URL"\n[notify.mentions]\n"@platform" = "S012345"',
    "slack-bot": (
        'kind = "slack"\ntoken_env = "SLACK_TOKEN"\nchannel = "C012345"\napi = "URL/api"\n'
        '[notify.mentions]\n"@platform" = "U012345"'
    ),
    "teams": 'kind = "teams"\nurl_env = "TEAMS_URL"\n[notify.mentions]\n"@platform" = "ada@example.com"',
    "feishu": (
        'kind = "feishu"\nurl_env = "FEISHU_URL"\nsecret_env = "FEISHU_SECRET"\nlang = "zh_CN"\n'
        '[notify.mentions]\n"@platform" = "ou_0123"'
    ),
    "dingtalk": (
        'kind = "dingtalk"\nurl_env = "DINGTALK_URL"\nsecret_env = "DINGTALK_SECRET"\nlang = "zh_CN"\n'
        '[notify.mentions]\n"@platform" = "13800000000"\n"@web" = "manager0123"'
    ),
    "wecom": 'kind = "wecom"\nurl_env = "WECOM_URL"\n[notify.mentions]\n"@platform" = "ada"',
    "webhook": 'kind = "webhook"\nurl_env = "WEBHOOK_URL"\nsecret_env = "WEBHOOK_SECRET"',
    "github-issue": (
        'kind = "github-issue"\nrepository = "example/app"\ntoken_env = "GITHUB_TOKEN"\napi = "URL"\n'
        '[notify.mentions]\n"@platform" = "@example/platform"'
    ),
    "github-check": (
        'kind = "github-check"\nrepository = "example/app"\ntoken_env = "GITHUB_TOKEN"\napi = "URL"\n'
        'commit_env = "GITHUB_SHA"'
    ),
}
"""Each kind as people would write it; URL stands for the server. Every receiver has the name of its row."""


def environ_for(url: str) -> dict[str, str]:
    """The variables that the tables name."""
    hooks = {
        "SLACK": "slack hook",
        "TEAMS": "teams hook",
        "FEISHU": "feishu hook",
        "DINGTALK": "dingtalk hook",
    }
    hooks |= {"WECOM": "wecom hook", "WEBHOOK": "webhook"}
    return {
        **{f"{name}_URL": url + SECRETS[hook] for name, hook in hooks.items()},
        "SLACK_TOKEN": SECRETS["slack token"],
        "FEISHU_SECRET": SECRETS["feishu secret"],
        "DINGTALK_SECRET": SECRETS["dingtalk secret"],
        "WEBHOOK_SECRET": SECRETS["webhook secret"],
        "GITHUB_TOKEN": SECRETS["github token"],
        "GITHUB_SHA": COMMIT,
    }


def toml_for(url: str, *names: str, extra: str = "") -> str:
    """The settings file with these receivers, or all."""
    tables = []
    for name in names or TABLES:
        table = TABLES[name].replace('"URL', f'"{url}')
        tables.append(f'[[notify]]\nname = "{name}"\n{extra}{table}\n')
    return "\n".join(tables)


def receivers_for(folder: Path, url: str, *names: str, extra: str = "") -> tuple[Receiver, ...]:
    file = folder / "goferry.toml"
    file.write_text(toml_for(url, *names, extra=extra))
    return read_receivers(file)


class Driver:
    """Sends notices for a test. `pauses` are the waits that were asked for; none of them is waited."""

    def __init__(self, client: Client, folder: Path, url: str) -> None:
        self.client = client
        self.folder = folder
        self.url = url
        self.environ = environ_for(url)
        self.now = NOW
        self.pauses: list[float] = []
        self.trust = Trust({})

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def wire(self, **given: Any) -> Wire:
        tls = given.pop("tls", lambda: ssl.create_default_context())
        return Wire(self.client, tls, clock=lambda: self.now, pause=self.pause, random=lambda: 0.0, **given)

    async def tell(
        self, audit: Audit, *names: str, everything: bool = False, extra: str = "", **given: Any
    ) -> list[Outcome]:
        """Tells these receivers, or all."""
        receivers = receivers_for(self.folder, self.url, *names, extra=extra)
        with Kept(self.folder / "audits.sqlite") as kept:
            return list(
                await notify(
                    audit,
                    receivers,
                    kept=kept,
                    environ=self.environ,
                    wire=self.wire(**given),
                    everything=everything,
                )
            )


@asynccontextmanager
async def driving(folder: Path, url: str) -> AsyncIterator[Driver]:
    client = Client(ClientOptions(environ={}))
    try:
        yield Driver(client, folder, url)
    finally:
        await client.close()
