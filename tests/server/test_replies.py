"""Status, headers and text: tables of what is asked and what is answered."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry import errors, i18n
from goferry.server import replies
from goferry.server.replies import NOT_THERE, Content, Reply

BODY = b"0123456789"
ETAG = replies.etag_of(10, BODY)
CONTENT = Content(b"application/zip", replies.FOREVER, 10, 1_700_000_000.5, ETAG, body=BODY)
DATE = b"Tue, 14 Nov 2023 22:13:20 GMT"


def header(reply: Reply, name: bytes) -> bytes | None:
    return dict(reply.headers).get(name)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"bytes=0-0", (0, 1)),
        (b"bytes=2-3", (2, 4)),
        (b"bytes=2-", (2, 10)),
        (b"bytes=-4", (6, 10)),
        (b"bytes=-400", (0, 10)),
        (b"bytes=0-400", (0, 10)),
        (b"Bytes = 1-1", (1, 2)),
        (b"bytes=10-", NOT_THERE),
        (b"bytes=10-20", NOT_THERE),
        (b"bytes=-0", NOT_THERE),
        (b"bytes=3-2", None),
        (b"bytes=0-1,3-4", None),
        (b"bytes=a-b", None),
        (b"bytes=-", None),
        (b"bytes=5", None),
        (b"lines=0-1", None),
        (b"bytes=" + b"9" * 40 + b"-", None),
        (b"", None),
    ],
)
def test_one_range_is_understood_and_the_rest_is_ignored(
    value: bytes, expected: tuple[int, int] | None
) -> None:
    assert replies.parse_range(value, 10) == expected


def test_a_range_of_nothing_is_not_there() -> None:
    assert replies.parse_range(b"bytes=0-", 0) == NOT_THERE
    assert replies.parse_range(b"bytes=-5", 0) == NOT_THERE


@given(st.integers(0, 50), st.integers(0, 50), st.binary(min_size=1, max_size=40))
def test_a_part_is_those_bytes_and_says_so(first: int, length: int, body: bytes) -> None:
    content = Content(b"x/y", b"c", len(body), 0.0, b'"e"', body=body)
    last = first + length
    reply = replies.conditional(content, {b"range": b"bytes=%d-%d" % (first, last)})
    if first >= len(body):
        assert reply.status == 416
        assert header(reply, b"content-range") == b"bytes */%d" % len(body)
    else:
        assert reply.status == 206
        assert reply.body == body[first : last + 1]
        assert header(reply, b"content-length") == b"%d" % len(reply.body)
        start, end = first, min(last, len(body) - 1)
        assert header(reply, b"content-range") == b"bytes %d-%d/%d" % (start, end, len(body))


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({}, 200),
        ({b"if-none-match": ETAG}, 304),
        ({b"if-none-match": b"W/" + ETAG}, 304),
        ({b"if-none-match": b'"other", ' + ETAG}, 304),
        ({b"if-none-match": b"*"}, 304),
        ({b"if-none-match": b'"other"'}, 200),
        ({b"if-modified-since": DATE}, 304),
        ({b"if-modified-since": b"Tue, 14 Nov 2023 22:13:19 GMT"}, 200),
        ({b"if-modified-since": b"yesterday"}, 200),
        ({b"if-modified-since": b"Tue, 14 Nov 99999 22:13:20 GMT"}, 200),
        # The tag counts more than the date.
        ({b"if-none-match": b'"other"', b"if-modified-since": DATE}, 200),
        ({b"range": b"bytes=1-2"}, 206),
        ({b"range": b"bytes=1-2", b"if-range": ETAG}, 206),
        ({b"range": b"bytes=1-2", b"if-range": b'"other"'}, 200),
        ({b"range": b"bytes=1-2", b"if-range": DATE}, 200),
        ({b"range": b"bytes=99-"}, 416),
        ({b"range": b"bytes=99-", b"if-range": b'"other"'}, 200),
        ({b"range": b"bytes=1-2", b"if-none-match": ETAG}, 304),
    ],
)
def test_conditions(asked: dict[bytes, bytes], status: int) -> None:
    assert replies.conditional(CONTENT, asked).status == status


def test_a_whole_answer_has_everything_a_cache_needs() -> None:
    assert replies.whole(CONTENT).headers == [
        (b"content-type", b"application/zip"),
        (b"content-length", b"10"),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"etag", ETAG),
        (b"last-modified", DATE),
    ]


def test_big_files_say_that_they_can_be_had_in_parts() -> None:
    big = Content(b"application/zip", replies.FOREVER, replies.TAIL + 1, 0.0, ETAG, file="x.zip")
    assert header(replies.whole(big), b"accept-ranges") == b"bytes"
    assert header(replies.whole(CONTENT), b"accept-ranges") is None


def test_unchanged_has_no_body_but_the_validators() -> None:
    reply = replies.conditional(CONTENT, {b"if-none-match": ETAG})
    assert reply.body == b""
    assert [name for name, _ in reply.headers] == [b"cache-control", b"etag", b"last-modified"]


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_equal_bytes_have_equal_tags_and_others_do_not(a: bytes, b: bytes) -> None:
    assert (replies.etag_of(len(a), a) == replies.etag_of(len(b), b)) == (a == b)


@pytest.mark.parametrize(
    ("immutable", "stale", "expected"),
    [
        (True, False, b"public, max-age=31536000, immutable"),
        (False, False, b"public, max-age=60"),
        (False, True, b"no-cache"),
    ],
)
def test_cache_control(immutable: bool, stale: bool, expected: bytes) -> None:
    assert replies.cache_control(immutable=immutable, stale=stale, fresh=60.0) == expected


@pytest.mark.parametrize(
    ("kind", "rest", "expected"),
    [
        ("list", "", b"text/plain; charset=utf-8"),
        ("mod", "", b"text/plain; charset=utf-8"),
        ("info", "", b"application/json"),
        ("latest", "", b"application/json"),
        ("zip", "", b"application/zip"),
        ("sumdb", "latest", b"text/plain; charset=utf-8"),
        ("sumdb", "supported", b"text/plain; charset=utf-8"),
        ("sumdb", "lookup/example.org/m@v1.0.0", b"text/plain; charset=utf-8"),
        ("sumdb", "tile/8/data/000", b"text/plain; charset=utf-8"),
        ("sumdb", "tile/8/0/x001/234", b"application/octet-stream"),
    ],
)
def test_content_types(kind: str, rest: str, expected: bytes) -> None:
    assert replies.content_type(kind, rest) == expected


ERRORS = [
    (errors.InvalidInput, 400, b"public, max-age=10"),
    (errors.NotFound, 404, b"public, max-age=10"),
    (errors.Refused, 403, b"no-store"),
    (errors.VerifyError, 403, b"no-store"),
    (errors.UpstreamError, 502, b"no-store"),
    (errors.UpstreamTimeout, 504, b"no-store"),
    (errors.Unavailable, 503, b"no-store"),
    (errors.StorageError, 503, b"no-store"),
    (errors.LoopDetected, 508, b"no-store"),
    (errors.ConfigError, 500, b"no-store"),
]


@pytest.mark.parametrize(("family", "status", "keep"), ERRORS)
def test_every_family_has_its_status(family: type[errors.GoferryError], status: int, keep: bytes) -> None:
    reply = replies.error(family("it is {how}", how="so", hint="do that"))
    assert reply.status == status
    assert header(reply, b"content-type") == b"text/plain; charset=utf-8"
    assert header(reply, b"cache-control") == keep
    assert (header(reply, b"retry-after") is not None) == (status == 503)
    assert reply.body == b"it is so\ndo that\n"


def test_only_not_found_is_ever_404() -> None:
    families = [errors.GoferryError]
    for family in families:
        families += family.__subclasses__()
        assert (family.status in (404, 410)) == issubclass(family, errors.NotFound), family


def test_an_answer_that_may_change_is_kept_by_nobody() -> None:
    reply = replies.error(errors.NotFound("not in the store"), may_change=True)
    assert header(reply, b"cache-control") == b"no-store"


@given(st.text(max_size=3000), st.text(max_size=3000) | st.none())
def test_error_texts_are_what_go_shows(message: str, hint: str | None) -> None:
    reply = replies.error(errors.UpstreamError("{m}", m=message, hint="{m}" if hint else None))
    text = reply.body.decode()
    assert len(reply.body) <= 648
    lines = text.splitlines()
    assert len(lines) <= 8
    assert all(line.strip() for line in lines[:-1])
    assert all(c.isprintable() for c in text.replace("\n", ""))
    assert header(reply, b"content-length") == b"%d" % len(reply.body)


def test_errors_speak_the_language_in_use() -> None:
    i18n.activate("zh_CN")
    assert replies.error(errors.NotFound("{x}", x="没有")).body == "没有\n".encode()
