"""The log's arithmetic and proofs, over every tree up to some size."""

import hashlib
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import InvalidInput, VerifyError
from goferry.gomod.sumdb import tlog
from goferry.gomod.sumdb.tlog import Record, Tree
from sizes import size

SIZE = size(48, 200)


class Log:
    """Every stored hash of a small log, and its head after each record."""

    def __init__(self, count: int) -> None:
        self.stored: list[bytes] = []
        self.leaves: list[bytes] = []
        self.trees = [tlog.EMPTY_TREE]
        for n in range(count):
            leaf = tlog.record_hash(b"leaf %d" % n)
            self.leaves.append(leaf)
            self.stored += tlog.stored_hashes(leaf, self.read(tlog.stored_hashes_indexes(n)))
            self.trees.append(Tree(n + 1, tlog.tree_hash(self.read(tlog.tree_hash_indexes(n + 1)))))

    def read(self, indexes: tuple[int, ...]) -> list[bytes]:
        assert list(indexes) == sorted(set(indexes)), "asked in rising order, each once"
        return [self.stored[index] for index in indexes]


LOG = Log(SIZE)


def plain_tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word: the largest power of two below n goes left."""
    if len(leaves) == 1:
        return leaves[0]
    split = max(1 << k for k in range(20) if 1 << k < len(leaves))
    return tlog.node_hash(plain_tree_hash(leaves[:split]), plain_tree_hash(leaves[split:]))


def flipped(proof: tuple[bytes, ...]) -> list[tuple[bytes, ...]]:
    """The proof with one bit of one hash turned, for each hash; with one left out; with one too many."""
    turned = [
        (*proof[:k], bytes([proof[k][0] ^ 1]) + proof[k][1:], *proof[k + 1 :]) for k in range(len(proof))
    ]
    return [*turned, *(proof[:k] + proof[k + 1 :] for k in range(len(proof))), (*proof, bytes(32))]


def test_the_empty_tree_is_the_hash_of_nothing() -> None:
    assert tlog.tree_hash_indexes(0) == ()
    assert tlog.tree_hash([]) == hashlib.sha256(b"").digest() == tlog.EMPTY_TREE.hash


def test_tree_heads_follow_the_rfc() -> None:
    for tree in LOG.trees[1:]:
        assert tree.hash == plain_tree_hash(LOG.leaves[: tree.size])


def test_stored_indexes_count_up_in_the_order_of_writing() -> None:
    written = itertools.count()
    for n in range(1000):
        level = 0
        while n % (1 << level) == (1 << level) - 1:
            assert tlog.stored_hash_index(level, n >> level) == next(written)
            level += 1
    assert tlog.stored_hash_count(1000) == next(written)


def test_an_empty_log_stores_nothing() -> None:
    assert tlog.stored_hash_count(0) == 0


@given(st.integers(0, 62), st.integers(0, 2**40))
def test_an_index_splits_into_its_level_and_number(level: int, n: int) -> None:
    assert tlog.split_stored_hash_index(tlog.stored_hash_index(level, n)) == (level, n)


def test_every_record_proves_in_every_tree_and_no_changed_proof_does() -> None:
    for tree in LOG.trees:
        for n in range(tree.size):
            proof = tlog.prove_record(tree.size, n, LOG.read(tlog.prove_record_indexes(tree.size, n)))
            tlog.check_record(proof, tree, n, LOG.leaves[n])
            for bad in flipped(proof):
                with pytest.raises(VerifyError):
                    tlog.check_record(bad, tree, n, LOG.leaves[n])


def test_a_record_proof_holds_for_its_own_place_and_text_only() -> None:
    tree = LOG.trees[SIZE]
    proof = tlog.prove_record(SIZE, 7, LOG.read(tlog.prove_record_indexes(SIZE, 7)))
    with pytest.raises(VerifyError):
        tlog.check_record(proof, tree, 6, LOG.leaves[7])
    with pytest.raises(VerifyError):
        tlog.check_record(proof, tree, 7, LOG.leaves[6])


def test_every_tree_proves_every_older_one_and_no_changed_proof_does() -> None:
    for new in LOG.trees[1:]:
        for old in LOG.trees[1 : new.size + 1]:
            proof = tlog.prove_tree(new.size, old.size, LOG.read(tlog.prove_tree_indexes(new.size, old.size)))
            tlog.check_tree(proof, new, old)
            for bad in flipped(proof):
                with pytest.raises(VerifyError):
                    tlog.check_tree(bad, new, old)


def test_a_tree_proof_holds_for_its_own_trees_only() -> None:
    proof = tlog.prove_tree(SIZE, 7, LOG.read(tlog.prove_tree_indexes(SIZE, 7)))
    for new, old in [(LOG.trees[SIZE], Tree(7, bytes(32))), (Tree(SIZE, bytes(32)), LOG.trees[7])]:
        with pytest.raises(VerifyError):
            tlog.check_tree(proof, new, old)


@pytest.mark.parametrize(("tree_size", "n"), [(0, 0), (5, 5), (5, -1), (-1, 0)])
def test_a_record_outside_the_tree_has_no_proof(tree_size: int, n: int) -> None:
    with pytest.raises(InvalidInput):
        tlog.prove_record_indexes(tree_size, n)
    with pytest.raises(InvalidInput):
        tlog.prove_record(tree_size, n, [])
    with pytest.raises(InvalidInput):
        tlog.check_record([], Tree(tree_size, bytes(32)), n, bytes(32))


@pytest.mark.parametrize(("new", "old"), [(0, 0), (5, 0), (5, 6), (5, -1)])
def test_impossible_tree_sizes_have_no_proof(new: int, old: int) -> None:
    with pytest.raises(InvalidInput):
        tlog.prove_tree_indexes(new, old)
    with pytest.raises(InvalidInput):
        tlog.prove_tree(new, old, [])
    with pytest.raises(InvalidInput):
        tlog.check_tree([], Tree(new, bytes(32)), Tree(old, bytes(32)))


# Vectors: facts from golang/mod sumdb/tlog/note_test.go (BSD-3-Clause)
TREE_TEXT = "go.sum database tree\n123456789012\nTszzRgjTG6xce+z2AG31kAXYKBgQVtCSCE40HmuwBb0=\n"
TREE = Tree(123456789012, tlog.record_hash(b"hello world"))


def test_a_tree_is_written_in_three_lines() -> None:
    assert tlog.format_tree(TREE) == TREE_TEXT


@pytest.mark.parametrize("more", ["", "JOE", "JOE\n", "JOE\n" * 1000])
def test_what_follows_the_tree_is_ignored(more: str) -> None:
    assert tlog.parse_tree(TREE_TEXT + more) == TREE


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "not-" + TREE_TEXT,
        TREE_TEXT[:-1],
        TREE_TEXT.replace("tree", "tree v2"),
        TREE_TEXT.replace("123456789012", "0xabcdef"),
        TREE_TEXT.replace("123456789012", "-1"),
        TREE_TEXT.replace("123456789012", "+1"),
        TREE_TEXT.replace("123456789012", "01"),
        TREE_TEXT.replace("123456789012", "١"),
        TREE_TEXT.replace("123456789012", str(2**63)),
        TREE_TEXT.replace("uwBb0=", "uwBTOOBIG="),
        TREE_TEXT.replace("uwBb0=", "uwB="),
        TREE_TEXT.replace("uwBb0=", "uwBb0"),
        TREE_TEXT + "x" * 1_000_000,
    ],
)
def test_a_text_that_is_no_tree_is_refused(bad: str) -> None:
    with pytest.raises(VerifyError):
        tlog.parse_tree(bad)


@given(st.integers(0, 2**63 - 1), st.binary(min_size=32, max_size=32))
def test_trees_read_back(count: int, digest: bytes) -> None:
    assert tlog.parse_tree(tlog.format_tree(Tree(count, digest))) == Tree(count, digest)


def test_a_record_is_its_number_its_text_and_a_blank_line() -> None:
    record = Record(123456789012, b"hello, world\n")
    assert tlog.format_record(record) == b"123456789012\nhello, world\n\n"
    for rest in [b"", b"junk on end\x01\xff", b"\n\n"]:
        assert tlog.parse_record(tlog.format_record(record) + rest) == (record, rest)


BAD_TEXTS = [
    b"",
    b"\n",
    b"hello\nworld",
    b"hello\n\nworld\n",
    b"hello\x01world\n",
    b"hello\xffworld\n",
    b"\nhello\n",
]


@pytest.mark.parametrize("bad", BAD_TEXTS)
def test_a_record_text_is_lines_none_of_them_blank(bad: bytes) -> None:
    with pytest.raises(InvalidInput):
        tlog.format_record(Record(1, bad))


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\n\n",
        b"not-123\nhello, world\n\n",
        b"0x123\nhello, world\n\n",
        b"-1\nhello, world\n\n",
        b"\xd9\xa1\nhello, world\n\n",
        b"123\nhello, world\n",
        b"123\nhello\x01world\n\n",
        b"123\nhello\xffworld\n\n",
        b"123\n\nhello, world\n\n",
    ],
)
def test_an_answer_without_a_whole_record_is_refused(bad: bytes) -> None:
    with pytest.raises(VerifyError):
        tlog.parse_record(bad)


@given(st.binary(max_size=100))
def test_any_bytes_are_judged_and_never_crash(junk: bytes) -> None:
    try:
        record, rest = tlog.parse_record(junk)
    except VerifyError:
        return
    assert tlog.format_record(record) + rest == junk
