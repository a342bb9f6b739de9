"""h1 hashes: the rule by hand, the vectors everybody knows, and the real dirhash."""

import base64
import hashlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import InvalidInput
from goferry.gomod import dirhash
from goferry.gomod.ziparchive import ZipError
from oracle import Oracle
from rawzip import Member, Zip
from sizes import size


def h1_by_hand(files: dict[bytes, bytes]) -> str:
    lines = b"".join(
        hashlib.sha256(data).hexdigest().encode() + b"  " + name + b"\n"
        for name, data in sorted(files.items())
    )
    return "h1:" + base64.b64encode(hashlib.sha256(lines).digest()).decode()


# Vectors: facts from golang/mod sumdb/dirhash/hash_test.go and zip/testdata (BSD-3-Clause).
def test_hash1_sorts_the_names() -> None:
    def data_for(name: str) -> io.BytesIO:
        return io.BytesIO(f"data for {name}".encode())

    want = h1_by_hand({b"abc": b"data for abc", b"xyz": b"data for xyz"})
    assert dirhash.hash1(["xyz", "abc"], data_for) == dirhash.hash1(["abc", "xyz"], data_for) == want


def test_hash_of_nothing_is_the_hash_of_an_empty_summary() -> None:
    assert dirhash.hash1([], io.BytesIO) == "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_names_with_newlines_are_refused(tmp_path) -> None:
    with pytest.raises(InvalidInput, match="newlines"):
        dirhash.hash1(["a\nbc"], lambda name: io.BytesIO(b""))
    path = tmp_path / "m.zip"
    path.write_bytes(Zip([Member(b"a\nbc")]).build())
    with pytest.raises(ZipError, match="newline"):
        dirhash.hash_zip(path)


def test_a_zip_with_one_name_twice_has_no_hash(tmp_path) -> None:
    path = tmp_path / "m.zip"
    path.write_bytes(Zip([Member(b"m/a", b"1"), Member(b"m/a", b"2")]).build())
    with pytest.raises(ZipError, match="same name"):
        dirhash.hash_zip(path)


def test_hash_dir_names_the_folder_by_its_prefix(tmp_path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "xyz").write_text("data for xyz")
    (tmp_path / "sub" / "abc").write_text("data for abc")
    assert dirhash.hash_dir(tmp_path, "prefix") == h1_by_hand(
        {b"prefix/xyz": b"data for xyz", b"prefix/sub/abc": b"data for abc"}
    )


def test_hash_zip_takes_neither_order_nor_packing_nor_time_into_account(tmp_path) -> None:
    members = [Member(b"m/xyz", b"data for xyz"), Member(b"m/abc", b"data for abc", method=0)]
    sums = set()
    for at, order in enumerate((members, members[::-1])):
        path = tmp_path / f"{at}.zip"
        path.write_bytes(Zip(order).build())
        sums.add(dirhash.hash_zip(path))
    assert sums == {h1_by_hand({b"m/xyz": b"data for xyz", b"m/abc": b"data for abc"})}


def test_hash_go_mod_is_a_tree_of_one_file() -> None:
    data = b"module example.com/m\n"
    assert dirhash.hash_go_mod(data) == h1_by_hand({b"go.mod": data})


@given(
    st.dictionaries(st.text(st.characters(exclude_characters="\n", codec="utf-8"), min_size=1), st.binary())
)
def test_hash1_is_the_rule(files: dict[str, bytes]) -> None:
    got = dirhash.hash1(files, lambda name: io.BytesIO(files[name]))
    assert got == h1_by_hand({name.encode(): data for name, data in files.items()})


@pytest.mark.go
def test_go_computes_the_same(oracle: Oracle, tmp_path) -> None:
    calls, mine = [], []
    for n in range(size(10, 100)):
        members = [
            Member(b"m@v1.0.0/f%d" % i, bytes([i]) * (i * n * 137), method=8 * (i % 2)) for i in range(n)
        ]
        path = tmp_path / f"{n}.zip"
        path.write_bytes(Zip([*members, Member(b"m@v1.0.0/dir/", method=0)]).build())
        calls.append(("dirhash.HashZip", path))
        mine.append(dirhash.hash_zip(path))
        calls.append(("dirhash.HashGoMod", b"module m%d\n" % n))
        mine.append(dirhash.hash_go_mod(b"module m%d\n" % n))
    assert [answer.value for answer in oracle.ask_each(calls)] == mine
