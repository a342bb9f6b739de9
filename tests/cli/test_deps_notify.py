"""`goferry deps notify`, `trend` and `audit --repos`, and audits in a real `goferry serve`."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from deps.audits import audit, day, flaw, stale
from deps.receivers import SECRETS, Receivers
from goferry.deps.audit import failing
from goferry.deps.audit.records import dumps, from_json
from goferry.deps.history import record
from goferry.deps.kept import Kept
from goferry.lab.tls import Authority
from modtree import module
from realserver import SOURCES, serving
from server.serving import until
from terminal import goferry
from tlsthread import background

FLAWED, VERSION = "golang.org/x/text", "v0.3.0"
"""A module with an advisory in the shipped database (GO-2020-0015)."""


@pytest.fixture
def those() -> Iterator[Receivers]:
    with background(Receivers()) as server:
        yield server


def hook(folder: Path, *lines: str) -> None:
    table = ["[[notify]]", 'name = "chat"', 'kind = "wecom"', 'url_env = "HOOK"', *lines]
    (folder / "goferry.toml").write_text("\n".join(table) + "\n")


def environ(folder: Path, those: Receivers) -> dict[str, str]:
    return {"HOME": str(folder / "home"), "HOOK": those.url + SECRETS["wecom hook"]}


def saved(folder: Path, number: float = 0) -> str:
    (folder / "audit.json").write_text(dumps(audit(flaw(), stale(), when=day(number))))
    return "audit.json"


# ---- notify --------------------------------------------------------------------------------------------------------


def test_news_are_told_once(tmp_path: Path, those: Receivers) -> None:
    hook(tmp_path)
    env = environ(tmp_path, those)
    said = goferry("deps", "notify", saved(tmp_path), environ=env, cwd=tmp_path)
    assert (said.code, said.out, said.err) == (0, "chat (wecom): 2 new findings\n", "")
    said = goferry("deps", "notify", saved(tmp_path), environ=env, cwd=tmp_path)
    assert (said.code, said.out) == (0, "chat (wecom): was told this audit already\n")
    said = goferry("deps", "notify", saved(tmp_path, 1), environ=env, cwd=tmp_path)
    assert (said.code, said.out) == (0, "chat (wecom): nothing new\n")
    said = goferry("deps", "notify", saved(tmp_path, 1), "--all", "--json", environ=env, cwd=tmp_path)
    assert said.json == {
        "receivers": [{"name": "chat", "kind": "wecom", "state": "sent", "news": 2, "error": None}]
    }
    assert len(those.messages) == 2
    assert (tmp_path / "home/.local/share/goferry/audits.sqlite").is_file()


def test_a_no_is_one_line_and_status_1(tmp_path: Path, those: Receivers) -> None:
    hook(tmp_path)
    env = {**environ(tmp_path, those), "HOOK": those.url + "/cgi-bin/webhook/send?key=planted-wrong-key"}
    said = goferry("deps", "notify", saved(tmp_path), environ=env, cwd=tmp_path)
    assert (said.code, said.out) == (1, "")
    assert said.err == "goferry: chat (wecom) did not take the notice: 93000 invalid webhook url\n"


def test_the_way_to_a_receiver_is_that_of_the_settings(tmp_path: Path) -> None:
    """An authority of the company's own, and an address that no DNS knows."""
    authority = Authority()
    (tmp_path / "ca.pem").write_bytes(authority.pem)
    hook(tmp_path)
    with background(Receivers(tls=authority.server_context(["chat.example"]))) as those:
        url = f"https://chat.example:{those.port}" + SECRETS["wecom hook"]
        env = {"HOME": str(tmp_path), "HOOK": url, "GOFERRY_HOSTS": "chat.example=127.0.0.1"}
        said = goferry("deps", "notify", saved(tmp_path), environ=env, cwd=tmp_path)
        assert said.code == 1
        assert "chat.example" in said.err
        assert "its certificate is signed by an unknown authority" in said.err
        env["GOFERRY_CA_FILE"] = str(tmp_path / "ca.pem")
        said = goferry("deps", "notify", saved(tmp_path), environ=env, cwd=tmp_path)
        assert (said.code, said.err, len(those.messages)) == (0, "", 1)


def test_a_dry_run_prints_the_payload_and_sends_nothing(tmp_path: Path, those: Receivers) -> None:
    hook(tmp_path)
    env = environ(tmp_path, those)
    said = goferry("deps", "notify", saved(tmp_path), "--dry-run", environ=env, cwd=tmp_path)
    assert (said.code, said.err, those.requests) == (0, "", [])
    head, _, rest = said.out.partition("\n\n")
    assert head.splitlines()[:2] == ["chat (wecom): 2 new findings", f"POST {those.url}/***"]
    assert "GO-2026-0001" in json.loads(rest)["markdown"]["content"]
    assert "planted" not in said.out
    assert not (tmp_path / "home").exists()
    said = goferry("deps", "notify", saved(tmp_path), "--dry-run", "--json", environ=env, cwd=tmp_path)
    (row,) = said.json["receivers"]
    assert (row["state"], row["news"], row["requests"][0]["step"]) == ("due", 2, "message")


def test_an_audit_may_come_from_standard_input(tmp_path: Path, those: Receivers) -> None:
    hook(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "goferry", "deps", "notify", "-"],
        input=dumps(audit(flaw())),
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), **environ(tmp_path, those)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "chat (wecom): 1 new finding\n", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none.json"], "cannot read none.json: No such file or directory"),
        (["goferry.toml"], "goferry.toml is no saved audit"),
        (["audit.json", "--to", "mail"], "no receiver is called mail\n  known are chat"),
        (["audit.json", "--config", "empty.toml"], "there is nobody to tell: no [[notify]] table in "),
    ],
)
def test_wrong_use_is_said_in_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    hook(tmp_path)
    saved(tmp_path)
    (tmp_path / "empty.toml").write_text("")
    said = goferry("deps", "notify", *arguments, environ={"HOME": str(tmp_path)}, cwd=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert words in said.err
    assert "Traceback" not in said.err


# ---- trend ---------------------------------------------------------------------------------------------------------


def test_the_trend_is_a_table(tmp_path: Path) -> None:
    path = tmp_path / "audits.sqlite"
    with Kept(path) as kept:
        record(kept, audit(flaw("GO-1"), flaw("GO-2", owner="@web"), stale()))
        record(kept, audit(flaw("GO-1"), flaw("GO-3"), when=day(2.5)))
    said = goferry("deps", "trend", "--audit-history", str(path), cwd=tmp_path)
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "2 audits",
        "kind           open  new  closed  time to close  open after each audit",
        "vulnerability     2    1       1          2d12h  ██",
        "stale             0    0       1          2d12h  █",
        "all               2    1       2          2d12h  █▆",
    ]
    by_owner = goferry("deps", "trend", "--by", "owner", "--json", "--audit-history", str(path), cwd=tmp_path)
    assert {row["name"]: row["open"] for row in by_owner.json["rows"]} == {"@platform": 2, "@web": 0, "": 0}
    last = goferry("deps", "trend", "--last", "--audit-history", str(path), cwd=tmp_path)
    assert last.json["schema"] == "goferry.audit/1"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--by", "team"], "--by team is not known; known are kind, project, owner, severity"),
        (["--since", "soon"], "--since soon: a duration such as"),
        (["--audit-history", "none.sqlite"], "no audits are kept in none.sqlite yet"),
    ],
)
def test_a_trend_that_cannot_be_is_said_in_one_line(tmp_path: Path, arguments: list[str], words: str) -> None:
    said = goferry("deps", "trend", *arguments, environ={"HOME": str(tmp_path)}, cwd=tmp_path)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


# ---- audits of repositories ----------------------------------------------------------------------------------------


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """Two repositories, one of which has the flawed module, one folder that is none, and a proxy made of files."""
    tree = module(FLAWED, VERSION, "v0.3.8")
    for name, body in tree.items():
        file = tmp_path / "proxy" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    for name, requires in (("shop", f"require {FLAWED} {VERSION}\n"), ("site", "")):
        (tmp_path / "repos" / name).mkdir(parents=True)
        (tmp_path / "repos" / name / "go.mod").write_text(
            f"module example.com/{name}\n\ngo 1.26\n\n{requires}"
        )
    (tmp_path / "repos.txt").write_text("repos/shop @shop\nrepos/site\nrepos/gone\n")
    return tmp_path


def flags(world: Path) -> list[str]:
    return ["--goproxy", f"file://{world}/proxy", "--store", str(world / "store"), "--sumdb", "off"]


def test_audited_repositories_are_kept_and_told(world: Path, those: Receivers) -> None:
    hook(world, 'kinds = ["vulnerability"]')
    arguments = ["deps", "audit", "--repos", "repos.txt", "--notify", "--json", *flags(world)]
    said = goferry(*arguments, environ=environ(world, those), cwd=world)
    status = failing.status(from_json(said.out, place="-"), failing.parse("error"))
    assert said.code == status != 0
    assert re.fullmatch(r"chat \(wecom\): \d+ new findings\n", said.err)
    assert {p["name"]: p["owner"] for p in said.json["projects"]} == {
        "example.com/shop": "@shop", "example.com/site": "", "gone": "",
    }  # fmt: skip
    assert "gone" in {finding["project"] for finding in said.json["unproven"]}
    assert "GO-2020-0015" in {finding["id"] for finding in said.json["findings"]}
    assert "GO-2020-0015" in those.messages[0]["markdown"]["content"]
    trend = goferry("deps", "trend", "--by", "project", "--json", environ=environ(world, those), cwd=world)
    assert trend.json["rows"][0]["open"] > 0
    again = goferry(*arguments, environ=environ(world, those), cwd=world)
    # Two audits of one second are the same audit; either way nobody is told twice.
    assert again.err in {"chat (wecom): nothing new\n", "chat (wecom): was told this audit already\n"}
    assert (again.code, len(those.messages)) == (status, 1)


def test_a_receiver_that_says_no_is_reported_beside_the_audit(world: Path, those: Receivers) -> None:
    hook(world)
    env = {**environ(world, those), "HOOK": those.url + "/cgi-bin/webhook/send?key=wrong"}
    arguments = [
        "deps",
        "audit",
        "--repos",
        "repos.txt",
        "--notify",
        "--json",
        "--fail-on",
        "none",
        *flags(world),
    ]
    said = goferry(*arguments, environ=env, cwd=world)
    assert said.json["schema"] == "goferry.audit/1"
    assert said.code in (1, 3)
    assert said.err == "goferry: chat (wecom) did not take the notice: 93000 invalid webhook url\n"


def test_a_mistake_in_a_receiver_shows_before_the_audit(world: Path) -> None:
    hook(world, "chanel = 1")
    arguments = ["deps", "audit", "--repos", "repos.txt", "--notify", *flags(world)]
    said = goferry(*arguments, environ={"HOME": str(world)}, cwd=world)
    assert (said.code, said.out) == (2, "")
    assert "unknown key notify.chanel" in said.err
    assert not (world / "store").exists()


def test_what_builds_each_repository_decides_about_go_itself(world: Path) -> None:
    (world / "repos/shop/Dockerfile").write_text("FROM golang:1.26.0\n")
    said = goferry(
        "deps",
        "audit",
        "--repos",
        "repos.txt",
        "--json",
        *flags(world),
        environ={"HOME": str(world)},
        cwd=world,
    )
    sure = {
        (finding["project"], finding["details"]["certainty"], finding["details"]["decided"]["where"])
        for finding in said.json["findings"]
        if finding["kind"] == "stdlib"
    }
    assert sure == {
        ("example.com/shop", "pinned", "Dockerfile:1"),
        ("example.com/site", "at_least", "go.mod"),
    }


@pytest.mark.parametrize(("place", "folder"), [("repos", "repos/shop"), ("lists/repos.txt", "repos/shop")])
def test_the_next_command_is_right_where_people_are(world: Path, place: str, folder: str) -> None:
    (world / "lists").mkdir()
    (world / "lists/repos.txt").write_text("../repos/shop\n")
    words = ["deps", "audit", "--repos", place, "--no-source", "--go", "1.26.8", *flags(world)]
    said = goferry(*words, environ={"HOME": str(world)}, cwd=world)
    command = said.out.splitlines()[-1].removeprefix("next: goferry deps fix ")
    assert (world / command).resolve() == (world / folder).resolve()


def test_how_repositories_are_looked_at_can_be_said(world: Path) -> None:
    (world / "ignore.toml").write_text('[[ignore]]\nid = "GO-2020-0015"\nreason = "known"\n')
    words = ["--go", "1.26.8", "--ignore", "ignore.toml", "--no-versions", "--no-source"]
    said = goferry(
        "deps", "audit", "--repos", "repos.txt", "--json", *words, *flags(world),
        environ={"HOME": str(world)}, cwd=world,
    )  # fmt: skip
    assert [one["finding"]["id"] for one in said.json["ignored"]] == ["GO-2020-0015"]
    assert {one["level"] for one in said.json["projects"]} == {"module"}
    assert not [one for one in said.json["findings"] if one["kind"] in ("stdlib", "stale")]


@pytest.mark.parametrize("place", ["repos", "lists/repos.txt"])
def test_the_place_may_be_relative(world: Path, place: str) -> None:
    """To the working folder, whatever the paths in a list are relative to."""
    (world / "lists").mkdir()
    (world / "lists/repos.txt").write_text("../repos/shop\n../repos/site\n")
    command = [sys.executable, "-m", "goferry", "deps", "audit", "--repos", place, "--json", *flags(world)]
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), "HOME": str(world / "home")}
    done = subprocess.run(command, cwd=world, env=env, capture_output=True, text=True)
    found = json.loads(done.stdout)
    assert [project["name"] for project in found["projects"]] == ["example.com/shop", "example.com/site"]
    assert [finding["id"] for finding in found["unproven"]] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--every", "1d"], "--every needs --repos"),
        (["--repos", "repos.txt", "."], "with --repos no PATH can be named"),
        (["--repos", "nowhere"], "cannot read the repositories in "),
        (["--repos", "repos.txt", "--every", "5s"], "setting audit_every: '5s'"),
    ],
)
def test_repositories_that_cannot_be_audited_are_named(world: Path, arguments: list[str], words: str) -> None:
    said = goferry("deps", "audit", *arguments, *flags(world), environ={"HOME": str(world)}, cwd=world)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_audits_again_and_again_until_sigterm(world: Path, those: Receivers) -> None:
    hook(world)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), **environ(world, those)}
    process = subprocess.Popen(
        [
            sys.executable, "-m", "goferry", "deps", "audit", "--repos", "repos.txt", "--every", "1d", "--notify",
            *flags(world),
        ],
        env=env, cwd=world, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    line = process.stderr.readline()
    assert re.search(r"audited 3 projects in [\d.]+ s: \d+ errors", line), line
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    assert len(those.messages) == 1


@pytest.mark.parametrize("command", ["audit", "serve"])
def test_sigterm_ends_an_audit_that_is_under_way(world: Path, command: str) -> None:
    """Its upstream takes connections and never answers. The audit leaves no trace, so the next start makes it."""
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCES), "HOME": str(world / "home")}
    words = {
        "audit": ["deps", "audit", "--repos", "repos.txt", "--every", "1d"],
        "serve": ["serve", "--addr", "127.0.0.1:0", "--access-log", "off", "--audit-repos", "repos.txt"],
    }
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        upstream.settimeout(60)
        url = f"http://127.0.0.1:{upstream.getsockname()[1]}"
        where = [f"--store={world}/store", "--sumdb=off", f"--upstream={url}"]
        with (world / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "goferry", *words[command], *where],
                env=env,
                cwd=world,
                stdout=log,
                stderr=log,
            )
            connection, _ = upstream.accept()
            with connection:
                process.send_signal(signal.SIGTERM)
                assert process.wait(30) == 0
    said = (world / "log").read_text()
    assert ("Traceback" in said, "killing it" in said) == (False, False)
    with Kept(world / "home/.local/share/goferry/audits.sqlite") as kept:
        assert kept.rows("SELECT * FROM attempts") == []


def test_a_server_audits_beside_serving(world: Path, those: Receivers) -> None:
    """A real `goferry serve`: the first audit is made and told, its figures stand in /metrics, and a server that is
    started anew knows them and does not audit again before it is due."""
    hook(world)
    settings = [
        f"--upstream=file://{world}/proxy",
        f"--store={world}/store",
        "--sumdb=off",
        "--audit-repos=repos",
    ]
    ok = 'goferry_audits_total{result="ok"} 1'
    found = 'goferry_audit_findings{severity="error"} '
    with serving(*settings, cwd=world, environ=environ(world, those)) as server:
        until(lambda: ok in page(server.url), 60)
        until(lambda: found in page(server.url))
        first = figures(page(server.url))
    assert len(those.messages) == 1
    with serving(*settings, cwd=world, environ=environ(world, those)) as server:
        until(lambda: found in page(server.url))
        assert figures(page(server.url)) == first
        assert "goferry_audits_total" not in page(server.url)
    assert len(those.messages) == 1
    said = goferry("deps", "trend", "--json", environ=environ(world, those), cwd=world)
    assert len(said.json["runs"]) == 1


def page(url: str) -> str:
    from urllib.request import urlopen

    with urlopen(f"{url}/metrics", timeout=20) as answer:
        return answer.read().decode()


def figures(text: str) -> Mapping[str, str]:
    """The gauges of audits."""
    lines = (line.rpartition(" ") for line in text.splitlines() if line.startswith("goferry_audit_"))
    return {name: value for name, _, value in lines if "notices" not in name}
