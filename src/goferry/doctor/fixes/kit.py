"""What all proposals are built with: one fault with its evidence, and plans that know where a setting has to go."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from goferry.doctor.causes import Whose
from goferry.doctor.evidence import AnswerSeen, Evidence, Role, Setting, SettingsSeen, Target
from goferry.doctor.fixes.plan import Plan
from goferry.doctor.fixes.rewrites import Rewrite
from goferry.doctor.gotrace import module_awaited
from goferry.doctor.settings.hiding import HIDDEN, hide
from goferry.doctor.verdict import Judgement
from goferry.errors import GoferryError
from goferry.findings import Text
from goferry.gomod import module, semver
from goferry.report import shells

NOTHING: Final[Mapping[str, str | None]] = {}

_NOT_IN_GO_FILE: Final = frozenset({"GODEBUG", "GOENV", "GOMAXPROCS"})
"""Variables that look like go's own and that go never reads from its file."""

_CONTEXTS: Final = {
    "dockerfile": "docker",
    "compose": "compose",
    "github": "github",
    "gitlab": "gitlab",
    "systemd": "systemd",
    "sudo": "sudo",
    "powershell": "powershell",
    "fish": "fish",
}
_CI_FILES: Final = frozenset({"github", "gitlab"})
_TAIL: Final = 800
_MODULE_AT: Final = re.compile(r"(?<![\w/])([\w.~-]+\.[\w.~/-]+)@(v\d[\w.+-]*\w)")


def goes_to_go_file(name: str) -> bool:
    """Whether `go env -w` takes the variable."""
    return name.startswith("GO") and name not in _NOT_IN_GO_FILE


@dataclass(frozen=True, slots=True)
class Case:
    """One judgement and all that was seen; plans are made from it."""

    evidence: Evidence
    judgement: Judgement

    # ---- reading -------------------------------------------------------------------------------------------

    @property
    def settings(self) -> SettingsSeen:
        return self.evidence.settings

    @property
    def host(self) -> str:
        """The host that the judgement names; "" when it names something else."""
        bracketed = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::\d+)?", self.place)
        if bracketed:
            return bracketed[1]
        has_port = re.fullmatch(r"[^:/]+:\d+", self.place)
        return plain_host(self.place.rpartition(":")[0] if has_port else self.place)

    @property
    def place(self) -> str:
        """The same with the port, if the judgement has one."""
        where = self.judgement.where.strip()
        where = where.partition("://")[2] if "://" in where else where
        return where.partition("/")[0].rpartition("@")[2]

    @property
    def module(self) -> str:
        """The module that was asked for, or else the one that the failure is about; "" when neither is known."""
        return self.evidence.subject.module or self._blamed()[0]

    @property
    def version(self) -> str:
        """The version of that module; "" when it is not known."""
        subject = self.evidence.subject
        if subject.version not in ("", "latest"):
            return subject.version
        module, version = self._blamed()
        return version if module == self.module else ""

    def _blamed(self) -> tuple[str, str]:
        """Module and version that go's own words name, or whose hashes differ."""
        for path, version in _MODULE_AT.findall(self.output):
            if _is_module(path):
                return path, version
        for sums in self.evidence.sums:
            if len({known for known in (sums.go_sum, sums.sumdb, sums.proxy, sums.origin) if known}) > 1:
                return sums.module, sums.version
        return self._awaited()

    def _awaited(self) -> tuple[str, str]:
        """What a run that was ended at its limit still waited for."""
        run = next((run for run in self.evidence.runs if run.label == "go" and run.exit == -1), None)
        if run is None:
            return "", ""
        subject = module_awaited(run.trace, self.settings.requires)
        return subject.module, subject.version

    @property
    def output(self) -> str:
        """What go said when it failed."""
        return next((run.output for run in self.evidence.runs if run.label == "go" and run.exit), "")

    @property
    def sudo(self) -> str:
        """What stands before a command that needs root: nothing where we are root."""
        return "" if self.evidence.context.uid == 0 else "sudo "

    def targets(self, *roles: Role) -> Iterator[Target]:
        return (target for target in self.evidence.targets if target.role in roles)

    def answers(self, *purposes: str, entry: int | None = None) -> Iterator[AnswerSeen]:
        return (
            answer
            for answer in self.evidence.answers
            if answer.purpose in purposes and (entry is None or answer.entry == entry)
        )

    def variable(self, *names: str) -> Setting | None:
        """The first of these that is set, among all variables that were kept."""
        known = (*self.settings.go, *self.settings.proxies, *self.settings.environ)
        found = {setting.name: setting for setting in known if setting.value}
        return next((found[name] for name in names if name in found), None)

    def is_set(self, name: str) -> bool:
        """Whether a variable of the environment that was kept has a value."""
        return any(setting.name == name and setting.value for setting in self.settings.environ)

    def is_in_environment(self, name: str) -> bool:
        """Whether the variable has to be changed in the environment, because it is set there or nowhere else."""
        if not goes_to_go_file(name):
            return True
        setting = self.settings.setting(name)
        goenv = self.settings.setting("GOENV")
        return (setting is not None and setting.origin == "environment") or (
            goenv is not None and goenv.value == "off"
        )

    # ---- making --------------------------------------------------------------------------------------------

    def set(
        self,
        key: str,
        summary: Text,
        changed: Mapping[str, str | None],
        *,
        more: tuple[str, ...] = (),
        files: Mapping[str, bytes] | None = None,
        is_told_only: bool = False,
    ) -> Plan:
        """Variables with other values, said for the place where they are set now. more: commands that come first."""
        names = sorted(changed)
        ordered = {name: changed[name] for name in names}
        return Plan(
            key,
            self.judgement.cause,
            summary,
            commands=(*more, *self._commands(ordered)),
            contexts=self._contexts(ordered),
            changed=ordered,
            undo=self._commands({name: self._value_now(name) for name in names}),
            files=files or {},
            is_told_only=is_told_only,
        )

    def write(
        self,
        key: str,
        summary: Text,
        *writes: Rewrite,
        commands: tuple[str, ...],
        **contexts: tuple[str, ...],
    ) -> Plan:
        """Files that `--fix` rewrites; commands: the same by hand."""
        return Plan(
            key,
            self.judgement.cause,
            summary,
            commands=commands,
            contexts=contexts,
            writes=writes,
            undo=("goferry doctor --undo",),
        )

    def run(self, key: str, summary: Text, *commands: str, **contexts: tuple[str, ...]) -> Plan:
        """Commands for the user that nobody can try beforehand."""
        return Plan(
            key, self.judgement.cause, summary, commands=commands, contexts=contexts, is_told_only=True
        )

    def again(self, summary: Text, *commands: str, **contexts: tuple[str, ...]) -> Plan:
        """The same command once more, with nothing changed."""
        return Plan(
            "again", self.judgement.cause, summary, commands=commands, contexts=contexts, is_repeat=True
        )

    def tell(self, whom: Whose, key: str, summary: Text, *facts: str) -> Plan:
        """What somebody else has to mend: whom to tell, and the facts to copy."""
        message = tuple(line for line in (*facts, *self._facts()) if line)
        return Plan(
            key,
            self.judgement.cause,
            summary,
            contexts={"message": message},
            by=whom.value,
            is_told_only=True,
        )

    def _value_now(self, name: str) -> str | None:
        """The value in the place that is changed; None where the place has none."""
        setting = self.variable(name)
        place = "environment" if self.is_in_environment(name) else "go env file"
        return setting.value if setting is not None and setting.origin == place else None

    def _commands(self, changed: Mapping[str, str | None]) -> tuple[str, ...]:
        in_file = {name: value for name, value in changed.items() if not self.is_in_environment(name)}
        in_shell = {name: value for name, value in changed.items() if name not in in_file}
        return (
            *(shells.render(self._shell(), in_shell) if in_shell else ()),
            *(shells.render("go", in_file) if in_file else ()),
        )

    def _shell(self) -> str:
        """The syntax of the place where this environment was made."""
        context = self.evidence.context
        if context.ci in _CI_FILES:
            return context.ci
        return "powershell" if context.system == "win32" else "sh"

    def _contexts(self, changed: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
        found = {name: tuple(shells.render(shell, changed)) for name, shell in _CONTEXTS.items()}
        found["shell"] = tuple(shells.render("sh", changed))
        if all(map(goes_to_go_file, changed)):
            # What the environment has wins over go's file, so it has to leave the environment first.
            there = {name: None for name in changed if self.is_in_environment(name)}
            found["go env"] = (*(shells.render("sh", there) if there else ()), *shells.render("go", changed))
        return {**found, **self._where_it_stands(changed)}

    def _where_it_stands(self, changed: Mapping[str, str | None]) -> dict[str, tuple[str, ...]]:
        """For files that hold the value of now: the new line, by file and line."""
        forms = {
            "docker": "docker",
            "compose": "compose",
            "github": "github",
            "gitlab": "gitlab",
            "shell": "sh",
        }
        return {
            setting.place: (shells.render(forms[setting.origin], {setting.name: changed[setting.name]})[-1],)
            for setting in self.settings.elsewhere
            if setting.origin in forms
            and setting.name in changed
            and setting.value == getattr(self.variable(setting.name), "value", None)
        }

    def _facts(self) -> Iterator[str]:
        """What anybody needs who was not here: the command, what it said, what was seen."""
        judgement = self.judgement
        yield f"{judgement.cause} ({judgement.certainty.value}): {judgement.where}"
        yield judgement.detail.english
        if judgement.proof is not None:
            for side in (judgement.proof.failing, judgement.proof.passing):
                yield side.english
        run = next((run for run in self.evidence.runs if run.label == "go" and run.exit), None)
        if run is not None:
            yield "$ " + shlex.join(run.argv)
            yield from run.output[-_TAIL:].strip().splitlines()[-3:]
        if self.settings.go_version:
            yield self.settings.go_version


def _is_module(path: str) -> bool:
    try:
        module.check_path(path)
    except GoferryError:
        return False
    return True


def plain_host(text: str) -> str:
    """A host that may stand in a command as it is: names come from pages and certificates too. "" for anything else."""
    return text if re.fullmatch(r"[\w.:-]+", text) and not text.startswith("-") else ""


def one_line(text: str) -> str:
    """Somebody else's words, so that they cannot leave a comment."""
    return "".join(char if char.isprintable() else " " for char in text)


def minor(case: Case) -> int:
    """The N of Go 1.N that is installed; 0 when it is not known."""
    found = re.match(r"go1\.(\d+)", case.settings.go_version)
    return int(found[1]) if found else 0


def with_godebug(case: Case, option: str) -> dict[str, str | None]:
    """GODEBUG with one option more, beside those that are set."""
    setting = case.variable("GODEBUG")
    name = option.partition("=")[0]
    kept = [
        part
        for part in (setting.value if setting else "").split(",")
        if part and part.partition("=")[0] != name
    ]
    return {"GODEBUG": ",".join([*kept, option])}


def with_patterns(value: str, *patterns: str) -> str:
    """A GOPRIVATE-style list with these patterns."""
    kept = [part for part in value.split(",") if part and part != "none"]
    return ",".join(dict.fromkeys([*kept, *patterns]))


def versions_seen(case: Case) -> list[str]:
    """The versions of the module that some list in the evidence names, the newest first."""
    found = {
        word
        for answer in case.answers("list", "origin")
        if answer.status == 200
        for word in answer.body.split()
        if semver.is_valid(word)
    }
    return sorted(found, key=semver.key, reverse=True)


def quoted(text: str) -> str:
    """A word for a shell."""
    return shlex.quote(text)


def as_json(data: object) -> str:
    """One line of JSON, for daemon.json and its like."""
    return json.dumps(data, ensure_ascii=False)


def is_whole(value: str | None) -> bool:
    """Whether nothing of a value was hidden: what was can be shown, but neither tried nor written as it stands."""
    return value is None or (HIDDEN not in value and hide(value) == value)
