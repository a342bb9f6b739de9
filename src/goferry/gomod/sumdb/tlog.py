"""A log that can only grow, and the short proofs that it did.

The checksum database is a list of records. A tree of hashes stands over it (RFC 6962): records are
leaves, every inner node hashes its two children, and the one hash at the top, the tree head, gets
signed. Two questions have short proofs: "is this record in the tree?" and "is that older tree the
beginning of this one?". Whoever keeps the largest head ever seen and asks the second question each
time can't be shown two histories.

Nothing here reads hashes. A function that needs some comes as a pair: `…_indexes` says which stored
hashes it needs, in rising order, and its twin computes with them in that order. So any caller, async
or not, can fetch.

Node n of level l covers the records [n·2^l, (n+1)·2^l). Its *stored hash index* is its place in the
order in which nodes become known while the log grows (Crosby and Wallach, "Efficient Data Structures for
Tamper-Evident Logging", 3.3). Hashes are 32 raw bytes. Rules and names: golang.org/x/mod/sumdb/tlog.
"""

import re
from base64 import b64encode
from binascii import a2b_base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from goferry.errors import InvalidInput, VerifyError

__all__ = [
    "EMPTY_TREE",
    "HASH_SIZE",
    "Record",
    "Tree",
    "check_record",
    "check_tree",
    "format_hash",
    "format_record",
    "format_tree",
    "node_hash",
    "parse_hash",
    "parse_record",
    "parse_tree",
    "prove_record",
    "prove_record_indexes",
    "prove_tree",
    "prove_tree_indexes",
    "record_hash",
    "split_stored_hash_index",
    "stored_hash_count",
    "stored_hash_index",
    "stored_hashes",
    "stored_hashes_indexes",
    "tree_hash",
    "tree_hash_indexes",
]

HASH_SIZE = 32

_TREE_HEADER = "go.sum database tree"
_MAX_TREE_TEXT = 1_000_000
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_BAD_RECORD_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f]|\n\n|\A\n")
_INT64_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Tree:
    """A log of `size` records and the hash at its top."""

    size: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """One entry of the log: its place, and its text, which is what the leaf hashes."""

    id: int
    text: bytes


# Hashes


def record_hash(text: bytes) -> bytes:
    """The leaf hash of a record."""
    return sha256(b"\x00" + text).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


def format_hash(digest: bytes) -> str:
    """Standard base64."""
    return b64encode(digest).decode()


def parse_hash(text: str) -> bytes:
    """The twin of format_hash. Raises InvalidInput."""
    try:
        digest = a2b_base64(text, strict_mode=True)
    except ValueError as error:
        raise InvalidInput("malformed hash") from error
    if len(digest) != HASH_SIZE:
        raise InvalidInput("malformed hash")
    return digest


EMPTY_TREE = Tree(0, sha256(b"").digest())
"""The tree before its first record (RFC 6962, 2.1)."""


# Where hashes are kept


def stored_hash_index(level: int, n: int) -> int:
    """The place of node n of a level among all stored hashes."""
    # A node is written right behind its right child; from there on it is leaf arithmetic.
    leaf = ((n + 1) << level) - 1
    # Before leaf i come i leaves, i/2 nodes of level 1, i/4 of level 2, …: together 2i minus the
    # one-bits of i.
    return 2 * leaf - leaf.bit_count() + level


def split_stored_hash_index(index: int) -> tuple[int, int]:
    """The level and number of the node at that place: the inverse of stored_hash_index."""
    leaf = index // 2
    start = stored_hash_index(0, leaf)
    while (after := start + 1 + _trailing_ones(leaf)) <= index:
        leaf += 1
        start = after
    level = index - start
    return level, leaf >> level


def _trailing_ones(n: int) -> int:
    """How many subtrees the leaf n completes."""
    return (~n & (n + 1)).bit_length() - 1


def stored_hash_count(size: int) -> int:
    """How many hashes are stored for a log of that many records."""
    return 2 * size - size.bit_count()


def stored_hashes_indexes(n: int) -> tuple[int, ...]:
    """The hashes needed to write record n: the left siblings of all nodes that it completes."""
    return tuple(stored_hash_index(level, (n >> level) - 1) for level in reversed(range(_trailing_ones(n))))


def stored_hashes(leaf: bytes, siblings: Sequence[bytes]) -> list[bytes]:
    """The hashes to append with a record of this leaf hash, from the siblings that its twin asks for."""
    written = [leaf]
    for sibling in reversed(siblings):
        written.append(node_hash(sibling, written[-1]))
    return written


# The hash of a tree, and of any run of records in it


def _split_size(size: int) -> int:
    """Where a tree of that many records (two or more) parts: the largest power of two below it."""
    return 1 << ((size - 1).bit_length() - 1)


def _subtrees(lo: int, hi: int) -> Iterator[int]:
    """The stored indexes of the complete subtrees that together cover the records [lo, hi), left to right."""
    while lo < hi:
        level = (hi - lo).bit_length() - 1
        yield stored_hash_index(level, lo >> level)
        lo += 1 << level


def _fold(hashes: Sequence[bytes]) -> bytes:
    """The hash of the node above a row of ever smaller subtrees."""
    top = hashes[-1]
    for left in reversed(hashes[:-1]):
        top = node_hash(left, top)
    return top


def tree_hash_indexes(size: int) -> tuple[int, ...]:
    """The hashes needed for the tree head of the first `size` records; none for an empty log."""
    return tuple(_subtrees(0, size))


def tree_hash(hashes: Sequence[bytes]) -> bytes:
    """The tree head from what tree_hash_indexes asks for."""
    return _fold(hashes) if hashes else EMPTY_TREE.hash


# Proofs. Both walk from the top down to what is proven, and name what lies beside the road, lowest
# first. That is told in runs of records [lo, hi); the hash of a run is folded from its complete subtrees.


def _record_road(size: int, n: int) -> list[tuple[int, int]]:
    """The runs beside the road from the top of a tree to leaf n, lowest first."""
    lo, hi = 0, size
    beside = []
    while hi - lo > 1:
        middle = lo + _split_size(hi - lo)
        if n < middle:
            beside.append((middle, hi))
            hi = middle
        else:
            beside.append((lo, middle))
            lo = middle
    return beside[::-1]


def _tree_road(size: int, old: int) -> tuple[list[tuple[int, int]], int]:
    """The runs beside the road from the top of a tree to where the older tree ends, lowest first, and `lo`.

    The road ends at the run [lo, old), a subtree of both trees. Where lo is 0 it is the old tree
    itself, whose hash the asker has; else it leads the proof.
    """
    lo, hi = 0, size
    beside = []
    while hi != old:
        middle = lo + _split_size(hi - lo)
        if old <= middle:
            beside.append((middle, hi))
            hi = middle
        else:
            beside.append((lo, middle))
            lo = middle
    return beside[::-1], lo


def _tree_proof_runs(size: int, old: int) -> list[tuple[int, int]]:
    beside, lo = _tree_road(size, old)
    return [(lo, old), *beside] if lo else beside


def _needs(runs: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    return tuple(sorted(index for run in runs for index in _subtrees(*run)))


def _hash_runs(runs: Sequence[tuple[int, int]], hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    stored = dict(zip(_needs(runs), hashes, strict=True))
    return tuple(_fold([stored[index] for index in _subtrees(*run)]) for run in runs)


def _check_record_bounds(size: int, n: int) -> None:
    if not 0 <= n < size:
        raise InvalidInput("no record {id} in a tree of size {size}", id=n, size=size)


def _check_tree_bounds(size: int, old: int) -> None:
    if not 1 <= old <= size:
        raise InvalidInput("a tree of size {size} can't prove one of size {old}", size=size, old=old)


def prove_record_indexes(size: int, n: int) -> tuple[int, ...]:
    """The hashes needed to prove record n in a tree of that size. Raises InvalidInput when there is none."""
    _check_record_bounds(size, n)
    return _needs(_record_road(size, n))


def prove_record(size: int, n: int, hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """The proof (RFC 6962 audit path) that record n is in the tree, lowest node first."""
    _check_record_bounds(size, n)
    return _hash_runs(_record_road(size, n), hashes)


def check_record(proof: Sequence[bytes], tree: Tree, n: int, leaf: bytes) -> None:
    """Raise VerifyError unless the proof shows that record n of the tree has this leaf hash."""
    _check_record_bounds(tree.size, n)
    road = _record_road(tree.size, n)
    top = leaf
    if len(proof) == len(road):
        for (lo, _hi), beside in zip(road, proof, strict=True):
            top = node_hash(beside, top) if lo < n else node_hash(top, beside)
        if top == tree.hash:
            return
    raise VerifyError("invalid transparency proof")


def prove_tree_indexes(size: int, old: int) -> tuple[int, ...]:
    """The hashes that prove a tree begins with an older one. Raises InvalidInput for impossible sizes."""
    _check_tree_bounds(size, old)
    return _needs(_tree_proof_runs(size, old))


def prove_tree(size: int, old: int, hashes: Sequence[bytes]) -> tuple[bytes, ...]:
    """The proof (RFC 6962 consistency proof) that the tree begins with the first `old` records."""
    _check_tree_bounds(size, old)
    return _hash_runs(_tree_proof_runs(size, old), hashes)


def check_tree(proof: Sequence[bytes], new: Tree, old: Tree) -> None:
    """Raise VerifyError unless the proof shows that the new tree begins with the old one."""
    _check_tree_bounds(new.size, old.size)
    road, shared = _tree_road(new.size, old.size)
    start, beside = (proof[:1], proof[1:]) if shared else ((old.hash,), proof)
    if len(start) == 1 and len(beside) == len(road):
        old_top = new_top = start[0]
        for (lo, _hi), neighbour in zip(road, beside, strict=True):
            if lo < old.size:  # left of the road, so part of both trees
                old_top = node_hash(neighbour, old_top)
                new_top = node_hash(neighbour, new_top)
            else:
                new_top = node_hash(new_top, neighbour)
        if (old_top, new_top) == (old.hash, new.hash):
            return
    raise VerifyError("invalid transparency proof")


# How trees and records are written


def format_tree(tree: Tree) -> str:
    """The text that a database signs: three lines, the second the size, the third the hash."""
    return f"{_TREE_HEADER}\n{tree.size}\n{format_hash(tree.hash)}\n"


def parse_tree(text: str) -> Tree:
    """The twin of format_tree. Further lines are ignored, as the format may grow. Raises VerifyError."""
    lines = text.split("\n", 3)
    if len(text) > _MAX_TREE_TEXT or len(lines) < 4 or lines[0] != _TREE_HEADER:
        raise VerifyError("malformed tree note")
    try:
        return Tree(_parse_number(lines[1]), parse_hash(lines[2]))
    except InvalidInput as error:
        raise VerifyError("malformed tree note") from error


def _parse_number(text: str) -> int:
    """A decimal number in its one spelling, as large as Go's int64 can hold."""
    if not _NUMBER.fullmatch(text) or int(text) > _INT64_MAX:
        raise InvalidInput("malformed number {text}", text=text)
    return int(text)


def format_record(record: Record) -> bytes:
    """The record as a lookup answers it: number, text, blank line. Raises InvalidInput for a bad text."""
    if not _is_record_text(record.text):
        raise InvalidInput("malformed record")
    return b"%d\n%b\n" % (record.id, record.text)


def parse_record(message: bytes) -> tuple[Record, bytes]:
    """The record that a lookup's answer begins with, and the rest of the answer. Raises VerifyError."""
    number, _, body = message.partition(b"\n")
    text, blank, rest = body.partition(b"\n\n")
    text += b"\n"
    try:
        record = Record(_parse_number(number.decode("ascii")), text)
    except (InvalidInput, UnicodeDecodeError) as error:
        raise VerifyError("malformed record") from error
    if not blank or not _is_record_text(text):
        raise VerifyError("malformed record")
    return record, rest


def _is_record_text(text: bytes) -> bool:
    """UTF-8, lines only, none of them blank: or a record could pretend to end early."""
    try:
        lines = text.decode()
    except UnicodeDecodeError:
        return False
    return lines.endswith("\n") and not _BAD_RECORD_TEXT.search(lines)
