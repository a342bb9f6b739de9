"""A `file://` entry reads a folder that is laid out as the URLs are."""

from pathlib import Path

import pytest

from goferry.errors import InvalidInput, NotFound
from goferry.gomod.module import Version
from goferry.upstream.files import FileFetcher


class Bytes:
    def __init__(self) -> None:
        self.body = b"left over"
        self.announced: int | None = None

    @property
    def size(self) -> int:
        return len(self.body)

    def expect(self, size: int | None) -> None:
        self.announced = size

    async def write(self, chunk: bytes) -> None:
        self.body += chunk

    async def truncate(self, size: int = 0) -> None:
        self.body = self.body[:size]


@pytest.fixture
def tree(tmp_path: Path) -> FileFetcher:
    folder = tmp_path / "github.com/!burnt!sushi/toml/@v"
    folder.mkdir(parents=True)
    (folder / "list").write_text("v1.0.0\n")
    (folder / "v1.0.0.zip").write_bytes(b"zip" * 1000)
    return FileFetcher(tmp_path.as_uri())


async def test_files_are_read_by_their_escaped_path(tree: FileFetcher) -> None:
    assert (await tree.list("github.com/BurntSushi/toml")).body == b"v1.0.0\n"


async def test_zips_are_copied_whole_over_what_was_there(tree: FileFetcher) -> None:
    sink = Bytes()
    await tree.zip(Version("github.com/BurntSushi/toml", "v1.0.0"), sink)
    assert (sink.body, sink.announced) == (b"zip" * 1000, 3000)


async def test_what_is_missing_is_not_found(tree: FileFetcher) -> None:
    with pytest.raises(NotFound):
        await tree.mod(Version("github.com/BurntSushi/toml", "v1.0.0"))
    with pytest.raises(NotFound):
        await tree.latest("example.com/nothing")
    with pytest.raises(NotFound):
        await tree.sumdb("sum.golang.org", "supported")


def test_a_file_url_with_a_host_is_refused() -> None:
    with pytest.raises(InvalidInput, match="names a host"):
        FileFetcher("file://server/share")
