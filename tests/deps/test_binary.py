"""Build info out of real programs is what `go version -m` prints; from broken ones it is a named refusal."""

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gotestdata
import oracle
from goferry.deps.binary import Binary, read_binary
from goferry.deps.executables import NotGoError, read_build_info
from goferry.errors import InvalidInput
from goferry.gomod.buildinfo import parse_build_info
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version
from sizes import size

PLATFORMS = [
    "linux/amd64",
    "darwin/arm64",
    "windows/amd64",
    "linux/386",
    "linux/s390x",
    "darwin/amd64",
    "windows/386",
]
"""One of each format, and then of each width and byte order."""


def as_go_prints(binary: Binary) -> list[str]:
    """The lines of `go version -m`, apart from settings."""
    info = binary.info
    lines = [f"{binary.file}: {info.go}", f"\tpath\t{info.path}"]
    assert info.main
    for word, built in [("mod", info.main), *(("dep", dep) for dep in info.deps)]:
        start = f"\t{word}\t{built.module.path}\t{built.module.version}"
        lines.append(f"{start}\t{built.sum}" if built.replace is None else start)
        if new := built.replace:
            lines.append(f"\t=>\t{new.module.path}\t{new.module.version}\t{new.sum}")
    return lines


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A program with a dependency, one that is replaced by a module, and one that is replaced by a folder."""
    folder = tmp_path_factory.mktemp("source")
    gotestdata.write_proxy(folder / "proxy")
    (folder / "local").mkdir()
    (folder / "local/go.mod").write_text("module example.org/local\n")
    (folder / "local/local.go").write_text("package local\n")
    (folder / "go.mod").write_text(
        "module example.org/m\n\ngo 1.21\n\n"
        "require (\n\texample.com/deprecated/a v1.0.0\n\texample.com/deprecated/b v1.0.0\n"
        "\texample.org/local v1.0.0\n)\n\n"
        "replace example.com/deprecated/b => example.com/deprecated/b v1.9.0\n\n"
        "replace example.org/local => ./local\n"
    )
    imports = ["example.com/deprecated/a", "example.com/deprecated/b", "example.org/local"]
    lines = "".join(f'import _ "{path}"\n' for path in imports)
    (folder / "main.go").write_text(f"package main\n\n{lines}\nfunc main() {{}}\n")
    return folder


def run(source: Path, *words: str, **env: str) -> str:
    own = gotestdata.go_env((source / "proxy").as_uri(), source / "cache", **env)
    done = subprocess.run(["go", *words], cwd=source, env=own, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.go
@pytest.mark.parametrize("platform", PLATFORMS[: size(3, 7)])
def test_the_modules_are_those_that_go_prints(source: Path, platform: str) -> None:
    program = source / platform.replace("/", "-")
    goos, goarch = platform.split("/")
    run(source, "build", "-ldflags=-s -w", "-o", str(program), GOOS=goos, GOARCH=goarch)
    found = read_binary(program)
    lines = run(source, "version", "-m", str(program)).splitlines()
    assert as_go_prints(found) == [
        line for line in lines if line.strip() and not line.startswith("\tbuild\t")
    ]
    assert found.info.setting("GOOS") == goos
    replaced = {module.path: module.replace for module in found.modules if module.replace}
    b = "example.com/deprecated/b"
    assert replaced == {b: Version(b, "v1.9.0"), "example.org/local": Local("./local", "./local")}
    assert (found.modules[0].path, found.modules[0].version, found.modules[0].main) == (
        "example.org/m",
        "",
        True,
    )
    assert found.info.go == f"go{gotestdata.go_version()}"


@pytest.mark.go
def test_a_program_of_an_older_go_has_pointers_instead(tmp_path: Path) -> None:
    root = oracle.go_root()
    assert root
    samples = root / "src/debug/buildinfo/testdata"
    for name in ("go117", "notgo"):
        (tmp_path / name).write_bytes(base64.b64decode((samples / name / f"{name}.base64").read_bytes()))
    old = read_binary(tmp_path / "go117")
    done = subprocess.run(
        ["go", "version", "-m", tmp_path / "go117"], capture_output=True, text=True, env=oracle.go_env()
    )
    assert as_go_prints(old) == done.stdout.splitlines()
    with pytest.raises(NotGoError, match="notgo: it is not a Go program"):
        read_binary(tmp_path / "notgo")


@pytest.mark.parametrize(
    "content",
    [b"", b"MZ", b"\x7fELF", b"#!/bin/sh\n", b"\xca\xfe\xba\xbe" + bytes(40), b"\xcf\xfa\xed\xfe" * 20],
)
def test_what_is_no_program_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tool").write_bytes(content)
    with pytest.raises(NotGoError, match="tool: "):
        read_binary(tmp_path / "tool")


@given(
    head=st.sampled_from(
        [
            b"\x7fELF\x02\x01",
            b"\x7fELF\x01\x02",
            b"MZ",
            b"\xcf\xfa\xed\xfe",
            b"\xfe\xed\xfa\xce",
            b"\xca\xfe\xba\xbe",
        ]
    ),
    rest=st.binary(max_size=400),
)
def test_no_bytes_whatsoever_break_the_reader(head: bytes, rest: bytes) -> None:
    try:
        read_build_info(head + rest)
    except InvalidInput:
        return


@pytest.mark.parametrize(
    "text",
    [
        "mod\ta\n",
        "dep\ta\tb\tc\td\n",
        "=>\ta\tb\tc\n",
        "mod\ta\tb\n=>\ta\tb\n",
        "build\tx\n",
        'build\t"a\n',
        'build\ta="\n',
    ],
)
def test_build_info_that_go_refuses_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="line"):
        parse_build_info(text)


def test_settings_may_be_quoted() -> None:
    info = parse_build_info('build\t-ldflags="-s -w"\nbuild\t"odd key"=`x y`\n')
    assert info.settings == (("-ldflags", "-s -w"), ("odd key", "x y"))
