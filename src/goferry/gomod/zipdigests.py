"""SHA-256 of every file in a zip, by two cores where that is quicker.

Unpacking and hashing need no interpreter lock, but each member takes it back a few times, and most members are small.
So a process that has no other thread makes a copy of itself for the time of one big zip, and both take shares of it
until there are none. Where other threads are (one of them may hold a lock that the copy would wait for for ever), two
threads share the zip: one has the small members, where half of the work is Python, and the other the big ones, where
hardly any is. Two that both work through small ones pass the lock back and forth more than they work.
"""

import hashlib
import os
import signal
import struct
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from goferry.gomod.ziparchive import Archive, Entry, ZipError, usable_cores

_WORTH_IT: Final = 4 * 1024 * 1024
_MOST_MAPPED: Final = 8 * 1024 * 1024
_MEMBER: Final = 6 * 1024
"""What a member costs beside its content, in bytes of content."""

_SHARE: Final = 1024 * 1024
_MOST_SHARES: Final = 1000
"""Their numbers must fit into a pipe that nobody reads yet; it may have no more than a page."""

_NUMBER: Final = struct.Struct("<L")
_DIGEST: Final = 32


def digests(archive: Archive, *, workers: int | None = None) -> list[str]:
    """The lower-hex SHA-256 of every member's content, in the order of `archive.entries`, each proven against its
    declared size and CRC. Raises ZipError for the first member (in that order) that is not what the directory says.

    `workers` is how many may work at once, one or two; by default two where there are two cores to run on and the
    archive is worth it.
    """
    hashing = _Hashing(archive)
    if workers is None:
        big = sum(entry.size for entry in archive.entries) >= _WORTH_IT
        workers = 2 if big and usable_cores() > 1 else 1
    if workers == 1:
        hashing.work(deque(range(len(archive.entries))), deque())
    elif not (_is_single_threaded() and hashing.share_with_a_copy()):
        hashing.share_with_a_thread()
    return hashing.result()


def _is_single_threaded() -> bool:
    """Whether this process has one thread, as far as the system knows; False where that cannot be known."""
    if sys.platform != "linux":
        return False
    with suppress(OSError):
        return len(list(Path("/proc/self/task").iterdir())) == 1
    return False


class _Hashing:
    """Digests of one archive, as far as they are known."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._digests = [""] * len(archive.entries)
        self._has_failed = False
        self._mapped = 0

    def result(self) -> list[str]:
        # Which member is named must not depend on who was quicker, nor what is returned on everybody's having come
        # through: what is missing is looked at here, in its order.
        for at, digest in enumerate(self._digests):
            if not digest:
                self._hash(at)
        return self._digests

    def _hash(self, at: int) -> None:
        entry = self._archive.entries[at]
        content = self._archive.whole(entry)
        if content is None:
            digest = hashlib.sha256()
            self._archive.walk(entry, digest.update)
        else:
            digest = hashlib.sha256(content)
        self._digests[at] = digest.hexdigest()
        self._mapped += entry.packed
        if self._mapped >= _MOST_MAPPED:
            self._archive.unmap_read()
            self._mapped = 0

    # ---- with a thread ---------------------------------------------------------------------------------------

    def share_with_a_thread(self) -> None:
        small, big = _by_size(self._archive.entries)
        helper = threading.Thread(target=self.work, args=(big, small), daemon=True)
        helper.start()
        self.work(small, big)
        helper.join()

    def work(self, mine: deque[int], others: deque[int]) -> None:
        """Hash what is mine, then what others have not come to, until something is not as it should be."""
        while not self._has_failed:
            try:
                at = mine.popleft() if mine else others.pop()
            except IndexError:  # another one took the last
                if not mine and not others:
                    return
                continue
            try:
                self._hash(at)
            except ZipError:
                self._has_failed = True

    # ---- with a copy of this process -------------------------------------------------------------------------

    def share_with_a_copy(self) -> bool:
        """False when there can be no copy."""
        shares = _in_order(self._archive.entries)
        numbers, numbers_in = os.pipe()
        digests, digests_in = os.pipe()
        os.write(numbers_in, b"".join(map(_NUMBER.pack, range(len(shares)))))
        os.close(numbers_in)
        try:
            copy = os.fork()
        except OSError:
            for end in (numbers, digests, digests_in):
                os.close(end)
            return False
        if copy == 0:
            self._be_the_copy(shares, numbers, digests_in)
        os.close(digests_in)
        try:
            with suppress(ZipError):
                for number in _taken(numbers):
                    for at in shares[number]:
                        self._hash(at)
                self._note(shares, digests)
        finally:
            os.close(numbers)
            os.close(digests)
            os.kill(copy, signal.SIGKILL)  # done with it, or nobody needs what it does
            os.waitpid(copy, 0)
        return True

    def _be_the_copy(self, shares: Sequence[range], numbers: int, sink: int) -> None:
        """Never returns: what belongs to the process that this one is a copy of is not for it."""
        try:
            with open(sink, "wb") as out:
                done = []
                for number in _taken(numbers):
                    for at in shares[number]:
                        self._hash(at)
                    done.append(number)
                for number in done:
                    out.write(_NUMBER.pack(number))
                    out.write(bytes.fromhex("".join(self._digests[at] for at in shares[number])))
        finally:
            os._exit(0)

    def _note(self, shares: Sequence[range], source: int) -> None:
        """What the copy has found; nothing of it when it failed."""
        with open(source, "rb", closefd=False) as file:
            while len(head := file.read(_NUMBER.size)) == _NUMBER.size:
                share = shares[_NUMBER.unpack(head)[0]]
                found = file.read(_DIGEST * len(share))
                if len(found) == _DIGEST * len(share):
                    text = found.hex()
                    for nth, at in enumerate(share):
                        self._digests[at] = text[2 * _DIGEST * nth : 2 * _DIGEST * (nth + 1)]


def _cost(entries: Sequence[Entry]) -> int:
    return sum(entry.size for entry in entries) + _MEMBER * len(entries)


def _by_size(entries: Sequence[Entry]) -> tuple[deque[int], deque[int]]:
    """The small members and the big ones, by their places; either half costs about the same."""
    total = _cost(entries)
    limit, cost = 0, 0
    for limit in sorted(entry.size for entry in entries):
        cost += limit + _MEMBER
        if 2 * cost >= total:
            break
    small, big = deque[int](), deque[int]()
    for at, entry in enumerate(entries):
        (small if entry.size <= limit else big).append(at)
    return small, big


def _in_order(entries: Sequence[Entry]) -> list[range]:
    """Neighbours that are taken at once: asking for each alone would cost more than a small one itself."""
    enough = max(_SHARE, _cost(entries) // _MOST_SHARES)
    shares = []
    first, cost = 0, 0
    for at, entry in enumerate(entries):
        cost += entry.size + _MEMBER
        if cost >= enough:
            shares.append(range(first, at + 1))
            first, cost = at + 1, 0
    if first < len(entries):
        shares.append(range(first, len(entries)))
    return shares


def _taken(numbers: int) -> Iterator[int]:
    """Numbers out of a pipe that two processes read: each goes to one of them."""
    while len(number := os.read(numbers, _NUMBER.size)) == _NUMBER.size:
        yield _NUMBER.unpack(number)[0]
