"""Every boundary of every entry, judged by goferry and by a matcher written apart: no difference."""

import json

from advisories import block, document
from goferry.deps.advisories.database import shipped
from goferry.deps.advisories.matching import judge
from goferry.deps.advisories.ranges import written
from goferry.deps.base import Module
from secondmatcher import affected, around, compare
from sizes import size

STEP = size(16, 1)
"""Which share of the entries is probed."""


def test_two_matchers_agree_on_every_boundary_of_the_shipped_database() -> None:
    database = shipped()
    documents = [json.loads(text) for _, text in database.texts()]
    by_module: dict[str, list[dict]] = {}
    for one in documents:
        for path in {it["package"]["name"] for it in one["affected"]}:
            by_module.setdefault(path, []).append(one)
    probes = 0
    for path in sorted(by_module)[::STEP]:
        boundaries = {
            version
            for one in by_module[path]
            for it in one["affected"]
            if it["package"]["name"] == path
            for range_ in it["ranges"]
            for event in range_["events"]
            for version in event.values()
        }
        for version in sorted({probe for boundary in boundaries for probe in around(boundary)}):
            ours = {one.entry.id for one in judge(database, Module(path, f"v{version}"))}
            theirs = {one["id"] for one in by_module[path] if affected(one, path, version)}
            assert ours == theirs, (path, version)
            probes += 1
    assert probes > size(2_000, 38_000)


def test_the_second_matcher_has_an_opinion_of_its_own() -> None:
    """It tells a boundary from its neighbours; a matcher that always agrees would prove nothing."""
    one = document("GO-1", block("m", "1.0.0 -1.2.0"))
    wanted = {
        "0.9.9": False,
        "1.0.0": True,
        "1.0.0-rc.1": False,
        "1.1.999": True,
        "1.2.0-0": True,
        "1.2.0": False,
    }
    assert {version: affected(one, "m", version) for version in wanted} == wanted
    assert compare("1.0.0-2", "1.0.0-10") < 0 < compare("1.0.0-a", "1.0.0-10")
    assert written("stdlib", "1.26.3") == "go1.26.3"
