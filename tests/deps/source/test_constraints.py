"""Which files a build takes in; the real go says so for all of its own library."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import oracle
from goferry.deps.source.constraints import Build, fits_head, fits_name, is_built
from goferry.gomod.goconstraint import BadConstraint, evaluate
from goferry.gomod.gosource import Head, sound_head
from sizes import size

LINUX = Build("linux", "amd64", cgo=False, release=26)
ANY = Build()


@pytest.mark.parametrize(
    ("expression", "linux", "somewhere"),
    [
        ("linux", True, None),
        ("!linux", False, None),
        ("windows", False, None),
        ("linux && !amd64", False, None),
        ("(linux || darwin) && amd64", True, None),
        ("linux&&amd64||windows", True, None),
        ("unix", True, None),
        ("ignore", False, False),
        ("!ignore", True, True),
        ("ignore || linux", True, None),
        ("ignore && linux", False, False),
        ("tools", False, False),
        ("cgo", False, None),
        ("!cgo", True, None),
        ("go1.26", True, None),
        ("go1.27", False, None),
        ("gc && !gccgo", True, None),
        ("amd64.v1", True, None),
        ("amd64.v3", False, None),
        ("race", False, None),
        ("linux // with words", True, None),
    ],
)
def test_expressions_have_three_values(expression: str, linux: bool | None, somewhere: bool | None) -> None:
    assert evaluate(expression, LINUX.tag) is linux
    assert evaluate(expression, ANY.tag) is somewhere


@pytest.mark.parametrize(
    "text", ["", "a b", "(a", "a)", "a &&", "&& a", "!", "a | b", "a,b", "()", "-", "!!a"]
)
def test_what_is_no_expression_builds_nothing(text: str) -> None:
    with pytest.raises(BadConstraint):
        evaluate(text, ANY.tag)
    assert not text or not fits_head(ANY, Head("p", (), go_build=text))


@pytest.mark.parametrize(
    ("name", "linux", "somewhere"),
    [
        ("a.go", True, True),
        ("a_test.go", False, False),
        ("_a.go", False, False),
        (".a.go", False, False),
        ("a.c", False, False),
        ("a_linux.go", True, True),
        ("a_windows.go", False, True),
        ("linux.go", True, True),
        ("windows.go", True, True),
        ("a_windows_amd64.go", False, True),
        ("a_linux_arm64.go", False, True),
        ("a_linux_test.go", False, False),
        ("a_linux.pb.go", True, True),
        ("a_windows.pb.go", False, True),
        ("a_windows_x.go", True, True),
        ("a_unix.go", True, True),
    ],
)
def test_names_of_files(name: str, linux: bool, somewhere: bool) -> None:
    assert (fits_name(LINUX, name), fits_name(ANY, name)) == (linux, somewhere)


def test_systems_that_are_also_others_and_tags_that_are_named() -> None:
    android = Build("android", "arm64")
    assert android.tag("linux") is True
    assert Build("linux", "arm64").tag("android") is False
    assert Build(tags=frozenset({"netgo"})).tag("netgo") is True
    assert not is_built(ANY, "a.go", Head("documentation", ()))


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        (("linux windows",), True),
        (("windows",), False),
        (("linux", "amd64"), True),
        (("linux", "!amd64"), False),
        (("linux,!amd64 ignore",), False),
    ],
)
def test_the_older_form(lines: tuple[str, ...], wanted: bool) -> None:
    assert fits_head(LINUX, Head("p", (), plus_build=lines)) is wanted
    assert fits_head(LINUX, Head("p", (), go_build="windows", plus_build=lines)) is False


def stream(text: str) -> Iterator[dict[str, Any]]:
    """The JSON values that go list prints one after the other."""
    decoder, at = json.JSONDecoder(), 0
    while (at := next((i for i in range(at, len(text)) if not text[i].isspace()), len(text))) < len(text):
        value, at = decoder.raw_decode(text, at)
        yield value


SYSTEMS = [
    ("linux", "amd64", "0"),
    ("linux", "arm64", "1"),
    ("windows", "amd64", "0"),
    ("darwin", "arm64", "1"),
    ("js", "wasm", "0"),
]


def plain(imported: str) -> str:
    """An import as the file has it: without the vendor folder, and without a note on profiles."""
    return imported.partition(" ")[0].removeprefix("cmd/").removeprefix("vendor/")


@pytest.mark.go
@pytest.mark.parametrize(("goos", "goarch", "cgo"), SYSTEMS[: size(2, 5)])
def test_go_builds_the_same_files_of_its_own_library_and_sees_the_same_imports(
    goos: str, goarch: str, cgo: str
) -> None:
    root = oracle.go_root()
    if root is None:
        pytest.skip("needs Go with the sources of its go command")
    environ = oracle.go_env(GOOS=goos, GOARCH=goarch, CGO_ENABLED=cgo)
    words = [
        "go",
        "list",
        "-e",
        "-json=ImportPath,Dir,GoFiles,CgoFiles,Imports",
        *size(["std"], ["std", "cmd"]),
    ]
    done = subprocess.run(words, cwd=root / "src", env=environ, capture_output=True, text=True, check=True)
    go = subprocess.run(
        ["go", "env", "GOVERSION"], env=environ, capture_output=True, text=True, check=True
    ).stdout
    build = Build(goos, goarch, cgo == "1", int(go.split(".")[1].split("rc")[0]))
    compared = 0
    for package in stream(done.stdout):
        folder = Path(package["Dir"])
        heads = {
            name: sound_head(name, (folder / name).read_bytes())
            for name in sorted(os.listdir(folder))
            if fits_name(build, name)
        }
        built = {name: one for name, one in heads.items() if is_built(build, name, one)}
        theirs = {*package.get("GoFiles", ()), *package.get("CgoFiles", ())}
        # Experiments depend on how Go itself was built: both sides of such a choice count here.
        more = set(built) - theirs
        assert theirs <= set(built), package["ImportPath"]
        assert all("goexperiment." in built[name].go_build for name in more), (package["ImportPath"], more)
        ours = {one.path for name in theirs for one in built[name].imports}
        said = {
            one.partition(" ")[0].removeprefix("vendor/").removeprefix("cmd/vendor/")
            for one in package.get("Imports", ())
        }
        assert ours == said, package["ImportPath"]
        compared += 1
    assert compared > 250
