"""The [[notify]] tables: what is read, and mistakes that are named by file, line and key."""

import re
from pathlib import Path

import pytest

from deps.notices import TABLES, receivers_for
from goferry.config import load
from goferry.deps.notify.base import Source
from goferry.deps.notify.services import SERVICES
from goferry.deps.notify.settings import read_receivers, unlock
from goferry.errors import ConfigError
from goferry.i18n import activate

ROOT = Path(__file__).resolve().parent.parent.parent
PLANTED = "https://chat.example/services/PlantedSecret"


def read(folder: Path, text: str) -> None:
    file = folder / "goferry.toml"
    file.write_text(text)
    read_receivers(file)


def test_every_kind_is_read(tmp_path: Path) -> None:
    receivers = receivers_for(tmp_path, "http://receiver.example")
    assert [receiver.name for receiver in receivers] == list(TABLES)
    slack, bot, *_ = receivers
    assert slack.sources == {"url": Source("env", "SLACK_URL")}
    assert slack.mentions == {"@platform": "S012345"}
    assert (bot.options["channel"], bot.options["api"]) == ("C012345", "http://receiver.example/api")
    assert receivers[7].options["labels"] == ("goferry",)
    assert receivers[-1].sources["commit"] == Source("env", "GITHUB_SHA")


def test_a_settings_file_with_receivers_is_still_one_of_settings(tmp_path: Path) -> None:
    receivers_for(tmp_path, "http://receiver.example")
    file = tmp_path / "goferry.toml"
    file.write_text("workers = 3\n" + file.read_text())
    assert load(environ={"HOME": "/home/gopher"}, cwd=tmp_path).settings.workers == 3
    assert len(read_receivers(file)) == len(TABLES)


def test_a_file_without_receivers_has_none(tmp_path: Path) -> None:
    (tmp_path / "goferry.toml").write_text("workers = 3\n")
    assert read_receivers(tmp_path / "goferry.toml") == ()


HOOK = '[[notify]]\nname = "a"\nkind = "slack"\nurl_env = "X"\n'
MAIL = '[[notify]]\nname = "m"\nkind = "email"\nhost = "mail.example"\nfrom = "a@example.com"\nto = ["b@example.com"]\n'
HUB = '[[notify]]\nname = "h"\nkind = "github-check"\ntoken_env = "T"\n'

MISTAKES = {
    "no name": ('[[notify]]\nkind = "slack"\n', "1: notify.name is missing"),
    "no kind": ('[[notify]]\nname = "a"\n', "1: notify.kind is missing"),
    "kind": (
        '\n[[notify]]\nname = "a"\nkind = "irc"\n',
        "4: notify.kind: 'irc' is not allowed; allowed is slack, teams,",
    ),
    "no url": ('[[notify]]\nname = "a"\nkind = "teams"\n', "1: notify.url_env is missing"),
    "secret": (
        f'[[notify]]\nname = "a"\nkind = "teams"\nurl = "{PLANTED}"\n',
        "4: notify.url is a secret, and does not belong into a settings file",
    ),
    "second": (HOOK + HOOK.replace('"a"', '"b"') + "chanel = 'x'\n", "9: unknown key notify.chanel"),
    "twice": (HOOK + HOOK, "6: notify.name: another receiver is called a too"),
    "both": (HOOK + 'url_file = "x"\n', "5: notify.url_file: url is given twice"),
    "type": (HOOK + "owners = 'all'\n", "5: notify.owners needs a list of texts"),
    "item": (HOOK + "owners = [1]\n", "5: notify.owners needs a list of texts"),
    "table": (HOOK + "mentions = {a = 1}\n", "5: notify.mentions needs a table of texts"),
    "mentions": (HOOK + '[notify.mentions]\n"a" = 7\n', "5: notify.mentions needs a table of texts"),
    "number": (MAIL + "port = '25'\n", "7: notify.port needs a whole number"),
    "bool": (MAIL + "port = true\n", "7: notify.port needs a whole number"),
    "env": (HOOK.replace('"X"', "7"), "4: notify.url_env needs a text"),
    "severity": (
        HOOK + "severity = 'high'\n",
        "5: notify.severity: 'high' is not allowed; allowed is error, warning",
    ),
    "kinds": (HOOK + "kinds = ['cve']\n", "5: notify.kinds: 'cve' is not allowed; allowed is vulnerability,"),
    "lang": (HOOK + "lang = 'fr'\n", "5: notify.lang: 'fr' is not allowed; allowed is en, zh_CN"),
    "spaces": (HOOK.replace('"a"', '"a b"'), "2: notify.name: letters, digits, dots and dashes make a name"),
    "neither": (
        '[[notify]]\nname = "a"\nkind = "slack"\n',
        "3: either an incoming webhook (url_env, url_file) or",
    ),
    "channel": (
        '[[notify]]\nname = "a"\nkind = "slack"\ntoken_env = "T"\n',
        "3: a bot token needs a channel",
    ),
    "address": (MAIL.replace("b@example.com", "everybody"), "3: from and to need addresses"),
    "injection": (
        MAIL.replace("b@example.com", "b@example.com\\nBcc: c@example.com"),
        "3: from and to need addr",
    ),
    "nobody": (MAIL.replace('"b@example.com"', ""), "3: from and to need addresses"),
    "user": (MAIL + "user = 'u'\n", "3: user and password (password_env, password_file) need each other"),
    "open": (
        MAIL + "user = 'u'\npassword_env = 'P'\nsecurity = 'none'\n",
        "3: a password is only sent with security starttls or tls",
    ),
    "repository": (HUB + "repository = 'app'\ncommit_env = 'C'\n", "3: repository needs the form OWNER/NAME"),
    "commit": (HUB + "repository = 'a/b'\n", "3: commit or commit_env (such as GITHUB_SHA) is needed"),
    "hash": (HUB + "repository = 'a/b'\ncommit = 'main'\n", "3: commit needs a whole commit hash"),
    "no list": ("[notify]\nname = 'a'\n", "1: each receiver is a table of its own, [[notify]]"),
    "inline": ("x = 1\nnotify = [{name = 'a'}]\n", "2: notify.kind is missing"),
    "toml": ("[[notify]\n", " is not valid TOML: "),
}


@pytest.mark.parametrize("case", MISTAKES)
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_mistake_is_named_by_file_line_and_key(tmp_path: Path, case: str, language: str) -> None:
    text, words = MISTAKES[case]
    activate(language)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    said = str(caught.value)
    assert "\n" not in said
    assert "PlantedSecret" not in said + str(caught.value.hint) + repr(caught.value.parts)
    place = words.partition(":")[0]
    assert f"{tmp_path}/goferry.toml" + (f":{place}" if place.isdigit() else "") in said
    activate("en")
    assert f"{tmp_path}/goferry.toml" + (":" if place.isdigit() else "") + words in str(caught.value)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_and_key_is_documented(language: str) -> None:
    text = (ROOT / "docs" / language / "deps-notify.md").read_text("utf-8")
    keys = {field.name for service in SERVICES.values() for field in service.fields if not field.secret}
    assert [kind for kind in SERVICES if f"`{kind}`" not in text] == []
    assert [key for key in keys if not re.search(rf"`{key}\b|^{key} = ", text, re.MULTILINE)] == []


def test_what_was_meant_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, HOOK + "chanel = 'x'\n")
    assert caught.value.hint == "did you mean channel?"


def test_a_secret_is_read_from_a_file_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text(PLANTED + "\n")
    (tmp_path / "goferry.toml").write_text(HOOK.replace('url_env = "X"', 'url_file = "hook"'))
    (receiver,) = read_receivers(tmp_path / "goferry.toml")
    assert unlock(receiver, {}).secret("url") == PLANTED
    assert "PlantedSecret" not in repr(unlock(receiver, {})) + repr(receiver)


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "url_file: the file hook cannot be read"), ("  \n", "url_file: the file hook is empty")],
)
def test_a_secret_file_that_is_no_use_is_named(tmp_path: Path, content: str | None, words: str) -> None:
    if content is not None:
        (tmp_path / "hook").write_text(content)
    (tmp_path / "goferry.toml").write_text(HOOK.replace('url_env = "X"', 'url_file = "hook"'))
    (receiver,) = read_receivers(tmp_path / "goferry.toml")
    with pytest.raises(ConfigError, match=words):
        unlock(receiver, {})
