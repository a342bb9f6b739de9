from base64 import b64encode
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, world
from goferry.doctor.secrets import Secrets

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
