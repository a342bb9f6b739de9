"""The whole gate on loopback: an upstream with Go's test modules, a log with its own key, and what is done to them."""

import datetime
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateworlds import Proxy, go, proxy_in, world
from goferry.deps.advisories.database import shipped
from goferry.deps.advisories.exposure import Evidence, Origin, from_lines
from goferry.deps.base import Project
from goferry.deps.gate.rules import Class, Level, Policy, State, Verdict
from goferry.deps.gate.run import Options, Outcome, gate
from goferry.deps.supply import ProxySupply
from goferry.errors import InvalidInput
from goferry.gomod.goproxy import Kind, request_path
from goferry.gomod.module import Version, match_prefix_patterns
from goferry.gomod.sumdb.memlog import Lie
from modtree import module, module_zip, package
from proxyworld import World, zip_hash
from proxyworld import world as proxy_world
from sizes import size

pytestmark = pytest.mark.go

TODAY = datetime.date(2026, 11, 29)
SAMPLER = Version("rsc.io/sampler", "v1.3.0")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxy_in(tmp_path_factory.mktemp("gate")) as made:
        yield made


@pytest.fixture(scope="module")
def files(proxy: Proxy) -> dict[str, bytes]:
    """The proxy tree in memory."""
    found = (file for file in proxy.folder.rglob("*") if file.is_file())
    return {file.relative_to(proxy.folder).as_posix(): file.read_bytes() for file in found}


@pytest.fixture
def project(tmp_path: Path, proxy: Proxy) -> Path:
    """A tidy module."""
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.net/m\n\ngo 1.22\n\nrequire rsc.io/quote v1.5.2\n")
    (folder / "m.go").write_text('package m\n\nimport _ "rsc.io/quote"\n')
    assert go(proxy, folder, "mod", "tidy").returncode == 0
    return folder


def options(private: str = "", **levels: Level) -> Options:
    return Options(
        Policy(Class.LIBRARY, {"pseudo_version": Level.OFF} | levels),
        lambda path: match_prefix_patterns(private, path),
        "sum.example.org",
        TODAY,
        shipped,
    )


@asynccontextmanager
async def proven(root: Path, files: dict[str, bytes], **settings: Any) -> AsyncIterator[World]:
    async with proxy_world(root, files, **settings) as made:
        yield made


async def gated(made: World, project: Path, private: str = "", **levels: Level) -> Outcome:
    return await gate(project, ProxySupply(made.proxy), options(private, **levels))


def broken(outcome: Outcome) -> set[tuple[str, str, int | None, str]]:
    """Rule, file, line and module of everything that is not just a note."""
    return {
        (one.problem.rule, one.problem.file, one.problem.line, str(one.problem.module))
        for one in outcome.judged
        if one.level is not Level.OFF
    }


async def test_a_tidy_module_passes_and_passes_again_offline(
    tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    async with proven(tmp_path / "store", files) as made:
        first = await gated(made, project)
        assert (first.verdict, broken(first)) == (Verdict.PASSED, set())
        assert first.proven.lines == len((project / "go.sum").read_text().splitlines())
        assert first.proven.equal == {"log": first.proven.lines}
        assert first.proven.head.startswith("go.sum database tree\n")
        offline = await made.another(offline=True, upstream="off")
        again = await gate(project, ProxySupply(offline), options())
    assert (again.verdict, again.proven) == (Verdict.PASSED, first.proven)


async def test_without_a_network_and_a_store_nothing_is_proven(tmp_path: Path, project: Path) -> None:
    async with proven(tmp_path / "store", {}, offline=True) as made:
        outcome = await gated(made, project)
    assert outcome.verdict is Verdict.UNPROVEN
    assert outcome.verdict.exit_code == 3
    assert {one.problem.state for one in outcome.judged if one.level is Level.ON} == {State.UNPROVEN}


async def test_an_upstream_that_is_down_proves_nothing(tmp_path: Path, project: Path) -> None:
    settings = {"upstream": "http://127.0.0.1:9", "attempts": 1}
    async with proven(tmp_path / "store", {}, **settings) as made:
        assert (await gated(made, project)).verdict is Verdict.UNPROVEN


@pytest.mark.parametrize(
    "lie", [Lie.MISSING_LINE, Lie.EXTRA_LINES, Lie.FORGED_RECORD], ids=["4984", "6180", "6179"]
)
async def test_the_bypasses_of_2026_do_not_pass(
    lie: Lie, tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    """The upstream serves other bytes, go.sum was poisoned to fit them, and the log's answers are bent to vouch."""
    text = (project / "go.sum").read_text()
    line = next(n for n, one in enumerate(text.splitlines(), 1) if one.startswith("rsc.io/sampler v1.3.0 "))
    old = text.splitlines()[line - 1].split()[2]
    (project / "go.sum").write_text(text.replace(old, f"h1:{'A' * 43}="))
    async with proven(tmp_path / "store", files) as made:
        made.tree.answers.lie = lie
        outcome = await gated(made, project)
    assert outcome.verdict is Verdict.FAILED
    named = {row for row in broken(outcome) if row[0] in ("sum_unproven", "sum_mismatch")}
    assert any(row[1:] == ("go.sum", line, str(SAMPLER)) for row in named), broken(outcome)


@pytest.mark.parametrize(
    "lie", [Lie.FORK, Lie.WRONG_RECORD, Lie.WRONG_TILE, Lie.SHORT_TILE, Lie.WRONG_KEY, Lie.BAD_SIGNATURE]
)
async def test_a_log_that_lies_vouches_for_nothing(
    lie: Lie, tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    async with proven(tmp_path / "store", files) as made:
        made.tree.log.find(Version("rsc.io/quote", "v1.5.1"))
        await made.proxy.prove(Version("rsc.io/quote", "v1.5.1"))
        made.tree.answers.lie = lie
        outcome = await gated(made, project)
    assert outcome.verdict is not Verdict.PASSED


async def test_an_upstream_that_serves_other_bytes_does_not_pass(
    tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    async with proven(tmp_path / "store", files) as made:
        made.tree.files["rsc.io/sampler/@v/v1.3.0.zip"] = files["rsc.io/sampler/@v/v1.2.1.zip"]
        outcome = await gated(made, project)
    assert outcome.verdict is Verdict.FAILED
    (said,) = [str(one.problem.message) for one in outcome.judged if one.problem.rule == "sum_mismatch"]
    assert said.startswith("what the upstream serves as rsc.io/sampler@v1.3.0 is false: ")


def flipped(text: str, line: int) -> str:
    lines = text.splitlines(keepends=True)
    at = lines[line].index("h1:") + 10
    char = "A" if lines[line][at] != "A" else "B"
    lines[line] = lines[line][:at] + char + lines[line][at + 1 :]
    return "".join(lines)


async def test_a_flipped_line_is_named_by_file_line_and_module(
    tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    text = (project / "go.sum").read_text()
    async with proven(tmp_path / "store", files) as made:
        for number, line in enumerate(text.splitlines()):
            (project / "go.sum").write_text(flipped(text, number))
            outcome = await gated(made, project)
            path, version, _ = line.split()
            module = Version(path, version.removesuffix("/go.mod"))
            assert broken(outcome) == {("sum_mismatch", "go.sum", number + 1, str(module))}
            assert outcome.verdict is Verdict.FAILED


MUTATIONS: dict[str, Callable[[str], str]] = {
    "drop first": lambda text: "".join(text.splitlines(keepends=True)[1:]),
    "drop last": lambda text: "".join(text.splitlines(keepends=True)[:-1]),
    "drop all": lambda text: "",
    "flip": lambda text: flipped(text, 0),
    "duplicate": lambda text: text + text.splitlines(keepends=True)[0],
    "contradict": lambda text: text + flipped(text, 0).splitlines(keepends=True)[0],
    "h2 beside": lambda text: text + text.splitlines(keepends=True)[0].replace("h1:", "h2:"),
    "h2 instead": lambda text: text.replace("h1:", "h2:", 1),
    "two fields": lambda text: text + "rsc.io/quote v1.5.2\n",
    "four fields": lambda text: text + "rsc.io/quote v1.5.2 h1:x more\n",
    "surplus": lambda text: text + "rsc.io/quote v1.5.1 SUM\n",
    "blank lines": lambda text: "\n\n" + text.replace("\n", "\n\n"),
    "conflict markers": lambda text: "<<<<<<< HEAD\n" + text + "=======\n>>>>>>> other\n",
    "carriage returns": lambda text: text.replace("\n", "\r\n"),
    "byte order mark": lambda text: "\ufeff" + text,
}  # fmt: skip
HARMLESS = {"duplicate", "h2 beside", "surplus", "blank lines", "carriage returns"}
STRICTER = {"contradict"}
"""go is content when the first of two hashes fits; which one is right only the log can tell."""


def changed(diff: str, sign: str) -> set[str]:
    return {line[1:].strip() for line in diff.splitlines() if line.startswith(sign) and line[1:3] != sign * 2}


@pytest.mark.parametrize("kind", MUTATIONS)
async def test_go_sum_is_judged_as_go_judges_it(
    kind: str, tmp_path: Path, project: Path, files: dict[str, bytes], proxy: Proxy
) -> None:
    """With an empty cache and without a database of its own, as a fresh machine in CI behind a proxy."""
    text = (project / "go.sum").read_text()
    spare = zip_hash(files["rsc.io/quote/@v/v1.5.1.zip"])
    (project / "go.sum").write_text(MUTATIONS[kind](text).replace("SUM", spare))
    fresh = Proxy(proxy.folder, tmp_path / "cache")
    builds = go(fresh, project, "build", "./...", GOFLAGS="-mod=readonly -modcacherw").returncode == 0
    tidy = go(fresh, project, "mod", "tidy", "-diff")
    before, after = (changed(tidy.stdout, sign) for sign in "-+")
    passes = builds and not after - before
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, project, sum_unproven=Level.OFF)
    assert (outcome.verdict is Verdict.PASSED) == (kind in HARMLESS)
    if kind not in STRICTER:
        assert (outcome.verdict is Verdict.PASSED) == passes, (builds, tidy.stdout, broken(outcome))
    assert all(row[1] == "go.sum" for row in broken(outcome))


async def test_private_modules_are_compared_with_what_the_store_has_seen(
    tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    async with proven(tmp_path / "store", files, private="rsc.io") as made:
        first = await gated(made, project, private="rsc.io")
        assert first.verdict is Verdict.PASSED
        count = (project / "go.sum").read_text().count("rsc.io/")
        assert first.proven.equal["bytes"] == count
        asked = [path for path in made.upstream.asked if "lookup/rsc.io" in path]
        assert asked == []
        again = await gated(made, project, private="rsc.io")
        assert again.proven.equal == {"log": again.proven.lines - count, "store": count}
        text = (project / "go.sum").read_text()
        number = next(
            n for n, one in enumerate(text.splitlines()) if one.startswith("rsc.io/sampler v1.3.0 ")
        )
        (project / "go.sum").write_text(flipped(text, number))
        outcome = await gated(made, project, private="rsc.io")
    assert broken(outcome) == {("sum_mismatch", "go.sum", number + 1, str(SAMPLER))}
    assert "this store first fetched" in str(outcome.judged[0].problem.message)


@pytest.mark.parametrize("seed", range(size(6, 60)))
async def test_tidy_worlds_pass_with_their_vendor_folders(
    seed: int, tmp_path: Path, proxy: Proxy, files: dict[str, bytes]
) -> None:
    folder = tmp_path / "m"
    lines = ("1.13", "1.16", "1.17", "1.22", "1.23", "1.26")
    if not world(seed + 40_000, folder, proxy, (lines[seed % 6],)):
        return
    if go(proxy, folder, "mod", "vendor", GOFLAGS="-modcacherw").returncode:
        return
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, folder, retracted=Level.OFF, deprecated=Level.OFF, recalled=Level.OFF)
    assert broken(outcome) == set(), (folder / "go.mod").read_text()
    assert outcome.verdict is Verdict.PASSED


@pytest.mark.parametrize("line", ["1.13", "1.15", "1.16", "1.17"])
async def test_what_tests_of_dependencies_need_is_not_vendored(line: str, tmp_path: Path) -> None:
    """Below go 1.16 it is part of `all`, which `go mod vendor` takes in the newer sense all the same."""
    files: dict[str, bytes] = {}
    for path, requires in {"example.org/a": "require example.org/t v1.0.0\n", "example.org/t": ""}.items():
        mod = f"module {path}\n\n{requires}".encode()
        test = b'package a\n\nimport _ "example.org/t"\n' if requires else b"package t\n"
        content = {"go.mod": mod, "m.go": package(path), "m_test.go": test}
        files |= module(path, "v1.0.0")
        files[request_path(Kind.MOD, path, "v1.0.0")] = mod
        files[request_path(Kind.ZIP, path, "v1.0.0")] = module_zip(path, "v1.0.0", content)
    for name, data in files.items():
        (tmp_path / "proxy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "proxy" / name).write_bytes(data)
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text(f"module example.net/m\n\ngo {line}\n\nrequire example.org/a v1.0.0\n")
    (folder / "m.go").write_text('package m\n\nimport _ "example.org/a"\n')
    proxy = Proxy(tmp_path / "proxy", tmp_path / "cache")
    for words in (["mod", "tidy"], ["mod", "vendor"]):
        done = go(proxy, folder, *words, GOFLAGS="-modcacherw")
        assert done.returncode == 0, done.stderr
    assert not (folder / "vendor/example.org/t").exists()
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, folder)
    assert broken(outcome) == set()


async def test_a_tampered_vendor_folder_is_named(
    tmp_path: Path, project: Path, proxy: Proxy, files: dict[str, bytes]
) -> None:
    assert go(proxy, project, "mod", "vendor", GOFLAGS="-modcacherw").returncode == 0
    file = project / "vendor/rsc.io/sampler/sampler.go"
    file.write_text(file.read_text() + "\nfunc init() { println(1) }\n")
    assert go(proxy, project, "build", "./...", GOFLAGS="-mod=vendor").returncode == 0
    verified = go(proxy, project, "mod", "verify")
    assert "all modules verified" in verified.stdout
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, project)
    assert broken(outcome) == {("vendor_edited", "vendor/rsc.io/sampler/sampler.go", 1, str(SAMPLER))}


async def test_what_only_the_workspace_provides_does_not_pass(
    tmp_path: Path, project: Path, proxy: Proxy, files: dict[str, bytes]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "go.mod").write_text("module example.net/other\n\ngo 1.22\n")
    (other / "o.go").write_text("package other\n")
    (project / "n.go").write_text('package m\n\nimport _ "example.net/other"\n')
    (tmp_path / "go.work").write_text("go 1.22\n\nuse ./m\nuse ./other\n")
    environ = {"GOWORK": str(tmp_path / "go.work"), "GOFLAGS": "-modcacherw"}
    assert go(proxy, project, "build", "./...", **environ).returncode == 0
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, tmp_path)
    assert broken(outcome) == {("workspace", "m/go.mod", None, "example.net/other")}


async def test_policy_rules_judge_go_mod(tmp_path: Path, proxy: Proxy, files: dict[str, bytes]) -> None:
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text(
        "module example.net/m\n\ngo 1.22\n\n"
        "require example.com/retract v1.0.0-bad\n"
        "require example.com/deprecated/a v1.0.0\n"
        "require golang.org/x/text v0.0.0-20170915032832-14c0d48ead0c\n\n"
        "replace golang.org/x/text => golang.org/x/text v0.3.0\n"
    )  # fmt: skip
    (folder / "m.go").write_text(
        'package m\n\nimport _ "example.com/retract"\nimport _ "example.com/deprecated/a"\n'
        'import _ "golang.org/x/text/language"\n'
    )
    go(proxy, folder, "mod", "tidy")
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, folder, pseudo_version=Level.ON)
    rules = {row[0] for row in broken(outcome)}
    assert {"retracted", "deprecated", "replace", "pseudo_version"} <= rules, broken(outcome)
    modules = {row[0]: row[3] for row in broken(outcome)}
    assert modules["retracted"] == "example.com/retract@v1.0.0-bad"
    assert modules["deprecated"] == "example.com/deprecated/a@v1.0.0"


async def test_a_workspace_is_gated_with_its_vendor_folder(
    tmp_path: Path, project: Path, proxy: Proxy, files: dict[str, bytes]
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "go.mod").write_text("module example.net/other\n\ngo 1.22\n")
    (other / "o.go").write_text("package other\n")
    (tmp_path / "go.work").write_text("go 1.22\n\nuse ./m\nuse ./other\n")
    environ = {"GOWORK": str(tmp_path / "go.work"), "GOFLAGS": "-modcacherw"}
    assert go(proxy, tmp_path, "work", "vendor", **environ).returncode == 0
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, tmp_path)
        assert (outcome.verdict, broken(outcome)) == (Verdict.PASSED, set())
        assert outcome.proven.vendored_files == 5
        assert outcome.proven.modules == ("example.net/m", "example.net/other")
        (tmp_path / "vendor/rsc.io/quote/quote.go").write_text("package quote\n")
        (tmp_path / "go.work.sum").write_text("rsc.io/quote v1.5.1 h1:AAAA=\nrsc.io/quote v1.5.2 h1:AAAA=\n")
        outcome = await gated(made, tmp_path)
    quote = "rsc.io/quote@v1.5.2"
    assert broken(outcome) == {
        ("vendor_edited", "vendor/rsc.io/quote/quote.go", 1, quote),
        ("sum_mismatch", "go.work.sum", 1, "rsc.io/quote@v1.5.1"),
        ("sum_mismatch", "go.work.sum", 2, quote),
        ("sum_malformed", "go.work.sum", 2, quote),
    }
    (edited,) = [one.problem for one in outcome.judged if one.problem.rule == "vendor_edited"]
    assert edited.fix is not None
    assert edited.fix.command == "go work vendor"


async def test_a_vendor_folder_that_go_passes_over_is_no_proof(
    tmp_path: Path, project: Path, proxy: Proxy, files: dict[str, bytes]
) -> None:
    assert go(proxy, project, "mod", "vendor", GOFLAGS="-modcacherw").returncode == 0
    manifest = project / "vendor/modules.txt"
    manifest.write_text("## workspace\n" + manifest.read_text())
    async with proven(tmp_path / "store", files) as made:
        outcome = await gated(made, project)
    assert broken(outcome) == {("vendor_manifest", "vendor", None, "None")}


async def test_a_recalled_version_does_not_pass(
    tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    policy = Policy(Class.SERVICE, {"pseudo_version": Level.OFF}, recalled=frozenset({SAMPLER}))
    wanted = Options(policy, lambda _: False, "sum.example.org", TODAY, shipped)
    async with proven(tmp_path / "store", files) as made:
        outcome = await gate(project, ProxySupply(made.proxy), wanted)
    assert broken(outcome) == {("recalled", "go.mod", None, str(SAMPLER))}


@pytest.mark.parametrize(
    ("lines", "known", "verdict"),
    [
        ("go 1.25.0\n\ntoolchain go1.25.1\n", (), Verdict.FAILED),
        ("go 1.25.0\n", (), Verdict.PASSED),
        ("go 1.25.0\n", (Evidence(Origin.COMMAND, "1.26.8", "go version"),), Verdict.PASSED),
        ("go 1.25.0\n", (Evidence(Origin.COMMAND, "1.26.1", "go version"),), Verdict.FAILED),
    ],
)
async def test_a_flaw_of_the_go_that_builds_does_not_pass(
    lines: str, known: tuple[Evidence, ...], verdict: Verdict, tmp_path: Path, files: dict[str, bytes]
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m/go.mod").write_text(f"module example.net/m\n\n{lines}")
    (tmp_path / "m/m.go").write_text("package m\n")

    def told(project: Project) -> tuple[Evidence, ...]:
        return (*from_lines(project), *known)

    wanted = Options(Policy(), lambda _: False, "sum.example.org", TODAY, shipped, told)
    async with proven(tmp_path / "store", files) as made:
        outcome = await gate(tmp_path / "m", ProxySupply(made.proxy), wanted)
    assert outcome.verdict is verdict
    if verdict is Verdict.FAILED:
        assert {row[0] for row in broken(outcome)} == {"toolchain"}
        assert any("GO-2026-" in str(one.problem.message) for one in outcome.judged)


@pytest.mark.parametrize("damage", ["<<<<<<< HEAD\n", "module\n", "\x00\xff", "require a b c\n"])
async def test_a_go_mod_that_cannot_be_read_is_one_clear_error(
    damage: str, tmp_path: Path, project: Path, files: dict[str, bytes]
) -> None:
    (project / "go.mod").write_text((project / "go.mod").read_text() + damage)
    async with proven(tmp_path / "store", files) as made:
        with pytest.raises(InvalidInput, match=r"go\.mod"):
            await gated(made, project)
