"""vendor/modules.txt is read as go reads it: everything go believes, and nothing that it passes over."""

import subprocess
from pathlib import Path

import pytest

from goferry.gomod.module import Version
from goferry.gomod.modulestxt import Entry, parse
from oracle import go_env

TEXT = """\
# example.org/a v1.0.0
## explicit; go 1.17
example.org/a
example.org/a/deep
# example.org/b v1.2.0 => ./b
## explicit
example.org/b
# example.org/c v0.0.0-20240506070809-abcdefabcdef => example.org/fork v1.1.0
## go 1.21; shiny; explicit
example.org/c
# example.org/unused => ../unused
# example.org/other v1.0.0 => example.org/fork v1.1.0
"""


def v(text: str) -> Version:
    path, _, version = text.partition("@")
    return Version(path, version)


def test_every_form_of_a_line_is_read() -> None:
    found = parse(TEXT)
    c = "example.org/c@v0.0.0-20240506070809-abcdefabcdef"
    assert found.entries == (
        Entry(v("example.org/a@v1.0.0"), None, True, "1.17", ("example.org/a", "example.org/a/deep")),
        Entry(v("example.org/b@v1.2.0"), v("./b"), True, "", ("example.org/b",)),
        Entry(v(c), v("example.org/fork@v1.1.0"), True, "1.21", ("example.org/c",), ("shiny",)),
        Entry(v("example.org/unused"), v("../unused")),
        Entry(v("example.org/other@v1.0.0"), v("example.org/fork@v1.1.0")),
    )
    assert [entry.number for entry in found] == [1, 5, 8, 11, 12]
    assert (found.workspace, found.unread) == (False, ())
    assert [str(entry.source) for entry in found] == [
        "example.org/a@v1.0.0",
        "None",
        "example.org/fork@v1.1.0",
        "None",
        "example.org/fork@v1.1.0",
    ]


@pytest.mark.parametrize(
    ("first", "workspace"),
    [
        ("## workspace", True),
        ("## new; workspace\r", True),
        ("# workspace v1.0.0", False),
        ("##workspace", False),
    ],
)
def test_only_the_first_line_marks_a_workspace(first: str, workspace: bool) -> None:
    assert parse(f"{first}\n{TEXT}").workspace is workspace
    assert not parse(f"{TEXT}{first}\n").workspace


def test_a_module_that_comes_twice_is_the_union_of_both() -> None:
    text = (
        "# x.y/a v1.0.0\n## go 1.20\nx.y/a/p\n# x.y/b v1.0.0\n# x.y/a v1.0.0\n## explicit\nx.y/a/p\nx.y/a/q\n"
    )
    assert parse(text).entries == (
        Entry(v("x.y/a@v1.0.0"), None, True, "1.20", ("x.y/a/p", "x.y/a/q")),
        Entry(v("x.y/b@v1.0.0")),
    )


def test_the_later_line_owns_a_package_and_the_highest_version_is_selected() -> None:
    found = parse("# x.y/a v1.10.0\nx.y/a/p\n# x.y/a v1.9.0\nx.y/a/p\nx.y/a/q\n# x.y/c v1.0.0\n")
    assert found.owners == {"x.y/a/p": v("x.y/a@v1.9.0"), "x.y/a/q": v("x.y/a@v1.9.0")}
    assert found.versions() == {"x.y/a": "v1.10.0"}
    assert [entry.module.path for entry in found.providing()] == ["x.y/a", "x.y/a"]
    assert found.of(v("x.y/c@v1.0.0")) == Entry(v("x.y/c@v1.0.0"))
    assert found.of(v("x.y/c@v1.0.1")) is None


@pytest.mark.parametrize(
    ("text", "unread"),
    [
        ("# x.y/a\n# x.y/a branch\nx.y/a\n", (1, 2, 3)),
        ("x.y/a\n# x.y/a v1.0.0 = > ./b\n", (1, 2)),
        ("# x.y/a v1.0.0 => x.y/b v1\n# x.y/a v1.0.0 => x.y/b 1.0.0\n", (2,)),
        ("# x.y/a v1.0.0\nx.y/a two words\n../x\n", (2, 3)),
        ("<<<<<<< HEAD\n# x.y/a v1.0.0\n=======\n>>>>>>> other\n", (1, 3, 4)),
    ],
)
def test_what_means_nothing_is_kept_by_number(text: str, unread: tuple[int, ...]) -> None:
    assert parse(text).unread == unread


def test_carriage_returns_and_blanks_change_nothing() -> None:
    plain = parse(TEXT)
    assert parse(TEXT.replace("\n", "\r\n")).entries == plain.entries
    assert parse(TEXT.replace("\n", "\n\n")).entries == plain.entries
    assert parse("").entries == ()


@pytest.mark.go
def test_the_real_go_believes_the_same(tmp_path: Path) -> None:
    """go names the module and version of each vendored package; a file with odd lines, read by both."""
    text = (
        "# x.y/a v1.2.0 odd\nx.y/a\n# x.y/a\nx.y/a/p\n# x.y/b v1.0.0\n## explicit; odd\nx.y/b\nx.y/b/ two\n"
        "# x.y/c branch\nx.y/c\n# x.y/b v1.0.0\nx.y/b/q\n"
    )
    go_mod = "module example.org/m\n\ngo 1.16\n\nrequire x.y/b v1.0.0\n"
    packages = ["x.y/a", "x.y/a/p", "x.y/b", "x.y/b/q", "x.y/c"]
    for name, content in {
        "go.mod": go_mod,
        "m.go": "package m\n" + "".join(f'import _ "{package}"\n' for package in packages),
        "vendor/modules.txt": text,
        **{f"vendor/{package}/p.go": "package p\n" for package in packages},
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    form = "{{.ImportPath}} {{with .Module}}{{.Path}}@{{.Version}}{{end}}"
    done = subprocess.run(
        ["go", "list", "-e", "-f", form, *packages],
        cwd=tmp_path,
        env=go_env(),
        capture_output=True,
        text=True,
    )
    said = dict(line.split(" ", 1) for line in done.stdout.splitlines())
    owners = {package: str(module) for package, module in parse(text).owners.items()}
    assert {package: owners.get(package, "") for package in packages} == said, done.stderr
