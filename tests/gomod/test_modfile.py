"""go.mod files: what the statements mean, what is wrong with them, and what edits leave behind."""

import random
import re
from pathlib import Path

import pytest

import oracle as oracle_program
from goferry.errors import InvalidInput
from goferry.gomod import modfile, workfile
from goferry.gomod.modfile import File, ModFileError, Require, VersionInterval
from goferry.gomod.module import Version
from oracle import Oracle
from sizes import size

WHOLE = b"""\
// Deprecated: use example.com/n
// instead.
module example.com/m // beside

go 1.24.1

toolchain go1.24.2

godebug panicnil=1

tool example.com/t/cmd/x

ignore ./node_modules

require (
	golang.org/x/net v0.1.0
	"golang.org/x/text" v0.2.0 // indirect
	golang.org/x/mod v0.3.0 // indirect; for tests
)

exclude golang.org/x/net v0.0.1

replace (
	golang.org/x/net v0.1.0 => ../net
	golang.org/x/text => example.com/text v1.0.0
)

// these were bad
retract (
	v1.0.0
	[v1.1.0, v1.2.0] // and these worse
)
"""


def test_every_statement_is_understood() -> None:
    file = modfile.parse("go.mod", WHOLE)
    assert file.module
    assert (file.module.path, file.module.deprecated) == (
        "example.com/m",
        "use example.com/n\ninstead.\nbeside",
    )
    assert file.go
    assert file.toolchain
    assert (file.go.version, file.toolchain.name) == ("1.24.1", "go1.24.2")
    assert [(g.key, g.value) for g in file.godebug] == [("panicnil", "1")]
    assert [t.path for t in file.tool] == ["example.com/t/cmd/x"]
    assert [i.path for i in file.ignore] == ["./node_modules"]
    assert [(str(r.mod), r.indirect) for r in file.require] == [
        ("golang.org/x/net@v0.1.0", False),
        ("golang.org/x/text@v0.2.0", True),
        ("golang.org/x/mod@v0.3.0", True),
    ]
    assert [x.mod for x in file.exclude] == [Version("golang.org/x/net", "v0.0.1")]
    assert [(str(r.old), str(r.new)) for r in file.replace] == [
        ("golang.org/x/net@v0.1.0", "../net"),
        ("golang.org/x/text", "example.com/text@v1.0.0"),
    ]
    assert [(r.interval.low, r.interval.high, r.rationale) for r in file.retract] == [
        ("v1.0.0", "v1.0.0", "these were bad"),
        ("v1.1.0", "v1.2.0", "and these worse"),
    ]
    assert file.format() == WHOLE.replace(b'"golang.org/x/text"', b"golang.org/x/text")


def test_values_are_frozen_and_equal_whatever_their_line() -> None:
    file = modfile.parse("go.mod", WHOLE)
    assert file.require[0] == Require(Version("golang.org/x/net", "v0.1.0"))
    with pytest.raises(AttributeError):
        file.require[0].indirect = True  # type: ignore[misc]


def test_dependencies_are_read_laxly() -> None:
    text = b"module m\ngo 1.99.x\nnew thing\nnewer (\n\tx\n)\nreplace nonsense\nretract [soon\nrequire a.b/c v1.0.0\n"
    file = modfile.parse_lax("go.mod", text)
    assert file.go
    assert (file.go.version, len(file.require), file.replace, file.retract) == ("1.99", 1, [], [])
    with pytest.raises(ModFileError) as caught:
        modfile.parse("go.mod", text)
    assert [problem.position.line for problem in caught.value.problems] == [2, 3, 4, 7, 8]


# Texts: facts from golang/mod modfile/rule.go (BSD-3-Clause).
PROBLEMS = {
    "module a\nmodule b": "go.mod:2: repeated module statement",
    "module": "go.mod:1: usage: module module/path",
    "module 'a'": "go.mod:1: invalid quoted string: unquoted string cannot contain quote",
    'module "\\q"': "go.mod:1: invalid quoted string: invalid syntax",
    "go 1": "go.mod:1: invalid go version '1': must match format 1.23.0",
    "go 1.2 1.3": "go.mod:1: go directive expects exactly one argument",
    "toolchain 1.2": "go.mod:1: invalid toolchain version '1.2': must match format go1.23.0 or default",
    "godebug a": "go.mod:1: usage: godebug key=value",
    "require a.b/c": "go.mod:1: usage: require module/path v1.2.3",
    "require a.b/c master": 'go.mod:1: require a.b/c: version "master" invalid: must be of the form v1.2.3',
    "require a.b/c v2.0.0": 'go.mod:1: require a.b/c: version "v2.0.0" invalid: should be v0 or v1, not v2',
    "require a.b/c/v1 v1.0.0": "go.mod:1: invalid module path",
    "require (\n a.b/c v2.0.0\n)": 'go.mod:2:2: require a.b/c: version "v2.0.0" invalid: should be v0 or v1, not v2',
    "exclude a.b/c v1": None,
    "retract [v1.0.0 v1.1.0]": "go.mod:1: expected ',' after version",
    "retract [v1.0.0,": "go.mod:1: expected version after ','",
    "retract [": "go.mod:1: expected version after '['",
    "retract": "go.mod:1: expected '[' or version",
    "retract [v1.0.0, v1.1.0": "go.mod:1: expected ']' after version",
    "retract v1.0.0 v1.1.0": 'go.mod:1: unexpected token after version: "v1.1.0"',
    "replace a.b/c => d.e/f": "go.mod:1: replacement module without version must be directory path "
    "(rooted or starting with . or ..)",
    "replace a.b/c => d.e/f@v1.0.0": "go.mod:1: replacement module must match format 'path version', "
    "not 'path@version'",
    "replace a.b/c => ./d v1.0.0": 'go.mod:1: replacement module directory path "./d" cannot have version',
    "<<<<<<< HEAD\nmodule a\n=======\nmodule b\n>>>>>>> x": "go.mod:1: unknown directive: <<<<<<<\n"
    "go.mod:3: unknown directive: =======\ngo.mod:4: repeated module statement\ngo.mod:5: unknown directive: >>>>>>>",
    "require x (\n)": "go.mod:1: unknown block type: require x",
    "go (\n1.2\n)": "go.mod:1: unknown block type: go",
}


@pytest.mark.parametrize("text", PROBLEMS)
def test_problems_say_where_and_why(text: str) -> None:
    want = PROBLEMS[text]
    if want is None:
        modfile.parse("go.mod", text.encode())
        return
    with pytest.raises(ModFileError) as caught:
        modfile.parse("go.mod", text.encode())
    assert str(caught.value) == want
    assert caught.value.status == 400


# Vectors: facts from golang/mod modfile/rule_test.go, moduleDeprecatedTests (BSD-3-Clause).
@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("module m", ""),
        ("// Deprecated: blah\nmodule m", "blah"),
        ("// Deprecated: blah\n\nmodule m", ""),
        ("module m // Deprecated: blah", "blah"),
        ("// Deprecated: blah\nmodule (\n\tm\n)", "blah"),
        ("module (\n\t// Deprecated: blah\n\tm\n)", "blah"),
        ("// a\n// Deprecated: blah\nmodule m", ""),
        ("// a\n//\n// Deprecated: blah\nmodule m", "blah"),
        ("// Deprecated: a\n// b\n//\n// c\nmodule m", "a\nb"),
        ("// Deprecated: a\n//\n// Deprecated: b\nmodule m", "a"),
        ("// deprecated: a\nmodule m", ""),
    ],
)
def test_deprecation_is_a_paragraph_of_the_module_comment(text: str, want: str) -> None:
    module = modfile.parse("go.mod", text.encode()).module
    assert module
    assert module.deprecated == want


def test_a_fixer_makes_versions_canonical() -> None:
    known = {"master": "v1.2.3", "v1": "v1.0.0"}

    def fix(path: str, version: str) -> str:
        if version not in known:
            raise InvalidInput("no version {version} of {path}", version=version, path=path)
        return known[version]

    file = modfile.parse("go.mod", b"retract [v1, master]\nrequire a.b/c master\nmodule a.b/d\n", fix)
    assert file.retract[0].interval == VersionInterval("v1.0.0", "v1.2.3")
    assert file.format() == b"retract [v1.0.0, v1.2.3]\n\nrequire a.b/c v1.2.3\n\nmodule a.b/d\n"
    with pytest.raises(ModFileError, match=r"go\.mod:1: no version dev of a\.b/d"):
        modfile.parse("go.mod", b"retract dev\nmodule a.b/d\n", fix)
    with pytest.raises(ModFileError, match="no module directive found"):
        modfile.parse("go.mod", b"retract v1\n", fix)


# Vectors: facts from golang/mod modfile/read_test.go, modulePathTests (BSD-3-Clause).
@pytest.mark.parametrize(
    ("text", "want"),
    [
        ('module "github.com/rsc/vgotest"', "github.com/rsc/vgotest"),
        ("module github.com/rsc/vgotest", "github.com/rsc/vgotest"),
        ("module `github.com/rsc/vgotest`", "github.com/rsc/vgotest"),
        ("// a\nmodule  x // b", "x"),
        ("modulex y\n module\tz\r\n", "z"),
        ("module \nmodule y", "y"),
        ('module "a\\x41"', "aA"),
        ('module "a', ""),
        ("module `a", ""),
        ("module `a\nb`", ""),
        ("require x v1\nbroken (((\nmodule m", "m"),
        ("", ""),
        ("module", ""),
        ("// module m", ""),
    ],
)
def test_module_path_is_found_without_understanding_the_rest(text: str, want: str) -> None:
    assert modfile.module_path(text.encode()) == want


@pytest.mark.parametrize(
    "path", [".", "..", "./a", "../a", "/a", ".\\a", "..\\a", "\\a", "C:", "c:\\x", "z:x"]
)
def test_folders_are_known_on_every_system(path: str) -> None:
    assert modfile.is_directory_path(path)


@pytest.mark.parametrize("path", ["", "a", "...", ".a", "..a/b", "example.com/m", "1:"])
def test_other_replacements_are_modules(path: str) -> None:
    assert not modfile.is_directory_path(path)


# --- edits

SPLIT = b"""module m

require (
	a.b/x v1.0.0 // keep me
	a.b/y v1.0.0
)

require a.b/x v1.1.0 // second
"""


def test_edits_keep_comments_and_blocks() -> None:
    file = modfile.parse("go.mod", SPLIT)
    file.add_require("a.b/x", "v1.9.0")
    file.add_go("1.21")
    file.add_toolchain("go1.22.0")
    file.cleanup()
    assert file.format() == (
        b"module m\n\ngo 1.21\n\ntoolchain go1.22.0\n\n"
        b"require (\n\ta.b/x v1.9.0 // keep me\n\ta.b/y v1.0.0\n)\n"
    )
    file.drop_require("a.b/y")
    file.drop_toolchain()
    file.cleanup()
    assert file.format() == b"module m\n\ngo 1.21\n\nrequire a.b/x v1.9.0 // keep me\n"


def test_direct_and_indirect_requirements_are_parted() -> None:
    file = modfile.parse("go.mod", b"module m\nrequire (\n\ta.b/x v1.0.0\n\ta.b/y v1.0.0 // indirect\n)\n")
    file.set_require_separate_indirect(
        [
            Require(Version("a.b/x", "v1.1.0"), indirect=True),
            Require(Version("a.b/y", "v1.1.0")),
            Require(Version("a.b/a", "v1.0.0")),
            Require(Version("a.b/b", "v1.0.0"), indirect=True),
        ]
    )
    file.cleanup()
    assert file.format() == (
        b"module m\n\nrequire (\n\ta.b/a v1.0.0\n\ta.b/y v1.1.0\n)\n\n"
        b"require (\n\ta.b/b v1.0.0 // indirect\n\ta.b/x v1.1.0 // indirect\n)\n"
    )
    assert modfile.parse("go.mod", file.format()).require == sorted(
        file.require, key=lambda r: (r.indirect, r.mod.path)
    )


def test_two_versions_of_one_path_cant_be_required() -> None:
    wanted = [Require(Version("a.b/x", "v1.0.0")), Require(Version("a.b/x", "v1.1.0"))]
    for edit in (File().set_require, File().set_require_separate_indirect):
        with pytest.raises(InvalidInput, match=r"two versions of a\.b/x"):
            edit(wanted)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("v1.2", "of the form v1.2.3"),
        ("", "of the form"),
        ("v2.0.0", r"\+incompatible \(or module a.b/c/v2\)"),
    ],
)
def test_only_canonical_versions_are_excluded_and_retracted(version: str, why: str) -> None:
    file = modfile.parse("go.mod", b"module a.b/c\n")
    with pytest.raises(InvalidInput, match=why):
        file.add_exclude(Version("a.b/c", version))
    with pytest.raises(InvalidInput, match=why):
        file.add_retract(VersionInterval(version, version))
    with pytest.raises(InvalidInput, match=r"of the form v2\.2\.3"):
        file.add_exclude(Version("a.b/c/v2", "x"))


def test_bad_go_lines_are_not_written() -> None:
    for edit, text in (
        (File().add_go, "1"),
        (File().add_toolchain, "1.2"),
        (workfile.WorkFile().add_go, "x"),
    ):
        with pytest.raises(InvalidInput, match="invalid"):
            edit(text)


def test_an_empty_file_grows() -> None:
    file = File()
    file.add_module("example.com/a b")
    file.add_go("1.21")
    file.add_godebug("a", "1")
    file.add_godebug("a", "2")
    file.add_retract(VersionInterval("v1.0.0", "v1.1.0"), "bad\nworse")
    file.add_comment("// the end")
    assert file.format() == (
        b'module "example.com/a b"\n\ngo 1.21\n\ngodebug a=2\n\n'
        b"// bad\n// worse\nretract [v1.0.0, v1.1.0]\n\n// the end\n"
    )


# --- the real x/mod/modfile


def go_view(file: File | workfile.WorkFile) -> dict[str, object]:
    """As the oracle shows a file."""
    view: dict[str, object] = {
        "Go": file.go.version if file.go else "",
        "Toolchain": file.toolchain.name if file.toolchain else "",
        "Godebug": [[g.key, g.value] for g in file.godebug],
        "Replace": [[go_version(r.old), go_version(r.new)] for r in file.replace],
        "Formatted": file.format().decode("utf-8", "surrogateescape"),
    }
    if isinstance(file, workfile.WorkFile):
        return view | {"Use": [[u.path, u.module_path] for u in file.use]}
    return view | {
        "Module": file.module.path if file.module else "",
        "Deprecated": file.module.deprecated if file.module else "",
        "Require": [go_version(r.mod) | {"Indirect": r.indirect} for r in file.require],
        "Exclude": [go_version(x.mod) for x in file.exclude],
        "Retract": [
            {"Low": r.interval.low, "High": r.interval.high, "Rationale": r.rationale} for r in file.retract
        ],
        "Tool": [t.path for t in file.tool],
        "Ignore": [i.path for i in file.ignore],
    }


def go_version(mod: Version) -> dict[str, object]:
    return {"Path": mod.path} | ({"Version": mod.version} if mod.version else {})


def same(mine: dict[str, object], go: dict[str, object], *, but: tuple[str, ...] = ()) -> None:
    for key in mine.keys() - set(but):
        assert mine[key] == (go.get(key) or type(mine[key])()), key


def corpus() -> list[tuple[str, bytes]]:
    """Every go.mod and go.work of the Go tree, also those inside the go command's test archives."""
    root = oracle_program.go_root()
    if root is None:
        pytest.skip("needs the sources of Go")
    files = [("go.mod", path.read_bytes()) for path in sorted(Path(root, "src").rglob("go.mod"))]
    data = Path(root, "src/cmd/go/testdata")
    for archive in sorted([*data.glob("mod/*.txt"), *data.glob("script/*.txt")]):
        parts = re.split(rb"^-- (.+) --\n", archive.read_bytes(), flags=re.MULTILINE)
        for name, content in zip(parts[1::2], parts[2::2], strict=True):
            if name.endswith((b"go.mod", b".mod")):
                files.append(("go.mod", content))
            elif name.endswith(b"go.work"):
                files.append(("go.work", content))
    return files


PIECES = [
    "//",
    "/*",
    "(",
    ")",
    "[",
    "]",
    ",",
    '"',
    "`",
    "\\",
    "\n",
    "\r\n",
    " ",
    "\t",
    "\ufeff",
    "\0",
    "=>",
    "\n\n\n",
]
PIECES += [
    "// indirect",
    "v1.2.3",
    "v2",
    "require",
    "x",
    '"a\\x41"',
    "// Deprecated: no\n",
    "\xa0",
    "世",
    "=",
]


def damaged(rng: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")[:600]
    for _ in range(rng.randint(1, 4)):
        at, kind = rng.randint(0, len(text)), rng.random()
        if kind < 0.6:
            text = text[:at] + rng.choice(PIECES) + text[at:]
        elif kind < 0.8:
            text = text[:at] + text[at + rng.randint(1, 6) :]
        else:
            start = rng.randint(0, len(text))
            text = text[:at] + text[start : start + rng.randint(1, 40)] + text[at:]
    return text.encode()


PARSERS = {
    "modfile.Parse": modfile.parse,
    "modfile.ParseLax": modfile.parse_lax,
    "modfile.ParseWork": workfile.parse_work,
}


def compare_parsing(oracle: Oracle, cases: list[tuple[str, str, bytes]]) -> int:
    accepted = 0
    answers = oracle.ask_each((parser, name, data, False) for parser, name, data in cases)
    for (parser, name, data), go in zip(cases, answers, strict=True):
        try:
            file = PARSERS[parser](name, data)
        except InvalidInput as error:
            refusal = str(error)
        else:
            refusal = ""
            accepted += 1
        assert refusal == go.error, data
        if not refusal:
            same(go_view(file), go.value)
    return accepted


@pytest.mark.go
def test_go_reads_and_writes_its_own_files_as_we_do(oracle: Oracle) -> None:
    cases = []
    for name, data in corpus():
        parsers = ("modfile.ParseWork",) if name == "go.work" else ("modfile.Parse", "modfile.ParseLax")
        cases += [(parser, name, data) for parser in parsers]
    assert compare_parsing(oracle, cases) > 1000


@pytest.mark.go
def test_go_finds_the_same_faults_in_damaged_files(oracle: Oracle) -> None:
    rng, files = random.Random(3), corpus()
    cases = []
    for _ in range(size(2000, 50000)):
        name, data = rng.choice(files)
        parsers = ["modfile.ParseWork"] if name == "go.work" else ["modfile.Parse", "modfile.ParseLax"]
        cases.append((rng.choice(parsers), name, damaged(rng, data)))
    assert 0 < compare_parsing(oracle, cases) < len(cases)


@pytest.mark.go
def test_go_finds_the_same_module_path_and_quotes_the_same(oracle: Oracle) -> None:
    rng = random.Random(4)
    texts = [damaged(rng, data) for name, data in corpus() for _ in range(2) if name == "go.mod"]
    assert [a.value for a in oracle.ask_each(("modfile.ModulePath", t) for t in texts)] == [
        modfile.module_path(text) for text in texts
    ]
    words = [
        "".join(rng.choices([*PIECES, "a", "'", "\x7f", "\x85", "\u200b", "😀"], k=rng.randint(0, 4)))
        for _ in texts
    ]
    words = [word.replace("\udcff", "") for word in words]
    assert [a.value for a in oracle.ask_each(("modfile.AutoQuote", w) for w in words)] == [
        modfile.auto_quote(word) for word in words
    ]


PATHS = ["a.b/c", "a.b/d", "golang.org/x/net", "example.com/z/v2", "rsc.io/quote"]


def random_edit(rng: random.Random) -> tuple[list[object], object]:
    """An edit as the oracle takes it, and the same for ours."""
    path, other = rng.choice(PATHS), rng.choice(PATHS)
    version = rng.choice(["v2.0.0", "v2.1.0"] if path.endswith("/v2") else ["v1.0.0", "v1.5.2", "v0.1.0"])
    low, high = rng.choice([("v1.0.0", "v1.0.0"), ("v1.0.0", "v1.1.0"), ("v0.9.0", "v1.0.0")])
    interval = {"Low": low, "High": high}
    chosen = rng.sample(PATHS, rng.randint(0, len(PATHS)))
    wanted = [
        Require(Version(p, "v2.3.0" if p.endswith("/v2") else "v1.3.0"), indirect=rng.random() < 0.5)
        for p in chosen
    ]
    go_wanted = [{"Mod": go_version(r.mod), "Indirect": r.indirect} for r in wanted]
    old = Version(path, rng.choice(["", version]))
    new = rng.choice([Version("../x"), Version(other, "v2.0.0" if other.endswith("/v2") else "v1.0.0")])
    replaced = [old.path, old.version, new.path, new.version]
    edits: list[tuple[list[object], object]] = [
        (["AddRequire", path, version], lambda f: f.add_require(path, version)),
        (["DropRequire", path], lambda f: f.drop_require(path)),
        (
            ["AddNewRequire", path, version, True],
            lambda f: f.add_new_require(Version(path, version), indirect=True),
        ),
        (["SetRequire", go_wanted], lambda f: f.set_require(wanted)),
        (["SetRequireSeparateIndirect", go_wanted], lambda f: f.set_require_separate_indirect(wanted)),
        (["AddExclude", path, version], lambda f: f.add_exclude(Version(path, version))),
        (["DropExclude", path, version], lambda f: f.drop_exclude(Version(path, version))),
        (["AddReplace", *replaced], lambda f: f.add_replace(old, new)),
        (["DropReplace", old.path, old.version], lambda f: f.drop_replace(old)),
        (
            ["AddRetract", interval, "why\nnot"],
            lambda f: f.add_retract(VersionInterval(low, high), "why\nnot"),
        ),
        (["DropRetract", interval], lambda f: f.drop_retract(VersionInterval(low, high))),
        (["AddTool", path + "/cmd"], lambda f: f.add_tool(path + "/cmd")),
        (["DropTool", path + "/cmd"], lambda f: f.drop_tool(path + "/cmd")),
        (["AddIgnore", "./x"], lambda f: f.add_ignore("./x")),
        (["DropIgnore", "./x"], lambda f: f.drop_ignore("./x")),
        (["AddGoStmt", "1.21"], lambda f: f.add_go("1.21")),
        (["DropGoStmt"], lambda f: f.drop_go()),
        (["AddToolchainStmt", "go1.22.0"], lambda f: f.add_toolchain("go1.22.0")),
        (["DropToolchainStmt"], lambda f: f.drop_toolchain()),
        (["AddGodebug", "k", "v"], lambda f: f.add_godebug("k", "v")),
        (["DropGodebug", "k"], lambda f: f.drop_godebug("k")),
        (["AddModuleStmt", "m.n/o"], lambda f: f.add_module("m.n/o")),
        (["AddComment", "// said"], lambda f: f.add_comment("// said")),
        (["SortBlocks"], lambda f: f.sort_blocks()),
    ]
    return rng.choice(edits)


@pytest.mark.go
def test_go_edits_files_as_we_do(oracle: Oracle) -> None:
    rng = random.Random(5)
    readable = [data for name, data in corpus() if name == "go.mod" and _is_readable(data)] + [
        WHOLE,
        SPLIT,
    ] * 100
    calls, mine = [], []
    for _ in range(size(1500, 15000)):
        data = rng.choice(readable)
        edits = [random_edit(rng) for _ in range(rng.randint(1, 3))]
        file = modfile.parse("go.mod", data)
        if not _applied(file, edits):
            continue
        file.cleanup()
        mine.append((file, data, [words for words, _ in edits]))
        calls.append(("modfile.Edit", data, [words for words, _ in edits]))
    compared = 0
    for (file, data, edits), go in zip(mine, oracle.ask_each(calls), strict=True):
        names = [words[0] for words in edits]
        if go.error.startswith("panic") or {"AddRetract", "DropRetract"} <= set(names):
            continue  # Go's SetRequire falls over dropped requirements, and its DropRetract misses what was added
        assert go.ok, (go.error, edits)
        assert file.format().decode() == go.value["Formatted"], (data.decode(), edits)
        compared += 1
    assert compared > len(calls) // 2


def _applied(file: File, edits: list[tuple[list[object], object]]) -> bool:
    try:
        for _, edit in edits:
            edit(file)
    except InvalidInput:
        return False
    return True


def _is_readable(data: bytes) -> bool:
    try:
        modfile.parse("go.mod", data)
    except ModFileError:
        return False
    return True
