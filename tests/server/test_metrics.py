"""Counters in shared memory, and the page that Prometheus reads."""

import multiprocessing
import os

import pytest
from prometheus_client.parser import text_string_to_metric_families

from goferry.proxy.base import Guess, Outcome
from goferry.server import metrics
from goferry.server.metrics import Board, Meter


@pytest.fixture
def board() -> "object":
    made = Board(4)
    yield made
    made.close()


def samples(board: Board) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """The page as Prometheus' own parser reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(board.page().decode())
        for sample in family.samples
    }


def test_rows_add_up(board: Board) -> None:
    labels = ("info", "hit", "200")
    one, two = board.row(1), board.row(2)
    one.add(2, metrics.REQUESTS, *labels)
    two.add(3, metrics.REQUESTS, *labels)
    two.add(1, metrics.REQUESTS, "zip", "miss", "502")
    found = samples(board)
    assert found[("goferry_requests_total", (("kind", "info"), ("outcome", "hit"), ("status", "200")))] == 5
    assert found[("goferry_requests_total", (("kind", "zip"), ("outcome", "miss"), ("status", "502")))] == 1
    one.close()
    two.close()


def test_histograms_count_up_to_each_bound(board: Board) -> None:
    one, two = board.row(1), board.row(2)
    for value in (0.0001, 0.0005, 0.3, 100.0):
        one.observe(value, metrics.REQUEST_SECONDS, "zip")
    two.observe(0.3, metrics.REQUEST_SECONDS, "zip")
    found = samples(board)

    def bucket(le: str) -> float:
        return found[("goferry_request_seconds_bucket", (("kind", "zip"), ("le", le)))]

    assert (bucket("0.0005"), bucket("0.25"), bucket("0.5"), bucket("60"), bucket("+Inf")) == (2, 2, 4, 4, 5)
    assert found[("goferry_request_seconds_count", (("kind", "zip"),))] == 5
    assert found[("goferry_request_seconds_sum", (("kind", "zip"),))] == pytest.approx(100.6006)
    one.close()
    two.close()


def test_a_row_goes_on_where_the_last_process_stopped_but_holds_nothing_any_more(board: Board) -> None:
    row = board.row(1)
    row.add(7, metrics.REQUESTS, "list", "hit", "200")
    row.set(3, metrics.IN_FLIGHT)
    row.close()
    board.clear_gauges(1)
    row = board.row(1)
    row.add(1, metrics.REQUESTS, "list", "hit", "200")
    row.close()
    found = samples(board)
    assert found[("goferry_requests_total", (("kind", "list"), ("outcome", "hit"), ("status", "200")))] == 8
    assert found[("goferry_requests_in_flight", ())] == 0


def test_the_worst_breaker_is_shown(board: Board) -> None:
    for index, state in ((1, 2.0), (2, 0.0)):
        row = board.row(index)
        row.set(state, metrics.BREAKER, "proxy.example.org")
        row.close()
    assert samples(board)[("goferry_breaker_state", (("host", "proxy.example.org"),))] == 2


def test_label_values_are_escaped(board: Board) -> None:
    row = board.row(1)
    odd = 'quo"te\\back\nline\x1fsep'
    row.add(1, metrics.UPSTREAM, odd, "zip", "ok")
    row.close()
    labels = next(dict(key[1]) for key in samples(board) if key[0] == "goferry_upstream_requests_total")
    assert labels["entry"] == 'quo"te\\back?line?sep'


def test_a_full_row_keeps_what_it_has_and_harms_nobody(board: Board) -> None:
    row = board.row(1)
    for n in range(2000):
        row.observe(1.0, metrics.UPSTREAM_SECONDS, f"entry-{n}", "zip")
        row.add(1.0, metrics.UPSTREAM, f"entry-{n}", "zip", "ok")
    row.add(1, metrics.REQUESTS, "late", "hit", "200")
    row.close()
    found = samples(board)
    counts = [value for (name, _), value in found.items() if name == "goferry_upstream_seconds_count"]
    assert counts
    assert set(counts) == {1.0}
    assert not [key for key in found if ("kind", "late") in key[1]]


def test_the_meter_counts_upstreams_and_tells_outcomes_to_the_request(board: Board) -> None:
    row = board.row(1)
    meter = Meter(row)
    seen = metrics.watch_outcome()
    meter.answered("zip", Outcome.COALESCED)
    meter.asked("https://proxy.example.org", "zip", "upstream_timeout", 0.2)
    assert seen == [Outcome.COALESCED]
    row.close()
    found = samples(board)
    labels = (("code", "upstream_timeout"), ("entry", "https://proxy.example.org"), ("kind", "zip"))
    assert found[("goferry_upstream_requests_total", labels)] == 1


def _count_in_a_process(fd: int, rows: int, index: int) -> None:
    row = Board(rows, os.dup(fd)).row(index)
    for _ in range(1000):
        row.add(1, metrics.REQUESTS, "mod", "hit", "200")
    os._exit(0)


def test_the_meter_counts_guesses_and_those_that_came_true(board: Board) -> None:
    meter = Meter(board.row(0))
    for outcome in (Guess.MADE, Guess.MADE, Guess.TRUE):
        meter.guessed("mod", outcome)
    page = board.page().decode()
    assert 'goferry_read_ahead_total{kind="mod",outcome="made"} 2' in page
    assert 'goferry_read_ahead_total{kind="mod",outcome="true"} 1' in page


def test_other_processes_are_seen(board: Board) -> None:
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=_count_in_a_process, args=(board.fd, 4, index)) for index in (1, 2, 3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    labels = (("kind", "mod"), ("outcome", "hit"), ("status", "200"))
    assert samples(board)[("goferry_requests_total", labels)] == 3000
