"""Every malformed file in Go's own tests is refused in one line that names it; none of them ends in a traceback."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import oracle
from goferry.deps.sources import load, read_sum
from goferry.errors import InvalidInput
from goferry.gomod import modulestxt
from gotestdata import script, scripts

BEYOND_SYNTAX = ("no module line", "conflicting", "malformed", "reserved")


def module_files() -> Iterator[tuple[str, bytes]]:
    """go.mod, go.work, go.sum and modules.txt files of all scripts, by a name that says where each one is from."""
    for name in scripts("*"):
        for file, data in script(name).files.items():
            last = file.rpartition("/")[2]
            kinds = {"go.mod", "go.work", "go.sum", "go.work.sum", "modules.txt"}
            kind = next((k for k in kinds if last == k or last.startswith(k) or last.endswith("." + k)), "")
            if kind:
                yield f"{name}:{file}", data


def judged(folder: Path, name: str, data: bytes) -> str:
    """What goferry has against a file; empty for nothing."""
    kind = ".sum" if "sum" in name.rpartition("/")[2] else ".work" if "go.work" in name else ".mod"
    file = folder / f"file{kind}"
    file.write_bytes(data)
    try:
        read_sum(file) if kind == ".sum" else load(file)
    except InvalidInput as refused:
        return str(refused)
    return ""


@pytest.mark.go
def test_files_of_gos_own_scripts_are_read_or_refused_in_one_line(tmp_path: Path) -> None:
    files = dict(module_files())
    assert len(files) > 900
    refused = {}
    for name, data in files.items():
        if name.endswith("modules.txt"):
            modulestxt.parse(data.decode(errors="replace"))
            continue
        said = judged(tmp_path, name, data)
        assert not said or (len(said.splitlines()) == 1 and "file" in said), said
        if said:
            refused[name] = said
    # Those that go itself refuses, and workspaces whose modules are not beside them here.
    expected = [why for name, why in refused.items() if "cannot read" in why]
    assert 30 < len(refused) - len(expected) < 120


@pytest.mark.go
def test_go_mod_files_are_refused_exactly_when_go_refuses_them(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """x/mod's strict reader is the judge of syntax; what is refused beyond that has a reason of its own."""
    judge = oracle.build(tmp_path_factory.getbasetemp())
    files = {name: data for name, data in module_files() if name.endswith("go.mod")}
    answers = judge.ask_all("modfile.Parse", [("go.mod", data, False) for data in files.values()])
    for (name, data), answer in zip(files.items(), answers, strict=True):
        said = judged(tmp_path, name, data)
        if not answer.ok:
            assert said, name
        elif said:
            assert any(word in said for word in ("no module line", "conflicting", "malformed", "reserved")), (
                name,
                said,
            )
