"""Plans for modules that are wrong by themselves: what can be asked for instead, and what the author has to know."""

import difflib
import re
from collections.abc import Iterator
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.fixes.kit import Case, quoted, versions_seen
from goferry.doctor.fixes.mirrors import other_ways
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import EditMod
from goferry.doctor.fixes.vcs import credentials
from goferry.errors import GoferryError
from goferry.findings import Text
from goferry.gomod import module, semver
from goferry.i18n import N_

_DECLARED: Final = re.compile(r"module declares its path as:\s*(\S+)")
_REQUIRED: Final = re.compile(r"but was required as:\s*(\S+)")
_MAJOR: Final = re.compile(
    r"require (?P<path>[\w.~/-]+): version \"(?P<version>v\d[\w.-]*)\" invalid: should be v0 or v1, not (?P<major>v\d+)"
)
_MOST: Final = 3
_ANY: Final = "<module>"
_LATEST: Final = "latest"


def _tell(case: Case, summary: str) -> Plan:
    return case.tell(Whose.AUTHOR, "tell_author", Text(summary, module=case.module or case.judgement.where))


def _version(case: Case) -> str:
    return case.version or _LATEST


def _use(case: Case, path: str, version: str) -> tuple[str, ...]:
    """How the project comes to need this version of this path.

    A requirement that cannot be loaded stops every command that loads the others, `go get` among them; so go.mod is
    edited first, which loads nothing.
    """
    required = {item.partition("@")[0] for item in case.settings.requires}
    if path in required and version != _LATEST:
        return (f"go mod edit -require={quoted(f'{path}@{version}')}",)
    drop = (f"go mod edit -droprequire={quoted(case.module)}",) if case.module in required - {path} else ()
    return (*drop, f"go get {quoted(f'{path}@{version}')}")


def _asking_for(case: Case, key: str, summary: Text, path: str, version: str, *more: str) -> Plan:
    """The plan to need this version of this path; where the project is known, an edit of go.mod that can be tried."""
    if not _is_required(case) or not semver.is_valid(version):
        return case.run(key, summary, *_use(case, path, version), *more)
    return _edited(case, key, summary, *_instead_of(case, case.module, f"{path}@{version}"), more=more)


def _is_required(case: Case) -> bool:
    """Whether the module in question stands in the go.mod of the project that is looked at."""
    required = {item.partition("@")[0] for item in case.settings.requires}
    return not case.evidence.subject.module and case.module in required


def _instead_of(case: Case, path: str, wanted: str) -> tuple[str, ...]:
    """The flags of `go mod edit` that put a requirement in the place of another path's, or of another version's."""
    if not _is_required(case):
        return ()
    drop = (f"-droprequire={path}",) if path != wanted.partition("@")[0] else ()
    return (*drop, f"-require={wanted}")


def _edited(case: Case, key: str, summary: Text, *flags: str, more: tuple[str, ...] = ()) -> Plan:
    """The edit of go.mod, with what else is to be done; only told where there is no project to try it in."""
    command = f"go mod edit {' '.join(map(quoted, flags))}"
    if not _is_required(case):
        return case.run(key, summary, command, *more)
    return case.write(key, summary, EditMod(flags), commands=(command, *more))


def path_mismatch(case: Case) -> Iterator[Plan]:
    """The path that go.mod declares, if it is another place of the same; else a replace line."""
    text = f"{case.output}\n{case.judgement.detail}"
    if (major := _MAJOR.search(text)) is not None:
        # A go.mod with such a line is one that `go mod edit` does not read.
        old, new = (
            f"{major['path']} {major['version']}",
            f"{major['path']}/{major['major']} {major['version']}",
        )
        yield case.run(
            "path_with_major",
            Text(N_("From version 2 on the path ends in the major version, also in your imports.")),
            f"sed -i.bak {quoted(f's#{re.escape(old)}#{new}#')} go.mod",
        )
        return
    declared, required = _DECLARED.search(text), _REQUIRED.search(text)
    old = required[1] if required else case.module
    path, version = case.module or _ANY, case.version or "<version>"
    if declared and old:
        new = declared[1]
        yield _asking_for(
            case,
            "declared_path",
            Text(N_("Ask for the path that the module itself declares: {path}"), path=new),
            new,
            _version(case),
            f"# and in your imports: {old} becomes {new}",
        )
        yield _edited(
            case,
            "replace_path",
            Text(N_("If it is a fork that kept the original's path, put it in the original's place.")),
            *_instead_of(case, old, f"{new}@{version}"),
            f"-replace={new}={old}@{version}",
        )
    else:
        yield case.run(
            "declared_path",
            Text(N_("Ask for the path that stands in the module's own go.mod.")),
            f"go list -m -json {quoted(f'{path}@{_version(case)}')}",
        )
    yield _tell(
        case, N_("Tell the author of {module} that the path in its go.mod is not where it is published.")
    )


def path_wrong(case: Case) -> Iterator[Plan]:
    """A path that is nearly the same and known here; else the usual slips."""
    path = case.module or case.judgement.where.partition("@")[0]
    for near in _near(case, path):
        yield _asking_for(
            case, "near_path", Text(N_("Perhaps {path} was meant."), path=near), near, _version(case)
        )
    yield case.run(
        "check_path",
        Text(
            N_("Compare {path} with the module line of its go.mod, letter by letter; capitals count."),
            path=path or "?",
        ),
        f"go list -m {quoted(f'{path or _ANY}@latest')}",
    )


def _near(case: Case, path: str) -> list[str]:
    """Paths that the project knows, that lead there, and that are spelt alike."""
    depth = path.count("/") + 1
    imported = ["/".join(word.split("/")[:depth]) for word in case.settings.imports]
    known = [*(word.partition("@")[0] for word in case.settings.requires), *imported]
    slips = [path.lower()] if path != path.lower() else []
    without_scheme = path.partition("://")[2] if "://" in path else ""
    slips += [without_scheme] if without_scheme else []
    slips += [path.removesuffix(".git")] if path.endswith(".git") else []
    close = difflib.get_close_matches(path, [word for word in known if word != path], n=_MOST, cutoff=0.85)
    return list(dict.fromkeys([*slips, *close]))[:_MOST]


def zip_invalid(case: Case) -> Iterator[Plan]:
    """Another version."""
    yield from _other_versions(case)
    yield _tell(case, N_("Tell the author of {module} what its files break; a new version is needed."))


def unknown_revision(case: Case) -> Iterator[Plan]:
    """Versions that exist."""
    yield from _bare_tag(case)
    yield from _other_versions(case)
    yield from other_ways(case)
    yield _tell(case, N_("Ask the author of {module} where the version went."))


def _bare_tag(case: Case) -> Iterator[Plan]:
    """A tag that lacks its v is a revision all the same, and go makes a version of its own for it."""
    bare = case.version.removeprefix("v")
    has_bare = any(
        run.label == "git ls-remote" and f"\trefs/tags/{bare}\n" in f"{run.output}\n"
        for run in case.evidence.runs
    )
    if case.module and bare and has_bare:
        summary = Text(N_("Ask for the tag as it is named, until the author has added v{tag}."), tag=bare)
        drop = f"go mod edit -droprequire={quoted(case.module)}"
        yield case.run("bare_tag", summary, drop, f"go get {quoted(f'{case.module}@{bare}')}")


def _other_versions(case: Case) -> Iterator[Plan]:
    """The next one below what was asked for, the newest release, and how to see all."""
    known = [version for version in versions_seen(case) if version != case.version]
    path = case.module or _ANY
    for version in _chosen(known, case.version):
        summary = Text(N_("Ask for {version}, which exists."), version=version)
        yield _asking_for(case, "known_version", summary, path, version)
    yield case.run(
        "list_versions",
        Text(N_("See which versions exist.")),
        f"go list -m -versions {quoted(path)}",
    )


def _chosen(known: list[str], wanted: str) -> list[str]:
    """known: newest first."""
    releases = [version for version in known if not semver.prerelease(version)]
    nearest = [
        version for version in known if semver.is_valid(wanted) and semver.compare(version, wanted) < 0
    ]
    return list(dict.fromkeys([*nearest[:1], *releases[:1], *known[:1]]))


def repository_gone(case: Case) -> Iterator[Plan]:
    """A mirror may have kept it; a credential helps if it was made private and you may read it."""
    yield from other_ways(case, has_direct=False)
    yield from _renamed(case)
    yield from (plan for plan in credentials(case) if plan.key == "netrc")
    path, version = case.module or _ANY, case.version or "<version>"
    yield case.run(
        "replace_fork",
        Text(N_("Put a fork in its place.")),
        f"go mod edit -replace={quoted(f'{path}=<fork>@{version}')}",
    )
    yield _tell(case, N_("Ask the owner of {module} where the repository went."))


def _renamed(case: Case) -> Iterator[Plan]:
    """Where the code host itself leads to another place."""
    for answer in case.answers("origin", "go_get"):
        place = answer.redirect.partition("://")[2].removesuffix(".git").rstrip("/")
        if place and place != case.module and _is_path(place):
            summary = Text(N_("The repository's host leads to {place} now."), place=place)
            yield _asking_for(case, "new_place", summary, place, _version(case))
            return


def _is_path(text: str) -> bool:
    try:
        module.check_path(text)
    except GoferryError:
        return False
    return "/" in text
