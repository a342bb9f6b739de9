"""What a module graph starts from, read from go.mod, go.work and go.sum files."""

from pathlib import Path

import pytest

from goferry.deps.sources import Exact, find, local_requirements, read, requirements
from goferry.errors import InvalidInput, NotFound
from goferry.gomod.modgraph import Local, Mains, Requirements, Workspace
from goferry.gomod.module import Version
from modworlds import go_mod, random_world
from sizes import size


def v(text: str) -> Version:
    path, _, version = text.partition("@")
    return Version(path, version)


def req(go: str, *names: str) -> Requirements:
    return Requirements(go, tuple(map(v, names)))


def put(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_go_mod_is_read_with_its_replacements_and_exclusions(tmp_path: Path) -> None:
    put(tmp_path, "go.mod", """module example.org/m
go 1.21
require (
	example.org/a v1.0.0
	example.org/b v1.0.0 // indirect
)
replace example.org/a => example.org/fork v1.1.0
replace example.org/b => ./b
exclude example.org/a v0.9.0
""")  # fmt: skip
    put(tmp_path, "b/go.mod", "module example.org/b\nrequire example.org/c v1.0.0\n")
    mains = read(tmp_path / "go.mod")
    assert isinstance(mains, Mains)
    (main,) = mains.modules
    assert main.requirements == req("1.21", "example.org/a@v1.0.0", "example.org/b@v1.0.0")
    assert (main.path, main.direct, main.toolchain) == ("example.org/m", {v("example.org/a@v1.0.0")}, "")
    assert mains.source(v("example.org/a@v1.0.0")) == v("example.org/fork@v1.1.0")
    local = mains.source(v("example.org/b@v1.0.0"))
    assert isinstance(local, Local)
    assert local_requirements(local) == req("1.16", "example.org/c@v1.0.0")
    with pytest.raises(NotFound, match="none replaces a module"):
        local_requirements(Local(str(tmp_path / "none")))
    assert main.exclude == {v("example.org/a@v0.9.0")}


def test_a_folder_stands_for_its_workspace_or_module_here_or_above(tmp_path: Path) -> None:
    mod = put(tmp_path, "m/go.mod", "module example.org/m\n")
    (tmp_path / "m" / "deep").mkdir()
    assert find(tmp_path / "m" / "deep") == str(mod)
    work = put(tmp_path, "go.work", "go 1.21\nuse ./m\n")
    assert find(tmp_path / "m" / "deep") == str(work)
    mains = read(tmp_path)
    assert isinstance(mains, Mains)
    assert (mains.paths, mains.workspace) == ({"example.org/m"}, Workspace("1.21"))


@pytest.mark.parametrize(
    ("file", "go", "toolchain"), [("", "1.18", ""), ("go 1.23\ntoolchain go1.24.1\n", "1.23", "go1.24.1")]
)
def test_a_go_work_has_go_and_toolchain_lines_of_its_own(
    tmp_path: Path, file: str, go: str, toolchain: str
) -> None:
    assert read(put(tmp_path, "go.work", file)) == Mains((), Workspace(go, toolchain))


@pytest.mark.parametrize("seed", range(size(50, 300)))
def test_files_say_what_was_written_to_them(tmp_path: Path, seed: int) -> None:
    """The same worlds in which the module graph is compared with the real go."""
    world = random_world(seed, tmp_path)
    world.write()
    assert read(world.start) == world.mains
    for version, found in world.published.items():
        assert requirements("go.mod", go_mod(version.path, found).encode()) == found


def test_a_go_sum_names_exactly_its_lines(tmp_path: Path) -> None:
    file = put(
        tmp_path,
        "go.sum",
        "a.example.org v1.0.0 h1:x=\na.example.org v1.0.0/go.mod h1:y=\nb.example.org v1.0.0/go.mod h1:z=\n",
    )
    assert read(file) == Exact(
        (v("a.example.org@v1.0.0"),), (v("a.example.org@v1.0.0"), v("b.example.org@v1.0.0"))
    )


@pytest.mark.parametrize("name", ["main.go", "none/go.mod", "empty"])
def test_what_is_no_module_file_is_refused_with_its_name(tmp_path: Path, name: str) -> None:
    put(tmp_path, "main.go", "package main\n")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=name):
        read(tmp_path / name)


def test_a_byte_order_mark_is_named(tmp_path: Path) -> None:
    file = tmp_path / "go.mod"
    file.write_bytes(b"\xef\xbb\xbfmodule m\n")
    with pytest.raises(InvalidInput, match=r"go\.mod:1: it begins with a byte order mark") as caught:
        read(file)
    assert caught.value.hint == "save it as UTF-8 without one"
