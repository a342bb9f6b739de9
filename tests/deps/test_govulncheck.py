"""govulncheck's results joined with ours.

The recording is a run of the real tool, on goferry's entries, over the project of test_usage.py with four flaws: one
that is called, two that are imported, one in a package that nobody imports.
"""

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from advisories import block, database, entry
from goferry.deps import govulncheck
from goferry.deps.advisories.database import Database, load
from goferry.deps.advisories.matching import match
from goferry.deps.base import Module
from goferry.deps.govulncheck import Finding, GovulncheckFailed, Seen, parse
from goferry.errors import InvalidInput
from goferry.gomod.module import Version

RECORDED = (Path(__file__).parent / "data/govulncheck.json").read_text()
LIB = "example.org/lib"


def flaws() -> Database:
    return database(
        entry("GO-2026-0001", block(LIB), aliases=["CVE-1"]),
        entry("GO-2026-0002", block(LIB)),
        entry("GO-2026-0003", block(LIB)),
        entry("GO-2026-0009", block(LIB)),
    )


def test_a_recorded_run_says_how_far_each_flaw_goes() -> None:
    run = parse(RECORDED)
    assert (run.scanner, run.go, run.level) == ("govulncheck v1.1.4", "go1.26.8", "symbol")
    matches = match(flaws(), [Module(LIB, "v1.0.0")])
    assert {one.entry.id: run.seen(one) for one in matches} == {
        "GO-2026-0001": Seen.CALLED,
        "GO-2026-0002": Seen.IMPORTED,
        "GO-2026-0003": Seen.REQUIRED,
        "GO-2026-0009": Seen.NOTHING,
    }
    called = run.about(matches[0])[-1]
    assert called == Finding(
        "GO-2026-0001", Seen.CALLED, LIB, "v1.0.0", LIB, "G", ("example.org/main.main", f"{LIB}.G")
    )


def stream(*messages: object, version: str = "v1.0.0") -> str:
    config = {"config": {"protocol_version": version, "go_version": "go1.26.8"}}
    return "\n".join(json.dumps(one, indent=1) for one in (config, *messages))


def finding(id: str, *frames: dict[str, str]) -> dict[str, object]:
    return {"finding": {"osv": id, "trace": list(frames)}}


def test_a_finding_is_joined_by_any_name_of_the_flaw_in_the_same_module() -> None:
    frame = {"module": LIB, "version": "v1.0.0"}
    (ours, *_) = match(flaws(), [Module(LIB, "v1.0.0")])
    assert parse(stream(finding("CVE-1", frame))).seen(ours) is Seen.REQUIRED
    assert parse(stream(finding("CVE-2", frame))).seen(ours) is Seen.NOTHING
    assert parse(stream(finding("CVE-1", {"module": "example.org/other"}))).seen(ours) is Seen.NOTHING
    replaced = Module("example.org/old", "v1.0.0", replace=Version(LIB, "v1.0.0"))
    (fork, *_) = match(flaws(), [replaced])
    assert parse(stream(finding("CVE-1", {"module": "example.org/old"}))).seen(fork) is Seen.REQUIRED


def test_methods_have_their_type_without_a_star() -> None:
    (one,) = parse(
        stream(finding("GO-1", {"module": "m", "package": "m/p", "function": "F", "receiver": "*T"}))
    ).findings
    assert (one.symbol, one.trace) == ("T.F", ("m/p.T.F",))


def test_messages_that_nobody_knows_are_passed_over() -> None:
    assert parse(stream({"progress": {"message": "x"}}, {"SBOM": {}}, {"new": 1}, [1])).findings == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no version"),
        ("{}", "no version"),
        (stream(version="v2.0.0"), "not known here: v2.0.0"),
        ("=== Symbol Results ===", "something else than messages"),
        (stream() + "{", "something else than messages"),
        (stream(finding("GO-1")), "a finding without a trace"),
    ],
)
def test_what_is_no_run_is_said_in_one_line(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


# ---- running --------------------------------------------------------------------------------------------------


def program(folder: Path, text: str, *, status: int = 0, stderr: str = "") -> str:
    """A stand-in that keeps its arguments and the database that it was given, then says `text`."""
    file = folder / govulncheck.PROGRAM
    (folder / "said").write_text(text)
    file.write_text(
        f"#!{sys.executable}\n"
        "import pathlib, shutil, sys, urllib.parse, urllib.request\n"
        f"here = pathlib.Path({str(folder)!r})\n"
        "place = urllib.request.url2pathname(urllib.parse.urlsplit(sys.argv[sys.argv.index('-db') + 1]).path)\n"
        "shutil.copytree(place, here / 'db')\n"
        "(here / 'words').write_text(' '.join(sys.argv[1:]))\n"
        "(here / 'cwd').write_text(str(pathlib.Path.cwd()))\n"
        "sys.stdout.write((here / 'said').read_text())\n"
        f"sys.stderr.write({stderr!r})\n"
        f"sys.exit({status})\n"
    )
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return str(file)


@pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")
def test_it_is_run_on_our_own_entries_about_the_modules_at_hand(tmp_path: Path) -> None:
    base = flaws().adding(
        [entry("GO-2026-0100", block("stdlib")), entry("GO-2026-0200", block("example.org/x"))]
    )
    project = tmp_path / "project"
    project.mkdir()
    run = govulncheck.run(program(tmp_path, RECORDED), project, base, [LIB], environ={})
    assert len(run.findings) == 8
    assert (tmp_path / "cwd").read_text() == str(project.resolve())
    words = (tmp_path / "words").read_text().split()
    assert words[:3] == ["-format", "json", "-db"]
    assert words[-1] == "./..."
    given = load(tmp_path / "db")
    assert [one.id for one in given] == [
        "GO-2026-0001",
        "GO-2026-0002",
        "GO-2026-0003",
        "GO-2026-0009",
        "GO-2026-0100",
    ]
    assert given.entries(LIB) == base.entries(LIB)


@pytest.mark.skipif(os.name == "nt", reason="a script is no program on Windows")
def test_a_run_that_fails_says_why_in_one_line(tmp_path: Path) -> None:
    broken = program(tmp_path, "", status=1, stderr="\ngovulncheck: loading packages:\nmain.go:1: no\n")
    with pytest.raises(GovulncheckFailed, match=r"failed: govulncheck: loading packages: main\.go:1: no$"):
        govulncheck.run(broken, tmp_path, flaws(), [LIB], environ={})
    with pytest.raises(GovulncheckFailed, match="did not run"):
        govulncheck.run(str(tmp_path / "nowhere"), tmp_path, flaws(), [LIB], environ={})


def test_it_is_found_on_path_and_where_go_install_puts_it(tmp_path: Path) -> None:
    (tmp_path / "go/bin").mkdir(parents=True)
    place = program(tmp_path / "go/bin", "")
    assert govulncheck.find({"HOME": str(tmp_path)}) == place
    assert govulncheck.find({"GOPATH": str(tmp_path / "go")}) == place
    assert govulncheck.find({"GOBIN": str(tmp_path / "go/bin")}) == place
    assert govulncheck.find({"PATH": str(tmp_path / "go/bin")}) == place
    assert govulncheck.find({"HOME": str(tmp_path / "go"), "PATH": "/nonexistent"}) is None


def test_of_a_built_program_nothing_is_said_of_calls() -> None:
    config = {"config": {"protocol_version": "v1.0.0", "scan_mode": "binary"}}
    message = finding("GO-1", {"module": "m", "package": "m/p", "function": "F"})
    (one,) = parse(json.dumps(config) + json.dumps(message)).findings
    assert (one.seen, one.trace) == (Seen.LINKED, ())
