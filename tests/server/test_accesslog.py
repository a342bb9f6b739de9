"""The access log: what a line says, and how lines reach the file."""

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import ConfigError
from goferry.server.accesslog import AccessLog, Entry, _pieces, format_json, format_text, open_log

ENTRY = Entry(
    1_700_000_000.25, "192.0.2.1", "GET", "/m/@v/list", 200, 42, 0.00125, "hit", "list", "GoCommand/1"
)


def test_a_text_line() -> None:
    assert format_text([ENTRY]) == (
        '2023-11-14T22:13:20.250Z 192.0.2.1 GET /m/@v/list 200 42 0.001250 hit list "GoCommand/1"\n'
    )


def test_a_json_line() -> None:
    assert json.loads(format_json([ENTRY])) == {
        "time": "2023-11-14T22:13:20.250Z",
        "client": "192.0.2.1",
        "method": "GET",
        "path": "/m/@v/list",
        "status": 200,
        "bytes": 42,
        "seconds": 0.00125,
        "outcome": "hit",
        "kind": "list",
        "user_agent": "GoCommand/1",
    }


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_client_can_forge_a_line(path: str, agent: str) -> None:
    entry = ENTRY._replace(path=path, agent=agent)
    text = format_text([entry])
    assert text.count("\n") == 1
    assert re.fullmatch(r'\S+ \S+ GET [\x21-\x7e]* 200 42 \S+ hit list "[\x20-\x7e]*"\n', text)
    assert text.count('"') == 2
    line = format_json([entry])
    assert line.count("\n") == 1
    assert json.loads(line)["path"] == path


@given(st.lists(st.integers(0, 30), max_size=20), st.integers(5, 40))
def test_pieces_are_whole_lines_and_all_of_them(lengths: list[int], most: int) -> None:
    data = b"".join(b"x" * n + b"\n" for n in lengths)
    pieces = _pieces(data, most)
    assert b"".join(pieces) == data
    assert all(piece.endswith(b"\n") for piece in pieces)
    assert all(len(piece) <= most or piece.count(b"\n") == 1 for piece in pieces)


async def test_everything_is_written_by_the_time_it_is_closed(tmp_path: Path) -> None:
    fd = open_log(tmp_path / "log")
    lost: list[int] = []
    log = AccessLog("text", fd, lost.append)
    log.start()
    for n in range(2000):
        log.add([ENTRY._replace(size=n)])
    await log.close()
    os.close(fd)
    sizes = [int(line.split()[5]) for line in (tmp_path / "log").read_text().splitlines()]
    assert sizes == list(range(2000))
    assert not lost


async def test_a_reader_that_stalls_costs_lines_and_not_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("goferry.server.accesslog._MOST_WAITING", 600)
    read, write = os.pipe()
    lost: list[int] = []
    log = AccessLog("text", write, lost.append)
    log.start()
    # More than the pipe holds, and nobody reads.
    for _ in range(4):
        for n in range(600):
            log.add([ENTRY._replace(agent="x" * 150, size=n)])
        await asyncio.sleep(0.01)
    assert lost
    reading = asyncio.get_running_loop().run_in_executor(None, _read_all, read)
    await log.close()
    os.close(write)
    lines = (await reading).splitlines()
    assert len(lines) == 2400 - sum(lost)
    assert all(line.endswith('"') for line in lines)


def _read_all(fd: int) -> str:
    with open(fd, "rb") as file:
        return file.read().decode()


async def test_a_reader_that_is_gone_costs_lines_and_not_the_server() -> None:
    read, write = os.pipe()
    os.close(read)
    lost: list[int] = []
    log = AccessLog("json", write, lost.append)
    log.start()
    log.add([ENTRY])
    await log.close()
    os.close(write)
    assert lost == [1]


def test_a_log_that_cannot_be_opened_is_a_setting_at_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="access_log_file"):
        open_log(tmp_path / "no" / "such" / "folder")
