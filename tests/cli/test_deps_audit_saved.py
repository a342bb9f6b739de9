"""One run, every form: several `--output`, and `deps audit --from` a saved audit."""

import json
from pathlib import Path
from typing import Any

import pytest

from auditworld import World
from terminal import Said, goferry


@pytest.fixture
def world(tmp_path: Path) -> World:
    found = World(tmp_path)
    found.project()
    return found


def show(world: World, *words: str, typed: str | None = None) -> Said:
    return goferry("deps", "audit", *words, cwd=world.folder, typed=typed)


def text_of(world: World, name: str) -> str:
    return (world.folder / name).read_text("utf-8")


def timeless(text: str) -> Any:
    """A BOM without what is of the run."""
    bom = json.loads(text)
    del bom["metadata"]["timestamp"], bom["serialNumber"]
    return bom


FORMS = ("a.json", "a.sarif", "a.cdx.json", "a.html", "a.md", "a.xml", "a.txt")


def test_one_run_writes_every_form_by_its_ending_and_shows_the_table(world: World) -> None:
    said = world.audit("app", *(word for name in FORMS for word in ("-o", name)))
    assert said.code == 1
    assert said.out == text_of(world, "a.txt")
    assert json.loads(text_of(world, "a.json"))["schema"] == "goferry.audit/1"
    assert json.loads(text_of(world, "a.sarif"))["version"] == "2.1.0"
    assert json.loads(text_of(world, "a.cdx.json"))["bomFormat"] == "CycloneDX"
    starts = {"a.html": "<!doctype html>", "a.md": "# Dependency audit", "a.xml": "<?xml"}
    assert all(text_of(world, name).startswith(start) for name, start in starts.items())


def test_a_saved_audit_is_shown_in_every_form_as_the_run_would_have(world: World) -> None:
    for name in FORMS:
        world.audit("app", "-o", name, "-o", "whole.json", "--inventory")
        again = show(world, "--from", "whole.json", "-o", f"again-{name}")
        assert again.code == 1
        then, now = text_of(world, name), text_of(world, f"again-{name}")
        if name == "a.cdx.json":
            assert timeless(now) == timeless(then)
            assert all(one["hashes"] for one in json.loads(now)["components"] if one["type"] == "library")
        else:
            assert now == text_of(world, name)


def test_it_speaks_the_language_of_whoever_looks(world: World) -> None:
    world.project("app", "example.org/missing v1.0.0")
    world.audit("app", "-o", "saved.json", "--lang", "zh_CN")
    data = json.loads(text_of(world, "saved.json"))
    assert data["unproven"][0]["message"]["text"].isascii()
    english, chinese = (
        " ".join(show(world, "--from", "saved.json", "--lang", language).out.split())
        for language in ("en", "zh_CN")
    )
    assert "no file example.org/missing" in english
    assert "example.org/missing" in chinese
    assert "no file" not in chinese


def test_since_and_fail_on_go_with_it(world: World) -> None:
    world.audit("app", "--json", "-o", "old.json")
    world.project("app", "example.org/middle v1.0.0", "example.org/old v1.0.0")
    world.audit("app", "--json", "-o", "new.json")
    said = show(world, "--from", "new.json", "--since", "old.json", "--json", "--fail-on", "info")
    assert [one["kind"] for one in said.json["findings"]] == ["stale"]
    assert said.code == 1
    assert show(world, "--from", "new.json", "--since", "old.json").code == 0
    assert show(world, "--from", "-", "--fail-on", "none", typed=text_of(world, "new.json")).code == 0


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("--from", "nowhere.json"), "cannot read nowhere.json"),
        (("--from", "app/go.mod"), "app/go.mod is no saved audit"),
        (("--from", "s.json", "app"), "PATH cannot change it"),
        (("--from", "s.json", "--db", "x", "--go", "1.26.1"), "--go, --db cannot change it"),
        (("--from", "s.json", "--format", "cyclonedx"), "s.json does not say what the projects are made of"),
        (("--from", "part.json", "--since", "s.json"), "part.json was made with --since itself"),
        (("-o", "a.doc"), "its ending says no form"),
        (("-o", "a.md", "-o", "b.md", "--format", "markdown"), "is for one --output"),
        (("--repos", "x", "--every", "1d", "--since", "s.json"), "with --every nothing is printed"),
        (("--repos", "x", "-o", "a.cdx.json"), "an SBOM needs PATHs"),
    ],
)
def test_wrong_words_give_one_line(world: World, words: tuple[str, ...], expected: str) -> None:
    world.audit("app", "--json", "-o", "s.json")
    world.audit("app", "--json", "--since", "s.json", "-o", "part.json")
    said = show(world, *words)
    assert said.code == 2
    assert expected in said.err.splitlines()[0]
    assert said.out == ""


@pytest.mark.parametrize("inventories", ['{"a": 1}', '[{"project": "nobody"}]', '[{"project": 7}]'])
def test_a_damaged_inventory_is_one_line(world: World, inventories: str) -> None:
    world.audit("app", "--json", "-o", "s.json")
    text = text_of(world, "s.json").rstrip().removesuffix("}")
    world.put("s.json", f'{text}, "inventories": {inventories}}}')
    said = show(world, "--from", "s.json")
    assert said.code == 2
    assert "s.json is no saved audit" in said.err


def test_who_is_told_is_known_before_anything_is_looked_at(world: World) -> None:
    said = world.audit("app", "--notify")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("goferry: there is nobody to tell")
    assert not (world.folder / "store").exists()
