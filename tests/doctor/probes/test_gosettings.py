from dataclasses import replace
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, world
from goferry.doctor.evidence import Setting, SettingsSeen
from goferry.doctor.probes.gosettings import GoSettings, read_go_settings
from goferry.gomod.netrc import Login

MIRROR = f"https://me:{PASSWORD}@mirror.example.org"


def read(home: Path, seen: SettingsSeen | None = None, **environ: str) -> GoSettings:
    return read_go_settings(world(home, **environ), seen or SettingsSeen())


def test_the_real_value_is_read_and_not_the_one_that_may_be_shown(tmp_path: Path) -> None:
    shown = SettingsSeen(go=(Setting("GOPROXY", "https://xxxxx@mirror.example.org", "environment"),))
    assert read(tmp_path, shown, GOPROXY=MIRROR).value("GOPROXY") == MIRROR
    assert read(tmp_path, shown, GOROOT=str(tmp_path)).value("GOPROXY").endswith("@mirror.example.org")


def test_the_users_file_and_that_of_the_installation_count_as_for_go(tmp_path: Path) -> None:
    (tmp_path / "env").write_text(f"GOPROXY={MIRROR}\n")
    (tmp_path / "goroot").mkdir()
    (tmp_path / "goroot" / "go.env").write_text("GOPROXY=https://default.example.org\nGOFLAGS=-x\n")
    go = read(tmp_path, GOENV=str(tmp_path / "env"), GOROOT=str(tmp_path / "goroot"), GOFLAGS="")
    assert (go.value("GOPROXY"), go.value("GOFLAGS")) == (MIRROR, "-x")


LOGINS = [
    ({}, 1),
    ({"GOAUTH": "netrc"}, 1),
    ({"GOAUTH": "git /x; netrc"}, 1),
    ({"GOAUTH": "off"}, 0),
    ({"GOAUTH": "helper --fast"}, 0),
    ({"NETRC": "/nonexistent"}, 0),
]


@pytest.mark.parametrize(("environ", "count"), LOGINS)
def test_netrc_is_read_when_goauth_reads_it(environ: dict[str, str], count: int, tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(f"machine a.example login me password {PASSWORD}\n")
    logins = read(tmp_path, **environ).logins
    assert logins == (Login("a.example", "me", PASSWORD),) * count


def test_a_list_or_a_database_that_go_refuses_is_none(tmp_path: Path) -> None:
    go = read(tmp_path, GOPROXY=",", GOSUMDB="nonsense here and there")
    assert (go.entries(), go.sumdb()) == ((), None)


def test_patterns_decide_as_in_go(tmp_path: Path) -> None:
    go = read(tmp_path, GOPRIVATE="*.corp.example", GOINSECURE="plain.example", GOSUMDB="sum.golang.org")
    assert go.goes_direct("git.corp.example/x")
    assert not go.goes_direct("corp.example/x")
    assert not go.is_summed("git.corp.example/x")
    assert go.is_summed("example.com/x")
    assert go.is_insecure("plain.example/x")


def test_no_password_is_shown_by_accident(tmp_path: Path) -> None:
    (tmp_path / ".netrc").write_text(f"machine a.example login me password {PASSWORD}\n")
    assert PASSWORD not in repr(replace(read(tmp_path, GOPROXY=MIRROR)))
