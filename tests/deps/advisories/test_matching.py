"""Which entries concern which modules, under which name, and what the way out is."""

import pytest

from advisories import block, database, entry, requirements
from goferry.deps.advisories.database import shipped
from goferry.deps.advisories.matching import Fixed, FixState, Match, Named, Opinion, match, released, unknown
from goferry.deps.advisories.osv import Entry, Review
from goferry.deps.base import Module
from goferry.gomod.modgraph import Local
from goferry.gomod.module import Version

M, FORK = "example.org/m", "example.org/fork"
M2 = f"{M}/v2"
COMMIT, COMMIT2 = "1.2.1-0.20260101000000-aaaaaaaaaaaa", "2.0.1-0.20260101000000-aaaaaaaaaaaa"


def module(text: str, replace: str = "") -> Module:
    path, _, version = text.partition("@")
    to = Version(*replace.split("@")) if replace else None
    return Module(path, version, replace=to)


def found(*entries: Entry, at: str = f"{M}@v1.0.0", replace: str = "") -> tuple[Match, ...]:
    return match(database(*entries), [module(at, replace)])


def only(*entries: Entry, at: str = f"{M}@v1.0.0", replace: str = "") -> Match:
    (one,) = found(*entries, at=at, replace=replace)
    return one


# ---- real data ------------------------------------------------------------------------------------------------


def test_55_real_go_mod_files_have_the_counts_of_an_independent_run() -> None:
    """The figures come from another program over the same lists and the same entries."""
    lists = requirements()
    assert (len(lists), sum(map(len, lists))) == (55, 4023)
    matches = [one for modules in lists for one in match(shipped(), modules)]
    assert len(matches) == 406
    assert sum(one.all_versions for one in matches) == 54
    assert sum(one.entry.review is Review.UNREVIEWED for one in matches) == 39
    assert sum(one.opinion is not Opinion.NONE for one in matches) == 3
    assert sum(bool(one.affected.custom) for one in matches) == 4
    assert sum(bool(one.affected.packages) for one in matches) == 354


# ---- what is looked up ----------------------------------------------------------------------------------------


def test_matches_come_in_the_order_of_the_modules_and_then_by_id() -> None:
    known = database(
        entry("GO-2", block(M), block("example.org/a")), entry("GO-1", block(M)), entry("GO-3", block("b"))
    )
    modules = [module(f"{M}@v1.0.0"), module("example.org/none@v1.0.0"), module("example.org/a@v1.0.0")]
    assert [(one.path, one.entry.id) for one in match(known, modules)] == [
        (M, "GO-1"),
        (M, "GO-2"),
        ("example.org/a", "GO-2"),
    ]


def test_blocks_about_other_modules_do_not_count_and_any_block_of_one_may() -> None:
    assert not found(entry("GO-1", block("example.org/other", "0"), block(M, "2.0.0")))
    twice = only(entry("GO-1", block(M, "2.0.0"), block(M, "0 -1.5.0")))
    assert twice.affected.ranges[0].events[1].version == "1.5.0"


def test_withdrawn_entries_main_modules_and_virtual_modules_are_passed_over() -> None:
    assert not found(entry("GO-1", block(M), withdrawn="2026-01-01T00:00:00Z"))
    known = database(entry("GO-1", block(M)), entry("GO-2", block("toolchain")), entry("GO-3", block("go")))
    modules = [Module(M, "", main=True), Module("toolchain", "go1.21.0"), Module("go", "1.21.0")]
    assert not match(known, modules)
    assert not unknown(known, modules)


def test_a_replaced_module_is_tried_as_what_is_built_and_as_what_it_was() -> None:
    own = entry("GO-1", block(FORK, "0 -1.2.0"))
    inherited = entry("GO-2", block(M, "0 -1.3.0"))
    matches = found(own, inherited, at=f"{M}@v1.9.0", replace=f"{FORK}@v1.1.0")
    assert [(one.entry.id, one.named, one.path, one.version) for one in matches] == [
        ("GO-1", Named.REPLACEMENT, FORK, "v1.1.0"),
        ("GO-2", Named.ORIGINAL, M, "v1.1.0"),
    ]
    both = only(entry("GO-1", block(FORK), block(M)), replace=f"{FORK}@v1.1.0")
    assert both.named is Named.REPLACEMENT


def test_a_module_replaced_by_another_version_of_itself_is_that_version() -> None:
    one = only(entry("GO-1", block(M, "0 -1.2.0")), at=f"{M}@v1.9.0", replace=f"{M}@v1.1.0")
    assert (one.named, one.version) == (Named.MODULE, "v1.1.0")
    assert not found(entry("GO-1", block(M, "0 -1.2.0")), at=f"{M}@v1.1.0", replace=f"{M}@v1.9.0")


@pytest.mark.parametrize(
    "what",
    [
        Module(M, "v1.0.0", replace=Local("/somewhere")),
        Module(M, "(devel)"),
        Module(M, ""),
        Module(M, "master"),
    ],
)
def test_a_module_of_unknown_version_is_unknown_and_not_safe(what: Module) -> None:
    known = database(entry("GO-1", block(M)))
    assert not match(known, [what])
    (one,) = unknown(known, [what, module("example.org/none@master"), module(f"{M}@v1.0.0")])
    assert (one.module, one.path, [it.id for it in one.entries]) == (what, M, ["GO-1"])


# ---- one flaw, one match --------------------------------------------------------------------------------------


def test_records_of_one_flaw_are_one_match_with_the_go_record_first() -> None:
    go = entry("GO-1", block(M), aliases=["CVE-1"])
    ghsa = entry("GHSA-1", block(M), aliases=["CVE-1", "CVE-2"])
    cve = entry("CVE-2", block("example.org/elsewhere"))
    one = only(go, ghsa, cve)
    assert (one.entry.id, one.aliases) == ("GO-1", ("CVE-1", "CVE-2", "GHSA-1"))
    assert [other.id for other in one.others] == ["GHSA-1"]


def test_a_shared_name_joins_records_by_way_of_one_that_does_not_hit() -> None:
    one = only(
        entry("GHSA-1", block(M), aliases=["CVE-1"]),
        entry("GHSA-2", block(M), aliases=["CVE-2"]),
        entry("OTHER-1", block("example.org/other"), aliases=["CVE-1", "CVE-2"]),
    )
    assert (one.entry.id, one.aliases) == ("GHSA-1", ("CVE-1", "CVE-2", "GHSA-2", "OTHER-1"))


def test_a_reviewed_record_goes_before_another_of_the_go_database() -> None:
    raw = entry("GO-1", block(M), aliases=["CVE-1"], database_specific={"review_status": "UNREVIEWED"})
    assert only(raw, entry("GO-2", block(M), aliases=["CVE-1"])).entry.id == "GO-2"


def test_when_the_go_record_knows_that_a_version_is_mended_the_other_record_still_shows() -> None:
    """Only what hits is merged: a disagreement is shown, not settled."""
    one = only(entry("GO-1", block(M, "0 -0.9.0"), aliases=["G-1"]), entry("G-1", block(M, "0 -1.1.0")))
    assert (one.entry.id, one.aliases) == ("G-1", ("GO-1",))


# ---- the way out ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("blocks", "state", "version", "path"),
    [
        ([block(M, "0 -1.2.0")], "here", "v1.2.0", M),
        ([block(M, "0 -0.9.0 1.0.0 -1.0.5 1.1.0 -1.1.2")], "here", "v1.0.5", M),
        ([block(M, "0 -1.2.0"), block(M, "1.1.0 -1.3.0")], "here", "v1.3.0", M),
        ([block(M, "0")], "nowhere", "", ""),
        ([block(M, "0 -0.9.0 1.0.0")], "nowhere", "", ""),
        ([block(M, f"0 -{COMMIT}")], "unreleased", f"v{COMMIT}", M),
        ([block(M, f"0 -{COMMIT} 1.3.0 -1.4.0")], "here", "v1.4.0", M),
        ([block(M, "0"), block(f"{M}/v3", "0 -3.4.0"), block(M2, "0 -2.1.0")], "next_major", "v2.1.0", M2),
        ([block(M, "0"), block(f"{M}/v2", "0"), block(f"{M}/v10", "0 -10.1.0")], "next_major", "v10.1.0", f"{M}/v10"),
        ([block(M, "0"), block(M2, f"0 -{COMMIT2}")], "unreleased", f"v{COMMIT2}", M2),
        ([block(M, "0"), block(f"{M}/sub/v2", "0 -2.0.1"), block("example.org/n/v2", "0 -2.0.1")], "nowhere", "", ""),
        ([block(M, "0 -2.0.0+incompatible")], "here", "v2.0.0+incompatible", M),
    ],
)  # fmt: skip
def test_the_way_out(blocks: list[dict[str, object]], state: str, version: str, path: str) -> None:
    assert only(entry("GO-1", *blocks)).fixed == Fixed(FixState(state), version, path)


def test_a_lower_major_version_is_no_way_out() -> None:
    one = only(entry("GO-1", block(f"{M}/v2", "0"), block(M, "0 -1.2.0")), at=f"{M}/v2@v2.0.0")
    assert one.fixed.state is FixState.NOWHERE


def test_gopkg_in_has_its_own_way_to_write_a_major_version() -> None:
    one = only(
        entry("GO-1", block("gopkg.in/m.v2", "0"), block("gopkg.in/m.v3", "0 -3.0.1")),
        at="gopkg.in/m.v2@v2.0.0",
    )
    assert one.fixed == Fixed(FixState.NEXT_MAJOR, "v3.0.1", "gopkg.in/m.v3")


@pytest.mark.parametrize(
    ("ranges", "versions", "wanted"),
    [
        (f"0 -{COMMIT}", ["v0.9.0", "v1.2.0", "v1.3.0", "v1.2.1"], "v1.2.1"),
        (f"0 -{COMMIT}", ["v1.2.0"], ""),
        ("0 -1.2.0", ["v1.2.0-rc.1", "v1.2.1-rc.1", "v1.4.0", "v1.3.0"], "v1.3.0"),
        ("0 -1.2.0", ["v1.2.1-rc.1"], "v1.2.1-rc.1"),
        ("0 -1.2.0", ["v2.0.0+incompatible", "v1.9.0"], "v1.9.0"),
        ("0 -1.2.0", ["v2.0.0+incompatible"], "v2.0.0+incompatible"),
        ("0 -1.2.0 1.3.0 -1.3.2", ["v1.3.0", "v1.3.1", "v1.3.3"], "v1.3.3"),
    ],
)
def test_the_way_out_is_a_release_where_releases_are_known(
    ranges: str, versions: list[str], wanted: str
) -> None:
    one = only(entry("GO-1", block(M, ranges)))
    assert released(one, versions) == (Fixed(FixState.HERE, wanted, M) if wanted else one.fixed)


# ---- what else is said ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("custom", "opinion"),
    [
        ([], Opinion.NONE),
        ([{"introduced": "0"}, {"fixed": "0.9.0"}], Opinion.UNAFFECTED),
        ([{"introduced": "0"}, {"fixed": "1.9.0"}], Opinion.AFFECTED),
        ([{"introduced": "2024.01"}], Opinion.NONE),
    ],
)
def test_the_projects_own_numbers_are_a_second_opinion_that_hides_nothing(
    custom: list[dict[str, str]], opinion: Opinion
) -> None:
    more = {"custom_ranges": [{"type": "ECOSYSTEM", "events": custom}]} if custom else {}
    one = only(entry("GO-1", block(M, "0", **more)))
    assert (one.opinion, one.all_versions) == (opinion, True)


@pytest.mark.parametrize(
    ("ranges", "wanted"), [("0", True), (None, True), ("0 -1.2.0", False), ("0.1.0", False)]
)
def test_all_versions_means_from_the_beginning_and_no_fix(ranges: str | None, wanted: bool) -> None:
    assert only(entry("GO-1", block(M, ranges))).all_versions is wanted
