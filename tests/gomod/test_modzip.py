"""Module zips: which files one may hold, what a hostile one tries, and that the real x/mod/zip agrees."""

import io
import os
import pathlib
import random
import struct
import zipfile
import zlib
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from goferry.errors import GoferryError, InvalidInput, VerifyError
from goferry.gomod import dirhash, modzip, ziparchive
from goferry.gomod.module import Version
from goferry.gomod.modzip import SourceFile, ZipError, ZipLimits
from oracle import Oracle
from rawzip import Member, Zip, deflated
from sizes import size

M = Version("example.com/m", "v1.0.0")
P = b"example.com/m@v1.0.0/"
GO_MOD = Member(P + b"go.mod", b"module example.com/m\n")


@pytest.fixture
def save(tmp_path):
    def save(content: Zip | bytes, name: str = "m.zip") -> str:
        path = tmp_path / name
        path.write_bytes(content.build() if isinstance(content, Zip) else content)
        return str(path)

    return save


def reasons(errors: list[modzip.FileError]) -> dict[str, str]:
    return {error.path: error.reason for error in errors}


# --- the rules


# Vectors: facts from golang/mod zip/testdata/check_zip/various.txt (BSD-3-Clause).
def test_check_zip_lists_every_file_with_its_reason(save) -> None:
    v, p = Version("example.com/various", "v1.0.0"), b"example.com/various@v1.0.0/"
    names = [
        b"noprefix",
        *(p + n for n in (b"valid.go", b"not/../clean", b"invalid.go'", b"GO.MOD", b"valid.go")),
    ]
    checked = modzip.check_zip(v, save(Zip([Member(name) for name in names])))
    assert checked.valid == ["example.com/various@v1.0.0/valid.go"]
    assert checked.omitted == []
    assert {path: reason.split(": invalid char")[0] for path, reason in reasons(checked.invalid).items()} == {
        "noprefix": 'path does not have prefix "example.com/various@v1.0.0/"',
        "example.com/various@v1.0.0/not/../clean": "file path is not clean",
        "example.com/various@v1.0.0/invalid.go'": 'malformed file path "invalid.go\'"',
        "example.com/various@v1.0.0/GO.MOD": "go.mod files must have lowercase names",
        "example.com/various@v1.0.0/valid.go": 'multiple entries for file "valid.go"',
    }
    assert "and 4 more" in str(checked.error())


BAD_NAMES = {
    "same name twice": ([b"a", b"a"], "multiple entries"),
    "names that differ in case": ([b"a.go", b"A.go"], "case-insensitive file name collision"),
    "folders that differ in case": ([b"pkg/a.go", b"Pkg/b.go"], "case-insensitive file name collision"),
    "names that differ in case by Unicode": (["straße".encode(), "STRAẞE".encode()], "case-insensitive"),
    "kelvin sign": ([b"k", "\u212a".encode()], "invalid char|case-insensitive"),
    "file and folder": ([b"a", b"a/b"], "both a file and a directory"),
    "folder and file": ([b"a/b", b"a"], "both a file and a directory"),
    "folder entry and file": ([b"a/", b"a"], "both a file and a directory"),
    "go.mod below": ([b"sub/go.mod"], "not in module root"),
    "GO.MOD below": ([b"sub/GO.MOD"], "not in module root"),
    "GO.MOD": ([b"GO.MOD"], "lowercase|collision"),
    "climbs": ([b"../x"], "invalid path element"),
    "climbs inside": ([b"a/../../x"], "not clean"),
    "double slash": ([b"a//b"], "not clean"),
    "dot": ([b"./a"], "not clean"),
    "rooted": ([b"/etc/passwd"], "malformed file path"),
    "empty folder name": ([b"/"], "not clean"),
    "backslash": ([b"a\\b"], "invalid char"),
    "colon": ([b"c:x"], "invalid char"),
    "NUL": ([b"a\0b"], "invalid char"),
    "newline": ([b"a\nb"], "invalid char"),
    "not UTF-8": ([b"a\xffb"], "invalid UTF-8"),
    "device": ([b"aux.go"], "disallowed"),
    "device in capitals, below": ([b"x/COM1.txt/y"], "disallowed"),
    "ends with a dot": ([b"a."], "trailing dot"),
    "only dots": ([b"x/..."], "invalid path element"),
}


@pytest.mark.parametrize("case", BAD_NAMES)
def test_bad_names_are_refused(case: str, save) -> None:
    names, why = BAD_NAMES[case]
    path = save(Zip([GO_MOD, *(Member(P + name, method=0) for name in names)]))
    with pytest.raises(ZipError, match=why):
        modzip.verify_zip(M, path)
    assert len(modzip.check_zip(M, path).invalid) == 1


GOOD_NAMES = [
    b"a.go",
    b".gitignore",
    b"sp ace.txt",
    "unicode-é.txt".encode(),
    b"aux2/console.go",
    b"a~1/b~2.txt",
    b"x[1]{2}(3)!#$%&+,=@^_.txt",
    b"GO.MODx",
    b"xgo.mod",
    b"folder/",
    b"folder/file",
    b"-dash",
]


def test_good_names_are_valid(save) -> None:
    path = save(Zip([GO_MOD, *(Member(P + name, method=0) for name in GOOD_NAMES), Member(P, method=0)]))
    checked = modzip.check_zip(M, path)
    assert not checked.invalid
    assert [name.encode() for name in checked.valid] == [
        GO_MOD.name,
        *(P + name for name in GOOD_NAMES if name[-1:] != b"/"),
    ]
    assert modzip.verify_zip(M, path).h1 == dirhash.hash_zip(path)


@pytest.mark.parametrize(
    ("path", "version", "why"),
    [
        ("example.com/m", "v1.0", "not canonical"),
        ("example.com/m", "latest", "not canonical"),
        ("example.com/m", "v2.0.0", "should be v0 or v1"),
        ("example.com/m/v2", "v1.0.0", "should be v2"),
        ("Example", "v1.0.0", "malformed module path"),
        ("\udcff", "v1.0.0", "UTF-8"),
    ],
)
def test_a_malformed_module_is_the_askers_fault(path: str, version: str, why: str, save) -> None:
    with pytest.raises(InvalidInput, match=why):
        modzip.check_zip(Version(path, version), save(Zip()))


def test_limits_are_those_given(save) -> None:
    path = save(Zip([GO_MOD, Member(P + b"LICENSE", b"x" * 100), Member(P + b"a", b"y" * 100)]))
    for limits, why in (
        (ZipLimits(zip_file=100), "zip file is too large"),
        (ZipLimits(content=220), "total uncompressed size"),
        (ZipLimits(go_mod=20), "go.mod file too large"),
        (ZipLimits(license=99), "LICENSE file too large"),
        (ZipLimits(entries=2), "more than 2 files"),
    ):
        with pytest.raises(ZipError, match=why):
            modzip.verify_zip(M, path, limits=limits)
    exact = ZipLimits(os.path.getsize(path), 221, 21, 100, 3)
    assert modzip.verify_zip(M, path, limits=exact).content_size == 221


def test_a_report_tells_what_is_inside(save) -> None:
    path = save(Zip([GO_MOD, Member(P + b"dir/", method=0), Member(P + b"dir/a", b"12345")]))
    report = modzip.verify_zip(M, path)
    assert report.go_mod == GO_MOD.data
    assert (report.files, report.content_size) == (2, len(GO_MOD.data) + 5)
    assert report.zip_size == os.path.getsize(path)
    assert modzip.verify_zip(M, save(Zip([Member(P + b"a")]))).go_mod is None


# --- hostile and broken containers

# Data that goes on behind its own end as a gzip stream would, and data that would go on in the member behind it.
GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
GZIP_INSIDE = Member(P + b"a", b"12345", packed=deflated(b"") + bytes(8) + GZIP_HEAD + deflated(b"12345"))
SWALLOWED = struct.pack("<LL", 7, 18) + GZIP_HEAD
RUNS_INTO_THE_NEXT = [
    Member(P + b"a", size=18, crc=7, packed=struct.pack("<BHH", 1, 18, 0xFFFF - 18)),
    Member(
        P + b"b",
        b"12345",
        packed=struct.pack("<LL", zlib.crc32(SWALLOWED), 18) + GZIP_HEAD + deflated(b"12345"),
    ),
]

BOMB = Member(P + b"bomb", size=10, packed=deflated(b"\0" * 50_000_000))
A = Member(P + b"a.go", b"package a\n" * 30)
HOSTILE = {
    "empty file": (b"", "too few"),
    "html": (b"<!doctype html><html><body>please log in</body></html>", "no end record"),
    "bytes before": (Zip([A], before=b"#!/bin/sh\n", shift=10).build(), "directory is not where"),
    "bytes behind": (Zip([A], after=b"x").build(), "does not end where"),
    "comment cut": (Zip([A], comment=b"hello", comment_size=9).build(), "does not end where"),
    "cut in the data": (Zip([A]).build()[:60], "no end record"),
    "several disks": (Zip([A], disk=1).build(), "several disks"),
    "fewer files than declared": (Zip([A], count=2).build(), "1 files instead of the 2"),
    "more files than declared": (Zip([A, GO_MOD], count=1).build(), "2 files instead of the 1"),
    "directory too short": (Zip([A], size=20).build(), "not where the end record says"),
    "directory elsewhere": (Zip([A], start=3).build(), "not where the end record says"),
    "zip64 end elsewhere": (Zip([A], zip64=True, end64_at=5).build(), "not where its locator says"),
    "zip64 values missing": (Zip([Member(P + b"a", offset=0xFFFFFFFF)]).build(), "zip64 field"),
    "declares less than it holds": (
        Zip([Member(P + b"a", b"12345", size=4)]).build(),
        "more than the 4 bytes",
    ),
    "declares more than it holds": (
        Zip([Member(P + b"a", b"12345", size=6)]).build(),
        "5 bytes instead of the 6",
    ),
    "stored, declares less": (Zip([Member(P + b"a", b"12345", 0, size=4)]).build(), "more than the 4"),
    "stored, declares more": (
        Zip([Member(P + b"a", b"12345", 0, size=6)]).build(),
        "5 bytes instead of the 6",
    ),
    "declares nothing": (Zip([Member(P + b"a", b"12345", size=0, crc=0)]).build(), "more than the 0 bytes"),
    "wrong CRC": (Zip([Member(P + b"a", b"12345", crc=1)]).build(), "CRC-32"),
    "stored with wrong CRC": (Zip([Member(P + b"a", b"12345", 0, crc=1)]).build(), "CRC-32"),
    "no CRC": (Zip([Member(P + b"a", b"12345", crc=0)]).build(), "CRC-32"),
    "broken deflate": (Zip([Member(P + b"a", b"12345", packed=b"\xff\xff\xff")]).build(), "is broken"),
    "deflate cut": (
        Zip([Member(P + b"a", b"1" * 99, packed=deflated(b"1" * 99)[:-1])]).build(),
        "ends early",
    ),
    "bomb": (Zip([BOMB]).build(), "more than the 10 bytes"),
    "gzip inside": (Zip([GZIP_INSIDE, GO_MOD]).build(), "/a: it unpacks to 0 bytes instead of the 5"),
    "runs into the next": (Zip(RUNS_INTO_THE_NEXT).build(), "/a: its compressed data ends early"),
    "bomb among others": (Zip([A, BOMB, GO_MOD]).build(), "bomb: it unpacks to more"),
    "data outside": (Zip([Member(P + b"a", b"12", packed_size=5000)]).build(), "behind the end|is broken"),
    "header outside": (Zip([Member(P + b"a", b"12", offset=99999)]).build(), "local header lies behind"),
    "header elsewhere": (Zip([Member(P + b"a", b"12", offset=7)]).build(), "no local header"),
    "another local name": (
        Zip([Member(P + b"a", local_name=P + b"b")]).build(),
        "local header does not agree",
    ),
    "folder with content": (Zip([Member(P + b"a/", b"12", 0)]).build(), "must not have content"),
    "encrypted": (Zip([Member(P + b"a", b"12", flags=1)]).build(), "encrypted"),
    "bzip2": (Zip([Member(P + b"a", b"12", method=12)]).build(), "compression method 12"),
    "descriptor lies": (Zip([Member(P + b"a", b"12", flags=8, descriptor=b"\0" * 16)]).build(), "descriptor"),
}


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_zips_are_refused_with_the_reason(case: str, workers: int, save) -> None:
    content, why = HOSTILE[case]
    with pytest.raises(VerifyError, match=why) as caught:
        modzip.verify_zip(M, save(content), workers=workers)
    assert caught.value.status == 403


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_zips_are_refused_without_libdeflate_too(case: str, save, monkeypatch) -> None:
    monkeypatch.setattr(ziparchive, "deflate", None)
    content, why = HOSTILE[case]
    with pytest.raises(ZipError, match=why):
        modzip.verify_zip(M, save(content))


def test_big_members_are_hashed_piece_by_piece(save) -> None:
    big = random.Random(3).randbytes(1 << 16) * 160
    path = save(Zip([GO_MOD, Member(P + b"big", big), Member(P + b"stored", big, 0)]))
    files = {f"{M}/big": big, f"{M}/stored": big, f"{M}/go.mod": GO_MOD.data}
    assert len(big) > ziparchive._WHOLE
    assert modzip.verify_zip(M, path).h1 == dirhash.hash1(files, lambda name: io.BytesIO(files[name]))


@given(st.binary(max_size=3000), st.lists(st.tuples(st.integers(0), st.integers(1, 255)), max_size=3))
def test_both_ways_to_unpack_take_and_refuse_the_same(tmp_path_factory, content: bytes, damage) -> None:
    packed = bytearray(deflated(content))
    for at, bits in damage:
        packed[at % len(packed)] ^= bits
    path = tmp_path_factory.mktemp("ways") / "m.zip"
    path.write_bytes(Zip([GO_MOD, Member(P + b"a", content, packed=bytes(packed))]).build())
    assert ziparchive.deflate is not None
    whole = _verdict(path)
    with mock.patch.object(ziparchive, "deflate", None):
        assert _verdict(path) == whole


def _verdict(path: pathlib.Path) -> str:
    try:
        return modzip.verify_zip(M, path).h1
    except ZipError as why:
        return str(why)


def test_a_bomb_is_unpacked_no_further_than_declared(save, monkeypatch) -> None:
    unpacked = []
    real = ziparchive._slices

    def seen(data):
        unpacked.append(len(data))
        return real(data)

    monkeypatch.setattr(ziparchive, "_slices", seen)
    with ziparchive.Archive(save(Zip([BOMB]))) as archive:
        pieces = []
        with pytest.raises(ZipError, match="more than"):
            archive.walk(archive.entries[0], pieces.append)
    assert sum(map(len, pieces)) <= 10
    assert unpacked


@pytest.mark.parametrize("mark", [b"", b"PK\x07\x08"])
def test_a_descriptor_may_have_a_mark(mark: bytes, save) -> None:
    member = Member(P + b"a", b"12345", flags=8)
    member.descriptor = mark + struct.pack("<LLL", member.crc32(), len(member.body()), 5)
    assert modzip.verify_zip(M, save(Zip([member]))).content_size == 5


def test_zip64_is_read(save) -> None:
    member = Member(P + b"a", b"12345", size=0xFFFFFFFF, extra=struct.pack("<HHQ", 1, 8, 5))
    path = save(Zip([member, GO_MOD], zip64=True))
    assert modzip.verify_zip(M, path).content_size == 5 + len(GO_MOD.data)


def test_a_comment_may_look_like_an_end_record_only_if_it_is_one(save) -> None:
    fake = Zip([Member(P + b"evil")]).build()
    with pytest.raises(ZipError):
        modzip.verify_zip(M, save(Zip([A], comment=fake)))
    assert modzip.verify_zip(M, save(Zip([A], comment=b"PK\x05\x06, they said"))).files == 1


@given(st.data())
def test_a_flipped_byte_never_passes_as_the_same_module(tmp_path_factory, data: st.DataObject) -> None:
    path = tmp_path_factory.mktemp("flip") / "m.zip"
    good = Zip([GO_MOD, A, Member(P + b"stored", b"abc", 0)]).build()
    path.write_bytes(good)
    want = modzip.verify_zip(M, path)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bad)
    try:
        got = modzip.verify_zip(M, path)
    except ZipError:
        return
    # Times, attributes and the like are not covered by the hash: then the content is the same.
    assert (got.h1, got.go_mod) == (want.h1, want.go_mod)


# --- making zips

# Vectors: facts from golang/mod zip/testdata/create (BSD-3-Clause).
CREATED = {
    "vendor before 1.24": (
        {
            "go.mod": b"module example.com/m\n\ngo 1.13\n",
            "vendor/modules.txt": b"included\nsee comment in isVendoredPackage and golang.org/issue/31562.\n",
            "vendor/example.com/x/x.go": b"excluded\n",
            "sub/vendor/sub.txt": b"excluded\n",
            "pkg/vendor/vendor.go": b"excluded\nsee comment in isVendoredPackage and golang.org/issue/37397\n",
        },
        "h1:5u93LDLN0Me+NGfZtRpA5mHxY8svfykHpq4CMSaBZyc=",
    ),
    "go.mod is a folder": (
        {"go.mod/a.go": b"package a\n"},
        "h1:Mun5l9cBlDnnV6JasTpio2aZJSbFj++h+814mnKC/OM=",
    ),
    "nothing": ({}, "h1:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="),
}


@pytest.mark.parametrize("case", CREATED)
def test_create_zip_takes_the_files_that_go_takes(case: str, save) -> None:
    files, h1 = CREATED[case]
    content = modzip.create_zip(M, files)
    assert modzip.verify_zip(M, save(content)).h1 == h1
    assert modzip.create_zip(M, files) == content


VARIOUS = [
    "valid.go",
    "not/../clean",
    "invalid.go'",
    "vendor/x/y",
    "vendor/modules.txt",
    "sub/go.mod",
    "sub/a.go",
]
VARIOUS += [".hg_archival.txt", "pkg/vendor/vendor.go", "valid.go", "valid.go", "/abs"]


@pytest.mark.parametrize(("go", "taken"), [("1.23", "vendor/modules.txt"), ("1.24", "pkg/vendor/vendor.go")])
def test_the_go_version_decides_about_vendored_files(go: str, taken: str) -> None:
    files = [SourceFile.of("go.mod", f"go {go}\n".encode()), *(SourceFile.of(path, b"") for path in VARIOUS)]
    checked = modzip.check_files(files)
    assert checked.valid == ["go.mod", "valid.go", taken]
    assert set(reasons(checked.omitted)) == {
        *("vendor/x/y", "sub/go.mod", "sub/a.go", ".hg_archival.txt"),
        *({"vendor/modules.txt", "pkg/vendor/vendor.go"} - {taken}),
    }
    assert reasons(checked.invalid)["valid.go"] == 'multiple entries for file "valid.go"'
    assert set(reasons(checked.invalid)) == {"not/../clean", "invalid.go'", "valid.go", "/abs"}


def test_a_file_that_grew_is_refused() -> None:
    file = SourceFile("a", 1, SourceFile.of("a", b"12").open)
    with pytest.raises(ZipError, match="larger than declared"):
        modzip.create_zip(M, [file])


@pytest.fixture
def tree(tmp_path):
    top = tmp_path / "tree"
    for name in (
        "go.mod",
        "a.go",
        "sub/go.mod",
        "sub/b.go",
        ".git/x",
        "vendor/x/y.go",
        "d/e/f.go",
        "d/GO.MODx",
    ):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("module example.com/m\n" if name == "go.mod" else name)
    (top / "link.go").symlink_to("a.go")
    return top


def test_create_zip_from_dir_leaves_out_what_is_not_the_modules(tree, save) -> None:
    with zipfile.ZipFile(save(modzip.create_zip_from_dir(M, tree))) as archive:
        assert [n.removeprefix(P.decode()) for n in archive.namelist()] == [
            "a.go",
            "d/GO.MODx",
            "d/e/f.go",
            "go.mod",
        ]
    assert reasons(modzip.check_dir(tree).omitted) == {
        ".git": "directory is a version control repository",
        "link.go": "not a regular file",
        "sub": "directory is in another module",
        "vendor/x/y.go": "file is in vendor directory",
    }


# --- the real x/mod/zip


def random_zip(rng: random.Random) -> bytes:
    pool = [name for names, _ in BAD_NAMES.values() for name in names] + GOOD_NAMES * 4
    pool += [b"go.mod", b"LICENSE", b"a/b/c", b"x", b"y/", b"y/z"] * 6
    members = []
    for _ in range(rng.randint(0, 6)):
        name, data = rng.choice(pool), rng.randbytes(rng.choice([0, 1, 100, 5000]))
        is_dir = name.endswith(b"/")
        prefix = P if rng.random() < 0.97 else b"other@v1.0.0/"
        members.append(Member(prefix + name, b"" if is_dir else data, 0 if is_dir else rng.choice([0, 8])))
    return Zip(members, comment=rng.choice([b"", b"hi"])).build()


@pytest.mark.go
def test_go_finds_the_same_files_valid_and_invalid(oracle: Oracle, save) -> None:
    rng = random.Random(1)
    paths = [save(random_zip(rng), f"{n}.zip") for n in range(size(300, 5000))]
    who = {"Path": M.path, "Version": M.version}
    answers = oracle.ask_each(("zip.CheckZip", who, path) for path in paths)
    sums = oracle.ask_each(("dirhash.HashZip", path) for path in paths)
    agreed = 0
    for path, answer, h1 in zip(paths, answers, sums, strict=True):
        checked = modzip.check_zip(M, path)
        shown = [name.encode("utf-8", "replace").decode() for name in checked.valid]
        assert shown == (answer.value["Valid"] or [])
        assert len(checked.invalid) == len(answer.value["Invalid"] or [])
        for mine, go in zip(checked.invalid, answer.value["Invalid"] or [], strict=True):
            assert mine.reason.isascii() is False or "\\" in mine.reason or mine.reason == go[1]
        if answer.ok:
            assert modzip.verify_zip(M, path).h1 == h1.value
            agreed += 1
        else:
            with pytest.raises(ZipError):
                modzip.verify_zip(M, path)
    assert agreed > 20


@pytest.mark.go
def test_what_we_accept_go_unpacks_to_the_same_hash(oracle: Oracle, save, tmp_path) -> None:
    rng = random.Random(2)
    good = Zip([GO_MOD, A, Member(P + b"stored", b"abc", 0), Member(P + b"d/", method=0)]).build()
    accepted: list[tuple[str, str]] = []
    for n in range(size(3000, 30000)):
        bad = bytearray(good)
        for _ in range(rng.randint(1, 3)):
            bad[rng.randrange(len(bad))] = rng.randrange(256)
        path = save(bytes(bad), f"{n}.zip")
        try:
            accepted.append((path, modzip.verify_zip(M, path).h1))
        except GoferryError:
            os.unlink(path)
    assert accepted
    calls = [("dirhash.HashZip", path) for path, _ in accepted]
    assert [answer.value for answer in oracle.ask_each(calls)] == [h1 for _, h1 in accepted]
    who = {"Path": M.path, "Version": M.version}
    unpacked = [("zip.Unzip", tmp_path / f"out{n}", who, path) for n, (path, _) in enumerate(accepted)]
    assert [answer.error for answer in oracle.ask_each(unpacked)] == [""] * len(accepted)


@pytest.mark.go
def test_go_makes_the_same_zip_of_a_folder(oracle: Oracle, tree, tmp_path, save) -> None:
    who = {"Path": M.path, "Version": M.version}
    h1, names = oracle.ask("zip.CreateFromDir", tmp_path / "go.zip", who, tree).value
    path = save(modzip.create_zip_from_dir(M, tree))
    assert modzip.verify_zip(M, path).h1 == h1
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == names


@pytest.mark.go
def test_go_folds_the_same_letters(oracle: Oracle, save) -> None:
    letters = [
        chr(c)
        for c in (*range(0xC0, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x2000))
        if chr(c).isalpha()
    ]
    pairs = [
        (a, b)
        for a in letters
        for b in {a.upper(), a.lower(), a.title(), a.swapcase()}
        if a < b and len(b) == 1
    ]
    paths = [save(Zip([Member(P + c.encode()) for c in pair]), f"{n}.zip") for n, pair in enumerate(pairs)]
    who = {"Path": M.path, "Version": M.version}
    answers = oracle.ask_each(("zip.CheckZip", who, path) for path in paths)
    for pair, path, answer in zip(pairs, paths, answers, strict=True):
        assert (modzip.check_zip(M, path).error() is None) == answer.ok, pair
