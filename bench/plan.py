"""What a scenario gets (a scratch folder, contestants, rounds) and what it leaves (figures, notes, reasons)."""

import datetime
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bench import servers, tools
from bench.demands import BY_KEY, DEMANDS, Demand
from bench.servers import Server
from bench.stats import Round, alternate

GOFERRY = "goferry"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure under a demand. `raw` are the rounds it comes from; `when` is UTC."""

    key: str
    value: float
    when: str
    raw: Any

    @property
    def demand(self) -> Demand:
        return BY_KEY[self.key]

    @property
    def passed(self) -> bool:
        return self.demand.holds(self.value)


@dataclass(frozen=True, slots=True)
class Note:
    """A figure beside the demands: a peer's, or a part of a demand's story."""

    group: str
    what: str
    value: float
    unit: str


@dataclass(slots=True)
class Results:
    """All that a run found out."""

    measured: dict[str, Measured] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    """Group or contestant → why it was not measured."""

    def to_json(self) -> dict[str, Any]:
        return {
            "measured": {key: asdict(one) for key, one in self.measured.items()},
            "notes": [asdict(one) for one in self.notes],
            "absent": self.absent,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Results":
        known = {demand.key for demand in DEMANDS}
        return cls(
            {key: Measured(**one) for key, one in data["measured"].items() if key in known},
            [Note(**one) for one in data["notes"]],
            dict(data["absent"]),
        )


@dataclass(slots=True)
class Bench:
    """One run. `quick` takes few rounds: for trying, not for quoting."""

    folder: Path
    quick: bool = False
    athens: bool = False
    results: Results = field(default_factory=Results)
    say: Callable[[str], None] = print
    _made: dict[str, Path] = field(default_factory=dict)
    _fresh: int = 0
    _certificate: servers.Certificate | None = None

    def rounds(self, full: int) -> int:
        return min(full, 2) if self.quick else full

    def made(self, name: str, make: Callable[[Path], object]) -> Path:
        """A folder that is filled once in a run, on first use."""
        if name not in self._made:
            folder = tools.ensure(self.folder / name)
            make(folder)
            self._made[name] = folder
        return self._made[name]

    def fresh(self, name: str) -> Path:
        """An empty folder, a new one each time: file systems are slow just after thousands of files were deleted."""
        self._fresh += 1
        return tools.ensure(self.folder / f"{name}-{self._fresh}")

    def emptied(self, name: str) -> Path:
        """An empty folder of that name; what was in it is deleted. For what is too big to keep."""
        folder = self.folder / name
        if folder.exists():
            shutil.rmtree(folder)
        return tools.ensure(folder)

    def certificate(self) -> servers.Certificate:
        if self._certificate is None:
            self._certificate = servers.certificate(self.folder / "certificate")
        return self._certificate

    def start(
        self,
        stack: ExitStack,
        group: str,
        contestants: dict[str, Callable[[], AbstractContextManager[Server]]],
    ) -> dict[str, Server]:
        """Starts those that can be; notes why the others can't."""
        up = {}
        for name, make in contestants.items():
            try:
                up[name] = stack.enter_context(make())
            except tools.Missing as reason:
                self.results.absent[f"{group}: {name}"] = str(reason)
        return up

    def measure(
        self, up: dict[str, Server], rounds: int, one: Callable[[Server, int], Round]
    ) -> dict[str, list[Round]]:
        """Goes round the servers, order reversed every round; each gets the figures of its slices, round by round."""
        figures: dict[str, list[Round]] = {name: [] for name in up}
        for number in range(rounds):
            for name in alternate(list(up), number):
                figures[name].append(one(up[name], number))
        return figures

    def record(self, key: str, value: float, raw: Any = None) -> None:
        """Keeps and prints the figure of a demand."""
        measured = Measured(key, round(value, 4), now(), raw)
        self.results.measured[key] = measured
        verdict = "pass" if measured.passed else "FAIL"
        self.say(
            f"  {measured.demand.what}: {value:.3g} {measured.demand.unit} ({measured.demand.text}) {verdict}"
        )

    def note(self, group: str, what: str, value: float, unit: str = "") -> None:
        """Keeps and prints a figure that no demand is about."""
        self.results.notes.append(Note(group, what, round(value, 4), unit))
        self.say(f"  {what}: {value:.4g} {unit}".rstrip())


def column(figures: dict[str, list[Round]], name: str) -> list[dict[str, float]]:
    """Rounds of one figure: [{server: value, …}, …]."""
    count = min(map(len, figures.values()))
    return [{server: rounds[number][name] for server, rounds in figures.items()} for number in range(count)]


def now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def keys_of(group: str) -> Sequence[str]:
    """The demands that a group answers."""
    return [demand.key for demand in DEMANDS if demand.group == group]
