import os
import time
from pathlib import Path

import pytest

from doctor.probes.probeworld import PASSWORD, has_no_secret, world
from goferry.doctor.base import World
from goferry.doctor.evidence import Subject
from goferry.doctor.fixes import FileEdit
from goferry.doctor.probes.gorun import run_go, run_go_json
from goferry.doctor.probes.programs import STOPPED
from goferry.errors import Unavailable
from goferry.gomod.goproxy import Kind, request_path
from goferry.lab import goproxy as lab
from goferry.lab.goproxy import Fault, Trouble
from goferry.lab.tcp import Listener, refused_port
from modtree import module

MODULE = "example.com/quote"
SUBJECT = Subject(module=MODULE, version="v1.2.3")
TREE = module(MODULE, "v1.2.3")


async def test_a_module_that_go_can_download_is_a_run_that_went_well(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        seen = await run_go(world(tmp_path, GOPROXY=proxy.url), SUBJECT)
    assert (seen.exit, seen.label, seen.output) == (0, "go", "")
    assert seen.argv == ("go", "mod", "download", f"{MODULE}@v1.2.3")
    assert seen.facts == {"module": MODULE, "version": "v1.2.3"}
    assert not [name for name in os.listdir(tmp_path) if name.startswith("goferry-")]


async def test_what_go_asks_is_traced_apart_with_the_time_of_each_line(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        seen = await run_go(world(tmp_path, GOPROXY=proxy.url), SUBJECT)
    lines = seen.trace.splitlines()
    assert lines[0].startswith(f"# get {proxy.url}/{MODULE}/@v/v1.2.3.")
    assert any(": 200 OK (" in line for line in lines)
    assert len(seen.times) == len(lines)
    assert list(seen.times) == sorted(seen.times)
    assert 0 < seen.times[0] <= seen.seconds


async def test_what_git_is_asked_for_go_is_traced_too(tmp_path: Path) -> None:
    git = tmp_path / "git"
    git.write_text(
        '#!/bin/sh\ncase "$*" in\n*ls-remote*) echo "fatal: no way there" >&2; exit 128;;\n'
        "version) echo git version 2.39.5;;\nesac\n"
    )
    git.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    here = world(tmp_path, GOPROXY="direct", PATH=path)
    known = await run_go(here, Subject(module="github.com/example/repo", version="v1.0.0"))
    pinged = await run_go(here, Subject(module="git.example.org/repo.git", version="v1.0.0"))
    assert (known.exit, pinged.exit) == (1, 1)
    assert known.output.startswith("go: github.com/example/repo@v1.0.0: ")
    assert "fatal: no way there" in known.output
    assert pinged.output.startswith("go: git.example.org/repo.git@v1.0.0: ")
    assert "git ls-remote" in known.trace
    assert "git ls-remote" in pinged.trace
    assert len(known.trace.splitlines()) == len(known.times)


async def test_what_go_says_of_a_failure_is_kept_as_people_see_it(tmp_path: Path) -> None:
    async with lab.running(TREE, lambda _path, _count: Fault(Trouble.STATUS, 502, "no upstream")) as proxy:
        seen = await run_go(world(tmp_path, GOPROXY=proxy.url), SUBJECT)
    assert seen.exit == 1
    assert f"go: {MODULE}@v1.2.3: reading {proxy.url}/{MODULE}/@v/v1.2.3.info: 502 Bad Gateway" in seen.output


async def test_a_changed_variable_is_what_the_retest_runs_with_and_says(tmp_path: Path) -> None:
    with refused_port() as dead:
        broken = world(tmp_path, GOPROXY=f"http://127.0.0.1:{dead}", GONOPROXY="example.com")
        async with lab.running(TREE) as proxy:
            changed = {"GOPROXY": proxy.url, "GONOPROXY": None}
            failing = await run_go(broken, SUBJECT)
            passing = await run_go(broken, SUBJECT, changed=changed, label="retest")
    assert failing.exit == 1
    assert (passing.exit, passing.label) == (0, "retest")
    assert passing.changed == (f"GOPROXY={proxy.url}", "GONOPROXY=")


async def test_the_users_module_cache_neither_answers_nor_changes(tmp_path: Path) -> None:
    users = tmp_path / "users"
    asked = request_path(Kind.ZIP, MODULE, "v1.2.3")
    async with lab.running(TREE) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url, GOMODCACHE=str(users))
        await run_go(here, SUBJECT)
        await run_go(here, SUBJECT)
    assert proxy.asked[asked] == 2
    assert not users.exists()


async def test_a_toolchain_that_is_there_already_is_lent_to_the_run(tmp_path: Path) -> None:
    name = "v0.0.1-go1.99.0.linux-amd64"
    cache = tmp_path / "cache"
    tool = cache / "golang.org" / f"toolchain@{name}"
    notes = cache / "cache" / "download" / "golang.org" / "toolchain" / "@v"
    for folder in (tool, notes):
        folder.mkdir(parents=True)
    (notes / f"{name}.ziphash").write_text("h1:x")
    (notes / f"{name}.zip").write_text("large")
    listing = tmp_path / "bin" / "go"
    listing.parent.mkdir()
    listing.write_text('#!/bin/sh\ncd "$GOMODCACHE" && find . | sort\n')
    listing.chmod(0o755)
    here = world(tmp_path, GOMODCACHE=str(cache), PATH=f"{listing.parent}:{os.environ['PATH']}")
    seen = await run_go(here, SUBJECT)
    assert f"./golang.org/toolchain@{name}\n" in seen.output
    assert f"@v/{name}.ziphash\n" in seen.output
    assert f"@v/{name}.zip\n" not in seen.output
    assert tool.is_dir()


async def test_a_project_is_downloaded_from_a_copy(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name, text in {
        "main/go.mod": f"module example.com/main\n\ngo 1.21\n\nrequire (\n\t{MODULE} v1.2.3\n"
        "\texample.com/local v0.0.0\n)\n\nreplace example.com/local => ../local\n",
        "local/go.mod": "module example.com/local\n\ngo 1.21\n",
        "main/pkg/x.go": "package pkg\n",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    before = sorted(project.rglob("*"))
    async with lab.running(TREE) as proxy:
        base = world(tmp_path, GOPROXY=proxy.url)
        here = World(environ=base.environ, cwd=project / "main" / "pkg", home=tmp_path)
        seen = await run_go(here, Subject())
    assert (seen.exit, seen.output) == (0, "")
    assert proxy.asked[request_path(Kind.ZIP, MODULE, "v1.2.3")] == 1
    assert sorted(project.rglob("*")) == before


async def test_a_workspace_is_copied_with_all_its_modules(tmp_path: Path) -> None:
    files = {
        "go.work": "go 1.21\n\nuse (\n\t./a\n\t./b\n)\n",
        "a/go.mod": f"module example.com/a\n\ngo 1.21\n\nrequire {MODULE} v1.2.3\n",
        "b/go.mod": "module example.com/b\n\ngo 1.21\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    async with lab.running(TREE) as proxy:
        seen = await run_go(world(tmp_path, GOPROXY=proxy.url), Subject())
    assert (seen.exit, seen.output) == (0, "")
    assert proxy.asked[request_path(Kind.ZIP, MODULE, "v1.2.3")] == 1
    assert not (tmp_path / "go.work.sum").exists()


async def test_a_broken_go_mod_is_named_by_its_own_path(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("modul example.com/main\n")
    seen = await run_go(world(tmp_path, GOPROXY="off"), Subject())
    assert seen.exit == 1
    assert "go.mod:1: unknown directive: modul" in seen.output
    assert "copies" not in seen.output


async def test_a_run_that_hangs_ends_at_its_limit_with_all_that_it_started(tmp_path: Path) -> None:
    script = tmp_path / "go"
    script.write_text('#!/bin/sh\necho asking\nsleep 600 &\necho $! > "$HOME/child"\nwait\n')
    script.chmod(0o755)
    seen = await run_go(world(tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}"), SUBJECT, limit=0.5)
    assert (seen.exit, seen.limit, seen.output) == (STOPPED, 0.5, "asking\n")
    assert not is_running(int((tmp_path / "child").read_text()))


def is_running(pid: int) -> bool:
    """Whether the process lives; one that is killed may need a moment to be gone."""
    stat = Path(f"/proc/{pid}/stat")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if stat.read_text().rpartition(")")[2].split()[0] == "Z":
                return False
        except OSError:
            return False
    return True


async def test_long_output_keeps_its_head_and_its_tail(tmp_path: Path) -> None:
    script = tmp_path / "go"
    script.write_text("#!/bin/sh\necho first\nseq 100000\necho last\nexit 3\n")
    script.chmod(0o755)
    seen = await run_go(world(tmp_path, PATH=f"{tmp_path}:{os.environ['PATH']}"), SUBJECT)
    assert seen.exit == 3
    assert seen.output.startswith("first\n1\n2\n")
    assert seen.output.endswith("99999\n100000\nlast\n")
    assert " bytes left out ..." in seen.output
    assert len(seen.output) < 70_000


async def test_secrets_of_the_settings_are_in_no_record(tmp_path: Path) -> None:
    async with Listener(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n") as proxy:
        url = f"http://me:{PASSWORD}@127.0.0.1:{proxy.port}"
        here = world(tmp_path, GOPROXY=f"https://you:{PASSWORD}@proxy.example.org", HTTPS_PROXY=url)
        script = tmp_path / "go"
        seen = await run_go(here, SUBJECT, changed={"GOPROXY": f"https://x:{PASSWORD}@mirror.example.org"})
        script.write_text("#!/bin/sh\nenv\n")
        script.chmod(0o755)
        talkative = World(here.environ | {"PATH": str(tmp_path) + ":/usr/bin:/bin"}, tmp_path, tmp_path)
        said = await run_go(talkative, SUBJECT)
    assert seen.exit == 1
    assert "HTTPS_PROXY=" in said.output
    assert has_no_secret([seen, said])


async def test_the_sum_that_go_computes_can_be_asked_for(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url)
        told = await run_go_json(here, SUBJECT, limit=20)
        failed = await run_go_json(here, Subject(module=MODULE, version="v9.9.9"), limit=20)
    assert '"Sum": "h1:' in told
    assert failed == ""


async def test_without_go_or_without_anything_to_ask_for_there_is_no_run(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="no go command"):
        await run_go(world(tmp_path, PATH=str(tmp_path)), SUBJECT)
    with pytest.raises(Unavailable, match=r"no go\.mod"):
        await run_go(world(tmp_path), Subject())


async def test_edits_of_the_project_are_seen_in_its_copy_alone(tmp_path: Path) -> None:
    go_mod = tmp_path / "go.mod"
    go_mod.write_text(f"module example.com/main\n\ngo 1.21\n\nrequire {MODULE} v9.9.9\n")
    edit = FileEdit(str(go_mod), go_mod.read_bytes(), go_mod.read_bytes().replace(b"v9.9.9", b"v1.2.3"))
    async with lab.running(TREE) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url)
        failing = await run_go(here, Subject())
        passing = await run_go(here, Subject(), edits=[edit])
        with pytest.raises(Unavailable, match=r"go\.mod does not matter"):
            await run_go(here, SUBJECT, edits=[edit])
    assert (failing.exit, passing.exit) == (1, 0)
    assert go_mod.read_bytes() == edit.before


async def test_another_module_cache_is_tried_where_it_would_be_and_left_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "disk" / "cache"
    place.parent.mkdir()
    async with lab.running(TREE) as proxy:
        here = world(tmp_path, GOPROXY=proxy.url)
        seen = await run_go(here, SUBJECT, changed={"GOMODCACHE": str(place)})
        assert list(place.parent.iterdir()) == []
        with pytest.raises(Unavailable, match="cannot be written"):
            await run_go(here, SUBJECT, changed={"GOMODCACHE": "/proc/cache"})
    assert seen.exit == 0
    assert seen.changed == (f"GOMODCACHE={place}",)
