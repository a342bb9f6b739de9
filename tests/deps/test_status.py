"""Retracted, deprecated, updates: as `go list -m -u -retracted` says, over Go's own test modules."""

import json
import random
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import gotestdata
from foldersupply import FolderSupply
from goferry.deps.buildlist import build_list
from goferry.deps.sources import load
from goferry.deps.status import Ask, NextMajor, Question, Status, judge, short_message
from goferry.deps.statuslist import Registry
from goferry.errors import InvalidInput, NotFound, Unavailable
from goferry.gomod import gover, module, pseudo
from goferry.gomod.modgraph import Main, Mains, Requirements
from goferry.gomod.module import Version
from sizes import size

PATH = "example.org/a"
ALONE = Mains((Main("example.org/m", Requirements("1.21")),))
TIME = "2024-05-06T07:08:09Z"


def world(mods: dict[str, str]) -> dict[Question, Any]:
    """Answers about PATH: go.mod files by version."""
    found: dict[Question, Any] = {
        Question(Ask.VERSIONS, Version(PATH, "")): tuple(v for v in mods if not pseudo.is_pseudo_version(v)),
        Question(Ask.LATEST, Version(PATH, "")): NotFound("no @latest"),
    }
    for version, text in mods.items():
        info = json.dumps({"Version": version, "Time": TIME}).encode()
        found[Question(Ask.INFO, Version(PATH, version))] = info
        found[Question(Ask.MOD, Version(PATH, version))] = f"module {PATH}\n{text}".encode()
    return found


def status(version: str, answers: dict[Question, Any], mains: Mains = ALONE, **how: Any) -> Status:
    found = judge(Version(PATH, version), mains, answers, **{"majors": False, **how})
    assert isinstance(found, Status), found
    return found


def test_the_latest_version_says_what_is_retracted_even_of_itself() -> None:
    mods = dict.fromkeys(["v1.0.0", "v1.1.0"], "")
    mods["v1.2.0"] = "retract (\n\tv1.2.0 // only to retract\n\t// Leaks.\n\t[v1.0.0, v1.0.9]\n)\n"
    old = status("v1.0.0", world(mods))
    assert (old.retracted, old.latest, old.update) == (("Leaks.",), "v1.1.0", "v1.1.0")
    time = datetime.fromisoformat(TIME)
    assert status("v1.1.0", world(mods)) == Status(
        Version(PATH, "v1.1.0"), latest="v1.1.0", time=time, latest_time=time
    )
    assert status("v1.2.0", world(mods)).retracted == ("only to retract",)


def test_a_retraction_without_a_reason_has_gos_own_words() -> None:
    assert status("v1.0.0", world({"v1.0.0": "retract v1.0.0\n"})).retracted == (
        "retracted by module author",
    )


def test_a_deprecation_covers_the_whole_module() -> None:
    answers = world({"v1.0.0": "", "v1.1.0": ""})
    answers[Question(Ask.MOD, Version(PATH, "v1.1.0"))] = b"// Deprecated: use b.\nmodule example.org/a\n"
    assert status("v1.0.0", answers).deprecated == "use b."


def test_excluded_versions_are_not_proposed() -> None:
    mains = Mains(
        (Main("example.org/m", Requirements("1.21"), exclude=frozenset({Version(PATH, "v1.2.0")})),)
    )
    found = status("v1.0.0", world(dict.fromkeys(["v1.0.0", "v1.1.0", "v1.2.0"], "")), mains)
    assert (found.latest, found.newer) == ("v1.1.0", ("v1.1.0",))


def test_incompatible_versions_are_passed_over_unless_in_use() -> None:
    mods = {"v1.0.0": "go 1.16\n", "v2.0.0+incompatible": "", "v3.0.0+incompatible": ""}
    assert status("v1.0.0", world(mods)).newer == ()
    assert status("v2.0.0+incompatible", world(mods)).update == "v3.0.0+incompatible"
    without = world({**mods, "v1.0.0": ""})
    assert status("v1.0.0", without).newer == ("v2.0.0+incompatible", "v3.0.0+incompatible")


def test_a_commit_is_not_taken_back_in_time() -> None:
    late = "v1.0.1-0.20250101000000-0123456789ab"
    found = status(late, world({"v1.0.0": "", "v1.1.0": "", late: ""}))
    assert (found.pseudo, found.latest, found.update) == (True, "v1.1.0", "")


def test_higher_major_versions_are_found_over_gaps_and_not_when_retracted() -> None:
    answers = world({"v1.0.0": ""})
    for number in range(2, 12):
        path = f"{PATH}/v{number}"
        answers[Question(Ask.VERSIONS, Version(path, ""))] = NotFound("none")
        if number in (2, 5):
            version = Version(path, f"v{number}.0.0")
            answers[Question(Ask.VERSIONS, Version(path, ""))] = (version.version,)
            answers[Question(Ask.INFO, version)] = b"{}"
            answers[Question(Ask.LATEST, Version(path, ""))] = NotFound("none")
            retract = b"retract v2.0.0\n" if number == 2 else b""
            answers[Question(Ask.MOD, version)] = f"module {path}\n".encode() + retract
    assert status("v1.0.0", answers, majors=True).majors == (NextMajor(f"{PATH}/v5", "v5.0.0"),)


def test_no_answer_is_named_and_unknown_is_not_up_to_date() -> None:
    answers = world({"v1.0.0": ""})
    down = Unavailable("down")
    answers[Question(Ask.VERSIONS, Version(PATH, ""))] = down
    found = status("v1.0.0", answers)
    assert (found.failed, found.listed) == ((down,), False)
    answers[Question(Ask.VERSIONS, Version(PATH, ""))] = NotFound("gone")
    assert (status("v1.0.0", answers).failed, status("v1.0.0", answers).listed) == ((), False)


def test_nothing_is_retracted_where_every_version_is_replaced() -> None:
    fork = {Version(PATH, ""): Version("example.org/fork", "v1.0.0")}
    mains = Mains((Main("example.org/m", Requirements("1.21"), replace=fork),))
    assert status("v1.0.0", world({"v1.0.0": "retract v1.0.0\n"}), mains).retracted == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("  one \nmore", "one"),
        ("x" * 501, "(message omitted: too long)"),
        ("a\x07b", "(message omitted: contains non-printable characters)"),
    ],
)
def test_messages_for_people_are_short_and_printable(text: str, shown: str) -> None:
    assert short_message(text) == shown


async def test_many_projects_ask_each_question_once(tmp_path: Path) -> None:
    place = tmp_path / "proxy/example.org/a/@v"
    place.mkdir(parents=True)
    (place / "list").write_text("v1.0.0\nv1.1.0\n")
    for version in ("v1.0.0", "v1.1.0"):
        (place / f"{version}.mod").write_text(f"module {PATH}\n")
        (place / f"{version}.info").write_text(json.dumps({"Version": version, "Time": TIME}))
    supply = FolderSupply(tmp_path / "proxy")
    registry = Registry(supply)
    asked = [Version(PATH, "v1.0.0"), Version(PATH, "v1.1.0"), Version(PATH, "v1.0.0")]
    first, again = await registry.of(ALONE, asked), await registry.of(ALONE, asked)
    assert first == again
    assert first[asked[0]].update == "v1.1.0"
    assert len(supply.asked) == len(set(supply.asked))


# ---- the real go as the judge


def _random_go_mod(rng: random.Random, versions: list[Version]) -> str:
    chosen = {v.path: v for v in rng.sample(versions, rng.randint(1, 12))}
    lines = ["module example.org/m", f"go {rng.choice(['1.16', '1.17', '1.21', '1.23'])}"]
    lines += [f"require {v.path} {v.version}" for v in chosen.values()]
    for v in chosen.values():
        other = rng.choice(versions)
        if rng.random() < 0.1:
            lines.append(f"exclude {v.path} {rng.choice([w for w in versions if w.path == v.path]).version}")
        elif rng.random() < 0.1:
            old = (
                rng.choice(["", v.version, "v1.99.0"])
                if "/v" not in v.path and "." not in v.path.rpartition("/")[2]
                else ""
            )
            lines.append(f"replace {v.path} {old} => {other.path} {other.version}")
    return "\n".join(lines) + "\n"


def _facts(row: dict[str, Any]) -> dict[str, Any]:
    found = {
        "update": row.get("Update", {}).get("Version", ""),
        "retracted": tuple(row.get("Retracted", ())),
        "deprecated": row.get("Deprecated", ""),
    }
    if "Replace" not in row:
        time = datetime.fromisoformat(row["Time"]).astimezone(UTC)
        found["time"] = time if time.year > 1 else None  # a zero time stands for none
    return found


def replacement(row: dict[str, Any]) -> Version:
    return Version(row["Replace"]["Path"], row["Replace"]["Version"])


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("goproxy")
    gotestdata.write_proxy(folder / "proxy")
    return folder


def usable() -> list[Version]:
    """Versions that can stand in a go.mod."""
    found = []
    for version in gotestdata.published():
        try:
            module.check(version.path, version.version)
        except InvalidInput:
            continue
        if version.path != "golang.org/toolchain":
            found.append(version)
    return found


def go_list(proxy: Path, folder: Path) -> dict[Version, dict[str, Any]] | str:
    """What go says about each version in use and each that replaces one; or why it refuses."""
    done = subprocess.run(
        ["go", "list", "-m", "-u", "-retracted", "-json", "all"],
        cwd=folder,
        env=gotestdata.go_env((proxy / "proxy").as_uri(), proxy / "cache"),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return done.stderr
    rows = json.loads("[" + done.stdout.replace("}\n{", "},\n{") + "]")
    rows += [row["Replace"] for row in rows if "Replace" in row]
    return {Version(row["Path"], row["Version"]): row for row in rows if row.get("Version")}


@pytest.mark.go
@pytest.mark.parametrize("seed", range(size(12, 400)))
async def test_statuses_are_those_of_the_real_go(seed: int, proxy: Path, tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(_random_go_mod(random.Random(seed), usable()))
    supply = FolderSupply(proxy / "proxy")
    mine = await build_list(load(tmp_path), supply)
    wanted = go_list(proxy, tmp_path)
    if isinstance(wanted, str):
        too_new = gover.compare(mine.graph.selected("go"), gotestdata.go_version()) > 0
        assert mine.unread or ("requires go >=" in wanted and too_new), wanted
        return
    assert not mine.unread
    found = await Registry(supply).of_list(mine, majors=False)
    assert set(found) == set(wanted)
    for version, row in wanted.items():
        status = found[version]
        have = {"update": status.update, "retracted": status.retracted, "deprecated": status.deprecated}
        if "Replace" in row:  # go has no time of what is replaced, and repeats the other's retractions
            have["retracted"] = have["retracted"] or found[replacement(row)].retracted
        else:
            have["time"] = status.time
        assert have == _facts(row), (version, row, status.failed)
