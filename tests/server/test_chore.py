"""Chores beside serving: one piece of work after another, and nothing that a chore does harms serving."""

import os
import signal
from pathlib import Path

import pytest

from server.serving import Running, keep, serving, until

MOD = b"module example.org/m\n"
PATH = "/example.org/m/@v/v1.0.0.mod"


def repos(folder: Path, kind: str) -> Path:
    file = folder / "repos.txt"
    file.write_text(kind)
    return file


def started(folder: Path) -> list[int]:
    """Process ids of the chores that were started."""
    log = folder / "repos.log"
    return [int(line.split()[0]) for line in log.read_text().splitlines()] if log.exists() else []


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def answers(server: Running) -> bool:
    return server.ask(PATH)[0::2] == (200, MOD)


def test_one_piece_of_work_follows_another_each_in_a_process_of_its_own(tmp_path: Path) -> None:
    with serving(tmp_path, audit_repos=repos(tmp_path, "ok")) as server:
        until(lambda: server.metric('goferry_audits_total{result="ok"}') >= 2)
        assert len(set(started(tmp_path))) >= 2
        assert server.metric("goferry_workers") == 1
        assert server.metric("goferry_worker_restarts_total") == 0
    assert server.process.returncode == 0
    assert "goferry.toml" in (tmp_path / "repos.log").read_text()


def test_without_the_setting_there_is_no_chore(tmp_path: Path) -> None:
    keep(tmp_path / "store", PATH[1:], MOD)
    with serving(tmp_path) as server:
        assert answers(server)
        assert len(server.workers()) == 1
        assert server.metric("goferry_audits_total") == 0


@pytest.mark.parametrize("kind", ["fail", "bug", "die", "hang"])
def test_whatever_a_chore_does_serving_goes_on(tmp_path: Path, kind: str) -> None:
    keep(tmp_path / "store", PATH[1:], MOD)
    with serving(tmp_path, audit_repos=repos(tmp_path, kind)) as server:
        until(lambda: started(tmp_path))
        chore = started(tmp_path)[0]
        if kind != "hang":
            until(lambda: not alive(chore))
        assert all(answers(server) for _ in range(50))
        # It is not started again at once.
        assert len(started(tmp_path)) == 1
        assert server.metric("goferry_worker_restarts_total") == 0
    assert server.process.returncode == 0
    assert not alive(chore)
    log = (tmp_path / "stderr").read_text()
    said = {"fail": "nobody answers", "bug": "a bug", "die": "ended with status -6", "hang": "killing it"}
    assert said[kind] in log


def test_a_chore_that_waits_leaves_with_the_server(tmp_path: Path) -> None:
    with serving(tmp_path, audit_repos=repos(tmp_path, "wait")) as server:
        until(lambda: server.metric('goferry_audit_findings{severity="error"}') == 3)
        (chore,) = started(tmp_path)
    assert server.process.returncode == 0
    assert not alive(chore)
    assert "killing it" not in (tmp_path / "stderr").read_text()


def test_a_reload_starts_the_chore_with_the_new_settings(tmp_path: Path) -> None:
    with serving(tmp_path, audit_repos=repos(tmp_path, "wait")) as server:
        until(lambda: started(tmp_path))
        (first,) = started(tmp_path)
        other = tmp_path / "others.txt"
        other.write_text("wait")
        server.change(audit_repos=other)
        server.signal(signal.SIGHUP)
        until(lambda: (tmp_path / "others.log").exists() and not alive(first))
        server.change(audit_repos=None)
        server.signal(signal.SIGHUP)
        until(lambda: server.metric('goferry_reloads_total{result="ok"}') == 2)
        until(lambda: len(server.workers()) == 1)
        assert len(started(tmp_path)) == 1
    assert server.process.returncode == 0


def test_a_chore_does_not_outlive_its_supervisor(tmp_path: Path) -> None:
    with serving(tmp_path, audit_repos=repos(tmp_path, "wait")) as server:
        until(lambda: started(tmp_path))
        (chore,) = started(tmp_path)
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        until(lambda: not alive(chore))


def test_a_chore_is_no_reason_to_wait(tmp_path: Path) -> None:
    """It gives way to requests: its priority is lower."""
    with serving(tmp_path, audit_repos=repos(tmp_path, "wait")) as server:
        until(lambda: started(tmp_path))
        (chore,) = started(tmp_path)
        until(
            lambda: (
                os.getpriority(os.PRIO_PROCESS, chore) > os.getpriority(os.PRIO_PROCESS, server.process.pid)
            )
        )
