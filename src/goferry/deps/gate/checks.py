"""From what was read and proven to problems: one plain function per group of rules.

Files are named as seen from the folder that was gated, so that a person, an editor and a code host find them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from goferry.deps.advisories.exposure import Certainty, Exposure, Origin
from goferry.deps.advisories.matching import Match
from goferry.deps.base import Project
from goferry.deps.gate import sums
from goferry.deps.gate.proving import How, Proof, Result
from goferry.deps.gate.reading import Reading
from goferry.deps.gate.rules import Problem, State
from goferry.deps.gate.tidy import Fault, Untidy
from goferry.deps.gate.vendor import Disagreement, Inconsistent
from goferry.deps.gate.vendored import Finding, Trouble
from goferry.deps.status import Status, short_message
from goferry.errors import GoferryError, NotFound, VerifyError
from goferry.findings import Fix, Text
from goferry.gomod import gosum, pseudo
from goferry.gomod.gosum import GO_MOD
from goferry.gomod.module import Version
from goferry.i18n import N_

Shown = Callable[[Path], str]
"""How a file is named in a problem."""

_TIDY = Fix(Text("let go write what is missing, and look at what it adds"), "go mod tidy")
_VENDOR = Fix(Text("make the vendor folder anew, and look at what changes"), "go mod vendor")
_WORK_VENDOR = Fix(_VENDOR.summary, "go work vendor")


# ---- go.sum --------------------------------------------------------------------------------------------


def sum_lines(have: sums.SumFiles) -> Iterator[Problem]:
    """What is wrong with the lines themselves (S1, S9)."""
    for error in have.malformed:
        yield Problem(
            "sum_malformed",
            Text("this line has {count} words, and must have three", count=int(error.parts["count"])),
            file=str(error.parts["file"]),
            line=int(error.parts["line"]),
        )
    for first, other in gosum.Sums(have.lines).conflicts():
        yield Problem(
            "sum_malformed",
            Text(
                "{module} has another hash here than in {place}: one of the two is wrong",
                module=_key(other.module),
                place=f"{first.file}:{first.number}",
            ),
            module=_version(other.module),
            file=other.file,
            line=other.number,
        )
    for first, other in sums.duplicates(have):
        yield Problem(
            "sum_malformed",
            Text("the same line as line {number}", number=first.number),
            State.NOTE,
            _version(other.module),
            other.file,
            other.number,
        )


def sum_needs(
    have: sums.SumFiles, wanted: sums.Needed, file: str, unread: Mapping[str, GoferryError]
) -> Iterator[Problem]:
    """What is missing."""
    for_build, for_tidy = sums.missing(have, wanted)
    for key in for_build:
        text = Text("{module} has no hash: the build would fail", module=_key(key))
        yield Problem("sum_missing", text, module=_version(key), file=file, fix=_TIDY)
    for key in for_tidy:
        text = Text("{module} has no hash: `go mod tidy` would add it", module=_key(key))
        yield Problem("sum_missing", text, module=_version(key), file=file, fix=_TIDY)
    for name, why in unread.items():
        if isinstance(why, VerifyError):
            text = Text("what the upstream serves as {name} is false: {why}", name=name, why=Text.of(why))
            yield Problem("sum_mismatch", text, file=file)
            continue
        text = Text(
            "{name} could not be had, so nobody knows which lines are needed: {why}",
            name=name,
            why=Text.of(why),
        )
        yield Problem("sum_missing", text, State.UNPROVEN, file=file)


def surplus(have: sums.SumFiles, wanted: Iterable[sums.Needed]) -> Iterator[Problem]:
    """What nobody needs: no mistake."""
    for line in sums.surplus(have, wanted):
        yield Problem(
            "sum_missing",
            Text("{module} is not needed", module=_key(line.module)),
            State.NOTE,
            _version(line.module),
            line.file,
            line.number,
        )


def proofs(found: Iterable[Proof], log: str, own_log: str = "") -> Iterator[Problem]:
    """What came of comparing each line. `log` and `own_log` are the names of what it was compared with."""
    for proof in found:
        line = proof.line
        state = State.FAILED
        rule = "sum_unproven"
        if proof.how is How.NOTHING:
            state, text = (
                State.NOTE,
                Text("a hash of a kind that no Go knows proves nothing: {sum}", sum=line.sum),
            )
        elif proof.result is Result.EQUAL:
            continue
        elif proof.result is Result.DIFFERENT:
            rule, text = "sum_mismatch", _different(proof, own_log if proof.how is How.OWN else log)
        elif proof.result is Result.ABSENT:
            text = Text("nobody vouches for {module}: {why}", module=_key(line.module), why=_why(proof))
        else:
            state = State.UNPROVEN
            text = Text("{module} could not be proven: {why}", module=_key(line.module), why=_why(proof))
        yield Problem(rule, text, state, _version(line.module), line.file, line.number)


def _why(proof: Proof) -> Text | str:
    return "" if proof.why is None else Text.of(proof.why)


def _different(proof: Proof, log: str) -> Text:
    parts = {"module": _key(proof.line.module), "sum": proof.line.sum, "wanted": proof.wanted, "log": log}
    if proof.how in (How.LOG, How.OWN):
        return Text("{module} has the hash {sum} here, but {log} has signed {wanted}", **parts)
    if proof.how is How.STORE:
        return Text(
            "{module} has the hash {sum} here, but what this store first fetched has {wanted}", **parts
        )
    return Text("{module} has the hash {sum} here, but what the upstream serves now has {wanted}", **parts)


def first_sight(found: Sequence[Proof]) -> Iterator[Problem]:
    """Private lines that were compared with nothing older than the upstream's answer of now."""
    made = sum(proof.is_new and proof.result is Result.EQUAL for proof in found)
    if made:
        yield Problem(
            "sum_unproven",
            Text(
                "{count} private lines were recorded in the own log only now; nothing older vouches for them",
                count=made,
            ),
            State.NOTE,
        )
    count = sum(proof.how is How.BYTES and proof.result is Result.EQUAL for proof in found)
    if count:
        yield Problem(
            "sum_unproven",
            Text(
                "{count} lines of private modules equal what the upstream serves now; this store never saw them before",
                count=count,
            ),
            State.NOTE,
        )


# ---- go.mod --------------------------------------------------------------------------------------------


def tidiness(reading: Reading, neighbours: Mapping[str, str], shown: Shown) -> Iterator[Problem]:
    """What `go mod tidy` would change; what only the workspace provides is named as that (G8).

    `neighbours` are folders of other modules of the workspace, by module path.
    """
    file = shown(reading.project.start)
    if reading.unread:
        text = Text(
            "nobody knows whether go.mod is tidy: {name} could not be had", name=next(iter(reading.unread))
        )
        yield Problem("tidy", text, State.UNPROVEN, file=file)
        return
    for fault in reading.faults:
        owner = _neighbour(fault, neighbours)
        if owner:
            text = Text(
                "{package} (imported by {importer}) comes from {module} of the workspace: it needs go.work to build",
                package=fault.package,
                importer=fault.importer,
                module=owner,
            )
            yield Problem("workspace", text, module=Version(owner), file=file)
        else:
            module = fault.module if fault.module.path else None
            yield Problem("tidy", _untidy(fault), State.FAILED, module, file, fault.line or None, _TIDY)


def _neighbour(fault: Fault, neighbours: Mapping[str, str]) -> str:
    if fault.kind is not Untidy.ABSENT:
        return ""
    owners = [path for path in neighbours if f"{fault.package}/".startswith(f"{path}/")]
    return max(owners, key=len, default="")


def _untidy(fault: Fault) -> Text:
    return Text(
        _UNTIDY[fault.kind],
        module=str(fault.module),
        wanted=fault.wanted,
        package=fault.package,
        importer=fault.importer,
    )


_UNTIDY: Mapping[Untidy, str] = {
    Untidy.MISSING: N_("{module} is needed for {package} and not required"),
    Untidy.UNUSED: N_("{module} is required and not needed"),
    Untidy.INCONSISTENT: N_("{module} is required, but {wanted} is selected: go wants to rewrite go.mod"),
    Untidy.NOT_INDIRECT: N_("{module} is marked indirect, but {package} of it is imported here"),
    Untidy.INDIRECT: N_("{module} is not marked indirect, and nothing of it is imported here"),
    Untidy.ABSENT: N_("no module in use has {package}, which {importer} imports"),
    Untidy.AMBIGUOUS: N_("several modules have {package}, which {importer} imports"),
}


def replaced(project: Project, shown: Shown) -> Iterator[Problem]:
    for part in project.parts:
        for line in part.file.replace:
            text = Text("{module} is replaced by {other}", module=str(line.old), other=str(line.new))
            yield Problem(
                "replace",
                text,
                module=line.old,
                file=shown(part.folder / "go.mod"),
                line=line.syntax.start.line,
            )


def pseudo_versions(project: Project, shown: Shown) -> Iterator[Problem]:
    for part in project.parts:
        for line in part.file.require:
            if pseudo.is_pseudo_version(line.mod.version):
                text = Text("{module} is a commit, not a release", module=str(line.mod))
                yield Problem(
                    "pseudo_version",
                    text,
                    module=line.mod,
                    file=shown(part.folder / "go.mod"),
                    line=line.syntax.start.line,
                )


# ---- versions in use -----------------------------------------------------------------------------------


def statuses(found: Mapping[Version, Status], file: str, places: Mapping[str, int]) -> Iterator[Problem]:
    """Retracted and deprecated. `places` are lines of go.mod by path."""
    for version, status in found.items():
        line = places.get(version.path)
        for reason in status.retracted:
            text = Text("{module} was retracted: {why}", module=str(version), why=short_message(reason))
            yield Problem("retracted", text, State.FAILED, version, file, line)
        if status.deprecated:
            text = Text(
                "{module} is deprecated: {why}", module=version.path, why=short_message(status.deprecated)
            )
            yield Problem("deprecated", text, State.FAILED, version, file, line)
        for why in {str(one): one for one in status.failed}.values():
            text = Text(
                "whether {module} is still good could not be found out: {why}",
                module=str(version),
                why=Text.of(why),
            )
            # Where the upstream has no list nobody can have retracted anything.
            state = State.NOTE if isinstance(why, NotFound) else State.UNPROVEN
            yield Problem("retracted", text, state, version, file, line)


def recalled(
    versions: Iterable[Version], listed: frozenset[Version], found: Iterable[Match], file: str
) -> Iterator[Problem]:
    """Versions on the own list, and those that a malware advisory names."""
    for version in versions:
        if version in listed:
            text = Text("{module} is on the list of recalled versions", module=str(version))
            yield Problem("recalled", text, module=version, file=file)
    for match in found:
        names = [name for name in (match.entry.id, *match.aliases) if name.startswith("MAL-")]
        if names:
            version = Version(match.path, match.version)
            text = Text(
                "{module} is malware: {id} {summary}",
                module=str(version),
                id=names[0],
                summary=match.entry.summary,
            )
            yield Problem("recalled", text, module=version, file=file)


_LINES: Final = (Origin.GO_LINE, Origin.TOOLCHAIN_LINE)


def toolchain(exposure: Exposure | None, file: str) -> Iterator[Problem]:
    """Flaws of the go command that would build this."""
    if exposure is None:
        yield Problem("toolchain", Text("nothing says which Go builds this"), State.UNPROVEN, file=file)
        return
    go = exposure.go
    # A go line alone is a lower bound, and so is a pipeline's 1.25: most likely a newer Go builds it.
    open_ended = go.certainty is Certainty.AT_LEAST and go.decided.origin is not Origin.TOOLCHAIN_LINE
    state = State.NOTE if open_ended else State.FAILED
    for match in exposure.toolchain:
        fixed = match.fixed.version
        yield Problem(
            "toolchain",
            Text(
                "Go {version} ({where}) has {id} in the go command, fixed in {fixed}: {summary}",
                version=go.version,
                where=file if go.decided.origin in _LINES else go.decided.where,
                id=match.entry.id,
                fixed=fixed or "-",
                summary=match.entry.summary,
            ),
            state,
            Version("toolchain", f"go{go.version}"),
            file,
        )


# ---- vendor --------------------------------------------------------------------------------------------


def vendoring(project: Project) -> Fix:
    """How the vendor folder of a project is made."""
    return _VENDOR if project.work is None else _WORK_VENDOR


def manifest_lines(numbers: Iterable[int], file: str, fix: Fix = _VENDOR) -> Iterator[Problem]:
    """Lines that go passes over: it never writes any."""
    for number in numbers:
        text = Text("go does not understand this line")
        yield Problem("vendor_manifest", text, file=file, line=number, fix=fix)


def manifest(found: Iterable[Disagreement], file: str, fix: Fix = _VENDOR) -> Iterator[Problem]:
    for one in found:
        text = Text(_MANIFEST[one.kind], module=str(one.module), marked=one.marked, wanted=one.wanted)
        yield Problem("vendor_manifest", text, module=one.module, file=file, line=one.line or None, fix=fix)


def unused_vendor(folders: Iterable[str]) -> Iterator[Problem]:
    """Go 1.22 and later pass such a folder over, older ones build with it: so it is not proven, and not harmless."""
    for folder in folders:
        text = Text("vendored for a workspace where there is none, or without the one that is here")
        yield Problem("vendor_manifest", text, file=folder, fix=_VENDOR)


_MANIFEST: Mapping[Inconsistent, str] = {
    Inconsistent.NOT_EXPLICIT: N_("{module} is required in go.mod, but not marked explicit in modules.txt"),
    Inconsistent.OTHER_VERSION: N_("{module} is required in go.mod, but modules.txt has {marked}"),
    Inconsistent.NOT_MARKED_REPLACED: N_("{module} is replaced by {wanted}, but not in modules.txt"),
    Inconsistent.OTHER_REPLACEMENT: N_("{module} is replaced by {wanted}, but in modules.txt by {marked}"),
    Inconsistent.NOT_REQUIRED: N_("{module} is marked explicit in modules.txt, but not required in go.mod"),
    Inconsistent.NOT_REPLACED: N_("{module} is replaced by {marked} in modules.txt, but nowhere else"),
}


def vendored(found: Iterable[Finding], folder: str, fix: Fix = _VENDOR) -> Iterator[Problem]:
    for one in found:
        rule, text, state = _VENDORED[one.trouble]
        yield Problem(
            rule,
            Text(text, file=one.file, module=str(one.module) if one.module.path else "-", other=one.other),
            state,
            one.module if one.module.path else None,
            f"{folder}/{one.file}",
            1,
            fix,
        )


_VENDORED: Mapping[Trouble, tuple[str, str, State]] = {
    Trouble.EDITED: ("vendor_edited", N_("its bytes are not those that {module} has"), State.FAILED),
    Trouble.EXTRA: ("vendor_extra", N_("{module} has no such file"), State.FAILED),
    Trouble.MISSING: ("vendor_missing", N_("{module} has it, and here it is missing"), State.FAILED),
    Trouble.IDLE: (
        "vendor_missing",
        N_("{module} has it, and here it is missing; no build reads it"),
        State.NOTE,
    ),
    Trouble.RENAMED: ("vendor_extra", N_("in {module} this file is called {other}"), State.FAILED),
    Trouble.UNLISTED: (
        "vendor_unlisted",
        N_("modules.txt lists no package in this folder ({module})"),
        State.FAILED,
    ),
    Trouble.LINK: ("vendor_extra", N_("a symbolic link; go makes none ({module})"), State.FAILED),
    Trouble.SURPLUS: (
        "vendor_extra",
        N_("{module} has this file, but go would not have copied it"),
        State.NOTE,
    ),
}


def vendored_packages(reading: Reading, listed: Iterable[str], file: str) -> Iterator[Problem]:
    """Packages that the build needs and the vendor folder does not have."""
    known = set(listed)
    for path in sorted(reading.loading.vendored()):
        loaded = reading.loading.found.get(path)
        if loaded is not None and loaded.module and path not in known:
            text = Text(
                "the package {package} of {module} is needed and not vendored",
                package=path,
                module=str(loaded.module),
            )
            yield Problem("vendor_missing", text, module=loaded.module, file=file, fix=_VENDOR)


def _version(key: Version) -> Version:
    """Of a key of go.sum."""
    return Version(key.path, key.version.removesuffix(GO_MOD))


def _key(key: Version) -> str:
    """A key as people read it: `example.org/a@v1.0.0` or `example.org/a@v1.0.0/go.mod`."""
    return str(key)
