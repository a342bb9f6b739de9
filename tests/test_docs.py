"""The documentation says what the code does: pages are fresh, links lead somewhere, twins have one shape."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from goferry.cli.main import COMMANDS
from goferry.config import SETTINGS
from goferry.server.admin import PAGES as PAGES_OF_THE_SERVER
from goferry.server.metrics import FAMILIES

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TWINS = [(ROOT / "README.md", ROOT / "README.zh.md")] + [
    (page, ROOT / "docs" / "zh" / page.name) for page in sorted(ROOT.glob("docs/en/*.md"))
]
GENERATED = {
    "settings and commands, from the code": ["tools/docs.py", "--check"],
    "figures, from the results": ["-m", "bench", "--docs", "--check"],
}


@pytest.mark.parametrize("pages", GENERATED)
def test_generated_pages_are_what_they_are_made_from(pages: str) -> None:
    done = subprocess.run(
        [sys.executable, *GENERATED[pages]],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


SAID_IN_ENGLISH = {
    "goferry", "goproxy", "athens", "nginx", "go", "python",
    "mod", "deps", "download", "vendor", "list", "serve", "help", "all", "offline", "pass", "c", "m", "u",
    "go.sum", "go.mod", "file", "info", "zip", "h1", "h2", "p99",
    "SHA", "TLS", "HTTP", "B", "KB", "MB", "x",
}  # fmt: skip
"""Names of programs, commands, files, protocols and units: the same in every language."""


def test_what_the_chinese_figures_are_of_is_said_in_chinese() -> None:
    text = (ROOT / "docs" / "zh" / "performance.md").read_text("utf-8")
    tables = text[text.index("<!-- bench: begin -->") : text.index("<!-- bench: end -->")]
    names = [line.split(" | ")[0] for line in tables.splitlines() if line.startswith("| ")]
    assert len(names) > 50
    english = {word for name in names for word in re.findall(r"[A-Za-z][A-Za-z0-9.]*", name)}
    assert english - SAID_IN_ENGLISH == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8"))
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("package", ["upstream", "storage", "proxy", "server"])
def test_the_layout_names_every_module(package: str) -> None:
    text = (ROOT / "docs" / "adr" / "0001-layout.md").read_text("utf-8")
    row = re.search(rf"(?m)^\| `{package}` \|(.*)\|$", text)
    folder = ROOT / "src" / "goferry" / package
    modules = {file.stem for file in folder.glob("*.py")} - {"__init__"}
    modules |= {inner.parent.name for inner in folder.glob("*/__init__.py")}
    assert row is not None
    assert set(re.findall(r"`(\w+)`", row[1])) == modules


def test_every_file_that_the_map_names_exists() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    named = re.findall(r"`((?:cli|server|proxy|upstream|storage|net|gomod|report|lab)/[\w/]+\.py)`", text)
    starts = re.findall(r"(?m)^\| `(\w+)` \|.*\| ([^|]+) \|$", text)
    named += [f"{package}/{file}" for package, files in starts for file in re.findall(r"`(\w+\.py)`", files)]
    assert len(named) > 20
    assert [name for name in named if not (ROOT / "src" / "goferry" / name).is_file()] == []


@pytest.mark.parametrize(("english", "chinese"), TWINS, ids=lambda p: p.name)
def test_every_page_has_a_twin_with_the_same_shape(english: Path, chinese: Path) -> None:
    """Headings, tables, examples and links: what the one tells, the other tells too."""
    assert chinese.is_file()
    assert shape(chinese.read_text("utf-8")) == shape(english.read_text("utf-8"))


def shape(text: str) -> list[str]:
    fenced = re.sub(r"(?ms)^```.*?^```", "```", text)
    return [
        re.match(r"#+|\|(?= ?`)|- |```|$", line)[0]
        for line in fenced.splitlines()
        if re.match(r"#|\| ?`|- |```", line)
    ]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_setting_and_command_is_documented(language: str) -> None:
    settings = (ROOT / "docs" / language / "settings.md").read_text("utf-8")
    commands = (ROOT / "docs" / language / "cli.md").read_text("utf-8")
    assert [s.name for s in SETTINGS if f"| `{s.name}` |" not in settings] == []
    assert [c.name for c in COMMANDS if f"\n## goferry {c.name}\n" not in commands] == []


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_metric_and_every_page_of_the_server_is_documented(language: str) -> None:
    text = (ROOT / "docs" / language / "serve.md").read_text("utf-8")
    assert [family.name for family in FAMILIES if f"| `{family.name}` |" not in text] == []
    labels = {label for family in FAMILIES for label in family.labels}
    assert [label for label in labels if f"`{label}`" not in text] == []
    assert [page for page in PAGES_OF_THE_SERVER if f"| `/{page}` |" not in text] == []


@pytest.mark.parametrize("readme", ["README.md", "README.zh.md"])
def test_the_readme_names_every_command_and_the_two_to_start_with(readme: str) -> None:
    text = (ROOT / readme).read_text("utf-8")
    first_screen = text[: text.index("## ")]
    assert "make serve" in first_screen
    assert "export GOPROXY=http://127.0.0.1:8080" in first_screen
    assert [c.name for c in COMMANDS if f"`goferry {c.name}`" not in text and c.name != "version"] == []


def test_every_make_target_that_is_spoken_of_exists() -> None:
    targets = set(
        re.findall(
            r"(?m)^([a-z0-9-]+):", (ROOT / "Makefile").read_text() + (ROOT / "tools/bench.mk").read_text()
        )
    )
    for page in PAGES:
        said = set(re.findall(r"(?:`|\$ )make ([a-z0-9-]+)", page.read_text("utf-8")))
        assert said - targets == set(), page


def test_requirements_have_hashes_and_no_urls() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        text = file.read_text()
        assert "://" not in text
        pins = [block for block in re.split(r"(?m)^(?=[a-z0-9])", text) if "==" in block]
        assert len(pins) > 10
        assert [block for block in pins if "--hash=sha256:" not in block] == []


@pytest.mark.skipif(
    shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin") is None, reason="no nginx"
)
def test_nginx_takes_the_example(tmp_path: Path) -> None:
    nginx = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
    text = (ROOT / "examples" / "nginx.conf").read_text().replace("/tmp/", f"{tmp_path}/")
    (tmp_path / "nginx.conf").write_text(text)
    done = subprocess.run(
        [nginx, "-t", "-c", tmp_path / "nginx.conf", "-p", tmp_path], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
