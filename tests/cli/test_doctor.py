"""`goferry doctor` on the command line: exit statuses, forms, saving and judging again, mending and taking back."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from goferry.lab import goproxy as lab
from goferry.lab.goproxy import Fault, LabProxy, Trouble
from modtree import module
from terminal import Said, goferry

MODULE = "example.com/quote"
WANTED = f"{MODULE}@v1.2.3"
TREE = module(MODULE, "v1.2.3")
PASSWORD = "hunter2-Pa5sw0rd"

pytestmark = [
    pytest.mark.go,
    pytest.mark.skipif(shutil.which("go") is None, reason="needs the go command"),
]


def forbidden(path: str, count: int) -> Fault | None:
    return Fault(Trouble.STATUS, 403, "not for you")


@asynccontextmanager
async def two_proxies() -> AsyncIterator[tuple[LabProxy, LabProxy]]:
    """One that refuses everything, and one that has the module."""
    async with lab.running(TREE, forbidden) as bad, lab.running(TREE) as good:
        yield bad, good


async def doctor(
    home: Path, *arguments: str, tty: bool = False, typed: str | None = None, **environ: str
) -> Said:
    """Runs it in an environment with nothing of this machine's settings in it."""
    world: Mapping[str, str] = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": str(home),
        "GOENV": str(home / "goenv"),
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GIT_CONFIG_NOSYSTEM": "1",
        **environ,
    }
    return await asyncio.to_thread(
        goferry, "doctor", *arguments, environ=world, cwd=home, tty=tty, typed=typed
    )


async def test_a_sound_environment_is_green(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        said = await doctor(tmp_path, WANTED, "--json", GOPROXY=proxy.url)
        words = await doctor(tmp_path, WANTED, GOPROXY=proxy.url)
    assert (said.code, said.json["verdict"], said.json["findings"]) == (0, None, [])
    assert words.code == 0
    assert words.out.startswith("✓ sound")


async def test_a_comma_trap_is_named_proven_and_its_fix_tried(tmp_path: Path) -> None:
    async with two_proxies() as (bad, good):
        said = await doctor(tmp_path, WANTED, "--json", GOPROXY=f"{bad.url},{good.url}")
    assert said.code == 1
    assert said.json["verdict"]["cause"] == "goproxy_comma_no_fallback"
    finding = said.json["findings"][0]
    assert (finding["certainty"], finding["proven"], finding["whose"]) == ("certain", True, "you")
    tried = [fix for fix in finding["fixes"] if fix["retested"]]
    assert any(f"{bad.url}|{good.url}" in "".join(fix["commands"]) for fix in tried)


async def test_each_form_is_what_its_readers_expect(tmp_path: Path) -> None:
    environ = {"GOPROXY": "off"}
    sarif = await doctor(tmp_path, WANTED, "--sarif", **environ)
    assert json.loads(sarif.out)["runs"][0]["results"][0]["ruleId"] == "goproxy_off"
    junit = await doctor(tmp_path, WANTED, "--junit", **environ)
    assert ET.fromstring(junit.out)[0].get("failures") == "1"
    page = await doctor(tmp_path, WANTED, "--html", **environ)
    assert "<code>goproxy_off</code>" in page.out
    assert {sarif.code, junit.code, page.code} == {1}


async def test_what_was_saved_is_judged_the_same_without_any_network(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    (tmp_path / ".netrc").write_text(f"machine example.com login jane password {PASSWORD}\n")
    async with two_proxies() as (bad, good):
        environ = {"GOPROXY": f"{bad.url},{good.url}", "ALL_PROXY": f"http://jane:{PASSWORD}@127.0.0.1:9"}
        live = await doctor(tmp_path, WANTED, "--json", "--save", str(bundle), **environ)
    again = await doctor(tmp_path, "--json", "--replay", str(bundle))
    assert again.json["verdict"] == live.json["verdict"]
    assert again.code == live.code == 1
    assert [fix["retested"] for fix in again.json["findings"][0]["fixes"]].count(True) >= 1
    saved = bundle.read_text()
    assert PASSWORD not in saved + live.out + live.err + again.out


async def test_what_changed_since_a_good_run_is_told(tmp_path: Path) -> None:
    file = str(tmp_path / "good.json")
    async with lab.running(TREE) as proxy:
        good = await doctor(tmp_path, WANTED, "--save", file, GOPROXY=proxy.url)
        bad = await doctor(tmp_path, WANTED, "--json", "--compare", file, GOPROXY="off")
    assert (good.code, bad.code) == (0, 1)
    changes = {change["subject"]: change["after"] for change in bad.json["changes"]}
    assert changes["GOPROXY"] == "off"


async def test_fix_writes_gos_own_settings_and_undo_takes_them_back(tmp_path: Path) -> None:
    goenv = tmp_path / "goenv"
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    async with two_proxies() as (bad, good):
        before = f"GOPROXY={bad.url},{good.url}\n"
        goenv.write_text(before)
        fixed = await doctor(tmp_path, WANTED, "--fix", "--yes", **state)
        assert fixed.code == 0, fixed.err
        assert goenv.read_text() != before
        assert (await doctor(tmp_path, WANTED, "--json", **state)).json["verdict"] is None
        undone = await doctor(tmp_path, "--undo", **state)
    assert undone.code == 0
    assert goenv.read_text() == before


# who may be asked (a terminal, what is typed there), whether the change is made, how often somebody is asked
CONSENTS = [
    (False, None, False, 0),
    (False, "y\n", False, 0),  # the question would not be seen
    (True, None, False, 0),
    (True, "n\n", False, 1),
    (True, "", False, 1),
    (True, "y\n", True, 1),
]


@pytest.mark.parametrize(("tty", "typed", "changed", "asked"), CONSENTS)
async def test_fix_changes_nothing_that_nobody_agreed_to(
    tty: bool, typed: str | None, changed: bool, asked: int, tmp_path: Path
) -> None:
    goenv = tmp_path / "goenv"
    async with two_proxies() as (bad, good):
        before = f"GOPROXY={bad.url},{good.url}\n"
        goenv.write_text(before)
        said = await doctor(
            tmp_path,
            WANTED,
            "--fix",
            "--no-public-dns",
            XDG_STATE_HOME=str(tmp_path / "s"),
            tty=tty,
            typed=typed,
        )
    assert (goenv.read_text() != before) is changed
    assert said.code == (0 if changed else 1)
    assert said.err.count("[y/N]") == asked
    assert f"{bad.url}|{good.url}" in said.err  # the diff is shown in any case
    assert ("--yes" in said.err) is (asked == 0)


async def test_watch_tells_each_verdict_that_differs_and_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the looks the settings change: broken, broken still, mended; then somebody presses Ctrl-C."""
    goenv = tmp_path / "goenv"
    pauses: list[int] = []
    async with lab.running(TREE) as proxy:
        goenv.write_text("GOPROXY=off\n")

        def wait(pause: int) -> None:
            pauses.append(pause)
            if len(pauses) == 2:
                goenv.write_text(f"GOPROXY={proxy.url}\n")
            if len(pauses) == 3:
                raise KeyboardInterrupt

        monkeypatch.setattr("goferry.cli.doctor._wait", wait)
        said = await doctor(tmp_path, WANTED, "--watch", "7", "--no-public-dns")
    assert (said.code, pauses) == (130, [7, 7, 7])
    verdicts = [line.split(" ", 1)[1] for line in said.out.splitlines() if not line.startswith(" ")]
    assert ["goproxy_off" in verdict for verdict in verdicts] == [True, False]
    changes = [line for line in said.out.splitlines() if line.startswith("    ")]
    assert any("GOPROXY" in line and proxy.url in line for line in changes)


async def test_a_host_that_was_asked_about_is_looked_at_whatever_go_says(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        up = await doctor(tmp_path, proxy.url, "--json", GOPROXY=proxy.url)
        down = await doctor(tmp_path, "https://127.0.0.1:9/", "--json", GOPROXY=proxy.url)
        unknown = await doctor(tmp_path, "nosuch.invalid", "--json", GOPROXY=proxy.url)
    assert (up.code, up.json["verdict"]) == (0, None)
    assert (down.code, down.json["verdict"]["cause"]) == (1, "direct_host_blocked")
    assert unknown.code in (1, 3)


async def test_names_are_asked_for_over_https_where_and_only_where_it_is_said(tmp_path: Path) -> None:
    async with lab.running(TREE) as server:
        await doctor(tmp_path, "names.invalid", GOPROXY="off")
        assert not server.asked
        await doctor(tmp_path, "names.invalid", "--doh", f"{server.url}/dns-query", GOPROXY="off")
        assert {path.partition("?")[0] for path in server.asked} == {"dns-query"}


async def test_without_go_the_rest_is_looked_at(tmp_path: Path) -> None:
    async with lab.running(TREE) as proxy:
        said = await doctor(tmp_path, WANTED, "--json", GOPROXY=proxy.url, PATH=str(tmp_path))
    assert said.code == 0
    assert "go" in {skipped["what"] for skipped in said.json["skipped"]}


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--json", "--html"), "--json"),
        (("--undo", "--fix"), "--undo"),
        (("--replay", "nothing.json"), "nothing.json"),
        (("--replay", "broken.json"), "broken.json"),
        (("--compare", "nothing.json", WANTED), "nothing.json"),
        (("--watch", "0"), "--watch"),
        (("./somewhere",), "somewhere"),
    ],
)
async def test_bad_usage_is_one_clear_line(arguments: tuple[str, ...], names: str, tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"names": [{"name": 1}]}')
    said = await doctor(tmp_path, *arguments, GOPROXY="off")
    assert said.code == 2
    assert names in said.err.splitlines()[0]
    assert "Traceback" not in said.err
