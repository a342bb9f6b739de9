"""Plans for this machine: folders that cannot be written, Go versions that cannot be fetched, captures that lack."""

import posixpath
import re
from collections.abc import Iterator
from typing import Final

from goferry.doctor.evidence import FolderSeen
from goferry.doctor.fixes.kit import Case, quoted
from goferry.doctor.fixes.mirrors import other_ways
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import EditMod
from goferry.doctor.rules.machine import is_relative, named_by
from goferry.findings import Text
from goferry.i18n import N_

_LITTLE: Final = 256 << 20
"""Bytes below which a module cache is full."""

_OTHER_PLACE: Final = "go-modcache"
_OTHER_GOPATH: Final = "go-path"
_VERSION: Final = "<version>"


def disk(case: Case) -> Iterator[Plan]:
    """The right owner, more room, or another folder."""
    folders = [folder for folder in case.settings.folders if _is_bad(folder)]
    named = [
        folder
        for folder in folders
        if folder.name == case.judgement.where or folder.path in case.judgement.where
    ]
    for folder in (named or folders)[:1]:
        if is_relative(folder):
            name = named_by(case.evidence, folder)
            yield case.set(
                "unset_folder",
                Text(N_("Take {name} away: go then has its folders below your home."), name=name),
                {name: None},
            )
            return
        yield from _full(case, folder) if _is_full(folder) else _not_ours(case, folder)
        return
    home = case.evidence.context.home
    if home and not case.is_set("HOME") and "HOME" in case.output:
        yield case.set(
            "set_home", Text(N_("Tell go where your home is: its folders are below it.")), {"HOME": home}
        )
    yield case.run(
        "look_at_cache", Text(N_("See who owns the module cache and how much room it has.")),
        'ls -ld "$(go env GOMODCACHE)" && df -h "$(go env GOMODCACHE)"',
    )  # fmt: skip


def _is_bad(folder: FolderSeen) -> bool:
    return is_relative(folder) or not folder.writable or _is_full(folder) or bool(folder.failure)


def _is_full(folder: FolderSeen) -> bool:
    return 0 <= folder.free_bytes < _LITTLE or folder.free_inodes == 0


def _not_ours(case: Case, folder: FolderSeen) -> Iterator[Plan]:
    """Another folder first: that needs no rights, and helps on a file system that is read-only."""
    yield from _elsewhere(case, folder)
    if folder.failure == "not_a_folder":
        yield case.run(
            "move_file",
            Text(N_("A file stands where {path} should be: find it, and move it away."), path=folder.path),
            f"namei -l {quoted(folder.path)}",
        )
    if folder.failure in ("not_a_folder", "read_only"):
        return  # whose it is does not matter
    yield case.run(
        "own_folder",
        Text(N_("Make {path} yours; it belongs to {owner}."), path=folder.path, owner=folder.owner or "?"),
        f'{case.sudo}chown -R "$(id -u):$(id -g)" {quoted(folder.path)}',
        f"chmod -R u+w {quoted(folder.path)}",
        dockerfile=(f"RUN chown -R <user> {folder.path}",),
    )


def _full(case: Case, folder: FolderSeen) -> Iterator[Plan]:
    """Another folder may be on another disk; making room takes what others may still need."""
    yield from _elsewhere(case, folder)
    yield case.run(
        "make_room",
        Text(
            N_("Make room on the disk of {path}: go's build cache grows again by itself."), path=folder.path
        ),
        "go clean -cache",
        "go clean -modcache   # everything is fetched anew then",
    )


def _elsewhere(case: Case, folder: FolderSeen) -> Iterator[Plan]:
    """Only where go has a variable of its own for the folder."""
    home = case.evidence.context.home
    if folder.name.startswith("GO") and home:
        name = "GOMODCACHE" if folder.name == "GOPATH" else folder.name
        place = posixpath.join(home, ".cache", _OTHER_PLACE if name == "GOMODCACHE" else name.lower())
        others = {other.name for other in case.settings.folders if _is_bad(other)}
        if name == "GOMODCACHE" and {"GOPATH", "GOMODCACHE"} <= others:
            # go keeps its records of the checksum database below GOPATH, so another module cache alone is not enough.
            path = posixpath.join(home, ".cache", _OTHER_GOPATH)
            yield case.set(
                "move_gopath",
                Text(N_("Let go have all its folders below {place} instead."), place=path),
                {"GOPATH": path},
                is_told_only=True,
            )
        elif place != folder.path:
            yield case.set(
                f"move_{name.lower()}",
                Text(N_("Let go write to {place} instead."), place=place),
                {name: place},
            )


# ---- toolchains --------------------------------------------------------------------------------------------


def toolchain(case: Case) -> Iterator[Plan]:
    """The Go that is there; a go line that it understands; or the wanted Go, installed by hand."""
    has = case.settings.go_version.removeprefix("go")
    wanted = _wanted(case)
    if case.settings.value("GOTOOLCHAIN") != "local":
        yield case.set(
            "local_toolchain",
            Text(
                N_("Work with the Go that is installed, {version}, and fetch no other."), version=has or "?"
            ),
            {"GOTOOLCHAIN": "local"},
        )
    if has and case.settings.main_module:
        edit = EditMod((f"-go={has}", "-toolchain=none"))
        yield case.write(
            "lower_go_line",
            Text(N_("Let go.mod ask for the version that is installed, if the code allows it.")),
            edit,
            commands=(f"GOTOOLCHAIN=local go mod edit {edit.said}",),
        )
    yield from other_ways(case)
    yield case.run(
        "install_go",
        Text(N_("Install Go {version} from go.dev/dl or golang.google.cn/dl."), version=wanted or "?"),
        f"go install golang.org/dl/go{wanted or _VERSION}@latest && go{wanted or _VERSION} download",
        dockerfile=(f"FROM golang:{wanted or _VERSION}",),
        github=("- uses: actions/setup-go@v5", "  with:", "    go-version-file: go.mod"),
    )


def _wanted(case: Case) -> str:
    said = re.search(
        r"(?:requires go >=|download go|golang\.org/toolchain@v[\d.]+-go)\s*(\d[\w.]*\d)", case.output
    )
    line = case.settings.toolchain_line.removeprefix("go") or case.settings.go_line
    return said[1] if said else line


# ---- captures ----------------------------------------------------------------------------------------------


def capture(case: Case) -> Iterator[Plan]:
    """Once more, whole."""
    host = f"host {case.host} and " if case.host else ""
    yield case.run(
        "capture_again",
        Text(N_("Capture again: whole packets, from before the first one, in both directions.")),
        f"{case.sudo}tcpdump -i any -s 0 -w goferry.pcap {quoted(f'{host}tcp port 443')}",
    )
