from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, world
from goferry.doctor import codec
from goferry.doctor.base import Places
from goferry.doctor.evidence import Subject
from goferry.doctor.look import look
from goferry.doctor.secrets import Secrets
from goferry.lab.tcp import Listener

BASIC = b64encode(f"me:{PASSWORD}".encode()).decode()

PATTERNS = [
    ("https://user:secret@proxy.example.org/x", "https://…@proxy.example.org/x"),
    ("https://token@git.example.org/r", "https://…@git.example.org/r"),
    ("http://u:p@q@p.corp:3128", "http://…@p.corp:3128"),
    ("ssh://git@git.example.org/r", "ssh://git@git.example.org/r"),
    ("ssh://me:secret@git.example.org/r", "ssh://…@git.example.org/r"),
    ("git@git.example.org: Permission denied (publickey)", "git@git.example.org: Permission denied (publickey)"),
    ("go: example.com@v1.0.0: reading https://a.example/example.com/@v/v1.0.0.mod: 404",) * 2,
    ("https://a.example/x?go-get=1",) * 2,
    ("see https://s.example/o?X-Goog-Algorithm=A&X-Goog-Signature=abc&x=1: 403", "see https://s.example/o?… 403"),
    ("https://s.example/o?Expires=1&Signature=ab%2B", "https://s.example/o?…"),
    ("Proxy-Authorization: Basic dTpw\r\nHost: x", "Proxy-Authorization: Basic …\r\nHost: x"),
    ("http.extraheader=Authorization: Bearer abcdef", "http.extraheader=Authorization: Bearer …"),
    ("you sent {'Authorization': 'Bearer abc def', 'X-Api-Key': 'abc', 'Host': 'h'}",
     "you sent {'Authorization': 'Bearer …', 'X-Api-Key': '…', 'Host': 'h'}"),
    ("=> Send header: X-Token: abc", "=> Send header: X-Token: …"),
    ("using ghp_0123456789abcdefABCDEF for it", "using … for it"),
    ("glpat-0123456789abcdefABCD", "…"),
    ("", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "clean"), PATTERNS)
def test_places_where_secrets_stand_are_hidden_and_nothing_else(text: str, clean: str) -> None:
    assert Secrets().clean(text) == clean


SETTINGS = [
    {"HTTPS_PROXY": f"http://me:{PASSWORD}@proxy.example.org:3128"},
    {"GOPROXY": f"https://me:{PASSWORD}@a.example,https://b.example"},
    {"HTTPS_PROXY": f"http://dom\\me:{PASSWORD}/x@proxy.example.org"},
    {"CI_JOB_TOKEN": PASSWORD},
    {"NPM_PASSWORD": PASSWORD},
    {"GIT_CONFIG_VALUE_0": f"AUTHORIZATION: basic {PASSWORD}"},
]


@pytest.mark.parametrize("environ", SETTINGS)
def test_what_the_settings_hold_is_hidden_wherever_it_turns_up(
    environ: dict[str, str], tmp_path: Path
) -> None:
    secrets = Secrets.of(world(tmp_path, **environ))
    assert PASSWORD not in secrets.clean(f"the server said: {PASSWORD}!")
    assert "hunter2-Pa%24sw0rd" not in secrets.clean("/login?next=hunter2-Pa%24sw0rd")


def test_what_netrc_holds_is_hidden_as_it_is_and_as_it_is_sent(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(f"machine a.example login me password {PASSWORD}\n")
    secrets = Secrets.of(world(tmp_path))
    assert secrets.clean(f"{PASSWORD} {BASIC}") == "… …"


def test_ordinary_settings_are_no_secrets(tmp_path: Path) -> None:
    secrets = Secrets.of(world(tmp_path, SSH_AUTH_SOCK="/run/agent", GOAUTH="netrc", TERM="xterm"))
    assert secrets.clean("/run/agent netrc xterm") == "/run/agent netrc xterm"


async def test_no_secret_of_the_settings_is_in_the_evidence_of_a_whole_look(tmp_path: Path) -> None:
    async with Listener(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as proxy:
        through = f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}"
        (tmp_path / ".netrc").write_text(f"machine mirror.example.org login me password {PASSWORD}\n")
        (tmp_path / ".gitconfig").write_text(
            f'[http]\n\tproxy = {through}\n\textraHeader = "Authorization: Bearer {PASSWORD}"\n'
            f'[url "https://me:{PASSWORD}@git.example.org/"]\n\tinsteadOf = https://code.example.org/\n'
            f'[remote "x"]\n\turl = https://{PASSWORD}@git.example.org/x\n'
            # These stand in no setting that is known by its value.
            '[http "https://git.example.org/"]\n\textraHeader = "X-Token: hunter2only"\n'
            '[credential]\n\thelper = "!f() { echo password=hunter2only; }; f"\n'
        )
        here = world(
            tmp_path,
            {"look": 6.0, "program": 4.0},
            GOPROXY=f"https://me:{PASSWORD}@mirror.example.org,direct",
            HTTPS_PROXY=through,
            HTTP_PROXY=through,
            CI_JOB_TOKEN=PASSWORD,
            GOFLAGS="-mod=mod -ldflags=-X=main.token=hunter2only",
            GIT_TRACE="1",
            GIT_TRACE_CURL="1",
            GIT_CURL_VERBOSE="1",
            GIT_CONFIG_COUNT="1",
            GIT_CONFIG_KEY_0="http.extraHeader",
            GIT_CONFIG_VALUE_0=f"PRIVATE-TOKEN: {PASSWORD}",
        )
        places = Places(tmp_path / "resolv.conf", tmp_path / "hosts", tmp_path / "nsswitch", tmp_path)
        (tmp_path / "hosts").write_text("127.0.0.1 localhost\n")
        subject = Subject(module="code.example.org/lib.git", version="v1.0.0")
        evidence = await look(replace(here, places=places), subject)
    assert evidence.runs
    assert evidence.answers
    assert evidence.tunnels
    text = codec.to_bytes(evidence).decode()
    assert [line for line in text.splitlines() if "hunter2" in line or BASIC[:-3] in line] == []
