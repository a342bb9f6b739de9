"""The real govulncheck, where there is one: it builds a call graph, which text cannot.

It is run on goferry's own entries, so that both speak of the same flaws, and its stream of JSON messages (protocol v1:
config, progress, SBOM, osv, finding) is joined with the matches. It needs a go command and source that compiles; when
it fails, that is said, and the matches stay as they are.
"""

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, TypeAlias

from goferry.deps.advisories.database import Database
from goferry.deps.advisories.layouts import public_tree
from goferry.deps.advisories.matching import Match
from goferry.deps.advisories.osv import STDLIB
from goferry.deps.base import BuildList
from goferry.errors import GoferryError, InvalidInput
from goferry.i18n import N_, _

PROGRAM: Final = "govulncheck"
_PROTOCOL: Final = "v1."
_DEEP: Final = "symbol"
_PACKAGES: Final = ("./...",)
_BINARY: Final = "binary"
_CHAINS: Final = 3
_LINES, _LENGTH = 4, 400
"""How much of its complaint is passed on: the first line is a heading."""
INSTALL: Final = "go install golang.org/x/vuln/cmd/govulncheck@latest"

Checker: TypeAlias = Callable[[BuildList], "Run"]
"""Runs it on a project, one module after the other. Raises GoferryError when it comes to no result."""


class GovulncheckFailed(GoferryError):
    """It ran and came to no result."""

    code = "govulncheck_failed"


class Seen(StrEnum):
    """How far govulncheck followed a flaw."""

    CALLED = "called"
    """It found a chain of calls to a flawed function."""
    LINKED = "linked"
    """A flawed function is in a built program: nothing is known of calls there."""
    IMPORTED = "imported"
    """A flawed package is imported, and it found no call."""
    REQUIRED = "required"
    """The module is required, and it found no import."""
    NOTHING = "nothing"
    """It did not name the flaw at all: not its module and version, or an entry that it does not know."""
    OTHER_GO = "other_go"
    """It ran with another Go than the one that builds, so it says nothing about this standard library."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of its results."""

    id: str
    seen: Seen
    module: str
    version: str
    package: str = ""
    symbol: str = ""
    """`Function`, or `Type.Method`."""
    trace: tuple[str, ...] = ()
    """From the project's function to the flawed one, each as `package.Function`; for a call only."""


@dataclass(frozen=True, slots=True)
class Word:
    """What it says about one match: its word, not ours."""

    seen: Seen
    scanner: str
    go: str
    calls: tuple[tuple[str, ...], ...] = ()
    """The first chains of calls that it found, each from the project's function to the flawed one."""
    deep: bool = True
    """It looked for calls, not only at imports or requirements."""


@dataclass(frozen=True, slots=True)
class Run:
    """What one run said."""

    scanner: str
    """Name and version."""
    go: str
    """The Go that it took for the build's, with `go`."""
    level: str
    """How deep it was told to look: module, package or symbol."""
    findings: tuple[Finding, ...]

    def about(self, found: Match) -> tuple[Finding, ...]:
        """Its findings about a match: the same flaw in the same module."""
        ids = {found.entry.id, *found.aliases}
        paths = {found.path, found.module.path}
        return tuple(one for one in self.findings if one.id in ids and one.module in paths)

    def seen(self, found: Match) -> Seen:
        """How far it came with a match."""
        there = {one.seen for one in self.about(found)}
        return next((seen for seen in Seen if seen in there), Seen.NOTHING)

    def word(self, found: Match) -> Word:
        """What it says about a match. About the standard library only if it ran with the very Go of the match."""
        if found.path == STDLIB and self.go != found.version:
            return Word(Seen.OTHER_GO, self.scanner, self.go)
        calls = (one.trace for one in self.about(found) if one.trace)
        return Word(
            self.seen(found),
            self.scanner,
            self.go,
            tuple(dict.fromkeys(calls))[:_CHAINS],
            self.level == _DEEP,
        )

    def beyond(self, matches: Iterable[Match]) -> tuple[str, ...]:
        """The flaws of modules that it names and none of these matches has: `ID module`, sorted."""
        known = {
            (id, path) for m in matches for id in (m.entry.id, *m.aliases) for path in (m.path, m.module.path)
        }
        others = (one for one in self.findings if one.module != STDLIB and (one.id, one.module) not in known)
        return tuple(sorted({f"{one.id} {one.module}" for one in others}))


# ---- reading --------------------------------------------------------------------------------------------------


def parse(text: str) -> Run:
    """A stream of messages. InvalidInput for anything else, and for a newer protocol; unknown messages are passed
    over, as the protocol wants it."""
    messages = list(_messages(text))
    config = next((one["config"] for one in messages if isinstance(one.get("config"), dict)), None)
    if config is None or not str(config.get("protocol_version", "")).startswith(_PROTOCOL):
        raise InvalidInput(
            "{program} speaks a protocol that is not known here: {version}",
            hint=N_("it has to be called with -format json"),
            program=PROGRAM,
            version=(config or {}).get("protocol_version", _("no version")),
        )
    called = Seen.LINKED if config.get("scan_mode") == _BINARY else Seen.CALLED
    return Run(
        f"{config.get('scanner_name', PROGRAM)} {config.get('scanner_version', '')}".rstrip(),
        str(config.get("go_version", "")),
        str(config.get("scan_level", "")),
        tuple(_finding(one["finding"], called) for one in messages if isinstance(one.get("finding"), dict)),
    )


_SPACE: Final = re.compile(r"\s*")


def _messages(text: str) -> Iterator[dict[str, Any]]:
    decoder, at = json.JSONDecoder(), 0
    try:
        while (at := _end_of_space(text, at)) < len(text):
            value, at = decoder.raw_decode(text, at)
            yield value if isinstance(value, dict) else {}
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            "{program} printed something else than messages: {why}", program=PROGRAM, why=error
        ) from error


def _end_of_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _finding(message: Mapping[str, Any], called: Seen) -> Finding:
    frames = message.get("trace")
    if not isinstance(frames, list) or not frames or not all(isinstance(one, dict) for one in frames):
        raise InvalidInput("{program} printed a finding without a trace", program=PROGRAM)
    first = frames[0]
    symbol = _symbol(first)
    seen = called if symbol else Seen.IMPORTED if first.get("package") else Seen.REQUIRED
    return Finding(
        str(message.get("osv", "")),
        seen,
        str(first.get("module", "")),
        str(first.get("version", "")),
        str(first.get("package", "")),
        symbol,
        tuple(f"{one.get('package', '')}.{_symbol(one)}" for one in reversed(frames))
        if seen is Seen.CALLED
        else (),
    )


def _symbol(frame: Mapping[str, Any]) -> str:
    function, receiver = str(frame.get("function", "")), str(frame.get("receiver", ""))
    return f"{receiver.lstrip('*')}.{function}" if function and receiver else function


# ---- running --------------------------------------------------------------------------------------------------


def find(environ: Mapping[str, str]) -> str | None:
    """The program on PATH, or where `go install` puts it."""
    home = environ.get("HOME") or environ.get("USERPROFILE") or ""
    gopath = environ.get("GOPATH") or (str(Path(home, "go")) if home else "")
    places = [environ.get("PATH", ""), environ.get("GOBIN", ""), str(Path(gopath, "bin")) if gopath else ""]
    return next((found for place in places if place and (found := shutil.which(PROGRAM, path=place))), None)


def checker(database: Database, environ: Mapping[str, str]) -> Checker:
    """What runs the program of this machine on these entries."""

    def check(build: BuildList) -> Run:
        program = find(environ)
        if program is None:
            raise GovulncheckFailed("{program} is not installed: {command}", program=PROGRAM, command=INSTALL)
        sources = (module.source for module in build.modules)
        modules = {module.path for module in build.modules} | {one.path for one in sources if one}
        project = build.project
        where: list[tuple[Path, Sequence[str]]] = [(part.folder, _PACKAGES) for part in project.parts]
        if not where:  # a built program
            where = [(project.root, ("-mode", _BINARY, str(project.start)))]
        return _joined(
            run(program, folder, database, modules, environ=environ, what=what) for folder, what in where
        )

    return check


def _joined(runs: Iterable[Run]) -> Run:
    """The main modules of a workspace as one run."""
    first, *others = runs
    return replace(first, findings=tuple(one for each in (first, *others) for one in each.findings))


def run(
    program: str,
    folder: Path,
    database: Database,
    modules: Iterable[str],
    *,
    environ: Mapping[str, str],
    what: Sequence[str] = _PACKAGES,
    timeout: float = 1800.0,
) -> Run:
    """Runs it in a folder with a go.mod, over all packages there (or over `what` else it shall look at), against the
    entries about these modules and Go itself. GovulncheckFailed when it comes to no result."""
    with tempfile.TemporaryDirectory(prefix="goferry-") as place:
        for name, data in public_tree(database, modules).items():
            file = Path(place, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
        words = [program, "-format", "json", "-db", Path(place).as_uri(), *what]
        try:
            done = subprocess.run(
                words,
                cwd=folder,
                env=dict(environ),
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise GovulncheckFailed("{program} did not run: {why}", program=program, why=error) from error
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        why = " ".join(said[:_LINES])[:_LENGTH] or _("no reason given")
        raise GovulncheckFailed("{program} failed: {why}", program=program, why=why)
    return parse(done.stdout)
