"""Plans carried out and taken back, with the real go and the real git: never more and never less than was said."""

import json
import os
import stat
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doctor.fixes.planworld import evidence, goproxy, judgement, plans
from doctor.probes.probeworld import PASSWORD, world
from goferry.doctor.base import Places, World
from goferry.doctor.evidence import GitSetting, HostsLine, Setting
from goferry.doctor.fixes import FileEdit, Plan, apply, diff, journal, propose, ready, undo
from goferry.doctor.fixes.rewrites import NameServers
from goferry.doctor.settings import read_settings
from goferry.errors import ConfigError, NotFound, Refused
from goferry.findings import Text
from mounts import read_only
from sizes import size

HOST = "mirror.example.org"


@pytest.fixture
def here(tmp_path: Path) -> World:
    """A world with a hosts file, a resolv.conf and a go env file of its own."""
    (tmp_path / "hosts").write_bytes(b"127.0.0.1 localhost\n192.0.2.1\tmirror.example.org mirror # mine\n")
    (tmp_path / "resolv.conf").write_bytes(b"search corp.example\nnameserver 192.0.2.53\noptions ndots:1\n")
    base = world(tmp_path, GOENV=str(tmp_path / "env"))
    places = Places(hosts=tmp_path / "hosts", resolv_conf=tmp_path / "resolv.conf", root=tmp_path)
    return replace(base, places=places)


def go_env(here: World, *names: str) -> list[str]:
    done = subprocess.run(
        ["go", "env", *names], env=dict(here.environ), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def edit(here: World, name: str, after: bytes | None) -> FileEdit:
    path = here.home / name
    return FileEdit(str(path), path.read_bytes() if path.exists() else None, after)


def a_plan(*edits: FileEdit, **parts: object) -> Plan:
    return Plan("k", "c", Text("x"), edits=edits, **parts)


# ---- variables ---------------------------------------------------------------------------------------------


def test_what_stands_in_gos_file_is_changed_there_and_undone_to_the_byte(here: World) -> None:
    before = b"# my own notes\nGOPROXY=https://a.example.org;direct\nGOFLAGS=-x\n"
    (here.home / "env").write_bytes(before)
    plan = plans("goproxy_value_malformed", evidence(goproxy("https://a.example.org;direct", "go env file")))[
        "repair_goproxy"
    ]
    assert plan.commands == ("go env -w GOPROXY=https://a.example.org,direct",)
    applied = apply(here, plan)
    assert (applied.changed, applied.manual) == (True, ())
    assert go_env(here, "GOPROXY", "GOFLAGS") == ["https://a.example.org,direct", "-x"]
    assert undo(here) == (f"{here.home}/env: put back as it was",)
    assert (here.home / "env").read_bytes() == before


def test_a_file_of_go_that_was_not_there_is_gone_again_after_undo(here: World) -> None:
    plan = plans("goproxy_off", evidence(goproxy("off", "go.env")))["set_goproxy"]
    assert apply(here, plan).changed
    assert go_env(here, "GOPROXY") == [plan.changed["GOPROXY"]]
    assert undo(here) == (f"{here.home}/env: removed, as it was not there before",)
    assert not (here.home / "env").exists()


def test_a_variable_of_the_environment_is_handed_back_as_a_command(here: World) -> None:
    inside = replace(here, environ={**here.environ, "GOPROXY": "off"})
    plan = plans("goproxy_off", evidence(goproxy("off")))["set_goproxy"]
    applied = apply(inside, plan)
    assert (applied.changed, applied.manual) == (False, ("export GOPROXY=https://first.example.org,direct",))
    assert not (here.home / "env").exists()
    with pytest.raises(NotFound):
        undo(inside)


def test_a_value_that_go_refuses_changes_nothing(here: World) -> None:
    plan = replace(a_plan(), changed={"GO111MODULE": "perhaps"})
    with pytest.raises(Refused, match=r"go does not take the setting.*GO111MODULE"):
        apply(here, plan)
    assert not (here.home / "env").exists()


def test_hidden_passwords_are_put_back_where_they_were(here: World) -> None:
    (here.home / "env").write_text(f"GOPROXY=https://me:{PASSWORD}@a.example.org;direct\n")
    seen, _context, _skipped = read_settings(here)
    shown = evidence(*(setting for setting in seen.go if setting.name == "GOPROXY"))
    plan = plans("goproxy_value_malformed", shown)["repair_goproxy"]
    assert PASSWORD not in repr(plan) + diff(plan)
    assert apply(here, plan).changed
    assert go_env(here, "GOPROXY") == [f"https://me:{PASSWORD}@a.example.org,direct"]


def test_a_password_that_is_found_nowhere_is_not_invented(here: World) -> None:
    plan = plans(
        "goproxy_value_malformed", evidence(goproxy("https://xxxxx@a.example.org;direct", "go env file"))
    )
    applied = apply(here, plan["repair_goproxy"])
    assert not applied.changed
    assert not (here.home / "env").exists()


# ---- files -------------------------------------------------------------------------------------------------


def test_a_hosts_line_goes_and_comes_back(here: World) -> None:
    before = (here.home / "hosts").read_bytes()
    line = HostsLine("192.0.2.1", (HOST, "mirror"), 2)
    plan = ready(here, plans("hosts_file_override", evidence(settings={"hosts": (line,)}))["drop_hosts_line"])
    assert "-192.0.2.1\tmirror.example.org mirror # mine\n+192.0.2.1 mirror # mine\n" in diff(plan)
    assert apply(here, plan).changed
    assert (here.home / "hosts").read_bytes() == b"127.0.0.1 localhost\n192.0.2.1 mirror # mine\n"
    undo(here)
    assert (here.home / "hosts").read_bytes() == before


def test_name_servers_change_and_the_rest_of_resolv_conf_stays(here: World) -> None:
    plan = replace(a_plan(), writes=(NameServers(("192.0.2.1", "2001:db8::1")),))
    assert apply(here, plan).changed
    assert (here.home / "resolv.conf").read_bytes() == (
        b"search corp.example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\noptions ndots:1\n"
    )


GIT_CONFIG = f"""\
[user]
\tname = me
[url "ssh://git@git.corp.example/"]
\tinsteadOf = https://git.corp.example/
\tpushInsteadOf = https://git.corp.example/
[url "https://bot:{PASSWORD}@other.example.org/"]
\tinsteadOf = https://other.example.org/
"""


def git_settings(here: World) -> tuple[GitSetting, ...]:
    return read_settings(here)[0].git


def test_gits_rule_goes_and_everything_else_stays(here: World) -> None:
    path = here.home / ".gitconfig"
    path.write_text(GIT_CONFIG)
    path.chmod(0o600)
    plan = plans("git_insteadof_ssh", evidence(settings={"git": git_settings(here)}), "git.corp.example")[
        "drop_insteadof"
    ]
    shown = diff(ready(here, plan))
    assert "-\tinsteadOf = https://git.corp.example/" in shown
    assert PASSWORD not in shown
    assert apply(here, plan).changed
    assert path.read_text() == GIT_CONFIG.replace("\tinsteadOf = https://git.corp.example/\n", "")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    undo(here)
    assert path.read_text() == GIT_CONFIG


def test_gits_rules_are_added_where_git_reads_them(here: World) -> None:
    plan = plans("git_protocol_blocked", evidence(), "git.corp.example")["https_insteadof"]
    assert apply(here, plan).changed
    for url in ("git://git.corp.example/x", "ssh://git@git.corp.example/x", "git@git.corp.example:x"):
        done = subprocess.run(
            ["git", "ls-remote", "--get-url", url],
            env=dict(here.environ),
            cwd=here.home,
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout == "https://git.corp.example/x\n"
    undo(here)
    assert not (here.home / ".gitconfig").exists()


# how the file is protected or placed, whether it is still the same inode afterwards
def _hard_link(path: Path) -> None:
    os.link(path, path.with_name("other-name"))


def _symlink(path: Path) -> None:
    real = path.with_name("real")
    path.rename(real)
    path.symlink_to(real)


@pytest.mark.parametrize("arrange", [_hard_link, _symlink])
def test_other_names_of_a_file_see_the_change(here: World, arrange: Callable[[Path], None]) -> None:
    path = here.home / "hosts"
    arrange(path)
    plan = a_plan(edit(here, "hosts", b"new\n"))
    assert apply(here, plan).changed
    others = [other for name in ("other-name", "real") if (other := here.home / name).exists()]
    assert [other.read_bytes() for other in others] == [b"new\n"]


def test_owner_and_mode_stay(here: World) -> None:
    path = here.home / "hosts"
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
    kept = path.stat()
    apply(here, a_plan(edit(here, "hosts", b"new\n")))
    now = path.stat()
    assert (now.st_mode, now.st_uid, now.st_gid) == (kept.st_mode, kept.st_uid, kept.st_gid)


def test_a_file_that_may_not_be_written_gives_the_command_and_changes_nothing(
    here: World, tmp_path: Path
) -> None:
    first, folder = tmp_path / "first", tmp_path / "protected"
    first.write_bytes(b"1")
    folder.mkdir()
    (folder / "second").write_bytes(b"2")
    plan = a_plan(
        FileEdit(str(first), b"1", b"one"),
        FileEdit(str(folder / "second"), b"2", b"two"),
        commands=("sudo this",),
    )
    with read_only(folder):
        applied = apply(here, plan)
    assert (applied.changed, applied.manual) == (False, ("sudo this",))
    assert first.read_bytes() == b"1"
    assert journal.read(here) == ()


def test_a_file_that_changed_meanwhile_is_left_alone(here: World) -> None:
    plan = a_plan(edit(here, "hosts", b"new\n"))
    (here.home / "hosts").write_bytes(b"somebody else\n")
    with pytest.raises(ConfigError, match="just been changed"):
        apply(here, plan)
    assert (here.home / "hosts").read_bytes() == b"somebody else\n"


# ---- taking back -------------------------------------------------------------------------------------------

_CONTENT = st.none() | st.binary(max_size=40)


@settings(
    max_examples=size(15, 300), suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(st.lists(st.tuples(st.sampled_from(["a", "b", "hosts"]), _CONTENT), max_size=5))
def test_undoing_everything_gives_every_byte_from_before(
    here: World, steps: list[tuple[str, bytes | None]]
) -> None:
    names = ("a", "b", "hosts")
    before = {name: edit(here, name, None).before for name in names}
    done = sum(apply(here, a_plan(edit(here, name, after))).changed for name, after in steps)
    for _ in range(done):
        undo(here)
    assert {name: edit(here, name, None).before for name in names} == before
    assert journal.read(here) == ()


def test_undo_refuses_when_somebody_edited_the_file_since_and_shows_what(here: World) -> None:
    apply(here, a_plan(edit(here, "hosts", b"ours\n")))
    (here.home / "hosts").write_bytes(b"ours\ntheirs\n")
    with pytest.raises(Refused) as refused:
        undo(here)
    assert "\n+theirs\n" in str(refused.value)
    assert (here.home / "hosts").read_bytes() == b"ours\ntheirs\n"
    assert len(journal.read(here)) == 1


def test_undo_with_nothing_to_take_back_says_so(here: World) -> None:
    with pytest.raises(NotFound, match="nothing to take back"):
        undo(here)


def test_the_journal_is_for_this_user_alone_and_survives_what_is_not_ours(here: World) -> None:
    apply(here, a_plan(edit(here, "hosts", b"new\n")))
    path = journal.place(here)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_bytes())["schema"] == journal.SCHEMA
    path.write_text("{}")
    with pytest.raises(ConfigError, match="cannot read"):
        undo(here)


def test_nothing_is_changed_when_it_could_not_be_undone(here: World) -> None:
    blocked = replace(here, environ={**here.environ, "XDG_STATE_HOME": str(here.home / "hosts")})
    before = (here.home / "resolv.conf").read_bytes()
    with pytest.raises(Refused, match="cannot be kept"):
        apply(blocked, a_plan(edit(here, "resolv.conf", b"new\n")))
    assert (here.home / "resolv.conf").read_bytes() == before


def test_what_only_others_or_the_user_can_do_is_never_done(here: World) -> None:
    for plan in propose(
        evidence(goproxy("https://a.example.org", "go env file")), judgement("rate_limited_429")
    ):
        if plan.by or plan.is_told_only:
            assert apply(here, plan).manual == plan.commands
    assert not (here.home / "env").exists()


def test_a_proxy_variable_is_shown_as_one_of_the_environment() -> None:
    proxy = Setting("HTTPS_PROXY", "http://p.example.org:3128", "environment")
    plan = plans("forward_proxy_broken", evidence(settings={"proxies": (proxy,)}))["unset_proxy"]
    assert plan.commands == ("unset HTTPS_PROXY",)
    assert diff(plan) == "environment: -HTTPS_PROXY\n"
