"""Bytes of any paste become the lines that the programs wrote."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.doctor.explain.clean import LINE, SMALL, encoding_of, paste_of
from goferry.doctor.explain.judge import explain

ERROR = 'go: x.y/z@v1.0.0: Get "https://goproxy.cn/x.y/z/@v/v1.0.0.mod": dial tcp 1.2.3.4:443: i/o timeout'


def lines(data: bytes | str) -> list[str]:
    raw = data.encode() if isinstance(data, str) else data
    return [line.text for line in paste_of([raw]).lines]


@pytest.mark.parametrize(
    "raw",
    [
        ERROR,
        ERROR + "\r\n",
        "progress 10%\rprogress 99%\r" + ERROR,
        f"\x1b[31m{ERROR}\x1b[0m",
        f"\x1b]8;;https://x\x07{ERROR}\x1b]8;;\x07",
        f"2024-01-05T10:11:12.1234567Z {ERROR}",
        f"2024-01-05T10:11:12.1234567Z ##[error]{ERROR}",
        f"[2026-08-11T11:43:37.039Z] {ERROR}",
        f"10:11:12 {ERROR}",
        f"[10:11:12] {ERROR}",
        f"#12 3.456 {ERROR}",
        f"#12 {ERROR}",
        f"0.278 {ERROR}",
        f" > {ERROR}",
        f"section_start:1560896352:build\r{ERROR}",
        f"app-1  | {ERROR}",
        f"INFO[0012] {ERROR}",
        f"stdout: {ERROR}",
        f"2024-01-05 10:11:12 [10:11:12] #5 1.200 {ERROR}",
    ],
)
def test_what_build_tools_put_before_a_line_comes_off(raw: str) -> None:
    assert ERROR in lines(raw)


@pytest.mark.parametrize(
    "raw",
    [
        '\t"Error": "x.y/z@v1.0.0: EOF",',
        '{"Path":"x.y/z","Version":"v1.0.0","Error":"x.y/z@v1.0.0: EOF"}',
        '{"Time":"2024-01-05T10:11:12Z","Action":"output","Output":"x.y/z@v1.0.0: EOF\\n"}',
        '{"level":"error","msg":"x.y/z@v1.0.0: EOF"}',
        '{"log":"x.y/z@v1.0.0: EOF\\n","stream":"stderr","time":"2024-01-05T10:11:12Z"}',
    ],
)
def test_errors_inside_json_strings_are_read(raw: str) -> None:
    assert lines(raw) == ["x.y/z@v1.0.0: EOF"]


def test_escaped_line_ends_inside_a_message_are_line_ends() -> None:
    raw = 'time=x err="go: x.y/z@v1.0.0: exit status 128:\\n\\tfatal: could not read Username"'
    assert lines(raw)[1] == "\tfatal: could not read Username"


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "gb18030", "gbk"])
def test_any_encoding_is_read(name: str) -> None:
    text = f"错误：无法下载模块\r\n{ERROR}\r\n退出状态一"
    assert lines(text.encode(name)) == ["错误：无法下载模块", ERROR, "退出状态一"]


def test_a_mark_at_the_start_names_the_encoding() -> None:
    assert encoding_of(codecs.BOM_UTF16_LE + "x".encode("utf-16-le")) == "utf-16"
    assert encoding_of(b"") == "utf-8"


def test_a_character_that_is_cut_between_two_chunks_is_whole() -> None:
    raw = ("。" * 5000 + "\n" + ERROR).encode()
    chunks = [raw[i : i + 1000] for i in range(0, len(raw), 1000)]
    assert [line.text for line in paste_of(chunks).lines][-1] == ERROR


def test_lines_keep_the_numbers_that_they_have_in_the_input() -> None:
    assert [line.number for line in paste_of([b"\n\na\n\nb"]).lines] == [3, 5]


@pytest.mark.parametrize(
    "noise",
    [
        b"compiling something quite ordinary, step after step\n",
        b"go: downloading github.com/some/module v1.2.3 (not found in cache, timeout 3)\n",
        b"x" * 997,
    ],
)
def test_one_line_of_a_huge_log_is_found_and_little_is_kept(noise: bytes) -> None:
    def log() -> list[bytes]:
        chunk = noise * (200_000 // len(noise))
        return [chunk] * 40 + [b"\n" + ERROR.encode() + b"\n"] + [chunk] * 40

    paste = paste_of(log())
    assert ERROR in {line.text for line in paste.lines}
    assert sum(len(line.text) for line in paste.lines) < 4 * SMALL
    assert explain(log()).verdict.cause == "goproxy_host_blocked"


def test_the_number_of_a_line_is_right_behind_what_was_left_out() -> None:
    quiet = b"nothing of note\n" * 100_000
    paste = paste_of([quiet[i : i + 65536] for i in range(0, len(quiet), 65536)] + [ERROR.encode()])
    assert (paste.lines[-1].number, paste.lines[-1].text) == (100_001, ERROR)


def test_an_error_inside_a_binary_file_is_found() -> None:
    noise = bytes(range(256)) * 40
    assert encoding_of(noise) == "latin-1"
    assert explain([noise + b"\n" + ERROR.encode() + b"\n" + noise]).verdict.cause == "goproxy_host_blocked"


def test_a_line_without_end_is_cut() -> None:
    (line,) = paste_of([ERROR.encode(), *[b"a" * 65536] * 60]).lines
    assert line.text.startswith(ERROR)
    assert len(line.text) == LINE


def test_prefixes_tell_of_the_place() -> None:
    assert paste_of([b"#12 3.456 RUN go build"]).marks == {"in_container"}
    assert paste_of([b"2024-01-05T10:11:12.1Z ##[error]x"]).marks == {"on_runner"}


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_no_bytes_are_too_odd(chunks: list[bytes]) -> None:
    explanation = explain(chunks)
    assert explanation.verdict.candidates[:1] in ((), (explanation.verdict.cause,))


@given(st.text(max_size=200))
def test_a_message_is_told_whatever_stands_around_it(noise: str) -> None:
    text = noise.replace("\r", " ").replace("\x1b", "") + "\n" + ERROR + "\n" + "end"
    assert ERROR in lines(text.encode("utf-8", "replace"))
