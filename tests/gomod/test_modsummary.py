"""The quick readers of go.mod files say what parse_lax and parse say, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gotestdata
from goferry.gomod import gover, modfile
from goferry.gomod.modgraph import Requirements
from goferry.gomod.modsummary import MainSummary, Summary, quick, quick_main, summarize
from goferry.gomod.module import Version

PATHS = [
    "example.org/a",
    "example.org/b/v2",
    "gopkg.in/y.v3",
    "github.com/A/B",
    "a//b",
    "x/v1",
    '"example.org/q"',
    "é",
]
VERSIONS = [
    *("v1.0.0", "v2.0.0", "v3.0.1", "v2.0.0+incompatible", "v1.2", "main", "v1.0.0-01"),
    "v0.0.0-20200101000000-0123456789ab",
]
ENDS = [
    "",
    " ",
    " // indirect",
    "//indirect",
    " // not indirect",
    " // indirect // really",
    "\t// x ( y",
    "// indirect; because",
    " /* no */",
    "\r",
    " )",
    " (",
]
GO = ["1.16", "1.21", "1.21.0", "1.21rc1", "01.2", "1", "1.2.3.4", "v1.20"]
HEADS = [
    *(
        "require (",
        "require(",
        "require ( // indirect",
        "require () (",
        "exclude (",
        "retract (",
        "replace (",
        "tool (",
        "what (",
    ),
]
CLOSES = [")", ")", ")", ") // end", "  )", ""]
ODD = ["", "// alone", "\t", "\t)", "(", "=>", '"a" v1.0.0', "require"]
OTHERS = [
    *("", "// words", "toolchain go1.22.0", "retract [v1.0.0, v1.1.0] // bad", "retract", "replace a => ./b"),
    *("replace a v1 => b v2", "exclude example.org/a v1.0.0", "unknown x", "ignore ./x", "require", "(", ")"),
    *(
        "tool example.org/a/cmd",
        "godebug default=go1.21",
        "toolchain default",
        "toolchain go2",
        "toolchain go1.x",
    ),
    "toolchain go1.21 // indirect",
]


def entries() -> st.SearchStrategy[str]:
    parts = map(st.sampled_from, (["", "\t", "  "], PATHS, VERSIONS, ENDS))
    pair = st.builds("{}{} {}{}".format, *parts)
    return st.one_of(pair, pair, pair, st.sampled_from(ODD))


NEW = ["./b", "../b", "/b", ".", "example.org/f", "f/v2", ".b", "..", "./a@b", "C:/b", "example.org/f/v2"]
OLD_VERSIONS = ["", "v1.0.0 ", "v2.0.0 ", "v1 ", "v2.0.0+incompatible "]


def replacements() -> st.SearchStrategy[str]:
    parts = map(st.sampled_from, (PATHS, OLD_VERSIONS, NEW, ["", *VERSIONS], ENDS))
    return st.builds("{} {}=> {} {}{}".format, *parts)


def blocks() -> st.SearchStrategy[str]:
    lines = st.lists(st.one_of(entries(), replacements()), max_size=4).map("\n".join)
    return st.builds("{}\n{}\n{}".format, st.sampled_from(HEADS), lines, st.sampled_from(CLOSES))


def statements() -> st.SearchStrategy[str]:
    single = st.builds("require {} {}{}".format, *map(st.sampled_from, (PATHS, VERSIONS, ENDS)))
    go = st.builds("go {}{}".format, st.sampled_from(GO), st.sampled_from(ENDS))
    module = st.builds("module {}{}".format, st.sampled_from(PATHS), st.sampled_from(ENDS))
    excluded = st.builds("exclude {} {}{}".format, *map(st.sampled_from, (PATHS, VERSIONS, ENDS)))
    replaced = replacements().map("replace {}".format)
    return st.one_of(single, go, module, st.sampled_from(OTHERS), blocks(), excluded, replaced)


@given(st.lists(statements(), max_size=6), st.sampled_from(["\n", "\r\n"]), st.sampled_from(["", "\n"]))
def test_what_it_says_is_what_the_thorough_reader_says(parts: list[str], newline: str, end: str) -> None:
    data = ("\n".join(parts) + end).replace("\n", newline).encode()
    agrees(data)


@given(
    st.binary(max_size=60),
    st.sampled_from([b"module example.org/a\n", b"require (\n", b"require example.org/a v1.0.0"]),
)
def test_it_says_nothing_of_what_is_no_go_mod(rest: bytes, head: bytes) -> None:
    agrees(head + rest)


def agrees(data: bytes) -> bool:
    """Whether it said something; what it says must be right."""
    if (main := quick_main(data)) is not None:
        assert main == thorough_main(data), data
    said = quick(data)
    if said is not None:
        assert said == thorough(data), data
    return said is not None


def thorough(data: bytes) -> Summary:
    file = modfile.parse_lax("go.mod", data)
    go = file.go.version if file.go else gover.DEFAULT_GO_MOD_VERSION
    path = file.module.path if file.module else ""
    return Summary(path, Requirements(go, tuple(line.mod for line in file.require)))


def thorough_main(data: bytes) -> MainSummary:
    file = modfile.parse("go.mod", data)
    assert file.module
    toolchain = file.toolchain.name if file.toolchain else ""
    direct = frozenset(line.mod for line in file.require if not line.indirect)
    return MainSummary(
        file.module.path,
        thorough(data).requirements,
        toolchain,
        direct,
        tuple((line.old, line.new) for line in file.replace),
        frozenset(line.mod for line in file.exclude),
    )


@pytest.mark.go
def test_files_of_gos_own_tests_are_mostly_quick() -> None:
    mods = [files[".mod"] for files in gotestdata.published().values() if ".mod" in files]
    assert sum(map(agrees, mods)) > 0.8 * len(mods)


def test_files_as_tools_write_them_are_quick() -> None:
    data = (
        b"// Deprecated: use b.\nmodule example.org/a/v2 // here\n\ngo 1.21.3\n\ntoolchain go1.22.1\n\nrequire (\n"
        b"\texample.org/b v1.0.0\n\texample.org/c/v3 v3.1.0-rc.1 // indirect\n\n"
        b"\t// pinned\n\tgopkg.in/d.v2 v2.0.0\n)\n\n"
        b"require example.org/e v9.0.0+incompatible // indirect\n\nexclude example.org/b v0.9.0\n\n"
        b"replace (\n\texample.org/b => ../b\n)\n\nretract [v2.0.0, v2.1.0] // wrong\n"
    )
    found = quick(data)
    assert found == summarize("go.mod", data) == thorough(data)
    assert found
    assert found.module == "example.org/a/v2"
    assert found.requirements.require[1] == Version("example.org/c/v3", "v3.1.0-rc.1")
    assert quick(data.replace(b"\n", b"\r\n")) == found


MAIN = (
    b"module example.org/a // here\n\ngo 1.21.3\n\ntoolchain go1.22.1\n\nrequire (\n"
    b"\texample.org/b v1.0.0 // for b\n\texample.org/c/v3 v3.1.0-rc.1 // indirect\n)\n\n"
    b"require example.org/e v9.0.0+incompatible //indirect\n"
)


@pytest.mark.parametrize(
    "more",
    [
        b"",
        b"require (\n\texample.org/g v1.2.3\n\tgithub.com/H/h-1.2 v0.0.1 // indirect\n)\n",
        b"require (\n\texample.org/g v1.2.3\n\texample.org/g v1.2.3\n\texample.org/g v1.2.4 // indirect\n)\n",
        b"require (\n\texample.org/g v1.2.3\n\tgopkg.in/h.v1 v1.0.0\n)\n",
        b"exclude example.org/b v0.9.0 // bad\nexclude (\n\t// these\n\texample.org/c/v3 v3.0.0\n)\n",
        b"replace example.org/b => ../b\nreplace\texample.org/b v1.0.0 => example.org/f/v4 v4.0.0\n",
        b"replace (\n\texample.org/b v1.0.0 => /b // here\n\n\texample.org/c/v3 => example.org/f v1.0.0\n\ta => .\n)\n",
    ],
)
def test_main_modules_as_tools_write_them_are_quick(more: bytes) -> None:
    found = quick_main(MAIN + more)
    assert found == thorough_main(MAIN + more) == quick_main((MAIN + more).replace(b"\n", b"\r\n"))
    assert found
    assert (found.module, found.toolchain) == ("example.org/a", "go1.22.1")
    assert Version("example.org/b", "v1.0.0") in found.direct
    assert Version("example.org/c/v3", "v3.1.0-rc.1") not in found.direct


@pytest.mark.parametrize(
    "more",
    [
        b"module b\n",
        b"toolchain go1.22.1\n",
        b"exclude example.org/b main\n",
        b"replace example.org/b => c\n",
        b"replace example.org/b v1 => ./c\n",
        b"replace example.org/b => ./c v1.0.0\n",
        b"replace example.org/b/v2 v1.0.0 => ./c\n",
        b"ignore ./x\n",
        b"tool (\n)\n",
        b"retract v1.0.0\n",
        b"require example.org/f v1.0.0 // indirect; for f\n",
    ],
)
def test_a_main_module_that_says_more_needs_the_thorough_reader(more: bytes) -> None:
    assert quick_main(MAIN + more) is None


PLAIN = [
    *(
        "\texample.org/a v1.0.0",
        "\texample.org/b v0.3.10 // indirect",
        "\tgithub.com/A/b1 v1.0.0",
        "\tx v1.2.3",
    ),
    *("\texample.org/v1 v1.0.0", "\tgopkg.in/y.v1 v1.0.0", "\ta//b v1.0.0", "\texample.org/a v1.00.0", ""),
    *(
        "\texample.org/c/v2 v2.0.0",
        "\texample.org/a v2.0.0",
        "\texample.org/a v1.0.0 ",
        "\ta/ v1.0.0",
        "\t/a v1.0.0",
    ),
    *(
        "\texample.org/a  v1.0.0",
        "\texample.org/a v1.0.0 //indirect",
        "\texample.org/a v1.0.0-pre",
        "\t.. v1.0.0",
    ),
]


@given(st.lists(st.sampled_from(PLAIN), max_size=4))
def test_blocks_of_most_lines_are_read_as_others_are(lines: list[str]) -> None:
    agrees("module example.org/m\nrequire (\n{}\n)\n".format("\n".join(lines)).encode())


def test_a_main_module_without_a_name_needs_the_thorough_reader() -> None:
    assert quick_main(b"go 1.21\n") is None


@pytest.mark.parametrize(
    "data", [b"module a\nmodule b\n", b"go 1.20\ngo 1.21\n", b"require (\n", b"require a main\n", b"\xff\n"]
)
def test_what_is_wrong_is_said_by_the_thorough_reader(data: bytes) -> None:
    assert quick(data) is None
