"""`goferry deps audit` as people run it: against a file proxy, offline, over many projects, and with wrong words."""

import hashlib
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import goprojects
import gotestdata
import oracle
from advisories import block, file
from auditworld import FLAW, World
from goferry.config import Settings
from goferry.gomod import gover
from goferry.gomod.goproxy import Kind, request_path
from goferry.proxy import assemble
from modtree import module as tree_of
from net.web import Web, answer, ok
from sizes import size
from terminal import goferry
from tlsthread import background


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def kinds(audit: Any, project: str | None = None) -> set[tuple[str, str]]:
    return {
        (finding["kind"], finding["module"])
        for finding in audit["findings"]
        if project in (None, finding["project"])
    }


FLAWED = ("vulnerability", "example.org/flawed")
STALE = ("stale", "example.org/old")


def test_a_flaw_two_steps_away_is_found_with_its_chain_and_its_fix(world: World) -> None:
    world.project()
    audit = world.found("app")
    (flaw,) = [finding for finding in audit["findings"] if finding["kind"] == "vulnerability"]
    assert (flaw["id"], flaw["version"], flaw["aliases"]) == ("GO-2024-0001", "v1.0.0", ["CVE-2024-1"])
    assert flaw["fixed"] == {"state": "here", "version": "v1.1.0", "path": "example.org/flawed"}
    assert [step["path"] for step in flaw["chain"]] == [
        "example.org/app",
        "example.org/middle",
        "example.org/flawed",
    ]
    assert flaw["location"] == {"place": "app/go.mod", "line": 3}
    (project,) = audit["projects"]
    assert (project["name"], project["root"], project["modules"]) == ("example.org/app", "app", 2)
    assert audit["unproven"] == []


NARROWED = {
    "named": ({"path": "example.org/flawed", "symbols": ["Name"]}, "error", "identifier", True),
    "imported, not named": (
        {"path": "example.org/flawed", "symbols": ["Other"]},
        "warning",
        "identifier",
        False,
    ),
    "imported, no names": ({"path": "example.org/flawed"}, "error", "package", True),
    "not imported": ({"path": "example.org/flawed/inner", "symbols": ["Name"]}, "info", "package", False),
}


@pytest.mark.parametrize(("package", "severity", "level", "used"), NARROWED.values(), ids=list(NARROWED))
def test_source_tells_what_is_imported_and_named(
    world: World, package: dict[str, Any], severity: str, level: str, used: bool
) -> None:
    world.project()
    world.put(
        f"db/{FLAW[0]}", file("GO-2024-0001", block("example.org/flawed", "0 -1.1.0", imports=[package]))[1]
    )
    audit = world.found("app", "--fail-on", "none", code=0)
    (flaw,) = [finding for finding in audit["findings"] if finding["kind"] == "vulnerability"]
    assert (flaw["severity"], flaw["level"], flaw["details"]["used"]) == (severity, level, used)
    assert audit["projects"][0]["level"] == "identifier"


def test_without_source_advisories_are_about_modules(world: World) -> None:
    world.project()
    world.put("app/main.go", "package main\n\nfunc main() {}\n")
    for words, expected in (([], ("info", "package", False)), (["--no-source"], ("error", "module", None))):
        audit = world.found("app", *words, code=1 if words else 0)
        (flaw,) = [finding for finding in audit["findings"] if finding["kind"] == "vulnerability"]
        assert (flaw["severity"], flaw["level"], flaw["details"]["used"]) == expected


def test_source_that_cannot_be_had_counts_as_used(world: World) -> None:
    world.project()
    package = {"path": "example.org/flawed/inner", "symbols": ["Name"]}
    world.put(
        f"db/{FLAW[0]}", file("GO-2024-0001", block("example.org/flawed", "0 -1.1.0", imports=[package]))[1]
    )
    (world.folder / "proxy" / request_path(Kind.ZIP, "example.org/middle", "v1.0.0")).unlink()
    audit = world.found("app")
    (flaw,) = [finding for finding in audit["findings"] if finding["kind"] == "vulnerability"]
    assert (flaw["severity"], flaw["level"], flaw["details"]["used"]) == ("error", "module", True)
    assert audit["projects"][0]["level"] == "package"


def test_people_see_the_same(world: World) -> None:
    world.project()
    said = world.audit("app")
    assert said.code == 1
    assert "✗ error  GO-2024-0001  example.org/flawed v1.0.0  fixed in v1.1.0" in said.out
    assert "example.org/app → example.org/middle v1.0.0 → example.org/flawed v1.0.0" in said.out
    assert "1 error" in said.out.splitlines()[-2]
    assert said.out.splitlines()[-1] == "next: goferry deps fix app"


def test_a_project_without_anything_passes(world: World) -> None:
    world.project("app", "example.org/flawed v1.1.0")
    audit = world.found("app", "--no-versions", code=0)
    assert audit["findings"] == audit["unproven"] == []


def test_after_one_run_the_same_is_found_offline(world: World) -> None:
    world.project("app", "example.org/middle v1.0.0", "example.org/old v1.0.0")
    first = world.found("app", "--licences")
    (world.folder / "proxy").rename(world.folder / "gone")
    second = world.found("app", "--licences", "--offline")
    assert second["unproven"] == []
    assert second["findings"] == first["findings"]


def test_zips_are_not_fetched_ahead(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server does that for its clients, who want the zip next. An audit asks thousands of versions for their time."""
    opened = assemble.open_proxy
    ahead: list[bool] = []

    def watched(settings: Settings, **more: Any) -> Any:
        ahead.append(settings.read_ahead)
        return opened(settings, **more)

    monkeypatch.setattr(assemble, "open_proxy", watched)
    world.project("app", "example.org/old v1.0.0")
    world.found("app", code=0)
    assert ahead == [False]


def test_what_cannot_be_had_is_never_clean(world: World) -> None:
    world.project("app", "example.org/flawed v1.1.0", "example.org/missing v1.0.0")
    audit = world.found("app", "--no-versions", code=3)
    (blind,) = audit["unproven"]
    assert (blind["id"], blind["kind"], blind["details"]["modules"]) == (
        "go_mod",
        "unproven",
        ["example.org/missing@v1.0.0"],
    )


def test_an_upstream_that_does_not_answer_is_unproven(world: World) -> None:
    world.project()
    words = ["--goproxy", "http://127.0.0.1:9", "--attempts", "1", "--sumdb", "off", "--json"]
    store = ["--store", str(world.folder / "store2"), "--db", str(world.folder / "db"), "--go", "1.99.0"]
    said = goferry("deps", "audit", "app", *words, *store, cwd=world.folder)
    assert said.code == 3, said.err
    assert {blind["id"] for blind in said.json["unproven"]} >= {"go_mod"}
    assert said.json["projects"][0]["name"] == "example.org/app"


def test_a_failure_counts_more_than_what_could_not_be_looked_at(world: World) -> None:
    world.project("app", "example.org/middle v1.0.0", "example.org/missing v1.0.0")
    assert world.found("app", code=1)["unproven"] != []


def test_a_go_mod_that_cannot_be_read_is_unproven_and_a_branch_name_in_it_is_found(world: World) -> None:
    world.project("app", "example.org/flawed master")
    audit = world.found("app", code=1)
    (branch,) = audit["findings"]
    assert (branch["kind"], branch["module"], branch["version"], branch["severity"]) == (
        "not_a_release",
        "example.org/flawed",
        "master",
        "error",
    )
    assert branch["location"] == {"place": "app/go.mod", "line": 3}
    assert [blind["id"] for blind in audit["unproven"]] == ["project"]


MALFORMED = {
    "a conflict": b"module example.org/app\n<<<<<<< ours\ngo 1.21\n=======\ngo 1.22\n>>>>>>> theirs\n",
    "a torn file": b"module example.org/app\nrequire (\n\texample.org/middle v1.0.0\n",
    "not text": b"\x00\xff" * 100,
    "two modules": b"module a\nmodule b\n",
    "an unknown word": b"module example.org/app\nrequires x v1.0.0\n",
    "too large": b"module example.org/app\n" + b"// filler\n" * 600_000,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=list(MALFORMED))
def test_a_malformed_go_mod_is_unproven_and_its_neighbours_are_looked_at(world: World, data: bytes) -> None:
    world.project("good/app")
    world.put("bad/app/go.mod", data)
    audit = world.found("./...")
    (blind,) = audit["unproven"]
    assert (blind["id"], blind["project"], blind["owner"]) == ("project", "bad/app", "bad")
    assert "\n" not in blind["message"]["text"]
    assert str(world.folder) not in blind["message"]["text"]
    assert FLAWED in kinds(audit, "example.org/good/app")


def test_json_is_the_same_in_every_language(world: World) -> None:
    world.project("app", "example.org/middle v1.0.0", "example.org/missing v1.0.0")
    written = []
    for language in ("en", "zh_CN"):
        assert world.audit("app", "--json", "-o", "a.json", "--lang", language, "--notes").code == 1
        written.append(json.loads((world.folder / "a.json").read_text()))
        written[-1].pop("generated")
    assert written[0] == written[1]


FAIL_ON = [
    ("error", 1),
    ("none", 0),
    ("vulnerability", 1),
    ("licence,vulnerability", 1),
    ("retracted", 0),
    ("stale", 1),
    ("info", 1),
]


@pytest.mark.parametrize(("words", "code"), FAIL_ON)
def test_what_fails_is_chosen_by_severity_or_kind(world: World, words: str, code: int) -> None:
    world.project("app", "example.org/middle v1.0.0", "example.org/old v1.0.0")
    assert world.audit("app", "--fail-on", words).code == code


def test_old_modules_are_notes_and_the_limit_is_a_setting(world: World) -> None:
    world.project("app", "example.org/old v1.0.0")
    assert kinds(world.found("app", code=0)) == {STALE}
    assert kinds(world.found("app", "--stale-after", "9999d", code=0)) == set()


def test_an_ignore_file_beside_the_project_sets_aside(world: World) -> None:
    world.project()
    world.put("app/goferry-ignore.toml", '[[ignore]]\nid = "CVE-2024-1"\nreason = "not on our path"\n')
    audit = world.found("app", code=0)
    assert FLAWED not in kinds(audit)
    assert [one["reason"] for one in audit["ignored"]] == ["not on our path"]


def test_entries_that_do_nothing_or_are_over_are_findings(world: World) -> None:
    world.project()
    world.put(
        "team.toml",
        '[[ignore]]\nid = "GO-1999-1"\nreason = "gone"\n'
        '[[ignore]]\nid = "GO-2024-0001"\nreason = "later"\nexpires = 2020-01-01\n',
    )
    audit = world.found("app", "--ignore", "team.toml")
    assert {(f["kind"], f["id"]) for f in audit["findings"] if f["kind"].startswith("ignore")} == {
        ("ignore_unused", "GO-1999-1"),
        ("ignore_expired", "GO-2024-0001"),
    }
    assert FLAWED in kinds(audit)


def test_only_what_is_new_is_shown_since_an_older_audit(world: World) -> None:
    world.project("app", "example.org/old v1.0.0")
    assert world.audit("app", "--json", "-o", "old.json").out == ""
    world.project("app", "example.org/old v1.0.0", "example.org/middle v1.0.0")
    audit = world.found("app", "--since", "old.json")
    assert FLAWED in kinds(audit)
    assert STALE not in kinds(audit)
    assert (audit["since"]["same"], audit["since"]["gone"]) == (1, [])


# ---- Go itself

GO_FLAWS = [
    file("GO-2025-1000", block("stdlib", "0 -1.24.5", imports=[{"path": "net/http", "symbols": ["Get"]}])),
    file("GO-2025-1001", block("toolchain", "0 -1.24.5")),
]


def test_the_go_that_builds_is_the_one_of_the_pipeline(world: World) -> None:
    world.project()
    for name, data in GO_FLAWS:
        world.put(f"db/{name}", data)
    world.put("app/.git/HEAD", "")
    world.put("app/.github/workflows/ci.yml", "steps:\n  - with:\n      go-version: 1.24.1\n")
    said = world.audit("app", "--json", "--no-source", HOME="/nonexistent")
    found = {f["kind"]: f for f in said.json["findings"]}
    assert (found["stdlib"]["version"], found["stdlib"]["severity"]) == ("1.24.1", "error")
    assert found["stdlib"]["details"]["decided"]["origin"] == "pipeline"
    assert found["toolchain"]["severity"] == "warning"


def test_the_standard_library_is_narrowed_by_source_too(world: World) -> None:
    world.project()
    for name, data in GO_FLAWS:
        world.put(f"db/{name}", data)
    world.put("app/get.go", 'package main\n\nimport "net/http"\n\nvar get = http.Get\n')
    found = {f["kind"]: f for f in world.found("app", "--go", "1.24.1")["findings"]}
    assert (found["stdlib"]["level"], found["stdlib"]["details"]["named_identifiers"]) == (
        "identifier",
        ["net/http.Get"],
    )


def test_a_project_of_which_nothing_says_who_builds_it_is_unproven(world: World) -> None:
    world.put("app/go.mod", "module example.org/app\n")
    said = world.audit("app", "--json", HOME="/nonexistent")
    assert (said.code, [blind["id"] for blind in said.json["unproven"]]) == (3, ["go_version"])


# ---- many projects


def test_all_projects_below_a_folder_are_one_list_by_owner(world: World) -> None:
    world.project("a", "example.org/middle v1.0.0")
    world.project("b/deep", "example.org/old v1.0.0")
    world.project("vendor/x")
    world.project("a/testdata/y")
    world.put("work/go.work", "go 1.21\n\nuse ./one\n")
    world.put("work/one/go.mod", "module example.org/one\n\ngo 1.21\n\nrequire example.org/old v1.0.0\n")
    world.put("CODEOWNERS", "/a/ @alpha\n/b/ @beta\n")
    audit = world.found("./...")
    assert {(p["name"], p["owner"]) for p in audit["projects"]} == {
        ("example.org/a", "@alpha"),
        ("example.org/b/deep", "@beta"),
        ("work", ""),
    }
    assert kinds(audit, "example.org/a") >= {FLAWED}
    assert kinds(audit, "work") == {STALE}


def test_without_codeowners_the_folder_is_the_owner(world: World) -> None:
    world.project("payments/api")
    world.project("search/api")
    owners = {p["name"]: p["owner"] for p in world.found(str(world.folder))["projects"]}
    assert owners == {"example.org/payments/api": "payments", "example.org/search/api": "search"}


def test_two_projects_of_one_name_are_told_apart(world: World) -> None:
    for folder in ("x", "y"):
        world.put(f"{folder}/go.mod", "module example.org/same\n\ngo 1.21\n")
    names = [p["name"] for p in world.found("x", "y", "x/go.mod", code=0)["projects"]]
    assert names == ["example.org/same (x)", "example.org/same (y)"]


def test_the_project_is_found_from_a_folder_in_it(world: World) -> None:
    world.project()
    world.put("app/inner/x.txt", "")
    assert world.found(cwd="app/inner")["projects"][0]["name"] == "example.org/app"


# ---- forms


def test_the_bom_has_the_hash_of_every_zip(world: World) -> None:
    world.project()
    said = world.audit("app", "--format", "cyclonedx", "--fail-on", "none")
    assert said.code == 0, said.err
    hashes = {one["name"]: one.get("hashes") for one in json.loads(said.out)["components"]}
    for path in ("example.org/middle", "example.org/flawed"):
        body = (world.folder / "proxy" / request_path(Kind.ZIP, path, "v1.0.0")).read_bytes()
        assert hashes[path] == [{"alg": "SHA-256", "content": hashlib.sha256(body).hexdigest()}]


def test_the_bom_of_a_vendored_project_has_the_hash_of_every_file(world: World) -> None:
    world.project()
    world.put("app/vendor/modules.txt", "# example.org/middle v1.0.0\n## explicit\nexample.org/middle\n")
    world.put("app/vendor/example.org/middle/m.go", "package middle\n")
    world.put("app/vendor/example.org/middle/nested/n.go", "package nested\n")
    said = world.audit("app", "--format", "cyclonedx", "--fail-on", "none")
    components = {one["name"]: one for one in json.loads(said.out)["components"]}
    files = {
        one["name"]: one["hashes"][0]["content"] for one in components["example.org/middle"]["components"]
    }
    assert files == {
        "example.org/middle/m.go": hashlib.sha256(b"package middle\n").hexdigest(),
        "example.org/middle/nested/n.go": hashlib.sha256(b"package nested\n").hexdigest(),
    }
    assert "hashes" not in components["example.org/flawed"]


def test_licences_are_read_from_the_zips(world: World) -> None:
    world.project("app", "example.org/old v1.0.0")
    audit = world.found("app", "--allow-licences", "MIT", "--fail-on", "licence")
    (licence,) = [finding for finding in audit["findings"] if finding["kind"] == "licence"]
    assert (licence["id"], licence["severity"]) == ("none", "warning")


def test_a_zip_that_is_none_is_unproven(world: World) -> None:
    world.project("app", "example.org/old v1.0.0")
    key = request_path(Kind.ZIP, "example.org/old", "v1.0.0")
    world.put(f"proxy/{key}", b"PK\x03\x04 no zip")
    audit = world.found("app", "--licences", code=3)
    assert [(one["id"], one["module"]) for one in audit["unproven"]] == [("zip", "example.org/old")]


# ---- wrong words

WRONG = {
    "no such folder": (["nowhere"], "nowhere"),
    "an empty folder": (["empty"], "there is no go.mod or go.work in"),
    "--fail-on": (["app", "--fail-on", "errors"], "--fail-on: 'errors' is neither"),
    "--format": (["app", "--format", "pdf"], "pdf"),
    "--since of nothing": (["app", "--since", "nothing.json"], "nothing.json"),
    "--since of no audit": (["app", "--since", "app/go.mod"], "app/go.mod is no saved audit"),
    "--ignore of nothing": (["app", "--ignore", "nothing.toml"], "nothing.toml"),
    "--ignore without a reason": (
        ["app", "--ignore", "bad.toml"],
        "bad.toml: [[ignore]] 1: GO-1 has no `reason`",
    ),
    "--go": (["app", "--go", "latest"], "--go: 'latest' is no version of Go"),
    "--archived": (["app", "--archived", "nothing.txt"], "nothing.txt"),
    "--db": (["app", "--db", "empty"], "empty"),
    "--stale-after": (["app", "--stale-after", "long"], "stale"),
    "--output": (["app", "-o", "no/such/folder.json"], "no/such/folder.json"),
    "an option": (["app", "--nope"], "--nope"),
}


@pytest.mark.parametrize(("words", "expected"), WRONG.values(), ids=list(WRONG))
def test_wrong_words_give_one_line(world: World, words: list[str], expected: str) -> None:
    world.project()
    (world.folder / "empty").mkdir()
    world.put("bad.toml", '[[ignore]]\nid = "GO-1"\n')
    base = [
        "--goproxy",
        (world.folder / "proxy").as_uri(),
        "--sumdb",
        "off",
        "--store",
        str(world.folder / "s"),
    ]
    said = goferry("deps", "audit", *base, *words, cwd=world.folder)
    assert said.code == 2, said.out + said.err
    first = said.err.splitlines()[0]
    assert expected in first
    assert len(said.err.splitlines()) <= 2
    assert "Traceback" not in said.err


# ---- the real go as the judge


@pytest.fixture(scope="module")
def gos_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gomodules")
    gotestdata.write_proxy(folder / "proxy")
    return folder


def withdrawn(rows: Iterator[Mapping[str, Any]]) -> dict[str, tuple[list[str], str]]:
    """What go says: of each module its retractions and its deprecation; of a replaced one, also what is built."""
    said = {}
    for row in rows:
        built = row.get("Replace", {})
        retracted = row.get("Retracted") or built.get("Retracted") or []
        deprecated = row.get("Deprecated") or built.get("Deprecated") or ""
        if retracted or deprecated:
            said[row["Path"]] = (retracted, deprecated)
    return said


def audited(audit: Any) -> dict[str, tuple[list[str], str]]:
    """What the audit says, in the same form."""
    said: dict[str, tuple[list[str], str]] = {}
    for finding in audit["findings"]:
        retracted, deprecated = said.get(finding["module"], ([], ""))
        if finding["kind"] == "retracted":
            said[finding["module"]] = (finding["details"]["reasons"], deprecated)
        if finding["kind"] == "deprecated":
            said[finding["module"]] = (retracted, finding["details"]["message"])
    return said


def compare(folder: Path, start: Path, go: goprojects.Said) -> bool:
    """Whether go could say anything; then the audit of the same project has to say the same."""
    said = goferry(
        *("deps", "audit", str(start), "--json", "--no-source", "--fail-on", "none", "--go", "1.99.0"),
        *("--goproxy", (folder / "proxy").as_uri(), "--sumdb", "off", "--store", str(folder / "store")),
        cwd=start.parent,
    )
    if go.error:
        return False
    rows = json.loads("[" + "\n".join(go.lines).replace("}\n{", "},\n{") + "]")
    assert said.code == 0, said.out + said.err
    assert audited(said.json) == withdrawn(iter(rows)), start.read_text()
    return True


LIST = ("list", "-m", "-u", "-retracted", "-json", "all")


@pytest.mark.go
def test_retracted_and_deprecated_are_those_of_the_real_go(gos_modules: Path, tmp_path: Path) -> None:
    proxy, cache = (gos_modules / "proxy").as_uri(), gos_modules / "cache"
    compared = found = 0
    for seed in range(size(10, 200)):
        dice = goprojects.Dice(seed, goprojects.usable(), tmp_path / str(seed))
        project = dice.write(proxy, cache)
        before = {file: file.read_bytes() for file in project.start.parent.rglob("go.*")}
        go = project.go(*LIST)
        for place, data in before.items():
            place.write_bytes(data)
        compared += compare(gos_modules, project.start, go)
        found += any('"Retracted"' in line or '"Deprecated"' in line for line in go.lines)
    assert compared >= size(4, 80)
    assert found >= size(1, 20)


@pytest.mark.go
@pytest.mark.parametrize("newest", [False, True])
def test_every_module_that_go_made_for_retractions_and_deprecations(
    gos_modules: Path, tmp_path: Path, newest: bool
) -> None:
    """The lowest or the highest version of each of go's own test modules whose name says that it is about this."""
    published = gotestdata.published()
    wanted = [
        version
        for version in goprojects.usable()
        if ("retract" in version.path or "deprecat" in version.path)
        and f"module {version.path}\n".encode() in published[version].get(".mod", b"")
    ]
    ordered = sorted(wanted, key=lambda v: gover.mod_key(v.path, v.version), reverse=not newest)
    chosen = {version.path: version for version in ordered}
    assert len(chosen) >= 10
    lines = [f"require {version.path} {version.version}" for version in chosen.values()]
    start = tmp_path / "go.mod"
    start.write_text("\n".join(["module example.org/m", "go 1.17", *lines]) + "\n")
    before = start.read_bytes()
    go = goprojects.Project(start, (gos_modules / "proxy").as_uri(), gos_modules / "cache").go(*LIST)
    start.write_bytes(before)
    assert not go.error
    assert compare(gos_modules, start, go)


# ---- code hosts -----------------------------------------------------------------------------------------------


def test_code_hosts_are_asked_only_when_told_and_no_token_is_seen(world: World) -> None:
    token = "ghp_plantedForgeToken"
    world.publish(tree_of("github.com/a/closed", "v1.0.0"))
    world.project("app", "github.com/a/closed v1.0.0")
    answers = {"/repos/a/closed": ok(b'{"archived": true}')}
    with background(Web(lambda asked: answers[asked.target])) as web:
        home = str(world.folder / "home")
        environ = {"HOME": home, "GITHUB_TOKEN": token}
        words = ("app", "--json", "--go", "1.99.0", "--forges", f"github.com=github:{web.url}")
        silent = world.audit(*words, **environ)
        assert web.requests == []
        assert ("archived", "github.com/a/closed") not in kinds(silent.json)
        said = world.audit(*words, "--ask-forges", "--notes", **environ)
        (found,) = [one for one in said.json["findings"] if one["kind"] == "archived"]
        assert (found["severity"], found["details"]["repository"]) == ("warning", "github.com/a/closed")
        assert web.requests[0].headers["authorization"] == f"Bearer {token}"
        again = world.audit(*words, "--ask-forges", **environ)
        assert ("archived", "github.com/a/closed") in kinds(again.json)
        assert len(web.requests) == 1
    everything = (
        said.out + said.err + again.err + (Path(home) / ".local/share/goferry/forges.json").read_text()
    )
    assert token not in everything


def test_a_code_host_that_does_not_answer_is_unproven(world: World) -> None:
    world.publish(tree_of("github.com/a/closed", "v1.0.0"))
    world.project("app", "github.com/a/closed v1.0.0")
    with background(Web(lambda _asked: answer("403 Forbidden", b"{}", X_RateLimit_Remaining="0"))) as web:
        audit = world.found("app", "--ask-forges", "--forges", f"github.com=github:{web.url}", code=3)
    (blind,) = audit["unproven"]
    assert (blind["id"], blind["details"]["modules"]) == ("archived", ["github.com/a/closed"])
    assert "a token in GITHUB_TOKEN allows more" in blind["message"]["text"]


# ---- built programs -------------------------------------------------------------------------------------------


@pytest.mark.go
def test_a_built_program_is_audited_by_what_it_is_made_of(world: World) -> None:
    world.project("app", "example.org/flawed v1.0.0")
    world.put("app/goferry-ignore.toml", '[[ignore]]\nid = "GO-2024-0009"\nreason = "known"\n')
    world.put(*db_file("GO-2024-0009", "stdlib", "0 -1.999.0-0"))
    go = oracle.go_command()
    assert go is not None
    cache = subprocess.run([go, "env", "GOCACHE"], capture_output=True, text=True, check=True).stdout.strip()
    proxy = (world.folder / "proxy").as_uri()
    environ = oracle.go_env(
        GOPROXY=proxy, GOSUMDB="off", GOMODCACHE=str(world.folder / "cache"), GOCACHE=cache,
        GOFLAGS="-mod=mod -modcacherw",
    )  # fmt: skip
    subprocess.run([go, "build", "-o", "tool", "."], cwd=world.folder / "app", env=environ, check=True)
    version = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, check=True
    ).stdout.strip()
    said = world.audit("app/tool", "--json", PATH="/nonexistent")
    assert said.code == 1, said.err
    (project,) = said.json["projects"]
    assert (project["name"], project["root"], project["modules"], project["level"]) == (
        "app/tool",
        "app",
        1,
        "module",
    )
    assert ("vulnerability", "example.org/flawed") in kinds(said.json)
    (ignored,) = [one["finding"] for one in said.json["ignored"]]
    assert f"go{ignored['version']}" == version
    assert ignored["details"]["decided"] == {"origin": "binary", "where": "tool"}
    assert "next:" not in world.audit("app/tool", PATH="/nonexistent").out
    bom = json.loads(world.audit("app/tool", "--format", "cyclonedx", PATH="/nonexistent").out)
    (library,) = [one for one in bom["components"] if one["type"] == "library"]
    assert (
        library["hashes"][0]["content"]
        == hashlib.sha256(
            (world.folder / f"proxy/{request_path(Kind.ZIP, 'example.org/flawed', 'v1.0.0')}").read_bytes()
        ).hexdigest()
    )


def db_file(id: str, module: str, versions: str) -> tuple[str, bytes]:
    name, data = file(id, block(module, versions))
    return f"db/{name}", data


def test_a_file_that_is_no_program_is_one_line(world: World) -> None:
    world.project()
    said = world.audit("app/main.go")
    assert said.code == 2
    assert said.err.splitlines()[0] == (
        "goferry: app/main.go: a go.mod or go.work file is wanted, a folder, or a built program"
    )


def test_a_newer_go_line_overrules_what_was_said(world: World) -> None:
    world.put(*db_file("GO-2024-0009", "stdlib", "0 -1.999.0-0"))
    for line, expected in (("1.21", "1.25.3"), ("1.26.0", "1.26.0")):
        world.project("app", "example.org/old v1.0.0")
        text = (world.folder / "app/go.mod").read_text().replace("go 1.21", f"go {line}")
        world.put("app/go.mod", text)
        said = world.audit("app", "--json", "--go", "1.25.3")
        assert {one["version"] for one in said.json["findings"] if one["kind"] == "stdlib"} == {expected}
