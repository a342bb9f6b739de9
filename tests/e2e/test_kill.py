"""kill -9 for supervisor and workers, in the middle of cold fetches, again and again on the same store.

Each round begins on a store that lost some of its modules, lets clients fetch everything, and kills the whole process
group when the work has come so far: so many answers, so many zips asked of the upstream, or so much of a zip in its
temporary file. Whatever was cut off, nothing torn may ever be seen, by a client or in the folder.
"""

import http.client
import json
import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from e2e.ferry import PATIENCE, Ferry, Lab, goferry, launch, serving, upstream
from goferry.lab.goproxy import Fault, Trouble
from modtree import module, noise
from proxyworld import Tree, zip_hash
from server.serving import until
from sizes import size

MODULES = 12
CLIENTS = 6
ROUNDS = size(8, 110)


def big_modules() -> dict[str, bytes]:
    """Zips of 1 to 3 MB that do not compress."""
    files: dict[str, bytes] = {}
    for number in range(MODULES):
        data = noise(1_000_000 + number * 180_000, seed=bytes([number]))
        files |= module(f"example.com/k{number}", "v1.0.0", extra={"data.bin": data})
    return files


def cut_some(path: str, count: int) -> Fault | None:
    """Every third body of a zip ends early."""
    return Fault(Trouble.CUT, share=0.6) if path.endswith(".zip") and count % 3 == 0 else None


@dataclass
class Round:
    """Clients that ask for everything, and what came of it."""

    ferry: Ferry
    tree: Tree
    paths: list[str]
    answered: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Requests without a whole answer, as the killed server's clients have them."""

    def run(self) -> None:
        """Ask until nothing is left to ask, or the server is gone."""
        while self.paths:
            path = self.paths.pop()
            try:
                status, _, body = self.ferry.ask("/" + path)
            except (OSError, http.client.HTTPException):
                self.broken.append(path)
                continue
            if (status, body) == (200, self.tree[path]):
                self.answered.append(path)
            else:
                self.wrong.append(f"{path}: {status}, {len(body)} bytes: {body[:300]!r}")

    @contextmanager
    def clients(self) -> Iterator[list[threading.Thread]]:
        threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield threads
        finally:
            for thread in threads:
                thread.join(PATIENCE)
            assert not any(thread.is_alive() for thread in threads)


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def temporary(store: Path) -> set[Path]:
    return files_below(store / ".goferry/tmp")


def biggest(store: Path) -> int:
    """The size of the longest temporary file; they come and go while this looks."""
    sizes = [0]
    for path in temporary(store):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return max(sizes)


def moments(seed: random.Random, round_: Round, lab: Lab, store: Path) -> Callable[[], bool]:
    """When the kill is due, by what was done so far."""
    answers = seed.randrange(1, len(round_.paths))
    zips = lab.asked(".zip") + seed.randrange(1, MODULES)
    length = seed.randrange(1, 1_500_000)
    return seed.choice(
        [
            lambda: len(round_.answered) >= answers,
            lambda: lab.asked(".zip") >= zips,
            lambda: biggest(store) >= length,
        ]
    )


def kill(ferry: Ferry) -> None:
    """Supervisor and workers at once; the group is the session that `launch` began for them."""
    os.killpg(ferry.process.pid, signal.SIGKILL)
    assert ferry.process.wait(PATIENCE) == -signal.SIGKILL
    assert ferry.process.stdout is not None
    ferry.process.stdout.close()


def lose_some(seed: random.Random, store: Path) -> None:
    """Half of the modules are cold again."""
    for number in seed.sample(range(MODULES), MODULES // 2):
        shutil.rmtree(store / f"example.com/k{number}", ignore_errors=True)


def check_whole(store: Path, tree: Tree, hashes: dict[str, bytes], answered: list[str]) -> None:
    """What has a name is whole. A zip is kept before it is answered; small files may be answered first."""
    for path in files_below(store / "example.com"):
        key = path.relative_to(store).as_posix()
        expected = hashes[key] if key.endswith(".ziphash") else tree[key]
        assert path.read_bytes() == expected, key
    assert [key for key in answered if key.endswith(".zip") and not (store / key).is_file()] == []


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Tree, Lab]]:
    tree = Tree(big_modules())
    with upstream(tree, cut_some) as lab:
        yield tree, lab


def test_killed_at_any_moment_of_cold_fetches_nothing_torn_is_ever_seen(
    tmp_path: Path, world: tuple[Tree, Lab]
) -> None:
    tree, lab = world
    seed = random.Random(7)
    store = tmp_path / "store"
    flags = ("--upstream", lab.url, "--sumdb", tree.log.verifier_key, "--workers", "2")
    flags += ("--retry-wait-max", "10ms")
    hashes = {
        key.removesuffix("zip") + "ziphash": zip_hash(body).encode()
        for key, body in tree.items()
        if key.endswith(".zip")
    }
    left_behind: set[Path] = set()
    interrupted = leftovers = 0
    for _ in range(ROUNDS):
        lose_some(seed, store)
        ferry = launch(tmp_path, *flags, new_group=True)
        try:
            until(lambda: not left_behind & temporary(store))  # noqa: B023  called at once
            round_ = Round(ferry, tree, seed.sample(sorted(tree), len(tree)))
            is_due = moments(seed, round_, lab, store)
            with round_.clients() as threads:
                while not is_due() and any(thread.is_alive() for thread in threads):
                    time.sleep(0.001)
                kill(ferry)
        finally:
            if ferry.process.poll() is None:
                kill(ferry)
        assert round_.wrong == [], ferry.said
        check_whole(store, tree, hashes, round_.answered)
        left_behind = temporary(store)
        leftovers += bool(left_behind)
        interrupted += bool(round_.broken)
    # The kills came in the middle of work, or this has shown nothing.
    assert interrupted > ROUNDS // 2
    assert leftovers > ROUNDS // 4
    # Every lock of the dead is free, or these answers would not come.
    with serving(tmp_path, *flags) as ferry:
        last = Round(ferry, tree, sorted(tree))
        with last.clients():
            pass
        assert (last.wrong, last.broken) == ([], [])
    check_whole(store, tree, hashes, sorted(tree))
    assert temporary(store) == set()
    assert files_below(store / ".goferry/quarantine") == set()
    known = {"GOSUMDB": tree.log.verifier_key}
    verified = goferry(tmp_path, "cache", "verify", "--json", "--store", str(store), environ=known)
    report = json.loads(verified.stdout)
    assert (verified.returncode, report["findings"]) == (0, [])  # and every record and tile has its proof
    assert report["facts"]["files"] >= len(tree)
