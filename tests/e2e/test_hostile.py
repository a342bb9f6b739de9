"""Bytes that are not what the checksum database knows: go is told so, and nothing of them is kept."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from e2e.ferry import EMPTY, NEEDS_GO, Client, Ferry, graph, serving, upstream
from goferry.gomod.module import Version
from goferry.gomod.sumdb.memlog import Lie
from goferry.lab.goproxy import Fault, Trouble
from modtree import go_mod, info, module, module_zip
from proxyworld import Tree

pytestmark = NEEDS_GO

LOG, TEXT, ROUTER, CLI = (f"example.com/{name}/@v/" for name in ("log", "text", "router", "cli"))
API, UPPER = "example.com/api/v2/@v/", "example.com/!big!case/@v/"


def faults(path: str, count: int) -> Fault | None:
    return Fault(Trouble.HTML) if path == API + "v2.0.1.info" else None


@dataclass
class Hostile:
    tree: Tree
    ferry: Ferry
    store: Path

    def refusal(self, folder: Path, version: str) -> str:
        """What a go says that trusts goferry's judgement alone."""
        client = Client(folder, self.ferry.url, "off", go_mod=EMPTY)
        done = client.go("mod", "download", version)
        assert done.returncode != 0
        return done.stderr

    def quarantined(self, key: str) -> list[Path]:
        place = self.store / ".goferry/quarantine" / key
        return list(place.parent.glob(f"{place.name}*"))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hostile]:
    tree = Tree(graph())
    changed = {"go.mod": go_mod("example.com/log"), "m.go": b"package evil\n"}
    tree.files[LOG + "v1.1.0.zip"] = module_zip("example.com/log", "v1.1.0", changed)
    tree.files[TEXT + "v0.1.0.zip"] = tree.files[TEXT + "v0.2.0.zip"]
    tree.files[ROUTER + "v1.0.0.mod"] = b"module example.com/router\n\nrequire evil.example.com/x v1.0.0\n"
    tree.files[CLI + "v0.3.0.info"] = info("v0.2.9")
    tree.files[UPPER + "v1.0.0.zip"] = module_zip("example.com/BigCase", "v1.0.0", {"../../../evil.go": b""})
    folder = tmp_path_factory.mktemp("hostile")
    with (
        upstream(tree, faults) as lab,
        serving(folder, "--upstream", lab.url, "--sumdb", tree.log.verifier_key) as ferry,
    ):
        yield Hostile(tree, ferry, folder / "store")


@dataclass(frozen=True)
class Refused:
    """What the client asks for, the file at fault, and what the client is told. `false`: proven to be, so set aside."""

    version: str
    key: str
    reason: str
    false: bool = True

    @property
    def status(self) -> str:
        return "403 Forbidden" if self.false else "502 Bad Gateway"


CASES = {
    "a zip with other contents": Refused(
        "example.com/log@v1.1.0", LOG + "v1.1.0.zip", "but sum.example.org says h1:"
    ),
    "the zip of another version": Refused(
        "example.com/text@v0.1.0", TEXT + "v0.1.0.zip", "example.com/text@v0.1.0"
    ),
    "a zip that leaves its folder": Refused("example.com/BigCase@v1.0.0", UPPER + "v1.0.0.zip", "evil.go"),
    "another go.mod": Refused(
        "example.com/router@v1.0.0", ROUTER + "v1.0.0.mod", "but sum.example.org says h1:"
    ),
    "a login page": Refused(
        "example.com/api/v2@v2.0.1", API + "v2.0.1.info", "web page instead of", false=False
    ),
    "the .info of another version": Refused(
        "example.com/cli@v0.3.0", CLI + "v0.3.0.info", "for version v0.2.9 instead of v0.3.0", false=False
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
def test_what_is_wrong_is_refused_with_the_reason_and_not_kept(
    tmp_path: Path, hostile: Hostile, case: Refused
) -> None:
    said = hostile.refusal(tmp_path / "client", case.version)
    assert case.status in said
    assert case.reason in said
    assert not (hostile.store / case.key).exists()
    assert bool(hostile.quarantined(case.key)) is case.false
    # Whoever asks again is not given it either, and what is good goes on.
    assert case.status in hostile.refusal(tmp_path / "again", case.version)
    good = Client(tmp_path / "good", hostile.ferry.url, hostile.tree.log.verifier_key, go_mod=EMPTY)
    assert good.go("mod", "download", "example.com/web@v1.2.0").returncode == 0


@pytest.mark.parametrize("lie", [Lie.FORK, Lie.SHRINK])
def test_a_database_that_rewrites_its_history_is_refused_and_good_copies_stay(
    tmp_path: Path, lie: Lie
) -> None:
    tree = Tree(graph() | module("example.com/new", "v1.0.0"))
    known, new = "example.com/log@v1.1.0", "example.com/new@v1.0.0"
    with upstream(tree) as lab:
        flags = ("--upstream", lab.url, "--sumdb", tree.log.verifier_key)
        with serving(tmp_path, *flags) as ferry:
            for version in ("example.com/text@v0.1.0", known):
                client = Client(tmp_path / version, ferry.url, tree.log.verifier_key, go_mod=EMPTY)
                assert client.go("mod", "download", version).returncode == 0
            tree.log.add_text(Version("example.org/other", "v1.0.0"), b"example.org/other v1.0.0 h1:x=\n")
            tree.answers.lie, tree.answers.keep = lie, 0
            # The client trusts blindly: it is goferry that must see it, now and after a start.
            blind = Client(tmp_path / "blind", ferry.url, "off", go_mod=EMPTY)
            assert "403 Forbidden" in blind.go("mod", "download", new).stderr
        with serving(tmp_path, *flags, "--negative-fresh", "0") as ferry:
            blind = Client(tmp_path / "later", ferry.url, "off", go_mod=EMPTY)
            assert "403 Forbidden" in blind.go("mod", "download", new).stderr
            client = Client(tmp_path / "kept", ferry.url, tree.log.verifier_key, go_mod=EMPTY)
            done = client.go("mod", "download", known)
            assert done.returncode == 0, done.stderr
    assert not list((tmp_path / "store/example.com").glob("new/@v/*.zip"))


def test_a_database_known_by_name_alone_is_held_to_its_known_key(tmp_path: Path) -> None:
    """The upstream's mirror signs with a key of its own: nothing that it says is believed."""
    tree = Tree(graph(), "sum.golang.org")
    flags = ("--sumdb", "sum.golang.org")
    with upstream(tree) as lab, serving(tmp_path, "--upstream", lab.url, *flags) as ferry:
        done = Client(tmp_path / "client", ferry.url, "off", go_mod=EMPTY).go(
            "mod", "download", "example.com/log@v1.1.0"
        )
        assert done.returncode != 0
        assert "403 Forbidden" in done.stderr
        assert "the tree head of sum.golang.org is not signed by its known key" in done.stderr
        assert lab.asked("lookup/example.com/log@v1.1.0")
    # An .info says nothing that could be proven.
    assert [path.name for path in (tmp_path / "store/example.com").rglob("v1.1.0.*")] == ["v1.1.0.info"]
