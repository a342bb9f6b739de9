"""A big body on its way into the store: counted, limited, and known to be nearly here or not."""

from goferry.errors import VerifyError
from goferry.storage.base import Upload

_CHEAP_REST = 8 << 20
"""Bytes still missing that are always fetched to the end, even if nobody waits any more."""


class Intake:
    """The Sink that upstreams write a zip into. `limit` is bytes (Go allows 500 MiB, x/mod/zip MaxZipFile)."""

    def __init__(self, upload: Upload, limit: int) -> None:
        self.upload = upload
        self._limit = limit
        self._expected: int | None = None

    @property
    def size(self) -> int:
        return self.upload.size

    def expect(self, size: int | None) -> None:
        if size is not None:
            self._check(size)
        self._expected = size

    async def write(self, chunk: bytes) -> None:
        self._check(self.upload.size + len(chunk))
        await self.upload.write(chunk)

    async def truncate(self, size: int = 0) -> None:
        await self.upload.truncate(size)

    def nearly_done(self) -> bool:
        """More is here than is missing, or what is missing is little."""
        if self._expected is None:
            return False
        missing = self._expected - self.upload.size
        return missing <= max(self.upload.size, _CHEAP_REST)

    def _check(self, size: int) -> None:
        if size > self._limit:
            raise VerifyError(
                "the zip is {size} bytes, over the limit of {limit}", size=size, limit=self._limit
            )
