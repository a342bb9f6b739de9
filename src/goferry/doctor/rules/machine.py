"""This machine: its disk (R44), the toolchain that go.mod asks for (R42), and no network at all (R27)."""

from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath
from typing import Final

from goferry.doctor.evidence import Evidence, FolderSeen, Raw
from goferry.doctor.rules import scene
from goferry.doctor.rules.base import Rule, when_broken
from goferry.doctor.rules.proofs import judged
from goferry.doctor.rules.settings import refusal_of
from goferry.doctor.saying import failed, listed
from goferry.doctor.verdict import Judgement, Proof
from goferry.findings import Text
from goferry.gomod import gover
from goferry.i18n import N_
from goferry.net.failure import Failure

# ---- R44: the disk -----------------------------------------------------------------------------------------

_LEAST_FREE: Final = 1 << 20
"""Bytes without which no module can be kept: the zip and the files in it."""


def _disk(evidence: Evidence) -> Iterable[Judgement]:
    """Also for a run that worked: the doctor's own runs have a module cache of their own."""
    bad = [folder for folder in evidence.settings.folders if _is_closed(folder)]
    cache = next((folder for folder in bad if folder.name == "GOMODCACHE"), None)
    if cache is not None:
        yield judged(
            evidence, "R44", "local_disk_or_permission", cache.path, "disk",
            Text(N_("the module cache {path} cannot be written: {said}"), path=cache.path, said=_said(evidence, cache)),
            proof=_other_folder(evidence, cache),
            sole=True,
        )  # fmt: skip
        return
    heard = scene.said(scene.facts(evidence), "no_space|read_only|no_home|fs_denied")
    if heard is not None:
        place = next((folder for folder in bad), None)
        yield judged(
            evidence, "R44", "local_disk_or_permission", place.path if place else "GOMODCACHE", "disk",
            Text("{said}", said=scene.quoted(heard)),
            sole="fs_denied" not in heard.tags or place is not None,
        )  # fmt: skip


def _is_closed(folder: FolderSeen) -> bool:
    return (
        is_relative(folder)
        or not folder.writable
        or folder.free_inodes == 0
        or 0 <= folder.free_bytes < _LEAST_FREE
    )


def is_relative(folder: FolderSeen) -> bool:
    """Whether go refuses the folder because its path depends on where one stands; `~` is for shells to read."""
    paths = (PurePosixPath(folder.path), PureWindowsPath(folder.path))
    return (
        bool(folder.path) and folder.name.startswith("GO") and not any(path.is_absolute() for path in paths)
    )


def named_by(evidence: Evidence, folder: FolderSeen) -> str:
    """The variable that a folder's path comes from: GOMODCACHE has a default below GOPATH."""
    setting = evidence.settings.setting(folder.name)
    is_default = setting is not None and setting.origin not in ("environment", "go env file")
    return "GOPATH" if folder.name == "GOMODCACHE" and is_default else folder.name


def _said(evidence: Evidence, folder: FolderSeen) -> Text | str:
    if is_relative(folder):
        return Text(N_("{name} names no absolute path"), name=named_by(evidence, folder))
    if folder.writable and folder.free_inodes == 0:
        return Text(N_("no inodes are left"))
    if folder.writable:
        return Text(N_("{bytes} bytes are left"), bytes=folder.free_bytes)
    why = failed(folder.failure, folder.text)
    return Text(N_("{why} (owner {owner})"), why=why, owner=folder.owner) if folder.owner else why


def _other_folder(evidence: Evidence, cache: FolderSeen) -> Proof | None:
    """A run of go with a cache elsewhere, or another folder that takes a file."""
    failing = Text(N_("a file in {path}: {said}"), path=cache.path, said=_said(evidence, cache))
    variable = Text(N_("the folder"))
    run = scene.go_run(evidence)
    if run is not None and run.exit == 0:
        return Proof(failing, Text(N_("go with a module cache in another folder: done")), variable)
    other = next((folder for folder in evidence.settings.folders if not _is_closed(folder)), None)
    if other is None:
        return None
    return Proof(failing, Text(N_("a file in {path}: written"), path=other.path), variable)


DISK = Rule("R44", N_("The module cache cannot be written"), ("local_disk_or_permission",), _disk)


# ---- R42: the toolchain ------------------------------------------------------------------------------------


def _toolchain(evidence: Evidence) -> Iterable[Judgement]:
    """go is too old for go.mod and may not, or cannot, fetch a newer one; not when the network kept it from that, nor
    when GOTOOLCHAIN itself is nonsense (R54)."""
    found = scene.facts(evidence)
    gone = scene.said(found, "toolchain_missing")
    old = scene.said(found, "toolchain_old")
    heard = gone or old
    is_wanted = _is_wanted(evidence)
    if (heard is None and not is_wanted) or refusal_of(evidence, "GOTOOLCHAIN"):
        return
    if heard is not None and not _NETWORK.isdisjoint(heard.tags):
        return
    if heard is None and (scene.go_run(evidence) is not None or scene.is_about_host(evidence)):
        return
    said = scene.quoted(heard) if heard is not None else f"go {evidence.settings.go_line}"
    yield judged(
        evidence, "R42", "toolchain_not_available", "GOTOOLCHAIN", "settings",
        Text(N_("go.mod wants Go {wanted}, here is {have} with GOTOOLCHAIN={toolchain}: {said}"),
             wanted=evidence.settings.go_line or "?", have=evidence.settings.go_version or "?",
             toolchain=evidence.settings.value("GOTOOLCHAIN"), said=said),
        sole=gone is not None or (old is not None and (is_wanted or _is_local(evidence))),
    )  # fmt: skip


_NETWORK: Final = frozenset({
    "dialled", "dns_words", "proxyconnect", "reset", "tls_timeout", "unknown_authority", "goproxy_off", "status_5xx",
    "status_403", "deadline", "expired", "wrong_host", "eof",
})  # fmt: skip


def _is_local(evidence: Evidence) -> bool:
    setting = evidence.settings.value("GOTOOLCHAIN")
    return setting == "local" or (setting.startswith("go") and "+" not in setting)


def _is_wanted(evidence: Evidence) -> bool:
    """Whether go.mod asks for more than this go, and fetching is forbidden."""
    wanted, have = evidence.settings.go_line, evidence.settings.go_version.removeprefix("go")
    if not (wanted and have and gover.is_valid(wanted) and gover.is_valid(have)):
        return False
    return gover.compare(wanted, have) > 0 and _is_local(evidence)


TOOLCHAIN = Rule(
    "R42",
    N_("go.mod asks for a Go that cannot be had"),
    ("toolchain_not_available",),
    when_broken(_toolchain),
)


# ---- R27: no network at all --------------------------------------------------------------------------------

_NO_WAY: Final = frozenset({Failure.NETWORK_UNREACHABLE, Raw.NOT_PERMITTED})
_NO_ONE: Final = _NO_WAY | {Failure.CONNECT_REFUSED, Failure.DNS_TIMEOUT, Failure.CONNECT_TIMEOUT}


def _sandbox(evidence: Evidence) -> Iterable[Judgement]:
    """Nothing at all gets out, the resolver included, and the kernel says so at once."""
    tries = [
        *(name.failure for name in evidence.names if name.asker in ("server", "public", "doh")),
        *(dial.failure for dial in evidence.dials),
        *(tunnel.failure for tunnel in evidence.tunnels if tunnel.step == "dial"),
    ]
    answered = any(name.rcode for name in evidence.names) or any(not dial.failure for dial in evidence.dials)
    is_heard = any(answer.status for answer in evidence.answers) or any(
        tunnel.status for tunnel in evidence.tunnels
    )
    if not tries or answered or is_heard:
        return
    is_unplugged = evidence.context.has_default_route is False
    kinds = set(tries)
    if not (
        kinds <= _NO_WAY
        or (is_unplugged and kinds & _NO_WAY and kinds <= _NO_ONE)
        or _is_alone(evidence, kinds)
    ):
        return
    yield judged(
        evidence, "R27", "sandbox_no_network", evidence.context.container or "this machine", "connect",
        Text(N_("nothing gets out of here: {said}"), said=listed(kinds)),
        sole=is_unplugged or Raw.NOT_PERMITTED in kinds,
    )  # fmt: skip


def _is_alone(evidence: Evidence, kinds: set[str]) -> bool:
    """No route and no address but the loopback's; its own port 53 refuses."""
    others = [
        each for each in evidence.context.interfaces if each.is_up and each.name != "lo" and each.addresses
    ]
    return evidence.context.has_default_route is False and not others and kinds <= _NO_ONE


SANDBOX = Rule("R27", N_("There is no network here"), ("sandbox_no_network",), when_broken(_sandbox))
