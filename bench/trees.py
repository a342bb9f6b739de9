"""Module trees made up for measuring: valid modules, the same bytes every time, laid out as the URLs."""

import io
import itertools
import json
import random
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

KB = 1000
MB = 1_000_000
TIME = "2026-01-02T03:04:05Z"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Module:
    """A module version. The names are lower-case: escaped and unescaped are the same."""

    path: str
    version: str = "v1.0.0"

    def url(self, kind: str) -> str:
        """The path below a proxy's root; `kind` is info, mod or zip."""
        return f"/{self.path}/@v/{self.version}.{kind}"


def random_bytes(size: int, seed: str) -> bytes:
    """Bytes that do not compress, the same for the same seed."""
    return random.Random(seed).randbytes(size)


def write_zip(out: IO[bytes], module: Module, files: Iterable[tuple[str, bytes]], level: int = 0) -> None:
    """A module zip, deflated as Go does; level 0 frames what would not compress anyway."""
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files:
            info = zipfile.ZipInfo(f"{module.path}@{module.version}/{name}", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=level)


def zip_of(module: Module, files: Iterable[tuple[str, bytes]], level: int = 0) -> bytes:
    """The bytes of a module zip."""
    out = io.BytesIO()
    write_zip(out, module, files, level)
    return out.getvalue()


def go_mod(module: Module, size: int = 0) -> bytes:
    """A valid go.mod, filled up to `size` bytes with a comment."""
    text = f"module {module.path}\n\ngo 1.21\n".encode()
    lack = size - len(text)
    return text if lack < 4 else text + b"// " + b"x" * (lack - 4) + b"\n"


def write(root: Path, key: str, data: bytes) -> None:
    target = root / key.lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def add_module(root: Path, module: Module, *, mod_size: int = 0, zip_size: int = 0) -> None:
    """Writes info, mod, zip and list. `zip_size`: about the size of the zip, of bytes that do not compress."""
    mod = go_mod(module, mod_size)
    files = [("go.mod", mod)]
    if zip_size:
        files.append(("data.bin", random_bytes(max(1, zip_size - 500), module.path + module.version)))
    write(root, module.url("info"), json.dumps({"Version": module.version, "Time": TIME}).encode())
    write(root, module.url("mod"), mod)
    write(root, module.url("zip"), zip_of(module, files))
    write(root, f"/{module.path}/@v/list", f"{module.version}\n".encode())


def add_many(root: Path, name: str, count: int, *, mod_size: int = 0, zip_size: int = 0) -> list[Module]:
    """`count` modules bench.example/NAME/m00000 and on."""
    modules = [Module(f"bench.example/{name}/m{number:05d}") for number in range(count)]
    for module in modules:
        add_module(root, module, mod_size=mod_size, zip_size=zip_size)
    return modules


def add_huge(root: Path, module: Module, size: int) -> None:
    """A module whose zip has about `size` bytes, written without holding it in memory."""
    add_module(root, module)

    def files() -> Iterator[tuple[str, bytes]]:
        yield "go.mod", go_mod(module)
        for number in range(size // (10 * MB)):
            yield f"data{number:03d}.bin", random_bytes(10 * MB, f"{module.path}{number}")

    with (root / module.url("zip").lstrip("/")).open("wb") as out:
        write_zip(out, module, files())


def add_mods(root: Path, name: str, count: int, size: int) -> list[Module]:
    """Modules of which only the go.mod is there: for rows that ask nothing else."""
    modules = [Module(f"bench.example/{name}/m{number:05d}") for number in range(count)]
    for module in modules:
        write(root, module.url("mod"), go_mod(module, size))
    return modules


def add_lists(root: Path, name: str, count: int, versions: int = 20) -> list[Module]:
    """Modules that have a list of many versions, and the files of the newest."""
    modules = [
        Module(f"bench.example/{name}/m{number:05d}", f"v1.{versions - 1}.0") for number in range(count)
    ]
    body = "".join(f"v1.{minor}.0\n" for minor in range(versions)).encode()
    for module in modules:
        add_module(root, module)
        write(root, f"/{module.path}/@v/list", body)
    return modules


def zip_of_sources(target: Path, module: Module, sources: Path, size: int) -> list[bytes]:
    """A zip of at least `size` bytes made of the files below `sources`, again and again; returns their contents.

    Real source text: how fast a zip is read depends on what is in it, and made-up text is not like it.
    """
    files = sorted(file for file in sources.rglob("*") if file.is_file() and not file.is_symlink())
    contents: list[bytes] = []
    with target.open("wb") as out, zipfile.ZipFile(out, "w") as archive:
        for number, file in enumerate(itertools.cycle(files)):
            data = file.read_bytes()
            info = zipfile.ZipInfo(f"{module.path}@{module.version}/pkg{number:06d}/{file.name}", _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data, compresslevel=6)
            contents.append(data)
            if out.tell() >= size:
                break
    return contents
