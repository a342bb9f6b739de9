"""`goferry cache`: what is in a store, whether it is well, and what may go."""

import json
import re
from pathlib import Path

import pytest

from goferry.cli.cache import human_size, parse_version
from goferry.errors import InvalidInput
from goferry.findings import Report
from goferry.gomod.module import Version
from modtree import module as tree_of
from terminal import Said, goferry

A, B = "example.org/a", "example.org/b"


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store with example.org/a v1.0.0 and example.org/b v1.0.0, v1.1.0, filled by `goferry warm`."""
    tree = tree_of(A, "v1.0.0") | tree_of(B, "v1.0.0", "v1.1.0")
    for key, body in tree.items():
        file = tmp_path / "upstream" / key
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
    versions = [(A, "v1.0.0"), (B, "v1.0.0"), (B, "v1.1.0")]
    sums = [f"{path} {v}{kind} h1:{'A' * 43}=" for path, v in versions for kind in ("", "/go.mod")]
    (tmp_path / "go.sum").write_text("\n".join(sums) + "\n")
    said = goferry(
        "warm", "go.sum", "--upstream", f"file://{tmp_path}/upstream", "--sumdb", "off",
        "--store", str(tmp_path / "store"),
        cwd=tmp_path,
    )  # fmt: skip
    assert said.code == 0, said.err
    return tmp_path / "store"


def cache(store: Path, *arguments: str) -> Said:
    return goferry("cache", *arguments, environ={"GOFERRY_STORE": str(store)})


def test_list_shows_modules_with_their_versions(store: Path) -> None:
    rows = [line.split() for line in cache(store, "list").out.splitlines()]
    assert [row[:2] for row in rows[:2]] == [[A, "v1.0.0"], [B, "v1.1.0"]]
    assert rows[1][2] == "(+1)"
    assert rows[2][:4] == ["2", "modules,", "3", "versions,"]


def test_list_takes_patterns_and_speaks_json(store: Path) -> None:
    found = cache(store, "list", "--json", "example.org/b").json
    (row,) = found["modules"]
    assert (row["path"], row["versions"]) == (B, ["v1.0.0", "v1.1.0"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["used"])
    assert found["store"]["versions"] == 3


def test_info_tells_where_each_file_came_from(store: Path, tmp_path: Path) -> None:
    found = cache(store, "info", "--json", f"{A}@v1.0.0").json
    assert (found["path"], found["version"], found["pinned"]) == (A, "v1.0.0", False)
    sources = {Path(file["key"]).suffix: file["source"] for file in found["files"]}
    assert sources[".zip"] == f"file://{tmp_path}/upstream"
    said = cache(store, "info", f"{A}@v1.0.0").out
    assert f"{A}/@v/v1.0.0.zip" in said
    assert f"from: file://{tmp_path}/upstream" in said


@pytest.mark.parametrize("wanted", ["example.org/none@v1.0.0", f"{A}@v1.9.0"])
def test_info_of_what_is_not_there_fails_with_its_name(store: Path, wanted: str) -> None:
    said = cache(store, "info", wanted)
    assert (said.code, said.err) == (1, f"goferry: {wanted} is not in the store\n")


def test_verify_is_quiet_about_a_good_store(store: Path) -> None:
    said = cache(store, "verify")
    assert said.code == 0
    assert "0 errors, 0 warnings" in said.out


def spoil(store: Path) -> Path:
    file = store / B / "@v" / "v1.0.0.zip"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.unlink()
    file.write_bytes(data)
    return file


def test_verify_sets_aside_what_is_damaged_and_fails(store: Path) -> None:
    file = spoil(store)
    said = cache(store, "verify", "--json")
    report = Report.from_json(said.json)
    assert said.code == 1
    assert [(f.code, str(f.location)) for f in report.findings] == [("store-damaged", f"{B}/@v/v1.0.0.zip")]
    assert not file.exists()
    assert cache(store, "verify").code == 0
    assert "1 file is in quarantine" in cache(store, "list").out


def test_verify_keep_leaves_it_in_place(store: Path) -> None:
    file = spoil(store)
    said = cache(store, "verify", "--keep")
    assert said.code == 1
    assert "✗ error" in said.out
    assert file.exists()


def test_json_is_english_in_every_language(store: Path) -> None:
    spoil(store)
    english = cache(store, "verify", "--keep", "--json").out
    assert cache(store, "verify", "--keep", "--json", "--lang", "zh_CN").out == english


def test_gc_needs_a_limit(store: Path) -> None:
    said = cache(store, "gc")
    assert said.code == 2
    assert "--max-size" in said.err


def test_gc_says_first_and_does_then_and_spares_what_is_pinned(store: Path) -> None:
    assert cache(store, "pin", f"{A}@v1.0.0").out == f"{A}@v1.0.0\n"
    dry = cache(store, "gc", "--max-size", "0", "--dry-run", "--json").json
    assert sorted((row["path"], row["version"]) for row in dry["removed"]) == [(B, "v1.0.0"), (B, "v1.1.0")]
    assert dry["dry_run"] is True
    assert cache(store, "list", "--json").json["store"]["versions"] == 3
    said = cache(store, "gc", "--max-size", "0")
    assert said.out.splitlines()[-1].startswith("removed 2 versions (")
    assert [row["path"] for row in cache(store, "list", "--json").json["modules"]] == [A]


def test_gc_takes_its_limits_from_the_settings(store: Path) -> None:
    said = goferry("cache", "gc", "--json", environ={"GOFERRY_STORE": str(store), "GOFERRY_MAX_SIZE": "1GB"})
    assert said.json["removed"] == []


def test_pin_and_unpin_keep_a_list(store: Path) -> None:
    cache(store, "pin", B, f"{A}@v1.0.0")
    assert cache(store, "pin", "--json").json == {"pins": [f"{A}@v1.0.0", B]}
    assert cache(store, "unpin", B).out == f"{A}@v1.0.0\n"


def test_rm_removes_a_version_or_a_whole_module(store: Path) -> None:
    assert cache(store, "rm", f"{B}@v1.0.0").out.startswith(f"{B}@v1.0.0")
    assert cache(store, "list", "--json", B).json["modules"][0]["versions"] == ["v1.1.0"]
    removed = cache(store, "rm", "--json", B).json["removed"]
    assert [(row["version"], row["why"]) for row in removed] == [("v1.1.0", "asked")]
    assert cache(store, "rm", B).code == 1


def test_looking_does_not_make_a_store(tmp_path: Path) -> None:
    said = cache(tmp_path / "none", "list")
    assert said.code == 1
    assert "there is no store at" in said.err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    "text", ["", "a.example.org", "a.example.org@", "@v1.0.0", "a.example.org@1.0", "..@v1.0.0"]
)
def test_a_version_is_named_as_module_at_version(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_version(text)
    assert parse_version("a.example.org", whole=True) == Version("a.example.org")


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (14_500, "14.5 kB"), (123_456, "123 kB"), (10**9, "1.0 GB"),
     (10**13, "10.0 TB")],
)  # fmt: skip
def test_sizes_for_people_have_three_digits(size: int, text: str) -> None:
    assert human_size(size) == text


def test_json_output_is_json(store: Path) -> None:
    for arguments in (["list"], ["info", f"{A}@v1.0.0"], ["verify"], ["gc", "--max-size", "1GB"], ["pin"]):
        json.loads(cache(store, *arguments, "--json").out)
