"""Pinned addresses in a hosts file: every byte that is not ours stays, whatever the file looks like."""

import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from goferry.doctor import hostsfile
from goferry.errors import InvalidInput
from sizes import size

DAY = datetime.date(2026, 11, 30)
NAME, ADDRESS = "proxy.example.org", "192.0.2.7"
BLOCK = b"# goferry begin proxy.example.org expires 2026-11-30\n192.0.2.7\tproxy.example.org\n# goferry end\n"

FILES = [
    b"",
    b"127.0.0.1 localhost\n",
    b"127.0.0.1 localhost",
    b"127.0.0.1\tlocalhost\r\n::1\tlocalhost\r\n",
    b"127.0.0.1\tlocalhost\r\n::1\tlocalhost",
    b"127.0.0.1 localhost\r\n::1 localhost\n",
    b"\xef\xbb\xbf127.0.0.1 localhost\n",
    b"\xef\xbb\xbf",
    b"127.0.0.1 b\xfcro  # latin-1\n",
    "192.0.2.1 内网  # GBK\n".encode("gbk"),
    b"127.0.0.1 localhost\r",
    b"127.0.0.1 a\r\n\r\nend\r",
    b"\n\n\n",
    b"# goferry begin proxy.example.org expires 2026-11-30\n192.0.2.7\tproxy.example.org\n",
    b"# goferry end\n",
    b"# goferry begin proxy.example.org expires 2026-02-31\n192.0.2.7\tproxy.example.org\n# goferry end\n",
    b"# goferry begin proxy.example.org expires 2026-11-30\n192.0.2.7\tother.example.org\n# goferry end\n",
    b"# goferry begin proxy.example.org expires 2026-11-30\n# goferry end\n",
    b"# goferry begin proxy.example.org expires 2026-11-30",
    b"# goferry begin a.example expires 2026-11-30\nmine 1.2.3.4\n# goferry end\n",
    b"a" * 100_000,
]

lines = st.lists(
    st.one_of(
        st.binary(max_size=12).map(lambda line: line.replace(b"\0", b"")),
        st.sampled_from(
            [
                b"# goferry begin proxy.example.org expires 2026-11-30",
                b"# goferry begin other.example expires 2020-01-01 after a line without newline",
                b"192.0.2.7\tproxy.example.org",
                b"192.0.2.9 other.example",
                b"# goferry end",
                b"#goferry begin",
                b"127.0.0.1 localhost",
            ]
        ),
    ),
    max_size=8,
)
files = st.builds(
    lambda bom, parts, ends, last: (
        bom + b"".join(part + end for part, end in zip(parts, ends, strict=False)) + last
    ),
    st.sampled_from([b"", b"\xef\xbb\xbf"]),
    lines,
    st.lists(st.sampled_from([b"\n", b"\r\n", b"\r"]), min_size=8, max_size=8),
    st.sampled_from([b"", b"192.0.2.1 last", b"# goferry end", b"\r"]),
).filter(lambda data: not data.startswith((b"\xff\xfe", b"\xfe\xff")))
names = st.lists(st.sampled_from(["a.example", "b.example", "c.example"]), min_size=1, max_size=5)
addresses = st.lists(st.ip_addresses().map(str), min_size=1, max_size=3)


def pinned_all(data: bytes, wanted: list[str]) -> bytes:
    for name in wanted:
        data = hostsfile.pin(data, name, [ADDRESS], DAY)
    return data


@pytest.mark.parametrize("data", FILES)
def test_pin_then_remove_gives_the_bytes_from_before(data: bytes) -> None:
    pinned = hostsfile.pin(data, NAME, [ADDRESS, "2001:db8::7"], DAY)
    assert pinned.startswith(data)
    assert hostsfile.remove(pinned, [NAME]) == data


@given(data=files, wanted=names, order=st.randoms())
@example(data=b"x", wanted=["a.example", "b.example"], order=None)
def test_pins_taken_out_in_any_order_leave_nothing_behind(
    data: bytes, wanted: list[str], order: object
) -> None:
    pinned = pinned_all(data, wanted)
    gone = list(dict.fromkeys(wanted))
    if order is not None:
        order.shuffle(gone)  # type: ignore[attr-defined]
    for name in gone:
        pinned = hostsfile.remove(pinned, [name])
    # A block of ours that ended the file without a newline has been given one: it is ours.
    blocks = hostsfile.parse(data).blocks
    ends_with_ours = bool(blocks) and blocks[-1].end == len(data) and not data.endswith(b"\n")
    assert pinned == data or (ends_with_ours and pinned.removesuffix(b"\n").removesuffix(b"\r") == data)


@given(data=files, wanted=names, found=addresses)
def test_what_was_pinned_is_read_back(data: bytes, wanted: list[str], found: list[str]) -> None:
    name = wanted[0]
    pinned = hostsfile.pin(pinned_all(data, wanted), name, found, DAY)
    (block,) = (block for block in hostsfile.parse(pinned).blocks if block.name == name)
    assert (block.addresses, block.expires) == (tuple(found), DAY)


@given(data=files, name=st.sampled_from([NAME, "other.example"]))
def test_pinning_again_changes_only_our_own_lines(data: bytes, name: str) -> None:
    once = hostsfile.pin(data, name, [ADDRESS], DAY)
    again = hostsfile.pin(once, name, ["192.0.2.99"], DAY + datetime.timedelta(1))
    assert hostsfile.remove(again, [name]) == hostsfile.remove(once, [name])


@given(data=files)
def test_taking_everything_out_twice_is_the_same_as_once(data: bytes) -> None:
    assert hostsfile.strip(hostsfile.strip(data)) == hostsfile.strip(data)


def test_a_list_against_advertisements_is_no_trouble() -> None:
    data = b"".join(b"0.0.0.0 ad%d.example\n" % number for number in range(size(100_000, 1_000_000)))
    pinned = hostsfile.pin(hostsfile.pin(data, NAME, [ADDRESS], DAY), "ad7.example", [ADDRESS], DAY)
    assert hostsfile.others(pinned, "ad7.example") == ((8, "0.0.0.0"),)
    assert hostsfile.remove(pinned, [NAME, "ad7.example"]) == data


def test_a_block_says_when_it_expires_and_who_wrote_it() -> None:
    assert hostsfile.pin(b"", NAME, [ADDRESS], DAY) == BLOCK
    assert hostsfile.pin(b"127.0.0.1 a\r\n", NAME, [ADDRESS], DAY) == b"127.0.0.1 a\r\n" + BLOCK.replace(
        b"\n", b"\r\n"
    )


def test_a_text_that_was_added_behind_a_block_stays_on_a_line_of_its_own() -> None:
    pinned = hostsfile.pin(b"127.0.0.1 a", NAME, [ADDRESS], DAY) + b"192.0.2.1 added\n"
    assert hostsfile.remove(pinned, [NAME]) == b"127.0.0.1 a\n192.0.2.1 added\n"


def test_several_blocks_of_one_name_become_one() -> None:
    data = b"127.0.0.1 a\n" + BLOCK + b"# between\n" + BLOCK
    assert hostsfile.pin(data, NAME, ["192.0.2.8"], DAY) == (
        b"127.0.0.1 a\n" + BLOCK.replace(b"192.0.2.7", b"192.0.2.8") + b"# between\n"
    )
    assert hostsfile.remove(data, [NAME]) == b"127.0.0.1 a\n# between\n"


@pytest.mark.parametrize(
    ("data", "strays"),
    [
        (BLOCK, []),
        (BLOCK[:-15], [1]),
        (b"127.0.0.1 a\n# goferry end\n", [2]),
        (BLOCK.replace(b"2026-11-30", b"2026-02-31"), [1, 3]),
        (BLOCK.replace(b"192.0.2.7", b"192.0.2.777"), [1, 3]),
        (b"# goferry begin x.example expires 2026-01-01\n" + BLOCK, [1]),
        (b"  #  Goferry BEGIN something\n", [1]),
    ],
)
def test_a_block_that_is_not_whole_is_told_and_never_touched(data: bytes, strays: list[int]) -> None:
    assert [stray.line for stray in hostsfile.parse(data).strays] == strays
    whole = data.count(BLOCK)
    assert hostsfile.remove(data, [NAME]) == data.replace(BLOCK, b"")
    assert len(hostsfile.parse(data).blocks) == whole


@pytest.mark.parametrize("data", FILES[13:20])
def test_removing_leaves_a_broken_block_alone(data: bytes) -> None:
    assert hostsfile.remove(data, [NAME, "a.example"]) == data


@pytest.mark.parametrize(
    "data", ["127.0.0.1 localhost\n".encode("utf-16"), b"127.0.0.1\0localhost\n", b"\xfe\xff\0a"]
)
def test_a_file_that_no_resolver_can_read_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInput, match="NUL bytes"):
        hostsfile.pin(data, NAME, [ADDRESS], DAY)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"192.0.2.1 Proxy.Example.ORG\n", [(1, "192.0.2.1")]),
        (b"\xef\xbb\xbf192.0.2.1\tx proxy.example.org.\n", [(1, "192.0.2.1")]),
        (b"# 192.0.2.1 proxy.example.org\n", []),
        (BLOCK, []),
        (BLOCK + b"192.0.2.1 proxy.example.org # mine\r\n", [(4, "192.0.2.1")]),
        (b"192.0.2.1 a.proxy.example.org\n", []),
    ],
)
def test_lines_of_others_for_the_same_name_are_found(data: bytes, found: list[tuple[int, str]]) -> None:
    assert list(hostsfile.others(data, NAME)) == found


def test_the_last_day_still_counts() -> None:
    (block,) = hostsfile.parse(BLOCK).blocks
    assert not block.is_expired(DAY)
    assert block.is_expired(DAY + datetime.timedelta(1))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Proxy.Example.ORG.", "proxy.example.org"),
        ("示例.com", "xn--fsq092h.com"),
        ("gitlab", "gitlab"),
        ("1.example", "1.example"),
        ("x" * 63 + ".example", "x" * 63 + ".example"),
    ],
)
def test_names_are_written_in_their_plain_form(text: str, name: str) -> None:
    assert hostsfile.host_name(text) == name


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "a b",
        "a\nb",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "192.0.2.1",
        "::1",
        "*.example.org",
        "https://example.org",
        "example.org/x",
        "example.org:443",
        "localhost",
        "x.localhost",
        "x" * 64 + ".example",
        ".".join(["x" * 60] * 5),
        "a#b",
        "\udc80.example",
    ],
)
def test_what_is_no_host_name_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        hostsfile.host_name(text)


@pytest.mark.parametrize("text", ["", "x", "192.0.2.300", "fe80::1%eth0", "192.0.2.0/24"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        hostsfile.pin(b"", NAME, [text], DAY)


def test_no_address_is_no_pin() -> None:
    with pytest.raises(InvalidInput, match="no address"):
        hostsfile.pin(b"", NAME, [], DAY)
