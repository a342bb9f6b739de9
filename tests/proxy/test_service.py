"""Store → fetch once → verify → keep → answer, in front of upstreams good and bad."""

import asyncio
import json
from pathlib import Path

import pytest

import modtree
from goferry.errors import (
    GoferryError,
    NotFound,
    Refused,
    Unavailable,
    UpstreamError,
    UpstreamTimeout,
    VerifyError,
)
from goferry.gomod.goproxy import parse_request
from goferry.gomod.module import Version
from goferry.gomod.sumdb.memlog import Lie
from goferry.lab.goproxy import Fault, Trouble
from proxyworld import World, content, world

M = "example.com/m"
LIST = f"{M}/@v/list"
LATEST = f"{M}/@latest"
INFO, MOD, ZIP = (f"{M}/@v/v1.0.0.{suffix}" for suffix in ("info", "mod", "zip"))
BIG = {"data.bin": modtree.noise(300_000)}
FILES = modtree.module(M, "v1.0.0", "v1.1.0", extra=BIG)


def on(path: str, fault: Fault):  # type: ignore[no-untyped-def]
    """The fault for one path only."""
    return lambda asked, count: fault if asked == path else None


@pytest.mark.parametrize("path", [LIST, LATEST, INFO, MOD, ZIP])
async def test_each_kind_is_fetched_once_and_then_served_from_the_store(tmp_path: Path, path: str) -> None:
    async with world(tmp_path, FILES) as w:
        assert await w.body(path) == FILES[path]
        assert await w.body(path) == FILES[path]
        assert content(await (await w.another()).answer(parse_request(path))) == FILES[path]
        assert w.upstream.asked[path] == 1


async def test_certificates_that_cannot_be_read_are_told_to_who_needs_them_and_to_nobody_else(
    tmp_path: Path,
) -> None:
    async with world(tmp_path / "store", FILES, ca_file=tmp_path / "none.pem") as w:
        await w.proxy.idle()
        assert await w.body(MOD) == FILES[MOD]
        secure = await w.another(upstream=w.upstream.url.replace("http:", "https:"), attempts=1)
        with pytest.raises(GoferryError, match=r"none\.pem"):
            await secure.answer(parse_request(ZIP))


@pytest.mark.parametrize("path", [LIST, LATEST, INFO, MOD, ZIP])
async def test_identical_misses_over_two_workers_cause_one_upstream_fetch(tmp_path: Path, path: str) -> None:
    async with world(tmp_path, FILES) as w:
        workers = [w.proxy, await w.another()]
        answers = await asyncio.gather(*(workers[n % 2].answer(parse_request(path)) for n in range(20)))
        assert {content(answer) for answer in answers} == {FILES[path]}
        assert w.upstream.asked[path] == 1


async def test_the_store_is_a_file_proxy_and_holds_no_more_than_was_proven(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        for path in (INFO, MOD, ZIP):
            await w.get(path)
        assert await w.stored() == sorted([INFO, MOD, ZIP, f"{M}/@v/v1.0.0.ziphash"])
        assert (tmp_path / MOD).read_bytes() == FILES[MOD]


# ---- proof --------------------------------------------------------------------------------------------------


async def test_a_zip_that_differs_from_the_database_is_refused_and_quarantined(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        w.tree.files[ZIP] = modtree.module_zip(M, "v1.0.0", {"go.mod": FILES[MOD], "m.go": b"package evil\n"})
        with pytest.raises(VerifyError, match=r"but sum\.example\.org says"):
            await w.get(ZIP)
        assert await w.stored() == []
        assert any(name.startswith(ZIP) for name in w.quarantined())
        assert await w.body(MOD) == FILES[MOD]


async def test_a_go_mod_that_differs_from_the_database_is_refused_and_quarantined(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        w.tree.files[MOD] = b"module example.com/m\n\nrequire evil.example.com/x v1.0.0\n"
        with pytest.raises(VerifyError, match=r"but sum\.example\.org says"):
            await w.get(MOD)
        assert await w.stored() == []
        assert any(name.startswith(MOD) for name in w.quarantined())


async def test_a_body_broken_on_the_way_once_is_fetched_again_before_it_is_called_an_attack(
    tmp_path: Path,
) -> None:
    garbled = FILES[ZIP][:1000] + b"\0\0\0\0" + FILES[ZIP][1004:]
    faults = lambda path, count: Fault(Trouble.REPLACE, body=garbled) if path == ZIP and count == 0 else None  # noqa: E731
    async with world(tmp_path, FILES, faults) as w:
        assert await w.body(ZIP) == FILES[ZIP]
        assert w.quarantined() == []


async def test_good_copies_are_served_whatever_the_upstream_says_later(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        await w.get(ZIP)
        w.tree.files[ZIP] = b"another body"
        assert await w.body(ZIP) == FILES[ZIP]


@pytest.mark.parametrize(
    "lie",
    [lie for lie in Lie if lie not in (Lie.STALE, Lie.NO_PARTIAL_TILE, Lie.FORK, Lie.SHRINK)],
)
async def test_a_database_that_lies_is_seen_through_and_nothing_is_kept(tmp_path: Path, lie: Lie) -> None:
    async with world(tmp_path, FILES) as w:
        w.tree.log.add_text(Version("example.org/other", "v1.0.0"), b"example.org/other v1.0.0 h1:x=\n")
        w.tree.answers.lie = lie
        with pytest.raises((VerifyError, UpstreamError)):
            await w.get(ZIP)
        assert await w.stored() == []


@pytest.mark.parametrize("lie", [Lie.FORK, Lie.SHRINK])
async def test_a_database_that_rewrites_history_is_refused_by_the_remembered_head(
    tmp_path: Path, lie: Lie
) -> None:
    async with world(tmp_path, FILES | modtree.module("example.com/new", "v1.0.0")) as w:
        for path in (MOD, f"{M}/@v/v1.1.0.mod"):
            await w.get(path)
        w.tree.log.add_text(Version("example.org/other", "v1.0.0"), b"example.org/other v1.0.0 h1:x=\n")
        w.tree.answers.lie, w.tree.answers.keep = lie, 0
        later = await w.another()
        with pytest.raises(VerifyError):
            await later.answer(parse_request("example.com/new/@v/v1.0.0.mod"))
        assert content(await later.answer(parse_request(MOD))) == FILES[MOD]


async def test_private_modules_are_served_unproven_and_the_database_never_hears_of_them(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, FILES, private="example.com/*") as w:
        assert await w.body(ZIP) == FILES[ZIP]
        assert await w.body(MOD) == FILES[MOD]
        assert [path for path in w.upstream.asked if "lookup" in path] == []
        with pytest.raises(Refused, match="private here"):
            await w.proxy.sumdb("sum.example.org", f"lookup/{M}@v1.0.0")


async def test_a_module_that_the_database_does_not_know_is_refused_with_the_way_out(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        w.tree.truth.clear()
        with pytest.raises(Refused, match="cannot be proven") as caught:
            await w.get(ZIP)
        assert "`private`" in (caught.value.hint or "")


async def test_with_the_database_off_files_are_kept_by_their_own_checks(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, sumdb="off") as w:
        assert await w.body(ZIP) == FILES[ZIP]
        assert await w.body(MOD) == FILES[MOD]
        await w.proxy.idle()
        assert (tmp_path / f"{M}/@v/v1.0.0.modhash").read_text().startswith("h1:")


# ---- odd and hostile upstreams ------------------------------------------------------------------------------

NOT_A_ZIP = [
    b"",
    b"PK\x05\x06",
    FILES[ZIP][:-10],
    modtree.module_zip(M, "v1.0.1", {"go.mod": FILES[MOD]}),
    modtree.module_zip("example.com/other", "v1.0.0", {"go.mod": FILES[MOD]}),
    modtree.module_zip(M, "v1.0.0", {"go.mod": FILES[MOD], "../../etc/passwd": b"x"}),
    modtree.module_zip(M, "v1.0.0", {"go.mod": FILES[MOD], "A.go": b"x", "a.go": b"x"}),
    modtree.module_zip(M, "v1.0.0", {"go.mod": bytes(17 << 20)}),
]


@pytest.mark.parametrize("body", NOT_A_ZIP, ids=range(len(NOT_A_ZIP)))
async def test_what_is_no_zip_of_this_version_is_never_kept(tmp_path: Path, body: bytes) -> None:
    async with world(tmp_path, FILES, on(ZIP, Fault(Trouble.REPLACE, body=body)), sumdb="off") as w:
        with pytest.raises(VerifyError):
            await w.get(ZIP)
        assert await w.stored() == []


async def test_a_zip_over_the_limit_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, max_zip=100_000) as w:
        with pytest.raises(VerifyError, match="over the limit"):
            await w.get(ZIP)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (INFO, b'{"Version":"v1.0.1"}'),
        (INFO, b"<html>"),
        (MOD, b"<html>"),
        (LATEST, b'{"Version":"main"}'),
        (LIST, b"<!DOCTYPE html>\n<html>"),
    ],
)
async def test_answers_that_break_the_protocol_are_the_upstreams_fault(
    tmp_path: Path, path: str, body: bytes
) -> None:
    async with world(tmp_path, FILES, on(path, Fault(Trouble.REPLACE, body=body)), sumdb="off") as w:
        with pytest.raises(UpstreamError) as caught:
            await w.get(path)
        assert caught.value.status == 502
        assert await w.stored() == []


@pytest.mark.parametrize("path", [LIST, LATEST, INFO, MOD, ZIP])
@pytest.mark.parametrize(
    "fault", [Fault(Trouble.HTML), Fault(Trouble.REDIRECT, text="ftp://elsewhere.example.org/")]
)
async def test_login_pages_and_bad_redirects_are_not_taken_for_answers(
    tmp_path: Path, path: str, fault: Fault
) -> None:
    async with world(tmp_path, FILES, lambda asked, count: None if "sumdb" in asked else fault) as w:
        with pytest.raises(UpstreamError):
            await w.get(path)
        assert await w.stored() == []


async def test_no_request_fails_while_the_upstream_cuts_and_errs(tmp_path: Path) -> None:
    names = [f"example.com/m{n}" for n in range(20)]
    files = {path: body for name in names for path, body in modtree.module(name, "v1.0.0", extra=BIG).items()}
    faults = [Fault(Trouble.CUT), None, Fault(Trouble.STATUS, 502), Fault(Trouble.CUT, share=0.9), None]
    async with world(tmp_path, files, lambda path, count: faults[(len(path) + count) % len(faults)]) as w:
        paths = [path for path in files if not path.endswith("@latest")]
        bodies = await asyncio.gather(*map(w.body, paths))
        assert bodies == [files[path] for path in paths]


async def test_a_403_and_its_text_are_passed_on(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, on(INFO, Fault(Trouble.STATUS, 403, "licence forbids"))) as w:
        with pytest.raises(Refused, match="licence forbids") as caught:
            await w.get(INFO)
        assert caught.value.status == 403


async def test_an_upstream_without_latest_is_made_up_for_from_its_list(tmp_path: Path) -> None:
    files = {path: body for path, body in FILES.items() if path != LATEST}
    async with world(tmp_path, files) as w:
        assert json.loads(await w.body(LATEST))["Version"] == "v1.1.0"


async def test_latest_of_pseudo_versions_only_is_the_highest(tmp_path: Path) -> None:
    versions = ("v0.0.0-20240506070809-aaaaaaaaaaaa", "v0.0.0-20240606070809-bbbbbbbbbbbb")
    async with world(tmp_path, modtree.module(M, *versions, latest=False)) as w:
        assert json.loads(await w.body(LATEST))["Version"] == versions[1]


async def test_latest_of_a_list_is_the_one_that_go_would_take_itself(tmp_path: Path) -> None:
    newer = "v1.0.1-0.20250313105119-ba97887b0a25"
    versions = ("v1.0.0", "v1.0.1-0.20240319094008-0393e58bdf10", newer)
    async with world(tmp_path, modtree.module(M, *versions, latest=False)) as w:
        assert json.loads(await w.body(LATEST))["Version"] == newer


async def test_a_version_missing_in_the_list_can_be_fetched_and_is_then_listed(tmp_path: Path) -> None:
    files = FILES | {LIST: b"v1.1.0\n"}
    async with world(tmp_path, files) as w:
        assert await w.body(LIST) == b"v1.1.0\n"
        await w.get(INFO)
        assert await w.body(LIST) == b"v1.0.0\nv1.1.0\n"


async def test_an_existing_module_without_tags_has_an_empty_list(tmp_path: Path) -> None:
    async with world(tmp_path, {LIST: b""}) as w:
        assert await w.body(LIST) == b""


# ---- when the upstream is gone ------------------------------------------------------------------------------


async def test_lists_and_latest_stay_when_the_upstream_is_gone(tmp_path: Path) -> None:
    broken = False
    fault = Fault(Trouble.STATUS, 502)
    async with world(tmp_path, FILES, lambda path, count: fault if broken else None, list_fresh=0.0) as w:
        for path in (LIST, LATEST):
            await w.get(path)
        broken = True
        for path in (LIST, LATEST):
            answer = await w.get(path)
            assert (content(answer), answer.stale) == (FILES[path], True)


async def test_a_stalled_upstream_does_not_delay_a_known_list(tmp_path: Path) -> None:
    stalled = False
    async with world(
        tmp_path, FILES, lambda p, c: Fault(Trouble.STALL) if stalled else None, list_fresh=0.0
    ) as w:
        await w.get(LIST)
        await w.proxy.idle()
        stalled = True
        for _ in range(50):
            assert (await w.get(LIST)).stale
        await w.upstream.wait_for(LIST, 2)
        assert w.upstream.asked[LIST] == 2


async def test_without_any_list_the_stored_versions_are_the_list(tmp_path: Path) -> None:
    gone = on(LIST, Fault(Trouble.STATUS, 404))
    async with world(tmp_path, FILES, gone) as w:
        await w.get(INFO)
        await w.proxy.idle()
        answer = await w.get(LIST)
        assert (content(answer), answer.stale) == (b"v1.0.0\n", True)


async def test_a_module_whose_list_is_refused_is_listed_at_once_from_the_store(tmp_path: Path) -> None:
    stalled = False
    refused, stall = Fault(Trouble.STATUS, 403), Fault(Trouble.STALL)
    faults = lambda path, count: None if path != LIST else stall if stalled else refused  # noqa: E731
    async with world(tmp_path, FILES, faults, negative_fresh=0.001) as w:
        await w.get(INFO)
        await w.proxy.idle()
        assert await w.body(LIST) == b"v1.0.0\n"
        await asyncio.sleep(0.002)
        stalled = True
        assert await w.body(LIST) == b"v1.0.0\n"
        await w.upstream.wait_for(LIST, 2)


async def test_a_list_that_was_refused_is_refused_again_at_once_and_asked_for_behind(tmp_path: Path) -> None:
    stalled = False
    refused, stall = Fault(Trouble.STATUS, 403, "not here"), Fault(Trouble.STALL)
    async with world(tmp_path, FILES, lambda p, c: stall if stalled else refused, negative_fresh=0.001) as w:
        for _ in range(2):
            with pytest.raises(Refused, match="not here"):
                await w.get(LIST)
            await asyncio.sleep(0.002)
            stalled = True
        await w.upstream.wait_for(LIST, 2)


async def test_a_list_that_is_refused_no_longer_is_there_for_the_next_who_asks(tmp_path: Path) -> None:
    opened = False
    refused = Fault(Trouble.STATUS, 403)
    async with world(tmp_path, FILES, lambda p, c: None if opened else refused, negative_fresh=0.001) as w:
        for _ in range(2):
            with pytest.raises(Refused):
                await w.get(LIST)
            await asyncio.sleep(0.002)
            opened = True
        await w.proxy.idle()
        assert await w.body(LIST) == FILES[LIST]


async def test_a_list_that_was_not_found_long_ago_is_asked_for_anew(tmp_path: Path) -> None:
    async with world(tmp_path, {}, negative_fresh=0.001) as w:
        with pytest.raises(NotFound):
            await w.get(LIST)
        await asyncio.sleep(0.002)
        w.tree.files.update(FILES)
        assert await w.body(LIST) == FILES[LIST]


async def test_lists_and_latest_are_known_without_waiting(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        assert w.proxy.known(LIST) is None
        for path in (LIST, LATEST):
            answer = await w.get(path)
            assert w.proxy.known(path) == answer
        await w.get(INFO)
        assert w.proxy.known(INFO) is None
        offline = await w.another(offline=True)
        await offline.answer(parse_request(LIST))
        assert offline.known(LIST) is None


async def test_an_old_list_is_known_as_stale_and_refreshed_by_who_gives_it(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, list_fresh=0.0) as w:
        await w.get(LIST)
        await w.proxy.idle()
        known = w.proxy.known(LIST)
        assert known is not None
        assert (content(known), known.stale) == (FILES[LIST], True)
        w.proxy.refresh(LIST)
        await w.upstream.wait_for(LIST, 2)


async def test_an_old_list_is_not_refreshed_again_just_after_that_failed(tmp_path: Path) -> None:
    broken = False
    fault = Fault(Trouble.STATUS, 502)
    async with world(tmp_path, FILES, lambda p, c: fault if broken else None, list_fresh=0.0) as w:
        await w.get(LIST)
        await w.proxy.idle()
        broken = True
        w.proxy.refresh(LIST)
        await w.proxy.idle()
        asked = w.upstream.asked[LIST]
        w.proxy.refresh(LIST)
        await w.proxy.idle()
        assert w.upstream.asked[LIST] == asked


async def test_a_list_that_is_too_old_is_not_known(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, list_fresh=0.0, stale_for=0.0) as w:
        await w.get(LIST)
        assert w.proxy.known(LIST) is None


async def test_an_outage_is_never_a_404(tmp_path: Path) -> None:
    for n, fault in enumerate([Fault(Trouble.STATUS, 500), Fault(Trouble.STATUS, 503), Fault(Trouble.STALL)]):
        async with world(tmp_path / str(n), FILES, lambda p, c, f=fault: f, first_byte_timeout=0.2) as w:
            with pytest.raises((UpstreamError, UpstreamTimeout)) as caught:
                await w.get(INFO)
            assert caught.value.status in (502, 503, 504)


# ---- refusals remembered ------------------------------------------------------------------------------------


async def test_not_found_is_asked_once_for_metadata_and_a_few_times_for_exact_versions(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, {}, negative_bypass=2) as w:
        for _ in range(10):
            for path in (LIST, LATEST, INFO):
                with pytest.raises(NotFound):
                    await w.get(path)
        # @latest asks for the list when the upstream has none; the list's own "no" is remembered by then.
        assert [w.upstream.asked[path] for path in (LIST, LATEST, INFO)] == [1, 1, 3]


async def test_prefixes_that_cannot_be_modules_are_answered_without_asking(tmp_path: Path) -> None:
    async with world(tmp_path, {}) as w:
        for path in (
            "github.com/@v/list",
            "github.com/x/@v/list",
            "github.com/x/@v/v1.0.0.info",
            "golang.org/@latest",
        ):
            with pytest.raises(NotFound):
                await w.get(path)
        assert not w.upstream.asked


async def test_a_new_tag_is_found_although_it_was_missing_a_moment_ago(tmp_path: Path) -> None:
    async with world(tmp_path, {}) as w:
        with pytest.raises(NotFound):
            await w.get(INFO)
        w.tree.files.update(FILES)
        assert await w.body(INFO) == FILES[INFO]


# ---- from the store alone -----------------------------------------------------------------------------------


async def test_offline_serves_what_is_there_and_never_asks(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        for path in (LIST, LATEST, INFO, MOD, ZIP):
            await w.get(path)
        asked = sum(w.upstream.asked.values())
        offline = await w.another(offline=True, list_fresh=0.0)
        for path in (LIST, LATEST, INFO, MOD, ZIP):
            assert content(await offline.answer(parse_request(path))) == FILES[path]
        with pytest.raises(Unavailable, match=r"offline: example\.com/m@v1\.1\.0 is not in the store"):
            await offline.answer(parse_request(f"{M}/@v/v1.1.0.zip"))
        with pytest.raises(NotFound, match=r"nothing of example\.com/other"):
            await offline.answer(parse_request("example.com/other/@v/list"))
        assert sum(w.upstream.asked.values()) == asked


async def test_offline_makes_list_and_latest_of_stored_versions(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        await w.get(INFO)
        offline = await w.another(offline=True)
        assert content(await offline.answer(parse_request(LIST))) == b"v1.0.0\n"
        assert content(await offline.answer(parse_request(LATEST))) == FILES[INFO]


async def test_cached_only_requests_never_ask_and_a_miss_is_not_found(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        with pytest.raises(NotFound, match="not in the store"):
            await w.get(ZIP, cached_only=True)
        assert not w.upstream.asked
        await w.get(ZIP)
        assert content(await w.get(ZIP, cached_only=True)) == FILES[ZIP]


# ---- order of work ------------------------------------------------------------------------------------------


async def test_info_and_mod_do_not_wait_for_the_zip(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, on(ZIP, Fault(Trouble.STALL))) as w:
        assert await w.body(MOD) == FILES[MOD]
        assert await w.body(INFO) == FILES[INFO]


async def test_the_zip_is_started_early_only_when_a_download_is_under_way(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        await w.get(f"{M}/@v/v1.1.0.info")
        await w.get(MOD)
        await w.get(INFO)
        await w.upstream.wait_for(ZIP)
        assert w.upstream.asked[f"{M}/@v/v1.1.0.zip"] == 0
        assert await w.body(ZIP) == FILES[ZIP]
        assert w.upstream.asked[ZIP] == 1


async def test_a_client_that_goes_away_does_not_end_the_fetch_of_another(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, on(ZIP, Fault(Trouble.STALL)), first_byte_timeout=30.0) as w:
        leaver = asyncio.create_task(w.get(ZIP))
        stayer = asyncio.create_task(w.get(ZIP))
        await w.upstream.wait_for(ZIP)
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        w.upstream.released.set()
        assert content(await stayer) == FILES[ZIP]
        assert w.upstream.asked[ZIP] == 1


async def test_a_branch_is_resolved_anew_when_it_is_old_and_never_kept_as_a_version(tmp_path: Path) -> None:
    branch = f"{M}/@v/main.info"
    pseudo = "v1.1.1-0.20240506070809-abcdefabcdef"
    async with world(tmp_path, FILES | {branch: modtree.info(pseudo)}, list_fresh=0.0) as w:
        assert json.loads(await w.body(branch))["Version"] == pseudo
        await w.proxy.idle()
        newer = "v1.1.1-0.20240507070809-bbcdefabcdef"
        w.tree.files[branch] = modtree.info(newer)
        answer = await w.get(branch)
        assert json.loads(content(answer))["Version"] == newer
        assert not answer.immutable
        assert await w.stored() == []


# ---- the database's own files -------------------------------------------------------------------------------


async def test_database_files_are_fetched_once_proven_and_served_offline(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        await w.get(ZIP)
        name = "sum.example.org"
        record = content(await w.proxy.sumdb(name, f"lookup/{M}@v1.0.0"))
        assert b"example.com/m v1.0.0 h1:" in record
        tile = content(await w.proxy.sumdb(name, "tile/8/0/000.p/1"))
        assert len(tile) == 32
        assert w.upstream.asked[f"sumdb/{name}/lookup/{M}@v1.0.0"] == 1
        offline = await w.another(offline=True)
        assert content(await offline.sumdb(name, "supported")) == b""
        assert content(await offline.sumdb(name, f"lookup/{M}@v1.0.0")) == record
        assert content(await offline.sumdb(name, "tile/8/0/000.p/1")) == tile
        assert content(await offline.sumdb(name, "latest")).startswith(b"go.sum database tree\n1\n")
        with pytest.raises(Unavailable):
            await offline.sumdb(name, f"lookup/{M}@v1.1.0")


async def test_records_and_tiles_cut_short_by_a_crash_are_fetched_again(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        await w.get(MOD)
        await w.proxy.idle()
        files = [path for path in (tmp_path / "sumdb").rglob("*") if path.is_file()]
        assert files
        whole = {path: path.read_bytes() for path in files}
        for path in files:
            path.write_bytes(b"")
        later = await w.another()
        assert content(await later.answer(parse_request(ZIP))) == FILES[ZIP]
        record = content(await later.sumdb("sum.example.org", f"lookup/{M}@v1.0.0"))
        assert b"example.com/m v1.0.0 h1:" in record
        await later.idle()
        assert {path: path.read_bytes() for path in files} == whole


async def test_a_false_tile_is_neither_served_nor_kept(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        await w.get(MOD)
        w.tree.log.add_text(Version("example.org/other", "v1.0.0"), b"example.org/other v1.0.0 h1:x=\n")
        w.tree.answers.lie = Lie.WRONG_TILE
        with pytest.raises((VerifyError, UpstreamError)):
            await w.proxy.sumdb("sum.example.org", "tile/8/0/000.p/2")
        assert not (tmp_path / "sumdb/sum.example.org/tile/8/0/000.p/2").exists()


async def test_unknown_databases_and_paths_are_not_found(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        for name, path in [("sum.other.org", "latest"), ("sum.example.org", "nonsense")]:
            with pytest.raises(NotFound):
                await w.proxy.sumdb(name, path)
        for path in ("tile/8/0/0", "tile/8/0/000.p/999", "lookup/nonsense"):
            with pytest.raises(GoferryError) as caught:
                await w.proxy.sumdb("sum.example.org", path)
            assert caught.value.status in (400, 404)


# ---- a store in trouble -------------------------------------------------------------------------------------


async def test_breakers_are_visible(tmp_path: Path) -> None:
    async with world(tmp_path, FILES, lambda p, c: Fault(Trouble.STALL), first_byte_timeout=0.1) as w:
        with pytest.raises(UpstreamTimeout):
            await w.get(LIST)
        assert w.proxy.breakers()[w.upstream.url.removeprefix("http://")] == "open"


async def test_a_working_store_is_ready(tmp_path: Path) -> None:
    async with world(tmp_path, FILES) as w:
        assert await w.proxy.ready() == []
        assert isinstance(w, World)
