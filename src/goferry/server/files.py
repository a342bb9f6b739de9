"""Stored files that never change, ready to be sent: small ones in memory, of big ones only what the headers need.

The truth is the file. What is in memory counts only while size, time and inode of the file are the same. A stat for
every request would be a third of what goferry spends on a small file, so a look at it holds for VALID seconds, unless
something was removed from the store: then everything is looked at anew. What `cache rm` or a quarantine took away is
gone here too, in every worker, within LOOK seconds; what somebody deleted behind the store's back, within VALID.
"""

import os
import re
import stat
import threading
from collections import OrderedDict
from typing import Any, Final

from goferry.errors import GoferryError
from goferry.gomod.goproxy import parse_request
from goferry.server import replies
from goferry.server.replies import TAIL, Content
from goferry.storage.keys import REMOVALS

SMALL: Final = TAIL
"""Files up to this many bytes are kept in memory and sent from there; bigger ones are sent from disk."""

VALID: Final = 1.0
"""Seconds for which a look at a file holds while nothing is removed from the store."""

LOOK: Final = 0.02
"""Seconds between two looks whether something was removed: no more than a request before the removal may take."""

_OVERHEAD: Final = 1500
"""Bytes of memory that an entry takes beside its body: objects, headers, keys."""

IMMUTABLE = re.compile(
    r"/(?:[a-z0-9_~!\-][a-z0-9._~!\-]*/)+"
    r"@v/v(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)\.(?:0|[1-9][0-9]*)(?:-[0-9a-z.!\-]+)?(?:\+incompatible)?"
    r"\.(info|mod|zip)\Z"
)
"""URL paths whose file, if there is one, is complete, verified and final.

Only what needs no decoding and no second thought: no element starts with a dot (so none is `..` or the store's own
`.goferry`), and the version looks canonical. Whether it is one and fits the module's path, gomod says when the file is
first loaded: the .info of anything else (a branch, `v1`, `v2.0.0` of a path without /v2) is stored too, but changes.
"""

Stamp = tuple[int, int, int]


class Ready:
    """An answer, ready to be sent. `start` and `body` are ASGI messages; they are sent as they are, many times.

    `stamp` is that of the file whose bytes they are, `seen` when it was last looked at.
    """

    __slots__ = ("body", "content", "is_small", "key", "kind", "seen", "stamp", "start")

    def __init__(
        self, key: str, kind: str, content: Content, stamp: Stamp = (0, 0, 0), seen: float = 0.0
    ) -> None:
        self.key = key
        self.kind = kind
        self.content = content
        self.stamp = stamp
        self.seen = seen
        self.is_small = content.body is not None
        whole = replies.whole(content)
        self.start: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": whole.headers}
        if content.body is not None:
            self.body: dict[str, Any] = {"type": "http.response.body", "body": content.body}
        else:
            self.body = {"type": "http.response.pathsend", "path": str(content.file)}


class ReadyFiles:
    """The files below `root` (a folder laid out as the URLs), with at most `limit` bytes of memory.

    Several threads may look for files at the same time.
    """

    def __init__(self, root: str, limit: int) -> None:
        self._root = root.rstrip("/")
        self._limit = limit
        self._entries: OrderedDict[str, Ready] = OrderedDict()
        self.bytes = 0
        self._removals = os.path.join(root, REMOVALS)
        self._lock = threading.Lock()
        self._removed = -1
        self._looked = self._changed = -LOOK

    def find(self, path: str, now: float) -> Ready | None:
        """The file behind a URL path (with its leading slash) that IMMUTABLE matches; None when there is none.

        `now` is a monotonic time in seconds.
        """
        if now - self._looked >= LOOK:
            self._look_for_removals(now)
        entry = self._entries.get(path)
        if entry is None:
            if not IMMUTABLE.match(path):
                return None
        elif entry.is_small and entry.seen >= self._changed and now - entry.seen < VALID:
            return entry
        with self._lock:
            return self._look(path, now)

    def _look(self, path: str, now: float) -> Ready | None:
        entry = self._entries.get(path)
        try:
            s = os.stat(self._root + path)  # noqa: PTH116 - as PTH118: once per request
        except OSError:
            return None
        if entry is not None and entry.stamp == (s.st_mtime_ns, s.st_size, s.st_ino):
            self._entries.move_to_end(path)
            entry.seen = now
            return entry
        return self._load(path, now)

    def _look_for_removals(self, now: float) -> None:
        try:
            removed = os.stat(self._removals).st_size  # noqa: PTH116 - as below
        except OSError:
            removed = 0
        if removed != self._removed:
            self._changed = now
            self._removed = removed
        # Last of all: another thread that sees it must see the change, too.
        self._looked = now

    def _load(self, path: str, now: float) -> Ready | None:
        if not _is_exact(path):
            return None
        kind = path.rpartition(".")[2]
        content, stamp = read_content(self._root + path, replies.CONTENT_TYPES[kind], replies.FOREVER)
        if content is None:
            return None
        entry = Ready(path[1:], kind, content, stamp, now)
        self._forget(path)
        self._entries[path] = entry
        self.bytes += _cost(entry)
        while self.bytes > self._limit and self._entries:
            self._forget(next(iter(self._entries)))
        return entry

    def _forget(self, path: str) -> None:
        if (entry := self._entries.pop(path, None)) is not None:
            self.bytes -= _cost(entry)


def _is_exact(path: str) -> bool:
    try:
        return parse_request(path[1:]).exact
    except GoferryError:
        return False


def _cost(entry: Ready) -> int:
    return len(entry.content.body or b"") + _OVERHEAD


def read_content(path: str, content_type: bytes, cache_control: bytes) -> tuple[Content | None, Stamp]:
    """A file as Content, its bytes too if it is small. None when it is not there or no regular file."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0))
    except OSError:
        return None, (0, 0, 0)
    try:
        # The stamp is that of the bytes which are read here, whatever has happened to the name since.
        s = os.fstat(fd)
        stamp = (s.st_mtime_ns, s.st_size, s.st_ino)
        if not stat.S_ISREG(s.st_mode):
            return None, stamp
        tail = _read_at(fd, max(0, s.st_size - TAIL), min(TAIL, s.st_size))
    finally:
        os.close(fd)
    small = s.st_size <= SMALL
    content = Content(
        content_type,
        cache_control,
        s.st_size,
        s.st_mtime,
        replies.etag_of(s.st_size, tail),
        body=tail if small else None,
        file=None if small else path,
    )
    return content, stamp


def _read_at(fd: int, offset: int, count: int) -> bytes:
    os.lseek(fd, offset, os.SEEK_SET)
    parts = []
    while count and (part := os.read(fd, count)):
        parts.append(part)
        count -= len(part)
    return b"".join(parts)
