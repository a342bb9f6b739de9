"""GOPROXY texts as people write them, and lists made again from what works."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from doctor.fixes.planworld import MIRROR, OTHER, answer, evidence, goproxy
from goferry.doctor.fixes import goproxylist as lists
from goferry.gomod import goproxy as grammar

# value as it is written, as it was meant (None: nothing of it can be used)
REPAIRS = [
    ("https://goproxy.cn;direct", "https://goproxy.cn,direct"),
    ("https://goproxy.cn,direct;", "https://goproxy.cn,direct"),
    ("https://goproxy.cn direct", "https://goproxy.cn,direct"),
    ("https://goproxy.cn\uff0cdirect", "https://goproxy.cn,direct"),
    ("https://goproxy.cn|direct", "https://goproxy.cn|direct"),
    ('"https://goproxy.cn,direct"', "https://goproxy.cn,direct"),
    ("'https://goproxy.cn'", "https://goproxy.cn"),
    ("\u201chttps://goproxy.cn\u201d,direct", "https://goproxy.cn,direct"),
    ("https://goproxy.cn\r", "https://goproxy.cn"),
    ("goproxy.cn,Direct", "https://goproxy.cn,direct"),
    ("https:/goproxy.cn", "https://goproxy.cn"),
    ("https//goproxy.cn,direct", "https://goproxy.cn,direct"),
    ("htps://goproxy.cn", "https://goproxy.cn"),
    ("HTTPS://goproxy.cn", "https://goproxy.cn"),
    ("GOPROXY=https://goproxy.cn", "https://goproxy.cn"),
    ("export GOPROXY=https://goproxy.cn", "https://goproxy.cn"),
    ("https://goproxy.cn,,direct,", "https://goproxy.cn,direct"),
    ("ftp://goproxy.cn,direct", "direct"),
    ("direct,https://goproxy.cn", "direct"),
    ("http://127.0.0.1:3000;direct", "http://127.0.0.1:3000,direct"),
    ("file:///srv/modules;direct", "file:///srv/modules,direct"),
    ("https://[2001:db8::1]:8080;direct", "https://[2001:db8::1]:8080,direct"),
    ("on", None),
    (" , ", None),
    ("", None),
]


@pytest.mark.parametrize(("written", "meant"), REPAIRS)
def test_a_list_is_read_as_it_was_meant(written: str, meant: str | None) -> None:
    assert lists.repaired(written) == meant


_TEXTS = st.text(
    st.sampled_from(list("hHtps:/.,|;'\" \u201c\uff0ca1=@[]")) | st.characters(exclude_categories=["Cs"]),
    max_size=40,
) | st.lists(
    st.sampled_from(
        ["https://a.example", "b.example", "Direct", "direct", "off", "x", ",", "|", ";", " ", "'"]
    ),
    max_size=8,
).map("".join)


@given(_TEXTS)
def test_a_repaired_list_is_one_that_go_takes_and_that_needs_no_repair(text: str) -> None:
    repaired = lists.repaired(text)
    if repaired is not None:
        assert grammar.parse_list(repaired)
        assert lists.repaired(repaired) == repaired


@given(_TEXTS.filter(lists.words))
def test_bars_let_go_ask_everybody(text: str) -> None:
    entries = grammar.parse_list(lists.with_pipes(text))
    assert entries[-1].url == "direct"
    assert all(entry.falls_through_on_any for entry in entries[:-1])
    assert [entry.url for entry in entries[:-1]] == [
        word for word in dict.fromkeys(lists.words(text)) if word not in ("direct", "off")
    ]


def test_direct_is_added_and_separators_stay() -> None:
    assert (
        lists.with_direct("https://a.example|https://b.example")
        == "https://a.example|https://b.example,direct"
    )
    assert lists.with_direct("https://a.example,off") == "https://a.example,direct"
    assert lists.with_direct("https://a.example,direct") == "https://a.example,direct"


# GOPROXY, answers, hosts to avoid, entries that can stand in
STAND_INS = [
    (f"{MIRROR},{OTHER}", (answer(0, 500), answer(1, 200)), (), [OTHER]),
    (f"{MIRROR},{OTHER}", (answer(0, 200), answer(1, 404)), (), [MIRROR, OTHER]),
    (f"{MIRROR},{OTHER},direct", (), ("mirror.example.org",), [OTHER]),
    (f"{MIRROR}:8443|{OTHER}", (), ("mirror.example.org",), [OTHER]),
    (f"{MIRROR}:8443|{OTHER}", (), ("mirror.example.org:443",), [f"{MIRROR}:8443", OTHER]),
    ("http://127.0.0.1:81,http://127.0.0.1:82", (), ("127.0.0.1:81",), ["http://127.0.0.1:82"]),
    ("http://[::1]:81,http://[::1]:82", (), ("[::1]:81",), ["http://[::1]:82"]),
    (f"{MIRROR},{OTHER}", (answer(0, 0, failure="timeout"), answer(1, 200), answer(1, 502)), (), []),
    (f"{MIRROR}.cn,{OTHER}", (), ("mirror.example.org",), [f"{MIRROR}.cn", OTHER]),
    ("direct", (), (), []),
]


@pytest.mark.parametrize(("value", "answers", "avoid", "wanted"), STAND_INS)
def test_entries_that_answered_stand_in_for_those_that_failed(
    value: str, answers: tuple, avoid: tuple, wanted: list[str]
) -> None:
    seen = evidence(goproxy(value), answers=answers)
    assert lists.other_entries(seen, avoid) == wanted
