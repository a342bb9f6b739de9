"""Vendor folders: what the real go refuses is named, what it made itself is proven, and what it never looks at too."""

import asyncio
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import gotestdata
from foldersupply import FolderSupply
from gateworlds import Proxy, go, proxy_in, world
from goferry.deps.base import Project
from goferry.deps.gate.reading import Files
from goferry.deps.gate.vendor import Disagreement, Inconsistent, disagreements
from goferry.deps.gate.vendored import Compared, Finding, Trouble, compare
from goferry.deps.sources import load
from goferry.deps.trees import FolderTree, Tree
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version
from goferry.gomod.modulestxt import parse
from sizes import size

pytestmark = pytest.mark.go

SCRIPTS = gotestdata.scripts("mod_vendor*", "work_vendor*")
KINDS = {
    "but not marked as explicit": Inconsistent.NOT_EXPLICIT,
    "but vendor/modules.txt indicates": Inconsistent.OTHER_VERSION,
    "but not marked as replaced": Inconsistent.NOT_MARKED_REPLACED,
    "but marked as replaced by": Inconsistent.OTHER_REPLACEMENT,
    "but not explicitly required": Inconsistent.NOT_REQUIRED,
    "but not replaced in": Inconsistent.NOT_REPLACED,
}


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    with proxy_in(tmp_path_factory.mktemp("gate")) as made:
        yield made


def vendor(proxy: Proxy, folder: Path) -> bool:
    """Lets go make the vendor folder."""
    work = (folder / "go.work").is_file()
    return run(proxy, folder, "work" if work else "mod", "vendor").returncode == 0


def run(proxy: Proxy, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    work = folder / "go.work"
    return go(proxy, folder, *words, GOWORK=str(work) if work.is_file() else "off", GOFLAGS="-modcacherw")


def variants(text: str) -> Iterator[str]:
    """The file with one thing wrong, in each place where that can be."""
    lines = text.splitlines(keepends=True)
    for at, line in enumerate(lines):
        yield "".join(lines[:at] + lines[at + 1 :])
        for old, new in (
            (" explicit;", ""),
            ("## explicit\n", ""),
            (" => ", " => ./other#"),
            (" v1.", " v1.9"),
        ):
            changed = line.replace(old, new).split("#.")[0]
            if old in line:
                yield "".join([*lines[:at], changed, *lines[at + 1 :]])


def told(stderr: str) -> set[tuple[str, Inconsistent]] | None:
    """What go named, or None when it did not get so far."""
    if "inconsistent vendoring" not in stderr:
        return None
    found = re.findall(r"^\t([^\s:]+): (is .*)$", stderr, re.MULTILINE)
    return {(module, next(kind for words, kind in KINDS.items() if words in text)) for module, text in found}


def named(found: list[Disagreement]) -> set[tuple[str, Inconsistent]]:
    return {(str(one.module), one.kind) for one in found}


def projects(folder: Path) -> list[Path]:
    return sorted(
        {
            file.parent
            for name in ("go.work", "go.mod")
            for file in folder.rglob(name)
            if "vendor" not in file.parts
        }
    )


@pytest.mark.parametrize("name", SCRIPTS)
def test_modules_txt_is_refused_as_go_refuses_it(name: str, tmp_path: Path, proxy: Proxy) -> None:
    folder = tmp_path / "src"
    script = gotestdata.script(name)
    script.write(folder)
    given = [
        data.decode() for file, data in script.files.items() if "modules" in file and data.startswith(b"#")
    ]
    for place in projects(folder):
        file = place / "vendor" / "modules.txt"
        texts = [file.read_text()] if file.is_file() else []
        if vendor(proxy, place) and file.is_file():
            texts.append(file.read_text())
        file.parent.mkdir(exist_ok=True)
        changed = variants(texts[-1]) if texts else ()
        for text in dict.fromkeys([*texts, *given, *changed]):
            file.write_text(text)
            said = run(proxy, place, "list", "-mod=vendor", "fmt")
            expected = told(said.stderr)
            if expected is None and said.returncode:
                continue  # go stops for something else
            if (place / "go.work").is_file() != parse(text).workspace:
                continue
            try:
                project = load(place, workspace=(place / "go.work").is_file())
            except Exception:  # noqa: BLE001 - go.mod files that are wrong on purpose
                continue
            assert named(disagreements(project, parse(text))) == (expected or set()), (text, said.stderr)


def go_of(project: Project) -> str:
    work = project.mains.workspace
    return work.go if work else project.mains.modules[0].requirements.go


def compared(proxy: Proxy, project: Project) -> Compared:
    file = project.root / "vendor" / "modules.txt"
    modules = parse(file.read_text()) if file.is_file() else parse("")

    async def run() -> Compared:
        with Files(FolderSupply(proxy.folder)) as files:
            wanted = {entry.module: project.mains.source(entry.module) for entry in modules if entry.packages}
            trees = await files.trees(list(wanted.values()))
            found: dict[Version, Tree] = {
                module: tree for module, source in wanted.items() if (tree := trees[source])
            }
            assert len(found) == len(wanted)
            return compare(project.root / "vendor", modules, found, go_of(project))

    return asyncio.run(run())


@pytest.mark.parametrize("seed", range(size(12, 200)))
def test_what_go_vendored_is_proven_to_the_last_file(seed: int, tmp_path: Path, proxy: Proxy) -> None:
    folder = tmp_path / "m"
    lines = ("1.13", "1.16", "1.17", "1.22", "1.23", "1.26")
    if not world(seed + 9000, folder, proxy, lines[seed % 6 :][:1]) or not vendor(proxy, folder):
        return
    project = load(folder, workspace=False)
    modules = folder / "vendor" / "modules.txt"
    assert compared(proxy, project).findings == ()
    if modules.is_file():
        assert disagreements(project, parse(modules.read_text())) == []


@pytest.mark.parametrize("name", [name for name in SCRIPTS if name != "mod_vendor_collision"])
def test_what_go_vendors_in_its_own_scripts_is_proven(name: str, tmp_path: Path, proxy: Proxy) -> None:
    folder = tmp_path / "src"
    gotestdata.script(name).write(folder)
    for place in projects(folder):
        work = (place / "go.work").is_file()
        if vendor(proxy, place):
            found = compared(proxy, load(place, workspace=work))
            assert found.findings == (), place


@pytest.fixture
def tree(tmp_path: Path, proxy: Proxy) -> Path:
    """A module whose vendor folder was made by the real go."""
    folder = tmp_path / "m"
    folder.mkdir()
    (folder / "go.mod").write_text("module example.net/m\n\ngo 1.22\n\nrequire rsc.io/quote v1.5.2\n")
    (folder / "m.go").write_text('package m\n\nimport _ "rsc.io/quote"\n')
    assert go(proxy, folder, "mod", "tidy").returncode == 0
    assert vendor(proxy, folder)
    return folder


SAMPLER = Version("rsc.io/sampler", "v1.3.0")
QUOTE = Version("rsc.io/quote", "v1.5.2")


def tamper(folder: Path, kind: str) -> tuple[Finding, ...]:
    """Changes the vendor folder, and says what must be named."""
    vendor = folder / "vendor"
    file = vendor / "rsc.io/sampler/sampler.go"
    name = "rsc.io/sampler/sampler.go"
    if kind == "edited":
        file.write_text(file.read_text().replace("Hello", "Goodbye"))
        return (Finding(Trouble.EDITED, name, SAMPLER),)
    if kind == "one bit":
        data = bytearray(file.read_bytes())
        data[-2] ^= 1
        file.write_bytes(data)
        return (Finding(Trouble.EDITED, name, SAMPLER),)
    if kind == "extra":
        (file.parent / "init.go").write_text('package sampler\n\nfunc init() { println("hello") }\n')
        return (Finding(Trouble.EXTRA, "rsc.io/sampler/init.go", SAMPLER),)
    if kind == "extra assembly":
        (file.parent / "x.s").write_text("TEXT x(SB),0,$0\n")
        return (Finding(Trouble.EXTRA, "rsc.io/sampler/x.s", SAMPLER),)
    if kind == "unlisted":
        (vendor / "rsc.io/sampler/more").mkdir()
        (vendor / "rsc.io/sampler/more/p.go").write_text("package more\n")
        return (Finding(Trouble.UNLISTED, "rsc.io/sampler/more/p.go", SAMPLER),)
    if kind == "stranger":
        (vendor / "evil.example").mkdir()
        (vendor / "evil.example/p.go").write_text("package evil\n")
        return (Finding(Trouble.UNLISTED, "evil.example/p.go", Version("")),)
    if kind == "deleted":
        file.unlink()
        return (Finding(Trouble.MISSING, name, SAMPLER),)
    if kind == "renamed":
        file.rename(file.with_name("other.go"))
        return (Finding(Trouble.RENAMED, "rsc.io/sampler/other.go", SAMPLER, name),)
    if kind == "link":
        kept = folder / "kept.go"
        file.rename(kept)
        file.symlink_to(kept)
        return (Finding(Trouble.LINK, name, SAMPLER), Finding(Trouble.MISSING, name, SAMPLER))
    if kind == "test":
        (file.parent / "more_test.go").write_text("package sampler\n")
        return (Finding(Trouble.EXTRA, "rsc.io/sampler/more_test.go", SAMPLER),)
    if kind == "go.mod":
        (file.parent / "go.mod").write_text("module rsc.io/sampler\n")
        return (Finding(Trouble.EXTRA, "rsc.io/sampler/go.mod", SAMPLER),)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    [
        "edited",
        "one bit",
        "extra",
        "extra assembly",
        "unlisted",
        "stranger",
        "deleted",
        "renamed",
        "link",
        "test",
        "go.mod",
    ],
)
def test_each_change_is_named_by_file_and_module(kind: str, tree: Path, proxy: Proxy) -> None:
    expected = tamper(tree, kind)
    assert set(compared(proxy, load(tree, workspace=False)).findings) == set(expected)


FILES = {
    "p.go": 'package p\n\nimport _ "embed"\n\n//go:embed page.html\nvar page string\n',
    "page.html": "<p>",
    ".lint.yaml": "a: b\n",
    "LICENSE": "MIT\n",
    "asm/p.go": "package asm\n",
    "asm/p.s": '#include "table.inc"\n',
    "asm/table.inc": "// data\n",
    "asm/.editorconfig": "",
    "cgo/p.go": 'package cgo\n\n// #include <stdint.h>\nimport "C"\n',
    "cgo/table.def": "// data\n",
}


@pytest.mark.parametrize(
    ("file", "trouble"),
    [
        ("p.go", Trouble.MISSING),
        ("page.html", Trouble.MISSING),
        (".lint.yaml", Trouble.IDLE),
        ("LICENSE", Trouble.MISSING),
        ("asm/table.inc", Trouble.MISSING),
        ("asm/.editorconfig", Trouble.IDLE),
        ("cgo/table.def", Trouble.MISSING),
    ],
)
def test_a_missing_file_matters_when_a_build_may_read_it(file: str, trouble: Trouble, tmp_path: Path) -> None:
    """What a .gitignore that came with the module keeps out of a commit is no fault of the committer."""
    for folder in (tmp_path / "source", tmp_path / "vendor/example.org/p"):
        for name, text in FILES.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
    (tmp_path / "vendor/example.org/p" / file).unlink()
    packages = "".join(f"example.org/p{inner}\n" for inner in ("", "/asm", "/cgo"))
    modules = parse(f"# example.org/p v1.0.0\n## explicit; go 1.22\n{packages}")
    version = Version("example.org/p", "v1.0.0")
    found = compare(tmp_path / "vendor", modules, {version: FolderTree(tmp_path / "source")}, "1.22")
    assert found.findings == (Finding(trouble, f"example.org/p/{file}", version),)


def test_older_source_under_the_newer_label_is_named(tree: Path, proxy: Proxy) -> None:
    """Every scanner that reads go.mod or modules.txt believes the label."""
    older = gotestdata.published()[Version("rsc.io/sampler", "v1.2.1")]
    for name in ("sampler.go", "hello.go"):
        (tree / "vendor/rsc.io/sampler" / name).write_bytes(older[name])
    assert run(proxy, tree, "list", "-m", "-mod=vendor", "rsc.io/sampler").stdout.split()[1] == "v1.3.0"
    found = compared(proxy, load(tree, workspace=False)).findings
    assert {(one.trouble, one.file) for one in found} >= {(Trouble.EDITED, "rsc.io/sampler/sampler.go")}
    assert {one.module for one in found} == {SAMPLER}


def test_a_folder_that_replaces_a_module_is_compared_too(tree: Path, proxy: Proxy) -> None:
    quote = tree / "quote"
    quote.mkdir()
    for name, data in gotestdata.published()[QUOTE].items():
        if name not in (".info", ".mod"):
            (quote / name).parent.mkdir(parents=True, exist_ok=True)
            (quote / name).write_bytes(data)
    with (tree / "go.mod").open("a") as file:
        file.write("\nreplace rsc.io/quote => ./quote\n")
    assert vendor(proxy, tree)
    project = load(tree, workspace=False)
    assert isinstance(project.mains.source(QUOTE), Local)
    assert compared(proxy, project).findings == ()
    (tree / "vendor/rsc.io/quote/quote.go").write_text("package quote\n")
    assert compared(proxy, project).findings == (Finding(Trouble.EDITED, "rsc.io/quote/quote.go", QUOTE),)
