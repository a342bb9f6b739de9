"""docs/*/json.md tells the truth: each command with --json has its section, and the keys are those that are printed."""

import asyncio
import dataclasses
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from advisories import block, file
from auditworld import World as AuditWorld
from deps.audits import audit, day, flaw, stale
from fixworlds import small_world
from goferry.cli import dns as dns_command
from goferry.deps import lock, trend
from goferry.deps.advisories import exposure, refresh
from goferry.deps.advisories.matching import FixState, Named, Opinion
from goferry.deps.advisories.osv import Review
from goferry.deps.audit import ignoring
from goferry.deps.audit.records import Kind, dumps
from goferry.deps.fixing.plan import Reason
from goferry.deps.gate import rules
from goferry.deps.gate.proving import How
from goferry.deps.govulncheck import Seen
from goferry.deps.history import record
from goferry.deps.kept import Kept
from goferry.deps.usage import Level
from goferry.doctor import addresses, picture
from goferry.doctor.base import Limits, Places, World
from goferry.doctor.causes import Whose
from goferry.doctor.compare import _VIEWS as VIEWS
from goferry.doctor.dns import question
from goferry.doctor.dns.compare import Finding as Answered
from goferry.doctor.dns.remedies import Advice
from goferry.doctor.evidence import Role
from goferry.doctor.verdict import Certainty
from goferry.findings import Severity
from goferry.gomod.module import Version
from goferry.lab.scenario import Needs
from goferry.lab.tls import Authority, Leaf
from jsonpage import PAGES, differences, example, json_commands, sections, words
from jsonpage import keys as keys_of
from labneeds import require_go
from modtree import module
from proxyworld import world
from scriptedns import NameServer, table
from settingsworld import Machine
from terminal import Said, goferry
from tlsthread import background, tls_servers

LANGUAGES = list(PAGES)
SECTIONS = sections("en")
NAME, RIGHT, WRONG = "module.example.org", "127.0.0.1", "127.0.0.2"


# ---- the sections --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_command_with_json_has_a_section_and_no_section_is_of_another(language: str) -> None:
    assert set(sections(language)) == set(json_commands())


def test_the_tree_of_commands_is_walked_to_its_leaves() -> None:
    found = set(json_commands())
    assert {"version", "cache gc", "deps db update", "lab run"} <= found
    assert not found & {"serve", "cache", "deps db", "lab shell"}


def test_the_examples_are_the_same_in_both_languages() -> None:
    english, chinese = (sections(language) for language in LANGUAGES)
    for command, section in english.items():
        assert example(chinese[command]) == example(section), command


def test_every_key_of_a_new_example_is_explained() -> None:
    """The sections whose examples are not of the kind that an earlier page explains."""
    for language in LANGUAGES:
        page = sections(language)
        shared = words(page["hosts pin"]) | words(page["lab list"]) | {"name"}
        for command in page:
            if command.split()[0] in ("dns", "hosts", "lab"):
                missing = keys_of(example(page[command])) - words(page[command]) - shared
                assert missing == set(), (language, command)


# ---- what is printed, against the examples -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Mapping[str, str]]]:
    """A server with the right certificate and one with a wrong one, and the variables of who trusts them."""
    folder = tmp_path_factory.mktemp("tls")
    authority = Authority()
    (folder / "ca.pem").write_bytes(authority.pem)
    contexts = {
        RIGHT: authority.server_context([NAME]),
        WRONG: authority.server_context([NAME], Leaf.WRONG_HOST),
    }
    with background(tls_servers(contexts)) as port:
        yield (
            port,
            {
                "HOME": str(folder),
                "SSL_CERT_FILE": str(folder / "ca.pem"),
                "SSL_CERT_DIR": str(folder / "none"),
            },
        )


def test_dns(tmp_path: Path, tls: tuple[int, Mapping[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    port, environ = tls
    (tmp_path / "resolv.conf").write_text("nameserver 127.0.0.1\n")
    (tmp_path / "hosts").write_text("")
    (tmp_path / "nsswitch").write_text("hosts: files dns\n")
    places = Places(
        resolv_conf=tmp_path / "resolv.conf", hosts=tmp_path / "hosts", nsswitch=tmp_path / "nsswitch"
    )
    monkeypatch.setattr(question, "LISTEN", 0.02)
    monkeypatch.setattr(question, "LISTEN_SUSPICIOUS", 0.02)
    with (
        background(NameServer(table({f"{NAME}.": [WRONG]}))) as own,
        background(NameServer(table({f"{NAME}.": [RIGHT]}))) as public,
    ):

        def world_of(_console: object, *, public_dns: bool = False) -> World:
            here = World(environ, tmp_path, tmp_path, places, public_dns=public_dns)
            dns_port = int(own.address.rpartition(":")[2])
            limits = Limits(resolve=0.3)
            return dataclasses.replace(
                here, dns_port=dns_port, public_servers=(public.address,), limits=limits
            )

        monkeypatch.setattr(dns_command, "world_of", world_of)
        said = goferry("dns", NAME, "--port", str(port), "--rounds", "1", "--public-dns", "--json")
    assert said.code == 1
    assert said.json["names"][0]["finding"] == "wrong_address"
    assert differences("dns", said.json) == []
    assert set(said.json["advice"]["commands"]) <= words(SECTIONS["dns"])


def test_hosts(tmp_path: Path, tls: tuple[int, Mapping[str, str]]) -> None:
    port, environ = tls
    file = tmp_path / "hosts"
    file.write_bytes(b"127.0.0.1 localhost\n# goferry end\n")

    def hosts(*arguments: str) -> Said:
        return goferry("hosts", *arguments, "--json", "--file", str(file), environ=environ)

    pinned = hosts("pin", NAME, "--port", str(port), "--address", RIGHT, "--address", WRONG)
    assert pinned.code == 0
    assert differences("hosts pin", pinned.json) == []
    assert differences("hosts list", hosts("list").json) == []
    removed = hosts("remove", NAME, "x.example.org")
    assert removed.code == 1
    assert differences("hosts remove", removed.json) == []
    hosts("pin", NAME, "--port", str(port), "--address", RIGHT)
    restored = hosts("restore")
    assert restored.code == 0
    assert differences("hosts restore", restored.json) == []


def test_lab_list_and_show() -> None:
    assert differences("lab list", goferry("lab", "list", "--json").json) == []
    for scenario in ("goproxy-misspelt-host", "retagged", "well"):
        assert differences("lab show", goferry("lab", "show", scenario, "--json").json) == []


@pytest.mark.go
def test_lab_run() -> None:
    require_go()
    said = goferry("lab", "run", "goproxy-off", "--json", environ={"PATH": os.environ["PATH"]})
    assert said.code == said.json["exit"] == 1
    assert differences("lab run", said.json) == []


def test_explain(tmp_path: Path) -> None:
    (tmp_path / "log").write_text(
        'go: x.y/z@v1.0.0: Get "https://goproxy.cn/x.y/z/@v/v1.0.0.mod": dial tcp 1.2.3.4:443: i/o timeout\n'
    )
    assert differences("explain", goferry("explain", "log", "--json", cwd=tmp_path).json) == []


def test_route(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    machine.install_go()
    machine.install_git()
    netrc = machine.write(machine.home / ".netrc", "machine a.example.org login me password hunter2\n")
    netrc.chmod(0o600)
    here = machine.world().environ
    environ = {**here, "GOROOT": str(machine.goroot), "GOPROXY": "https://a.example.org,direct"}
    said = goferry(
        "route", "corp.example/x@v1.0.0", "--json",
        environ={**environ, "GONOSUMDB": "*.corp.example"}, cwd=machine.cwd,
    )  # fmt: skip
    assert said.code == 0
    assert differences("route", said.json) == []


def test_trend(tmp_path: Path) -> None:
    with Kept(tmp_path / "audits.sqlite") as kept:
        record(kept, audit(flaw("GO-1"), stale()))
        record(kept, audit(flaw("GO-1"), when=day(2.5)))
    said = goferry("deps", "trend", "--json", "--audit-history", str(tmp_path / "audits.sqlite"))
    assert differences("deps trend", said.json) == []


def test_a_fresh_audit(tmp_path: Path) -> None:
    """Two findings, one of them set aside, of which an older audit knew nothing."""
    made = AuditWorld(tmp_path)
    made.project("app", "example.org/middle v1.0.0", "example.org/old v1.0.0")
    made.put("before.json", dumps(audit()))
    made.put("app/goferry-ignore.toml", '[[ignore]]\nid = "CVE-2024-1"\nreason = "not on our path"\n')
    said = made.audit("app", "--json", "--since", "before.json", "--inventory")
    printed = said.json
    inventories = printed.pop("inventories")
    kinds = {one["kind"] for one in (*printed["findings"], *(one["finding"] for one in printed["ignored"]))}
    assert {"vulnerability", "stale"} <= kinds
    for place in ("findings", "unproven"):
        assert all(
            one.keys() == example(SECTIONS["deps audit"])["findings"][0].keys() for one in printed[place]
        )
    printed["ignored"] = [one | {"finding": {}} for one in printed["ignored"]]
    unseen = frozenset({".findings.fixed", ".findings.chain", ".findings.location"})
    assert differences("deps audit", printed, unseen=unseen) == []
    details = set().union(
        *(one["details"] for one in (*said.json["findings"], said.json["ignored"][0]["finding"]))
    )
    for language in LANGUAGES:
        known = words(sections(language)["deps audit"])
        assert details | keys_of(inventories) <= known


def test_a_saved_audit(tmp_path: Path) -> None:
    """Of the projects and the ignored findings the page shows one; the others have the form of a finding."""
    (tmp_path / "audit.json").write_text(dumps(audit(flaw(), stale())))
    said = goferry("deps", "audit", "--from", "audit.json", "--json", cwd=tmp_path)
    unseen = frozenset({".ignored", ".ignored.finding", ".since", ".findings.location", ".projects"})
    assert differences("deps audit", said.json, unseen=unseen) == []


def test_gate(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module example.net/m\n\ngo 1.22\n\nrequire example.org/a v1.0.0\n")
    (tmp_path / "m.go").write_text('package m\n\nimport _ "example.org/a"\n')
    said = goferry("deps", "gate", "--json", "--offline", "--store", str(tmp_path / "s"), cwd=tmp_path)
    assert said.code in (1, 3)
    unseen = frozenset({".proven.own_log", ".proven.private", ".problems.module"})
    assert differences("deps gate", said.json, unseen=unseen) == []


def test_db_info() -> None:
    printed = goferry("deps", "db", "info", "--json").json
    assert set(printed) == {"schema", "database", "shipped"}
    documented = example(SECTIONS["deps db info"])
    assert list(printed["database"]) == list(printed["shipped"]) == list(documented["database"])


@pytest.mark.parametrize(
    ("ranges", "words_of_it", "filled"),
    [
        ("0 -1.1.0", [], ("raises", "mended", "unsigned", "files")),
        ("0 -1.1.0", ["--apply"], ("raises", "mended", "unsigned", "files", "gate")),
        ("0", [], ("stays",)),
    ],
    ids=["planned", "applied", "hopeless"],
)
def test_a_fix(tmp_path: Path, ranges: str, words_of_it: list[str], filled: tuple[str, ...]) -> None:
    made = small_world(tmp_path)
    name, data = file("GO-2026-0001", block("example.org/x", ranges))
    (tmp_path / "db").mkdir()
    (tmp_path / "db" / Path(name).name).write_bytes(data)
    said = goferry(
        "deps", "fix", "--json", *words_of_it, "--db", str(tmp_path / "db"), "--goproxy", made.proxy.as_uri(),
        "--sumdb", "off", "--private", "example.org", "--store", str(tmp_path / "store"), cwd=made.start,
    )  # fmt: skip
    assert said.code == (0 if words_of_it else 1), said.err
    assert [rows for rows in filled if not said.json[rows]] == []
    for language in LANGUAGES:
        section = sections(language)["deps fix"]
        assert keys_of(said.json) - words(section) == set()
        firsts = "".join(re.findall(r"(?m)^\| (`[^|]+) \|", section))
        assert set(re.findall(r"`(\w+)`", firsts)) == set(said.json)


def test_a_receiver_in_a_dry_run(tmp_path: Path) -> None:
    (tmp_path / "goferry.toml").write_text('[[notify]]\nname = "chat"\nkind = "wecom"\nurl_env = "HOOK"\n')
    (tmp_path / "audit.json").write_text(dumps(audit(flaw())))
    hook = "https://chat.example.org/cgi-bin/webhook/send?key=planted"
    said = goferry(
        "deps", "notify", "audit.json", "--dry-run", "--json",
        environ={"HOME": str(tmp_path), "HOOK": hook}, cwd=tmp_path,
    )  # fmt: skip
    (row,) = said.json["receivers"]
    (shown,) = example(SECTIONS["deps notify"])["receivers"]
    assert set(row) == set(shown) - {"error"} | {"requests"}
    for language in LANGUAGES:
        assert keys_of(row["requests"]) <= words(sections(language)["deps notify"])


# ---- what is printed, against the prose ----------------------------------------------------------------------------

VALUES = {
    "version": set(),
    "config": {"xxxxx", "flag", "env", "go", "default", "upstream", "sumdb", "private", "GOPROXY in the environment"},
    "env": set(),
    "warm": set(),
    "cache list": set(),
    "cache info": set(),
    "cache gc": {"age", "asked", "gc"},
    "cache rm": {"age", "asked", "gc", "removed_size", "kept_versions", "kept_size", "pinned_versions",
                 "quarantine_removed", "quarantine_size", "dry_run"},
    "cache pin": {"MODULE@VERSION", "MODULE"},
    "cache unpin": {"MODULE@VERSION", "MODULE"},
    "cache log": {"--verify"},
    "deps list": {"go install module@version", "DIR/...", "projects", "name", "root"},
    "deps graph": {"go mod graph", "path", "path@version"},
    "deps why": set(),
    "deps lock": {"goferry.lock/1", "passed", "failed", "unproven", "skipped", "tidy", "download", "sums", "vendor",
                  "offline"},
}  # fmt: skip
"""What else stands in backticks in the sections without an example: values, and the words of go."""


def same_keys(command: str, printed: Any) -> None:
    """The prose of a command names the keys that are printed and no others."""
    for language in LANGUAGES:
        said = words(sections(language)[command])
        assert (language, keys_of(printed) - said) == (language, set()), command
        assert (language, said - VALUES[command] - keys_of(printed)) == (language, set()), command


def test_version_config_and_env(tmp_path: Path) -> None:
    same_keys("version", goferry("version", "--json").json)
    config = goferry("config", "--json", environ={"HOME": str(tmp_path)}).json
    same_keys("config", [config, config["settings"]["upstream"]])
    same_keys("env", goferry("env", "--json", environ={"HOME": str(tmp_path)}).json)


def test_what_is_said_of_a_store(tmp_path: Path) -> None:
    for key, body in module("example.org/a", "v1.0.0").items():
        file = tmp_path / "upstream" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    lines = [f"example.org/{name} v1.0.0 h1:{'A' * 43}=\n" for name in ("a", "gone")]
    (tmp_path / "go.sum").write_text("".join(lines))
    store = {"GOFERRY_STORE": str(tmp_path / "store")}
    warmed = goferry(
        "warm", "go.sum", "--upstream", (tmp_path / "upstream").as_uri(), "--sumdb", "off", "--json",
        environ=store, cwd=tmp_path,
    )  # fmt: skip
    assert warmed.code == 1
    same_keys("warm", warmed.json)

    def cache(*arguments: str) -> Any:
        return goferry("cache", *arguments, "--json", environ=store).json

    same_keys("cache list", cache("list"))
    same_keys("cache info", cache("info", "example.org/a@v1.0.0"))
    same_keys("cache pin", cache("pin", "example.org/a"))
    same_keys("cache unpin", cache("unpin", "example.org/a"))
    same_keys("cache gc", cache("gc", "--max-size", "0", "--dry-run"))
    (tmp_path / "store/example.org/a/@v/v1.0.0.zip").write_bytes(b"rotten")
    report = cache("verify", "--keep")
    documented = example(SECTIONS["cache verify"])
    assert set(report) == set(documented)
    assert set(report["findings"][0]) == set(documented["findings"][0])
    assert set(report["facts"]) == set(documented["facts"])
    same_keys("cache rm", cache("rm", "example.org/a"))


def test_the_own_log(tmp_path: Path) -> None:
    files = module("corp.example/a", "v1.0.0")

    async def fill() -> None:
        async with world(tmp_path, files, sumdb="off", own_log="sums.example.org") as made:
            await made.proxy.prove_own(Version("corp.example/a", "v1.0.0"))

    asyncio.run(fill())
    (tmp_path / "corp.example/a/@v/v1.0.0.mod").write_text("module corp.example/other\n")
    said = goferry("cache", "log", "--verify", "--json", environ={"GOFERRY_STORE": str(tmp_path)})
    assert said.code == 1
    same_keys("cache log", said.json)


def test_what_is_said_of_a_project(tmp_path: Path) -> None:
    for folder, text in ((".", "require example.org/d v1.0.0\n\nreplace example.org/d => ./d\n"), ("d", "")):
        name = "m" if folder == "." else folder
        (tmp_path / folder).mkdir(exist_ok=True)
        (tmp_path / folder / "go.mod").write_text(f"module example.org/{name}\n\ngo 1.16\n\n{text}")

    def deps(*arguments: str) -> Any:
        environ = {"HOME": str(tmp_path / "home"), "PATH": ""}
        return goferry("deps", *arguments, "--json", "--offline", environ=environ, cwd=tmp_path).json

    same_keys("deps list", deps("list"))
    same_keys("deps graph", deps("graph"))
    same_keys("deps why", deps("why", "example.org/d"))
    assert set(deps("list", "./...")["projects"][0]) == {"name", "root", "modules"}
    same_keys("deps lock", deps("lock"))


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_a_scenario_is_english_in_every_language(language: str) -> None:
    said = goferry("--lang", language, "lab", "show", "retagged", "--json")
    assert said.json["summary"].startswith("The tag was moved")
    assert said.json["wants"].startswith("The module's author")
    assert json.loads(said.out) == goferry("lab", "show", "retagged", "--json").json


@pytest.mark.parametrize("command", ["audit", "fix", "gate", "lock"])
def test_what_a_chinese_terminal_writes_into_a_file_is_english(tmp_path: Path, command: str) -> None:
    (tmp_path / "go.mod").write_text("module example.org/m\n\ngo 1.21\n\nrequire example.org/gone v1.0.0\n")
    file = [] if command == "fix" else ["-o", "found.json"]
    said = goferry(
        "--lang", "zh_CN", "deps", command, *(file or ["--json"]), "--goproxy", (tmp_path / "none").as_uri(),
        "--sumdb", "off", "--store", str(tmp_path / "store"), environ={"HOME": str(tmp_path)}, cwd=tmp_path,
    )  # fmt: skip
    assert said.code in (1, 3), said.err
    printed = (tmp_path / "found.json").read_text("utf-8") if file else said.out
    assert "example.org/gone" in printed
    assert re.findall(r"[\u3000-\u9fff\uff00-\uffef]", printed) == []
    assert not file or re.search(r"[\u4e00-\u9fff]", said.out)


# ---- closed vocabularies -------------------------------------------------------------------------------------------

VOCABULARIES: dict[str, tuple[Iterable[str], ...]] = {
    "cache verify": (Severity,),
    "dns": (Answered, Advice, addresses.Kind, Certainty),
    "lab list": (Needs,),
    "doctor": (Certainty, Whose, picture.State, picture.Station, Role, (topic for topic, _view in VIEWS)),
    "deps audit": (
        Kind, FixState, Opinion, Named, Level, exposure.Certainty, exposure.Origin, Seen,
        ignoring.State, ignoring.Justification, set(Severity) - {Severity.OK}, set(Review) - {Review.UNKNOWN},
    ),
    "deps db update": (refresh.Verdict,),
    "deps fix": (Reason,),
    "deps gate": (rules.Level, rules.Class, rules.State, rules.Verdict, How),
    "deps lock": (lock.Step, lock.State, rules.Verdict),
    "deps trend": (trend.GROUPS,),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", VOCABULARIES)
def test_every_word_of_a_closed_vocabulary_is_named(command: str, language: str) -> None:
    said = words(sections(language)[command])
    assert {str(word) for vocabulary in VOCABULARIES[command] for word in vocabulary} - said - {""} == set()
