"""The memory of a bounded size keeps what was put in last."""

from hypothesis import given
from hypothesis import strategies as st

from goferry.proxy.recent import Recent


def test_the_entry_put_in_longest_ago_makes_room() -> None:
    recent = Recent[str, int](2)
    recent["a"], recent["b"] = 1, 2
    recent["a"] = 3
    recent["c"] = 4
    assert dict(recent) == {"a": 3, "c": 4}


def test_reading_an_entry_does_not_keep_it() -> None:
    recent = Recent[str, int](2)
    recent["a"], recent["b"] = 1, 2
    assert (recent.get("a"), "a" in recent) == (1, True)
    recent["c"] = 3
    assert list(recent) == ["b", "c"]


@given(st.lists(st.integers(0, 9)), st.integers(1, 5))
def test_it_holds_the_last_distinct_keys_and_never_more(keys: list[int], most: int) -> None:
    recent = Recent[int, int](most)
    for count, key in enumerate(keys):
        recent.update({key: count})
    latest = list(dict.fromkeys(reversed(keys)))[:most]
    assert list(recent) == latest[::-1]
